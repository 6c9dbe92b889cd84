"""`history` reports the same of the same objects, however the repository keeps them and whatever reads them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import SystemRandom

import pytest

from tests.e2e.histories import Line, Looked, history, lines, objects_of
from tests.fast_import import pad
from tests.hideout import Hideout
from tests.hiding_places import build
from tests.repositories import Repository

COMPILED = ("binance_leaks._native", "deflate", "isal", "dulwich")


@pytest.fixture(scope="module")
def seed() -> int:
    return SystemRandom().randrange(2**32)


@pytest.fixture(scope="module")
def hideout(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Hideout:
    return build(tmp_path_factory.mktemp("forms") / "project", seed=seed)


@pytest.fixture(scope="module")
def loose(hideout: Hideout) -> Looked:
    return history(cwd=hideout.repository.folder)


@pytest.fixture
def copy(hideout: Hideout, tmp_path: Path) -> Repository:
    """The same repository, free to be changed."""
    shutil.copytree(hideout.repository.folder, tmp_path / "project", symlinks=True)
    return Repository(tmp_path / "project")


def _packs(repository: Repository, ending: str = "pack") -> list[Path]:
    return sorted((repository.folder / ".git" / "objects" / "pack").glob(f"*.{ending}"))


def _pack_in(parts: int, repository: Repository, *settings: str) -> Path:
    """Pack all objects, reachable or not, into so many packs; bases of deltas are named by offset unless set."""
    names = sorted(objects_of(repository.folder))
    options = [word for setting in settings for word in ("-c", setting)]
    by_offset = [] if settings else ["--delta-base-offset"]
    for part in range(parts):
        subprocess.run(
            ["git", *options, "pack-objects", "--quiet", *by_offset, ".git/objects/pack/pack"],
            cwd=repository.folder, input="\n".join(names[part::parts]).encode(), capture_output=True, check=True,
        )  # fmt: skip
    repository.git("prune-packed", "--quiet")
    assert len(_packs(repository)) == parts
    assert repository.git("count-objects").startswith("0 objects")
    return repository.folder


def _pack(repository: Repository) -> Path:
    return _pack_in(1, repository)


def _aggressively(repository: Repository) -> Path:
    repository.git("gc", "--quiet", "--aggressive", "--prune=never")
    return repository.folder


def _with_cruft(repository: Repository) -> Path:
    repository.git("gc", "--quiet", "--cruft", "--prune=never")
    assert _packs(repository, "mtimes")
    return repository.folder


def _several(repository: Repository) -> Path:
    return _pack_in(3, repository)


def _several_indexed(repository: Repository) -> Path:
    folder = _several(repository)
    repository.git("multi-pack-index", "write")
    return folder


def _twice(repository: Repository) -> Path:
    repository.git("repack", "-a", "-k", "--quiet")
    assert not repository.git("count-objects").startswith("0 objects")
    return repository.folder


def _named_bases(repository: Repository) -> Path:
    return _pack_in(1, repository, "repack.useDeltaBaseOffset=false")


def _old_index(repository: Repository) -> Path:
    folder = _pack_in(1, repository, "pack.indexVersion=1")
    assert not _packs(repository, "idx")[0].read_bytes().startswith(b"\xfftOc")
    return folder


def _far_offsets(repository: Repository) -> Path:
    folder = _pack(repository)
    (index,) = _packs(repository, "idx")
    small = index.stat().st_size
    index.unlink()
    repository.git("index-pack", "--index-version=2,0x200", str(_packs(repository)[0]))
    assert index.stat().st_size > small
    return folder


def _promised(repository: Repository) -> Path:
    folder = _pack(repository)
    _packs(repository)[0].with_suffix(".promisor").write_bytes(b"")
    repository.git("config", "remote.origin.promisor", "true")
    return folder


def _packed_refs(repository: Repository) -> Path:
    repository.git("pack-refs", "--all")
    repository.git("commit-graph", "write", "--reachable", "--changed-paths")
    return repository.folder


def _worktree(repository: Repository) -> Path:
    other = repository.folder.parent / "worktree"
    repository.git("worktree", "add", "--quiet", "--detach", str(other), "main")
    return other


def _clone(repository: Repository, *options: str) -> Path:
    other = repository.folder.parent / "clone.git"
    repository.git("clone", "--quiet", "--mirror", *options, str(repository.folder), str(other))
    return other


def _bare(repository: Repository) -> Path:
    other = repository.folder.parent / "bare.git"
    repository.git("config", "core.bare", "true")
    repository.path(".git").rename(other)
    return other


def _alternates_of_alternates(repository: Repository) -> Path:
    first = _clone(Repository(_pack(repository)), "--shared")
    second = first.with_name("again.git")
    repository.git("clone", "--quiet", "--mirror", "--shared", str(first), str(second))
    assert not list(second.glob("objects/??/*"))
    return second


SAME: dict[str, Callable[[Repository], Path]] = {
    "packed": _pack,
    "gc --aggressive": _aggressively,
    "cruft pack": _with_cruft,
    "several packs": _several,
    "multi-pack index": _several_indexed,
    "packed and loose": _twice,
    "REF_DELTA": _named_bases,
    "index of version 1": _old_index,
    "offsets of 64 bits": _far_offsets,
    "promisor pack": _promised,
    "packed refs": _packed_refs,
    "worktree": _worktree,
    "bare": _bare,
}


@pytest.mark.parametrize("form", SAME)
def test_form(form: str, hideout: Hideout, loose: Looked, copy: Repository) -> None:
    folder = SAME[form](copy)
    assert objects_of(folder) == objects_of(hideout.repository.folder)
    looked = history(cwd=folder)
    assert looked.skipped == ""
    assert_same(lines(looked), lines(loose))
    assert looked.objects == loose.objects


@pytest.mark.parametrize("clone", [_clone, _alternates_of_alternates])
def test_mirror(clone: Callable[[Repository], Path], hideout: Hideout, loose: Looked, copy: Repository) -> None:
    """A clone of the same objects; all that its refs hold came from elsewhere."""
    folder = clone(copy)
    assert objects_of(folder) == objects_of(hideout.repository.folder)
    assert_same(lines(history(cwd=folder)), [replace(line, pushed=bool(line.refs)) for line in lines(loose)])


def _over_the_wire(repository: Repository) -> Path:
    other = _clone(repository, "--no-local")
    # Without this it would count as a mirror, in which everything came from elsewhere.
    Repository(other).git("config", "--unset", "remote.origin.mirror")
    Repository(other).git("config", "--unset", "remote.origin.fetch")
    return other


def _pruned(repository: Repository) -> Path:
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    return repository.folder


@pytest.mark.parametrize("leave", [_over_the_wire, _pruned])
def test_what_is_left_without_the_unreachable(
    leave: Callable[[Repository], Path], loose: Looked, copy: Repository
) -> None:
    looked = history(cwd=leave(copy))
    assert_same(lines(looked), [line for line in lines(loose) if line.exposure != "unreachable"])


def test_ids_of_sha256(seed: int, loose: Looked, tmp_path: Path) -> None:
    repository = build(tmp_path / "project", seed=seed, object_format="sha256").repository
    for pack in (False, True):
        if pack:
            _pack(repository)
        looked = history(cwd=repository.folder)
        assert looked.skipped == ""
        assert_same(lines(looked, ids=False), lines(loose, ids=False))


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_parallel_is_serial(packed: bool, copy: Repository) -> None:
    if packed:
        _pack(copy)
    pad(copy)
    one, two = (history("--jobs", jobs, cwd=copy.folder) for jobs in ("1", "2"))
    assert one.leaks == two.leaks
    assert one.objects == two.objects


@pytest.mark.parametrize("form", ["packed", "REF_DELTA", "several packs", "packed and loose"])
def test_without_the_compiled_helpers(form: str, loose: Looked, copy: Repository, tmp_path: Path) -> None:
    folder = SAME[form](copy)
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    names = [*COMPILED, "isal.isal_zlib"]
    (hiding / "sitecustomize.py").write_text(f"import sys\n\nsys.modules.update(dict.fromkeys({names!r}))\n")
    env = {"PYTHONPATH": f"{hiding}:{Path(__file__).resolve().parents[2]}"}
    for name in COMPILED:
        done = subprocess.run([sys.executable, "-c", f"import {name}"], env=env, capture_output=True, check=False)
        assert b"ModuleNotFoundError" in done.stderr, f"{name} is still there"
    looked = history("--jobs", "2", cwd=folder, env=env)
    assert looked.skipped == ""
    assert_same(lines(looked), lines(loose))


def assert_same(reported: list[Line], expected: list[Line]) -> None:
    """Two reports of the same; a difference is shown as what is in one of them only."""
    more, fewer = sorted(set(reported) - set(expected)), sorted(set(expected) - set(reported))
    assert not more, f"{more[:3]} instead of {fewer[:3]}"
    assert not fewer
    assert len(reported) == len(expected)
