"""A Dask cluster as a pool of workers.

The only module that imports Dask, which is an extra. Only tasks and replies go over the network, as plain data.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import CancelledError, Future
from functools import lru_cache
from threading import Thread
from typing import TypeVar

from distributed import Client, KilledWorker, Security, Status, Worker, get_worker

from binance_leaks.errors import ScanError, UsageError
from binance_leaks.fleet.process_pool import ScanProcesses
from binance_leaks.fleet.unit_scan import settings_digest
from binance_leaks.fleet.worker_protocol import Reply, Step, StepListener, Task, failed_outcome

TOPIC = "binance-leaks"
_ENDING = frozenset({Status.closing, Status.closed, Status.failed})


class _CancelledUnitError(Exception):
    """The unit was cancelled."""


def detector() -> str:
    """Return the settings digest of this machine's detector, to compare versions."""
    return settings_digest(None, (), reachable=False)


def scan_on_worker(task: Task) -> Reply:
    """Scan a unit on this worker; Dask calls it in one of the worker's threads.

    Never raises: the worker would log the task, with an address that may hold a login.
    """
    worker = get_worker()
    unit = str(worker.get_current_task())

    def report_step(step: Step) -> None:
        if not _is_wanted(worker, unit):
            raise _CancelledUnitError
        worker.log_event(TOPIC, {**step, "worker": worker.address})

    try:
        done = _processes().scan(task, report_step)["done"]
    except _CancelledUnitError:
        done = []
    except Exception as error:  # as above
        reason = f"internal error on its worker: {type(error).__name__}"
        done = [failed_outcome(each["key"], reason, again=True) for each in task["repositories"]]
    return {"worker": worker.address, "done": done}


def _is_wanted(worker: Worker, unit: str) -> bool:
    """Whether the unit is not cancelled and the worker is not closing: one that closes waits for its threads."""
    state = worker.state.tasks.get(unit)
    return state is not None and state.state != "cancelled" and worker.status not in _ENDING


@lru_cache(maxsize=1)
def _processes() -> ScanProcesses:
    """The scan processes of this worker, kept from one unit to the next."""
    return ScanProcesses()


_CONNECTING = 5.0
_PATIENCE = 60.0
_LOOK = 5.0
_ANSWER = 10.0
_AHEAD = 2
_MOST_RENEWALS = 5
_INSTALL = "Install the same version, with its extra dask, on every worker and the scheduler."
_START = "Start one with `dask scheduler`, and workers with `dask worker ADDRESS`."
_RESUME = "Start workers, then use --resume. Without --store, scan again."
_LOGGERS = ("distributed", "dask", "tornado", "asyncio")

_T = TypeVar("_T")


