"""Scan the object database of a repository: every object once, in processes."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Protocol

from binance_leaks.detect import prefilter
from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.model import Credential, Exposure, Location
from binance_leaks.pipeline.history_worker import (
    FindParentTrees,
    GitShare,
    Hit,
    ObjectWorker,
    PackShare,
    Plan,
    StartTreeSearch,
    Task,
    TaskResult,
)
from binance_leaks.pipeline.workers import LocalWorker, WorkerPool
from binance_leaks.sources.commits import object_types
from binance_leaks.sources.git import Git
from binance_leaks.sources.lfs import LfsStore
from binance_leaks.sources.objects.codec import best_codec
from binance_leaks.sources.objects.commit_graph import CommitGraph
from binance_leaks.sources.objects.database import ObjectDatabase, open_packs
from binance_leaks.sources.objects.delta_forest import DeltaForest, ObjectType, build_delta_forest
from binance_leaks.sources.objects.pack import Pack, read_object
from binance_leaks.sources.objects.parse import parse_tree
from binance_leaks.sources.objects.tree_index import Link, ObjectIdSet, ObjectRef
from binance_leaks.sources.objects.walk import EntrySelection

_FOLDER, _SUBMODULE = b"40000", b"160000"
_DEEPEST = 40
_SMALL = 3000
"""With no more objects one process is done before others would have started."""
_SHARES = 24
_MIN_SHARE_BYTES = 32 << 10
_GIT_SHARE = 500
_MESSAGES = (ObjectType.COMMIT, ObjectType.TAG)


@dataclass(kw_only=True, slots=True)
class Count:
    """Progress of a scan."""

    objects: int = 0
    total: int = 0
    blobs: int = 0
    size: int = 0
    found: int = 0


@dataclass(kw_only=True, slots=True)
class ScannedObjects:
    """What a scan found in the objects, by object id."""

    graph: CommitGraph
    hits: dict[bytes, Hit] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    unread: set[bytes] = field(default_factory=set)
    """Objects that could not be read, or not to their end."""
    missing: set[bytes] = field(default_factory=set)
    """Objects that others name and that do not exist here."""
    pointers: dict[bytes, str] = field(default_factory=dict)
    """Pointers of Git LFS by object id, with the ids of their files."""


class ObjectFilter(Protocol):
    """Which objects are scanned."""

    def takes_all(self) -> bool:
        """Whether all objects are scanned."""
        ...

    def takes_blob(self, name: bytes) -> bool:
        """Whether a blob is scanned."""
        ...

    def takes_message(self, name: bytes) -> bool:
        """Whether a commit or tag is scanned."""
        ...


class AllObjects:
    """The filter that takes all objects."""

    def takes_all(self) -> bool:
        """Return True."""
        return True

    def takes_blob(self, name: bytes) -> bool:  # noqa: ARG002 - the same for all
        """Return True."""
        return True

    takes_message = takes_blob


class ObjectScan:
    """A scan of an object database.

    Use as a context manager, which ends its processes.

    First `read`, then `link` and `above` as often as needed. `objects` and `count` grow while it reads, so that an
    interrupted scan has what was found so far.
    """

    def __init__(
        self, database: ObjectDatabase, folder: str, *, jobs: int, object_filter: ObjectFilter | None = None
    ) -> None:
        self.objects = ScannedObjects(graph=CommitGraph(database.id_size))
        self.count = Count()
        self._database = database
        self._folder = folder
        self._git = Git(folder)
        self._jobs = jobs
        self._filter: ObjectFilter = object_filter or AllObjects()
        self._stack = ExitStack()
        self._loose_trees: list[bytes] = []
        self._hits: list[Hit] = []
        self._suspicious_trees: list[ObjectRef] = []
        self._codec = best_codec()

    def __enter__(self) -> ObjectScan:
        unread = [*self._database.unread]
        paths = self._database.pack_files(unread)
        opened = open_packs(paths, self._database.id_size)
        packs = opened.packs
        self._paths = set(paths)
        laid = [build_delta_forest(pack) for pack in packs]
        forests = [forest for forest, _ in laid]
        others = dict.fromkeys([*self._database.loose(unread), *opened.by_git])
        self.objects.skipped += [*unread, *opened.skipped]
        self._loose = [name for name in others if all(pack.entry_of(name) is None for pack in packs)]
        self._plan = Plan(
            packs=packs,
            forests=forests,
            selections=self._selections(packs, laid),
            known=ObjectIdSet(packs, self._loose),
            id_size=self._database.id_size,
            folder=self._folder,
        )
        self.count.total = self._count_objects()
        make = partial(ObjectWorker, self._plan)
        large = sum(pack.count for pack in packs) + 8 * len(self._loose) > _SMALL
        if large and self._jobs > 1:
            # start-up: here and not in each process
            import binance_leaks.pipeline.object_detection  # noqa: F401
        self._workers: WorkerPool[Task, TaskResult] | LocalWorker[Task, TaskResult]
        self._workers = WorkerPool(self._jobs, make) if large and self._jobs > 1 else LocalWorker(make)
        self._stack.push(self._workers.__exit__)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, progress: Callable[[Count], None]) -> None:
        """Read blobs, commits and tags; git reads what the pack reader defers."""
        tasks: list[Task] = [
            *self._shares(ObjectType.BLOB),
            *self._shares(*_MESSAGES),
            *_by_git(self._selected(self._loose)),
        ]
        deferred: list[ObjectRef] = [
            (number, entry) for number, forest in enumerate(self._plan.forests) for entry in forest.astray
        ]
        for number, forest in enumerate(self._plan.forests):
            self._report_forged((number, entry) for entry in forest.endless)
        for result in self._workers.run(tasks):
            deferred += result.deferred
            self._add(result)
            progress(self.count)
        rest = [self.id_of(ref) for ref in deferred] + self._list_new_objects()
        for result in self._workers.run(_by_git(self._selected(dict.fromkeys(rest)))):
            self._add(result)
            progress(self.count)
        for hit in self._hits:
            name = self.id_of(hit.ref)
            self.objects.hits.setdefault(name, hit._replace(ref=name))

    def link(self, sought: Iterable[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        """Search all trees for missing objects and for entries that name a sought one.

        Returns tree, name and target of each such entry.
        """
        self._workers.broadcast(StartTreeSearch(sorted(sought)))
        found: list[Link] = []
        deferred: list[ObjectRef] = []
        self._suspicious_trees = []
        tasks: list[Task] = [*self._shares(ObjectType.TREE), *_by_git(self._loose_trees, trees=True)]
        for result in self._workers.run(tasks):
            deferred += result.deferred
            found += self._add_trees(result)
        for result in self._workers.run(_by_git([self.id_of(ref) for ref in deferred], trees=True)):
            found += self._add_trees(result)
            self.objects.skipped += result.skipped
        return [(self.id_of(link.tree), link.name, link.target) for link in found]

    def _add_trees(self, result: TaskResult) -> list[Link]:
        self._suspicious_trees += result.trees.suspicious
        self.objects.missing |= result.trees.missing | result.missing
        return result.trees.links

    def above(self, trees: Iterable[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        """Return tree, name and target of each entry that names one of these trees."""
        found = [link for result in self._workers.broadcast(FindParentTrees(sorted(trees))) for link in result.links]
        return [(self.id_of(link.tree), link.name, link.target) for link in found]

    def holds_named_values(self) -> bool:
        """Whether a value may be in the name of a file or folder. Searches all trees for missing objects."""
        self.link(())
        return next(self.named_files(), None) is not None

    def named_files(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield names in which a value may be, with the blob that has the name, or one in the folder that has it.

        Of the trees that the latest `link` searched.
        """
        size = self._database.id_size
        for tree in sorted(map(self.id_of, self._suspicious_trees)):
            for mode, name, target in parse_tree(self._tree(tree), size):
                if prefilter.path_may_hold(name):
                    blob = target if mode != _FOLDER else self._some_blob(target)
                    if blob is not None:
                        yield name, blob

    def _some_blob(self, tree: bytes) -> bytes | None:
        """A blob in a tree or below, None if there is none near."""
        for _ in range(_DEEPEST):
            entries = list(parse_tree(self._tree(tree), self._database.id_size))
            blob = next((target for mode, _, target in entries if mode not in (_FOLDER, _SUBMODULE)), None)
            folder = next((target for mode, _, target in entries if mode == _FOLDER), None)
            if blob is not None or folder is None:
                return blob
            tree = folder
        return None

    def _tree(self, name: bytes) -> bytes:
        held = self.content(name)
        return held[1] if held is not None else self._git.run("cat-file", "tree", name.hex(), accept=(0, 128))

    def found_so_far(self) -> tuple[Credential, ...]:
        """What was found before an interrupt, with object ids in place of paths."""
        from binance_leaks.detect.credentials import merge_credentials  # start-up: most histories are clean

        found: list[Credential] = []
        for hit in self._hits:
            name = self.id_of(hit.ref).hex()
            blob = name if hit.kind == "blob" else None
            path = f"blob:{name}" if blob else f"{hit.kind} message"
            move = partial(_unattributed, path, blob)
            found += [credential.moved(move) for credential in hit.credentials]
        return merge_credentials(found)

    def id_of(self, ref: ObjectRef) -> bytes:
        """The object id of a reference."""
        return ref if isinstance(ref, bytes) else self._plan.packs[ref[0]].id_at(ref[1])

    def starts(self) -> array[int]:
        """The first 64 bits of the ids of all objects that there were at the beginning."""
        return self._plan.known.starts

    def unknown(self, names: Iterable[bytes]) -> list[bytes]:
        """Those of some ids that no object had at the beginning."""
        return self._plan.known.unknown(names)

    def _report_forged(self, refs: Iterable[ObjectRef]) -> None:
        for ref in refs:
            self.objects.unread.add(self.id_of(ref))
            self.objects.skipped.append(Skipped(what=f"object {self.id_of(ref).hex()}", why="its pack entry is forged"))

    def content(self, name: bytes) -> tuple[str, bytes] | None:
        """Type and content of an object in a pack, None where git has to read it."""
        return read_object(self._plan.packs, name, self._codec)

    def _add(self, result: TaskResult) -> None:
        self._report_forged(result.forged)
        count = self.count
        count.objects += result.objects
        count.blobs += result.blobs
        count.size += result.size
        count.found += len(result.hits)
        self._hits += result.hits
        self._loose_trees += result.tree_names
        objects = self.objects
        objects.skipped += result.skipped
        for ref, kind, skipped in result.unread:
            name = self.id_of(ref)
            objects.skipped.append(replace(skipped, what=f"{kind} {name.hex()}{skipped.what}"))
            objects.unread.add(name)
        objects.unread |= result.damaged | result.missing
        objects.pointers.update((self.id_of(ref), name) for ref, name in result.pointers)
        objects.missing |= result.missing
        for ref, node in result.nodes:
            objects.graph.add(self.id_of(ref), node)

    def _shares(self, *kinds: ObjectType) -> list[PackShare]:
        forests = self._plan.forests
        total = sum(forest.weight[root] for forest in forests for kind in kinds for root in forest.roots[kind])
        size = max(_MIN_SHARE_BYTES, total // (_SHARES * self._jobs))
        return [
            PackShare(number, kind, share)
            for number, forest in enumerate(forests)
            for kind in kinds
            for share in forest.shares(kind, size)
        ]

    def _selected(self, names: Iterable[bytes]) -> list[bytes]:
        names = list(names)
        if self._filter.takes_all():
            return names
        takes_blob, takes_message = self._filter.takes_blob, self._filter.takes_message
        kinds = object_types(self._git, names)
        return [name for name in names if (takes_blob if kinds.get(name) == "blob" else takes_message)(name)]

    def _selections(
        self, packs: Sequence[Pack], laid: Sequence[tuple[DeltaForest, Sequence[int]]]
    ) -> list[EntrySelection | None]:
        """For each pack the entries to scan: None for all, else all but those in earlier packs or filtered out."""
        selections: list[EntrySelection | None] = []
        for number, (pack, (forest, base)) in enumerate(zip(packs, laid, strict=True)):
            dropped = _entries_in_earlier(pack, packs[:number])
            if not self._filter.takes_all():
                dropped += self._not_selected(pack, forest)
            if not dropped:
                selections.append(None)
                continue
            wanted = bytearray(b"\1") * pack.count
            for entry in dropped:
                wanted[entry] = 0
            needed = forest.with_bases((entry for entry in range(pack.count) if wanted[entry]), base)
            selections.append(EntrySelection(wanted=wanted, needed=needed))
        return selections

    def _not_selected(self, pack: Pack, forest: DeltaForest) -> list[int]:
        messages = {entry for kind in _MESSAGES for entry in forest.below(forest.roots[kind])}
        takes_blob, takes_message = self._filter.takes_blob, self._filter.takes_message
        return [
            entry
            for entry in range(pack.count)
            if not (takes_message if entry in messages else takes_blob)(pack.id_at(entry))
        ]

    def _count_objects(self) -> int:
        """The number of objects to scan, trees apart."""
        total = len(self._loose)
        for forest, selection in zip(self._plan.forests, self._plan.selections, strict=True):
            total += selection.wanted.count(1) if selection is not None else len(forest.first)
        return total

    def _list_new_objects(self) -> list[bytes]:
        """List objects of packs that appeared since the start, as after a `git gc` in between."""
        new = [path for path in self._database.pack_files() if path not in self._paths]
        opened = open_packs(new, self._database.id_size)
        self.objects.skipped += opened.skipped
        names = [name for pack in opened.packs for first in range(256) for name in pack.ids(first)]
        return self._plan.known.unknown([*names, *opened.by_git])


def _unattributed(path: str, blob: str | None, place: Location) -> Location:
    return replace(place, path=path + place.path, blob=blob, exposure=Exposure.HISTORY)


def _by_git(names: Sequence[bytes], *, trees: bool = False) -> list[GitShare]:
    return [GitShare(list(names[at : at + _GIT_SHARE]), trees) for at in range(0, len(names), _GIT_SHARE)]


def _entries_in_earlier(pack: Pack, earlier: Sequence[Pack]) -> list[int]:
    """The entries of a pack that an earlier one has, too."""
    if not earlier:
        return []
    found: list[int] = []
    for first in range(256):
        names = set(pack.ids(first))
        for other in earlier:
            common = names.intersection(other.ids(first)) if names else ()
            found += [entry for name in common if (entry := pack.entry_of(name)) is not None]
            names.difference_update(common)
    return found


_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {size}\n"
_MOST_NAMED = 20
_NOT_ON_DISK = "not on disk, though a version of a file is in it; `git lfs fetch --all` downloads it"


class LfsFiles:
    """The files of Git LFS in a repository.

    `by_pointer` has them by the ids of their pointer blobs.
    """

    def __init__(self, git: Git, database: ObjectDatabase) -> None:
        self._store = LfsStore.of(git, database)
        self._algorithm = "sha256" if database.id_size == 32 else "sha1"
        self.skipped: list[Skipped] = []
        self.by_pointer: dict[bytes, Path] = {}

    def scan(self, scan: ObjectScan, only: Container[bytes] | None) -> None:
        """Scan all files, and add the credentials of one as hits of its pointers.

        So they get the paths of the pointers. With `only`, of the pointers in it. A file that no pointer of the
        repository names is scanned, too.
        """
        pointers: dict[str, list[bytes]] = {}
        for name, file in scan.objects.pointers.items():
            pointers.setdefault(file, []).append(name)
        borrowed = (self._store.path(file) for file in sorted(pointers))
        for path in dict.fromkeys((*self._store.files(), *(path for path in borrowed if path is not None))):
            names = pointers.get(path.name) or [self._usual_pointer(path)]
            found = self._credentials(path)
            for name in names if found else ():
                if only is None or name in only:
                    digests = frozenset(value.sha256 for credential in found for value in credential.values)
                    scan.objects.hits[name] = Hit(name, "blob", digests, found)
                    self.by_pointer[name] = path
        self._note_missing(scan, pointers)

    def _credentials(self, path: Path) -> tuple[Credential, ...]:
        from binance_leaks.pipeline.files import search  # start-up: few repositories have such files

        found: list[Credential] = []
        for result in search(self._store.chunks(path, "")):
            if isinstance(result, Skipped):
                self.skipped.append(Skipped(what=f"lfs object {path.name}", why=result.why, lost=result.lost))
            else:
                found += [credential.without_secrets() for credential in result[1]]
        return tuple(found)

    def _usual_pointer(self, path: Path) -> bytes:
        """Return the object id of the pointer that git-lfs writes for a file."""
        content = _POINTER.format(name=path.name, size=path.stat().st_size).encode("ascii")
        return hashlib.new(self._algorithm, b"blob %d\0" % len(content) + content).digest()

    def _note_missing(self, scan: ObjectScan, pointers: Mapping[str, Sequence[bytes]]) -> None:
        missing = [file for file in sorted(pointers) if self._store.path(file) is None]
        self.skipped += [Skipped(what=f"lfs object {file}", why=_NOT_ON_DISK) for file in missing[:_MOST_NAMED]]
        if len(missing) > _MOST_NAMED:
            self.skipped.append(Skipped(what=f"{len(missing) - _MOST_NAMED:,} more lfs objects", why=_NOT_ON_DISK))
        for file in missing:
            scan.objects.unread.update(pointers[file])
