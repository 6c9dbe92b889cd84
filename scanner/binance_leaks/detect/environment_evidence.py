"""Decide which of Binance's systems a credential belongs to, from its surroundings.

The prudent answer is the main exchange: a test key taken for a real one costs a look, the reverse costs an account. So
near the value a word is enough (`live`, `testnet`), farther off it takes a host name or a setting, and hints that
contradict each other count as none.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import chain, groupby

from binance_leaks.detect.candidates import Candidate, Shape
from binance_leaks.detect.names import REMEMBERED, Strength, read_name
from binance_leaks.detect.nearby_names import NearbyName
from binance_leaks.detect.outline import Outline
from binance_leaks.detect.records import enclosing_item
from binance_leaks.detect.word_search import WordSearch
from binance_leaks.environments import Environment, Hint
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import innermost_member

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
            expression=lazy_pattern(hint.pattern, re.VERBOSE),
        )
        for environment, hint in hints
        if hint is not None
    )


_OFF = lazy_pattern(
    r"""["'\])\s]{0,40}(?:=>?|[:(]){1,4}\s{0,40}["']?(?:false|0|no|off|none|null|nil|disabled)\b""", re.IGNORECASE
)
_NOT = lazy_pattern(r"(?:!|(?<![a-z])not\s)(?:[\w.]{0,20}[._])?\Z")
# Of two hints at one distance the first wins: the special system ("testnet futures") comes before the general one.
_SPECIAL_FIRST = tuple(reversed(Environment))
_STATED = _compile((environment, environment.facts.stated) for environment in _SPECIAL_FIRST)
NAMED = _STATED + _compile((environment, environment.facts.named) for environment in _SPECIAL_FIRST)
_HOSTS = {
    each: lazy_pattern(rf"(?:{each.facts.host})(?![\w-]|\.\w)") for each in Environment if each.facts.host is not None
}
_WORDS = tuple(dict.fromkeys(word for pattern in NAMED for word in pattern.starts))
_ASCII_WORDS = tuple(word for word in _WORDS if word.isascii())
_OTHER_WORDS = tuple(word for word in _WORDS if not word.isascii())
_SEARCH = WordSearch([word.encode() for word in _ASCII_WORDS])
_ANY_WORD = lazy_pattern("|".join(map(re.escape, _WORDS)))
_SHORT = 200
_BY_WORD = {word: environment for environment in Environment for word in environment.facts.name_words}
_BY_SHAPE: Mapping[Shape | None, Environment] = {
    Shape(alphabet): each for each in Environment if (alphabet := each.facts.alphabet) is not None
}
_BLOCK = 10
_REACH = 3000
_LARGEST_WHOLE = 1 << 20
_LARGEST_UNANIMOUS = 1 << 16
_FEW = 60
_WORTH = 10_000


