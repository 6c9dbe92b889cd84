"""All formats through the program: several at once, stored reports, and what a CI system sees."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from binance_leaks.report import FORMAT_NAMES

from tests.e2e import _VALUE, Outcome, Pair, run
from tests.repositories import Repository

MACHINES = ("json", "sarif", "gitlab", "junit", "csv")


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def leaky(repository: Repository, pair: Pair) -> Repository:
    """A history with a pair that came and went, one that is there, and one in a message."""
    other, third = Pair.fresh(), Pair.fresh()
    repository.commit({"bot.py": pair.python})
    repository.commit({"bot.py": "import os\n"}, message=f"binance key {third.key}\n\nsecret {third.secret}")
    repository.commit({"still, there/.env": other.dotenv})
    return repository


def into(folder: Path) -> list[str]:
    """The words that put each format into a file."""
    return [word for name in FORMAT_NAMES for word in ("--format", f"{name}:{folder / name}")]


def written(folder: Path) -> dict[str, str]:
    """The files by format, none of which holds a value."""
    texts = {name: (folder / name).read_text("utf-8") for name in FORMAT_NAMES}
    for name, text in texts.items():
        assert not _VALUE.search(text), name
    return texts


def assert_no_value(pair: Pair, *texts: str) -> None:
    for value in (pair.key, pair.secret):
        for text in texts:
            assert value[4:20] not in text


@pytest.mark.parametrize("command", ["history", "scan"])
def test_all_formats_at_once(leaky: Repository, pair: Pair, tmp_path: Path, command: str) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    outcome = run(command, *into(folder), cwd=leaky.folder)
    assert (outcome.status, outcome.out, outcome.err) == (1, "", "")
    texts = written(folder)
    assert_no_value(pair, *texts.values())
    count = len(json.loads(texts["json"])["findings"])
    assert count == (3 if command == "history" else 1)
    assert len(json.loads(texts["sarif"])["runs"][0]["results"]) == count
    assert len(json.loads(texts["gitlab"])["vulnerabilities"]) == count
    assert ET.fromstring(texts["junit"])[0].attrib["failures"] == str(count)
    assert len({row["id"] for row in csv.DictReader(StringIO(texts["csv"]))}) == count
    assert len(re.findall("^::error ", texts["github"], re.MULTILINE)) == count
    assert "still, there/.env:1" in texts["markdown"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(FORMAT_NAMES)


def test_the_exit_status_is_the_same_for_all(leaky: Repository) -> None:
    for name in FORMAT_NAMES:
        assert run("scan", "--format", name, cwd=leaky.folder).status == 1
        assert run("scan", "--format", name, "--fail-on", "none", cwd=leaky.folder).status == 0
        assert run("scan", "--format", name, "--exclude", "*", cwd=leaky.folder).status == 0
    leaky.write("bad.zip", b"PK\x03\x04 is none")
    statuses = {run("scan", "--format", name, "bad.zip", cwd=leaky.folder).status for name in FORMAT_NAMES}
    assert len(statuses) == 1


def test_a_report_is_rendered_again_as_it_was(leaky: Repository, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    first.mkdir()
    again.mkdir()
    forgetful = {"XDG_STATE_HOME": "/dev/null"}  # a scan that is remembered prints ids for `allow`
    assert run("history", *into(first), cwd=leaky.folder, env=forgetful).status == 1
    outcome = run("report", first / "json", *into(again), cwd=tmp_path)
    assert (outcome.status, outcome.out, outcome.err) == (1, "", "")
    before, after = written(first), written(again)
    for name in FORMAT_NAMES:
        if name in ("sarif", "gitlab", "junit"):  # these say when they were made
            moments = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?\b(?!\+)")
            assert moments.sub("", after[name]) == moments.sub("", before[name])
        else:
            assert after[name] == before[name], name


def test_a_report_comes_through_a_pipe(leaky: Repository) -> None:
    stored = run("history", "--format", "json", cwd=leaky.folder).out.encode()
    assert run("report", "-", "--format", "json", cwd=leaky.folder, stdin=stored).out.encode() == stored
    text = run("report", "-", "--color", "always", "-v", cwd=leaky.folder, stdin=stored)
    assert text.status == 1
    assert "\x1b[" in text.out
    assert "sha256" in text.out


def test_a_report_is_judged_anew(leaky: Repository, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    assert run("scan", "--fail-on", "none", "--format", f"json:{file}", cwd=leaky.folder).status == 0
    assert run("report", file, cwd=tmp_path).status == 0
    for level, status in (("low", 1), ("high", 1), ("critical", 0), ("none", 0)):
        assert run("report", file, "--fail-on", level, cwd=tmp_path).status == status
    judged = run("report", file, "--fail-on", "high", "--format", "json", cwd=tmp_path).out
    assert json.loads(judged)["findings"][0]["fails"] is True


def test_an_incomplete_report_is_incomplete_again(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a.py": "x = 1\n"})
    repository.loose(repository.git("rev-parse", "HEAD:a.py")).unlink()
    file = tmp_path / "report.json"
    assert run("history", "--format", f"json:{file}", cwd=repository.folder).status == 3
    for name in FORMAT_NAMES:
        outcome = run("report", file, "--format", name, cwd=tmp_path)
        assert outcome.status == 3
        assert outcome.out


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"", "not JSON"),
        (b'{"schema": "binance-leaks/9"}', "another schema version"),
        (b"[" * 100_000, "not JSON"),
        (b'{"schema": "binance-leaks/1"}', "lacks 'scan'"),
        (b"\xff\xfe\x00", "not JSON"),
    ],
)
def test_what_is_no_report_is_reported(tmp_path: Path, content: bytes, reported: str) -> None:
    (tmp_path / "report.json").write_bytes(content)
    for outcome in (run("report", "report.json", cwd=tmp_path), run("report", "-", cwd=tmp_path, stdin=content)):
        assert_reported(outcome, reported)


def test_what_cannot_be_read_is_reported(tmp_path: Path, pair: Pair) -> None:
    for name in ("missing.json", ".", "", "x" * 300):
        assert_reported(run("report", name, cwd=tmp_path), "report")
    assert_reported(run("report", cwd=tmp_path), "--help")
    assert_reported(run("report", "a", "b", cwd=tmp_path), "--help")
    assert pair.key[8:30] not in run("report", pair.key, cwd=tmp_path).err


def assert_reported(outcome: Outcome, reported: str) -> None:
    assert outcome.status == 2
    assert outcome.out == ""
    assert reported in outcome.err
    assert outcome.err.startswith("binance-leaks: ")


def test_a_file_that_cannot_be_written_is_reported_before_the_scan(leaky: Repository, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text("old")
    outcome = run("history", "--format", f"json:{good}", "--format", "sarif:no/x.sarif", cwd=leaky.folder)
    assert (outcome.status, outcome.out) == (3, "")
    assert "report no/x.sarif cannot be written: there is no folder no" in outcome.err
    assert good.read_text() == "old", "nothing was scanned, and nothing written"


def test_a_pipe_is_a_file_too(leaky: Repository) -> None:
    outcome = run("scan", "--format", "json:/dev/stdout", cwd=leaky.folder)
    assert outcome.status == 1
    assert json.loads(outcome.out)["schema"] == "binance-leaks/1"


def test_actions_get_annotations_and_a_summary(leaky: Repository, pair: Pair, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# before\n")
    outcome = run("history", "--format", "github", cwd=leaky.folder, env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert (outcome.status, outcome.err) == (1, "")
    assert "::error file=still%2C there/.env,line=1," in outcome.out
    assert "::error title=HIGH Binance key pair" in outcome.out, "a message is no file"
    text = summary.read_text("utf-8")
    assert text.startswith("# before\n## Binance credentials found: 3 high\n")
    assert_no_value(pair, text, outcome.out)
    assert not _VALUE.search(text)


def test_a_summary_that_cannot_be_written_is_a_warning(leaky: Repository, tmp_path: Path) -> None:
    for place in (tmp_path / "no" / "summary", tmp_path):
        outcome = run("scan", "--format", "github", cwd=leaky.folder, env={"GITHUB_STEP_SUMMARY": str(place)})
        assert outcome.status == 1
        assert "::error " in outcome.out
        assert "warning: step summary" in outcome.err
    assert run("scan", "--format", "json", cwd=leaky.folder, env={"GITHUB_STEP_SUMMARY": str(tmp_path)}).err == ""


def test_hostile_names_in_a_real_repository(repository: Repository, tmp_path: Path) -> None:
    pairs = [Pair.fresh() for _ in range(6)]
    names: list[str | bytes] = [
        "a\n::error::forged.py",
        "=cmd|' '!A.py",
        "<img src=x>.py",
        "`@all`.py",
        b"\xff\xfe.py",
        "a|b[x](y).py",
    ]
    for name, pair in zip(names, pairs, strict=True):
        repository.stage(name, pair.python)
    repository.commit(message="::warning::forged\n\n| x |")
    folder = tmp_path / "reports"
    folder.mkdir()
    outcome = run("history", *into(folder), cwd=repository.folder)
    assert outcome.status == 1
    texts = written(folder)
    for pair in pairs:
        assert_no_value(pair, *texts.values())
    assert len(re.findall("^ *::", texts["github"], re.MULTILINE)) == 6
    assert len(list(csv.DictReader(StringIO(texts["csv"]), strict=True))) == 12
    assert "<img" not in re.sub(r"`[^`]*`", "", texts["markdown"])
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in json.loads(texts["sarif"])["runs"][0]["results"]
    ]
    assert "%FF%FE.py" in uris
    assert run("report", folder / "json", cwd=tmp_path).status == 1


def test_quiet_and_nothing_found(repository: Repository) -> None:
    repository.commit({"a.py": "x = 1\n"})
    assert run("scan", "-q", cwd=repository.folder).out == ""
    for name in FORMAT_NAMES:
        outcome = run("scan", "--format", name, cwd=repository.folder)
        assert (outcome.status, outcome.err) == (0, "")
        assert outcome.out


def test_staged_formats(repository: Repository, pair: Pair) -> None:
    repository.stage("bot.py", pair.python)
    for name in MACHINES:
        outcome = run("staged", "--format", name, cwd=repository.folder)
        assert (outcome.status, outcome.err) == (1, "")
        assert "bot.py" in outcome.out


def test_a_report_is_no_finding(leaky: Repository, tmp_path: Path) -> None:
    """Reports are kept beside the code and scanned with it; the digests in them are hexadecimal like some values."""
    folder = tmp_path / "reports"
    folder.mkdir()
    leaky.commit({"testnet.py": Pair.fresh().python.replace("binance.client", "binance.testnet")})
    assert run("history", "-v", "--show-suppressed", *into(folder), cwd=leaky.folder).status == 1
    outcome = run("scan", "--confidence", "low", ".", cwd=folder)
    assert outcome.status == 0, outcome.out
