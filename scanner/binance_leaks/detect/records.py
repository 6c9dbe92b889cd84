"""Records: the objects, list items and elements of a text, and the names of values in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import zip_longest

from binance_leaks.detect.document import Document
from binance_leaks.detect.outline import Outline

_BRACKET = re.compile(r"[(){}\[\]]")
_CLOSING = frozenset(")}]")
_REACH = 2000
_MOST_LINES = 40


def enclosing_brackets(document: Document, offset: int) -> list[tuple[int, int]]:
    """Return the spans between brackets around an offset, the innermost first.

    Looks 2000 characters each way: a bracket that closes farther off ends there.
    """
    text = document.words
    low, high = max(0, offset - _REACH), min(len(text), offset + _REACH)
    opened = _unmatched((match for match in reversed(list(_BRACKET.finditer(text, low, offset)))), opening=True)
    closed = _unmatched(_BRACKET.finditer(text, offset, high), opening=False)
    starts, ends = [match.end() for match in opened], [match.start() for match in closed]
    return list(zip_longest(starts, ends[: len(starts)], fillvalue=high))


def _unmatched(brackets: Iterable[re.Match[str]], *, opening: bool) -> list[re.Match[str]]:
    """The brackets that none of those before them matches, opening or closing ones."""
    found: list[re.Match[str]] = []
    depth = 0
    for match in brackets:
        if (match.group() in _CLOSING) is opening:
            depth += 1
        elif depth:
            depth -= 1
        else:
            found.append(match)
    return found


def enclosing_item(outline: Outline, index: int) -> tuple[int, int] | None:
    """Return the first and last line of the list item (`- name: …`) that holds line `index`, None if none does."""
    level = outline.indent(index)
    first = index
    while not _begins_item(outline, first):
        first -= 1
        if first < max(0, index - _MOST_LINES) or 0 <= outline.indent(first) < level:
            return None
    if outline.indent(first) != level:
        return None
    last = index
    while last < index + _MOST_LINES and _goes_on(outline, last + 1, level):
        last += 1
    return first, last


def _begins_item(outline: Outline, index: int) -> bool:
    return outline.document.line(index).lstrip().startswith("- ")


def _goes_on(outline: Outline, index: int, level: int) -> bool:
    """Whether a line is of the same item as the one above."""
    indent = outline.indent(index)
    if index >= len(outline.document.line_starts) or 0 <= indent < level:
        return False
    return not (indent == level and _begins_item(outline, index))
