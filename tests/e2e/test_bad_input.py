"""Bad input of every sort: one clear line or an entry in `skipped`, the right exit status, no traceback, no hanging."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import signal
import socket
import subprocess
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.e2e import PROGRAM, Outcome, Pair, Report, as_report, digests, run, staged, value
from tests.repositories import Repository

PROC = Path("/proc/self/fd").exists()
_POWERS = "-dac_override,-dac_read_search"
CLEAN = "import os\n"
C_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def unprivileged(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """The program run so that permissions of files hold, for root too."""
    closed = put(tmp_path_factory.mktemp("closed"), "closed", "")
    closed.chmod(0)
    without = () if os.geteuid() else ("setpriv", f"--bounding-set={_POWERS}", f"--inh-caps={_POWERS}")
    try:
        done = subprocess.run([*without, "cat", str(closed)], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs setpriv to be without root's powers")
    if b"Permission denied" not in done.stderr:
        pytest.skip("permissions do not hold here")
    return (*without, *PROGRAM)


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def scan(*words: str | Path, cwd: Path) -> Outcome:
    return run("scan", "--format", "json", *words, cwd=cwd, timeout=30)


def skipped(report: Report) -> dict[str, str]:
    return {unread["what"]: unread["why"] for unread in report["scan"]["skipped"]}


def assert_reported(outcome: Outcome, status: int, *printed: str) -> None:
    """A failure that is reported in one line, with at most a hint below it."""
    assert outcome.status == status
    assert not outcome.out
    lines = outcome.err.splitlines()
    assert lines[0].startswith("binance-leaks: ")
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  "))
    for words in printed:
        assert words in outcome.err


def shell(script: str, *, cwd: Path, status_of: str = "program") -> tuple[int, str]:
    """Exit status of the program and standard error of a line of shell in which `$PROGRAM` is the program."""
    done = subprocess.run(
        ["bash", "-c", f"{script}; exit ${{PIPESTATUS[0]}}"],
        cwd=cwd,
        env={**os.environ, "PROGRAM": " ".join(PROGRAM)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    err = done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in err, f"{status_of}: {err}"
    assert "Exception ignored" not in err, err
    return done.returncode, err


class TestPaths:
    """Paths that are missing, closed, odd or endless."""

    @pytest.mark.parametrize("name", ["missing.py", "missing/", "clean.py/inside", "", "nul\n.py"])
    def test_a_missing_path(self, tree: Path, name: str) -> None:
        put(tree, "clean.py", CLEAN)
        assert_reported(run("scan", name, cwd=tree), 2, "no such file or folder")
        assert_reported(run("scan", "clean.py", name, cwd=tree), 2, "no such file or folder")

    def test_a_name_longer_than_the_system_takes(self, tree: Path) -> None:
        outcome = run("scan", "n" * 5000, cwd=tree)
        assert outcome.status in (2, 3)

    def test_an_empty_file_and_an_empty_folder(self, tree: Path) -> None:
        outcome = run("scan", ".", cwd=tree)
        assert (outcome.status, outcome.out, outcome.err) == (0, "Nothing to scan.\n", "")
        put(tree, "empty", "")
        assert scan("empty", cwd=tree).report["scan"]["complete"] is True
        assert scan("empty", cwd=tree).status == 0

    def test_what_cannot_be_read(self, tree: Path, pair: Pair, unprivileged: Sequence[str]) -> None:
        put(tree, "closed.py", CLEAN).chmod(0)
        (tree / "closed").mkdir(mode=0)
        words = ("scan", "--format", "json")
        try:
            outcome = run(*words, ".", cwd=tree, program=unprivileged)
            assert outcome.status == 3
            assert skipped(outcome.report) == {"closed.py": "Permission denied", "closed": "Permission denied"}
            assert run(*words, "closed.py", cwd=tree, program=unprivileged).status == 3
            assert run(*words, "closed", cwd=tree, program=unprivileged).status == 3
            assert run(*words, "closed/within", cwd=tree, program=unprivileged).status in (2, 3)
            put(tree, "bot.py", pair.python)
            outcome = run(*words, ".", cwd=tree, program=unprivileged)
            assert (outcome.status, outcome.report["scan"]["complete"]) == (1, False)
        finally:
            (tree / "closed").chmod(0o700)

    def test_what_cannot_be_read_in_a_work_tree(self, repository: Repository, unprivileged: Sequence[str]) -> None:
        repository.commit({"closed.py": CLEAN, "clean.py": CLEAN, "sub/in.py": CLEAN})
        repository.write("ignored/a", "words\n")
        repository.write(".gitignore", "ignored/\n")
        closed = [repository.path(name) for name in ("closed.py", "sub", "ignored")]
        for path in closed:
            path.chmod(0)
        try:
            outcome = run("scan", "--format", "json", ".", cwd=repository.folder, program=unprivileged)
            assert outcome.status == 3
            assert {name.split("/")[0] for name in skipped(outcome.report)} == {"closed.py", "sub"}
            outcome = run("staged", "closed.py", cwd=repository.folder, program=unprivileged)
            assert outcome.status == 3
            assert "closed.py" in outcome.out + outcome.err
            assert run("staged", cwd=repository.folder, program=unprivileged).status == 0
        finally:
            for path in closed:
                path.chmod(0o700)

    def test_a_configuration_that_cannot_be_read(self, tree: Path, unprivileged: Sequence[str]) -> None:
        put(tree, "clean.py", CLEAN)
        put(tree, ".binance-leaks.toml", "").chmod(0)
        assert_reported(run("scan", cwd=tree, program=unprivileged), 2, "Permission denied")

    @pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that fails when it is read")
    def test_a_file_that_fails_when_it_is_read(self, tree: Path) -> None:
        outcome = scan("/proc/self/mem", cwd=tree)
        assert outcome.status == 3
        assert set(skipped(outcome.report)) == {"/proc/self/mem"}

    def test_folders_in_a_circle(self, tree: Path, pair: Pair) -> None:
        put(tree, "a/b/bot.py", pair.python)
        (tree / "a" / "b" / "up").symlink_to(tree / "a")
        (tree / "a" / "self").symlink_to("self")
        (tree / "one").symlink_to("two")
        (tree / "two").symlink_to("one")
        outcome = scan(".", cwd=tree)
        assert outcome.status == 1
        (finding,) = outcome.report["findings"]
        assert {place["path"] for place in finding["locations"]} == {"a/b/bot.py"}
        assert scan("one", cwd=tree).status in (2, 3)
        assert scan("a/self", cwd=tree).status in (2, 3)

    def test_a_link_to_nowhere(self, tree: Path) -> None:
        (tree / "gone").symlink_to("nowhere")
        assert scan(".", cwd=tree).status == 0
        outcome = scan("gone", cwd=tree)
        assert outcome.status == 3
        assert "gone" in skipped(outcome.report)

    def test_pipes_sockets_and_devices(self, tree: Path, pair: Pair) -> None:
        put(tree, "bot.py", pair.python)
        os.mkfifo(tree / "pipe")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.path.relpath(tree / "sock"))
            outcome = scan(".", cwd=tree)
            assert outcome.status == 1
            assert outcome.report["scan"]["complete"] is True
            assert skipped(outcome.report) == {"pipe": "a named pipe, not a file", "sock": "a socket, not a file"}
            for name, why in (
                ("pipe", "a named pipe"),
                ("sock", "a socket"),
                ("/dev/zero", "a device"),
                ("/dev/null", "a device"),
            ):
                outcome = scan(name, cwd=tree)
                assert outcome.status == 3
                assert why in skipped(outcome.report)[name]

    def test_a_pipe_in_a_work_tree(self, repository: Repository, pair: Pair) -> None:
        repository.write("bot.py", pair.python)
        os.mkfifo(repository.path("pipe"))
        assert run("scan", ".", cwd=repository.folder, timeout=20).status == 1

    @pytest.mark.parametrize("odd", ["pipe", "endless", "folder", "circle"])
    def test_neighbours_that_are_no_files(self, repository: Repository, odd: str) -> None:
        repository.stage("sub/settings.py", f'api_key = "{value()}"\n')
        for name in (
            "README.md",
            "sub/README.md",
            "sub/notes",
            "package.json",
            ".binance-leaks.toml",
            "pyproject.toml",
        ):
            path = repository.path(name)
            if odd == "pipe":
                os.mkfifo(path)
            elif odd == "folder":
                path.mkdir()
            else:
                path.symlink_to("/dev/zero" if odd == "endless" else path.name)
        assert run("scan", "sub", cwd=repository.folder, timeout=20).status == 0
        assert run("staged", cwd=repository.folder, timeout=20).status == 0

    def test_a_neighbour_out_of_the_tree_is_not_read(self, repository: Repository, tmp_path: Path) -> None:
        put(tmp_path, "outside", "binance\n")
        repository.stage("settings.py", f'api_key = "{value()}"\n')
        for name in ("README.md", "notes"):
            repository.path(name).symlink_to(tmp_path / "outside")
        assert run("scan", ".", cwd=repository.folder).status == 0
        assert run("staged", cwd=repository.folder).status == 0

    def test_files_that_shrink_and_vanish_while_they_are_read(self, tree: Path, pair: Pair) -> None:
        put(tree, "bot.py", pair.python)
        large = put(tree, "large.log", b"some words of a log file\n" * 1_500_000)
        small = [put(tree, f"part{number}", os.urandom(2000)) for number in range(400)]
        stop = threading.Event()

        def disturb() -> None:
            rng = random.Random()
            while not stop.is_set():
                os.truncate(large, rng.choice((0, 1000, 9_000_000, 35_000_000)))
                path = rng.choice(small)
                if rng.random() < 0.5:
                    path.unlink(missing_ok=True)
                else:
                    path.write_bytes(bytes(rng.randint(0, 3000)))

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            for jobs in ("1", "2", "1", "2"):
                outcome = scan("--jobs", jobs, ".", cwd=tree)
                assert outcome.status == 1
                assert digests(outcome.report["findings"]) == pair.digests
                assert set(skipped(outcome.report)) <= {"large.log", *(path.name for path in small)}
        finally:
            stop.set()
            thread.join()

    @pytest.mark.skipif(not PROC, reason="open files are read from /proc")
    def test_a_file_that_shrinks_for_good_is_incomplete(self, tree: Path) -> None:
        large = put(tree, "large.log", b"")
        os.truncate(large, 1 << 30)
        with subprocess.Popen(
            [*PROGRAM, "scan", "--format", "json", "large.log"], cwd=tree, stdout=subprocess.PIPE
        ) as process:
            while process.poll() is None and f"{large}" not in open_files(process.pid):
                time.sleep(0.002)
            time.sleep(0.1)
            os.truncate(large, 10)
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 3
        assert set(skipped(as_report(out.decode()))) == {"large.log"}


def open_files(pid: int) -> set[str]:
    """The files that a process has open."""
    found = set()
    folder = Path(f"/proc/{pid}/fd")
    try:
        for link in folder.iterdir():
            found.add(str(link.readlink()))
    except OSError:
        return found
    return found


def _zip(content: bytes, *, copies: int = 1) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(copies):
            archive.writestr(f"src/{number}.py", content)
    return buffer.getvalue()


def _tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("src/bot.py")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "zip": _zip,
    "tar": _tar,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "tar.gz": lambda content: gzip.compress(_tar(content)),
}


class TestArchives:
    """Archives that are damaged, or made to fill memory and time."""

    @pytest.mark.parametrize("kind", list(PACKERS))
    def test_corrupt_ones_are_reported(self, tree: Path, kind: str) -> None:
        whole = PACKERS[kind](os.urandom(30_000))
        put(tree, "cut", whole[: len(whole) // 2])
        outcome = scan(".", cwd=tree)
        assert outcome.status == 3
        assert outcome.report["scan"]["complete"] is False
        assert all(name.startswith("cut") for name in skipped(outcome.report))
        text = run("scan", ".", cwd=tree)
        assert (text.status, text.err) == (3, "")
        assert "The scan is incomplete: " in text.out

    @pytest.mark.parametrize("kind", list(PACKERS))
    def test_noise_in_the_middle(self, tree: Path, kind: str, pair: Pair) -> None:
        put(tree, "bot.py", pair.python)
        whole = bytearray(PACKERS[kind](os.urandom(30_000)))
        whole[len(whole) // 2 : len(whole) // 2 + 60] = os.urandom(60)
        put(tree, "noise", bytes(whole))
        outcome = scan(".", cwd=tree)
        assert outcome.status == 1
        assert digests(outcome.report["findings"]) == pair.digests

    @pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "xz"])
    def test_bombs(self, tree: Path, kind: str) -> None:
        bomb = PACKERS[kind](bytes(120_000_000)) if kind != "xz" else lzma.compress(bytes(120_000_000), preset=0)
        put(tree, "bomb", bomb)
        outcome = scan(".", cwd=tree)
        assert outcome.status == 3
        assert all(name.startswith("bomb") for name in skipped(outcome.report))

    def test_a_bomb_that_is_staged(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bomb.gz", gzip.compress(bytes(120_000_000)))
        looked = staged(repository)
        assert looked.status == 3
        assert "bomb.gz" in looked.text
        repository.stage("bot.py", pair.python)
        assert staged(repository).status == 1

    def test_a_bomb_on_standard_input(self, tree: Path) -> None:
        outcome = run("scan", "-", cwd=tree, stdin=gzip.compress(bytes(120_000_000)))
        assert outcome.status == 3


class TestConfiguration:
    """A configuration that cannot be read or understood is a usage error, and names the file."""

    @pytest.mark.parametrize(
        ("content", "printed"),
        [
            ("exclude = [", "not TOML"),
            ('excludes = ["a"]', "Did you mean exclude?"),
            ('[[allow]]\nsha265 = "a"', "Did you mean allow.sha256?"),
            ('exclude = "*.py"', "exclude must be a list"),
            ("exclude = [1]", "exclude must be text"),
            ('confidence = "sure"', "confidence must be one of low, medium, high"),
            ("confidence = 3", "confidence must be one of"),
            ('confidence = ["low"]', "confidence must be one of"),
            ("fail-on = {}", "fail-on must be one of"),
            ("allow = 1", "allow must be a list"),
            ("allow = [1]", "allow must be tables"),
            ("[[allow]]\nreason = 'x'", "needs"),
            ("[[allow]]\nsha256 = 'abc'", "allow.sha256"),
            ("[[allow]]\nsha256 = []", "allow.sha256"),
            ("[[allow]]\nsha256 = [1]", "allow.sha256"),
            ("[[allow]]\npath = 1", "allow.path must be text"),
            ("[[allow]]\npath = '!'", "path"),
            ("exclude = ['!']", "exclude"),
            ("[tool]\nbinance-leaks = 1", "must be a table"),
            (b"\xff\xfe\x00binary\x00", "not UTF-8"),
            (os.urandom(500) + b"\xff", "not UTF-8"),
            ("exclude = ['a']\x00", "not TOML"),
        ],
    )
    def test_invalid(self, repository: Repository, content: str | bytes, printed: str) -> None:
        path = repository.write(".binance-leaks.toml", content)
        repository.stage("bot.py", CLEAN)
        outcome = run("scan", cwd=repository.folder)
        assert_reported(outcome, 2, printed, path.name)
        outcome = run("staged", "--format", "json", cwd=repository.folder)
        assert_reported(outcome, 2, printed, path.name)

    def test_a_value_in_it_is_not_reported(self, tree: Path) -> None:
        for content in (
            f'{value()} = "x"\n', f'confidence = "{value()}"\n', f'[[allow]]\nsha256 = "{value()}"\n', f"{value()}\n",
            f"exclude = {value()}\n", f'exclude = ["a"] {value()}\n', f'[tool.binance-leaks]\n{value()} = "x"\n',
        ):  # fmt: skip
            put(tree, ".binance-leaks.toml", content)
            assert_reported(run("scan", cwd=tree), 2)

    def test_a_pasted_value_is_refused_with_advice(self, tree: Path) -> None:
        put(tree, ".binance-leaks.toml", f'[[allow]]\nsha256 = "{value()}"\n')
        assert_reported(run("scan", cwd=tree), 2, "not the value")

    @pytest.mark.parametrize("command", ["scan", "staged", "message"])
    def test_a_file_that_is_named_and_missing(self, repository: Repository, command: str) -> None:
        repository.stage("bot.py", CLEAN)
        more = ["bot.py"] if command == "message" else []
        assert_reported(run(command, "--config", "nowhere.toml", *more, cwd=repository.folder), 2, "nowhere.toml")
        assert_reported(run(command, "--config", ".", *more, cwd=repository.folder), 2, "configuration")

    def test_another_pyproject_is_none_of_ours(self, tree: Path) -> None:
        put(tree, "pyproject.toml", "this is [ no TOML")
        assert run("scan", cwd=tree).status == 0
        put(tree, "pyproject.toml", "[tool.other]\nexclude = 1\n")
        assert run("scan", cwd=tree).status == 0


class TestCommandLine:
    """What argparse and the formats refuse."""

    @pytest.mark.parametrize(
        "words",
        [
            ["unknown"], ["scan", "--jobs", "0"], ["scan", "--jobs", "-1"], ["scan", "--jobs", "many"],
            ["scan", "--jobs", "99999999999"], ["scan", "--confidence", "sure"], ["scan", "--fail-on", "x"],
            ["scan", "--unknown"], ["scan", "--format"], ["staged", "--exclude"], ["message"], ["--unknown"],
            ["scan", "--color", "pink"], ["staged", "--jobs"],
        ],
    )  # fmt: skip
    def test_usage(self, tree: Path, words: Sequence[str]) -> None:
        assert_reported(run(*words, cwd=tree), 2, "--help")

    def test_unknown_formats(self, repository: Repository) -> None:
        repository.stage("a.py", CLEAN)
        for command in ("scan", "staged"):
            for name in ("yaml", "", "json,text", "JSON", ":file"):
                assert_reported(run(command, "--format", name, cwd=repository.folder), 2, "format", "json")

    def test_two_formats_on_one_output(self, tree: Path) -> None:
        assert_reported(run("scan", "--format", "json", "--format", "text", cwd=tree), 2, "standard output")

    @pytest.mark.parametrize("place", ["missing/report.json", ".", "clean.py/report.json"])
    def test_a_report_that_cannot_be_written(self, tree: Path, place: str) -> None:
        put(tree, "clean.py", CLEAN)
        assert_reported(run("scan", "--format", f"json:{place}", cwd=tree), 3, place)

    def test_a_report_in_a_closed_folder(self, tree: Path, unprivileged: Sequence[str]) -> None:
        (tree / "closed").mkdir(mode=0o500)
        outcome = run("scan", "--format", "json:closed/report.json", cwd=tree, program=unprivileged)
        assert_reported(outcome, 3, "closed/report.json")

    def test_a_value_on_the_command_line_is_not_repeated(self, tree: Path) -> None:
        held = value()
        for words in (
            ["scan", held], ["scan", f"x/{held}"], ["scan", "--format", held], ["scan", "--config", held], [held],
            ["message", held], ["scan", "--confidence", held], ["scan", "--fail-on", held], ["scan", "--jobs", held],
            ["scan", f"--{held}"], ["staged", held], ["scan", "--color", held], ["scan", "--format", f"json:{held}/x"],
        ):  # fmt: skip
            outcome = run(*words, cwd=tree)
            assert outcome.status in (2, 3)
            assert held[8:40] not in outcome.out + outcome.err

    def test_no_git_program(self, tree: Path, pair: Pair) -> None:
        put(tree, "settings.py", f'api_key = "{pair.key}"\n')
        put(tree, "bot.py", pair.python)
        outcome = run("scan", "--confidence", "low", cwd=tree, env={"PATH": "/nonexistent"})
        assert (outcome.status, outcome.err) == (1, "")
        repository = Repository.create(tree / "inner")
        repository.write("settings.py", f'api_key = "{value()}"\n')
        assert run("scan", "inner", cwd=tree, env={"PATH": "/nonexistent"}).status in (0, 3)

    @pytest.mark.parametrize(
        "damage", ["[[[", "[core]\nrepositoryformatversion = 99\n", "[remote]\nurl", "\0\0", "[include]\npath=config\n"]
    )
    def test_a_damaged_repository_is_scanned_as_a_folder(self, repository: Repository, pair: Pair, damage: str) -> None:
        repository.write("settings.py", f'api_key = "{value()}"\n')
        repository.write("bot.py", pair.python)
        repository.write(".git/config", damage)
        outcome = run("scan", ".", cwd=repository.folder, timeout=30)
        assert outcome.status == 1
        assert "bot.py:2" in outcome.out
        outcome = run("staged", cwd=repository.folder, timeout=30)
        assert outcome.status in (0, 3)
        assert len(outcome.err.splitlines()) <= 2

    def test_a_git_file_that_leads_nowhere(self, tree: Path, pair: Pair) -> None:
        put(tree, ".git", "gitdir: /nonexistent\n")
        put(tree, "bot.py", pair.python)
        assert run("scan", ".", cwd=tree).status == 1
        assert_reported(run("staged", cwd=tree), 3)

    def test_a_current_folder_that_is_gone(self, tree: Path) -> None:
        for command in ("staged", "scan"):
            status, err = shell(f"mkdir gone && cd gone && rmdir ../gone && $PROGRAM {command} | cat", cwd=tree)
            assert status in (0, 2, 3)
            assert "binance-leaks: " in err or status == 0


class TestStreams:
    """Standard streams that are closed, full, or speak another encoding."""

    def test_a_closed_pipe(self, tree: Path) -> None:
        for number in range(60):
            put(tree, f"bot{number}.py", Pair.fresh().python)
        for command in ("scan .", "scan --format json ."):
            for reader in ("head -0", "head -1", "true"):
                status, err = shell(f"$PROGRAM {command} | {reader}", cwd=tree)
                assert status in (1, 3), (command, reader)
                assert err == ""

    def test_a_closed_pipe_of_a_clean_run(self, repository: Repository) -> None:
        repository.stage("a.py", CLEAN)
        for command in ("staged", "scan ."):
            status, err = shell(f"$PROGRAM {command} | true", cwd=repository.folder)
            assert status in (0, 3)
            assert err == ""

    @pytest.mark.parametrize("command", ["staged", "scan .", "scan --format json .", "--version", "staged -v"])
    def test_standard_output_closed(self, repository: Repository, pair: Pair, command: str) -> None:
        repository.stage("a.py", CLEAN)
        status, _ = shell(f"$PROGRAM {command} >&-", cwd=repository.folder)
        assert status in (0, 3)
        repository.stage("bot.py", pair.python)
        if command != "--version":
            status, _ = shell(f"$PROGRAM {command} >&-", cwd=repository.folder)
            assert status in (1, 3)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
    def test_standard_output_full(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        for command in ("staged", "scan .", "scan --format json ."):
            status, err = shell(f"$PROGRAM {command} >/dev/full", cwd=repository.folder)
            assert status == 3
            assert err == "binance-leaks: No space left on device\n"

    def test_standard_error_closed(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        for command in ("staged", "scan .", "scan --jobs 2 ."):
            assert shell(f"$PROGRAM {command} 2>&-", cwd=repository.folder)[0] == 1
        for command in ("scan missing", "scan --unknown", "scan --format x"):
            assert shell(f"$PROGRAM {command} 2>&-", cwd=repository.folder)[0] == 2

    def test_standard_input_closed(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        for command, wanted in (("staged", {1}), ("scan .", {1}), ("scan -", {2, 3})):
            assert shell(f"$PROGRAM {command} <&-", cwd=repository.folder)[0] in wanted

    def test_all_closed(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        for command in ("staged", "scan .", "staged --format json:report.json"):
            assert shell(f"$PROGRAM {command} <&- >&- 2>&-", cwd=repository.folder)[0] in (1, 3)
        repository.git("rm", "--quiet", "--cached", "bot.py")
        assert shell("$PROGRAM staged <&- >&- 2>&-", cwd=repository.folder)[0] in (0, 3)

    def test_another_locale(self, repository: Repository, pair: Pair) -> None:
        for name in ("\u5e01\u5b89-\xfc.py", b"latin-\xe9.py", "plain.py"):
            repository.stage(name, f"# caf\xe9 \u5e01\u5b89\n{Pair.fresh().python}")
        for words in (
            ["staged"],
            ["scan", "."],
            ["staged", "--format", "json"],
            ["scan", "-v", "--color", "always", "."],
        ):
            outcome = run(*words, cwd=repository.folder, env=C_LOCALE)
            assert (outcome.status, outcome.err) == (1, "")
            assert "plain.py" in outcome.out
        assert_reported(run("scan", "\u5e01\u5b89", cwd=repository.folder, env=C_LOCALE), 2)
        latin = {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C.UTF-8"}
        assert run("scan", ".", cwd=repository.folder, env=latin).status == 1
        repository.git("rm", "--quiet", "--cached", "-r", ".")
        repository.stage("\xfc.toml", f"a = 1  # {pair.key}\n")
        assert run("staged", cwd=repository.folder, env=C_LOCALE).status == 0


@pytest.mark.skipif(not PROC, reason="processes are read from /proc")
class TestInterrupts:
    """Ctrl-C ends everything at once, reports it, and leaves nothing behind."""

    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_while_scanning(self, tree: Path, jobs: str) -> None:
        make_slow_tree(tree)
        words = [*PROGRAM, "scan", "--jobs", jobs, "--format", "json", "."]
        with subprocess.Popen(
            words, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not (reads(process.pid) or len(group(process.pid)) > 2):
                time.sleep(0.05)
            assert process.poll() is None, "the scan is over before it can be interrupted"
            started = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert time.monotonic() - started < 30
        assert process.returncode == 130
        assert b"Traceback" not in err
        assert err.decode() in ("", "binance-leaks: interrupted\n")
        if out:
            report = as_report(out.decode())
            assert report["scan"]["complete"] is False
            assert "interrupted" in skipped(report).values()
        left = group(process.pid)
        assert not left, f"processes left behind: {left}"

    def test_while_reading_standard_input(self, tree: Path) -> None:
        with subprocess.Popen(
            [*PROGRAM, "scan", "-"],
            cwd=tree,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not reads(process.pid, 2 << 20):
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"Traceback" not in err

    def test_a_process_that_dies(self, tree: Path) -> None:
        make_slow_tree(tree)
        words = [*PROGRAM, "scan", "--jobs", "2", "."]
        with subprocess.Popen(
            words, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and len(group(process.pid)) < 3:
                time.sleep(0.05)
            time.sleep(0.2)
            workers = group(process.pid) - {process.pid}
            os.kill(max(workers), signal.SIGKILL)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 3
        assert err.startswith(b"binance-leaks: ")
        assert b"Traceback" not in err
        assert not group(process.pid)


def reads(process: int, more: int = 10 << 20) -> bool:
    """Whether a process has read more bytes than some: by default than its own modules, so that it is scanning."""
    counts = dict(line.split(": ") for line in Path(f"/proc/{process}/io").read_text().splitlines())
    return int(counts["rchar"]) > more


def make_slow_tree(tree: Path) -> None:
    """A tree that takes many seconds to scan."""
    lines = "".join(f"binance checksum {random.randbytes(32).hex()}\n" for _ in range(400))
    for number in range(1000):
        put(tree, f"part{number % 20}/module{number}.txt", lines)


def group(leader: int) -> set[int]:
    """The living processes of a process group."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                state, _, pgrp = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(pgrp) == leader and state not in "ZX":
                found.add(int(folder.name))
    return found
