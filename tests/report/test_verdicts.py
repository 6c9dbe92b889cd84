"""What Binance answered, in every format: nothing missing, nothing certain that is not, nothing that a server wrote."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import cast

import pytest
from binance_leaks.findings import Finding, Result
from binance_leaks.model import Environment
from binance_leaks.report import FORMAT_NAMES, View, format_named
from binance_leaks.report.rules import rule_of
from binance_leaks.report.sanitize import markdown_sentences
from binance_leaks.report.stored import read_report
from binance_leaks.report.verification_text import VERDICT_NAMES, count_verdicts, describe_verdict
from binance_leaks.verification import Permissions, Verdict, Verification
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from . import examples
from .test_stored import changed_result, put

READING, SPOT = examples.READING, examples.SPOT
FULL = View(show_suppressed=True, verbose=True, width=400)
UNSURE = {
    Verdict.LIVE_NO_PERMISSION,
    Verdict.KEY_LIVE_SECRET_WRONG,
    Verdict.NOT_FOUND,
    Verdict.MALFORMED,
    Verdict.INCONCLUSIVE,
}


def rendered(name: str, result: Result) -> str:
    """The report as one line of what a reader sees."""
    text = format_named(name).render(result, FULL)
    text = text.encode().decode("unicode_escape") if name in ("json", "sarif", "gitlab") else text
    return " ".join(text.replace("`", "").replace("%2C", ",").split())


def of(*verifications: Verification | None) -> Result:
    result = examples.verified_result()
    findings = [examples.judged(result.findings[0], verification) for verification in verifications]
    return replace(result, findings=tuple(findings))


def findings_of(*verifications: Verification | None) -> list[Finding]:
    return list(of(*verifications).findings)


@pytest.mark.parametrize("known", Verdict)
def test_no_verdict_is_more_certain_than_what_is_known(known: Verdict) -> None:
    words = VERDICT_NAMES[known]
    assert ("probably" in words or "state unknown" in words) == (known in UNSURE)
    assert not re.search(r"\bdead\b|\binvalid\b", words)


def test_a_verdict_reports_rights_and_addresses() -> None:
    reported = {
        describe_verdict(
            examples.live(READING, "enableWithdrawals", ip_restricted=True)
        ): "active, can withdraw, from trusted",
        describe_verdict(examples.live(READING, SPOT)): "active, can trade, from any address",
        describe_verdict(examples.live(READING, ip_restricted=None)): "active, read only, addresses unknown",
        describe_verdict(examples.live()): "active, no permissions, from any address",
        describe_verdict(Verification(verdict=Verdict.LIVE)): "active, permissions unknown",
        describe_verdict(Verification(verdict=Verdict.LIVE_NO_PERMISSION)): "probably active, permissions unknown",
        describe_verdict(Verification(verdict=Verdict.NOT_ASKED)): "not checked",
    }
    for words, start in reported.items():
        assert words.startswith(start)


@pytest.mark.parametrize("name", sorted({*FORMAT_NAMES} - {"csv", "json"}))
def test_every_format_reports_the_verdict_of_each(name: str) -> None:
    result = examples.verified_result()
    text = rendered(name, result)
    for finding in result.findings:
        assert finding.verification is not None
        assert describe_verdict(finding.verification) in text


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_every_format_reports_who_answered_and_when(name: str) -> None:
    text = rendered(name, of(examples.live(READING, SPOT)))
    assert "api.binance.com" in text
    assert re.search(r"2026-05-04[T ]03:02", text)


@pytest.mark.parametrize("name", ["text", "markdown", "github", "junit", "gitlab"])
def test_readers_are_reported_the_rights_and_the_note(name: str) -> None:
    text = rendered(name, examples.verified_result())
    assert "read yes; trade yes (futures, spot and margin); transfer no; withdraw no" in text
    assert "withdraw no; unknown permissions enableCopyTrading" in text
    assert "created 2023-11-14; spot and margin trading until 2026-09-21" in text
    assert "That does not mean it is dead (code -2015)." in text


def test_what_was_reported_of_no_tier_is_not_made_up() -> None:
    some = replace(examples.live(), permissions=Permissions(granted=(READING,), ip_restricted=False))
    text = rendered("text", of(some))
    assert "Permissions: read yes." in text


@pytest.mark.parametrize("name", ["text", "markdown", "github", "junit", "html"])
def test_a_line_sums_up_how_many_live(name: str) -> None:
    sums = (
        "Verified: 5 active (1 can withdraw, 1 can transfer, 2 can trade, 1 read only), 1 without the right secret, "
        "1 unknown, 1 not checked, 1 probably revoked."
    )
    assert sums in rendered(name, examples.verified_result())


def test_the_sum_reports_the_unsure_and_the_unreal_apart() -> None:
    play = Verification(verdict=Verdict.LIVE, environment=Environment.TESTNET)
    refused = Verification(verdict=Verdict.LIVE_NO_PERMISSION, environment=Environment.MAINNET)
    assert count_verdicts(findings_of(play, refused, None)) == (
        "Verified: 0 active, 1 probably active (permissions unknown), 1 active on test systems, 1 not verified."
    )
    assert count_verdicts(findings_of(None)) == ""


def test_a_key_that_lives_elsewhere_is_filed_where_it_lives() -> None:
    finding = replace(findings_of(examples.live(READING))[0], environment=Environment.TESTNET)
    assert rule_of(finding).id == "binance-key-pair"
    play = replace(finding, verification=Verification(verdict=Verdict.LIVE, environment=Environment.TESTNET))
    assert rule_of(play).id == "binance-testnet-key-pair"


def test_sarif_ranks_by_risk() -> None:
    results = json.loads(format_named("sarif").render(examples.verified_result(), View()))["runs"][0]["results"]
    ranks = [one["rank"] for one in results]
    assert ranks == sorted(set(ranks), reverse=True)
    assert [one["level"] for one in results] == ["error"] * 6 + ["warning"] * 3
    assert results[0]["properties"]["verification"]["tier"] == "withdraw"
    plain = json.loads(format_named("sarif").render(examples.files_result(), View()))["runs"][0]["results"]
    assert not any("rank" in one or "verification" in one["properties"] for one in plain)


def test_github_does_not_ask_to_revoke_what_is_gone() -> None:
    text = format_named("github").render(examples.verified_result(), View())
    (gone,) = [line for line in text.splitlines() if "title=INFO" in line]
    assert "Check that it is really revoked, and remove it." in gone
    assert text.count("Revoke it first") == 8


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_what_a_server_wrote_is_not_repeated(name: str) -> None:
    """Names of permissions come from a server."""
    value = examples.Maker(77).raw().decode()
    odd = replace(examples.live(), permissions=Permissions(granted=(f"enable{value[:40]}", "enable\x1b[31m::error::x")))
    text = format_named(name).render(of(odd), FULL)
    assert value[4:20] not in "".join(text.split())
    assert "enab" in text
    assert "\x1b" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines()) or name == "github"


@pytest.mark.parametrize("known", Verdict)
def test_a_stored_verification_is_reported_as_before(known: Verdict) -> None:
    variants = (
        Verification(verdict=known),
        replace(examples.live(READING, SPOT, ip_restricted=None), verdict=known, swapped=True, key="0a" * 32),
        replace(examples.UNDECIDED, verdict=known, permissions=Permissions(ip_restricted=True), secret="0b" * 32),
        replace(examples.NOT_ASKED, verdict=known, permissions=Permissions()),
    )
    result = of(*variants, None)
    again = read_report(format_named("json").render(result, FULL).encode(), "r")
    for name in FORMAT_NAMES:
        assert format_named(name).render(again, FULL) == format_named(name).render(result, FULL), name


@pytest.mark.parametrize(
    ("key", "value", "reported"),
    [
        ("verdict", "dead", "verification.verdict must be one of live"),
        ("cause", "moon", "verification.cause must be one of address"),
        ("environment", "moon", "verification.environment must be one of mainnet"),
        ("permissions", [], "verification.permissions must be an object"),
        ("permissions", {"enableX1; rm": True}, "verification.permissions has a name that is not a permission"),
        ("permissions", {"enableReading": "yes"}, "verification.permissions.enableReading must be true or false"),
        ("permissions", {"createTime": 10**30}, "createTime must be a moment in milliseconds since 1970"),
        ("ip_restricted", 1, "verification.ip_restricted must be true or false"),
        ("host", "evil.example/::error::", "verification.host is not a host"),
        ("host", "a" * 64, "verification.host is not a host"),
        ("checked_at", "2026-05-04T03:02:01+02:00", "verification.checked_at is not a moment in UTC"),
        ("note", 7, "verification.note must be text"),
        ("key_sha256", "x", "verification.key_sha256 is not a SHA-256 digest"),
        ("swapped", "no", "verification.swapped must be true or false"),
    ],
)
def test_another_shape_is_refused_by_its_place(key: str, value: object, reported: str) -> None:
    with pytest.raises(Exception, match=re.escape(reported)):
        read_report(changed_result(examples.verified_result(), put(value, "findings", 0, "verification", key)), "r")


def test_a_report_without_what_goes_further_is_read() -> None:
    def change(report: dict[str, object]) -> None:
        for finding in cast("list[dict[str, dict[str, object]]]", report["findings"]):
            for key in ("cause", "environment", "swapped", "key_sha256", "secret_sha256"):
                del finding["verification"][key]

    again = read_report(changed_result(examples.verified_result(), change), "r")
    first = again.findings[0].verification
    assert first is not None
    assert first == replace(examples.RANKED[0][1], environment=None)


@settings(max_examples=200)
@given(text=st.text(st.sampled_from("`|\\*_[]()<>#@&;:/.?~$-+ ab1\u200b\u00a0"), max_size=30))
def test_words_make_no_markup(text: str) -> None:
    tokens = (
        MarkdownIt("gfm-like", {"html": True, "linkify": True})
        .parseInline(f"see {markdown_sentences(text)} there")[0]
        .children
    )
    assert tokens is not None
    assert {token.type for token in tokens} <= {"text", "code_inline"}


def test_only_words_that_are_more_are_code() -> None:
    assert (
        markdown_sentences("Active: api.binance.com (a.b, c) took it.")
        == "Active: `api.binance.com` (`a.b`, c) took it."
    )
    assert markdown_sentences("at 03:02 it said -2015.") == "at `03:02` it said -2015."
