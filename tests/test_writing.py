"""Files are written whole or not at all, with the mode that they have or should have."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from binance_leaks.writing import create_private_file, edit_file, replace_file

WRITERS = {
    "replace": replace_file,
    "replace private": lambda file, data: replace_file(file, data, private=True),
    "create": create_private_file,
}
posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.fixture
def _usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@posix
@pytest.mark.usefixtures("_usual_mask")
@pytest.mark.parametrize(("before", "after"), [(None, 0o644), (0o600, 0o600), (0o664, 0o664), (0o444, 0o444)])
def test_the_mode_of_a_file_stays(tmp_path: Path, before: int | None, after: int) -> None:
    file = tmp_path / "a"
    if before is not None:
        file.write_bytes(b"old")
        file.chmod(before)
    replace_file(file, b"new")
    assert (file.read_bytes(), mode(file)) == (b"new", after)


@posix
@pytest.mark.usefixtures("_usual_mask")
def test_nobody_reads_a_draft_who_may_not_read_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    sync = os.fsync

    def note(number: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(number).st_mode))
        sync(number)

    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o600)
    monkeypatch.setattr(os, "fsync", note)
    replace_file(file, b"new")
    edit_file(file, b"new", b"newer")
    assert seen == [0o600, 0o600]


@pytest.mark.parametrize("old", [None, b"old"])
def test_what_was_changed_meanwhile_is_not_written_over(tmp_path: Path, old: bytes | None) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"somebody else's")
    with pytest.raises(OSError, match="changed meanwhile"):
        edit_file(file, old, b"ours")
    assert file.read_bytes() == b"somebody else's"
    edit_file(file, b"somebody else's", b"ours")
    edit_file(tmp_path / "b", None, b"ours")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a": b"ours", "b": b"ours"}


@posix
@pytest.mark.usefixtures("_usual_mask")
def test_a_private_file_is_private_whatever_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o666)
    replace_file(file, b"new", private=True)
    assert (file.read_bytes(), mode(file)) == (b"new", 0o600)
    create_private_file(tmp_path / "b", b"new")
    assert mode(tmp_path / "b") == 0o600


@pytest.mark.parametrize("private", [False, True])
def test_links_are_replaced_and_not_followed(tmp_path: Path, private: bool) -> None:
    target, symbolic, hard = tmp_path / "target", tmp_path / "symbolic", tmp_path / "hard"
    target.write_bytes(b"old")
    symbolic.symlink_to(target)
    hard.hardlink_to(target)
    for link in (symbolic, hard):
        replace_file(link, b"new", private=private)
        assert not link.is_symlink()
        assert link.read_bytes() == b"new"
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("links", [True, False], ids=["file system with links", "without"])
@pytest.mark.parametrize("make", [Path.touch, lambda file: file.symlink_to("nowhere"), Path.mkdir])
def test_nothing_is_created_over_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], links: bool
) -> None:
    def refused(source: Path, target: Path) -> None:
        raise PermissionError(f"no links: {source.name} {target.name}")

    file = tmp_path / "a"
    make(file)
    if not links:
        monkeypatch.setattr(os, "link", refused)
    with pytest.raises(FileExistsError):
        create_private_file(file, b"new")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("call", ["fsync", "write"])
def test_a_failure_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "a"
    if writer != "create":
        file.write_bytes(b"old")
    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space"):
        WRITERS[writer](file, b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if writer == "create" else [b"old"])


def test_only_one_module_writes_files_whole() -> None:
    """Other modules call it: a draft of their own would get modes, links and failures wrong in its own way."""
    package = Path(__file__).resolve().parents[1] / "scanner/binance_leaks"
    own = ("mkstemp", "os.replace(", "NamedTemporaryFile", "os.rename(", "os.link(")
    writers = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if any(word in file.read_text("utf-8") for word in own)
    }
    assert writers == {"writing.py"}
