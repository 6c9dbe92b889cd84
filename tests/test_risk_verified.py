"""Risk of what Binance was asked about: the tables and their document, the steps, the reasons, the order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest
from binance_leaks.findings import Finding, Risk
from binance_leaks.model import UNDECIDED, Confidence, Environment, Exposure, Kind, Location, RiskLevel
from binance_leaks.risk import (
    LIVE_LEVELS,
    OTHER_LEVELS,
    Power,
    Reach,
    assess,
    order,
    power_of,
    priority,
    reach_of,
    system_of,
)
from binance_leaks.verification import PERMISSION_TIERS, Cause, Permissions, Tier, Verdict, Verification

from tests.report.examples import RANKED, live
from tests.test_risk import at, credential

DOCUMENT = Path(__file__).resolve().parents[1] / "docs/risk.md"
READING = "enableReading"
SPOT = "enableSpotAndMarginTrading"
LAPSED = 1_500_000_000_000
PLAYING = (Environment.TESTNET, Environment.FUTURES_TESTNET, Environment.DEMO)
GRANTED: dict[Power, tuple[str, ...]] = {
    Power.WITHDRAW: (READING, SPOT, "enableWithdrawals"),
    Power.TRANSFER: (READING, "permitsUniversalTransfer"),
    Power.TRADE: (READING, SPOT),
    Power.READ: (READING,),
    Power.NOTHING: (),
}


def of_power(power: Power, *, restricted: bool | None = False) -> Verification:
    """A live key of the live exchange that may do this."""
    if power in GRANTED:
        return live(*GRANTED[power], ip_restricted=restricted)
    reported = Permissions(ip_restricted=restricted) if restricted is not None else None
    verdict = Verdict.LIVE_NO_PERMISSION if power is Power.REFUSED else Verdict.LIVE
    return Verification(verdict=verdict, environment=Environment.MAINNET, permissions=reported)


def of_verdict(verdict: Verdict, environment: Environment | None = None) -> Verification:
    """Where a key is unknown, it is so on every system that it could belong to."""
    return Verification(verdict=verdict, environment=environment, elsewhere=())


def level(verification: Verification | None, *places: Exposure, kind: Kind = Kind.KEY_PAIR) -> RiskLevel:
    return assess(credential(kind), at(*places), verification).level


def finding(verification: Verification | None, *, path: str = "a.py", exposure: Exposure = Exposure.PRESENT) -> Finding:
    """A pair that was judged."""
    pair = credential()
    places = tuple(replace(place, path=path) for place in at(exposure))
    return Finding(
        id=pair.id,
        kind=pair.kind,
        environment=pair.environment,
        confidence=pair.confidence,
        risk=assess(pair, places, verification),
        values=pair.values,
        locations=places,
        evidence=(),
        verification=verification,
    )


def ordered(ranked: list[Finding]) -> list[Finding]:
    """In the order of reports, from another order than they have."""
    turned = list(reversed(ranked))
    turned.sort(key=order)
    return turned


def documented(heading: str) -> Iterator[list[str]]:
    """The rows of the first table of a chapter of the document, without its heading."""
    chapter = DOCUMENT.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in chapter.splitlines() if line.startswith("|")]
    for row in rows[2:]:
        yield [cell.strip().strip("`") for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("verdict", [Verdict.NOT_FOUND, Verdict.MALFORMED])
def test_that_no_key_is_known_is_no_comfort_where_it_may_be_a_secret(verdict: Verdict) -> None:
    undecided = replace(credential(Kind.API_KEY), evidence=(UNDECIDED,))
    unknown = Verification(verdict=verdict, elsewhere=(Environment.MAINNET,))
    assert assess(undecided, at(), unknown).level is RiskLevel.MEDIUM
    assert assess(undecided, at()).level is RiskLevel.MEDIUM


def test_the_document_has_the_table_of_live_keys() -> None:
    rows = {row[0]: row[1:3] for row in documented("An active key, where money is real")}
    assert rows == {power.value: [level.value for level in LIVE_LEVELS[power]] for power in LIVE_LEVELS}
    assert list(rows) == [power.value for power in sorted(Power, reverse=True)]


def test_the_document_has_the_table_of_other_answers() -> None:
    rows = {row[0]: row[1:3] for row in documented("Other answers")}
    assert rows == {verdict.value: [level.value for level in levels] for verdict, levels in OTHER_LEVELS.items()}


def test_the_document_has_the_table_of_what_nobody_asked_about() -> None:
    rows = {row[0]: row[1:3] for row in documented("Not checked with Binance")}
    systems = (Environment.MAINNET, Environment.TESTNET)
    levels = {kind: [assess(credential(kind, system), at()).level.value for system in systems] for kind in Kind}
    assert rows == {kind.value: levels[kind] for kind in Kind}


@pytest.mark.parametrize("heading", ["An active key, where money is real", "Other answers", "Not checked with Binance"])
def test_the_document_gives_each_row_its_reason_and_source(heading: str) -> None:
    for row in documented(heading):
        assert len(row) == 5
        assert len(row[3]) > 10
        assert re.search(r"Binance|reported|belief|judgement", row[4])


@pytest.mark.parametrize("power", Power)
@pytest.mark.parametrize("restricted", [False, None, True])
def test_a_live_key_has_the_level_of_the_table(power: Power, restricted: bool | None) -> None:
    verification = of_power(power, restricted=restricted)
    assert power_of(verification) is power
    assert reach_of(verification) is {False: Reach.ANYWHERE, None: Reach.UNKNOWN, True: Reach.TRUSTED}[restricted]
    anywhere, trusted = LIVE_LEVELS[power]
    assert level(verification) is (trusted if restricted else anywhere)
    stays = "It works from trusted addresses only"
    reason = {
        False: "It works from any address.",
        None: "It is not known from where it works, so it is assumed to work from anywhere.",
        True: f"{stays}." if power is Power.NOTHING else f"{stays}; a thief inside that network can do it all.",
    }[restricted]
    if restricted and trusted < anywhere:
        reason = "One step down: it works from trusted addresses only."
    assert reason in assess(credential(), at(), verification).reasons


def test_an_address_list_takes_one_step_and_stops_at_the_row_beneath() -> None:
    """Who is inside the network can do at least what the tier beneath does from anywhere."""
    beneath = {
        Power.WITHDRAW: Power.TRANSFER,
        Power.UNKNOWN: Power.TRANSFER,
        Power.TRANSFER: Power.TRADE,
        Power.TRADE: Power.READ,
        Power.REFUSED: Power.READ,
        Power.READ: Power.NOTHING,
        Power.NOTHING: Power.NOTHING,
    }
    assert beneath.keys() == LIVE_LEVELS.keys()
    for power, (anywhere, trusted) in LIVE_LEVELS.items():
        step = list(RiskLevel)[anywhere.rank - 1]
        assert trusted is max(step, LIVE_LEVELS[beneath[power]][0])


def test_a_higher_tier_is_never_of_less_risk() -> None:
    for column in (0, 1):
        levels = [LIVE_LEVELS[Power(tier.value)][column] for tier in Tier]
        assert levels == sorted(levels)


def test_names_that_a_server_wrote_are_made_safe() -> None:
    """Unsafe characters are replaced; what is long is shortened, and what could be a part of a key most of all."""
    odd = live(READING, "enable" + "9aB" * 12, "permits\x1b[31m", "enableSpot_V2", "enable2FAReset")
    assert power_of(odd) is Power.TRADE
    named = "enable2FAReset, enable9..., enableSpot_V2, permits__31m"
    assert f"Not known here, counted as trading at least: {named}." in assess(credential(), at(), odd).reasons
    long = Permissions(granted=("enableWhatNobodyHasHeardOf" * 3,)).nameable()
    assert long.granted[0].startswith("enableWhatNobodyHasHeardOfenable")
    assert len(long.granted[0]) == 48
    assert long.nameable() == long
    for known in PERMISSION_TIERS:
        assert Permissions(denied=(known,)).nameable().denied == (known,)


@pytest.mark.parametrize("name", PERMISSION_TIERS)
def test_every_documented_permission_counts(name: str) -> None:
    assert power_of(live(name)) is Power(PERMISSION_TIERS[name].value)


def test_unknown_permissions_count_as_trading_and_are_named() -> None:
    alone, beside = live(READING, "enableTeleport"), live(READING, "enableWithdrawals", "enableTeleport")
    assert level(alone) is LIVE_LEVELS[Power.TRADE][0]
    assert level(beside) is LIVE_LEVELS[Power.WITHDRAW][0]
    for verification in (alone, beside):
        assert any("enableTeleport" in reason for reason in assess(credential(), at(), verification).reasons)


def test_trading_that_had_lapsed_when_it_was_asked_does_not_count() -> None:
    lapsed = live(READING, SPOT, ends=LAPSED)
    assert lapsed.tier is Tier.READ
    assert level(lapsed) is LIVE_LEVELS[Power.READ][0]
    assert (
        "Its right to trade spot and margin has lapsed, and does not count."
        in assess(credential(), at(), lapsed).reasons
    )
    assert power_of(live(READING, SPOT, ends=LAPSED * 2)) is Power.TRADE
    assert power_of(live(READING, SPOT, "enableFutures", ends=LAPSED)) is Power.TRADE
    assert power_of(replace(lapsed, checked_at=None)) is Power.TRADE, "without a moment nothing has lapsed"
    assert power_of(replace(lapsed, checked_at="yesterday")) is Power.TRADE


def test_a_live_key_without_reported_rights_is_judged_as_if_it_could_do_anything() -> None:
    us = Verification(verdict=Verdict.LIVE, environment=Environment.US)
    risk = assess(credential(environment=Environment.US), at(), us)
    assert risk.level is RiskLevel.CRITICAL
    assert "its permissions are not known" in risk.reasons[0]
    assert "It belongs to Binance.US, where money is real." in risk.reasons


@pytest.mark.parametrize("environment", PLAYING)
@pytest.mark.parametrize("verdict", Verdict)
def test_play_money_is_info_to_low(environment: Environment, verdict: Verdict) -> None:
    for kind, system in product(Kind, (environment, None)):
        risk = assess(credential(kind, environment), at(), of_verdict(verdict, system))
        assert risk.level <= RiskLevel.LOW


def test_the_system_that_knew_the_key_decides() -> None:
    assert system_of(Environment.TESTNET, of_verdict(Verdict.LIVE, Environment.MAINNET)) is Environment.MAINNET
    assert system_of(Environment.TESTNET, of_verdict(Verdict.NOT_FOUND)) is Environment.TESTNET
    assert system_of(Environment.TESTNET, None) is Environment.TESTNET
    real = assess(credential(environment=Environment.TESTNET), at(), live(READING, SPOT))
    assert real.level is RiskLevel.HIGH
    play = assess(credential(environment=Environment.UNKNOWN), at(), of_verdict(Verdict.LIVE, Environment.DEMO))
    assert play.level is RiskLevel.LOW


@pytest.mark.parametrize("verdict", [Verdict.NOT_FOUND, Verdict.MALFORMED])
@pytest.mark.parametrize("kind", Kind)
def test_what_is_gone_is_still_to_be_removed(verdict: Verdict, kind: Kind) -> None:
    risk = assess(credential(kind), at(), of_verdict(verdict))
    assert risk.level is RiskLevel.INFO
    assert any("till remove it" in reason for reason in risk.reasons)
    assert "evoked" not in risk.reasons[0] or "Probably" in risk.reasons[0]


@pytest.mark.parametrize("verdict", [Verdict.NOT_FOUND, Verdict.MALFORMED])
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("elsewhere", [None, (Environment.TH,)])
def test_a_key_that_another_system_may_know_is_at_most_a_step_down(
    verdict: Verdict, kind: Kind, elsewhere: tuple[Environment, ...] | None
) -> None:
    """Also where an older report does not say which."""
    unknown = Verification(verdict=verdict, elsewhere=elsewhere)
    unasked = assess(credential(kind), at())
    risk = assess(credential(kind), at(), unknown)
    assert risk.level.rank == max(unasked.level.rank - 1, RiskLevel.LOW.rank)
    assert risk.reasons[0].startswith("Not known to Binance where it was checked, but other systems may know it")
    for system in PLAYING:
        play = credential(kind, system)
        assert assess(play, at(), unknown).level is assess(play, at()).level


def test_an_undecided_key_near_the_name_of_a_test_system_is_rated_as_of_unknown_environment() -> None:
    undecided = Verification(verdict=Verdict.INCONCLUSIVE, environment=Environment.UNKNOWN, cause=Cause.ADDRESS)
    risk = assess(credential(environment=Environment.TESTNET), at(), undecided)
    assert risk.level is RiskLevel.HIGH
    doubt = "nothing shows that it knows the key"
    assert risk.reasons[1] == assess(credential(), at()).reasons[0]
    assert doubt in risk.reasons[2]
    unnamed = assess(credential(environment=Environment.UNKNOWN), at(), replace(undecided, environment=None))
    assert not any(doubt in reason for reason in unnamed.reasons)


def test_a_private_key_that_is_encrypted_may_be_decrypted() -> None:
    def of(cause: Cause) -> Verification:
        return replace(of_verdict(Verdict.KEY_LIVE_SECRET_WRONG, Environment.MAINNET), cause=cause)

    assert level(of(Cause.ENCRYPTED), kind=Kind.API_KEY) is RiskLevel.MEDIUM
    assert level(of(Cause.BUDGET)) is level(None), "a secret that was not tried may be the right one"


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause not in (Cause.ENCRYPTED, Cause.UNUSABLE)])
def test_a_key_near_a_secret_that_could_not_be_tried_is_rated_as_unverified(cause: Cause) -> None:
    untried = replace(of_verdict(Verdict.KEY_LIVE_SECRET_WRONG, Environment.MAINNET), cause=cause)
    for confidence, exposure in product(Confidence, Exposure):
        found = credential(confidence=confidence)
        unasked, risk = assess(found, at(exposure)), assess(found, at(exposure), untried)
        assert risk.level is unasked.level
        assert "could not be tried" in risk.reasons[0]
    played = replace(untried, environment=Environment.TESTNET)
    assert level(played) is RiskLevel.INFO


def test_a_private_key_that_could_not_sign_makes_a_key_medium() -> None:
    unusable = replace(of_verdict(Verdict.KEY_LIVE_SECRET_WRONG, Environment.MAINNET), cause=Cause.UNUSABLE)
    risk = assess(credential(Kind.API_KEY), at(), unusable)
    assert risk.level is RiskLevel.MEDIUM
    assert "could not be used to sign" in risk.reasons[0]


def test_a_wrong_secret_is_a_lone_key() -> None:
    risk = assess(credential(), at(), of_verdict(Verdict.KEY_LIVE_SECRET_WRONG, Environment.MAINNET))
    assert risk.level is level(None, kind=Kind.API_KEY)
    assert "probably active" in risk.reasons[0]


@pytest.mark.parametrize("cause", [Cause.ADDRESS, Cause.NETWORK, Cause.STOPPED])
def test_a_pair_that_nobody_could_tell_of_is_a_step_below_a_live_one(cause: Cause) -> None:
    undecided = Verification(verdict=Verdict.INCONCLUSIVE, cause=cause)
    risk = assess(credential(), at(), undecided)
    assert risk.level.rank == level(of_power(Power.UNKNOWN)).rank - 1
    assert "one step down" in risk.reasons[0]
    for other in (credential(Kind.API_KEY), credential(environment=Environment.DEMO)):
        assert "one step down" not in assess(other, at(), undecided).reasons[0]


def test_a_question_without_an_answer_changes_no_level() -> None:
    unanswered = (Verdict.INCONCLUSIVE, Verdict.NOT_ASKED, Verdict.NOT_VERIFIABLE)
    for case in product(Kind, Environment, Confidence, unanswered, Exposure):
        kind, environment, confidence, verdict, exposure = case
        found = credential(kind, environment, confidence)
        unasked, risk = assess(found, at(exposure)), assess(found, at(exposure), of_verdict(verdict))
        assert risk.level is unasked.level, case
        if verdict is not Verdict.INCONCLUSIVE:
            assert risk == unasked, case


def test_a_documented_example_stays_one() -> None:
    assert assess(credential(known_example=True), at(), live("enableWithdrawals")).level is RiskLevel.INFO


def test_a_live_key_is_no_longer_doubted() -> None:
    doubtful = credential(confidence=Confidence.LOW)
    assert assess(doubtful, at(), live(READING, SPOT)).level is RiskLevel.HIGH


def test_a_hidden_place_takes_a_step_unless_it_was_pushed() -> None:
    hidden = at(Exposure.UNREACHABLE)
    pushed = [replace(place, pushed=True) for place in hidden]
    trade = live(READING, SPOT)
    assert assess(credential(), hidden, trade).level is RiskLevel.MEDIUM
    assert assess(credential(), pushed, trade).level is RiskLevel.HIGH
    assert assess(credential(), at(Exposure.HISTORY), trade).level is RiskLevel.HIGH
    playing = of_verdict(Verdict.LIVE, Environment.DEMO)
    assert [level(playing, each) for each in (Exposure.HISTORY, Exposure.UNREACHABLE)] == [
        RiskLevel.LOW,
        RiskLevel.INFO,
    ]
    least = assess(credential(), hidden, live(READING, ip_restricted=True))
    assert least.level is RiskLevel.LOW
    assert not any("branch" in reason for reason in least.reasons), "a step that was not taken is not reported"


@pytest.mark.parametrize("verdict", Verdict)
def test_every_level_reports_why_in_plain_sentences(verdict: Verdict) -> None:
    for kind, environment, exposure in product(Kind, Environment, Exposure):
        reasons = assess(credential(kind, environment), at(exposure), of_verdict(verdict)).reasons
        assert all(reason.endswith(".") and len(reason) <= 110 for reason in reasons)
        assert reasons
    for power, restricted in product(Power, (False, None, True)):
        first, *_ = assess(credential(), at(), of_power(power, restricted=restricted)).reasons
        assert first.startswith(("Active", "Probably active"))


def test_the_most_severe_comes_first() -> None:
    """As the seven are listed: withdraw, transfer, trade, trade from few addresses, read, wrong secret, revoked."""
    ranked = [finding(verification) for _, verification in RANKED]
    assert [priority(one) for one in ranked] == sorted({priority(one) for one in ranked}, reverse=True)
    for seed in range(20):
        shuffled = Random(seed).sample(ranked, len(ranked))
        assert sorted(shuffled, key=order) == ranked


@pytest.mark.parametrize("restricted", [False, None, True])
def test_whether_a_key_that_withdraws_has_an_address_list_or_not_it_comes_first(restricted: bool | None) -> None:
    ranked = [finding(of_power(Power.WITHDRAW, restricted=restricted)), *[finding(one) for _, one in RANKED[1:]]]
    assert ordered(ranked) == ranked


def test_of_one_right_and_level_the_wider_reach_comes_first() -> None:
    ranked = [finding(of_power(Power.WITHDRAW, restricted=restricted)) for restricted in (False, None, True)]
    assert len({one.risk.level for one in ranked}) == 1
    assert ordered(ranked) == ranked


def test_priority_follows_the_level_and_keeps_its_bounds() -> None:
    pairs = [finding(of_power(power, restricted=each)) for power, each in product(Power, (False, None, True))]
    pairs += [finding(of_verdict(verdict)) for verdict in Verdict]
    assert all(0 <= priority(one) <= 100 for one in pairs)
    for one, other in combinations(pairs, 2):
        if one.risk.level != other.risk.level:
            assert (priority(one) > priority(other)) == (one.risk.level > other.risk.level)


def test_within_a_level_what_is_known_of_a_key_orders_it() -> None:
    playing = Verification(verdict=Verdict.LIVE, environment=Environment.DEMO)
    elsewhere = Verification(verdict=Verdict.NOT_FOUND, elsewhere=(Environment.TH,))
    groups: list[list[Verification | None]] = [
        [of_verdict(Verdict.NOT_FOUND)],
        [of_verdict(Verdict.MALFORMED)],
        [playing],
        [of_verdict(Verdict.KEY_LIVE_SECRET_WRONG), elsewhere],
        [None, of_verdict(Verdict.NOT_ASKED), of_verdict(Verdict.NOT_VERIFIABLE)],
        [of_verdict(Verdict.INCONCLUSIVE)],
    ]
    groups += [[of_power(power, restricted=restricted)] for power in Power for restricted in (True, None, False)]
    high = Risk(level=RiskLevel.HIGH, reasons=())
    ranks = [{priority(replace(finding(one), risk=high)) for one in group} for group in groups]
    assert all(len(each) == 1 for each in ranks)
    ascending = [rank for each in ranks for rank in each]
    assert ascending == sorted(set(ascending))
    assert ascending[0] == 20 * RiskLevel.HIGH.rank
    assert ascending[-1] < 20 * RiskLevel.CRITICAL.rank


def test_among_equals_what_can_be_seen_comes_first() -> None:
    trade = live(READING, SPOT)
    pushed = finding(trade, path="d.py", exposure=Exposure.HISTORY)
    pushed = replace(pushed, locations=tuple(replace(place, pushed=True) for place in pushed.locations))
    ranked = [
        finding(trade, path="z.py", exposure=Exposure.PRESENT),
        finding(trade, path="y.py", exposure=Exposure.STAGED),
        pushed,
        finding(trade, path="a.py", exposure=Exposure.HISTORY),
    ]
    assert ordered(ranked) == ranked


def test_without_a_verification_the_order_is_by_level_confidence_and_place() -> None:
    places = [Location(role=place.role, path="a.py", line=3, column=1, exposure=Exposure.HISTORY) for place in at()]
    first = finding(None, path="b.py")
    doubted = replace(first, confidence=Confidence.LOW)
    ranked = [
        replace(first, risk=Risk(level=RiskLevel.CRITICAL, reasons=()), locations=tuple(places)),
        replace(first, locations=tuple(places)),
        first,
        doubted,
    ]
    assert ordered(ranked) == ranked
