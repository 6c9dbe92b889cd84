"""Values that are split over string literals or continued lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from binance_leaks.detect import prefilter, rules
from binance_leaks.detect.candidates import LENGTH, Candidate, Shape, shape_of
from binance_leaks.detect.document import Document

_LITERAL = r"""(?:[@A-Za-z]?)(["'`])([A-Za-z0-9]{1,63})\1"""
_FIRST = re.compile(_LITERAL)
_NEXT = re.compile(
    rf"""(?<=["'`])\s*(?:(?:\)\s*)?(?:(?:\+\+?|\.\.?|&|\|\||<>|\\|~|,)\s*)?(?:[_\\][^\S\n]*\n\s*)?(?:\(\s*)?
    |(?:;\s*)?[\w$.{{}}]{{1,60}}\s*(?:\+|\.|&|<>)=\s*){_LITERAL}""",
    re.VERBOSE,
)
_CONTINUED = re.compile(
    r"(?<![A-Za-z0-9+/_-])([A-Za-z0-9]{1,63})((?:[\\=]\r?\n[ \t]*[A-Za-z0-9]{1,63}){1,8})(?![A-Za-z0-9+/=_-])"
)
_JOIN = re.compile(r"(?:join|concat!?)\s*\(\s*(?:[\[(]\s*)?$|^\s*[\])]\s*\.\s*join")
_MOST_PIECES = 64
_PIECE = 16
_REACH = 420
_CONTINUING = ("\\\n", "\\\r\n", "=\n", "=\r\n")
_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def find_split_values(document: Document) -> Iterator[Candidate]:
    """Yield every value of the document that is split into pieces, in order.

    Pieces are string literals that an operator or nothing joins, or lines that end in a backslash."""
    if document.binary:
        return
    done = 0
    tried: set[int] = set()
    flat, classes = document.flat, document.classes
    pieces = {*prefilter.joined_pieces(flat, classes), *prefilter.last_pieces(flat, classes)}
    for at in sorted(pieces):
        if at < done:
            continue
        found = _joined_literals(document, at, tried)
        if found is None and document.text.startswith(_CONTINUING, at + _PIECE):
            found = _continued(document, at)
        if found is not None:
            done = found.end
            yield found


def _joined_literals(document: Document, at: int, tried: set[int]) -> Candidate | None:
    """Return the chain of literals through offset `at` that makes up one value. A start is `tried` once only."""
    text = document.text
    for start in _starts(text, at):
        if start in tried:
            continue
        tried.add(start)
        match = _FIRST.match(text, start)
        value, end, commas = "", start, 0
        for _ in range(_MOST_PIECES):
            if match is None or len(value) >= LENGTH:
                break
            commas += "," in text[end : match.start(1)]
            value += match.group(2)
            end = match.end()
            match = _NEXT.match(text, end)
        if len(value) != LENGTH or shape_of(value) is not Shape.BASE62:
            continue
        if commas and not (_JOIN.search(text[max(0, start - 20) : start]) or _JOIN.search(text[end : end + 20])):
            continue
        return Candidate(start=start, end=end, value=value.encode(), shape=Shape.BASE62, rule=rules.FRAGMENTS)
    return None


def _starts(text: str, at: int) -> Iterator[int]:
    """Yield offsets of opening quotes within 420 characters up to the piece at `at`, the farthest first."""
    base = max(0, at - _REACH)
    lead = text[base : at + 1]
    yield from (base + match.start() for match in re.finditer(r"[\"'`](?=[A-Za-z0-9])", lead))


def _continued(document: Document, at: int) -> Candidate | None:
    lead = document.text[max(0, at - LENGTH) : at]
    start = at - len(lead) + len(lead.rstrip(_ALNUM))
    match = _CONTINUED.match(document.text, start)
    if not match:
        return None
    value = match.group(1) + re.sub(r"[^A-Za-z0-9]", "", match.group(2))
    if len(value) != LENGTH or shape_of(value) is not Shape.BASE62:
        return None
    return Candidate(start=start, end=match.end(), value=value.encode(), shape=Shape.BASE62, rule=rules.FRAGMENTS)
