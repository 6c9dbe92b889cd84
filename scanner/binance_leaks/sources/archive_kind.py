"""Recognize an archive by its first bytes.

A module of its own, because nearly every file is no archive, and must not pay for importing the decoders.
"""

from __future__ import annotations

from enum import Enum

HEAD_SIZE = 512
"""Bytes from the start that are enough to tell."""

_TAR_MAGIC_AT = 257
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")


class ArchiveKind(Enum):
    """The families of archives that are looked into."""

    ZIP = "zip"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    TAR = "tar"


_MAGIC = {
    b"PK\x03\x04": ArchiveKind.ZIP,
    b"PK\x05\x06": ArchiveKind.ZIP,
    b"PK\x07\x08": ArchiveKind.ZIP,
    b"\x1f\x8b\x08": ArchiveKind.GZIP,
    b"\xfd7zXZ\x00": ArchiveKind.XZ,
}
_STARTS = tuple(_MAGIC)


def archive_kind(head: bytes) -> ArchiveKind | None:
    """The archive that begins with `head` (its first `HEAD_SIZE` bytes, or more), or None."""
    if head.startswith(_STARTS):
        return next(kind for magic, kind in _MAGIC.items() if head.startswith(magic))
    if head.startswith(b"BZh") and head[4:10] in _BZIP2_BLOCKS:
        return ArchiveKind.BZIP2
    return ArchiveKind.TAR if head.startswith(b"ustar", _TAR_MAGIC_AT) else None
