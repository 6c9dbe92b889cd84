"""`binance-leaks history`: everything that a repository ever held."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import triage_settings
from binance_leaks.cli.run import clean_up_on_signals, is_watched, runner
from binance_leaks.cli.settings import CommandSettings, OutputSettings
from binance_leaks.config import Config
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Result
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Credential
from binance_leaks.path_patterns import Globs
from binance_leaks.pipeline.history import HistorySource
from binance_leaks.pipeline.state import State, conditions, read_state, write_state
from binance_leaks.pipeline.workers import usable_cores
from binance_leaks.replacements import refuse_existing, write_replacements
from binance_leaks.sources.git import Git
from binance_leaks.sources.pictures.settings import are_read, can_read_text

if TYPE_CHECKING:
    from binance_leaks.sources.clone import CloneProgress


@dataclass(frozen=True, kw_only=True, slots=True)
class HistorySettings(CommandSettings):
    """`history`."""

    repository: str
    reachable: bool
    branch: Sequence[str]
    since: str | None
    path: Sequence[str]
    submodules: bool
    keep: str | None
    state: str | None
    write_replacements: str | None
    jobs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """A repository on disk, what it is called for the user, and whether it is a mirror of a URL."""

    folder: str
    shown: str
    mirror: bool = False


def run(options: Options) -> ExitStatus:
    """Scan the history of a repository and report."""
    settings = HistorySettings.of(options)
    _refuse_empty(settings)
    clean_up_on_signals()
    if settings.write_replacements:
        refuse_existing(Path(settings.write_replacements))
    with runner(settings) as this, _target(settings) as target:
        top = Git(target.folder).top()
        triage = triage_settings(settings.gate, Path(top), root=top)
        holds_for = _conditions(settings, triage.config, target)
        scan = this.scan(_source(settings, triage.config, target, top, _state(settings, holds_for)), triage)
        if settings.write_replacements:
            _write_replacements(Path(settings.write_replacements), scan.result, scan.detected.credentials)
        status = this.report(
            scan.result,
            folder=None if target.mirror else top,
            repository=target.shown if target.mirror else top,
            config=triage.config.file,
        )
        if settings.state and not scan.result.interrupted:
            write_state(Path(settings.state), holds_for, scan.detected.state())
    return status


def _source(settings: HistorySettings, config: Config, target: _Target, top: str, state: State | None) -> HistorySource:
    return HistorySource(
        folder=target.folder,
        target=target.shown,
        anchor=top,
        jobs=settings.jobs or usable_cores(),
        reachable=settings.reachable,
        since=settings.since,
        branches=settings.branch,
        submodules=settings.submodules,
        mirror=target.mirror,
        state=state,
        excluded=_exclusion(settings, config, top),
        messages=not settings.path,  # they have no path
    )


def _refuse_empty(settings: HistorySettings) -> None:
    named = (
        ("--keep", [settings.keep]),
        ("--state", [settings.state]),
        ("--path", settings.path),
        ("--branch", settings.branch),
    )
    for option, values in named:
        if any(value == "" for value in values):
            raise UsageError(f"{option} is empty", hint="Is a variable unset?")


@contextmanager
def _target(settings: HistorySettings) -> Iterator[_Target]:
    """Give the repository on disk; clone a URL first."""
    named = settings.repository
    if not named:
        raise UsageError("no such repository: the name is empty", hint="Is a variable unset?")
    from binance_leaks.sources import clone  # start-up: 13 ms, and only a URL needs it

    if not clone.is_url(named):
        if settings.keep:
            raise UsageError("--keep is for URLs", hint=f"{named} is on disk already.")
        if not os.path.isdir(named):  # noqa: PTH112 - the text may be too long for a path
            what = "not a folder" if os.path.lexists(named) else "no such folder"
            raise UsageError(f"{what}: {named}", hint="Give a folder with a git repository, or a URL.")
        yield _Target(folder=named, shown=named)
        return
    shown = clone.redact_url(named)
    if settings.keep:
        with _clone_progress(settings.output) as progress:
            clone.update_clone(named, Path(settings.keep), progress)
        yield _Target(folder=settings.keep, shown=shown, mirror=True)
        return
    with ExitStack() as stack:
        with _clone_progress(settings.output) as progress:
            place = stack.enter_context(clone.temporary_clone(named, progress))
        yield _Target(folder=str(place), shown=shown, mirror=True)


@contextmanager
def _clone_progress(output: OutputSettings) -> Iterator[Callable[[CloneProgress], None]]:
    if not is_watched(output):
        yield lambda _: None
        return
    from binance_leaks.cli.progress import CloneProgressBar  # rich: only on a terminal

    with CloneProgressBar() as bar:
        yield lambda step: bar.update(step.phase, step.done, step.total)


def _conditions(settings: HistorySettings, config: Config, target: _Target) -> str:
    narrowing = (settings.branch, settings.since, settings.reachable, settings.path)
    pictures = are_read(), can_read_text()
    chosen = (*narrowing, settings.gate.exclude, settings.submodules, pictures)
    return conditions(repr(chosen), repr(replace(config, file=None, baseline=None)), target.shown)


def _state(settings: HistorySettings, holds_for: str) -> State | None:
    if not settings.state:
        return None
    if settings.reachable or settings.since or settings.branch:
        raise UsageError("--state remembers whole scans", hint="Leave out --reachable, --since and --branch.")
    file = Path(settings.state)
    state = read_state(file, holds_for)
    if state is None and file.exists() and not settings.output.quiet:
        sys.stderr.write(
            f"binance-leaks: {file} is of another repository, version or configuration: everything is scanned again\n"
        )
    return state


def _exclusion(settings: HistorySettings, config: Config, top: str) -> Callable[[str], bool]:
    """Leave out the paths of the configuration and the command line, and with --path all others."""
    excluded, wanted = config.exclusion(settings.gate.exclude, anchor=top), Globs(settings.path)
    return lambda path: bool(wanted and not wanted.match(path)) or excluded(path)


def _write_replacements(file: Path, result: Result, credentials: Sequence[Credential]) -> None:
    """Write the values of what is reported, in the one output that holds any."""
    reported = {value.sha256 for finding in result.findings for value in finding.values}
    chosen = [credential for credential in credentials if any(value.sha256 in reported for value in credential.values)]
    count = write_replacements(file, chosen)
    done = f"wrote {count} {'value' if count == 1 else 'values'} to {file}; delete it when the history is rewritten"
    sys.stderr.write(f"binance-leaks: {done if chosen else f'no value to replace, {file} was not written'}\n")
