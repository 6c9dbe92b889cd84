"""Read the entries of a tar archive in one pass.

`tarfile` takes a corrupt header for the end of the archive silently, which a scanner must not; so its header
parser alone is used.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.sources.streams import SHORTEST_VALUE, PeekableStream, Readable, StreamReader
from binance_leaks.sources.unpack import BoundedStream, DamagedArchiveError

_BLOCK = tarfile.BLOCKSIZE
_ZEROS = bytes(_BLOCK)
_LONGEST_NAME = 1 << 20
_CORRUPT = "the tar archive is corrupt"
_TRUNCATED = "the tar archive ends too early"
_USED = frozenset({"path", "linkpath", "size", "GNU.sparse.name"})
"""Records of extended headers that change a member."""
_NAME_END, _TYPE_END, _LINK_END, _MAGIC_END, _OWNERS_END, _DEVICES_END = 100, 157, 257, 265, 329, 345
"""Where the fields of a header end (POSIX.1-2017, pax, ustar interchange format)."""
_LONG = lazy_pattern(rb"[^\0]{%d}" % SHORTEST_VALUE)
_SPARSE_MORE_AT = 482
_SPARSE_STILL_MORE_AT = 504
_LONG_NAMES = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_NO_CONTENT = frozenset(
    {
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.DIRTYPE,
        tarfile.FIFOTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TarEntry:
    """A file with its stored name and its content, or a symbolic link with its target."""

    name: str
    data: Readable
    link: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TarName:
    """A name without content: that of a folder, the target of a hard link, or a name that another one replaces."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TarText:
    """Text of the archive that belongs to no member: records of extended headers, unused fields, what pads members."""

    data: bytes


@dataclass(kw_only=True, slots=True)
class _Extended:
    """The extended headers of the next member, as far as they change it, and what else they hold."""

    values: dict[str, str] = field(default_factory=dict)
    unused: list[bytes] = field(default_factory=list)

    def size(self, default: int) -> int:
        text = self.values.get("size", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else default

    def use(self, key: str, value: str) -> None:
        """Set a value; one that it replaces is used for nothing."""
        if self.values.get(key, value) != value:
            self.unused.append(_bytes(self.values[key]))
        self.values[key] = value

    def read_records(self, data: bytes, *, is_global: bool) -> None:
        """Read the records `LENGTH KEY=VALUE\\n` of a pax header, as far as they are well formed."""
        at = 0
        while at < len(data):
            digits, space, _ = data[at : at + 20].partition(b" ")
            if not space or not digits.isdigit() or int(digits) <= len(digits):
                break
            record = data[at + len(digits) + 1 : at + int(digits)]
            key, _, value = record.partition(b"=")
            if _text(key) in _USED and not is_global:
                self.use(_text(key), _text(value.removesuffix(b"\n")))
            else:
                self.unused.append(record)
            at += int(digits)
        self.unused.append(data[at:])

    def end(self, used: tuple[str | None, ...] = ()) -> None:
        """Drop the values, as their member was read with those that are used, or there is none."""
        self.unused += (_bytes(value) for value in self.values.values() if value not in used)
        self.values.clear()

    def take_unused(self) -> Iterator[TarText]:
        """Yield what is used for nothing, as one text."""
        texts = [text for text in self.unused if len(text.strip(b"\0")) >= SHORTEST_VALUE]
        self.unused.clear()
        if texts:
            yield TarText(data=b"\n".join(texts))


def read_entries(stream: PeekableStream) -> Iterator[TarEntry | TarName | TarText]:
    """The files and symbolic links in order, and names and texts that belong to none.

    The data of each must be read before the next one. It ends with the zero blocks that end the archive; what follows
    them is not read. Raises `DamagedArchiveError` at a block that is no header, and where the zero blocks are missing.
    """
    extended = _Extended()
    ended = False
    while block := _next_block(stream):
        if block == _ZEROS[: len(block)]:
            stream.read(_BLOCK)
            ended = True
            continue
        header = _header(block)
        if header is None:
            if ended:
                break
            extended.end()
            yield from extended.take_unused()
            raise DamagedArchiveError(_CORRUPT if len(block) == _BLOCK else _TRUNCATED)
        stream.read(_BLOCK)
        ended = False
        size = 0 if header.type in _NO_CONTENT else extended.size(header.size)
        extended.unused += _unused_fields(header, block)
        extended.unused += _sparse_map(stream, header, block)
        body = BoundedStream(stream, size)
        names = {header.name}
        if header.type in _LONG_NAMES:
            extended.use(_LONG_NAMES[header.type], _text(_small(body, size).rstrip(b"\0")))
        elif header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE):
            extended.read_records(_small(body, size), is_global=header.type == tarfile.XGLTYPE)
        else:
            entry = _entry(header, extended, body)
            extended.end(used=(entry.name, entry.link))
            if header.type == tarfile.SYMTYPE or header.type not in _NO_CONTENT:
                yield entry
                names.clear()
                if not entry.name.startswith(header.name):
                    names.add(header.name)
            else:
                names.add(entry.name)
            if header.type == tarfile.LNKTYPE:
                names.add(header.linkname)
            elif entry.link not in (None, header.linkname):
                extended.unused.append(_bytes(header.linkname))
        yield from (TarName(name=name) for name in sorted(names))
        body.skip()
        extended.unused.append(StreamReader(stream).take(-size % _BLOCK))
        yield from extended.take_unused()
    extended.end()
    yield from extended.take_unused()
    if not ended:
        # Cut between two members it looks whole, but for the zeros that every archive ends with.
        raise DamagedArchiveError(_TRUNCATED)


