"""Scan in child processes with limits on time and disk, so that a hostile repository harms only its own.

Each process has a folder of its own for clones, which is removed with it. A process that exceeds a limit is killed.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import cast

from binance_leaks.fleet.worker_protocol import (
    Message,
    Reply,
    ReportStep,
    RepositoryOutcome,
    Step,
    StepListener,
    Task,
    failed_outcome,
)
from binance_leaks.isolation import trusted_import_path
from binance_leaks.quantities import human_size, human_time
from binance_leaks.sources.pictures.settings import OFF, VARIABLE
from binance_leaks.temporary_folders import (
    folder_size,
    kill_processes_in,
    make_folder,
    remove_folder,
    remove_left_folders,
)

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
_AGAIN_HINT = "Check memory, disk and process limits of the machine."
_LIMIT_HINT = "Raise --time-limit, or scan it by itself: binance-leaks history."
_CLONE_HINT = "Raise --clone-limit, or clone it yourself and give the folder."
_DISK_HINT = "Free some space, or point TMPDIR at a larger disk."


class ScanProcesses:
    """The scan processes of one process, for several threads, each of which uses one at a time.

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
            remove_left_folders()

    def scan(self, task: Task, report_step: ReportStep) -> Reply:
        """Scan a unit. Repositories without an outcome have failed.

        Raises only what `report_step` raises.
        """
        try:
            with self._acquired() as process:
                done = process.scan(task, report_step)
        except _ScanProcessError as error:  # there is none, and so nobody knows of it yet
            done = _with_failures(task, [], error)
        return {"worker": self.name, "done": done}

    def close(self) -> None:
        """End all processes, busy ones too."""
        with self._lock:
            self._closed = True
            ending = [*self._idle, *self._busy]
            self._idle.clear()
        for process in ending:
            process.terminate()
        for process in ending:
            process.close()

    @contextmanager
    def _acquired(self) -> Iterator[_ScanProcess]:
        with self._lock:
            if self._closed:
                raise _ScanProcessError("the scan was stopped")
            process = self._idle.pop() if self._idle else _ScanProcess(self._spare)
            self._busy.add(process)
        try:
            yield process
        except BaseException:
            process.close()
            raise
        finally:
            with self._lock:
                self._busy.discard(process)
                kept = process.is_reusable and not self._closed
                if kept:
                    self._idle.append(process)
            if not kept:
                process.close()


