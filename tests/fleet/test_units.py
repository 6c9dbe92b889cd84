"""Units of work: a repository once however it is spelled, what shares objects together, labels that distinguish."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from binance_leaks.errors import UsageError
from binance_leaks.fleet.local_repositories import find_repositories
from binance_leaks.fleet.models import Entry
from binance_leaks.fleet.repository_list import read_list
from binance_leaks.fleet.units import NameCandidates, Units, choose_labels, plan_units
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.values import hmac_value
from tests.repositories import Repository

links = pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")


def entry(address: str | Path, label: str = "", size: int = 0) -> Entry:
    return Entry(address=str(address), origin="list:1", label=label, size=size)


def units(*entries: Entry) -> Units:
    """The units, which are the same in whatever order the entries come."""
    made = plan_units(entries)
    shuffled = list(entries)
    random.Random(len(entries)).shuffle(shuffled)
    assert plan_units(shuffled) == made
    assert plan_units(reversed(entries)) == made
    return made


def labels(made: Units) -> list[list[str]]:
    return [[repository.label for repository in unit.repositories] for unit in made.units]


@pytest.mark.parametrize(
    "spellings",
    [
        ("https://host/org/a", "https://HOST/org/a.git", "HTTPS://host:443/org/a/", "https://me:x@host/org//a.git/",
         "https://host/org/%61"),
        ("git@host:org/a.git", "ssh://git@host/org/a", "ssh://git@host:22/org/a.git", "git@HOST:/org/a",
         "ssh://git:x@host/org/a"),
        ("me@host:a", "ssh://me@host/~/a.git"),
        ("[::1]:a.git", "ssh://[::1]/~/a"),
    ],
)  # fmt: skip
def test_spellings_of_a_url(spellings: tuple[str, ...]) -> None:
    made = units(*map(entry, spellings))
    assert len(made.repositories) == 1
    assert not made.repositories[0].aliases
    assert "x@" not in made.repositories[0].key


def test_what_differs_is_not_one() -> None:
    addresses = (
        "https://host/org/a", "https://host/org/A", "https://host:8443/org/a", "https://other/org/a",
        "git@host:org/a", "me@host:org/a", "ssh://host/org/a", "https://host/org/a/b", "https://host/org/a.git/b",
    )  # fmt: skip
    made = units(*map(entry, addresses))
    assert len(made.units) == len(addresses)
    assert len({repository.label for repository in made.repositories}) == len(addresses)


def test_a_login_is_kept_for_git_and_shown_nowhere() -> None:
    made = units(entry("https://host/a"), entry("https://me:pass@host/a", "https://me:pass@host/a"))
    assert made.repositories[0].address == "https://me:pass@host/a"
    assert "pass" not in repr(made)


def test_a_url_that_cannot_be_cloned() -> None:
    with pytest.raises(UsageError):
        plan_units([entry("ftp://host/a")])


@links
def test_ways_to_one_folder(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository.folder
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    ways: tuple[str | Path, ...] = (
        folder, f"{folder}/", folder / ".git", tmp_path / "link", "project", "./project/../project",
        f"file://{folder}", f"file://localhost{folder}/".replace("project", "%70roject"),
    )  # fmt: skip
    made = units(*map(entry, ways))
    assert [one.key for one in made.repositories] == [os.path.realpath(folder / ".git")]
    assert not made.skipped


def test_work_trees_are_one_and_the_main_one_names_it(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a": "a\n"})
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "b"))
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "c"))
    made = plan_units(find_repositories(tmp_path)[0])
    (only,) = made.repositories
    assert (only.label, only.aliases, only.address) == ("project", ("b", "c"), str(repository.folder))
    alone = units(entry(tmp_path / "b", "a name"), entry(tmp_path / "c", "c"))
    assert [(one.key, one.label, one.aliases) for one in alone.repositories] == [(only.key, "a name", ("c",))]
    inner = units(entry(repository.folder / ".git/worktrees/b"))
    assert inner.repositories[0].key == only.key


def test_a_submodule_is_a_repository_of_its_own(repository: Repository, tmp_path: Path) -> None:
    other = Repository.create(tmp_path / "other")
    other.commit({"a": "a\n"})
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.folder), "sub")
    made = units(
        entry(repository.folder), entry(repository.folder / "sub"), entry(repository.folder / ".git/modules/sub")
    )
    assert len(made.repositories) == 2
    assert {Path(one.key).name for one in made.repositories} == {".git", "sub"}


def test_what_is_no_repository(tmp_path: Path, repository: Repository) -> None:
    (repository.folder / "src").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text", "utf-8")
    headless = Repository.create(tmp_path / "headless")
    (headless.folder / ".git/HEAD").write_bytes(b"\0" * 41)
    refless = Repository.create(tmp_path / "refless", "--bare")
    os.rename(refless.folder / "refs", refless.folder / "gone")  # noqa: PTH104 - short
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved/.git").write_text("gitdir: ../nowhere\n", "utf-8")
    names = ("gone", "project/src", "empty", "file", "headless", "refless", "moved", "x https://me:pass@host")
    made = units(*(entry(tmp_path / name) for name in names))
    assert not made.units
    why = {Path(one.what).name: one.why for one in made.skipped}
    assert "there is no such folder (list:1)" in why["gone"]
    assert f"inside the one at {repository.folder}" in why["src"]
    assert "not a git repository" in why["empty"]
    assert "a file" in why["file"]
    assert "HEAD" in why["headless"]
    assert "no folder refs" in why["refless"]
    assert "does not exist" in why["moved"]
    assert all(one.lost for one in made.skipped)
    assert "pass" not in repr(made.skipped)


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_pipes_in_a_repository_hang_nothing(repository: Repository) -> None:
    os.mkfifo(repository.folder / ".git/objects/info/alternates")
    assert len(units(entry(repository.folder)).units) == 1
    (repository.folder / ".git/HEAD").unlink()
    os.mkfifo(repository.folder / ".git/HEAD")
    assert len(units(entry(repository.folder)).skipped) == 1


def borrowing(folder: Path, *lenders: Path, relative: bool = False) -> Repository:
    made = Repository.create(folder, "--bare")
    stores = [lender / "objects" for lender in lenders]
    lines = [os.path.relpath(store, folder / "objects") if relative else str(store) for store in stores]
    (folder / "objects/info").mkdir(exist_ok=True)
    (folder / "objects/info/alternates").write_text("# shared\n" + "\n".join(lines) + "\n", "utf-8")
    return made


def test_shared_objects_make_a_unit_and_the_owner_is_first(tmp_path: Path) -> None:
    owner = Repository.create(tmp_path / "z-owner", "--bare").folder
    fork = borrowing(tmp_path / "m-fork", owner, relative=True).folder
    borrowing(tmp_path / "a-fork-of-fork", fork)
    borrowing(tmp_path / "b-fork", owner)
    Repository.create(tmp_path / "stranger", "--bare")
    names = ("z-owner", "m-fork", "a-fork-of-fork", "b-fork", "stranger")
    made = units(*(entry(tmp_path / name, name) for name in names))
    assert sorted(labels(made)) == [["stranger"], ["z-owner", "b-fork", "m-fork", "a-fork-of-fork"]]


def test_a_real_clone_that_shares(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a": "a\n"})
    repository.git("clone", "--quiet", "--shared", str(repository.folder), str(tmp_path / "a clone"))
    made = plan_units(find_repositories(tmp_path)[0])
    assert labels(made) == [["project", "a clone"]]


def test_a_pool_that_is_not_listed(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a": "a\n"})
    repository.git("repack", "--quiet", "-ad")
    pool = repository.folder / ".git"
    borrowing(tmp_path / "b", pool)
    borrowing(tmp_path / "a", pool)
    made = units(entry(tmp_path / "b", "b"), entry(tmp_path / "a", "a"))
    assert labels(made) == [["a", "b"]]
    packs = sum(path.stat().st_size for path in (pool / "objects/pack").glob("*.pack"))
    assert [one.size for one in made.units[0].repositories] == [packs, 0]


def test_who_is_for_what_is_borrowed(repository: Repository, tmp_path: Path) -> None:
    """A listed lender for what is its own; a pool that no other one borrows from stays with who does."""
    pool = repository.folder / ".git"
    base = Repository.create(tmp_path / "base", "--bare").folder
    borrowing(tmp_path / "fork", base, pool)
    borrowing(tmp_path / "other", base, pool)
    made = units(*(entry(tmp_path / name, name) for name in ("fork", "other", "base")))
    assert labels(made) == [["base", "fork", "other"]]
    stores = [os.path.realpath(folder / "objects") for folder in (base, pool)]
    assert [one.covered_stores for one in made.units[0].repositories] == [(), (stores[0],), tuple(sorted(stores))]


def test_circles_of_lenders_end(tmp_path: Path) -> None:
    for name, lender in (("a", "b"), ("b", "c"), ("c", "a")):
        borrowing(tmp_path / name, tmp_path / lender)
    assert labels(units(*(entry(tmp_path / name, name) for name in "cab"))) == [["a", "b", "c"]]


@links
def test_a_store_that_is_a_link(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a": "a\n"})
    repository.git("repack", "--quiet", "-ad")
    other = Repository.create(tmp_path / "other")
    os.rename(other.folder / ".git/objects", other.folder / ".git/old")  # noqa: PTH104 - short
    (other.folder / ".git/objects").symlink_to(repository.folder / ".git/objects", target_is_directory=True)
    made = units(entry(repository.folder, "a"), entry(other.folder, "b"))
    assert labels(made) == [["a", "b"]]
    first, second = made.units[0].repositories
    assert first.size > 0
    assert second.size == 0


def test_large_ones_first(repository: Repository) -> None:
    repository.commit({"a": random.Random(3).randbytes(5000)})
    repository.git("repack", "--quiet", "-ad")
    made = units(
        entry("https://host/small", size=10), entry("https://host/large", size=10**6), entry(repository.folder, "here"),
        entry("https://host/b"), entry("https://host/a"),
    )  # fmt: skip
    assert labels(made) == [["large"], ["here"], ["small"], ["a"], ["b"]]
    assert [one.label for one in made.repositories] == ["a", "b", "here", "large", "small"]


def test_labels_of_urls() -> None:
    assert labels(units(entry("https://host/org/a.git"))) == [["org/a"]]
    two = units(entry("https://host/org/a.git"), entry("git@other:org/b"))
    assert labels(two) == [["host/org/a"], ["other/org/b"]]
    both = units(entry("https://host/org/a"), entry("git@host:org/a"))
    assert labels(both) == [["org/a (https)"], ["org/a (ssh)"]]


def test_labels_that_clash(tmp_path: Path) -> None:
    places = [Repository.create(tmp_path / name / "api").folder for name in ("x", "y")]
    made = units(entry(places[0], "api"), entry(places[1], "api"), entry("https://host/api", "api"))
    reported = {one.label for one in made.repositories}
    assert reported == {f"api ({places[0]})", f"api ({places[1]})", "api (https://host/api)"}


def test_labels_are_inert(tmp_path: Path) -> None:
    value = hmac_value(random.Random(4))
    made = units(
        entry("https://host/a", f"a\x1b[31m\n{value} me:pass@x"),
        entry(f"https://host/{value}/b"),
        entry(f"https://host/{value[::-1]}/b"),
        entry(tmp_path / value, "c"),
        entry("https://host/long", "x" * 10_000),
    )
    assert len(made.repositories) == 4
    shown = [text for one in made.repositories for text in (one.label, one.key, *one.aliases)]
    shown += [text for one in made.skipped for text in (one.what, one.why)]
    assert all(text.isprintable() and len(text) < 500 for text in shown)
    assert not any(secret in "\n".join(shown) for secret in (value, value[::-1], "pass"))


@pytest.mark.skipif(os.name == "nt", reason="bytes of POSIX")
def test_keys_can_be_stored(tmp_path: Path) -> None:
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    Repository.create(place)
    (only,) = units(entry(place)).repositories
    assert only.key.encode("utf-8")
    assert only.label.endswith(r"caf\xe9")
    assert only.address == str(place)


def test_a_list_and_a_search_agree(tmp_path: Path) -> None:
    Repository.create(tmp_path / "a")
    Repository.create(tmp_path / "b/c.git", "--bare")
    listed = read_list(b"b/c.git\na = First\n", "list", base=tmp_path)
    both = units(*listed, *find_repositories(tmp_path)[0])
    assert [(one.label, one.aliases) for one in both.repositories] == [("First", ("a",)), ("b/c.git", ())]


_WORDS = st.sampled_from(["a", "b", "a (https)", "a (ssh)", "", "a/b", "b (https://h/a)"])
_URLS = st.builds(
    "{}{}/{}{}".format,
    st.sampled_from(["https://h", "https://H:443", "ssh://git@h", "https://g", "https://u:p@h"]),
    st.sampled_from(["", "/"]),
    st.sampled_from(["a", "b", "a/b", "c"]),
    st.sampled_from(["", ".git", "/"]),
)
_ENTRIES = st.lists(st.builds(entry, _URLS, _WORDS, st.integers(0, 9)), max_size=12)


@given(_ENTRIES, st.randoms(use_true_random=False))
def test_units_are_a_partition_in_any_order(entries: list[Entry], chance: random.Random) -> None:
    made = plan_units(entries)
    parts = [one for unit in made.units for one in unit.repositories]
    assert sorted(parts, key=lambda one: one.label) == list(made.repositories)
    assert len({one.key for one in parts}) == len({one.label for one in parts}) == len(parts)
    assert bool(parts) == bool(entries)
    sizes = [unit.size for unit in made.units]
    assert sizes == sorted(sizes, reverse=True)
    chance.shuffle(entries)
    assert plan_units(entries) == made
    again = plan_units([Entry(address=one.address, origin="", label=one.label, size=one.size) for one in parts])
    assert {(one.key, one.label) for one in again.repositories} == {(one.key, one.label) for one in parts}


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.lists(st.text(max_size=5), max_size=3), max_size=8))
def test_labels_are_unique_and_printable(given: dict[str, list[str]]) -> None:
    made = choose_labels([NameCandidates(key=key, address=key, given=tuple(names)) for key, names in given.items()])
    assert made.keys() == given.keys()
    assert len({label for label, _ in made.values()}) == len(given)
    assert all(text and text.isprintable() for label, others in made.values() for text in (label, *others))


def test_ten_thousand_at_once() -> None:
    made = plan_units(entry(f"https://host/org/{number % 5000}", size=number) for number in range(10_000))
    assert len(made.units) == 5000
    assert made.units[0].size == 9999
