"""Images of containers as the user's own docker or podman saves them: `docker save NAME`, read through a pipe.

Nothing is pulled, and no registry is asked: the program answers from what is on this machine. It is looked up once, in
absolute folders of PATH only, because a scanned folder may hold a file of that name.
"""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from binance_leaks.errors import ScanError, UsageError
from binance_leaks.findings import Skipped
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.sources import plumbing
from binance_leaks.sources.read_content import Chunk, read_stream
from binance_leaks.sources.unpack import ArchiveLimits

PROGRAMS = ("docker", "podman")
_NAME = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,499}")
_LARGEST = 4 * ArchiveLimits().image_total
_IDLE = 120.0
_LONGEST_ERROR = 2000


def check_image_name(name: str) -> None:
    """Raise UsageError for what cannot be the name or id of an image."""
    if _NAME.fullmatch(name) is None:
        raise UsageError("an image is named by letters, digits and . _ - / : @, as in registry.example/bot:1.2")


def find_program() -> str:
    """Return the absolute path of docker, else of podman. Raises UsageError where there is neither."""
    for name in PROGRAMS:
        program = plumbing.find_program(name)
        if program is not None:
            return program
    raise UsageError(
        "--image needs docker or podman, and PATH leads to neither",
        hint="Where there is one: docker save NAME > image.tar; then: binance-leaks scan image.tar",
    )


def read_image(program: str, name: str, *, idle: float = _IDLE) -> Iterator[Chunk | Skipped]:
    """The content of an image by name. The program is ended after `idle` seconds without a byte.

    Raises ScanError with the program's first line where it has no such image, or no daemon answers.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, "save", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
        stream = _WatchedStream(process, idle)
        try:
            if stream.peek():
                yield from read_stream(name, name, stream)
                while stream.read(1 << 20):  # what follows the end of the archive
                    pass
            process.wait(idle)
        except subprocess.TimeoutExpired:
            stream.fault = _describe_idle(idle)
        finally:
            stream.close()
        errors.seek(0)
        said = errors.read(_LONGEST_ERROR).decode("utf-8", "replace").strip().partition("\n")[0]
    if stream.fault is None and not process.returncode:
        return
    why = stream.fault or said or f"it ended with status {process.returncode}"
    label = os.path.basename(program)  # noqa: PTH119 - a path of the system
    if not stream.count:
        raise ScanError(f"{label} cannot save the image: {why}", hint=f"Try: {label} save {name} > image.tar")
    yield Skipped(what=name, why=f"{label} did not save all of it: {why}")


class _WatchedStream:
    """The output of a process that is ended when it is idle for too long, or writes too much."""

    def __init__(self, process: subprocess.Popen[bytes], idle: float) -> None:
        self._process = process
        self._pipe: IO[bytes] = process.stdout or io.BytesIO()
        self._idle = idle
        self._ahead = b""
        self._waiting_since: float | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        self.count = 0
        self.fault: str | None = None

    def peek(self) -> bool:
        """Whether there is any output."""
        self._ahead = self._ahead or self._read(1)
        return bool(self._ahead)

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""
        if self._ahead and size:
            data, self._ahead = self._ahead, b""
            return data
        return self._read(size)

    def close(self) -> None:
        """End the process if it runs, and release everything."""
        self._done.set()
        with suppress(OSError):
            self._process.kill()
        self._process.wait()
        self._pipe.close()
        self._thread.join()

    def _read(self, size: int) -> bytes:
        self._waiting_since = time.monotonic()
        data = self._pipe.read(size) if self.fault is None else b""
        self._waiting_since = None
        self.count += len(data)
        if self.count > _LARGEST:
            self.fault = f"it has more than {_LARGEST >> 30} GiB"
        return data

    def _watch(self) -> None:
        while not self._done.wait(min(1.0, self._idle / 4)):
            since = self._waiting_since
            if since is not None and time.monotonic() - since > self._idle:
                self.fault = _describe_idle(self._idle)
                with suppress(OSError):
                    self._process.kill()
                return


def _describe_idle(idle: float) -> str:
    return f"it wrote nothing for {idle:.0f} seconds"