class _ScanProcessError(Exception):
    """A scan process exceeded a limit or is gone: why, a hint, and whether to try again."""

    def __init__(self, reason: str, hint: str = "", *, again: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.again = again


class _ScanProcess:
    """One scan process with its folder."""

    def __init__(self, spare: int) -> None:
        self._spare = spare
        try:
            self._folder = make_folder("fleet")
        except OSError as error:
            raise _ScanProcessError(f"cannot create a folder for clones: {error.strerror}", _DISK_HINT) from None
        path = json.dumps([os.path.abspath(part) for part in trusted_import_path()])  # noqa: PTH100 - as text
        self._tasks = 0
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _PROGRAM, path, str(self._folder), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env={VARIABLE: OFF, **os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._folder))},
                start_new_session=True,
            )
        except OSError as error:
            remove_folder(self._folder)
            why = f"cannot start a scan process: {error.strerror}"
            raise _ScanProcessError(why, _AGAIN_HINT) from None
        self._messages: SimpleQueue[Message | None] = SimpleQueue()
        self._reader = Thread(target=self._read_messages, name="runner", daemon=True)
        self._reader.start()

    @property
    def is_reusable(self) -> bool:
        """Whether it can take another task. After many it makes room for a fresh process."""
        return self._process.poll() is None and self._tasks < _MOST_TASKS

    def scan(self, task: Task, report_step: ReportStep) -> list[RepositoryOutcome]:
        """Return the outcomes for the repositories of a unit.

        Raises what `report_step` raises.
        """
        self._tasks += 1
        done: list[RepositoryOutcome] = []
        started = time.monotonic()
        why = _ScanProcessError("its scan process gave no result for it")
        try:
            self._send(task)
            self._follow(task, report_step, done)
        except _ScanProcessError as overrun:
            why = overrun
            self.close()
        spent = round(time.monotonic() - started - sum(one["seconds"] for one in done), 3)
        return _with_failures(task, done, why, spent)

    def terminate(self) -> None:
        """Ask the process to end, together with the git that it has started."""
        with suppress(OSError):
            self._process.terminate()

    def close(self) -> None:
        """End the process and its children, and remove its folder."""
        self.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)  # also those that it left behind
        self._process.wait()
        kill_processes_in(self._folder)  # a git that it was about to start when it was asked to end
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        remove_folder(self._folder)

    def _send(self, task: Task) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise _ScanProcessError("the scan process has no input pipe")
        try:
            pipe.write(json.dumps(task).encode("ascii") + b"\n")
            pipe.flush()
        except (OSError, ValueError):
            raise self._exit_error() from None

    def _follow(self, task: Task, report_step: ReportStep, done: list[RepositoryOutcome]) -> None:
        """Add outcomes to `done` until the process is ready for more.

        Repeats the last step now and then, to show that the work goes on. Raises _ScanProcessError and what
        `report_step` raises.
        """
        until = time.monotonic() + task["time_limit"]
        step = _first_step(task, 0)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise _ScanProcessError(f"not done within {human_time(task['time_limit'])}", _LIMIT_HINT)
            report_step(step)
            if step["phase"] == "cloning":
                self._watch_disk(task["clone_limit"])
            try:
                message = self._messages.get(timeout=min(left, _LOOK))
            except Empty:
                if self._process.poll() is None:
                    continue
                message = None  # those that it left behind keep its output open
            if message is None:
                raise self._exit_error()
            if step["phase"] == "cloning":
                self._watch_disk(task["clone_limit"])  # a fast one is done between two looks
            if "step" in message:
                step = message["step"]
            elif "done" in message:
                done.append(message["done"])
                until = time.monotonic() + task["time_limit"]
                step = _first_step(task, len(done))
            else:
                return

    def _watch_disk(self, limit: int) -> None:
        if folder_size(self._folder) > limit:
            raise _ScanProcessError(f"its clone takes more than {human_size(limit)}", _CLONE_HINT, again=False)
        if shutil.disk_usage(self._folder).free < self._spare:
            raise _ScanProcessError(f"less than {human_size(self._spare)} is free on the disk for clones", _DISK_HINT)

    def _exit_error(self) -> _ScanProcessError:
        try:
            status = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return _ScanProcessError("its scan process sent an invalid message")
        if status == _KILLED:
            return _ScanProcessError("its scan process was killed", "Was there not enough memory?")
        if status < 0:
            return _ScanProcessError(f"its scan process ended by signal {-status}")
        return _ScanProcessError(f"its scan process ended with status {status}")

    def _read_messages(self) -> None:
        pipe = self._process.stdout
        with suppress(OSError, ValueError, RecursionError):
            for line in pipe or ():
                said: object = json.loads(line)
                if not isinstance(said, dict):
                    break
                self._messages.put(cast(Message, said))
        self._messages.put(None)


def _first_step(task: Task, number: int) -> Step:
    """The step before a repository has reported its own."""
    repositories = task["repositories"]
    return {"label": repositories[min(number, len(repositories) - 1)]["label"], "phase": "opening", "bytes": 0}


def _with_failures(
    task: Task, done: list[RepositoryOutcome], why: _ScanProcessError, seconds: float = 0.0
) -> list[RepositoryOutcome]:
    """Return `done` with a failure for every other repository of a task; the first took `seconds`."""
    answered = {one["key"] for one in done}
    missing = [each["key"] for each in task["repositories"] if each["key"] not in answered]
    failed = [
        failed_outcome(key, why.reason, why.hint, again=why.again, seconds=0.0 if number else seconds)
        for number, key in enumerate(missing)
    ]
    return [*done, *failed]


class LocalPool:
    """Scan processes on this machine, each watched by a thread."""

    def __init__(self, jobs: int, watch: StepListener) -> None:
        self._jobs = jobs
        self._watch = watch
        self._processes = ScanProcesses()
        self._executor = ThreadPoolExecutor(jobs, thread_name_prefix="fleet")

    def slots(self) -> int:
        """One for each job."""
        return self._jobs

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:  # noqa: ARG002 - there is one place only
        """Has a unit scanned, in a fresh process if the last one failed."""
        return self._executor.submit(self._processes.scan, task, self._report_step)

    def failure_reason(self, error: BaseException) -> str | None:
        """Runners tell their failures in replies: what else goes wrong is the pool's."""
        return None if isinstance(error, CancelledError) else str(error) or type(error).__name__

    def reconnect(self) -> None:
        """There is nothing to renew."""

    def workers(self) -> Mapping[str, int]:
        """Nothing that the caller does not know."""
        return {}

    def close(self) -> None:
        """End all processes."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._processes.close()
        self._executor.shutdown(wait=True)

    def _report_step(self, step: Step) -> None:
        self._watch(self._processes.name, step)
