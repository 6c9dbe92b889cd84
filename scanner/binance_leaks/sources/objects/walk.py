"""Visit every object of a pack's delta trees once, depth first."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.native import compiled
from binance_leaks.sources.objects.codec import DamagedObjectError, PackCodec, delta_sizes
from binance_leaks.sources.objects.delta_forest import NONE, DeltaForest
from binance_leaks.sources.objects.pack import (
    LARGEST,
    MOST_COPIED,
    MOST_INFLATED,
    OFS_DELTA,
    ForgedObjectError,
    Pack,
    check_result_size,
    check_size,
    read_header,
)
from binance_leaks.sources.objects.parse import CommitNode, parse_commit_node

if TYPE_CHECKING:
    from types import ModuleType

    from binance_leaks import _native

SEPARATOR = b"\n\0\1\0\n"
"""Between two places that do not touch."""


@dataclass(frozen=True, slots=True)
class ContextSizes:
    """How much is shown of what surrounds a change: bytes before and behind it."""

    before: int
    behind: int


def changed_parts(base_size: int, delta: bytes, at: int, content: bytes, around: ContextSizes) -> bytes:
    """The changed parts of `content`, which `delta` makes of a base, with a separator between those that do not touch.

    The base has `base_size` bytes, and the instructions of the delta begin at `at`. The caller has applied them, so
    they are well formed.
    """
    parts: list[tuple[int, int]] = []

    def add(start: int, end: int) -> None:
        start, end = max(0, start - around.before), min(len(content), end + around.behind)
        if parts and start <= parts[-1][1]:
            start, _ = parts.pop()
        parts.append((start, end))

    made = expected = 0  # bytes of the result so far; where in the base the next byte would go on
    for offset, size in _instructions(delta, at):
        if offset is None:
            add(made, made + size)
        elif offset != expected:
            add(made, made)
        made += size
        expected = -1 if offset is None else offset + size
    if expected != base_size:  # the base went on where this ends
        add(made, made)
    return SEPARATOR.join([content[start:end] for start, end in parts])


def _instructions(delta: bytes, at: int) -> Iterator[tuple[int | None, int]]:
    """For each instruction of a delta the offset in the base, None for inserted bytes, and the size."""
    while at < len(delta):
        code = delta[at]
        at += 1
        if code < 128:
            at += code
            yield None, code
            continue
        values = []
        for bits in (range(4), range(4, 7)):
            value = 0
            for place, bit in enumerate(bits):
                if code & (1 << bit):
                    value |= delta[at] << (8 * place)
                    at += 1
            values.append(value)
        yield values[0], values[1] or 0x10000


MOST_HELD = 64 << 20
"""Bytes of bases that wait for their other deltas; when there are more, the oldest of those deltas are left to git."""


class Visitor(Protocol):
    """What looks at objects."""

    @property
    def around(self) -> ContextSizes | None:
        """How much it is shown around what of an object its base does not have.

        Returns None for all of the object.
        """
        ...

    @property
    def search(self) -> _native.Search | None:
        """The first test for what is fresh, None to be shown all objects.

        With it, the compiled walk shows only objects that must be looked at (`must_look`), and what may be an archive
        or a pointer. The deltas of others inherit what was seen in them.
        """
        ...

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:
        """Visit an object: `fresh` is what its base did not have; all of it without a base.

        `inherited` is what the visit of its base returned, 0 where there is none, and `seen` what the first test found
        in what is fresh, None if it was not made. Returns what its deltas inherit.
        """
        ...


class MessageVisitor(Protocol):
    """What looks at commits or tags."""

    @property
    def search(self) -> _native.Search | None:
        """The first test, with which the compiled walk shows only messages that must be looked at."""
        ...

    def add_node(self, entry: int, node: CommitNode) -> None:
        """Take the node of a commit; called for all that are well formed."""
        ...

    def visit_message(self, entry: int, content: bytes) -> None:
        """Look at a commit or tag."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class EntrySelection:
    """Marks for entries to visit (`wanted`), and entries to build them from (`needed`)."""

    wanted: bytearray
    needed: bytearray


