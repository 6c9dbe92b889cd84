"""Decompress within limits of memory, size and ratio.

The readers of the standard library (`zipfile`, `lzma.open`) let hostile input decide how much memory they take, so the
bare decompressors are driven here, each step with an output limit.
"""

from __future__ import annotations

import bz2
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Protocol

from binance_leaks.detect import first_test
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.sources.archive_kind import ArchiveKind
from binance_leaks.sources.compressed_names import SHORTEST_GZIP, StreamHead, gzip_head, zstd_head
from binance_leaks.sources.streams import SHORTEST_VALUE, JoinedStream, PeekableStream, Readable, Seekable, StreamReader

_BLOCK = 16 << 10
_STEP = 1 << 20
LZMA_MEMORY = 96 << 20
_LONGEST_HEAD = 4 << 20
_MOST_TEXTS = 16 << 20
_ZSTD_WINDOW = 27  # the logarithm: 128 MiB, as the program zstd takes by default


class DamagedArchiveError(OSError):
    """Bytes do not match the format of their archive."""


class OverLimitError(OSError):
    """An archive would unpack to more than is allowed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveLimits:
    """Limits on reading an archive.

    Sizes are bytes, and `total` and `members` are for all that one outermost archive holds at every depth. `ratio` is
    of unpacked to packed bytes of one member, checked once `ratio_from` are unpacked. A zip file that arrives through a
    pipe is kept in memory up to `held`, in a temporary file beyond. Pictures in it are read for `reading_seconds`.
    """

    depth: int = 4
    ratio: int = 200
    ratio_from: int = 4 << 20
    total: int = 512 << 20
    members: int = 100_000
    held: int = 64 << 20
    image_total: int = 8 << 30
    image_members: int = 1_000_000
    """In place of `total` and `members` for the image of a container."""
    reading_seconds: float = 600.0


class UnpackBudget:
    """What of the limits is left for one outermost archive."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.exhausted: str | None = None
        self._bytes = limits.total
        self._members = limits.members
        self.reading_seconds = limits.reading_seconds
        """Seconds in which more pictures may be read."""
        self._is_image = False

    def allow_image(self) -> None:
        """Raise the limits, once, to those of the image of a container."""
        if not self._is_image:
            self._is_image = True
            self._bytes += max(0, self.limits.image_total - self.limits.total)
            self._members += max(0, self.limits.image_members - self.limits.members)

    def admit(self) -> bool:
        """Count one more member; False once a limit is passed, described in `exhausted`."""
        self._members -= 1
        if self._members < 0 and self.exhausted is None:
            most = self.limits.image_members if self._is_image else self.limits.members
            self.exhausted = f"the archive has more than {most:,} members"
        return self.exhausted is None

    def spend(self, size: int) -> None:
        """Count unpacked bytes; raises `OverLimitError` when they are too many."""
        self._bytes -= size
        if self._bytes < 0 and self.exhausted is None:
            most = self.limits.image_total if self._is_image else self.limits.total
            self.exhausted = f"the archive unpacks to more than {most >> 20:,} MiB"
        if self.exhausted is not None:
            raise OverLimitError(self.exhausted)


class Decoder(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Zlib:
    """zlib's decompressor in the manner of the others."""

    def __init__(self, window_bits: int) -> None:
        self._zlib = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


class _Zstd:
    """zstd's decompressor, which has errors of its own. Raises ImportError where it is not installed."""

    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd  # it may be left out of a Python
        else:
            from backports import zstd  # it may be absent
        self._error = zstd.ZstdError
        self._zstd: Decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW})

    @property
    def eof(self) -> bool:
        return self._zstd.eof

    @property
    def needs_input(self) -> bool:
        return self._zstd.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._zstd.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        try:
            return self._zstd.decompress(data, max_length)
        except self._error as error:
            if "memory" in str(error):
                raise OverLimitError("the zstd data need too much memory") from None
            raise DamagedArchiveError("the zstd data are corrupt") from None


def can_read_zstd() -> bool:
    """Whether zstd's decompressor is installed: that of Python 3.14, or the extra `zstd`."""
    try:
        _Zstd()
    except ImportError:
        return False
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Compression:
    """A compression.

    `again` is what one more compressed stream behind the first begins with, if one may follow. `head` reads the head of
    each from bytes at its beginning.
    """

    name: str
    new: Callable[[], Decoder]
    again: tuple[bytes, ...] = ()
    head: Callable[[bytes], StreamHead] | None = None


