"""Rate the harm that a credential can do, with reasons in plain English.

docs/risk.md gives the reason for each cell of these tables, with its source; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from binance_leaks.findings import Finding, Risk
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.model import (
    Confidence,
    Credential,
    Environment,
    Exposure,
    Kind,
    Location,
    Ordered,
    Readers,
    RiskLevel,
)
from binance_leaks.verification import Cause, Verdict, Verification

_BASE: Mapping[Kind, tuple[RiskLevel, RiskLevel]] = MappingProxyType(
    {
        #                (real money, play money)
        Kind.KEY_PAIR: (RiskLevel.HIGH, RiskLevel.LOW),
        Kind.PRIVATE_KEY: (RiskLevel.MEDIUM, RiskLevel.LOW),
        Kind.SECRET_KEY: (RiskLevel.MEDIUM, RiskLevel.LOW),
        Kind.API_KEY: (RiskLevel.LOW, RiskLevel.INFO),
    }
)

_MEANS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.KEY_PAIR: "Key and secret were both found: anyone who reads them can sign requests.",
        Kind.PRIVATE_KEY: "A private key signs requests; its API key was not found.",
        Kind.SECRET_KEY: "A secret signs requests; its API key was not found.",
        Kind.API_KEY: "An API key alone cannot sign requests; its secret was not found.",
    }
)

_UNDECIDED = "It may be a secret, which signs requests: nothing names it as the API key."


class Power(Ordered):
    """The power of an active key, lowest first: the rows of `LIVE_LEVELS`.

    `refused`: the probe was refused for a missing permission; `unknown`: the system does not return permissions.
    """

    NOTHING = "nothing"
    READ = "read"
    REFUSED = "refused"
    TRADE = "trade"
    TRANSFER = "transfer"
    UNKNOWN = "unknown"
    WITHDRAW = "withdraw"


class Reach(Ordered):
    """The addresses from which an active key works: trusted, not known, any."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    ANYWHERE = "anywhere"


# An address list lowers the level by one step, never below that of the next lower tier from anywhere: who is inside the
# network can do at least that.
LIVE_LEVELS: Mapping[Power, tuple[RiskLevel, RiskLevel]] = MappingProxyType(
    {
        #                (from any address, or not known; from trusted addresses only)
        Power.WITHDRAW: (RiskLevel.CRITICAL, RiskLevel.CRITICAL),
        Power.UNKNOWN: (RiskLevel.CRITICAL, RiskLevel.CRITICAL),
        Power.TRANSFER: (RiskLevel.CRITICAL, RiskLevel.HIGH),
        Power.TRADE: (RiskLevel.HIGH, RiskLevel.MEDIUM),
        Power.REFUSED: (RiskLevel.HIGH, RiskLevel.MEDIUM),
        Power.READ: (RiskLevel.MEDIUM, RiskLevel.LOW),
        Power.NOTHING: (RiskLevel.LOW, RiskLevel.LOW),
    }
)
"""The level of a live key where money is real. A live key of a test system is `low`."""

OTHER_LEVELS: Mapping[Verdict, tuple[RiskLevel, RiskLevel]] = MappingProxyType(
    {
        #                              (real money, play money)
        Verdict.KEY_LIVE_SECRET_WRONG: (RiskLevel.LOW, RiskLevel.INFO),
        Verdict.MALFORMED: (RiskLevel.INFO, RiskLevel.INFO),
        Verdict.NOT_FOUND: (RiskLevel.INFO, RiskLevel.INFO),
    }
)
"""The level by verdict, where the pair is not active: `MALFORMED` and `NOT_FOUND` only where the key is gone.

Any other verdict is rated as without verification.
"""

