"""How fast and how long Binance is asked: clocks, the rate of each host, pauses, and stops that later requests obey.

All limits are those of an address, which the user's own programs share: only a part of each is taken.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol

from binance_leaks.environments import Probe
from binance_leaks.verification import Cause
from binance_leaks.verify.responses import Outcome, inconclusive

_MINUTE = 60.0
_NAP = 0.25
_CROWDED = 0.8


class Clock(Protocol):
    """Time: of the day and for measuring, both in seconds, and waiting."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment, never going back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Seconds since 1970, as this machine believes."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much is asked at most.

    `credentials` with an API key are asked in one run, `workers` at a time, each with no more than `requests`, and its
    key with no more than `candidates` secrets. `share` is the part of a host's limit that is used, `longest_wait` how
    many seconds a `Retry-After` may ask for, `seconds` how long the whole may take. After `failures` in a row a host
    counts as out of reach. `lone_keys` says whether a key is asked about whose secret was not found: Binance then
    learns nothing but the key, and at most refuses a signature. `swapped` says whether a pair whose key is unknown is
    tried the other way round: what stood as the secret is then sent as the key.
    """

    credentials: int = 100
    workers: int = 4
    requests: int = 12
    candidates: int = 3
    share: float = 0.5
    longest_wait: float = 75.0
    seconds: float = 600.0
    failures: int = 3
    lone_keys: bool = True
    swapped: bool = True


class Traffic:
    """What all questions of a run share: when each host may be asked next, and whether it may be asked at all.

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
        """Start the time that the whole may take, at the first call."""
        if self._deadline is None:
            self._deadline = self._clock.monotonic() + self._limits.seconds

    def enter(self, probe: Probe, weight: int) -> Outcome | None:
        """Wait for the turn of a request of this weight; what forbids it instead, None if it may go."""
        start = self._reserved(probe, weight)
        while True:
            with self._lock:
                forbidden = self._all_stopped or self._stopped.get(probe.host)
                turn = max(start, self._paused.get(probe.host, start))
            if forbidden is not None:
                return forbidden
            wait = turn - self._clock.monotonic()
            if self._is_late(turn):
                return _out_of_time()
            if wait <= 0:
                return None
            self._clock.sleep(min(wait, _NAP))

    def _reserved(self, probe: Probe, weight: int) -> float:
        with self._lock:
            start = max(self._clock.monotonic(), self._next.get(probe.host, 0.0))
            self._next[probe.host] = start + weight * _MINUTE / (probe.limit * self._limits.share)
            return start

    def _is_late(self, moment: float) -> bool:
        return self._deadline is not None and moment > self._deadline

    def pause(self, host: str, seconds: float) -> bool:
        """Ask a host nothing for a while; False if that is longer than a run may wait."""
        until = self._clock.monotonic() + seconds
        if seconds > self._limits.longest_wait or self._is_late(until):
            return False
        with self._lock:
            self._paused[host] = max(until, self._paused.get(host, until))
        return True

    def spent(self, probe: Probe, used: int | None) -> None:
        """Take note of the weight that this address used in this minute, be it by others: leave them the rest."""
        if used is not None and used > _CROWDED * probe.limit:
            self.pause(probe.host, _MINUTE - self._clock.now() % _MINUTE)

    def succeeded(self, host: str) -> None:
        """A host answered."""
        with self._lock:
            self._failures[host] = 0

    def failed(self, host: str, outcome: Outcome) -> None:
        """A host did not answer, or not sensibly: after a few times in a row it is asked no more."""
        with self._lock:
            self._failures[host] = self._failures.get(host, 0) + 1
            if self._failures[host] >= self._limits.failures:
                self._stopped.setdefault(host, _stopped_by(outcome))

    def stop_host(self, host: str, outcome: Outcome) -> None:
        """Ask this host no more."""
        with self._lock:
            self._stopped.setdefault(host, _stopped_by(outcome))

    def stop(self, outcome: Outcome | None = None) -> None:
        """Ask nobody any more."""
        with self._lock:
            stopped = _stopped_by(outcome) if outcome else inconclusive(Cause.STOPPED, "interrupted")
            self._all_stopped = self._all_stopped or stopped

    def offset(self, host: str) -> int:
        """Milliseconds that the host's clock is ahead of ours, as far as it was asked."""
        with self._lock:
            return self._offsets.get(host, 0)

    def set_offset(self, host: str, milliseconds: int) -> None:
        """Remember how far the host's clock is ahead."""
        with self._lock:
            self._offsets[host] = milliseconds


def _out_of_time() -> Outcome:
    return inconclusive(Cause.BUDGET, "the time for all questions was used up")


def _stopped_by(outcome: Outcome) -> Outcome:
    return inconclusive(Cause.STOPPED, f"{outcome.cause.value if outcome.cause else ''}: {outcome.detail}".strip(": "))
