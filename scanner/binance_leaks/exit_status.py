"""Exit statuses of the program, and which one a result or an error has."""

from __future__ import annotations

from enum import IntEnum

from binance_leaks.errors import ConfigError, TimeLimitError, UsageError
from binance_leaks.findings import Result


class ExitStatus(IntEnum):
    """What the program returns. It never depends on the format of the report."""

    CLEAN = 0
    """Nothing fails the gate, and everything was read."""
    FINDINGS = 1
    """At least one finding fails the gate."""
    USAGE = 2
    """The command line or the configuration cannot be used."""
    INCOMPLETE = 3
    """The scan is incomplete or failed."""
    INTERRUPTED = 130
    """The user interrupted the program."""


def status_of(result: Result, *, allow_incomplete: bool = False, interrupted: bool = False) -> ExitStatus:
    """Return the exit status of a result.

    With `allow_incomplete`, what could not be read does not count. `interrupted` is True if the user interrupted this
    very scan: a stored report of such a scan is only incomplete.
    """
    if interrupted:
        return ExitStatus.INTERRUPTED
    if any(finding.fails for finding in result.findings):
        return ExitStatus.FINDINGS
    return ExitStatus.CLEAN if result.complete or allow_incomplete else ExitStatus.INCOMPLETE


def status_of_error(error: BaseException) -> ExitStatus:
    """Return the exit status of a program that an error ended."""
    if isinstance(error, (UsageError, ConfigError)):
        return ExitStatus.USAGE
    is_interrupt = isinstance(error, KeyboardInterrupt) and not isinstance(error, TimeLimitError)
    return ExitStatus.INTERRUPTED if is_interrupt else ExitStatus.INCOMPLETE
