"""Turns paths into URIs (RFC 3986), as SARIF wants them."""

from __future__ import annotations

import re

from scanner.report.sanitize import encodable

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_DRIVE = re.compile(r"[A-Za-z]:(?=/)")


def is_absolute(path: str) -> bool:
    """Whether a path with `/` starts at a root: `/x`, `C:/x`, `//host/share`."""
    return path.startswith("/") or _DRIVE.match(path) is not None


def path_uri(path: str) -> str:
    """The relative reference of a path with `/`, or the file URI of an absolute one.

    All bytes but letters, digits and `-._~/` are percent-encoded, bytes that are no UTF-8 as they are in the path. A
    colon too, so that no path reads as a scheme.
    """
    if path.startswith("//"):
        return "file:" + _encoded(path)
    if path.startswith("/"):
        return "file://" + _encoded(path)
    if (drive := _DRIVE.match(path)) is not None:
        return f"file:///{drive[0]}{_encoded(path[drive.end() :])}"
    return _encoded(path)


def _encoded(path: str) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = encodable(path).encode()
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)
