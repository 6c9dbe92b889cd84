"""`binance-leaks history`: everything that a repository ever held."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.output import configured, excluded, known_baseline, present, wanted_formats
from binance_leaks.cli.signals import end_in_order
from binance_leaks.cli.verify_option import asking, online
from binance_leaks.config import Config, Globs
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Result, SourceKind
from binance_leaks.model import Credential, Location
from binance_leaks.pipeline.files import usable_cores
from binance_leaks.pipeline.history import EvidenceNearHistory, Outcome, Progress, Request, scan_history
from binance_leaks.pipeline.history_scan import Count
from binance_leaks.pipeline.scan import Scan
from binance_leaks.pipeline.state import State, conditions, read_state, write_state
from binance_leaks.pipeline.triage import conclude
from binance_leaks.replacements import refuse_existing, write_replacements
from binance_leaks.sources.git import Git

if TYPE_CHECKING:
    from binance_leaks.sources.clone import CloneProgress


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """What is scanned: a folder, what it is called for the user, and whether it is a mirror of a URL."""

    folder: str
    shown: str
    mirror: bool = False


def run(options: Options) -> ExitStatus:
    """Scans the history of a repository and reports."""
    started = time.monotonic()
    formats = wanted_formats(options)
    _refuse_empty(options)
    end_in_order()
    if options.write_replacements:
        refuse_existing(Path(options.write_replacements))
    with online(options) as asker, _target(options) as target:
        top = Git(target.folder).top()
        config = configured(options, Path(top))
        baseline = known_baseline(options, config, top)
        holds_for = _conditions(options, config, target)
        state = _state(options, holds_for)
        request = Request(
            folder=target.folder,
            jobs=options.jobs or usable_cores(),
            reachable=options.reachable,
            since=options.since,
            branches=tuple(options.branch),
            submodules=options.submodules,
            mirror=target.mirror,
            state=state,
            excluded=_exclusion(options, config, top),
        )
        outcome = scan_watched(request, options)
        scan = Scan(
            source=SourceKind.HISTORY,
            target=target.shown,
            credentials=_narrowed(outcome.credentials, options),
            skipped=tuple(outcome.skipped),
            stats=replace(outcome.stats, seconds=round(time.monotonic() - started, 3)),
            interrupted=outcome.interrupted,
            anchor=top,
        )
        nearby = EvidenceNearHistory(request, outcome)
        verify = None if outcome.interrupted else asking(asker)
        result = conclude(scan, config=config, nearby=nearby, baseline=baseline, verify=verify)
        if options.write_replacements:
            _replace(Path(options.write_replacements), result, outcome.credentials)
        status = present(
            result, options, formats, folder=None if target.mirror else top, interrupted=outcome.interrupted
        )
        if options.state and not outcome.interrupted:
            write_state(Path(options.state), holds_for, State.of(starts=outcome.scanned, hits=outcome.hits))
    return status


def _refuse_empty(options: Options) -> None:
    named = (
        ("--keep", [options.keep]),
        ("--state", [options.state]),
        ("--path", options.path),
        ("--branch", options.branch),
    )
    for option, values in named:
        if any(value == "" for value in values):
            raise UsageError(f"{option} is empty", hint="Is a variable unset?")


@contextmanager
def _target(options: Options) -> Iterator[_Target]:
    """The repository on disk; a URL is cloned first."""
    named = options.repository
    if not named:
        raise UsageError("no such repository: the name is empty", hint="Is a variable unset?")
    from binance_leaks.sources import clone  # start-up: 13 ms, and only a URL needs it

    if not clone.is_url(named):
        if options.keep:
            raise UsageError("--keep is for URLs", hint=f"{named} is on disk already.")
        if not os.path.isdir(named):  # noqa: PTH112 - the text may be too long for a path
            what = "not a folder" if os.path.lexists(named) else "no such folder"
            raise UsageError(f"{what}: {named}", hint="Give a folder with a git repository, or a URL.")
        yield _Target(folder=named, shown=named)
        return
    shown = clone.redact_url(named)
    if options.keep:
        with _clone_progress(options) as progress:
            clone.update_clone(named, Path(options.keep), progress)
        yield _Target(folder=options.keep, shown=shown, mirror=True)
        return
    with ExitStack() as stack:
        with _clone_progress(options) as progress:
            place = stack.enter_context(clone.temporary_clone(named, progress))
        yield _Target(folder=str(place), shown=shown, mirror=True)


@contextmanager
def _clone_progress(options: Options) -> Iterator[Callable[[CloneProgress], None]]:
    if not _is_watched(options):
        yield lambda _: None
        return
    from binance_leaks.cli.progress import CloneProgressBar  # rich: only where somebody looks on

    with CloneProgressBar() as bar:
        yield lambda step: bar.update(step.phase, step.done, step.total)


def scan_watched(request: Request, options: Options) -> Outcome:
    """Scans a history, with a progress bar where somebody looks on."""
    if not _is_watched(options):
        return scan_history(request, lambda _: None)
    from binance_leaks.cli.progress import HistoryProgress  # rich: only where somebody looks on

    with HistoryProgress() as bar:

        def show(count: Count) -> None:
            bar.update(count.objects, count.total, count.size, count.found)

        progress: Progress = show
        return scan_history(request, progress)


def _is_watched(options: Options) -> bool:
    return not (options.no_progress or options.quiet) and sys.stderr.isatty()


def _conditions(options: Options, config: Config, target: _Target) -> str:
    chosen = (options.branch, options.since, options.reachable, options.path, options.exclude, options.submodules)
    return conditions(repr(chosen), repr(replace(config, file=None, baseline=None)), target.shown)


def _state(options: Options, holds_for: str) -> State | None:
    if not options.state:
        return None
    if options.reachable or options.since or options.branch:
        raise UsageError("--state remembers whole scans", hint="Leave out --reachable, --since and --branch.")
    file = Path(options.state)
    state = read_state(file, holds_for)
    if state is None and file.exists() and not options.quiet:
        sys.stderr.write(
            f"binance-leaks: {file} is of another repository, version or configuration: everything is scanned again\n"
        )
    return state


def _exclusion(options: Options, config: Config, top: str) -> Callable[[str], bool]:
    """Which paths are left out: those of the configuration and the command line, and all but those asked for."""
    unwanted, wanted = excluded(config, options), Globs(options.path)

    def leaves_out(path: str) -> bool:
        if wanted and not wanted.match(path):
            return True
        return bool(unwanted) and unwanted.match(config.relative(path, top))

    return leaves_out


def _narrowed(credentials: list[Credential], options: Options) -> tuple[Credential, ...]:
    """With --path no messages, which have none."""
    if not options.path:
        return tuple(credentials)
    return tuple(
        credential
        for credential in credentials
        if any(_has_path(occurrence.location) for occurrence in credential.occurrences)
    )


def _has_path(location: Location) -> bool:
    return location.blob is not None


def _replace(file: Path, result: Result, credentials: list[Credential]) -> None:
    """Writes the values of what is reported, in the one output that holds any."""
    reported = {value.sha256 for finding in result.findings for value in finding.values}
    chosen = [credential for credential in credentials if any(value.sha256 in reported for value in credential.values)]
    count = write_replacements(file, chosen)
    told = f"wrote {count} {'value' if count == 1 else 'values'} to {file}; delete it when the history is rewritten"
    sys.stderr.write(f"binance-leaks: {told if count else f'no value to replace, {file} was not written'}\n")
