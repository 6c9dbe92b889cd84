"""Cut a stream into chunks: plain content, windows of it, or an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from binance_leaks.detect import prefilter
from binance_leaks.findings import Skipped
from binance_leaks.sources.archive_kind import HEAD_SIZE, archive_kind
from binance_leaks.sources.chunk import Chunk
from binance_leaks.sources.streams import PeekableStream, Readable, StreamReader, can_rewind
from binance_leaks.sources.windows import WindowPlanner, WindowSizes

Hits = Callable[[bytes], Iterable[int]]

_CONTINUATION = bytes(range(0x80, 0xC0))


def read_content(
    path: str,
    evidence_path: str,
    stream: Readable,
    *,
    size: int | None = None,
    hits: Hits = prefilter.hits,
    sizes: WindowSizes = WindowSizes(),  # noqa: B008  (immutable)
) -> Iterator[Chunk | Skipped]:
    """The chunks of `stream`, in memory bounded by `sizes`, then what kept it from being read to its end, if anything.

    `size` is the number of bytes that it should have: no more is read, and fewer are reported as lost.
    """
    taker = StreamReader(stream, size)
    data = taker.take(sizes.whole + 1)
    if len(data) > sizes.whole:
        yield from _windows(path, evidence_path, data, taker, hits, sizes)
    elif data or taker.fault is None:
        yield Chunk(path=path, evidence_path=evidence_path, data=data)
    if taker.fault is not None:
        yield Skipped(what=path, why=taker.fault)


def _windows(
    path: str, evidence_path: str, data: bytes, taker: StreamReader, hits: Hits, sizes: WindowSizes
) -> Iterator[Chunk | Skipped]:
    line, column, offset, opened, mentioned = 1, 1, 0, False, False
    while True:
        last = taker.ended
        planner = WindowPlanner(data=data, offset=offset, opened=opened, last=last, sizes=sizes)
        plan = planner.plan(sorted(hits(data)))
        mentioned = mentioned or (data.count(b"\0") * 10 <= len(data) * 9 and prefilter.mentions_binance(data))
        at = 0
        for start, end in plan.windows:
            line, column = _advance(line, column, data, at, start)
            at = start
            yield Chunk(
                path=path,
                evidence_path=evidence_path,
                data=data[start:end],
                first_line=line,
                first_column=column,
                whole=False,
                mentions_binance=mentioned,
            )
        if last:
            return
        line, column = _advance(line, column, data, at, plan.keep)
        offset, opened = offset + plan.keep, plan.opened
        data = data[plan.keep :] + taker.take(sizes.step)


def _advance(line: int, column: int, data: bytes, start: int, end: int) -> tuple[int, int]:
    """Line and column at `end`, given those at `start`."""
    newlines = data.count(b"\n", start, end)
    if newlines:
        return line + newlines, 1 + _characters(data[data.rfind(b"\n", start, end) + 1 : end])
    return line, column + _characters(data[start:end])


def _characters(data: bytes) -> int:
    return len(data) if data.isascii() else len(data.translate(None, _CONTINUATION))


WHOLE_LIMIT = WindowSizes().whole
"""Bytes of content that are held at once; what is larger goes in windows."""


def read_stream(
    path: str, evidence_path: str, stream: Readable, *, size: int | None = None
) -> Iterator[Chunk | Skipped]:
    """The chunks of a stream at its beginning: one, or windows, or those of an archive's members.

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
