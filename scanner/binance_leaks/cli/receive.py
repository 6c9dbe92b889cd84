"""`binance-leaks receive`: the hook of a server, which refuses a push that brings a credential."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.commits import report_if_any
from binance_leaks.cli.settings import CommandSettings
from binance_leaks.errors import ScanError, ScannerError, UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.quantities import plural
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.sources.git import Git
from binance_leaks.sources.push_selection import RefUpdate, parse_received_updates, received_update, select_received


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveSettings(CommandSettings):
    """`receive`."""

    update: list[str]
    time_limit: int
    warn_only: bool


def run(options: Options) -> ExitStatus:
    """Scan what a push brings, before its refs change, and report.

    With `--warn-only` the push passes whatever happens.
    """
    settings = ReceiveSettings.of(options)
    try:
        updates = _updates(settings)
        with _time_limit(settings.time_limit):
            git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - as git sees it
            git.top()  # raises a clear error where there is no repository
            status = report_if_any(settings, git, select_received(git, updates))
    except ScannerError as error:
        if not settings.warn_only:
            raise
        for line in filter(None, (f"binance-leaks: {error}", error.hint)):
            sys.stderr.write(f"{without_values(printable(line))}\n")
        status = ExitStatus.INCOMPLETE
    if status is ExitStatus.CLEAN or not settings.warn_only:
        return status
    sys.stderr.write("binance-leaks: the push passes all the same, because of --warn-only\n")
    return ExitStatus.CLEAN


def _updates(settings: ReceiveSettings) -> list[RefUpdate]:
    """The updates of the push: those of a pre-receive hook, or the one of an update hook."""
    if settings.update:
        if len(settings.update) != 3:
            raise UsageError("an update hook is given REF OLD NEW", hint='Pass its arguments on: receive "$@".')
        return [received_update(*settings.update)]
    return parse_received_updates(sys.stdin.buffer.read() if sys.stdin is not None else b"")


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Raise ScanError when so many seconds have passed. A system without alarms (Windows) has no limit."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def expire(*_: object) -> NoReturn:
        raise ScanError(
            f"the push could not be scanned within {plural(seconds, 'second')}",
            hint="Push fewer commits at a time, or ask the server's administrator for a longer --time-limit.",
        )

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
