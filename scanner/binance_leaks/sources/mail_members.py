"""The members of mail: the texts of all messages as one, their headers, and what is attached."""

from __future__ import annotations

import io
from collections.abc import Iterator

from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.model import Origin
from binance_leaks.sources import mail, outlook
from binance_leaks.sources.archive_member import ArchiveMember, Attached, raw_chunks
from binance_leaks.sources.read_content import Chunk
from binance_leaks.sources.streams import JoinedStream, Readable, StreamReader, describe_error
from binance_leaks.sources.unpack import UnpackBudget

_TEXT = 4 << 20
"""Bytes of text that are put together."""


def read_mailbox(place: ArchiveMember, stream: Readable, budget: UnpackBudget) -> Iterator[Chunk | Skipped | Attached]:
    """The texts of messages as one, and what is attached; a message that is too large as it is."""
    texts, heads = _MailTexts("text"), _MailTexts(mail.HEADERS)
    faults: dict[str, None] = {}
    try:
        for message in mail.read_messages(stream):
            if len(message) > mail.LARGEST_MESSAGE:
                yield place.skipped(f"a message of more than {mail.LARGEST_MESSAGE >> 20} MiB is not decoded")
                yield from raw_chunks(place, io.BytesIO(message))
                continue
            for part in mail.read_parts(message):
                if part.fault:
                    faults[part.fault] = None
                inside = (heads if part.name == mail.HEADERS else texts).add(place, part)
                if inside is None or not budget.admit():
                    continue
                if part.name == mail.HEADERS:  # by their beginning they are mail again
                    yield from raw_chunks(inside, io.BytesIO(part.content))
                else:
                    yield Attached(inside, part.content)
            yield from texts.flush(place, at_least=_TEXT)
            yield from heads.flush(place, at_least=_TEXT)
    except OSError as error:
        yield place.skipped(describe_error(error))
    yield from map(place.skipped, faults)
    yield from texts.flush(place)
    yield from heads.flush(place)


def read_outlook_file(
    place: ArchiveMember, stream: Readable, budget: UnpackBudget
) -> Iterator[Chunk | Skipped | Attached]:
    """A message of Outlook; other files of its container as they are."""
    taker = StreamReader(stream)
    data = taker.take(mail.LARGEST_MESSAGE + 1)
    whole = JoinedStream(data, stream)
    if len(data) > mail.LARGEST_MESSAGE or taker.fault is not None or not outlook.is_message(data):
        yield from raw_chunks(place, whole)
        if taker.fault is not None:
            yield place.skipped(taker.fault)
        return
    texts = _MailTexts("text")
    try:
        for part in outlook.read_parts(data, budget):
            inside = texts.add(place, part)
            if inside is not None and budget.admit():
                yield Attached(inside, part.content)
    except OSError as error:
        yield place.skipped(describe_error(error))
        yield from raw_chunks(place, io.BytesIO(data))
    yield from texts.flush(place)


class _MailTexts:
    """The texts of messages, put together until there is enough for a chunk."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[bytes] = []
        self._size = 0
        self._number = 0

    def add(self, place: ArchiveMember, part: mail.MailPart) -> ArchiveMember | None:
        """Add text that has author and date; for another part return where it is, to be read by itself."""
        if part.name not in ("", self._name) or not (part.author and part.date):
            origin = Origin(author=part.author, date=part.date) if part.author or part.date else None
            inside = place.member(part.name or "text")
            return inside if origin is None else replace(inside, origin=lambda: origin)
        self._parts += [mail.heading(part), part.content, b"\n"]
        self._size += len(part.content)
        return None

    def flush(self, place: ArchiveMember, *, at_least: int = 0) -> Iterator[Chunk | Skipped]:
        """The texts so far as a chunk, if they have that many bytes."""
        if self._parts and self._size >= at_least:
            self._number += 1
            name = self._name if self._number == 1 else f"{self._name} {self._number}"
            yield from raw_chunks(place.member(name), io.BytesIO(b"".join(self._parts)))
            self._parts, self._size = [], 0
