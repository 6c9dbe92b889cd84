"""When an update of a baseline takes a value for gone: only where a scan would have found it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from binance_leaks.findings import Skipped
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE
from binance_leaks.pipeline.baseline_update import ScanCoverage

LOST = Skipped(what="a blob", why="damaged")
SUBMODULE = Skipped(what="a submodule", why="scan it by itself", lost=False)
MESSAGES = (COMMIT_MESSAGE, TAG_MESSAGE, f"lib/{COMMIT_MESSAGE}", "blob:0123", "lfs object 0123")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The top of a repository, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "lib/b.py", "lib/left out.py", "library/c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def coverage(
    folder: Path,
    *roots: str,
    skipped: Sequence[Skipped] = (),
    history: Sequence[Skipped] | None = None,
    read: Sequence[str] = ("a.py", "lib/b.py", "library/c.py"),
) -> ScanCoverage:
    return ScanCoverage.of(str(folder), roots=roots or (".",), read=read, skipped=skipped, history=history)


@pytest.mark.parametrize("path", MESSAGES)
def test_what_is_no_file(folder: Path, path: str) -> None:
    """It is gone only if the whole history was read, and all of it was requested."""
    assert not coverage(folder).gone(path)
    assert coverage(folder, history=()).gone(path)
    assert coverage(folder, history=[SUBMODULE]).gone(path)
    assert not coverage(folder, history=[SUBMODULE, LOST]).gone(path)
    assert not coverage(folder, "lib", history=()).gone(path)


@pytest.mark.parametrize(
    ("roots", "path", "is_gone"),
    [
        ((".",), "a.py", True),
        ((".",), "lib/b.py", True),
        ((".",), "lib/b.py!/src/x.py", True),
        ((".",), "lib/left out.py", False),
        ((".",), "lib/deleted.py", True),
        (("lib",), "lib/b.py", True),
        (("lib/b.py",), "lib/b.py", True),
        (("lib/b.py", "a.py"), "a.py", True),
        (("lib",), "library/c.py", False),
        (("lib",), "a.py", False),
        (("lib",), "deleted.py", False),
    ],
)
def test_files(folder: Path, roots: Sequence[str], path: str, is_gone: bool) -> None:
    assert coverage(folder, *roots).gone(path) == is_gone
    assert not coverage(folder, *roots, history=[LOST]).gone(path)


@pytest.mark.parametrize("unread", ["lib", "lib/b.py", "lib/b.py!/src/x.py"])
def test_what_could_not_be_read(folder: Path, unread: str) -> None:
    skipped = [Skipped(what=unread, why="damaged")]
    assert not coverage(folder, skipped=skipped).gone("lib/b.py")
    assert coverage(folder, skipped=skipped).gone("a.py")
    assert coverage(folder, skipped=skipped).gone("library/c.py")
    assert coverage(folder, skipped=[Skipped(what=unread, why="a submodule", lost=False)]).gone("lib/b.py")


def test_from_another_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries count from the top, what was read from the current folder."""
    monkeypatch.chdir(folder / "lib")
    seen = coverage(folder, "b.py", "../a.py", read=["b.py", "../a.py"])
    assert [path for path in ("a.py", "lib/b.py", "library/c.py") if seen.gone(path)] == ["a.py", "lib/b.py"]
