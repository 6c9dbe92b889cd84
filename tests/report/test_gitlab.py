"""The gitlab report: GitLab's schema, identities, and what GitLab makes of places."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timezone
from typing import cast

import pytest
from binance_leaks.findings import Result
from binance_leaks.model import RiskLevel, Role
from binance_leaks.report import View
from binance_leaks.report.gitlab import render_gitlab
from jsonschema import Draft7Validator, ValidationError
from markdown_it import MarkdownIt

from . import examples
from .examples import Hostile
from .gitlab_schema import SCHEMA
from .test_text import HOSTILE

Node = dict[str, object]


def report_of(result: Result, view: View | None = None) -> Node:
    """The rendered report, after the schema has been held against it."""
    report = json.loads(render_gitlab(result, view or View()))
    Draft7Validator(SCHEMA).validate(report)
    return cast("Node", report)


def vulnerabilities(result: Result, view: View | None = None) -> list[Node]:
    return cast("list[Node]", report_of(result, view)["vulnerabilities"])


@pytest.mark.parametrize("name", examples.RESULTS)
@pytest.mark.parametrize("show_suppressed", [False, True])
def test_it_is_valid(name: str, show_suppressed: bool) -> None:
    result = examples.RESULTS[name]()
    found = vulnerabilities(result, View(show_suppressed=show_suppressed))
    assert len(found) == len(result.findings) + show_suppressed * len(result.suppressed)


def test_the_schema_refuses_another_shape() -> None:
    Draft7Validator.check_schema(SCHEMA)
    report = report_of(examples.files_result())
    del cast("Node", cast("list[Node]", report["vulnerabilities"])[0]["location"])["commit"]
    with pytest.raises(ValidationError):
        Draft7Validator(SCHEMA).validate(report)


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_names_leave_it_valid(made: Hostile) -> None:
    for hostile in (*HOSTILE, ""):
        vulnerabilities(made(hostile), View(show_suppressed=True))


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("hostile", ["[x](http://e.example)", "![x](y)", "<img src=x>", "@all", "`", "**b**\\", "a`|b"])
def test_the_description_shows_what_is_hostile_as_code(hostile: str, made: Hostile) -> None:
    """GitLab reads it as Markdown."""
    description = str(vulnerabilities(made(hostile))[0]["description"])
    outside = re.sub(r"<code>.*?</code>", "", MarkdownIt("commonmark").render(description))
    assert not any(f"<{tag}" in outside for tag in ("a ", "img", "strong"))
    assert "@all" not in outside


def test_ids_are_the_credentials_own() -> None:
    result = examples.history_result()
    moved = tuple(
        replace(finding, locations=tuple(replace(place, line=place.line + 1) for place in finding.locations))
        for finding in result.findings
    )
    ids = [found["id"] for found in vulnerabilities(result)]
    assert ids == [found["id"] for found in vulnerabilities(replace(result, findings=moved))]
    assert len(set(map(str, ids))) == 2
    for found, finding in zip(vulnerabilities(result), result.findings, strict=True):
        assert cast("list[Node]", found["identifiers"])[0]["value"] == finding.id


def test_two_keys_on_one_line_share_no_identifier_but_the_cwe() -> None:
    """GitLab would take them for one."""
    places = [examples.at("bot.py", 3)]
    first, second = (
        examples.Maker(seed).finding(Role.API_KEY, locations=places, level=RiskLevel.LOW) for seed in (1, 2)
    )
    found = vulnerabilities(replace(examples.clean_result(), findings=(first, second)))
    names = [{str(one["value"]) for one in cast("list[Node]", each["identifiers"])} for each in found]
    assert found[0]["location"] == found[1]["location"]
    assert names[0] & names[1] == {"798"}


def test_severity_is_the_risk() -> None:
    finding = examples.files_result().findings[0]
    for level in RiskLevel:
        shown = replace(finding, risk=replace(finding.risk, level=level))
        (found,) = vulnerabilities(replace(examples.clean_result(), findings=(shown,)))
        assert found["severity"] == level.value.title()


def test_a_place_has_its_commit() -> None:
    location = cast("Node", vulnerabilities(examples.history_result())[1]["location"])
    assert (location["file"], location["start_line"], location["end_line"]) == ("conf.py", 1, 1)
    assert cast("Node", location["commit"]) == {
        "sha": examples.LATER.id,
        "author": examples.LATER.author,
        "date": examples.LATER.date,
        "message": examples.LATER.subject,
    }
    outside = cast("Node", vulnerabilities(examples.files_result())[0]["location"])
    assert outside["commit"] == {"sha": "0000000"}


def test_a_member_of_an_archive_is_reported_by_the_archive() -> None:
    found = vulnerabilities(examples.files_result())[2]
    assert cast("Node", found["location"])["file"] == "app.jar"
    assert "app.jar!/conf/app.properties:4:22" in str(found["description"])


def test_the_scan_reports_when_and_whether_it_is_whole() -> None:
    moment = datetime(2026, 3, 1, 0, 0, 30, tzinfo=timezone.utc)
    scan = cast("Node", report_of(examples.history_result(), View(moment=moment))["scan"])
    assert (scan["start_time"], scan["end_time"]) == ("2026-02-28T23:59:14", "2026-03-01T00:00:30")
    assert (scan["status"], scan["messages"]) == (
        "failure",
        [{"level": "fatal", "value": "the rest of the scan: interrupted"}],
    )
    partly = cast("Node", report_of(examples.files_result())["scan"])
    assert [one["level"] for one in cast("list[Node]", partly["messages"])] == ["warn"] * 12 + ["info"]
    assert cast("Node", report_of(examples.clean_result())["scan"])["status"] == "success"


def test_suppressed_ones_are_flagged() -> None:
    found = vulnerabilities(examples.files_result(), View(show_suppressed=True))
    assert ["flags" in one for one in found] == [False] * 5 + [True] * 2
    assert "a made-up value" in str(found[5]["flags"])


def test_a_file_of_a_fleet_is_below_the_name_of_its_repository() -> None:
    found = vulnerabilities(examples.fleet_result())
    files = [cast("Node", one["location"])["file"] for one in found]
    assert files[:3] == [
        "team/bot/bot/settings.py",
        "ops/deploy tools/k8s/00/secret.yaml",
        "srv/git/old.git/conf/live.env",
    ]
    details = [cast("dict[str, Node]", one["details"]) for one in found]
    assert [one["mark"]["value"] for one in details] == ["still there", "NEW", "gone", "still there"]
    assert details[0]["repositories"]["value"] == "9"
    assert details[0]["unlisted"]["value"] == "4,950 more locations in the store"
    assert "`forks/user-0: conf/live.env:3:12`" in str(found[0]["description"])
