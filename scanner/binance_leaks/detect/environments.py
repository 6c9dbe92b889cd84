"""Which of Binance's systems a credential belongs to, as its surroundings tell.

The prudent answer is the main exchange: a test key taken for a real one costs a look, the reverse costs an account. So
near the value a word is enough (`live`, `testnet`), farther off it takes a host name or a setting, and hints that
contradict each other count as none.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain

from binance_leaks.detect.candidates import Candidate, Shape
from binance_leaks.detect.document import Document
from binance_leaks.detect.enclosing import parents
from binance_leaks.detect.nearby_names import Label
from binance_leaks.model import Environment, Evidence

_Hint = tuple[int, int, int, Environment]
_Hints = tuple[tuple[Environment, tuple[str, ...], "re.Pattern[str]"], ...]
"""For each environment, how a hint begins, which is searched for, and its pattern, which is tried there."""


def _compile(*hints: tuple[Environment, str, str]) -> _Hints:
    return tuple(
        (environment, tuple(starts.split()), re.compile(pattern, re.VERBOSE)) for environment, starts, pattern in hints
    )


_ON = r"""["'\])\s]*(?:[:=]|=>|:=|\()+\s*["']?(?:true|1|yes|on)\b"""
_OFF = re.compile(r"""["'\])\s]*(?:[:=]|=>|:=|\()+\s*["']?(?:false|0|no|off|none|null|nil|disabled)\b""", re.IGNORECASE)
# All of it is for text in small letters.
_STATED = _compile(
    (Environment.PAY, "binance bpay", r"binance[\s._-]?pay | bpay\.binanceapi"),
    (Environment.FUTURES_TESTNET, "testnet.binancefuture", r"testnet\.binancefuture"),
    (Environment.TESTNET, "test sandbox setsandbox set_sandbox spot binance", rf"testnet\.binance\.vision | (?:test[\s_-]?net|sandbox|set_?sandbox_?mode){_ON} | (?:spot|binance)[\s_-]testnet"),
    (Environment.DEMO, "demo", rf"demo-[a-z]*api\.binance | demo{_ON} | demo[\s_-](?:mode|trading|account|key|api)"),
    (Environment.US, "binance.us binanceus tld", r"binance\.us(?![a-z]) | binanceus(?![a-z]) | tld[\"')\s]*[:=]+\s*[\"']us[\"']"),
    (Environment.TR, "binance.tr trbinance tld", r"binance\.tr(?![a-z]) | trbinance | tld[\"')\s]*[:=]+\s*[\"']tr[\"']"),
    (Environment.MAINNET, "api fapi dapi eapi papi stream", r"(?:api\d?|fapi|dapi|eapi|papi|stream|api-gcp)\.binance\.com"),
)  # fmt: skip
NAMED = _STATED + _compile(
    (Environment.FUTURES_TESTNET, "testnet future", r"testnet[\s_.-]?futures? | futures?[\s_.-]?test(?:net)?(?![a-z])"),
    (Environment.TESTNET, "test sandbox binance paper", r"test[\s_.-]?net | (?<![a-z])sandbox(?![a-z]) | binance[\s_.-]?test(?![a-z]) | (?<![a-z])test(?=[\s_.-]?(?:api|key|secret|binance)) | (?<![a-z])paper(?![a-z])"),
    (Environment.DEMO, "demo 模拟", r"(?<![a-z])demo(?![a-z]) | 模拟"),
    (Environment.US, "binance", r"binance[\s_.-]?us(?![a-z])"),
    (Environment.TR, "binance", r"binance[\s_.-]?tr(?![a-z])"),
    (Environment.MAINNET, "main live prod real 正式 实盘", r"main[\s_-]?net | (?<![a-z])(?:live|prod|production|real)(?![a-z]) | 正式 | 实盘"),
)  # fmt: skip
_WHOLE_NAME = {"test": Environment.TESTNET, "testnet": Environment.TESTNET, "us": Environment.US, "tr": Environment.TR}
_BLOCK = 10
_REACH = 3000
_LARGEST_WHOLE = 1 << 20
_LARGEST_UNANIMOUS = 1 << 16
_FEW = 60


class WholeFile:
    """The hints of a file: looked for where they are asked for, and all at once in a file of many values."""

    def __init__(self, document: Document) -> None:
        self._document = document
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
    document: Document, candidate: Candidate, label: Label | None, evidence: Sequence[Evidence], whole: WholeFile
) -> Environment:
    """The nearest hint: the value's own name, its line, its parents, its paragraph, its block, the file, the path."""
    if candidate.shape is Shape.HEX:
        return Environment.FUTURES_TESTNET
    if candidate.shape is Shape.BASE36:
        return Environment.PAY
    near = _by_name(label) or _near(document, candidate, whole)
    if near is not None:
        return near
    return whole.environment or (Environment.MAINNET if evidence else Environment.UNKNOWN)


def hinted(text: str) -> Environment | None:
    """The environment that a short text, such as a path, names."""
    return _best(found_in(small(text), NAMED), len(text))


def _by_name(label: Label | None) -> Environment | None:
    if label is None:
        return None
    named = hinted(" ".join(label.name.words)) or hinted(label.name.text)
    return named or next((_WHOLE_NAME[word] for word in label.name.words if word in _WHOLE_NAME), None)


def _near(document: Document, candidate: Candidate, whole: WholeFile) -> Environment | None:
    index = document.line_index(candidate.start)
    start, end = document.line_span(index)
    at = candidate.start
    line = whole.nearest(max(start, at - 300), min(end, candidate.end + 200), at, stated=False)
    if line is not None:
        return line
    for span in parents(document, index):
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


def found_in(text: str, hints: _Hints) -> Iterator[_Hint]:
    """The hints in a text in small letters. Each pattern is tried only where it can begin, which takes a tenth."""
    places: dict[str, list[int]] = {}
    for order, (environment, starts, pattern) in enumerate(hints):
        for word in starts:
            if word not in places:
                places[word] = _places(text, word)
        end = 0
        for at in sorted(chain.from_iterable(places[word] for word in starts)):
            match = pattern.match(text, at) if at >= end else None
            if match is not None:
                end = match.end()
                yield at, end, order, _unless_off(environment, text, match)


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
    off = environment in (Environment.TESTNET, Environment.DEMO) and _OFF.match(text, match.end())
    return Environment.MAINNET if off else environment


def _unanimous(text: str) -> Environment | None:
    """What all statements of the file agree on."""
    named = {environment for _, _, _, environment in found_in(text, _STATED)}
    return named.pop() if len(named) == 1 else None
