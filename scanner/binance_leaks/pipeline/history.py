"""Scan everything that a repository ever held, and say where each credential comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from binance_leaks.errors import GitError
from binance_leaks.findings import ScanStats, Skipped
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, Credential, Evidence
from binance_leaks.pipeline.attribution import Attributed, Remote, attribute
from binance_leaks.pipeline.history_scan import Count, LfsFiles, ObjectFilter, ObjectScan
from binance_leaks.pipeline.reachability import ReachableObjects, walk_refs
from binance_leaks.pipeline.state import State
from binance_leaks.sources.commits import Ref, list_refs, object_types
from binance_leaks.sources.git import Git
from binance_leaks.sources.nearby_evidence import EvidenceNearCommits
from binance_leaks.sources.objects.database import ObjectDatabase, is_partial_clone

_MOST_NAMED = 20
_MOST_ASKED = 100_000

Progress = Callable[[Count], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What of a repository is scanned, and how. `mirror` says that all of it came from elsewhere."""

    folder: str
    jobs: int
    reachable: bool = False
    since: str | None = None
    branches: tuple[str, ...] = ()
    submodules: bool = False
    mirror: bool = False
    state: State | None = None
    excluded: Callable[[str], bool] = lambda _: False

    @property
    def narrowed(self) -> bool:
        """Whether less than the whole object database is looked at."""
        return self.reachable or self.since is not None or bool(self.branches)


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What came of a scan, as far as it came. For the next one: what was `scanned`, and `hits` to look at again."""

    credentials: list[Credential] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    stats: ScanStats = field(default_factory=ScanStats)
    commits: dict[str, str] = field(default_factory=dict)
    scanned: list[int] = field(default_factory=list)
    hits: list[bytes] = field(default_factory=list)
    interrupted: bool = False


def scan_history(request: Request, progress: Progress) -> Outcome:
    """Scans a repository, and with `submodules` the stores of its submodules. An interrupt leaves what was found.

    Raises GitError where there is no repository, or one that git refuses.
    """
    outcome = Outcome()
    git = Git(request.folder)
    database = ObjectDatabase.of(git)
    _scan(git, database, request, outcome, progress, prefix="")
    if request.submodules:
        for name, store in _submodules(database.git_folder / "modules"):
            if outcome.interrupted:
                break
            inner = Git(str(store))
            try:
                _scan(inner, ObjectDatabase.of(inner), request, outcome, progress, prefix=f"{name}/")
            except GitError as error:
                outcome.skipped.append(Skipped(what=f"submodule {name}", why=str(error)))
    return outcome


class EvidenceNearHistory:
    """What stood beside a file in the commit that brought it, and what the repository is called."""

    def __init__(self, request: Request, outcome: Outcome) -> None:
        self._inner = EvidenceNearCommits(Git(request.folder), outcome.commits)

    def evidence_near(self, path: str) -> Evidence | None:
        """Evidence beside a path; for a message that of the repository."""
        return self._inner.evidence_near("" if path in (COMMIT_MESSAGE, TAG_MESSAGE) else path)


def _scan(
    git: Git, database: ObjectDatabase, request: Request, outcome: Outcome, progress: Progress, *, prefix: str
) -> None:
    walked = walk_refs(git, branches=request.branches, since=request.since) if request.narrowed else None
    object_filter: ObjectFilter | None = walked or request.state
    lfs = LfsFiles(database)
    attributed = Attributed(credentials=(), commits={})
    refs = list_refs(git)
    with ObjectScan(database, git.folder, jobs=request.jobs, object_filter=object_filter) as scan:
        try:
            scan.read(progress)
            lfs.scan()
            scan.objects.skipped += lfs.skipped
            lfs.add_pointers(scan, only=None if walked is None else walked.names)
            attributed = attribute(
                scan,
                git,
                refs,
                remote=Remote(everything=request.mirror or _is_mirror(git)),
                excluded=lambda path: request.excluded(prefix + path),
                lfs_files=lfs.by_pointer,
            )
        except KeyboardInterrupt:
            outcome.interrupted = True
            attributed = Attributed(credentials=scan.found_so_far(), commits={})
        outcome.scanned += scan.starts()
        outcome.hits += [*scan.objects.hits, *scan.objects.unread]
        outcome.skipped += _unread(git, database, scan, refs, walked, prefix)
        count = scan.count
        outcome.stats = outcome.stats.plus(ScanStats(objects=count.objects, blobs=count.blobs, bytes=count.size))
    outcome.commits.update({prefix + path: commit for path, commit in attributed.commits.items()})
    outcome.credentials += [_under(prefix, credential) for credential in attributed.credentials]


def _under(prefix: str, credential: Credential) -> Credential:
    return credential.moved(lambda place: replace(place, path=prefix + place.path)) if prefix else credential


def _unread(
    git: Git,
    database: ObjectDatabase,
    scan: ObjectScan,
    refs: Sequence[Ref],
    walked: ReachableObjects | None,
    prefix: str,
) -> Iterator[Skipped]:
    """What could not be read: what failed, what is missing, what a shallow or partial clone does not have."""
    held = scan.objects
    for skipped in held.skipped:
        yield replace(skipped, what=prefix + skipped.what) if prefix else skipped
    boundary = _shallow(database)
    if boundary:
        yield Skipped(
            what=f"{prefix}the history before {len(boundary):,} {'commit' if len(boundary) == 1 else 'commits'}",
            why="this is a shallow clone; `git fetch --unshallow` brings the rest",
        )
    if walked is not None:
        if walked.cut_short is not None:
            yield Skipped(what=f"{prefix}the walk through the history", why=walked.cut_short)
        missing = set(walked.missing)
    else:
        missing = set(held.missing)
        named: set[bytes] = set()
        for name, node in held.nodes.items():
            if name not in boundary:
                missing.update(parent for parent in node.parents if parent not in held.nodes)
            named.add(node.tree)
        named.update(ref.target for ref in refs)
        missing.update(scan.unknown(named))
        missing.difference_update(object_types(git, scan.unknown(missing)[:_MOST_ASKED]))  # some came meanwhile
    partial = bool(missing) and is_partial_clone(git)
    why = "not in this partial clone" if partial else "missing, though a commit or tree names it"
    for name in sorted(missing)[:_MOST_NAMED]:
        yield Skipped(what=f"{prefix}object {name.hex()}", why=why)
    if len(missing) > _MOST_NAMED:
        yield Skipped(what=f"{prefix}{len(missing) - _MOST_NAMED:,} more objects", why=why)


def _shallow(database: ObjectDatabase) -> set[bytes]:
    try:
        lines = (database.git_folder / "shallow").read_text("ascii").split()
        return {bytes.fromhex(line) for line in lines}
    except (OSError, ValueError):
        return set()


def _is_mirror(git: Git) -> bool:
    """Whether its refs are those of a remote."""
    out = git.run("config", "--get-regexp", r"^remote\..*\.(fetch|mirror)$", accept=(0, 1))
    return re.search(rb"(?m)\.mirror true$|\.fetch \+?refs/\*:refs/\*$", out) is not None


def _submodules(folder: Path, name: str = "") -> Iterable[tuple[str, Path]]:
    """Name and place of the stores of submodules, those within others too. Names may hold slashes."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink())
    except OSError:
        return
    for entry in entries:
        full = f"{name}{entry.name}"
        if (entry / "HEAD").is_file():
            yield full, entry
            yield from _submodules(entry / "modules", f"{full}/")
        elif full.count("/") < 32:
            yield from _submodules(entry, f"{full}/")
