"""Text that mark-up or invisible characters interrupt: the runs of office documents, soft breaks in HTML.

A reader sees one word where the bytes have `<w:t>ab</w:t></w:r><w:r><w:t>cd</w:t>`, `ab<wbr>cd` or a zero-width space.
A text is given by the spans of bytes that are left of it, so that there is a way back to lines and columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from binance_leaks.detect.prefilter import begins_as_office_document
from binance_leaks.lazy_patterns import lazy_pattern

Spans = Sequence[tuple[int, int, bytes]]
"""Start and end of the bytes that are left, and what is put behind them."""

_BREAK = lazy_pattern(
    rb"(?<=[A-Za-z0-9])(?:<wbr ?/?>|&(?:shy|#173|#8203|#[Xx][Aa][Dd]|#[Xx]200[Bb]);"
    rb"|\xc2\xad|\xe2\x80[\x8b-\x8d]|\xe2\x81\xa0|\xef\xbb\xbf)+(?=[A-Za-z0-9])"
)
_TAG = lazy_pattern(rb"<[?!]?(/?)(?:[\w.-]{1,40}:)?([\w.-]{0,40})[^<>]*>")
_LONG_WORD = lazy_pattern(rb"[A-Za-z0-9]{48}")
_ENDS = {b"p": b"\n", b"h": b"\n", b"si": b"\n", b"tr": b"\n", b"table-row": b"\n", b"tc": b"\t", b"table-cell": b"\t"}
_SIGNS = {b"br": b"\n", b"cr": b"\n", b"line-break": b"\n", b"tab": b"\t", b"s": b" "}
_CELLS = frozenset((b"tc", b"table-cell"))


def uninterrupted(data: bytes) -> Spans:
    """Return what is left of a text without its interruptions; nothing where there are none."""
    if begins_as_office_document(data):
        return list(_without_tags(data))
    spans = []
    done = 0
    for match in _BREAK.finditer(data):
        spans.append((done, match.start(), b""))
        done = match.end()
    return [*spans, (done, len(data), b"")] if spans else ()


def join_spans(data: bytes, spans: Spans) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of some spans of bytes, each with what is put behind it, and its places in the bytes."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    length = 0
    for start, end, sign in spans:
        places.append((length, start))
        parts.append(data[start:end].decode("utf-8", "surrogateescape") + sign.decode("ascii"))
        length += len(parts[-1])
    return "".join(parts), places


def _without_tags(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The text of an office document: a line for each paragraph and row, tabs between cells.

    White space that only lays out the XML is left out. A tag with a long word in its attributes is left as it is.
    """
    done = cells = 0
    for match in _TAG.finditer(data):
        start, end = match.span()
        closing, name = match.groups()
        sign = _ENDS.get(name, b"") if closing else _SIGNS.get(name, b"")
        if name in _CELLS:
            cells = max(0, cells - 1) if closing else cells + 1
        elif cells and name == b"p":
            sign = b""
        text = data[done:start]
        if sign or not (text.isspace() and b"\n" in text):
            yield done, start, sign
        if end - start > 48 and _LONG_WORD.search(data, start, end):
            yield start, end, b"\n"
        done = end
    yield done, len(data), b""