DEFLATE = Compression(name="deflate", new=lambda: _Zlib(-15))
BZIP2_MEMBER = Compression(name="bzip2", new=bz2.BZ2Decompressor)
ZLIB = Compression(name="zlib", new=lambda: _Zlib(15))
COMPRESSIONS = {
    ArchiveKind.GZIP: Compression(name="gzip", new=lambda: _Zlib(31), again=(b"\x1f\x8b",), head=gzip_head),
    ArchiveKind.BZIP2: Compression(name="bzip2", new=bz2.BZ2Decompressor, again=(b"BZh",)),
    ArchiveKind.XZ: Compression(
        name="xz", new=lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_MEMORY), again=(b"\xfd7zXZ\x00",)
    ),
    ArchiveKind.GIT_OBJECT: ZLIB,
    ArchiveKind.ZSTD: Compression(name="zstd", new=_Zstd, again=(b"\x28\xb5\x2f\xfd",), head=zstd_head),
}


class DecompressedStream:
    """The unpacked bytes of a compressed stream, or of several one behind the other.

    `damaged` is True if the stream does not match its format.
    """

    def __init__(self, stream: Readable, codec: Compression, budget: UnpackBudget) -> None:
        self._stream = stream
        self._codec = codec
        self._budget = budget
        self._decoder = codec.new()
        self._pending = b""
        self._fed = 0
        self._made = 0
        self._fault: OSError | None = None
        self._begun = codec.head is None
        self._texts_size = 0
        self._behind: bytes | None = None
        """The first bytes that are not compressed, once the end was met."""
        self.damaged = False
        self.texts: list[bytes] = []
        """Texts in the heads of the streams so far, where they are long enough for a value."""

    def rest(self) -> Readable:
        """What is behind the compressed stream, whose own bytes are read to their end. Nothing after an error."""
        try:
            while self.read(_STEP):
                pass
        except OSError:
            return io.BytesIO()
        return JoinedStream(self._behind or b"", self._stream)

    def read(self, size: int, /) -> bytes:
        """At most `size` unpacked bytes, none at the end.

        Raises one of the errors above, and again at each call.
        """
        if self._fault is not None:
            raise self._fault
        try:
            return self._read(min(size, _STEP))
        except OSError as error:
            self._fault = error
            self.damaged = not isinstance(error, OverLimitError)
            raise

    def _read(self, size: int) -> bytes:
        if not self._begun:
            self._begun = True
            self._begin_stream(b"")
        while self._behind is None:
            if self._decoder.eof:
                self._begin_stream(self._decoder.unused_data)
                continue
            hungry = self._decoder.needs_input
            packed = self._feed() if hungry else b""
            made = self._decode(packed, size)
            if made:
                self._account(len(made))
                return made
            if hungry and not packed and not self._decoder.eof:
                raise DamagedArchiveError(f"the {self._codec.name} data end too early")
        return b""

    def _feed(self) -> bytes:
        packed = self._pending or (self._stream.read(_BLOCK) or b"")
        self._pending = b""
        self._fed += len(packed)
        return packed

    def _decode(self, packed: bytes, size: int) -> bytes:
        try:
            return self._decoder.decompress(packed, size)
        except lzma.LZMAError as error:
            if "memory" in str(error).lower():
                raise OverLimitError(f"the {self._codec.name} data need too much memory") from None
            raise DamagedArchiveError(f"the {self._codec.name} data are corrupt") from None
        except (DamagedArchiveError, OverLimitError):
            raise
        except (zlib.error, OSError, EOFError, ValueError):
            raise DamagedArchiveError(f"the {self._codec.name} data are corrupt") from None

    def _account(self, size: int) -> None:
        self._made += size
        self._budget.spend(size)
        limits = self._budget.limits
        if self._made > limits.ratio_from and self._made > limits.ratio * self._fed:
            raise OverLimitError(f"it unpacks to more than {limits.ratio:,} times its size")

    def _begin_stream(self, rest: bytes) -> None:
        """Turn to the compressed stream that begins with `rest`, past padding and texts. Anything else is behind."""
        if self._codec.again:
            rest = self._without_heads(rest)
        if not rest.startswith(self._codec.again):
            self._behind = rest
            return
        self._decoder = self._codec.new()
        self._pending = rest
        self._fed -= len(rest)

    def _without_heads(self, rest: bytes) -> bytes:
        """Take the texts in front of the data of a stream; return the bytes from there on that were read."""
        while True:
            rest = rest.lstrip(b"\0")
            while len(rest) < SHORTEST_GZIP and (more := self._stream.read(_BLOCK)):
                self._fed += len(more)
                rest = (rest + more).lstrip(b"\0")
            head, rest = self._head(rest)
            if len(head.text) >= SHORTEST_VALUE:
                self._texts_size += len(head.text)
                if self._texts_size > _MOST_TEXTS:
                    raise DamagedArchiveError(f"the headers of the {self._codec.name} data are too long")
                self.texts.append(head.text)
            if not head.skipped:
                return rest
            rest = rest[head.skipped :]

    def _head(self, rest: bytes) -> tuple[StreamHead, bytes]:
        """The head of the stream that begins with `rest`, which is returned with what more had to be read."""
        while self._codec.head is not None:
            head = self._codec.head(rest)
            if head.size <= len(rest):
                return head, rest
            if head.size > _LONGEST_HEAD:
                raise DamagedArchiveError(f"a header of the {self._codec.name} data is too long")
            parts, missing = [rest], head.size - len(rest)
            while missing > 0 and (more := self._stream.read(max(missing, _BLOCK))):
                parts.append(more)
                missing -= len(more)
                self._fed += len(more)
            rest = b"".join(parts)
            if missing > 0:
                raise DamagedArchiveError(f"the {self._codec.name} data end too early")
        return StreamHead(size=0), rest


