"""Repositories whose git folder holds files that never end: every command reports it within seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from binance_leaks.cli import main
from binance_leaks.errors import GitError
from binance_leaks.sources.git import Git
from binance_leaks.sources.git_watch import output_of, read_to_end
from binance_leaks.sources.plumbing import MOST_STILL, Answers, HangDetector

from tests.e2e import run
from tests.repositories import Repository

PROCESSES_ARE_LISTED = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="nothing tells what a process waits for"
)
CHILDREN_ARE_LISTED = pytest.mark.skipif(
    not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists(), reason="nothing lists what a process started"
)
SECONDS = 30
"""Time for one run: it takes as long as Python does to start, on a busy machine."""


def _make_pipe(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _include(target: str) -> Callable[[Repository], str]:
    def change(repository: Repository) -> str:
        if target != "/dev/zero":
            _make_pipe(repository.path(".git/pipe"))
        settings = repository.path(".git/config")
        settings.write_text(f'{settings.read_text("utf-8")}[IncludeIf "gitdir:/nowhere/"]\n[include]path = {target}\n')
        return target.rpartition("/")[2]

    return change


def _include_twice(repository: Repository) -> str:
    """An included file that is in order includes one that is not; its name is written with an escape."""
    repository.write(".git/more", '[include]\n\tPATH = "pi\\\npe"\n')
    return _include("more")(repository) and "pipe"


def _setting(name: str) -> Callable[[Repository], str]:
    def change(repository: Repository) -> str:
        _make_pipe(repository.path(".git/pipe"))
        repository.git("config", name, str(repository.path(".git/pipe")))
        return "pipe"

    return change


def _pipe(name: str) -> Callable[[Repository], str]:
    def change(repository: Repository) -> str:
        _make_pipe(repository.path(name))
        return name.rpartition("/")[2]

    return change


def _link(repository: Repository) -> str:
    repository.path(".git/packed-refs").symlink_to("/dev/zero")
    return "packed-refs"


CHANGES = {
    "an included device": _include("/dev/zero"),
    "an included pipe": _include("pipe"),
    "a pipe that is included by an included file": _include_twice,
    "a pipe as configuration": _pipe(".git/config"),
    "a pipe as HEAD": _pipe(".git/HEAD"),
    "a pipe as commondir": _pipe(".git/commondir"),
    "a pipe as the list of borrowed objects": _pipe(".git/objects/info/alternates"),
    "a pipe as the log of stashes": _pipe(".git/logs/refs/stash"),
    "a pipe as a branch": _pipe(".git/refs/heads/other"),
    "a pipe as an ignore list": _setting("core.excludesFile"),
    "a device as the list of refs": _link,
}


TYPICAL = ("an included device", "an included pipe", "a pipe as configuration", "a pipe as a branch")


def make(repository: Repository, change: str) -> str:
    """Stages a change in a repository and makes it hostile. Gives the name of the file that is refused."""
    repository.commit({"a.py": "import os\n"})
    repository.stage("a.py", "import sys\n")
    return CHANGES[change](repository)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
class TestFilesThatNeverEnd:
    @pytest.mark.parametrize("command", ["staged", "history", "range", "fleet"])
    @pytest.mark.parametrize("change", TYPICAL)
    def test_commands_that_need_git_fail(
        self, repository: Repository, change: str, command: str, tmp_path: Path
    ) -> None:
        name = make(repository, change)
        more = {"range": ["HEAD~1..HEAD"], "fleet": ["scan", ".", "--store", str(tmp_path / "fleet.db")]}
        outcome = run(command, *more.get(command, []), cwd=repository.folder, timeout=SECONDS)
        assert outcome.status == 3
        printed = " ".join((outcome.out + outcome.err).split())
        assert name in printed
        assert "not a regular file" in printed

    @pytest.mark.parametrize("change", TYPICAL)
    def test_a_scan_of_files_goes_on_without_git(self, change: str, tmp_path: Path) -> None:
        repository = Repository.create(tmp_path / "folder" / ("long" * 40))  # of long paths reports cut the end
        name = make(repository, change)
        outcome = run("scan", ".", cwd=repository.folder, timeout=SECONDS)
        printed = " ".join((outcome.out + outcome.err).split())
        assert outcome.status == 0
        assert "git does not list it" in printed
        assert name in printed

    @pytest.mark.parametrize("name", ["HEAD", "commondir", "shallow", "objects/info/alternates"])
    def test_git_is_not_started_for_a_gigantic_file_that_it_reads_whole(
        self, repository: Repository, name: str
    ) -> None:
        file = repository.write(f".git/{name}", "")
        os.truncate(file, 1 << 30)
        with pytest.raises(GitError, match=f"{name} is too large"):
            Git(str(repository.folder)).run("rev-parse", "HEAD")

    @pytest.mark.parametrize("change", CHANGES)
    def test_git_is_not_started(self, repository: Repository, change: str) -> None:
        name = make(repository, change)
        with pytest.raises(GitError, match=f"{name} is not a regular file"):
            Git(str(repository.folder)).run("rev-parse", "HEAD")


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that hangs is noticed within a moment."""
    monkeypatch.setattr("binance_leaks.sources.git_watch.SAMPLE", 0.005)
    monkeypatch.setattr("binance_leaks.sources.fast_path.SAMPLE", 0.005)


