"""The search for repositories in a folder: every kind is found, nothing outside of it, and nothing is left silently."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from binance_leaks.errors import UsageError
from binance_leaks.fleet.local_repositories import find_repositories

from tests.corpus.values import hmac_value
from tests.repositories import Repository

no_root = pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs folders that cannot be read")
links = pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")


def found(folder: Path) -> list[str]:
    entries, skipped = find_repositories(folder)
    assert not skipped
    assert all(entry.address == str(folder.joinpath(*entry.label.split("/"))) for entry in entries)
    return [entry.label for entry in entries]


def test_work_trees_bare_ones_and_nested_ones(tmp_path: Path) -> None:
    for name in ("b/two", "a", "a/inner/deep", "z.git/../plain folder/ä"):
        Repository.create((tmp_path / name).resolve())
    Repository.create(tmp_path / "bare.git", "--bare")
    (tmp_path / "no repository/objects").mkdir(parents=True)
    (tmp_path / "empty/.git").mkdir(parents=True)
    assert found(tmp_path) == ["a", "a/inner/deep", "b/two", "bare.git", "plain folder/ä"]


def test_linked_work_trees_and_submodules(tmp_path: Path) -> None:
    inner = Repository.create(tmp_path / "outside")
    inner.commit({"a": "a\n"})
    top = tmp_path / "top"
    main = Repository.create(top / "main")
    main.commit({"b": "b\n"})
    main.git("worktree", "add", "--quiet", "--detach", str(top / "linked"))
    main.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.folder), "sub")
    bare = Repository.create(top / "bare.git", "--bare")
    bare.git("fetch", "--quiet", str(main.folder), "main:main")
    bare.git("worktree", "add", "--quiet", "checkout", "main")
    assert found(top) == ["bare.git", "bare.git/checkout", "linked", "main", "main/sub"]


def test_the_folder_itself(repository: Repository) -> None:
    Repository.create(repository.folder / "inner")
    entries, _ = find_repositories(repository.folder)
    assert [(entry.label, entry.address) for entry in entries] == [
        ("project", str(repository.folder)),
        ("inner", str(repository.folder / "inner")),
    ]


def test_damaged_ones_are_found(tmp_path: Path) -> None:
    one = Repository.create(tmp_path / "no-head")
    (one.folder / ".git/HEAD").unlink()
    bare = Repository.create(tmp_path / "no-refs", "--bare")
    (bare.folder / "refs/heads").rmdir()
    (bare.folder / "refs/tags").rmdir()
    (bare.folder / "refs").rmdir()
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved/.git").write_text("gitdir: ../nowhere\n", "utf-8")
    assert found(tmp_path) == ["moved", "no-head", "no-refs"]


def test_object_stores_are_not_entered(tmp_path: Path) -> None:
    bare = Repository.create(tmp_path / "bare.git", "--bare")
    Repository.create(bare.folder / "objects/hidden")
    Repository.create(bare.folder / "modules/store", "--bare")
    work = Repository.create(tmp_path / "work")
    Repository.create(work.folder / ".git/modules/store", "--bare")
    assert found(tmp_path) == ["bare.git", "work"]


@links
def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = Repository.create(tmp_path / "outside")
    top = tmp_path / "top"
    inside = Repository.create(top / "inside")
    (top / "cycle").symlink_to(top, target_is_directory=True)
    (top / "self").symlink_to(top / "self")
    (top / "again").symlink_to(inside.folder, target_is_directory=True)
    (top / "plain").symlink_to(tmp_path, target_is_directory=True)
    (top / "out").symlink_to(outside.folder, target_is_directory=True)
    entries, skipped = find_repositories(top)
    assert [entry.label for entry in entries] == ["inside"]
    assert [(one.what, one.lost) for one in skipped] == [(str(top / "out"), False)]
    assert "list it by itself" in skipped[0].why


@links
def test_the_folder_may_be_a_link(tmp_path: Path) -> None:
    Repository.create(tmp_path / "top/a")
    (tmp_path / "link").symlink_to(tmp_path / "top", target_is_directory=True)
    assert found(tmp_path / "link") == ["a"]


@links
def test_a_git_folder_that_is_linked(tmp_path: Path) -> None:
    store = Repository.create(tmp_path / "top/store.git", "--bare")
    (tmp_path / "top/work").mkdir()
    (tmp_path / "top/work/.git").symlink_to(store.folder, target_is_directory=True)
    assert found(tmp_path / "top") == ["store.git", "work"]


@no_root
def test_what_cannot_be_read_is_reported(tmp_path: Path) -> None:
    Repository.create(tmp_path / "a")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    try:
        entries, skipped = find_repositories(tmp_path)
    finally:
        closed.chmod(0o755)
    assert [entry.label for entry in entries] == ["a"]
    assert [(one.what, one.lost) for one in skipped] == [(str(closed), True)]
    assert "ermission denied" in skipped[0].why


def test_folders_without_any(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(UsageError, match="there is no git repository in") as caught:
        find_repositories(tmp_path)
    assert caught.value.hint
    with pytest.raises(UsageError, match="cannot be searched"):
        find_repositories(tmp_path / "gone")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be searched"):
        find_repositories(tmp_path / "file")


def test_order_does_not_depend_on_the_disk(tmp_path: Path) -> None:
    names = [f"r{number:02}" for number in range(30)]
    random.Random(1).shuffle(names)
    for name in names:
        (tmp_path / name / ".git").mkdir(parents=True)
        (tmp_path / name / ".git/HEAD").touch()
    assert found(tmp_path) == sorted(names)


@links
def test_names_that_are_odd(tmp_path: Path) -> None:
    value = hmac_value(random.Random(2))
    for name in (b"caf\xe9", b"a\nb", value.encode(), b"x = y # z"):
        Repository.create(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)))
    assert len(found(tmp_path)) == 4


@links
def test_folders_too_deep_for_the_system_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Repository.create(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    for _ in range(20):
        os.mkdir("d" * 250)  # noqa: PTH102 - the whole path cannot be named
        os.chdir("d" * 250)
    os.chdir(tmp_path)
    entries, skipped = find_repositories(tmp_path)
    assert [entry.label for entry in entries] == ["a"]
    assert [one.lost for one in skipped] == [True]
    assert "too long" in skipped[0].why
