"""Have pictures read by a process of their own, each within a time."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from queue import Empty, SimpleQueue
from threading import Thread

from binance_leaks.isolation import trusted_import_path
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.sources.pictures import settings

_PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from binance_leaks.sources.pictures.reading_process import main
main(sys.argv[2] == "text")
"""
_STARTING = 120.0
"""Seconds for the process to load its libraries and models, which takes one and a half on an idle core."""
_SECONDS, _SECONDS_QUICK = 30.0, 1.0
_REMEMBERED = 256

Part = Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureReading:
    """What was read of a picture, part by part, and why that may not be all."""

    parts: tuple[Part, ...]
    faults: tuple[str, ...] = ()


class PictureReader:
    """Reads pictures, each content once: the last ones are remembered."""

    def __init__(self) -> None:
        self._process: _ReadingProcess | None = None
        self._known: OrderedDict[tuple[bytes, bool], PictureReading] = OrderedDict()

    def read(self, picture: bytes, *, quick: bool) -> PictureReading:
        """Read a picture, with `quick` in at most a second."""
        key = sha256(picture).digest(), quick
        if key not in self._known:
            self._known[key] = self._read(picture, quick=quick)
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return self._known[key]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _read(self, picture: bytes, *, quick: bool) -> PictureReading:
        try:
            if self._process is None:
                self._process = _ReadingProcess()
            return self._process.read(picture, quick=quick)
        except _ReadingFailedError as error:
            self.close()
            return PictureReading(parts=tuple(error.parts), faults=(error.why,))
        except BaseException:  # an interrupt leaves answers behind, which are not for the next picture
            self.close()
            raise


@cache
def _reader_of(process: int) -> PictureReader:  # noqa: ARG001 - what was forked does not use its parent's
    reader = PictureReader()
    atexit.register(reader.close)
    return reader


def picture_reader() -> PictureReader:
    """Return the reader of this process."""
    return _reader_of(os.getpid())


class _ReadingFailedError(Exception):
    """The process is of no more use; what it has read before is."""

    def __init__(self, why: str, parts: list[Part]) -> None:
        super().__init__(why)
        self.why = why
        self.parts = parts


class _ReadingProcess:
    def __init__(self) -> None:
        path = json.dumps([os.path.abspath(part) for part in trusted_import_path()])  # noqa: PTH100 - as text
        what = "text" if settings.can_read_text() else "codes"
        command = [sys.executable, "-I", "-c", _PROGRAM, path, what]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise _ReadingFailedError(f"cannot start the process that reads pictures: {error.strerror}", []) from None
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()
        try:
            self._next(time.monotonic() + _STARTING, [], "the process that reads pictures does not start")
        except _ReadingFailedError:
            self.close()
            raise

    def read(self, picture: bytes, *, quick: bool) -> PictureReading:
        """Read one picture. Raises `_ReadingFailedError`."""
        parts: list[Part] = []
        faults: list[str] = []
        seconds = _SECONDS_QUICK if quick else _SECONDS
        deadline = time.monotonic() + seconds
        try:
            assert self._process.stdin is not None  # noqa: S101 - it is a pipe
            header = json.dumps({"size": len(picture), "quick": quick, "seconds": seconds + 1}).encode("ascii")
            self._process.stdin.write(header + b"\n" + picture)
            self._process.stdin.flush()
        except OSError:
            raise _ReadingFailedError(_ENDED, parts) from None
        while True:
            part = self._next(deadline, parts, f"it was not read to its end in {seconds:.0f} s")
            if "done" in part:
                return PictureReading(parts=tuple(parts), faults=tuple(faults))
            fault = part.get("fault") or part.get("note")
            if fault is not None:
                faults.append(str(fault))
            else:
                parts.append(part)

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError, ValueError):
                if stream is not None:
                    stream.close()
        self._process.wait()

    def _next(self, deadline: float, parts: list[Part], too_late: str) -> Part:
        try:
            line = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            raise _ReadingFailedError(too_late, parts) from None
        if not line:
            raise _ReadingFailedError(_ENDED, parts)
        answer: Part = json.loads(line)
        return answer

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with suppress(OSError, ValueError):
            for line in self._process.stdout:
                self._answers.put(line)
        self._answers.put(b"")


_ENDED = "the process that reads pictures ended, perhaps for lack of memory"
