"""A pack and its index; read an object of it by following its delta chain."""

from __future__ import annotations

import mmap
import os
import stat
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from binance_leaks.sources.objects.codec import DamagedObjectError, PackCodec, delta_sizes

_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_HEADER, _FANOUT = 8, 1024
_LARGE = 1 << 31


class DamagedPackError(Exception):
    """A pack or its index does not match the format."""


class OldIndexError(Exception):
    """The index of a pack is of version 1, which is left to git.

    `ids` are the objects in it.
    """

    def __init__(self, ids: list[bytes]) -> None:
        super().__init__("its index is of version 1")
        self.ids = ids


class Pack:
    """A pack, mapped into memory; entries are numbered from 0 in file order.

    Raises DamagedPackError where pack or index cannot be relied on, OldIndexError, and OSError where they cannot be
    read. See gitformat-pack for what is read here: index version 2, offsets of 31 and 64 bits, SHA-1 and SHA-256.
    """

    def __init__(self, path: Path, id_size: int) -> None:
        self.path = path
        self.id_size = id_size
        self.data = _mapped(path)
        self._index = _mapped(path.with_suffix(".idx"))
        if self.data[:4] != b"PACK" or self.data[4:8] not in (b"\0\0\0\2", b"\0\0\0\3"):
            raise DamagedPackError("it is no pack")
        if len(self._index) < _HEADER + _FANOUT:
            raise DamagedPackError("its index is cut short")
        if self._index[:8] != _MAGIC:
            raise OldIndexError(_ids_of_version_1(self._index, id_size))
        fanout = struct.unpack(">256I", self._index[_HEADER : _HEADER + _FANOUT])
        self.count: int = fanout[255]
        if list(fanout) != sorted(fanout) or struct.unpack(">I", self.data[8:12])[0] != self.count:
            raise DamagedPackError("its index does not fit it")
        self._fanout = (0, *fanout)
        self._names = _HEADER + _FANOUT
        if len(self._index) < self._names + self.count * (id_size + 8) + 2 * id_size:
            raise DamagedPackError("its index is cut short")
        self._unsorted = self._read_offsets()
        self._position_of = array("I", sorted(range(self.count), key=self._unsorted.__getitem__))
        """For each entry the position of its id in the index."""
        self.offsets = array("Q", map(self._unsorted.__getitem__, self._position_of))
        """Where each entry begins, and at last where the entries end."""
        end = len(self.data) - id_size
        if self.count and (self.offsets[0] < 12 or self.offsets[-1] >= end):
            raise DamagedPackError("its index points outside of it")
        self.offsets.append(end)

    def __reduce__(self) -> tuple[type[Pack], tuple[Path, int]]:
        return Pack, (self.path, self.id_size)

    def id_at(self, entry: int) -> bytes:
        """The object id of an entry, as bytes."""
        position = self._position_of[entry]
        start = self._names + position * self.id_size
        return self._index[start : start + self.id_size]

    def entry_of(self, name: bytes) -> int | None:
        """The entry with this object id, None where it is in another pack or nowhere."""
        low, high = self._fanout[name[0]], self._fanout[name[0] + 1]
        while low < high:
            middle = (low + high) // 2
            start = self._names + middle * self.id_size
            found = self._index[start : start + self.id_size]
            if found == name:
                return self.entry_at(self._unsorted[middle])
            if found < name:
                low = middle + 1
            else:
                high = middle
        return None

    def entry_at(self, offset: int) -> int | None:
        """The entry that begins at an offset of the file, None where none does."""
        entry = bisect_left(self.offsets, offset, 0, self.count)
        return entry if entry < self.count and self.offsets[entry] == offset else None

    def ids(self, first_byte: int) -> list[bytes]:
        """All object ids that begin with a byte, ascending."""
        low, high = self._fanout[first_byte], self._fanout[first_byte + 1]
        block = self._index[self._names + low * self.id_size : self._names + high * self.id_size]
        return [block[at : at + self.id_size] for at in range(0, len(block), self.id_size)]

    def id_starts(self) -> array[int]:
        """The first 64 bits of every object id, ascending."""
        words, step = array("I"), self.id_size // 4
        words.frombytes(self._index[self._names : self._names + self.count * self.id_size])
        pairs = array("I", bytes(8 * self.count))
        pairs[0::2], pairs[1::2] = words[0::step], words[1::step]
        starts = array("Q", pairs.tobytes())
        if sys.byteorder == "little":
            starts.byteswap()
        return starts

    def _read_offsets(self) -> array[int]:
        start = self._names + self.count * (self.id_size + 4)
        short = array("I", self._index[start : start + 4 * self.count])
        if sys.byteorder == "little":
            short.byteswap()
        if not self.count or max(short) < _LARGE:
            return short
        try:
            table = array("Q", self._index[start + 4 * self.count : len(self._index) - 2 * self.id_size])
            if sys.byteorder == "little":
                table.byteswap()
            return array("Q", [table[offset - _LARGE] if offset >= _LARGE else offset for offset in short])
        except (IndexError, ValueError):  # the latter where the table ends within an offset
            raise DamagedPackError("its index points outside of it") from None


