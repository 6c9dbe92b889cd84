"""Read one object from the packs by following its delta chain."""

from __future__ import annotations

from collections.abc import Sequence

from binance_leaks.sources.objects.codec import DamagedObjectError, PackCodec, delta_sizes
from binance_leaks.sources.objects.pack import Pack

LARGEST = 8 << 20
"""Bytes of an object that is put together here; larger ones are left to git."""
_LONGEST_CHAIN = 10_000
_TYPES = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFS_DELTA, _REF_DELTA = 6, 7
# The most bytes that one byte of deflated data can become, and one of a delta.
_MOST_INFLATED, _MOST_COPIED = 1040, 1 << 22


class ForgedObjectError(DamagedObjectError):
    """An entry says of itself what cannot be: nobody should try to unpack it."""


def read_header(data: memoryview, at: int) -> tuple[int, int, int]:
    """The type of the entry at an offset, its unpacked size, and where its header ends."""
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
        if size > packed * _MOST_INFLATED:
            raise ForgedObjectError("its size cannot be")
        raise DamagedObjectError("too large to hold")


def check_result_size(size: int, delta: int) -> None:
    """Raise DamagedObjectError for a delta whose result has a size that is not made here."""
    if size > LARGEST:
        if size > delta * _MOST_COPIED:
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
    if kind != _OFS_DELTA:
        return None, at
    byte = data[at]
    back = byte & 127
    at += 1
    while byte & 128 and back < start:
        byte = data[at]
        back = ((back + 1) << 7) | (byte & 127)
        at += 1
    return pack.entry_at(start - back), at
