"""The outline of a text: indentation of its lines, and which enclose which."""

from __future__ import annotations

import re
from collections.abc import Iterator

from binance_leaks.detect.document import Document

_SECTION = re.compile(r"^\s*\[{1,2}[^\]]+\]{1,2}\s*(?:[#;].*)?$")
_CLOSERS = frozenset({"{", "[", "(", "---", "),", "],", "},", "}", "]", ")", "});", "};"})
_LEAD = re.compile(r"[\s#/*-]*")
_COMMENTS = ("#", "//", "--", ";")
_MOST_ENCLOSING = 8
_LINES_ABOVE = 120


class Outline:
    """The outline of a document, found line by line as it is needed. Make one for each document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._indents: dict[int, int] = {}
        self._enclosing: dict[int, list[tuple[int, int]]] = {}

    def indent(self, index: int) -> int:
        """Return the columns before the text of a line, marks of comments and lists included; -1 for a blank line."""
        held = self._indents.get(index)
        if held is None:
            held = self._indents[index] = _indent(self.document.line(index))
        return held

    def enclosing_lines(self, index: int, *, most: int = _MOST_ENCLOSING) -> list[tuple[int, int]]:
        """Return the spans of the lines that enclose line `index`, the nearest first.

        A line encloses what is indented below it, as `live:` above `api_secret:`; the section of an INI file encloses
        its lines.
        """
        held = self._enclosing.get(index)
        if held is None:
            held = self._enclosing[index] = list(self._find_enclosing(index))
        return held[:most]

    def _comment(self, index: int) -> tuple[bool, int]:
        """Whether a line is a comment, and the column where it begins."""
        line = self.document.line(index).expandtabs(4)
        text = line.lstrip()
        return text.startswith(_COMMENTS), len(line) - len(text)

    def last_enclosed(self, index: int) -> int:
        """Return the last line that line `index` encloses, itself where it encloses none."""
        own, last = self.indent(index), index
        section = _SECTION.match(self.document.line(index))
        for below in range(index + 1, min(len(self.document.line_starts), index + _LINES_ABOVE)):
            indent = self.indent(below)
            if indent >= 0 and (_SECTION.match(self.document.line(below)) if section else indent <= own):
                break
            last = below if indent >= 0 else last
        return last

    def _find_enclosing(self, index: int) -> Iterator[tuple[int, int]]:
        indent = self.indent(index)
        comment, column = self._comment(index)
        for above in range(index - 1, max(-1, index - 1 - _LINES_ABOVE), -1):
            own = self.indent(above)
            if comment and not self._comment(above)[0]:
                own += indent - column  # code encloses a comment by where that begins, not by what is in it
            if own < 0 or own > indent or self.indent(above) < 0:
                continue
            text = self.document.line(above)
            section = _SECTION.match(text)
            if own < indent or section:
                if text.strip() not in _CLOSERS:
                    yield self.document.line_span(above)
                indent = own
                if section:
                    return


def _indent(line: str) -> int:
    lead = _LEAD.match(line)
    if not line.strip() or lead is None:
        return -1
    return len(lead.group().expandtabs(4))
