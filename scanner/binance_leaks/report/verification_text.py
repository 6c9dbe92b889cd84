"""Text on verification: verdicts, permissions, and counts of verdicts.

Nothing that a server wrote is shown except names of permissions that are words. A stored report may come from anywhere,
so its hosts and notes are untrusted text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from types import MappingProxyType

from binance_leaks.findings import Finding
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.report.sanitize import Quoted
from binance_leaks.risk import Power, Reach, power_of, reach_of, system_of
from binance_leaks.verification import PERMISSION_TIERS, Cause, Permissions, Tier, Verdict, Verification

VERDICT_NAMES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.LIVE: "active",
        Verdict.LIVE_NO_PERMISSION: "probably active",
        Verdict.KEY_LIVE_SECRET_WRONG: "API key probably active, secret not found",
        Verdict.NOT_FOUND: "probably revoked or deleted",
        Verdict.MALFORMED: "probably not a key",
        Verdict.INCONCLUSIVE: "state unknown",
        Verdict.NOT_VERIFIABLE: "cannot be verified",
        Verdict.NOT_ASKED: "not checked",
    }
)
POWER_NAMES: Mapping[Power, str] = MappingProxyType(
    {
        Power.WITHDRAW: "can withdraw",
        Power.UNKNOWN: "permissions unknown",
        Power.TRANSFER: "can transfer",
        Power.TRADE: "can trade",
        Power.REFUSED: "permissions unknown",
        Power.READ: "read only",
        Power.NOTHING: "no permissions",
    }
)
_UNKNOWN_HERE = "not known where it was checked"
_ENCRYPTED = "API key probably active, its private key is encrypted"
_UNTRIED = "API key probably active, its secret may be here"
_REACH_NAMES: Mapping[Reach, str] = MappingProxyType(
    {
        Reach.ANYWHERE: "from any address",
        Reach.TRUSTED: "from trusted addresses only",
        Reach.UNKNOWN: "addresses unknown",
    }
)
_COUNT_NAMES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.KEY_LIVE_SECRET_WRONG: "without the right secret",
        Verdict.INCONCLUSIVE: "unknown",
        Verdict.NOT_VERIFIABLE: "not verifiable",
        Verdict.NOT_ASKED: "not checked",
        Verdict.MALFORMED: "probably not a key",
        Verdict.NOT_FOUND: "probably revoked",
    }
)
_SHORT_PERMISSION_NAMES: Mapping[str, str] = MappingProxyType(
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
class TierAccess:
    """Whether a key has access of one tier, and by which permissions."""

    tier: Tier
    granted: bool | None
    """None where it is unknown."""
    which: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return `trade yes (futures, options)`, `withdraw no`, or nothing where it is unknown."""
        if self.granted is None:
            return ""
        details = f" ({', '.join(self.which)})" if self.which and self.tier is not Tier.READ else ""
        return f"{self.tier.value} {'yes' if self.granted else 'no'}{details}"


def describe_verification(verification: Verification, quoted: Quoted) -> list[str]:
    """Return lines with the verdict, the permissions if known, and the note."""
    check = describe_check(verification, quoted)
    lines = [f"Verdict: {describe_verdict(verification)}{f' ({check})' if check else ''}."]
    if permissions := _join_permissions(verification):
        lines.append(f"Permissions: {permissions}.")
    return [*lines, f"Note: {quoted.note(verification.note)}"] if verification.note else lines


def describe_verdict(verification: Verification) -> str:
    """Return the verdict in a few words, with what an active key can do and from where."""
    words = [name_verdict(verification)]
    power = power_of(verification)
    if power is not None:
        words.append(POWER_NAMES[power])
    if power not in (None, Power.UNKNOWN, Power.REFUSED):
        words.append(_REACH_NAMES[reach_of(verification)])
    return ", ".join(words)


def name_verdict(verification: Verification) -> str:
    """Name the verdict: a key is called revoked only where every system that it could belong to does not know it."""
    if verification.verdict in (Verdict.NOT_FOUND, Verdict.MALFORMED) and not verification.is_gone:
        return _UNKNOWN_HERE
    if verification.verdict is Verdict.KEY_LIVE_SECRET_WRONG and verification.cause is not None:
        return _ENCRYPTED if verification.cause is Cause.ENCRYPTED else _UNTRIED
    return VERDICT_NAMES[verification.verdict]


