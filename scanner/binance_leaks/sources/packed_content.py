"""Find compressed data and archives that a text has in base64.

So Helm keeps releases and cloud-init files (`gz+b64`), and so archives are in `data:` URLs and in JSON.
"""

from __future__ import annotations

import base64
from collections.abc import Container, Iterator

from binance_leaks.detect import prefilter
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.sources.archive_kind import HEAD_SIZE, archive_kind

_LINE = lazy_pattern(rb"(?:[A-Za-z0-9+/_-]|\\/|\\u002[BbFf]|%2[BbFf])+")
_LINE_END = lazy_pattern(
    rb"[\"'`]?[ \t]{0,4}[+.&,\\]?[ \t]{0,4}(?:\r\n?|\n)[ \t]{0,40}(?:(?:[#*>+.-]|//)[ \t]{1,4})?(?:[BRUbru]?[\"'`])?"
    rb"|(?:\\{1,4}r\\{1,4}n|\\{1,4}[nr])[ \t]{0,40}"
)
"""The end of a line in a text, a string, literals that are joined or listed, or a comment."""
_BEHIND_LAST_LINE = b"=%\r\n\"'`\\<,;"
_PLUS = lazy_pattern(rb"\\u002[Bb]|%2[Bb]|-")
_SLASH = lazy_pattern(rb"\\u002[Ff]|%2[Ff]|\\?/|_")
_SHORTEST_FOLDED = 40
_SHORTEST = 88
"""Characters of base64 that compressed data with a value in it has at least."""
_MOST = 64


def find_packed_content(text: bytes) -> Iterator[tuple[str, bytes] | str]:
    """Yield what a text has in base64, each named by its line, then why the rest is not read.

    At most the first 64, each once.
    """
    seen: set[bytes] = set()
    line, counted, end = 1, 0, 0
    starts = dict.fromkeys(sorted(prefilter.packed_content(text)))
    for start in starts:
        if start < end:
            continue
        packed, end = _read_base64(text, start, starts)
        content = _decode(packed) if len(packed) >= _SHORTEST and packed not in seen else b""
        if not _is_packed(content):
            continue
        if len(seen) == _MOST:
            yield f"only the first {_MOST} of its archives in base64 were read"
            return
        seen.add(packed)
        line, counted = line + text.count(b"\n", counted, start), start
        yield f"base64 in line {line}", content


def _read_base64(text: bytes, start: int, starts: Container[int]) -> tuple[bytes, int]:
    """Return the base64 that begins at an offset, and where it ends.

    It goes on in further lines while these are as long as the first, then in a shorter one; none that is at one of the
    offsets `starts` goes on with it.
    """
    if text.startswith(prefilter.XZ_WITHOUT_SLASH, start):
        start = next((start - size for size in (6, 3, 2, 1) if _SLASH.fullmatch(text[start - size : start])), start)
    first = _LINE.match(text, start)
    if first is None:
        return b"", start
    lines, end = [_unescape(first.group())], first.end()
    while len(lines[-1]) == len(lines[0]) >= _SHORTEST_FOLDED:
        line_end = _LINE_END.match(text, end)
        match = _LINE.match(text, line_end.end()) if line_end else None
        if match is None or match.start() in starts:
            break
        line = _unescape(match.group())
        is_last = len(line) < len(lines[0]) and text[match.end() : match.end() + 1] in _BEHIND_LAST_LINE
        if not (is_last or len(line) == len(lines[0])):
            break
        lines.append(line)
        end = match.end()
    return b"".join(lines), end


def _unescape(line: bytes) -> bytes:
    return _SLASH.sub(b"/", _PLUS.sub(b"+", line))


def _decode(packed: bytes) -> bytes:
    whole = packed[: -1 if len(packed) % 4 == 1 else None]
    return base64.b64decode(whole + b"=" * (-len(whole) % 4))


def _is_packed(content: bytes) -> bool:
    """Whether some bytes are compressed data or an archive, or base64 of that."""
    head = content[:HEAD_SIZE]
    return archive_kind(head) is not None or min(prefilter.packed_content(head), default=2) < 2