def read_at(stream: Seekable, offset: int, size: int, archive: str) -> bytes:
    """`size` bytes at `offset`, fewer where the stream ends; raises OSError, in which an archive has that name."""
    try:
        stream.seek(offset)
    except (OverflowError, ValueError):
        raise DamagedArchiveError(f"the {archive} points out of itself") from None
    taker = StreamReader(stream)
    data = taker.take(size)
    if taker.fault is not None:
        raise OSError(taker.fault)
    return data


class BoundedStream:
    """The next `size` bytes of a stream that must have them.

    They count against `budget`, if one is given.
    """

    def __init__(self, stream: Readable, size: int, budget: UnpackBudget | None = None) -> None:
        self._stream = stream
        self._left = size
        self._budget = budget

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end.

        Raises `OverLimitError`, `DamagedArchiveError` for an early end.
        """
        if not self._left:
            return b""
        part = self._stream.read(min(size, self._left)) or b""
        if not part:
            raise DamagedArchiveError("the archive ends too early")
        self._left -= len(part)
        if self._budget is not None:
            self._budget.spend(len(part))
        return part

    def skip(self) -> None:
        """Read what is left to nowhere."""
        while self.read(_BLOCK):
            pass


def open_deflated(
    stream: Readable, packed: int, size: int | None, budget: UnpackBudget
) -> DecompressedStream | BoundedStream:
    """The unpacked bytes of a deflate stream of `packed` bytes that is said to have `size` unpacked ones.

    What is too short for the limit of ratio is unpacked in one step where libdeflate is installed, in half the time. It
    does not say where the stream ends, so what may have a value behind it is unpacked as the rest.
    """
    if not size or max(size, packed) > budget.limits.ratio_from:
        return DecompressedStream(stream, DEFLATE, budget)
    peeked = PeekableStream(stream)
    data = peeked.peek(packed)
    whole = None if first_test.may_hold(data) else _inflated(data, size)
    if whole is None:
        return DecompressedStream(peeked, DEFLATE, budget)  # for what can be read of it, and the error
    return BoundedStream(io.BytesIO(whole), size, budget)


def _inflated(data: bytes, size: int) -> bytes | bytearray | None:
    """The `size` bytes that a deflate stream unpacks to; None if it does not, or libdeflate is absent."""
    try:
        import deflate  # start-up: only archives need it
    except ImportError:
        return None
    try:
        whole = deflate.deflate_decompress(data, size)
    except (deflate.DeflateError, ValueError):
        return None
    return whole if len(whole) == size else None


class CheckedStream:
    """The content of a member, checked at its end against the size and checksum that are known of it."""

    def __init__(self, content: Readable, *, size: int | None, crc: int | None) -> None:
        self._content = content
        self._expected = size, crc
        self._size = 0
        self._crc = 0
        self.damaged = False

    def rest(self) -> Readable:
        """What is behind a compressed stream within its member, once that was read to its end."""
        return self._content.rest() if isinstance(self._content, DecompressedStream) else io.BytesIO()

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end.

        Raises `DamagedArchiveError` and `OverLimitError`.
        """
        try:
            part = self._content.read(size) or b""
            self._size += len(part)
            self._crc = zlib.crc32(part, self._crc)
            length, crc = self._expected
            if not part and (crc not in (None, self._crc) or length not in (None, self._size)):
                raise DamagedArchiveError("the content does not match its checksum or size in the archive")
        except DamagedArchiveError:
            self.damaged = True
            raise
        return part
