"""`binance-leaks receive` as a real hook of a bare repository, with the objects of the push in git's quarantine."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from binance_leaks.cli import main, receive
from binance_leaks.sources.git import Git
from binance_leaks.sources.push_selection import received_update, select_received

from tests.e2e import Pair, run
from tests.hiding_contents import module
from tests.repositories import Repository

ZEROS = "0" * 40


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def server(tmp_path: Path) -> Repository:
    """A bare repository whose hook refuses."""
    made = Repository.create(tmp_path / "server.git", "--bare")
    hooked(made, "pre-receive", "receive")
    return made


@pytest.fixture
def project(repository: Repository, server: Repository) -> Repository:
    """A repository of which the server has the first commit."""
    repository.git("remote", "add", "origin", server.folder.as_uri())
    repository.commit({"README.md": "A bot for Binance.\n"})
    repository.git("push", "--quiet", "origin", "main")
    return repository


def hooked(server: Repository, name: str, words: str) -> None:
    """Give a bare repository a hook that runs the program with these words."""
    server.script(f"hooks/{name}", f"exec {shlex.quote(sys.executable)} -m binance_leaks {words}")


def refused(project: Repository, *words: str) -> str:
    """A push that the hook refuses; nothing of it stays on the server."""
    before = project.git("ls-remote", "origin")
    ran = project.run("push", *words)
    assert ran.status != 0
    assert project.git("ls-remote", "origin") == before
    return ran.err


class TestHook:
    """git gives the hook all refs of the push, and the objects in quarantine."""

    def test_a_clean_push(self, project: Repository) -> None:
        project.commit({"a.py": "import os\n"})
        ran = project.run("push", "origin", "main")
        assert ran.status == 0, ran.err
        assert "push of main (1 commit)" in ran.err

    def test_it_names_refs_and_commit(self, project: Repository, pair: Pair) -> None:
        project.git("checkout", "--quiet", "-b", "topic")
        leaking = project.commit({"bot.py": module(pair)})
        project.commit({"bot.py": "import os\n"}, message="Without it")
        project.git("tag", "-m", "release", "v1", leaking)
        told = refused(project, "origin", "topic", "v1", "main:stable")
        assert leaking[:12] in told
        assert "in topic, v1" in told
        assert re.search(r"False alarm\? .*binance-leaks allow [0-9a-f]{64} [0-9a-f]{64} ", told)
        assert "--last" not in told, "it is read on another machine"
        assert not any(value in told for value in (pair.key, pair.secret))

    def test_what_the_server_has_does_not_block(self, project: Repository, server: Repository, pair: Pair) -> None:
        (server.folder / "hooks/pre-receive").rename(server.folder / "hooks/off")
        project.commit({"bot.py": module(pair)})
        project.git("push", "--quiet", "origin", "main")
        (server.folder / "hooks/off").rename(server.folder / "hooks/pre-receive")
        project.git("branch", "topic")
        project.commit({"a.py": "import os\n"})
        assert project.run("push", "origin", "main", "topic").status == 0

    def test_deletions_pass(self, project: Repository) -> None:
        project.git("push", "--quiet", "origin", "main:topic")
        assert project.run("push", "origin", ":topic").status == 0

    def test_the_message_of_a_tag(self, project: Repository, pair: Pair) -> None:
        project.git("tag", "-m", f"BINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}", "v1")
        assert "credential" in refused(project, "origin", "v1")

    def test_what_leads_to_no_commit(self, project: Repository, pair: Pair) -> None:
        project.git("tag", "data", project.git("hash-object", "-w", "README.md").strip())
        ran = project.run("push", "origin", "data")
        assert ran.status == 0, ran.err
        project.stage("bot.env", pair.dotenv)
        project.git("tag", "tree", project.git("write-tree").strip())
        project.git("tag", "blob", project.blob("bot.env"))
        shown = refused(project, "origin", "tree", "blob")
        assert "bot.env:1:17" in shown
        assert "in tree" in shown
        assert "in blob" in shown
        assert "Delete the tag" in shown

    def test_what_leads_to_nothing(self, project: Repository) -> None:
        ran = run("receive", "refs/tags/gone", ZEROS, "1" * 40, cwd=project.folder)
        assert ran.status == 2
        assert "leads to an object that is not here, so it cannot be scanned" in ran.err

    def test_borrowed_objects(self, project: Repository, server: Repository, tmp_path: Path, pair: Pair) -> None:
        """A fork on the server borrows what its parent has."""
        fork = Repository(tmp_path / "fork.git")
        server.git("clone", "--quiet", "--bare", "--shared", str(server.folder), str(fork.folder))
        hooked(fork, "pre-receive", "receive")
        project.git("remote", "set-url", "origin", fork.folder.as_uri())
        project.commit({"a.py": "import os\n"})
        assert project.run("push", "origin", "main").status == 0
        project.commit({"bot.py": module(pair)})
        assert "credential" in refused(project, "origin", "main")

    def test_a_hook_for_each_ref(self, project: Repository, server: Repository, pair: Pair) -> None:
        (server.folder / "hooks/pre-receive").unlink()
        hooked(server, "update", 'receive "$@"')
        project.git("checkout", "--quiet", "-b", "topic")
        project.commit({"bot.py": module(pair)})
        ran = project.run("push", "origin", "main:stable", "topic")
        assert ran.status != 0
        assert "in topic" in ran.err
        assert {line.split("/")[-1] for line in project.git("ls-remote", "--heads", "origin").splitlines()} == {
            "main",
            "stable",
        }


class TestPolicy:
    """What the server has decides, not the push."""

    def test_a_comment_of_the_push_allows_nothing(self, project: Repository, pair: Pair) -> None:
        lines = module(pair).splitlines()
        project.commit({"bot.py": "".join(f"{line}  # binance-leaks: allow\n" for line in lines)})
        assert "credential" in refused(project, "origin", "main")

    def test_a_digest_that_the_branch_has_before(self, project: Repository, pair: Pair) -> None:
        allowed = "".join(f'[[tool.binance-leaks.allow]]\nsha256 = "{digest}"\n' for digest in pair.digests)
        project.commit({"pyproject.toml": allowed})
        project.git("push", "--quiet", "origin", "main")
        project.commit({"bot.py": module(pair)})
        ran = project.run("push", "origin", "main")
        assert ran.status == 0, ran.err

    @pytest.mark.parametrize("together", [True, False])
    def test_only_the_default_branch_has_a_policy(self, project: Repository, pair: Pair, together: bool) -> None:
        """Neither another branch that is pushed beside a value, nor the branch that the value itself is on."""
        project.git("checkout", "--quiet", "-b", "aaa")
        project.commit({".binance-leaks.toml": 'exclude = ["**"]\n'})
        project.git("push", "--quiet", "origin", "aaa")
        project.commit({"bot.py": "import os\n" if together else module(pair)})
        project.git("checkout", "--quiet", "main")
        project.commit({"bot.py": module(pair) if together else "import os\n"})
        assert "credential" in refused(project, "origin", "aaa", "main")

    def test_a_default_branch_that_is_not_there_has_no_policy(
        self, project: Repository, server: Repository, pair: Pair
    ) -> None:
        project.commit({".binance-leaks.toml": 'exclude = ["**"]\n'})
        project.git("push", "--quiet", "origin", "main")
        server.git("symbolic-ref", "HEAD", "refs/heads/none")
        project.commit({"bot.py": module(pair)})
        assert "credential" in refused(project, "origin", "main")

    def test_warnings_only(self, project: Repository, server: Repository, pair: Pair) -> None:
        hooked(server, "pre-receive", "receive --warn-only")
        project.commit({"bot.py": module(pair)})
        ran = project.run("push", "origin", "main")
        assert ran.status == 0, ran.err
        assert "1 credential" in ran.err
        assert "the push passes all the same, because of --warn-only" in ran.err
        gone = run("receive", "--warn-only", "refs/tags/gone", ZEROS, "1" * 40, cwd=project.folder)
        assert gone.status == 0
        assert "it cannot be scanned" in gone.err


class TestAlone:
    """Without a push."""

    def test_it_ends_in_time(
        self, project: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def sleep(*_: object) -> None:
            time.sleep(60)

        monkeypatch.setattr(receive, "select_received", sleep)
        monkeypatch.chdir(project.folder)
        assert main(["receive", "--time-limit", "1s", "refs/heads/main", ZEROS, project.head() or ""]) == 3
        assert "not finished within 1 second" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["x", f"{ZEROS} {ZEROS}", "\0"])
    def test_what_git_does_not_give(self, project: Repository, text: str) -> None:
        ran = run("receive", cwd=project.folder, stdin=text.encode())
        assert ran.status == 2
        assert "not what git gives a pre-receive hook" in ran.err
        ran = run("receive", "--warn-only", cwd=project.folder, stdin=text.encode())
        assert ran.status == 0
        assert "not what git gives a pre-receive hook" in ran.err
        assert "the push passes all the same" in ran.err

    def test_lines_that_another_hook_has_read(self, project: Repository) -> None:
        ran = run("receive", "-q", cwd=project.folder, stdin=b"")
        assert ran.status == 2
        assert "standard input is empty" in ran.err
        assert "give each hook a copy" in ran.err
        assert run("receive", "-q", "--warn-only", cwd=project.folder, stdin=b"").status == 0

    def test_two_arguments(self, project: Repository) -> None:
        ran = run("receive", "refs/heads/main", ZEROS, cwd=project.folder)
        assert ran.status == 2
        assert "REF OLD NEW" in ran.err


def test_git_is_not_started_for_each_ref(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror can be pushed with tens of thousands of refs."""
    repository.commit({"a.py": "x = 1\n"})
    tip = repository.git("rev-parse", "HEAD")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    one = repository.git("commit-tree", "-p", tip, "-m", "one", tree)
    two = repository.git("commit-tree", "-p", one, "-m", "two", tree)
    other = repository.git("commit-tree", "-p", tip, "-m", "other", tree)
    started: list[int] = []
    spawn = Git._spawn

    def counted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started[-1] += 1
        return spawn(*arguments, **options)

    monkeypatch.setattr(Git, "_spawn", staticmethod(counted))
    for count in (3, 30):
        started.append(0)
        names = [(f"refs/heads/b{number}", (two, one, other)[number % 3]) for number in range(count)]
        updates = [received_update(name, ZEROS, commit) for name, commit in names]
        selected = select_received(Git(str(repository.folder)), updates)
    assert started[0] == started[1]
    assert {commit.id for commit in selected.commits} == {one, two, other}
    assert selected.refs == {
        commit: tuple(f"b{number}" for number in range(count) if number % 3 in brought)[:20]
        for commit, brought in ((one, (0, 1)), (two, (0,)), (other, (2,)))
    }
