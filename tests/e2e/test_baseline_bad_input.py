"""Baselines that are refused: in one line, with what to do, before anything is scanned or written."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e import Pair, run
from tests.e2e.baselines import NAME, create, entries, known_pair, of
from tests.e2e.test_bad_input import assert_reported, unprivileged
from tests.repositories import Repository

__all__ = ["unprivileged"]
SOUND = {"version": "1.5.0", "plugins_used": [], "filters_used": [], "results": {}}
CONFLICT = '{\n<<<<<<< HEAD\n  "version": "1.5.0",\n=======\n  "version": "1.4.0",\n>>>>>>> other\n  "results": {}\n}\n'
BAD = [
    pytest.param("", "is not valid JSON", id="empty"),
    pytest.param('{"version": "1.5.0"', "is not valid JSON", id="cut short"),
    pytest.param("[" * 100_000, "is not valid JSON", id="deep"),
    pytest.param(b"\xff\xfe{\0}\0", "not UTF-8", id="PowerShell"),
    pytest.param(CONFLICT, "has conflict markers of git in it", id="conflict"),
    pytest.param(CONFLICT.replace("\n", "\r\n"), "has conflict markers of git in it", id="conflict, CRLF"),
    pytest.param("[]", "is not a baseline of detect-secrets", id="list"),
    pytest.param("{}", "is not a baseline of detect-secrets", id="nothing in it"),
    pytest.param('{"version": "1.5.0"}', "is not a baseline of detect-secrets", id="no results"),
    pytest.param('{"results": {}}', "is not a baseline of detect-secrets", id="no version"),
    pytest.param('{"version": 1, "results": {}}', "is not a baseline of detect-secrets", id="version of no kind"),
    pytest.param('{"version": "new", "results": {}}', "is not a baseline of detect-secrets", id="no such version"),
    pytest.param('{"version": "0.14.3", "results": {}}', "is of detect-secrets 0.14.3, before 1.0", id="old"),
    pytest.param('{"version": "2.0.0", "results": {}}', "is of version 2.0.0", id="new"),
    pytest.param('{"version": "1.5.0", "results": []}', "is not a baseline of detect-secrets", id="results of no kind"),
    pytest.param('{"version": "1.5.0", "results": {"a": {}}}', "the entries of a are not a list", id="no list"),
    pytest.param('{"version": "1.5.0", "results": {"a": [1]}}', "entry 1 of a is not an object", id="no object"),
    pytest.param(
        '{"version": "1.5.0", "results": {"a": [{"type": "X"}]}}', "entry 1 of a has no “hashed_secret”", id="no digest"
    ),
    pytest.param(
        '{"version": "1.5.0", "results": {"a": [{"hashed_secret": "x"}]}}', "entry 1 of a has no “type”", id="no type"
    ),
    pytest.param(
        '{"version": "1.5.0", "results": {"a": [{"type": "X", "hashed_secret": "x", "is_secret": "no"}]}}',
        "neither true nor false",
        id="no label",
    ),
    pytest.param('{"version": "1.5.0", "results": {"a": [], "a": []}}', "has “a” twice", id="twice"),
]


@pytest.mark.parametrize(("text", "printed"), BAD)
def test_refused(repository: Repository, text: str | bytes, printed: str) -> None:
    repository.stage("bot.py", Pair.fresh().python)
    repository.commit()
    data = text if isinstance(text, bytes) else text.encode()
    repository.write(NAME, data)
    for words in (["scan", "--baseline", NAME], ["baseline", "update"], ["history", "--baseline", NAME]):
        outcome = run(*words, cwd=repository.folder)
        assert_reported(outcome, 2, printed)
        assert printed in outcome.err
    assert repository.path(NAME).read_bytes() == data


def test_what_to_do_about_a_conflict(repository: Repository) -> None:
    repository.write(NAME, CONFLICT)
    hint = run("scan", "--baseline", NAME, cwd=repository.folder).err.splitlines()[1]
    assert "Keep either side" in hint
    assert "baseline update" in hint


def test_a_missing_one(repository: Repository) -> None:
    for words in (["scan", "--baseline", "gone"], ["baseline", "update"], ["scan", "--baseline", "a/b"]):
        outcome = run(*words, cwd=repository.folder)
        assert_reported(outcome, 2)
        assert "no such baseline" in outcome.err
        assert "binance-leaks baseline create" in outcome.err


def test_no_file(repository: Repository) -> None:
    for what, printed in ((".", "is a folder"), ("pipe", "is no file"), ("", "--baseline is empty")):
        if what == "pipe":
            os.mkfifo(repository.path("pipe"))
        outcome = run("scan", "--baseline", what, cwd=repository.folder)
        assert_reported(outcome, 2)
        assert printed in outcome.err
    outcome = run("scan", "--baseline", "x" * 5000, cwd=repository.folder)
    assert_reported(outcome, 2)


@pytest.mark.parametrize("name", ["../outside", "link", "folder/outside", ".git/outside"])
def test_a_configured_one_is_in_the_work_tree(repository: Repository, name: str) -> None:
    """The author of a repository chose it."""
    known_pair(repository)
    above = repository.folder.parent
    repository.path("link").symlink_to(above / "outside")
    repository.path("folder").symlink_to(above)
    repository.write("pyproject.toml", f'[tool.binance-leaks]\nbaseline = "{name}"\n')
    before = sorted(above.iterdir())
    for words in (["baseline", "create"], ["baseline", "update"], ["scan"]):
        outcome = run(*words, cwd=repository.folder)
        assert_reported(outcome, 2, name)
        assert "leads out of the work tree" in outcome.err
    assert sorted(above.iterdir()) == before
    assert run("baseline", "create", "--baseline", "../outside", cwd=repository.folder).status == 0


def test_the_configuration_is_a_link_out_of_the_work_tree(repository: Repository) -> None:
    """Its baseline is another project's."""
    other = repository.folder.with_name("other")
    other.mkdir()
    (other / "pyproject.toml").write_text(f'[tool.binance-leaks]\nbaseline = "{NAME}"\n', "utf-8")
    repository.path("pyproject.toml").symlink_to(other / "pyproject.toml")
    outcome = run("baseline", "create", cwd=repository.folder)
    assert_reported(outcome, 2, NAME)
    assert not (other / NAME).exists()


