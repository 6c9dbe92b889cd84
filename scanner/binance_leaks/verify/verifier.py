"""Verify credentials: run a plan, make each attempt once, and judge a key by all answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime, timezone

from binance_leaks.environments import Probe
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Credential, Environment, Value
from binance_leaks.verification import Cause, Verdict, Verification
from binance_leaks.verify.cache import Cache, DatedOutcome, NoCache
from binance_leaks.verify.http_types import Transport
from binance_leaks.verify.notes import Context, not_checked, note_of
from binance_leaks.verify.plan import Check, Plan, plan_of
from binance_leaks.verify.rate_limit import Clock, Limits, SystemClock, Throttle
from binance_leaks.verify.request import Attempt, Prober, RequestBudget

Progress = Callable[[int, int], None]
"""Receives the number of credentials that are done, and of all. Called in the thread that called `verify`."""

_ANSWERED = (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION, Verdict.KEY_LIVE_SECRET_WRONG)
_UNKNOWN = (Verdict.NOT_FOUND, Verdict.MALFORMED)
_NOT_SENT = (Cause.STOPPED, Cause.BUDGET, Cause.LIBRARY, Cause.UNUSABLE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What one question came to, with the attempt."""

    attempt: Attempt
    dated: DatedOutcome
    swapped: bool = False
    turned: bool = False
    """Whether it is about the secret taken as the key, and unclear."""
    untried: Cause | None = None
    """Why another secret, which may be the right one, got no clear answer."""

    @property
    def verdict(self) -> Verdict:
        return self.dated.outcome.verdict

    @property
    def sent(self) -> bool:
        """Whether a host answered, or should have."""
        return self.dated.outcome.cause not in _NOT_SENT

    @property
    def system(self) -> Environment:
        return self.attempt.probe.environment

    @property
    def host(self) -> str:
        return self.attempt.probe.host


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
        self.interrupted = False
        """Whether the user interrupted a verification."""
        self._lock = threading.Lock()

    def plan(self, credentials: Iterable[Credential]) -> Plan:
        """Return what `verify` would do, without sending anything."""
        return plan_of(credentials, self._limits)

    def announcement(self, credentials: Iterable[Credential]) -> str:
        """Describe what `verify` would send where."""
        return self.plan(credentials).announcement(self._transport.route)

    def verify(self, credentials: Iterable[Credential], progress: Progress | None = None) -> dict[str, Verification]:
        """Return the verification of each credential, by its id.

        Never raises for what Binance or the network does. KeyboardInterrupt stops all sending: what was verified is
        returned, the rest as not asked or without an answer, and `interrupted` is set. A second one is raised.
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
            except KeyboardInterrupt:
                self.interrupted = True
                self._stop(executor)
            except BaseException:
                self._stop(executor)
                raise
        for future, check in pending.items():
            if check.id not in found:
                found[check.id] = _INTERRUPTED if future.cancelled() else future.result()
        return _share_with_lone_secrets(given, {**plan.not_checked, **found})

    def _stop(self, executor: ThreadPoolExecutor) -> None:
        self._throttle.stop()
        executor.shutdown(wait=False, cancel_futures=True)  # first: a thread whose request ends takes the next check
        self._transport.stop()

    def _verified(self, check: Check) -> Verification:
        """Check one credential, on one host after the other as long as none knows it and a limit allows it."""
        budget = RequestBudget(self._limits.requests)
        answers: list[_Answer] = []
        for probe in check.probes:
            answers.append(self._on_host(check, probe, budget))
            if probe is check.swapped_on and answers[-1].verdict in _UNKNOWN:
                swapped = self._swapped(check, probe, budget)
                answers += [swapped] if swapped.verdict not in _UNKNOWN else []
            if answers[-1].verdict in _ANSWERED or answers[-1].dated.outcome.cause is Cause.BUDGET:
                break
        return _conclude(check, answers)

    def _swapped(self, check: Check, probe: Probe, budget: RequestBudget) -> _Answer:
        """Check a credential with key and secret the other way round."""
        attempt = Attempt(key=check.secrets[0], secret=check.key, probe=probe)
        answer = self._answer(attempt, budget, retry_not_found=False)
        if answer.verdict in _ANSWERED:
            return replace(answer, swapped=True)
        return replace(answer, attempt=Attempt(key=check.key, secret=check.secrets[0], probe=probe), turned=True)

    def _on_host(self, check: Check, probe: Probe, budget: RequestBudget) -> _Answer:
        """Return the best answer of one host. Another secret is tried only if the first is wrong."""
        first: Value | None = check.secrets[0] if check.secrets else None
        best = self._answer(Attempt(key=check.key, secret=first, probe=probe), budget)
        if best.verdict is not Verdict.KEY_LIVE_SECRET_WRONG:
            return best
        untried = check.untried
        for secret in check.secrets[1:]:
            answer = self._answer(Attempt(key=check.key, secret=secret, probe=probe), budget)
            if answer.dated.outcome.lives:
                return answer
            if answer.verdict is not Verdict.KEY_LIVE_SECRET_WRONG:
                untried = untried or answer.dated.outcome.cause or Cause.ANSWER
        return replace(best, untried=untried)

    def _answer(self, attempt: Attempt, budget: RequestBudget, *, retry_not_found: bool = True) -> _Answer:
        """Return the answer to an attempt, which the first thread that needs it makes."""
        digest = attempt.digest(self._transport.route)
        name = digest if retry_not_found else f"{digest} once"
        with self._lock:
            known = self._asked.get(name)
            future = known or self._asked.setdefault(name, Future())
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
        if retry_not_found or dated.outcome.verdict not in _UNKNOWN:
            self._cache.put(digest, dated)
        return dated


_INTERRUPTED = not_checked(Verdict.NOT_ASKED, Cause.STOPPED, "interrupted")


def _conclude(check: Check, answers: Sequence[_Answer]) -> Verification:
    """Judge a key by all answers: what one system says means nothing for another.

    It is unknown only where each system that was asked does not know it. Of several that are undecided, the one with
    real money counts, whatever the surroundings of the key name. So it does where it is unclear which half is the key.
    """
    if answers[-1].verdict in _ANSWERED:
        return _verification(check, answers, answers[-1], environment=answers[-1].system)
    undecided = [answer for answer in answers if answer.verdict not in _UNKNOWN]
    playing = check.environment.facts.play_money
    real = [answer for answer in undecided if not answer.system.facts.play_money]
    if real or (undecided and playing):
        shown = next((answer for answer in (*real, *undecided) if answer.sent), undecided[0])
        unsure = bool(real) or any(answer.turned for answer in undecided)
        doubted = unsure and playing and any(answer.sent for answer in answers)
        return _verification(check, answers, shown, environment=Environment.UNKNOWN if doubted else None)
    unclear = {answer.system for answer in undecided}
    turned = {check.swapped_on.environment} if check.swapped_on is not None else set()
    excluded = {answer.system for answer in answers if not check.swappable or answer.system in turned} - unclear
    elsewhere = dict.fromkeys(each for each in (*check.possible, *unclear) if each not in excluded)
    unknown = [answer for answer in answers if answer.verdict in _UNKNOWN]
    shown = next((answer for answer in unknown if answer.verdict is Verdict.NOT_FOUND), unknown[0])
    return _verification(check, answers, shown, elsewhere=tuple(each for each in Environment if each in elsewhere))


def _verification(
    check: Check,
    answers: Sequence[_Answer],
    shown: _Answer,
    *,
    environment: Environment | None = None,
    elsewhere: tuple[Environment, ...] = (),
) -> Verification:
    outcome, secret = shown.dated.outcome, shown.attempt.secret
    cause = shown.untried or (check.untried if shown.verdict is Verdict.KEY_LIVE_SECRET_WRONG else outcome.cause)
    moment = datetime.fromtimestamp(shown.dated.at, timezone.utc).isoformat(timespec="seconds")
    context = Context(
        host=shown.host,
        lone=secret is None,
        swapped=shown.swapped,
        unknown_on=list(dict.fromkeys(answer.host for answer in answers if answer.verdict in _UNKNOWN)),
        elsewhere=elsewhere,
        asked=[answer.system for answer in answers],
        unclear=[answer.system for answer in answers if answer.verdict not in _UNKNOWN],
    )
    return Verification(
        verdict=outcome.verdict,
        cause=cause,
        permissions=outcome.permissions,
        environment=environment,
        host=shown.host if shown.sent else None,
        checked_at=moment if shown.sent else None,
        elsewhere=elsewhere,
        note=note_of(outcome, context, cause),
        key=shown.attempt.key.sha256,
        secret=secret.sha256 if secret is not None and outcome.lives else None,
        swapped=shown.swapped,
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
