"""`history` where objects are missing, damaged or closed: it goes as far as it can, reports it, and is no success."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.e2e import Pair, run
from tests.e2e.histories import Looked, history, identity, objects_of, read, tell, without_powers
from tests.hideout import Hideout
from tests.hiding_contents import PADDING, module
from tests.hiding_places import build
from tests.repositories import Repository


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def lost() -> Pair:
    return Pair.fresh()


def both(repository: Repository, pair: Pair, lost: Pair) -> str:
    """Commits a pair that will stay and one that will be damaged; returns the blob of the latter."""
    repository.commit({"kept/bot.py": module(pair), "lost/bot.py": module(lost)})
    blob = repository.blob("lost/bot.py")
    repository.commit({"lost/bot.py": PADDING})
    return blob


def assert_incomplete(repository: Path, pair: Pair) -> Looked:
    """The rest is scanned; where no finding makes it fail, it fails for that unless --allow-incomplete is given."""
    looked = history(cwd=repository)
    assert not looked.complete
    assert looked.ids == {identity(pair)}
    assert run("history", "--fail-on", "critical", cwd=repository).status == 3
    allowed = run("history", "--fail-on", "critical", "--allow-incomplete", "--format", "json", cwd=repository)
    assert allowed.status == 0
    assert read(allowed).report["scan"]["skipped"] == looked.report["scan"]["skipped"]
    assert not read(allowed).complete
    assert "incomplete" in run("history", cwd=repository).out.lower()
    return looked


@pytest.mark.parametrize(
    "name", ["pack/tmp_pack_a1", "pack/.tmp-12-pack-a.pack", "0a/tmp_obj_b2", "tmp_objdir-incoming-x", "incoming-x"]
)
def test_what_an_interrupted_git_left_is_listed(repository: Repository, pair: Pair, name: str) -> None:
    repository.commit({"bot.py": module(pair)})
    left = repository.path(".git/objects") / name
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"PACK")
    assert "git gc --prune=now removes it" in str(assert_incomplete(repository.folder, pair).report["scan"]["skipped"])


class TestMissing:
    """Objects that are not there."""

    def test_a_blob(self, repository: Repository, pair: Pair, lost: Pair) -> None:
        repository.loose(both(repository, pair, lost)).unlink()
        assert "missing" in assert_incomplete(repository.folder, pair).skipped

    @pytest.mark.parametrize("name", ["HEAD", "HEAD~1", "HEAD^{tree}", "HEAD~1:lost"])
    def test_commits_and_trees(self, repository: Repository, pair: Pair, name: str) -> None:
        """Blobs that nothing names any more are scanned all the same."""
        both(repository, pair, Pair.fresh())
        repository.loose(repository.git("rev-parse", name)).unlink()
        looked = history(cwd=repository.folder)
        assert not looked.complete
        assert looked.holds(pair)
        assert len(looked.leaks) == 2

    def test_a_shallow_clone(self, repository: Repository, pair: Pair, lost: Pair, tmp_path: Path) -> None:
        both(repository, pair, lost)
        repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(tmp_path / "clone"))
        assert "shallow" in assert_incomplete(tmp_path / "clone", pair).skipped

    @pytest.mark.parametrize("filtered", ["blob:none", "tree:0"])
    def test_a_partial_clone(self, repository: Repository, pair: Pair, filtered: str, tmp_path: Path) -> None:
        both(repository, pair, Pair.fresh())
        repository.git("config", "uploadpack.allowFilter", "true")
        repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
        for bare in (True, False):
            clone = tmp_path / f"clone-{bare}"
            options = ["--bare"] if bare else []
            url = f"file://{repository.folder}"
            repository.git("clone", "--quiet", f"--filter={filtered}", *options, url, str(clone))
            held = objects_of(clone)
            looked = history(cwd=clone)
            assert not looked.complete
            # The checkout fetched what the last commit has.
            assert looked.ids == (set() if bare else {identity(pair)})
            assert objects_of(clone) == held, "objects were fetched"

    def test_alternates_that_are_gone(self, pair: Pair, tmp_path: Path) -> None:
        origin, ours = Repository.create(tmp_path / "origin"), tmp_path / "ours"
        origin.commit({"bot.py": module(Pair.fresh())})
        origin.git("clone", "--quiet", "--shared", str(origin.folder), str(ours))
        Repository(ours).commit({"ours.py": module(pair)})
        shutil.rmtree(origin.folder)
        looked = history(cwd=ours)
        assert (looked.complete, looked.ids) == (False, {identity(pair)})

    @pytest.mark.parametrize("content", ["0" * 40, "1" * 40, "rubbish", "ref: refs/heads/main", "ref: x"])
    def test_refs_that_name_nothing(self, repository: Repository, pair: Pair, content: str) -> None:
        repository.commit({"bot.py": module(pair)})
        repository.write(".git/refs/heads/broken", f"{content}\n")
        looked = history(cwd=repository.folder)
        assert looked.status == 1
        assert looked.holds(pair)


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


RUIN: dict[str, Callable[[bytes], bytes]] = {
    "cut short": _cut,
    "empty": lambda _: b"",
    "one byte": lambda data: data[:1],
    "rubbish": lambda data: bytes(len(data)),
    "the end flipped": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "the middle flipped": lambda data: _cut(data) + bytes([data[len(data) // 2] ^ 0x55]) + data[len(data) // 2 + 1 :],
}


class TestDamaged:
    """Objects whose bytes are not what they were."""

    @pytest.mark.parametrize("ruin", RUIN)
    def test_loose(self, repository: Repository, pair: Pair, lost: Pair, ruin: str) -> None:
        blob = both(repository, pair, lost)
        ruin_file(repository.loose(blob), RUIN[ruin])
        looked = history(cwd=repository.folder)
        assert not looked.complete
        assert looked.holds(pair)
        assert blob[:7] in looked.skipped

    def test_a_loose_object_that_is_a_folder(self, repository: Repository, pair: Pair, lost: Pair) -> None:
        path = repository.loose(both(repository, pair, lost))
        path.unlink()
        path.mkdir()
        assert not history(cwd=repository.folder).complete

    @pytest.mark.parametrize("ruin", RUIN)
    @pytest.mark.parametrize("ending", ["pack", "idx"])
    def test_a_pack(self, repository: Repository, pair: Pair, ruin: str, ending: str) -> None:
        both(repository, Pair.fresh(), Pair.fresh())
        repository.git("repack", "-a", "-d", "--quiet")
        repository.commit({"later.py": module(pair)})
        (path,) = repository.path(".git/objects/pack").glob(f"*.{ending}")
        ruin_file(path, RUIN[ruin])
        looked = history(cwd=repository.folder)
        assert looked.holds(pair)
        assert not looked.complete or (ruin == "the end flipped" and len(looked.leaks) == 3)

    @pytest.mark.parametrize("ending", ["pack", "idx"])
    def test_half_a_pack(self, repository: Repository, pair: Pair, ending: str) -> None:
        both(repository, Pair.fresh(), Pair.fresh())
        repository.git("repack", "-a", "-d", "--quiet")
        repository.commit({"later.py": module(pair)})
        (path,) = repository.path(".git/objects/pack").glob(f"*.{ending}")
        path.unlink()
        looked = history(cwd=repository.folder)
        assert not looked.complete
        assert looked.holds(pair)

    @pytest.mark.parametrize(
        "name", ["HEAD", "config", "index", "packed-refs", "objects/info/alternates", "shallow", "objects/info/packs"]
    )
    def test_other_files_of_git(self, repository: Repository, pair: Pair, name: str) -> None:
        repository.commit({"bot.py": module(pair)})
        for content in (b"\x00\xff rubbish\n[", b"../" * 3000):
            repository.write(f".git/{name}", content)
            outcome = run("history", "--format", "json", cwd=repository.folder)
            if outcome.out:
                assert outcome.status == (1 if read(outcome).leaks else 3)
            else:
                tell(outcome, 2, 3)


def ruin_file(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Changes a file that git wrote, which is read-only."""
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Hideout:
    """The same bytes in each run, so that what a flip does can be seen again."""
    hideout = build(tmp_path_factory.mktemp("damage") / "project", seed=1)
    hideout.repository.git("gc", "--quiet", "--prune=now")
    return hideout


