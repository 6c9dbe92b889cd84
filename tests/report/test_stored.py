"""Stored reports: read back as they were written, and refused clearly where they are anything else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import cast

import pytest
from binance_leaks.errors import UsageError
from binance_leaks.findings import Result
from binance_leaks.model import Cell, CellPart, Environment
from binance_leaks.report import FORMAT_NAMES, View, format_named
from binance_leaks.report.json import render_json
from binance_leaks.report.stored import read_report
from binance_leaks.risk import system_of
from binance_leaks.verification import Verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from . import examples
from .examples import Hostile
from .test_json import schema
from .test_text import HOSTILE

Node = dict[str, object]


def stored(result: Result) -> bytes:
    """The report with everything in it."""
    return render_json(result, View(show_suppressed=True)).encode()


def changed(change: Callable[[Node], object]) -> bytes:
    """A report of a history after a change of its tree."""
    return changed_result(examples.history_result(), change)


def changed_result(result: Result, change: Callable[[Node], object]) -> bytes:
    """A report after a change of its tree."""
    report = json.loads(stored(result))
    change(report)
    return json.dumps(report).encode()


def put(value: object, *keys: str | int) -> Callable[[Node], object]:
    """A change that puts a value at these keys."""

    def change(report: Node) -> None:
        node: object = report
        for key in keys[:-1]:
            node = cast("Node", node)[cast("str", key)]
        cast("Node", node)[cast("str", keys[-1])] = value

    return change


def cut(*keys: str | int) -> Callable[[Node], object]:
    """A change that takes out what is at these keys."""

    def change(report: Node) -> None:
        node: object = report
        for key in keys[:-1]:
            node = cast("Node", node)[cast("str", key)]
        del cast("Node", node)[cast("str", keys[-1])]

    return change


@pytest.mark.parametrize("show_suppressed", [False, True])
def test_json_comes_back_byte_for_byte(show_suppressed: bool) -> None:
    for name, made in examples.RESULTS.items():
        text = render_json(made(), View(show_suppressed=show_suppressed))
        again = read_report(text.encode(), "report.json")
        assert render_json(again, View(show_suppressed=show_suppressed)) == text, name


def test_what_allows_a_value_and_what_nearly_does_come_back() -> None:
    result = examples.gate_result()
    finding = result.findings[0]
    places = (
        replace(finding.locations[0], permit="inline"),
        replace(finding.locations[0], line=9, near_miss="# binance-leaks: ignore", near_miss_above=True),
        replace(finding.locations[0], line=10, cell=Cell(number=4, part=CellPart.OUTPUT)),
        replace(finding.locations[0], line=11, cell=Cell(number=5)),
    )
    result = replace(result, findings=(replace(finding, locations=places),), rebase=f"{'ab' * 6}~1", base_policy=True)
    again = read_report(stored(result), "report.json")
    assert again.findings[0].locations == places
    assert (again.rebase, again.repository, again.base_policy) == (result.rebase, examples.GRID_BOT, True)


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_text_comes_back_too(made: Hostile) -> None:
    for hostile in (*HOSTILE, b"\xff".decode("utf-8", "surrogateescape")):
        data = stored(made(hostile))
        assert stored(read_report(data, "report.json")) == data, hostile


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_every_format_reports_the_same_of_it(name: str) -> None:
    """Except what was skipped without loss, which a report of an incomplete scan does not list."""
    render, view = format_named(name).render, View(show_suppressed=True, verbose=True)
    for shown, (result, again) in _stored_examples().items():
        assert render(again, view) == render(result, view), shown


@cache
def _stored_examples() -> dict[str, tuple[Result, Result]]:
    """Each example, and as it was read back."""
    results = {shown: made() for shown, made in examples.RESULTS.items()}
    for shown, result in results.items():
        skipped = tuple(replace(skipped, lost=not result.complete) for skipped in result.skipped)
        results[shown] = replace(result, skipped=skipped)
    return {shown: (result, read_report(stored(result), "report.json")) for shown, result in results.items()}


def test_what_was_lost_is_lost_again() -> None:
    assert not read_report(stored(examples.files_result()), "r").complete
    interrupted = read_report(stored(examples.history_result()), "r")
    assert (interrupted.interrupted, interrupted.complete, interrupted.skipped) == (True, False, ())
    harmless = replace(examples.clean_result(), skipped=examples.files_result().skipped[-1:])
    again = read_report(stored(harmless), "r")
    assert (again.complete, again.skipped) == (True, harmless.skipped)


def test_the_number_of_suppressed_ones_is_kept() -> None:
    folded = render_json(examples.files_result(), View())
    assert render_json(read_report(folded.encode(), "r"), View()) == folded
    assert '"suppressed": 2' in folded


def test_keys_that_are_not_known_are_passed_over() -> None:
    def change(report: Node) -> None:
        for node in (report, report["scan"], cast("list[Node]", report["findings"])[0]):
            cast("Node", node)["later"] = {"a": [1, 2, {"b": None}]}

    assert stored(read_report(changed(change), "r")) == stored(examples.history_result())


def test_older_reports_lack_some_keys() -> None:
    def change(report: Node) -> None:
        for finding in cast("list[Node]", report["findings"]):
            del finding["fails"]
            for location in cast("list[Node]", finding["locations"]):
                del location["standing"]

    assert stored(read_report(changed(change), "r")) == stored(examples.history_result())


def test_an_older_report_calls_nothing_revoked_and_no_undecided_key_play_money() -> None:
    """It does not say which systems were excluded, nor that the test system named nearby is doubted."""

    def change(report: Node) -> None:
        for finding in cast("list[Node]", report["findings"]):
            if finding["verification"] is not None:
                del cast("Node", finding["verification"])["elsewhere"]

    again = read_report(changed_result(examples.verified_result(), change), "r")
    known = {one.verification.verdict: one.verification for one in again.findings if one.verification is not None}
    assert not known[Verdict.NOT_FOUND].is_gone
    assert system_of(Environment.TESTNET, known[Verdict.INCONCLUSIVE]) is Environment.MAINNET


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_what_a_shell_makes_of_it_is_read(encoding: str) -> None:
    """PowerShell redirects as UTF-16."""
    text = stored(examples.history_result()).decode()
    assert stored(read_report(text.encode(encoding), "r")).decode() == text


@pytest.mark.parametrize(
    ("data", "reported"),
    [
        (b"", "not JSON"),
        (b"\x00\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (stored(examples.files_result())[:-40], "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"a":' * 200_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"NaN", "not JSON"),
        (b"null", "the whole must be an object"),
        (b"[]", "the whole must be an object"),
        (b"{}", "the whole lacks 'schema'"),
        (b'{"schema": 1}', "schema must be text"),
        (b'{"schema": "other/1"}', "is not a report of binance-leaks"),
        (b'{"schema": "binance-leaks/2"}', "another schema version than binance-leaks/1"),
        (b'{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": []}', "lacks 'schema'"),
    ],
)
def test_what_is_no_report_is_refused(data: bytes, reported: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_report(data, "report.json")
    assert "report report.json" in str(caught.value)
    assert reported in str(caught.value)
    assert caught.value.hint


_FIRST = ("findings", 0)
_PLACE = ("findings", 0, "locations", 0)


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (cut("findings"), "lacks 'findings'"),
        (cut("scan", "complete"), "scan lacks 'complete'"),
        (put([], "scan"), "scan must be an object"),
        (put("yes", "scan", "complete"), "scan.complete must be true or false"),
        (put("server", "scan", "source"), "scan.source must be one of files, staged"),
        (put({"x": True}, "scan", "stats"), "scan.stats.x must be a number"),
        (put({"x": -1}, "scan", "stats"), "scan.stats.x must be a number"),
        (put({"x": 10**400}, "scan", "stats"), "scan.stats.x must be a number"),
        (put({"X y": 1}, "scan", "stats"), "scan.stats has an invalid name"),
        (put({}, "findings"), "findings must be a list"),
        (put(None, *_FIRST), "findings[0] must be an object"),
        (cut(*_FIRST, "id"), "findings[0] lacks 'id'"),
        (put("../x", *_FIRST, "id"), "findings[0].id is not an id"),
        (put("key", *_FIRST, "kind"), "findings[0].kind must be one of key-pair"),
        (put("moon", *_FIRST, "environment"), "findings[0].environment must be one of mainnet"),
        (put("sure", *_FIRST, "confidence"), "findings[0].confidence must be one of low"),
        (put("fatal", *_FIRST, "risk", "level"), "findings[0].risk.level must be one of info"),
        (put([1], *_FIRST, "risk", "reasons"), "findings[0].risk.reasons[0] must be text"),
        (put([], *_FIRST, "values"), "findings[0].values is empty"),
        (put([], *_FIRST, "locations"), "findings[0].locations is empty"),
        (put("x", *_FIRST, "values", 0, "sha256"), "findings[0].values[0].sha256 is not a SHA-256 digest"),
        (put("abcdefgh", *_FIRST, "values", 0, "masked"), "findings[0].values[0].masked is not a mask"),
        (put("1", *_FIRST, "fails"), "findings[0].fails must be true or false"),
        (put({"by": "me", "reason": ""}, *_FIRST, "suppressed"), "findings[0].suppressed.by must be one of inline"),
        (put(0, *_PLACE, "line"), "findings[0].locations[0].line must be a whole number from 1"),
        (put(1.5, *_PLACE, "line"), "findings[0].locations[0].line must be a whole number from 1"),
        (put(True, *_PLACE, "column"), "findings[0].locations[0].column must be a whole number from 1"),
        (put(10**30, *_PLACE, "column"), "findings[0].locations[0].column must be a whole number from 1"),
        (put(7, *_PLACE, "path"), "findings[0].locations[0].path must be text"),
        (put("there", *_PLACE, "exposure"), "findings[0].locations[0].exposure must be one of unreachable"),
        (put(7, *_PLACE, "repository"), "findings[0].locations[0].repository must be text"),
        (put("old", *_FIRST, "mark"), "findings[0].mark must be one of new, still-there, gone"),
        (put(-1, *_FIRST, "unlisted"), "findings[0].unlisted must be a whole number from 0"),
        (put(True, *_FIRST, "unlisted"), "findings[0].unlisted must be a whole number from 0"),
        (put("x", *_PLACE, "blob"), "findings[0].locations[0].blob is not an object id"),
        (put("main", *_PLACE, "refs"), "findings[0].locations[0].refs must be a list"),
        (put({"id": "HEAD"}, *_PLACE, "commit"), "findings[0].locations[0].commit.id is not a commit id"),
        (put([], "scan", "skipped"), "nothing is listed as not read"),
    ],
)
def test_another_shape_is_refused_by_its_place(change: Callable[[Node], object], reported: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_report(changed(change), "report.json")
    assert reported in str(caught.value)


@pytest.mark.parametrize("key", ["id", "sha256", "masked"])
def test_a_value_in_the_place_of_a_digest_is_refused_and_not_repeated(key: str) -> None:
    """Those fields are shown as they are, so that they must be what they say."""
    value = examples.Maker(5).raw().decode()
    place = (*_FIRST, "id") if key == "id" else (*_FIRST, "values", 0, key)
    with pytest.raises(UsageError) as caught:
        read_report(changed(put(value, *place)), "r")
    assert value not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_value_in_any_text_is_masked(name: str) -> None:
    value = examples.Maker(5).raw().decode()

    fixed = {"schema", "id", "sha256", "masked", "blob", "source", "kind", "environment", "confidence", "level"}
    fixed |= {"role", "exposure", "by", "forge", "allowed_by", "rebase", "part"}

    def poisoned(node: object) -> object:
        if isinstance(node, dict):
            return {key: one if key in fixed else poisoned(one) for key, one in node.items()}
        if isinstance(node, list):
            return [poisoned(one) for one in node]
        return f"x {value}" if isinstance(node, str) else node

    data = json.dumps(poisoned(json.loads(stored(examples.history_result())))).encode()
    text = format_named(name).render(read_report(data, "r"), View(show_suppressed=True, verbose=True))
    assert value[8:24] not in "".join(text.split())


ANYTHING = st.sampled_from([None, True, 0, -1, 2**70, 1.5, "", "x", "\ud800", [], {}, [None], {"": 0}, ["x", ["x"]]])
"""What JSON can hold in the place of anything else; a tree of it is refused by the first that does not fit."""


def _paths(node: object, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The keys to everything in a tree."""
    keys = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for key, inner in keys:
        yield (*before, key)
        yield from _paths(inner, (*before, key))


