r"""Mask values in text, also in pieces, in escapes, or with invisible characters in between.

The detector finds `"4f…" + "9a…"`, `\x34\x66…` and a secret with soft hyphens in it, and so does a reader of a report.
Here a text is its letters and digits alone, with escapes decoded: whatever separates pieces of a value, they are next
to each other. A known value in that is masked, and so is each stretch that looks random, from first to last piece.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.masking import find_runs, mask_secret_key

_VALUE_LENGTH = 64
_SHORTEST, _SHORTEST_IN_PROSE = 56, 40
"""Letters and digits that must look random: nearly a value, as base64 has others; and a short key's base64."""
_STEP = 4
_MOST_HASHED = 4096
_NONE: Mapping[str, str] = MappingProxyType({})

_UNIT = lazy_pattern(
    r"(?P<hex>(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]){64})(?![0-9A-Fa-f])"
    r"|[A-Za-z0-9]+"
    r"|\\[nrtbf]"
    r"|(?:\\x|%(?:25){0,3}|=(?=..=)|(?<==..)=)([0-9A-Fa-f]{2})"
    r"|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\u\{([0-9A-Fa-f]{1,6})\}|\\([0-7]{3})"
    r"|&(?:amp;){0,3}#[xX]([0-9A-Fa-f]{1,6});?|&(?:amp;){0,3}#([0-9]{1,7});?"
    r"|[\uff10-\uff5a\U0001d400-\U0001d7ff]"
)
_OPAQUE_RUN = lazy_pattern(r"[A-Za-z0-9+/=]{40,}")  # commit ids have no capitals
_CLASSES = (lazy_pattern(r"[a-z]"), lazy_pattern(r"[A-Z]"), lazy_pattern(r"[0-9]"))
_BASES = MappingProxyType({6: 8, 8: 10})
"""The base of the number in a group of `_UNIT`, where it is not 16."""
_WORD = lazy_pattern(r"[A-Z][a-z]+|[a-z]{2,}|[A-Z]{2,}|[0-9]+|[0-9a-f]{7,}|[0-9A-F]{7,}")
"""A word, number or digest. No half of a value is one."""
_NAME = lazy_pattern(
    r"(?![A-Za-z]\Z)[a-z]*(?:[A-Z]+[a-z]{2,}(?![a-z]))*(?:[A-Z]+(?![A-Za-z]))?[0-9]*|[0-9a-f]{7,}|[0-9A-F]{7,}"
)
_MOST_IN_NAMES = 0.5
"""Of the characters of what looks random, those in `sha256`, `FooBar` or `README2`: lists of such names have others."""
_CHANGE = lazy_pattern(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")
_FEWEST_CHANGES = 0.34
"""Of letters and digits behind one of another class, in what looks random: 0.62 ± 0.07 in a value, 0.3 in names."""
_FEWEST_CHANGES_OF_KNOWN = 8
_SHARES = (
    (lazy_pattern(r"(?<=[a-z])[a-z]"), 0.0, 0.4),
    (lazy_pattern(r"[g-zG-Z]"), 0.3, 1.0),
    (lazy_pattern(r"[0-9]"), 0.01, 0.4),
    (lazy_pattern(r"[A-Z]"), 0.12, 0.8),
)
"""Least and greatest shares in what looks random: words, hexadecimal digests and dates have others."""


def mask_values(text: str, masks: Mapping[str, str] = _NONE, *, prose: bool = False) -> str:
    """Mask values in text, known ones by their digest. In prose what may be a short key's base64 is masked, too."""
    if len(text) < _SHORTEST_IN_PROSE or text.isalpha():
        return text
    whole = (*find_runs(text), *(_opaque_runs(text) if prose else ()))
    spans = [(start, end, mask_secret_key(text[start : start + 4].encode())) for start, end in whole]
    folded = _Folded.of(text)
    changes = _starts(_CHANGE, folded.chars)
    if len(changes) >= _FEWEST_CHANGES_OF_KNOWN:
        spans += _known(folded, changes, masks) if masks else ()
        for shortest in (_SHORTEST, _SHORTEST_IN_PROSE) if prose else (_SHORTEST,):
            spans += _random(folded, changes, shortest)
    return _replaced(text, spans)


def _opaque_runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the span of each run that may be the base64 of a value or of a part of a key."""
    return (run.span() for run in _OPAQUE_RUN.finditer(text) if all(kind.search(run[0]) for kind in _CLASSES))


@dataclass(frozen=True, slots=True)
class _Folded:
    """The letters and digits of a text, and from where in it they are."""

    chars: str
    starts: Sequence[int]
    """Of each unit, a run of letters and digits or one escape: the index of its first character."""
    spans: Sequence[tuple[int, int]]
    """Of each unit, its span in the text."""
    pieces: Sequence[int]
    """Of each piece, units with nothing between them: the index of its first unit."""

    @classmethod
    def of(cls, text: str) -> _Folded:
        chars: list[str] = []
        starts: list[int] = []
        spans: list[tuple[int, int]] = []
        pieces: list[int] = []
        size = 0
        for unit in _UNIT.finditer(text):
            read = _read(unit.lastindex, unit[0], unit[unit.lastindex or 0])
            if read:
                if not spans or spans[-1][1] < unit.start():
                    pieces.append(len(spans))
                chars.append(read)
                starts.append(size)
                spans.append(unit.span())
                size += len(read)
        return cls("".join(chars), starts, spans, pieces)

    def units(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and the last unit of a range of characters."""
        return bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of a range of characters in the text."""
        first, last = self.units(start, end)
        begin, stop = self.spans[first][0], self.spans[last][1]
        if self._is_run(first):
            begin += start - self.starts[first]
        if self._is_run(last):
            stop -= self._end(last) - end
        return begin, stop

    def _is_run(self, unit: int) -> bool:
        begin, stop = self.spans[unit]
        return stop - begin == self._end(unit) - self.starts[unit]

    def _end(self, unit: int) -> int:
        return self.starts[unit + 1] if unit + 1 < len(self.starts) else len(self.chars)

    def is_word(self, piece: int, *, or_name: bool = False) -> bool:
        """Whether a piece is one run of letters and digits, and a word."""
        unit, end = self.pieces[piece], self.end_of(piece)
        is_run = self._end(unit) == end and self._is_run(unit)
        if not is_run:
            return False
        start = self.starts[unit]
        found = _NAME.fullmatch(self.chars, start, end) if or_name else _WORD.fullmatch(self.chars, start, end)
        return found is not None

    def start_of(self, piece: int) -> int:
        """Return where the characters of a piece start."""
        return self.starts[self.pieces[piece]]

    def end_of(self, piece: int) -> int:
        """Return where the characters of a piece end."""
        return self._end(self.pieces[piece + 1] - 1) if piece + 1 < len(self.pieces) else len(self.chars)

    def pieces_of(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and the last piece of a range of characters."""
        first, last = self.units(start, end)
        return bisect_right(self.pieces, first) - 1, bisect_right(self.pieces, last) - 1


def _read(group: int | None, unit: str, code: str) -> str:
    """Return the letters and digits of a unit, none if it is an escape of something else."""
    if group is None:
        return "" if unit[0] == "\\" else unit if unit.isascii() else unicodedata.normalize("NFKC", unit)
    if group == 1:
        return bytes.fromhex(code).decode("ascii")
    number = int(code, _BASES.get(group, 16))
    char = unicodedata.normalize("NFKC", chr(number)) if number <= 0x10FFFF else ""
    return char if char.isascii() and char.isalnum() else ""


def _starts(pattern: re.Pattern[str], chars: str) -> list[int]:
    return [found.start() for found in pattern.finditer(chars)]


def _known(folded: _Folded, changes: Sequence[int], masks: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    """Yield the span of each known value and its mask."""
    start, chars = 0, folded.chars
    while start <= len(chars) - _VALUE_LENGTH and len(chars) <= _MOST_HASHED:
        end = start + _VALUE_LENGTH
        if bisect_left(changes, end) - bisect_right(changes, start) >= _FEWEST_CHANGES_OF_KNOWN:
            shown = masks.get(sha256(chars[start:end].encode()).hexdigest())
            if shown is not None:
                yield (*folded.span(start, end), shown)
                start = end
                continue
        start += 1


def _random(folded: _Folded, changes: Sequence[int], shortest: int) -> Iterator[tuple[int, int, str]]:
    """Yield the span of each stretch that looks random, and its mask: whole pieces, less the words at both ends."""
    done = 0
    for start, end in _random_ranges(folded.chars, changes, shortest):
        first, last = folded.pieces_of(start, end)
        first, done = max(first, done), max(last + 1, done)
        while first <= last and folded.is_word(first):
            first += 1
        while first <= last and folded.is_word(last):
            last -= 1
        if first > last:
            continue
        start, end = folded.start_of(first), folded.end_of(last)
        names = (piece for piece in range(first, last + 1) if folded.is_word(piece, or_name=True))
        if sum(folded.end_of(piece) - folded.start_of(piece) for piece in names) <= _MOST_IN_NAMES * (end - start):
            yield (*folded.span(start, end), mask_secret_key(folded.chars[start : start + 4].encode()))


def _random_ranges(chars: str, changes: Sequence[int], shortest: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of characters in which all classes are mixed as in a random value."""
    counts: list[tuple[Sequence[int], float, float]] = [
        (_starts(pattern, chars), least * shortest, most * shortest) for pattern, least, most in _SHARES
    ]
    counts.append((changes, _FEWEST_CHANGES * shortest, shortest))
    begin = end = 0
    for start in (*range(0, len(chars) - shortest, _STEP), len(chars) - shortest):
        if start >= 0 and all(
            least <= bisect_left(found, start + shortest) - bisect_left(found, start) <= most
            for found, least, most in counts
        ):
            if end and start > end:
                yield begin, end
            begin, end = (begin if end and start <= end else start), start + shortest
    if end:
        yield begin, end


def _replaced(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return the text with masks in place of spans; of two that overlap, the first counts, and is extended."""
    parts: list[str] = []
    at = 0
    for start, end, shown in sorted(spans):
        if start >= at:
            parts += text[at:start], shown
        at = max(at, end)
    return "".join([*parts, text[at:]])
