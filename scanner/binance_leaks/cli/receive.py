"""`binance-leaks receive`: the hook of a server, which refuses a push that brings a credential."""

from __future__ import annotations

import os
import sys

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.commits import report_if_any
from binance_leaks.cli.settings import CommandSettings
from binance_leaks.errors import ScannerError, TimeLimitError, UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.reading import LARGEST_LIST, read_standard_input
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.sources.git import Git
from binance_leaks.sources.push_selection import RefUpdate, parse_received_updates, received_update, select_received


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveSettings(CommandSettings):
    """`receive`."""

    update: list[str]
    warn_only: bool


def run(options: Options) -> ExitStatus:
    """Scan what a push brings, before its refs change, and report.

    With `--warn-only` the push passes whatever happens.
    """
    settings = ReceiveSettings.of(options)
    try:
        updates = _updates(settings)
        git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - as git sees it
        git.top()  # raises a clear error where there is no repository
        status = report_if_any(settings, git, select_received(git, updates), remember=False)
    except (ScannerError, TimeLimitError) as error:
        if not settings.warn_only:
            raise
        for line in filter(None, (f"binance-leaks: {error}", getattr(error, "hint", ""))):
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
    return parse_received_updates(read_standard_input(LARGEST_LIST, "the list of refs"))