@dataclass(kw_only=True, slots=True)
class WalkResult:
    """What a walk read: objects, bytes, entries left to git, unreadable entries."""

    objects: int = 0
    size: int = 0
    left: list[int] = field(default_factory=list)
    forged: list[int] = field(default_factory=list)


def walk_delta_trees(
    pack: Pack,
    forest: DeltaForest,
    roots: array[int],
    visitor: Visitor,
    codec: PackCodec,
    selection: EntrySelection | None = None,
) -> WalkResult:
    """Show a visitor the objects of some delta trees.

    What is damaged or too large is left to git, with its deltas; so are the oldest of those that wait if the objects
    that they are made of become too many to hold.
    """
    if compiled is None:
        return walk_plainly(pack, forest, roots, visitor, codec, selection)
    around = visitor.around
    walked = open_delta_trees(compiled, pack, forest, codec).visit(
        roots,
        visitor.visit,
        visitor.search,
        None if around is None else (around.before, around.behind),
        None if selection is None else selection.wanted,
        None if selection is None else selection.needed,
    )
    return as_result(forest, selection, walked)


def open_delta_trees(native: ModuleType, pack: Pack, forest: DeltaForest, codec: PackCodec) -> _native.DeltaTrees:
    """The delta trees of a pack for the compiled module."""
    decompress, errors = codec.decompress
    trees: _native.DeltaTrees = native.DeltaTrees(
        data=pack.data,
        offsets=pack.offsets,
        first=forest.first,
        following=forest.following,
        id_size=pack.id_size,
        inflate=codec.inflate,
        decompress=decompress,
        errors=(DamagedObjectError, MemoryError, *errors),
        limits=(LARGEST, MOST_HELD, MOST_INFLATED, MOST_COPIED),
    )
    return trees


def as_result(
    forest: DeltaForest, selection: EntrySelection | None, walked: tuple[int, int, list[int], list[int]]
) -> WalkResult:
    """The result of a compiled walk, in which entries that are left stand for all their deltas."""
    objects, size, left, forged = walked
    result = WalkResult(objects=objects, size=size)
    for entries, found in ((left, result.left), (forged, result.forged)):
        for entry in entries:
            _leave(forest, entry, selection, found)
    return result


def walk_messages(
    pack: Pack,
    forest: DeltaForest,
    roots: array[int],
    visitor: MessageVisitor,
    codec: PackCodec,
    selection: EntrySelection | None = None,
) -> WalkResult:
    """Show a visitor commits or tags, as `walk_delta_trees` does with other objects."""
    if compiled is None:
        return walk_plainly(pack, forest, roots, _PlainMessages(visitor, pack.id_size), codec, selection)
    walked, nodes = open_delta_trees(compiled, pack, forest, codec).visit_messages(
        roots,
        visitor.visit_message,
        visitor.search,
        None if selection is None else selection.wanted,
        None if selection is None else selection.needed,
    )
    for entry, tree, parents, time in nodes:
        visitor.add_node(entry, CommitNode(tree=tree, parents=parents, time=time))
    return as_result(forest, selection, walked)


class _PlainMessages:
    around = None
    search = None

    def __init__(self, visitor: MessageVisitor, id_size: int) -> None:
        self._visitor = visitor
        self._id_size = id_size

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:  # noqa: ARG002 - looks at the whole
        node = parse_commit_node(content, self._id_size)
        if node is not None:
            self._visitor.add_node(entry, node)
        self._visitor.visit_message(entry, content)
        return 0


def walk_plainly(
    pack: Pack,
    forest: DeltaForest,
    roots: array[int],
    visitor: Visitor,
    codec: PackCodec,
    selection: EntrySelection | None = None,
) -> WalkResult:
    """`walk_delta_trees` in Python alone."""
    with memoryview(pack.data) as data:
        walk = _PlainWalk(_Entries(pack, data, codec), forest, visitor, selection)
        for root in roots:
            walk.visit_tree(root)
    return walk.result


