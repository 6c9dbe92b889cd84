"""The brackets of a text, and which enclose an offset; they match by depth, whatever their kind."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property
from itertools import zip_longest

from binance_leaks.lazy_patterns import lazy_pattern

_BRACKET = lazy_pattern(r"[(){}\[\]]")
_CLOSING = frozenset(")}]")
_REACH = 2000


class Brackets:
    """The brackets of one text: looked for around each offset, and all at once where many offsets are asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._unread = len(text)

    def around(self, offset: int, *, most: int) -> list[tuple[int, int]]:
        """Return at most so many of the spans between brackets around an offset, the innermost first.

        Looks 2000 characters each way: a bracket that closes farther off ends there.
        """
        low, high = max(0, offset - _REACH), min(len(self._text), offset + _REACH)
        if self._unread > 0:
            self._unread -= 2 * _REACH
            return self._read_around(offset, low, high)[:most]
        places, tops, parents, closings = self._index
        spans: list[tuple[int, int]] = []
        opening = tops[bisect_left(places, offset)]
        while opening >= 0 and places[opening] >= low and len(spans) < most:
            spans.append((places[opening] + 1, min(closings.get(opening, high), high)))
            opening = parents[opening]
        return spans

    def _read_around(self, offset: int, low: int, high: int) -> list[tuple[int, int]]:
        before = reversed(list(_BRACKET.finditer(self._text, low, offset)))
        starts = [bracket.end() for bracket in _unmatched(before, opening=True)]
        ends = [bracket.start() for bracket in _unmatched(_BRACKET.finditer(self._text, offset, high), opening=False)]
        return list(zip_longest(starts, ends[: len(starts)], fillvalue=high))

    @cached_property
    def _index(self) -> tuple[list[int], list[int], dict[int, int], dict[int, int]]:
        """The places of all brackets; before each, and at the end, the innermost that is open, or -1.

        Then for each that opens the one around it, and where it is closed.
        """
        places: list[int] = []
        tops = [-1]
        parents: dict[int, int] = {}
        closings: dict[int, int] = {}
        top = -1
        for number, bracket in enumerate(_BRACKET.finditer(self._text)):
            at = bracket.start()
            places.append(at)
            if self._text[at] not in _CLOSING:
                parents[number] = top
                top = number
            elif top >= 0:
                closings[top] = at
                top = parents[top]
            tops.append(top)
        return places, tops, parents, closings


def _unmatched(brackets: Iterable[re.Match[str]], *, opening: bool) -> list[re.Match[str]]:
    """The brackets that none of those before them matches, opening or closing ones."""
    found: list[re.Match[str]] = []
    depth = 0
    for bracket in brackets:
        if (bracket.group() in _CLOSING) is opening:
            depth += 1
        elif depth:
            depth -= 1
        else:
            found.append(bracket)
    return found
