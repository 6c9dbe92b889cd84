"""Audit a user's own key: excess permissions, trusted addresses, age, what to change.

What each purpose needs is what users of such tools are taught: tax software, portfolio trackers and price monitors
read; grid and DCA tools and arbitrage by hand trade spot; bots trade spot or futures. None of them needs to withdraw or
to transfer. A key is to be replaced every three to six months.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from binance_leaks.environments import KEY_PAGE, Environment
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.verification import PERMISSION_TIERS, Cause, Permissions, Tier, Verdict, Verification

PLAN_AFTER_DAYS = 91
"""From three months on a key should be replaced soon."""
ROTATE_AFTER_DAYS = 183
"""From six months on it is overdue."""
_DAY = 86_400_000
_READ, _SPOT, _FUTURES = "enableReading", "enableSpotAndMarginTrading", "enableFutures"
_FIX_READ, _FIX_TRADE = "enableFixReadOnly", "enableFixApiTrade"

PERMISSION_WORDS: Mapping[str, str] = MappingProxyType(
    {
        _READ: "account data",
        _FIX_READ: "FIX sessions, read only",
        _SPOT: "spot and margin orders",
        "enableMargin": "margin loans and transfers",
        _FUTURES: "futures",
        "enableVanillaOptions": "options",
        "enablePortfolioMarginTrading": "portfolio margin",
        _FIX_TRADE: "FIX sessions, orders",
        "permitsUniversalTransfer": "universal transfer",
        "enableInternalTransfer": "internal transfer",
        "enableWithdrawals": "withdrawals",
    }
)
"""What each permission that Binance documents is about, in the order of a table."""


class Purpose(Enum):
    """What a key is for, according to its owner."""

    TAX = "tax"
    PORTFOLIO = "portfolio"
    MONITOR = "monitor"
    GRID = "grid"
    DCA = "dca"
    ARBITRAGE = "arbitrage"
    TRADING_BOT = "trading-bot"


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """The permissions that a purpose needs.

    All of `all_of` and at least one of `one_of`; those in `fine` are harmless.
    """

    all_of: tuple[str, ...] = (_READ,)
    one_of: tuple[str, ...] = ()
    fine: tuple[str, ...] = (_FIX_READ,)

    def excess(self, permissions: Permissions) -> tuple[str, ...]:
        """Return what is granted and not needed, unknown permissions too."""
        needed = {*self.all_of, *self.one_of, *self.fine}
        return tuple(name for name in in_order(permissions.granted) if name not in needed)

    def lacks(self, permissions: Permissions) -> tuple[tuple[str, ...], ...]:
        """Return what is needed and not granted; of several in one entry, one is enough."""
        missing: list[tuple[str, ...]] = [(name,) for name in self.all_of if name not in permissions.granted]
        if self.one_of and not set(self.one_of) & set(permissions.granted):
            missing.append(self.one_of)
        return tuple(missing)


_READING = Need()
_SPOT_TRADING = Need(one_of=(_SPOT,))
NEEDS: Mapping[Purpose, Need] = MappingProxyType(
    {
        Purpose.TAX: _READING,
        Purpose.PORTFOLIO: _READING,
        Purpose.MONITOR: _READING,
        Purpose.GRID: _SPOT_TRADING,
        Purpose.DCA: _SPOT_TRADING,
        Purpose.ARBITRAGE: _SPOT_TRADING,
        # FIX is another way to place the orders that the spot permission allows.
        Purpose.TRADING_BOT: Need(one_of=(_SPOT, _FUTURES), fine=(_FIX_READ, _FIX_TRADE)),
    }
)


class Rotation(Enum):
    """Whether it is time for a new key."""

    FRESH = "fresh"
    SOON = "soon"
    DUE = "due"
    UNKNOWN = "unknown"


class AuditOutcome(Enum):
    """The outcome of an audit: passed, failed, or permissions that are not known."""

    PASSED = "fine"
    FAILED = "wrong"
    UNKNOWN = "untold"


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """One key, audited.

    `faults` make it `FAILED`, `warnings` do not; `steps` correct both, the most severe first. `excess` and `lacks` are
    permissions by Binance's names; of several in one entry of `lacks`, one is enough. `age_days` and
    `trading_days_left` are whole days, the latter negative where trading has ended, None where that is not known.
    """

    verification: Verification
    purpose: Purpose | None
    outcome: AuditOutcome
    excess: tuple[str, ...] = ()
    lacks: tuple[tuple[str, ...], ...] = ()
    age_days: int | None = None
    rotation: Rotation = Rotation.UNKNOWN
    trading_days_left: int | None = None
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


def audit_of(verification: Verification, *, environment: Environment, purpose: Purpose | None, now: datetime) -> Audit:
    """Audit a key by its verification.

    `environment` counts where the verification names none.

    With a purpose, every further permission is a fault. Always a fault is to withdraw or transfer without a restriction
    to trusted addresses: anyone who finds such a key can take the money. Without permissions, only a key for play money
    passes, and only if there is no purpose to compare.
    """
    permissions = verification.permissions
    if verification.verdict is not Verdict.LIVE:
        return Audit(
            verification=verification,
            purpose=purpose,
            outcome=AuditOutcome.UNKNOWN,
            steps=_without_answer(verification),
        )
    if permissions is None or not permissions.known:
        play = (verification.environment or environment).facts.play_money
        outcome = AuditOutcome.PASSED if play and purpose is None else AuditOutcome.UNKNOWN
        step = "Look up its permissions where the key was made: it cannot be verified from here."
        return Audit(verification=verification, purpose=purpose, outcome=outcome, steps=(step,))
    need = NEEDS[purpose] if purpose is not None else None
    audit = Audit(
        verification=verification,
        purpose=purpose,
        outcome=AuditOutcome.PASSED,
        excess=need.excess(permissions) if need else (),
        lacks=need.lacks(permissions) if need else (),
        age_days=_days(permissions.created, now, past=True),
        rotation=_rotation(_days(permissions.created, now, past=True)),
        trading_days_left=_days(permissions.trading_ends, now, past=False),
    )
    return _with_faults(audit, permissions)


def needed_words(purpose: Purpose) -> str:
    """Describe what a purpose needs, such as `account data, and spot orders or futures`."""
    need = NEEDS[purpose]
    return ", and ".join(filter(None, (listed(need.all_of), " or ".join(map(words_for, need.one_of)))))


def words_for(permission: str) -> str:
    """Return a permission in plain words, an unknown one by Binance's name."""
    return PERMISSION_WORDS.get(permission, permission)


