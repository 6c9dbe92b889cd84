"""Files: every one that should be read is, nothing odd in a tree surprises, and what is left out is reported."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import random
import socket
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from binance_leaks.errors import GitError, UsageError
from binance_leaks.findings import Skipped
from binance_leaks.sources.files import FileEntry, WorkTreeLister, list_files, read_chunks
from binance_leaks.sources.read_content import Chunk

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs pipes, links and permissions of POSIX")


def nothing(_: str) -> bool:
    return False


def no_git(_: str) -> None:
    return None


def listed(
    *roots: Path | str, exclude: Callable[[str], bool] = nothing, all_files: bool = False
) -> tuple[list[FileEntry], list[Skipped]]:
    items = list(list_files([Path(root) for root in roots], exclude=exclude, all_files=all_files))
    return [item for item in items if isinstance(item, FileEntry)], [
        item for item in items if isinstance(item, Skipped)
    ]


def shown(*roots: Path | str, exclude: Callable[[str], bool] = nothing, all_files: bool = False) -> list[str]:
    return [entry.shown for entry in listed(*roots, exclude=exclude, all_files=all_files)[0]]


def entry_of(path: Path, *, explicit: bool = False) -> FileEntry:
    return FileEntry(path=str(path), shown=path.name, evidence_path=path.name, explicit=explicit)


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n")


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Make permissions count where the tests run as root."""
    if os.name == "nt" or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, without a repository around it, and git without a user's settings."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def git(folder: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)


