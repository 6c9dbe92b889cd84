"""Comments that allow a value: our own, and those of detect-secrets."""

from __future__ import annotations

import re

from scanner.detect.document import Document

_SAME_LINE = re.compile(
    r"binance-leaks:\s*allow\b(?![\s-]*next)|pragma:\s*(?:allow|white)list[ -]secret", re.IGNORECASE
)
_NEXT_LINE = re.compile(
    r"binance-leaks:\s*allow[\s-]*next[\s-]*line|pragma:\s*(?:allow|white)list[ -]next-?line[ -]secret", re.IGNORECASE
)
_REACH = 500
_MOST_LINES = 200


def allowed(document: Document, start: int, end: int) -> str | None:
    """The comment that allows the value at `text[start:end]`: on one of its lines, or on the line above it.

    In a very long line, such as minified code, only a comment near the value counts.
    """
    first, last = document.line_index(start), document.line_index(end)
    for index in range(first, min(last, first + _MOST_LINES) + 1):
        line_start, line_end = document.line_span(index)
        match = _SAME_LINE.search(document.text, max(line_start, start - _REACH), min(line_end, end + _REACH))
        if match:
            return match.group()
    if first == 0:
        return None
    line_start, line_end = document.line_span(first - 1)
    match = _NEXT_LINE.search(document.text, line_start, min(line_end, line_start + 2 * _REACH))
    return match.group() if match else None