def _next_block(stream: PeekableStream) -> bytes:
    """The next block, still unread; raises what ended the stream, if that was no end."""
    block = stream.peek(_BLOCK)
    if len(block) < _BLOCK and stream.failed:
        StreamReader(stream).take(len(block))
        stream.read(1)
    return block


def _header(block: bytes) -> tarfile.TarInfo | None:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError, ArithmeticError):
        return None
    return header if header.size >= 0 else None


def _unused_fields(header: tarfile.TarInfo, block: bytes) -> Iterator[bytes]:
    """What the text fields of a header hold besides names, where it is long enough for a value."""
    link = block[_TYPE_END:_LINK_END]
    if header.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        link = link.partition(b"\0")[2]
    prefix = block[_DEVICES_END:]
    if header.type not in tarfile.GNU_TYPES:
        prefix = prefix.partition(b"\0")[2]
    for text in (block[:_NAME_END].partition(b"\0")[2], link, prefix):
        if len(text) - text.count(0) >= SHORTEST_VALUE:
            yield text
    owners = block[_MAGIC_END:_OWNERS_END]
    if _LONG.search(owners):
        yield owners


def _sparse_map(stream: Readable, header: tarfile.TarInfo, block: bytes) -> Iterator[bytes]:
    """The blocks behind a header of a sparse file: numbers, which are not used here."""
    more = header.type == tarfile.GNUTYPE_SPARSE and block[_SPARSE_MORE_AT]
    while more:
        block = StreamReader(stream).take(_BLOCK)
        if len(block) < _BLOCK:
            raise DamagedArchiveError(_TRUNCATED)
        more = block[_SPARSE_STILL_MORE_AT]
        yield block


def _small(body: Readable, size: int) -> bytes:
    if size > _LONGEST_NAME:
        raise DamagedArchiveError("the tar archive has a header without end")
    parts = []
    while part := body.read(size):
        parts.append(part)
    return b"".join(parts)


def _entry(header: tarfile.TarInfo, extended: _Extended, body: BoundedStream) -> TarEntry:
    values = extended.values
    name = values.get("GNU.sparse.name") or values.get("path") or header.name
    link = values.get("linkpath") or header.linkname
    return TarEntry(name=name, data=body, link=link if header.type == tarfile.SYMTYPE else None)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
