"""What is told beside the report, on standard error: lines for a log, where no terminal draws the progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from scanner.cli.arguments.common import Options
from scanner.fleet.pool import Pool
from scanner.fleet.words import Failed, Repository, Scanned
from scanner.report.brief import human_time
from scanner.report.sanitize import printable, without_values

_EVERY = 60.0


class FleetLog:
    """Tells once a minute how a run goes, so that who reads the log of a long one sees that it does."""

    def __init__(self, total: int, say: Callable[[str], None], *, every: float = _EVERY) -> None:
        self._total = total
        self._say = say
        self._every = every
        self._done = self._failed = 0
        self._started = self._told = time.monotonic()

    def recorded(self, repository: Repository, outcome: Scanned | Failed) -> None:  # noqa: ARG002 - the protocol's
        """Counts."""
        self._done += 1
        self._failed += isinstance(outcome, Failed)

    def tick(self, pool: Pool) -> None:  # noqa: ARG002 - the protocol's
        """Tells, if it is time."""
        now = time.monotonic()
        if now - self._told >= self._every:
            self._told = now
            failed = f", {self._failed:,} failed" if self._failed else ""
            spent = human_time(now - self._started)
            self._say(f"{self._done:,} of {self._total:,} repositories done{failed}, {spent} so far")


def tell(options: Options, text: str) -> None:
    """Tells a line, unless nobody wants to hear anything."""
    if not options.quiet:
        sys.stderr.write(f"binance-leaks: {without_values(printable(text))}\n")
        sys.stderr.flush()
