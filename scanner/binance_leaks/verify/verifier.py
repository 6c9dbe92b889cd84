"""Verify credentials: plan, make each attempt once, a few at a time, and describe the outcomes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from binance_leaks.environments import Probe
from binance_leaks.model import Credential, Role, Value
from binance_leaks.verification import Cause, Verdict, Verification
from binance_leaks.verify.cache import Cache, DatedOutcome, NoCache
from binance_leaks.verify.http_types import Transport
from binance_leaks.verify.notes import note_of
from binance_leaks.verify.plan import Check, Plan, plan_of
from binance_leaks.verify.rate_limit import Clock, Limits, SystemClock, Throttle
from binance_leaks.verify.request import Attempt, Prober, RequestBudget

Progress = Callable[[int, int], None]
"""Receives the number of credentials that are done, and of all. Called in the thread that called `verify`."""

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
_NOT_SENT = (Cause.STOPPED, Cause.BUDGET, Cause.LIBRARY, Cause.UNUSABLE)
_ELSEWHERE = (Cause.ADDRESS, Cause.LOCATION)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What one question came to, with the attempt."""

    attempt: Attempt
    dated: DatedOutcome
    swapped: bool = False

    @property
    def weight(self) -> int:
        return _WEIGHT[self.dated.outcome.verdict]

    @property
    def verdict(self) -> Verdict:
        return self.dated.outcome.verdict