class WholeFile:
    """The hints of a file: looked for where they are asked for, and all at once in a file of many values.

    `values` are the spans of the values in it, in order.
    """

    def __init__(self, outline: Outline, values: Sequence[tuple[int, int]]) -> None:
        self.outline = outline
        self._document = outline.document
        self._values = values
        self._asked = 0
        self._largest_whole = max(_LARGEST_WHOLE, len(values) * _WORTH)
        self._is_whole = len(values) >= _FEW and len(self._document.text) <= self._largest_whole
        self._agreed_at: dict[int, Environment | None] = {}
        self._of_enclosing: dict[int, Environment | None] = {}
        self._of_one_name: dict[int, bool] = {}
        self._scopes: dict[int, list[tuple[int, int]]] = {}
        self._certain: dict[Environment, bool] = {}

    def environment(self, at: int) -> Environment | None:
        """What all statements of the file agree on that may be about the value at `at`, else what its path names."""
        part = bisect_right(self._ends_of_scopes, at)
        if part not in self._agreed_at:
            self._agreed_at[part] = self._agreed(self._statements, at)
        return self._agreed_at[part] or self._of_path

    def is_certain(self, environment: Environment) -> bool:
        """Whether code states a host of an environment, and nothing in the file names another one with real money."""
        if environment not in self._certain:
            self._certain[environment] = self._states_host(environment) and self._names_no_other(environment)
        return self._certain[environment]

    def _states_host(self, environment: Environment) -> bool:
        host = _HOSTS.get(environment)
        if host is None or len(self._document.text) > _LARGEST_UNANIMOUS:
            return False
        starts = (match.start() for match in host.finditer(self._text))
        return any(not self._may_be_comment(start) for start in starts)

    def _may_be_comment(self, at: int) -> bool:
        line = self._document.line_index(at)
        before = self._text[self._document.line_span(line)[0] : at]
        return _is_comment(self.outline, line) or _COMMENT_BEFORE.search(_SCHEME.sub("", before)) is not None

    def _names_no_other(self, environment: Environment) -> bool:
        named = {hint[3] for hint in found_in(self._text, NAMED)} | {self._of_path}
        return all(other is environment or other.facts.play_money for other in named if other is not None)

    @cached_property
    def _ends_of_scopes(self) -> list[int]:
        """Where something begins or ends that a statement is about; between two of them all values are alike."""
        return sorted({end for hint in self._statements for scope in self._scopes_of(hint) for end in scope})

    @cached_property
    def _of_path(self) -> Environment | None:
        return hinted(_path_in_repository(self._document.path))

    @cached_property
    def _statements(self) -> list[_Hint]:
        """The first statements of the file, as many of each environment."""
        found: dict[Environment, list[_Hint]] = {}
        text = self._text[:_LARGEST_UNANIMOUS]
        for hint in found_in(text, NAMED):
            of_one = found.setdefault(hint[3], [])
            if len(of_one) < _FEW and _is_statement(text, hint) and not self._is_in_name(hint):
                of_one.append(hint)
        return [hint for of_one in found.values() for hint in of_one]

    @cached_property
    def _text(self) -> str:
        return small(self._document.words)

    @cached_property
    def _hints(self) -> list[_Hint]:
        return sorted(found_in(self._text, NAMED), key=lambda hint: hint[:3])

    @cached_property
    def _starts(self) -> list[int]:
        return [hint[0] for hint in self._hints]

    def may_hint(self, start: int, end: int) -> bool:
        """Whether a hint may be between two offsets; in a file of few values it is not known before it is sought."""
        return not self._is_whole or bisect_left(self._starts, start) < bisect_left(self._starts, end)

    def enclosing(self, span: tuple[int, int]) -> Environment | None:
        """What a line says that encloses values, or an `else` there."""
        if span[0] in self._of_enclosing:
            return self._of_enclosing[span[0]]
        end = min(span[1], span[0] + 300)
        named = self.nearest(span[0], end, end) or _otherwise(span, self)
        if self._is_whole:
            self._of_enclosing[span[0]] = named
        return named

    def nearest(self, start: int, end: int, at: int) -> Environment | None:
        """The hint nearest to offset `at` in `text[start:end]`, which is the value's own."""
        return next((hint[3] for hint in _by_distance(self._between(start, end), at)), None)

    def nearest_around(self, start: int, end: int, at: int, *, stated: bool) -> Environment | None:
        """The same in a text that holds other things too; `stated` leaves out what is no more than a word.

        None where some hints name a test system and some the live exchange.
        """
        found = [hint for hint in self._between(start, end, stated=stated) if not self._is_in_name(hint)]
        return self._agreed(_by_distance(found, at), at, equal=False)

    def _agreed(self, hints: Sequence[_Hint], at: int, *, equal: bool = True) -> Environment | None:
        """The first of the hints that may be about a value, if they are all `equal`, or all of test systems or none.

        Code in comments counts only where the rest says nothing, or disagrees.
        """
        hints = [hint for hint in hints if self._may_be_about(hint, at)]
        for counted in (hints, [hint for hint in hints if not self._is_in_comment(hint)]):
            named = {hint[3] for hint in counted}
            if len(named if equal else {environment.facts.play_money for environment in named}) == 1:
                return counted[0][3]
        return None

    def _between(self, start: int, end: int, *, stated: bool = False) -> list[_Hint]:
        self._asked += 1
        if (self._asked <= _FEW and len(self._values) < _FEW) or len(self._document.text) > self._largest_whole:
            text = self._text[start:end]
            found = (hint for hint in found_in(text, NAMED) if not stated or _is_statement(text, hint))
            return [(first + start, last + start, order, hint) for first, last, order, hint in found]
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        hints = self._hints[first:last]
        return [hint for hint in hints if hint[1] <= end and (not stated or _is_statement(self._text, hint))]

    def _is_in_name(self, hint: _Hint) -> bool:
        """Whether a hint is part of the name of a key or secret (`TESTNET_API_KEY`), and so says no more than that."""
        held = self._of_one_name.get(hint[0])
        if held is None:
            text = self._document.words
            before = text[max(0, hint[0] - _LONGEST_NAME) : hint[0]]
            behind = text[hint[1] : hint[1] + _LONGEST_NAME]
            left, right = _NAME_END.search(before), _NAME_START.match(behind)
            own = text[hint[0] : hint[1]]
            name = (left.group() if left else "") + own + (right.group() if right else "")
            settled = len(own.split()) > 1 or any(char in own for char in ":=(/")
            held = not settled and read_name(name).strength > Strength.WEAK
            self._of_one_name[hint[0]] = held
        return held

    def _is_in_comment(self, hint: _Hint) -> bool:
        return _is_comment(self.outline, self._document.line_index(hint[0]))

    def _may_be_about(self, hint: _Hint, at: int) -> bool:
        """Whether a hint is not in a record, block or line of other values than the one at offset `at`."""
        return all(start <= at < end for start, end in self._scopes_of(hint))

    def _scopes_of(self, hint: _Hint) -> list[tuple[int, int]]:
        """What a hint is in or at the head of, as far as it holds values."""
        scopes = self._scopes.get(hint[0])
        if scopes is None:
            scopes = [span for span in self._find_scopes(hint) if self._holds_value(*span)]
            self._scopes[hint[0]] = scopes
        return scopes

    def _find_scopes(self, hint: _Hint) -> Iterator[tuple[int, int]]:
        """What a hint is in or at the head of: brackets, the item of a list, indented lines, what a title is above."""
        document, outline = self._document, self.outline
        line = document.line_index(hint[0])
        start, end = document.line_span(line)
        yield start, end
        yield from document.brackets.around(hint[0], most=2)
        item = enclosing_item(outline, line)
        if item is not None:
            yield document.line_span(item[0])[0], document.line_span(item[1])[1]
        for above, _ in outline.enclosing_lines(line, most=1):
            yield above, document.line_span(outline.last_enclosed(document.line_index(above)))[1]
        if _is_comment(outline, line):
            yield start, document.line_span(_last_below_title(outline, line))[1]
        elif _HEADING.search(document.text[max(start, end - _LONGEST_HEADING) : end]):
            yield start, document.line_span(outline.last_enclosed(line))[1]

    def _holds_value(self, start: int, end: int) -> bool:
        at = bisect_left(self._values, (start, start))
        return at < len(self._values) and self._values[at][0] < end


