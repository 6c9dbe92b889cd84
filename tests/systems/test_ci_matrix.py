"""The workflow that runs the tests on other systems: valid, pinned, without rights, and complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.schemas import complaints

TOP = Path(__file__).resolve().parents[2]
WORKFLOW = TOP / ".github/workflows/tests.yml"
RELEASE = TOP / ".github/workflows/release.yml"


@pytest.fixture(scope="module")
def jobs() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]
    return found


def test_it_is_valid() -> None:
    assert not complaints("github-workflows", WORKFLOW)


def test_it_has_no_rights_and_ends(jobs: dict[str, dict[str, object]]) -> None:
    text = WORKFLOW.read_text("utf-8")
    assert yaml.safe_load(text)["permissions"] == {}
    assert "secrets" not in text
    assert "pull_request_target" not in text
    for job in jobs.values():
        assert job["permissions"] == {"contents": "read"}
        assert isinstance(job["timeout-minutes"], int)
    assert text.count("persist-credentials: false") == text.count("actions/checkout@") == len(jobs)
    assert not re.search(r"run:.*\$\{\{", text)


def test_its_actions_are_those_of_the_release() -> None:
    """Pinned by hash, so that one change of a version changes both."""
    named = re.findall(r"uses: (\S+ # \S+)", WORKFLOW.read_text("utf-8"))
    assert len(named) == WORKFLOW.read_text("utf-8").count("uses:")
    assert all(re.match(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v", each) for each in named)
    assert all(each in RELEASE.read_text("utf-8") for each in named)


def test_it_has_every_system_and_every_python_of_the_wheels(jobs: dict[str, dict[str, object]]) -> None:
    strategy = jobs["tests"]["strategy"]
    assert isinstance(strategy, dict)
    matrix = strategy["matrix"]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert [each["os"] for each in matrix["include"]] == matrix["os"]
    built = re.search(r"CIBW_BUILD: (.*)", RELEASE.read_text("utf-8"))
    assert built is not None
    assert matrix["python"] == [f"3.{number}" for number in re.findall(r"cp3(\d+)-\*", built[1])]
