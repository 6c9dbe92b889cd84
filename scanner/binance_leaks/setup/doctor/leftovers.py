"""Remove what runs that were killed have left in the folder for temporary files."""

from __future__ import annotations

from collections.abc import Iterator

from binance_leaks.quantities import plural
from binance_leaks.setup.doctor.check import Check, State
from binance_leaks.temporary_folders import remove_left_folders


def check_leftovers() -> Iterator[Check]:
    """Yield how many folders of dead runs were removed, if there were any."""
    removed = remove_left_folders()
    if removed:
        yield Check(
            name="leftovers", state=State.OK, found=f"{plural(removed, 'folder')} of runs that were killed: removed"
        )
