"""`--time-limit`: what was found until then is reported, and the exit status is 3."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from binance_leaks.cli import main, time_limit
from binance_leaks.pipeline import files
from binance_leaks.pipeline.tally import Tally

from tests.binance.exchange import Answer, Exchange
from tests.binance.server import serving
from tests.e2e import Pair
from tests.repositories import Repository

REST = {"what": "the rest of the scan", "why": "the time limit of 60 seconds was reached"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a pair in its second commit, and the current folder."""
    project = Repository.create(tmp_path / "project")
    project.commit({"a.py": "x = 1\n"})
    pair = Pair.fresh()
    project.commit({"bot.env": f"BINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}\n"})
    monkeypatch.chdir(project.folder)
    return project


def hang(*_: object, **__: object) -> None:
    """Take longer than the limit, which ends a moment after the scan got here, not before it on a busy machine."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(90)


def _report(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, int, list[dict[str, str]]]:
    status = main([*words, "--format", "json", "--time-limit", "60s"])
    report = json.loads(capsys.readouterr().out)
    return status, len(report["findings"]), report["scan"]["skipped"]


@pytest.mark.usefixtures("project")
def test_files_that_were_read_are_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real: Callable[..., Tally] = files.scan_batch

    def scan_batch(batch: list[object]) -> Tally:
        done.append(batch)
        if len(done) > 1:
            hang()
        return real(batch)

    done: list[object] = []
    for number in range(9):
        Path(f"z{number}").write_text("x")
    monkeypatch.setattr(files, "scan_batch", scan_batch)
    assert _report(["scan", "--jobs", "1", "."], capsys) == (3, 1, [REST])


@pytest.mark.usefixtures("project")
def test_commits_that_were_read_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("binance_leaks.pipeline.range_tracker.RangeTracker.credentials", hang)
    assert _report(["range", "HEAD~1..HEAD"], capsys) == (3, 1, [REST])


@pytest.mark.usefixtures("project")
def test_a_report_that_takes_long_ends_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(time_limit, "_LEAST_FOR_REPORT", 0.1)
    monkeypatch.setattr("binance_leaks.pipeline.triage.judge", lambda *_, **__: time.sleep(30))
    started = time.monotonic()
    assert main(["scan", ".", "--time-limit", "1s"]) == 3
    assert time.monotonic() - started < 15
    assert "not finished within 1 second" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("binance_leaks.pipeline.files.list_files", ["verify", "--scan", "."]),
        ("binance_leaks.pipeline.staged.StagedSource.read", ["staged", "a.py", "--format", "text"]),
        ("binance_leaks.pipeline.staged.MessageSource.read", ["message", "a.py"]),
        ("binance_leaks.cli.commits.select_push", ["push", "origin"]),
        ("binance_leaks.cli.commits._announced", ["ci"]),
        ("binance_leaks.cli.baseline._Task.run", ["baseline", "create"]),
        ("binance_leaks.pipeline.history.list_refs", ["history"]),
    ],
)
def test_every_command_ends(
    place: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(place, hang)
    assert main([*words, "--time-limit", "60s"]) == 3
    assert "60 seconds" in "".join(capsys.readouterr())


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("words", [["scan", ".", "--verify"], ["verify", "--scan", "."]])
def test_a_check_ends_with_it(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    exchange = Exchange()
    exchange.script(Answer(manner="silent"))
    started = time.monotonic()
    with serving(exchange) as url:
        assert main([*words, "--verify-loopback", url, "--time-limit", "1s"]) == 3
    assert time.monotonic() - started < time_limit._LEAST_FOR_REPORT
    assert "time limit of 1 second" in " ".join("".join(capsys.readouterr()).split())


@pytest.mark.usefixtures("project")
def test_a_limit_that_is_not_reached_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", ".", "--time-limit", "1h"]) == 1
    assert "time limit" not in "".join(capsys.readouterr())