def count_verdicts(findings: Sequence[Finding]) -> str:
    """Return a sentence that counts active credentials by permission, and the others; empty if none was verified."""
    checked = [(finding, finding.verification) for finding in findings if finding.verification is not None]
    if not checked:
        return ""
    active = [(finding, power) for finding, verification in checked if (power := power_of(verification)) is not None]
    real = [
        power for finding, power in active if not system_of(finding.environment, finding.verification).facts.play_money
    ]
    powers = [power for power in real if power is not Power.REFUSED]
    by_power = [
        f"{powers.count(power):,} {POWER_NAMES[power]}" for power in sorted(Power, reverse=True) if power in powers
    ]
    parts = [f"{len(powers):,} active" + (f" ({', '.join(by_power)})" if by_power else "")]
    if refused := len(real) - len(powers):
        parts.append(f"{refused:,} probably active ({POWER_NAMES[Power.REFUSED]})")
    if on_test_systems := len(active) - len(real):
        parts.append(f"{on_test_systems:,} active on test systems")
    names = [
        _UNKNOWN_HERE if name_verdict(verification) == _UNKNOWN_HERE else _COUNT_NAMES.get(verification.verdict)
        for _, verification in checked
    ]
    parts += [f"{names.count(name):,} {name}" for name in (_UNKNOWN_HERE, *_COUNT_NAMES.values()) if name in names]
    if unverified := len(findings) - len(checked):
        parts.append(f"{unverified:,} not verified")
    return f"Verified: {', '.join(parts)}."


def format_moment(checked_at: str) -> str:
    """Format an ISO 8601 moment in UTC to the minute."""
    return f"{checked_at[:10]} {checked_at[11:16]} UTC"


def describe_check(verification: Verification, quoted: Quoted) -> str:
    """Return the host and the time of the check, as far as anything was sent."""
    parts = [quoted.path(verification.host)] if verification.host is not None else []
    if verification.checked_at is not None:
        parts.append(format_moment(quoted.path(verification.checked_at)))
    return ", ".join(parts)


def access_by_tier(verification: Verification) -> tuple[TierAccess, ...]:
    """Return what a key can do now, by tier, least harmful first."""
    permissions = (verification.permissions_in_force or Permissions()).nameable()
    return tuple(_tier_access(tier, permissions) for tier in Tier)


def describe_key_details(verification: Verification) -> list[str]:
    """Return unknown permissions, the creation date and the end of trading; a phrase each."""
    parts = []
    permissions = (verification.permissions or Permissions()).nameable()
    if permissions.unknown:
        parts.append(f"unknown permissions {', '.join(permissions.unknown)}")
    if permissions.created is not None:
        parts.append(f"created {_format_day(permissions.created)}")
    if permissions.trading_ends is not None:
        when = "lapsed on" if verification.trading_has_ended else "until"
        parts.append(f"spot and margin trading {when} {_format_day(permissions.trading_ends)}")
    return parts


def _join_permissions(verification: Verification) -> str:
    """Join all permissions and details on one line."""
    by_tier = [part for access in access_by_tier(verification) if (part := access.describe())]
    return "; ".join((*by_tier, *describe_key_details(verification)))


def _tier_access(tier: Tier, permissions: Permissions) -> TierAccess:
    granted = [name for name in permissions.granted if PERMISSION_TIERS.get(name) is tier]
    if granted:
        which = tuple(_SHORT_PERMISSION_NAMES[name] for name in granted if _SHORT_PERMISSION_NAMES[name] != tier.value)
        return TierAccess(tier=tier, granted=True, which=which)
    if tier is Tier.TRADE and permissions.unknown:
        return TierAccess(tier=tier, granted=True, which=permissions.unknown)
    denied = any(PERMISSION_TIERS.get(name) is tier for name in permissions.denied)
    return TierAccess(tier=tier, granted=False if denied else None)


def _format_day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).date().isoformat()
