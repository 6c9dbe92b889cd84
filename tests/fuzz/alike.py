"""Reads packs, trees and commits by the compiled module and by Python: raises AssertionError where they differ."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING
from unittest.mock import patch

from binance_leaks.detect.first_test import must_look, new_search
from binance_leaks.detect.signatures import strip_signature
from binance_leaks.native import compiled
from binance_leaks.sources.objects import delta_forest, walk
from binance_leaks.sources.objects.codec import plain_codec
from binance_leaks.sources.objects.delta_forest import DeltaForest, ObjectType, build_delta_forest
from binance_leaks.sources.objects.pack import Pack
from binance_leaks.sources.objects.parse import CommitNode
from binance_leaks.sources.objects.tree_index import ObjectIdSet, PlainTreeIndex, TreeFindings, open_tree_index
from binance_leaks.sources.objects.walk import (
    SEPARATOR,
    ContextSizes,
    EntrySelection,
    WalkResult,
    walk_delta_trees,
    walk_messages,
    walk_plainly,
)

if TYPE_CHECKING:
    from binance_leaks import _native

ID_SIZE = 20


class PackInMemory:
    """What walks need of a `Pack`, without files."""

    def __init__(self, entries: list[bytes], ids: list[bytes]) -> None:
        self.id_size = ID_SIZE
        self.count = len(entries)
        self.offsets = array("Q", [12])
        for raw in entries:
            self.offsets.append(self.offsets[-1] + len(raw))
        self.data = b"PACK" + bytes(8) + b"".join(entries) + bytes(ID_SIZE)
        self._entries = {name: entry for entry, name in enumerate(ids)}

    def entry_of(self, name: bytes) -> int | None:
        """The entry with an id."""
        return self._entries.get(name)


class Record:
    """A visitor that remembers what it is shown, and passes on what depends on it."""

    search: _native.Search | None = None

    def __init__(self, around: ContextSizes | None) -> None:
        self.around = around
        self.seen: list[tuple[int, bytes, bytes, int, int | None]] = []

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:
        self.seen.append((entry, bytes(content), bytes(fresh), inherited, seen))
        return zlib.crc32(fresh, inherited) & 0xFFFF


class SearchingRecord(Record):
    """The same with the first test, which it makes itself if the walk does not."""

    search = None if compiled is None else new_search()

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:
        if seen is None and self.search is not None:
            seen = reduce(or_, map(self.search.traits, fresh.split(SEPARATOR)), 0)
            if compiled is not None and not must_look(inherited, seen) and not compiled.may_be_container(content):
                return inherited | seen
        return super().visit(entry, content, fresh, inherited, seen)


def laid_out(pack: Pack) -> tuple[DeltaForest, array[int]]:
    """The forest of a pack, built twice."""
    forest, base = build_delta_forest(pack)
    with patch.object(delta_forest, "compiled", None):
        plain = build_delta_forest(pack)
    if (forest, base) != plain:
        raise AssertionError(f"{forest} is not {plain[0]}, or {base} not {plain[1]}")
    return plain


def walk_blobs(
    pack: Pack, forest: DeltaForest, make_record: Callable[[], Record], selection: EntrySelection | None = None
) -> WalkResult:
    """Walk the blobs of a pack twice."""
    results = []
    for function in (walk_delta_trees, walk_plainly):
        record = make_record()
        walked = function(pack, forest, forest.roots[ObjectType.BLOB], record, plain_codec(), selection)
        results.append((record.seen, walked))
    if results[0] != results[1]:
        raise AssertionError(f"{results[0]} is not {results[1]}")
    return results[0][1]


class KnownIds(ObjectIdSet):
    """A set of ids that are in no pack."""

    def __init__(self, names: Iterable[bytes]) -> None:
        super().__init__([], names)


def read_trees(
    pack: Pack, forest: DeltaForest, known: ObjectIdSet, sought: Sequence[bytes], others: Mapping[bytes, bytes]
) -> TreeFindings:
    """Read the trees of a pack, and others by name, into both indexes."""
    results = []
    for index in (PlainTreeIndex(ID_SIZE, known, sought), open_tree_index(ID_SIZE, known, sought)):
        walked = index.read_share(3, pack, forest, forest.roots[ObjectType.TREE], plain_codec())
        for name, tree in others.items():
            index.read(name, tree)
        results.append((walked, index.take(), index.above(sought), index.above([]), index.take()))
    if results[0] != results[1]:
        raise AssertionError(f"{results[0]} is not {results[1]}")
    return results[0][1]


class MessageRecord:
    """A visitor that remembers the commits, tags and messages that it is shown."""

    def __init__(self, search: _native.Search | None) -> None:
        self.search = search
        self.nodes: list[tuple[int, CommitNode]] = []
        self.messages: list[tuple[int, bytes]] = []

    def add_node(self, entry: int, node: CommitNode) -> None:
        self.nodes.append((entry, node))

    def visit_message(self, entry: int, content: bytes) -> None:
        self.messages.append((entry, content))


def read_messages(
    pack: Pack, forest: DeltaForest, selection: EntrySelection | None, search: _native.Search | None
) -> MessageRecord:
    """Read the commits of a pack twice."""
    record, plain = MessageRecord(search), MessageRecord(search)
    roots = forest.roots[ObjectType.COMMIT]
    walked = walk_messages(pack, forest, roots, record, plain_codec(), selection)
    with patch.object(walk, "compiled", None):
        plainly_walked = walk_messages(pack, forest, roots, plain, plain_codec(), selection)
    if search is not None:
        plain.messages = [
            (entry, content)
            for entry, content in plain.messages
            if must_look(0, search.traits(strip_signature(content)))
        ]
    if (walked, record.nodes, record.messages) != (plainly_walked, plain.nodes, plain.messages):
        raise AssertionError(f"{record.__dict__}, {walked} is not {plain.__dict__}, {plainly_walked}")
    return record
