"""Scan a range that is given without options, and report one that is clean.

It imports next to nothing until something is suspicious.
"""

from __future__ import annotations

import os
import sys
import time

from binance_leaks.quantities import human_size, human_time, plural
from binance_leaks.sources.range_fast_path import has_configuration, read_range

TYPE_CHECKING = False  # as typing has it, without importing typing
if TYPE_CHECKING:
    from collections.abc import Sequence

    from binance_leaks.sources.range_fast_path import RangeContents


def report_clean_range(words: Sequence[str]) -> tuple[bool, RangeContents | None]:
    """Scan the range that is the only argument of `range`, and report it if it is clean.

    Return whether it was reported, and what was read, if anything was. At a terminal nothing is, as a bar shows there
    how far the scan is.
    """
    if len(words) != 1 or sys.stderr.isatty():
        return False, None
    started = time.monotonic()
    contents = read_range(words[0])
    if contents is None or not contents.is_plain or has_configuration():
        return False, contents
    if contents.suspects and _may_report(contents):
        return False, contents
    count = plural(len(contents.commits), "commit")
    sys.stderr.write(f"binance-leaks: {words[0]} ({count})\n")
    measures = f"{human_size(sum(contents.sizes.values()))}, {human_time(time.monotonic() - started)}"
    sys.stdout.write(
        f"No Binance credentials found in {count} and {plural(len(contents.files), 'file')} ({measures}).\n"
    )
    return True, contents


def _may_report(contents: RangeContents) -> bool:
    """Whether anything that is suspicious holds a credential, or cannot be read to its end."""
    from binance_leaks.pipeline.files import holds_credential, message_holds_credential  # start-up: most are clean

    if any(message_holds_credential(contents.suspects[name]) for name in contents.commits if name in contents.suspects):
        return True
    suspicious = ((path, contents.suspects[blob]) for path, blob in contents.files if blob in contents.suspects)
    return any(holds_credential(os.fsdecode(path), content) for path, content in suspicious)
