"""Cut a stream into chunks: plain content, windows of it, or an archive."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from binance_leaks.detect import first_test, prefilter
from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Origin, is_member
from binance_leaks.sources.archive_kind import (
    HEAD_SIZE,
    PROGRAMS,
    TAIL_SIZE,
    ZIP_END,
    ZIP_END_SIZE,
    archive_kind,
    may_end_in_zip,
)
from binance_leaks.sources.pictures.kinds import is_picture, may_hold_picture
from binance_leaks.sources.pictures.settings import ON, are_read, mode
from binance_leaks.sources.streams import PeekableStream, Readable, Seekable, StreamReader, can_rewind

if TYPE_CHECKING:
    from binance_leaks.detect.picture_text import PictureOrigin

_CONTINUATION = bytes(range(0x80, 0xC0))
_WORD = prefilter.ALPHANUMERIC + b"+/=_-" + b"\0" + bytes(range(0x80, 0x100))
"""What nothing is cut between: the neighbours that make it no credential, the bytes of other characters, and
NUL, because UTF-16 has one between each two letters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowSizes:
    """Bytes: content up to `whole` is one chunk.

    Larger content is read `step` at a time, and `margin` around each hit becomes a chunk of about `window` at most.
    `step` and `window` are at least four times the margin.
    """

    whole: int = 8 << 20
    step: int = 4 << 20
    margin: int = 64 << 10
    window: int = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowPlan:
    """Windows as (start, end), ascending, and the offset from which data is still needed.

    `opened` is True if a window begins at `keep` whose end is not decided yet.
    """

    windows: tuple[tuple[int, int], ...]
    keep: int
    opened: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowPlanner:
    """A planner of windows for one stretch of content.

    `offset` is where `data` begins in the file, `opened` is that of the plan before, `last` is True for the end of the
    content.
    """

    data: bytes
    offset: int
    opened: bool
    last: bool
    sizes: WindowSizes

    def plan(self, hits: Sequence[int]) -> WindowPlan:
        """The windows around `hits` (ascending) that are settled.

        A hit so near the end that the next step belongs to its margin is left to the next stretch, which begins
        at `keep`; no hit before `keep` is without its window.
        """
        margin, limit = self.sizes.margin, self.sizes.window
        settled = len(self.data) if self.last else len(self.data) - margin
        windows: list[tuple[int, int]] = []
        group: list[int] = []
        start = 0
        for hit in hits:
            if hit >= settled:
                break
            if group and hit - group[-1] > 2 * margin:
                windows.append((start, self._end(group[-1])))
                group = []
            if not group:
                start = 0 if self.opened and not windows else self._start(hit - margin)
            group.append(hit)
            if hit + margin - start > limit and len(group) > 1:
                cut = self._split(group, start)
                windows.append((start, cut))
                group = [later for later in group if later >= cut]
                start = cut
        if group and (self.last or settled - group[-1] > 2 * margin):
            windows.append((start, self._end(group[-1])))
            group = []
        keep = start if group else self._start(settled - margin)
        return WindowPlan(windows=tuple(windows), keep=keep, opened=bool(group))

    def _start(self, low: int) -> int:
        """The first good place to begin at in the half margin after `low`, else `low`: then a word fills it."""
        if low <= 0:
            return 0
        high = low + self.sizes.margin // 2
        newline = self.data.find(b"\n", low, high)
        if newline >= 0:
            return self._even(newline + 1)
        rest = self.data[low:high].lstrip(_WORD)
        return self._even(high - len(rest)) if rest else self._whole_character(low)

    def _end(self, hit: int) -> int:
        """The last good place to end at in the outer half of the margin behind `hit`, else the margin's end."""
        low, high = hit + self.sizes.margin // 2, hit + self.sizes.margin
        if high >= len(self.data):
            return len(self.data)
        newline = self.data.rfind(b"\n", low, high)
        if newline >= 0:
            return self._even(newline + 1)
        rest = self.data[low:high].rstrip(_WORD)
        return self._even(low + len(rest)) if rest else self._whole_character(high)

    def _split(self, group: Sequence[int], start: int) -> int:
        """Where to end a window that grows too long: in the widest gap of its second half that has a line end."""
        gaps = list(itertools.pairwise(group))
        late = [(low, high) for low, high in gaps if high - start > self.sizes.window // 2] or gaps[-1:]
        _, _, cut = max(self._cut(low, high) for low, high in late)
        return cut

    def _cut(self, low: int, high: int) -> tuple[int, int, int]:
        """A cut between two hits: how good it is, how wide the gap, and where."""
        middle = (low + high) // 2
        newline = self.data.find(b"\n", middle, high)
        if newline < 0:
            newline = self.data.rfind(b"\n", low, middle)
        if newline >= 0:
            return 2, high - low, min(self._even(newline + 1), high)
        rest = self.data[low:high].rstrip(_WORD)
        return (1, high - low, self._even(low + len(rest) - 1)) if len(rest) > 1 else (0, high - low, high)

    def _whole_character(self, at: int) -> int:
        """The next offset that is not inside a character of UTF-8."""
        near = self.data[at : at + 4]
        return at + len(near) - len(near.lstrip(_CONTINUATION))

    def _even(self, cut: int) -> int:
        """A cut that does not go through a letter of UTF-16, whose letters are at even offsets in the file."""
        if (self.offset + cut) % 2:
            if self.data[cut : cut + 1] == b"\0":
                return cut + 1
            if self.data[cut - 1 : cut] == b"\0":
                return cut - 1
        return cut


OriginOf = Callable[[], Origin | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Bytes and their provenance: a whole file, or a window of a large one.

    `path` is what the user is shown: `/` on every system, undecodable bytes as `decode_path` keeps them, and
    `outer.zip!/inner/name` for a member of an archive. Members name themselves, so control characters may be in it.
    `evidence_path` is the part of it that may be evidence for Binance: from the argument's base name, or relative to
    the root of the work tree. `first_line` and `first_column` are where `data` begins in the file, counted from 1,
    columns in characters of UTF-8. `mentions_binance` is True for a window if the exchange's name was seen in the file
    so far. `origin` returns who wrote it, or which layer of an image has it, once all of the stream was read.
    """

    path: str
    evidence_path: str
    data: bytes
    first_line: int = 1
    first_column: int = 1
    whole: bool = True
    mentions_binance: bool = False
    origin: OriginOf | None = None
    picture: PictureOrigin | None = None
    """The picture that it is the text of, if it is one's."""

    @property
    def is_text(self) -> bool:
        """Whether it has lines as git counts them: archive members and binaries have none."""
        return not is_member(self.path) and b"\0" not in self.data

    def in_file_that_mentions_binance(self) -> Chunk:
        """The same chunk of a file of which another part names the exchange."""
        return replace(self, mentions_binance=True)


_SIZES = WindowSizes()
Hits = Callable[[bytes], Iterable[int]]


def read_content(
    path: str,
    evidence_path: str,
    stream: Readable,
    *,
    size: int | None = None,
    hits: Hits = first_test.hits,
    sizes: WindowSizes = _SIZES,
) -> Iterator[Chunk | Skipped]:
    """The chunks of `stream`, in bounded memory, then why it was not read to its end.

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
    has_pictures = has_packed = False
    while True:
        last = taker.ended
        planner = WindowPlanner(data=data, offset=offset, opened=opened, last=last, sizes=sizes)
        plan = planner.plan(sorted(hits(data)))
        mentioned = mentioned or (data.count(b"\0") * 10 <= len(data) * 9 and prefilter.mentions_binance(data))
        has_pictures = has_pictures or _has_embedded_pictures(data)
        has_packed = has_packed or first_test.may_hold_packed_content(data)
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
            break
        line, column = _advance(line, column, data, at, plan.keep)
        offset, opened = offset + plan.keep, plan.opened
        data = data[plan.keep :] + taker.take(sizes.step)
    if has_packed:
        why = f"compressed data and archives in base64 were not read, as it has more than {sizes.whole >> 20} MiB"
        yield Skipped(what=path, why=why)
    if has_pictures:
        why = f"its pictures in base64 were not read, as it has more than {sizes.whole >> 20} MiB"
        yield Skipped(what=path, why=why, lost=mode() == ON)


def _has_embedded_pictures(data: bytes) -> bool:
    """Whether pictures are read, and a part of a text holds some in base64."""
    if not (may_hold_picture(data) and are_read()):
        return False
    from binance_leaks.sources.pictures.embedded import holds_embedded  # start-up: as below

    return holds_embedded(data)


def _advance(line: int, column: int, data: bytes, start: int, end: int) -> tuple[int, int]:
    """Line and column at `end`, given those at `start`."""
    newlines = data.count(b"\n", start, end)
    if newlines:
        return line + newlines, 1 + _characters(data[data.rfind(b"\n", start, end) + 1 : end])
    return line, column + _characters(data[start:end])


def _characters(data: bytes) -> int:
    return len(data) if data.isascii() else len(data.translate(None, _CONTINUATION))


TOO_LARGE_TO_BE_READ_TWICE = "it may end in a zip file, and is too large to be read twice"
"""Why a zip file at the end of a stream is not read."""
WHOLE_LIMIT = _SIZES.whole
"""Bytes of content that are kept at once; larger content is split into windows."""


def read_stream(
    path: str, evidence_path: str, stream: Readable, *, size: int | None = None
) -> Iterator[Chunk | Skipped]:
    """The chunks of a stream at its beginning: one, windows, or those of members.

    It may be a pipe: nothing but a zip file needs to go back, and one is then held in a temporary file without a name,
    in memory up to `Limits.held`. What keeps the stream from being read to its end becomes a `Skipped` after what was
    read; no OSError comes from here. `size` is the number of bytes that it should have.
    """
    peeked = PeekableStream(stream)
    head = peeked.peek(HEAD_SIZE)
    if archive_kind(head) is None and not (is_picture(head) and are_read()):
        yield from _plain_content(path, evidence_path, stream, peeked, size)
        return
    # Imported on the first archive: the decoders take longer to import than a clean commit to scan.
    from binance_leaks.sources import archives

    if can_rewind(stream):
        stream.seek(0)
        yield from archives.read_members(path, evidence_path, stream)
    else:
        yield from archives.read_members(path, evidence_path, peeked)


class TailReader:
    """A stream that keeps the last bytes of what was read."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.tail = b""

    def read(self, size: int, /) -> bytes | None:
        part = self._stream.read(size)
        if part:
            self.tail = (self.tail + part[-TAIL_SIZE:])[-TAIL_SIZE:]
        return part


def _plain_content(
    path: str, evidence_path: str, stream: Readable, peeked: PeekableStream, size: int | None
) -> Iterator[Chunk | Skipped]:
    """The chunks of plain content, and those of what it has inside.

    That is a zip file behind a program, or compressed data, archives and pictures in base64.
    """
    is_program = peeked.peek(HEAD_SIZE).startswith(PROGRAMS)
    reader = TailReader(peeked)
    held: bytes | None = None
    for chunk in read_content(path, evidence_path, reader, size=size):
        held = chunk.data if isinstance(chunk, Chunk) and chunk.whole else None
        yield chunk
    if held is not None:
        if may_end_in_zip(held):
            yield from _read_zip_behind(path, evidence_path, io.BytesIO(held))
        if first_test.may_hold_packed_content(held):
            from binance_leaks.sources import archives  # start-up: as above

            yield from archives.read_packed_content(path, evidence_path, held)
        if are_read() and may_hold_picture(held):
            from binance_leaks.sources.pictures.contents import read_embedded  # start-up: as above

            yield from read_embedded(path, evidence_path, held)
    elif ZIP_END in (reader.tail if is_program else reader.tail[-ZIP_END_SIZE:]):
        if can_rewind(stream):
            yield from _read_zip_behind(path, evidence_path, stream)
        else:
            yield Skipped(what=path, why=TOO_LARGE_TO_BE_READ_TWICE)


def _read_zip_behind(path: str, evidence_path: str, file: Seekable) -> Iterator[Chunk | Skipped]:
    from binance_leaks.sources import archives  # start-up: as above

    yield from archives.read_zip_behind(path, evidence_path, file)