class Verifier:
    """Checks credentials with Binance over a transport.

    It serves one run: limits and stops hold for all of it, and each attempt (a key with a secret on a host) is made
    once, however many credentials need it. What a `cache` knows is not sent; the caller saves the cache. Every request
    is a signed GET; `announcement` describes it.
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
        self._throttle = Throttle(self._clock, self._limits)
        self._prober = Prober(transport=transport, clock=self._clock, throttle=self._throttle, limits=self._limits)
        self._asked: dict[str, Future[DatedOutcome]] = {}
        self._lock = threading.Lock()

    def plan(self, credentials: Iterable[Credential]) -> Plan:
        """Return what `verify` would do, without sending anything."""
        return plan_of(credentials, self._limits)

    def announcement(self, credentials: Iterable[Credential]) -> str:
        """Describe what `verify` would send where."""
        return self.plan(credentials).announcement(self._transport.route, self._limits)

    def verify(self, credentials: Iterable[Credential], progress: Progress | None = None) -> dict[str, Verification]:
        """Return the verification of each credential, by its id.

        Never raises for what Binance or the network does. KeyboardInterrupt stops all sending and is raised again.
        """
        given = list(credentials)
        plan = self.plan(given)
        found: dict[str, Verification] = {}
        self._throttle.begin()
        with ThreadPoolExecutor(max_workers=self._limits.workers, thread_name_prefix="verify") as executor:
            pending = {executor.submit(self._verified, check): check for check in plan.checks}
            try:
                for done, future in enumerate(as_completed(pending), start=1):
                    found[pending[future].id] = future.result()
                    if progress is not None:
                        progress(done, len(plan.checks))
            except BaseException:
                self._throttle.stop()
                executor.shutdown(wait=False, cancel_futures=True)
                raise
        return _share_with_lone_secrets(given, {**plan.not_checked, **found})

    def _verified(self, check: Check) -> Verification:
        """Check one credential, on one host after the other as long as it is unknown there.

        Where a test system does not answer, the answers of the others count unchanged.
        """
        budget = RequestBudget(self._limits.requests)
        findings = [self._on_first_host(check, budget)]
        for probe in check.probes[1:]:
            outcome = findings[-1].dated.outcome
            if outcome.verdict not in _UNKNOWN and outcome.cause not in _ELSEWHERE:
                break
            finding = self._on_host(check, probe, budget)
            if probe.tells_permissions or finding.verdict is not Verdict.INCONCLUSIVE:
                findings.append(finding)
        best = max(findings, key=lambda finding: finding.weight)
        unknown_on = [finding.attempt.probe.host for finding in findings if finding.verdict is Verdict.NOT_FOUND]
        return _verification(best, unknown_on)

    def _on_first_host(self, check: Check, budget: RequestBudget) -> _Answer:
        """Check on the first host; if the key is unknown there, try key and secret the other way round too."""
        best = self._on_host(check, check.probes[0], budget)
        if best.verdict in _UNKNOWN and self._limits.swapped and check.swappable:
            swapped = Attempt(
                key=check.secrets[0].in_role(Role.API_KEY),
                secret=check.key.in_role(Role.SECRET_KEY),
                probe=check.probes[0],
            )
            other = self._answer(swapped, budget, retry_not_found=False)
            if other.verdict in _ANSWERED:
                return replace(other, swapped=True)
        return best

    def _on_host(self, check: Check, probe: Probe, budget: RequestBudget) -> _Answer:
        """Return the best answer of one host. Another secret is tried only if the first is wrong."""
        first: Value | None = check.secrets[0] if check.secrets else None
        best = self._answer(Attempt(key=check.key, secret=first, probe=probe), budget)
        for secret in check.secrets[1:]:
            if best.verdict is not Verdict.KEY_LIVE_SECRET_WRONG:
                break
            finding = self._answer(Attempt(key=check.key, secret=secret, probe=probe), budget)
            best = max(best, finding, key=lambda each: each.weight)
        return best

    def _answer(self, attempt: Attempt, budget: RequestBudget, *, retry_not_found: bool = True) -> _Answer:
        """Return the answer to an attempt, which the first thread that needs it makes."""
        digest = attempt.digest(self._transport.route)
        with self._lock:
            known = self._asked.get(digest)
            future = known or self._asked.setdefault(digest, Future())
        if known is None:
            try:
                future.set_result(self._cached_or_sent(digest, attempt, budget, retry_not_found))
            except BaseException as error:
                future.set_exception(error)
                raise
        return _Answer(attempt=attempt, dated=future.result())

    def _cached_or_sent(
        self, digest: str, attempt: Attempt, budget: RequestBudget, retry_not_found: bool
    ) -> DatedOutcome:
        cached = self._cache.get(digest, self._clock.now())
        if cached is not None:
            return cached
        dated = DatedOutcome(
            outcome=self._prober.run(attempt, budget, retry_not_found=retry_not_found), at=self._clock.now()
        )
        self._cache.put(digest, dated)
        return dated


def _verification(finding: _Answer, unknown_on: list[str]) -> Verification:
    attempt, outcome = finding.attempt, finding.dated.outcome
    secret: Value | None = attempt.secret
    sent = outcome.cause not in _NOT_SENT
    moment = datetime.fromtimestamp(finding.dated.at, timezone.utc).isoformat(timespec="seconds")
    return Verification(
        verdict=outcome.verdict,
        cause=outcome.cause,
        permissions=outcome.permissions,
        environment=attempt.probe.environment if outcome.verdict in _ANSWERED else None,
        host=attempt.probe.host if sent else None,
        checked_at=moment if sent else None,
        note=note_of(
            outcome,
            attempt.probe.host,
            lone=secret is None,
            swapped=finding.swapped,
            unknown_on=unknown_on,
        ),
        key=attempt.key.sha256,
        secret=secret.sha256 if secret is not None and outcome.lives else None,
        swapped=finding.swapped,
    )


def _share_with_lone_secrets(
    credentials: Iterable[Credential], found: Mapping[str, Verification]
) -> dict[str, Verification]:
    """Put the verifications in order; a lone secret that signs for a key gets the verdict of that key."""
    live = {each.secret: each for each in found.values() if each.secret is not None}
    result = {credential.id: found[credential.id] for credential in credentials}
    for credential in credentials:
        held = next((live[value.sha256] for value in credential.values if value.sha256 in live), None)
        if held is not None and result[credential.id].cause is Cause.INCOMPLETE:
            result[credential.id] = replace(held, note=f"{held.note} It signs for a key that was found near it.")
    return result
