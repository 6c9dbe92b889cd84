"""Git LFS: what a pointer is for is scanned where it is on disk, and reported as not read where it is not."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.e2e import Pair, digests, exposures, run, staged
from tests.repositories import Repository

CLEAN = "a,b\n1,2\n"
POINTERS = {
    "as git-lfs writes it": "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n",
    "carriage returns": "version https://git-lfs.github.com/spec/v1\r\noid sha256:{oid}\r\nsize {size}\r\n",
    "an extension": (
        "version https://git-lfs.github.com/spec/v1\next-0-pack sha256:{other}\noid sha256:{oid}\nsize {size}\n"
    ),
    "the name before": "version https://hawser.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n",
    "blank lines around": "\n\nversion https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n\n",
}
TEXTS = {
    "a pair below": "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n{pair}",
    "a pair within": "version https://git-lfs.github.com/spec/v1\n{pair}oid sha256:{oid}\nsize {size}\n",
    "a pair as an extension": (
        "version https://git-lfs.github.com/spec/v1\next-0-BINANCE_API_KEY_{key} sha256:{oid}\n"
        "ext-1-BINANCE_API_SECRET_{secret} sha256:{oid}\noid sha256:{oid}\nsize {size}\n"
    ),
    "a pair behind the version": (
        "version https://git-lfs.github.com/spec/v1?BINANCE_API_KEY={key}&BINANCE_API_SECRET={secret}\n"
        "oid sha256:{oid}\nsize {size}\n"
    ),
    "a pair in place of the size": "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\n{pair}",
}
"""What begins like a pointer and is none: git-lfs leaves it as it is."""


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def table(pair: Pair, more: str = "") -> str:
    """A file as it is worth a place in Git LFS."""
    return f"exchange,api_key,api_secret\nbinance,{pair.key},{pair.secret}\n{more}"


def pointer(content: str, form: str = "as git-lfs writes it") -> str:
    """The text that git has in place of a file."""
    oid = sha256(content.encode()).hexdigest()
    return POINTERS[form].format(oid=oid, size=len(content), other=sha256(b"other").hexdigest())


def keep(repository: Repository, content: str, form: str = "as git-lfs writes it") -> str:
    """Put a file into the store on disk; return its pointer."""
    oid = sha256(content.encode()).hexdigest()
    repository.write(f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}", content)
    return pointer(content, form)


class TestStaged:
    @pytest.mark.parametrize("form", POINTERS)
    def test_a_file_on_disk_is_scanned(self, repository: Repository, pair: Pair, form: str) -> None:
        repository.stage("accounts.csv", keep(repository, table(pair), form))
        looked = staged(repository)
        assert looked.status == 1
        assert digests(looked.findings) == pair.digests
        assert exposures(looked.findings) == {("api-key", "staged"), ("secret-key", "staged")}
        assert {(place["path"], place["line"]) for place in looked.findings[0]["locations"]} == {("accounts.csv", 2)}

    @pytest.mark.parametrize("form", POINTERS)
    def test_one_that_is_not_there_is_not_read(self, repository: Repository, pair: Pair, form: str) -> None:
        repository.stage("accounts.csv", pointer(table(pair), form))
        looked = staged(repository)
        assert (looked.status, looked.findings, looked.report["scan"]["complete"]) == (3, [], False)
        (unread,) = looked.report["scan"]["skipped"]
        assert unread["what"] == "accounts.csv"
        assert "git lfs fetch" in unread["why"]

    def test_a_clean_file_passes(self, repository: Repository) -> None:
        repository.stage("a.csv", keep(repository, CLEAN))
        looked = staged(repository)
        assert (looked.status, looked.findings, looked.report["scan"]["complete"]) == (0, [], True)

    def test_a_text_about_pointers_passes(self, repository: Repository) -> None:
        repository.stage("notes.md", "version https://git-lfs.github.com/spec/v1 is the first line of a pointer.\n")
        assert staged(repository).status == 0

    def test_what_the_file_had_before_does_not_block(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"accounts.csv": keep(repository, table(pair))})
        repository.stage("accounts.csv", keep(repository, table(pair, "kraken,,\n")))
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == {("api-key", "present"), ("secret-key", "present")}

    def test_moving_a_file_out_of_lfs_introduces_nothing(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"accounts.csv": keep(repository, table(pair))})
        repository.stage("accounts.csv", table(pair))
        assert staged(repository).status == 0

    def test_another_folder_of_the_store(self, repository: Repository, pair: Pair) -> None:
        text = keep(repository, table(pair))
        repository.path(".git/lfs").rename(repository.path(".git/large"))
        repository.stage("accounts.csv", text)
        assert staged(repository).status == 3
        repository.git("config", "lfs.storage", "large")
        assert digests(staged(repository).findings) == pair.digests

    def test_a_link_in_the_store_is_not_followed(self, repository: Repository, pair: Pair) -> None:
        text = keep(repository, table(pair))
        oid = sha256(table(pair).encode()).hexdigest()
        file = repository.path(f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}")
        file.rename(repository.path("elsewhere"))
        file.symlink_to(repository.path("elsewhere"))
        repository.stage("accounts.csv", text)
        assert staged(repository).status == 3


class TestRange:
    def test_a_file_on_disk_is_scanned(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"README": "read me\n"})
        repository.commit({"accounts.csv": keep(repository, table(pair))})
        outcome = run("range", "HEAD~1..HEAD", "--format", "json", cwd=repository.folder)
        assert outcome.status == 1
        assert digests(outcome.report["findings"]) == pair.digests

    def test_one_that_is_not_there_is_not_read(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"README": "read me\n"})
        commit = repository.commit({"accounts.csv": pointer(table(pair))})
        outcome = run("range", "HEAD~1..HEAD", "--format", "json", cwd=repository.folder)
        assert (outcome.status, outcome.report["findings"]) == (3, [])
        (unread,) = outcome.report["scan"]["skipped"]
        assert unread["what"] == "accounts.csv"
        assert commit[:12] in unread["why"]

    def test_what_an_older_commit_lacks_does_not_count(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"accounts.csv": pointer(table(pair))})
        repository.commit({"accounts.csv": keep(repository, CLEAN)})
        assert run("range", "HEAD~1..HEAD", cwd=repository.folder).status == 0

    def test_push(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"accounts.csv": keep(repository, table(pair)), "gone.csv": pointer(CLEAN)})
        outcome = run("push", "--format", "json", cwd=repository.folder)
        assert outcome.status == 1
        assert [unread["what"] for unread in outcome.report["scan"]["skipped"]] == ["gone.csv"]


class TestHistory:
    @pytest.mark.parametrize("form", POINTERS)
    def test_a_file_on_disk_has_the_path_of_its_pointer(self, repository: Repository, pair: Pair, form: str) -> None:
        repository.commit({"accounts.csv": keep(repository, table(pair), form)})
        repository.commit({"accounts.csv": keep(repository, CLEAN, form)})
        outcome = run("history", "--format", "json", cwd=repository.folder)
        assert outcome.status == 1
        assert digests(outcome.report["findings"]) == pair.digests
        assert {place["path"] for place in outcome.report["findings"][0]["locations"]} == {"accounts.csv"}

    @pytest.mark.parametrize("packed", [False, True])
    def test_one_that_is_not_there_is_not_read(self, repository: Repository, pair: Pair, packed: bool) -> None:
        repository.commit({"accounts.csv": pointer(table(pair)), "clean.csv": keep(repository, CLEAN)})
        if packed:
            repository.git("gc", "--quiet")
        outcome = run("history", "--format", "json", cwd=repository.folder)
        assert (outcome.status, outcome.report["findings"]) == (3, [])
        (unread,) = outcome.report["scan"]["skipped"]
        assert unread["what"] == f"lfs object {sha256(table(pair).encode()).hexdigest()}"
        assert run("history", "--allow-incomplete", cwd=repository.folder).status == 0

    def test_a_state_does_not_forget_it(self, repository: Repository, pair: Pair) -> None:
        text = pointer(table(pair))
        repository.commit({"accounts.csv": text})
        assert run("history", "--state", "state", cwd=repository.folder).status == 3
        assert run("history", "--state", "state", cwd=repository.folder).status == 3
        keep(repository, table(pair))
        assert run("history", "--state", "state", cwd=repository.folder).status == 1

    def test_many_are_counted(self, repository: Repository) -> None:
        repository.commit({f"{number}.csv": pointer(f"{number}\n") for number in range(25)})
        skipped = run("history", "--format", "json", cwd=repository.folder).report["scan"]["skipped"]
        assert len(skipped) == 21
        assert "5 more lfs objects" in {unread["what"] for unread in skipped}


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_texts_that_begin_like_pointers_are_read_by_all(repository: Repository, is_on_disk: bool) -> None:
    oid = sha256(CLEAN.encode()).hexdigest()
    if is_on_disk:
        keep(repository, CLEAN)
    pairs = {name: Pair.fresh() for name in TEXTS}
    texts = {
        f"{name}.env": TEXTS[name].format(oid=oid, size=len(CLEAN), pair=of.dotenv, key=of.key, secret=of.secret)
        for name, of in pairs.items()
    }
    base = repository.commit({"README": "read me\n"})
    for name, text in texts.items():
        repository.stage(name, text)
    reports = [staged(repository).report, run("scan", "--format", "json", cwd=repository.folder).report]
    pushed = repository.commit(texts)
    for words in (["range", "HEAD~1..HEAD"], ["push"], ["history"], ["receive", "refs/heads/main", base, pushed]):
        if words[0] == "receive":  # the refs are still as before
            repository.git("reset", "--quiet", "--soft", base)
        reports += [run(*words, "--format", "json", cwd=repository.folder).report]
    for report in reports:
        assert digests(report["findings"]) == set().union(*(of.digests for of in pairs.values()))
        assert report["scan"]["skipped"] == []


def test_a_scan_notes_pointers_in_the_work_tree(repository: Repository, pair: Pair) -> None:
    repository.write("accounts.csv", pointer(table(pair)))
    outcome = run("scan", "--format", "json", cwd=repository.folder)
    assert (outcome.status, outcome.report["findings"]) == (0, [])
    (unread,) = outcome.report["scan"]["skipped"]
    assert unread["what"] == "accounts.csv"
    assert "git lfs pull" in unread["why"]
