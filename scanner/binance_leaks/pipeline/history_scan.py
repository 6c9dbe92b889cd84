"""Read everything that a repository ever held: every object once, in several processes where that is worth while."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from binance_leaks.detect.credentials import merge_credentials
from binance_leaks.findings import Skipped
from binance_leaks.model import Credential, Exposure, Location
from binance_leaks.pipeline.files import credentials_in
from binance_leaks.pipeline.history_worker import (
    Above,
    ByGit,
    Hit,
    Link,
    ObjectWorker,
    Packed,
    Plan,
    Ref,
    Search,
    Seen,
    Task,
)
from binance_leaks.pipeline.workers import Alone, Team
from binance_leaks.sources.commits import object_types
from binance_leaks.sources.files import FileEntry, read_chunks
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.codec import best_codec
from binance_leaks.sources.objects.database import ObjectDatabase, open_packs
from binance_leaks.sources.objects.delta_forest import DeltaForest, ObjectType, build_delta_forest
from binance_leaks.sources.objects.pack import Pack
from binance_leaks.sources.objects.parse import CommitNode
from binance_leaks.sources.objects.read_object import read_object
from binance_leaks.sources.objects.tree_index import ObjectIdSet
from binance_leaks.sources.objects.walk import EntrySelection

_FEW = 3000
"""Objects that one process has read before others would have started."""
_SHARES = 24
_LEAST_SHARE = 32 << 10
_GIT_SHARE = 500
_MESSAGES = (ObjectType.COMMIT, ObjectType.TAG)


@dataclass(kw_only=True, slots=True)
class Count:
    """How far a scan is."""

    objects: int = 0
    total: int = 0
    blobs: int = 0
    size: int = 0
    found: int = 0


@dataclass(kw_only=True, slots=True)
class Held:
    """What the objects hold: hits and the graph of commits by object id, and what could not be read.

    `unread` are the ids of those that were not read, or not to their end; `missing` are named and not there.
    """

    hits: dict[bytes, Hit] = field(default_factory=dict)
    nodes: dict[bytes, CommitNode] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    unread: set[bytes] = field(default_factory=set)
    missing: set[bytes] = field(default_factory=set)


class Choice(Protocol):
    """Which objects are looked at."""

    def whole(self) -> bool:
        """Whether all are, without further questions."""
        ...

    def takes(self, name: bytes) -> bool:
        """Whether a blob is looked at."""
        ...

    def takes_message(self, name: bytes) -> bool:
        """Whether a commit or tag is looked at."""
        ...


class Everything:
    """The choice of all objects."""

    def whole(self) -> bool:
        """Yes."""
        return True

    def takes(self, name: bytes) -> bool:  # noqa: ARG002 - the same for all
        """Yes."""
        return True

    takes_message = takes


class ObjectScan:
    """A scan of an object database; use as a context manager, which ends its processes.

    First `read`, then `link` and `above` as often as needed. The attributes `held` and `count` grow while it reads, so
    that an interrupt leaves what there was.
    """

    def __init__(self, database: ObjectDatabase, folder: str, *, jobs: int, choice: Choice | None = None) -> None:
        self.held = Held()
        self.count = Count()
        self._database = database
        self._folder = folder
        self._git = Git(folder)
        self._jobs = jobs
        self._choice: Choice = choice or Everything()
        self._stack = ExitStack()
        self._loose_trees: list[bytes] = []
        self._hits: list[Hit] = []
        self._codec = best_codec()

    def __enter__(self) -> ObjectScan:
        paths = self._database.pack_files()
        opened = open_packs(paths, self._database.id_size)
        packs = opened.packs
        self._paths = set(paths)
        self.held.skipped += [*self._database.unread, *opened.skipped]
        laid = [build_delta_forest(pack) for pack in packs]
        forests = [forest for forest, _ in laid]
        others = dict.fromkeys([*self._database.loose(), *opened.by_git])
        self._loose = [name for name in others if not _in_packs(name, packs)]
        self._plan = Plan(
            packs=packs,
            forests=forests,
            selections=self._selections(packs, laid),
            known=ObjectIdSet(packs, self._loose),
            id_size=self._database.id_size,
            folder=self._folder,
        )
        self.count.total = self._looked_at()
        make = partial(ObjectWorker, self._plan)
        large = sum(pack.count for pack in packs) + 8 * len(self._loose) > _FEW
        self._team: Team[Task, Seen] | Alone[Task, Seen]
        self._team = Team(self._jobs, make) if large and self._jobs > 1 else Alone(make)
        self._stack.push(self._team.__exit__)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, progress: Callable[[Count], None]) -> None:
        """Reads blobs, commits and tags; what packs give up is asked of git."""
        tasks: list[Task] = [
            *self._shares(ObjectType.BLOB),
            *self._shares(*_MESSAGES),
            *_by_git(self._kept(self._loose)),
        ]
        left: list[Ref] = [
            (number, entry) for number, forest in enumerate(self._plan.forests) for entry in forest.astray
        ]
        for number, forest in enumerate(self._plan.forests):
            self._refuse((number, entry) for entry in forest.endless)
        for seen in self._team.run(tasks):
            left += seen.left
            self._take(seen)
            progress(self.count)
        later = [self.id_of(ref) for ref in left] + self._appeared()
        for seen in self._team.run(_by_git(self._kept(dict.fromkeys(later)))):
            self._take(seen)
            progress(self.count)
        for hit in self._hits:
            name = self.id_of(hit.ref)
            self.held.hits.setdefault(name, hit._replace(ref=name))

    def link(self, sought: Iterable[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        """Looks through all trees: for objects that are missing, and for those that name one of the sought ones.

        Gives for each of these the tree, the name, and what it names.
        """
        self._team.tell(Search(sorted(sought)))
        found: list[Link] = []
        left: list[Ref] = []
        tasks: list[Task] = [*self._shares(ObjectType.TREE), *_by_git(self._loose_trees, trees=True)]
        for seen in self._team.run(tasks):
            left += seen.left
            found += seen.links
            self.held.missing |= seen.missing
        for seen in self._team.run(_by_git([self.id_of(ref) for ref in left], trees=True)):
            found += seen.links
            self.held.missing |= seen.missing
            self.held.skipped += seen.skipped
        return [(self.id_of(link.tree), link.name, link.target) for link in found]

    def above(self, trees: Iterable[bytes]) -> list[tuple[bytes, bytes, bytes]]:
        """The trees, of all that were searched, that name one of these trees: tree, name, and what it names."""
        found = [link for seen in self._team.tell(Above(sorted(trees))) for link in seen.links]
        return [(self.id_of(link.tree), link.name, link.target) for link in found]

    def found_so_far(self) -> tuple[Credential, ...]:
        """What was found before an interrupt, with the objects that hold it in place of paths."""
        found: list[Credential] = []
        for hit in self._hits:
            name = self.id_of(hit.ref).hex()
            blob = name if hit.kind == "blob" else None
            path = f"blob:{name}" if blob else f"{hit.kind} message"
            move = partial(_unattributed, path, blob)
            found += [credential.moved(move) for credential in hit.credentials]
        return merge_credentials(found)

    def id_of(self, ref: Ref) -> bytes:
        """The object id that a reference stands for."""
        return ref if isinstance(ref, bytes) else self._plan.packs[ref[0]].id_at(ref[1])

    def starts(self) -> Iterable[int]:
        """The first 64 bits of the ids of all objects that there were at the beginning."""
        return self._plan.known.starts()

    def unknown(self, names: Iterable[bytes]) -> list[bytes]:
        """Those of some ids that no object had at the beginning."""
        return self._plan.known.unknown(names)

    def _refuse(self, refs: Iterable[Ref]) -> None:
        for ref in refs:
            self.held.unread.add(self.id_of(ref))
            self.held.skipped.append(Skipped(what=f"object {self.id_of(ref).hex()}", why="its pack entry is forged"))

    def content(self, name: bytes) -> tuple[str, bytes] | None:
        """Type and content of an object in a pack, None where git must be asked."""
        return read_object(self._plan.packs, name, self._codec)

    def _take(self, seen: Seen) -> None:
        self._refuse(seen.forged)
        count = self.count
        count.objects += seen.objects
        count.blobs += seen.blobs
        count.size += seen.size
        count.found += len(seen.hits)
        self._hits += seen.hits
        self._loose_trees += seen.trees
        held = self.held
        held.skipped += seen.skipped
        held.skipped += [
            replace(skipped, what=f"blob {self.id_of(ref).hex()}{skipped.what}") for ref, skipped in seen.unread
        ]
        held.unread.update(self.id_of(ref) for ref, _ in seen.unread)
        held.unread |= seen.damaged | seen.missing
        held.missing |= seen.missing
        held.nodes.update((self.id_of(ref), node) for ref, node in seen.nodes)

    def _shares(self, *kinds: ObjectType) -> list[Packed]:
        forests = self._plan.forests
        total = sum(forest.weight[root] for forest in forests for kind in kinds for root in forest.roots[kind])
        size = max(_LEAST_SHARE, total // (_SHARES * self._jobs))
        return [
            Packed(number, kind, share)
            for number, forest in enumerate(forests)
            for kind in kinds
            for share in forest.shares(kind, size)
        ]

    def _kept(self, names: Iterable[bytes]) -> list[bytes]:
        names = list(names)
        if self._choice.whole():
            return names
        takes, takes_message = self._choice.takes, self._choice.takes_message
        kinds = object_types(self._git, names)
        return [name for name in names if (takes if kinds.get(name) == "blob" else takes_message)(name)]

    def _selections(
        self, packs: Sequence[Pack], laid: Sequence[tuple[DeltaForest, Sequence[int]]]
    ) -> list[EntrySelection | None]:
        """For each pack what is looked at in it: all, or without what an earlier pack has and what is not wanted."""
        selections: list[EntrySelection | None] = []
        for number, (pack, (forest, base)) in enumerate(zip(packs, laid, strict=True)):
            dropped = _repeated(pack, packs[:number])
            if not self._choice.whole():
                dropped += self._not_chosen(pack, forest)
            if not dropped:
                selections.append(None)
                continue
            wanted = bytearray(b"\1") * pack.count
            for entry in dropped:
                wanted[entry] = 0
            needed = forest.with_bases((entry for entry in range(pack.count) if wanted[entry]), base)
            selections.append(EntrySelection(wanted=wanted, needed=needed))
        return selections

    def _not_chosen(self, pack: Pack, forest: DeltaForest) -> list[int]:
        messages = {entry for kind in _MESSAGES for entry in forest.below(forest.roots[kind])}
        takes, takes_message = self._choice.takes, self._choice.takes_message
        return [
            entry
            for entry in range(pack.count)
            if not (takes_message if entry in messages else takes)(pack.id_at(entry))
        ]

    def _looked_at(self) -> int:
        """How many objects will be counted: trees are not."""
        total = len(self._loose)
        for forest, selection in zip(self._plan.forests, self._plan.selections, strict=True):
            total += _marked(selection) if selection is not None else len(forest.first)
        return total

    def _appeared(self) -> list[bytes]:
        """Objects of packs that appeared while others were read, as when git gathers garbage meanwhile."""
        new = [path for path in self._database.pack_files() if path not in self._paths]
        opened = open_packs(new, self._database.id_size)
        self.held.skipped += opened.skipped
        names = [name for pack in opened.packs for first in range(256) for name in pack.ids(first)]
        return self._plan.known.unknown([*names, *opened.by_git])


def _unattributed(path: str, blob: str | None, place: Location) -> Location:
    return replace(place, path=path + place.path, blob=blob, exposure=Exposure.HISTORY)


def _by_git(names: Sequence[bytes], *, trees: bool = False) -> list[ByGit]:
    return [ByGit(list(names[at : at + _GIT_SHARE]), trees) for at in range(0, len(names), _GIT_SHARE)]


def _in_packs(name: bytes, packs: Sequence[Pack]) -> bool:
    return any(pack.entry_of(name) is not None for pack in packs)


def _repeated(pack: Pack, earlier: Sequence[Pack]) -> list[int]:
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


def _marked(selection: EntrySelection) -> int:
    return selection.wanted.count(1)


_NAME = re.compile(r"[0-9a-f]{64}")
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {size}\n"


class LargeFiles:
    """The objects of Git LFS in a repository. `stand_ins` maps the ids of pointers to the files that they stand for."""

    def __init__(self, database: ObjectDatabase) -> None:
        self._folder = database.git_folder / "lfs" / "objects"
        self._algorithm = "sha256" if database.id_size == 32 else "sha1"
        self._found: list[tuple[Path, list[Credential]]] = []
        self.skipped: list[Skipped] = []
        self.stand_ins: dict[bytes, Path] = {}

    def scan(self) -> None:
        """Looks through all files."""
        for path in sorted(self._folder.glob("??/??/*")):
            if not _NAME.fullmatch(path.name) or path.is_symlink():
                continue
            found: list[Credential] = []
            entry = FileEntry(path=str(path), shown="", evidence_path="", explicit=True)
            for chunk in read_chunks(entry):
                if isinstance(chunk, Skipped):
                    self.skipped.append(Skipped(what=f"lfs object {path.name}", why=chunk.why, lost=chunk.lost))
                else:
                    found += [credential.without_secrets() for credential in credentials_in(chunk)]
            if found:
                self._found.append((path, found))

    def add_pointers(self, scan: ObjectScan, only: Container[bytes] | None) -> None:
        """Counts what the files hold as hits of their pointers, so that it is found where they stand.

        Where `only` is given, for the pointers in it.
        """
        for path, found in self._found:
            content = _POINTER.format(name=path.name, size=path.stat().st_size).encode("ascii")
            name = hashlib.new(self._algorithm, b"blob %d\0" % len(content) + content).digest()
            if only is not None and name not in only:
                continue
            digests = frozenset(value.sha256 for credential in found for value in credential.values)
            scan.held.hits[name] = Hit(name, "blob", digests, tuple(found))
            self.stand_ins[name] = path