@pytest.fixture
def versions(repository: Repository) -> Repository:
    """A repository with two commits of `a.py`, and a third version of it staged."""
    repository.commit({"a.py": "x = 1\n"})
    repository.commit({"a.py": "x = 2\n"})
    repository.stage("a.py", "x = 3\n")
    return repository


@PROCESSES_ARE_LISTED
@pytest.mark.usefixtures("quick_looks")
def test_a_git_that_waits_for_ever_is_ended(repository: Repository) -> None:
    """`.gitignore` may be in any folder, so git finds a pipe there before anybody else."""
    _make_pipe(repository.path("a/b/.gitignore"))
    repository.write("a/b/c", "words\n")
    with pytest.raises(GitError, match="never ends"):
        Git(str(repository.folder)).worktree_files(ignored=False)


def _lend(repository: Repository, file: str, *, to: str) -> None:
    """Put an object that is a pipe into a folder that no check of the git folder lists."""
    name = repository.git("rev-parse", file)
    folder = repository.path(f".git/objects/{name[:2]}")
    (folder / name[2:]).unlink()
    if to == "alternate":
        lender = repository.folder.with_name("lender")
        repository.write(".git/objects/info/alternates", f"{lender}\n")
        _make_pipe(lender / name[:2] / name[2:])
    else:
        elsewhere = folder.rename(repository.folder.with_name("elsewhere"))
        _make_pipe(elsewhere / name[2:])
        folder.symlink_to(elsewhere)


def _split_index(repository: Repository) -> None:
    repository.git("update-index", "--split-index")
    _make_pipe(next(repository.path(".git").glob("sharedindex.*")))


UNLISTED: dict[str, Callable[[Repository], object]] = {
    "an object of an alternate": lambda repository: _lend(repository, "HEAD:a.py", to="alternate"),
    "a commit of an alternate": lambda repository: _lend(repository, "HEAD", to="alternate"),
    "a staged object in a linked folder": lambda repository: _lend(repository, ":a.py", to="link"),
    "the shared part of an index": _split_index,
}


