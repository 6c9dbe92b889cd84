"""The process that reads pictures: decodes them, reads codes and metadata, recognizes text.

It is the only one that decodes what somebody else drew, so that a picture which crashes, hangs or fills the memory of a
decoder harms this process alone. It reads requests from standard input and answers on standard output, a line of JSON
for each part of a picture that was read; it ends with its input. It can neither connect nor start a program.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import BinaryIO

from binance_leaks.sources.pictures.decode import MOST_METADATA, PictureError, read_frames, read_metadata
from binance_leaks.sources.pictures.recognition import MOST_CODES, Recognizer, read_codes

_MOST_MEMORY = 6 << 30
"""Bytes of address space; the models take one and a half gigabytes of it."""
_FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork", "urllib.", "ctypes.dlopen")
_LOADING = ("socket.", "urllib.")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class _Guard:
    """Forbids what no reader of pictures does; while it loads its models, only connections."""

    loaded = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_FORBIDDEN if self.loaded else _LOADING):
            raise PermissionError(event)
        flags = arguments[2] if event == "open" and len(arguments) > 2 else 0
        if self.loaded and isinstance(flags, int) and flags & _WRITING:
            raise PermissionError(event)


def main(with_text: bool) -> None:
    """Answer requests until there are no more."""
    guard = _Guard()
    sys.addaudithook(guard)
    _limit_memory()
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what a library prints is no answer
    recognizer = Recognizer() if with_text else None
    guard.loaded = True
    _answer(answers, {"ready": True})
    while header := requests.readline():
        request = json.loads(header)
        picture = requests.read(request["size"])
        _end_after(request["seconds"])
        try:
            for part in _read(picture, recognizer, quick=request["quick"]):
                _answer(answers, part)
        except PictureError as error:
            _answer(answers, {"fault": str(error)})
        except MemoryError:
            _answer(answers, {"fault": "it takes too much memory"})
        except Exception:  # any fault of a decoder is one of the picture; its text may quote the content
            _answer(answers, {"fault": "it is damaged"})
        _answer(answers, {"done": True})
        _end_after(0)


def _end_after(seconds: float) -> None:
    """End this process then, whatever it does; with 0 no more. Who waits for it may have been killed."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _read(picture: bytes, recognizer: Recognizer | None, *, quick: bool) -> Iterator[Mapping[str, object]]:
    metadata, whole = read_metadata(picture)
    if metadata:
        yield {"metadata": metadata}
    if not whole:
        yield {"note": f"only {MOST_METADATA >> 20} MiB of its metadata were read"}
    for frame in read_frames(picture):
        if isinstance(frame, str):
            yield {"note": frame}
            continue
        if codes := read_codes(frame):
            yield {"page": frame.page, "codes": codes[:MOST_CODES]}
        if len(codes) > MOST_CODES:
            yield {"note": f"only {MOST_CODES} of its codes were read"}
        if recognizer is not None and (lines := recognizer.lines(frame.pixels, quick=quick)):
            yield {"page": frame.page, "lines": lines}
        if recognizer is not None and recognizer.left_out:
            yield {"note": f"its {recognizer.left_out:,} shortest lines were not read"}


def _answer(answers: BinaryIO, part: Mapping[str, object]) -> None:
    answers.write(json.dumps(part).encode("ascii") + b"\n")
    answers.flush()


def _limit_memory() -> None:
    if sys.platform != "win32":
        import resource  # Windows has none

        with suppress(OSError, ValueError):
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            most = _MOST_MEMORY if hard == resource.RLIM_INFINITY else min(_MOST_MEMORY, hard)
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
