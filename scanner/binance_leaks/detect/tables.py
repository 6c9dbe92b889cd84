"""Roles by column: CSV and TSV files, Markdown and other tables, SQL inserts."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property

from binance_leaks.detect.candidates import Candidate
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import Name, Strength, read_name
from binance_leaks.detect.nearby_names import clean
from binance_leaks.lazy_patterns import lazy_pattern

_DELIMITERS = (",", "\t", ";", "|", "<")
_ANY_DELIMITER = lazy_pattern(r"[,\t;|<]")
_CELL_EDGE = lazy_pattern(r"<(?:(?P<closing>/)(?:td|th|Cell)|(?:td|th|Cell)\b[^<>]*)>", re.IGNORECASE)
_HEADER_CELL = lazy_pattern(r"[^\W\d_][\w .#/()-]{0,39}")
_ANY_TAG = lazy_pattern(r"<[^<>]*>")
_HEADER_SEARCH = 200
_INSERT = lazy_pattern(
    r"(?:insert\s+into|copy|replace\s+into)\s+[\w.\"`\[\]]+\s*\(([^()]{3,1000})\)\s*(?:values|from|output|select)",
    re.IGNORECASE,
)
_SQL_LEAD = 20_000
_SQL_WORDS = (b"insert", b"replace", b"copy ")
_LONG = 48
_SQL_ROW = 3000
_LONGEST_BETWEEN = 200
_QUOTED = lazy_pattern(r"'[^']*'")
_STATEMENT_END = lazy_pattern(r";[^\S\n]*\n")


class Tables:
    """The tables of a document: text tables with a header, and SQL inserts. Make one for each document.

    What was found of a header is kept: it holds for the rows below it.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._headers: dict[tuple[str, int], tuple[int, list[str] | None]] = {}
        self._rows: dict[tuple[int, str], list[str] | None] = {}
        self._inserts: dict[int, re.Match[str] | None] = {}

    def column_name(self, candidate: Candidate) -> Name | None:
        """Return the header of the value's column, if the value is in a table with a header that names a role."""
        return self._sql_column(candidate) or self._table_column(candidate)

    def _table_column(self, candidate: Candidate) -> Name | None:
        document = self._document
        index = document.line_index(candidate.start)
        start, end = document.line_span(index)
        if end - start > 4000:
            return None
        line = document.text[start:end]
        if not _ANY_DELIMITER.search(line):
            return None
        for delimiter in _DELIMITERS:
            cells = self._cells_of(index, delimiter) if delimiter in line else None
            if cells is None:
                continue
            value = document.text[candidate.start : candidate.end]
            column = next((at for at, cell in enumerate(cells) if value in cell), None)
            if column is None:
                continue
            header = self._header(index, delimiter, len(cells))
            if header:
                return _named(header, column)
        return None

    def _header(self, index: int, delimiter: str, width: int) -> list[str] | None:
        """Return the nearest line above with as many cells, one of which names a role, or what the row before found."""
        document = self._document
        last, found = self._headers.get((delimiter, width), (-1, None))
        if last == index:
            return found
        lowest = last if index - _HEADER_SEARCH <= last < index else max(-1, index - 1 - _HEADER_SEARCH)
        result = found if lowest == last >= 0 else None
        for above in range(index - 1, lowest, -1):
            start, end = document.line_span(above)
            if end - start > 2000 or self._holds_long_run(above):
                continue
            cells = self._cells_of(above, delimiter)
            if cells is None:
                if document.text[start:end].strip(" |+-=:#/*"):
                    result = None
                    break
                continue
            if len(cells) == width and _is_header(cells):
                result = cells
                break
        self._headers[delimiter, width] = (index, result)
        return result

    def _cells_of(self, index: int, delimiter: str) -> list[str] | None:
        """Return the cells of a line; None if it has no such delimiter."""
        key = index, delimiter
        if key not in self._rows:
            text = self._document.line(index)
            self._rows[key] = _cells(text, delimiter) if delimiter in text else None
        return self._rows[key]

    def _holds_long_run(self, index: int) -> bool:
        start, end = self._document.line_span(index)
        at = bisect_right(self._document.runs, (start, start))
        return any(
            max(first, start) + _LONG <= min(last, end) for first, last in self._document.runs[max(0, at - 1) : at + 1]
        )

    def _sql_column(self, candidate: Candidate) -> Name | None:
        at = bisect_left(self._statements, candidate.start) - 1
        first = self._statements[at] if at >= 0 else -_SQL_LEAD
        if candidate.start - first > _SQL_LEAD:
            return None
        if first not in self._inserts:
            self._inserts[first] = _INSERT.match(self._document.text, first, first + _SQL_LEAD)
        insert = self._inserts[first]
        if insert is None or insert.end() > candidate.start:
            return None
        return _insert_column(self._document, insert, candidate)

    @cached_property
    def _statements(self) -> list[int]:
        """Offsets of the words that begin an insert."""
        lower = self._document.lower
        return sorted(match.start() for word in _SQL_WORDS for match in re.finditer(word, lower))