@PROCESSES_ARE_LISTED
@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("an object of an alternate", ("history",)),
        ("an object of an alternate", ("range", "HEAD~1..HEAD")),
        ("an object of an alternate", ("ci", "--base", "HEAD~1")),
        ("a commit of an alternate", ("staged",)),
        ("a staged object in a linked folder", ("history",)),
        ("a staged object in a linked folder", ("staged",)),
        ("the shared part of an index", ("staged",)),
    ],
)
def test_a_pipe_where_nobody_looks_is_waited_for_once(
    versions: Repository,
    place: str,
    words: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    UNLISTED[place](versions)
    found: list[bool] = []
    look = HangDetector.look

    def counted(detector: HangDetector) -> bool:
        found.append(look(detector))
        return found[-1]

    monkeypatch.setattr(HangDetector, "look", counted)
    monkeypatch.chdir(versions.folder)
    assert main([*words]) == 3
    assert "git would hang in this repository: it waits for a file that never ends" in capsys.readouterr().err
    assert found.count(True) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("words", [("range", "HEAD~1..HEAD"), ("ci", "--base", "HEAD~1"), ("history",)])
def test_a_list_of_authors_is_not_read(
    repository: Repository, words: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.py": "x = 1\n"})
    repository.commit({"a.py": "x = 2\n"})
    repository.git("config", "mailmap.file", str(repository.path("authors")))
    for name in (".mailmap", "authors"):
        os.mkfifo(repository.path(name))
    monkeypatch.setattr(HangDetector, "look", lambda _: True)  # at once
    monkeypatch.chdir(repository.folder)
    assert main([*words]) == 0


@PROCESSES_ARE_LISTED
@pytest.mark.usefixtures("quick_looks")
def test_a_scan_of_files_reports_settings_at_which_git_hangs(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """git never gets to the home that is unknown, and without it nobody else knows what the settings name."""
    _make_pipe(repository.path(".git/pipe"))
    settings = repository.path(".git/config")
    settings.write_text(f"{settings.read_text('utf-8')}[include]\n\tpath = pipe\n\tpath = ~nobody-of-this-name/x\n")
    repository.write("a.py", "x = 1\n")
    monkeypatch.chdir(repository.folder)
    assert main(["scan", "."]) == 0
    assert "git would hang in this repository" in " ".join(capsys.readouterr().out.split())


@CHILDREN_ARE_LISTED
@pytest.mark.usefixtures("quick_looks")
def test_what_a_process_started_is_ended_with_it() -> None:
    """`git` can be a script that starts git, which has the pipes, too."""
    started = time.monotonic()
    process = subprocess.Popen(["sh", "-c", "sleep 20; exit 1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process, pytest.raises(GitError, match="it hangs"):
        read_to_end(process, None, lambda: GitError("it hangs"), most_output=1 << 20, most_memory=1 << 40)
    assert time.monotonic() - started < 15


@PROCESSES_ARE_LISTED
class TestHangDetector:
    """A process hangs that is waited for and sleeps, if it has not run for all of the looks."""

    def finds(self, script: str, *, awaited: bool = True) -> bool:
        words = [sys.executable, "-I", "-S", "-c", f"import os, _thread, time\nos.write(1, b'x')\n{script}"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            answers = Answers(output_of(process))
            answers.read(1)
            answers.is_awaited = awaited
            detector = HangDetector(process.pid, answers)
            found = False
            for _ in range(3 * MOST_STILL):
                time.sleep(0.002)
                found = found or detector.look()
            process.kill()
        return found

    def test_one_that_waits_for_ever(self) -> None:
        assert self.finds("os.read(0, 1)")

    def test_one_whose_answers_nobody_waits_for(self) -> None:
        assert not self.finds("os.read(0, 1)", awaited=False)

    @pytest.mark.parametrize("work", ["time.sleep(0.001)", "pass"])
    def test_one_that_works_always_or_now_and_then(self, work: str) -> None:
        assert not self.finds(f"while True: {work}")

    def test_one_with_a_thread_that_works(self) -> None:
        assert not self.finds(
            "def work():\n while True: time.sleep(0.001)\n_thread.start_new_thread(work, ()); os.read(0, 1)"
        )

    @CHILDREN_ARE_LISTED
    @pytest.mark.parametrize(
        ("work", "hangs"), [("pass", False), ("time.sleep(0.001)", False), ("os.read(0, 1)", True)]
    )
    def test_one_that_waits_for_what_it_started(self, work: str, hangs: bool) -> None:
        script = "parent = os.getpid()\nif os.fork(): os.wait()\nelse:\n while os.getppid() == parent: "
        assert self.finds(f"{script}{work}") is hangs

    def test_one_that_has_ended(self) -> None:
        assert not self.finds("os._exit(0)")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="nothing lists the memory of git")
def test_a_gigantic_list_of_ignored_files_is_not_read_to_its_end(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("binance_leaks.sources.git_watch.SAMPLE", 0.005)
    monkeypatch.setattr("binance_leaks.sources.git.MOST_MEMORY_FOR_FILES", 16 << 20)
    repository.write(".gitignore", "a\n" * 1_000_000)
    monkeypatch.chdir(repository.folder)
    assert main(["scan", "."]) == 0
    assert "of memory here), so what it ignores is scanned too" in " ".join(capsys.readouterr().out.split())


def test_settings_that_include_regular_files_are_read(repository: Repository) -> None:
    repository.commit({"a.py": "import os\n"})
    repository.write(".git/more", "[core]\n\tx = from the included file\n")
    repository.git("config", "include.path", "more")
    repository.git("config", "core.excludesFile", "~/nothing-there")
    assert Git(str(repository.folder)).run("config", "core.x") == b"from the included file\n"


@pytest.mark.parametrize("name", ["core.excludesFile", "core.attributesFile", "include.path"])
def test_the_null_device_is_an_empty_file(repository: Repository, name: str) -> None:
    repository.commit({"README": "read me\n"})
    repository.git("config", name, os.devnull)
    assert run("history", cwd=repository.folder).status == 0


def test_git_that_reads_a_text_and_takes_its_time(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit({"a.py": "x = 1\n"})
    monkeypatch.setattr("binance_leaks.sources.git_watch.SAMPLE", 0.001)
    monkeypatch.setattr("binance_leaks.sources.plumbing.MOST_STILL", 1_000_000)
    names = ["HEAD"] * 20_000  # more than a pipe holds
    out = Git(str(repository.folder)).run_with("\n".join(names) + "\n", "cat-file", "--batch-check")
    assert out.count(b" commit ") == len(names)


@PROCESSES_ARE_LISTED
@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize(
    ("words", "named"),
    [(("history",), "HEAD:a.py"), (("range", "HEAD~1..HEAD"), "HEAD:a.py"), (("staged",), "HEAD^{tree}")],
)
def test_an_object_that_is_a_pipe(
    versions: Repository,
    words: Sequence[str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = versions.git("rev-parse", named)
    loose = versions.path(f".git/objects/{name[:2]}/{name[2:]}")
    loose.unlink()
    os.mkfifo(loose)
    monkeypatch.chdir(versions.folder)
    assert main([*words]) == 3
    assert "not a regular file" in capsys.readouterr().err
