"""What commands that scan share: checks, progress, verification, output."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from binance_leaks.cli.output import is_in_ci, present, wanted_formats
from binance_leaks.cli.settings import CommandSettings, OutputSettings
from binance_leaks.cli.verify_option import OnlineVerifier, online_verifier
from binance_leaks.errors import GitError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Repository, Result, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.pipeline.run_scan import Scan, TriageSettings, run_scan
from binance_leaks.pipeline.source import Detected, ShowProgress, Source
from binance_leaks.report import Format
from binance_leaks.report.names import REST
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.sources.git import Git
from binance_leaks.sources.urls import is_url

if TYPE_CHECKING:
    from binance_leaks.cli.time_limit import TimeLimit
    from binance_leaks.model import Credential
    from binance_leaks.pipeline.apply_verification import Verified, Verify

D = TypeVar("D", bound=Detected)


@dataclass(frozen=True, kw_only=True, slots=True)
class Runner:
    """The options of a command after they were checked, ready to run."""

    settings: CommandSettings
    formats: list[tuple[Format, Path | None]]
    verifier: OnlineVerifier | None

    def scan(self, source: Source[D], triage: TriageSettings) -> Scan[D]:
        """Scan, with a progress bar on a terminal, and verify if the user wants that."""
        verify: Verify | None = self.verifier.verify if self.verifier is not None else None
        limit = self.settings.limit
        if limit is None:
            return run_scan(source, triage, verify=verify, progress=scan_progress(self.settings.output))
        verify = _in_time(verify, limit) if verify is not None else None
        return run_scan(source, triage, verify=verify, progress=_reading(self.settings.output, limit))

    def report(
        self,
        result: Result,
        *,
        folder: str | None = None,
        repository: str | None = None,
        config: str | None = None,
        remember: bool = True,
    ) -> ExitStatus:
        """Report a result of this run.

        Its paths lead to files from `folder`, None where there are no such files. `repository` is the folder of the
        repository that was scanned, or its URL. `config` is the configuration's file. With `remember`
        the findings can be allowed by their ids on this machine.
        """
        limit = self.settings.limit
        if limit is not None and limit.is_over and result.interrupted:
            return self._report_unfinished(result, limit, folder=folder, config=config)
        if repository is not None and (result.findings or any(report.for_repository for report, _ in self.formats)):
            result = replace(result, repository=_describe_repository(repository))
        return present(
            result,
            self.settings.output,
            self.formats,
            folder=folder,
            remembered=remember and bool(result.findings) and _remember(result, folder, config),
            allow_incomplete=self.settings.gate.allow_incomplete,
            interrupted=result.interrupted,
        )

    def _report_unfinished(
        self, result: Result, limit: TimeLimit, *, folder: str | None, config: str | None
    ) -> ExitStatus:
        """Report what was found until the time was over. Not finished comes before findings, as for an interrupt."""
        rest = Skipped(what=REST.what, why=limit.describe())
        present(
            replace(result, interrupted=False, skipped=(rest, *result.skipped)),
            self.settings.output,
            self.formats,
            folder=folder,
            remembered=bool(result.findings) and _remember(result, folder, config),
        )
        return ExitStatus.INCOMPLETE

    def run(
        self, source: Source[D], triage: TriageSettings, *, folder: str | None = None, repository: str | None = None
    ) -> ExitStatus:
        """Scan and report."""
        result = self.scan(source, triage).result
        return self.report(result, folder=folder, repository=repository, config=triage.config.file)


def _describe_repository(place: str) -> Repository | None:
    """Return name, page and forge of the repository at a folder or URL, None where there is none."""
    from binance_leaks.report.forge import describe_repository  # start-up: most scans find nothing

    if is_url(place):
        return describe_repository(place, place)
    git = Git(place)
    try:
        return describe_repository(os.path.realpath(git.top()).replace(os.sep, "/"), git.origin())
    except GitError:
        return None


def _remember(result: Result, folder: str | None, config: str | None) -> bool:
    """Remember what was found for `allow`; not in CI, where nobody gives commands afterwards.

    What is allowed in a project is not allowed on the machine, so its findings are not those of any project.
    """
    if is_in_ci(os.environ) or result.source is SourceKind.MACHINE:
        return False
    from binance_leaks.cli.last_scan import remember  # start-up: most scans find nothing

    return remember(result, folder=folder, config=config)


@contextmanager
def runner(settings: CommandSettings) -> Iterator[Runner]:
    """Check the options for reports and `--verify` before a scan, and give a runner."""
    formats = wanted_formats(settings.output)
    with online_verifier(settings.online, settings.output) as verifier:
        yield Runner(settings=settings, formats=formats, verifier=verifier)


@contextmanager
def scan_progress(output: OutputSettings) -> Iterator[ShowProgress | None]:
    """Give a function that shows the progress of a scan, None without a terminal."""
    if not is_watched(output):
        yield None
        return
    from binance_leaks.cli.progress import ScanProgress  # start-up: rich costs 30 ms, and nobody watches a CI system

    with ScanProgress() as bar:
        yield bar.update


def _in_time(verify: Verify, limit: TimeLimit) -> Verify:
    """A check that ends at a time limit, as at an interrupt."""

    def checked(credentials: Sequence[Credential]) -> Verified:
        with limit.ending_work():
            return verify(credentials)

    return checked


@contextmanager
def _reading(output: OutputSettings, limit: TimeLimit) -> Iterator[ShowProgress | None]:
    """Show the progress of a scan that ends at a time limit."""
    with scan_progress(output) as show:
        yield show
    limit.keep_what_was_read()


def is_watched(output: OutputSettings) -> bool:
    """Whether progress is shown: on a terminal, unless the user does not want it."""
    return not (output.no_progress or output.quiet) and sys.stderr.isatty()


def print_notes(output: OutputSettings, *lines: str) -> None:
    """Print what is scanned to standard error, unless the user wants quiet."""
    for line in lines if not output.quiet else ():
        sys.stderr.write(f"binance-leaks: {without_values(printable(line))}\n")


def clean_up_on_signals() -> None:
    """Clean up on SIGTERM and SIGHUP: raise SystemExit.

    Clones and processes are removed on the way out.
    """

    def end(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
