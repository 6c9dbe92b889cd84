"""The order of refs: by real repositories, in every format, and what a report that was read again counts."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from random import Random

import pytest
from binance_leaks.findings import Result
from binance_leaks.fleet.store.cells import join_refs, split_refs
from binance_leaks.pipeline.history import walk_refs
from binance_leaks.ref_order import is_automatic, ref_order
from binance_leaks.report import View, format_named
from binance_leaks.report.locations import MAX_LISTED_REFS, fold_refs, merge_refs
from binance_leaks.report.stored import read_report
from binance_leaks.sources.commits import list_refs, list_tips
from binance_leaks.sources.git import Git

from tests.report import examples
from tests.repositories import Repository

ORDERED = (
    "refs/heads/trading",
    "refs/remotes/origin/live",
    "refs/heads/main",
    "refs/heads/release/2",
    "refs/remotes/origin/main",
    "refs/stash",
    "refs/tags/dependabot-before",
    "refs/tags/v1",
    "refs/heads/a",
    "refs/heads/dependable",
    "refs/notes/commits",
    "refs/remotes/origin/pull/x",
    "refs/heads/dependabot/pip/a",
    "refs/keep-around/1",
    "refs/merge-requests/3/head",
    "refs/pull/1/head",
    "refs/remotes/origin/renovate/a",
)


def test_refs_that_people_know_come_first() -> None:
    shuffled = Random(3).sample(ORDERED, len(ORDERED))
    defaults = {"refs/heads/trading", "refs/remotes/origin/live"}
    assert tuple(sorted(shuffled, key=lambda name: ref_order(name, defaults))) == ORDERED


@pytest.mark.parametrize("shown", ["dependabot/npm/x", "origin/renovate/y", "refs/pull/7/merge", "refs/keep-around/9"])
def test_bots_and_forges_are_recognized_in_both_forms(shown: str) -> None:
    assert is_automatic(shown)
    assert not is_automatic("feature/dependabot-settings")
    assert not is_automatic("refs/stash")


def test_what_head_and_the_remotes_name_comes_first(repository: Repository) -> None:
    commit = repository.commit({"README": "x\n"})
    for name in ("refs/heads/aaa", "refs/remotes/origin/main", "refs/remotes/origin/zz", "refs/pull/1/head"):
        repository.git("update-ref", name, commit)
    repository.git("tag", "v1")
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/zz")
    repository.git("switch", "--quiet", "--create", "mine")
    named = [ref.shown for ref in list_refs(Git(str(repository.folder)))]
    assert named == ["mine", "origin/zz", "main", "origin/main", "v1", "aaa", "refs/pull/1/head"]
    at_remote = [ref.shown for ref in list_refs(Git(str(repository.folder))) if ref.is_remote]
    assert at_remote == ["origin/zz", "origin/main", "refs/pull/1/head"]
    repository.git("switch", "--quiet", "--detach")
    assert list_refs(Git(str(repository.folder)))[0].shown == f"HEAD {commit[:12]}"


def test_git_looks_at_each_object_once(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many refs name it: a repository can have a million."""
    first, second = repository.commit({"README": "x\n"}), repository.commit({"README": "y\n"})
    packed = [f"{commit} refs/heads/b{number}-{commit[:4]}\n" for number in range(50) for commit in (first, second)]
    repository.write(".git/packed-refs", "".join(packed))
    texts: list[str] = []
    run_with = Git.run_with

    def counted(git: Git, text: str, *words: str, accept: tuple[int, ...] = (0,)) -> bytes:
        texts.append(text)
        return run_with(git, text, *words, accept=accept)

    monkeypatch.setattr(Git, "run_with", counted)
    git = Git(str(repository.folder))
    refs = list_refs(git)
    assert len(refs) == 101
    assert {ref.commit for ref in refs} == {bytes.fromhex(first), bytes.fromhex(second)}
    assert set(list_tips(git, "refs/heads/").values()) == {first, second}
    walk_refs(git, refs, branches=(), since=None)
    assert [len(text.splitlines()) for text in texts] == [2, 2, 2]


def test_machines_refs_are_counted_and_not_named() -> None:
    pulls = [f"refs/pull/{number}/head" for number in range(301)]
    assert fold_refs(["master", "v1.2", *pulls], 4) == (["master", "v1.2"], 301)
    assert fold_refs(pulls, 4) == (pulls[:4], 297)
    assert fold_refs(["a", "b"], 4, unlisted=9) == (["a", "b"], 9)
    assert fold_refs(["a", "b", "c", "d", "e"], 4) == (["a", "b", "c", "d", "e"], 0)


def test_refs_of_several_locations_keep_their_order() -> None:
    one = examples.at("a", 1, refs=("main", "v1", "b", "dependabot/x"))
    other = examples.at("b", 1, refs=("main", "origin/main", "v1", "refs/pull/1/head", "z"))
    assert merge_refs([one, other]) == ["main", "v1", "origin/main", "b", "z", "dependabot/x", "refs/pull/1/head"]


def render(name: str, result: Result, view: View) -> str:
    return format_named(name).render(result, view)


def result_with(*refs: str, unlisted: int = 0) -> Result:
    result = examples.history_result()
    finding = result.findings[0]
    place = replace(finding.locations[0], refs=refs, unlisted_refs=unlisted)
    return replace(result, findings=(replace(finding, locations=(place,)),))


@pytest.mark.parametrize("name", ["text", "markdown", "github", "gitlab", "junit", "html"])
def test_every_format_names_and_counts_the_same(name: str) -> None:
    pulls = [f"refs/pull/{number}/head" for number in range(301)]
    rendered = render(name, result_with("master", "v1.2", *pulls), View())
    assert "refs/pull" not in rendered
    assert "301 more" in rendered


def test_formats_for_machines_list_the_first_and_count_the_rest() -> None:
    refs = [f"b{number}" for number in range(120)]
    written = render("json", result_with(*refs), View())
    place = json.loads(written)["findings"][0]["locations"][0]
    assert (place["refs"], place["unlisted_refs"]) == (refs[:MAX_LISTED_REFS], 70)
    row = next(csv.DictReader(io.StringIO(render("csv", result_with(*refs), View()))))
    assert (row["refs"].split(), row["unlisted_refs"]) == (refs[:MAX_LISTED_REFS], "70")
    again = read_report(written.encode(), "r.json")
    assert "b3 and 116 more" in render("text", again, View())
    assert render("json", again, View()) == written


def test_a_report_without_the_count_is_read() -> None:
    whole = json.loads(render("json", result_with("main"), View()))
    del whole["findings"][0]["locations"][0]["unlisted_refs"]
    assert read_report(json.dumps(whole).encode(), "r.json").findings[0].locations[0].unlisted_refs == 0


@pytest.mark.parametrize(("refs", "unlisted"), [((), 0), (("main",), 0), (("main", "v1"), 251), (("7",), 0)])
def test_a_store_keeps_the_count(refs: tuple[str, ...], unlisted: int) -> None:
    assert split_refs(join_refs(refs, unlisted)) == (refs, unlisted)
