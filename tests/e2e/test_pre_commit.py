"""The hooks under the real pre-commit program: installed from a clone of this project, and as local ones for speed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e import SOURCE, Pair
from tests.repositories import Ran, Repository

CLEAN = "import os\n"
QUICK = {"CFLAGS": "-O0"}  # the compiled module need not be fast here
PRE_COMMIT = str(Path(sys.executable).with_name("pre-commit"))
TAG = "v0"
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "venv")


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture(scope="session")
def shared(shared: Path) -> Path:
    """A folder for what pre-commit keeps, that the test processes of one run share."""
    folder = shared / "pre-commit"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def project(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with this project as it is, committed and tagged; made once for all test processes."""
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)  # environments bring their bytecode along
    return once(shared / "project", make_project)


@pytest.fixture(scope="session")
def cache(shared: Path) -> Path:
    """Where pre-commit keeps the environments of hooks, so that each is installed once in a run."""
    return shared / "cache"


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, filled by `make` in whichever process asks first; the others wait for it."""
    lock, done = folder.with_suffix(".lock"), folder.with_suffix(".done")
    try:
        lock.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 600
        while not done.exists():
            assert time.monotonic() < deadline, f"nobody finished {folder.name}"
            time.sleep(0.05)
    else:
        make(folder)
        done.touch()
    return folder


def make_project(folder: Path) -> None:
    """Copies what git tracks and what it would track, as the files now are."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=SOURCE,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
            if (SOURCE / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(SOURCE / name, folder / name)
    else:
        shutil.copytree(SOURCE, folder, ignore=_LEFT_OUT)
        shutil.copyfile(SOURCE / ".pre-commit-hooks.yaml", folder / ".pre-commit-hooks.yaml")
    repository = Repository.create(folder)
    repository.git("add", "--all", "--force")
    repository.commit()
    repository.git("tag", TAG)


def use(repository: Repository, config: object, cache: Path) -> Callable[..., Ran]:
    """Write the configuration of pre-commit, install its hooks, and return what runs it."""
    repository.stage(".pre-commit-config.yaml", yaml.safe_dump(config))

    def pre_commit(*words: str) -> Ran:
        done = subprocess.run(
            [PRE_COMMIT, *words],
            cwd=repository.folder,
            env={**os.environ, **QUICK, "PRE_COMMIT_HOME": str(cache)},
            capture_output=True,
            timeout=600,
            check=False,
        )
        return Ran(status=done.returncode, out=os.fsdecode(done.stdout), err=os.fsdecode(done.stderr))

    installed = pre_commit("install", "--hook-type", "pre-commit", "--hook-type", "commit-msg")
    assert installed.status == 0, installed.out + installed.err
    return pre_commit


def commit(repository: Repository, cache: Path, *words: str, message: str = "a change") -> Ran:
    """Commits as a user does, with the hooks."""
    ran = repository.run("commit", "-m", message, *words, env={**QUICK, "PRE_COMMIT_HOME": str(cache), "COLUMNS": "80"})
    assert "Traceback" not in ran.out + ran.err
    assert "An unexpected error" not in ran.out + ran.err
    return ran


def local_hooks() -> object:
    """Our hooks as local ones that run the installed program: the same settings but for where they come from."""
    hooks = yaml.safe_load((SOURCE / ".pre-commit-hooks.yaml").read_text("utf-8"))
    ours = [hook for hook in hooks if hook["id"] in ("binance-leaks", "binance-leaks-message")]
    for hook in ours:
        hook["language"] = "system"
        hook["entry"] = hook["entry"].replace("python", shlex.quote(sys.executable), 1)
    return {"repos": [{"repo": "local", "hooks": ours}]}


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """A repository with our hooks installed as local ones, to be copied."""
    repository = Repository.create(tmp_path_factory.mktemp("installed") / "project")
    use(repository, local_hooks(), shared / "local")
    return repository.folder


@pytest.fixture
def hooked(installed: Path, tmp_path: Path) -> Repository:
    """A repository with our hooks installed as local ones."""
    return Repository(shutil.copytree(installed, tmp_path / "project"))


@pytest.mark.slow
def test_installed_from_the_project(repository: Repository, project: Path, cache: Path, pair: Pair) -> None:
    ids = ("binance-leaks", "binance-leaks-message")
    config = {"repos": [{"repo": str(project), "rev": TAG, "hooks": [{"id": name} for name in ids]}]}
    pre_commit = use(repository, config, cache)
    assert pre_commit("install-hooks").status == 0

    repository.stage("bot.py", pair.python)
    ran = commit(repository, cache)
    assert ran.status == 1, "the first commit goes through"
    assert "bot.py:2" in ran.out + ran.err
    assert pair.secret not in ran.out + ran.err
    repository.stage("bot.py", CLEAN)
    ran = commit(repository, cache)
    assert ran.status == 0, ran.out + ran.err

    repository.write("bot.py", CLEAN + pair.python)
    assert commit(repository, cache, "-a").status == 1
    assert commit(repository, cache, "bot.py").status == 1
    repository.write("bot.py", CLEAN + "import sys\n")
    assert commit(repository, cache, "-a").status == 0

    assert pre_commit("run", "--all-files").status == 0
    repository.commit({"old/bot.py": pair.python})
    ran = pre_commit("run", "--all-files")
    assert ran.status == 1
    assert "old/bot.py:2" in ran.out

    repository.stage("notes", "words\n")
    head = repository.head()
    ran = commit(repository, cache, message=f"binance: {pair.call}")
    assert ran.status == 1
    assert "commit message" in ran.out + ran.err
    assert repository.head() == head
    assert commit(repository, cache, message="binance: the key is in the environment").status == 0


@pytest.mark.slow
def test_tried_from_the_project(repository: Repository, project: Path, cache: Path, pair: Pair) -> None:
    repository.stage("bot.py", pair.python)
    done = subprocess.run(
        [PRE_COMMIT, "try-repo", str(project), "binance-leaks", "--ref", TAG],
        cwd=repository.folder,
        env={**os.environ, **QUICK, "PRE_COMMIT_HOME": str(cache)},
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"bot.py:2" in done.stdout


def test_the_first_commit(hooked: Repository, shared: Path, pair: Pair) -> None:
    hooked.stage("bot.py", pair.python)
    assert commit(hooked, shared).status == 1
    assert hooked.head() is None
    hooked.stage("bot.py", CLEAN)
    assert commit(hooked, shared).status == 0


def test_partly_staged_files(hooked: Repository, shared: Path, pair: Pair) -> None:
    hooked.commit({"bot.py": CLEAN})
    hooked.stage("bot.py", CLEAN + pair.python)
    hooked.write("bot.py", CLEAN)
    assert commit(hooked, shared).status == 1
    hooked.stage("bot.py", CLEAN + "import sys\n")
    hooked.write("bot.py", CLEAN + pair.python)
    assert commit(hooked, shared).status == 0
    assert hooked.path("bot.py").read_text("utf-8") == CLEAN + pair.python


def test_what_stood_there_does_not_block(hooked: Repository, shared: Path, pair: Pair) -> None:
    hooked.commit({"bot.py": pair.python})
    hooked.stage("bot.py", pair.python + CLEAN)
    assert commit(hooked, shared).status == 0


def test_all_files_and_named_ones(repository: Repository, shared: Path, pair: Pair) -> None:
    pre_commit = use(repository, local_hooks(), shared / "local")
    repository.commit({"old.py": pair.python, "clean.py": CLEAN})
    ran = pre_commit("run", "binance-leaks", "--all-files")
    assert ran.status == 1
    assert "old.py:2" in ran.out
    assert "does not block" not in ran.out
    assert pre_commit("run", "binance-leaks", "--files", "clean.py").status == 0
    assert pre_commit("run", "binance-leaks", "--files", "clean.py", "old.py").status == 1


def test_many_files(repository: Repository, shared: Path, pair: Pair) -> None:
    """More names than one command line of pre-commit takes."""
    pre_commit = use(repository, local_hooks(), shared / "local")
    for number in range(3000):
        repository.write(
            f"{'long-folder-name-' * 4}/{'part-' * 8}{number % 9}/{'module-' * 6}{number}.py", f"N = {number}\n"
        )
    repository.git("add", "--all")
    assert commit(repository, shared).status == 0
    assert pre_commit("run", "binance-leaks", "--all-files").status == 0
    repository.commit({"z.py": pair.python})
    ran = pre_commit("run", "binance-leaks", "--all-files")
    assert ran.status == 1
    assert "z.py:2" in ran.out


def test_odd_names(hooked: Repository, shared: Path) -> None:
    names = (
        "-dash.py",
        "--fail-on=critical",
        "-q",
        "spa ce.py",
        "\u5e01\u5b89.py",
        "quo'te.py",
        "..dots.py",
        "@at.py",
    )
    for first in range(0, len(names), 3):  # a hook shows three findings
        some = names[first : first + 3]
        for name in some:
            hooked.stage(name, Pair.fresh().python)
        ran = commit(hooked, shared)
        assert ran.status == 1
        assert not [name for name in some if f"{name}:2" not in ran.out + ran.err]
        for name in some:
            hooked.stage(name, CLEAN)
    ran = commit(hooked, shared)
    assert ran.status == 0, ran.out + ran.err


def test_links_binaries_and_deleted_files(hooked: Repository, shared: Path, pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text(pair.python, "utf-8")
    hooked.commit({"gone.py": pair.python, "data.bin": bytes(range(256))})
    hooked.git("rm", "--quiet", "gone.py")
    hooked.path("link.py").symlink_to(tmp_path / "outside.py")
    hooked.stage("link.py")
    hooked.stage("data.bin", bytes(range(256)) * 2)
    ran = commit(hooked, shared)
    assert ran.status == 0, ran.out + ran.err
    hooked.stage("data.bin", bytes(range(256)) + pair.dotenv.encode() + bytes(64))
    assert commit(hooked, shared).status == 1
    hooked.stage("data.bin", b"\0")
    hooked.path("secret").symlink_to(f"binance_api_key={pair.key}")
    hooked.stage("secret")
    assert commit(hooked, shared).status == 1


def test_a_merge(hooked: Repository, shared: Path, pair: Pair) -> None:
    hooked.commit({"bot.py": "a = 0\n", "both.py": CLEAN})
    hooked.git("checkout", "--quiet", "-b", "other")
    hooked.commit({"bot.py": "a = 2\n", "theirs.py": Pair.fresh().python})
    hooked.git("checkout", "--quiet", "main")
    hooked.commit({"bot.py": "a = 1\n"})
    assert hooked.run("merge", "other").status == 1
    hooked.stage("bot.py", pair.python)
    assert commit(hooked, shared).status == 1
    hooked.stage("bot.py", "a = 3\n")
    hooked.stage("evil.py", pair.python)
    assert commit(hooked, shared).status == 1
    hooked.git("rm", "--quiet", "--cached", "evil.py")
    ran = commit(hooked, shared)
    assert ran.status == 0, ran.out + ran.err


def test_a_linked_work_tree(hooked: Repository, shared: Path, pair: Pair, tmp_path: Path) -> None:
    hooked.commit({"bot.py": CLEAN})
    hooked.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    linked = Repository(tmp_path / "linked")
    linked.stage("bot.py", pair.python)
    assert commit(linked, shared).status == 1
    linked.stage("bot.py", CLEAN + "import sys\n")
    assert commit(linked, shared).status == 0


def test_a_submodule(repository: Repository, shared: Path, tmp_path: Path) -> None:
    pre_commit = use(repository, local_hooks(), shared / "local")
    inner = Repository.create(tmp_path / "inner")
    inner.commit({"bot.py": Pair.fresh().python})
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.folder), "modules/in")
    ran = commit(repository, shared)
    assert ran.status == 0, ran.out + ran.err
    ran = pre_commit("run", "binance-leaks", "--all-files")
    assert ran.status == 0, ran.out + ran.err


def test_arguments_of_the_hook(repository: Repository, shared: Path, pair: Pair) -> None:
    config = yaml.safe_load(yaml.safe_dump(local_hooks()))
    config["repos"][0]["hooks"][0]["args"] = ["--confidence", "low", "--fail-on", "info"]
    use(repository, config, shared / "local")
    repository.stage("settings.py", f'token = "{pair.key}"\n')
    assert commit(repository, shared).status == 1
    repository.stage("settings.py", CLEAN)
    assert commit(repository, shared).status == 0


def test_the_message(hooked: Repository, shared: Path, pair: Pair) -> None:
    hooked.stage("bot.py", CLEAN)
    ran = commit(hooked, shared, message=f"binance {pair.key} {pair.secret}")
    assert ran.status == 1
    assert pair.key not in ran.out + ran.err
    assert hooked.head() is None
    assert commit(hooked, shared, message="binance").status == 0


def test_the_hooks_are_complete() -> None:
    hooks = yaml.safe_load((SOURCE / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["id"] for hook in hooks} == {
        "binance-leaks",
        "binance-leaks-push",
        "binance-leaks-message",
        "binance-leaks-detect-secrets",
        "binance-leaks-docker",
    }
    for hook in hooks:
        assert hook["require_serial"] is True
        assert hook["language"] == ("docker_image" if hook["id"] == "binance-leaks-docker" else "python")
