"""Messages of exports: the text of each, who wrote it and when.

A chat is exported as JSON, HTML, CSV or lines, with a dozen fields between one message and the next. A reader sees the
messages below one another, and so does the detector: a document is made of their texts alone. It is enough to see a
part of an export, as its records are recognized by their own fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from binance_leaks.detect import csv_messages, json_messages, markup_messages, prefilter
from binance_leaks.detect.message_parts import LONGEST_NAME, Message
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Origin

_AROUND = 24 << 10
"""Bytes around a long word in which messages are looked for."""

_DIGIT = rb"(?:[0-9]|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9])"
_MARKS = rb"(?:\xe2\x80[\x8e\x8f\xaa-\xae]|\xef\xbb\xbf){0,4}"
_MOMENT = (
    rb"%(d)s{1,4}[./-]%(d)s{1,2}[./-]%(d)s{1,4}\.?[^0-9\n\[\]<>]{1,16}%(d)s{1,2}[:.]%(d)s{2}(?:[:.]%(d)s{2})?[^0-9\n\[\]<>:-]{0,24}"
    % {b"d": _DIGIT}
)
_HEADER = lazy_pattern(
    rb"^%(m)s(?:\[(?P<first>%(t)s)\] |(?P<second>%(t)s) ?(?:-|\xe2\x80\x93) |(?P<third>%(t)s) (?=<[^<>\n]{1,80}> ))"
    rb"%(m)s(?:(?P<name>[^\n:<>]{1,80}?): |<(?P<nick>[^<>\n]{1,80})> |(?P<line>[^\n:]{1,80})\r?$)"
    % {b"m": _MARKS, b"t": _MOMENT},
    re.MULTILINE,
)
_NO_PERSON = lazy_pattern(
    r"(?:.*\W)?(?:info|debug|warn(?:ing)?|error|trace|fatal|critical|notice|verbose)|[\w$]+(?:\.[\w$]+)+|\W*",
    re.IGNORECASE,
)
_FRONT_MATTER = lazy_pattern(rb"(?:\xef\xbb\xbf)?---\r?\n((?:[^\n]{0,400}\n){1,60}?)---\r?\n")
_PROPERTIES = lazy_pattern(rb"(?:\xef\xbb\xbf)?# [^\n]{1,300}\n\r?\n((?:[^\n:]{1,40}: [^\n]{0,300}\n){1,40})")
_PROPERTY = lazy_pattern(rb"^([A-Za-z][A-Za-z _-]{0,30}?)[ \t]{0,4}:[ \t]{1,4}[\"']?([^\"'\n\r]{1,200})", re.MULTILINE)
_AUTHORS = frozenset({b"author", b"created by", b"creator", b"owner", b"by"})
_DATES = frozenset({b"date", b"created", b"created time", b"date created", b"created at"})
_PIECE = lazy_pattern(rb"(?=[A-Za-z+/]{0,64}[0-9])[A-Za-z0-9+/]{24,}")
"""A value, or a large piece of one; names of values have no digits or are shorter."""
_SECONDS = lazy_pattern(r"[0-9]{9,10}(?:\.[0-9]{1,9})?")
_MILLISECONDS = lazy_pattern(r"[0-9]{12,13}")


class Messages(NamedTuple):
    """The texts of an export as spans of its bytes, each with what is put behind it, and their origins.

    `origins` are the offset of each message in the bytes of all spans and signs, and who wrote it; `left` are the bytes
    with what may be a value in the texts blanked. Their other words stay, as one may name a value in another field.
    """

    spans: Sequence[tuple[int, int, bytes]]
    starts: Sequence[tuple[int, Origin]]
    """The index of the first span of each message, and its origin."""
    left: bytes


def find_messages(data: bytes) -> Messages | None:
    """Return the messages of an export that are near long words, None where there are none."""
    reader = _reader_of(data)
    if reader is None:
        return None
    spans: list[tuple[int, int, bytes]] = []
    starts: list[tuple[int, Origin]] = []
    left = bytearray(data)
    for start, end in _regions(data):
        for message in sorted(reader(data, start, end), key=lambda message: message.parts[0][0]):
            parts = [part for part in message.parts if part[0] < part[1] or part[2]]
            starts.append((len(spans), Origin(author=message.author, date=_readable(message.date))))
            spans += parts
            spans.append((message.parts[-1][1], message.parts[-1][1], b"\n"))
            for first, last in message.covered:
                for word in _PIECE.finditer(data, first, last):
                    left[word.start() : word.end()] = b" " * len(word.group())
    return Messages(spans=spans, starts=starts, left=bytes(left)) if spans else None


def origins_of_document(data: bytes) -> Sequence[tuple[int, Origin]]:
    """Return the author and date in the front matter of a note or below its title, from its beginning on."""
    match = _FRONT_MATTER.match(data) or _PROPERTIES.match(data)
    if match is None:
        return ()
    author = date = ""
    for name, value in _PROPERTY.findall(match.group(1)):
        key = name.strip().lower().replace(b"_", b" ")
        text = value.decode("utf-8", "replace").strip()
        author = author or (text if key in _AUTHORS else "")
        date = date or (text if key in _DATES else "")
    return [(0, Origin(author=author, date=date))] if author or date else ()


Reader = Callable[[bytes, int, int], Iterator[Message]]


def _reader_of(data: bytes) -> Reader | None:
    if _HEADER.match(data) is not None:
        return _read_lines
    if json_messages.may_hold(data):
        return json_messages.read
    if markup_messages.may_hold(data):
        return markup_messages.read
    columns = csv_messages.columns_of(data)
    if columns is not None:
        return columns.read
    return _read_lines if _HEADER.search(data) is not None else None


def _regions(data: bytes) -> list[tuple[int, int]]:
    """What is around the long words of the data, without overlap."""
    regions: list[tuple[int, int]] = []
    for start, end in prefilter.long_runs(prefilter.classified(data)):
        first, last = max(0, start - _AROUND), min(len(data), end + _AROUND)
        if regions and first <= regions[-1][1]:
            regions[-1] = (regions[-1][0], last)
        else:
            regions.append((first, last))
    return regions


def _read_lines(data: bytes, start: int, end: int) -> Iterator[Message]:
    """The messages of WhatsApp, of DiscordChatExporter's text and of logs of IRC."""
    start = data.rfind(b"\n", 0, start) + 1
    headers = [match for match in _HEADER.finditer(data, start, end) if not _is_log(match)]
    for index, match in enumerate(headers):
        last = headers[index + 1].start() if index + 1 < len(headers) else end
        last = match.end() + len(data[match.end() : last].rstrip())
        name = match["name"] or match["nick"] or match["line"]
        yield Message(
            author=_text(name).lstrip("~ \u00a0\u202f"),
            date=_text(match["first"] or match["second"] or match["third"]),
            parts=[(match.end(), last, b"")],
            covered=[(match.end(), last)],
        )


def _is_log(match: re.Match[bytes]) -> bool:
    return _NO_PERSON.fullmatch(_text(match["name"] or match["nick"] or match["line"])) is not None


def _text(data: bytes) -> str:
    text = data[:LONGEST_NAME].decode("utf-8", "replace")
    return text.strip(" \t\r\n\u200e\u200f\u202a\u202b\u202c\u202d\u202e\ufeff")


def _readable(date: str) -> str:
    """Seconds or milliseconds since 1970 as ISO 8601; another date as it is."""
    seconds = float(date) if _SECONDS.fullmatch(date) else float(date) / 1000 if _MILLISECONDS.fullmatch(date) else None
    if seconds is None:
        return date
    days, rest = divmod(int(seconds), 86_400)
    year, month, day = _civil(days)
    return f"{year}-{month:02}-{day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day that many days after 1 January 1970, in years of 400 that begin in March."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    return year + era * 400 + (month >= 10), (month + 2) % 12 + 1, day
