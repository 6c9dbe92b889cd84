"""Ways in which a text comes into a file: the version before, and the delta that makes the one that has it.

Each takes a text and what is before and behind it in the new version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from random import Random
from types import MappingProxyType
from typing import TypeAlias

from tests.deltas import Part

Version: TypeAlias = tuple[bytes, Sequence[Part]]
"""A file, and the parts of the delta that makes a new version of it."""
_GONE = b"".join(b"line %d of some text that goes away, x = compute(%d)\n" % (number, number) for number in range(8))


def _inserted(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    one, two = _cuts(rng, entry)
    parts: list[Part] = [(0, len(before)), entry[:one], entry[one:two], entry[two:], (len(before), len(behind))]
    return before + behind, parts


def _end_inserted(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    cut, _ = _cuts(rng, entry)
    at = len(before) + cut
    return before + entry[:cut] + behind, [(0, at), entry[cut:], (at, len(behind))]


def _beginning_inserted(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    cut, _ = _cuts(rng, entry)
    rest = len(entry) - cut + len(behind)
    return before + entry[cut:] + behind, [(0, len(before)), entry[:cut], (len(before), rest)]


def _swapped(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    """Its halves were the other way round, with text between."""
    cut, _ = _cuts(rng, entry)
    base = before + entry[cut:] + _GONE + entry[:cut] + behind
    first = len(before) + len(entry) - cut + len(_GONE)
    parts = [(0, len(before)), (first, cut), (len(before), len(entry) - cut), (first + cut, len(behind))]
    return base, parts


def _filling_removed(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    one, two = _cuts(rng, entry)
    filling = rng.choice([_GONE, b"x", b"/", b"\n", b"\0", b"A", b"=", "é".encode()])
    at, size = len(before), len(filling)
    base = before + entry[:one] + filling + entry[one:two] + filling + entry[two:] + behind
    rest = len(entry) - two + len(behind)
    return base, [(0, at + one), (at + one + size, two - one), (at + two + 2 * size, rest)]


def _cut_short(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    return before + entry + rng.choice([b"AbC/+", b"-x", b"\0" + behind, behind]), [(0, len(before) + len(entry))]


def _cut_in_front(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    surplus = rng.choice([b"AbC/+", b"-x", before])
    return surplus + entry + behind, [(len(surplus), len(entry) + len(behind))]


def _one_byte(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    at = rng.randrange(len(entry))
    other = bytes([entry[at] ^ rng.randrange(1, 256)])
    place = len(before) + at
    rest = len(entry) - at - 1 + len(behind)
    return before + entry[:at] + other + entry[at + 1 :] + behind, [(0, place), entry[at : at + 1], (place + 1, rest)]


def _other_name(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:  # noqa: ARG001 - like the others
    """Nothing spoke of the exchange."""
    parts: list[Part] = []
    done, base = 0, before + entry + behind
    lower = base.lower()
    at = lower.find(b"binance")
    while at >= 0:
        parts += [(done, at - done), base[at : at + 7]]
        done = at + 7
        at = lower.find(b"binance", done)
    without = bytearray(base)
    for start in _places(lower, b"binance"):
        without[start : start + 7] = b"company"
    return bytes(without), [*parts, (done, len(base) - done)]


def _places(data: bytes, word: bytes) -> Iterator[int]:
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + len(word))


def _some_lines(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    """Only some of the lines were there."""
    lines = entry.splitlines(keepends=True)
    held = [line for line in lines if rng.random() < 0.6]
    starts = [len(before)]
    for line in held:
        starts.append(starts[-1] + len(line))
    parts: list[Part] = [(0, len(before))]
    for tag, i, k, j, m in SequenceMatcher(None, held, lines, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append((starts[i], starts[k] - starts[i]))
        elif m > j:
            parts.append(b"".join(lines[j:m]))
    return before + b"".join(held) + behind, [*parts, (starts[-1], len(behind))]


def _became_binary(rng: Random, entry: bytes, before: bytes, behind: bytes) -> Version:
    base = before + entry + behind
    whole = (0, len(base))
    return base, rng.choice([[whole, b"\0"], [b"\0\n", whole]])


CHANGES: Mapping[str, Callable[[Random, bytes, bytes, bytes], Version]] = MappingProxyType(
    {
        "inserted": _inserted,
        "its end inserted": _end_inserted,
        "its beginning inserted": _beginning_inserted,
        "its halves brought together": _swapped,
        "text within it removed": _filling_removed,
        "the file cut short behind it": _cut_short,
        "the file cut short before it": _cut_in_front,
        "one byte changed": _one_byte,
        "the exchange named": _other_name,
        "lines inserted": _some_lines,
        "a zero far from it": _became_binary,
    }
)


def _cuts(rng: Random, entry: bytes) -> tuple[int, int]:
    one, two = sorted((rng.randint(0, len(entry)), rng.randint(0, len(entry))))
    return one, two