TREES = tuple(stored(made()) for made in (examples.history_result, examples.verified_result, examples.fleet_result))
PLACES = [(tree, path) for tree in TREES for path in _paths(json.loads(tree))]


@settings(max_examples=200)
@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_any_tree_is_read_or_refused(place: tuple[bytes, tuple[str | int, ...]], value: object) -> None:
    """A part of a real report is exchanged for anything."""
    tree, path = place
    report = json.loads(tree)
    put(value, *path)(report)
    try:
        result = read_report(json.dumps(report).encode(), "r")
    except UsageError:
        return
    for name in FORMAT_NAMES:
        format_named(name).render(result, View(show_suppressed=True, verbose=True)).encode()


def test_reports_before_there_were_fleets_lack_their_keys() -> None:
    def change(report: Node) -> None:
        for finding in cast("list[Node]", report["findings"]):
            del finding["mark"], finding["unlisted"]
            for location in cast("list[Node]", finding["locations"]):
                del location["repository"]

    data = changed(change)
    Draft202012Validator(schema()).validate(json.loads(data))
    assert stored(read_report(data, "r")) == stored(examples.history_result())


def test_a_fleet_comes_back() -> None:
    result = examples.fleet_result()
    again = read_report(stored(result), "r")
    for before, after in zip(result.findings, again.findings, strict=True):
        assert (after.mark, after.unlisted, after.repositories) == (before.mark, before.unlisted, before.repositories)
        assert [place.repository for place in after.locations] == [place.repository for place in before.locations]
