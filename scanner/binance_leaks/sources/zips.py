"""Read the entries of a zip file, by its directory or by searching.

Not with `zipfile`, which holds the whole directory in memory, gives up an archive for one odd name and a truncated one
altogether, and lets a bzip2 member unpack to any size at once. The layout is that of PKWARE's APPNOTE 6.3.10.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from struct import Struct

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.sources.streams import SHORTEST_VALUE, Seekable, UncoveredStream
from binance_leaks.sources.unpack import (
    BZIP2_MEMBER,
    BoundedStream,
    CheckedStream,
    DamagedArchiveError,
    DecompressedStream,
    UnpackBudget,
    open_deflated,
    read_at,
)

_LOCAL = Struct("<4s5H3L2H")
_CENTRAL = Struct("<4s6H3L5H2L")
_END = Struct("<4s4H2LH")
_LOCATOR64 = Struct("<4sLQL")
_END64 = Struct("<4sQ2H2L4Q")
_LOCAL_MAGIC = b"PK\x03\x04"
_END_MAGIC = b"PK\x05\x06"
_CENTRAL_MAGIC = b"PK\x01\x02"
_LONGEST_COMMENT = 0xFFFF
_ELSEWHERE = 0xFFFFFFFF
_ENCRYPTED = 1
_SIZE_FOLLOWS = 8
_STORED, _DEFLATED, _BZIPPED = 0, 8, 12
_SEARCH_STEP = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipEntry:
    """A member as the directory lists it.

    `packed` is its size there; `size` and `crc` are of its content, None where only the end of the content has them.
    """

    name: str
    offset: int
    method: int
    flags: int
    packed: int
    size: int | None
    crc: int | None
    notes: bytes = b""
    """Its comment and extra field, where they are long enough for a value."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a name without content."""
        return self.name.endswith("/") and not self.packed

    @property
    def refusal(self) -> str | None:
        """Why the content cannot be read, in plain English."""
        if self.flags & _ENCRYPTED:
            return "encrypted"
        if self.method == _STORED and self.size is None:
            return "stored without its size"
        return None if self.method in (_STORED, _DEFLATED, _BZIPPED) else "compressed in a way that is not supported"


def list_entries(stream: Seekable) -> Iterator[ZipEntry]:
    """The entries of the directory, one after the other on demand.

    Raises `DamagedArchiveError` where the directory is missing or incomplete.
    """
    at, end, shift = _directory(stream)
    while at < end:
        fixed = _at(stream, at, _CENTRAL.size)
        if len(fixed) < _CENTRAL.size or not fixed.startswith(_CENTRAL_MAGIC):
            raise DamagedArchiveError("the directory of the zip file is corrupt")
        _, _, _, flags, method, _, _, crc, packed, size, name_size, extra_size, comment_size, _, _, _, offset = (
            _CENTRAL.unpack(fixed)
        )
        name_at = at + _CENTRAL.size
        names = _at(stream, name_at, name_size + extra_size)
        noted = max(extra_size, comment_size) >= SHORTEST_VALUE
        notes = _at(stream, name_at + name_size, extra_size + comment_size) if noted else b""
        size, packed, offset = _wide(names[name_size:], size, packed, offset)
        offset += shift
        yield ZipEntry(
            name=_text(names[:name_size]),
            offset=offset,
            method=method,
            flags=flags,
            packed=packed,
            size=size,
            crc=crc,
            notes=notes,
        )
        at = name_at + name_size + extra_size + comment_size


def search_left_out(stream: Seekable, spans: Iterable[tuple[int, int]]) -> Iterator[ZipEntry]:
    """All entries that can be found, if there are some outside of the spans of those in the directory.

    So it is where two zip files were joined, or entries were taken out of the directory. What precedes a zip file, as a
    program does, has none. Raises `DamagedArchiveError`.
    """
    for start, end in UncoveredStream(stream, [*spans, (directory_start(stream), sys.maxsize)]).gaps:
        at = _search(stream, start)
        if at is not None and at < end and bool(start) >= bool(at):
            yield from search_entries(stream)
            return


def has_directory(stream: Seekable) -> bool:
    """Whether there is a zip file with a directory, whatever is in front of it. No OSError comes from here."""
    try:
        at, end, _ = _directory(stream)
        return at < end and _at(stream, at, len(_CENTRAL_MAGIC)) == _CENTRAL_MAGIC
    except OSError:
        return False


def search_entries(stream: Seekable) -> Iterator[ZipEntry]:
    """The entries that are found by their own headers, for a zip file without a directory."""
    length = stream.seek(0, 2)
    at = _search(stream, 0)
    while at is not None:
        fixed = _at(stream, at, _LOCAL.size)
        if len(fixed) < _LOCAL.size:
            return
        _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack(fixed)
        names = _at(stream, at + _LOCAL.size, name_size + extra_size)
        size, packed, _ = _wide(names[name_size:], size, packed, 0)
        start = at + _LOCAL.size + name_size + extra_size
        unknown = bool(flags & _SIZE_FOLLOWS)
        if start <= length:
            yield ZipEntry(
                name=_text(names[:name_size]),
                offset=at,
                method=method,
                flags=flags,
                packed=length - start if unknown else packed,
                size=None if unknown else size,
                crc=None if unknown else crc,
            )
        at = _search(stream, start if unknown else start + packed)


