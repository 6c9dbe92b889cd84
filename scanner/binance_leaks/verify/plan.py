"""Plan the checks of credentials: with which secrets, on which hosts, and why others are not checked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

from binance_leaks.environments import Probe, possible_systems, probes_for
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Credential, Environment, Occurrence, Role, Value
from binance_leaks.verification import Cause, Verdict, Verification
from binance_leaks.verify.notes import not_checked
from binance_leaks.verify.rate_limit import Limits
from binance_leaks.verify.signing import Unusable, signer_of

_KEY = lazy_pattern(rb"[A-Za-z0-9]{16,128}")
_NEAR_LINES = 40
_FAR = 1_000_000
_MOST_PLACES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A credential to check: its key, the secrets to try, likeliest first, the probes."""

    id: str
    environment: Environment
    key: Value
    secrets: tuple[Value, ...]
    probes: tuple[Probe, ...]
    possible: tuple[Environment, ...] = ()
    """The systems with real money that the key may belong to."""
    swappable: bool = False
    """Whether the key could be a secret: only names and order distinguish it from one, or nothing does."""
    swapped_on: Probe | None = None
    """Where that is asked, once: on the system that the key belongs to by its surroundings or its owner's word."""
    untried: Cause | None = None
    """Why a secret that may be the right one is not tried."""


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

    def announcement(self, route: Callable[[str], str]) -> str:
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
        swapped = dict.fromkeys(route(check.swapped_on.host) for check in self.checks if check.swapped_on is not None)
        if swapped:
            text += (
                ". Where a key is unknown, key and secret may have been mixed up: then the other is sent as key, once, "
                f"to the host that is asked first ({', '.join(swapped)}) and to no other"
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
    signers = [(secret, signer_of(secret)) for secret in candidates]
    secrets = [secret for secret, signer in signers if not isinstance(signer, Unusable)]
    problems = [signer for secret, signer in signers if isinstance(signer, Unusable) and secret in own]
    if not secrets:
        missing = next((signer for _, signer in signers if isinstance(signer, Unusable)), None)
        if missing is not None and missing.cause is Cause.LIBRARY:
            return not_checked(Verdict.NOT_VERIFIABLE, Cause.LIBRARY, missing.why)
    encrypted = any(each.encrypted or each.encrypted_beside for each in credential.occurrences)
    may_be_secret = not own and not any(each.named for each in _occurrences_of(key, credential.occurrences))
    if not secrets and may_be_secret:
        why = "nothing names it as the API key, and a secret, which it may be, is never sent"
        return not_checked(Verdict.NOT_ASKED, Cause.INCOMPLETE, why)
    if not secrets and not limits.lone_keys:
        why = "its private key is encrypted" if encrypted else "no secret was found that could sign for it"
        return not_checked(Verdict.NOT_ASKED, Cause.INCOMPLETE, why)
    left_out = [secret for secret in secrets[limits.candidates :] if secret in own or nearby.is_alone(secret)]
    untried = problems[0].cause if problems else Cause.BUDGET if left_out else Cause.ENCRYPTED if encrypted else None
    probes = probes_for(credential.environment, material)
    turnable = bool(own) and own[0].role is Role.SECRET_KEY and _KEY.fullmatch(_bytes_of(own[0])) is not None
    return Check(
        id=credential.id,
        environment=credential.environment,
        key=key,
        secrets=tuple(secrets[: limits.candidates]),
        probes=probes,
        possible=possible_systems(credential.environment, material, certain=_is_certain(credential)),
        swapped_on=probes[0] if turnable and limits.swapped else None,
        swappable=turnable or may_be_secret,
        untried=untried,
    )


def _is_certain(credential: Credential) -> bool:
    """Whether a file or the owner states the environment of a credential, and no file another one with real money."""
    stated = {each.environment for each in credential.occurrences if each.environment is not Environment.UNKNOWN}
    others = (each for each in stated if each is not credential.environment)
    return all(each.facts.play_money for each in others) and any(
        each.certain and each.environment is credential.environment for each in credential.occurrences
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
        self._paired = {value.sha256 for entries in found.values() for _, paired, value in entries if paired}
        self._by_path = {path: sorted(entries, key=itemgetter(0)) for path, entries in found.items()}

    def is_alone(self, secret: Value) -> bool:
        """Whether a secret was found with no key."""
        return secret.sha256 not in self._paired

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