_LIVE_REASONS: Mapping[Power, str] = MappingProxyType(
    {
        Power.WITHDRAW: "Active, and it can withdraw: anyone who has it can empty the account in minutes.",
        Power.UNKNOWN: "Active, and its permissions are not known: it is rated as if it could withdraw.",
        Power.TRANSFER: "Active, and it can move money between wallets and accounts, within reach of trades.",
        Power.TRADE: "Active, and it can trade: bad or matched trades can empty the account.",
        Power.REFUSED: "Probably active, and its permissions are not known: it is rated as if it could trade.",
        Power.READ: "Active, and it can only read: balances, positions and habits leak, not money.",
        Power.NOTHING: "Active, and it can do nothing now: its owner can give it rights at any time.",
    }
)
_LIVE_PLAYING = "Active: anyone who has it can use it."
_OTHER_REASONS: Mapping[Verdict, tuple[str, ...]] = MappingProxyType(
    {
        Verdict.KEY_LIVE_SECRET_WRONG: (
            "The API key is probably active, but no secret that signs for it was found.",
            "Its own secret may be elsewhere: anyone who finds it has both.",
        ),
        Verdict.MALFORMED: ("Binance answered that it does not have the form of a key. Still remove it.",),
        Verdict.NOT_FOUND: (
            "Probably revoked or deleted: Binance does not know the key.",
            "Still remove it, and check that it is really gone.",
        ),
    }
)
_UNUSABLE_REASONS: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.ENCRYPTED: "The API key is probably active, and its private key is here, encrypted.",
        Cause.UNUSABLE: "The API key is probably active, and a private key is here that could not be used to sign.",
    }
)
_UNTRIED = "The API key is probably active, and a secret near it could not be tried: rated as unverified."
_UNKNOWN_HERE = "Not known to Binance where it was checked, but other systems may know it"
_DOUBTED = "A test system is named nearby, but nothing shows that it knows the key: it may be of the live exchange."
_TRUSTED_LESS = "One step down: it works from trusted addresses only."
_TRUSTED_STILL = (
    "It works from trusted addresses only; a thief inside that network can do it all.",
    "It works from trusted addresses only.",
)
"""For a key with rights, and for one without any."""
_REACH_REASONS: Mapping[Reach, str] = MappingProxyType(
    {
        Reach.ANYWHERE: "It works from any address.",
        Reach.UNKNOWN: "It is not known from where it works, so it is assumed to work from anywhere.",
    }
)
_UNREACHABLE = "One step down: no branch or tag leads to it any more."
_READERS: Mapping[Readers, str] = MappingProxyType(
    {
        Readers.GROUP: "The group of a file that holds it can read it on this machine.",
        Readers.EVERYONE: "Every user of this machine can read a file that holds it, by its permissions.",
    }
)
_POSITIONS: Mapping[Verdict, int] = MappingProxyType(
    {
        Verdict.NOT_FOUND: 0,
        Verdict.MALFORMED: 1,
        Verdict.KEY_LIVE_SECRET_WRONG: 3,
        Verdict.NOT_ASKED: 4,
        Verdict.NOT_VERIFIABLE: 4,
        Verdict.INCONCLUSIVE: 5,
    }
)
_PLAYING, _UNASKED, _LIVING = 2, 4, 6
_PLACES = _LIVING + len(Power) * len(Reach)


def assess(credential: Credential, locations: Sequence[Location], verification: Verification | None = None) -> Risk:
    """Return the risk of a credential at these locations, with its verification if there is one.

    Without one, kind and environment give the level; low confidence and a hidden location each lower it by one step.
    With one, the permissions and addresses of the key give it, the most severe reason first, and confidence no longer
    counts. Whether trading rights have lapsed depends on the time of the answer.
    """
    if credential.known_example:
        return Risk(level=RiskLevel.INFO, reasons=("It is an example from public documentation, not a leak.",))
    if verification is not None:
        if (power := power_of(verification)) is not None:
            return _rate_active(credential, locations, verification, power)
        if verification.verdict is Verdict.KEY_LIVE_SECRET_WRONG:
            return _rate_wrong_secret(credential, locations, verification)
        if verification.is_gone:
            facts = system_of(credential.environment, verification).facts
            reasons = (*_OTHER_REASONS[verification.verdict], facts.stakes)
            return Risk(level=OTHER_LEVELS[verification.verdict][facts.play_money], reasons=reasons)
        if verification.verdict in _OTHER_REASONS:
            return _rate_unknown_here(credential, locations)
        if verification.verdict is Verdict.INCONCLUSIVE:
            return _lower(_rate_inconclusive(credential, verification), _mitigations(credential, locations))
    return _lower(_rate_unverified(credential), _mitigations(credential, locations))


