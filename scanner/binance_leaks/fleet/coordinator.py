"""Coordinate a run: submit units to a pool, record the replies, retry what failed.

A unit that fails is retried a limited number of times, on another worker if there is one, then recorded with its
reason; the others go on. Only this process writes to the store.
"""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Protocol

from binance_leaks.errors import ReplyError
from binance_leaks.fleet.models import Checkpoint, Repository, ScanFailure, ScanResult, Unit
from binance_leaks.fleet.store import Store
from binance_leaks.fleet.worker_protocol import (
    Reply,
    RepositoryOutcome,
    RepositoryTask,
    Task,
    failed_outcome,
    parse_outcomes,
    parse_worker,
)
from binance_leaks.lazy_dataclasses import dataclass, field, replace

_TICK = 0.5
_NOT_UNDERSTOOD = "its worker sent an invalid reply"
_SAME = "Use the same version of binance-leaks on all machines."


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Settings of a run.

    `settings_digest` is the digest of the detector and the settings, `config` the text of the user's configuration.
    With `again` everything is read, whatever is known. `retries` counts attempts after the first. `time_limit` is in
    seconds for a repository, `clone_limit` in bytes. `inner_jobs` processes share one repository.
    """

    settings_digest: str
    config: str | None = None
    exclude: tuple[str, ...] = ()
    reachable: bool = False
    keep: bool = True
    again: bool = False
    retries: int = 2
    time_limit: float = 3600.0
    clone_limit: int = 20 << 30
    inner_jobs: int = 1


class Pool(Protocol):
    """Workers that scan units."""

    def slots(self) -> int:
        """The number of units to submit at a time. Raises ScanError where there has been no worker for too long."""
        ...

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:
        """Submit a unit, to other workers than those to avoid if there are any."""
        ...

    def failure_reason(self, error: BaseException) -> str | None:
        """Why a unit has no reply, if its worker is the cause; None if the whole pool is gone."""
        ...

    def reconnect(self) -> None:
        """Make a lost pool usable again, without what was submitted. Raises ScanError where it stays lost."""
        ...

    def workers(self) -> Mapping[str, int]:
        """The number of units at each worker, as far as known."""
        ...

    def close(self) -> None:
        """Stop what is running."""
        ...


class RunListener(Protocol):
    """Is notified of the progress of a run."""

    def recorded(self, repository: Repository, outcome: ScanResult | ScanFailure) -> None:
        """A repository was scanned, or has failed."""
        ...

    def tick(self, pool: Pool) -> None:
        """Called at least twice a second."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Attempt:
    """A submitted unit: which attempt it is, and the workers on which it failed.

    `with_state` sends the states of earlier scans along; it is set when a worker asks, since most repositories have not
    changed. `known` are the fingerprints that were sent.
    """

    unit: Unit
    number: int = 1
    with_state: bool = False
    avoid: frozenset[str] = frozenset()
    known: Mapping[str, str] = field(default_factory=dict)


