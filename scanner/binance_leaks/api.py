"""The library: scan bytes, files, histories and commit ranges, and get results.

Everything here is also a name of the package: `from binance_leaks import scan_paths`. No scan opens a connection,
writes a file, or reads a configuration that it was not given. A result holds no value: digests and masks
alone. What goes wrong is a `ScannerError` with a `hint`; an interrupt is raised again when all processes have ended.

What a scan finds comes from strangers: paths, authors and commit subjects may hold line breaks and escape sequences.
`render` makes them inert; if you print them otherwise, escape them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeAlias

from binance_leaks.config import Allow as Allow
from binance_leaks.config import Config as Config
from binance_leaks.config import FailOn as FailOn
from binance_leaks.config import find_config as find_config
from binance_leaks.config import load_config as load_config
from binance_leaks.errors import ConfigError as ConfigError
from binance_leaks.errors import GitError as GitError
from binance_leaks.errors import MissingHistoryError as MissingHistoryError
from binance_leaks.errors import ScanError as ScanError
from binance_leaks.errors import ScannerError as ScannerError
from binance_leaks.errors import UsageError as UsageError
from binance_leaks.findings import Finding as Finding
from binance_leaks.findings import Result as Result
from binance_leaks.findings import Risk as Risk
from binance_leaks.findings import ScanStats as ScanStats
from binance_leaks.findings import Skipped as Skipped
from binance_leaks.findings import SourceKind as SourceKind
from binance_leaks.findings import SuppressedBy as SuppressedBy
from binance_leaks.findings import Suppression as Suppression
from binance_leaks.model import Commit as Commit
from binance_leaks.model import Confidence as Confidence
from binance_leaks.model import Environment as Environment
from binance_leaks.model import Exposure as Exposure
from binance_leaks.model import Kind as Kind
from binance_leaks.model import Location as Location
from binance_leaks.model import RiskLevel as RiskLevel
from binance_leaks.model import Role as Role
from binance_leaks.model import Value as Value
from binance_leaks.pipeline.commit_range import RangeSource
from binance_leaks.pipeline.files import ContentSource, FileSource
from binance_leaks.pipeline.history import HistorySource
from binance_leaks.pipeline.run_scan import TriageSettings, load_baseline, run_scan
from binance_leaks.pipeline.source import Detected, Source
from binance_leaks.report import FORMAT_NAMES as FORMAT_NAMES
from binance_leaks.report import View, format_named
from binance_leaks.report.sanitize import redacted
from binance_leaks.sources.commit_selection import select_range
from binance_leaks.sources.git import Git
from binance_leaks.sources.path_roots import PathRoots

StrPath: TypeAlias = "str | os.PathLike[str]"


def scan_bytes(data: bytes, *, path: str = "", config: Config | None = None) -> Result:
    """Scan content: a file, an archive, the answer of a server.

    `path` is what the result calls it; names in it that mention Binance are evidence. Nothing of that name is read: no
    neighbours, no repository. Raises ScannerError.
    """
    with _scanner_errors_only():
        return _scan(ContentSource(content=data, path=path), config or Config())


def scan_paths(
    paths: StrPath | Iterable[StrPath] = ".",
    *,
    config: Config | None = None,
    baseline: StrPath | None = None,
    exclude: Sequence[str] = (),
    all_files: bool = False,
    jobs: int = 1,
) -> Result:
    """Scan files and folders, as `binance-leaks scan` does.

    In a git work tree a folder means what git does not ignore, with `all_files` everything. `exclude` are patterns as
    in `.gitignore`, on top of those of `config`. `jobs` processes share the work where it takes longer than a moment;
    they are forked where the system can, so a program with threads should use 1. `baseline` suppresses what it
    contains; without it, that of `config` does. Raises UsageError for a path that does not exist, else ScannerError.
    """
    with _scanner_errors_only():
        config = config or Config()
        roots = [Path(path) for path in _listed(paths)]
        source = FileSource(
            paths=roots,
            target=" ".join(map(str, roots)),
            jobs=_checked(jobs),
            all_files=all_files,
            excluded=config.exclusion(exclude),
        )
        top = PathRoots().top(str(roots[0] if os.path.isdir(roots[0]) else roots[0].parent))  # noqa: PTH112 - never raises
        return _scan(source, config, baseline, top)


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
    """Scan the whole history of a local repository, as `binance-leaks history` does.

    `branches`, `since` (a date as git understands it) and `reachable` narrow that to what refs reach. What is missing,
    as in a shallow clone, is in `skipped`, and `complete` is False. Raises GitError where there is no repository, or
    one that git refuses, else ScannerError.
    """
    with _scanner_errors_only():
        config = config or Config()
        top = _git(repository).top()
        source = HistorySource(
            folder=os.fspath(repository),
            target=os.fspath(repository),
            anchor=top,
            jobs=_checked(jobs),
            reachable=reachable,
            since=since,
            branches=tuple(branches),
            submodules=submodules,
            excluded=config.exclusion(exclude, anchor=top),
        )
        return _scan(source, config, baseline, top)


def scan_range(
    commits: str,
    repository: StrPath = ".",
    *,
    config: Config | None = None,
    baseline: StrPath | None = None,
    exclude: Sequence[str] = (),
) -> Result:
    """Scan what commits introduce, as `binance-leaks range` does.

    A range is such as `origin/main..HEAD`. What was there before the commits is not in the result; `stats.standing`
    counts it. Raises UsageError for what is no range of commits or an empty one, MissingHistoryError where a shallow
    clone does not have it, else ScannerError.
    """
    with _scanner_errors_only():
        config = config or Config()
        git = _git(repository)
        top = git.top()
        excluded = config.exclusion(exclude, anchor=top)
        source = RangeSource(git=git, anchor=top, selection=select_range(git, commits), excluded=excluded)
        return _scan(source, config, baseline, top)


def render(result: Result, format: str = "json", *, width: int = 80, verbose: bool = False) -> str:
    """Render a result as a report, as `--format` does; `FORMAT_NAMES` are the names.

    Suppressed findings are listed.

    Raises UsageError for an unknown format.
    """
    view = View(width=width, verbose=verbose, show_suppressed=True, moment=datetime.now(timezone.utc))
    return format_named(format).render(result, view)


def _scan(source: Source[Detected], config: Config, baseline: StrPath | None = None, root: str | None = None) -> Result:
    file = Path(baseline) if baseline is not None else config.baseline_file
    result = run_scan(source, TriageSettings(config=config, baseline=load_baseline(file, root))).result
    if result.interrupted:
        raise KeyboardInterrupt
    return redacted(result)


def _git(repository: StrPath) -> Git:
    """Return git in a folder. Raises UsageError where there is no such folder: no URL is cloned here."""
    if not Path(repository).is_dir():
        raise UsageError(f"no such folder: {os.fspath(repository)}", hint="Clone a repository first.")
    return Git(os.fspath(repository))


def _listed(paths: StrPath | Iterable[StrPath]) -> list[StrPath]:
    listed = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not listed or any(os.fspath(path) == "" for path in listed):
        raise UsageError("no path to scan", hint='"." is the current folder.')
    return listed


def _checked(jobs: int) -> int:
    if jobs < 1:
        raise UsageError(f"jobs must be 1 or more, not {jobs}")
    return jobs


@contextmanager
def _scanner_errors_only() -> Iterator[None]:
    """Raise other errors as ScannerError, so that a caller needs to know one error only."""
    try:
        yield
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        raise ScanError(f"{what}{error.strerror or type(error).__name__}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None