def _ids_of_version_1(index: mmap.mmap, id_size: int) -> list[bytes]:
    count = struct.unpack(">I", index[_FANOUT - 4 : _FANOUT])[0]
    step = 4 + id_size
    if len(index) != _FANOUT + count * step + 2 * id_size:
        raise DamagedPackError("its index is of an unknown version, or damaged")
    return [index[at + 4 : at + step] for at in range(_FANOUT, _FANOUT + count * step, step)]


def _mapped(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise DamagedPackError(f"{path.name} is not a regular file")
        if status.st_size < 32:
            raise DamagedPackError(f"{path.name} is cut short")
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)


LARGEST = 8 << 20
"""Bytes of an object that is put together here; larger ones are left to git."""
_LONGEST_CHAIN = 10_000
_TYPES = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
OFS_DELTA, _REF_DELTA = 6, 7
MOST_INFLATED, MOST_COPIED = 1040, 1 << 22
"""The most bytes that one byte of deflated data can become, and one of a delta."""


class ForgedObjectError(DamagedObjectError):
    """An entry declares what is impossible: it must not be unpacked."""


def read_header(data: memoryview, at: int) -> tuple[int, int, int]:
    """The type of the entry at an offset, its unpacked size, and the end of its header."""
    byte = data[at]
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    at += 1
    while byte & 128 and shift < 60:
        byte = data[at]
        at += 1
        size |= (byte & 127) << shift
        shift += 7
    return kind, size, at


def check_size(size: int, packed: int) -> None:
    """Raise DamagedObjectError for an entry of a size that is not unpacked here."""
    if size > LARGEST:
        if size > packed * MOST_INFLATED:
            raise ForgedObjectError("its size cannot be")
        raise DamagedObjectError("too large to hold")


def check_result_size(size: int, delta: int) -> None:
    """Raise DamagedObjectError for a delta whose result is too large or too small."""
    if size > LARGEST:
        if size > delta * MOST_COPIED:
            raise ForgedObjectError("its size cannot be")
        raise DamagedObjectError("too large to hold")


def read_object(packs: Sequence[Pack], name: bytes, codec: PackCodec) -> tuple[str, bytes] | None:
    """Type and content of an object that is in one of some packs.

    Returns None where it is not, or is left to git.
    """
    for pack in packs:
        entry = pack.entry_of(name)
        if entry is None:
            continue
        try:
            return _read(pack, entry, codec)
        except (DamagedObjectError, IndexError, MemoryError):
            continue
    return None


def _read(pack: Pack, entry: int, codec: PackCodec) -> tuple[str, bytes] | None:
    deltas: list[bytes] = []
    with memoryview(pack.data) as data:
        for _ in range(_LONGEST_CHAIN):
            start, end = pack.offsets[entry], pack.offsets[entry + 1]
            kind, size, at = read_header(data, start)
            check_size(size, end - start)
            if kind in _TYPES:
                content = codec.inflate(data[at:end], size)
                for delta in reversed(deltas):
                    check_result_size(delta_sizes(delta)[1], len(delta))
                    content = codec.apply(content, delta)
                return _TYPES[kind], content
            base, at = _base(pack, data, kind, start, at)
            deltas.append(codec.inflate(data[at:end], size))
            if base is None or sum(map(len, deltas)) > 4 * LARGEST:
                return None
            entry = base
    return None


def _base(pack: Pack, data: memoryview, kind: int, start: int, at: int) -> tuple[int | None, int]:
    """The entry that a delta is made of, and where its data begin."""
    if kind == _REF_DELTA:
        return pack.entry_of(bytes(data[at : at + pack.id_size])), at + pack.id_size
    if kind != OFS_DELTA:
        return None, at
    byte = data[at]
    back = byte & 127
    at += 1
    while byte & 128 and back < start:
        byte = data[at]
        back = ((back + 1) << 7) | (byte & 127)
        at += 1
    return pack.entry_at(start - back), at
