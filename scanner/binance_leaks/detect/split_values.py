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
    literals = _Literals(document.text)
    flat, classes = document.flat, document.classes
    pieces = {*prefilter.joined_pieces(flat, classes), *prefilter.last_pieces(flat, classes)}
    for at in sorted(pieces):
        if at < done:
            continue
        found = literals.value_through(at)
        if found is None and document.text.startswith(_CONTINUING, at + _PIECE):
            found = _continued(document, at)
        if found is not None:
            done = found.end
            yield found


class _Literals:
    """The string literals of a text, in chains. Each is read once, and each is the beginning of a chain once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._read = 0
        self._following: dict[int, re.Match[str] | None] = {}

    def value_through(self, at: int) -> Candidate | None:
        """Return the chain of literals through offset `at`, or up to 420 characters before, that makes up one value.

        Offsets ascend from call to call.
        """
        text = self._text
        for opening in _OPENING.finditer(text, max(self._read, at - _REACH), at + 2):
            start = opening.start()
            if start >= at + 1:
                break
            self._read = start + 1
            value, end, commas = self._chain(start)
            if len(value) != LENGTH or shape_of(value) is not Shape.BASE62:
                continue
            if commas and not (_JOIN.search(text[max(0, start - 20) : start]) or _JOIN.search(text[end : end + 20])):
                continue
            return Candidate(start=start, end=end, value=value.encode(), shape=Shape.BASE62, rule=rules.FRAGMENTS)
        return None

    def _chain(self, start: int) -> tuple[str, int, bool]:
        """Return what the literals from `start` on make up, where they end, and whether commas separate them."""
        match = _FIRST.match(self._text, start)
        value, end, commas = "", start, False
        for _ in range(_MOST_PIECES):
            if match is None or len(value) >= LENGTH:
                break
            commas = commas or "," in self._text[end : match.start(1)]
            value += match.group(2)
            end = match.end()
            if end not in self._following:
                self._following[end] = _NEXT.match(self._text, end)
            match = self._following[end]
        return value, end, commas


_OPENING = re.compile(r"[\"'`](?=[A-Za-z0-9])")


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
