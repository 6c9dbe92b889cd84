"""Streams that peek, rewind and keep what was read before a failure."""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import ExitStack
from typing import IO, Protocol, TypeGuard

_KEPT = 1 << 20
_COPY = 1 << 20
SHORTEST_VALUE = 43
"""Characters of the shortest value, a seed in base64: what is shorter holds none."""


class Readable(Protocol):
    """What a stream must do: read up to `size` bytes.

    It returns none at its end, None where a non-blocking one has none now.
    """

    def read(self, size: int, /) -> bytes | None: ...


class Seekable(Protocol):
    """A stream that may be able to go back, if `seekable()` is True."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def seekable(self) -> bool: ...


def can_rewind(stream: Readable) -> TypeGuard[Seekable]:
    """Whether a stream can go back."""
    # Not isinstance(): with a protocol it takes longer than a small member to unpack.
    seekable = getattr(stream, "seekable", None)
    return seekable is not None and seekable()


def describe_error(error: OSError) -> str:
    """Describe an error of the system, without the path that Python adds to it."""
    return error.strerror or str(error) or type(error).__name__


class JoinedStream:
    """What was read of a stream, and the rest of it."""

    def __init__(self, data: bytes, rest: Readable) -> None:
        self._data = io.BytesIO(data)
        self._rest = rest

    def read(self, size: int, /) -> bytes | None:
        """The next bytes, at most `size`."""
        return self._data.read(size) or self._rest.read(size)


class UncoveredStream:
    """The bytes of a file that no span covers, each gap on lines of its own; short gaps are left out."""

    def __init__(self, file: Seekable, spans: Iterable[tuple[int, int]]) -> None:
        self._file = file
        self.gaps: list[tuple[int, int]] = []
        """Start and end of each gap that is still to be read, the last one first."""
        length = file.seek(0, 2)
        at = 0
        for start, end in sorted((*spans, (length, length))):
            if min(start, length) - at >= SHORTEST_VALUE:
                self.gaps.append((at, min(start, length)))
            at = max(at, end)
        self.gaps.reverse()

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        while self.gaps:
            start, end = self.gaps.pop()
            self._file.seek(start)
            part = self._file.read(max(1, min(size - 1, end - start)))
            if part and start + len(part) < end:
                self.gaps.append((start + len(part), end))
                return part
            if part:
                return part + b"\n"
        return b""


class PeekableStream:
    """A stream whose next bytes can be looked at before they are read.

    An error while looking ahead is raised when reading arrives there, not before.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._ahead = b""
        self._at = 0
        self._error: OSError | None = None

    def peek(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end or before an error."""
        parts = [self._ahead[self._at :]]
        missing = size - len(parts[0])
        while missing > 0 and self._error is None:
            try:
                part = _some(self._stream, missing)
            except OSError as error:
                self._error = error
                break
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        self._ahead, self._at = b"".join(parts), 0
        return self._ahead[:size]

    @property
    def failed(self) -> bool:
        """Whether looking ahead met an error."""
        return self._error is not None

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        if self._at < len(self._ahead):
            part = self._ahead[self._at : self._at + size]
            self._at += len(part)
            return part
        self._ahead, self._at = b"", 0
        if self._error is not None:
            raise self._error
        return _some(self._stream, size)


class StreamReader:
    """A reader that fills its reads, and keeps what went wrong for later.

    `expected` is the size in bytes that the stream should have: no more is read, and less is a fault.
    """

    def __init__(self, stream: Readable, expected: int | None = None) -> None:
        self._stream = stream
        self._left = expected
        self.ended = False
        self.fault: str | None = None

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Fewer at the end (then `ended`) or before a failure, which `fault` describes.
        """
        parts: list[bytes] = []
        wanted = size if self._left is None else min(size, self._left)
        missing = wanted
        while missing > 0 and not self.ended:
            try:
                part = _some(self._stream, missing)
            except OSError as error:
                self.fault, self.ended = describe_error(error), True
                break
            self.ended = not part
            parts.append(part)
            missing -= len(part)
        if self._left is not None:
            self._left -= wanted - missing
            if self.ended and self._left and self.fault is None:
                self.fault = "the file shrank while it was read"
            self.ended = self.ended or not self._left
        return parts[0] if len(parts) == 1 else b"".join(parts)


def keep_short(stream: Readable) -> Seekable | PeekableStream:
    """The stream, able to go back if it is or if it is short."""
    if can_rewind(stream):
        return stream
    peeked = PeekableStream(stream)
    data = peeked.peek(_KEPT + 1)
    return io.BytesIO(data) if len(data) <= _KEPT and not peeked.failed else peeked


def hold(taker: StreamReader, in_memory: int) -> IO[bytes]:
    """All that is left, in memory up to a size and else in a temporary file without a name. Raises OSError."""
    memory = io.BytesIO()
    while memory.tell() <= in_memory:
        part = taker.take(_COPY)
        if not part:
            return memory
        memory.write(part)
    import tempfile  # it imports bz2 and lzma

    with ExitStack() as on_failure:
        file = on_failure.enter_context(tempfile.TemporaryFile())
        file.write(memory.getbuffer())
        while part := taker.take(_COPY):
            file.write(part)
        file.flush()
        on_failure.pop_all()
    return file


def _some(stream: Readable, size: int) -> bytes:
    part = stream.read(size)
    if part is None:
        raise BlockingIOError("no data is ready to be read")
    return part
