"""Decide which of Binance's systems a credential belongs to, from its surroundings.

The prudent answer is the main exchange: a test key taken for a real one costs a look, the reverse costs an account. So
near the value a word is enough (`live`, `testnet`), farther off it takes a host name or a setting, and hints that
contradict each other count as none.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from binance_leaks.detect.candidates import Candidate, Shape
from binance_leaks.detect.document import Document
from binance_leaks.detect.nearby_names import NearbyName
from binance_leaks.detect.outline import Outline
from binance_leaks.environments import Environment, Hint
from binance_leaks.model import Evidence

_Hint = tuple[int, int, int, Environment]
"""Start and end of a match, its place in the order of patterns, what it names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """A compiled hint of an environment: what it begins with is searched for, the expression is tried there."""

    environment: Environment
    starts: tuple[str, ...]
    expression: re.Pattern[str]


def _compile(hints: Iterable[tuple[Environment, Hint | None]]) -> tuple[Pattern, ...]:
    return tuple(
        Pattern(
            environment=environment,
            starts=tuple(hint.starts.split()),
            expression=re.compile(hint.pattern, re.VERBOSE),
        )
        for environment, hint in hints
        if hint is not None
    )


_OFF = re.compile(r"""["'\])\s]*(?:[:=]|=>|:=|\()+\s*["']?(?:false|0|no|off|none|null|nil|disabled)\b""", re.IGNORECASE)
# Of two hints at one distance the first wins: the special system ("testnet futures") comes before the general one.
_SPECIAL_FIRST = tuple(reversed(Environment))
_STATED = _compile((environment, environment.facts.stated) for environment in _SPECIAL_FIRST)
NAMED = _STATED + _compile((environment, environment.facts.named) for environment in _SPECIAL_FIRST)
_BY_WORD = {word: environment for environment in Environment for word in environment.facts.name_words}
_BY_SHAPE: Mapping[Shape | None, Environment] = {
    Shape(alphabet): each for each in Environment if (alphabet := each.facts.alphabet) is not None
}
_BLOCK = 10
_REACH = 3000
_LARGEST_WHOLE = 1 << 20
_LARGEST_UNANIMOUS = 1 << 16
_FEW = 60


class WholeFile:
    """The hints of a file: looked for where they are asked for, and all at once in a file of many values."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self._document = outline.document
        self._asked = 0

    @cached_property
    def environment(self) -> Environment | None:
        """What all statements of the file agree on, else what its path names."""
        return _unanimous(self._text[:_LARGEST_UNANIMOUS]) or hinted(self._document.path)

    @cached_property
    def _text(self) -> str:
        return small(self._document.words)

    @cached_property
    def _hints(self) -> list[_Hint]:
        return sorted(found_in(self._text, NAMED), key=lambda hint: hint[:3])

    def nearest(self, start: int, end: int, at: int, *, stated: bool) -> Environment | None:
        """The hint nearest to offset `at` in `text[start:end]`; `stated` leaves out what is no more than a word."""
        self._asked += 1
        if self._asked <= _FEW or len(self._document.text) > _LARGEST_WHOLE:
            found = found_in(self._text[start:end], _STATED if stated else NAMED)
            hints = [(first + start, last + start, order, hint) for first, last, order, hint in found]
        else:
            first = bisect_left(self._hints, start, key=_start)
            hints = self._hints[first : bisect_left(self._hints, end, first, key=_start)]
        return _best((hint for hint in hints if hint[1] <= end and not (stated and hint[2] >= len(_STATED))), at)


def environment_of(
    candidate: Candidate, nearby: NearbyName | None, evidence: Sequence[Evidence], whole: WholeFile
) -> Environment:
    """The nearest hint: the value's own name, its line, its parents, its paragraph, its block, the file, the path."""
    by_shape = _BY_SHAPE.get(candidate.shape)
    if by_shape is not None:
        return by_shape
    near = _by_name(nearby) or _near(candidate, whole)
    if near is not None:
        return near
    return whole.environment or (Environment.MAINNET if evidence else Environment.UNKNOWN)


def hinted(text: str) -> Environment | None:
    """The environment that a short text, such as a path, names."""
    return _best(found_in(small(text), NAMED), len(text))


def _by_name(nearby: NearbyName | None) -> Environment | None:
    if nearby is None:
        return None
    named = hinted(" ".join(nearby.name.words)) or hinted(nearby.name.text)
    return named or next((_BY_WORD[word] for word in nearby.name.words if word in _BY_WORD), None)


def _near(candidate: Candidate, whole: WholeFile) -> Environment | None:
    document = whole.outline.document
    index = document.line_index(candidate.start)
    start, end = document.line_span(index)
    at = candidate.start
    line = whole.nearest(max(start, at - 300), min(end, candidate.end + 200), at, stated=False)
    if line is not None:
        return line
    for span in whole.outline.enclosing_lines(index):
        end = min(span[1], span[0] + 300)
        named = whole.nearest(span[0], end, end, stated=False)
        if named is not None:
            return named
    block = (max(0, index - _BLOCK), index + _BLOCK)
    for (first, last), stated in ((_paragraph(document, index), False), (block, True)):
        start = max(document.line_span(first)[0], at - _REACH)
        end = min(document.line_span(min(last, len(document.line_starts) - 1))[1], candidate.end + _REACH)
        named = whole.nearest(start, end, at, stated=stated)
        if named is not None:
            return named
    return None


def _paragraph(document: Document, index: int) -> tuple[int, int]:
    """First and last line of the run of lines without a blank one between, 12 lines each way at most."""
    first = last = index
    while first > max(0, index - 12) and document.line(first - 1).strip():
        first -= 1
    while last < min(len(document.line_starts) - 1, index + 12) and document.line(last + 1).strip():
        last += 1
    return first, last


def _start(hint: _Hint) -> int:
    return hint[0]


def small(text: str) -> str:
    """The text in small letters, each at the place where it was."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(char.lower() if char.isascii() else char for char in text)


def found_in(text: str, hints: Sequence[Pattern]) -> Iterator[_Hint]:
    """The hints in a text in small letters. Each pattern is tried only where it can begin, which takes a tenth."""
    places: dict[str, list[int]] = {}
    for order, hint in enumerate(hints):
        for word in hint.starts:
            if word not in places:
                places[word] = _places(text, word)
        end = 0
        for at in sorted(chain.from_iterable(places[word] for word in hint.starts)):
            match = hint.expression.match(text, at) if at >= end else None
            if match is not None:
                end = match.end()
                yield at, end, order, _unless_off(hint.environment, text, match)


def _places(text: str, word: str) -> list[int]:
    found = []
    at = text.find(word)
    while at >= 0:
        found.append(at)
        at = text.find(word, at + 1)
    return found


def _best(hints: Iterable[_Hint], at: int) -> Environment | None:
    """The hint nearest to offset `at`; what stands before counts as nearer than what follows."""
    best: tuple[float, int, Environment] | None = None
    for start, end, order, environment in hints:
        distance = float(at - end) if start <= at else (start - at) * 1.5 + 64
        if best is None or (distance, order) < best[:2]:
            best = (distance, order, environment)
    return best[2] if best else None


def _unless_off(environment: Environment, text: str, match: re.Match[str]) -> Environment:
    """`TESTNET=false` means the main exchange."""
    off = environment.facts.can_be_off and _OFF.match(text, match.end())
    return Environment.MAINNET if off else environment


def _unanimous(text: str) -> Environment | None:
    """What all statements of the file agree on."""
    named = {environment for _, _, _, environment in found_in(text, _STATED)}
    return named.pop() if len(named) == 1 else None
