"""Read many objects through one `git cat-file`.

This module is on the start-up path of the hook and imports no more than it needs.
"""

from __future__ import annotations

import io
import os
import threading
from contextlib import suppress

from binance_leaks.errors import GitError
from binance_leaks.sources.git_watch import MOST_MEMORY, Watch, output_of
from binance_leaks.sources.plumbing import BATCH, LONGEST_HEADER, Answers

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from typing import IO


class Blobs:
    """Objects in the order of the requests; use as a context manager."""

    def __init__(
        self,
        start: Callable[[], subprocess.Popen[bytes]],
        ids: list[str],
        damaged: list[str] | None,
        hang: Callable[[], GitError],
    ) -> None:
        self._start = start
        self._hang = hang
        self._ids = ids
        self._damaged = damaged
        self._token = os.urandom(8).hex()
        self._answered = ""
        """The object that this process answered last."""
        self._ask_from(0)

    def __enter__(self) -> Blobs:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __iter__(self) -> Iterator[tuple[str, BlobStream | None]]:
        """Every id with its content, None where the object is missing; read each before the next.

        The content of one that is damaged ends early, and may be another's.
        """
        number = 0
        while number < len(self._ids):
            name = self._ids[number]
            header = self._answers.readline(LONGEST_HEADER)
            fields = header.split()
            before, self._answered = self._answered, name
            if header == f"{name} missing\n".encode("ascii"):
                yield name, None
            elif len(fields) == 4 and (fields[0], fields[3]) == (name.encode("ascii"), self._token.encode("ascii")):
                stream = BlobStream(self._answers, int(fields[2]), fields[1].decode("ascii"))
                yield name, stream
                stream.skip()
                if stream.is_short or self._answers.read(1) != b"\n":
                    self._fail(name, number + 1)
            elif header and before:  # there is more of the object before it than it claims
                self._fail(before, number)
                continue
            else:
                self._fail(name, number + 1)
                yield name, BlobStream.of(b"")
            number += 1
        if self._answered and self._answers.read(1):
            self._fail(self._answered, number)

    def _ask_from(self, number: int) -> None:
        """Start git for the objects from one on."""
        self._process = self._start()
        self._answers = Answers(output_of(self._process))
        self._answered = ""
        self._watch = Watch(self._process, self._answers, self._hang, MOST_MEMORY)
        self._watch.start()
        # At the end of the requests git ends: nothing is waited for that an object claims to have.
        self._writer = threading.Thread(target=self._request, args=(self._process.stdin, number), daemon=True)
        self._writer.start()

    def _request(self, stream: IO[bytes], number: int) -> None:
        with suppress(BrokenPipeError), stream:
            for first in range(number, len(self._ids), BATCH):
                names = self._ids[first : first + BATCH]
                stream.write("".join(f"{name} {self._token}\n" for name in names).encode("ascii"))

    def _fail(self, name: str, rest: int) -> None:
        """Note an object that cannot be read, and start git again for the rest. Raises GitError where git hangs."""
        self._watch.stop()
        if self._watch.fault is not None:
            raise self._watch.fault
        if self._damaged is None:
            raise GitError(f"git cat-file stopped at object {name}", hint="Run `git fsck` to see what is damaged.")
        self._damaged.append(name)
        self._end()
        self._ask_from(rest)

    def _end(self) -> None:
        self._watch.stop()
        self._answers.close()
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
        self._writer.join()


class BlobStream:
    """The content of one object, of known type and size, as a stream."""

    def __init__(self, source: IO[bytes] | Answers, size: int, kind: str) -> None:
        self._source = source
        self.size = size
        self.kind = kind
        self.is_short = False
        """Whether git ended before the object did."""
        self._left = size

    @classmethod
    def of(cls, content: bytes) -> BlobStream:
        """A blob that was read before."""
        return cls(io.BytesIO(content), len(content), "blob")

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, all that is left where it is negative.

        Short only at the end, or if git stopped.
        """
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._source.read(wanted) if wanted else b""
        self.is_short = self.is_short or len(data) < wanted
        self._left = 0 if self.is_short else self._left - len(data)
        return data

    def skip(self) -> None:
        """Pass over what was not read."""
        while self.read(1 << 20):
            pass