class DaskPool:
    """The workers of a running cluster.

    `patience` is how many seconds it may be without a scheduler or a worker. Raises UsageError and ScanError where
    there is no usable cluster.
    """

    def __init__(self, address: str, watch: StepListener, *, patience: float = _PATIENCE) -> None:
        self._address = address
        self._watch = watch
        self._patience = patience
        self._slots = 0
        self._reconnects = 0
        self._last_refresh = 0.0
        self._last_usable = time.monotonic()
        self._unusable: Mapping[str, str] = {}
        self._usable: frozenset[str] = frozenset()
        self._submitted: dict[Future[Reply], frozenset[str]] = {}
        _silence_logging()
        self._client = self._connected(min(_CONNECTING, patience))
        try:
            self._check_versions()
        except BaseException:
            self.close()
            raise

    def slots(self) -> int:
        """Twice the threads of all usable workers, so that none waits for its next unit."""
        now = time.monotonic()
        if now - self._last_refresh > min(_LOOK, self._patience / 4):
            self._last_refresh = now
            self._refresh()
            if now - self._last_usable > self._patience:
                raise ScanError(f"no worker is left at {self._address}", hint=_RESUME)
            self._cancel_stranded()
        return _AHEAD * self._slots

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:
        """Submit a unit, to other workers than those to avoid if there are any.

        Only to workers that were checked: one without the package would log the task and fail.
        """
        chosen = frozenset(worker for worker in self._usable if worker not in avoid) or self._usable
        try:
            if not chosen:
                raise CancelledError
            executor = self._client.get_executor(pure=False, retries=0, workers=list(chosen), allow_other_workers=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a large task: what is remembered of a repository goes along
                future: Future[Reply] = executor.submit(scan_on_worker, task)
        except Exception as error:  # the client says in many ways that its scheduler is gone
            future = Future()
            future.set_exception(CancelledError(type(error).__name__))
            return future
        self._submitted = {given: workers for given, workers in self._submitted.items() if not given.done()} | {
            future: chosen
        }
        future.add_done_callback(self._reset_reconnects)
        return future

    def failure_reason(self, error: BaseException) -> str | None:
        """Describe how the workers of a unit failed.

        Returns None for any other error: the scheduler is gone.
        """
        if isinstance(error, KilledWorker):
            return f"the workers that scanned it died, the last one was {error.last_worker.address}"
        if isinstance(error, (CancelledError, OSError, TimeoutError)) or self._client.status != "running":
            return None
        self._refresh()  # what is wrong with a worker that joined meanwhile
        details = "".join(f"; worker {worker} {why}" for worker, why in sorted(self._unusable.items()))
        return f"it failed on its worker: {type(error).__name__}{details}"

    def reconnect(self) -> None:
        """Connect again. Raises ScanError where the connection does not last."""
        self._reconnects += 1
        self.close()
        if self._reconnects > _MOST_RENEWALS:
            raise ScanError(f"the connection to the scheduler at {self._address} is lost repeatedly", hint=_RESUME)
        self._client = self._connected(self._patience)
        self._submitted, self._unusable, self._usable, self._slots = {}, {}, frozenset(), 0
        self._last_refresh, self._last_usable = 0.0, time.monotonic()

    def workers(self) -> Mapping[str, int]:
        """The number of units at each worker."""
        processing = _call_within(_ANSWER, self._client.processing)
        return {worker: len(keys) for worker, keys in processing.items()} if processing is not None else {}

    def close(self) -> None:
        """Cancel what is running and disconnect."""
        client = self._client
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _call_within(_ANSWER, lambda: client.close(timeout=2))

    def _connected(self, seconds: float) -> Client:
        """Connect; raises ScanError where no scheduler answers in time, UsageError for a bad address."""
        until = time.monotonic() + seconds
        while (client := self._try(max(1.0, min(_CONNECTING, until - time.monotonic())))) is None:
            if time.monotonic() >= until:
                raise ScanError(f"no scheduler answers at {self._address}", hint=_START)
            time.sleep(0.5)
        client.subscribe_topic(TOPIC, self._on_event)
        return client

    def _try(self, seconds: float) -> Client | None:
        """Return a client, or None where there is no answer in time: an open connection is not enough."""
        answer = _call_within(seconds + 1, lambda: _try(lambda: _client(self._address, seconds)))
        if isinstance(answer, (ValueError, TypeError, KeyError)):
            hint = "A tls:// scheduler needs distributed.comm.tls of Dask."
            raise UsageError(f"{self._address} is not a usable address", hint=hint)
        return answer if isinstance(answer, Client) else None

    def _check_versions(self) -> None:
        """Raise ScanError where the scheduler or a worker lacks the package or has another version."""
        client, until = self._client, time.monotonic() + self._patience
        on_scheduler = _call_within(_ANSWER, lambda: _try(lambda: client.run_on_scheduler(detector)))
        if isinstance(on_scheduler, (ImportError, AttributeError)):  # its version is all the same: it scans nothing
            raise ScanError(f"the scheduler at {self._address} {_version_problem(on_scheduler)}", hint=_INSTALL)
        while True:
            self._refresh()
            for worker, why in sorted(self._unusable.items()):
                raise ScanError(f"worker {worker} {why}", hint=_INSTALL)
            if self._usable:
                return
            if time.monotonic() >= until:
                raise ScanError(f"the scheduler at {self._address} has no workers that answer", hint=_START)
            time.sleep(0.5)

    def _refresh(self) -> None:
        """List the workers, and check the versions of new ones; those that do not answer are checked again later."""
        client = self._client
        threads = _call_within(_ANSWER, lambda: dict(client.nthreads())) or {}
        strange = {worker: why for worker, why in self._unusable.items() if worker in threads}
        usable = self._usable & threads.keys()
        asked = [worker for worker in threads if worker not in usable and worker not in strange]
        if asked:
            answers = _call_within(_ANSWER, lambda: client.run(detector, workers=asked, on_error="return")) or {}
            wrong = {worker: why for worker, answer in answers.items() if (why := _version_problem(answer)) is not None}
            strange |= wrong
            usable |= {worker for worker, answer in answers.items() if answer == detector()}
        self._unusable, self._usable = strange, frozenset(usable)
        self._slots = sum(threads[worker] for worker in usable)
        if usable:
            self._last_usable = time.monotonic()

    def _cancel_stranded(self) -> None:
        """Cancel units that wait for workers that are gone, where there are others."""
        for future, workers in self._submitted.items():
            if self._usable and self._usable.isdisjoint(workers):
                future.cancel()

    def _reset_reconnects(self, future: Future[Reply]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._reconnects = 0

    def _on_event(self, event: tuple[float, Mapping[str, object]]) -> None:
        details = event[1]
        worker, label, phase, size = (details.get(name) for name in ("worker", "label", "phase", "bytes"))
        if isinstance(worker, str) and isinstance(label, str) and isinstance(phase, str) and isinstance(size, int):
            self._watch(worker, {"label": label, "phase": phase, "bytes": size})


def _silence_logging() -> None:
    """Silence Dask and its dependencies: errors of the cluster are reported in one line of our own."""
    for name in (*_LOGGERS, *logging.Logger.manager.loggerDict):
        if name.partition(".")[0] in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _client(address: str, seconds: float) -> Client:
    if address.startswith("tls://") and Security().get_connection_args("client")["ssl_context"] is None:
        raise ValueError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other versions of Dask: it works, or says why not
        return Client(address, timeout=seconds, set_as_default=False)


def _call_within(seconds: float, call: Callable[[], _T]) -> _T | None:
    """Return the result of a call; None where it raises or takes longer, as with a frozen peer."""
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # the client says in many ways that its scheduler is gone
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except Exception:  # as above
        return None


def _try(call: Callable[[], object]) -> object:
    """Return the result of a call, or the error that it raises."""
    try:
        return call()
    except Exception as error:  # whatever another machine makes of it
        return error


def _version_problem(answer: object) -> str | None:
    """Describe what is wrong with a machine by its answer to `detector`; None if nothing is known to be.

    A broken connection proves nothing: the machine may just have been removed.
    """
    if answer is None or isinstance(answer, (OSError, TimeoutError, CancelledError)):
        return None
    if isinstance(answer, (ImportError, AttributeError)) or "ModuleNotFoundError" in str(answer):
        return "has no binance-leaks, or another version"
    if isinstance(answer, BaseException):
        return f"cannot be used: {type(answer).__name__}"
    return None if answer == detector() else "has another version of binance-leaks than this machine"
