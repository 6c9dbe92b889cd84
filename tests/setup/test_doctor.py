"""`binance-leaks doctor`: every way in which a hook is not run, and that a trial leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from binance_leaks.setup.doctor.check import State
from binance_leaks.setup.doctor.hooks import Hook, HookFolder, find_hook
from binance_leaks.setup.doctor.program import check_git
from binance_leaks.setup.doctor.trial import Outcome, try_hook
from binance_leaks.setup.pre_commit import INSTALLED, PATH, configured_hooks, new_configuration
from binance_leaks.sources.git import Git

from tests.e2e import PROGRAM, Pair, run
from tests.repositories import Repository

TOOLS = Path(sys.executable).parent
LOCAL = "\n".join(new_configuration(None)) + "\n"
CALL = f"{PROGRAM[0]} -m binance_leaks staged -q"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="hooks are scripts of the shell")


class Doctor:
    """The checks of one run by name."""

    def __init__(self, repository: Repository, *words: str, env: dict[str, str] | None = None) -> None:
        path = os.pathsep.join([str(TOOLS), os.environ.get("PATH", "")])
        self.ran = run("doctor", "--json", *words, cwd=repository.folder, env={"PATH": path, **(env or {})})
        report = json.loads(self.ran.out)
        assert report["schema"] == "binance-leaks-doctor/1"
        assert report["status"] == self.ran.status
        self.checks: list[dict[str, str]] = report["checks"]

    def state(self, name: str) -> str:
        """The state of the last check of a name."""
        return [check["state"] for check in self.checks if check["name"] == name][-1]

    def text(self, name: str) -> str:
        """What was found and what to do, of all checks of a name."""
        return "\n".join(f"{check['found']} → {check['remedy']}" for check in self.checks if check["name"] == name)


def script(repository: Repository, *lines: str, kind: str = "pre-commit") -> Path:
    return repository.script(f".git/hooks/{kind}", *lines)


def pre_commit_installed(repository: Repository, *words: str) -> None:
    repository.write(PATH, LOCAL)
    command = [sys.executable, "-m", "pre_commit", "install", *words]
    subprocess.run(command, cwd=repository.folder, check=True, capture_output=True, timeout=60)
    repository.stage(PATH)


def files_below(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def test_a_repository_without_hooks(repository: Repository) -> None:
    doctor = Doctor(repository)
    assert doctor.ran.status == 1
    assert doctor.state("pre-commit") == "failure"
    assert "binance-leaks init && pre-commit install" in doctor.text("pre-commit")
    assert doctor.state("commit-msg") == "note"


def test_under_pre_commit_nothing_changes(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a.py": "import os\n", "b.py": "import sys\n"})
    pre_commit_installed(repository)
    repository.stage("a.py", "import os\nimport re\n")
    repository.write("a.py", "import os\nimport re\nimport json\n")
    repository.write("untracked", "words\n")
    repository.git("config", "core.splitIndex", "true")
    before = files_below(repository.folder)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    doctor = Doctor(repository, env={"TMPDIR": str(temporary), "PRE_COMMIT_HOME": str(tmp_path / "cache")})
    assert doctor.ran.status == 0, doctor.ran.out
    for kind in INSTALLED[:2]:
        assert doctor.state(kind) == "ok"
        assert "refused a generated key pair" in doctor.text(f"{kind}, tried")
    assert files_below(repository.folder) == before
    assert not list(temporary.iterdir())


def test_hooks_of_others_are_not_run(repository: Repository, tmp_path: Path) -> None:
    other = "  - repo: local\n    hooks:\n      - id: other\n        name: other\n        language: system\n"
    other += "        entry: touch ran\n        always_run: true\n        pass_filenames: false\n"
    pre_commit_installed(repository)
    repository.stage(PATH, LOCAL + other)
    doctor = Doctor(repository, env={"PRE_COMMIT_HOME": str(tmp_path)})
    assert doctor.ran.status == 0, doctor.ran.out
    assert not repository.path("ran").exists()


def test_kinds_that_were_not_installed(repository: Repository) -> None:
    pre_commit_installed(repository, "--hook-type", "pre-commit")
    doctor = Doctor(repository, "--no-run")
    assert doctor.ran.status == 1
    assert doctor.state("pre-commit") == "ok"
    for kind in INSTALLED[1:]:
        assert doctor.state(kind) == "failure"
        assert "→ pre-commit install" in doctor.text(kind)
    repository.write(PATH, LOCAL.partition("\n")[2])
    assert "pre-commit install --hook-type commit-msg" in Doctor(repository, "--no-run").text("commit-msg")


def test_skipped_by_a_variable(repository: Repository, tmp_path: Path) -> None:
    pre_commit_installed(repository)
    doctor = Doctor(repository, env={"SKIP": "binance-leaks", "PRE_COMMIT_HOME": str(tmp_path)})
    assert doctor.ran.status == 1
    assert "unset SKIP" in doctor.text("SKIP")
    assert "a generated key pair passed" in doctor.text("pre-commit, tried")
    assert doctor.state("commit-msg, tried") == "ok"


def test_a_configuration_without_ours(repository: Repository) -> None:
    pre_commit_installed(repository)
    for content, found in (("repos: []\n", "has no binance-leaks staged"), ("repos: [\n", "missing or not valid")):
        repository.write(PATH, content)
        doctor = Doctor(repository)
        assert doctor.ran.status == 1
        assert found in doctor.text("pre-commit")
        assert "→ binance-leaks init" in doctor.text("pre-commit")
        assert "generated" not in doctor.text("pre-commit, tried")


def test_a_program_that_is_not_in_the_path(repository: Repository, tmp_path: Path) -> None:
    pre_commit_installed(repository)
    git = tmp_path / "bin"
    git.mkdir()
    for program in ("git", "sh", "bash", "env", "dirname"):
        found = next(Path(folder, program) for folder in os.get_exec_path() if Path(folder, program).exists())
        (git / program).symlink_to(found)
    doctor = Doctor(repository, env={"PATH": str(git), "PRE_COMMIT_HOME": str(tmp_path / "cache")})
    assert doctor.ran.status == 1
    assert "binance-leaks, which is not in the PATH" in doctor.text("PATH")
    assert doctor.state("pre-commit, tried") == "failure"
    assert "pre-commit clean" in doctor.text("pre-commit, tried")


def test_a_hook_that_git_ignores(repository: Repository) -> None:
    script(repository, CALL).chmod(0o644)
    doctor = Doctor(repository)
    assert doctor.ran.status == 1
    assert "chmod +x .git/hooks/pre-commit" in doctor.text("pre-commit")
    assert not doctor.text("pre-commit, tried")


@pytest.mark.parametrize("folder", ["elsewhere", "~/hooks", "/nowhere/hooks"])
def test_a_folder_of_hooks_that_shadows(repository: Repository, folder: str) -> None:
    script(repository, CALL)
    repository.git("config", "core.hooksPath", folder)
    doctor = Doctor(repository)
    assert doctor.ran.status == 1
    assert "core.hooksPath is" in doctor.text("pre-commit")
    remedy = doctor.text("pre-commit").partition("→ ")[2]
    subprocess.run(remedy, shell=True, check=True, timeout=60, cwd=repository.folder / ".git")  # noqa: S602 - ours
    assert Doctor(repository).ran.status == 0


def test_a_folder_of_hooks_from_the_environment(repository: Repository) -> None:
    script(repository, CALL)
    named = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": "elsewhere"}
    doctor = Doctor(repository, env=named)
    assert doctor.ran.status == 1
    assert "GIT_CONFIG_*" in doctor.text("pre-commit")


@pytest.mark.parametrize(
    ("lines", "status", "found"),
    [
        ([f"exec {CALL}"], 0, "refused a generated key pair"),
        ([f"{CALL} >/dev/null 2>&1"], 0, "refused a generated key pair"),
        (["./check"], 0, "refused a generated key pair"),
        (["exit 0"], 1, "Add to"),
        ([f"{CALL} || true"], 1, "a generated key pair passed"),
        (["exit 5"], 1, "refuses every commit, with status 5"),
        (["exec no-such-program"], 1, "a program that it starts is not found"),
    ],
)
def test_scripts(repository: Repository, lines: list[str], status: int, found: str) -> None:
    repository.script("check", CALL)
    script(repository, *lines)
    doctor = Doctor(repository)
    assert doctor.ran.status == status
    assert found in doctor.text("pre-commit, tried")


def test_a_script_that_is_only_read(repository: Repository) -> None:
    script(repository, "touch ran")
    doctor = Doctor(repository, "--no-run")
    assert doctor.ran.status == 3
    assert doctor.state("pre-commit, tried") == "unknown"
    script(repository, CALL)
    assert Doctor(repository, "--no-run").ran.status == 0
    assert not repository.path("ran").exists()


def test_scripts_without_a_first_line(repository: Repository) -> None:
    script(repository).write_text(f"exec {CALL}\n", "utf-8")
    assert Doctor(repository).ran.status == 0
    script(repository).write_text(f"#!/nowhere/sh\nexec {CALL}\n", "utf-8")
    assert "is not found" in Doctor(repository).text("pre-commit, tried")


def hook_of(repository: Repository, kind: str = "pre-commit") -> Hook:
    top = repository.folder.resolve()
    hook = find_hook(HookFolder.of(Git(str(top)), top), top, kind)
    assert hook is not None
    return hook


def test_a_hook_without_an_end(repository: Repository, tmp_path: Path) -> None:
    script(repository, f"echo $$ > {tmp_path / 'process'}", "sleep 600 &", "sleep 600")
    trial = try_hook(hook_of(repository), repository.folder, "a.py", limit=1)
    assert trial.outcome is Outcome.TIMED_OUT


def test_messages(repository: Repository) -> None:
    script(repository, f"exec {CALL}")
    script(repository, f'exec {PROGRAM[0]} -m binance_leaks message -q "$1"', kind="commit-msg")
    doctor = Doctor(repository)
    assert doctor.ran.status == 0
    assert "refused" in doctor.text("commit-msg, tried")
    script(repository, f'{PROGRAM[0]} -m binance_leaks message -q "$1" || true', kind="commit-msg")
    assert "passed" in Doctor(repository).text("commit-msg, tried")


def test_managers(repository: Repository) -> None:
    script(repository, 'call_lefthook() { lefthook "$@"; }', 'call_lefthook run "pre-commit"')
    repository.write("lefthook.yml", "pre-commit:\n  jobs:\n    - run: binance-leaks staged -q\n")
    hook = hook_of(repository)
    assert (hook.manager, hook.calls_us, hook.source.name) == ("lefthook", True, "lefthook.yml")
    assert "LEFTHOOK" in Doctor(repository, "--no-run", env={"LEFTHOOK": "0"}).text("LEFTHOOK")
    script(repository, "# File generated by prek: https://github.com/j178/prek", 'exec "$PREK" hook-impl')
    repository.write(PATH, LOCAL)
    hook = hook_of(repository)
    assert (hook.manager, hook.calls_us) == ("prek", True)
    repository.git("config", "core.hooksPath", ".husky/_")
    repository.script(".husky/_/pre-commit", '. "$(dirname "$0")/h"')
    assert not hook_of(repository).calls_us
    repository.write(".husky/pre-commit", "# binance-leaks staged\nbinance-leaks staged -q\n")
    hook = hook_of(repository)
    assert (hook.manager, hook.calls_us, hook.programs) == ("husky", True, {"binance-leaks"})


@pytest.mark.parametrize(
    ("files", "name", "state", "found"),
    [
        ({}, "configuration", "ok", "the defaults count"),
        ({"pyproject.toml": "[project]\n"}, "configuration", "ok", "the defaults count"),
        ({"pyproject.toml": "[tool.binance-leaks]\n"}, "configuration", "ok", "pyproject.toml"),
        (
            {".binance-leaks.toml": "", "pyproject.toml": "[tool.binance-leaks]\n"},
            "configuration",
            "warning",
            "pyproject.toml has settings too, which are not used",
        ),
        ({".binance-leaks.toml": "exlude = []"}, "configuration", "failure", "Did you mean exclude?"),
        ({".binance-leaks.toml": 'fail-on = "critical"'}, "fail-on", "warning", 'fail-on = "high"'),
        ({".binance-leaks.toml": 'baseline = "b"'}, "baseline", "failure", "no such baseline"),
        ({".secrets.baseline": "{}"}, "baseline", "warning", "no setting names it"),
        (
            {".binance-leaks.toml": 'baseline = "b"', "b": '{"version": "1.5.0", "results": {}}'},
            "baseline",
            "ok",
            "b, 0 entries",
        ),
        ({".binance-leaks.toml": 'exclude = ["*"]'}, "pre-commit, tried", "warning", "excludes every file"),
        ({".binance-leaks.toml": 'exclude = ["*.py"]'}, "pre-commit, tried", "ok", "refused"),
        ({".binance-leaks.toml": 'fail-on = "none"'}, "pre-commit, tried", "warning", "as fail-on has it"),
    ],
)
def test_projects(repository: Repository, files: dict[str, str], name: str, state: str, found: str) -> None:
    script(repository, f"exec {CALL}")
    for path, content in files.items():
        repository.write(path, content)
    doctor = Doctor(repository, *(() if "tried" in name else ("--no-run",)))
    assert doctor.state(name) == state
    assert found in doctor.text(name)
    assert doctor.ran.status == (state == "failure")


def test_a_nearer_configuration(repository: Repository) -> None:
    repository.write(".binance-leaks.toml", "")
    nearer = repository.write("inner/.binance-leaks.toml", "")
    ran = run("doctor", "--no-run", cwd=nearer.parent)
    assert "and the hooks do not" in ran.out


def test_text(repository: Repository) -> None:
    script(repository, f"exec {CALL}")
    ran = run("doctor", cwd=repository.folder)
    assert ran.status == 0
    assert ran.out.endswith("Commits are checked here.\n")
    assert "Running" in ran.err
    assert "--no-run" in ran.err
    script(repository, "exit 1")
    assert "1 failure: not all is checked here." in run("doctor", cwd=repository.folder).out


def test_no_value_is_printed(repository: Repository) -> None:
    """Names of hooks and commands of agents may hold some."""
    pair = Pair.fresh()
    folder = f"hooks_{pair.key[:32]}_{pair.key[32:]}"
    repository.git("config", "core.hooksPath", folder)
    repository.script(f"{folder}/pre-commit", f"exec {CALL}")
    command = f"BINANCE_API_SECRET={pair.secret} binance-leaks agent-hook --agent claude-code"
    hooks = {"UserPromptSubmit": [{"hooks": [{"type": "command", "command": command}]}]}
    repository.write(".claude/settings.json", json.dumps({"hooks": hooks}))
    for words in ((), ("--json",)):
        ran = run("doctor", *words, cwd=repository.folder)
        assert f"hooks_{pair.key[:4]}" in ran.out
        assert "BINANCE_API_" in ran.out
        assert not [
            part for value in (pair.key, pair.secret) for part in (value[:32], value[32:]) if part in ran.out + ran.err
        ]


def test_where_there_is_no_work_tree(tmp_path: Path) -> None:
    ran = run("doctor", cwd=tmp_path, env={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert ran.status == 2
    assert "not in the work tree" in ran.err


@pytest.mark.parametrize(
    ("hooks", "kinds"),
    [
        ("- id: binance-leaks\n- id: binance-leaks-push\n", {"pre-commit", "pre-push"}),
        ("- {id: binance-leaks, stages: [manual]}\n", set()),
        ("- {id: binance-leaks, stages: [commit]}\n", {"pre-commit"}),
        ("- {id: x, entry: binance-leaks message, stages: [commit-msg]}\n", {"commit-msg"}),
        ("- {id: binance-leaks-detect-secrets}\n", {"pre-commit"}),
        ("- {id: black}\n", set()),
    ],
)
def test_hooks_of_a_configuration(hooks: str, kinds: set[str]) -> None:
    inner = "".join(f"      {line}\n" for line in hooks.splitlines())
    configured = configured_hooks(f"repos:\n  - repo: x\n    hooks:\n{inner}".encode())
    assert configured.ours.keys() == kinds
    assert configured.others == (("black",) if "black" in hooks else configured.others)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("git version 2.30.9\n", State.WARNING), ("git version 1.9.1\n", State.WARNING),
        ("git version 2.31.0\n", State.OK), ("git version 2.39.5 (Apple Git-154)\n", State.OK),
        ("git version 2.100.1.windows.1\n", State.OK), ("git version 3.0.0\n", State.OK),
        ("git version unknown", State.OK),
    ],
)  # fmt: skip
def test_a_git_that_is_too_old(line: str, state: State) -> None:
    assert check_git(line).state is state
