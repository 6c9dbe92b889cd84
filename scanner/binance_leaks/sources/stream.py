"""A stream of bytes, whatever it holds: plain content or an archive."""

from __future__ import annotations

from collections.abc import Iterator

from binance_leaks.findings import Skipped
from binance_leaks.sources.archive_kind import HEAD_SIZE, archive_kind
from binance_leaks.sources.chunk import Chunk
from binance_leaks.sources.large_content import read_content
from binance_leaks.sources.read_stream import PeekableStream, Readable, can_rewind
from binance_leaks.sources.windows import WindowSizes

WHOLE_LIMIT = WindowSizes().whole
"""Bytes of content that are held at once; what is larger goes in windows."""


def read_stream(
    path: str, evidence_path: str, stream: Readable, *, size: int | None = None
) -> Iterator[Chunk | Skipped]:
    """The chunks of a stream that stands at its beginning: one, or windows, or those of an archive's members.

    It may be a pipe: nothing but a zip file needs to go back, and one is then held in a temporary file without a name,
    in memory up to `Limits.held`. What keeps the stream from being read to its end becomes a `Skipped` after what was
    read; no OSError comes from here. `size` is the number of bytes that it should have.
    """
    peeked = PeekableStream(stream)
    kind = archive_kind(peeked.peek(HEAD_SIZE))
    if kind is None:
        yield from read_content(path, evidence_path, peeked, size=size)
        return
    # Imported on the first archive: the decoders take longer to import than a clean commit to scan.
    from binance_leaks.sources import archives

    if can_rewind(stream):
        stream.seek(0)
        yield from archives.read_members(path, evidence_path, stream)
    else:
        yield from archives.read_members(path, evidence_path, peeked)
