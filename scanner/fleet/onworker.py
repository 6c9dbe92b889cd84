"""What a worker of a Dask cluster does for a fleet: the functions that the cluster finds by name on every machine."""

from __future__ import annotations

from functools import lru_cache

from distributed import Status, Worker, get_worker

from scanner.fleet.runners import Runners
from scanner.fleet.wire import Reply, Step, Task, failure
from scanner.fleet.work import settings_digest

TOPIC = "binance-leaks"
_ENDING = frozenset({Status.closing, Status.closed, Status.failed})


class _UnwantedError(Exception):
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
            raise _UnwantedError
        worker.log_event(TOPIC, {**step, "worker": worker.address})

    try:
        done = _runners().work(task, tell)["done"]
    except _UnwantedError:
        done = []
    except Exception as error:  # as above
        reason = f"its worker had a fault: {type(error).__name__}"
        done = [failure(each["key"], reason, again=True) for each in task["repositories"]]
    return {"worker": worker.address, "done": done}


def _is_wanted(worker: Worker, unit: str) -> bool:
    """Whether somebody waits for a unit, and the worker stays: one that closes waits for its threads."""
    state = worker.state.tasks.get(unit)
    return state is not None and state.state != "cancelled" and worker.status not in _ENDING


@lru_cache(maxsize=1)
def _runners() -> Runners:
    """Those of this process: they stay from one unit to the next, and end with it."""
    return Runners()
