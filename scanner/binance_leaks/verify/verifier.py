"""Verifies credentials: plans, asks a few at a time, each question once, and puts the answers into words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from binance_leaks.environments import Probe
from binance_leaks.model import Credential, Role, Value
from binance_leaks.verification import Cause, Verdict, Verification
from binance_leaks.verify.cache import Cache, Dated, NoCache
from binance_leaks.verify.http_types import Transport
from binance_leaks.verify.notes import note_of
from binance_leaks.verify.plan import Job, Plan, plan_of
from binance_leaks.verify.rate_limit import Clock, Limits, SystemClock, Traffic
from binance_leaks.verify.request import Asker, Purse, Question

Progress = Callable[[int, int], None]
"""Told how many credentials of how many are done. Called from the thread that called `verify`."""

_WEIGHT = {
    Verdict.LIVE: 6,
    Verdict.LIVE_NO_PERMISSION: 5,
    Verdict.KEY_LIVE_SECRET_WRONG: 4,
    Verdict.NOT_VERIFIABLE: 3,
    Verdict.INCONCLUSIVE: 3,
    Verdict.NOT_FOUND: 2,
    Verdict.MALFORMED: 1,
    Verdict.NOT_ASKED: 0,
}
_ANSWERED = (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION, Verdict.KEY_LIVE_SECRET_WRONG)
_UNKNOWN = (Verdict.NOT_FOUND, Verdict.MALFORMED)
_UNSENT = (Cause.STOPPED, Cause.BUDGET, Cause.LIBRARY, Cause.UNUSABLE)
_ELSEWHERE = (Cause.ADDRESS, Cause.LOCATION)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Finding:
    """What one question came to, with the question."""

    question: Question
    dated: Dated
    swapped: bool = False

    @property
    def weight(self) -> int:
        return _WEIGHT[self.dated.outcome.verdict]

    @property
    def verdict(self) -> Verdict:
        return self.dated.outcome.verdict


class Verifier:
    """Asks Binance about credentials over a transport.

    Its life is one run: all limits hold for it, what stops it stops it for good, and each question, a key with a secret
    on a host, is asked once, however many credentials raise it. What a `cache` knows is not asked; the caller saves it.
    Every request is a signed GET; `announcement` tells what it holds.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        cache: Cache | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock or SystemClock()
        self._limits = limits or Limits()
        self._cache = cache or NoCache()
        self._traffic = Traffic(self._clock, self._limits)
        self._asker = Asker(transport=transport, clock=self._clock, traffic=self._traffic, limits=self._limits)
        self._asked: dict[str, Future[Dated]] = {}
        self._lock = threading.Lock()

    def plan(self, credentials: Iterable[Credential]) -> Plan:
        """What `verify` would ask, without asking anything."""
        return plan_of(credentials, self._limits)

    def announcement(self, credentials: Iterable[Credential]) -> str:
        """What `verify` would send where, in plain sentences."""
        return self.plan(credentials).announcement(self._transport.route, self._limits)

    def verify(self, credentials: Iterable[Credential], progress: Progress | None = None) -> dict[str, Verification]:
        """What is known of each credential, by its id.

        Never raises for what Binance or the network does. On KeyboardInterrupt nothing more is sent, and it goes on up.
        """
        given = list(credentials)
        plan = self.plan(given)
        found: dict[str, Verification] = {}
        self._traffic.begin()
        with ThreadPoolExecutor(max_workers=self._limits.workers, thread_name_prefix="verify") as executor:
            pending = {executor.submit(self._verified, job): job for job in plan.jobs}
            try:
                for done, future in enumerate(as_completed(pending), start=1):
                    found[pending[future].id] = future.result()
                    if progress is not None:
                        progress(done, len(plan.jobs))
            except BaseException:
                self._traffic.stop()
                executor.shutdown(wait=False, cancel_futures=True)
                raise
        return _with_lone_secrets(given, {**plan.unasked, **found})

    def _verified(self, job: Job) -> Verification:
        """One credential asked about, on one host after the other as long as it is unknown there.

        That a test system, asked on the off chance, does not answer takes nothing from what the others said.
        """
        purse = Purse(self._limits.requests)
        findings = [self._on_first_host(job, purse)]
        for probe in job.probes[1:]:
            outcome = findings[-1].dated.outcome
            if outcome.verdict not in _UNKNOWN and outcome.cause not in _ELSEWHERE:
                break
            finding = self._on_host(job, probe, purse)
            if probe.tells_permissions or finding.verdict is not Verdict.INCONCLUSIVE:
                findings.append(finding)
        best = max(findings, key=lambda finding: finding.weight)
        unknown_on = [finding.question.probe.host for finding in findings if finding.verdict is Verdict.NOT_FOUND]
        return _worded(best, unknown_on)

    def _on_first_host(self, job: Job, purse: Purse) -> _Finding:
        """As on any host; if the key is unknown there, key and secret are tried the other way round too."""
        best = self._on_host(job, job.probes[0], purse)
        if best.verdict in _UNKNOWN and self._limits.swapped and job.swappable:
            swapped = Question(
                key=job.secrets[0].in_role(Role.API_KEY),
                secret=job.key.in_role(Role.SECRET_KEY),
                probe=job.probes[0],
            )
            other = self._answer(swapped, purse, insist=False)
            if other.verdict in _ANSWERED:
                return replace(other, swapped=True)
        return best

    def _on_host(self, job: Job, probe: Probe, purse: Purse) -> _Finding:
        """The best of the candidates on one host: the next one only if Binance knows the key and not the secret."""
        first: Value | None = job.secrets[0] if job.secrets else None
        best = self._answer(Question(key=job.key, secret=first, probe=probe), purse)
        for secret in job.secrets[1:]:
            if best.verdict is not Verdict.KEY_LIVE_SECRET_WRONG:
                break
            finding = self._answer(Question(key=job.key, secret=secret, probe=probe), purse)
            best = max(best, finding, key=lambda each: each.weight)
        return best

    def _answer(self, question: Question, purse: Purse, *, insist: bool = True) -> _Finding:
        """The answer to a question, asked by whoever comes first."""
        digest = question.digest(self._transport.route)
        with self._lock:
            known = self._asked.get(digest)
            future = known or self._asked.setdefault(digest, Future())
        if known is None:
            try:
                future.set_result(self._looked_up(digest, question, purse, insist))
            except BaseException as error:
                future.set_exception(error)
                raise
        return _Finding(question=question, dated=future.result())

    def _looked_up(self, digest: str, question: Question, purse: Purse, insist: bool) -> Dated:
        cached = self._cache.get(digest, self._clock.now())
        if cached is not None:
            return cached
        dated = Dated(outcome=self._asker.ask(question, purse, insist=insist), at=self._clock.now())
        self._cache.put(digest, dated)
        return dated


