"""Verify credentials: plan the checks, make each attempt once, describe outcomes.

The plan has the credentials to check, with secrets and hosts, and the reasons why others are not checked.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import datetime, timezone
from operator import itemgetter

from binance_leaks.environments import Probe, probes_for
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Credential, Environment, Occurrence, Role, Value
from binance_leaks.verification import Cause, Verdict, Verification
from binance_leaks.verify.cache import Cache, DatedOutcome, NoCache
from binance_leaks.verify.http_types import Transport
from binance_leaks.verify.rate_limit import Clock, Limits, SystemClock, Throttle
from binance_leaks.verify.request import Attempt, Prober, RequestBudget
from binance_leaks.verify.responses import not_checked, note_of
from binance_leaks.verify.signing import Unusable, signer_of

_KEY = re.compile(rb"[A-Za-z0-9]{16,128}")
_NEAR_LINES = 40
_FAR = 1_000_000
_MOST_PLACES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A credential to check: its key, the secrets to try, likeliest first, the probes.

    `swappable` is True if key and first secret could be each other: only names and order distinguish them.
    """

    id: str
    environment: Environment
    key: Value
    secrets: tuple[Value, ...]
    probes: tuple[Probe, ...]
    swappable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The plan of a run: `checks`, and the reasons for what is not checked, by credential id."""

    checks: tuple[Check, ...]
    not_checked: Mapping[str, Verification]

    def hosts(self) -> dict[str, int]:
        """Count the credentials that are checked first on each host, in plan order."""
        counts: dict[str, int] = {}
        for check in self.checks:
            counts[check.probes[0].host] = counts.get(check.probes[0].host, 0) + 1
        return counts

    def later_hosts(self) -> tuple[str, ...]:
        """Return the hosts that are also tried for keys that are unknown elsewhere."""
        return tuple(dict.fromkeys(probe.host for check in self.checks for probe in check.probes[1:]))

    def announcement(self, route: Callable[[str], str], limits: Limits) -> str:
        """Describe what will be sent where.

        `route` returns where a host's requests really go.
        """
        if not self.checks:
            return "Nothing is sent to Binance: there is no credential to check."
        number = len(self.checks)
        where = ", ".join(f"{route(host)} ({count})" for host, count in self.hosts().items())
        text = (
            f"Checking {number} {'credential' if number == 1 else 'credentials'} with Binance: "
            f"each API key is sent, with a signature and not with its secret, to {where}"
        )
        if self.later_hosts():
            text += f"; unknown ones also to {', '.join(route(host) for host in self.later_hosts())}"
        if limits.swapped and any(check.swappable for check in self.checks):
            text += (
                ". Where a key is unknown, key and secret may have been mixed up: then the other is sent as key, once"
            )
        return text + "."


def plan_of(credentials: Iterable[Credential], limits: Limits) -> Plan:
    """Plan the checks of credentials, in their order.

    Those beyond the limit are not checked.
    """
    known = {credential.id: credential for credential in reversed(list(credentials))}
    ordered = list(reversed(known.values()))
    checks: list[Check] = []
    unchecked: dict[str, Verification] = {}
    nearby = _Nearby(ordered)
    for credential in ordered:
        planned = _check_of(credential, nearby, limits)
        if isinstance(planned, Check) and len(checks) >= limits.credentials:
            planned = not_checked(Verdict.NOT_ASKED, Cause.BUDGET, f"this run checks {limits.credentials} at most")
        if isinstance(planned, Check):
            checks.append(planned)
        else:
            unchecked[credential.id] = planned
    return Plan(checks=tuple(checks), not_checked=unchecked)


def _check_of(credential: Credential, nearby: _Nearby, limits: Limits) -> Check | Verification:
    if credential.known_example:
        return not_checked(Verdict.NOT_ASKED, Cause.EXAMPLE, "it is an example from public documentation")
    key = next((value for value in credential.values if value.role is Role.API_KEY), None)
    if key is None:
        return not_checked(Verdict.NOT_ASKED, Cause.INCOMPLETE, "its API key was not found")
    if credential.environment.facts.unverifiable:
        return not_checked(Verdict.NOT_VERIFIABLE, Cause.ENVIRONMENT, credential.environment.facts.unverifiable)
    material = _bytes_of(key)
    if not _KEY.fullmatch(material):
        return not_checked(
            Verdict.NOT_VERIFIABLE, Cause.UNUSABLE, "the API key is not at hand, or no text that can be one"
        )
    own = _own_secrets(credential, key)
    candidates = own + _further_secrets(key, own, credential, nearby)
    secrets = [secret for secret in candidates if not isinstance(signer_of(secret), Unusable)]
    if candidates and not secrets:
        problem = next(answer for answer in map(signer_of, candidates) if isinstance(answer, Unusable))
        if problem.cause is Cause.LIBRARY:
            return not_checked(Verdict.NOT_VERIFIABLE, Cause.LIBRARY, problem.why)
    if not secrets and not limits.lone_keys:
        return not_checked(Verdict.NOT_ASKED, Cause.INCOMPLETE, "no secret was found that could sign for it")
    return Check(
        id=credential.id,
        environment=credential.environment,
        key=key,
        secrets=tuple(secrets[: limits.candidates]),
        probes=probes_for(credential.environment, material),
        swappable=bool(own) and own[0].role is Role.SECRET_KEY and _KEY.fullmatch(_bytes_of(own[0])) is not None,
    )


def _own_secrets(credential: Credential, key: Value) -> list[Value]:
    """Return the secrets found with a key, nearest first, without those that need a passphrase."""
    encrypted = {occurrence.value.sha256 for occurrence in credential.occurrences if occurrence.encrypted}
    places = _occurrences_of(key, credential.occurrences)
    own = [value for value in credential.values if value.role is not Role.API_KEY and value.sha256 not in encrypted]
    return sorted(own, key=lambda value: _distance(places, _occurrences_of(value, credential.occurrences)))


def _further_secrets(key: Value, own: Sequence[Value], credential: Credential, nearby: _Nearby) -> list[Value]:
    """Return other secrets near a key: of two keys next to one secret, detection pairs only one with it."""
    taken = {value.sha256 for value in (key, *own)}
    places = _occurrences_of(key, credential.occurrences)
    return [value for value in nearby.secrets_near(places) if value.sha256 not in taken]


def _occurrences_of(value: Value, occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    return [occurrence for occurrence in occurrences if occurrence.value.sha256 == value.sha256]


def _distance(some: Sequence[Occurrence], others: Sequence[Occurrence]) -> int:
    """Return the fewest lines between any two of them in one file."""
    lines = (
        abs(one.location.line - other.location.line)
        for one in some[:_MOST_PLACES]
        for other in others[:_MOST_PLACES]
        if one.location.path == other.location.path
    )
    return min(lines, default=_FAR)


class _Nearby:
    """The secrets of all credentials, by file and line."""

    def __init__(self, credentials: Sequence[Credential]) -> None:
        found: dict[str, list[tuple[int, bool, Value]]] = {}
        for credential in credentials:
            paired = len(credential.values) > 1
            for occurrence in credential.occurrences:
                if occurrence.value.role is not Role.API_KEY and not occurrence.encrypted:
                    found.setdefault(occurrence.location.path, []).append(
                        (occurrence.location.line, paired, occurrence.value)
                    )
        self._by_path = {path: sorted(entries, key=itemgetter(0)) for path, entries in found.items()}

    def secrets_near(self, places: Sequence[Occurrence]) -> list[Value]:
        """Return the secrets within a few lines of these occurrences, best first.

        Those without a key are first, then the nearest.
        """
        found = sorted(self._secrets_by_distance(places), key=lambda each: (each[0], each[1], each[2].sha256))
        return list({value.sha256: value for _, _, value in reversed(found)}.values())[::-1]

    def _secrets_by_distance(self, places: Sequence[Occurrence]) -> Iterator[tuple[bool, int, Value]]:
        for place in places[:_MOST_PLACES]:
            entries = self._by_path.get(place.location.path, [])
            line = place.location.line
            first = bisect_left(entries, line - _NEAR_LINES, key=itemgetter(0))
            for at, paired, value in entries[first : first + _MOST_PLACES]:
                if at > line + _NEAR_LINES:
                    break
                yield paired, abs(at - line), value


def _bytes_of(value: Value) -> bytes:
    return value.secret.reveal() if value.secret is not None else b""


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
    """Check credentials with Binance over a transport.

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
