"""`history` of a part: what refs reach, some branches, some paths, some time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from random import SystemRandom

import pytest

from tests.e2e import Pair
from tests.e2e.histories import history, identity
from tests.hideout import DAY, FIRST_DAY, Maker
from tests.hiding_contents import dotenv, module
from tests.repositories import Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A repository with pairs on several branches, and the pairs by the names they have here."""

    repository: Repository
    pairs: Mapping[str, Pair]
    middle: str

    def found(self, *words: str) -> set[str]:
        """The names of the pairs that a narrowed history finds."""
        names = {identity(pair): name for name, pair in self.pairs.items()}
        looked = history(*words, cwd=self.repository.folder)
        assert looked.complete
        return {names[found] for found in looked.ids}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    repository = Repository.create(tmp_path_factory.mktemp("narrow") / "project")
    maker = Maker(repository, SystemRandom())
    names = ("old", "env", "topic", "amended", "message", "new", "remote", "tagged", "noted", "once noted")
    pairs = {name: maker.pair() for name in names}
    maker.commit({"old/bot.py": module(pairs["old"])}, "Old")
    maker.commit({"conf/prod.env": dotenv(pairs["env"]), "conf/readme.txt": "nothing\n"}, "Settings")
    maker.git("tag", "-m", pairs["once noted"].dotenv, "v0")
    middle = datetime.fromtimestamp(FIRST_DAY + maker.day * DAY + DAY // 2, tz=timezone.utc).isoformat()
    maker.checkout("-b", "topic")
    maker.commit({"topic/bot.py": module(pairs["topic"])}, "Topic")
    maker.checkout("main")
    maker.commit({"amended/bot.py": module(pairs["amended"])}, "To be amended")
    maker.commit({"amended/bot.py": "import os\n"}, "Amended", "--amend")
    maker.commit({}, f"Told\n\n{pairs['message'].dotenv}")
    maker.commit({"new/bot.py": module(pairs["new"]), "old/bot.py": module(pairs["old"], padding=2)}, "New")
    for name, ref in (("remote", "refs/remotes/origin/feature"), ("tagged", "refs/tags/v1")):
        maker.checkout("--detach", "main")
        maker.commit({f"{name}/bot.py": module(pairs[name])}, name)
        repository.git("update-ref", ref, "HEAD")
    maker.checkout("main")
    maker.git("tag", "-m", pairs["noted"].dotenv, "v2")
    return Project(repository=repository, pairs=pairs, middle=middle)


MAIN = {"old", "env", "message", "new"}
OLD = {"old", "env"}


def test_all(project: Project) -> None:
    assert project.found() == set(project.pairs)


def test_what_refs_reach(project: Project) -> None:
    assert project.found("--reachable") == set(project.pairs) - {"amended"}


def test_branches(project: Project) -> None:
    assert project.found("--branch", "main") == MAIN
    assert project.found("--branch", "topic") == OLD | {"topic"}
    assert project.found("--branch", "topic", "--branch", "main") == MAIN | {"topic"}
    assert project.found("--branch", "refs/heads/topic") == OLD | {"topic"}
    assert project.found("--branch", "origin/feature") == MAIN | {"remote"}
    assert project.found("--branch", "v1") == MAIN | {"tagged"}


def test_since(project: Project) -> None:
    # The old pair is in a version that is new.
    since = project.found("--since", project.middle) - {"amended", "old"}
    assert since == {"topic", "message", "new", "remote", "tagged", "noted"}, "what was brought in before is not news"
    assert project.found("--since", "2020-01-01") - {"amended"} == set(project.pairs) - {"amended"}
    assert project.found("--since", "1 week ago") == set()
    assert project.found("--since", project.middle, "--branch", "topic") == {"topic"}
    assert "amended" not in project.found("--since", project.middle, "--reachable")


def test_paths(project: Project) -> None:
    assert project.found("--path", "*.env") == {"env"}
    assert project.found("--path", "old/bot.py") == {"old"}
    assert project.found("--path", "topic/", "--path", "conf/") == {"topic", "env"}
    assert project.found("--path", "old/**", "--path", "*.env") == {"old", "env"}
    assert project.found("--path", "nowhere/*") == set()
    assert project.found("--path", "bot.py", "--branch", "topic") == {"old", "topic"}
    assert "amended" not in project.found("--path", "bot.py", "--reachable")


def test_a_narrowed_history_reports_the_same(project: Project) -> None:
    every = {leak["id"]: leak for leak in history(cwd=project.repository.folder).leaks}
    for words in (["--reachable"], ["--branch", "main", "--branch", "topic"], ["--path", "*.py"]):
        for leak in history(*words, cwd=project.repository.folder).leaks:
            reported = {(place["path"], place["role"]): place for place in every[leak["id"]]["locations"]}
            for place in leak["locations"]:
                same = reported[place["path"], place["role"]]
                assert (place["line"], place["commit"]) == (same["line"], same["commit"])


def test_only_the_paths_requested_are_reported(repository: Repository) -> None:
    pair = Pair.fresh()
    repository.commit({"a/bot.py": module(pair), "b/bot.py": module(pair)})
    repository.commit({"a/bot.py": module(pair, padding=2)})
    assert history("--path", "a/", cwd=repository.folder).paths == {"a/bot.py"}
    assert history("--path", "b/", cwd=repository.folder).paths == {"b/bot.py"}
    assert history(cwd=repository.folder).paths == {"a/bot.py", "b/bot.py"}


def test_the_depths_of_a_clone_do_not_narrow(tmp_path: Path) -> None:
    """A branch that stops at a shallow border is incomplete, and reports it."""
    origin = Repository.create(tmp_path / "origin")
    pair = Pair.fresh()
    origin.commit({"bot.py": module(pair)})
    origin.commit({"bot.py": "import os\n"})
    origin.git("clone", "--quiet", "--depth=1", f"file://{origin.folder}", str(tmp_path / "shallow"))
    for words in ([], ["--reachable"], ["--branch", "main"], ["--since", "2001-01-01"]):
        looked = history(*words, cwd=tmp_path / "shallow")
        assert (looked.status, looked.leaks) == (3, [])
