"""Workers that are spawned or forked by a server find what forked ones do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.e2e import Pair, as_report, run
from tests.repositories import Repository

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Files with pairs, one of them only in the history."""
    made = Repository.create(tmp_path_factory.mktemp("methods") / "project")
    made.commit({f"{number}.env": Pair.fresh().dotenv for number in range(6)})
    made.git("rm", "--quiet", "0.env")
    made.commit()
    return made


@pytest.mark.skipif(sys.platform == "win32", reason="spawns them always")
@pytest.mark.parametrize("command", ["scan", "history"])
@pytest.mark.parametrize("method", ["SpawnContext", "ForkServerContext", "ForkContext"])
def test_a_report_is_the_same(command: str, method: str, repository: Repository) -> None:
    words = (command, "--format", "json", "--no-progress")
    plain = run(*words, "--jobs", "1", ".", cwd=repository.folder)
    program = (sys.executable, "-m", "tests.systems.start_methods", method)
    done = run(*words, "--jobs", "2", ".", cwd=repository.folder, env={"PYTHONPATH": os.fspath(TOP)}, program=program)
    assert plain.status == done.status == 1, done.err
    assert done.err.startswith("started\n")
    assert as_report(done.out)["findings"] == as_report(plain.out)["findings"]
