"""Random packs, trees, commits and texts, in which many things are wrong, for the compiled module and for Python.

With the module built for AddressSanitizer and UndefinedBehaviorSanitizer:

    export CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined"
    export LDFLAGS="-fsanitize=address,undefined"
    python -c "from setuptools import setup; setup()" build_ext --inplace --force
    export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
    ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc python -m tests.fuzz --minutes 60 --target "native packs"
"""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import cast
from unittest.mock import patch

from binance_leaks.detect.engine import detect
from binance_leaks.detect.sieve import NO_TRAITS, CompiledSieve, best_sieve
from binance_leaks.sources.objects import walk
from binance_leaks.sources.objects.delta_forest import DeltaForest, ObjectType
from binance_leaks.sources.objects.pack import Pack
from binance_leaks.sources.objects.walk import ContextSizes, EntrySelection

from tests.corpus import fill, load
from tests.deltas import Part, delta_of, made_of
from tests.forged_packs import BLOB, OFS_DELTA, REF_DELTA, back, header
from tests.fuzz.alike import (
    ID_SIZE,
    KnownIds,
    PackInMemory,
    Record,
    SearchingRecord,
    laid_out,
    read_messages,
    read_trees,
    walk_blobs,
)

_SIZES = (0, 1, 15, 1 << 20, (8 << 20) + 1, 1 << 34, 1 << 62)
_WORDS = (
    b"line of text\n", b"x = 1\n", b"\0", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"a" * 70, b"0a" * 32,
    b"'" + b"Z1" * 32, b"binance", b"'Ab12' + 'Cd34'", b"secret", b"#!", b"version https://git-lfs",
    b"-----BEGIN PRIVATE KEY-----",
)  # fmt: skip


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


def _selection(rng: Random, forest: DeltaForest, base: array[int]) -> EntrySelection | None:
    if rng.random() < 0.6:
        return None
    wanted = bytearray(rng.randrange(2) for _ in base)
    return EntrySelection(
        wanted=wanted, needed=forest.with_bases((at for at, is_in in enumerate(wanted) if is_in), base)
    )


def try_pack(rng: Random) -> str:
    """Walk a pack twice; the name of what it was."""
    pack = cast("Pack", random_pack(rng, some_text))
    forest, base = laid_out(pack)
    around = ContextSizes(rng.randint(0, 40), rng.randint(0, 40)) if rng.random() < 0.7 else None
    selection = _selection(rng, forest, base)
    kind = rng.choice((Record, SearchingRecord))
    with patch.object(walk, "MOST_HELD", rng.choice((0, 100, 1000, 1 << 26))):
        walked = walk_blobs(pack, forest, lambda: kind(around), selection)
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


def try_trees(rng: Random) -> str:
    """Read the trees of a pack and others by both indexes; the name of what they were."""
    pack = cast("Pack", random_pack(rng, some_entries, ObjectType.TREE.value))
    forest, _ = laid_out(pack)
    known = KnownIds(rng.sample(_IDS, rng.randint(0, 24)))
    sought = rng.sample([*_IDS, *_OTHER_IDS], rng.choice((0, 1, 5, 30)))
    others = {bytes([number]): some_entries(rng) for number in range(rng.randint(0, 3))}
    found = read_trees(pack, forest, known, sought, others)
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
        body = [b" i" + rng.randbytes(32).hex().encode()[:63] for _ in range(3)]
        body += rng.sample([b" Version: x", b" ", b" =abcd", b" short", b" not base64", b" -----END", b"header x"], 2)
        body = body if rng.random() < 0.5 else body[:3]
        lines += [b"gpgsig -----BEGIN PGP SIGNATURE-----", *body, b" -----END PGP SIGNATURE-----"]
    if rng.random() < 0.2:
        lines += [b"mergetag object " + digits[1], b" type commit"]
    message = b"\n".join([*lines, b"", some_text(rng)])
    return message if rng.random() < 0.8 else _Versions(rng, some_message).mutated(message)


def try_messages(rng: Random) -> str:
    """Read the commits of a pack twice; the name of what they were."""
    pack = cast("Pack", random_pack(rng, some_message, ObjectType.COMMIT.value))
    forest, base = laid_out(pack)
    search = rng.choice((None, SearchingRecord.search))
    record = read_messages(pack, forest, _selection(rng, forest, base), search)
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


def fuzz(kind: str, seeds: range) -> Counter[str]:
    """Try an input for each seed; how many there were of what. Raises AssertionError for a seed that fails."""
    counts = Counter[str]()
    for seed in seeds:
        try:
            counts[KINDS[kind](Random(seed))] += 1
        except Exception as error:  # noqa: PERF203 - with the seed
            raise AssertionError(f"{kind}, seed {seed}: {error!r}") from error
    return counts
