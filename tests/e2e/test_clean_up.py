"""The steps of a report, done to the end with git and git-filter-repo as they are printed, until nothing is left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import Pair, run
from tests.hiding_contents import compiled, module, zipped
from tests.repositories import Repository

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a POSIX shell")
INSTALL = "python -m pip install git-filter-repo"
HOSTILE = "it's $(touch owned) `touch owned` \n;touch owned;*.py"
Hide = Callable[[Repository, Pair], object]


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def printed(repository: Repository, *words: str) -> list[str]:
    """The commands of a report, in order."""
    report = run("history", "--format", "markdown", *words, cwd=repository.folder).out
    fenced = re.findall(r"^ *```\n(.*?)^ *```", report, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in fenced for line in block.splitlines()]
    return [line for line in lines if line.startswith(("git ", "cd ", "python ", "binance-leaks "))]


def follow(repository: Repository) -> list[str]:
    """Do what the report says, in one shell, but install nothing."""
    commands = printed(repository)
    script = "\n".join(["set -x", *(line for line in commands if line != INSTALL)])
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=repository.folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "fatal" not in done.stderr, done.stderr
    return commands


def is_clean(repository: Repository) -> bool:
    return run("history", cwd=repository.folder).status == 0


def _stash(repository: Repository, pair: Pair) -> None:
    for number, content in enumerate([module(pair), "a = 1\n", module(pair, padding=2), "b = 1\n"]):
        repository.write("README", content if number % 2 else f"{content}\n")
        repository.git("stash", "push", "--quiet", "--message", f"number {number}")


def _unreachable(repository: Repository, pair: Pair) -> None:
    repository.write("README", "kept\n")
    repository.git("stash", "push", "--quiet")
    repository.write("README", "kept too\n")
    repository.git("stash", "push", "--quiet")
    repository.commit({"bot.py": module(pair)})
    repository.git("reset", "--quiet", "--hard", "HEAD~")


def _pieces(repository: Repository, pair: Pair) -> None:
    key, secret = (f'"{value[:30]}" + \\\n    "{value[30:]}"' for value in (pair.key, pair.secret))
    repository.commit({"cfg/bot.py": f"from binance.client import Client\n\nclient = Client({key}, {secret})\n"})


def _tag(repository: Repository, pair: Pair) -> None:
    repository.git("tag", "-a", "v1", "-m", f"BINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}")


KINDS: dict[str, Hide] = {
    "text file": lambda repository, pair: repository.commit({"bot.py": module(pair)}),
    "commit message": lambda repository, pair: repository.commit(
        message=f"BINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}"
    ),
    "tag message": _tag,
    "stash": _stash,
    "unreachable object": _unreachable,
    "archive member": lambda repository, pair: repository.commit({"old/bot 1.zip": zipped(pair)}),
    "value in pieces": _pieces,
    "binary": lambda repository, pair: repository.commit({"bot.pyc": compiled(pair)}),
    "file name": lambda repository, pair: repository.commit({f"binance_api_key_{pair.key}.txt": "x\n"}),
    "hostile name": lambda repository, pair: repository.commit({HOSTILE: module(pair).replace("\n", "\n\0")}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_steps_end(kind: str, repository: Repository, pair: Pair) -> None:
    repository.commit({"README": "nothing to hide\n"})
    KINDS[kind](repository, pair)
    assert not is_clean(repository), kind
    follow(repository)
    assert is_clean(repository), kind
    assert repository.git("show", "HEAD:README") == "nothing to hide"
    assert not list(repository.folder.parent.rglob("owned"))
    stashes = {"stash": 2, "unreachable object": 2}.get(kind, 0)
    assert len(repository.git("stash", "list").splitlines()) == stashes


def test_what_was_pushed_is_rewritten_in_a_clone_of_the_remote(
    repository: Repository, tmp_path: Path, pair: Pair
) -> None:
    repository.commit({"README": "nothing to hide\n"})
    repository.commit({"bot.py": module(pair), "bot.pyc": compiled(pair)})
    remote = Repository.create(tmp_path / "remote.git", "--bare")
    repository.git("remote", "add", "origin", str(remote.folder))
    repository.git("push", "--quiet", "origin", "main", "main:old")
    repository.git("fetch", "--quiet", "origin")
    commands = follow(repository)
    assert 'git clone --mirror "$(git remote get-url origin)" clean.git' in commands
    assert commands[-1] == "git push --force --mirror origin"
    assert is_clean(Repository(repository.folder / "clean.git"))
    again = Repository(tmp_path / "again")
    repository.git("clone", "--quiet", "--mirror", f"file://{remote.folder}", str(again.folder))
    assert is_clean(again)
    assert again.git("show", "old:README") == "nothing to hide"


@pytest.mark.parametrize("words", [("--depth", "1"), ("--filter=blob:none", "--no-checkout")])
def test_a_clone_that_lacks_objects_is_cloned_whole(
    repository: Repository, tmp_path: Path, pair: Pair, words: tuple[str, ...]
) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.commit({"old.py": "x = 1\n"})
    repository.commit({"bot.py": module(pair)}, message=f"BINANCE_API_KEY={pair.key}\nBINANCE_API_SECRET={pair.secret}")
    part = Repository(tmp_path / "part")
    repository.git("clone", "--quiet", *words, f"file://{repository.folder}", str(part.folder))
    assert printed(part) == [
        'git clone --mirror "$(git remote get-url origin)" whole.git', "cd whole.git", "binance-leaks history",
    ]  # fmt: skip
    follow(part)
    assert "git push --force --mirror origin" in printed(Repository(part.folder / "whole.git"))
