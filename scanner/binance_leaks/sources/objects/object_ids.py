"""Which objects there are, held in eight bytes each."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from binance_leaks.sources.objects.delta_diff import SEPARATOR
from binance_leaks.sources.objects.pack import Pack


class ObjectIdSet:
    """The objects of some packs and some others, by the first 64 bits of their ids: a stranger is told from them but
    for one in 2^40."""

    def __init__(self, packs: Sequence[Pack], others: Iterable[bytes]) -> None:
        self._tables = [table for pack in packs if (table := pack.id_starts())]
        loose = array("Q", sorted(int.from_bytes(name[:8], "big") for name in others))
        if loose:
            self._tables.append(loose)

    def starts(self) -> Iterator[int]:
        """The first 64 bits of all ids."""
        return chain.from_iterable(self._tables)

    def __contains__(self, name: bytes) -> bool:
        return not self.strangers([name])

    def strangers(self, names: Iterable[bytes]) -> list[bytes]:
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
    """Reads the objects off trees or parts of trees. Commits of submodules are none."""

    def __init__(self, id_size: int) -> None:
        self._entry = re.compile(rb"(?:100\d{3}|120000|40000) [^\0]+\0(.{%d})" % id_size, re.DOTALL)

    def of(self, tree: bytes) -> list[bytes]:
        """The ids of the blobs and trees that are named."""
        if SEPARATOR not in tree:
            return self._entry.findall(tree)
        return [name for place in tree.split(SEPARATOR) for name in self._entry.findall(place)]
