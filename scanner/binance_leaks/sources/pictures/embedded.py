"""Find the pictures that a text holds in base64: `data:` URLs, outputs of notebooks, attachments of mail."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.sources.pictures.kinds import is_picture, may_hold_picture

_BASE64 = rb"[A-Za-z0-9+/]{40}(?:[A-Za-z0-9+/]|\r?\n|\\n)*"
_EMBEDDED = lazy_pattern(
    rb"(?<![A-Za-z0-9+/=])(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR)" + _BASE64
    + rb"|(?<=;base64,)(?:Qk|SUkq|TU0A|AAAA)" + _BASE64
)  # fmt: skip
_SIGNS = (b"iVBORw0KGgo", b"/9j/", b"R0lGOD", b"UklGR", b";base64,")
"""What the expression needs, which is found faster than by it."""
_LINE_END = lazy_pattern(rb"\r?\n|\\n")
_MOST_EMBEDDED = 64
_HEAD = 200
"""Characters by which the kind of a picture is known."""


def holds_embedded(text: bytes) -> bool:
    """Whether a text holds a picture in base64."""
    if not any(sign in text for sign in _SIGNS):
        return False
    return any(is_picture(_unpacked(match.group()[:_HEAD])) for match in _EMBEDDED.finditer(text))


def embedded_pictures(text: bytes) -> Iterator[tuple[str, bytes] | str]:
    """Yield the pictures that a text holds in base64, each named by its line, then why others are not read.

    At most the first 64, each once.
    """
    seen: set[bytes] = set()
    line, counted = 1, 0
    for match in _EMBEDDED.finditer(text) if may_hold_picture(text) else ():
        picture = _unpacked(match.group())
        if picture in seen or not is_picture(picture):
            continue
        if len(seen) == _MOST_EMBEDDED:
            yield f"only the first {_MOST_EMBEDDED} of its pictures in base64 were read"
            return
        seen.add(picture)
        line, counted = line + text.count(b"\n", counted, match.start()), match.start()
        yield f"picture in line {line}", picture


def _unpacked(text: bytes) -> bytes:
    """What some base64 packs; empty where it is none."""
    packed = _LINE_END.sub(b"", text)
    try:
        return base64.b64decode(packed[: len(packed) // 4 * 4])
    except binascii.Error:
        return b""
