"""Inflate objects and apply deltas, with compiled libraries if installed."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from binance_leaks.lazy_dataclasses import dataclass

Inflate: TypeAlias = Callable[[memoryview, int], bytes]
ApplyDelta: TypeAlias = Callable[[bytes, bytes], bytes]


class DamagedObjectError(Exception):
    """An object's bytes do not match the format."""


class Decompress(NamedTuple):
    """What inflates without checks: for a size that is not 0, and not sure to give that many bytes."""

    function: Callable[[memoryview, int], bytes | bytearray]
    errors: tuple[type[Exception], ...]
    """What it raises for damaged data."""


@dataclass(frozen=True, slots=True)
class PackCodec:
    """How entries of a pack become objects.

    `inflate` unpacks a zlib stream of known unpacked size, which anything may follow; `apply` makes an object from its
    base and a delta. Both raise DamagedObjectError, and neither takes more memory than the sizes that they are given.
    `decompress` is what `inflate` is made of.
    """

    inflate: Inflate
    apply: ApplyDelta
    decompress: Decompress


def best_codec() -> PackCodec:
    """The fastest that is installed."""
    fast = _libdeflate()
    inflate = _checked(fast) if fast is not None else _inflate
    return PackCodec(inflate, _dulwich() or apply_delta, fast or _PLAIN)


def plain_codec() -> PackCodec:
    """The one that needs the standard library only."""
    return PackCodec(_inflate, apply_delta, _PLAIN)


def _libdeflate() -> Decompress | None:
    try:
        import deflate  # start-up: only a scan of packs needs it, and it may be absent
    except ImportError:
        return None
    return Decompress(deflate.zlib_decompress, (deflate.DeflateError, ValueError))


def _checked(fast: Decompress) -> Inflate:
    decompress, errors = fast

    def inflate(data: memoryview, size: int) -> bytes:
        if not size:  # the library takes that for "unknown"
            return _inflate(data, size)
        try:
            unpacked = bytes(decompress(data, size))
        except errors:
            raise DamagedObjectError("its data do not unpack") from None
        if len(unpacked) != size:
            raise DamagedObjectError("its size is wrong")
        return unpacked

    return inflate


def _inflate(data: memoryview, size: int) -> bytes:
    decoder = zlib.decompressobj()
    try:
        unpacked = decoder.decompress(data, size + 1)
    except zlib.error:
        raise DamagedObjectError("its data do not unpack") from None
    if len(unpacked) != size or not (decoder.eof or _ends(decoder)):
        raise DamagedObjectError("its size is wrong")
    return unpacked


_PLAIN = Decompress(_inflate, (DamagedObjectError,))


def _ends(decoder: zlib._Decompress) -> bool:
    """Whether nothing but the check sum of the stream was left."""
    try:
        return not decoder.decompress(decoder.unconsumed_tail, 1) and decoder.eof
    except zlib.error:
        return False


def _dulwich() -> ApplyDelta | None:
    try:
        from dulwich._pack import apply_delta as compiled  # start-up: as above
    except ImportError:
        return None

    def apply(base: bytes, delta: bytes) -> bytes:
        try:
            chunks = compiled(base, delta)
        except Exception:
            raise DamagedObjectError("its delta is corrupt") from None
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    return apply


def delta_sizes(delta: bytes) -> tuple[int, int, int]:
    """The size of a delta's base, that of its result, and the start of its instructions."""
    sizes = []
    at = 0
    for _ in range(2):
        size = shift = 0
        while True:
            if at >= len(delta) or shift > 63:
                raise DamagedObjectError("its delta is corrupt")
            byte = delta[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        sizes.append(size)
    return sizes[0], sizes[1], at


def apply_delta(base: bytes, delta: bytes) -> bytes:
    """Apply a delta to its base (gitformat-pack, "Deltified representation")."""
    base_size, size, at = delta_sizes(delta)
    if base_size != len(base):
        raise DamagedObjectError("its delta is for another base")
    parts = []
    made = 0
    try:
        while at < len(delta):
            code = delta[at]
            at += 1
            if code >= 128:
                offset = length = 0
                for bit in range(7):
                    if code & (1 << bit):
                        if bit < 4:
                            offset |= delta[at] << (8 * bit)
                        else:
                            length |= delta[at] << (8 * (bit - 4))
                        at += 1
                length = length or 0x10000
                part = base[offset : offset + length]
                if len(part) != length:
                    raise DamagedObjectError("its delta is corrupt")
            else:
                length = code
                part = delta[at : at + length]
                at += length
                if not length or len(part) != length:
                    raise DamagedObjectError("its delta is corrupt")
            made += length
            if made > size:
                raise DamagedObjectError("its delta is corrupt")
            parts.append(part)
    except IndexError:
        raise DamagedObjectError("its delta is corrupt") from None
    if made != size:
        raise DamagedObjectError("its delta is corrupt")
    return b"".join(parts)
