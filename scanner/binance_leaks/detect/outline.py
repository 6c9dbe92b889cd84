"""The outline of a text: indentation of its lines, and which enclose which."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from binance_leaks.detect.document import Document
from binance_leaks.lazy_patterns import lazy_pattern

_SECTION = lazy_pattern(r"^\s*\[{1,2}[^\]]+\]{1,2}\s*(?:[#;].*)?$")
_CLOSERS = frozenset({"{", "[", "(", "---", "),", "],", "},", "}", "]", ")", "});", "};"})
_LEAD = lazy_pattern(r"[\s#/*-]*")
_COMMENTS = ("#", "//", "--", ";")
_MOST_ENCLOSING = 8
_LINES_ABOVE = 120
_LONGEST_SECTION = 1000
_LONGEST_CLOSER = 300


class Outline:
    """The outline of a document, found line by line as it is needed. Make one for each document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._indents: dict[int, int] = {}
        self._sections: dict[int, bool] = {}
        self._enclosing: dict[int, list[tuple[int, int]]] = {}
        self._steps: dict[int, int] = {}

    @cached_property
    def has_items(self) -> bool:
        """Whether a line may begin the item of a list."""
        return "- " in self.document.text

    def indent(self, index: int) -> int:
        """Return the columns before the text of a line, marks of comments and lists included.

        It is -1 for a blank line, and outside the document.
        """
        held = self._indents.get(index)
        if held is None:
            held = self._indents[index] = _indent(self._lines[index]) if 0 <= index < len(self._lines) else -1
        return held

    @cached_property
    def _lines(self) -> list[str]:
        return self.document.text.split("\n")

    def enclosing_lines(self, index: int, *, most: int = _MOST_ENCLOSING) -> list[tuple[int, int]]:
        """Return the spans of the lines that enclose line `index`, the nearest first.

        A line encloses what is indented below it, as `live:` above `api_secret:`; the section of an INI file encloses
        its lines.
        """
        held = self._enclosing.get(index)
        if held is None:
            held = self._enclosing[index] = list(self._find_enclosing(index))
        return held[:most]

    def _is_comment(self, index: int) -> bool:
        start, end = self.document.line_span(index)
        return self.document.text[start:end].lstrip().startswith(_COMMENTS)

    def _column(self, index: int) -> int:
        """Return the column where the text of a line begins, which may be the mark of a comment."""
        line = self.document.line(index)
        return len(line[: len(line) - len(line.lstrip())].expandtabs(4))

    def last_enclosed(self, index: int) -> int:
        """Return the last line that line `index` encloses, itself where it encloses none."""
        own, last = self.indent(index), index
        section = self.is_section(index)
        for below in range(index + 1, min(len(self.document.line_starts), index + _LINES_ABOVE)):
            indent = self.indent(below)
            if indent >= 0 and (self.is_section(below) if section else indent <= own):
                break
            last = below if indent >= 0 else last
        return last

    def is_section(self, index: int) -> bool:
        """Whether a line is the head of a section of an INI file."""
        held = self._sections.get(index)
        if held is None:
            start, end = self.document.line_span(index)
            line = self.document.text[start : min(end, start + _LONGEST_SECTION)]
            held = self._sections[index] = "[" in line and _SECTION.match(line) is not None
        return held

    def _find_enclosing(self, index: int) -> Iterator[tuple[int, int]]:
        if self._is_comment(index):
            yield from self._find_enclosing_comment(index)
            return
        above = self._above(index)
        while above is not None and above >= index - _LINES_ABOVE:
            if self.document.line(above, most=_LONGEST_CLOSER).strip() not in _CLOSERS:
                yield self.document.line_span(above)
            if self.is_section(above):
                return
            above = self._above(above)

    def _above(self, index: int) -> int | None:
        """Return the nearest line above that is indented less than line `index`, or a section and not indented more.

        None if there is none within reach. What was found for a line is used for the lines below it.
        """
        indent = self.indent(index)
        if indent < 0:
            return None
        lowest = max(-1, index - 1 - _LINES_ABOVE)
        above = index - 1
        while above > lowest:
            own = self.indent(above)
            if 0 <= own <= indent and (own < indent or self.is_section(above)):
                break
            above = self._steps.get(above, above - 1) if own >= 0 else above - 1
        self._steps[index] = above
        return above if above > lowest else None

    def _find_enclosing_comment(self, index: int) -> Iterator[tuple[int, int]]:
        """Find what encloses a comment: code does by where the comment begins, not by what is in it."""
        indent = self.indent(index)
        column = self._column(index)
        for above in range(index - 1, max(-1, index - 1 - _LINES_ABOVE), -1):
            own = line = self.indent(above)
            if line >= 0 and not self._is_comment(above):
                own += indent - column
            if own < 0 or own > indent or line < 0:
                continue
            section = self.is_section(above)
            if own < indent or section:
                if self.document.line(above, most=_LONGEST_CLOSER).strip() not in _CLOSERS:
                    yield self.document.line_span(above)
                indent = own
                if section:
                    return


def _indent(line: str) -> int:
    text = line.lstrip()
    if not text:
        return -1
    if text[0] in _MARKS:
        lead = _LEAD.match(line)
        return len(lead.group().expandtabs(4)) if lead else 0
    indent = len(line) - len(text)
    return len(line[:indent].expandtabs(4)) if indent else 0


_MARKS = frozenset("#/*-")