def listed(permissions: tuple[str, ...]) -> str:
    """List permissions in plain words."""
    return ", ".join(map(words_for, permissions))


def in_order(permissions: tuple[str, ...]) -> list[str]:
    """Sort permissions as in a table, unknown ones last."""
    known = [name for name in PERMISSION_WORDS if name in permissions]
    return [*known, *(name for name in permissions if name not in PERMISSION_WORDS)]


def _with_faults(audit: Audit, permissions: Permissions) -> Audit:
    faults, warnings, steps = [], [], []
    if audit.excess and audit.purpose is not None:
        faults.append(f"It may do more than {audit.purpose.value} needs: {listed(audit.excess)}.")
        steps.append(f"Edit the key at {KEY_PAGE} and switch off: {listed(audit.excess)}.")
    open_tier = audit.verification.tier if permissions.ip_restricted is not True else None
    if open_tier is not None:
        reach = (
            "No list of trusted addresses binds it"
            if permissions.ip_restricted is False
            else ("Binance did not report whether it is restricted to trusted addresses")
        )
        if open_tier >= Tier.TRANSFER:
            moves = tuple(
                n for n in in_order(permissions.granted) if PERMISSION_TIERS.get(n, Tier.READ) >= Tier.TRANSFER
            )
            faults.append(f"{reach}, and it may move money ({listed(moves)}): anyone who gets it can, from anywhere.")
            if not set(moves) <= set(audit.excess):
                steps.append(f"Switch off what it does not need at once, above all: {listed(moves)}.")
        else:
            warnings.append(f"{reach}: anyone who gets it can use it from anywhere.")
        steps.append(f"Bind it to the addresses that it is used from, at {KEY_PAGE}.")
    if permissions.unknown and not audit.excess:
        warnings.append(f"It has permissions of which nothing is known here: {', '.join(permissions.unknown)}.")
        steps.append(f"See what these are, and whether they are needed: {', '.join(permissions.unknown)}.")
    for missing in audit.lacks:
        warnings.append(f"It lacks what its purpose needs: {' or '.join(map(words_for, missing))}.")
        steps.append(f"If what uses it fails, switch on {' or '.join(map(words_for, missing))}, and no more.")
    _check_dates(audit, permissions, warnings, steps)
    return Audit(
        verification=audit.verification,
        purpose=audit.purpose,
        outcome=AuditOutcome.FAILED if faults else AuditOutcome.PASSED,
        excess=audit.excess,
        lacks=audit.lacks,
        age_days=audit.age_days,
        rotation=audit.rotation,
        trading_days_left=audit.trading_days_left,
        faults=tuple(faults),
        warnings=tuple(warnings),
        steps=tuple(steps),
    )


