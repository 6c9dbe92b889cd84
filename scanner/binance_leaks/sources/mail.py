"""Mail: messages in files and mailboxes (RFC 5322, RFC 4155), their parts decoded (RFC 2045), and saved pages (MHTML).

The texts of all messages become one text in which each begins with `[DATE] AUTHOR: `, as a chat is exported, so that
halves of a pair in two messages are near each other and each has its author. Attachments are members by their names.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from datetime import timezone
from email.errors import MessageError
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
_DEEPEST = 8
_MOST_PARTS = 2_000
_LONGEST_NAME = 80
_LONGEST_SEPARATOR = 400
_SEPARATOR = lazy_pattern(rb"(?:\A|\n\r?\n)(?=From [^\s]{1,200} [^\n]{0,20}[A-Z][a-z]{2} [^\n]{10,60}\n)")
_MARKER = b"From "
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
    author, date = author_of(*parseaddr(_header(headers, "From"))), _date(headers)
    head = message[: len(message) - len(body)]
    yield MailPart(author=author, date=date, content=head, name=HEADERS)
    subject = _header(headers, "Subject")
    if subject:
        yield MailPart(author=author, date=date, content=subject.encode("utf-8", "replace"))
    for headers_of_part, content in _leaves(headers, body, depth):
        if headers_of_part.get_content_type() == "message/rfc822" and depth < _DEEPEST:
            yield from read_parts(content, depth + 1)
            continue
        name = _name(headers_of_part)
        if name or headers_of_part.get_content_maintype() != "text":
            yield MailPart(author=author, date=date, content=content, name=name or "part")
            continue
        text = _decoded(content, headers_of_part)
        if headers_of_part.get_content_subtype() == "html":
            text = plain_text(text)
        yield MailPart(author=author, date=date, content=text.encode("utf-8", "replace"))


def heading(part: MailPart) -> bytes:
    """The line with which the text of a message begins."""
    return f"[{part.date}] {part.author}: ".encode("utf-8", "replace")


def _split(message: bytes) -> tuple[Message, bytes]:
    """The headers of a message or part, and its body."""
    found = (message.find(blank, 0, _LONGEST_HEAD) for blank in (b"\n\n", b"\n\r\n"))
    end = min((at for at in found if at >= 0), default=len(message))
    if message.startswith((b"\n", b"\r\n")):
        return Message(), message.lstrip(b"\r\n")
    head = message[: end + 1]
    try:
        return BytesHeaderParser().parsebytes(head), message[end + 1 :].removeprefix(b"\r").removeprefix(b"\n")
    except (MessageError, ValueError, RecursionError):
        return Message(), message


def _leaves(headers: Message, body: bytes, depth: int) -> Iterator[tuple[Message, bytes]]:
    """The parts that have no parts, with the body of each decoded from what it was sent in."""
    kind = headers.get_content_maintype()
    boundary = headers.get_boundary() if kind == "multipart" else None
    if boundary and depth < _DEEPEST:
        delimiter = b"--" + boundary.encode("utf-8", "surrogateescape")
        before, *pieces = _split_at_lines(body, delimiter)
        if before.strip():
            yield Message(), before
        for piece in pieces:
            if piece.strip():
                yield from _leaves(*_split(piece.removeprefix(b"\n")), depth + 1)
        return
    yield headers, _unpacked(body, str(headers.get("Content-Transfer-Encoding", "")).strip().lower())


def _split_at_lines(body: bytes, delimiter: bytes) -> list[bytes]:
    """The parts of a body between the lines that are a delimiter, which the last of may end in two more hyphens."""
    pieces: list[bytes] = []
    start = at = 0
    while len(pieces) < _MOST_PARTS and (at := body.find(delimiter, at)) >= 0:
        end = body.find(b"\n", at) % (len(body) + 1)
        if body[max(0, at - 1) : at] in (b"\n", b"") and body[at + len(delimiter) : end].strip() in (b"", b"--"):
            pieces.append(body[start:at])
            start = end
        at += len(delimiter)
    return [*pieces, body[start:]]


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        try:
            return binascii.a2b_base64(body)
        except binascii.Error:
            return body
    return binascii.a2b_qp(body) if encoding == "quoted-printable" else body


def _decoded(content: bytes, headers: Message) -> str:
    charset = headers.get_content_charset() or "utf-8"
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _header(headers: Message, name: str) -> str:
    value = headers.get(name)
    if value is None:
        return ""
    try:
        return str(make_header(decode_header(str(value)[:2000])))
    except (MessageError, LookupError, ValueError):
        return str(value)[:2000]


def _name(headers: Message) -> str:
    """The name of a file, or the address of a saved page."""
    try:
        name = headers.get_filename() or ""
    except (MessageError, LookupError, ValueError):
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
    except (TypeError, ValueError, IndexError, OverflowError):
        return ""
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(timezone.utc)
        except OverflowError:
            return ""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
