"""Find which trees name which objects, and which objects are known."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from binance_leaks.detect import prefilter
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.native import compiled
from binance_leaks.sources.objects.codec import PackCodec
from binance_leaks.sources.objects.delta_forest import DeltaForest
from binance_leaks.sources.objects.pack import Pack
from binance_leaks.sources.objects.parse import parse_tree
from binance_leaks.sources.objects.walk import (
    WalkResult,
    as_result,
    open_delta_trees,
    walk_delta_trees,
)

if TYPE_CHECKING:
    from types import ModuleType

    from binance_leaks import _native

ObjectRef: TypeAlias = tuple[int, int] | bytes
"""An object: the number of a pack with that of an entry in it, or an object id."""

_FOLDER, _SUBMODULE = b"40000", b"160000"
_ENTRY_BITS = 32
_BY_NAME = 1 << 63


class Link(NamedTuple):
    """A tree that names an object."""

    tree: ObjectRef
    name: bytes
    target: bytes


@dataclass(kw_only=True, slots=True)
class TreeFindings:
    """What was found in trees."""

    links: list[Link] = field(default_factory=list)
    """Entries that name a sought object."""
    missing: set[bytes] = field(default_factory=set)
    """Objects that are named and not known. Those of submodules are not sought."""
    suspicious: list[ObjectRef] = field(default_factory=list)
    """Trees that are the first to give an object a name in which a value may be."""


class TreeIndex(Protocol):
    """An index of what trees name, for trees that are read once.

    It holds the folders of each tree for upward searches, unless nothing is sought.
    """

    def read_share(
        self, number: int, pack: Pack, forest: DeltaForest, roots: array[int], codec: PackCodec
    ) -> WalkResult:
        """Read the trees of a pack, which has a number, that descend from some roots."""
        ...

    def read(self, name: bytes, tree: bytes) -> None:
        """Read a tree with an id."""
        ...

    def take(self) -> TreeFindings:
        """Return what was found since the last call."""
        ...

    def above(self, sought: Iterable[bytes]) -> list[Link]:
        """Return every entry of a tree that names one of the sought trees."""
        ...


def open_tree_index(id_size: int, known: ObjectIdSet, sought: Collection[bytes]) -> TreeIndex:
    """An empty index for objects that are sought."""
    if compiled is None:
        return PlainTreeIndex(id_size, known, sought)
    return CompiledTreeIndex(compiled, id_size, known, sought)


class PlainTreeIndex:
    """The index in Python alone."""

    around = None
    search = None

    def __init__(self, id_size: int, known: ObjectIdSet, sought: Collection[bytes]) -> None:
        self._id_size = id_size
        self._known = known
        self._sought = frozenset(sought)
        self._folders: dict[tuple[bytes, bytes], int] = {}
        self._owners: list[ObjectRef] = []
        self._ends = array("Q")
        self._numbers = array("I")  # of the folders of one owner after the other
        self._findings = TreeFindings()
        self._named: set[bytes] = set()
        self._suspects: set[tuple[bytes, bytes]] = set()
        self._suspicious: dict[ObjectRef, None] = {}
        self._pack = 0

    def read_share(
        self, number: int, pack: Pack, forest: DeltaForest, roots: array[int], codec: PackCodec
    ) -> WalkResult:
        """Read the trees of a pack, which has a number, that descend from some roots."""
        self._pack = number
        return walk_delta_trees(pack, forest, roots, self, codec)

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:  # noqa: ARG002 - reads all of it
        """Read a tree on a walk."""
        self._read((self._pack, entry), content)
        return 0

    def read(self, name: bytes, tree: bytes) -> None:
        """Read a tree with an id."""
        self._read(name, tree)

    def take(self) -> TreeFindings:
        """Return what was found since the last call."""
        findings, self._findings = self._findings, TreeFindings()
        findings.missing.update(self._known.unknown(self._named))
        findings.suspicious += self._suspicious
        self._named.clear()
        self._suspicious.clear()
        return findings

    def above(self, sought: Iterable[bytes]) -> list[Link]:
        """Return every entry of a tree that names one of the sought trees."""
        targets = frozenset(sought)
        folders = {number: folder for folder, number in self._folders.items() if folder[1] in targets}
        found, start = [], 0
        for owner, end in zip(self._owners, self._ends, strict=True):
            found += [Link(owner, *folders[number]) for number in self._numbers[start:end] if number in folders]
            start = end
        return found

    def _read(self, owner: ObjectRef, tree: bytes) -> None:
        before = len(self._numbers)
        for mode, name, target in parse_tree(tree, self._id_size):
            kind = mode.lstrip(b"0")
            if kind != _SUBMODULE:
                self._named.add(target)
            if (name, target) not in self._suspects and prefilter.path_may_hold(name):
                self._suspects.add((name, target))
                self._suspicious[owner] = None
            if target in self._sought:
                self._findings.links.append(Link(owner, name, target))
            if kind == _FOLDER and self._sought:
                self._numbers.append(self._folders.setdefault((name, target), len(self._folders)))
        if len(self._numbers) > before:
            self._owners.append(owner)
            self._ends.append(len(self._numbers))


class CompiledTreeIndex:
    """The index of the compiled module, in which numbers stand for trees."""

    def __init__(self, native: ModuleType, id_size: int, known: ObjectIdSet, sought: Collection[bytes]) -> None:
        self._native = native
        self._index: _native.TreeIndex = native.TreeIndex(
            id_size=id_size, known=known.starts, sought=b"".join(sorted(set(sought)))
        )
        self._names: list[bytes] = []

    def read_share(
        self, number: int, pack: Pack, forest: DeltaForest, roots: array[int], codec: PackCodec
    ) -> WalkResult:
        """Read the trees of a pack, which has a number, that descend from some roots."""
        trees = open_delta_trees(self._native, pack, forest, codec)
        return as_result(forest, None, self._index.read_share(trees, number << _ENTRY_BITS, roots))

    def read(self, name: bytes, tree: bytes) -> None:
        """Read a tree with an id."""
        self._index.read(_BY_NAME + len(self._names), tree)
        self._names.append(name)

    def take(self) -> TreeFindings:
        """Return what was found since the last call."""
        links, missing, suspicious = self._index.take()
        return TreeFindings(
            links=self._links(links),
            missing=missing,
            suspicious=[self._ref(owner) for owner in memoryview(suspicious).cast("Q")],
        )

    def above(self, sought: Iterable[bytes]) -> list[Link]:
        """Return every entry of a tree that names one of the sought trees."""
        return self._links(self._index.above(b"".join(sorted(set(sought)))))

    def _links(self, found: Sequence[tuple[int, bytes, bytes]]) -> list[Link]:
        return [Link(self._ref(owner), name, target) for owner, name, target in found]

    def _ref(self, owner: int) -> ObjectRef:
        if owner >= _BY_NAME:
            return self._names[owner - _BY_NAME]
        return owner >> _ENTRY_BITS, owner & (1 << _ENTRY_BITS) - 1


class ObjectIdSet:
    """The objects of some packs and others, by the first 64 bits of their ids.

    An unknown object is recognized but for one in 2^40.
    """

    def __init__(self, packs: Sequence[Pack], others: Iterable[bytes]) -> None:
        tables = [table for pack in packs if (table := pack.id_starts())]
        loose = array("Q", sorted(int.from_bytes(name[:8], "big") for name in others))
        if loose:
            tables.append(loose)
        if len(tables) > 1:
            joined = [start for table in tables for start in table]
            joined.sort()
            tables = [array("Q", joined)]
        self.starts = tables[0] if tables else array("Q")
        """The first 64 bits of all ids, ascending."""

    def __contains__(self, name: bytes) -> bool:
        return not self.unknown([name])

    def unknown(self, names: Iterable[bytes]) -> list[bytes]:
        """Those of some ids that are unknown."""
        starts, end = self.starts, len(self.starts)
        left = []
        for name in names:
            start = int.from_bytes(name[:8], "big")
            at = bisect_left(starts, start)
            if at == end or starts[at] != start:
                left.append(name)
        return left
