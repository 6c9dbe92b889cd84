"""Starts and watches the processes that scan: nothing that a repository does to one of them goes further than it.

Each has a folder of its own for clones, which goes with it. Whoever takes longer, or clones more, than it may is ended.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from scanner.errors import ScanError
from scanner.fleet.wire import Done, Message, Reply, Task, Tell, failure
from scanner.report.brief import human_size, human_time

_LOOK = 0.5
_SPARE = 1 << 30
"""Bytes of a disk that clones leave free."""
_MOST_TASKS = 200
_PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from scanner.fleet.runner import main
sys.exit(main(sys.argv[2]))
"""
_PREFIX = "fleet"
_LIMIT_HINT = "Raise --time-limit, or scan it by itself: binance-leaks history."
_CLONE_HINT = "Raise --clone-limit, or clone it yourself and give the folder."
_DISK_HINT = "Free some space, or point TMPDIR at a larger disk."


class Runners:
    """The runners of one process. Used by several threads, each of which has one at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: list[_Runner] = []
        self._busy: set[_Runner] = set()
        self._closed = False
        self.name = f"{platform.node()}:{os.getpid()}"
        _sweep(Path(tempfile.gettempdir()))

    def work(self, task: Task, tell: Tell) -> Reply:
        """Has a unit scanned. Never raises for what becomes of it; what is missing is told as a failure."""
        with self._leased() as runner:
            done = runner.answer(task, tell)
        return {"worker": self.name, "done": done}

    def close(self) -> None:
        """Ends all, those at work too."""
        with self._lock:
            self._closed = True
            ending = [*self._idle, *self._busy]
            self._idle.clear()
        for runner in ending:
            runner.close()

    @contextmanager
    def _leased(self) -> Iterator[_Runner]:
        with self._lock:
            if self._closed:
                raise ScanError("the runners were ended")
            runner = self._idle.pop() if self._idle else _Runner()
            self._busy.add(runner)
        try:
            yield runner
        except BaseException:
            runner.close()
            raise
        finally:
            with self._lock:
                self._busy.discard(runner)
                kept = runner.is_fit and not self._closed
                if kept:
                    self._idle.append(runner)
            if not kept:
                runner.close()


class _OverrunError(Exception):
    """A runner did what it may not, or is gone: why, what the user can do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class _Runner:
    """One process, with its folder."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{_host()}-{os.getpid()}-"))
        path = json.dumps([os.path.abspath(part) for part in sys.path])  # noqa: PTH100 - as text
        self._tasks = 0
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, path, str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env={**os.environ, "TMPDIR": str(self._folder), "TEMP": str(self._folder), "TMP": str(self._folder)},
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise ScanError(f"a process to scan with cannot be started: {error.strerror}") from None
        self._said: SimpleQueue[Message | None] = SimpleQueue()
        self._reader = Thread(target=self._listen, name="runner", daemon=True)
        self._reader.start()

    @property
    def is_fit(self) -> bool:
        """Whether it can be given another task. After many it makes room for a fresh one."""
        return self._process.poll() is None and self._tasks < _MOST_TASKS

    def answer(self, task: Task, tell: Tell) -> list[Done]:
        """What becomes of the repositories of a unit."""
        self._tasks += 1
        done: list[Done] = []
        why = _OverrunError("the process that scanned it ended")
        try:
            self._ask(task)
            self._follow(task, tell, done)
        except _OverrunError as overrun:
            why = overrun
            self.close()
        told = {one["key"] for one in done}
        missing = [repository["key"] for repository in task["repositories"] if repository["key"] not in told]
        return [*done, *(failure(key, why.reason, why.hint, again=True) for key in missing)]

    def close(self) -> None:
        """Ends the process, with what it has started and what it has on disk."""
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, task: Task) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise _OverrunError("the process that scans cannot be spoken to")
        try:
            pipe.write(json.dumps(task).encode("ascii") + b"\n")
            pipe.flush()
        except (OSError, ValueError):
            raise self._gone() from None

    def _follow(self, task: Task, tell: Tell, done: list[Done]) -> None:
        """Adds to `done` what comes, until the runner is ready for more. Raises _OverrunError."""
        until = time.monotonic() + task["time_limit"]
        clones = False
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise _OverrunError(f"not done within {human_time(task['time_limit'])}", _LIMIT_HINT)
            if clones:
                self._watch_disk(task["clone_limit"])
            try:
                message = self._said.get(timeout=min(left, _LOOK))
            except Empty:
                continue
            if message is None:
                raise self._gone()
            if "step" in message:
                clones = message["step"]["phase"] == "cloning"
                tell(message["step"])
            elif "done" in message:
                done.append(message["done"])
                until = time.monotonic() + task["time_limit"]
            else:
                return

    def _watch_disk(self, limit: int) -> None:
        if _size_of(self._folder) > limit:
            raise _OverrunError(f"its clone takes more than {human_size(limit)}", _CLONE_HINT)
        if shutil.disk_usage(self._folder).free < _SPARE:
            raise _OverrunError(f"less than {human_size(_SPARE)} is free on the disk for clones", _DISK_HINT)

    def _gone(self) -> _OverrunError:
        status = self._process.wait()
        if status == -getattr(signal, "SIGKILL", 9):
            return _OverrunError("the process that scanned it was killed", "Was there not enough memory?")
        if status < 0:
            return _OverrunError(f"the process that scanned it ended by signal {-status}")
        return _OverrunError(f"the process that scanned it ended with status {status}")

    def _listen(self) -> None:
        pipe = self._process.stdout
        with suppress(OSError, ValueError):
            for line in pipe or ():
                self._said.put(json.loads(line))
        self._said.put(None)


def _host() -> str:
    return "".join(char for char in platform.node() if char.isalnum())[:40]


def _size_of(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 - many, and as text
    return total


def _sweep(folder: Path) -> None:
    """Removes what runners left whose process was killed together with the one that watched over them."""
    if not hasattr(os, "killpg"):
        return  # Windows: asking whether a process lives would end it
    for left in folder.glob(f"{_PREFIX}-{_host()}-*-*"):
        number = left.name.split("-")[-2]
        with suppress(OSError):
            if number.isdecimal() and _is_ours(left) and not _lives(int(number)):
                shutil.rmtree(left, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    return not hasattr(os, "geteuid") or folder.lstat().st_uid == os.geteuid()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
