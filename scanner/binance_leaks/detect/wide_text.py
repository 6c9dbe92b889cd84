"""Text in UTF-16 and UTF-32: how it is recognised, decoded where narrow text is in it, and found in binaries."""

from __future__ import annotations

from collections.abc import Iterator

from binance_leaks.lazy_patterns import lazy_pattern

_SAMPLE = 4096
_PIECE = 64
_WIDE_STRINGS = {
    "utf-16-le": (2, lazy_pattern(rb"[\t\x20-\x7e](?:\0[\t\x20-\x7e]){3,}")),
    "utf-32-le": (4, lazy_pattern(rb"[\t\x20-\x7e](?:\0\0\0[\t\x20-\x7e]){3,}")),
}


def wide_strings(data: bytes, main: str = "", begin: int = 0) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    """Yield each encoding with the strings of a binary in it, one a line, and their places; they begin at any byte.

    Without those that are part of a `main` text in an encoding, which begins at an offset.
    """
    for encoding, (width, pattern) in _WIDE_STRINGS.items():
        first = begin if main.endswith("le") else begin + width - 1
        skipped = first % width if main[:6] == encoding[:6] else None
        parts: list[str] = []
        places: list[tuple[int, int]] = []
        length = 0
        for match in pattern.finditer(data):
            if match.start() % width == skipped:
                continue
            places.append((length, match.start()))
            parts.append(match.group().replace(b"\0", b"").decode("ascii"))
            length += len(parts[-1]) + 1
        if parts:
            yield encoding, "\n".join(parts), places


_CHAR = rb"(?:[\x01-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3})"
_BEGIN = rb"(?=[\x01-\xf4]{4})(?<![\x01-\x7e])" + b"".join(
    rb"(?<![\xc2-\xf4][\x80-\xbf]{%d})" % more for more in (1, 2, 3)
)
"""Where a run of characters begins: from any other place in it, the search would read it again. First a fast test."""
_NARROW = {
    "le": lazy_pattern(_BEGIN + b"(" + _CHAR + rb"{48,})(?!\0)"),
    "be": lazy_pattern(_BEGIN + rb"(?:(?<=\0)" + _CHAR + rb"|(?<!\0))(" + _CHAR + b"{48,})"),
}
"""Narrow text in a wide one, without the character of the wide one that its zeros are beside."""


def from_wide(data: bytes, encoding: str) -> bytes:
    """Return text in UTF-16 or UTF-32 as UTF-8, and what is narrow in it as it is.

    What looks narrow may be letters of another script: it ends with a whole character, so that the rest stays in step.
    No value is half wide, half narrow: a zero is between.
    """
    parts: list[bytes] = []
    done, width = 0, int(encoding[4:6]) // 8
    for match in _NARROW[encoding[-2:]].finditer(data):
        start, end = match.span(1)
        end = end if end == len(data) else end // width * width
        parts += [data[done:start].decode(encoding, "replace").encode("utf-8"), data[start:end]]
        done = end
    parts.append(data[done:].decode(encoding, "replace").encode("utf-8"))
    text = bytearray()
    for part in parts:
        if _is_piece(text[-_PIECE:], -1) and _is_piece(part[:_PIECE], 0):
            text += b"\0"
        text += part
    return bytes(text)


def _is_piece(run: bytes | bytearray, at: int) -> bool:
    """Whether there are letters or digits at one end of a text, too few for a value."""
    return bool(run) and run[at : at + 1 or None].isalnum() and not (len(run) == _PIECE and run.isalnum())


def wide_encoding(data: bytes) -> str | None:
    """Return the encoding of wide text that has no mark of it, None if it is something else."""
    return _utf16_without_bom(data) or _utf32_without_bom(data)


def _utf32_without_bom(data: bytes) -> str | None:
    """UTF-32 by its zero bytes, two or three of every four, and by what it then says."""
    sample = data[: _SAMPLE // 4 * 4]
    count = len(sample) // 4
    zeros = [sample[at::4].count(0) for at in range(4)]
    if count < 4:
        return None
    for encoding, lowest_first in (("utf-32-le", zeros), ("utf-32-be", zeros[::-1])):
        _, middle, *high = lowest_first
        if min(high) < 0.98 * count or middle < 0.4 * count:
            continue
        text = sample.decode(encoding, "replace")  # a table of small numbers has such zeros, too
        if sum(char.isprintable() or char in "\t\r\n" for char in text) >= 0.85 * count:
            return encoding
    return None


def _utf16_without_bom(data: bytes) -> str | None:
    """Recognise UTF-16 by its zero bytes: text in Latin letters has one in nearly every second place, no others."""
    sample = data[:_SAMPLE]
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd >= 0.4 * pairs and even <= 0.02 * pairs:
        return "utf-16-le"
    if even >= 0.4 * pairs and odd <= 0.02 * pairs:
        return "utf-16-be"
    return None
