"""The library: scans of bytes, files, histories and ranges of commits that return results.

Everything here is also a name of the package: `from binance_leaks import scan_paths`. No scan opens a connection, asks
Binance, writes a file, or reads a configuration that it was not given. A result holds no value: digests and masks
alone. What goes wrong is a `ScannerError` with a `hint`; an interrupt is raised again when all processes have ended.

What a scan finds comes from strangers: paths, authors and commit subjects may hold line breaks and escape sequences.
`render` makes them inert; whoever prints them otherwise must do so himself.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from binance_leaks.config import Allow, Config, FailOn, Globs, find_config, load_config
from binance_leaks.errors import ConfigError, GitError, MissingHistoryError, ScanError, ScannerError, UsageError
from binance_leaks.findings import Finding, Result, Risk, ScanStats, Skipped, SourceKind, SuppressedBy, Suppression
from binance_leaks.model import Commit, Confidence, Environment, Exposure, Kind, Location, RiskLevel, Role, Value
from binance_leaks.pipeline.commit_range import RangeRequest, brought_in
from binance_leaks.pipeline.commit_range import scan_range as read_range
from binance_leaks.pipeline.files import scan_chunks, scan_entries
from binance_leaks.pipeline.history import EvidenceNearHistory, Request
from binance_leaks.pipeline.history import scan_history as read_history
from binance_leaks.pipeline.scan import Scan
from binance_leaks.pipeline.triage import NearbyEvidence, conclude
from binance_leaks.report import FORMAT_NAMES, View, format_named
from binance_leaks.report.sanitize import redacted
from binance_leaks.sources.commit_selection import select_range
from binance_leaks.sources.files import list_files
from binance_leaks.sources.git import Git
from binance_leaks.sources.nearby_evidence import EvidenceNearCommits, EvidenceNearFiles
from binance_leaks.sources.path_roots import PathRoots
from binance_leaks.sources.read_content import read_stream

if TYPE_CHECKING:
    from binance_leaks.baseline.known import Known

__all__ = [
    "FORMAT_NAMES",
    "Allow",
    "Commit",
    "Confidence",
    "Config",
    "ConfigError",
    "Environment",
    "Exposure",
    "FailOn",
    "Finding",
    "GitError",
    "Kind",
    "Location",
    "MissingHistoryError",
    "Result",
    "Risk",
    "RiskLevel",
    "Role",
    "ScanError",
    "ScanStats",
    "ScannerError",
    "Skipped",
    "SourceKind",
    "SuppressedBy",
    "Suppression",
    "UsageError",
    "Value",
    "find_config",
    "load_config",
    "render",
    "scan_bytes",
    "scan_history",
    "scan_paths",
    "scan_range",
]

StrPath: TypeAlias = "str | os.PathLike[str]"


def scan_bytes(data: bytes, *, path: str = "", config: Config | None = None) -> Result:
    """Scans some content: a file, an archive, an answer of a server.

    `path` is what the result calls it; names in it that speak of Binance count as evidence. Nothing of that name is
    read: no neighbours, no repository. Raises ScannerError.
    """
    started = time.monotonic()
    with _told():
        tally = scan_chunks(read_stream(path or "<bytes>", path, io.BytesIO(data), size=len(data)))
        scan = Scan(
            source=SourceKind.FILES,
            target=path or "<bytes>",
            credentials=tuple(tally.credentials),
            skipped=tuple(tally.skipped),
            stats=ScanStats(files=tally.files, bytes=tally.bytes, seconds=_seconds(started)),
        )
        return _concluded(scan, config, None, None)


def scan_paths(
    paths: StrPath | Iterable[StrPath] = ".",
    *,
    config: Config | None = None,
    baseline: StrPath | None = None,
    exclude: Sequence[str] = (),
    all_files: bool = False,
    jobs: int = 1,
) -> Result:
    """Scans files and folders, as `binance-leaks scan` does.

    In a git work tree a folder means what git does not ignore, with `all_files` everything. `exclude` are patterns as
    in `.gitignore`, on top of those of `config`. `jobs` processes share the work where it takes longer than a moment;
    they are forked where the system can, so that a program with threads had better stay at 1. `baseline` suppresses
    what it knows; without, that of `config` does. Raises UsageError for a path that does not exist, else ScannerError.
    """
    started = time.monotonic()
    with _told():
        config = config or Config()
        roots = [Path(path) for path in _listed(paths)]
        patterns = Globs([*config.exclude, *exclude])
        entries = list_files(roots, exclude=_exclusion(patterns, config, "."), all_files=all_files)
        tally = scan_entries(entries, jobs=_checked(jobs), progress=lambda _: None)
        if tally.interrupted:
            raise KeyboardInterrupt
        scan = Scan(
            source=SourceKind.FILES,
            target=" ".join(map(str, roots)),
            credentials=tuple(tally.credentials),
            skipped=tuple(tally.skipped),
            stats=ScanStats(files=tally.files, bytes=tally.bytes, seconds=_seconds(started)),
        )
        top = PathRoots().top(str(roots[0] if roots[0].is_dir() else roots[0].parent))
        return _concluded(scan, config, EvidenceNearFiles(), _known(baseline, config, top))


def scan_history(
    repository: StrPath = ".",
    *,
    config: Config | None = None,
    baseline: StrPath | None = None,
    exclude: Sequence[str] = (),
    branches: Sequence[str] = (),
    since: str | None = None,
    reachable: bool = False,
    submodules: bool = False,
    jobs: int = 1,
) -> Result:
    """Scans everything that a repository on this machine ever held, as `binance-leaks history` does.

    `branches`, `since` (a date as git understands it) and `reachable` narrow that to what refs reach. What is missing,
    as in a shallow clone, is in `skipped`, and `complete` is False. Raises GitError where there is no repository, or
    one that git refuses, else ScannerError.
    """
    started = time.monotonic()
    with _told():
        config = config or Config()
        top = _git(repository).top()
        request = Request(
            folder=os.fspath(repository),
            jobs=_checked(jobs),
            reachable=reachable,
            since=since,
            branches=tuple(branches),
            submodules=submodules,
            excluded=_exclusion(Globs([*config.exclude, *exclude]), config, top),
        )
        outcome = read_history(request, lambda _: None)
        if outcome.interrupted:
            raise KeyboardInterrupt
        scan = Scan(
            source=SourceKind.HISTORY,
            target=os.fspath(repository),
            credentials=tuple(outcome.credentials),
            skipped=tuple(outcome.skipped),
            stats=replace(outcome.stats, seconds=_seconds(started)),
            anchor=top,
        )
        return _concluded(scan, config, EvidenceNearHistory(request, outcome), _known(baseline, config, top))


def scan_range(
    commits: str,
    repository: StrPath = ".",
    *,
    config: Config | None = None,
    baseline: StrPath | None = None,
    exclude: Sequence[str] = (),
) -> Result:
    """Scans what some commits bring in, such as `origin/main..HEAD`, as `binance-leaks range` does.

    What stood there before them is not in the result; `stats.standing` counts it. Raises UsageError for what is no
    range of commits or an empty one, MissingHistoryError where a shallow clone does not have it, else ScannerError.
    """
    started = time.monotonic()
    with _told():
        config = config or Config()
        git = _git(repository)
        top = git.top()
        selection = select_range(git, commits)
        request = RangeRequest(
            selection=selection, excluded=_exclusion(Globs([*config.exclude, *exclude]), config, top)
        )
        outcome = read_range(git, request)
        scan = Scan(
            source=SourceKind.RANGE,
            target=selection.target,
            credentials=outcome.credentials,
            skipped=tuple(outcome.skipped),
            stats=replace(outcome.stats, seconds=_seconds(started)),
            anchor=top,
        )
        nearby = EvidenceNearCommits(git, outcome.commits)
        return brought_in(_concluded(scan, config, nearby, _known(baseline, config, top)))


def render(result: Result, format: str = "json", *, width: int = 80, verbose: bool = False) -> str:
    """A result as a report, as `--format` writes it; `FORMAT_NAMES` are the names. Suppressed findings are listed.

    Raises UsageError for an unknown format.
    """
    view = View(width=width, verbose=verbose, show_suppressed=True, moment=datetime.now(timezone.utc))
    return format_named(format).render(result, view)


def _concluded(scan: Scan, config: Config | None, nearby: NearbyEvidence | None, known: Known | None) -> Result:
    return redacted(conclude(scan, config=config or Config(), nearby=nearby, baseline=known))


def _known(named: StrPath | None, config: Config, root: str | None) -> Known | None:
    """What the baseline knows; its paths count from `root`, outside of a repository from its own folder."""
    file = Path(named) if named is not None else config.baseline_file
    if file is None:
        return None
    from binance_leaks.baseline.file import Baseline  # start-up: most scans have no baseline

    return Baseline.read(file).known(root if root is not None else str(file.resolve().parent))


def _git(repository: StrPath) -> Git:
    """git in a folder. Raises UsageError where there is none: no URL is cloned here."""
    if not Path(repository).is_dir():
        raise UsageError(f"no such folder: {os.fspath(repository)}", hint="Clone a repository first.")
    return Git(os.fspath(repository))


def _listed(paths: StrPath | Iterable[StrPath]) -> list[StrPath]:
    listed = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not listed or any(os.fspath(path) == "" for path in listed):
        raise UsageError("no path to scan", hint='"." is the current folder.')
    return listed


def _exclusion(patterns: Globs, config: Config, anchor: str) -> Callable[[str], bool]:
    return lambda path: bool(patterns) and patterns.match(config.relative(path, anchor))


def _checked(jobs: int) -> int:
    if jobs < 1:
        raise UsageError(f"jobs must be 1 or more, not {jobs}")
    return jobs


def _seconds(started: float) -> float:
    return round(time.monotonic() - started, 3)


@contextmanager
def _told() -> Iterator[None]:
    """Lets nothing but a ScannerError out, so that a caller needs to know one error only."""
    try:
        yield
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        raise ScanError(f"{what}{error.strerror or type(error).__name__}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None
