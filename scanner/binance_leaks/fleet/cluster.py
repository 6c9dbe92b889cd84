"""A Dask cluster as a pool of workers: its scheduler gives them the units, its client brings the replies.

The only module that knows Dask, which is an extra. Only tasks and replies go over the network, as
plain data.
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
from binance_leaks.fleet.worker_protocol import Reply, Step, Task, Watch, failed_outcome

TOPIC = "binance-leaks"
_ENDING = frozenset({Status.closing, Status.closed, Status.failed})


class _CancelledUnitError(Exception):
    """Nobody waits for the unit any more."""


def detector() -> str:
    """What the detector of this machine comes to."""
    return settings_digest(None, (), reachable=False)


def work(task: Task) -> Reply:
    """Has a unit scanned on this worker. Called by Dask, in one of the worker's threads.

    Never raises: the worker would write the task into its log, an address with its login too.
    """
    worker = get_worker()
    unit = str(worker.get_current_task())

    def tell(step: Step) -> None:
        if not _is_wanted(worker, unit):
            raise _CancelledUnitError
        worker.log_event(TOPIC, {**step, "worker": worker.address})

    try:
        done = _processes().work(task, tell)["done"]
    except _CancelledUnitError:
        done = []
    except Exception as error:  # as above
        reason = f"its worker had a fault: {type(error).__name__}"
        done = [failed_outcome(each["key"], reason, again=True) for each in task["repositories"]]
    return {"worker": worker.address, "done": done}


def _is_wanted(worker: Worker, unit: str) -> bool:
    """Whether somebody waits for a unit, and the worker stays: one that closes waits for its threads."""
    state = worker.state.tasks.get(unit)
    return state is not None and state.state != "cancelled" and worker.status not in _ENDING


@lru_cache(maxsize=1)
def _processes() -> ScanProcesses:
    """Those of this process: they stay from one unit to the next, and end with it."""
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
    """The workers of a running cluster. `patience` is for how many seconds it may have no scheduler or no worker.

    Raises UsageError and ScanError where there is no cluster that can be used.
    """

    def __init__(self, address: str, watch: Watch, *, patience: float = _PATIENCE) -> None:
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
        """Twice the threads of all workers that can be used, so that none waits for the next unit."""
        now = time.monotonic()
        if now - self._last_refresh > min(_LOOK, self._patience / 4):
            self._last_refresh = now
            self._refresh()
            if now - self._last_usable > self._patience:
                raise ScanError(f"no worker is left at {self._address}", hint=_RESUME)
            self._cancel_stranded()
        return _AHEAD * self._slots

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:
        """Has a unit scanned, on another worker than those to avoid where there is one.

        Only by workers that were asked: one without the package would log the task, and end.
        """
        chosen = frozenset(worker for worker in self._usable if worker not in avoid) or self._usable
        try:
            if not chosen:
                raise CancelledError
            executor = self._client.get_executor(pure=False, retries=0, workers=list(chosen), allow_other_workers=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a large task: what is remembered of a repository goes along
                future: Future[Reply] = executor.submit(work, task)
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
        """That workers died of a unit, or what it raised. All else means that the scheduler is gone."""
        if isinstance(error, KilledWorker):
            return f"the workers that scanned it died, the last one was {error.last_worker.address}"
        if isinstance(error, (CancelledError, OSError, TimeoutError)) or self._client.status != "running":
            return None
        self._refresh()  # what is wrong with a worker that joined meanwhile
        told = "".join(f"; worker {worker} {why}" for worker, why in sorted(self._unusable.items()))
        return f"it failed on its worker: {type(error).__name__}{told}"

    def reconnect(self) -> None:
        """Connects again. Raises ScanError where that does not last."""
        self._reconnects += 1
        self.close()
        if self._reconnects > _MOST_RENEWALS:
            raise ScanError(f"the connection to the scheduler at {self._address} does not last", hint=_RESUME)
        self._client = self._connected(self._patience)
        self._submitted, self._unusable, self._usable, self._slots = {}, {}, frozenset(), 0
        self._last_refresh, self._last_usable = 0.0, time.monotonic()

    def workers(self) -> Mapping[str, int]:
        """How many units are at each worker."""
        processing = _call_within(_ANSWER, self._client.processing)
        return {worker: len(keys) for worker, keys in processing.items()} if processing is not None else {}

    def close(self) -> None:
        """Gives up what is still at work, and leaves the cluster as it was."""
        client = self._client
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _call_within(_ANSWER, lambda: client.close(timeout=2))

    def _connected(self, seconds: float) -> Client:
        """Raises ScanError where there is no scheduler within that time, UsageError for what is no address."""
        until = time.monotonic() + seconds
        while (client := self._try(max(1.0, min(_CONNECTING, until - time.monotonic())))) is None:
            if time.monotonic() >= until:
                raise ScanError(f"no scheduler answers at {self._address}", hint=_START)
            time.sleep(0.5)
        client.subscribe_topic(TOPIC, self._on_event)
        return client

    def _try(self, seconds: float) -> Client | None:
        """A client, or None where nobody answers in time: not even that the connection was taken."""
        answer = _call_within(seconds + 1, lambda: _try(lambda: _client(self._address, seconds)))
        if isinstance(answer, (ValueError, TypeError, KeyError)):
            hint = "A tls:// scheduler needs distributed.comm.tls of Dask."
            raise UsageError(f"{self._address} cannot be spoken to", hint=hint)
        return answer if isinstance(answer, Client) else None

    def _check_versions(self) -> None:
        """Raises ScanError where scheduler or a worker lacks the package, or has another version of it."""
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
        """Sees who is there, and asks those that are new whether they can be used.

        Who does not answer is asked again the next time.
        """
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
        """Takes back what waits for workers that are all gone, where there are others."""
        for future, workers in self._submitted.items():
            if self._usable and self._usable.isdisjoint(workers):
                future.cancel()

    def _reset_reconnects(self, future: Future[Reply]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._reconnects = 0

    def _on_event(self, event: tuple[float, Mapping[str, object]]) -> None:
        told = event[1]
        worker, label, phase, size = (told.get(name) for name in ("worker", "label", "phase", "bytes"))
        if isinstance(worker, str) and isinstance(label, str) and isinstance(phase, str) and isinstance(size, int):
            self._watch(worker, {"label": label, "phase": phase, "bytes": size})


def _silence_logging() -> None:
    """What goes wrong with the cluster is told in our words: Dask and those it stands on would tell it at length."""
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
    """What a call gives; None where it takes longer, as where the other side is frozen, or raises."""
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
    """What a call gives, or the error that it raises."""
    try:
        return call()
    except Exception as error:  # whatever another machine makes of it
        return error


def _version_problem(answer: object) -> str | None:
    """What is wrong with a machine that gives this answer to the question for its detector; None if nothing is known.

    A connection that breaks off tells nothing: the machine may just have gone.
    """
    if answer is None or isinstance(answer, (OSError, TimeoutError, CancelledError)):
        return None
    if isinstance(answer, (ImportError, AttributeError)) or "ModuleNotFoundError" in str(answer):
        return "has no binance-leaks, or another version"
    if isinstance(answer, BaseException):
        return f"cannot be used: {type(answer).__name__}"
    return None if answer == detector() else "has another version of binance-leaks than this machine"
