"""Files that are ours as a whole, and how files of a work tree are read and written."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from binance_leaks.errors import UsageError
from binance_leaks.setup.plan import Keep, Refuse, WorkTree, Write, is_unedited, plan_file, with_marker

BODY = "a: 1\nb: 2\n"
NEWER = "a: 1\nb: 3\n"


def test_a_new_file_is_stamped() -> None:
    plan = plan_file("x.yml", None, BODY)
    assert isinstance(plan, Write)
    assert plan.old is None
    first, _, rest = plan.new.partition(b"\n")
    assert first.startswith(b"# ")
    assert rest == BODY.encode()
    assert is_unedited(plan.new)


def test_an_untouched_file_is_updated_and_the_same_one_kept() -> None:
    old = with_marker(BODY)
    assert isinstance(plan_file("x.yml", old, BODY), Keep)
    plan = plan_file("x.yml", old, NEWER)
    assert isinstance(plan, Write)
    assert plan.old == old
    assert plan.new == with_marker(NEWER)


def test_a_checkout_may_change_line_ends() -> None:
    old = with_marker(BODY).replace(b"\n", b"\r\n")
    assert isinstance(plan_file("x.yml", old, BODY), Keep)
    plan = plan_file("x.yml", old, NEWER)
    assert isinstance(plan, Write)
    assert plan.new == with_marker(NEWER).replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "old",
    [
        b"",
        BODY.encode(),
        with_marker(BODY) + b"c: 3\n",
        with_marker(BODY).replace(b"b: 2", b"b: 4"),
        b"\n" + with_marker(BODY),
        with_marker(BODY).replace(b"digest ", b"digest 0"),
        b"# Written by `binance-leaks init` (digest 0123456789abcdef); once edited, it is left alone.\n"
        + BODY.encode(),
    ],
)
def test_others_files_and_edited_ones_stay(old: bytes) -> None:
    plan = plan_file("x.yml", old, NEWER)
    assert isinstance(plan, Refuse)
    assert plan.wanted == with_marker(NEWER)
    assert plan.old == old


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    top = tmp_path / "top"
    (top / ".git").mkdir(parents=True)
    return WorkTree(top)


def test_reads_and_writes(tree: WorkTree) -> None:
    assert tree.read(".github/workflows/x.yml") is None
    tree.write(".github/workflows/x.yml", b"a\r\n\xff")
    assert tree.read(".github/workflows/x.yml") == b"a\r\n\xff"
    assert os.listdir(tree.top / ".github/workflows") == ["x.yml"]  # noqa: PTH208


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_permissions_are_kept(tree: WorkTree) -> None:
    tree.write("x", b"1")
    before = os.umask(0)
    os.umask(before)
    assert stat.S_IMODE((tree.top / "x").stat().st_mode) == 0o666 & ~before
    (tree.top / "x").chmod(0o640)
    tree.write("x", b"2")
    assert stat.S_IMODE((tree.top / "x").stat().st_mode) == 0o640


def test_a_link_within_the_work_tree_stays_one(tree: WorkTree) -> None:
    tree.write("config/real.yaml", b"1")
    (tree.top / "x.yaml").symlink_to("config/real.yaml")
    tree.write("x.yaml", b"2")
    assert (tree.top / "x.yaml").is_symlink()
    assert (tree.top / "config/real.yaml").read_bytes() == b"2"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("x", "../outside"),
        ("x", "{top}/../outside"),
        ("x", ".git/config"),
        ("x", ".git/hooks/pre-commit"),
        ("d", ".."),
        ("d", ".git"),
        ("x", "nowhere"),
        ("x", "x"),
    ],
)
def test_other_links_are_refused(tree: WorkTree, link: str, target: str) -> None:
    outside = tree.top.parent / "outside"
    outside.write_bytes(b"theirs")
    (tree.top / ".git/config").write_bytes(b"theirs")
    (tree.top / link).symlink_to(target.format(top=tree.top))
    path = "x" if link == "x" else "d/x"
    with pytest.raises(UsageError, match=r"leads out|link"):
        tree.read(path)
    with pytest.raises(UsageError, match=r"leads out|link"):
        tree.write(path, b"ours")
    assert outside.read_bytes() == b"theirs"
    assert (tree.top / ".git/config").read_bytes() == b"theirs"


def test_what_is_no_file(tree: WorkTree) -> None:
    (tree.top / "folder").mkdir()
    with pytest.raises(UsageError, match="not a file"):
        tree.read("folder")
    os.mkfifo(tree.top / "pipe")
    with pytest.raises(UsageError, match="not a file"):
        tree.read("pipe")
    tree.write("file", b"")
    with pytest.raises(UsageError, match="part of its path"):
        tree.read("file/x")
    with pytest.raises(UsageError, match="cannot be written"):
        tree.write("file/x", b"")
    with pytest.raises(UsageError, match="cannot be written"):
        tree.write("folder", b"")
    assert sorted(path.name for path in tree.top.iterdir()) == [".git", "file", "folder", "pipe"]


def test_a_huge_file_is_not_read(tree: WorkTree) -> None:
    with (tree.top / "huge").open("wb") as stream:
        stream.truncate(1 << 21)
    with pytest.raises(UsageError, match="too large"):
        tree.read("huge")
