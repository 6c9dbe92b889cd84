"""Messages in HTML and XML: elements whose classes say text, author and date, in exports and saved pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from binance_leaks.detect.message_parts import LONGEST_NAME, Message
from binance_leaks.lazy_patterns import lazy_pattern

_TAG = lazy_pattern(rb"<(/?)([A-Za-z][\w:.-]{0,40})([^<>]{0,1500})>")
_ATTRIBUTE = lazy_pattern(rb"([\w-]{1,30})=(?:\"([^\"<>]{0,400})\"|'([^'<>]{0,400})'|([^\s\"'<>=]{1,400}))")
_MAY_HOLD = lazy_pattern(
    rb"class=[\"']?[^\"'<>]{0,60}\b(?:from_name|chatlog__author|chatlog__message|author|comment-body|wiki-content)"
    rb"|<comment [^<>]{0,200}author=|<relative-time ",
    re.IGNORECASE,
)
_AUTHORS = frozenset(
    {"from_name", "chatlog__author", "author", "comment-author", "note-author-name", "sender", "author-name"}
)
_DATES = frozenset({"date", "chatlog__timestamp", "chatlog__short-timestamp", "timestamp", "page-metadata"})
_DATE_TAGS = frozenset({"time", "relative-time", "time-ago"})
_TEXTS = frozenset(
    {
        "text", "chatlog__content", "comment-body", "markdown-body", "note-text", "wiki-content", "message-text",
        "message-body", "message_body",
    }
)  # fmt: skip
_NEW_MESSAGE = frozenset({"message", "chatlog__message-container", "timeline-comment", "comment"})
_QUOTE = frozenset({"forwarded", "reply_to"})
_MODIFIED = lazy_pattern(rb" on (?:<[^<>]{0,99}>)?([A-Z][a-z]{2,8}\.? [0-9]{1,2}, [0-9]{4})")
_VOID = frozenset({"br", "img", "hr", "input", "meta", "link", "wbr", "use"})
_REACH = 400


def may_hold(data: bytes) -> bool:
    """Whether a text has elements that say who wrote something."""
    return _MAY_HOLD.search(data) is not None


class _Heading:
    """Who wrote what follows, and when."""

    def __init__(self) -> None:
        self.author = ""
        self.date = ""
        self.quoted = ""
        self.in_quote = False

    def name(self, author: str) -> None:
        if self.in_quote:
            self.quoted = self.quoted or author
        else:
            self.author = author or self.author


def read(data: bytes, start: int, end: int) -> Iterator[Message]:
    """Yield the messages of a part of a page."""
    heading = _Heading()
    waiting: list[Message] = []  # texts of an item whose author follows
    done = start
    for tag in _TAG.finditer(data, start, end):
        if tag.start() < done:
            continue
        name = tag.group(2).decode("ascii").lower()
        if tag.group(1):
            if name == "item":
                yield from (
                    message._replace(author=heading.author or message.author, date=heading.date or message.date)
                    for message in waiting
                )
                waiting = []
            continue
        attributes = _attributes(tag.group(3))
        classes = set(attributes.get("class", "").lower().split())
        if classes & _NEW_MESSAGE:
            heading.in_quote, heading.quoted = False, ""
        if classes & _QUOTE:
            heading.in_quote = True
        if name == "item":
            heading = _Heading()
        elif name == "comment" and attributes.get("author"):
            done = _element_end(data, tag.end(), end, name)
            yield _message(attributes["author"], attributes.get("created", ""), data, tag.end(), done)
        elif name == "description" and b"<rss" in data[:4000]:
            done = _element_end(data, tag.end(), end, name)
            waiting.append(_message("", "", data, tag.end(), done))
        elif name in ("reporter", "created") and b"<rss" in data[:4000]:
            text = _inner(data, tag.end())
            heading.author, heading.date = (text, heading.date) if name == "reporter" else (heading.author, text)
        elif classes & _TEXTS:
            done = _element_end(data, tag.end(), end, name)
            author = heading.quoted or heading.author
            if author or heading.date:
                yield _message(author, heading.date, data, tag.end(), done)
        elif classes & _AUTHORS:
            heading.name(_inner(data, tag.end()))
        if classes & _DATES or name in _DATE_TAGS:
            heading.date = _date(data, tag.end(), attributes, classes) or heading.date
    yield from waiting


def _message(author: str, date: str, data: bytes, start: int, end: int) -> Message:
    return Message(author=author, date=date, parts=_broken_lines(data, start, end), covered=[(start, end)])


_BREAK = lazy_pattern(
    rb"(?P<line><br ?/?>|</(?:p|div|li|pre|code)>|&lt;(?:br ?/?|/(?:p|div|li|pre|code))&gt;)"
    rb"|&lt;/?[A-Za-z][^<>&]{0,200}&gt;|&amp;(?P<sign>quot|amp|lt|gt|#39|nbsp);",
    re.IGNORECASE,
)
_SIGNS = {b"quot": b'"', b"amp": b"&", b"lt": b"<", b"gt": b">", b"#39": b"'", b"nbsp": b" "}


def _broken_lines(data: bytes, start: int, end: int) -> list[tuple[int, int, bytes]]:
    """A text in parts: each line of it ends in a line break, and what is escaped twice, as in feeds, is decoded."""
    parts = []
    for match in _BREAK.finditer(data, start, end):
        sign = b"\n" if match["line"] else _SIGNS.get((match["sign"] or b"").lower(), b"")
        parts.append((start, match.start(), sign))
        start = match.end()
    return [*parts, (start, end, b"")]


def _element_end(data: bytes, start: int, end: int, name: str) -> int:
    """The end of the content of an element of this name that is open at `start`."""
    depth = 1
    for tag in _TAG.finditer(data, start, end):
        if tag.group(2).decode("ascii").lower() != name or tag.group(3).endswith(b"/") or name in _VOID:
            continue
        depth += -1 if tag.group(1) else 1
        if not depth:
            return tag.start()
    return end


def _attributes(tag: bytes) -> dict[str, str]:
    found = {}
    for name, *values in _ATTRIBUTE.findall(tag):
        value = next(filter(None, values), b"")
        found[name.decode("ascii").lower()] = _unescape(value[:_REACH].decode("utf-8", "replace")).strip()
    return found


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    from html import unescape  # start-up: it imports two thousand names of characters

    return unescape(text)


def _inner(data: bytes, start: int) -> str:
    """The first text behind a tag."""
    near = _TAG.sub(b"\0", data[start : start + _REACH])
    text = next((part for part in near.split(b"\0") if part.strip() and b"<" not in part), b"")
    return " ".join(_unescape(text[:LONGEST_NAME].decode("utf-8", "replace")).split())


def _date(data: bytes, start: int, attributes: dict[str, str], classes: set[str]) -> str:
    if "page-metadata" in classes:
        match = _MODIFIED.search(data, start, start + 4 * _REACH)
        return match.group(1).decode("ascii") if match is not None else ""
    return attributes.get("datetime") or attributes.get("title") or _inner(data, start)
