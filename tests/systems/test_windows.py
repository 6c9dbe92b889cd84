"""The program with what Windows has of the standard library: every module can be imported, and reports are the same."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import PROGRAM, Pair, as_report, run
from tests.repositories import Repository
from tests.systems.windows import is_missing, names_of

PACKAGE = Path(__file__).resolve().parents[2] / "scanner" / "binance_leaks"
ON_WINDOWS = (sys.executable, "-m", "tests.systems.windows")
COMMANDS = (
    ("scan", "."),
    ("scan", "--jobs", "2", "."),
    ("staged",),
    ("history", "--jobs", "2"),
    ("history", "{URL}"),
    ("range", "HEAD~1..HEAD"),
)

pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the simulation looks at /proc")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables of a system where git is called `git.exe`."""
    git = shutil.which("git")
    assert git is not None
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git.exe").symlink_to(git)
    top = os.fspath(PACKAGE.parents[1])
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": top,
        **dict.fromkeys(("LOCALAPPDATA", "TMPDIR"), str(tmp_path)),
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Pairs in the history, at the tip, in the index and in an archive; some names are no UTF-8."""
    made = Repository.create(tmp_path_factory.mktemp("windows") / "project")
    made.commit({"old.env": Pair.fresh().dotenv})
    made.git("rm", "--quiet", "old.env")
    made.commit({"now/bot.py": Pair.fresh().python, **{f"{number}.txt": "x\n" for number in range(6)}})
    shutil.make_archive(str(made.folder / "packed"), "zip", made.folder / "now")
    for name in (b"caf\xe9.env", b"\xff/old.env"):
        made.stage(name, Pair.fresh().dotenv)
    made.commit()
    made.git("rm", "--quiet", b"\xff/old.env")
    made.stage(b"\xe9/staged.env", Pair.fresh().dotenv)
    return made


def test_what_windows_lacks_is_known() -> None:
    assert {"fork", "killpg", "geteuid", "O_NONBLOCK"} <= names_of("os", "linux") - names_of("os", "win32")
    assert {"open", "O_BINARY", "kill"} <= names_of("os", "win32")
    assert all(map(is_missing, ("fcntl", "resource", "termios", "pwd", "grp", "pty")))
    assert not any(map(is_missing, ("os", "signal", "subprocess", "xml", "binance_leaks")))


def test_every_module_can_be_imported(environment: dict[str, str]) -> None:
    done = run(cwd=PACKAGE, env=environment, program=ON_WINDOWS)
    assert done.status == 0, done.err
    imported = {name.removeprefix("binance_leaks.").replace(".", "/") for name in done.out.split()}
    files = {path.relative_to(PACKAGE).with_suffix("").as_posix().removesuffix("/__init__") for path in _sources()}
    assert files - imported == {"__init__", "__main__", "fleet/cluster"}  # the last needs Dask, and is an extra


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_report_is_the_same(words: tuple[str, ...], environment: dict[str, str], repository: Repository) -> None:
    command = [word.format(URL=repository.folder.as_uri()) for word in words]
    here, there = (
        run(*command, "--format", "json", cwd=repository.folder, env=environment, program=program)
        for program in (PROGRAM, ON_WINDOWS)
    )
    assert there.status == here.status == 1, there.err
    assert as_report(there.out)["findings"] == as_report(here.out)["findings"]
    assert as_report(there.out)["scan"]["skipped"] == as_report(here.out)["scan"]["skipped"]
    assert not list(Path(environment["LOCALAPPDATA"]).glob("mirror-*"))


def test_a_clean_commit_is_looked_at_properly(environment: dict[str, str], tmp_path: Path) -> None:
    """There is no `posix_spawn`, on which the fast way rests."""
    project = Repository.create(tmp_path / "clean")
    project.stage("a.py", "x = 1\n")
    for program in (PROGRAM, ON_WINDOWS):
        done = run("staged", cwd=project.folder, env=environment, program=program)
        assert (done.status, done.out, done.err) == (0, "No Binance credentials in 1 file to be committed.\n", "")


def test_an_agent_is_answered(environment: dict[str, str], tmp_path: Path) -> None:
    event = {"hook_event_name": "UserPromptSubmit", "cwd": str(tmp_path), "prompt": Pair.fresh().dotenv}
    given = json.dumps(event).encode()
    here, there = (
        run("agent-hook", "--agent", "claude", cwd=tmp_path, env=environment, program=program, stdin=given)
        for program in (PROGRAM, ON_WINDOWS)
    )
    assert (here.status, here.out, here.err) == (there.status, there.out, there.err)


def test_checks_of_the_system_are_those_that_mypy_follows() -> None:
    """What a system lacks is checked by mypy for that system, which follows `sys.platform` and nothing else."""
    wrong = [
        f"{path.relative_to(PACKAGE)}: {ast.unparse(node)}"
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if _is_other_check(node)
    ]
    assert not wrong


def _is_other_check(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="name"):
            return True
        case ast.Call(func=ast.Name(id="hasattr"), args=[ast.Name(id="os" | "signal"), ast.Constant()]):
            return True
    return False


def _sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize(
    "change", ["path.unlink()", "os.remove(path)", "other.replace(path)", "shutil.rmtree(path.parent)"]
)
@pytest.mark.parametrize("opened", [True, False])
def test_the_simulation_refuses_to_remove_open_files(change: str, opened: bool, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    program = (
        "import os, shutil; from pathlib import Path; from tests.systems.windows import install; install();"
        f"path, other = Path({str(tmp_path / 'a')!r}), Path({str(tmp_path / 'b')!r});"
        f"stream = {'path.open()' if opened else None}; {change}"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PACKAGE.parents[1], capture_output=True, check=False)
    assert (b"PermissionError" in done.stderr, done.returncode) == (opened, int(opened))