def _path_in_repository(path: str) -> str:
    """A path without what may be the name of a repository: its root, an archive, the one folder in that."""
    return _FOLDER_OF_ARCHIVE.sub("", innermost_member(path)).rpartition("/./")[2]


_FOLDER_OF_ARCHIVE = lazy_pattern(
    r"\A[^/]{1,100}-(?:main|master|develop|dev|trunk|HEAD|[0-9a-f]{7,40}|v?[0-9][0-9.]{0,20})/"
)
_LONGEST_NAME = 48
_NAME_END = lazy_pattern(r"(?<![\w$])[\w$]+\Z")
_NAME_START = lazy_pattern(r"[\w$]+")
_LONGEST_HEADING = 200
_HEADING = lazy_pattern(r"(?:[:{\[(>]|\]\s*)$")
_COMMENT_BEFORE = lazy_pattern(r"#|//|/\*|^\s*\*|<!--|--\s|\"\"\"|'''")
_SCHEME = lazy_pattern(r"(?:https?|wss?)://$")
_COMMENT = lazy_pattern(r"\s*(?:#|//|--|;|<!--)")


def _is_comment(outline: Outline, index: int) -> bool:
    return _COMMENT.match(outline.document.line(index, most=_LONGEST_HEADING)) is not None


def environment_of(candidate: Candidate, nearby: NearbyName | None, whole: WholeFile) -> Environment:
    """The nearest hint: the value's own name, its line, its parents, its paragraph, its block, the file, the path.

    `UNKNOWN` where nothing says: what is assumed then depends on the evidence.
    """
    by_shape = _BY_SHAPE.get(candidate.shape)
    if by_shape is not None:
        return by_shape
    named = _named_in(nearby.name.text) if nearby is not None else None
    return named or _near(candidate, whole) or whole.environment(candidate.start) or Environment.UNKNOWN


def stated_environments(text: str) -> tuple[Environment, ...]:
    """Return the environments that a text in small letters states, in their order, each run of equal ones once."""
    statements = sorted(
        (hint for hint in found_in(text, NAMED) if _is_statement(text, hint)), key=lambda hint: hint[:3]
    )
    return tuple(environment for environment, _ in groupby(hint[3] for hint in statements))


def _is_statement(text: str, hint: _Hint) -> bool:
    """Whether a hint is more than a word: an option, a host, or that a test system is off (`testnet=False`)."""
    if hint[2] < len(_STATED):
        return True
    return NAMED[hint[2]].environment.facts.can_be_off and _OFF.match(text, hint[1]) is not None


def hinted(text: str) -> Environment | None:
    """The environment that a short text, such as a path, names."""
    return next((hint[3] for hint in _by_distance(found_in(small(text), NAMED), len(text))), None)


@lru_cache(maxsize=REMEMBERED)
def _named_in(text: str) -> Environment | None:
    """The environment that the name of a value names."""
    words = read_name(text).words
    return hinted(" ".join(words)) or hinted(text) or next((_BY_WORD[word] for word in words if word in _BY_WORD), None)


