"""A file that would keep the detector busy: every command reports it, keeps what was found, and exits 3."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from binance_leaks.api import scan_bytes
from binance_leaks.detect import work
from binance_leaks.detect.engine import detect
from binance_leaks.detect.work import EXHAUSTED, Work
from binance_leaks.plugin import BinanceApiKeyDetector

from tests.e2e import Outcome, Pair, run
from tests.repositories import Repository

LIMIT = 300
PROGRAM = f"""
import sys
from binance_leaks.cli import main
from binance_leaks.detect import work

work.LIMIT = {LIMIT}
sys.exit(main(sys.argv[1:]))
"""
LIMITED = (sys.executable, "-c", PROGRAM)
NAME = "digests.txt"


def digests(count: int) -> str:
    """So many digests beside the exchange's name, none of them a credential."""
    source = Random(1)
    return "for binance\n" + "".join(f"sha256: {source.getrandbits(256):064x}\n" for _ in range(count))


def pairs(count: int) -> str:
    return "".join(Pair.fresh().dotenv for _ in range(count))


def commit(repository: Repository, text: str, message: str = "Change") -> None:
    repository.path(NAME).write_text(text)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--allow-empty", f"--message={message}")


def in_folder(repository: Repository) -> Outcome:
    repository.path(NAME).write_text(digests(500))
    return run("scan", "--format", "json", ".", cwd=repository.folder, program=LIMITED)


def in_index(repository: Repository) -> Outcome:
    repository.path(NAME).write_text(digests(500))
    repository.git("add", "--all")
    return run("staged", "--format", "json", cwd=repository.folder, program=LIMITED)


def in_range(repository: Repository) -> Outcome:
    commit(repository, digests(500))
    return run("range", "HEAD~1..HEAD", "--format", "json", cwd=repository.folder, program=LIMITED)


def in_range_message(repository: Repository) -> Outcome:
    commit(repository, "", digests(500))
    return run("range", "HEAD~1..HEAD", "--format", "json", cwd=repository.folder, program=LIMITED)


def in_history(repository: Repository) -> Outcome:
    commit(repository, digests(500))
    return run("history", "--format", "json", cwd=repository.folder, program=LIMITED)


def in_history_message(repository: Repository) -> Outcome:
    commit(repository, "", digests(500))
    return run("history", "--format", "json", cwd=repository.folder, program=LIMITED)


def in_message(repository: Repository) -> Outcome:
    file = repository.path("COMMIT_EDITMSG")
    file.write_text(digests(500))
    return run("message", "--format", "json", file, cwd=repository.folder, program=LIMITED)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (in_folder, NAME),
        (in_index, NAME),
        (in_range, NAME),
        (in_range_message, "commit message"),
        (in_history, "blob"),
        (in_history_message, "commit"),
        (in_message, "commit message"),
    ],
)
def test_every_command_reports_it(tmp_path: Path, command: Callable[[Repository], Outcome], what: str) -> None:
    repository = Repository.create(tmp_path / "repository")
    commit(repository, "nothing\n", "First")
    outcome = command(repository)
    assert outcome.status == 3, outcome.err
    (skipped,) = outcome.report["scan"]["skipped"]
    assert skipped["why"] == EXHAUSTED
    assert what in skipped["what"]
    assert outcome.report["scan"]["complete"] is False


def test_what_was_found_until_then_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    text = pairs(50).encode()
    everything = scan_bytes(text, path="binance.env")
    assert everything.complete
    assert len(everything.findings) == 50
    monkeypatch.setattr(work, "LIMIT", LIMIT)
    result = scan_bytes(text, path="binance.env")
    assert not result.complete
    found = {finding.id for finding in result.findings}
    assert 5 < len(found) < 50
    assert found <= {finding.id for finding in everything.findings}


def test_each_file_has_its_own_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "LIMIT", LIMIT)
    for number in range(20):
        (tmp_path / f"{number}.env").write_text(pairs(5))
    outcome = run("scan", "--format", "json", ".", cwd=tmp_path, program=LIMITED)
    assert outcome.report["scan"]["complete"] is True
    assert len(outcome.report["findings"]) == 100


def test_the_parts_of_a_file_share_one() -> None:
    shared = Work()
    detect(pairs(3).encode(), work=shared)
    left = shared._left
    assert left < work.LIMIT
    detect(pairs(3).encode(), work=shared)
    assert shared._left == 2 * left - work.LIMIT
    assert not shared.is_exhausted()


def test_the_plugin_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / NAME
    file.write_text(digests(500))
    monkeypatch.setattr(work, "LIMIT", LIMIT)
    for _ in range(2):
        BinanceApiKeyDetector().analyze_line(filename=str(file), line="for binance", line_number=1)
    assert capfd.readouterr().err.splitlines() == [f"binance-leaks: {file}: {EXHAUSTED}"]
