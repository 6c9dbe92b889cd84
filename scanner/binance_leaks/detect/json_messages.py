"""Messages in JSON: objects that hold a text and a date, as in exports of Telegram, Slack, Discord and of issues.

It reads forward from any place in the text, as a large export is seen in parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from binance_leaks.detect.message_parts import AUTHORS, DATES, LONGEST_NAME, NAMES, TEXTS, Message, normalized
from binance_leaks.lazy_patterns import lazy_pattern

_DATED = lazy_pattern(
    rb"(?<!\\)\"(?:date|timestamp|ts|created(?:_at|At|DateTime|Time|Date)?|create_at|datetime|original_?arrival_?time"
    rb"|origin_server_ts|composetime|sent_?at|time)\"\s{0,9}:",
    re.IGNORECASE,
)
_MEMBER = lazy_pattern(rb"(?<!\\)\"[A-Za-z_][A-Za-z_ -]{0,40}\"[ \t]{0,4}:")
_SIGN = lazy_pattern(rb"[\"{}\[\]]")
_NUMBER = lazy_pattern(rb"[ \t\r\n]{0,9}([0-9]{9,17}(?:\.[0-9]{1,9})?)")
_COLON = lazy_pattern(rb"[ \t\r\n]{0,9}:")
_ESCAPE = lazy_pattern(rb"\\(?:u00([2-7][0-9A-Fa-f])|([\"\\/nrtbf]))")
_SIGNS = {b"n": b"\n", b"r": b"\n", b"t": b"\t", b"b": b" ", b"f": b" ", b'"': b'"', b"\\": b"\\", b"/": b"/"}
_DEEPEST = 64
_LONG = 48
_LAST, _MOST_SEARCHED = 8, 256


def may_hold(data: bytes) -> bool:
    """Whether a text has a dated object of JSON in it."""
    return _DATED.search(data) is not None


class _Frame:
    """An object or a list that is open. `key` is the field that holds it."""

    __slots__ = ("author", "author_rank", "date", "is_list", "key", "texts")

    def __init__(self, key: str, *, is_list: bool) -> None:
        self.key = key
        self.is_list = is_list
        self.author = ""
        self.author_rank = 0
        self.date = ""
        self.texts: list[tuple[int, int, int]] = []
        """Start, end and the list that it is a part of, by its number."""

    def name(self, text: str, rank: int) -> None:
        if text and rank > self.author_rank:
            self.author, self.author_rank = text, rank


def read(data: bytes, start: int, end: int) -> Iterator[Message]:
    """Yield the messages of a part of a text; a message whose end is not in it is yielded with what is there."""
    if start:
        first = _MEMBER.search(data, start, end)
        if first is None:
            return
        start = first.start()
    stack = [_Frame("", is_list=False)]
    key, lists, at = "", 0, start
    while (sign := _SIGN.search(data, at, end)) is not None:
        at = sign.end()
        char = sign.group()
        if char == b'"':
            closing = _string_end(data, at, len(data))
            if closing < 0:
                break
            frame = stack[-1]
            colon = _COLON.match(data, closing + 1) if not frame.is_list else None
            if colon is not None:
                key = normalized(data[at:closing])
                number = _NUMBER.match(data, colon.end()) if key in DATES else None
                if number is not None:
                    frame.date = frame.date or number.group(1).decode()
                at = colon.end()
                continue
            _take(frame, frame.key if frame.is_list else key, data, at, closing, lists if frame.is_list else 0)
            at, key = closing + 1, key if frame.is_list else ""
        elif char in (b"{", b"["):
            frame = stack[-1]
            lists += char == b"["
            stack.append(_Frame(frame.key if frame.is_list else key, is_list=char == b"["))
            key = ""
            if len(stack) > _DEEPEST:
                return
        else:
            frame = stack.pop()
            if not stack:
                stack.append(_Frame("", is_list=False))
            yield from _close(frame, stack[-1], data, lists)
    for frame in reversed(stack):
        yield from _close(frame, _Frame("", is_list=False), data, lists)


def _take(frame: _Frame, key: str, data: bytes, start: int, end: int, number: int) -> None:
    """Take a string that is the value of a field, or an item of a list."""
    if key in DATES and not frame.date and end - start <= LONGEST_NAME:
        frame.date = _string(data, start, end)
    rank = max(AUTHORS.get(key, 0), 6 * NAMES.get(key, 0) if frame.key in AUTHORS else 0)
    if rank and end - start <= LONGEST_NAME and not frame.is_list:
        frame.name(_string(data, start, end), rank)
    if key in TEXTS and end > start:
        frame.texts.append((start, end, number))


def _close(frame: _Frame, outer: _Frame, data: bytes, lists: int) -> Iterator[Message]:
    if frame.key in AUTHORS and not frame.is_list and frame.author and not (frame.date and frame.texts):
        outer.name(frame.author, AUTHORS[frame.key])
        return
    if frame.date and frame.texts and not frame.is_list:
        yield _message(frame, data)
        return
    if frame.is_list:
        outer.texts += [(start, end, number or lists) for start, end, number in frame.texts]
    else:
        outer.texts += frame.texts


def _message(frame: _Frame, data: bytes) -> Message:
    parts: list[tuple[int, int, bytes]] = []
    earlier = _EarlierTexts(sum(end - start for start, end, _ in frame.texts))
    texts = sorted(frame.texts, key=lambda text: text[0])
    for index, (start, end, number) in enumerate(texts):
        if end - start >= _LONG and earlier.have(data[start:end]):
            continue  # Slack and Telegram repeat the text as a list of its parts
        follows = texts[index + 1] if index + 1 < len(texts) else None
        glued = follows is not None and number and follows[2] == number and not _would_merge(data, end, follows[0])
        parts += _unescaped(data, start, end, b"" if glued else b"\n")
    return Message(
        author=frame.author, date=frame.date, parts=parts, covered=[(start, end) for start, end, _ in frame.texts]
    )


class _EarlierTexts:
    """The long texts of a message so far, and whether they have another in them.

    All are compared as a whole, and the last few are searched, for `_MOST_SEARCHED` bytes for each byte of the message.
    """

    __slots__ = ("_all", "_last", "_left")

    def __init__(self, size: int) -> None:
        self._all: set[bytes] = set()
        self._last: list[bytes] = []
        self._left = size * _MOST_SEARCHED

    def have(self, text: bytes) -> bool:
        """Whether an earlier text has this one in it; if none has, it is one more."""
        if text in self._all:
            return True
        self._left -= sum(map(len, self._last))
        if self._left >= 0 and any(text in other for other in self._last):
            return True
        self._all.add(text)
        self._last = [*self._last[1 - _LAST :], text]
        return False


def _would_merge(data: bytes, end: int, start: int) -> bool:
    return data[end - 1 : end].isalnum() and data[start : start + 1].isalnum()


def _unescaped(data: bytes, start: int, end: int, behind: bytes) -> list[tuple[int, int, bytes]]:
    parts = []
    for escape in _ESCAPE.finditer(data, start, end):
        code, char = escape.groups()
        parts.append((start, escape.start(), bytes([int(code, 16)]) if code else _SIGNS[char]))
        start = escape.end()
    return [*parts, (start, end, behind)]


def _string_end(data: bytes, start: int, end: int) -> int:
    """The offset of the quote that ends a string, -1 where none does."""
    at = data.find(b'"', start, end)
    while at >= 0:
        first = at
        while first > start and data[first - 1] == 0x5C:
            first -= 1
        if (at - first) % 2 == 0:
            return at
        at = data.find(b'"', at + 1, end)
    return -1


def _string(data: bytes, start: int, end: int) -> str:
    import json  # start-up: hardly any file is an export

    try:
        text = json.loads(data[start - 1 : end + 1])
    except ValueError:
        return ""
    return text.strip() if isinstance(text, str) else ""
