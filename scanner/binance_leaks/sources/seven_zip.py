"""Read the members of a 7z archive with the decoders of the standard library.

Not with `py7zr`, which holds headers of any size in memory and lets a hostile archive choose the memory of its
decoders. The layout is that of 7zFormat.txt in the LZMA SDK. A folder there is one compressed stream for several files.
Filters for machine code are not undone: they change no text.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator, Sequence

from binance_leaks.detect import first_test
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.sources.streams import Readable, Seekable, StreamReader
from binance_leaks.sources.unpack import (
    BZIP2_MEMBER,
    DEFLATE,
    LZMA_MEMORY,
    BoundedStream,
    CheckedStream,
    Compression,
    DamagedArchiveError,
    DecompressedStream,
    OverLimitError,
    UnpackBudget,
    read_at,
)

_ARCHIVE = "7z archive"
_START = 32
_LARGEST_HEADER = 16 << 20
_MOST = 100_000
_MOST_CODERS = 8
_MOST_HEADERS = 4
_END, _HEADER, _MAIN_STREAMS, _FILES = 0x00, 0x01, 0x04, 0x05
_PACK, _FOLDERS, _SUBSTREAMS, _SIZES, _DIGESTS = 0x06, 0x07, 0x08, 0x09, 0x0A
_FOLDER, _UNPACK_SIZES, _COUNTS, _EMPTY, _NAMES, _ENCODED = 0x0B, 0x0C, 0x0D, 0x0E, 0x11, 0x17
_COPY, _LZMA, _LZMA2, _DEFLATE, _BZIP2 = b"\0", b"\x03\x01\x01", b"\x21", b"\x04\x01\x08", b"\x04\x02\x02"
_ENCRYPTION = b"\x06\xf1\x07\x01"
# x86, PowerPC, IA-64, ARM, Thumb, SPARC, ARM64, RISC-V, each by all its numbers.
_CODE_FILTERS = frozenset(
    (*(bytes((number,)) for number in range(0x04, 0x0C)), *(b"\x03\x03" + bytes(rest) for rest in (
        (1, 3), (2, 5), (4, 1), (5, 1), (7, 1), (8, 5),
    )))
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Coder:
    """A step of a folder, by the number of its method."""

    method: bytes
    properties: bytes
    simple: bool
    """Whether one stream goes in and one comes out."""


@dataclass(kw_only=True, slots=True)
class Folder:
    """A compressed stream that holds several files one behind the other."""

    coders: tuple[Coder, ...]
    packed_streams: int
    sizes: tuple[int, ...] = ()
    """Bytes that each coder unpacks to."""
    digest: int | None = None
    offset: int = 0
    packed: int = 0
    """Bytes of the first of its packed streams."""
    packed_total: int = 0
    files: list[tuple[int, int | None]] = field(default_factory=list)
    """Size and CRC of each file."""

    @property
    def refusal(self) -> str | None:
        """Why the content cannot be read, in plain English."""
        if any(coder.method == _ENCRYPTION for coder in self.coders):
            return "encrypted"
        coders = [coder for coder in self.coders if coder.method not in _CODE_FILTERS]
        if len(coders) == 1 and all(coder.simple for coder in self.coders) and coders[0].method in _COMPRESSIONS:
            return None
        return "compressed in a way that is not supported"

    @property
    def compressor(self) -> Coder:
        """The step that is no filter, of a folder that is not refused."""
        return next(coder for coder in self.coders if coder.method not in _CODE_FILTERS)

    @property
    def is_endless(self) -> bool:
        """Whether its packed bytes can be read, but do not say where they end."""
        return self.refusal is None and self.compressor.method == _LZMA

    @property
    def span(self) -> tuple[int, int]:
        """Where its packed streams start and end."""
        return self.offset, self.offset + self.packed_total

    @property
    def size(self) -> int:
        """Bytes that it unpacks to."""
        return max(self.sizes, default=0)

    def open(self, stream: Seekable, budget: UnpackBudget) -> Readable:
        """The unpacked bytes. Raises `DamagedArchiveError` and `OverLimitError`."""
        try:
            stream.seek(self.offset)
        except (OverflowError, ValueError):
            raise DamagedArchiveError("the 7z archive points out of itself") from None
        coder = self.compressor
        if coder.method == _COPY:
            return BoundedStream(stream, self.packed, budget)
        codec = _COMPRESSIONS[coder.method](coder.properties, self.size)
        try:
            return DecompressedStream(BoundedStream(stream, self.packed), codec, budget)
        except (lzma.LZMAError, ValueError):
            raise DamagedArchiveError(_CORRUPT) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class SevenZipMember:
    """A file with its name as stored, and its content, which must be read before the next one."""

    name: str
    content: CheckedStream


@dataclass(kw_only=True, slots=True)
class SevenZip:
    """What the header of an archive lists."""

    folders: Sequence[Folder] = ()
    names: list[str] = field(default_factory=list)
    """Names of the files that are not empty, in the order of their contents."""
    empty_names: list[str] = field(default_factory=list)
    """Names of folders and empty files."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Start and end of the headers and of what the folders are packed to."""
    endless: list[tuple[int, int]] = field(default_factory=list)
    """Those in which it is unknown where the packed bytes end."""
    texts: list[bytes] = field(default_factory=list)
    """Properties in the header that are not used, where they may hold a value."""

    def refused(self) -> Iterator[tuple[str, int]]:
        """Yield why the files of a folder cannot be read, and how many there are."""
        for folder in self.folders:
            if folder.refusal is not None and folder.files:
                yield folder.refusal, len(folder.files)

    def members(self, stream: Seekable, budget: UnpackBudget) -> Iterator[SevenZipMember | Readable]:
        """Yield the files that can be read, and as streams what their folders hold besides.

        Raises `DamagedArchiveError` and `OverLimitError`.
        """
        index = 0
        for folder in self.folders:
            if folder.refusal is not None:
                index += len(folder.files)
                continue
            unpacked = folder.open(stream, budget)
            filtered = len(folder.coders) > 1
            for size, digest in folder.files:
                name = self.names[index] if index < len(self.names) else f"{index}"
                index += 1
                content = BoundedStream(unpacked, size)
                yield SevenZipMember(
                    name=name, content=CheckedStream(content, size=size, crc=None if filtered else digest)
                )
                content.skip()
            if not folder.is_endless:
                yield unpacked
                if isinstance(unpacked, DecompressedStream):
                    yield unpacked.rest()


