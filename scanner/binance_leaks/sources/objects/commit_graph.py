"""The graph of commits, in some hundred bytes for each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from binance_leaks.sources.objects.parse import CommitNode

_UNKNOWN = 0xFFFFFFFF


class _Resolved(NamedTuple):
    """Commits by the first 64 bits of their ids, and their parents by number."""

    starts: array[int]
    numbers: array[int]
    parents: array[int]


class CommitGraph:
    """Commits with trees, parents and times, by number in the order in which they were added.

    First `add` all, then ask. A commit that is added twice counts once, with the first of its numbers.
    """

    def __init__(self, id_size: int) -> None:
        self._id_size = id_size
        self._ids = bytearray()
        self._trees = bytearray()
        self._times = array("q")
        self._parent_ids = bytearray()
        self._ends = array("Q", [0])  # of the parents of each, by count

    def add(self, name: bytes, node: CommitNode) -> None:
        """Add a commit with an id."""
        self._ids += name
        self._trees += node.tree
        self._times.append(node.time)
        for parent in node.parents:
            self._parent_ids += parent
        self._ends.append(self._ends[-1] + len(node.parents))

    def __len__(self) -> int:
        """One more than the greatest number."""
        return len(self._times)

    def numbers(self) -> Iterator[int]:
        """The numbers of all commits, ascending."""
        return iter(sorted(self._resolved.numbers))

    def number_of(self, name: bytes | None) -> int | None:
        """The number of the commit with an id, None if there is none."""
        return None if name is None else self._found(name, *self._resolved[:2])

    def id_of(self, number: int) -> bytes:
        """The id of a commit."""
        return self._id_at(self._ids, number)

    def tree_of(self, number: int) -> bytes:
        """The id of its tree."""
        return self._id_at(self._trees, number)

    def time_of(self, number: int) -> int:
        """The committer's time, in seconds since 1970, 0 where it cannot be read."""
        return self._times[number]

    def parents_of(self, number: int) -> array[int]:
        """The numbers of those parents that are in the graph."""
        parents = self._resolved.parents[self._ends[number] : self._ends[number + 1]]
        return array("I", [parent for parent in parents if parent != _UNKNOWN]) if _UNKNOWN in parents else parents

    def trees(self) -> Iterator[bytes]:
        """The ids of the trees of all commits."""
        return map(self.tree_of, range(len(self)))

    def unknown_parents(self) -> Iterator[tuple[bytes, bytes]]:
        """The ids of commits, with those of parents that are not in the graph."""
        parents = self._resolved.parents
        if _UNKNOWN not in parents:
            return
        for number in range(len(self)):
            for at in range(self._ends[number], self._ends[number + 1]):
                if parents[at] == _UNKNOWN:
                    yield self.id_of(number), self._id_at(self._parent_ids, at)

    def parents_first(self) -> array[int]:
        """The numbers of all commits, each after those of its parents."""
        waiting = array("I", bytes(4 * len(self)))
        children_end = array("Q", bytes(8 * (len(self) + 1)))
        numbers = sorted(self._resolved.numbers)
        for number in numbers:
            for parent in self.parents_of(number):
                waiting[number] += 1
                children_end[parent] += 1
        for number in range(len(self)):
            children_end[number + 1] += children_end[number]
        children = array("I", bytes(4 * children_end[-1]))
        for number in numbers:
            for parent in self.parents_of(number):
                children_end[parent] -= 1  # in the end it is where they begin
                children[children_end[parent]] = number
        order = array("I")
        ready = [number for number in reversed(numbers) if not waiting[number]]
        while ready:
            number = ready.pop()
            order.append(number)
            for child in children[children_end[number] : children_end[number + 1]]:
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        if len(order) < len(numbers):  # no commit is its own ancestor, but a forged index may claim it
            order.extend(number for number in numbers if waiting[number])
        return order

    @cached_property
    def _resolved(self) -> _Resolved:
        starts = array("Q", self._first_bits(self._ids))
        numbers = sorted(range(len(self)), key=starts.__getitem__)
        known_starts, known = array("Q"), array("I")
        for number in numbers:
            if self._found(self.id_of(number), known_starts, known) is None:
                known_starts.append(starts[number])
                known.append(number)
        parents = array("I")
        for at in range(self._ends[-1]):
            parent = self._found(self._id_at(self._parent_ids, at), known_starts, known)
            parents.append(_UNKNOWN if parent is None else parent)
        return _Resolved(known_starts, known, parents)

    def _found(self, name: bytes, starts: array[int], numbers: array[int]) -> int | None:
        start = int.from_bytes(name[:8], "big")
        at = bisect_left(starts, start)
        while at < len(starts) and starts[at] == start:
            if self.id_of(numbers[at]) == name:
                return numbers[at]
            at += 1
        return None

    def _first_bits(self, ids: bytearray) -> Iterator[int]:
        return (int.from_bytes(ids[at : at + 8], "big") for at in range(0, len(ids), self._id_size))

    def _id_at(self, ids: bytearray, number: int) -> bytes:
        return bytes(ids[number * self._id_size : (number + 1) * self._id_size])