@pytest.fixture(scope="module")
def sound(packed: Hideout) -> Looked:
    return history(cwd=packed.repository.folder)


@pytest.mark.parametrize("ending", ["pack", "idx"])
@pytest.mark.parametrize("number", range(6))
def test_flipped_bytes(packed: Hideout, sound: Looked, number: int, ending: str, tmp_path: Path) -> None:
    """Anything may be reported for a pack with flipped bytes but that all is well and less was found."""
    shutil.copytree(packed.repository.folder, tmp_path / "copy", symlinks=True)
    (path,) = (tmp_path / "copy" / ".git" / "objects" / "pack").glob(f"*.{ending}")
    rng = Random(number)

    def flip(data: bytes) -> bytes:
        flipped = bytearray(data)
        for _ in range(1 + number % 4):
            flipped[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        return bytes(flipped)

    ruin_file(path, flip)
    outcome = run("history", "--format", "json", cwd=tmp_path / "copy", timeout=30)
    if not outcome.out:
        tell(outcome, 3)
        return
    looked = read(outcome)
    assert looked.ids <= sound.ids
    assert looked.status == (1 if looked.ids else 3)
    if looked.complete:
        assert looked.ids == sound.ids


class TestClosed:
    """What the system does not let us read."""

    @pytest.mark.parametrize("name", ["pack", "index of a pack", "folder of packs", "loose object", "folder of loose"])
    def test_objects(self, repository: Repository, name: str, tmp_path: Path) -> None:
        program = without_powers(tmp_path)
        both(repository, Pair.fresh(), Pair.fresh())
        repository.git("repack", "-a", "-d", "--quiet")
        repository.commit({"later.py": PADDING * 2})
        repository.commit({"later.py": PADDING * 3})
        (pack,) = repository.path(".git/objects/pack").glob("*.pack")
        loose = repository.loose(repository.git("rev-parse", "HEAD~1:later.py"))
        closed = {
            "pack": pack, "index of a pack": pack.with_suffix(".idx"), "folder of packs": pack.parent,
            "loose object": loose, "folder of loose": loose.parent,
        }[name]  # fmt: skip
        closed.chmod(0)
        try:
            outcome = run("history", "--format", "json", cwd=repository.folder, program=program)
        finally:
            closed.chmod(0o700)
        if outcome.out:
            looked = read(outcome)
            assert not looked.complete
            assert outcome.status == (1 if looked.leaks else 3)
        else:
            tell(outcome, 3)

    def test_a_repository_of_somebody_else(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"bot.py": module(pair)})
        if os.geteuid() != 0:
            pytest.skip("only root may give a file away")
        for path in (repository.folder, *repository.folder.rglob("*")):
            os.chown(path, 12345, 12345, follow_symlinks=False)
        assert "safe.directory" in tell(run("history", cwd=repository.folder), 3)
        reported = run("history", repository.folder, cwd=repository.folder.parent)
        assert "safe.directory" in tell(reported, 3)
