"""Where units are scanned: a pool of workers behind the interface of `concurrent.futures`, here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Protocol

from binance_leaks.fleet.process_pool import Runners
from binance_leaks.fleet.wire import Reply, Step, Task

Watch = Callable[[str, Step], None]
"""Told the worker and how far it is with a unit; called from any thread."""


class Pool(Protocol):
    """Workers for units."""

    def slots(self) -> int:
        """How many units are scanned at a time just now. Raises ScanError where no worker has come for long."""
        ...

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:
        """Has a unit scanned, on none of the workers to avoid where there are others."""
        ...

    def excuse(self, error: BaseException) -> str | None:
        """Why a unit came back without a reply, if that is the fault of its worker; None if the whole pool is gone."""
        ...

    def renew(self) -> None:
        """Makes a pool that is gone usable again; what was submitted is lost. Raises ScanError if it stays away."""
        ...

    def workers(self) -> Mapping[str, int]:
        """How many units each worker is at, as far as that is known."""
        ...

    def close(self) -> None:
        """Ends what is still at work."""
        ...


class LocalPool:
    """Processes on this machine: a thread for each watches over it."""

    def __init__(self, jobs: int, watch: Watch) -> None:
        self._jobs = jobs
        self._watch = watch
        self._runners = Runners()
        self._executor = ThreadPoolExecutor(jobs, thread_name_prefix="fleet")

    def slots(self) -> int:
        """One for each job."""
        return self._jobs

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:  # noqa: ARG002 - there is one place only
        """Has a unit scanned, in a fresh process if the last one failed."""
        return self._executor.submit(self._runners.work, task, self._tell)

    def excuse(self, error: BaseException) -> str | None:
        """Runners tell their failures in replies: what else goes wrong is the pool's."""
        return None if isinstance(error, CancelledError) else str(error) or type(error).__name__

    def renew(self) -> None:
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
