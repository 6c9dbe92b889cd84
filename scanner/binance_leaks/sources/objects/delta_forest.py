"""The delta chains of a pack, as a forest of entries and their bases."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import chain, compress
from mmap import mmap
from operator import sub

from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.native import compiled
from binance_leaks.sources.objects.pack import Pack

NONE = 0xFFFFFFFF
_OFS_DELTA, _REF_DELTA = 6, 7
_TYPE = bytes((byte >> 4) & 7 for byte in range(256))


class ObjectType(Enum):
    """The types of git's objects, with the number that a pack gives them."""

    COMMIT = 1
    TREE = 2
    BLOB = 3
    TAG = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class DeltaForest:
    """Entries of a pack by number: roots are whole objects, others deltas on a parent.

    `first[n]` is the first entry that is a delta on entry n, `following[n]` the next one on the same base as n; both
    are NONE where there is none. `weight[n]` is the number of bytes in the pack of n and all that descends from it.
    No root leads to those that are `astray`, whose base is not in the pack, nor to those that are `endless`, made of
    each other.
    """

    first: array[int]
    following: array[int]
    weight: array[int]
    roots: dict[ObjectType, array[int]]
    astray: tuple[int, ...] = ()
    endless: tuple[int, ...] = ()

    def shares(self, kind: ObjectType, size: int) -> list[array[int]]:
        """The roots of a type in shares of about `size` bytes of the pack, largest first."""
        shares: list[tuple[int, array[int]]] = []
        share, total = array("I"), 0
        for root in self.roots[kind]:
            share.append(root)
            total += self.weight[root]
            if total >= size:
                shares.append((total, share))
                share, total = array("I"), 0
        if share:
            shares.append((total, share))
        shares.sort(key=lambda one: -one[0])
        return [share for _, share in shares]

    def below(self, roots: Iterable[int]) -> Iterator[int]:
        """Some roots and all that descends from them."""
        stack = list(roots)
        while stack:
            entry = stack.pop()
            yield entry
            child = self.first[entry]
            while child != NONE:
                stack.append(child)
                child = self.following[child]

    def with_bases(self, entries: Iterable[int], base: Sequence[int]) -> bytearray:
        """A mark for each entry: set for those given and for all that they are made of."""
        needed = bytearray(len(self.first))
        for entry in entries:
            at = entry
            while at != NONE and not needed[at]:
                needed[at] = 1
                at = base[at]
        return needed


def build_delta_forest(pack: Pack) -> tuple[DeltaForest, array[int]]:
    """The forest of a pack, and for each entry the number of its base or NONE."""
    count = pack.count
    base = array("I", [NONE]) * count
    first, following, weight = base[:], base[:], array("Q", [0]) * count
    fill = lay_out if compiled is None else compiled.lay_out
    types = fill(pack.data, pack.offsets, base, first, following, weight)
    named = list(compress(range(count), types.translate(_MARKS[_REF_DELTA])))
    for entry in named:
        named_base = _named_base(pack, entry)
        if named_base is None:
            continue
        base[entry] = named_base  # its own, too: then it is endless
        if named_base != entry:
            following[entry] = first[named_base]
            first[named_base] = entry
    roots = {kind: array("I", compress(range(count), types.translate(_MARKS[kind.value]))) for kind in ObjectType}
    forest = DeltaForest(first=first, following=following, weight=weight, roots=roots)
    order: Sequence[int] = range(count)
    if named or sum(map(len, roots.values())) + count - base.count(NONE) != count:
        order = list(forest.below(chain.from_iterable(roots.values())))
        astray, endless = _unrooted(forest, base, order)
        forest = replace(forest, astray=astray, endless=endless)
    for entry in reversed(order):  # each comes behind its base
        if base[entry] != NONE:
            weight[base[entry]] += weight[entry]
    return forest, base


def lay_out(
    data: mmap, offsets: array[int], base: array[int], first: array[int], following: array[int], weight: array[int]
) -> bytes:
    """Return the types of a pack's entries, and fill in their deltas and own weights, as far as offsets lead to a base.

    One pass over the entry headers.
    """
    begins = offsets[: len(base)]
    # A forged index may have two objects in one place: then the first counts.
    entry_at = dict(zip(reversed(begins), reversed(range(len(base))), strict=True))
    types = bytes(map(data.__getitem__, begins)).translate(_TYPE)
    weight[:] = array("Q", map(sub, offsets[1:], begins))
    for entry in compress(range(len(base)), types.translate(_MARKS[_OFS_DELTA])):
        offset = begins[entry]
        parent = entry_at.get(offset - _distance_to_base(data, offset), NONE)
        if parent < entry:
            base[entry] = parent
            following[entry] = first[parent]
            first[parent] = entry
    return types


def _distance_to_base(data: mmap, at: int) -> int:
    """How far before the entry at `at` the base of the delta begins; 0 if the file ends before that is said."""
    offset = at
    try:
        while data[at] & 128:
            at += 1
        at += 1
        back = data[at] & 127
        while data[at] & 128 and back < offset:
            at += 1
            back = ((back + 1) << 7) | (data[at] & 127)
    except IndexError:
        return 0
    return back


_MARKS = tuple(bytes(byte == kind for byte in range(256)) for kind in range(8))


def _named_base(pack: Pack, entry: int) -> int | None:
    at, end = pack.offsets[entry], pack.offsets[-1]
    while at < end and pack.data[at] & 128:
        at += 1
    return pack.entry_of(pack.data[at + 1 : at + 1 + pack.id_size])


def _unrooted(
    forest: DeltaForest, base: Sequence[int], rooted: Iterable[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The entries that no root leads to: those whose base is elsewhere, and those that are made of each other."""
    reached = bytearray(len(base))
    for entry in rooted:
        reached[entry] = 1
    astray = []
    for entry, seen in enumerate(reached):
        if not seen and base[entry] == NONE:
            for below in forest.below([entry]):
                reached[below] = 1
                astray.append(below)
    return tuple(astray), tuple(entry for entry, seen in enumerate(reached) if not seen)
