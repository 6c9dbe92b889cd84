"""A pool of processes that each keep a worker, or one worker in this process."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from binance_leaks.errors import ScanError, describe_fault
from binance_leaks.pipeline.lifeline import Lifeline, WorkerContext

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection as Connection
else:
    from multiprocessing.connection import Connection

T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
R = TypeVar("R")


def usable_cores() -> int:
    """Return the number of processors that this process may use."""
    count = os.cpu_count()
    if sys.platform == "linux":
        count = len(os.sched_getaffinity(0))
    return count or 1


class Worker(Protocol[T_contra, R_co]):
    """A worker does tasks one after the other; tasks and results can be pickled."""

    def work(self, task: T_contra) -> R_co:
        """Do one task."""
        ...


class LocalWorker(Generic[T, R]):
    """One worker, in this process."""

    def __init__(self, make: Callable[[], Worker[T, R]]) -> None:
        self._worker = make()

    def __enter__(self) -> LocalWorker[T, R]:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def run(self, tasks: Iterable[T]) -> Iterator[R]:
        """The results of the tasks, in their order."""
        return map(self._worker.work, tasks)

    def broadcast(self, task: T) -> Sequence[R]:
        """Give the worker the task; its result."""
        return [self._worker.work(task)]


class WorkerPool(Generic[T, R]):
    """Several processes, each with a worker that `make` made there.

    Leaving the context ends them at once, and so does the end of this process. Raises ScanError if one of them dies.
    """

    def __init__(self, count: int, make: Callable[[], Worker[T, R]]) -> None:
        context = WorkerContext()
        self._lifeline = Lifeline(context)
        self._connections: list[Connection] = []
        self._processes: list[BaseProcess] = []
        gc.freeze()  # so that collecting garbage does not copy what the processes share
        for _ in range(count):
            ours, theirs = context.Pipe()
            given = theirs, make, [*self._connections, ours], self._lifeline
            process = context.Process(target=_serve, args=given, daemon=True)
            process.start()
            theirs.close()
            self._connections.append(ours)
            self._processes.append(process)
        gc.unfreeze()

    def __enter__(self) -> WorkerPool[T, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.terminate()
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()
        self._lifeline.close()

    def run(self, tasks: Iterable[T]) -> Iterator[R]:
        """Give each task to a free worker.

        The results in the order in which they are done.
        """
        waiting = deque(tasks)
        busy: set[Connection] = set()
        for connection in self._connections[: len(waiting)]:
            self._send(connection, waiting.popleft())
            busy.add(connection)
        while busy:
            for ready in wait(list(busy)):
                if isinstance(ready, Connection):
                    result = self._receive(ready)
                    # Never a task ahead: with both pipes full, both sides would wait for each other.
                    if waiting:
                        self._send(ready, waiting.popleft())
                    else:
                        busy.remove(ready)
                    yield result

    def broadcast(self, task: T) -> Sequence[R]:
        """Give every worker the same task; the result of each."""
        for connection in self._connections:
            self._send(connection, task)
        return [self._receive(connection) for connection in self._connections]

    def _send(self, connection: Connection, task: T) -> None:
        try:
            connection.send(task)
        except OSError:
            raise _worker_died() from None

    def _receive(self, connection: Connection) -> R:
        try:
            done, result = connection.recv()
        except (EOFError, OSError):
            raise _worker_died() from None
        if not done:
            raise ScanError(f"a scanning process failed: {result}", hint="Try again with --jobs 1.")
        answer: R = result
        return answer


def _worker_died() -> ScanError:
    return ScanError("a scanning process died, perhaps for lack of memory", hint="Try again with --jobs 1.")


def _serve(
    connection: Connection, make: Callable[[], Worker[T, R]], others: Sequence[Connection], lifeline: Lifeline
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in others:
        other.close()
    lifeline.follow()
    try:
        worker = make()
        while True:
            task = connection.recv()
            try:
                answer: tuple[bool, object] = True, worker.work(task)
            except Exception as error:
                answer = False, describe_fault(error)
            connection.send(answer)
    except (EOFError, OSError):
        return
