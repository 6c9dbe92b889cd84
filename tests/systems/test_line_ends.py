"""Work trees with line ends of Windows: what `core.autocrlf` changes on disk changes nothing in reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import Found, Pair, run
from tests.repositories import Repository

SETTINGS = ("core.autocrlf=true", "core.autocrlf=input", "core.autocrlf=false")


@pytest.fixture(params=SETTINGS)
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    """A pair, one that a comment allows and one in a block, checked out with the line ends of the setting."""
    origin = Repository.create(tmp_path / "origin")
    allowed = Pair.fresh()
    origin.commit({"README.md": "x\n"})
    origin.commit(
        {
            "bot/keys.env": f"# a bot\n\n{Pair.fresh().dotenv}",
            "bot/main.py": f"# binance-leaks: allow-next-line\n{allowed.call}\n{Pair.fresh().python}",
        }
    )
    made = Repository(tmp_path / "clone")
    origin.git("clone", "--quiet", "--config", request.param, ".", str(made.folder))
    assert (b"\r\n" in made.path("bot/keys.env").read_bytes()) == (request.param == SETTINGS[0])
    return made


def _values(findings: list[Found]) -> set[tuple[str, str, int, int, bool]]:
    return {
        (finding["id"], place["path"], place["line"], place["column"], finding["suppressed"] is not None)
        for finding in findings
        for place in finding["locations"]
    }


def test_all_ways_agree(repository: Repository) -> None:
    """On disk, in the index, in the commits and in the history: the same values, lines, columns and comments."""
    folder = repository.folder
    words = ("--format", "json", "--show-suppressed")
    seen = {
        " ".join(command): _values(run(*command, *words, cwd=folder).report["findings"])
        for command in (("scan", "."), ("range", "HEAD~1..HEAD"), ("history",))
    }
    repository.git("reset", "--quiet", "--soft", "HEAD~1")
    seen["staged"] = _values(run("staged", *words, cwd=folder).report["findings"])
    assert len(seen["scan ."]) == 6
    assert {each[-1] for each in seen["scan ."]} == {True, False}
    assert all(values == seen["scan ."] for values in seen.values()), seen


def test_a_baseline_holds_for_all_ways(repository: Repository) -> None:
    folder = repository.folder
    assert run("baseline", "create", "--baseline", "b.json", cwd=folder).status == 0
    for command in (("scan", "."), ("range", "HEAD~1..HEAD"), ("history",)):
        assert run(*command, "--baseline", "b.json", cwd=folder).status == 0, command
    repository.git("reset", "--quiet", "--soft", "HEAD~1")
    assert run("staged", "--baseline", "b.json", cwd=folder).status == 0


def test_a_comment_is_added_with_the_line_ends_of_the_file(repository: Repository, tmp_path: Path) -> None:
    file, env = repository.path("bot/keys.env"), {"XDG_STATE_HOME": str(tmp_path / "state")}
    before = file.read_bytes()
    assert run("scan", "bot/keys.env", cwd=repository.folder, env=env).status == 1
    done = run("allow", "--last", "--inline", cwd=repository.folder, env=env)
    assert done.status == 0, done.err
    after = file.read_bytes()
    assert after.count(b"allow") > before.count(b"allow")
    assert after.count(b"\r\n") == (after.count(b"\n") if b"\r\n" in before else 0)
    assert run("scan", "bot/keys.env", cwd=repository.folder, env=env).status == 0
