"""The members of a PDF file: its text, the contents of its other streams, and its pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator

from binance_leaks.findings import Skipped
from binance_leaks.sources.archive_member import ArchiveMember, Attached, raw_chunks
from binance_leaks.sources.pdf_objects import PdfFile
from binance_leaks.sources.pdf_pictures import pictures_of
from binance_leaks.sources.pdf_text import PdfText
from binance_leaks.sources.pictures.contents import read_members_of
from binance_leaks.sources.pictures.settings import are_read
from binance_leaks.sources.read_content import Chunk
from binance_leaks.sources.streams import JoinedStream, Readable, StreamReader
from binance_leaks.sources.unpack import OverLimitError, UnpackBudget

_LARGEST = 64 << 20


def read_pdf(place: ArchiveMember, stream: Readable, budget: UnpackBudget) -> Iterator[Chunk | Skipped | Attached]:
    """A PDF file as it is, its text, and the contents of its other streams."""
    taker = StreamReader(stream)
    data = taker.take(_LARGEST + 1)
    if len(data) > _LARGEST:
        yield place.skipped(f"a PDF file of more than {_LARGEST >> 20} MiB, whose text is not read")
        yield from raw_chunks(place, JoinedStream(data, stream))
        return
    yield from raw_chunks(place, io.BytesIO(data))
    if taker.fault is not None:
        yield place.skipped(taker.fault)
    try:
        file = PdfFile(data, budget)
        if file.encrypted:
            yield place.skipped("the text of the PDF file is encrypted")
            return
        text = PdfText(file)
        lines = "\n".join(filter(None, text.lines()))
        if lines and budget.admit():
            yield Attached(place.member("text"), lines.encode("utf-8", "replace"))
        for number, content in text.others():
            if not budget.admit():
                return
            yield Attached(place.member(f"object {number}"), content)
        if are_read():
            yield from read_members_of(place.path, place.evidence, pictures_of(file, budget), budget)
    except OverLimitError:
        return
    if text.cut_short:
        yield place.skipped("the PDF file has more text than is read")
    if text.unknown > text.known:
        yield place.skipped("fonts of the PDF file do not say which characters they show")
    elif file.unread:
        yield place.skipped(f"{file.unread:,} of the streams of the PDF file cannot be unpacked")
