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
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import cast

from binance_leaks.fleet.worker_protocol import (
    Message,
    Reply,
    RepositoryOutcome,
    Step,
    Task,
    Tell,
    Watch,
    failed_outcome,
)
from binance_leaks.isolation import trusted_import_path
from binance_leaks.report.summary import human_size, human_time

_PREFIX = "fleet"
_PROCESSES = Path("/proc")


def make_process_folder() -> Path:
    """A new temporary folder whose name tells which process made it. Raises OSError."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{_host()}-{os.getpid()}-"))


def remove_leftovers(folder: Path) -> None:
    """Removes such folders below another one if the process that made them is gone without having done so."""
    if not hasattr(os, "killpg"):
        return  # Windows: asking whether a process lives would end it
    for left in folder.glob(f"{_PREFIX}-{_host()}-*-*"):
        number = left.name.split("-")[-2]
        with suppress(OSError):
            if number.isdecimal() and _is_ours(left) and not _is_running(int(number)):
                kill_processes_in(left)
                shutil.rmtree(left, ignore_errors=True)


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 - many, and as text
    return total


def kill_processes_in(folder: Path) -> None:
    """Ends the processes that work below a folder, each with its group: git, where it outlived whoever started it.

    Where the system does not tell which they are, git notices by itself that nobody listens any more.
    """
    if not _PROCESSES.is_dir() or not hasattr(os, "killpg"):
        return
    for entry in _PROCESSES.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                where, group = (entry / "cwd").readlink(), os.getpgid(int(entry.name))
                if where.is_relative_to(folder) and group != os.getpgrp():
                    os.killpg(group, signal.SIGKILL)


def _host() -> str:
    return "".join(char for char in platform.node() if char.isalnum())[:40]


def _is_ours(folder: Path) -> bool:
    return not hasattr(os, "geteuid") or folder.lstat().st_uid == os.geteuid()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    except OverflowError:  # a name that this program never gave
        return True
    return True


_LOOK = 0.5
_SPARE = 1 << 30
_MOST_TASKS = 200
_KILLED = -9
_PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from binance_leaks.fleet.worker_process import main
main(sys.argv[2], int(sys.argv[3]))
"""
_GRACE = 4.0
"""Seconds for a runner to end by itself: more than it gives to git."""
_AGAIN_HINT = "Look at the machine: is there enough memory, disk, and room for processes?"
_LIMIT_HINT = "Raise --time-limit, or scan it by itself: binance-leaks history."
_CLONE_HINT = "Raise --clone-limit, or clone it yourself and give the folder."
_DISK_HINT = "Free some space, or point TMPDIR at a larger disk."


class ScanProcesses:
    """The runners of one process. Used by several threads, each of which has one at a time.

    Clones leave `spare` bytes of the disk free.
    """

    def __init__(self, *, spare: int = _SPARE) -> None:
        self._spare = spare
        self._lock = Lock()
        self._idle: list[_ScanProcess] = []
        self._busy: set[_ScanProcess] = set()
        self._closed = False
        self.name = f"{platform.node()}:{os.getpid()}"
        with suppress(OSError):
            remove_leftovers(Path(tempfile.gettempdir()))

    def work(self, task: Task, tell: Tell) -> Reply:
        """Has a unit scanned. What is missing of it is told as a failure. Raises what `tell` raises only."""
        try:
            with self._leased() as runner:
                done = runner.answer(task, tell)
        except _ScanProcessError as error:  # there is none, and so nobody knows of it yet
            done = _missing(task, [], error)
        return {"worker": self.name, "done": done}

    def close(self) -> None:
        """Ends all, those at work too."""
        with self._lock:
            self._closed = True
            ending = [*self._idle, *self._busy]
            self._idle.clear()
        for runner in ending:
            runner.ask_to_end()
        for runner in ending:
            runner.close()

    @contextmanager
    def _leased(self) -> Iterator[_ScanProcess]:
        with self._lock:
            if self._closed:
                raise _ScanProcessError("scanning was ended")
            runner = self._idle.pop() if self._idle else _ScanProcess(self._spare)
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


