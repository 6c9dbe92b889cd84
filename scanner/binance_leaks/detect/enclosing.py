"""The lines that enclose a line by their indentation: `live:` above `api_secret:`, or the section of an INI file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from binance_leaks.detect.document import Document

_SECTION = re.compile(r"^\s*\[{1,2}[^\]]+\]{1,2}\s*(?:[#;].*)?$")
_CLOSERS = frozenset({"{", "[", "(", "---", "),", "],", "},", "}", "]", ")", "});", "};"})


def parents(document: Document, index: int, *, most: int = 8, lines: int = 120) -> list[tuple[int, int]]:
    """Spans of the lines that enclose line `index` by indentation, the nearest first; an INI section encloses too."""
    held = document.parents.get(index)
    if held is None:
        held = document.parents[index] = list(_enclosing(document, index, lines))
    return held[:most]


def _enclosing(document: Document, index: int, lines: int) -> Iterator[tuple[int, int]]:
    indent = document.indent(index)
    for above in range(index - 1, max(-1, index - 1 - lines), -1):
        own = document.indent(above)
        if own < 0 or own > indent:
            continue
        text = document.line(above)
        section = _SECTION.match(text)
        if own < indent or section:
            if text.strip() not in _CLOSERS:
                yield document.line_span(above)
            indent = own
            if section:
                return
