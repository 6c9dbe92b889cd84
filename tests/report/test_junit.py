"""The junit report: read by another library, and as Ant's schema wants it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from xml.etree import ElementTree as ET

import pytest
from binance_leaks.findings import Result
from binance_leaks.report import View
from binance_leaks.report.junit import render_junit
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from . import examples
from .examples import Hostile
from .test_text import HOSTILE

_SUITE = ("name", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time", "package", "id")


def suite_of(result: Result, *, show_suppressed: bool = False) -> TestSuite:
    """The one suite, as junitparser reads it."""
    whole = JUnitXml.fromstring(render_junit(result, View(show_suppressed=show_suppressed)).encode())
    (suite,) = list(whole)
    return suite


def outcomes(case: TestCase) -> list[type]:
    return [type(outcome) for outcome in case.result]


@pytest.mark.parametrize("name", examples.RESULTS)
@pytest.mark.parametrize("show_suppressed", [False, True])
def test_the_counts_are_those_of_the_cases(name: str, show_suppressed: bool) -> None:
    suite = suite_of(examples.RESULTS[name](), show_suppressed=show_suppressed)
    counted = (suite.tests, suite.failures, suite.errors, suite.skipped)
    kinds = [kind for case in suite for kind in outcomes(case)]
    assert counted == (len(list(suite)), kinds.count(Failure), kinds.count(Error), kinds.count(Skipped))


@pytest.mark.parametrize("name", examples.RESULTS)
def test_the_form_is_that_of_ant(name: str) -> None:
    root = ET.fromstring(render_junit(examples.RESULTS[name](), View(show_suppressed=True)))
    assert (root.tag, root.attrib) == ("testsuites", {})
    (suite,) = root
    assert sorted(suite.attrib) == sorted(_SUITE)
    tags = [child.tag for child in suite]
    assert tags == ["properties", *["testcase"] * int(suite.attrib["tests"]), "system-out", "system-err"]
    for case in suite.iter("testcase"):
        assert set(case.attrib) == {"name", "classname", "time"}
        assert len(case) <= 1
        assert {child.tag for child in case} <= {"failure", "error", "skipped"}


def test_a_clean_scan_has_one_case_that_passed() -> None:
    suite = suite_of(examples.clean_result())
    (case,) = list(suite)
    assert (case.name, case.result, suite.tests) == ("everything was read", [], 1)
    assert "No Binance credentials found in 1,234 files" in render_junit(examples.clean_result(), View())


def test_what_fails_is_a_failure_and_what_passes_is_skipped() -> None:
    whole, *cases = suite_of(examples.gate_result())
    assert whole.result == []
    assert [outcomes(case) for case in cases] == [[Failure]] + [[Skipped]] * 15
    assert cases[0].classname == "binance-leaks.binance-key-pair"
    assert cases[0].result[0].message.startswith("high: API key ")
    assert cases[1].result[0].message.startswith("It was already there before this change.")
    assert cases[2].classname == "binance-leaks.binance-testnet-api-key"
    suppressed = list(suite_of(examples.files_result(), show_suppressed=True))[-1]
    assert suppressed.result[0].message.startswith("Suppressed (config).")


def test_an_incomplete_scan_is_an_error() -> None:
    whole = next(iter(suite_of(examples.files_result())))
    assert outcomes(whole) == [Error]
    assert whole.result[0].message == "The scan is incomplete: 12 items not read"
    assert "data/part-11.bin: permission denied" in whole.result[0].text


def test_names_outlive_a_moved_line() -> None:
    def names(line: int) -> list[str]:
        finding = replace(examples.files_result().findings[3], locations=(examples.at("bot.py", line),))
        return [case.name for case in suite_of(replace(examples.clean_result(), findings=(finding,)))]

    assert names(1) == names(99)


def test_it_reports_when_and_how_long() -> None:
    moment = datetime(2026, 3, 1, 0, 0, 30, tzinfo=timezone.utc)
    root = ET.fromstring(render_junit(examples.files_result(), View(moment=moment)))
    assert (root[0].attrib["timestamp"], root[0].attrib["time"]) == ("2026-03-01T00:00:30", "0.812")


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_names_break_no_xml(made: Hostile) -> None:
    for hostile in (*HOSTILE, "]]>", "<failure/>", "&lol;", '"', "\ufffe\uffff\x00", "<!--"):
        cases = list(suite_of(made(hostile), show_suppressed=True))
        assert [outcomes(case) for case in cases] == [[Error], [Failure], [Skipped]]


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@settings(max_examples=80)
@given(hostile=st.text(st.characters(exclude_categories=()), max_size=100))
def test_any_text_is_well_formed(hostile: str, made: Hostile) -> None:
    ET.fromstring(render_junit(made(hostile), View(show_suppressed=True)))


def test_a_case_of_a_fleet_names_the_repository() -> None:
    root = ET.fromstring(render_junit(examples.fleet_result(), View()))
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert names[2].endswith(", in ops/deploy tools: k8s/00/secret.yaml")
    skipped = [case.attrib["message"] for case in root.iter("skipped")]
    assert skipped[0].startswith("It is gone: no repository of this run has it")
    assert "In 10 of 212 repositories; 2 could not be scanned." in str(root.findtext(".//system-out"))
