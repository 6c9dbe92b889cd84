"""Recognize pictures by their first bytes.

A module of its own, because nearly every file is no picture, and must not pay for importing what reads them.
"""

from __future__ import annotations

LARGEST = 64 << 20
"""Bytes of the largest picture that is read."""
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_BMP, _RIFF, _WEBP, _FTYP = b"BM", b"RIFF", b"WEBP", b"ftyp"
_BMP_HEADERS = frozenset((12, 40, 52, 56, 64, 108, 124))
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"))


def is_picture(head: bytes) -> bool:
    """Whether content is a picture by its first bytes: PNG, JPEG, GIF, TIFF, BMP, WebP, HEIC or AVIF."""
    if head.startswith(_STARTS):
        return True
    if head.startswith(_BMP):
        return head[6:10] == b"\0\0\0\0" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    if head.startswith(_RIFF):
        return head[8:12] == _WEBP
    return head[4:8] == _FTYP and head[8:12] in _HEIF_BRANDS


def may_hold_picture(data: bytes) -> bool:
    """Whether content is a picture, or a text that may hold one."""
    return is_picture(data) or b"image/" in data or b"iVBORw0KGgo" in data
