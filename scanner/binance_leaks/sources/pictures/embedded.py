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
_LINE_END = lazy_pattern(rb"\r?\n|\\n")
_MOST_EMBEDDED = 64


def embedded_pictures(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the pictures that a text holds in base64, each with its line.

    At most the first 64, each once.
    """
    seen: set[bytes] = set()
    line, counted = 1, 0
    for match in _EMBEDDED.finditer(text) if may_hold_picture(text) else ():
        packed = _LINE_END.sub(b"", match.group())
        try:
            picture = base64.b64decode(packed[: len(packed) // 4 * 4])
        except binascii.Error:
            continue
        if picture in seen or not is_picture(picture):
            continue
        seen.add(picture)
        line, counted = line + text.count(b"\n", counted, match.start()), match.start()
        yield line, picture
        if len(seen) == _MOST_EMBEDDED:
            return
