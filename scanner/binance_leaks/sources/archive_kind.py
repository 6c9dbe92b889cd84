"""Recognize an archive by its first bytes.

A module of its own, because nearly every file is no archive, and must not pay for importing the decoders.
"""

from __future__ import annotations

from enum import Enum

HEAD_SIZE = 512
"""Bytes from the start that are enough to decide."""

TAIL_SIZE = 22 + 0xFFFF
"""Bytes from the end that have the last record of a zip file, with its comment."""
ZIP_END = b"PK\x05\x06"
ZIP_END_SIZE = 22
"""Bytes of that record without a comment."""
PROGRAMS = (b"#!", b"MZ", b"\x7fELF")
"""What programs begin with."""

_TAR_MAGIC_AT = 257
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")


class ArchiveKind(Enum):
    """The families of archives that are recognized."""

    ZIP = "zip"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"
    TAR = "tar"
    SEVEN_ZIP = "7z"
    RAR = "rar"
    LZ4 = "lz4"
    LZIP = "lzip"
    COMPRESS = "compress"
    CABINET = "cabinet"
    GIT_PACK = "git pack"
    GIT_OBJECT = "git object"
    PDF = "pdf"
    MAIL = "mail"
    OUTLOOK = "Outlook message"


NOT_READ = frozenset({ArchiveKind.RAR, ArchiveKind.LZ4, ArchiveKind.LZIP, ArchiveKind.COMPRESS, ArchiveKind.CABINET})
"""Families that nothing reads here: they are reported as not read."""

_MAGIC = {
    b"PK\x03\x04": ArchiveKind.ZIP,
    b"PK\x05\x06": ArchiveKind.ZIP,
    b"PK\x07\x08": ArchiveKind.ZIP,
    b"\x1f\x8b\x08": ArchiveKind.GZIP,
    b"\xfd7zXZ\x00": ArchiveKind.XZ,
    b"\x28\xb5\x2f\xfd": ArchiveKind.ZSTD,
    b"7z\xbc\xaf\x27\x1c": ArchiveKind.SEVEN_ZIP,
    b"Rar!\x1a\x07": ArchiveKind.RAR,
    b"\x04\x22\x4d\x18": ArchiveKind.LZ4,
    b"LZIP\x01": ArchiveKind.LZIP,
    b"\x1f\x9d\x90": ArchiveKind.COMPRESS,
    b"MSCF\0\0\0\0": ArchiveKind.CABINET,
    b"PACK\0\0\0\2": ArchiveKind.GIT_PACK,
    b"PACK\0\0\0\3": ArchiveKind.GIT_PACK,
    b"# v2 git bundle\n": ArchiveKind.GIT_PACK,
    b"# v3 git bundle\n": ArchiveKind.GIT_PACK,
    b"%PDF-": ArchiveKind.PDF,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ArchiveKind.OUTLOOK,
}
SKIPPABLE = tuple(bytes((0x50 + low,)) + b"\x2a\x4d\x18" for low in range(16))
"""What frames of zstd begin with that hold something else than data (RFC 8878, section 3.1.2)."""
_MAGIC |= dict.fromkeys(SKIPPABLE, ArchiveKind.ZSTD)
_MAIL_STARTS = tuple(
    f"{name}:".encode()
    for name in (
        "From", "Return-Path", "Delivered-To", "Received", "MIME-Version", "Message-ID", "Message-Id", "Date", "To",
        "Subject", "DKIM-Signature", "ARC-Seal", "Reply-To", "Content-Type", "X-Mozilla-Status", "X-Apparently-To",
        "X-Gmail-Labels", "X-GM-THRID", "X-Received", "X-Original-To", "X-Account-Key", "X-UIDL", "Envelope-To",
        "Authentication-Results", "Thread-Topic", "Snapshot-Content-Location",
    )
)  # fmt: skip
_MAILBOX = b"From "
_PATCH = b" Mon Sep 17 00:00:00 2001"
"""The date with which git begins patches that look like mail."""
_ZLIB = b"x"
_GIT_OBJECTS = (b"blob ", b"commit ", b"tag ", b"tree ")
_STARTS = tuple(_MAGIC)


def archive_kind(head: bytes) -> ArchiveKind | None:
    """The archive kind by `head` (its first `HEAD_SIZE` bytes, or more), or None."""
    if head.startswith(_STARTS):
        return next(kind for magic, kind in _MAGIC.items() if head.startswith(magic))
    if head.startswith(b"BZh") and head[4:10] in _BZIP2_BLOCKS:
        return ArchiveKind.BZIP2
    if head.startswith(_ZLIB) and _is_git_object(head):
        return ArchiveKind.GIT_OBJECT
    if head.startswith(_MAIL_STARTS):
        return ArchiveKind.MAIL if _are_mail_headers(head.split(b"\n")) else None
    if head.startswith(_MAILBOX):
        first, *rest = head.split(b"\n")
        return ArchiveKind.MAIL if _PATCH not in first and _are_mail_headers(rest) else None
    return ArchiveKind.TAR if head.startswith(b"ustar", _TAR_MAGIC_AT) else None


def _are_mail_headers(lines: list[bytes]) -> bool:
    """Whether lines, the last of which may be cut, are headers of mail up to a blank line, at least three."""
    count = strong = 0
    for line in lines[:-1]:
        if not line.strip():
            break
        if line[:1] in (b" ", b"\t"):
            continue
        name, colon, _ = line.partition(b":")
        if not colon or not name.replace(b"-", b"").isalnum():
            return False
        count += 1
        strong += line.startswith(_MAIL_STARTS)
    return count >= 3 and strong >= 2


def _is_git_object(head: bytes) -> bool:
    """Whether it is one of git's loose objects: zlib data that begin with a type."""
    if int.from_bytes(head[:2], "big") % 31:
        return False
    import zlib  # hardly any file comes here

    try:
        return zlib.decompressobj().decompress(head, 16).startswith(_GIT_OBJECTS)
    except zlib.error:
        return False


def may_end_in_zip(data: bytes) -> bool:
    """Whether content that is no archive by its beginning ends in a zip file: a zipapp, a self-extracting program.

    `data` is the whole of it. A comment at the end of the zip file is looked for in programs and scripts only.
    """
    at = len(data) - ZIP_END_SIZE
    if not data.startswith(ZIP_END, max(0, at)):
        at = data.rfind(ZIP_END, max(0, len(data) - TAIL_SIZE)) if data.startswith(PROGRAMS) else -1
    if at <= 0:
        return False
    directory = int.from_bytes(data[at + 12 : at + 16], "little")
    return directory <= at and data.startswith(b"PK\x01\x02", at - directory)