class _Entries:
    """A maker of objects from a pack. Raises DamagedObjectError for those left to git."""

    def __init__(self, pack: Pack, data: memoryview, codec: PackCodec) -> None:
        self._data = data
        self._offsets = pack.offsets
        self._id_size = pack.id_size
        self._inflate = codec.inflate
        self._apply = codec.apply

    def unpacked(self, entry: int, *, delta: bool) -> bytes:
        """What an entry holds: an object, or a delta."""
        data = self._data
        start = self._offsets[entry]
        end = self._offsets[entry + 1]
        kind, size, at = read_header(data, start)
        check_size(size, end - start)
        if delta:
            if kind == OFS_DELTA:
                while data[at] & 128:
                    at += 1
                at += 1
            else:
                at += self._id_size
        return self._inflate(data[at:end], size)

    def made(self, base: bytes, delta: bytes) -> tuple[bytes, int]:
        """The object that a delta makes of its base, and the start of the instructions."""
        _, size, at = delta_sizes(delta)
        check_result_size(size, len(delta))
        return self._apply(base, delta), at


@dataclass(slots=True)
class _Base:
    """An object whose deltas wait, `delta` and what follows it, with what its visit returned."""

    content: bytes
    passed: int
    delta: int


class _PlainWalk:
    """A walk in Python, with what it read so far."""

    def __init__(
        self, entries: _Entries, forest: DeltaForest, visitor: Visitor, selection: EntrySelection | None
    ) -> None:
        self.result = WalkResult()
        self._entries = entries
        self._forest = forest
        self._visitor = visitor
        self._selection = selection
        self._bases: deque[_Base] = deque()
        self._held = 0  # bytes of these

    def visit_tree(self, root: int) -> None:
        """Visit a root and all that descends from it."""
        at: tuple[int, bytes | None, int] | None = (root, None, 0)
        if self._selection is not None and not self._selection.needed[root]:
            return
        while at is not None:
            self._visit(*at)
            at = self._next()

    def _visit(self, entry: int, base: bytes | None, inherited: int) -> None:
        selection, result, around = self._selection, self.result, self._visitor.around
        try:
            if base is None:
                fresh = content = self._entries.unpacked(entry, delta=False)
            else:
                delta = self._entries.unpacked(entry, delta=True)
                content, at = self._entries.made(base, delta)
                fresh = (
                    content if around is None or inherited < 0 else changed_parts(len(base), delta, at, content, around)
                )
        except ForgedObjectError:
            _leave(self._forest, entry, selection, result.forged)
            return
        except (DamagedObjectError, IndexError, MemoryError):
            _leave(self._forest, entry, selection, result.left)
            return
        passed = -1  # for what is not visited: its deltas are visited whole
        if selection is None or selection.wanted[entry]:
            passed = self._visitor.visit(entry, content, fresh, max(inherited, 0), None)
            result.objects += 1
            result.size += len(content)
        delta_on_it = self._needed(self._forest.first[entry])
        if delta_on_it != NONE:
            self._keep(_Base(content, passed, delta_on_it))

    def _keep(self, base: _Base) -> None:
        self._bases.append(base)
        self._held += len(base.content)
        while self._held > MOST_HELD and len(self._bases) > 1:
            oldest = self._bases.popleft()
            self._held -= len(oldest.content)
            while oldest.delta != NONE:
                _leave(self._forest, oldest.delta, self._selection, self.result.left)
                oldest.delta = self._needed(self._forest.following[oldest.delta])

    def _next(self) -> tuple[int, bytes, int] | None:
        """The next delta on the latest object that has one, with that object."""
        if not self._bases:
            return None
        base = self._bases[-1]
        entry = base.delta
        base.delta = self._needed(self._forest.following[entry])
        if base.delta == NONE:
            self._bases.pop()
            self._held -= len(base.content)
        return entry, base.content, base.passed

    def _needed(self, entry: int) -> int:
        """An entry, or the first that follows it on the same base and is needed."""
        while entry != NONE and self._selection is not None and not self._selection.needed[entry]:
            entry = self._forest.following[entry]
        return entry


def _leave(forest: DeltaForest, entry: int, selection: EntrySelection | None, left: list[int]) -> None:
    """Leave an entry and all that descends from it."""
    left += [at for at in forest.below([entry]) if selection is None or selection.wanted[at]]
