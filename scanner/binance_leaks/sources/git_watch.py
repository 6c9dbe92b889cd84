"""Read what a running git writes, and end it where it waits for ever or takes too much memory.

A repository of a few kilobytes can have a tree of ten thousand million files, whose changes git collects before it
writes the first. Objects, lists and configuration may be pipes.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from binance_leaks.errors import GitError, GitLimitError
from binance_leaks.quantities import human_size
from binance_leaks.sources.plumbing import (
    MOST_MEMORY_FOR_CHANGES,
    SAMPLE,
    Answers,
    HangDetector,
    kill_all,
    memory_of,
    processes_of,
)

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from typing import IO

MOST_OUTPUT, MOST_MEMORY, MOST_MEMORY_FOR_FILES = 1 << 30, 4 << 30, 512 << 20
UNTRUSTED = "Do not trust it: its author chose these files."
_MOST_SAMPLES = 40
_KEPT_OF_ERRORS = 1 << 16


def read_to_end(
    process: subprocess.Popen[bytes],
    text: bytes | None,
    hang: Callable[[], GitError],
    *,
    most_output: int,
    most_memory: int,
) -> tuple[bytes, bytes]:
    """Return all that git writes and its messages, after `text` was written to it.

    Raises GitError for a limit, and `hang` where git would not come to an end.
    """
    answers = Answers(output_of(process))
    watch = Watch(process, answers, hang, most_memory)
    err: list[bytes] = []
    helpers = [threading.Thread(target=_read_errors, args=(process.stderr, err), daemon=True)]
    if text is not None:
        helpers.append(threading.Thread(target=_write, args=(process.stdin, text), daemon=True))
    for each in (*helpers, watch):
        each.start()
    try:
        out, is_whole = _read(answers, most_output)
        if not is_whole:
            process.kill()
        process.wait()
    except BaseException:  # such as that of a time limit, of which git gets no signal
        process.kill()
        raise
    finally:
        watch.stop()
        for each in helpers:
            each.join()
    if watch.fault is not None:
        raise watch.fault
    if not is_whole:
        raise GitLimitError(f"git writes more than {human_size(most_output)} here", hint=UNTRUSTED)
    return out, b"".join(err)


def output_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    """The pipe that a process writes to. Raises GitError where it has none."""
    if process.stdout is None:
        raise GitError("git could not be spoken to")
    return process.stdout


def _read(answers: Answers, most: int) -> tuple[bytes, bool]:
    parts, size = [], 0
    while part := answers.read(1 << 20):
        parts.append(part)
        size += len(part)
        if size > most:
            return b"", False
    return b"".join(parts), True


def _read_errors(stream: IO[bytes] | None, kept: list[bytes]) -> None:
    size = 0
    while stream is not None and (part := stream.read(1 << 14)):
        if size < _KEPT_OF_ERRORS:
            kept.append(part)
        size += len(part)


def _write(stream: IO[bytes] | None, text: bytes) -> None:
    if stream is not None:
        with suppress(BrokenPipeError), stream:
            stream.write(text)


class Watch(threading.Thread):
    """Ends a git that hangs or takes too much memory; `fault` has the reason.

    `hang` makes the error for one that hangs.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], answers: Answers, hang: Callable[[], GitError], most_memory: int
    ) -> None:
        super().__init__(name="git watch", daemon=True)
        self._process = process
        self._hangs = HangDetector(process.pid, answers)
        self._hang = hang
        self._most_memory = most_memory
        self._done = threading.Event()
        self.fault: GitError | None = None

    def stop(self) -> None:
        """Watch no longer."""
        self._done.set()
        self.join()

    def run(self) -> None:
        """Watch."""
        samples = 0
        while not self._done.wait(SAMPLE):
            samples += 1
            if self._takes_too_much(samples):
                why = f"git needs more than {human_size(self._most_memory)} of memory here"
                self._end(GitLimitError(why, hint="Its trees may be made to have no end. Do not trust it."))
                return
            if self._hangs.look():
                self._end(self._hang())
                return

    def _takes_too_much(self, samples: int) -> bool:
        used = memory_of(self._process.pid)
        if used is None:  # then only time can be measured, for commands that are known to end
            return self._most_memory <= MOST_MEMORY_FOR_CHANGES and samples > _MOST_SAMPLES
        return used > self._most_memory

    def _end(self, fault: GitError) -> None:
        self.fault = fault
        started = processes_of(self._process.pid)[1:]
        self._process.kill()
        kill_all(started)