def read_archive(stream: Seekable, budget: UnpackBudget) -> SevenZip:
    """Read the header, which is at the end of the archive. Raises `DamagedArchiveError` and `OverLimitError`."""
    start = read_at(stream, 0, _START, _ARCHIVE)
    if len(start) < _START:
        raise DamagedArchiveError(_TRUNCATED)
    _check(start[12:], start[8:12])
    offset, size = int.from_bytes(start[12:20], "little"), int.from_bytes(start[20:28], "little")
    spans = [(0, _START), (_START + offset, _START + offset + size)]
    if not size:
        return SevenZip(spans=spans[:1])
    if size > _LARGEST_HEADER:
        raise OverLimitError("the header of the 7z archive is too large")
    header = _Header(read_at(stream, _START + offset, size, _ARCHIVE))
    if len(header.data) < size:
        raise DamagedArchiveError(_TRUNCATED)
    _check(header.data, start[28:32])
    packed_headers: list[tuple[int, int]] = []
    for _ in range(_MOST_HEADERS):
        kind = header.byte()
        if kind == _HEADER:
            archive = header.archive()
            archive.spans = [*spans, *packed_headers, *(folder.span for folder in archive.folders)]
            archive.endless = [*packed_headers, *(folder.span for folder in archive.folders if folder.is_endless)]
            return archive
        if kind != _ENCODED:
            break
        folders = header.streams()
        packed_headers += (folder.span for folder in folders)
        header = _Header(_unpack_header(folders, stream, budget))
    raise DamagedArchiveError(_CORRUPT)


def _check(data: bytes, crc: bytes) -> None:
    if zlib.crc32(data) != int.from_bytes(crc, "little"):
        raise DamagedArchiveError(_CORRUPT)


_TRUNCATED = "the 7z archive ends too early"
_CORRUPT = "the header of the 7z archive is corrupt"


