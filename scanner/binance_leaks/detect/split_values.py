"""Values that are split over string literals or continued lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from binance_leaks.detect import prefilter, rules
from binance_leaks.detect.candidates import LENGTH, Candidate, Shape, shape_of
from binance_leaks.detect.document import Document
from binance_leaks.detect.literal_chains import LONGEST, around, find_chains
from binance_leaks.detect.work import LOOK, VALUE

_CONTINUED = re.compile(
    r"(?<![A-Za-z0-9+/_-])([A-Za-z0-9]{1,63})((?:[\\=]\r?\n[ \t]*[A-Za-z0-9]{1,63}){1,8})(?![A-Za-z0-9+/=_-])"
)
_PIECE = 16
_CONTINUING = ("\\\n", "\\\r\n", "=\n", "=\r\n")
_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_QUOTES = b"\"'`"
_LONGEST_JOINT = 240
_ASSIGNED = re.compile(rb"[\"'`][;\s]*[\w$.{}]{1,60}\s{0,20}(?:\+|\.|&|<>)=\s{0,20}[\"'`]$")
_JOINERS = b" \t\r\n+.&|<>~\\()_;bruLfN@\xc2\xa0"
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def find_split_values(document: Document) -> Iterator[Candidate]:
    """Yield every value of the document that is split into pieces, in order.

    Pieces are string literals that an operator, a call or nothing joins, or lines that end in a backslash. Where the
    exchange is not named, one of them is long.
    """
    if document.binary:
        return
    done = 0
    for candidate in sorted(_split_values(document), key=lambda candidate: (candidate.start, -candidate.end)):
        if candidate.start >= done and document.work.spend(VALUE):
            done = candidate.end
            yield candidate


def _split_values(document: Document) -> Iterator[Candidate]:
    flat, classes = document.flat, document.classes
    pieces = sorted({*prefilter.joined_pieces(flat, classes), *prefilter.last_pieces(flat, classes)})
    for at in pieces:
        if not document.work.spend(LOOK):
            return
        if document.text.startswith(_CONTINUING, at + _PIECE):
            yield from _continued(document, at)
    named = prefilter.names_exchange(flat)
    for start, end in [(0, len(document.text))] if named else around(pieces, LONGEST):
        for first, last, value in find_chains(document.text[start:end]):
            if not document.work.spend(LOOK):
                return
            if shape_of(value) is Shape.BASE62:
                yield _candidate(start + first, start + last, value)


def _candidate(start: int, end: int, value: str) -> Candidate:
    return Candidate(start=start, end=end, value=value.encode(), shape=Shape.BASE62, rule=rules.FRAGMENTS)


def _continued(document: Document, at: int) -> Iterator[Candidate]:
    lead = document.text[max(0, at - LENGTH) : at]
    start = at - len(lead) + len(lead.rstrip(_ALNUM))
    match = _CONTINUED.match(document.text, start)
    if not match:
        return
    value = match.group(1) + re.sub(r"[^A-Za-z0-9]", "", match.group(2))
    if len(value) == LENGTH and shape_of(value) is Shape.BASE62:
        yield _candidate(start, match.end(), value)


def _piece_before_literal(data: bytes, end: int) -> bytes | None:
    """Return the last 16 characters of a literal, if it and the one that begins just before `end` are pieces.

    A piece is a literal of alphanumerics alone.
    """
    lead = data[max(0, end - _LONGEST_JOINT) : end - 2].rstrip(_JOINERS)
    closing = data[end : end + LENGTH].lstrip(_LETTERS)[:1]
    return _last_of_literal(lead) if not closing or closing in _QUOTES else None


def _piece_before_appended(data: bytes, end: int) -> bytes | None:
    """Return the last 16 characters of a literal to which the one that begins at `end` is appended."""
    lead = data[max(0, end - _LONGEST_JOINT) : end]
    found = _ASSIGNED.search(lead)
    return _last_of_literal(lead[: found.start() + 1]) if found else None


def _piece_before_line(data: bytes, end: int) -> bytes | None:
    """Return the last 16 characters of a line that is continued on the one that begins at `end`."""
    piece = data[max(0, end - _PIECE - 3) : end].rstrip(b"\r\n")[-_PIECE - 1 : -1]
    return piece if len(piece) == _PIECE and piece.isalnum() else None


PIECES_BEFORE = (_piece_before_literal, _piece_before_appended, _piece_before_line)
"""What finds the piece before a joint in some bytes: that of two literals, of an addition, of a continued line."""


def _last_of_literal(lead: bytes) -> bytes | None:
    """Return the last 16 characters of the literal at the end of some bytes, None if it has fewer or other ones."""
    piece = lead[-_PIECE - 1 : -1]
    if len(piece) < _PIECE or not piece.isalnum():
        return None
    opening = lead[:-1].rstrip(_LETTERS)[-1:]
    return piece if not opening or opening in _QUOTES else None