class Coordinator:
    """Coordinates one run."""

    def __init__(self, pool: Pool, store: Store, run: int, settings: Settings, watcher: RunListener) -> None:
        self._pool = pool
        self._store = store
        self._run = run
        self._settings = settings
        self._watcher = watcher
        self._waiting: deque[_Attempt] = deque()
        self._running: dict[Future[Reply], _Attempt] = {}

    def scan(self, units: Sequence[Unit]) -> None:
        """Scan all units in their order. Raises ScanError where the pool is lost for good."""
        self._waiting.extend(_Attempt(unit=unit) for unit in units)
        while self._waiting or self._running:
            self._submit_waiting()
            if not self._running:  # no worker just now
                time.sleep(_TICK)
            ended, _ = wait(self._running, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in sorted(ended, key=lambda one: _error(one) is not None):
                if future in self._running:  # else the pool was renewed just now, and its unit waits again
                    self._handle_done(self._running.pop(future), future)
            self._watcher.tick(self._pool)

    def _submit_waiting(self) -> None:
        slots = self._pool.slots()
        while self._waiting and len(self._running) < slots:
            attempt = self._waiting.popleft()
            task = self._task(attempt)
            known = {each["key"]: each["fingerprint"] for each in task["repositories"]}
            self._running[self._pool.submit(task, avoid=attempt.avoid)] = replace(attempt, known=known)

    def _handle_done(self, attempt: _Attempt, future: Future[Reply]) -> None:
        error = _error(future)
        if error is None:
            self._record_reply(attempt, future.result())
            return
        reason = self._pool.failure_reason(error)
        if reason is not None:
            self._record_lost_unit(attempt, reason)
            return
        self._waiting.extendleft([attempt, *self._running.values()])
        self._running.clear()
        self._pool.reconnect()

    def _record_reply(self, attempt: _Attempt, reply: Reply) -> None:
        """Record the reply for a unit. Replies are not trusted: outcomes of other repositories are ignored."""
        done, worker = parse_outcomes(reply, attempt.known.keys()), parse_worker(reply)
        if not attempt.with_state and any(one["wants_state"] for one in done.values()):
            self._waiting.appendleft(replace(attempt, with_state=True))
            return
        again = [
            each
            for each in attempt.unit.repositories
            if not self._record_outcome(attempt, each, done.get(each.key), worker)
        ]
        if again:
            self._retry(attempt, tuple(again), worker)

    def _record_outcome(
        self, attempt: _Attempt, repository: Repository, done: RepositoryOutcome | None, worker: str
    ) -> bool:
        """Record the outcome for a repository; whether nothing is left to do for it."""
        done = done or failed_outcome(repository.key, "its worker sent no result for it", again=True)
        if not done["reason"] and (done["wants_state"] or _is_unfounded(done, attempt)):
            done = _not_understood(done)
        if not done["reason"]:
            try:
                self._record(attempt, repository, done, worker)
            except ReplyError:
                done = _not_understood(done)
            else:
                return True
        failed = ScanFailure(
            key=repository.key,
            reason=done["reason"],
            hint=done["hint"],
            seconds=done["seconds"],
            worker=worker,
            attempts=attempt.number,
        )
        return self._record_failure(repository, failed, again=done["again"])

    def _record(self, attempt: _Attempt, repository: Repository, done: RepositoryOutcome, worker: str) -> None:
        kept = Checkpoint(fingerprint=done["fingerprint"], state=b64decode(done["state"]) if done["state"] else None)
        scanned = ScanResult(
            key=repository.key,
            report=done["report"],
            remembered=kept if self._settings.keep else None,
            seconds=done["seconds"],
            worker=worker,
            attempts=attempt.number,
        )
        self._store.record(self._run, scanned)
        self._watcher.recorded(repository, scanned)

    def _record_failure(self, repository: Repository, failed: ScanFailure, *, again: bool) -> bool:
        last = not again or failed.attempts > self._settings.retries
        self._store.record_failure(self._run, failed, last=last)
        if last:
            self._watcher.recorded(repository, failed)
        return last

    def _record_lost_unit(self, attempt: _Attempt, reason: str) -> None:
        """Record a unit without a reply, and retry all of it."""
        again = [
            repository
            for repository in attempt.unit.repositories
            if not self._record_failure(
                repository, ScanFailure(key=repository.key, reason=reason, attempts=attempt.number), again=True
            )
        ]
        if again:
            self._retry(attempt, tuple(again), "")

    def _retry(self, attempt: _Attempt, repositories: tuple[Repository, ...], worker: str) -> None:
        avoid = attempt.avoid | {worker} if worker else attempt.avoid
        unit = Unit(repositories=repositories)
        self._waiting.append(replace(attempt, unit=unit, number=attempt.number + 1, avoid=avoid))

    def _task(self, attempt: _Attempt) -> Task:
        settings = self._settings
        return {
            "settings_digest": settings.settings_digest,
            "config": settings.config,
            "exclude": list(settings.exclude),
            "reachable": settings.reachable,
            "keep": settings.keep,
            "jobs": settings.inner_jobs,
            "time_limit": settings.time_limit,
            "clone_limit": settings.clone_limit,
            "repositories": [self._repository(repository, attempt) for repository in attempt.unit.repositories],
        }

    def _repository(self, repository: Repository, attempt: _Attempt) -> RepositoryTask:
        fingerprint = "" if self._settings.again else self._store.fingerprint(repository.key)
        wanted = bool(fingerprint) and not self._settings.reachable
        sent = attempt.with_state or len(attempt.unit.repositories) > 1  # members of a unit use each other's
        state = self._store.state(repository.key) if wanted and sent else None
        return {
            "key": repository.key,
            "label": repository.label,
            "address": repository.address,
            "covered_stores": list(repository.covered_stores),
            "fingerprint": fingerprint,
            "has_state": wanted and not sent,
            "state": b64encode(state).decode("ascii") if state else "",
        }


def _is_unfounded(done: RepositoryOutcome, attempt: _Attempt) -> bool:
    """Whether it claims that nothing has changed, with another fingerprint than the known one."""
    return done["report"] is None and not (done["fingerprint"] and done["fingerprint"] == attempt.known[done["key"]])


def _not_understood(done: RepositoryOutcome) -> RepositoryOutcome:
    return failed_outcome(done["key"], _NOT_UNDERSTOOD, _SAME, again=True, seconds=done["seconds"])


def _error(future: Future[Reply]) -> BaseException | None:
    """The error of a future that has no reply."""
    return CancelledError() if future.cancelled() else future.exception()
