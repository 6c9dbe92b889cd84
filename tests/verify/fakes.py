"""A clock that waits for nobody, and a transport that answers from a list."""

from __future__ import annotations

import threading
from collections.abc import Callable

from binance_leaks.verify.http_types import NoReply, Reply, Request


class FakeClock:
    """Starts at this machine's own time of day, so that a played exchange agrees; sleeping is instant, and counted."""

    def __init__(self, now: float) -> None:
        self._lock = threading.Lock()
        self._start = now
        self._passed = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        with self._lock:
            return self._start + self._passed

    def monotonic(self) -> float:
        with self._lock:
            return self._passed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._passed += seconds
            self.slept.append(seconds)


class FakeTransport:
    """Gives to every request what a function says, and keeps the requests with the moments at which they came."""

    def __init__(self, answer: Callable[[Request], Reply | NoReply], clock: FakeClock) -> None:
        self._answer = answer
        self._clock = clock
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self.moments: list[float] = []
        self.is_stopped = False

    def send(self, request: Request) -> Reply | NoReply:
        with self._lock:
            self.requests.append(request)
            self.moments.append(self._clock.monotonic())
            return self._answer(request)

    def route(self, host: str) -> str:
        return host

    def stop(self) -> None:
        self.is_stopped = True


class SlowTransport(FakeTransport):
    """One whose requests take some time to arrive, during which others are under way."""

    def __init__(
        self, answer: Callable[[Request], Reply | NoReply], clock: FakeClock, delay: Callable[[], float]
    ) -> None:
        super().__init__(answer, clock)
        self._delay = delay

    def send(self, request: Request) -> Reply | NoReply:
        self._clock.sleep(self._delay())
        return super().send(request)