def _check_dates(audit: Audit, permissions: Permissions, warnings: list[str], steps: list[str]) -> None:
    """Add what age and the end of trading call for."""
    replace_it = (
        "Make a new key with these restrictions, of type Ed25519 where it is offered, put it in place, and delete "
        "this one."
    )
    if audit.rotation is Rotation.DUE:
        warnings.append(f"It is {age_words(audit.age_days)} old: replacing keys every 3 to 6 months is advised.")
        steps.append(replace_it)
    elif audit.rotation is Rotation.SOON:
        warnings.append(f"It is {age_words(audit.age_days)} old: it should be replaced before 6 months are over.")
        steps.append(f"Soon: {replace_it[0].lower()}{replace_it[1:]}")
    if audit.trading_days_left is not None and audit.trading_days_left < 0 and _SPOT in permissions.granted:
        warnings.append("Its authority for spot and margin trading has ended.")


def _without_answer(verification: Verification) -> tuple[str, ...]:
    match verification.verdict:
        case Verdict.KEY_LIVE_SECRET_WRONG if verification.cause is Cause.ENCRYPTED:
            return ("Name a copy of the private key that is not encrypted with --private-key.",)
        case Verdict.NOT_FOUND:
            return ("If you did not delete it: name the system that it belongs to with --environment.",)
        case Verdict.MALFORMED:
            return ("See whether it was copied whole, or belongs to another service.",)
        case Verdict.KEY_LIVE_SECRET_WRONG:
            return ("Give the key together with its own secret, or with --private-key.",)
        case Verdict.LIVE_NO_PERMISSION:
            return (f"See what it may do at {KEY_PAGE}, and delete it if nothing uses it.",)
        case Verdict.INCONCLUSIVE:
            return ("Run this again from an address that the key is restricted to, or later.",)
        case _:
            return ()


def age_words(days: int | None) -> str:
    """Describe an age: in days, then months, then years."""
    if days is None:
        return "of unknown age"
    for least, length, noun in ((730, 365.25, "year"), (61, 30.44, "month"), (0, 1, "day")):
        if days >= least:
            count = int(days / length)
            return f"{count} {noun}{'' if count == 1 else 's'}"
    return "0 days"


def _rotation(age: int | None) -> Rotation:
    if age is None:
        return Rotation.UNKNOWN
    if age >= ROTATE_AFTER_DAYS:
        return Rotation.DUE
    return Rotation.SOON if age >= PLAN_AFTER_DAYS else Rotation.FRESH


def _days(moment: int | None, now: datetime, *, past: bool) -> int | None:
    """Return the whole days since or until a time in milliseconds; an age is never negative."""
    if moment is None:
        return None
    passed = int(now.timestamp() * 1000) - moment
    return max(0, passed // _DAY) if past else -passed // _DAY
