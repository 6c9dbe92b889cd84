"""Find which trees name which objects, and which objects are known."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Generic, TypeVar

from binance_leaks.sources.objects.pack import Pack
from binance_leaks.sources.objects.parse import parse_tree
from binance_leaks.sources.objects.walk import SEPARATOR

Owner = TypeVar("Owner")
_FEW = 500
"""Ids for which a search by their bytes is faster than looking at each place."""


def compile_id_search(ids: Iterable[bytes]) -> Callable[[bytes], list[int]]:
    """A search for object ids: gives the offsets behind each occurrence in some bytes."""
    wanted = sorted(set(ids))
    try:
        import hyperscan  # start-up: may be absent, and only attribution needs it
    except ImportError:
        return _plain_finder(wanted)
    if not wanted:
        return lambda _: []
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[b"".join(b"\\x%02x" % byte for byte in name) for name in wanted],
        ids=list(range(len(wanted))),
        elements=len(wanted),
        flags=[hyperscan.HS_FLAG_DOTALL] * len(wanted),
    )
    found: list[int] = []

    def see(number: int, start: int, end: int, flags: int, context: object) -> None:  # noqa: ARG001 - its signature
        found.append(end)

    def search(data: bytes) -> list[int]:
        found.clear()
        database.scan(data, match_event_handler=see)
        return found[:]

    return search


def _plain_finder(wanted: list[bytes]) -> Callable[[bytes], list[int]]:
    if not wanted:
        return lambda _: []
    by_start: dict[bytes, list[bytes]] = {}
    for name in wanted:
        by_start.setdefault(name[:4], []).append(name)
    starts = re.compile(b"|".join(map(re.escape, sorted(by_start)))) if len(by_start) <= 64 else None
    size = len(wanted[0])
    names = frozenset(wanted)

    def search(data: bytes) -> list[int]:
        if starts is not None:
            places = [match.start() for match in starts.finditer(data)]
        else:
            places = [at for at in range(len(data) - size + 1) if data[at : at + 4] in by_start]
        return [at + size for at in places if data[at : at + size] in names]

    return search


class TreeIndex(Generic[Owner]):
    """An index of the folders that trees name, for upward searches.

    Holds an id and a number for each folder of each tree, in flat arrays.
    """

    def __init__(self, id_size: int) -> None:
        self._id_size = id_size
        self._folder = re.compile(rb"40000 ([^\0]+)(?:\0(.{%d}))?" % id_size, re.DOTALL)
        self._ids = bytearray()
        self._names: dict[bytes, int] = {}
        self._numbers = array("I")
        self._owners: list[Owner] = []
        self._starts = array("I")

    def add(self, owner: Owner, tree: bytes) -> None:
        """Remember the folders of a tree, under its id or another key."""
        found = self._folder.findall(tree)
        if found and not found[-1][1]:
            found.pop()
        if not found:
            return
        self._owners.append(owner)
        self._starts.append(len(self._numbers))
        names = self._names
        self._numbers.extend([names.setdefault(name, len(names)) for name, _ in found])
        self._ids += b"".join([child for _, child in found])

    def above(self, sought: Sequence[bytes]) -> Iterator[tuple[Owner, bytes, bytes]]:
        """Every tree that names one of the sought trees: its key, the name, and the target."""
        joined, size = bytes(self._ids), self._id_size
        by_number = list(self._names)
        for end in (
            compile_id_search(sought)(joined) if len(sought) <= _FEW else _aligned(joined, size, frozenset(sought))
        ):
            if end % size == 0:
                place = end // size - 1
                owner = self._owners[bisect_right(self._starts, place) - 1]
                yield owner, by_number[self._numbers[place]], joined[end - size : end]


def _aligned(joined: bytes, size: int, sought: frozenset[bytes]) -> list[int]:
    return [at + size for at in range(0, len(joined), size) if joined[at : at + size] in sought]


def find_entries(tree: bytes, ends: Iterable[int], id_size: int) -> list[tuple[bytes, bytes]]:
    """Name and id of the entries of a tree whose ids end at some offsets."""
    sought = set(ends)
    found = []
    at = 0
    for mode, name, target in parse_tree(tree, id_size):
        at += len(mode) + len(name) + 2 + id_size
        if at in sought:
            found.append((name, target))
    return found


class ObjectIdSet:
    """The objects of some packs and others, by the first 64 bits of their ids.

    An unknown object is recognized but for one in 2^40.
    """

    def __init__(self, packs: Sequence[Pack], others: Iterable[bytes]) -> None:
        self._tables = [table for pack in packs if (table := pack.id_starts())]
        loose = array("Q", sorted(int.from_bytes(name[:8], "big") for name in others))
        if loose:
            self._tables.append(loose)

    def starts(self) -> Iterator[int]:
        """The first 64 bits of all ids."""
        return chain.from_iterable(self._tables)

    def __contains__(self, name: bytes) -> bool:
        return not self.unknown([name])

    def unknown(self, names: Iterable[bytes]) -> list[bytes]:
        """Those of some ids that are unknown."""
        for table in self._tables:
            end = len(table)
            left = []
            for name in names:
                start = int.from_bytes(name[:8], "big")
                at = bisect_left(table, start)
                if at == end or table[at] != start:
                    left.append(name)
            names = left
            if not left:
                break
        return list(names)


class TreeReferences:
    """A reader of the object ids in trees or parts of trees, without submodules' commits."""

    def __init__(self, id_size: int) -> None:
        self._entry = re.compile(rb"(?:100\d{3}|120000|40000) [^\0]+(?:\0(.{%d}))?" % id_size, re.DOTALL)

    def of(self, tree: bytes) -> list[bytes]:
        """The ids of the blobs and trees that are named."""
        return list(filter(None, chain.from_iterable(map(self._entry.findall, tree.split(SEPARATOR)))))
