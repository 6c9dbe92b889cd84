"""A Dask cluster as a pool of workers: its scheduler gives them the units, its client brings the replies.

The only module that knows Dask, which is an extra. Only tasks and replies go over the network, as plain data.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Collection, Mapping
from concurrent.futures import CancelledError, Future
from functools import lru_cache

from distributed import Client, KilledWorker, get_worker

from scanner.errors import ScanError, UsageError
from scanner.fleet.pool import Watch
from scanner.fleet.runners import Runners
from scanner.fleet.wire import Reply, Step, Task
from scanner.fleet.work import settings_digest

_TOPIC = "binance-leaks"
_CONNECTING = 10.0
_PATIENCE = 60.0
_LOOK = 5.0
_AHEAD = 2
_INSTALL = 'Install the same version on every worker: pip install "binance-leaks[dask]".'
_START = "Start one with `dask scheduler`, and workers with `dask worker ADDRESS`."


class DaskPool:
    """The workers of a running cluster. `patience` is for how many seconds it may have no scheduler or no worker."""

    def __init__(self, address: str, watch: Watch, *, patience: float = _PATIENCE) -> None:
        self._address = address
        self._watch = watch
        self._patience = patience
        self._slots = 0
        self._looked = 0.0
        self._seen = time.monotonic()
        for name in ("distributed", "distributed.core", "distributed.client", "asyncio", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._client = self._connected(_CONNECTING)
        try:
            self._refuse_strangers()
        except BaseException:
            self.close()
            raise

    def slots(self) -> int:
        """Twice the threads of all workers, so that none waits for the next unit."""
        now = time.monotonic()
        if now - self._looked > _LOOK:
            self._looked = now
            threads = sum(self._threads().values())
            if threads:
                self._seen, self._slots = now, threads
            elif now - self._seen > self._patience:
                raise ScanError(f"no worker is left at {self._address}", hint="Start workers, then use --resume.")
        return _AHEAD * max(1, self._slots)

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:
        """Has a unit scanned, on another worker than those to avoid where there is one."""
        others = [worker for worker in self._threads() if worker not in avoid] if avoid else []
        chosen = {"workers": others, "allow_other_workers": True} if others else {}
        try:
            future: Future[Reply] = self._client.get_executor(pure=False, retries=0, **chosen).submit(work, task)
        except Exception as error:  # the client says in many ways that its scheduler is gone
            future = Future()
            future.set_exception(CancelledError(type(error).__name__))
        return future

    def excuse(self, error: BaseException) -> str | None:
        """That workers died of a unit, or what it raised. All else means that the scheduler is gone."""
        if isinstance(error, KilledWorker):
            return "the workers that scanned it died"
        if isinstance(error, (CancelledError, OSError, TimeoutError)) or self._client.status != "running":
            return None
        return f"it failed on its worker: {type(error).__name__}"

    def renew(self) -> None:
        """Connects again."""
        self.close()
        self._client = self._connected(self._patience)
        self._looked, self._seen = 0.0, time.monotonic()

    def workers(self) -> Mapping[str, int]:
        """How many units are at each worker."""
        try:
            return {worker: len(keys) for worker, keys in self._client.processing().items()}
        except Exception:  # as in submit; this is for show
            return {}

    def close(self) -> None:
        """Gives up what is still at work, and leaves the cluster as it was."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._client.close(timeout=2)

    def _connected(self, seconds: float) -> Client:
        """Raises ScanError where there is no scheduler within that time, UsageError for what is no address."""
        until = time.monotonic() + seconds
        while (client := self._tried(min(5.0, seconds), is_last=time.monotonic() + 0.5 >= until)) is None:
            time.sleep(0.5)
        client.subscribe_topic(_TOPIC, self._heard)
        return client

    def _tried(self, seconds: float, *, is_last: bool) -> Client | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of other versions of Dask: it works, or says why not
                return Client(self._address, timeout=seconds, set_as_default=False)
        except (ValueError, TypeError, KeyError):
            raise UsageError(
                f"no address of a scheduler: {self._address}", hint="Such as tcp://192.0.2.1:8786."
            ) from None
        except (OSError, RuntimeError) as error:
            if not is_last:
                return None
            why = "it did not answer" if isinstance(error, TimeoutError) else "it cannot be reached"
            raise ScanError(f"no scheduler at {self._address}: {why}", hint=_START) from None

    def _refuse_strangers(self) -> None:
        """Raises ScanError where a worker lacks the package, or has another version of it."""
        until = time.monotonic() + self._patience
        while not (answers := self._client.run(detector, on_error="return")):
            if time.monotonic() >= until:
                raise ScanError(f"the scheduler at {self._address} has no workers", hint=_START)
            time.sleep(0.5)
        ours = detector()
        for worker, answer in sorted(answers.items()):
            if isinstance(answer, ImportError):
                raise ScanError(f"worker {worker} has no binance-leaks, or another version", hint=_INSTALL)
            if isinstance(answer, BaseException):
                raise ScanError(f"worker {worker} cannot be used: {type(answer).__name__}", hint=_INSTALL)
            if answer != ours:
                raise ScanError(
                    f"worker {worker} has another version of binance-leaks than this machine", hint=_INSTALL
                )

    def _threads(self) -> Mapping[str, int]:
        try:
            return dict(self._client.nthreads())
        except Exception:  # as in submit
            return {}

    def _heard(self, event: tuple[float, Mapping[str, object]]) -> None:
        told = event[1]
        worker, label, phase, size = (told.get(name) for name in ("worker", "label", "phase", "bytes"))
        if isinstance(worker, str) and isinstance(label, str) and isinstance(phase, str) and isinstance(size, int):
            self._watch(worker, {"label": label, "phase": phase, "bytes": size})


def detector() -> str:
    """What the detector of this machine comes to."""
    return settings_digest(None, (), reachable=False)


def work(task: Task) -> Reply:
    """Has a unit scanned on this worker. Called by Dask, in one of the worker's threads."""
    worker = get_worker()

    def tell(step: Step) -> None:
        worker.log_event(_TOPIC, {**step, "worker": worker.address})

    return {**_runners().work(task, tell), "worker": worker.address}


@lru_cache(maxsize=1)
def _runners() -> Runners:
    """Those of this process: they stay from one unit to the next, and end with it."""
    return Runners()
