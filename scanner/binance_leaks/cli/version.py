"""`binance-leaks --version -v`: what is installed, for reports of faults."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from binance_leaks import __version__
from binance_leaks.native import compiled
from binance_leaks.setup.doctor.program import PARTS, describe_python, is_installed

if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Options


def print_versions(_: Options) -> int:
    """Print the version, and which optional parts are there."""
    rows = [
        (f"binance-leaks {__version__}", describe_python()),
        ("compiled module", "active" if compiled is not None else "not built, or switched off: scans are slower"),
        *((part.module, f"{'there' if is_installed(part.module) else 'not installed'}; {part.use}") for part in PARTS),
    ]
    width = max(len(name) for name, _ in rows) + 2
    sys.stdout.write("".join(f"{name:<{width}}{text}\n" for name, text in rows))
    return 0