class _ScanProcessError(Exception):
    """A runner did what it may not, or is gone: why, what the user can do, and whether it could go better again."""

    def __init__(self, reason: str, hint: str = "", *, again: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.again = again


class _ScanProcess:
    """One process, with its folder."""

    def __init__(self, spare: int) -> None:
        self._spare = spare
        try:
            self._folder = make_process_folder()
        except OSError as error:
            raise _ScanProcessError(f"no folder for clones can be made: {error.strerror}", _DISK_HINT) from None
        path = json.dumps([os.path.abspath(part) for part in trusted_import_path()])  # noqa: PTH100 - as text
        self._tasks = 0
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _PROGRAM, path, str(self._folder), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env={**os.environ, "TMPDIR": str(self._folder), "TEMP": str(self._folder), "TMP": str(self._folder)},
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            why = f"a process to scan with cannot be started: {error.strerror}"
            raise _ScanProcessError(why, _AGAIN_HINT) from None
        self._said: SimpleQueue[Message | None] = SimpleQueue()
        self._reader = Thread(target=self._listen, name="runner", daemon=True)
        self._reader.start()

    @property
    def is_fit(self) -> bool:
        """Whether it can be given another task. After many it makes room for a fresh one."""
        return self._process.poll() is None and self._tasks < _MOST_TASKS

    def answer(self, task: Task, tell: Tell) -> list[RepositoryOutcome]:
        """What becomes of the repositories of a unit. Raises what `tell` raises."""
        self._tasks += 1
        done: list[RepositoryOutcome] = []
        started = time.monotonic()
        why = _ScanProcessError("the process that scanned it said nothing of it")
        try:
            self._ask(task)
            self._follow(task, tell, done)
        except _ScanProcessError as overrun:
            why = overrun
            self.close()
        spent = round(time.monotonic() - started - sum(one["seconds"] for one in done), 3)
        return _missing(task, done, why, spent)

    def ask_to_end(self) -> None:
        """Asks the process to end by itself, and to end the git that it has started."""
        with suppress(OSError):
            self._process.terminate()

    def close(self) -> None:
        """Ends the process, with what it has started and what it has on disk."""
        self.ask_to_end()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)  # also those that it left behind
            else:
                self._process.kill()
        self._process.wait()
        kill_processes_in(self._folder)  # a git that it was about to start when it was asked to end
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, task: Task) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise _ScanProcessError("the process that scans cannot be spoken to")
        try:
            pipe.write(json.dumps(task).encode("ascii") + b"\n")
            pipe.flush()
        except (OSError, ValueError):
            raise self._gone() from None

    def _follow(self, task: Task, tell: Tell, done: list[RepositoryOutcome]) -> None:
        """Adds to `done` what comes, until the runner is ready for more. Raises _OverrunError, and what `tell` raises.

        The last step is told again now and then, so that it is known that the work goes on.
        """
        until = time.monotonic() + task["time_limit"]
        step = _opening(task, 0)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise _ScanProcessError(f"not done within {human_time(task['time_limit'])}", _LIMIT_HINT)
            tell(step)
            if step["phase"] == "cloning":
                self._watch_disk(task["clone_limit"])
            try:
                message = self._said.get(timeout=min(left, _LOOK))
            except Empty:
                if self._process.poll() is None:
                    continue
                message = None  # those that it left behind keep its output open
            if message is None:
                raise self._gone()
            if step["phase"] == "cloning":
                self._watch_disk(task["clone_limit"])  # a fast one is done between two looks
            if "step" in message:
                step = message["step"]
            elif "done" in message:
                done.append(message["done"])
                until = time.monotonic() + task["time_limit"]
                step = _opening(task, len(done))
            else:
                return

    def _watch_disk(self, limit: int) -> None:
        if folder_size(self._folder) > limit:
            raise _ScanProcessError(f"its clone takes more than {human_size(limit)}", _CLONE_HINT, again=False)
        if shutil.disk_usage(self._folder).free < self._spare:
            raise _ScanProcessError(f"less than {human_size(self._spare)} is free on the disk for clones", _DISK_HINT)

    def _gone(self) -> _ScanProcessError:
        try:
            status = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return _ScanProcessError("the process that scanned it said what is not understood")
        if status == _KILLED:
            return _ScanProcessError("the process that scanned it was killed", "Was there not enough memory?")
        if status < 0:
            return _ScanProcessError(f"the process that scanned it ended by signal {-status}")
        return _ScanProcessError(f"the process that scanned it ended with status {status}")

    def _listen(self) -> None:
        pipe = self._process.stdout
        with suppress(OSError, ValueError, RecursionError):
            for line in pipe or ():
                said: object = json.loads(line)
                if not isinstance(said, dict):
                    break
                self._said.put(cast(Message, said))
        self._said.put(None)


def _opening(task: Task, number: int) -> Step:
    """What is told before a repository tells anything itself."""
    repositories = task["repositories"]
    return {"label": repositories[min(number, len(repositories) - 1)]["label"], "phase": "opening", "bytes": 0}


def _missing(
    task: Task, done: list[RepositoryOutcome], why: _ScanProcessError, seconds: float = 0.0
) -> list[RepositoryOutcome]:
    """What is done, and that all else of a task failed; the first of it after so many seconds."""
    told = {one["key"] for one in done}
    missing = [each["key"] for each in task["repositories"] if each["key"] not in told]
    failed = [
        failed_outcome(key, why.reason, why.hint, again=why.again, seconds=0.0 if number else seconds)
        for number, key in enumerate(missing)
    ]
    return [*done, *failed]


class LocalPool:
    """Processes on this machine: a thread for each watches over it."""

    def __init__(self, jobs: int, watch: Watch) -> None:
        self._jobs = jobs
        self._watch = watch
        self._runners = ScanProcesses()
        self._executor = ThreadPoolExecutor(jobs, thread_name_prefix="fleet")

    def slots(self) -> int:
        """One for each job."""
        return self._jobs

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:  # noqa: ARG002 - there is one place only
        """Has a unit scanned, in a fresh process if the last one failed."""
        return self._executor.submit(self._runners.work, task, self._tell)

    def failure_reason(self, error: BaseException) -> str | None:
        """Runners tell their failures in replies: what else goes wrong is the pool's."""
        return None if isinstance(error, CancelledError) else str(error) or type(error).__name__

    def reconnect(self) -> None:
        """There is nothing to renew."""

    def workers(self) -> Mapping[str, int]:
        """Nothing that the caller does not know."""
        return {}

    def close(self) -> None:
        """Ends all processes."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._runners.close()
        self._executor.shutdown(wait=True)

    def _tell(self, step: Step) -> None:
        self._watch(self._runners.name, step)