def test_a_value_as_its_name_is_not_shown(repository: Repository) -> None:
    """`run` looks for it."""
    assert run("scan", "--baseline", Pair.fresh().key, cwd=repository.folder).status == 2


def test_hostile_paths_in_it(repository: Repository) -> None:
    path = "\x1b[31m" + Pair.fresh().key
    repository.write(NAME, json.dumps({**SOUND, "results": {path: [{}]}}))
    outcome = run("scan", "--baseline", NAME, cwd=repository.folder)
    assert_reported(outcome, 2)
    assert "\x1b" not in outcome.err


def test_unreadable(repository: Repository, unprivileged: Sequence[str]) -> None:
    known_pair(repository)
    repository.path(NAME).chmod(0)
    outcome = run("scan", "--baseline", NAME, cwd=repository.folder, program=unprivileged)
    assert_reported(outcome, 2)
    assert "cannot be read: Permission denied" in outcome.err


def test_a_read_only_folder(repository: Repository, unprivileged: Sequence[str]) -> None:
    known_pair(repository)
    repository.write("new.py", Pair.fresh().python)
    before = repository.path(NAME).read_bytes()
    repository.folder.chmod(0o555)
    try:
        for words in (["update"], ["create", "--baseline", "other.json"]):
            outcome = run("baseline", *words, cwd=repository.folder, program=unprivileged)
            assert_reported(outcome, 3)
            assert "cannot be written: its folder" in outcome.err
    finally:
        repository.folder.chmod(0o755)
    assert repository.path(NAME).read_bytes() == before
    assert not repository.path("other.json").exists()


def test_what_could_not_be_read_stays_known(repository: Repository, unprivileged: Sequence[str]) -> None:
    pair, other = known_pair(repository, "src/bot.py"), Pair.fresh()
    repository.write("new.py", other.python)
    for closed in (repository.path("src/bot.py"), repository.path("src")):
        mode = closed.stat().st_mode
        closed.chmod(0)
        try:
            outcome = run("baseline", "update", cwd=repository.folder, program=unprivileged)
        finally:
            closed.chmod(mode)
        assert outcome.status == 3
        assert "Incomplete: 1 not read. What is known there is kept." in outcome.out
        assert "Permission denied" in outcome.out
        assert entries(repository.folder) == of("src/bot.py", pair) | of("new.py", other)


def test_create_where_something_cannot_be_read(repository: Repository, unprivileged: Sequence[str]) -> None:
    pair = Pair.fresh()
    repository.commit({"a.py": pair.python, "b.py": "import os\n"})
    repository.path("b.py").chmod(0)
    outcome = run("baseline", "create", cwd=repository.folder, program=unprivileged)
    assert outcome.status == 3
    assert "b.py" in outcome.out
    assert entries(repository.folder) == of("a.py", pair)


def test_create_with_a_history_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(Pair.fresh().python)
    outcome = create(tmp_path, "--history", status=3)
    assert "not a git repository" in outcome.err
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("words", [[], ["make"], ["create", "--format", "json"], ["update", "--verify"]])
def test_wrong_words(repository: Repository, words: list[str]) -> None:
    assert run("baseline", *words, cwd=repository.folder).status == 2
