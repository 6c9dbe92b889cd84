"""Names of the contents of compressed files, and the texts that are in front of the data."""

from __future__ import annotations

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.sources.archive_kind import SKIPPABLE
from binance_leaks.sources.streams import PeekableStream

SHORTEST_GZIP = 12
"""Bytes that say that data are gzip."""
_ENDINGS = (".gz", ".bz2", ".xz", ".zst")
_TAR_ENDINGS = ("tgz", "tbz2", "tbz", "txz", "tzst")
_GZIP = b"\x1f\x8b\x08"
_LONGEST_TYPE = 32
_HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 4, 8, 16


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamHead:
    """What precedes the data of a compressed stream, as far as it is text that the decoder drops."""

    size: int
    """Bytes that are needed to know it."""
    text: bytes = b""
    skipped: int = 0
    """Bytes that are not for the decoder."""


def name_inside(path: str, head: bytes) -> str:
    """The name of the only member of a compressed file: as stored there, else that of the file without its ending."""
    stored = stored_name(head)
    if stored:
        return stored
    name = path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    if not stem:
        return name
    if ending.lower() in _TAR_ENDINGS:
        return f"{stem}.tar"
    return stem if dot + ending.lower() in _ENDINGS else name


def skip_type(inflated: PeekableStream) -> str:
    """Return the type of one of git's objects, which is in front of its content, and go to that."""
    head = inflated.peek(_LONGEST_TYPE)
    if head:  # else reading would raise what is wrong with it
        inflated.read(head.find(b"\0") + 1)
    return head.partition(b" ")[0].decode("ascii", "replace")


def stored_name(head: bytes) -> str:
    """The name in a gzip header (RFC 1952, section 2.3), empty if there is none or it does not end in `head`."""
    if not _is_gzip(head) or not head[3] & _HAS_NAME:
        return ""
    at = 10
    if head[3] & _HAS_EXTRA:
        at += 2 + int.from_bytes(head[10:12], "little")
    end = head.find(b"\0", at)
    name = head[at : max(at, end)]
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _texts_of_gzip(head: bytes) -> bytes | None:
    """The extra field, the name and the comment in a gzip header; None if it does not end in `head`."""
    if not _is_gzip(head):
        return b""
    at = 10
    if head[3] & _HAS_EXTRA:
        at += 2 + int.from_bytes(head[10:12], "little")
    for flag in (_HAS_NAME, _HAS_COMMENT):
        if head[3] & flag:
            end = head.find(b"\0", at)
            if end < 0:
                return None
            at = end + 1
    return head[10:at] if at <= len(head) else None


def _is_gzip(head: bytes) -> bool:
    return head.startswith(_GZIP) and len(head) >= SHORTEST_GZIP


def gzip_head(data: bytes) -> StreamHead:
    """The head of a gzip stream: extra field, name and comment (RFC 1952, section 2.3)."""
    texts = _texts_of_gzip(data)
    return StreamHead(size=len(data) + 1) if texts is None else StreamHead(size=len(data), text=texts)


def zstd_head(data: bytes) -> StreamHead:
    """The head of a zstd stream: a frame for other programs, if it is one (RFC 8878, section 3.1.2)."""
    if not data.startswith(SKIPPABLE):
        return StreamHead(size=0)
    size = 8 + int.from_bytes(data[4:8], "little")
    return StreamHead(size=size, text=data[8:size], skipped=size)