def _worded(finding: _Finding, unknown_on: list[str]) -> Verification:
    question, outcome = finding.question, finding.dated.outcome
    secret: Value | None = question.secret
    sent = outcome.cause not in _UNSENT
    moment = datetime.fromtimestamp(finding.dated.at, timezone.utc).isoformat(timespec="seconds")
    return Verification(
        verdict=outcome.verdict,
        cause=outcome.cause,
        permissions=outcome.permissions,
        environment=question.probe.environment if outcome.verdict in _ANSWERED else None,
        host=question.probe.host if sent else None,
        checked_at=moment if sent else None,
        note=note_of(
            outcome,
            question.probe.host,
            lone=secret is None,
            swapped=finding.swapped,
            unknown_on=unknown_on,
        ),
        key=question.key.sha256,
        secret=secret.sha256 if secret is not None and outcome.lives else None,
        swapped=finding.swapped,
    )


def _with_lone_secrets(credentials: Iterable[Credential], found: Mapping[str, Verification]) -> dict[str, Verification]:
    """The same in the order of the credentials; a lone secret that turned out to sign for a key shares its verdict."""
    live = {each.secret: each for each in found.values() if each.secret is not None}
    result = {credential.id: found[credential.id] for credential in credentials}
    for credential in credentials:
        held = next((live[value.sha256] for value in credential.values if value.sha256 in live), None)
        if held is not None and result[credential.id].cause is Cause.INCOMPLETE:
            result[credential.id] = replace(held, note=f"{held.note} It signs for a key that was found near it.")
    return result
