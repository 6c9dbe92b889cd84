"""Visit every object of a pack's delta trees once, depth first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from binance_leaks.sources.objects.codec import DamagedObjectError, PackCodec, delta_sizes
from binance_leaks.sources.objects.delta_forest import NONE, DeltaForest
from binance_leaks.sources.objects.pack import LARGEST, ForgedObjectError, Pack, check_result_size, check_size

SEPARATOR = b"\n\0\1\0\n"
"""Between two places that do not touch."""


@dataclass(frozen=True, slots=True)
class ContextSizes:
    """How much is shown of what surrounds a change: bytes before and behind it.

    `worth` is how many times as long as its delta an object must be for it to pay to look for the changes.
    """

    before: int
    behind: int
    worth: int


def changed_parts(base_size: int, delta: bytes, at: int, content: bytes, around: ContextSizes) -> bytes:
    """The changed parts of `content`, which `delta` makes of a base; all if they are many.

    The base has `base_size` bytes.

    The instructions of the delta begin at `at`. What they copy and insert is read off them (gitformat-pack); the
    caller has applied them, so they are well formed.
    """
    length = len(content)
    if (len(delta) - at) * around.worth > length:
        return content
    places = _places(base_size, delta, at, length, around)
    if not places:
        return b""
    if len(places) == 1:
        start, end = places[0]
        return content[start:end]
    if sum(end - start for start, end in places) * 2 > length:
        return content
    return SEPARATOR.join([content[start:end] for start, end in places])


def _places(base_size: int, delta: bytes, at: int, length: int, around: ContextSizes) -> list[tuple[int, int]]:
    """Start and end of the changed places with what is around them, ascending, none touching another."""
    places: list[tuple[int, int]] = []
    before, behind = around.before, around.behind
    start, end = 0, -1
    made = expected = 0  # bytes of the result so far; where in the base the next byte would go on
    stop = len(delta)
    number, arguments = int.from_bytes, _ARGUMENTS
    while at < stop:
        code = delta[at]
        at += 1
        if code >= 128:
            known = arguments[code]
            if known is None:
                offset, size, at = _copied(code, delta, at)
            else:
                middle = at + known[0]
                offset = number(delta[at:middle], "little")
                at = middle + known[1]
                size = number(delta[middle:at], "little") or 0x10000
            if offset == expected:
                made += size
                expected = offset + size
                continue
            low, high = made - before, made + behind
            made += size
            expected = offset + size
        else:
            low = made - before
            made += code
            high = made + behind
            at += code
            expected = -1
        if low > end:
            if end >= 0:
                places.append((start, end))
            start = low if low > 0 else 0
        end = high
    if expected != base_size:  # the base went on where this ends
        low = length - before
        if low > end:
            if end >= 0:
                places.append((start, end))
            start = low if low > 0 else 0
        end = length
    if end >= 0:
        places.append((start, end if end < length else length))
    return places


def _simple(code: int) -> tuple[int, int] | None:
    """How many bytes of offset and of size follow a copy instruction, None where some in between are left out."""
    counts = {0: 0, 1: 1, 3: 2, 7: 3, 15: 4}
    offset, size = counts.get(code & 15), counts.get((code >> 4) & 7)
    return None if offset is None or size is None else (offset, size)


_ARGUMENTS = tuple(_simple(code) for code in range(256))


def _copied(code: int, delta: bytes, at: int) -> tuple[int, int, int]:
    """Offset and size of a copy instruction, and where the next one begins."""
    values = []
    for bits in (range(4), range(4, 7)):
        value = 0
        for place, bit in enumerate(bits):
            if code & (1 << bit):
                value |= delta[at] << (8 * place)
                at += 1
        values.append(value)
    return values[0], values[1] or 0x10000, at


_MOST_HELD = 64 << 20
"""Bytes of bases that wait for their other deltas; when there are more, those deltas are left to git."""


class Visitor(Protocol):
    """What looks at objects."""

    @property
    def around(self) -> ContextSizes | None:
        """How much it is shown around what of an object its base does not have.

        Returns None for all of the object.
        """
        ...

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int) -> int:
        """Visit an object: `fresh` is what its base did not have; all of it without a base.

        `inherited` is what the visit of its base returned, 0 where there is none; returns what its deltas inherit.
        """
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
    roots: Iterable[int],
    visitor: Visitor,
    codec: PackCodec,
    selection: EntrySelection | None = None,
) -> WalkResult:
    """Show a visitor the objects of some delta trees.

    What is damaged or too large is left to git, with its deltas.
    """
    walked = WalkResult()
    with memoryview(pack.data) as data:
        entries = _Entries(pack, data, codec)
        for root in roots:
            if selection is None or selection.needed[root]:
                _walk_tree(entries, forest, root, visitor, selection, walked)
    return walked


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
        start = at = self._offsets[entry]
        end = self._offsets[entry + 1]
        # Spelt out, as it is done for every object: `single.header` does the same.
        lead = byte = data[at]
        at += 1
        size = byte & 15
        shift = 4
        while byte & 128 and shift < 60:
            byte = data[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
        if size > LARGEST:
            check_size(size, end - start)
        if delta:
            if lead & 0x70 == 0x60:
                while data[at] & 128:
                    at += 1
                at += 1
            else:
                at += self._id_size
        return self._inflate(data[at:end], size)

    def made(self, base: bytes, delta: bytes) -> tuple[bytes, int]:
        """The object that a delta makes of its base, and the start of the instructions."""
        _, size, at = delta_sizes(delta)
        if size > LARGEST:
            check_result_size(size, len(delta))
        return self._apply(base, delta), at


def _walk_tree(
    entries: _Entries,
    forest: DeltaForest,
    root: int,
    visitor: Visitor,
    selection: EntrySelection | None,
    walked: WalkResult,
) -> None:
    first, following, visit, around = forest.first, forest.following, visitor.visit, visitor.around
    stack: list[tuple[int, bytes | None, int]] = [(root, None, 0)]
    held = 0
    while stack:
        entry, base, inherited = stack.pop()
        if selection is not None and not selection.needed[entry]:
            continue
        try:
            if base is None:
                fresh = content = entries.unpacked(entry, delta=False)
            else:
                delta = entries.unpacked(entry, delta=True)
                content, at = entries.made(base, delta)
                fresh = (
                    content if around is None or inherited < 0 else changed_parts(len(base), delta, at, content, around)
                )
        except ForgedObjectError:
            _leave(forest, entry, selection, walked.forged)
            continue
        except (DamagedObjectError, IndexError, MemoryError):
            _leave(forest, entry, selection, walked.left)
            continue
        if selection is None or selection.wanted[entry]:
            passed = visit(entry, content, fresh, max(inherited, 0))
            walked.objects += 1
            walked.size += len(content)
        else:
            passed = -1  # it was not visited: its deltas are visited whole
        child = first[entry]
        if child == NONE:
            continue
        held = len(content) + (held if len(stack) > 1 else 0)
        if held > _MOST_HELD:
            held = len(content) + _settle(forest, stack, walked, selection)
        while child != NONE:
            stack.append((child, content, passed))
            child = following[child]


def _settle(
    forest: DeltaForest,
    stack: list[tuple[int, bytes | None, int]],
    walked: WalkResult,
    selection: EntrySelection | None,
) -> int:
    """The bytes that the stack really holds; the oldest of it goes to git until they are few enough."""
    sizes: dict[int, int] = {id(base): len(base) for _, base, _ in stack if base is not None}
    total = sum(sizes.values())
    while stack and total > _MOST_HELD // 2:
        entry, base, _ = stack.pop(0)
        _leave(forest, entry, selection, walked.left)
        if base is not None and not any(base is other for _, other, _ in stack[:1]):
            total -= len(base)
    return total


def _leave(forest: DeltaForest, entry: int, selection: EntrySelection | None, left: list[int]) -> None:
    """Leave an entry and all that descends from it."""
    left += [at for at in forest.below([entry]) if selection is None or selection.wanted[at]]