def _insert_column(document: Document, insert: re.Match[str], candidate: Candidate) -> Name | None:
    columns = [column.strip(" \t\r\n\"'`[]") for column in insert.group(1).split(",")]
    row = document.text[max(insert.end(), candidate.start - _SQL_ROW) : candidate.start]
    if "stdin" in document.text[insert.end() : insert.end() + 40].lower():
        return _named(columns, row.rsplit("\n", 1)[-1].count("\t"))
    if ";" in row and _STATEMENT_END.search(_QUOTED.sub("", row)):
        return None
    return _named(columns, _arguments_before(row[_last_row(row) :]))


def _last_row(rows: str) -> int:
    """Return where the last tuple begins that follows another, 0 if none does."""
    at = rows.rfind("(")
    while at >= 0:
        lead = rows[max(0, at - _LONGEST_BETWEEN) : at].rstrip()
        if lead.endswith(",") and lead[:-1].rstrip().endswith(")"):
            return at
        at = rows.rfind("(", 0, at)
    return 0


def _arguments_before(row: str) -> int:
    """Count the commas outside quotes and inner parentheses in the tuple that is open at the end of `row`."""
    depth, commas, quote = 0, 0, ""
    for char in row:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            depth += 1
            commas = 0 if depth == 1 else commas
        elif char == ")":
            depth -= 1
        elif char == "," and depth == 1:
            commas += 1
    return commas


def _is_header(cells: list[str]) -> bool:
    """Whether cells are names, two at least, and one of them that of a credential."""
    named = [cell for cell in cells if cell]
    if len(named) < 2 or not all(_HEADER_CELL.fullmatch(cell) for cell in named):
        return False
    return any(read_name(cell).strength > Strength.WEAK for cell in named)


def _cells(text: str, delimiter: str) -> list[str]:
    if delimiter == "<":
        return [_ANY_TAG.sub("", cell).strip() for cell in _marked_up_cells(text)]
    text = clean(text).strip()
    if delimiter == "|":
        return [cell.strip(" \t*`_") for cell in text.strip("|").split("|")]
    if text and '"' not in text and "\r" not in text:
        return [cell.strip(" \t\"'`#*/") for cell in text.split(delimiter)]
    import csv  # start-up: few tables have quotation marks

    try:
        return [
            cell.strip(" \t\"'`#*/")
            for cell in next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
        ]
    except csv.Error:
        return [cell.strip() for cell in text.split(delimiter)]


def _marked_up_cells(text: str) -> Iterator[str]:
    begun = None
    for edge in _CELL_EDGE.finditer(text):
        if begun is None and not edge["closing"]:
            begun = edge.end()
        elif begun is not None and edge["closing"]:
            yield text[begun : edge.start()]
            begun = None


def _named(columns: list[str], index: int) -> Name | None:
    if not 0 <= index < len(columns):
        return None
    name = read_name(columns[index])
    return name if name.role or name.excluded else None
