"""Mutated packs, trees and texts through the compiled module and through Python side by side: both must answer alike.

A short run is a test. A long one, with the module built for AddressSanitizer and UndefinedBehaviorSanitizer:

    export CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined"
    export LDFLAGS="-fsanitize=address,undefined"
    python -c "from setuptools import setup; setup()" build_ext --inplace --force
    export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
    ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc python -m tests.fuzz_native --seconds 3600
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from random import Random
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

from binance_leaks.detect.engine import detect
from binance_leaks.detect.first_test import must_look, new_search
from binance_leaks.detect.sieve import NO_TRAITS, CompiledSieve, best_sieve
from binance_leaks.native import compiled
from binance_leaks.sources.objects import delta_forest, walk
from binance_leaks.sources.objects.codec import plain_codec
from binance_leaks.sources.objects.delta_forest import DeltaForest, ObjectType, build_delta_forest
from binance_leaks.sources.objects.pack import Pack
from binance_leaks.sources.objects.parse import CommitNode
from binance_leaks.sources.objects.tree_index import ObjectIdSet, PlainTreeIndex, open_tree_index
from binance_leaks.sources.objects.walk import (
    SEPARATOR,
    ContextSizes,
    EntrySelection,
    walk_delta_trees,
    walk_messages,
    walk_plainly,
)
from binance_leaks.sources.plumbing import strip_signature

from tests.corpus import fill, load
from tests.deltas import Part, delta_of, made_of
from tests.forged_packs import BLOB, OFS_DELTA, REF_DELTA, back, header

if TYPE_CHECKING:
    from binance_leaks import _native

ID_SIZE = 20
_SIZES = (0, 1, 15, 1 << 20, (8 << 20) + 1, 1 << 34, 1 << 62)
_WORDS = (
    b"line of text\n", b"x = 1\n", b"\0", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"a" * 70, b"0a" * 32,
    b"'" + b"Z1" * 32, b"binance", b"'Ab12' + 'Cd34'", b"secret", b"#!", b"version https://git-lfs",
    b"-----BEGIN PRIVATE KEY-----",
)  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class _Versions:
    """Makes contents and deltas between them, of which some are corrupt."""

    rng: Random
    fresh: Callable[[Random], bytes]

    def delta(self, base: bytes) -> tuple[bytes, bytes]:
        """A delta, and what it makes if it is sound."""
        rng, parts = self.rng, list[Part]()
        for _ in range(rng.randint(0, 6)):
            if rng.random() < 0.6 and base:
                start = sum(parts[-1]) if parts and isinstance(parts[-1], tuple) else rng.randint(0, len(base))
                start = min(start, len(base)) if rng.random() < 0.5 else rng.randint(0, len(base))
                parts.append((start, rng.randint(0, len(base) - start)))
            else:
                parts.append(self.fresh(rng))
        delta = delta_of(base, parts, short=rng.random() < 0.8)
        return (self.mutated(delta) if rng.random() < 0.2 else delta), made_of(base, parts)

    def mutated(self, data: bytes) -> bytes:
        """Some bytes with a few changed, cut or added."""
        rng, changed = self.rng, bytearray(data)
        for _ in range(rng.randint(1, 3)):
            at = rng.randint(0, len(changed))
            match rng.randrange(4):
                case 0:
                    changed[at : at + 1] = rng.randbytes(1)
                case 1:
                    del changed[at : at + rng.randint(1, 4)]
                case 2:
                    changed[at:at] = rng.choice([b"\xff", b"\x80", b"\0", rng.randbytes(3)])
                case _:
                    del changed[at:]
        return bytes(changed)


def some_text(rng: Random) -> bytes:
    """A few words, or none."""
    return b"".join(rng.choice(_WORDS) for _ in range(rng.randint(0, 8)))


def random_pack(rng: Random, fresh: Callable[[Random], bytes], kind: int = BLOB) -> PackInMemory:
    """A pack of some delta trees, in which many things are wrong."""
    versions = _Versions(rng, fresh)
    entries: list[bytes] = []
    contents: list[bytes] = []
    ids = [rng.randbytes(ID_SIZE) for _ in range(rng.randint(1, 14))]
    begins = [0]
    for _ in ids:
        if not entries or rng.random() < 0.25:
            content = fresh(rng)
            lead, data, made = header(kind, _claimed(rng, content)), content, content
        else:
            base = rng.randrange(len(entries))
            data, made = versions.delta(contents[base])
            if rng.random() < 0.8:
                lead = header(OFS_DELTA, _claimed(rng, data)) + back(begins[-1] - begins[base])
            else:
                lead = header(REF_DELTA, _claimed(rng, data)) + ids[base]
        raw = lead + zlib.compress(data, 1)
        raw = versions.mutated(raw) or b"\0" if rng.random() < 0.04 else raw
        entries.append(raw)
        contents.append(made)
        begins.append(begins[-1] + len(raw))
    return PackInMemory(entries, ids)


def _claimed(rng: Random, data: bytes) -> int:
    return rng.choice(_SIZES) if rng.random() < 0.03 else len(data)


class _Record:
    """A visitor that remembers what it is shown, and passes on what depends on it."""

    search: _native.Search | None = None

    def __init__(self, around: ContextSizes | None) -> None:
        self.around = around
        self.seen: list[tuple[int, bytes, bytes, int, int | None]] = []

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:
        self.seen.append((entry, bytes(content), bytes(fresh), inherited, seen))
        return zlib.crc32(fresh, inherited) & 0xFFFF


class _SearchingRecord(_Record):
    """The same with the first test, which it makes itself if the walk does not."""

    search = None if compiled is None else new_search()

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:
        if seen is None and self.search is not None:
            seen = reduce(or_, map(self.search.traits, fresh.split(SEPARATOR)), 0)
            if compiled is not None and not must_look(inherited, seen) and not compiled.may_be_container(content):
                return inherited | seen
        return super().visit(entry, content, fresh, inherited, seen)


def _selection(rng: Random, forest: DeltaForest, base: array[int]) -> EntrySelection | None:
    if rng.random() < 0.6:
        return None
    wanted = bytearray(rng.randrange(2) for _ in base)
    return EntrySelection(
        wanted=wanted, needed=forest.with_bases((at for at, is_in in enumerate(wanted) if is_in), base)
    )


def laid_out(pack: Pack) -> tuple[DeltaForest, array[int]]:
    """The forest of a pack, built twice."""
    forest, base = build_delta_forest(pack)
    with patch.object(delta_forest, "compiled", None):
        plain = build_delta_forest(pack)
    if (forest, base) != plain:
        raise AssertionError(f"{forest} is not {plain[0]}, or {base} not {plain[1]}")
    return plain


def try_pack(rng: Random) -> str:
    """Walk a pack twice; the name of what it was."""
    pack = cast("Pack", random_pack(rng, some_text))
    forest, base = laid_out(pack)
    around = ContextSizes(rng.randint(0, 40), rng.randint(0, 40)) if rng.random() < 0.7 else None
    selection = _selection(rng, forest, base)
    kind = rng.choice((_Record, _SearchingRecord))
    results = []
    with patch.object(walk, "MOST_HELD", rng.choice((0, 100, 1000, 1 << 26))):
        for function in (walk_delta_trees, walk_plainly):
            record = kind(around)
            walked = function(pack, forest, forest.roots[ObjectType.BLOB], record, plain_codec(), selection)
            results.append((record.seen, walked))
    if results[0] != results[1]:
        raise AssertionError(f"{results[0]} is not {results[1]}")
    walked = results[0][1]
    return "forged" if walked.forged else "left" if walked.left else "whole"


def some_entries(rng: Random) -> bytes:
    """A few entries of a tree, most of them sound."""
    entries = b""
    for _ in range(rng.randint(0, 6)):
        mode = rng.choice((b"100644", b"40000", b"40000", b"120000", b"160000", b"040000", b"100755", b"7", b""))
        name = rng.choice((b"a", b"b.py", b"folder", b"", b"x" * 63))
        if rng.random() < 0.03:
            name = rng.choice((b"x" * 64, b"-" + b"Y7" * 40, b"-".join([b"z" * 63] * 4)))
        entries += mode + b" " + name + b"\0" + rng.choice(_IDS if rng.random() < 0.9 else _OTHER_IDS)
    return entries if rng.random() < 0.95 else _Versions(rng, some_entries).mutated(entries)


_IDS = [bytes([number % 4]) * 8 + bytes([number]) * (ID_SIZE - 8) for number in range(24)]
_OTHER_IDS = [bytes([number % 4]) * 7 + bytes([number + 9]) * (ID_SIZE - 7) for number in range(24)]


class _KnownIds(ObjectIdSet):
    def __init__(self, names: Iterable[bytes]) -> None:
        super().__init__([], names)


def try_trees(rng: Random) -> str:
    """Read the trees of a pack and others by both indexes; the name of what they were."""
    pack = cast("Pack", random_pack(rng, some_entries, ObjectType.TREE.value))
    forest, _ = laid_out(pack)
    roots = forest.roots[ObjectType.TREE]
    known = _KnownIds(rng.sample(_IDS, rng.randint(0, 24)))
    sought = rng.sample([*_IDS, *_OTHER_IDS], rng.choice((0, 1, 5, 30)))
    others = {bytes([number]): some_entries(rng) for number in range(rng.randint(0, 3))}
    results = []
    for index in (PlainTreeIndex(ID_SIZE, known, sought), open_tree_index(ID_SIZE, known, sought)):
        walked = index.read_share(3, pack, forest, roots, plain_codec())
        for name, tree in others.items():
            index.read(name, tree)
        results.append((walked, index.take(), index.above(sought), index.above([]), index.take()))
    if results[0] != results[1]:
        raise AssertionError(f"{results[0]} is not {results[1]}")
    found = results[0][1]
    return "names" if found.suspicious else "links" if found.links else "missing" if found.missing else "nothing"


def some_message(rng: Random) -> bytes:
    """A commit or tag, most of them sound."""
    digits = [rng.choice(_IDS).hex().encode() for _ in range(3)]
    lines = [b"tree " + digits[0] if rng.random() < 0.9 else b"object " + digits[0]]
    lines += [b"parent " + each for each in digits[: rng.randrange(3)]]
    if rng.random() < 0.9:
        who = rng.choice((b"A <a@b.c> ", b"A < > b> ", b"", b" "))
        zone = rng.choice((b" +0000", b" -1130", b"", b" ", b" +0000 "))
        lines.append(b"committer " + who + rng.choice((b"1700000000", b"-5", b"", b"9" * 30, b"-", b"1_0")) + zone)
    if rng.random() < 0.3:
        lines += [b"gpgsig -----BEGIN PGP SIGNATURE-----", b" " + rng.randbytes(40).hex().encode(), b" -----END"]
    if rng.random() < 0.2:
        lines += [b"mergetag object " + digits[1], b" type commit"]
    message = b"\n".join([*lines, b"", some_text(rng)])
    return message if rng.random() < 0.8 else _Versions(rng, some_message).mutated(message)


class _MessageRecord:
    def __init__(self, search: _native.Search | None) -> None:
        self.search = search
        self.nodes: list[tuple[int, CommitNode]] = []
        self.messages: list[tuple[int, bytes]] = []

    def add_node(self, entry: int, node: CommitNode) -> None:
        self.nodes.append((entry, node))

    def visit_message(self, entry: int, content: bytes) -> None:
        self.messages.append((entry, content))


def try_messages(rng: Random) -> str:
    """Read the commits of a pack twice; the name of what they were."""
    pack = cast("Pack", random_pack(rng, some_message, ObjectType.COMMIT.value))
    forest, base = laid_out(pack)
    roots, selection = forest.roots[ObjectType.COMMIT], _selection(rng, forest, base)
    search = rng.choice((None, _SearchingRecord.search))
    record, plain = _MessageRecord(search), _MessageRecord(search)
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
    return "nodes" if record.nodes else "messages" if record.messages else "nothing"


@cache
def _corpus() -> list[bytes]:
    return [fill(case, 1).data for case in load()]


def try_text(rng: Random) -> str:
    """Test a mutated text of the corpus: what it was. What the detector finds must be suspected."""
    text = rng.choice(_corpus())
    cuts = rng.choice((0, 1, 1, 2, 4))
    for _ in range(cuts):
        at, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        other = rng.choice(_corpus())[: rng.randrange(400)]
        piece = rng.choice((b"", b"\0", b"\n", b'" + "', b" ", text[at:end] * 2, other))
        text = text[:at] + piece + text[rng.choice((at, min(at + 3, len(text)), end)) :]
    sieve = best_sieve()
    for look in (
        (sieve.search.runs, sieve.search.pieces, sieve.search.chains) if isinstance(sieve, CompiledSieve) else ()
    ):
        look(text)
    suspected = sieve.suspects(text, sieve.traits(text, text, NO_TRAITS))
    if not suspected and detect(text):
        raise AssertionError(f"nothing is suspected in {text!r}")
    return "nothing" if not suspected else "suspected" if cuts else "whole"


KINDS: Mapping[str, Callable[[Random], str]] = {
    "packs": try_pack,
    "trees": try_trees,
    "messages": try_messages,
    "texts": try_text,
}


def fuzz(kind: str, seeds: Iterator[int] | range) -> Counter[str]:
    """Try an input for each seed; how many there were of what. Raises AssertionError for a seed that fails."""
    counts = Counter[str]()
    for seed in seeds:
        try:
            counts[KINDS[kind](Random(seed))] += 1
        except Exception as error:  # noqa: PERF203 - with the seed
            raise AssertionError(f"{kind}, seed {seed}: {error!r}") from error
    return counts


def main() -> int:
    """Fuzz for some time, and print how much."""
    parser = argparse.ArgumentParser(description="Compares the compiled module with Python on mutated inputs.")
    parser.add_argument("--seconds", type=float, default=60, help="for each kind (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: %(default)s)")
    parser.add_argument("kinds", nargs="*", help=f"{', '.join(KINDS)} (default: all)")
    options = parser.parse_args()
    if compiled is None:
        sys.stderr.write("error: the compiled module is not there\n")
        return 1
    for kind in options.kinds or KINDS:
        end = time.monotonic() + options.seconds
        counts = fuzz(kind, _until(options.first, end))
        sys.stdout.write(f"{kind}: {sum(counts.values()):,} alike {dict(counts)}\n")
    return 0


def _until(first: int, end: float) -> Iterator[int]:
    while time.monotonic() < end:
        yield first
        first += 1


if __name__ == "__main__":
    sys.exit(main())