def with_readers(risk: Risk, locations: Sequence[Location]) -> Risk:
    """Return a risk with the reason that others on the machine can read a file, if they can; its level stays."""
    widest = max((place.readers for place in locations if place.readers is not None), default=Readers.OWNER)
    return replace(risk, reasons=(*risk.reasons, _READERS[widest])) if widest in _READERS else risk


def system_of(environment: Environment, verification: Verification | None) -> Environment:
    """Return the system of a credential: the one that knows it, else by its surroundings."""
    return (verification.environment if verification is not None else None) or environment


def power_of(verification: Verification) -> Power | None:
    """Return the power of an active key, None if it is not known to be active.

    An unknown permission counts as trading. Spot and margin trading counts until it lapses.
    """
    if verification.verdict is Verdict.LIVE_NO_PERMISSION:
        return Power.REFUSED
    if verification.verdict is not Verdict.LIVE:
        return None
    permissions = verification.permissions_in_force
    if permissions is None:
        return Power.UNKNOWN
    if permissions.tier is not None:
        return Power(permissions.tier.value)
    return Power.NOTHING if permissions.can_do_nothing else Power.UNKNOWN


def reach_of(verification: Verification) -> Reach:
    """Return from where a key works."""
    if verification.ip_restricted is None:
        return Reach.UNKNOWN
    return Reach.TRUSTED if verification.ip_restricted else Reach.ANYWHERE


def priority(finding: Finding) -> float:
    """Rate how urgent a finding is, from 0 to 100: by level, then by verification.

    Within a level active keys come first, by what they can do and from where, then inconclusive ones, those that were
    not checked, wrong secrets, test systems, and last what is probably revoked.
    """
    return round(20 * (finding.risk.level.rank + _position(finding) / _PLACES), 1)


def order(finding: Finding) -> tuple[float, bool, int, int, str, int, str]:
    """Return a sort key that puts the most severe finding first.

    Of verified findings of one priority, those come first that are present today or were pushed.
    """
    first = finding.locations[0]
    verified = finding.verification is not None
    shown = finding.exposure >= Exposure.STAGED or any(location.pushed for location in finding.locations)
    return (
        -priority(finding),
        verified and not shown,
        -finding.exposure.rank if verified else 0,
        -finding.confidence.rank,
        first.path,
        first.line,
        finding.id,
    )


def _rate_unverified(credential: Credential) -> Risk:
    """Rate a credential by its kind and environment alone: what may be a secret as one."""
    facts = credential.environment.facts
    if credential.is_undecided:
        return Risk(level=_BASE[Kind.SECRET_KEY][facts.play_money], reasons=(_UNDECIDED, facts.stakes))
    return Risk(level=_BASE[credential.kind][facts.play_money], reasons=(_MEANS[credential.kind], facts.stakes))


def _rate_wrong_secret(credential: Credential, locations: Sequence[Location], verification: Verification) -> Risk:
    """Rate an active key whose secret is not known: as a lone key, unless the right secret may have been found."""
    facts = system_of(credential.environment, verification).facts
    cause = verification.cause
    if facts.play_money or cause is None:
        reasons = (*_OTHER_REASONS[verification.verdict], facts.stakes)
        return Risk(level=OTHER_LEVELS[verification.verdict][facts.play_money], reasons=reasons)
    if cause in _UNUSABLE_REASONS:
        return Risk(level=RiskLevel.MEDIUM, reasons=(_UNUSABLE_REASONS[cause], facts.stakes))
    unasked = _rate_unverified(credential)
    return _lower(replace(unasked, reasons=(_UNTRIED, *unasked.reasons)), _mitigations(credential, locations))


