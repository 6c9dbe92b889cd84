"""Modules of a hostile repository are never imported, however the program is started, and the gate stays red.

Each module records the process that imported it. Those named as one of Python's own then become the real one, so
that programs which do import them, such as pre-commit, go on; a false `binance_leaks` ends its process with status 0.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from binance_leaks.setup.ci_templates import template

from tests.e2e import PROGRAM, SOURCE, Pair, run
from tests.e2e.test_init import installed
from tests.repositories import Repository
from tests.test_action import play_with

ISOLATED = (sys.executable, "-I", "-m", "binance_leaks")
SCRIPT = Path(sys.executable).with_name("binance-leaks")
_RECORD = """\
import os, sys
with open({marker!r}, "a") as stream:
    stream.write({name!r} + " in " + " ".join(sys.orig_argv) + "\\n")
"""
_BECOME_REAL = """\
import importlib
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
del sys.modules[__name__]
sys.modules[__name__] = importlib.import_module(__name__)
"""
_OWN = ("binance_leaks.py", "binance_leaks/__init__.py", "scanner.py", "scanner/__init__.py")
_AT_START = ("sitecustomize.py", "usercustomize.py", "startup.py")
_SHADOWS = ("git.py", "re.py", "json.py", "detect_secrets.py", "yaml.py")


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A repository with such modules, a leak in its newest commit, and the variables that put it on Python's path."""

    repository: Repository
    pair: Pair
    marker: Path
    before: str
    after: str

    @property
    def env(self) -> Mapping[str, str]:
        return {
            "PYTHONPATH": f".{os.pathsep}{self.repository.folder}",
            "PYTHONSTARTUP": str(self.repository.folder / "startup.py"),
            "PYTHONUSERBASE": str(self.repository.folder),
        }

    def imported(self) -> list[str]:
        """What was imported, and by which command."""
        return self.marker.read_text("utf-8").splitlines() if self.marker.exists() else []

    def assert_ours_imported_nothing(self) -> None:
        """No process of this program is among those that imported a module of the repository."""
        assert not [line for line in self.imported() if "binance" in line.split(" in ", 1)[1]], self.imported()


def plant(repository: Repository, marker: Path) -> None:
    """Write the hostile modules."""
    for name in (*_OWN, *_AT_START, *_SHADOWS):
        record = _RECORD.format(marker=str(marker), name=name)
        ends = "sys.exit(0)\n" if name in _OWN else _BECOME_REAL if name in _SHADOWS else ""
        repository.stage(name, record + ends)


@pytest.fixture
def hostile(repository: Repository, tmp_path: Path) -> Iterator[Hostile]:
    marker = tmp_path / "imported"
    plant(repository, marker)
    before = repository.commit()
    pair = Pair.fresh()
    after = repository.commit({"bot.py": pair.python})
    yield Hostile(repository=repository, pair=pair, marker=marker, before=before, after=after)


def test_the_modules_work(hostile: Hostile) -> None:
    """Without isolation they are imported: otherwise the tests below would show nothing."""
    done = subprocess.run(
        [*PROGRAM, "scan", "."],
        cwd=hostile.repository.folder,
        env={**os.environ, **hostile.env},
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    names = {line.split(" in ")[0] for line in hostile.imported()}
    assert {"sitecustomize.py", "binance_leaks/__init__.py"} <= names


@pytest.mark.parametrize(
    "words",
    [
        ("scan", ".", "--jobs", "2"),
        ("history", "--jobs", "2"),
        ("fleet", "scan", ".", "--jobs", "1"),
        ("ci", "--base", "HEAD~1", "--format", "json"),
    ],
    ids=lambda words: words[0],
)
def test_commands(hostile: Hostile, words: tuple[str, ...]) -> None:
    ran = run(*words, cwd=hostile.repository.folder, env=hostile.env, program=ISOLATED)
    assert ran.status == 1, ran.out + ran.err
    assert hostile.imported() == []


def test_the_processes_of_a_fleet(hostile: Hostile) -> None:
    """They are isolated even where the program that starts them is not."""
    env = {"PYTHONPATH": "", "PYTHONSTARTUP": hostile.env["PYTHONSTARTUP"]}
    ran = run("fleet", "scan", ".", "--jobs", "1", cwd=hostile.repository.folder, env=env, program=[str(SCRIPT)])
    assert ran.status == 1, ran.out + ran.err
    assert hostile.imported() == []


@pytest.mark.parametrize("command", [("scan", "."), ("history",), ("fleet", "scan", "."), ("staged",)])
def test_the_plain_program_beside_modules_of_the_same_names(
    repository: Repository, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """A project's own `git.py` and the like, with PYTHONPATH=. in the user's shell: the program uses the real ones."""
    marker = tmp_path / "imported"
    for name in ("git.py", "json.py", "yaml.py", "detect_secrets.py", "urllib3.py", "rich.py"):
        repository.stage(name, _RECORD.format(marker=str(marker), name=name) + "raise SystemExit(0)\n")
    repository.commit()
    if command == ("staged",):
        repository.stage("bot.py", Pair.fresh().python)
    else:
        repository.commit({"bot.py": Pair.fresh().python})
    ran = run(*command, cwd=repository.folder, env={"PYTHONPATH": "."}, program=[str(SCRIPT)])
    assert ran.status == 1, ran.out + ran.err
    assert not marker.exists(), marker.read_text("utf-8")


def test_a_library_folder_in_pythonpath_stays(tmp_path: Path) -> None:
    """PYTHONPATH is how some systems install packages: what it names elsewhere is not taken off."""
    library, work = tmp_path / "library", tmp_path / "work"
    library.mkdir()
    work.mkdir()
    program = (
        "import sys; sys.argv = ['binance-leaks', '--version']\n"
        "from binance_leaks.isolation import trusted_import_path\n"
        "print(*trusted_import_path(), sep='\\n')"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(library), str(work), ".", str(SOURCE / "scanner")])}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=work, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    path = done.stdout.splitlines()
    assert str(library) in path
    assert str(SOURCE / "scanner") in path
    assert not {str(work), "", "."} & set(path)


