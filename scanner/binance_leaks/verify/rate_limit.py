"""Rate limits of each host, pauses, stops, and the clock.

Limits hold per address, which the user's own programs share: only a part of each is used, in any minute, wherever the
host's own minutes begin.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from binance_leaks.environments import Probe
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.verification import Cause
from binance_leaks.verify.responses import Outcome, inconclusive

_MINUTE = 60.0
_LONGEST_SLEEP = 0.25
_NEARLY_USED_UP = 0.8
_EDGE = 0.001
"""Seconds beyond a minute that count as beyond it."""


class Clock(Protocol):
    """Time of day and monotonic time, in seconds, and sleep."""

    def now(self) -> float:
        """Return seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds since 1970, by the clock of this machine."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Upper limits of a run."""

    credentials: int = 100
    """Credentials that are checked."""
    workers: int = 4
    """Credentials that are checked at the same time."""
    requests: int = 24
    """Requests for one credential."""
    candidates: int = 3
    """Secrets that are tried with one key."""
    share: float = 0.5
    """The part of a host's own limit that is used."""
    longest_wait: float = 75.0
    """The longest `Retry-After`, in seconds, that is waited for."""
    seconds: float = 600.0
    """The duration of the whole run."""
    failures: int = 3
    """Failures in a row after which a host counts as out of reach."""
    lone_keys: bool = True
    """Whether a key without a secret is checked: Binance then receives only the key, and a signature that is wrong."""
    swapped: bool = True
    """Whether a pair with an unknown key is tried the other way round: the secret is then sent as the key."""


@dataclass(kw_only=True, slots=True)
class _Turn:
    """Permission for one request, which counts against the limit of its host."""

    weight: int
    ends: float = math.inf
    """When it counts no longer: a minute after the reply, as the host received it some time before."""


class Throttle:
    """Shared state of all attempts: when each host may be used next, and if at all.

    Used by several threads. Times are the clock's monotonic seconds.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._next: dict[str, float] = {}
        self._turns: dict[str, list[_Turn]] = {}
        self._paused: dict[str, float] = {}
        self._stopped: dict[str, Outcome] = {}
        self._all_stopped: Outcome | None = None
        self._failures: dict[str, int] = {}
        self._offsets: dict[str, int] = {}

    def begin(self) -> None:
        """Start the time limit of the run, at the first call."""
        if self._deadline is None:
            self._deadline = self._clock.monotonic() + self._limits.seconds

    @contextmanager
    def turn(self, probe: Probe, weight: int) -> Iterator[Outcome | None]:
        """Wait for the turn of a request of this weight, which is made in the context.

        Yields why it is forbidden, None if it may be sent.
        """
        entered = self._enter(probe, weight)
        if isinstance(entered, Outcome):
            yield entered
            return
        try:
            yield None
        finally:
            with self._lock:
                entered.ends = self._clock.monotonic() + _MINUTE

    def _enter(self, probe: Probe, weight: int) -> _Turn | Outcome:
        start = self._reserve_start(probe, weight)
        while True:
            with self._lock:
                forbidden = self._all_stopped or self._stopped.get(probe.host)
                if forbidden is not None:
                    return forbidden
                now = self._clock.monotonic()
                moment = max(start, self._paused.get(probe.host, start), self._first_room(probe, weight, now))
                if moment <= now and not self._is_after_deadline(moment):
                    turn = _Turn(weight=weight)
                    self._turns[probe.host].append(turn)
                    return turn
            if self._is_after_deadline(moment):
                return inconclusive(Cause.BUDGET, "the time limit of this run was reached")
            self._clock.sleep(min(moment - now, _LONGEST_SLEEP))

    def _reserve_start(self, probe: Probe, weight: int) -> float:
        """Return the earliest moment of a request, so that requests are evenly spaced."""
        with self._lock:
            start = max(self._clock.monotonic(), self._next.get(probe.host, 0.0))
            self._next[probe.host] = start + weight * _MINUTE / self._allowed(probe)
            return start

    def _first_room(self, probe: Probe, weight: int, now: float) -> float:
        """Return the moment from which this weight and all that still counts are allowed together.

        Only an estimate while requests are under way. A single request is always allowed.
        """
        turns = self._turns[probe.host] = [turn for turn in self._turns.get(probe.host, ()) if turn.ends + _EDGE > now]
        excess = sum(turn.weight for turn in turns) + weight - self._allowed(probe)
        moment = now
        for turn in sorted(turns, key=lambda turn: turn.ends):
            if excess <= 0:
                break
            excess -= turn.weight
            moment = turn.ends + _EDGE
        return moment if moment < math.inf else now + _LONGEST_SLEEP

    def _allowed(self, probe: Probe) -> float:
        return probe.limit * self._limits.share

    def _is_after_deadline(self, moment: float) -> bool:
        return self._deadline is not None and moment > self._deadline

    def pause(self, host: str, seconds: float) -> bool:
        """Send nothing to a host for a while.

        Returns False if that is longer than a run may wait.
        """
        until = self._clock.monotonic() + seconds
        if seconds > self._limits.longest_wait or self._is_after_deadline(until):
            return False
        with self._lock:
            self._paused[host] = max(until, self._paused.get(host, until))
        return True

    def spent(self, probe: Probe, used: int | None) -> None:
        """Pause if this address has nearly reached its limit of this minute.

        The rest of the limit is for other programs.
        """
        if used is not None and used > _NEARLY_USED_UP * probe.limit:
            self.pause(probe.host, _MINUTE - self._clock.now() % _MINUTE)

    def succeeded(self, host: str) -> None:
        """Record that a host answered."""
        with self._lock:
            self._failures[host] = 0

    def failed(self, host: str, outcome: Outcome) -> None:
        """Record that a host did not answer as expected.

        After a few times in a row, stop using it.
        """
        with self._lock:
            self._failures[host] = self._failures.get(host, 0) + 1
            if self._failures[host] >= self._limits.failures:
                self._stopped.setdefault(host, _stopped_by(outcome))

    def stop_host(self, host: str, outcome: Outcome) -> None:
        """Send nothing more to this host."""
        with self._lock:
            self._stopped.setdefault(host, _stopped_by(outcome))

    def stop(self, outcome: Outcome | None = None) -> None:
        """Send nothing more at all."""
        with self._lock:
            stopped = _stopped_by(outcome) if outcome else inconclusive(Cause.STOPPED, "interrupted")
            self._all_stopped = self._all_stopped or stopped

    def offset(self, host: str) -> int:
        """Return the milliseconds by which the host's clock is ahead of ours, 0 if not known."""
        with self._lock:
            return self._offsets.get(host, 0)

    def set_offset(self, host: str, milliseconds: int) -> None:
        """Record by how much the host's clock is ahead."""
        with self._lock:
            self._offsets[host] = milliseconds


def _stopped_by(outcome: Outcome) -> Outcome:
    return inconclusive(Cause.STOPPED, f"{outcome.cause.value if outcome.cause else ''}: {outcome.detail}".strip(": "))
