"""Messages in tables: rows of a file with commas whose header names a text and a date, or an author."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from binance_leaks.detect.message_parts import AUTHORS, DATES, LONGEST_NAME, TEXTS, Message, normalized
from binance_leaks.lazy_patterns import lazy_pattern

_CELL_END = lazy_pattern(rb"[,\n]")
_NO_NAME = lazy_pattern(rb"[=:;{}<>]")
_LONGEST_HEADER = 20_000
_MOST_CELLS = 2_000


class Columns(NamedTuple):
    """Where the rows begin, and the numbers of the columns for texts, author and date."""

    body: int
    texts: frozenset[int]
    author: int
    date: int

    def read(self, data: bytes, start: int, end: int) -> Iterator[Message]:
        """Yield the messages of a part of the file."""
        at = self._row_start(data, start)
        while at < end:
            cells: list[tuple[int, int]] = []
            while len(cells) < _MOST_CELLS:
                first, last, behind = _cell_at(data, at)
                cells.append((first, last))
                at = behind + 1
                if data[behind : behind + 1] != b",":
                    break
            texts = [cells[column] for column in sorted(self.texts) if column < len(cells)]
            texts = [(first, last) for first, last in texts if first < last]
            author, date = (self._cell(data, cells, column) for column in (self.author, self.date))
            if texts and (author or date):
                yield Message(
                    author=author, date=date, parts=[(first, last, b"\n") for first, last in texts], covered=texts
                )
            if at >= len(data):
                return

    def _row_start(self, data: bytes, start: int) -> int:
        """The start of the row at an offset, or of one before it: line ends between quotes end no row."""
        at = data.rfind(b"\n", self.body, start) + 1
        quotes = data.count(b'"', self.body, at) if at > self.body else 0
        while at > self.body and quotes % 2:
            before = data.rfind(b"\n", self.body, at - 1) + 1
            quotes -= data.count(b'"', max(before, self.body), at)
            at = before
        return max(at, self.body)

    def _cell(self, data: bytes, cells: list[tuple[int, int]], column: int) -> str:
        if not 0 <= column < len(cells):
            return ""
        start, end = cells[column]
        return data[start : min(end, start + LONGEST_NAME)].decode("utf-8", "replace").strip()


def _cell_at(data: bytes, at: int) -> tuple[int, int, int]:
    """Start and end of the cell at an offset, and the offset of the comma or line end behind it."""
    start, end = at, at
    if data.startswith(b'"', at):
        start = at + 1
        end = data.find(b'"', start)
        while end >= 0 and data.startswith(b'"', end + 1):
            end = data.find(b'"', end + 2)
        if end < 0:
            return start, len(data), len(data)
    stop = _CELL_END.search(data, end)
    behind = stop.start() if stop is not None else len(data)
    return (start, end if start > at else behind, behind)


def columns_of(data: bytes) -> Columns | None:
    """Return the columns by the header in the first line, None where it has no text with an author or a date."""
    end = data.find(b"\n", 0, _LONGEST_HEADER)
    header = data[: max(end, 0)].removeprefix(b"\xef\xbb\xbf")
    if b"," not in header:
        return None
    names = [normalized(name.strip(b" \t\r\"'")) for name in header.split(b",")]
    texts = frozenset(index for index, name in enumerate(names) if name in TEXTS)
    authors = [index for index, name in enumerate(names) if name in AUTHORS]
    author = max(authors, key=lambda index: (AUTHORS[names[index]], -index), default=-1)
    date = next((index for index, name in enumerate(names) if name in DATES), -1)
    if not texts or date < 0 or _NO_NAME.search(header) is not None:
        return None
    return Columns(body=end + 1, texts=texts, author=author, date=date)
