"""`history` over time: what it remembers and writes, interrupts, many versions, and no value anywhere."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom

import pytest

from tests.e2e import PROGRAM, Outcome, Pair, run
from tests.e2e.histories import Looked, group, history, identity, lines, read
from tests.fast_import import fast_import, pad
from tests.hideout import Hideout
from tests.hiding_contents import CALL, PADDING, module
from tests.hiding_places import build
from tests.repositories import Repository

WINDOW = 8  # no more characters of a value in a row than a mask shows at both ends together


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture(scope="module")
def hideout(tmp_path_factory: pytest.TempPathFactory) -> Hideout:
    return build(tmp_path_factory.mktemp("again") / "project", seed=SystemRandom().randrange(2**32))


@pytest.fixture
def copy(hideout: Hideout, tmp_path: Path) -> Repository:
    shutil.copytree(hideout.repository.folder, tmp_path / "project", symlinks=True)
    project = Repository(tmp_path / "project")
    project.git("config", "maintenance.auto", "false")  # newer versions of git pack a few objects in the background
    return project


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def shown(text: str | bytes, pairs: list[Pair]) -> bool:
    """Whether a text holds more of a value than a mask may show."""
    data = text.encode() if isinstance(text, str) else text
    data = re.sub(rb"\s", b"", data)
    pieces = {data[start : start + WINDOW] for start in range(len(data) - WINDOW + 1)}
    held = [value.encode() for pair in pairs for value in (pair.key, pair.secret)]
    return any(value[start : start + WINDOW] in pieces for value in held for start in range(len(value) - WINDOW + 1))


class TestState:
    """What `--state` remembers."""

    @pytest.fixture
    def state(self, tmp_path: Path) -> Path:
        return tmp_path / "state"

    def again(self, repository: Repository, state: Path, *words: str | Path) -> Looked:
        return history("--state", state, *words, cwd=repository.folder)

    @pytest.mark.parametrize("packed", [True, False], ids=["packed", "loose"])
    def test_only_what_is_new_is_read(self, copy: Repository, state: Path, pair: Pair, packed: bool) -> None:
        """Beside that only what held something, so that the report is whole, and messages, which are few."""
        copy.commit({f"clean/{number}.txt": f"{number}\n" for number in range(50)})
        if packed:
            copy.git("gc", "--quiet", "--prune=never")
        first = self.again(copy, state)
        second = self.again(copy, state)
        assert second.blobs <= first.blobs - 50
        assert lines(second) == lines(first) == lines(history(cwd=copy.folder))
        commit = copy.commit({"news.py": module(pair), "clean/none.txt": "none\n"}, message="News")
        third = self.again(copy, state)
        assert third.blobs == second.blobs + 2
        assert third.ids == first.ids | {identity(pair)}
        (leak,) = (leak for leak in third.leaks if leak["id"] == identity(pair))
        assert {(place["commit"] or {"id": ""})["id"] for place in leak["locations"]} == {commit}
        assert lines(third) == lines(history(cwd=copy.folder))

    def test_after_a_gc(self, copy: Repository, state: Path) -> None:
        first = self.again(copy, state)
        copy.git("gc", "--quiet", "--prune=never")
        assert lines(self.again(copy, state)) == lines(first)

    def test_a_bit_of_it_that_is_flipped(self, copy: Repository, state: Path) -> None:
        first = self.again(copy, state)
        content = bytearray(state.read_bytes())
        at = content.index(b'"hits": ["') + len(b'"hits": ["')
        content[at] = ord("0") if content[at] != ord("0") else ord("1")
        state.write_bytes(content)
        assert lines(self.again(copy, state)) == lines(first)

    def test_the_file(self, copy: Repository, hideout: Hideout, state: Path) -> None:
        self.again(copy, state)
        assert mode(state) == 0o600
        assert not shown(state.read_bytes(), [hidden.pair for hidden in hideout.hidden])
        state.chmod(0o644)
        copy.commit({"more.py": PADDING * 3})
        self.again(copy, state)
        assert mode(state) == 0o600

    def test_another_configuration_starts_over(self, copy: Repository, state: Path) -> None:
        first = self.again(copy, state)
        copy.write(".binance-leaks.toml", 'confidence = "high"\n')
        second = self.again(copy, state)
        assert second.objects == first.objects
        assert second.err, "it reports that it starts over"

    @pytest.mark.parametrize("content", [b"", b"rubbish", b"{}", b"[1]", b'{"schema": 99}', b"\x00\xff" * 500])
    def test_a_state_that_is_none(self, repository: Repository, state: Path, pair: Pair, content: bytes) -> None:
        repository.commit({"bot.py": module(pair)})
        state.write_bytes(content)
        outcome = run("history", "--state", state, "--format", "json", cwd=repository.folder)
        if outcome.out:
            assert read(outcome).ids == {identity(pair)}
            assert outcome.status == 1
        else:
            assert outcome.status in (2, 3)
            assert outcome.err

    def test_of_another_repository(self, copy: Repository, state: Path, pair: Pair, tmp_path: Path) -> None:
        self.again(copy, state)
        other = Repository.create(tmp_path / "other")
        other.commit({"bot.py": module(pair)})
        assert self.again(other, state).ids == {identity(pair)}

    def test_what_was_missing_is_read_later(self, repository: Repository, state: Path, pair: Pair) -> None:
        repository.commit({"bot.py": module(pair)})
        path = repository.loose(repository.blob("bot.py"))
        content = path.read_bytes()
        path.unlink()
        assert (self.again(repository, state).status, self.again(repository, state).status) == (3, 3)
        path.write_bytes(content)
        assert self.again(repository, state).ids == {identity(pair)}

    def test_what_could_not_be_read_is_reported_again(self, repository: Repository, state: Path, pair: Pair) -> None:
        repository.commit({"bot.py": module(pair), "data.tar": b"x" * 257 + b"ustar" + b"no tar at all" * 99})
        first = self.again(repository, state)
        assert not first.complete
        again = self.again(repository, state)
        assert not again.complete
        assert again.report["scan"]["skipped"] == first.report["scan"]["skipped"]
        assert again.ids == first.ids

    def test_a_narrowed_run_does_not_hide_from_a_wide_one(self, repository: Repository, state: Path) -> None:
        one, two = Pair.fresh(), Pair.fresh()
        repository.commit({"a/bot.py": module(one), "b/bot.py": module(two)})
        self.again(repository, state, "--path", "a/")
        assert self.again(repository, state).ids == {identity(one), identity(two)}


class TestReplacements:
    """The file for `git filter-repo`, which is the only one that holds values."""

    def test_it_cleans_the_history(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        other, file = Pair.fresh(), tmp_path / "replacements"
        repository.commit({"bot.py": module(pair), "clean.py": PADDING})
        repository.commit({"bot.py": PADDING}, message=f"Told\n\n{other.dotenv}")
        outcome = run("history", "--write-replacements", file, cwd=repository.folder)
        assert outcome.status == 1
        for printed in ("filter-repo", "--replace-text", "revoke"):
            assert printed in outcome.out.lower()
        assert mode(file) == 0o600
        values = {pair.key, pair.secret, other.key, other.secret}
        reported = [line for line in file.read_text("utf-8").splitlines() if line and not line.startswith("#")]
        # Their base64 is among it.
        assert {line.removeprefix("literal:").partition("==>")[0] for line in reported} >= values
        pytest.importorskip("git_filter_repo")
        filtering = [sys.executable, "-m", "git_filter_repo", "--force", "--quiet", "--replace-text", str(file)]
        filtering += ["--replace-message", str(file)]
        subprocess.run(filtering, cwd=repository.folder, check=True, capture_output=True, timeout=60)
        assert history("--reachable", cwd=repository.folder).leaks == []

    def test_its_mode_whatever_is_there(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        repository.commit({"bot.py": module(pair)})
        file = tmp_path / "replacements"
        file.write_text("mine\n")
        file.chmod(0o644)
        outcome = run("history", "--write-replacements", file, cwd=repository.folder)
        if file.read_text("utf-8") == "mine\n":
            assert outcome.status in (2, 3)
        else:
            assert mode(file) == 0o600
            assert pair.key in file.read_text("utf-8")

    def test_only_when_asked(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        repository.commit({"bot.py": module(pair)})
        before = set(tmp_path.iterdir())
        run("history", cwd=repository.folder)
        assert set(tmp_path.iterdir()) == before
        reported = run("history", "--write-replacements", tmp_path / "missing" / "file", cwd=repository.folder)
        assert reported.status in (2, 3)
        assert reported.err


def test_ten_thousand_versions(repository: Repository, pair: Pair) -> None:
    def versions() -> Iterator[dict[str, str]]:
        for number in range(10_000):
            yield {"bot.py": f"{module(pair)}# {number}\n"}

    fast_import(repository, versions())
    first, blob = repository.git("rev-list", "--reverse", "main").split()[0], "main~9999:bot.py"
    looked = history(cwd=repository.folder)
    assert looked.ids == {identity(pair)}
    assert looked.objects >= 10_000
    (leak,) = looked.leaks
    assert {place["role"] for place in leak["locations"]} == {"api-key", "secret-key"}
    assert len(leak["locations"]) == 2
    for place in leak["locations"]:
        assert (place["path"], place["line"], place["exposure"]) == ("bot.py", CALL, "present")
        assert place["blob"] == repository.git("rev-parse", blob)
        assert place["commit"] is not None
        assert (place["commit"]["id"], place["commit"]["subject"]) == (first, "Commit 0")
        assert place["removed"] is None
        assert place["refs"] == ["main"]


def make_slow(repository: Repository, number: int) -> None:
    """A history that takes many seconds to scan: everything in it looks like a value at first sight."""
    rng = random.Random(number)

    def lookalikes() -> str:
        return "".join(f"binance checksum {rng.randbytes(32).hex()}\n" for _ in range(400))

    fast_import(repository, ({f"file{name}.txt": lookalikes()} for name in range(number)), branch="slow")


def reads_a_pack(process: int) -> bool:
    """Whether the process is past its start, so that an interrupt now is one of its scan."""
    return ".pack" in Path(f"/proc/{process}/maps").read_text()


class TestDuringAScan:
    """What happens while it runs."""

    @pytest.mark.parametrize("jobs", ["1", "2"])
    @pytest.mark.parametrize("everybody", [True, False], ids=["Ctrl-C", "kill -INT"])
    def test_an_interrupt(self, repository: Repository, pair: Pair, jobs: str, everybody: bool) -> None:
        repository.commit({"bot.py": module(pair)})
        make_slow(repository, 200)
        pad(repository)
        words = [*PROGRAM, "history", "--jobs", jobs, "--format", "json"]
        with subprocess.Popen(
            words, cwd=repository.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not reads_a_pack(process.pid):
                time.sleep(0.01)
            time.sleep(0.7)
            assert process.poll() is None, "the scan is over before it can be interrupted"
            if everybody:
                os.killpg(process.pid, signal.SIGINT)
            else:
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"Traceback" not in err
        assert b"Exception ignored" not in err
        looked = read(Outcome(status=130, out=out.decode(), err=err.decode()))
        assert not looked.complete
        assert "interrupted" in looked.skipped
        assert not group(process.pid)

    @pytest.mark.parametrize("new", [False, True], ids=["repack", "repack and commit"])
    def test_a_repack(self, repository: Repository, pair: Pair, new: bool) -> None:
        """Packs go and come while they are read, and so do loose objects."""
        make_slow(repository, 60)
        pad(repository)
        repository.commit({"bot.py": module(pair)})
        repository.git("repack", "-d", "--quiet")
        words = [*PROGRAM, "history", "--jobs", "2", "--format", "json"]
        with subprocess.Popen(words, cwd=repository.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(0.4)
            for number in range(3):
                if process.poll() is None:
                    if new:
                        repository.commit({"more.txt": f"{number}\n"})
                    repository.git("repack", "-a", "-d", "-f", "--quiet")
            out, err = process.communicate(timeout=60)
        looked = read(Outcome(status=process.returncode, out=out.decode(), err=err.decode()))
        assert looked.ids == {identity(pair)}, looked.err
        assert (looked.status, looked.skipped) == (1, "")


def test_no_output_holds_a_value(copy: Repository, hideout: Hideout, tmp_path: Path) -> None:
    pairs = [hidden.pair for hidden in hideout.hidden]
    extra = [Pair.fresh() for _ in range(4)]
    copy.commit({f"{extra[0].key}/{extra[0].secret}.py": module(extra[0])}, message=f"binance {extra[1].python}")
    copy.git("branch", extra[2].key)
    copy.git("tag", "-a", "-m", f"binance key {extra[2].key}", extra[2].secret)
    name = f"{extra[3].key} <{extra[3].secret}@binance.example>"
    copy.git("commit", "--quiet", "--allow-empty", f"--author={name}", f"--message={extra[3].dotenv}")
    copy.loose(copy.git("rev-parse", "HEAD:README.md")).unlink()
    texts: list[str | bytes] = []
    for more in (
        ["-v", "--show-suppressed", "--confidence", "low"],
        ["--color", "always", "--jobs", "2"],
        ["--format", "json", "--state", str(tmp_path / "state")],
        ["-q", "--branch", extra[2].key],
        ["--branch", f"{extra[0].key}"],
        ["--since", f"{extra[0].key}"],
        ["--path", f"{extra[0].key}/*"],
        ["--state", f"{tmp_path}/missing/{extra[0].key}"],
        [f"{tmp_path}/{extra[0].secret}"],
        [f"https://{extra[0].key}:{extra[0].secret}@127.0.0.1:1/{extra[1].key}"],
    ):
        outcome = run("history", *more, cwd=copy.folder)
        assert outcome.status in (1, 2, 3)
        texts += [outcome.out, outcome.err]
    texts.append((tmp_path / "state").read_bytes())
    assert not any(shown(text, [*pairs, *extra]) for text in texts)
