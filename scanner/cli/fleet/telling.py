"""What is told beside the report, on standard error."""

from __future__ import annotations

import sys

from scanner.cli.arguments.common import Options
from scanner.report.sanitize import printable, without_values


def tell(options: Options, text: str) -> None:
    """Tells a line, unless nobody wants to hear anything."""
    if not options.quiet:
        sys.stderr.write(f"binance-leaks: {without_values(printable(text))}\n")
        sys.stderr.flush()
