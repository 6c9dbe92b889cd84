"""What to do about verified findings: by verdict and rights, in order, for which keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import pytest
from binance_leaks.environments import KEY_PAGE
from binance_leaks.findings import Finding, Result, SourceKind
from binance_leaks.model import Environment, Exposure, RiskLevel, Role
from binance_leaks.report import View, format_named
from binance_leaks.report.advice import steps
from binance_leaks.report.remedies import Step
from binance_leaks.verification import Verdict, Verification

from . import examples

READING, SPOT = examples.READING, examples.SPOT
TEN_MINUTES = (
    "delete the key",
    "keys that you did not create",
    "password",
    "two-factor",
    "whitelist",
    "trades, orders and withdrawals",
    "ticket",
    "leak",
)


def result_of(
    *verifications: Verification | None,
    environment: Environment = Environment.MAINNET,
    source: SourceKind = SourceKind.FILES,
    exposure: Exposure = Exposure.PRESENT,
) -> Result:
    """A pair for each of them."""
    make = examples.Maker(21)
    findings = [
        make.finding(
            Role.API_KEY,
            Role.SECRET_KEY,
            locations=examples.pair_at("a.env", 1, exposure),
            level=RiskLevel.HIGH,
            environment=environment,
        )
        for _ in verifications
    ]
    judged = map(examples.judged, findings, verifications)
    return replace(examples.clean_result(source=source), findings=tuple(judged))


def texts(result: Result) -> list[str]:
    return [step.describe(str) for step in steps(result)]


def mask(finding: Finding) -> str:
    return finding.values[0].masked


def assert_in_order(reported: Sequence[str], words: Sequence[str]) -> None:
    """Each of the words in a later text than the one before."""
    at = -1
    for word in words:
        at = next(n for n, text in enumerate(reported) if word in text and n > at)


@pytest.mark.parametrize(
    "verification",
    [
        *[
            verification
            for name, verification in examples.RANKED
            if name in ("withdraw", "transfer", "trade", "trade-ip")
        ],
        Verification(verdict=Verdict.LIVE, environment=Environment.MAINNET),
        Verification(verdict=Verdict.LIVE_NO_PERMISSION, environment=Environment.MAINNET),
        examples.UNDECIDED,
    ],
)
def test_a_key_that_may_cost_money_has_the_whole_list_in_its_order(verification: Verification) -> None:
    result = result_of(verification)
    first = steps(result)[0]
    assert first.verbatim == (KEY_PAGE,)
    assert first.about == (mask(result.findings[0]),)
    assert_in_order(texts(result), TEN_MINUTES)
    assert any("sub-account" in text for text in texts(result))


def test_a_key_that_withdraws_is_reported_to_be_in_a_hurry() -> None:
    assert "immediately" in texts(result_of(examples.live(READING, "enableWithdrawals")))[0]
    assert "within ten minutes" in texts(result_of(examples.live(READING, SPOT)))[0]
    assert "treat it as active" in texts(result_of(examples.UNDECIDED))[0]


def test_a_key_that_reads_only_is_no_reason_to_reset_everything() -> None:
    reported = texts(result_of(examples.live(READING)))
    assert "it cannot move money: delete the key at" in reported[0]
    assert "could see balances" in reported[1]
    assert "can stay, unless" in reported[1]
    assert not any("Change the password" in text or "whitelist" in text for text in reported)


def test_what_is_probably_gone_is_removed_and_checked() -> None:
    reported = texts(result_of(examples.REVOKED))
    assert "still remove it, and check that the list no longer shows it" in reported[0]
    assert not any("password" in text or "Create a new key" in text for text in reported)


def test_a_wrong_secret_is_looked_for() -> None:
    reported = texts(result_of(examples.WRONG))
    assert "probably active" in reported[0]
    assert "Look for its secret elsewhere" in reported[1]


@pytest.mark.parametrize("verdict", [Verdict.LIVE, Verdict.INCONCLUSIVE, Verdict.KEY_LIVE_SECRET_WRONG])
def test_play_money_is_no_hurry(verdict: Verdict) -> None:
    reported = texts(result_of(Verification(verdict=verdict), environment=Environment.DEMO))
    assert "it holds no real money (demo trading)" in reported[0]
    assert not any("Change the password" in text for text in reported)


def test_the_key_page_is_for_keys_that_are_made_there() -> None:
    us = Verification(verdict=Verdict.LIVE, environment=Environment.US)
    assert not any(KEY_PAGE in step.verbatim for step in steps(result_of(us, environment=Environment.US)))
    assert steps(result_of(us, environment=Environment.US))[0].verbatim == (Environment.US.facts.key_page,)


@pytest.mark.parametrize("environment", Environment)
@pytest.mark.parametrize("verification", [None, *[Verification(verdict=each) for each in Verdict]])
def test_the_first_step_links_the_site_where_this_key_is_revoked(
    environment: Environment, verification: Verification | None
) -> None:
    first, *_ = steps(result_of(verification, environment=environment))
    assert environment.facts.key_page in first.verbatim
    assert environment.facts.key_menu in first.text


def test_a_key_that_another_system_may_know_is_looked_for_there() -> None:
    unknown = Verification(verdict=Verdict.NOT_FOUND, elsewhere=(Environment.US, Environment.TH))
    first, *_ = steps(result_of(unknown))
    assert "may be of another system (Binance.US, Binance TH)" in first.text
    assert first.verbatim == (KEY_PAGE, Environment.US.facts.key_page, Environment.TH.facts.key_page)


def test_the_most_severe_comes_first_and_each_list_names_its_keys() -> None:
    result = examples.verified_result()
    about = {step.about: step for step in steps(result) if step.about}
    by_name = {finding.locations[0].path.partition("/")[2].removesuffix(".env"): finding for finding in result.findings}
    money = ("withdraw", "transfer", "trade", "trade-ip")
    assert list(about) == [
        tuple(mask(by_name[name]) for name in money),
        *[(mask(by_name[name]),) for name in ("undecided", "read", "", "wrong", "revoked")],
    ]
    reported = texts(result)
    assert len(reported) == len(set(reported)), "nothing is reported twice"
    assert_in_order(
        reported, [*TEN_MINUTES[:-1], "treat it as active", "cannot move money", "close the leak", "filter-repo"]
    )


def test_every_verdict_has_its_steps() -> None:
    for verdict in Verdict:
        for environment in Environment:
            assert steps(result_of(Verification(verdict=verdict), environment=environment))[0].about


def test_a_commit_is_mended_first() -> None:
    staged = Exposure.STAGED
    trade = result_of(examples.live(READING, SPOT), source=SourceKind.STAGED, exposure=staged)
    reported = texts(trade)
    assert reported[0].startswith("Keep it out of git")
    assert "if it was ever pushed or shared, within ten minutes, disable or delete the key at" in reported[1]
    gone = texts(result_of(examples.REVOKED, source=SourceKind.STAGED, exposure=staged))
    assert "still remove it." in gone[1]


def test_without_a_verification_it_is_revoked_and_the_account_checked() -> None:
    first, second, *_ = steps(result_of(None))
    assert first == Step(
        text="First revoke it: until then, anyone who has seen it can use it. Do this at", verbatim=(KEY_PAGE,)
    )
    assert second.text == "Check the account for trades, withdrawals and API keys that are not yours."
    assert second not in steps(result_of(None, environment=Environment.TESTNET))


def test_many_keys_are_counted() -> None:
    result = result_of(*[examples.live(READING)] * 9)
    assert steps(result)[0].describe(str).startswith(f"For {mask(result.findings[0])}, ")
    assert "and 4 more: it cannot move money" in steps(result)[0].describe(str)
    assert "more" not in steps(result_of(*[examples.live(READING)] * 6))[0].describe(str)


@pytest.mark.parametrize("name", ["text", "markdown", "gitlab", "html"])
def test_masks_in_advice_are_shown_as_masks_anywhere(name: str) -> None:
    """They may come from a stored report."""
    result = result_of(examples.live(READING))
    finding = result.findings[0]
    strange = tuple(replace(value, masked="<b>*…|[x]") for value in finding.values)
    text = format_named(name).render(replace(result, findings=(replace(finding, values=strange),)), View())
    assert name == "text" or "For <b>" not in text
    assert "For " in text


def test_no_step_is_empty() -> None:
    results = [result_of(Verification(verdict=verdict)) for verdict in Verdict]
    for step in chain.from_iterable(map(steps, results)):
        assert step.text
        assert step.text[-1] in ".:" or step.verbatim
