"""The rows of SQLite files as text; in the file itself the columns are glued.

Only pages that hold something long are read. The file may be damaged or hostile: what makes no sense is left out,
nothing raises, and the work is bounded by the size of the file. The format is that of https://sqlite.org/fileformat.html.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

from binance_leaks.detect import prefilter
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.lazy_patterns import lazy_pattern

_MAGIC = b"SQLite format 3\0"
_WAL = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_WAL_HEADER, _FRAME_HEADER, _FILE_HEADER = 32, 24, 100
_ENCODINGS = {2: "utf-16-le", 3: "utf-16-be"}
_TABLE_LEAF, _TABLE_INTERIOR, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x05, 0x0A, 0x02
_HOLDS_ROWS = frozenset({_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR})
_INTERIOR = frozenset({_TABLE_INTERIOR, _INDEX_INTERIOR})
_FIXED_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)
_BLOB, _TEXT = 12, 13
_WORK_PER_BYTE = 4
_CELL_WORK = 8
_LONGEST_NAME = 60
_LONGEST_SQL = 1 << 16
_RUN = b"a" * 64
_ROOT_PAGE, _SQL = 3, 4


@dataclass(frozen=True, kw_only=True, slots=True)
class TableText:
    """Rows as sections of `[table]` and `column = "value"`, a blank line between them.

    `places` leads back: pairs of an offset in the text and the offset in the data of the byte that it came from,
    ascending; what follows is in `encoding` up to the next.
    """

    text: str
    places: tuple[tuple[int, int], ...]
    encoding: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pages:
    """The pages of a database or of its log, which may hold a page several times."""

    data: bytes
    size: int
    starts: Sequence[tuple[int, int]]
    last: Mapping[int, int]

    def usable(self) -> int:
        """Bytes of a page without those that an extension reserved."""
        first = self.last.get(1)
        reserved = self.data[first + 20] if first is not None and first + 20 < len(self.data) else 0
        return max(self.size - reserved, 480)

    def encoding(self) -> str:
        """Return the encoding of text, which the first page names if it is there."""
        first = self.last.get(1, len(self.data))
        return _ENCODINGS.get(_number(self.data, first + 56, 4), "utf-8")

    def start_of(self, at: int) -> int:
        """Return where the page begins that holds a byte."""
        first = self.starts[0][1]
        step = self.starts[1][1] - first if len(self.starts) > 1 else self.size
        return first + (at - first) // step * step

    def header(self, number: int, start: int) -> int:
        """Return where the header of a page is."""
        return start + _FILE_HEADER if number == 1 else start


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    """The bytes of a row, and where in the file its parts begin: offset in the row, offset in the data."""

    payload: bytes
    parts: tuple[tuple[int, int], ...]

    def fields(self) -> Iterator[tuple[int, int, int, int]]:
        """Number, serial type, start and length of every column that is all there."""
        header, at = _varint(self.payload, 0)
        body, column = header, 0
        while at < min(header, len(self.payload)):
            serial, at = _varint(self.payload, at)
            length = _FIXED_SIZES[serial] if serial < _BLOB else (serial - _BLOB) // 2
            if body + length > len(self.payload):
                return
            yield column, serial, body, length
            body += length
            column += 1

    def offset(self, at: int) -> int:
        """Return where in the file a byte of the row is."""
        start, offset = self.parts[bisect_right(self.parts, at, key=itemgetter(0)) - 1]
        return offset + at - start


@dataclass(kw_only=True, slots=True)
class _Budget:
    """The work that is left, so that overlapping cells cannot multiply a file."""

    left: int

    def spend(self, work: int) -> bool:
        """Whether there was enough left."""
        self.left -= work
        return self.left >= 0


@dataclass(kw_only=True, slots=True)
class _Writer:
    encoding: str
    parts: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)

    def value(self, name: str, text: str, offset: int) -> None:
        """One column: its name and its value, which begins at `offset` of the data."""
        self.write(f'{name} = "' if name else '"')
        self.places.append((self.length, offset))
        self.write(text)
        self.write('"\n')


def table_text(data: bytes) -> TableText | None:
    """Return the rows of a SQLite database or write-ahead log; None if `data` is neither or holds nothing long."""
    pages = _pages(data)
    if pages is None:
        return None
    budget = _Budget(left=_WORK_PER_BYTE * len(data))
    holding = {start for _, start in pages.starts if _holds_something(data[start : start + pages.size])}
    if not holding:
        return None
    kinds = {data[pages.header(number, start)] for number, start in pages.starts if start in holding}
    owners = _owners(pages, budget)
    writer = _Writer(encoding=pages.encoding())
    for number, start in pages.starts:
        if start not in holding and kinds <= _HOLDS_ROWS:
            continue  # else an overflow page holds something, and its row may begin anywhere
        for record in _records(pages, number, start, budget):
            if not holding.isdisjoint(pages.start_of(at) for _, at in record.parts):
                _write(writer, record, owners.get(number))
    return TableText(text="".join(writer.parts), places=tuple(writer.places), encoding=writer.encoding)


def _pages(data: bytes) -> _Pages | None:
    if data.startswith(_MAGIC):
        size = _number(data, 16, 2)
        size = 1 << 16 if size == 1 else size
        first, frame = 0, 0
    elif data[:4] in _WAL:
        size, first, frame = _number(data, 8, 4), _WAL_HEADER, _FRAME_HEADER
    else:
        return None
    if size not in (1 << power for power in range(9, 17)):
        return None
    starts = [
        (_number(data, at, 4) if frame else index + 1, at + frame)
        for index, at in enumerate(range(first, len(data), frame + size))
    ]
    return _Pages(data=data, size=size, starts=starts, last=dict(starts))


def _holds_something(page: bytes) -> bool:
    classes = prefilter.classified(page)
    return _RUN in classes or prefilter.holds_wide_text(classes)


def _owners(pages: _Pages, budget: _Budget) -> dict[int, _Table]:
    """The table that every page belongs to."""
    owners: dict[int, _Table] = {}
    seen: set[int] = set()
    for number in _tree(pages, 1, seen, budget):
        for record in _records(pages, number, pages.last[number], budget):
            found = _table(record, pages.encoding())
            if found is not None:
                root, table = found
                owners.update(dict.fromkeys(_tree(pages, root, seen, budget), table))
    return owners


def _tree(pages: _Pages, root: int, seen: set[int], budget: _Budget) -> Iterator[int]:
    """Numbers of the pages of a tree, each page once."""
    waiting = [root]
    while waiting:
        number = waiting.pop()
        start = pages.last.get(number)
        if start is None or number in seen or not budget.spend(_CELL_WORK):
            continue
        seen.add(number)
        yield number
        at = pages.header(number, start)
        if pages.data[at : at + 1] and pages.data[at] in _INTERIOR:
            waiting.append(_number(pages.data, at + 8, 4))
            waiting += [_number(pages.data, start + cell, 4) for cell in _cells(pages, at, start)]


def _cells(pages: _Pages, header: int, start: int) -> Iterator[int]:
    """Offsets of the cells of a page from its start, as its header lists them."""
    first = header + (12 if pages.data[header] in _INTERIOR else 8)
    count = min(_number(pages.data, header + 3, 2), (start + pages.size - first) // 2)
    listed = (_number(pages.data, at, 2) for at in range(first, min(first + 2 * count, len(pages.data)), 2))
    yield from dict.fromkeys(listed)


def _records(pages: _Pages, number: int, start: int, budget: _Budget) -> Iterator[_Record]:
    """The rows of a page."""
    at = pages.header(number, start)
    kind = pages.data[at] if at < len(pages.data) else 0
    if kind not in _HOLDS_ROWS:
        return
    for cell in _cells(pages, at, start):
        length, first = _varint(pages.data, start + cell + (4 if kind == _INDEX_INTERIOR else 0))
        if kind == _TABLE_LEAF:
            _, first = _varint(pages.data, first)
        local = min(_local(length, pages.usable(), table=kind == _TABLE_LEAF), start + pages.size - first)
        if local <= 0:
            continue
        if not budget.spend(local + _CELL_WORK):
            return
        yield _assembled(pages, first, local, length, budget)


def _local(length: int, usable: int, *, table: bool) -> int:
    """Return how much of a row is in its own page."""
    most = usable - 35 if table else (usable - 12) * 64 // 255 - 23
    if length <= most:
        return length
    least = (usable - 12) * 32 // 255 - 23
    local = least + (length - least) % (usable - 4)
    return local if local <= most else least


def _assembled(pages: _Pages, first: int, local: int, length: int, budget: _Budget) -> _Record:
    """Return a row with its overflow pages."""
    chunks, parts, held = [pages.data[first : first + local]], [(0, first)], local
    after = _number(pages.data, first + local, 4) if local < length else 0
    while held < length and after in pages.last and budget.spend(pages.size):
        start = pages.last[after]
        chunk = pages.data[start + 4 : start + min(pages.usable(), 4 + length - held)]
        parts.append((held, start + 4))
        chunks.append(chunk)
        held += len(chunk)
        after = _number(pages.data, start, 4)
    return _Record(payload=b"".join(chunks), parts=tuple(parts))


def _write(writer: _Writer, record: _Record, table: _Table | None) -> None:
    writer.write(f"\n[{table.name}]\n" if table is not None else "\n")
    for column, serial, start, length in record.fields():
        raw = record.payload[start : start + length]
        if serial < _BLOB or not raw or (serial % 2 == 0 and not raw.isascii()):
            continue
        text = raw.decode(writer.encoding if serial % 2 else "ascii", "replace")
        name = table.columns[column] if table is not None and column < len(table.columns) else ""
        writer.value(name, text, record.offset(start))


def _table(record: _Record, encoding: str) -> tuple[int, _Table] | None:
    """Root page and columns of a table, by its row in the schema."""
    fields = {column: (serial, start, length) for column, serial, start, length in record.fields() if column <= _SQL}
    if fields.keys() != set(range(_SQL + 1)):
        return None
    _, start, length = fields[_ROOT_PAGE]
    root = _number(record.payload, start, length)
    texts = [record.payload[at : at + size].decode(encoding, "replace") for _, at, size in fields.values()]
    if texts[0] != "table":
        return None
    return root, _Table(name=_plain_name(texts[1]), columns=_columns(texts[_SQL][:_LONGEST_SQL]))


_TOKEN = lazy_pattern(
    r"--[^\n]*|/\*.*?(?:\*/|\Z)|\"[^\"]*(?:\"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)|'[^']*(?:'|\Z)|[(),]|[^\s(),\"`\[']+",
    re.DOTALL,
)
_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "check", "foreign"})


def _columns(sql: str) -> tuple[str, ...]:
    """Names of the columns in the order in which rows hold them."""
    definitions: list[list[str]] = [[]]
    depth = 0
    options: list[str] = []
    for token in _TOKEN.findall(sql):
        if token.startswith(("--", "/*")):
            continue
        depth += (token == "(") - (token == ")")  # noqa: S105
        if depth == 1 and token == ",":  # noqa: S105
            definitions.append([])
        elif depth >= 1 and (token, depth) != ("(", 1):
            definitions[-1].append(token)
        elif depth == 0:
            options.append(token.lower())
    names = [_plain_name(each[0]) for each in definitions if each and each[0].lower() not in _CONSTRAINTS]
    if options[-2:] != ["without", "rowid"]:
        return tuple(names)
    first = [name for name in _primary(definitions) if name in names]
    return (*first, *(name for name in names if name not in first))


def _primary(definitions: Sequence[Sequence[str]]) -> Iterator[str]:
    """The columns of the primary key, which come first in a table without row numbers."""
    for each in definitions:
        words = [token.lower() for token in each]
        if words[:1] and words[0] not in _CONSTRAINTS:
            if "primary" in words:
                yield _plain_name(each[0])
        elif "primary" in words and "(" in words:
            yield from dict.fromkeys(_plain_name(word) for word in each[words.index("(") + 1 :] if word not in "(),")


def _plain_name(name: str) -> str:
    return re.sub(r"[^\w.$-]+", "_", name[:_LONGEST_NAME].strip("\"'`[]"))


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for index, byte in enumerate(data[at : at + 9]):
        if index == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value, len(data)
