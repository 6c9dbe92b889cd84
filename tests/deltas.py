"""Writes deltas as git's packs have them, and says plainly what they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from tests.forged_packs import varint

Part: TypeAlias = bytes | tuple[int, int]
"""Bytes that a delta inserts, or offset and size of what it copies from its base."""
LONGEST_COPY = 0xFFFFFF


def made_of(base: bytes, parts: Sequence[Part]) -> bytes:
    """What a delta of these parts makes of its base."""
    return b"".join(part if isinstance(part, bytes) else base[part[0] : part[0] + part[1]] for part in parts)


def delta_of(base: bytes, parts: Sequence[Part], *, short: bool = True) -> bytes:
    """The delta of these parts; `short` leaves out the bytes of offsets and sizes that are zero, as git does."""
    instructions = bytearray()
    for part in parts:
        if isinstance(part, bytes):
            for start in range(0, len(part), 127):
                piece = part[start : start + 127]
                instructions += bytes([len(piece)]) + piece
        elif part[1]:
            instructions += _copy(*part, short=short)
    return varint(len(base)) + varint(len(made_of(base, parts))) + bytes(instructions)


def _copy(offset: int, size: int, *, short: bool) -> bytes:
    assert size <= LONGEST_COPY
    code, arguments = 0x80, bytearray()
    numbers = [*offset.to_bytes(4, "little"), *(0 if size == 0x10000 else size).to_bytes(3, "little")]
    for bit, number in enumerate(numbers):
        if number or not short:
            code |= 1 << bit
            arguments.append(number)
    return bytes([code]) + bytes(arguments)