def _near(candidate: Candidate, whole: WholeFile) -> Environment | None:
    document = whole.outline.document
    index = document.line_index(candidate.start)
    start, end = document.line_span(index)
    at = candidate.start
    line = whole.nearest(max(start, at - 300), min(end, candidate.end + 200), at)
    if line is not None:
        return line
    for span in whole.outline.enclosing_lines(index):
        named = whole.enclosing(span)
        if named is not None:
            return named
    if not whole.may_hint(at - _REACH, candidate.end + _REACH):
        return None
    block = (max(0, index - _BLOCK), index + _BLOCK)
    for (first, last), stated in ((_paragraph(whole.outline, index), False), (block, True)):
        start = max(document.line_span(first)[0], at - _REACH)
        end = min(document.line_span(min(last, len(document.line_starts) - 1))[1], candidate.end + _REACH)
        named = whole.nearest_around(start, end, at, stated=stated)
        if named is not None:
            return named
    return None


def _otherwise(span: tuple[int, int], whole: WholeFile) -> Environment | None:
    """What an `else` says: the test system of `if not testnet`, the main exchange after `if testnet`."""
    document, outline = whole.outline.document, whole.outline
    if not _ELSE.match(document.text, *span):
        return None
    index = document.line_index(span[0])
    for above in range(index - 1, max(-1, index - _BLOCK), -1):
        if outline.indent(above) == outline.indent(index):
            line = small(document.line(above, most=_LONGEST_CONDITION))
            hint = next(found_in(line, NAMED), None) if _IF.match(line) else None
            if hint is None:
                return None
            named = next(pattern.environment for order, pattern in enumerate(NAMED) if order == hint[2])
            return named if hint[3] is Environment.MAINNET else Environment.MAINNET
    return None


_ELSE = lazy_pattern(r"[\s}]{0,80}else\b\s{0,20}[:{]?\s{0,20}$")
_LONGEST_CONDITION = 1000
_IF = lazy_pattern(r"[\s}]{0,80}(?:if|unless)\b")


def _last_below_title(outline: Outline, index: int) -> int:
    """The last line of what a comment is above: before the next comment of its paragraph."""
    last = index
    for below in range(index + 1, _paragraph(outline, index)[1] + 1):
        if _is_comment(outline, below) and not _is_comment(outline, below - 1):
            break
        last = below
    return last


def _paragraph(outline: Outline, index: int) -> tuple[int, int]:
    """First and last line of the run of lines without a blank one between, 12 lines each way at most."""
    first = last = index
    while first > index - 12 and outline.indent(first - 1) >= 0:
        first -= 1
    while last < index + 12 and outline.indent(last + 1) >= 0:
        last += 1
    return first, last


def small(text: str) -> str:
    """The text in small letters, each at the place where it was."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(char.lower() if char.isascii() else char for char in text)


def found_in(text: str, hints: Sequence[Pattern]) -> Iterator[_Hint]:
    """The hints in a text in small letters. Each pattern is tried only where it can begin, which takes a tenth."""
    if len(text) < _SHORT and not _ANY_WORD.search(text):
        return
    places = _places_of_words(text)
    for order, hint in enumerate(hints):
        found = [places[word] for word in hint.starts if word in places]
        end = 0
        for at in sorted(chain.from_iterable(found)) if len(found) > 1 else chain.from_iterable(found):
            match = hint.expression.match(text, at) if at >= end else None
            if match is not None:
                end = match.end()
                yield at, end, order, _unless_off(hint.environment, text, match)


def _places_of_words(text: str) -> dict[str, list[int]]:
    """Where each word that a hint can begin with is in a text in small letters."""
    found = zip(_ASCII_WORDS, _SEARCH.places(text.encode("ascii", "replace")), strict=True)  # one byte a character
    places = {word: offsets for word, offsets in found if offsets}
    if not text.isascii():
        for word in _OTHER_WORDS:
            if word in text:
                places[word] = [match.start() for match in re.finditer(word, text)]
    return places


def _by_distance(hints: Iterable[_Hint], at: int) -> list[_Hint]:
    """Hints with the nearest to offset `at` first; what is before it counts as nearer than what follows."""

    def distance(hint: _Hint) -> tuple[float, int]:
        start, end, order, _ = hint
        return (float(at - end) if start <= at else (start - at) * 1.5 + 64), order

    return sorted(hints, key=distance)


def _unless_off(environment: Environment, text: str, match: re.Match[str]) -> Environment:
    """`TESTNET=false` and `if not testnet` mean the main exchange."""
    if not environment.facts.can_be_off:
        return environment
    off = _OFF.match(text, match.end()) or _NOT.search(text, max(0, match.start() - 30), match.start())
    return Environment.MAINNET if off else environment