def _rate_unknown_here(credential: Credential, locations: Sequence[Location]) -> Risk:
    """Rate a key that is unknown where it was checked: one step below unverified, and not below `low` by that step.

    Of a value that may be a secret that says nothing.
    """
    unasked = _lower(_rate_unverified(credential), _mitigations(credential, locations))
    lower = unasked.level > RiskLevel.LOW and not credential.is_undecided
    reason = f"{_UNKNOWN_HERE}{': one step down' if lower else ''}."
    level = list(RiskLevel)[unasked.level.rank - lower]
    return Risk(level=level, reasons=(reason, *unasked.reasons))


def _rate_inconclusive(credential: Credential, verification: Verification) -> Risk:
    """Rate an inconclusive credential: a pair one step below an active one of any power, a half as unverified."""
    system = system_of(credential.environment, verification)
    unasked = _rate_unverified(replace(credential, environment=system))
    if system is Environment.UNKNOWN and verification.environment is system:
        unasked = replace(unasked, reasons=(unasked.reasons[0], _DOUBTED))
    real = not system.facts.play_money
    step = " and could do anything, one step down" if real and credential.kind is Kind.KEY_PAIR else ""
    reason = f"Unknown from here whether it is active: rated as if it were{step}."
    return Risk(level=unasked.level, reasons=(reason, *unasked.reasons))


def _rate_active(
    credential: Credential, locations: Sequence[Location], verification: Verification, power: Power
) -> Risk:
    """Rate an active key by its permissions and addresses; on a test system the risk is low in any case."""
    facts = system_of(credential.environment, verification).facts
    hidden = _are_unreachable(locations) and not any(location.pushed for location in locations)
    mitigations = [_UNREACHABLE] if hidden else []
    if facts.play_money:
        return _lower(Risk(level=RiskLevel.LOW, reasons=(_LIVE_PLAYING, facts.stakes)), mitigations)
    reach = reach_of(verification)
    anywhere, trusted = LIVE_LEVELS[power]
    if reach is Reach.TRUSTED:
        level, narrowed = trusted, _TRUSTED_LESS if trusted < anywhere else _TRUSTED_STILL[power is Power.NOTHING]
    else:
        level, narrowed = anywhere, _REACH_REASONS[reach]
    reasons = (_LIVE_REASONS[power], *_on_rights(verification), narrowed, facts.stakes)
    return _lower(Risk(level=level, reasons=reasons), mitigations, least=RiskLevel.LOW)


def _on_rights(verification: Verification) -> tuple[str, ...]:
    """Explain where the permissions of an active key mean something else than their names."""
    notes = []
    unknown = verification.permissions.nameable().unknown if verification.permissions is not None else ()
    if unknown:
        notes.append(f"Not known here, counted as trading at least: {', '.join(unknown)}.")
    if verification.trading_has_ended:
        notes.append("Its right to trade spot and margin has lapsed, and does not count.")
    return tuple(notes)


def _position(finding: Finding) -> int:
    """Return the position within its level, from 0."""
    verification = finding.verification
    if verification is None:
        return _UNASKED
    power = power_of(verification)
    if power is None:
        gone = verification.verdict not in _OTHER_REASONS or verification.is_gone
        return _POSITIONS[verification.verdict] if gone else _POSITIONS[Verdict.KEY_LIVE_SECRET_WRONG]
    if system_of(finding.environment, verification).facts.play_money:
        return _PLAYING
    return _LIVING + power.rank * len(Reach) + reach_of(verification).rank


def _mitigations(credential: Credential, locations: Sequence[Location]) -> list[str]:
    """Return the reasons that each lower the level by one step."""
    reasons = []
    if credential.confidence is Confidence.LOW:
        reasons.append("One step down: there is little evidence for Binance.")
    if _are_unreachable(locations):
        reasons.append(_UNREACHABLE)
    return reasons


def _are_unreachable(locations: Sequence[Location]) -> bool:
    return bool(locations) and all(location.exposure is Exposure.UNREACHABLE for location in locations)


def _lower(risk: Risk, mitigations: Sequence[str], *, least: RiskLevel = RiskLevel.INFO) -> Risk:
    """Lower a risk by one step for each reason, not below `least`."""
    taken = tuple(mitigations[: max(risk.level.rank - least.rank, 0)])
    return Risk(level=list(RiskLevel)[risk.level.rank - len(taken)], reasons=risk.reasons + taken)
