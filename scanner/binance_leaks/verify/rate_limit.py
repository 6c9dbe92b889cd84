"""Rate limits of each host, pauses, stops, and the clock.

Limits hold per address, which the user's own programs share: only a part of each is used.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

from binance_leaks.environments import Probe
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.verification import Cause
from binance_leaks.verify.responses import Outcome, inconclusive

_MINUTE = 60.0
_LONGEST_SLEEP = 0.25
_NEARLY_USED_UP = 0.8


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
    requests: int = 12
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
        self._paused: dict[str, float] = {}
        self._stopped: dict[str, Outcome] = {}
        self._all_stopped: Outcome | None = None
        self._failures: dict[str, int] = {}
        self._offsets: dict[str, int] = {}

    def begin(self) -> None:
        """Start the time limit of the run, at the first call."""
        if self._deadline is None:
            self._deadline = self._clock.monotonic() + self._limits.seconds

    def enter(self, probe: Probe, weight: int) -> Outcome | None:
        """Wait for the turn of a request of this weight.

        Returns why it is forbidden, None if it may be sent.
        """
        start = self._reserve_turn(probe, weight)
        while True:
            with self._lock:
                forbidden = self._all_stopped or self._stopped.get(probe.host)
                turn = max(start, self._paused.get(probe.host, start))
            if forbidden is not None:
                return forbidden
            wait = turn - self._clock.monotonic()
            if self._is_after_deadline(turn):
                return inconclusive(Cause.BUDGET, "the time limit of this run was reached")
            if wait <= 0:
                return None
            self._clock.sleep(min(wait, _LONGEST_SLEEP))

    def _reserve_turn(self, probe: Probe, weight: int) -> float:
        with self._lock:
            start = max(self._clock.monotonic(), self._next.get(probe.host, 0.0))
            self._next[probe.host] = start + weight * _MINUTE / (probe.limit * self._limits.share)
            return start

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
