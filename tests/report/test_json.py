"""The json report: its contract, its schema, and that nothing hostile gets through."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import cast

import pytest
from binance_leaks.findings import Result, SourceKind
from binance_leaks.report import View
from binance_leaks.report.json import render_json
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from . import examples
from .examples import Hostile
from .test_text import HOSTILE

RESULTS: dict[str, Callable[[], Result]] = {
    "files": examples.files_result,
    "staged": examples.staged_result,
    "message": examples.message_result,
    "history": examples.history_result,
    "local": examples.local_result,
    "clean": examples.clean_result,
    "verified": examples.verified_result,
    "fleet": examples.fleet_result,
}


def schema() -> dict[str, object]:
    text = (files("binance_leaks.report") / "binance-leaks-1.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, object]", json.loads(text))


def parsed(result: Result, *, show_suppressed: bool = False) -> dict[str, object]:
    """The report of this result, after the schema has been held against it."""
    report = json.loads(render_json(result, View(show_suppressed=show_suppressed)))
    Draft202012Validator(schema()).validate(report)
    return cast("dict[str, object]", report)


def part(report: Mapping[str, object], *keys: str) -> dict[str, object]:
    """The object at these keys."""
    for key in keys:
        report = cast("dict[str, object]", report[key])
    return cast("dict[str, object]", report)


def findings(report: Mapping[str, object]) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", report["findings"])


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_the_schema_refuses_another_shape() -> None:
    report = parsed(examples.files_result())
    findings(report)[0]["value"] = "a field that is not in the contract"
    with pytest.raises(ValidationError):
        Draft202012Validator(schema()).validate(report)


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("show_suppressed", [False, True])
def test_every_report_follows_the_schema(name: str, show_suppressed: bool) -> None:
    parsed(RESULTS[name](), show_suppressed=show_suppressed)


def test_keys_come_in_the_order_of_the_contract() -> None:
    report = parsed(examples.history_result())
    finding = findings(report)[1]
    location = cast("list[dict[str, object]]", finding["locations"])[0]
    assert list(report) == ["schema", "tool", "scan", "findings"]
    assert list(part(report, "tool")) == ["name", "version"]
    assert list(part(report, "scan")) == [
        "source",
        "target",
        "repository",
        "rebase",
        "base_policy",
        "complete",
        "skipped",
        "stats",
    ]
    assert " ".join(finding) == (
        "id kind environment confidence risk values locations evidence suppressed fails verification mark unlisted"
    )
    assert list(part(finding, "risk")) == ["level", "reasons"]
    for value in cast("list[dict[str, object]]", finding["values"]):
        assert list(value) == ["role", "sha256", "masked"]
    assert list(location) == [
        "role",
        "path",
        "line",
        "column",
        "cell",
        "exposure",
        "commit",
        "blob",
        "refs",
        "removed",
        "pushed",
        "standing",
        "repository",
        "unlisted_refs",
        "replaceable",
        "allowed_by",
        "near_miss",
        "origin",
    ]
    for commit in ("commit", "removed"):
        assert list(part(location, commit)) == ["id", "author", "date", "subject"]
    assert finding["verification"] is None


def test_a_verification_has_the_keys_of_the_contract_first() -> None:
    reported = [part(finding, "verification") for finding in findings(parsed(examples.verified_result()))]
    contract = ["verdict", "tier", "permissions", "ip_restricted", "checked_at", "host", "note"]
    for one in reported:
        assert list(one) == [*contract, "cause", "environment", "swapped", "elsewhere", "key_sha256", "secret_sha256"]
    assert [one["tier"] for one in reported if one["verdict"] == "live"] == [
        "withdraw",
        "transfer",
        "trade",
        "trade",
        "read",
    ]
    assert part(reported[0], "permissions")["enableWithdrawals"] is True
    undecided = next(one for one in reported if one["verdict"] == "inconclusive")
    assert (undecided["tier"], undecided["permissions"], undecided["ip_restricted"]) == (None, {}, None)


def test_what_became_of_it_is_always_written() -> None:
    for result in (examples.files_result(), examples.local_result()):
        for finding in findings(parsed(result)):
            for location in cast("list[dict[str, object]]", finding["locations"]):
                assert location["pushed"] is False
                assert (location["removed"] is None) is (result.source is SourceKind.FILES)
    location = cast("list[dict[str, object]]", findings(parsed(examples.history_result()))[1]["locations"])[0]
    assert location["pushed"] is True
    assert part(location, "removed")["id"] == examples.LATER.id


@pytest.mark.parametrize("key", ["removed", "pushed"])
def test_the_schema_wants_them(key: str) -> None:
    report = parsed(examples.history_result())
    del cast("list[dict[str, object]]", findings(report)[0]["locations"])[0][key]
    with pytest.raises(ValidationError):
        Draft202012Validator(schema()).validate(report)


def test_suppressed_are_counted_or_listed() -> None:
    counted, listed = parsed(examples.files_result()), parsed(examples.files_result(), show_suppressed=True)
    for report in (counted, listed):
        assert part(report, "scan", "stats")["suppressed"] == 2
    assert len(findings(listed)) == len(findings(counted)) + 2
    assert [finding["suppressed"] for finding in findings(listed)[-2:]] == [
        {"by": "inline", "reason": "a made-up value"},
        {"by": "config", "reason": "a made-up value"},
    ]
    assert all(finding["suppressed"] is None for finding in findings(counted))


def test_interrupted_is_incomplete_and_reports_why() -> None:
    scan = part(parsed(examples.history_result()), "scan")
    assert scan["complete"] is False
    assert scan["skipped"] == [{"what": "the rest of the scan", "why": "interrupted"}]


def test_what_loses_nothing_leaves_it_complete() -> None:
    result = examples.files_result()
    harmless = replace(result, skipped=tuple(skipped for skipped in result.skipped if not skipped.lost))
    scan = part(parsed(harmless), "scan")
    assert scan["complete"] is True
    assert scan["skipped"] == [{"what": "vendor/lib", "why": "a submodule: scan it by itself"}]


def test_bytes_that_are_no_utf8_come_out_as_text() -> None:
    path = b"caf\xe9/\xff.env".decode("utf-8", "surrogateescape")
    report = parsed(examples.hostile_result(path))
    assert cast("list[dict[str, object]]", findings(report)[0]["locations"])[1]["path"] == r"caf\xe9/\xff.env"


def test_names_that_are_utf8_come_through() -> None:
    path = "配置/ключ.env"
    report = parsed(examples.hostile_result(path))
    assert cast("list[dict[str, object]]", findings(report)[0]["locations"])[1]["path"] == path


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_names_inject_nothing(made: Hostile) -> None:
    for hostile in HOSTILE:
        result = made(hostile)
        parsed(result, show_suppressed=True)
        text = render_json(result, View(show_suppressed=True))
        assert text.isascii()
        assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@settings(max_examples=60)
@given(hostile=st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_gives_valid_utf8(hostile: str, made: Hostile) -> None:
    report = parsed(made(hostile), show_suppressed=True)
    json.dumps(report, ensure_ascii=False).encode()


def test_digests_are_written() -> None:
    for result in (made() for made in RESULTS.values()):
        text = render_json(result, View(show_suppressed=True))
        findings = (*result.findings, *result.suppressed)
        assert [value for one in findings for value in one.values if value.sha256 not in text] == []
