"""Tells in plain words what Binance answered about a credential: the verdict, the rights, how many of which.

Nothing that a server wrote is shown but names of permissions that are words. A stored report may come from anywhere, so
that hosts and notes pass for text of strangers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from types import MappingProxyType

from binance_leaks.findings import Finding
from binance_leaks.report.sanitize import Quoted
from binance_leaks.risk import Power, Reach, nameable, power_of, reach_of, system_of
from binance_leaks.verification import PERMISSION_TIERS, Permissions, Tier, Verdict, Verification

VERDICT_NAMES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.LIVE: "alive",
        Verdict.LIVE_NO_PERMISSION: "probably alive",
        Verdict.KEY_LIVE_SECRET_WRONG: "API key probably alive, its secret not found",
        Verdict.NOT_FOUND: "probably revoked or deleted",
        Verdict.MALFORMED: "probably no key",
        Verdict.INCONCLUSIVE: "cannot tell from here",
        Verdict.NOT_VERIFIABLE: "cannot be verified",
        Verdict.NOT_ASKED: "not asked",
    }
)
POWER_NAMES: Mapping[Power, str] = MappingProxyType(
    {
        Power.WITHDRAW: "may withdraw",
        Power.UNKNOWN: "rights not told",
        Power.TRANSFER: "may transfer",
        Power.TRADE: "may trade",
        Power.REFUSED: "rights not told",
        Power.READ: "may read only",
        Power.NOTHING: "may do nothing",
    }
)
GONE = frozenset({Verdict.NOT_FOUND, Verdict.MALFORMED})
"""Verdicts by which there is probably nothing left to revoke."""

_REACH_NAMES: Mapping[Reach, str] = MappingProxyType(
    {
        Reach.ANYWHERE: "from any address",
        Reach.TRUSTED: "from trusted addresses only",
        Reach.UNKNOWN: "addresses not told",
    }
)
_COUNTED: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.KEY_LIVE_SECRET_WRONG: "without the right secret",
        Verdict.INCONCLUSIVE: "undecided",
        Verdict.NOT_VERIFIABLE: "not verifiable",
        Verdict.NOT_ASKED: "not asked",
        Verdict.MALFORMED: "probably no key",
        Verdict.NOT_FOUND: "probably revoked",
    }
)
_SHORT: Mapping[str, str] = MappingProxyType(
    {
        "enableReading": "account",
        "enableFixReadOnly": "FIX",
        "enableSpotAndMarginTrading": "spot and margin",
        "enableMargin": "margin loans",
        "enableFutures": "futures",
        "enableVanillaOptions": "options",
        "enablePortfolioMarginTrading": "portfolio margin",
        "enableFixApiTrade": "FIX",
        "enableInternalTransfer": "internal",
        "permitsUniversalTransfer": "universal",
        "enableWithdrawals": "withdraw",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Right:
    """Whether a key may do what a tier means, None where nobody said, and by which permissions."""

    tier: Tier
    granted: bool | None
    which: tuple[str, ...] = ()

    def told(self) -> str:
        """`trade yes (futures, options)`, `withdraw no`, or nothing where nothing was said of it."""
        if self.granted is None:
            return ""
        details = f" ({', '.join(self.which)})" if self.which and self.tier is not Tier.READ else ""
        return f"{self.tier.value} {'yes' if self.granted else 'no'}{details}"


def told(verification: Verification, quoted: Quoted) -> list[str]:
    """The verdict on one line, the rights on one where they are known, the note."""
    parts = asked(verification, quoted)
    lines = [f"Verdict: {verdict(verification)}{f' ({parts})' if parts else ''}."]
    if verification.permissions is not None and (rights := _rights(nameable(verification.permissions))):
        lines.append(f"Rights: {rights}.")
    return [*lines, f"Note: {quoted.note(verification.note)}"] if verification.note else lines


def verdict(verification: Verification) -> str:
    """The verdict in a few words of our own, with what a live key may do and from where."""
    words = [VERDICT_NAMES[verification.verdict]]
    power = power_of(verification)
    if power is not None:
        words.append(POWER_NAMES[power])
    if power not in (None, Power.UNKNOWN, Power.REFUSED):
        words.append(_REACH_NAMES[reach_of(verification)])
    return ", ".join(words)


def counts(findings: Sequence[Finding]) -> str:
    """A sentence on how many live, by what they may do, and what became of the others; empty if none was verified."""
    asked = [(finding, finding.verification) for finding in findings if finding.verification is not None]
    if not asked:
        return ""
    alive = [(finding, power) for finding, verification in asked if (power := power_of(verification)) is not None]
    real = [
        power for finding, power in alive if not system_of(finding.environment, finding.verification).facts.play_money
    ]
    powers = [power for power in real if power is not Power.REFUSED]
    by_power = [
        f"{powers.count(power):,} {POWER_NAMES[power]}" for power in sorted(Power, reverse=True) if power in powers
    ]
    parts = [f"{len(powers):,} alive" + (f" ({', '.join(by_power)})" if by_power else "")]
    if refused := len(real) - len(powers):
        parts.append(f"{refused:,} probably alive ({POWER_NAMES[Power.REFUSED]})")
    if playing := len(alive) - len(real):
        parts.append(f"{playing:,} alive on test systems")
    verdicts = [verification.verdict for _, verification in asked]
    parts += [f"{verdicts.count(one):,} {name}" for one, name in _COUNTED.items() if one in verdicts]
    if unverified := len(findings) - len(asked):
        parts.append(f"{unverified:,} not verified")
    return f"Verified: {', '.join(parts)}."


def moment(checked_at: str) -> str:
    """A moment in UTC to the minute, from ISO 8601."""
    return f"{checked_at[:10]} {checked_at[11:16]} UTC"


def asked(verification: Verification, quoted: Quoted) -> str:
    """Where and when, as far as anything was sent."""
    parts = [quoted.path(verification.host)] if verification.host is not None else []
    if verification.checked_at is not None:
        parts.append(moment(quoted.path(verification.checked_at)))
    return ", ".join(parts)


def rights(permissions: Permissions) -> tuple[Right, ...]:
    """What a key may do, a tier each, the least harm first."""
    return tuple(_right(tier, permissions) for tier in Tier)


def further(permissions: Permissions) -> list[str]:
    """What of its permissions belongs to no tier, when it was made and until when it trades; a phrase each."""
    parts = []
    if permissions.unknown:
        parts.append(f"not known here {', '.join(permissions.unknown)}")
    if permissions.created is not None:
        parts.append(f"made {_day(permissions.created)}")
    if permissions.trading_ends is not None:
        parts.append(f"spot and margin trading until {_day(permissions.trading_ends)}")
    return parts


def _rights(permissions: Permissions) -> str:
    """All of it on one line."""
    by_tier = [part for right in rights(permissions) if (part := right.told())]
    return "; ".join((*by_tier, *further(permissions)))


def _right(tier: Tier, permissions: Permissions) -> Right:
    granted = [name for name in permissions.granted if PERMISSION_TIERS.get(name) is tier]
    if granted:
        which = tuple(_SHORT[name] for name in granted if _SHORT[name] != tier.value)
        return Right(tier=tier, granted=True, which=which)
    denied = any(PERMISSION_TIERS.get(name) is tier for name in permissions.denied)
    return Right(tier=tier, granted=False if denied else None)


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).date().isoformat()
