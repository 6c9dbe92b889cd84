"""A repository whose trees have no end: git is ended before it takes the memory, and what was not read is listed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from binance_leaks.cli import main
from binance_leaks.errors import GitLimitError
from binance_leaks.sources import fast_path, git
from binance_leaks.sources.git import Git

from tests.e2e import Pair
from tests.repositories import Repository

LIMIT = 40 << 20
"""Enough for git to start, and filled in a moment."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (git, fast_path):
        monkeypatch.setattr(module, "MOST_MEMORY_FOR_CHANGES", LIMIT)


@pytest.fixture
def bomb(tmp_path: Path) -> tuple[Repository, str]:
    """A repository with a commit, and the tree of ten levels of ten equal trees."""
    repo = Repository.create(tmp_path / "repo")
    repo.commit({"a": "x\n"})
    kind, name = "100644 blob", repo.git("rev-parse", "HEAD:a")
    for level in range(10):
        (tmp_path / "entries").write_text("".join(f"{kind} {name}\tf{level}{number}\n" for number in range(10)))
        name = _make_tree(repo, tmp_path / "entries")
        kind = "040000 tree"
    return repo, name


def _make_tree(repo: Repository, entries: Path) -> str:
    with entries.open("rb") as stream:
        return subprocess.check_output(["git", "mktree"], stdin=stream, cwd=repo.folder, text=True).strip()


@pytest.mark.usefixtures("small")
def test_a_range_lists_the_commit_and_scans_the_others(
    bomb: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo, tree = bomb
    base = repo.git("rev-parse", "HEAD")
    pair = Pair.fresh()
    repo.commit({"bot.env": f"BINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}\n"})
    bad = repo.git("commit-tree", "-p", "HEAD", "-m", "bomb", tree)
    monkeypatch.chdir(repo.folder)
    assert main(["range", f"{base}..{bad}", "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["scan"]["skipped"] == [
        {"what": f"commit {bad[:12]}", "why": "git needs too much memory to list what it changes"}
    ]
    assert not report["scan"]["complete"]
    assert len(report["findings"]) == 1
    assert main(["range", f"HEAD..{bad}"]) == 3


@pytest.mark.usefixtures("small")
def test_the_hook_does_not_fill_the_memory(
    bomb: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo, tree = bomb
    repo.git("update-ref", "HEAD", repo.git("commit-tree", "-m", "bomb", tree))
    monkeypatch.chdir(repo.folder)
    assert main(["staged"]) == 3
    assert "git needs more than" in capsys.readouterr().err


def test_output_is_limited(bomb: tuple[Repository, str], monkeypatch: pytest.MonkeyPatch) -> None:
    repo, tree = bomb
    monkeypatch.setattr(git, "MOST_CHANGES", 1 << 20)
    with pytest.raises(GitLimitError):
        Git(str(repo.folder)).run_bounded("", "ls-tree", "-r", tree)
