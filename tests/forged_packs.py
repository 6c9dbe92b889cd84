"""Writes packs that git would not: with sizes, deltas and indexes that lie."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BLOB, OFS_DELTA, REF_DELTA = 3, 6, 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An entry of a pack: its bytes there, and the id under which the index has it."""

    raw: bytes
    name: bytes


def name_of(content: bytes) -> bytes:
    """The id of a blob."""
    return hashlib.sha1(b"blob %d\x00" % len(content) + content, usedforsecurity=False).digest()


def header(kind: int, size: int) -> bytes:
    """Type and unpacked size, as an entry begins."""
    first, size = kind << 4 | size & 15, size >> 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    return bytes(out) + bytes([first])


def varint(number: int) -> bytes:
    """A size as a delta begins."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def back(distance: int) -> bytes:
    """How far before an entry its base begins."""
    out = bytearray([distance & 0x7F])
    while distance := distance >> 7:
        distance -= 1
        out.insert(0, distance & 0x7F | 0x80)
    return bytes(out)


def copies(base: int, times: int) -> bytes:
    """A delta that copies a base of at most 64 KiB so many times."""
    assert 0 < base <= 0x10000
    operation = b"\x80" if base == 0x10000 else b"\xb0" + struct.pack("<H", base)
    return varint(base) + varint(base * times) + operation * times


def appending(base: int, more: bytes) -> bytes:
    """A delta that copies a base of less than 16 MiB and adds to it."""
    parts = [more[start : start + 100] for start in range(0, len(more), 100)]
    added = b"".join(bytes([len(part)]) + part for part in parts)
    return varint(base) + varint(base + len(more)) + b"\xf0" + struct.pack("<I", base)[:3] + added


def blob(content: bytes, *, size: int | None = None, name: bytes | None = None) -> Entry:
    """A blob, honest unless another size is claimed."""
    claimed = len(content) if size is None else size
    return Entry(raw=header(BLOB, claimed) + zlib.compress(content), name=name or name_of(content))


def delta(base: bytes, instructions: bytes, *, name: bytes, size: int | None = None) -> Entry:
    """A delta; `base` is what is between header and data: an id, or a distance from `back`."""
    kind = REF_DELTA if len(base) == 20 else OFS_DELTA
    claimed = len(instructions) if size is None else size
    return Entry(raw=header(kind, claimed) + base + zlib.compress(instructions), name=name)


def write_pack(repository: Path, entries: Sequence[Entry], *, count: int | None = None) -> Path:
    """Write pack and index into the repository; return the path of the index. `count` may lie."""
    pack = bytearray(b"PACK" + struct.pack(">II", 2, len(entries) if count is None else count))
    rows = []
    for entry in entries:
        rows.append((entry.name, zlib.crc32(entry.raw), len(pack)))
        pack += entry.raw
    checksum = hashlib.sha1(pack, usedforsecurity=False).digest()
    folder = repository / ".git" / "objects" / "pack"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pack-{checksum.hex()}.idx"
    path.with_suffix(".pack").write_bytes(pack + checksum)
    path.write_bytes(index(sorted(rows), checksum))
    return path


def index(rows: Sequence[tuple[bytes, int, int]], checksum: bytes) -> bytes:
    """An index of version 2 with these names, check sums and offsets."""
    fanout = [sum(name[0] <= first for name, _, _ in rows) for first in range(256)]
    out = b"\xfftOc" + struct.pack(">I256I", 2, *fanout)
    out += b"".join(name for name, _, _ in rows)
    out += b"".join(struct.pack(">I", crc) for _, crc, _ in rows)
    far = [offset for _, _, offset in rows if offset >= 1 << 31]
    near = [offset if offset < 1 << 31 else 1 << 31 | far.index(offset) for _, _, offset in rows]
    out += b"".join(struct.pack(">I", offset) for offset in near)
    out += b"".join(struct.pack(">Q", offset) for offset in far) + checksum
    return out + hashlib.sha1(out, usedforsecurity=False).digest()
