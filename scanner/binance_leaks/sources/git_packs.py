"""Read git's objects outside of a repository: packs, bundles and loose objects that were copied or committed.

In one pass and in bounded memory, without an index: an object whose base is not kept gives what its delta adds. The
formats are those of gitformat-pack and gitformat-bundle.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.sources.objects.codec import DamagedObjectError, apply_delta, delta_sizes
from binance_leaks.sources.streams import SHORTEST_VALUE, Readable, StreamReader
from binance_leaks.sources.unpack import DamagedArchiveError, UnpackBudget

BUNDLE_STARTS = (b"# v2 git bundle\n", b"# v3 git bundle\n")
_LONGEST_HEADER = 1 << 20
_TYPES = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _NAMED_DELTA = 6, 7
_ID_SIZE = 20
_LARGEST = 32 << 20
_MOST_KEPT = 128 << 20
_BLOCK = 16 << 10
_CORRUPT = "the git pack is corrupt"
_TRUNCATED = "the git pack ends too early"


@dataclass(frozen=True, kw_only=True, slots=True)
class GitObject:
    """An object: `blob 83baae6…`, and its content; only what a delta adds where `whole` is False."""

    name: str
    content: bytes
    whole: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class _Base:
    kind: str
    content: bytes


def read_pack(stream: Readable, budget: UnpackBudget) -> Iterator[GitObject | Readable]:
    """The objects of a pack, or of the pack in a bundle, but its trees, which hold names only.

    The header of a bundle, and what is behind the last object if that is more than a checksum, are yielded as streams.

    Raises `DamagedArchiveError` and `OverLimitError`.
    """
    source = _Source(stream)
    if source.peek(len(BUNDLE_STARTS[0])) in BUNDLE_STARTS:
        yield io.BytesIO(source.take_to(b"\n\nPACK"))
    start = source.offset
    header = source.take(12)
    bases = _Bases()
    for _ in range(int.from_bytes(header[8:12], "big")):
        offset = source.offset - start
        kind, size = _entry_header(source)
        key: int | bytes | None = None
        if kind == _OFFSET_DELTA:
            key = offset - _distance(source)
        elif kind == _NAMED_DELTA:
            key = source.take(_ID_SIZE)
        elif kind not in _TYPES:
            raise DamagedArchiveError(_CORRUPT)
        data = source.inflate(size, budget)
        if key is None:
            base = _Base(kind=_TYPES[kind], content=data)
        else:
            known = bases.find(key)
            if known is None:
                yield GitObject(name=f"object at {offset}", content=_added(data), whole=False)
                continue
            base = _Base(kind=known.kind, content=_apply(known.content, data))
            budget.spend(len(base.content))
        name = bases.keep(offset, base)
        if base.kind != "tree":
            yield GitObject(name=f"{base.kind} {name.hex()}", content=base.content)
    rest = source.peek(_ID_SIZE + SHORTEST_VALUE)
    if len(rest) < _ID_SIZE:
        raise DamagedArchiveError(_TRUNCATED)
    if len(rest) == _ID_SIZE + SHORTEST_VALUE:
        yield source


class _Bases:
    """Objects that others may build on, by offset and by id: the latest, up to a size."""

    def __init__(self) -> None:
        self._held: dict[int | bytes, _Base] = {}
        self._order: list[tuple[int, bytes]] = []
        self._first = 0
        self._size = 0

    def find(self, key: int | bytes) -> _Base | None:
        return self._held.get(key)

    def keep(self, offset: int, base: _Base) -> bytes:
        """Keep an object; return its id."""
        head = f"{base.kind} {len(base.content)}\0".encode()
        name = hashlib.sha1(head + base.content, usedforsecurity=False).digest()
        self._held[offset] = self._held[name] = base
        self._order.append((offset, name))
        self._size += len(base.content)
        while self._size > _MOST_KEPT:
            dropped = self._order[self._first]
            self._first += 1
            self._size -= len(self._held.pop(dropped[0]).content)
            self._held.pop(dropped[1], None)
        return name


class _Source:
    """A stream with what was read too far ahead."""

    def __init__(self, stream: Readable) -> None:
        self._reader = StreamReader(stream)
        self._ahead = b""
        self._at = 0
        self.offset = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end. Raises `DamagedArchiveError` where the stream fails."""
        if len(self._ahead) - self._at < size:
            self._ahead = self._ahead[self._at :] + self._reader.take(max(size, _BLOCK))
            self._at = 0
            if self._reader.fault is not None:
                raise DamagedArchiveError(self._reader.fault)
        return self._ahead[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next bytes; raises `DamagedArchiveError` where there are fewer."""
        data = self.peek(size)
        if len(data) < size:
            raise DamagedArchiveError(_TRUNCATED)
        self._move(size)
        return data

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end. Raises `DamagedArchiveError` where the stream fails."""
        part = self.peek(min(size, _BLOCK))
        self._move(len(part))
        return part

    def _move(self, distance: int) -> None:
        self._at += distance
        self.offset += distance

    def take_to(self, mark: bytes) -> bytes:
        """The bytes up to the last four of a mark, which is near."""
        at = self.peek(_LONGEST_HEADER).find(mark)
        if at < 0:
            raise DamagedArchiveError("the git bundle is corrupt")
        return self.take(at + len(mark) - 4)

    def inflate(self, size: int, budget: UnpackBudget) -> bytes:
        """Unpack an object of a size. Raises `DamagedArchiveError` and `OverLimitError`."""
        if size > _LARGEST:
            raise DamagedArchiveError("the git pack holds an object that is too large")
        decoder = zlib.decompressobj()
        parts: list[bytes] = []
        made = 0
        try:
            while not decoder.eof:
                packed = decoder.unconsumed_tail or self.take(max(1, len(self.peek(_BLOCK))))
                part = decoder.decompress(packed, size + 1 - made)
                made += len(part)
                budget.spend(len(part))
                parts.append(part)
                if made > size:
                    raise DamagedArchiveError(_CORRUPT)
        except zlib.error:
            raise DamagedArchiveError(_CORRUPT) from None
        self._move(-len(decoder.unused_data))
        if made != size:
            raise DamagedArchiveError(_CORRUPT)
        return b"".join(parts)


def _entry_header(source: _Source) -> tuple[int, int]:
    byte = source.take(1)[0]
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 128 and shift < 60:
        byte = source.take(1)[0]
        size |= (byte & 127) << shift
        shift += 7
    return kind, size


def _distance(source: _Source) -> int:
    """How far before an entry its base begins."""
    byte = source.take(1)[0]
    distance = byte & 127
    for _ in range(9):
        if not byte & 128:
            break
        byte = source.take(1)[0]
        distance = ((distance + 1) << 7) | (byte & 127)
    return distance


def _apply(base: bytes, delta: bytes) -> bytes:
    try:
        if delta_sizes(delta)[1] > _LARGEST:
            raise DamagedArchiveError("the git pack holds an object that is too large")
        return apply_delta(base, delta)
    except DamagedObjectError:
        raise DamagedArchiveError(_CORRUPT) from None


def _added(delta: bytes) -> bytes:
    """What a delta adds to its base, part by part on lines of its own."""
    parts = []
    try:
        at = delta_sizes(delta)[2]
    except DamagedObjectError:
        raise DamagedArchiveError(_CORRUPT) from None
    while at < len(delta):
        code = delta[at]
        at += 1
        if code >= 128:
            at += (code & 127).bit_count()
        else:
            parts.append(delta[at : at + code])
            at += code
    return b"\n".join(parts)
