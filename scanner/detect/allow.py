"""Comments that allow a value: our own, and those of detect-secrets."""

from __future__ import annotations

import re

from scanner.detect.document import Document

_SAME_LINE = re.compile(r"binance-leaks:\s*allow\b(?!-?\s*next)|pragma:\s*(?:allow|white)list[ -]secret", re.IGNORECASE)
_NEXT_LINE = re.compile(
    r"binance-leaks:\s*allow[\s-]*next-?line|pragma:\s*(?:allow|white)list[ -]next-?line[ -]secret", re.IGNORECASE
)


def allowed(document: Document, start: int, end: int) -> str | None:
    """The comment that allows the value at `text[start:end]`: on one of its lines, or on the line above it."""
    first, last = document.line_index(start), document.line_index(end)
    for index in range(first, min(last, first + 200) + 1):
        match = _SAME_LINE.search(document.line(index))
        if match:
            return match.group()
    match = _NEXT_LINE.search(document.line(first - 1)) if first else None
    return match.group() if match else None