def _unpack_header(folders: Sequence[Folder], stream: Seekable, budget: UnpackBudget) -> bytes:
    if len(folders) != 1:
        raise DamagedArchiveError(_CORRUPT)
    (folder,) = folders
    if folder.refusal is not None:
        raise DamagedArchiveError(f"the header of the 7z archive is {folder.refusal}")
    if folder.size > _LARGEST_HEADER:
        raise OverLimitError("the header of the 7z archive is too large")
    taker = StreamReader(BoundedStream(folder.open(stream, budget), folder.size))
    data = taker.take(folder.size)
    if taker.fault is not None:
        raise DamagedArchiveError(taker.fault)
    return data


class _Header:
    """A header, read from its beginning on. All it does raises `DamagedArchiveError` where it ends too early."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self._at:
            raise DamagedArchiveError(_CORRUPT)
        self._at += size
        return self.data[self._at - size : self._at]

    def number(self) -> int:
        """A number: the first byte has a bit for each further byte, and the highest bits."""
        first = self.byte()
        mask, value = 0x80, 0
        for shift in range(0, 64, 8):
            if not first & mask:
                return value | (first & (mask - 1)) << shift
            value |= self.byte() << shift
            mask >>= 1
        return value

    def count(self) -> int:
        """A number of things, each of which takes a byte or more."""
        count = self.number()
        if count > len(self.data):
            raise DamagedArchiveError(_CORRUPT)
        if count > _MOST:
            raise OverLimitError(f"the 7z archive has more than {_MOST:,} members")
        return count

    def bits(self, count: int) -> list[bool]:
        packed = self.take((count + 7) // 8)
        return [bool(packed[at // 8] & 0x80 >> at % 8) for at in range(count)]

    def digests(self, count: int) -> list[int | None]:
        known = [True] * min(count, len(self.data)) if self.byte() else self.bits(count)
        return [int.from_bytes(self.take(4), "little") if each else None for each in known]

    def archive(self) -> SevenZip:
        archive = SevenZip()
        while (kind := self.byte()) != _END:
            if kind == _MAIN_STREAMS:
                archive.folders = self.streams()
            elif kind == _FILES:
                archive.names, archive.empty_names, archive.texts = self._file_names()
            else:
                raise DamagedArchiveError(_CORRUPT)
        archive.texts = [text for text in (*archive.texts, self.data[self._at :]) if first_test.may_hold(text)]
        return archive

    def streams(self) -> list[Folder]:
        """The folders, each with its place, its sizes and its files."""
        position, packed, folders = 0, [0], []
        kind = self.byte()
        if kind == _PACK:
            position, packed = self._pack_info()
            kind = self.byte()
        if kind == _FOLDERS:
            folders = self._folders()
            kind = self.byte()
        offset, used = _START + position, 0
        for folder in folders:
            sizes = packed[used : used + folder.packed_streams]
            folder.offset, folder.packed, folder.packed_total = offset, sizes[0] if sizes else 0, sum(sizes)
            folder.files = [(folder.size, folder.digest)]
            offset += folder.packed_total
            used += folder.packed_streams
        if kind == _SUBSTREAMS:
            self._substreams(folders)
            kind = self.byte()
        if kind != _END:
            raise DamagedArchiveError(_CORRUPT)
        return folders

    def _pack_info(self) -> tuple[int, list[int]]:
        position, count = self.number(), self.count()
        sizes: list[int] = []
        while (kind := self.byte()) != _END:
            if kind == _SIZES:
                sizes = [self.number() for _ in range(count)]
            elif kind == _DIGESTS:
                self.digests(count)
            else:
                raise DamagedArchiveError(_CORRUPT)
        return position, sizes

    def _folders(self) -> list[Folder]:
        if self.byte() != _FOLDER:
            raise DamagedArchiveError(_CORRUPT)
        count = self.count()
        if self.byte():
            raise DamagedArchiveError("the 7z archive has its header in parts, which is not supported")
        folders = [self._folder() for _ in range(count)]
        if self.byte() != _UNPACK_SIZES:
            raise DamagedArchiveError(_CORRUPT)
        for folder in folders:
            folder.sizes = tuple(self.number() for _ in folder.coders)
        while (kind := self.byte()) != _END:
            if kind != _DIGESTS:
                raise DamagedArchiveError(_CORRUPT)
            for folder, digest in zip(folders, self.digests(count), strict=False):
                folder.digest = digest
        return folders

    def _folder(self) -> Folder:
        coders = []
        streams_in = streams_out = 0
        count = self.number()
        if not 0 < count <= _MOST_CODERS:
            raise DamagedArchiveError(_CORRUPT)
        for _ in range(count):
            flags = self.byte()
            method = self.take(flags & 0x0F)
            ins, outs = (self.number(), self.number()) if flags & 0x10 else (1, 1)
            if ins > _MOST_CODERS or outs != 1:
                raise DamagedArchiveError(_CORRUPT)
            properties = self.take(self.number()) if flags & 0x20 else b""
            coders.append(Coder(method=method, properties=properties, simple=ins == 1))
            streams_in, streams_out = streams_in + ins, streams_out + outs
        for _ in range(streams_out - 1):
            self.number()
            self.number()
        packed_streams = streams_in - streams_out + 1
        if packed_streams > 1:
            for _ in range(packed_streams):
                self.number()
        return Folder(coders=tuple(coders), packed_streams=max(1, packed_streams))

    def _substreams(self, folders: Sequence[Folder]) -> None:
        counts = [1] * len(folders)
        sizes: list[list[int]] | None = None
        kind = self.byte()
        if kind == _COUNTS:
            counts = [self.count() for _ in folders]
            kind = self.byte()
        if kind == _SIZES:
            sizes = [[self.number() for _ in range(count - 1)] for count in counts]
            kind = self.byte()
        for at, (folder, count) in enumerate(zip(folders, counts, strict=True)):
            first = sizes[at] if sizes is not None else []
            if len(first) < count - 1:
                raise DamagedArchiveError(_CORRUPT)
            known = folder.digest if count == 1 else None
            all_sizes = [*first, max(0, folder.size - sum(first))] if count else []
            folder.files = [(size, known) for size in all_sizes]
        if kind == _DIGESTS:
            unknown = [(folder, at) for folder in folders for at, (_, crc) in enumerate(folder.files) if crc is None]
            for (folder, at), digest in zip(unknown, self.digests(len(unknown)), strict=False):
                folder.files[at] = (folder.files[at][0], digest)
            kind = self.byte()
        if kind != _END:
            raise DamagedArchiveError(_CORRUPT)

    def _file_names(self) -> tuple[list[str], list[str], list[bytes]]:
        """The names of the files with and without content, and what is not used."""
        count = self.count()
        names = [f"{at}" for at in range(count)]
        empty = [False] * count
        others: list[bytes] = []
        while (kind := self.byte()) != _END:
            data = _Header(self.take(self.number()))
            if kind == _EMPTY:
                empty = data.bits(count)
            elif kind == _NAMES and not data.byte():
                names = data.take(len(data.data) - 1).decode("utf-16-le", "surrogatepass").split("\0")
            else:
                others.append(data.data)
        others.append("\0".join(names[count:]).encode("utf-8", "surrogatepass"))
        full, without = ([name for name, each in zip(names, empty, strict=False) if each is on] for on in (False, True))
        return full, without, others


def _lzma(properties: bytes, size: int) -> Compression:
    if len(properties) < 5 or properties[0] >= 9 * 5 * 5:
        raise DamagedArchiveError(_CORRUPT)
    bits, rest = properties[0] // 9, properties[0] % 9
    window = _window(int.from_bytes(properties[1:5], "little"), size)
    chain = [{"id": lzma.FILTER_LZMA1, "dict_size": window, "lc": rest, "lp": bits % 5, "pb": bits // 5}]
    return Compression(name="7z", new=lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain))


def _lzma2(properties: bytes, size: int) -> Compression:
    if len(properties) != 1 or properties[0] > 40:
        raise DamagedArchiveError(_CORRUPT)
    window = _window((2 | properties[0] & 1) << (properties[0] // 2 + 11), size)
    chain = [{"id": lzma.FILTER_LZMA2, "dict_size": window}]
    return Compression(name="7z", new=lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain))


def _window(stated: int, size: int) -> int:
    """The size of a window, which need not be larger than the content."""
    window = max(4096, min(stated, size))
    if window > LZMA_MEMORY:
        raise OverLimitError("the 7z data need too much memory")
    return window


_COMPRESSIONS: dict[bytes, Callable[[bytes, int], Compression]] = {
    _COPY: lambda _, __: DEFLATE,  # never asked for
    _LZMA: _lzma,
    _LZMA2: _lzma2,
    _DEFLATE: lambda _, __: DEFLATE,
    _BZIP2: lambda _, __: BZIP2_MEMBER,
}
