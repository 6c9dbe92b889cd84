"""The csv report: one row a place, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import pytest
from binance_leaks.findings import Result, SourceKind
from binance_leaks.report import View
from binance_leaks.report.csv import COLUMNS, FLEET_COLUMNS, VERIFICATION_COLUMNS, render_csv
from hypothesis import given, settings
from hypothesis import strategies as st

from . import examples
from .examples import Hostile
from .test_text import HOSTILE


def rows(result: Result, *, show_suppressed: bool = False) -> list[dict[str, str]]:
    text = render_csv(result, View(show_suppressed=show_suppressed))
    return list(csv.DictReader(StringIO(text), strict=True))


@pytest.mark.parametrize("name", examples.RESULTS)
def test_a_row_for_each_place_and_each_thing_not_read(name: str) -> None:
    result = examples.RESULTS[name]()
    places = sum(len(finding.locations) for finding in result.findings)
    found = [row for row in rows(result) if row["record"] == "finding"]
    assert len(found) == places
    assert len(rows(result)) == places + len(result.skipped) + result.interrupted
    further = {
        "verified": VERIFICATION_COLUMNS,
        "fleet": FLEET_COLUMNS,
        "everything": (*VERIFICATION_COLUMNS, *FLEET_COLUMNS),
    }.get(name, ())
    columns = (*COLUMNS, *further)
    assert all(tuple(row) == columns for row in rows(result))


def test_a_row_has_all_there_is() -> None:
    row = next(row for row in rows(examples.history_result()) if row["path"] == "bot.py")
    finding = examples.history_result().findings[1]
    assert row["id"] == finding.id
    assert (row["masked"], row["digest"]) == (finding.values[0].masked, f"sha256:{finding.values[0].sha256}")
    assert (row["line"], row["column"], row["exposure"], row["pushed"]) == ("3", "9", "history", "true")
    assert (row["commit"], row["author"]) == (examples.COMMIT.id, examples.COMMIT.author)
    assert (row["removed"], row["removed_subject"]) == (examples.LATER.id, examples.LATER.subject)
    assert row["refs"].split() == ["main", "origin/main", "release/1", "release/2", "v1.0", "v1.1", "v2.0"]


def test_a_pair_shows_each_value_at_its_place() -> None:
    key, secret = rows(examples.local_result())
    assert (key["role"], secret["role"]) == ("api-key", "secret-key")
    assert key["masked"] != secret["masked"]


def test_the_gate_is_reported() -> None:
    gate = rows(examples.gate_result())
    assert [row["fails"] for row in gate[:4]] == ["true", "true", "false", "false"]
    assert gate[2]["passes_because"] == "It was already there before this change."
    hidden = rows(examples.files_result(), show_suppressed=True)
    assert [row["passes_because"] for row in hidden if row["path"] == "docs/example.md"] == [
        "Suppressed (inline). a made-up value",
        "Suppressed (config). a made-up value",
    ]


def test_what_binance_answered_is_in_columns_of_its_own() -> None:
    first, *_, last = rows(examples.verified_result())
    reported = [first[name] for name in ("verdict", "tier", "ip_restricted", "checked_at", "host")]
    assert reported == ["live", "withdraw", "true", examples.CHECKED, "api.binance.com"]
    assert first["permissions"].split() == ["enableReading", "enableSpotAndMarginTrading", "enableWithdrawals"]
    assert (last["verdict"], last["tier"], last["ip_restricted"]) == ("not-found", "", "")
    undecided = next(row for row in rows(examples.verified_result()) if row["verdict"] == "inconclusive")
    assert undecided["cause"] == "address"


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula(start: str, made: Hostile) -> None:
    hostile = f"{start}HYPERLINK(A1)"
    for row in rows(made(hostile), show_suppressed=True):
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert "HYPERLINK(A1)" in rows(made(hostile))[0]["path"]


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", '"=', "＝"])
@pytest.mark.parametrize("separator", [";", "a;", ";;"])
def test_no_part_of_a_cell_is_a_formula_where_semicolons_separate(made: Hostile, start: str, separator: str) -> None:
    text = render_csv(made(f"x{separator}{start}cmd|'/c calc'!A1"), View(show_suppressed=True))
    parts = [part.strip(' "') for line in text.splitlines() for part in line.split(";")]
    assert any("cmd" in part for part in parts)
    assert not [part for part in parts if part.startswith(("=", "+", "-", "@", "＝"))]


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_names_make_no_cells_or_rows(made: Hostile) -> None:
    for hostile in (*HOSTILE, '"', 'a","b', "a;b", "a\nb", ",,,"):
        found = rows(made(hostile), show_suppressed=True)
        assert len(found) == 3 + 3 + 2
        assert all(None not in row and None not in row.values() for row in found)


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@settings(max_examples=60)
@given(hostile=st.text(st.characters(exclude_categories=()), max_size=100))
def test_any_text_stays_in_its_cell(hostile: str, made: Hostile) -> None:
    text = render_csv(made(hostile), View())
    assert len(text.splitlines()) == 1 + 3 + 2


def test_the_repository_and_what_became_of_it_are_the_last_columns() -> None:
    """So that they move no other, verified or not."""
    found = [row for row in rows(examples.fleet_result()) if row["record"] == "finding"]
    assert {row["repository"] for row in found if row["mark"] == "new"} == {"ops/deploy tools"}
    assert {row["unlisted"] for row in found if row["mark"] == "still-there"} == {"4950", "0"}
    assert [row["repository"] for row in found if row["mark"] == "gone"] == ["/srv/git/old.git"]
    fleet = replace(examples.verified_result(), source=SourceKind.FLEET)
    assert all(tuple(row) == (*COLUMNS, *VERIFICATION_COLUMNS, *FLEET_COLUMNS) for row in rows(fleet))
