"""Values that are split over string literals or continued lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from binance_leaks.detect import first_test, prefilter, rules
from binance_leaks.detect.candidates import LENGTH, Candidate, Shape, shape_of
from binance_leaks.detect.document import Document
from binance_leaks.detect.literal_chains import CHAIN_REACH, LONGEST, around, find_chains
from binance_leaks.detect.work import LOOK, VALUE
from binance_leaks.lazy_patterns import lazy_pattern

_CONTINUED = lazy_pattern(
    r"(?<![A-Za-z0-9+/_-])([A-Za-z0-9]{1,63})((?:[\\=]\r?\n[ \t]*[A-Za-z0-9]{1,63}){1,8})(?![A-Za-z0-9+/=_-])"
)
_PIECE = 16
_CONTINUING = ("\\\n", "\\\r\n", "=\n", "=\r\n")
_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


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
    if prefilter.names_exchange(flat):
        places = first_test.places_of_pieces(flat)
        parts = around(places, CHAIN_REACH) if places is not None else [(0, len(flat))]
    else:
        parts = around(pieces, LONGEST)
    for start, end in parts:
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