def read_trailer(stream: Seekable) -> bytes:
    """The comment of the zip file and what else follows its directory.

    Raises `DamagedArchiveError`.
    """
    return _end(stream)[1][_END.size :]


def directory_spans(stream: Seekable) -> tuple[tuple[int, int], tuple[int, int]]:
    """Start and end of the directory with its record, and of all that is behind them. Raises `DamagedArchiveError`.

    In between is what a record for large archives may be extended with.
    """
    start, end, _ = _directory(stream)
    last = _end(stream)[0]
    if end == last:
        return (start, end), (end, sys.maxsize)
    return (start, end + _END64.size), (last - _LOCATOR64.size, sys.maxsize)


def locate(stream: Seekable, entry: ZipEntry) -> tuple[int, int]:
    """Where the header of an entry ends, as far as it is as in the directory, and where its content starts.

    Raises `DamagedArchiveError`.
    """
    fixed = _at(stream, entry.offset, _LOCAL.size)
    if len(fixed) < _LOCAL.size or not fixed.startswith(_LOCAL_MAGIC):
        raise DamagedArchiveError("the zip file has no such member at the offset in its directory")
    at = entry.offset + _LOCAL.size
    name_size, extra_size = _LOCAL.unpack(fixed)[-2:]
    name = _at(stream, at, name_size)
    return at + (len(name) if _text(name) == entry.name else 0), at + name_size + extra_size


def directory_start(stream: Seekable) -> int:
    """Where the directory starts. Raises `DamagedArchiveError`."""
    return _directory(stream)[0]


def open_member(stream: Seekable, entry: ZipEntry, start: int, budget: UnpackBudget) -> CheckedStream:
    """The content of an entry that is not refused, and starts at an offset; it must be read before another's."""
    stream.seek(start)
    if entry.method == _STORED:
        return CheckedStream(BoundedStream(stream, entry.packed, budget), size=entry.size, crc=entry.crc)
    packed = BoundedStream(stream, entry.packed)
    if entry.method == _DEFLATED:
        content = open_deflated(packed, entry.packed, entry.size, budget)
    else:
        content = DecompressedStream(packed, BZIP2_MEMBER, budget)
    return CheckedStream(content, size=entry.size, crc=entry.crc)


def _directory(stream: Seekable) -> tuple[int, int, int]:
    """Start and end of the directory, and by how much all offsets are off because something precedes the file."""
    end, tail = _end(stream)
    *_, size, offset, _ = _END.unpack_from(tail)
    wide = _at(stream, max(0, end - _LOCATOR64.size), _LOCATOR64.size)
    if wide.startswith(b"PK\x06\x07"):
        end64 = _LOCATOR64.unpack(wide)[2]
        record = _at(stream, end64, _END64.size)
        if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
            raise DamagedArchiveError("the directory of the zip file is corrupt")
        end = end64
        *_, size, offset = _END64.unpack(record)
    if size > end:
        raise DamagedArchiveError("the directory of the zip file is corrupt")
    return end - size, end, end - size - offset


def _end(stream: Seekable) -> tuple[int, bytes]:
    """The offset of the record at the end of the directory, and all from there on."""
    length = stream.seek(0, 2)
    tail_at = max(0, length - _END.size - _LONGEST_COMMENT)
    tail = _at(stream, tail_at, length - tail_at)
    found_at = tail.rfind(_END_MAGIC, 0, max(0, len(tail) - _END.size + len(_END_MAGIC)))
    if found_at < 0:
        raise DamagedArchiveError("the zip file has no directory: it is truncated or corrupt")
    return tail_at + found_at, tail[found_at:]


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Take sizes and offset that do not fit in 32 bits from the zip64 field."""
    values = [size, packed, offset]
    while len(extra) >= 4:
        kind, length = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        if kind == 1:
            field = extra[4 : 4 + length]
            for index, value in enumerate(values):
                if value == _ELSEWHERE and len(field) >= 8:
                    values[index], field = int.from_bytes(field[:8], "little"), field[8:]
        extra = extra[4 + length :]
    return values[0], values[1], values[2]


def _search(stream: Seekable, at: int) -> int | None:
    """The offset of the next header of a member, from `at` on."""
    while data := _at(stream, at, _SEARCH_STEP):
        inside = data.find(_LOCAL_MAGIC)
        if inside >= 0:
            return at + inside
        if len(data) < _SEARCH_STEP:
            return None
        at += len(data) - len(_LOCAL_MAGIC) + 1
    return None


def _at(stream: Seekable, offset: int, size: int) -> bytes:
    """`size` bytes at `offset`, fewer where the stream ends; raises OSError."""
    return read_at(stream, offset, size, "zip file")


def _text(name: bytes) -> str:
    """A name in UTF-8, else in the code page of the format's first days, which has every byte."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")
