"""Names of the contents of compressed files, and what else the header of gzip holds (RFC 1952, section 2.3)."""

from __future__ import annotations

LONGEST_GZIP_HEADER = 128 << 10
_ENDINGS = (".gz", ".bz2", ".xz", ".zst")
_TAR_ENDINGS = ("tgz", "tbz2", "tbz", "txz", "tzst")
_GZIP = b"\x1f\x8b\x08"
_HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 4, 8, 16


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


def texts_of_gzip(head: bytes) -> bytes:
    """The extra field, the name and the comment in a gzip header, as far as they are in `head`."""
    if not _is_gzip(head):
        return b""
    at = 10
    if head[3] & _HAS_EXTRA:
        at += 2 + int.from_bytes(head[10:12], "little")
    for flag in (_HAS_NAME, _HAS_COMMENT):
        if head[3] & flag:
            at = head.find(b"\0", at) + 1 or len(head)
    return head[10:at]


def _is_gzip(head: bytes) -> bool:
    return head.startswith(_GZIP) and len(head) >= 12