def repository(folder: Path, *tracked: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    write(folder, *tracked)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


# --- paths as they are shown --------------------------------------------------------------------------------------


def test_paths_are_shown_as_the_user_gave_them(here: Path) -> None:
    write(here, "bot/a.py", "bot/sub/b.py", "c.txt")
    assert shown(".") == ["c.txt", "bot/a.py", "bot/sub/b.py"]
    assert shown("bot") == shown("./bot/") == ["bot/a.py", "bot/sub/b.py"]
    assert shown("bot/../c.txt") == ["bot/../c.txt"]
    assert shown(here / "bot" / "sub") == [(here / "bot/sub/b.py").as_posix()]
    os.chdir("bot")
    assert shown("..") == ["../c.txt", "../bot/a.py", "../bot/sub/b.py"]
    assert [chunk.data for entry in listed("..")[0] for chunk in read_chunks(entry) if isinstance(chunk, Chunk)] == [
        b"content of c.txt\n",
        b"content of bot/a.py\n",
        b"content of bot/sub/b.py\n",
    ]


def test_evidence_begins_at_the_argument_or_at_the_work_tree(here: Path) -> None:
    write(here, "binance-bot/sub/a.py")
    assert [entry.evidence_path for entry in listed("binance-bot")[0]] == ["binance-bot/./sub/a.py"]
    assert [entry.evidence_path for entry in listed("binance-bot/sub/a.py")[0]] == ["a.py"]
    os.chdir("binance-bot/sub")
    assert [entry.evidence_path for entry in listed(".")[0]] == ["sub/./a.py"]
    os.chdir(here)
    repository(here / "binance-bot")
    for root in ("binance-bot", "binance-bot/sub", "binance-bot/sub/a.py", here / "binance-bot"):
        assert [entry.evidence_path for entry in listed(root)[0]] == ["sub/a.py"]


def test_explicit_files_are_marked_and_nothing_is_listed_twice(here: Path) -> None:
    write(here, "a", "d/b")
    entries, _ = listed("a", "d", "d/b", "a")
    assert [(entry.shown, entry.explicit) for entry in entries] == [("a", True), ("d/b", False)]


def test_names_that_are_no_text_are_read(here: Path) -> None:
    names = [b"n\xff\xfe", b"new\nline", "ünï".encode(), b"-x", b" "]
    try:
        Path(os.fsdecode(names[0])).touch()
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    for name in names:
        Path(os.fsdecode(name)).write_bytes(name)
    for folder in (here, repository(here)):
        entries, _ = listed(folder, ".")
        assert sorted(os.fsencode(entry.shown) for entry in entries if "/" not in entry.shown) == sorted(names)
        for entry in entries:
            (chunk,) = read_chunks(entry)
            assert isinstance(chunk, Chunk)
            assert os.fsencode(entry.shown).endswith(chunk.data)


def test_exclusion_takes_files_and_whole_folders(here: Path) -> None:
    write(here, "a.py", "node_modules/x/y.js", "docs/a.md", "docs/b.py")
    asked: list[str] = []

    def exclude(path: str) -> bool:
        asked.append(path)
        return path == "node_modules" or path.endswith(".md")

    assert shown(".", exclude=exclude) == ["a.py", "docs/b.py"]
    assert sorted(asked) == ["a.py", "docs", "docs/a.md", "docs/b.py", "node_modules"]
    assert shown("docs/a.md", exclude=exclude) == []
    assert shown("node_modules", exclude=exclude) == ["node_modules/x/y.js"], "a folder that is named is meant"
    repository(here)
    assert shown(".", exclude=exclude) == ["a.py", "docs/b.py"]


def test_what_does_not_exist_is_a_usage_error_before_anything_is_read(here: Path) -> None:
    write(here, "a")
    for missing in ("b", "a/b", "nul\0l"):
        with pytest.raises(UsageError, match="no such file or folder") as caught:
            list_files([Path("a"), Path(missing)], exclude=nothing, all_files=False)
        assert caught.value.hint


# --- git ----------------------------------------------------------------------------------------------------------


def test_a_work_tree_means_what_git_does_not_ignore(here: Path) -> None:
    repository(here, "tracked", "gone", "sub/tracked", ".gitignore")
    (here / ".gitignore").write_text("ignored*\nbuild/\n")
    write(here, "new", "sub/new", "ignored.env", "sub/ignored", "build/out", "deep/er/file")
    (here / "gone").unlink()
    everything = [".gitignore", "new", "tracked", "deep/er/file", "sub/new", "sub/tracked"]
    assert shown(".") == everything
    assert shown("sub") == ["sub/new", "sub/tracked"]
    assert shown("ignored.env") == ["ignored.env"], "a file that is named is meant"
    assert shown("build") == ["build/out"], "and so is a folder that is ignored as a whole"
    assert shown(".", all_files=True) == [
        ".gitignore", "ignored.env", "new", "tracked", "build/out", "deep/er/file", "sub/ignored", "sub/new",
        "sub/tracked",
    ]  # fmt: skip
    assert not listed(".")[1]


def test_repositories_inside_are_read_by_their_own_rules(here: Path) -> None:
    outer = repository(here / "outer", "a")
    source = repository(here / "source", "in_submodule", ".gitignore")
    git(outer, "submodule", "add", "-q", str(source), "module")
    git(outer, "commit", "-q", "-m", "module")
    write(outer, "module/new")
    nested = repository(outer / "nested", "b")
    (nested / ".gitignore").write_text("hidden\n")
    write(nested, "hidden", "c")
    names = [".gitmodules", "a", "module/.gitignore", "module/in_submodule", "module/new",
             "nested/.gitignore", "nested/b", "nested/c"]  # fmt: skip
    assert shown("outer") == [f"outer/{name}" for name in names]
    assert [name for name in shown(".") if name.startswith("outer/")] == [f"outer/{name}" for name in names]
    assert "outer/nested/hidden" in shown("outer", all_files=True)
    assert not [name for name in shown(".", all_files=True) if "/.git/" in name]


def test_a_worktree_and_a_fresh_repository_are_listed(here: Path) -> None:
    main = repository(here / "main", "a")
    git(main, "worktree", "add", "-q", "../linked")
    write(here / "linked", "b")
    assert [name for name in shown("linked") if not name.endswith(".git")] == ["linked/a", "linked/b"]
    (here / "fresh").mkdir()
    git(here / "fresh", "init", "-q")
    write(here / "fresh", "c")
    assert shown("fresh") == ["fresh/c"]


@posix_only
def test_a_tracked_folder_that_became_a_link_is_not_entered(here: Path) -> None:
    repository(here / "repo", "d/file")
    write(here, "outside/file")
    (here / "repo/d/file").unlink()
    (here / "repo/d").rmdir()
    (here / "repo/d").symlink_to(here / "outside")
    entries, skipped = listed("repo")
    assert [(entry.shown, entry.link) for entry in entries] == [("repo/d", True)]
    assert [item.why for item in skipped] == ["a symbolic link out of the tree"]


class Listing:
    """A work tree that lists what a test gives it."""

    def __init__(self, paths: Sequence[bytes], ignored: bytes = b"") -> None:
        self._paths = paths
        self._ignored = ignored

    def worktree_files(self, *, ignored: bool) -> list[bytes]:
        assert not ignored
        return list(self._paths)

    def run(self, *arguments: str) -> bytes:
        assert arguments[-2:] == ("--", "closed")
        return self._ignored


def listed_by(work_tree: Callable[[str], WorkTreeLister | None]) -> list[FileEntry | Skipped]:
    return list(list_files([Path()], exclude=nothing, all_files=False, open_git=work_tree))


def test_listings_may_repeat_and_name_what_is_gone(here: Path) -> None:
    write(here, ".git/config", "a", "d/b", "n/c", "m/d")
    paths = [b"a", b"a", b"d/b", b"gone", b"d/gone", b"gone/x/y", b"n/", b"m", b"d/b"]
    items = listed_by(lambda _: Listing(paths))
    assert [item.shown for item in items if isinstance(item, FileEntry)] == ["a", "d/b", "m/d", "n/c"]
    assert len(items) == 4


def test_without_git_or_where_it_refuses_everything_is_read(here: Path) -> None:
    write(here, ".git/config", "a", "d/b")

    def refuses(_: str) -> WorkTreeLister | None:
        raise GitError("detected dubious ownership in repository")

    assert [item.shown for item in listed_by(no_git) if isinstance(item, FileEntry)] == ["a", "d/b"]
    first, *rest = listed_by(refuses)
    assert isinstance(first, Skipped)
    assert "dubious ownership" in first.why
    assert not first.lost
    assert [item.shown for item in rest if isinstance(item, FileEntry)] == ["a", "d/b"]


def close_folders(monkeypatch: pytest.MonkeyPatch, *closed: str) -> None:
    scandir = os.scandir

    def checked(path: str) -> object:
        if path in closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", checked)


def test_a_folder_that_git_cannot_read_is_lost_unless_it_is_ignored(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, ".git/config", "a", "closed/b")
    close_folders(monkeypatch, "closed")
    lost = listed_by(lambda _: Listing([b"a"]))
    ignored = listed_by(lambda _: Listing([b"a"], ignored=b"closed\n"))
    assert [item for item in lost if isinstance(item, Skipped)] == [Skipped(what="closed", why="Permission denied")]
    assert not [item for item in ignored if isinstance(item, Skipped)]


def test_real_git_is_asked_whether_it_ignores_a_closed_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(here, "a", ".gitignore")
    (here / ".gitignore").write_text("data\n")
    write(here, "x/data/1", "x/open", "x/[o]ther/2")
    (here / "x/[o]ther/2").unlink()
    close_folders(monkeypatch, "x/data", "x/[o]ther")
    entries, skipped = listed(".")
    assert [entry.shown for entry in entries] == [".gitignore", "a", "x/open"]
    assert skipped == [Skipped(what="x/[o]ther", why="Permission denied")]


# --- what is odd in a tree ----------------------------------------------------------------------------------------


@posix_only
def test_links_are_read_as_text_and_never_followed(here: Path) -> None:
    write(here, "tree/a", "outside/secret")
    links = {
        "in": "a", "out": "../outside/secret", "folder": "../outside", "loop": "loop", "up": ".", "nowhere": "missing",
    }  # fmt: skip
    for name, target in links.items():
        (here / "tree" / name).symlink_to(target)
    for work_tree in (False, True):
        if work_tree:
            repository(here / "tree")
        entries, skipped = listed("tree")
        assert {entry.shown for entry in entries if entry.link} == {f"tree/{name}" for name in links}
        assert {(item.what, item.why, item.lost) for item in skipped} == {
            (f"tree/{name}", "a symbolic link out of the tree", False) for name in ("out", "folder")
        }
        texts = {item.path: item.data for entry in entries for item in read_chunks(entry) if isinstance(item, Chunk)}
        assert texts.pop("tree/a") == b"content of tree/a\n"
        assert texts == {f"tree/{name}": os.fsencode(target) for name, target in links.items()}


@posix_only
def test_links_that_are_named_are_followed(here: Path) -> None:
    write(here, "tree/a")
    (here / "file").symlink_to("tree/a")
    (here / "folder").symlink_to("tree")
    entries, skipped = listed("file", "folder")
    assert [entry.shown for entry in entries] == ["file", "folder/a"]
    assert not skipped
    assert [item for entry in entries for item in read_chunks(entry)] == [
        Chunk(path="file", evidence_path="file", data=b"content of tree/a\n"),
        Chunk(path="folder/a", evidence_path="folder/./a", data=b"content of tree/a\n"),
    ]
    (here / "broken").symlink_to("missing")
    (here / "loop").symlink_to("loop")
    entries, skipped = listed("broken", "loop")
    assert [list(read_chunks(entry)) for entry in entries] == [
        [Chunk(path="broken", evidence_path="broken", data=b"missing")]
    ]
    assert [(item.what, item.lost) for item in skipped] == [("broken", True), ("loop", True)]


@posix_only
def test_pipes_sockets_and_devices_do_not_hang() -> None:
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        entries, skipped = listed(".")
        assert not entries
        assert [(item.what, item.why, item.lost) for item in skipped] == [
            ("pipe", "a named pipe, not a file", False),
            ("socket", "a socket, not a file", False),
        ]
        entries, skipped = listed("pipe", "socket", "/dev/null")
        assert not entries
        assert [(item.what, item.lost) for item in skipped] == [("pipe", True), ("socket", True), ("/dev/null", True)]
        for name in ("pipe", "socket", "/dev/null"):
            for explicit in (False, True):
                (item,) = read_chunks(entry_of(Path(name), explicit=explicit))
                assert isinstance(item, Skipped)


@posix_only
def test_what_takes_the_place_of_a_file_after_it_was_listed_is_no_surprise(here: Path) -> None:
    write(here, "a", "b", "c", "d")
    entries, _ = listed(".")
    for name in "abcd":
        (here / name).unlink()
    (here / "a").symlink_to("/etc/passwd")
    os.mkfifo("b")
    (here / "c").mkdir()
    items = [item for entry in entries for item in read_chunks(entry)]
    assert items == [
        Chunk(path="a", evidence_path="here/./a", data=b"/etc/passwd"),
        Skipped(what="b", why="no longer a file", lost=False),
        Skipped(what="c", why="no longer a file", lost=True),
        Skipped(what="d", why="it vanished before it was read", lost=False),
    ]


@posix_only
def test_what_cannot_be_read_is_lost(here: Path) -> None:
    write(here, "a", "closed/b", "file", "z")
    (here / "closed").chmod(0)
    (here / "file").chmod(0)
    with unprivileged():
        entries, skipped = listed(".")
        assert [entry.shown for entry in entries] == ["a", "file", "z"]
        assert skipped == [Skipped(what="closed", why="Permission denied")]
        assert list(read_chunks(entries[1])) == [Skipped(what="file", why="Permission denied")]
        entries, skipped = listed("closed/b", "a")
        assert [entry.shown for entry in entries] == ["a"]
        assert skipped == [Skipped(what="closed/b", why="Permission denied")]
    (here / "closed").chmod(0o755)


def test_a_folder_that_vanishes_while_it_is_walked_is_not_lost(here: Path) -> None:
    write(here, "a/x", "b/y", "c/z")
    walk = list_files([Path()], exclude=nothing, all_files=False, open_git=no_git)
    first = next(walk)
    assert isinstance(first, FileEntry)
    (here / "b/y").unlink()
    (here / "b").rmdir()
    rest = list(walk)
    assert [(item.what, item.lost) for item in rest if isinstance(item, Skipped)] == [("b", False)]
    assert [item.shown for item in rest if isinstance(item, FileEntry)] == ["c/z"]


def test_trees_deeper_than_the_stack_are_walked(here: Path) -> None:
    depth = 1500
    try:
        for _ in range(depth):
            Path("d").mkdir()
            os.chdir("d")
        Path("bottom").write_text("x")
    finally:
        os.chdir(here)
    entries, skipped = listed(".")
    assert [entry.shown for entry in entries] == ["d/" * depth + "bottom"]
    assert not skipped
    (chunk,) = read_chunks(entries[0])
    assert isinstance(chunk, Chunk)
    for _ in range(depth):
        os.chdir("d")
    Path("bottom").unlink()
    for _ in range(depth):
        os.chdir("..")
        Path("d").rmdir()


# --- content ------------------------------------------------------------------------------------------------------


def test_archives_are_looked_into_and_large_files_go_in_windows() -> None:
    with zipfile.ZipFile("a.whl", "w") as archive:
        archive.writestr("pkg/config.py", "x = 1\n")
    Path("b.gz").write_bytes(gzip.compress(b"text"))
    value = "".join(random.choices("aB3dE5gH7", k=64)).encode()
    Path("big").write_bytes(b"line\n" * 2_000_000 + value + b"\n" + b"line\n" * 100)
    items = {item.path: item for entry in listed(".")[0] for item in read_chunks(entry) if isinstance(item, Chunk)}
    assert sorted(items) == ["a.whl!/pkg/config.py", "b.gz!/b", "big"]
    assert items["a.whl!/pkg/config.py"].evidence_path == "here/./a.whl!/pkg/config.py"
    big = items["big"]
    assert not big.whole
    assert big.first_line + big.data[: big.data.index(value)].count(b"\n") == 2_000_001


def test_empty_files_and_files_of_the_kernel_are_read(here: Path) -> None:
    Path("empty").write_bytes(b"")
    assert list(read_chunks(entry_of(here / "empty"))) == [Chunk(path="empty", evidence_path="empty", data=b"")]
    status = Path("/proc/self/status")
    if status.exists():
        (chunk,) = read_chunks(entry_of(status))
        assert isinstance(chunk, Chunk)
        assert chunk.data.startswith(b"Name:")


def test_a_file_that_shrinks_or_grows_before_it_is_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = here / "f"
    fstat = os.fstat

    def changes(content: bytes, later: bytes) -> list[Chunk | Skipped]:
        path.write_bytes(content)

        def then(descriptor: int) -> os.stat_result:
            status = fstat(descriptor)
            path.write_bytes(later)
            return status

        with monkeypatch.context() as patch:
            patch.setattr(os, "fstat", then)
            return list(read_chunks(entry_of(path)))

    for size in (100, 9 << 20):
        shrunk = changes(b"a" * size, b"b" * 40)
        assert shrunk == [
            Chunk(path="f", evidence_path="f", data=b"b" * 40),
            Skipped(what="f", why="the file shrank while it was read"),
        ]
    assert changes(b"a" * 100, b"b" * 400) == [Chunk(path="f", evidence_path="f", data=b"b" * 100)]


def test_an_error_of_the_disk_is_reported_without_the_path(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here, "f")

    def failing(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error", str(here))

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", failing)
        items = list(read_chunks(entry_of(here / "f")))
    assert items == [Skipped(what="f", why="Input/output error")]


@posix_only
def test_no_descriptor_stays_open(here: Path) -> None:
    write(here, *(f"f{n}" for n in range(20)))
    with zipfile.ZipFile("a.zip", "w") as archive:
        for n in range(5):
            archive.writestr(str(n), "x")
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    before = len(list(folder.iterdir()))
    for entry in listed(".")[0]:
        next(iter(read_chunks(entry)))
    assert len(list(folder.iterdir())) == before
