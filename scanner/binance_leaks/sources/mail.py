"""Mail: messages in files and mailboxes (RFC 5322, RFC 4155), their parts decoded (RFC 2045), and saved pages (MHTML).

The texts of all messages become one text in which each begins with `[DATE] AUTHOR: `, as a chat is exported, so that
halves of a pair in two messages are near each other and each has its author. Attachments are members by their names.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timezone
from email.errors import MessageDefect, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parseaddr, parsedate_to_datetime
from html import unescape

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.sources.streams import Readable

HEADERS = "headers"
"""The name of the part that has the headers as they are."""
LARGEST_MESSAGE = 64 << 20
_READ = 1 << 20
_LONGEST_HEAD = 1 << 20
_LONGEST_HEADER = 4 << 10
_MOST_PARAMETERS = 64
"""The time in which the standard parser reads parameters grows with the square of their number."""
_PARAMETERS = ("content-type", "content-disposition")
_HEADERS = frozenset((*_PARAMETERS, "content-transfer-encoding", "content-location", "from", "subject", "date"))
_FAULTS = (
    MessageError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    RecursionError,
)
"""What the standard parser raises for damaged headers."""
_CUT = "a header of the mail is too long, and was not read to its end"
_DAMAGED = "a header of the mail is damaged, and its parts were not decoded"
_NO_BOUNDARY = "the boundary between its parts was not found, and they were not decoded"
_TOO_DEEP = "its parts are nested too deep, and were not decoded"
_TOO_MANY = "it has more parts than are decoded"
_LONG_HEAD = "its headers are too long, and it was not decoded"
_CHARSET = lazy_pattern(
    r"ascii|utf-(?:7|8|8-sig|16|32|16-[bl]e|32-[bl]e)|iso8859-[0-9]{1,2}|cp[0-9]{3,5}|koi8-[rtu]|mac-[a-z0-9]{2,12}"
    r"|gb2312|gbk|gb18030|hz|big5|big5hkscs|euc-[a-z0-9-]{2,12}|shift-jis[a-z0-9-]{0,5}|iso2022-[a-z0-9-]{2,12}"
    r"|johab|tis-620|hp-roman8|kz1048|ptcp154"
)
"""The codecs of text that mail may be in. Not escapes and domains: their time grows with the square of the text."""
_DEEPEST = 8
_MOST_PARTS = 2_000
_LONGEST_NAME = 80
_LONGEST_SEPARATOR = 400
_SEPARATOR = lazy_pattern(rb"(?:\A|\n\r?\n)(?=From [^\s]{1,200} [^\n]{0,20}[A-Z][a-z]{2} [^\n]{10,60}\n)")
_MARKER = b"From "
_ENCODED = lazy_pattern(rb"^content-transfer-encoding:[ \t]*(?:base64|quoted-printable)", re.IGNORECASE | re.MULTILINE)
"""The head of a part whose text is not what it was sent in."""
_BREAK = lazy_pattern(r"<br ?/?>|</(?:p|div|li|tr|pre|h[1-6])>", re.IGNORECASE)
_TAG = lazy_pattern(r"<[A-Za-z/!][^<>]{0,2000}>")
_UNFIT = lazy_pattern(r"[\x00-\x1f\x7f:<>]+")
_SAVED = "saved by"


@dataclass(frozen=True, kw_only=True, slots=True)
class MailPart:
    """A part of a message: text of the message itself, or a file with its name."""

    author: str
    date: str
    """In UTC, as 2024-03-05 10:01:00 UTC; empty where it is missing or cannot be read."""
    content: bytes
    name: str = ""
    """Empty for text of the message itself."""
    fault: str = ""
    """What of it was not decoded."""


def read_messages(stream: Readable) -> Iterator[bytes]:
    """The messages of a mailbox, or the only one of a file, in order; a larger one than is decoded is cut.

    Raises what the stream raises.
    """
    data = b""
    ended, searched = False, 1
    while not ended:
        part = stream.read(_READ) or b""
        ended = not part
        data += part
        start = 0
        for separator in _SEPARATOR.finditer(data, searched):
            yield data[start : separator.end()]
            start = separator.end()
        data = data[start:]
        searched = max(1, len(data) - _LONGEST_SEPARATOR)
        if len(data) > LARGEST_MESSAGE:
            yield data
            data, searched = b"", 1
    if data:
        yield data


def read_parts(message: bytes, depth: int = 0) -> Iterator[MailPart]:
    """The parts of a message, decoded. What is not decoded, as it is in no known encoding, is yielded as it is.

    `depth` is the number of messages and parts around it.
    """
    if message.startswith(_MARKER):
        message = message.partition(b"\n")[2]
    headers, body = _split(message)
    author, date = _author(headers), _date(headers)
    head = message[: len(message) - len(body)]
    yield MailPart(author=author, date=date, content=head, name=HEADERS)
    subject = _header(headers, "Subject")
    if subject:
        yield MailPart(author=author, date=date, content=subject.encode("utf-8", "replace"))
    for headers_of_part, content, fault in _leaves(headers, body, depth):
        if headers_of_part.get_content_type() == "message/rfc822" and depth < _DEEPEST:
            yield from read_parts(content, depth + 1)
            continue
        name = _name(headers_of_part)
        if name or headers_of_part.get_content_maintype() != "text":
            yield MailPart(author=author, date=date, content=content, name=name or "part", fault=fault)
            continue
        text = _decoded(content, headers_of_part)
        if headers_of_part.get_content_subtype() == "html":
            text = plain_text(text)
        yield MailPart(author=author, date=date, content=text.encode("utf-8", "replace"), fault=fault)


def heading(part: MailPart) -> bytes:
    """The line with which the text of a message begins."""
    return f"[{part.date}] {part.author}: ".encode("utf-8", "replace")


def _split(message: bytes) -> tuple[Message, bytes]:
    """The headers of a message or part that are used here, with what was not read as their defects, and its body."""
    found = (message.find(blank, 0, _LONGEST_HEAD) for blank in (b"\n\n", b"\n\r\n"))
    end = min((at for at in found if at >= 0), default=len(message))
    if message.startswith((b"\n", b"\r\n")):
        return Message(), message.lstrip(b"\r\n")
    short = Message()
    if end > _LONGEST_HEAD:
        short.defects.append(MessageDefect(_LONG_HEAD))
        return short, message
    try:
        headers = BytesHeaderParser().parsebytes(message[: end + 1])
    except _FAULTS:
        short.defects.append(MessageDefect(_DAMAGED))
        return short, message
    for name, value in headers.raw_items():
        if name.lower() in _HEADERS and name not in short:
            text = str(value)[:_LONGEST_HEADER]
            if name.lower() in _PARAMETERS:
                text = ";".join(text.split(";", _MOST_PARAMETERS)[:_MOST_PARAMETERS])
                if len(text) < len(str(value)):
                    short.defects.append(MessageDefect(_CUT))
            short[name] = text
    return short, message[end + 1 :].removeprefix(b"\r").removeprefix(b"\n")


def _leaves(headers: Message, body: bytes, depth: int) -> Iterator[tuple[Message, bytes, str]]:
    """The parts that have no parts, the body of each decoded from what it was sent in, and what was not decoded."""
    fault = str(headers.defects[0]) if headers.defects else ""
    boundary = None
    if headers.get_content_maintype() == "multipart":
        with suppress(*_FAULTS):
            boundary = headers.get_boundary()
        if not boundary and _ENCODED.search(body):
            fault = fault or _NO_BOUNDARY
    if not boundary or depth >= _DEEPEST:
        encoding = str(headers.get("Content-Transfer-Encoding", "")).strip().lower()
        yield headers, _unpacked(body, encoding), _TOO_DEEP if boundary else fault
        return
    delimiter = b"--" + boundary.encode("utf-8", "surrogateescape")
    before, *pieces = _split_at_lines(body, delimiter)
    if len(pieces) >= _MOST_PARTS and delimiter in pieces[-1]:
        fault = _TOO_MANY
    elif _ENCODED.search(before):
        fault = fault or _NO_BOUNDARY
    if before.strip() or fault:
        yield Message(), before, fault
    for piece in pieces:
        if piece.strip():
            yield from _leaves(*_split(piece.removeprefix(b"\n")), depth + 1)


def _split_at_lines(body: bytes, delimiter: bytes) -> list[bytes]:
    """The parts of a body between the lines that are a delimiter, which the last of may end in two more hyphens."""
    pieces: list[bytes] = []
    start = at = 0
    while len(pieces) < _MOST_PARTS and (at := body.find(delimiter, at)) >= 0:
        if body[max(0, at - 1) : at] in (b"\n", b""):
            end = body.find(b"\n", at) % (len(body) + 1)
            if body[at + len(delimiter) : end].strip() in (b"", b"--"):
                pieces.append(body[start:at])
                start = end
        at += len(delimiter)
    return [*pieces, body[start:]]


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        for padding in (b"", b"==", b"A=="):
            with suppress(binascii.Error):
                return binascii.a2b_base64(body + padding)
        return body
    return binascii.a2b_qp(body) if encoding == "quoted-printable" else body


def _decoded(content: bytes, headers: Message) -> str:
    try:
        charset = headers.get_content_charset() or "utf-8"
        return content.decode(charset if _is_known(charset) else "utf-8", "replace")
    except _FAULTS:
        return content.decode("utf-8", "replace")


def _is_known(charset: str) -> bool:
    try:
        return (
            len(charset) <= _LONGEST_NAME
            and _CHARSET.fullmatch(codecs.lookup(charset).name.replace("_", "-")) is not None
        )
    except (LookupError, ValueError):
        return False


def _header(headers: Message, name: str) -> str:
    value = headers.get(name)
    if value is None:
        return ""
    try:
        words = decode_header(str(value)[:2000])
        return str(
            make_header([(word, charset if charset and _is_known(charset) else None) for word, charset in words])
        )
    except _FAULTS:
        return str(value)[:2000]


def _author(headers: Message) -> str:
    try:
        return author_of(*parseaddr(_header(headers, "From")))
    except _FAULTS:
        return ""


def _name(headers: Message) -> str:
    """The name of a file, or the address of a saved page."""
    try:
        name = headers.get_filename() or ""
    except _FAULTS:
        name = "part"
    return name or str(headers.get("Content-Location", ""))[:500].strip()


def plain_text(html: str) -> str:
    """The text of a page, without its tags, with the line breaks that they make."""
    return unescape(_TAG.sub("", _BREAK.sub("\n", html)))


def author_of(name: str, address: str) -> str:
    """An author as one line without signs that end a name; empty for the browser that saved a page."""
    if name.lower().startswith(_SAVED) or address.lower().startswith(_SAVED):
        return ""
    both = f"{name} ({address})" if name and address and name != address else name or address
    return _UNFIT.sub(" ", both).strip()[:_LONGEST_NAME]


def _date(headers: Message) -> str:
    try:
        moment = parsedate_to_datetime(_header(headers, "Date"))
    except _FAULTS:
        return ""
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(timezone.utc)
        except OverflowError:
            return ""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
