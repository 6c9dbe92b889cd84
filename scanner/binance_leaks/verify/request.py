"""Asks one question: signs, waits for its turn, sends, and repeats once where the answer calls for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from binance_leaks.environments import Probe
from binance_leaks.model import Secret, Value
from binance_leaks.verification import Cause, Verdict
from binance_leaks.verify.http_types import Reply, Request, Transport, Trouble
from binance_leaks.verify.rate_limit import Clock, Limits, Traffic
from binance_leaks.verify.responses import Outcome, inconclusive, outcome_of, server_time
from binance_leaks.verify.signing import Sign, Unusable, signer_of, wrong_signer

RECV_WINDOW = 5000
"""Milliseconds for which a signed request holds: Binance's default, and what it recommends at most."""

_PAUSE = 60.0
_TIME_WEIGHT = 1
_UNSURE_OF_HOST = frozenset({Cause.NETWORK, Cause.SERVER, Cause.REDIRECT, Cause.ANSWER})


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One key with one secret, or without any, on one host."""

    key: Value
    secret: Value | None
    probe: Probe

    def digest(self, route: Callable[[str], str]) -> str:
        """What names it in a cache: of the values themselves and of where it is asked in truth."""
        digest = sha256(b"binance-leaks question/1")
        where = f"{route(self.probe.host)}{self.probe.path}".encode()
        for part in (_bytes_of(self.key), _bytes_of(self.secret), where):
            digest.update(sha256(part).digest())
        return digest.hexdigest()


class Purse:
    """The requests that may still be spent on one credential. Used by one thread."""

    def __init__(self, requests: int) -> None:
        self._left = requests

    def take(self) -> bool:
        """Whether there was one left, which is now spent."""
        self._left -= 1
        return self._left >= 0


class Asker:
    """Asks questions over a transport, within the traffic rules of a run. Used by several threads."""

    def __init__(self, *, transport: Transport, clock: Clock, traffic: Traffic, limits: Limits) -> None:
        self._transport = transport
        self._clock = clock
        self._traffic = traffic
        self._limits = limits

    def ask(self, question: Question, purse: Purse, *, insist: bool = True) -> Outcome:
        """What Binance says.

        Once each, the clock is corrected, a limit is waited for and, to `insist`, an unknown key is asked about again,
        since such answers were seen to change.
        """
        sign = wrong_signer() if question.secret is None else signer_of(question.secret)
        if isinstance(sign, Unusable):
            return Outcome(verdict=Verdict.NOT_VERIFIABLE, cause=sign.cause, detail=sign.why)
        repeated: set[Cause | Verdict] = set()
        while True:
            offset = self._traffic.offset(question.probe.host)
            reply, outcome = self._once(question, sign, offset, purse)
            why = outcome.cause or outcome.verdict
            if outcome.verdict is Verdict.NOT_FOUND:
                again = insist and why not in repeated
            else:
                again = why not in repeated and self._may_repeat(question.probe, reply, outcome, offset, purse)
            if not again:
                self._note(question.probe, outcome)
                return outcome
            repeated.add(why)

    def _once(
        self, question: Question, sign: Sign, offset: int, purse: Purse
    ) -> tuple[Reply | Trouble | None, Outcome]:
        """A signed request and what came of it; no reply where it was not sent."""
        probe = question.probe
        forbidden = self._traffic.enter(probe, probe.weight)
        if forbidden is not None:
            return None, forbidden
        if not purse.take():
            return None, inconclusive(Cause.BUDGET, "enough requests were spent on this credential")
        query = self._query(probe, sign, offset)
        reply = self._transport.send(
            Request(host=probe.host, path=probe.path, query=Secret(query), api_key=question.key.secret)
        )
        if isinstance(reply, Reply):
            self._traffic.spent(probe, reply.used_weight)
        return reply, outcome_of(reply, probe)

    def _query(self, probe: Probe, sign: Sign, offset: int) -> bytes:
        """The query with its signature, which must be the last."""
        timestamp = str(int(self._clock.now() * 1000) + offset)
        payload = urlencode((*probe.parameters, ("recvWindow", str(RECV_WINDOW)), ("timestamp", timestamp)))
        return f"{payload}&signature={sign(payload.encode('ascii'))}".encode("ascii")

    def _may_repeat(
        self, probe: Probe, reply: Reply | Trouble | None, outcome: Outcome, offset: int, purse: Purse
    ) -> bool:
        if reply is None:
            return False
        if outcome.cause is Cause.CLOCK:
            return self._corrected(probe, offset, purse)
        if outcome.cause is Cause.RATE:
            asked_for = reply.retry_after if isinstance(reply, Reply) else None
            return self._traffic.pause(probe.host, float(asked_for) if asked_for is not None else _PAUSE)
        return False

    def _corrected(self, probe: Probe, offset: int, purse: Purse) -> bool:
        """Ask the host for its time, unless another question did meanwhile; False if it does not tell."""
        if self._traffic.offset(probe.host) != offset:
            return True
        if self._traffic.enter(probe, _TIME_WEIGHT) is not None or not purse.take():
            return False
        before = self._clock.now()
        told = server_time(self._transport.send(Request(host=probe.host, path=probe.time_path)))
        if told is None:
            return False
        ours = (before + self._clock.now()) / 2 * 1000
        self._traffic.set_offset(probe.host, round(told - ours))
        return True

    def _note(self, probe: Probe, outcome: Outcome) -> None:
        """Tell the traffic what an outcome means for later questions."""
        if outcome.cause in (Cause.FIREWALL, Cause.BANNED):
            self._traffic.stop(outcome)
        elif outcome.cause in (Cause.LOCATION, Cause.RATE):
            self._traffic.stop_host(probe.host, outcome)
        elif outcome.cause in _UNSURE_OF_HOST:
            self._traffic.failed(probe.host, outcome)
        elif outcome.cause not in (Cause.STOPPED, Cause.BUDGET):
            self._traffic.succeeded(probe.host)


def _bytes_of(value: Value | None) -> bytes:
    return value.secret.reveal() if value is not None and value.secret is not None else b""
