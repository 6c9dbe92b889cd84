"""What the reports advise, done as it is printed: in each place the value is out of the way afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from binance_leaks.model import Cell, CellPart, Location, Role
from binance_leaks.report.storage_advice import storage_steps

from tests.e2e import Pair, run
from tests.repositories import Repository

BOTH = (Role.API_KEY, Role.SECRET_KEY)
SOURCE, OUTPUT = CellPart.SOURCE, CellPart.OUTPUT


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def commands(text: str, *programs: str) -> list[str]:
    """The lines to copy that begin with one of these programs."""
    return [line.strip() for line in text.splitlines() if re.match(rf" +({'|'.join(programs)}) ", line)]


def do(repository: Repository, *lines: str, **environment: str) -> None:
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line], cwd=repository.folder, env={**os.environ, **environment},
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (line, done.stderr)


def test_a_file_that_should_not_be_tracked(repository: Repository, pair: Pair) -> None:
    repository.commit()
    repository.stage("conf/.env", pair.dotenv)
    shown = run("staged", cwd=repository.folder)
    assert "commit a .env.example without values" in shown.out
    found = commands(shown.out, "git", "echo")
    assert found == ["git rm --cached conf/.env", "echo .env >> .gitignore"]
    do(repository, *found, "git add .")
    assert run("staged", cwd=repository.folder).status == 0
    assert repository.path("conf/.env").exists()


def test_a_message(repository: Repository, pair: Pair) -> None:
    repository.hook("commit-msg", "message")
    repository.stage("a.txt", "a")
    assert repository.run("commit", "-m", f"Use {pair.call}").status == 1
    shown = run("message", ".git/COMMIT_EDITMSG", cwd=repository.folder).out
    found = commands(shown, "git")
    assert found == ["git commit -e -F .git/COMMIT_EDITMSG"]
    editor = repository.script("edit", 'echo "Use the client" > "$1"')
    do(repository, *found, GIT_EDITOR=str(editor))
    assert repository.git("log", "--format=%s") == "Use the client"


@pytest.mark.parametrize("before", [0, 1])
def test_a_push_that_never_left(repository: Repository, pair: Pair, tmp_path: Path, before: int) -> None:
    Repository.create(tmp_path / "origin", "--bare")
    repository.git("remote", "add", "origin", str(tmp_path / "origin"))
    for _ in range(before):
        repository.commit({"README.md": "# bot\n"})
    repository.commit({"bot.py": pair.python})
    repository.commit({"later.py": "import os\n"})
    shown = run("push", "origin", cwd=repository.folder)
    assert "It has not left this machine." in shown.out
    assert "First revoke" not in shown.out
    (rebase,) = commands(shown.out, "git")
    editor = repository.script("edit", "sed -i '1s/pick/edit/' \"$1\"")
    do(repository, rebase, GIT_SEQUENCE_EDITOR=str(editor))
    repository.stage("bot.py", "import os\n")
    do(repository, "git commit --quiet --amend --no-edit", "git rebase --continue", GIT_EDITOR="true")
    assert run("push", "origin", cwd=repository.folder).status == 0


def test_what_was_staged_once_and_never_committed(repository: Repository, pair: Pair) -> None:
    repository.commit({"a.txt": "a"})
    repository.stage("bot.py", pair.python)
    repository.git("reset", "--quiet")
    shown = run("history", cwd=repository.folder)
    assert "never committed" in shown.out
    assert "First revoke" not in shown.out
    do(repository, *commands(shown.out, "git"))
    assert run("history", cwd=repository.folder).status == 0


def test_a_commit_that_nothing_leads_to_may_have_been_seen(repository: Repository, pair: Pair) -> None:
    repository.commit({"a.txt": "a"})
    repository.commit({"bot.py": pair.python})
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    assert "First revoke it" in run("history", cwd=repository.folder).out


def steps_for(path: str) -> str:
    (step,) = storage_steps([Location(role=role, path=path, line=1, column=1) for role in BOTH], staged=True)
    return "\n".join((step.text, *step.verbatim))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("bot.py", 'api_secret = os.environ["BINANCE_API_SECRET"]'),
        ("src/bot.ts", "const apiKey = process.env.BINANCE_API_KEY;"),
        ("main.go", 'apiSecret := os.Getenv("BINANCE_API_SECRET")'),
        ("A.java", 'String apiKey = System.getenv("BINANCE_API_KEY");'),
        ("run.sh", ': "${BINANCE_API_KEY:?}"'),
        ("a.pl", "my $api_key = $ENV{BINANCE_API_KEY};"),
        ("a.ipynb", "jupyter nbconvert --clear-output --inplace a.ipynb"),
        (".github/workflows/ci.yml", "BINANCE_API_KEY: ${{ secrets.BINANCE_API_KEY }}"),
        (".gitlab-ci.yml", "jobs see $BINANCE_API_KEY and $BINANCE_API_SECRET"),
        ("Jenkinsfile", "secrets of the CI system"),
        ("docker-compose.yml", "env_file: .env"),
        ("k8s/deployment.yaml", "kubectl create secret generic binance --from-env-file=.env"),
        ("main.tf", 'variable "binance_api_key" { sensitive = true }'),
        ("Dockerfile", "docker run --env-file .env IMAGE"),
        ("deploy/server.pem", "git rm --cached deploy/server.pem"),
    ],
)
def test_where_it_belongs(path: str, words: str) -> None:
    assert words in steps_for(path)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((SOURCE,), "Read it from the environment in cell 2, and clear the outputs, which may show it:"),
        (
            (SOURCE, OUTPUT),
            "Read it from the environment in cell 2, and clear the outputs, as that of cell 3 shows it:",
        ),
        ((OUTPUT, OUTPUT), "Clear the outputs, as that of cell 2 and others shows it:"),
        ((None,), "Read it from the environment in the cell, and clear the outputs, which may show it:"),
    ],
)
def test_a_notebook_names_its_cells(parts: tuple[CellPart | None, ...], words: str) -> None:
    cells = [Cell(number=number, part=part) if part else None for number, part in enumerate(parts, start=2)]
    places = [Location(role=Role.API_KEY, path="a.ipynb", line=1, column=1, cell=cell) for cell in cells]
    (step,) = storage_steps(places, staged=True)
    assert step.text == words
    assert step.verbatim == ("jupyter nbconvert --clear-output --inplace a.ipynb", "git add a.ipynb")
    (step,) = storage_steps(places, staged=False)
    assert step.verbatim == ("jupyter nbconvert --clear-output --inplace a.ipynb",)


def test_a_name_that_a_shell_would_not_take_as_it_is_has_a_placeholder() -> None:
    for name in ("a b.py", "$(x).py", "-q.py", "a\nb.py", f"{Pair.fresh().key}.py"):
        assert steps_for(name).startswith("Read it from the environment, then run git add FILE:")


@pytest.mark.parametrize("path", [".env.example", "notes.txt", "config.json"])
def test_nothing_special(path: str) -> None:
    assert storage_steps([Location(role=Role.API_KEY, path=path, line=1, column=1)], staged=True) == []


def test_python_runs() -> None:
    code = steps_for("bot.py").partition("\n")[2]
    names = {"BINANCE_API_KEY": "k", "BINANCE_API_SECRET": "s"}
    done = subprocess.run(
        [sys.executable, "-c", f"import os\n{code}\nprint(api_key + api_secret)"], env=names, capture_output=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == b"ks\n"
