"""The audit of a key: every purpose against every tier, addresses, ages, ends, and what cannot be reported."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from binance_leaks.audit import (
    NEEDS,
    PERMISSION_WORDS,
    Audit,
    AuditOutcome,
    Purpose,
    Rotation,
    age_words,
    audit_of,
    needed_words,
)
from binance_leaks.model import Environment
from binance_leaks.verification import PERMISSION_TIERS, Permissions, Tier, Verdict, Verification

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
READ, SPOT, FUTURES = "enableReading", "enableSpotAndMarginTrading", "enableFutures"
TIERS: dict[Tier, tuple[str, ...]] = {
    Tier.READ: (READ,),
    Tier.TRADE: (READ, SPOT),
    Tier.TRANSFER: (READ, SPOT, "permitsUniversalTransfer"),
    Tier.WITHDRAW: (READ, SPOT, "permitsUniversalTransfer", "enableWithdrawals"),
}
READERS = (Purpose.TAX, Purpose.PORTFOLIO, Purpose.MONITOR)
TRADERS = (Purpose.GRID, Purpose.DCA, Purpose.ARBITRAGE, Purpose.TRADING_BOT)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def audited(
    *granted: str,
    purpose: Purpose | None = None,
    restricted: bool | None = True,
    age: timedelta | None = timedelta(days=5),
    ends: timedelta | None = None,
) -> Audit:
    permissions = Permissions(
        granted=granted,
        denied=tuple(name for name in PERMISSION_TIERS if name not in granted),
        ip_restricted=restricted,
        created=milliseconds(NOW - age) if age is not None else None,
        trading_ends=milliseconds(NOW + ends) if ends is not None else None,
    )
    verification = Verification(verdict=Verdict.LIVE, permissions=permissions, environment=Environment.MAINNET)
    return audit_of(verification, environment=Environment.UNKNOWN, purpose=purpose, now=NOW)


def test_every_permission_has_words_and_every_purpose_its_needs() -> None:
    assert PERMISSION_WORDS.keys() == PERMISSION_TIERS.keys()
    assert NEEDS.keys() == set(Purpose)
    assert needed_words(Purpose.TRADING_BOT) == "account data, and spot and margin orders or futures"


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("tier", Tier)
def test_every_purpose_against_every_tier(purpose: Purpose, tier: Tier) -> None:
    """Readers need no more than to read, traders not to transfer, nobody to withdraw; a reading key cannot trade."""
    audit = audited(*TIERS[tier], purpose=purpose)
    allowed = TIERS[Tier.READ] if purpose in READERS else TIERS[Tier.TRADE]
    assert audit.excess == tuple(name for name in PERMISSION_WORDS if name in TIERS[tier] and name not in allowed)
    assert audit.outcome is (AuditOutcome.FAILED if audit.excess else AuditOutcome.PASSED)
    assert bool(audit.lacks) is (purpose in TRADERS and tier is Tier.READ)
    assert bool(audit.faults) is (audit.outcome is AuditOutcome.FAILED)
    assert not audit.excess or "switch off" in audit.steps[0]


@pytest.mark.parametrize("purpose", Purpose)
def test_each_permission_alone(purpose: Purpose) -> None:
    fine = {READ, "enableFixReadOnly"}
    fine |= {SPOT} if purpose in TRADERS else set()
    fine |= {FUTURES, "enableFixApiTrade"} if purpose is Purpose.TRADING_BOT else set()
    for extra in (*PERMISSION_TIERS, "enableSomethingNew"):
        assert audited(READ, extra, purpose=purpose).excess == (() if extra in fine else (extra,)), extra


def test_a_bot_needs_spot_or_futures() -> None:
    assert audited(READ, FUTURES, purpose=Purpose.TRADING_BOT).lacks == ()
    assert audited(READ, purpose=Purpose.TRADING_BOT).lacks == ((SPOT, FUTURES),)
    assert audited(SPOT, purpose=Purpose.GRID).lacks == ((READ,),)
    lacking = audited(READ, purpose=Purpose.TRADING_BOT)
    assert lacking.outcome is AuditOutcome.PASSED
    assert lacking.warnings == ("It lacks what its purpose needs: spot and margin orders or futures.",)


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("restricted", [True, False, None])
def test_addresses_without_a_purpose(tier: Tier, restricted: bool | None) -> None:
    """Moving money from anywhere is wrong whatever the purpose; trading and reading so is warned of."""
    audit = audited(*TIERS[tier], restricted=restricted)
    moves = tier >= Tier.TRANSFER
    assert audit.outcome is (AuditOutcome.FAILED if moves and not restricted else AuditOutcome.PASSED)
    assert bool(audit.warnings) is (not restricted and not moves)
    assert any("Bind it" in step for step in audit.steps) is (not restricted)


def test_moving_money_from_anywhere_is_wrong_for_every_purpose() -> None:
    for purpose in Purpose:
        audit = audited(READ, "enableInternalTransfer", purpose=purpose, restricted=False)
        assert len(audit.faults) == 2
        assert "internal transfer" in audit.faults[1]


def test_unknown_permissions_are_reported() -> None:
    audit = audited(READ, "enableSomethingNew")
    assert audit.outcome is AuditOutcome.PASSED
    assert "enableSomethingNew" in audit.warnings[0]


@pytest.mark.parametrize(
    ("days", "rotation"),
    [(0, Rotation.FRESH), (90, Rotation.FRESH), (91, Rotation.SOON), (182, Rotation.SOON), (183, Rotation.DUE)],
)
def test_rotation(days: int, rotation: Rotation) -> None:
    audit = audited(READ, age=timedelta(days=days, hours=1))
    assert (audit.age_days, audit.rotation) == (days, rotation)
    assert bool(audit.warnings) is (rotation is not Rotation.FRESH)
    assert audit.outcome is AuditOutcome.PASSED


def test_ages_that_cannot_be() -> None:
    assert audited(READ, age=None).rotation is Rotation.UNKNOWN
    assert audited(READ, age=timedelta(days=-3)).age_days == 0


@pytest.mark.parametrize(
    ("days", "words"),
    [(None, "of unknown age"), (0, "0 days"), (1, "1 day"), (60, "60 days"), (61, "2 months"), (729, "23 months"),
     (731, "2 years"), (1200, "3 years")],
)  # fmt: skip
def test_ages_in_words(days: int | None, words: str) -> None:
    assert age_words(days) == words


def test_the_end_of_trading() -> None:
    assert audited(READ, SPOT).trading_days_left is None
    assert audited(READ, SPOT, ends=timedelta(days=10, hours=1)).trading_days_left == 10
    ended = audited(READ, SPOT, ends=timedelta(hours=-1))
    assert ended.trading_days_left == -1
    assert "has ended" in ended.warnings[0]


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.LIVE])
@pytest.mark.parametrize("purpose", [None, Purpose.TAX])
def test_without_an_answer_nothing_is_reported(verdict: Verdict, purpose: Purpose | None) -> None:
    audit = audit_of(Verification(verdict=verdict), environment=Environment.TESTNET, purpose=purpose, now=NOW)
    assert audit.outcome is AuditOutcome.UNKNOWN
    assert audit.faults == audit.excess == ()


@pytest.mark.parametrize("environment", Environment)
@pytest.mark.parametrize("purpose", [None, Purpose.TAX])
def test_active_where_permissions_are_not_reported(environment: Environment, purpose: Purpose | None) -> None:
    play = environment in (Environment.TESTNET, Environment.FUTURES_TESTNET, Environment.DEMO)
    audit = audit_of(Verification(verdict=Verdict.LIVE), environment=environment, purpose=purpose, now=NOW)
    assert audit.outcome is (AuditOutcome.PASSED if play and purpose is None else AuditOutcome.UNKNOWN)
