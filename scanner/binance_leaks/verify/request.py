"""Make one attempt: sign, wait, send, and retry once where the reply allows it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlencode

from binance_leaks.environments import Probe
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.masking import Secret
from binance_leaks.model import Value
from binance_leaks.verification import Cause, Verdict
from binance_leaks.verify.http_types import NoReply, Reply, Request, Transport
from binance_leaks.verify.rate_limit import Clock, Limits, Throttle
from binance_leaks.verify.responses import Outcome, inconclusive, outcome_of, server_time
from binance_leaks.verify.signing import Sign, Unusable, signer_of, wrong_signer

RECV_WINDOW = 5000
"""Milliseconds for which a signed request is valid: Binance's default, and the most that it recommends."""

_DEFAULT_PAUSE = 60.0
_TIME_WEIGHT = 1
_UNSURE_OF_HOST = frozenset({Cause.NETWORK, Cause.SERVER, Cause.BUSY, Cause.REDIRECT, Cause.ANSWER})


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One key with one secret, or without one, on one host."""

    key: Value
    secret: Value | None
    probe: Probe

    def digest(self, route: Callable[[str], str]) -> str:
        """Return its identity in a cache: a digest of the values and of the real target."""
        digest = sha256(b"binance-leaks question/1")
        where = f"{route(self.probe.host)}{self.probe.path}".encode()
        for part in (_bytes_of(self.key), _bytes_of(self.secret), where):
            digest.update(sha256(part).digest())
        return digest.hexdigest()


class RequestBudget:
    """The requests that are left for one credential. Used by one thread."""

    def __init__(self, requests: int) -> None:
        self._left = requests

    def take(self) -> bool:
        """Use one up. Returns whether there was one left."""
        self._left -= 1
        return self._left >= 0


class Prober:
    """A sender of attempts over a transport, within the limits of a run.

    Used by several threads.
    """

    def __init__(self, *, transport: Transport, clock: Clock, throttle: Throttle, limits: Limits) -> None:
        self._transport = transport
        self._clock = clock
        self._throttle = throttle
        self._limits = limits

    def run(self, attempt: Attempt, budget: RequestBudget, *, retry_not_found: bool = True) -> Outcome:
        """Make an attempt and return its outcome.

        Retries once after correcting the clock, once after a rate limit and, with `retry_not_found`, once for an
        unknown key, since users report that this answer changes.
        """
        sign = wrong_signer() if attempt.secret is None else signer_of(attempt.secret)
        if isinstance(sign, Unusable):
            return Outcome(verdict=Verdict.NOT_VERIFIABLE, cause=sign.cause, detail=sign.why)
        repeated: set[Cause | Verdict] = set()
        while True:
            offset = self._throttle.offset(attempt.probe.host)
            reply, outcome = self._send_once(attempt, sign, offset, budget)
            why = outcome.cause or outcome.verdict
            if outcome.verdict is Verdict.NOT_FOUND:
                again = retry_not_found and why not in repeated
            else:
                again = why not in repeated and self._may_repeat(attempt.probe, reply, outcome, offset, budget)
            if not again:
                if reply is not None:
                    self._report_to_throttle(attempt.probe, outcome)
                return outcome
            repeated.add(why)

    def _send_once(
        self, attempt: Attempt, sign: Sign, offset: int, budget: RequestBudget
    ) -> tuple[Reply | NoReply | None, Outcome]:
        """Send a signed request. Returns its reply, None where it was not sent, and the outcome."""
        probe = attempt.probe
        with self._throttle.turn(probe, probe.weight) as forbidden:
            if forbidden is not None:
                return None, forbidden
            if not budget.take():
                return None, inconclusive(Cause.BUDGET, "all requests for this credential were used up")
            query = self._query(probe, sign, offset)
            reply = self._transport.send(
                Request(host=probe.host, path=probe.path, query=Secret(query), api_key=attempt.key.secret)
            )
        if isinstance(reply, Reply):
            self._throttle.spent(probe, reply.used_weight)
        return reply, outcome_of(reply, probe)

    def _query(self, probe: Probe, sign: Sign, offset: int) -> bytes:
        """Return the query with its signature, which must be last."""
        timestamp = str(int(self._clock.now() * 1000) + offset)
        payload = urlencode((*probe.parameters, ("recvWindow", str(RECV_WINDOW)), ("timestamp", timestamp)))
        return f"{payload}&signature={sign(payload.encode('ascii'))}".encode("ascii")

    def _may_repeat(
        self, probe: Probe, reply: Reply | NoReply | None, outcome: Outcome, offset: int, budget: RequestBudget
    ) -> bool:
        if outcome.cause is Cause.CLOCK:
            return self._correct_clock(probe, offset, budget)
        if outcome.cause is Cause.RATE:
            seconds = reply.retry_after if isinstance(reply, Reply) else None
            return self._throttle.pause(probe.host, float(seconds) if seconds is not None else _DEFAULT_PAUSE)
        return False

    def _correct_clock(self, probe: Probe, offset: int, budget: RequestBudget) -> bool:
        """Read the host's clock, unless another attempt did meanwhile. Returns whether the offset is known."""
        if self._throttle.offset(probe.host) != offset:
            return True
        with self._throttle.turn(probe, _TIME_WEIGHT) as forbidden:
            if forbidden is not None or not budget.take():
                return False
            before = self._clock.now()
            server = server_time(self._transport.send(Request(host=probe.host, path=probe.time_path)))
        if server is None:
            return False
        ours = (before + self._clock.now()) / 2 * 1000
        self._throttle.set_offset(probe.host, round(server - ours))
        return True

    def _report_to_throttle(self, probe: Probe, outcome: Outcome) -> None:
        """Record what the outcome of a request means for later attempts."""
        if outcome.cause in (Cause.FIREWALL, Cause.BANNED):
            self._throttle.stop(outcome)
        elif outcome.cause in (Cause.LOCATION, Cause.RATE):
            self._throttle.stop_host(probe.host, outcome)
        elif outcome.cause in _UNSURE_OF_HOST:
            self._throttle.failed(probe.host, outcome)
        else:
            self._throttle.succeeded(probe.host)


def _bytes_of(value: Value | None) -> bytes:
    return value.secret.reveal() if value is not None and value.secret is not None else b""
