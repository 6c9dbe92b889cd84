"""Scan the whole history of a repository, with the provenance of each credential."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from binance_leaks.errors import GitError, UsageError
from binance_leaks.findings import PARTIAL_CLONE, SHALLOW_CLONE, ScanStats, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.model import Credential, Location
from binance_leaks.pipeline.history_scan import Count, LfsFiles, ObjectFilter, ObjectScan
from binance_leaks.pipeline.source import Detected, NearbyEvidence, Progress, ShowProgress
from binance_leaks.pipeline.state import State
from binance_leaks.sources.commits import Ref, list_refs, object_types
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.database import ObjectDatabase, is_partial_clone


@dataclass(frozen=True, kw_only=True, slots=True)
class ReachableObjects:
    """The objects that a walk from refs found, and those that it found missing."""

    names: frozenset[bytes]
    missing: frozenset[bytes]
    cut_short: str | None = None

    def takes_all(self) -> bool:
        """Return False."""
        return False

    def takes_blob(self, name: bytes) -> bool:
        """Whether the walk found the object."""
        return name in self.names

    takes_message = takes_blob


def walk_refs(git: Git, refs: Iterable[Ref], *, branches: Sequence[str], since: str | None) -> ReachableObjects:
    """Walk from the given branches, or all `refs`, to what was added `since` a date.

    Raises UsageError for an unknown branch. Where git cannot walk to the end, `cut_short` has the reason.
    """
    tips = [_resolve_branch(git, branch) for branch in branches]
    if not tips:
        tips = [(ref.target if since is None else ref.commit or b"").hex() for ref in refs]
    tips = [tip for tip in dict.fromkeys(tips) if tip]
    oldest = None if since is None else _seconds_of(git, since)
    if oldest is not None:
        listed = git.run_with("\n".join(tips) + "\n", "rev-list", "--boundary", f"--since={since}", "--stdin")
        names = listed.decode("ascii").split()
        tips = [name for name in names if not name.startswith("-")]
        tips += [f"^{name[1:]}" for name in names if name.startswith("-")]
    tags = _list_tags_since(git, oldest) if oldest is not None and not branches else set()
    if not tips:
        return ReachableObjects(names=frozenset(tags), missing=frozenset())
    walked = _walk(git, tips)
    return replace(walked, names=walked.names | tags)


def _walk(git: Git, tips: Sequence[str]) -> ReachableObjects:
    """Walk from commits and tags; `^` before one leaves out what it reaches."""
    arguments = ("rev-list", "--objects", "--missing=print", "--no-object-names", "--stdin")
    cut_short = None
    try:
        out = git.run_with("\n".join(tips) + "\n", *arguments)
    except GitError as error:
        out, cut_short = git.run_with("\n".join(tips) + "\n", *arguments, accept=(0, 128)), str(error)
    found: set[bytes] = set()
    missing: set[bytes] = set()
    for line in out.split():
        if line.startswith(b"?"):
            missing.add(bytes.fromhex(line[1:].decode("ascii")))
        else:
            found.add(bytes.fromhex(line.decode("ascii")))
    return ReachableObjects(names=frozenset(found), missing=frozenset(missing), cut_short=cut_short)


def _is_ref(git: Git, name: str) -> bool:
    """Whether there is a ref of exactly this name; a range or an expression is not one."""
    return bool(git.run("for-each-ref", "--format=%(refname)", "--count=1", name, accept=(0, 1, 128)).strip())


def _list_tags_since(git: Git, oldest: int) -> set[bytes]:
    """The annotated tags that were made since a time; their messages are as old as they."""
    listed = git.run("for-each-ref", "--format=%(objecttype) %(objectname) %(creatordate:unix)", accept=(0, 1, 128))
    fields = [line.split() for line in listed.splitlines()]
    return {
        bytes.fromhex(line[1].decode("ascii"))
        for line in fields
        if len(line) == 3 and line[0] == b"tag" and int(line[2]) >= oldest
    }


def _seconds_of(git: Git, since: str) -> int:
    """Return when a date is. Raises UsageError for what git does not understand, which it takes for the present."""
    printed = git.run("rev-parse", "--since=now", f"--since={since}").split()
    now, seconds = (int(each.removeprefix(b"--max-age=")) for each in printed)
    if seconds >= now:
        raise UsageError(f"--since {since}: not a date in the past", hint="Such as 2024-01-31, or 2.weeks.ago.")
    return seconds


def _resolve_branch(git: Git, branch: str) -> str:
    whole = (branch,) if branch == "HEAD" or branch.startswith("refs/") else ()
    for name in (f"refs/heads/{branch}", f"refs/remotes/{branch}", f"refs/tags/{branch}", *whole):
        if name != "HEAD" and not _is_ref(git, name):
            continue
        out = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", accept=(0, 1, 128))
        if out.strip():
            return out.decode("ascii").strip()
    raise UsageError(f"no such branch: {branch}", hint="`git branch --all` lists them.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftovers:
    """The objects that a walk from branches, tags and remotes did not find."""

    reached: frozenset[bytes]

    def takes_all(self) -> bool:
        """Return False."""
        return False

    def takes_blob(self, name: bytes) -> bool:
        """Whether the walk did not find the object."""
        return name not in self.reached

    def takes_message(self, name: bytes) -> bool:  # noqa: ARG002 - the same for all
        """Return True: the whole graph of commits is needed, and it is small."""
        return True

    holds = takes_blob

    def part_of(self, credential: Credential) -> Credential | None:
        """Return a credential with its occurrences in these objects, None if there is none.

        Names of files have values too, and are in trees of any commit.
        """
        kept = [each for each in credential.occurrences if self._has(each.location)]
        return replace(credential, occurrences=tuple(kept)) if kept else None

    def _has(self, place: Location) -> bool:
        name = place.blob or (place.commit.id if place.commit is not None else None)
        return name is None or bytes.fromhex(name) not in self.reached


def find_leftovers(git: Git, refs: Iterable[Ref]) -> Leftovers:
    """Walk from all refs but stashes, and return what is left."""
    tips = list(dict.fromkeys(ref.target.hex() for ref in refs if not ref.is_stash))
    return Leftovers(reached=_walk(git, tips).names if tips else frozenset())


_MOST_NAMED = 20
_MOST_ASKED = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryDetected(Detected):
    """What a history holds, and what the next scan of it need not read again."""

    scanned: Sequence[int]
    """The first 64 bits of the ids of all objects that were read."""
    hits: Sequence[bytes]
    """The objects that must be read again: with credentials, or not readable now."""

    def state(self) -> State:
        """Return what the next scan needs."""
        return State.of(starts=self.scanned, hits=self.hits)


@dataclass(frozen=True, kw_only=True, slots=True)
class HistorySource:
    """Every object of a git repository."""

    folder: str
    target: str
    anchor: str
    jobs: int = 1
    reachable: bool = False
    """Only what refs reach; so with `since` (a date as git understands it) and `branches`."""
    since: str | None = None
    branches: Sequence[str] = ()
    leftovers: bool = False
    """Only what no branch, tag or remote reaches: stashes, amended and dropped commits, what was only staged."""
    submodules: bool = False
    """Also the stores of submodules in the repository."""
    mirror: bool = False
    """Whether everything in it comes from a remote."""
    state: State | None = None
    """What an earlier scan saw, and need not be read again."""
    excluded: Callable[[str], bool] = lambda _: False
    messages: bool = True
    """Whether to keep what is only in messages of commits and tags."""
    kind: SourceKind = SourceKind.HISTORY

    @property
    def narrowed(self) -> bool:
        """Whether less than the whole object database is read."""
        return self.reachable or self.since is not None or bool(self.branches)

    def read(self, show: ShowProgress | None = None) -> HistoryDetected:
        """Scan the repository, and with `submodules` the stores of its submodules.

        Raises GitError where there is no repository, or one that git refuses.
        """
        read = _Read()

        def progress(count: Count) -> None:
            if show is not None:
                show(Progress(done=count.objects, total=count.total, bytes=count.size, found=count.found))

        git = Git(self.folder)
        database = ObjectDatabase.of(git)
        _scan(git, database, self, read, progress, prefix="")
        for name, store in _submodules(database.git_folder / "modules") if self.submodules else ():
            if read.interrupted:
                break
            inner = Git(str(store))
            try:
                _scan(inner, ObjectDatabase.of(inner), self, read, progress, prefix=f"{name}/")
            except GitError as error:
                read.skipped.append(Skipped(what=f"submodule {name}", why=str(error)))
            except KeyboardInterrupt:  # what the others gave is reported
                read.interrupted = True
        return HistoryDetected(
            credentials=tuple(each for each in read.credentials if self.messages or _is_in_file(each)),
            skipped=tuple(read.skipped),
            stats=read.stats,
            interrupted=read.interrupted,
            nearby=_evidence_near(git, read.commits) if read.credentials else None,
            scanned=read.scanned,
            hits=read.hits,
        )


@dataclass(kw_only=True, slots=True)
class _Read:
    """What was read so far. For the next scan: what was `scanned`, and `hits` to read again."""

    credentials: list[Credential] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    stats: ScanStats = field(default_factory=ScanStats)
    commits: dict[str, str] = field(default_factory=dict)
    scanned: array[int] = field(default_factory=partial(array, "Q"))
    hits: list[bytes] = field(default_factory=list)
    interrupted: bool = False


def _evidence_near(git: Git, commits: Mapping[str, str]) -> NearbyEvidence:
    from binance_leaks.pipeline.attribution import EvidenceNearHistory  # start-up: as above

    return EvidenceNearHistory(git, commits)


def _is_in_file(credential: Credential) -> bool:
    return any(occurrence.location.blob is not None for occurrence in credential.occurrences)


def _scan(
    git: Git,
    database: ObjectDatabase,
    source: HistorySource,
    read: _Read,
    progress: Callable[[Count], None],
    *,
    prefix: str,
) -> None:
    """Scan one object database; `prefix` is in front of its paths."""
    refs = list_refs(git)
    walked = walk_refs(git, refs, branches=source.branches, since=source.since) if source.narrowed else None
    leftovers = find_leftovers(git, refs) if source.leftovers else None
    object_filter: ObjectFilter | None = walked or leftovers or source.state
    lfs = LfsFiles(git, database)
    credentials: tuple[Credential, ...] = ()
    commits: Mapping[str, str] = {}
    with ExitStack() as stack:
        try:
            scan = stack.enter_context(ObjectScan(database, git.folder, jobs=source.jobs, object_filter=object_filter))
        except KeyboardInterrupt:
            read.interrupted = True
            return
        try:
            scan.read(progress)
            if leftovers is not None:
                scan.objects.hits = {name: hit for name, hit in scan.objects.hits.items() if leftovers.holds(name)}
            else:
                lfs.scan(scan, only=None if walked is None else walked.names)
                scan.objects.skipped += lfs.skipped
            if scan.objects.hits or (leftovers is None and scan.holds_named_values()):
                from binance_leaks.pipeline.attribution import Remote, attribute  # start-up: most histories are clean

                attributed = attribute(
                    scan,
                    git,
                    refs,
                    remote=Remote(everything=source.mirror or _is_mirror(git)),
                    excluded=lambda path: source.excluded(prefix + path),
                    lfs_files=lfs.by_pointer,
                )
                credentials, commits = attributed.credentials, attributed.commits
        except KeyboardInterrupt:
            read.interrupted = True
            credentials, commits = scan.found_so_far(), {}
        if leftovers is not None:
            credentials = tuple(filter(None, (leftovers.part_of(each) for each in credentials)))
        read.scanned.extend(scan.starts())
        read.hits += [*scan.objects.hits, *scan.objects.unread]
        if leftovers is None:
            read.skipped += _unread(git, database, scan, refs, walked, prefix)
        else:  # what is missing or cut off is of the history that is not scanned
            read.skipped += [replace(each, what=prefix + each.what) for each in scan.objects.skipped]
        count = scan.count
        read.stats = read.stats.plus(ScanStats(objects=count.objects, blobs=count.blobs, bytes=count.size))
    read.commits.update({prefix + path: commit for path, commit in commits.items()})
    read.credentials += [_under(prefix, credential) for credential in credentials]


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
            why=SHALLOW_CLONE,
        )
    if walked is not None:
        if walked.cut_short is not None:
            yield Skipped(what=f"{prefix}the walk through the history", why=walked.cut_short)
        missing = set(walked.missing)
    else:
        missing = set(held.missing)
        missing.update(parent for name, parent in held.graph.unknown_parents() if name not in boundary)
        missing.update(scan.unknown(held.graph.trees()))
        missing.update(scan.unknown(ref.target for ref in refs))
        missing.difference_update(object_types(git, scan.unknown(missing)[:_MOST_ASKED]))  # some came meanwhile
    partial = bool(missing) and is_partial_clone(git)
    why = PARTIAL_CLONE if partial else "missing, though a commit or tree names it"
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
