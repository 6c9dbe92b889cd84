"""Messages of Outlook (`.msg`): the streams of their compound file (MS-CFB) with text and attachments (MS-OXMSG).

Of a compound file only the directory and the chains of sectors are read; each chain is bounded by the size of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from binance_leaks.sources.mail import MailPart, author_of, plain_text
from binance_leaks.sources.unpack import DamagedArchiveError, UnpackBudget

_ENTRY = 128
_MINI = 64
_END = 0xFFFFFFFA
"""What marks no sector: free, the end of a chain, or a sector of the table."""
_FIRST_DIFAT = 109
_MOST_ENTRIES = 20_000
_MOST_PROPERTIES = 64 << 10
"""Bytes of fixed properties in which the date is looked for."""
_PROPERTIES = "__properties_version1.0"
_NUMBER = "__substg1.0_"
_MARKER = _PROPERTIES.encode("utf-16-le")
_SHORTEST = 48
_DEEPEST = 4
_STORAGE, _STREAM = 1, 2
_TEXT, _NARROW, _BINARY = "001F", "001E", "0102"
_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_SENDER, _ADDRESS = "0C1A", "5D01"
_FILE_NAME, _SHORT_NAME, _DATA = "3707", "3704", "3701"
_SENT = (0x00390040, 0x0E060040, 0x30070040)
_EPOCH = datetime(1601, 1, 1, tzinfo=timezone.utc)
_DAMAGED = "the message of Outlook is damaged"


class _Entry(NamedTuple):
    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


def is_message(data: bytes) -> bool:
    """Whether a compound file is a message of Outlook, by the name of a stream that each has."""
    return _MARKER in data


def read_parts(data: bytes, budget: UnpackBudget) -> Iterator[MailPart]:
    """The text of a message, its attachments, and the text of messages in it.

    Raises DamagedArchiveError, also after all parts where storages share what is in them, and OverLimitError.
    """
    try:
        file = _CompoundFile(data, budget)
        yield from _message(file, file.children(0), 0)
        yield MailPart(author="", date="", content=file.left(), name="rest")
        if file.has_shared_entries:
            raise DamagedArchiveError(_DAMAGED)
    except (struct.error, IndexError):
        raise DamagedArchiveError(_DAMAGED) from None


def _message(file: _CompoundFile, entries: Sequence[_Entry], depth: int) -> Iterator[MailPart]:
    streams = {entry.name.removeprefix(_NUMBER): entry for entry in entries if entry.kind == _STREAM}
    author = author_of(_property(file, streams, _SENDER), _property(file, streams, _ADDRESS))
    date = next((_date(file.read(entry)) for entry in entries if entry.name == _PROPERTIES), "")
    handled = {_SUBJECT, _BODY, _HTML}
    for number in (_SUBJECT, _BODY):
        text = _property(file, streams, number)
        if text:
            yield MailPart(author=author, date=date, content=text.encode("utf-8", "replace"))
    html = streams.get(_HTML + _BINARY)
    if html is not None:
        text = plain_text(file.read(html).decode("utf-8", "replace"))
        yield MailPart(author=author, date=date, content=text.encode("utf-8", "replace"))
    if _RTF + _BINARY in streams and html is None and not _property(file, streams, _BODY):
        raise DamagedArchiveError("its text is compressed RTF, which is not read")
    for name, entry in streams.items():
        if name[:4] not in handled and name != _PROPERTIES and entry.size >= _SHORTEST:
            yield MailPart(author=author, date=date, content=file.read(entry), name=f"property {name}")
    for entry in entries:
        if entry.kind != _STORAGE or depth > _DEEPEST:
            continue
        inside = file.children_of(entry)
        held = {one.name.removeprefix(_NUMBER): one for one in inside if one.kind == _STREAM}
        content = held.get(_DATA + _BINARY)
        if content is not None:
            name = _property(file, held, _FILE_NAME) or _property(file, held, _SHORT_NAME) or "attachment"
            yield MailPart(author=author, date=date, content=file.read(content), name=name)
        for one in inside:
            if one.kind == _STORAGE:
                yield from _message(file, file.children_of(one), depth + 1)


def _property(file: _CompoundFile, streams: dict[str, _Entry], number: str) -> str:
    wide, narrow = streams.get(number + _TEXT), streams.get(number + _NARROW)
    if wide is not None:
        return file.read(wide).decode("utf-16-le", "replace")
    return file.read(narrow).decode("cp1252", "replace") if narrow is not None else ""


def _date(properties: bytes) -> str:
    """When it was sent, in the fixed properties: entries of 16 bytes behind a header of 32, 24 or 8."""
    found: dict[int, int] = {}
    for start in (32, 24, 8):
        for at in range(start, min(len(properties), _MOST_PROPERTIES) - 15, 16):
            tag, _, ticks = struct.unpack_from("<IIQ", properties, at)
            if tag in _SENT:
                found.setdefault(tag, ticks)
    ticks = next((found[tag] for tag in _SENT if tag in found), 0)
    try:
        return f"{_EPOCH + timedelta(microseconds=ticks // 10):%Y-%m-%d %H:%M:%S} UTC" if ticks else ""
    except OverflowError:
        return ""


class _CompoundFile:
    """The directory and streams of a compound file in memory."""

    def __init__(self, data: bytes, budget: UnpackBudget) -> None:
        self._data = data
        self._budget = budget
        self._listed: set[int] = set()
        self.has_shared_entries = False
        """Whether an entry was met in two places: it is listed in the first only."""
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        tables, directory, _, self._cutoff, mini_table, _, difat, _ = struct.unpack_from("<IIIIIIII", data, 44)
        if shift not in (9, 12) or mini_shift != 6:
            raise DamagedArchiveError(_DAMAGED)
        self._sector = 1 << shift
        self._most = len(data) // self._sector + 1
        self._used: set[int] = set()
        self._used_mini: set[int] = set()
        numbers = [*struct.unpack_from(f"<{_FIRST_DIFAT}I", data, 76), *self._further_tables(difat)]
        used = [number for number in numbers if number < _END][: min(tables, self._most)]
        table = b"".join(map(self._sector_at, used))
        self._next = struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])
        self._used.update(used)
        self._entries = list(map(_entry, _pieces(self._chain(directory), _ENTRY)))[:_MOST_ENTRIES]
        mini = self._chain(mini_table)
        self._next_mini = struct.unpack(f"<{len(mini) // 4}I", mini[: len(mini) // 4 * 4])
        self._mini = self._chain(self._entries[0].start)

    def left(self) -> bytes:
        """What no stream that was read has: deleted messages, and all that a damaged directory does not lead to."""
        sectors = [self._sector_at(number) for number in range(self._most - 1) if number not in self._used]
        mini = [piece for number, piece in enumerate(_pieces(self._mini, _MINI)) if number not in self._used_mini]
        return b"".join((*mini, *sectors))

    def children(self, index: int) -> list[_Entry]:
        """The streams and storages in the storage at an index of the directory."""
        return self.children_of(self._entries[index])

    def children_of(self, storage: _Entry) -> list[_Entry]:
        """The streams and storages in a storage that were listed in no other."""
        found: list[_Entry] = []
        waiting = [storage.child]
        while waiting:
            index = waiting.pop()
            if not 0 < index < len(self._entries):
                continue
            if index in self._listed:
                self.has_shared_entries = True
                continue
            self._listed.add(index)
            entry = self._entries[index]
            found.append(entry)
            waiting += [entry.right, entry.left]
        return found

    def read(self, stream: _Entry) -> bytes:
        """The content of a stream. Raises DamagedArchiveError where it is cut, OverLimitError."""
        content = self._mini_chain(stream.start) if stream.size < self._cutoff else self._chain(stream.start)
        self._budget.spend(len(content))
        if len(content) < stream.size:
            raise DamagedArchiveError(_DAMAGED)
        return content[: stream.size]

    def _further_tables(self, start: int) -> list[int]:
        numbers: list[int] = []
        steps = 0
        while start < _END and steps < self._most:
            sector = struct.unpack(f"<{self._sector // 4}I", self._sector_at(start))
            numbers += sector[:-1]
            start = sector[-1]
            steps += 1
        return numbers

    def _sector_at(self, number: int) -> bytes:
        start = (number + 1) * self._sector
        data = self._data[start : start + self._sector]
        return data if len(data) == self._sector else data.ljust(self._sector, b"\0")

    def _chain(self, start: int) -> bytes:
        parts: list[bytes] = []
        while start < len(self._next) and len(parts) < self._most:
            parts.append(self._sector_at(start))
            self._used.add(start)
            start = self._next[start]
        return b"".join(parts)

    def _mini_chain(self, start: int) -> bytes:
        parts: list[bytes] = []
        while start < len(self._next_mini) and len(parts) * _MINI < min(self._cutoff, len(self._mini)):
            parts.append(self._mini[start * _MINI : start * _MINI + _MINI])
            self._used_mini.add(start)
            start = self._next_mini[start]
        return b"".join(parts)


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data) - size + 1, size)]


def _entry(raw: bytes) -> _Entry:
    length = min(struct.unpack_from("<H", raw, 64)[0], 64)
    name = raw[: max(0, length - 2)].decode("utf-16-le", "replace")
    left, right, child = struct.unpack_from("<III", raw, 68)
    start, size = struct.unpack_from("<II", raw, 116)
    return _Entry(name=name, kind=raw[66], left=left, right=right, child=child, start=start, size=size)
