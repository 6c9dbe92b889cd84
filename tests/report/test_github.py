"""The github report: read as the runner of GitHub Actions reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from binance_leaks.findings import Result
from binance_leaks.model import Exposure
from binance_leaks.report import View
from binance_leaks.report.github import render_github
from hypothesis import given, settings
from hypothesis import strategies as st

from . import examples
from .examples import Hostile
from .test_text import HOSTILE

_COMMAND = re.compile(r"^::(?P<name>[a-z-]+) ?(?P<properties>[^:]*)::(?P<data>.*)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """A workflow command, unescaped."""

    level: str
    properties: Mapping[str, str]
    message: str


def read(text: str) -> tuple[list[Annotation], list[str]]:
    """The commands, and the other lines. The runner takes any line that starts with `::`, blanks before it or not."""
    commands, others = [], []
    for line in text.splitlines():
        if not line.lstrip().startswith("::"):
            others.append(line)
            continue
        command = _COMMAND.match(line)
        assert command is not None, line
        pairs = (pair.split("=", 1) for pair in command["properties"].split(",") if pair)
        properties = {name: _unescaped(value.replace("%3A", ":").replace("%2C", ",")) for name, value in pairs}
        commands.append(Annotation(level=command["name"], properties=properties, message=_unescaped(command["data"])))
    return commands, others


def _unescaped(text: str) -> str:
    return text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")


def reported_for(result: Result, *, show_suppressed: bool = False) -> list[Annotation]:
    return read(render_github(result, View(show_suppressed=show_suppressed)))[0]


def test_levels_are_what_the_gate_reports() -> None:
    levels = [one.level for one in reported_for(examples.gate_result())]
    assert levels == ["error"] + ["warning"] * 10
    hidden = [one.level for one in reported_for(examples.files_result(), show_suppressed=True)]
    assert hidden == ["error"] * 6 + ["notice"] * 2


def test_an_annotation_is_where_the_value_is() -> None:
    pair, *others = reported_for(examples.gate_result())
    assert dict(pair.properties) == {
        "file": "bot/settings.py",
        "line": "12",
        "col": "12",
        "title": "HIGH Binance key pair, mainnet",
    }
    assert pair.message.startswith("API key ")
    assert "1f3a1f3a1f3a 2024-03-05 Jane Doe: Add the grid bot and its settings" in pair.message
    assert "It was already there before this change." in others[0].message
    assert "Its risk is below the gate." in others[1].message


def test_no_more_than_github_shows_and_the_rest_is_counted() -> None:
    *_, last = reported_for(examples.gate_result())
    assert last.message.startswith("6 more credentials")
    failing = replace(
        examples.gate_result(),
        findings=tuple(replace(finding, fails=True) for finding in examples.gate_result().findings),
        interrupted=True,
    )
    reported = reported_for(failing)
    assert [one.level for one in reported] == ["error"] * 10
    assert reported[0].properties["title"] == "The scan is incomplete: 1 item not read"
    assert reported[1].properties["title"].startswith("HIGH")
    assert reported[-1].message.startswith("8 more credentials")


def test_what_is_no_file_names_none() -> None:
    for path, exposure in (
        ("commit message", Exposure.MESSAGE),
        ("<stdin>", Exposure.PRESENT),
        ("blob:1", Exposure.UNREACHABLE),
    ):
        finding = replace(examples.files_result().findings[3], locations=(examples.at(path, 2, exposure=exposure),))
        (reported,) = reported_for(replace(examples.clean_result(), findings=(finding,)))
        assert set(reported.properties) == {"title"}
        assert f"{path}:2:1" in reported.message
    member = reported_for(examples.files_result())[3]
    assert member.properties["file"] == "app.jar"
    assert "line" not in member.properties


def test_a_clean_scan_annotates_nothing_and_reports_so() -> None:
    commands, others = read(render_github(examples.clean_result(), View()))
    assert commands == []
    assert others == ["No Binance credentials found in 1,234 files (56 MB, 0.8 s)."]


def test_a_long_list_of_what_was_not_read_is_bounded() -> None:
    skipped = examples.files_result().skipped[:1] * 500
    (reported,) = reported_for(replace(examples.clean_result(), skipped=skipped))
    assert reported.properties["title"] == "The scan is incomplete: 500 items not read"
    assert reported.message.endswith("and 480 more")


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize(
    "hostile",
    [
        *HOSTILE,
        "a\n::error::forged",
        "a\r::error::forged",
        "x::error file=y::z",
        "x,line=99,title=forged",
        "100%0A::error::forged",
        "##[error]forged",
        "::stop-commands::token",
    ],
)
def test_hostile_names_inject_no_command(hostile: str, made: Hostile) -> None:
    commands, others = read(render_github(made(hostile), View(show_suppressed=True)))
    assert [one.level for one in commands] == ["error", "error", "notice"]
    assert all(set(one.properties) <= {"file", "line", "col", "title"} for one in commands)
    assert not any("forged" in one.properties["title"] for one in commands)
    assert len(others) == 1


@settings(max_examples=80)
@given(hostile=st.text(st.characters(exclude_categories=()) | st.sampled_from("%:,\r\n#[]="), max_size=60))
def test_any_name_comes_back_whole_and_alone(hostile: str) -> None:
    commands, others = read(render_github(examples.hostile_result(hostile), View()))
    assert len(commands) == 2
    assert len(others) == 1


def test_a_file_of_a_fleet_is_below_the_name_of_its_repository() -> None:
    commands, others = read(render_github(examples.fleet_result(), View()))
    assert [one.properties.get("file") for one in commands] == [
        None,
        "team/bot/bot/settings.py",
        "ops/deploy tools/k8s/00/secret.yaml",
        "srv/git/old.git/conf/live.env",
        "team/bot/tests/keys.py",
    ]
    assert commands[2].properties["title"].startswith("MEDIUM NEW: ")
    assert commands[3].level == "warning"
    assert (
        "\nand 12 more locations in 3 more repositories\nand 4,950 more locations in the store\n" in commands[1].message
    )
    assert " ".join(others) == (
        "4 credentials; 2 fail the gate. In 10 of 212 repositories; 2 could not be scanned. Since the previous run: "
        "1 new, 2 still there, 1 gone. 1 suppressed, --show-suppressed lists it. The scan is incomplete."
    )