def test_the_hooks_under_pre_commit(repository: Repository, tmp_path: Path) -> None:
    env = installed(repository, tmp_path)
    marker = tmp_path / "imported"
    plant(repository, marker)
    pair = Pair.fresh()
    hostile = Hostile(repository=repository, pair=pair, marker=marker, before="", after="")
    repository.stage("bot.py", pair.python)
    ran = repository.run("commit", "-m", "a change", env={**env, **hostile.env})
    assert ran.status == 1
    assert "bot.py:2" in ran.out + ran.err
    hostile.assert_ours_imported_nothing()
    assert hostile.imported(), "pre-commit itself is started without -I"


def test_a_raw_hook(hostile: Hostile) -> None:
    line = "exec python3 -I -m binance_leaks staged -q"
    assert f"`{line}`" in (SOURCE / "docs/hooks.md").read_text("utf-8")
    hook = hostile.repository.path(".git/hooks/pre-commit")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{line.replace('python3', sys.executable)}\n", "utf-8")
    hook.chmod(0o755)
    hostile.repository.stage("more.py", Pair.fresh().python)
    ran = hostile.repository.run("commit", "-m", "a change", env=hostile.env)
    assert ran.status == 1
    assert "more.py:2" in ran.out + ran.err
    assert hostile.imported() == []


def test_the_action(hostile: Hostile, tmp_path: Path) -> None:
    payload = {"ref": "refs/heads/main", "before": hostile.before, "after": hostile.after}
    (tmp_path / "event.json").write_text(json.dumps({**payload, "repository": {"default_branch": "main"}}), "utf-8")
    event = {
        **hostile.env,
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    hostile.repository.folder.rename(tmp_path / "work")
    played = play_with(ISOLATED[1:], tmp_path, {}, event)
    assert played.status == 1, played.out
    assert played.outputs["findings"] == "1"
    assert hostile.imported() == []


def play_gitlab(hostile: Hostile, folder: Path, script: list[str]) -> int:
    """Run the lines of a job's script as GitLab's runner does: in one shell that ends at the first failure."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', "utf-8")
    (programs / "python").chmod(0o755)
    variables = {
        "GITLAB_CI": "true",
        "CI_COMMIT_SHA": hostile.after,
        "CI_COMMIT_BEFORE_SHA": hostile.before,
        "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main",
    }
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(script)],
        cwd=hostile.repository.folder,
        env={**os.environ, **variables, **hostile.env, "PATH": path},
        timeout=60,
        check=False,
    ).returncode


def test_the_job_of_gitlab(hostile: Hostile, tmp_path: Path) -> None:
    script = yaml.safe_load(template("gitlab-ci.yml", None))["binance-leaks"]["script"]
    hostile.repository.write("gl-secret-detection-report.json", "{}")
    assert play_gitlab(hostile, tmp_path, script) == 1
    assert hostile.imported() == []
    assert hostile.repository.path("gl-secret-detection-report.json").read_text("utf-8") != "{}"


def test_the_job_of_gitlab_without_a_report(hostile: Hostile, tmp_path: Path) -> None:
    script = yaml.safe_load(template("gitlab-ci.yml", None))["binance-leaks"]["script"]
    hostile.repository.write("gl-secret-detection-report.json", "{}")
    assert play_gitlab(hostile, tmp_path, [line if "binance_leaks" not in line else "true" for line in script]) == 3
