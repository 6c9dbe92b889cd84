"""`staged` in real repositories: what blocks a commit, what does not, and every trap that git has for a hook."""

from __future__ import annotations

import io
import os
import re
import sqlite3
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e import Pair, digest, digests, exposures, run, staged, value
from tests.repositories import Repository

NOT_BLOCKING = "Already there before"
CLEAN = "import os\n\n\ndef price(symbol: str) -> float:\n    return float(os.environ[symbol])\n"
SCRIPT = Path(sys.executable).with_name("binance-leaks")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
STAGED_PAIR = {("api-key", "staged"), ("secret-key", "staged")}
STANDING_PAIR = {("api-key", "present"), ("secret-key", "present")}


ODD_NAMES: tuple[str | bytes, ...] = (
    "new\nline.py", 'quo"te.py', "apo'strophe.py", b"latin-\xe9.py", "-dash.py", "--odd", " spa ce .py",
    "\u5e01\u5b89-\xfc.py", "ta\tb.py", "back\\slash.py", ":(top)colon.py", "*.py", "[x]?.py", "..dots.py", "...",
    "car\rriage.py", "\x1b[31mred.py", "{brace},$HOME.py", "-", "#hash.py", "sub/-q", "a\u0301.py",
)  # fmt: skip


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def standing(repository: Repository, pair: Pair, name: str = "bot.py") -> None:
    """A repository whose last commit holds a pair."""
    repository.commit({name: f"{CLEAN}\n{pair.python}\n{CLEAN}", "README": "read me\n"})


class TestLines:
    """A value that the file did not have before blocks; one that it had is shown, however its lines change."""

    def test_nothing_staged(self, repository: Repository) -> None:
        assert staged(repository).status == 0
        repository.commit({"a.py": CLEAN})
        looked = staged(repository)
        assert (looked.status, looked.findings) == (0, [])
        assert looked.text == "Nothing to scan: no staged files.\n"

    def test_clean_files(self, repository: Repository) -> None:
        repository.stage("a.py", CLEAN)
        repository.stage("b.py", CLEAN)
        looked = staged(repository)
        assert (looked.status, looked.findings, looked.report["scan"]["complete"]) == (0, [], True)
        assert looked.text == "No Binance credentials in 2 files to be committed.\n"

    def test_an_added_line_blocks(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"bot.py": CLEAN})
        repository.stage("bot.py", CLEAN + pair.python)
        looked = staged(repository)
        assert looked.status == 1
        (finding,) = looked.findings
        assert finding["kind"] == "key-pair"
        assert digests([finding]) == pair.digests
        assert exposures([finding]) == STAGED_PAIR
        assert {(place["path"], place["line"]) for place in finding["locations"]} == {("bot.py", 7)}
        assert looked.report["scan"]["source"] == "staged"
        assert "bot.py:7:" in looked.text
        assert NOT_BLOCKING not in looked.text

    def test_the_message_reports_what_to_do(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        text = staged(repository).text
        for printed in (
            f"{pair.key[:4]}…{pair.key[-4:]}",
            "git add",
            "revoke",
            "os.environ",
            "binance-leaks allow --last",
        ):
            assert printed in text

    def test_what_stood_there_is_shown_and_does_not_block(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.stage("bot.py", f"import sys\n{CLEAN}\n{pair.python}\n{CLEAN}more = 1\n")
        looked = staged(repository)
        assert looked.status == 0
        assert digests(looked.findings) == pair.digests
        assert exposures(looked.findings) == STANDING_PAIR
        assert NOT_BLOCKING in looked.text

    @pytest.mark.parametrize("change", ["    {}", "{}  # the account of the bot", "live_{}", "{}\r", "\n\n{}\n\n"])
    def test_a_changed_line_with_an_old_value_does_not_block(
        self, repository: Repository, pair: Pair, change: str
    ) -> None:
        standing(repository, pair)
        repository.stage(
            "bot.py", f"{CLEAN}\n" + pair.python.replace(pair.call, change.format(pair.call.rstrip()) + "\n")
        )
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR
        assert NOT_BLOCKING in looked.text

    @pytest.mark.parametrize("change", ["    {}", "{}  # the account of the bot", "live_{}"])
    def test_a_changed_line_with_a_new_value_blocks(self, repository: Repository, pair: Pair, change: str) -> None:
        standing(repository, Pair.fresh())
        repository.stage(
            "bot.py", f"{CLEAN}\n" + pair.python.replace(pair.call, change.format(pair.call.rstrip()) + "\n")
        )
        looked = staged(repository)
        assert looked.status == 1
        assert exposures(looked.findings) == STAGED_PAIR

    def test_a_second_place_of_an_old_value_in_its_file_does_not_block(
        self, repository: Repository, pair: Pair
    ) -> None:
        standing(repository, pair)
        repository.stage("bot.py", f"{CLEAN}\n{pair.python}\n{CLEAN}\n{pair.python}")
        assert staged(repository).status == 0

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
    def test_another_encoding_does_not_block(self, repository: Repository, pair: Pair, encoding: str) -> None:
        standing(repository, pair)
        repository.stage("bot.py", f"{CLEAN}\n{pair.python}\n{CLEAN}".encode(encoding))
        assert staged(repository).status == 0

    def test_a_value_moved_to_a_file_that_was_there_blocks(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.commit({"settings.py": CLEAN})
        repository.stage("bot.py", CLEAN)
        repository.stage("settings.py", CLEAN + pair.python)
        assert staged(repository).status == 1

    def test_halves_brought_together_by_a_deletion_block(self, repository: Repository, pair: Pair) -> None:
        halves = "".join(
            f'{name} = ("{value[:32]}"\n{{0}}"{value[32:]}")\n'
            for name, value in (("BINANCE_API_KEY", pair.key), ("BINANCE_API_SECRET", pair.secret))
        )
        repository.commit({"bot.py": halves.format('", "\n')})
        repository.stage("bot.py", halves.format(""))
        looked = staged(repository)
        assert looked.status == 1
        assert digests(looked.findings) == pair.digests

    def test_an_old_value_of_which_only_new_lines_speak_does_not_block(
        self, repository: Repository, pair: Pair
    ) -> None:
        repository.commit({"a.txt": f"x\n{pair.key}\n{pair.secret}\n"})
        repository.stage("a.txt", f"binance api key and secret\n{pair.key}\n{pair.secret}\n")
        assert staged(repository).status == 0

    def test_amending_compares_with_the_commit_that_is_amended(self, repository: Repository, pair: Pair) -> None:
        """git does not tell a hook that it amends."""
        standing(repository, pair)
        repository.stage("bot.py", f"{CLEAN}\n    {pair.python}")
        assert staged(repository).status == 0

    def test_what_was_in_an_excluded_file_blocks_where_it_is_not_excluded(
        self, repository: Repository, pair: Pair
    ) -> None:
        repository.commit({".binance-leaks.toml": 'exclude = ["fixtures/"]\n', "fixtures/bot.py": CLEAN + pair.python})
        repository.path("src").mkdir()
        repository.git("mv", "fixtures/bot.py", "src/bot.py")
        assert staged(repository).status == 1

    def test_a_new_secret_under_an_old_key_blocks_and_pairs(self, repository: Repository, pair: Pair) -> None:
        old = Pair(key=pair.key, secret=value())
        repository.commit({".env": old.dotenv})
        repository.stage(".env", pair.dotenv)
        looked = staged(repository)
        assert looked.status == 1
        (finding,) = looked.findings
        assert finding["kind"] == "key-pair"
        assert digests([finding]) == pair.digests
        assert exposures([finding]) == {("api-key", "present"), ("secret-key", "staged")}

    def test_a_secret_added_far_from_its_old_key_blocks_and_pairs(self, repository: Repository, pair: Pair) -> None:
        start = f"BINANCE_API_KEY={pair.key}\n" + "OTHER=1\n" * 30
        repository.commit({".env": start})
        repository.stage(".env", f"{start}BINANCE_API_SECRET={pair.secret}\n")
        looked = staged(repository)
        assert looked.status == 1
        assert [finding["kind"] for finding in looked.findings] == ["key-pair"]
        assert exposures(looked.findings) == {("api-key", "present"), ("secret-key", "staged")}

    def test_an_old_pair_and_a_new_one_in_one_file(self, repository: Repository, pair: Pair) -> None:
        other = Pair.fresh()
        standing(repository, other)
        repository.stage("bot.py", f"{CLEAN}\n{other.python}\n{CLEAN}\n\n{pair.python.replace('client =', 'second =')}")
        looked = staged(repository)
        assert looked.status == 1
        by_key = {finding["values"][0]["sha256"]: exposures([finding]) for finding in looked.findings}
        assert by_key == {digest(pair.key): STAGED_PAIR, digest(other.key): STANDING_PAIR}

    def test_a_removed_pair_is_no_finding(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.stage("bot.py", CLEAN)
        assert (staged(repository).status, staged(repository).findings) == (0, [])

    def test_only_the_mode_changes(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.git("update-index", "--chmod=+x", "bot.py")
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR

    def test_lines_are_counted_as_git_counts_them(self, repository: Repository, pair: Pair) -> None:
        before = "".join(f"one{strange}two{strange}three{strange}\n" for strange in "\r\f\v\x1c\x85\u2028")
        repository.commit({"bot.py": f"{before}{pair.python}{CLEAN}"})
        repository.stage("bot.py", f"{before}{pair.python}{CLEAN}more = 1\n")
        assert staged(repository).status == 0
        other = Pair.fresh()
        repository.stage("bot.py", f"{before}{pair.python}{CLEAN}{other.call}")
        looked = staged(repository)
        assert looked.status == 1
        assert {finding["locations"][0]["exposure"] for finding in looked.findings} == {"staged", "present"}

    def test_a_call_over_several_lines(self, repository: Repository, pair: Pair) -> None:
        call = f'from binance.client import Client\nclient = Client(\n    "{pair.key}",\n    "{{}}",\n)\n'
        repository.commit({"bot.py": call.format(value())})
        repository.stage("bot.py", call.format(pair.secret))
        looked = staged(repository)
        assert looked.status == 1
        assert digests(looked.findings) == pair.digests


class TestIndex:
    """The index is the truth, not the work tree."""

    def test_index_holds_it_and_work_tree_does_not(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        repository.write("bot.py", CLEAN)
        assert staged(repository).status == 1
        assert staged(repository, "bot.py").status == 1

    def test_work_tree_holds_it_and_index_does_not(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", CLEAN)
        repository.write("bot.py", pair.python)
        for words in ([], ["bot.py"]):
            looked = staged(repository, *words)
            assert (looked.status, looked.findings) == (0, [])

    def test_a_folder_is_no_way_around_the_index(self, repository: Repository, pair: Pair) -> None:
        repository.stage("src/bot.py", pair.python)
        repository.write("src/bot.py", CLEAN)
        for folder in ("src", "."):
            assert run("staged", folder, cwd=repository.folder).status in (1, 2)

    def test_the_first_commit(self, repository: Repository, pair: Pair) -> None:
        repository.stage("src/bot.py", pair.python)
        repository.stage("src/clean.py", CLEAN)
        assert staged(repository).status == 1

    def test_deleted_files(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.git("rm", "--quiet", "bot.py")
        for words in ([], ["bot.py"]):
            assert (staged(repository, *words).status, staged(repository, *words).findings) == (0, [])
        repository.write("bot.py", pair.python)
        assert staged(repository).status == 0

    def test_intent_to_add(self, repository: Repository, pair: Pair) -> None:
        repository.write("bot.py", pair.python)
        repository.git("add", "--intent-to-add", "bot.py")
        assert staged(repository).status == 0
        assert staged(repository, "bot.py").status == 1

    def test_a_missing_object_is_named(self, repository: Repository, pair: Pair) -> None:
        repository.stage("lost.py", CLEAN)
        repository.stage("clean.py", "")
        repository.loose(repository.blob("lost.py")).unlink()
        looked = staged(repository)
        assert looked.status == 3
        assert [unread["what"] for unread in looked.report["scan"]["skipped"]] == ["lost.py"]
        assert looked.report["scan"]["complete"] is False
        assert "lost.py" in looked.text
        repository.stage("bot.py", pair.python)
        assert staged(repository).status == 1

    def test_a_damaged_object_is_named(self, repository: Repository) -> None:
        repository.stage("lost.py", CLEAN)
        repository.stage("later.py", "later = 1\n")
        damaged = repository.loose(repository.blob("lost.py"))
        damaged.chmod(0o644)
        damaged.write_bytes(b"no object")
        outcome = run("staged", cwd=repository.folder)
        assert outcome.status == 3
        assert "lost.py" in outcome.out + outcome.err

    def test_a_former_object_that_is_missing_hides_nothing(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"bot.py": CLEAN})
        repository.loose(repository.blob("bot.py")).unlink()
        repository.stage("bot.py", CLEAN + pair.python)
        assert run("staged", cwd=repository.folder).status == 1

    def test_a_replaced_object_hides_nothing(self, repository: Repository, pair: Pair) -> None:
        repository.stage("clean.py", CLEAN)
        repository.stage("bot.py", pair.python)
        repository.git("replace", repository.blob("bot.py"), repository.blob("clean.py"))
        assert staged(repository).status == 1

    def test_a_damaged_index(self, repository: Repository) -> None:
        repository.write(".git/index", b"DIRC no index at all")
        assert_one_line(repository.folder, 3)

    def test_nothing_is_written(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.stage("bot.py", CLEAN)
        os.utime(repository.path("README"))
        before = {path: path.stat().st_mtime_ns for path in repository.folder.rglob("*")}
        staged(repository, "README")
        assert {path: path.stat().st_mtime_ns for path in repository.folder.rglob("*")} == before

    def test_a_locked_index(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        repository.write(".git/index.lock", "")
        assert staged(repository).status == 1

    def test_a_thousand_files(self, repository: Repository, pair: Pair) -> None:
        for number in range(1000):
            repository.write(f"src/part{number % 7}/module{number}.py", f"NUMBER = {number}\n{CLEAN}")
        repository.git("add", "--all")
        looked = staged(repository)
        assert looked.status == 0
        assert "1000 files" in looked.text.replace(",", "")
        repository.stage("src/part3/last.py", pair.python)
        assert staged(repository).status == 1


class TestHook:
    """The program as a real hook, with whatever index git hands it."""

    @pytest.fixture
    def hooked(self, repository: Repository) -> Repository:
        repository.hook("pre-commit", "staged")
        repository.git("config", "core.hooksPath", ".git/hooks")
        return repository

    def test_the_first_commit(self, hooked: Repository, pair: Pair) -> None:
        hooked.stage("bot.py", pair.python)
        ran = hooked.run("commit", "-m", "first")
        assert ran.status == 1
        assert "bot.py:2" in ran.out + ran.err
        assert hooked.head() is None
        hooked.stage("bot.py", CLEAN)
        hooked.git("commit", "-m", "first")
        assert hooked.head() is not None

    def test_commit_all(self, hooked: Repository, pair: Pair) -> None:
        first = hooked.commit({"bot.py": CLEAN, "sub/other.py": CLEAN})
        hooked.write("bot.py", CLEAN + pair.python)
        assert hooked.run("commit", "-a", "-m", "all").status == 1
        assert hooked.run("commit", "-a", "-m", "all", cwd=hooked.path("sub")).status == 1
        assert hooked.head() == first
        hooked.write("bot.py", CLEAN + "more = 1\n")
        hooked.git("commit", "-a", "-m", "all")
        assert hooked.head() != first

    def test_commit_of_a_path(self, hooked: Repository, pair: Pair) -> None:
        first = hooked.commit({"bot.py": CLEAN, "other.py": CLEAN})
        hooked.stage("bot.py", CLEAN + pair.python)
        hooked.write("other.py", CLEAN + "more = 1\n")
        hooked.git("commit", "-m", "the clean one", "other.py")
        second = hooked.head()
        assert second != first
        assert hooked.run("commit", "-m", "the other one", "bot.py").status == 1
        hooked.git("reset", "--quiet")
        assert hooked.run("commit", "-m", "the other one", "bot.py").status == 1
        assert hooked.head() == second

    def test_in_a_linked_work_tree(self, hooked: Repository, pair: Pair, tmp_path: Path) -> None:
        first = hooked.commit({"bot.py": CLEAN})
        hooked.git("config", "core.hooksPath", str(hooked.path(".git/hooks")))
        hooked.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
        linked = Repository(tmp_path / "linked")
        linked.write("bot.py", CLEAN + pair.python)
        assert linked.run("commit", "-a", "-m", "all").status == 1
        assert linked.head() == first

    def test_a_merge_that_is_concluded(self, hooked: Repository, pair: Pair) -> None:
        diverge(hooked, ours={"bot.py": "a = 1\n"}, theirs={"bot.py": "a = 2\n"})
        first = hooked.head()
        hooked.run("merge", "other")
        hooked.stage("bot.py", pair.python)
        assert hooked.run("commit", "--no-edit").status == 1
        assert hooked.head() == first


def diverge(repository: Repository, *, ours: Mapping[str, str], theirs: Mapping[str, str]) -> None:
    """Two branches from one commit, `main` checked out and `other` to be merged."""
    repository.commit({"README": "read me\n", "bot.py": "a = 0\n", "both.py": CLEAN})
    repository.git("checkout", "--quiet", "-b", "other")
    repository.commit(theirs)
    repository.git("checkout", "--quiet", "main")
    repository.commit(ours)


class TestMerge:
    """A merge blocks for what it introduces itself, not for what one of its parents had."""

    def test_a_conflict_resolved_to_a_key(self, repository: Repository, pair: Pair) -> None:
        diverge(repository, ours={"bot.py": "a = 1\n"}, theirs={"bot.py": "a = 2\n"})
        assert repository.run("merge", "other").status == 1
        repository.stage("bot.py", pair.python)
        looked = staged(repository)
        assert looked.status == 1
        assert exposures(looked.findings) == STAGED_PAIR

    def test_a_conflict_that_is_not_resolved_yet(self, repository: Repository, pair: Pair) -> None:
        diverge(repository, ours={"bot.py": "a = 1\n"}, theirs={"bot.py": "a = 2\n"})
        repository.run("merge", "other")
        repository.write("bot.py", pair.python)
        assert staged(repository).status in (0, 3)
        assert staged(repository, "bot.py").status == 1

    def test_a_conflict_around_an_old_pair(self, repository: Repository, pair: Pair) -> None:
        diverge(repository, ours={"bot.py": f"a = 1\n{pair.python}"}, theirs={"bot.py": f"a = 2\n{pair.python}"})
        assert repository.run("merge", "other").status == 1
        repository.stage("bot.py", f"a = 3\n{pair.python}")
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR

    @pytest.mark.parametrize(
        "name", ["both.py", "bot.py", "theirs.py", "entirely_new.py", "car\rriage.py", "li\nne.py"]
    )
    def test_an_evil_merge(self, repository: Repository, pair: Pair, name: str) -> None:
        diverge(repository, ours={"bot.py": "a = 1\n"}, theirs={"theirs.py": CLEAN})
        repository.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
        repository.stage(name, CLEAN + pair.python)
        looked = staged(repository)
        assert looked.status == 1
        assert exposures(looked.findings) == STAGED_PAIR

    @pytest.mark.parametrize("name", ["both.py", "theirs.py", "sub/spa ce.py", "\xfcnic\xf6de.py"])
    def test_what_the_other_parent_had(self, repository: Repository, pair: Pair, name: str) -> None:
        diverge(repository, ours={"bot.py": "a = 1\n"}, theirs={name: CLEAN + pair.python})
        repository.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR
        assert NOT_BLOCKING in looked.text

    def test_what_the_other_parent_had_in_a_file_that_both_changed(self, repository: Repository, pair: Pair) -> None:
        diverge(repository, ours={"both.py": f"import sys\n{CLEAN}"}, theirs={"both.py": CLEAN + pair.python})
        repository.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR

    def test_what_the_other_parent_had_with_other_line_ends(self, repository: Repository, pair: Pair) -> None:
        diverge(repository, ours={"both.py": f"import sys\n{CLEAN}"}, theirs={"both.py": CLEAN + pair.python})
        repository.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
        repository.stage("both.py", f"import sys\n{CLEAN}{pair.python}".replace("\n", "\r\n"))
        assert staged(repository).status == 0

    def test_what_the_other_parent_had_in_a_file_that_ours_renamed(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"old.py": CLEAN * 5})
        repository.git("checkout", "--quiet", "-b", "other")
        repository.commit({"old.py": CLEAN * 5 + pair.python})
        repository.git("checkout", "--quiet", "main")
        repository.git("mv", "old.py", "new.py")
        repository.commit()
        repository.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR

    def test_several_parents(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"a.py": CLEAN})
        for name, content in (("one", CLEAN), ("two", pair.python)):
            repository.git("checkout", "--quiet", "-b", name, "main")
            repository.commit({f"{name}.py": content})
        repository.git("checkout", "--quiet", "main")
        repository.commit({"main.py": CLEAN})
        repository.git("merge", "--quiet", "--no-commit", "one", "two")
        assert staged(repository).status == 0
        repository.stage("one.py", Pair.fresh().python)
        assert staged(repository).status == 1

    def test_in_a_linked_work_tree(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        diverge(repository, ours={"bot.py": "a = 1\n"}, theirs={"theirs.py": pair.python})
        repository.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
        linked = Repository(tmp_path / "linked")
        linked.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
        assert staged(linked).status == 0
        linked.stage("evil.py", Pair.fresh().python)
        assert staged(linked).status == 1


class TestEntries:
    """Everything that an entry of the index may be, and be called."""

    def test_a_pure_rename(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.git("mv", "bot.py", "renamed.py")
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR
        assert {place["path"] for finding in looked.findings for place in finding["locations"]} == {"renamed.py"}

    def test_a_rename_with_a_new_pair(self, repository: Repository, pair: Pair) -> None:
        old = Pair.fresh()
        standing(repository, old)
        repository.git("mv", "bot.py", "renamed.py")
        repository.stage("renamed.py", repository.path("renamed.py").read_text("utf-8") + pair.python)
        looked = staged(repository)
        assert looked.status == 1
        by_key = {finding["values"][0]["sha256"]: exposures([finding]) for finding in looked.findings}
        assert by_key == {digest(pair.key): STAGED_PAIR, digest(old.key): STANDING_PAIR}

    def test_a_copy_blocks(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.stage("copied.py", repository.path("bot.py").read_bytes())
        assert staged(repository).status == 1

    def test_a_rename_that_is_named(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.git("mv", "bot.py", "renamed.py")
        assert staged(repository, "renamed.py").status == 0

    def test_the_text_of_a_link(self, repository: Repository, pair: Pair) -> None:
        repository.path("link").symlink_to(f"binance_api_key={pair.key}")
        repository.stage("link")
        looked = staged(repository)
        assert looked.status == 1
        assert digests(looked.findings) == {digest(pair.key)}

    def test_a_file_that_becomes_a_link(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"name": CLEAN})
        repository.path("name").unlink()
        repository.path("name").symlink_to(f"binance_api_key={pair.key}")
        repository.stage("name")
        assert staged(repository).status == 1

    def test_what_a_link_leads_to_is_not_read(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        (tmp_path / "outside.py").write_text(pair.python, "utf-8")
        repository.path("link.py").symlink_to(tmp_path / "outside.py")
        repository.stage("link.py")
        assert staged(repository).status == 0
        repository.commit()
        assert staged(repository, "link.py").status == 0

    def test_a_submodule_is_skipped_and_reported_so(self, repository: Repository, tmp_path: Path) -> None:
        other = Repository.create(tmp_path / "inner")
        other.commit({"bot.py": Pair.fresh().python})
        repository.git(
            "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.folder), "modules/in"
        )
        looked = staged(repository)
        assert (looked.status, looked.findings) == (0, [])
        assert looked.report["scan"]["complete"] is True
        assert [unread["what"] for unread in looked.report["scan"]["skipped"]] == ["modules/in"]
        assert "modules/in" in looked.text
        assert "submodule" in looked.text
        repository.stage("bot.py", Pair.fresh().python)
        assert staged(repository).status == 1

    def test_odd_names(self, repository: Repository) -> None:
        repository.commit({"README": CLEAN})
        pairs = {name: Pair.fresh() for name in ODD_NAMES}
        for name, pair in pairs.items():
            repository.stage(name, pair.python)
        shown = {digest(pair.key): as_shown(name) for name, pair in pairs.items()}
        for words in ([], ["--", *pairs]):
            looked = staged(repository, *words)
            assert looked.status == 1
            found = {finding["values"][0]["sha256"]: finding["locations"][0]["path"] for finding in looked.findings}
            assert found == shown
            assert not re.search(r"[\x00-\x09\x0b-\x1f]", looked.text), "a control character in the report"
        for name in pairs:
            repository.stage(name, CLEAN)
        assert staged(repository, "--", *pairs).status == 0

    @pytest.mark.parametrize("name", ["..dots.py", "-dash.py", b"latin-\xe9.py", "new\nline.py"])
    def test_an_odd_name_by_itself(self, repository: Repository, pair: Pair, name: str | bytes) -> None:
        repository.stage("neighbour.py", CLEAN)
        repository.stage(name, pair.python)
        assert staged(repository, "--", name).status == 1
        assert staged(repository, "--", b"./" + os.fsencode(name)).status == 1

    @pytest.mark.parametrize(("name", "words"), [("-q", ["-q"]), ("--format", ["--format", "json"]), ("-v", ["-v"])])
    def test_a_file_called_like_an_option(
        self, repository: Repository, pair: Pair, name: str, words: list[str]
    ) -> None:
        repository.stage(name, CLEAN)
        repository.stage("bot.py", pair.python)
        assert run("staged", *words, cwd=repository.folder).status in (1, 2), "the file hides the rest of the commit"

    def test_a_name_that_holds_a_value_is_masked(self, repository: Repository, pair: Pair) -> None:
        repository.stage(f"keys/{pair.key}/{pair.secret}.py", pair.python)
        looked = staged(repository)
        assert looked.status == 1
        assert digests(looked.findings) == pair.digests

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"])
    def test_encodings(self, repository: Repository, pair: Pair, encoding: str) -> None:
        start = "# caf\xe9, \xfcber\n" + CLEAN
        repository.commit({"bot.py": (start + pair.python).encode(encoding)})
        repository.stage("bot.py", (start + "more = 1\n" + pair.python).encode(encoding))
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR
        other = Pair.fresh()
        repository.stage("bot.py", (start + pair.python + CLEAN * 4 + other.python).encode(encoding))
        looked = staged(repository)
        assert looked.status == 1
        by_key = {finding["values"][0]["sha256"]: exposures([finding]) for finding in looked.findings}
        assert by_key == {digest(pair.key): STANDING_PAIR, digest(other.key): STAGED_PAIR}

    def test_archives(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"backup.zip": zipped({"bot.py": pair.python, "note": "1"})})
        repository.stage("backup.zip", zipped({"note": "2", "bot.py": pair.python}))
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR
        other = Pair.fresh()
        repository.stage("backup.zip", zipped({"bot.py": pair.python, "later/bot.py": other.python}))
        looked = staged(repository)
        assert looked.status == 1
        new = [finding for finding in looked.findings if exposures([finding]) == STAGED_PAIR]
        assert digests(new) == other.digests
        assert {place["path"] for place in new[0]["locations"]} == {"backup.zip!/later/bot.py"}

    def test_binaries(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        database = tmp_path / "data.sqlite"
        with sqlite3.connect(database) as connection:
            connection.execute("create table account (exchange, id, api_key, flag, api_secret)")
            connection.execute("insert into account values ('binance', 7, ?, 9, ?)", (pair.key, pair.secret))
        connection.close()
        repository.stage("data.sqlite", database.read_bytes())
        looked = staged(repository)
        assert looked.status == 1
        assert digests(looked.findings) == pair.digests
        repository.commit()
        repository.stage("data.sqlite", database.read_bytes() + bytes(4096))
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR

    def test_files_larger_than_the_limit(self, repository: Repository, pair: Pair) -> None:
        filler = "some words of a log file, as usual\n" * 260_000
        repository.commit({"big.log": filler + pair.python + filler[:70_000]})
        repository.stage("big.log", "first\n" + filler + pair.python + filler[:70_000])
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR
        other = Pair.fresh()
        repository.stage("big.log", "first\n" + filler + pair.python + filler[:700_000] + other.python)
        looked = staged(repository)
        assert looked.status == 1
        assert pair.digests | other.digests == digests(looked.findings)

    def test_sha256_repositories(self, tmp_path: Path, pair: Pair) -> None:
        repository = Repository.create(tmp_path / "project", "--object-format=sha256")
        repository.stage("bot.py", pair.python)
        assert staged(repository).status == 1
        repository.commit()
        repository.stage("bot.py", pair.python + CLEAN)
        looked = staged(repository)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR
        repository.stage("clean.py", CLEAN)
        repository.git("reset", "--quiet", "bot.py")
        assert staged(repository).text == "No Binance credentials in 1 file to be committed.\n"


def as_shown(name: str | bytes) -> str:
    """A name as the JSON report has it: bytes that are no UTF-8 as `\\xe9`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def zipped(members: Mapping[str, str]) -> bytes:
    """A zip archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class TestFiles:
    """`staged FILE…`: the index for what is staged, the whole file for what is not."""

    def test_only_what_is_named(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        repository.stage("clean.py", CLEAN)
        assert staged(repository, "clean.py").status == 0
        assert staged(repository, "clean.py", "bot.py").status == 1

    def test_what_is_not_staged_is_scanned_whole_and_blocks(self, repository: Repository, pair: Pair) -> None:
        standing(repository, pair)
        repository.write("README", "changed\n")
        looked = staged(repository, "bot.py", "README")
        assert looked.status == 1
        assert digests(looked.findings) == pair.digests
        assert "bot.py:" in looked.text
        assert NOT_BLOCKING not in looked.text
        assert "does not block" not in looked.text
        assert staged(repository, "README").status == 0

    def test_untracked_and_ignored_files(self, repository: Repository, pair: Pair) -> None:
        repository.commit({".gitignore": ".env\n"})
        repository.write(".env", pair.dotenv)
        assert staged(repository, ".env").status == 1

    def test_staged_and_not_staged_pair_up(self, repository: Repository, pair: Pair) -> None:
        repository.write(".env", f"BINANCE_API_KEY={pair.key}\n")
        repository.stage("settings.py", f'BINANCE_API_SECRET = "{pair.secret}"\n')
        looked = staged(repository, ".env", "settings.py")
        assert looked.status == 1
        assert [finding["kind"] for finding in looked.findings] == ["key-pair"]

    def test_from_a_subfolder(self, repository: Repository, pair: Pair) -> None:
        repository.stage("src/deep/bot.py", pair.python)
        repository.stage("src/clean.py", CLEAN)
        repository.stage("top.py", CLEAN)
        repository.write("src/deep/loose.py", Pair.fresh().python)
        sub = repository.path("src")
        assert staged(repository, cwd=sub).status == 1
        assert staged(repository, "deep/bot.py", cwd=sub).status == 1
        assert staged(repository, "./deep/../deep/bot.py", cwd=sub).status == 1
        assert staged(repository, "clean.py", "../top.py", cwd=sub).status == 0
        assert staged(repository, str(repository.path("src/deep/bot.py")), cwd=sub).status == 1
        assert staged(repository, str(repository.path("src/clean.py")), cwd=repository.folder).status == 0
        assert staged(repository, "deep/loose.py", cwd=sub).status == 1
        assert staged(repository, "../src/deep/bot.py", cwd=sub).status == 1
        (finding,) = staged(repository, "deep/bot.py", cwd=sub).findings
        assert {place["path"] for place in finding["locations"]} == {"src/deep/bot.py"}

    def test_neighbours_speak_wherever_it_is_run(self, repository: Repository, pair: Pair) -> None:
        repository.stage("settings.py", f'api_key = "{pair.key}"\n')
        repository.stage("bot.py", "import binance\n")
        repository.stage("docs/page", "words\n")
        assert staged(repository).status == 1
        assert staged(repository, cwd=repository.path("docs")).status == 1

    def test_a_name_that_does_not_exist(self, repository: Repository) -> None:
        repository.stage("bot.py", CLEAN)
        for words in (["bto.py"], ["bto.py", "-v"]):
            outcome = run("staged", *words, cwd=repository.folder)
            assert outcome.status == 2
            assert "bto.py" in outcome.err

    def test_a_file_outside_the_repository(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        (tmp_path / "outside.py").write_text(pair.python, "utf-8")
        repository.stage("bot.py", CLEAN)
        for words in ([str(tmp_path / "outside.py")], ["../outside.py"]):
            assert run("staged", *words, cwd=repository.folder).status in (1, 2)

    def test_through_a_linked_folder(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        repository.stage("bot.py", pair.python)
        repository.write("bot.py", CLEAN)
        (tmp_path / "way").symlink_to(repository.folder)
        assert staged(repository, str(tmp_path / "way" / "bot.py")).status == 1
        assert run("staged", "bot.py", cwd=tmp_path / "way").status == 1

    @pytest.mark.parametrize("kind", ["pipe", "folder"])
    def test_no_file_at_all(self, repository: Repository, kind: str) -> None:
        repository.stage("bot.py", CLEAN)
        if kind == "pipe":
            os.mkfifo(repository.path("odd"))
        else:
            repository.path("odd").mkdir()
        assert run("staged", "odd", cwd=repository.folder, timeout=20).status in (0, 2, 3)


HOSTILE = {
    "core.fsmonitor": "{}",
    "diff.external": "{}",
    "diff.word.textconv": "{}",
    "diff.word.command": "{}",
    "filter.evil.clean": "{}",
    "filter.evil.smudge": "{}",
    "filter.evil.process": "{}",
    "filter.evil.required": "true",
    "core.pager": "{}",
    "pager.diff": "{}",
    "pager.cat-file": "{}",
    "core.editor": "{}",
    "core.sshCommand": "{}",
    "core.gitProxy": "{}",
    "core.askPass": "{}",
    "credential.helper": "!{}",
    "uploadpack.packObjectsHook": "{}",
    "alias.diff": "!{}",
    "alias.cat-file": "!{}",
    "alias.rev-parse": "!{}",
    "core.alternateRefsCommand": "{}",
}

SETTINGS: tuple[Mapping[str, str], ...] = (
    {"diff.relative": "true"},
    {"core.bigFileThreshold": "1"},
    {"diff.orderFile": "{}/order"},
    {"core.attributesFile": "{}/attributes"},
    {"diff.interHunkContext": "50", "diff.context": "50", "diff.renames": "copies", "diff.renameLimit": "1"},
    {
        "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "diff.algorithm": "patience", "diff.submodule": "log",
        "color.ui": "always", "color.diff": "always", "core.quotePath": "true", "diff.suppressBlankEmpty": "true",
        "diff.wsErrorHighlight": "all", "diff.indentHeuristic": "false", "diff.colorMoved": "zebra", "core.abbrev": "4",
        "diff.ignoreSubmodules": "all", "core.autocrlf": "true", "diff.wordRegex": ".", "core.whitespace": "cr-at-eol",
    },
)  # fmt: skip
VARIABLES: tuple[Mapping[str, str], ...] = (
    {"GIT_DIFF_OPTS": "--unified=50"},
    {"GIT_GLOB_PATHSPECS": "1"},
    {"GIT_ICASE_PATHSPECS": "1", "GIT_PREFIX": "sub/", "GIT_DEFAULT_HASH": "sha256", "GIT_PAGER": "false"},
    {
        "GIT_NOGLOB_PATHSPECS": "1",
        "GIT_TRACE": "1",
        "GIT_TRACE_SETUP": "1",
        "LANGUAGE": "de",
        "GIT_OPTIONAL_LOCKS": "1",
    },
    {"GIT_LITERAL_PATHSPECS": "1", "GIT_CONFIG_PARAMETERS": "'color.ui=always'", "GIT_NO_REPLACE_OBJECTS": "1"},
)


class TestHostile:
    """A repository that tries to run something, or to blind the hook by its settings."""

    def test_nothing_that_it_configures_is_run(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        standing(repository, pair)
        marker = tmp_path / "executed"
        script = repository.script(".git/evil", f'touch "{marker}"', "cat 2>/dev/null", "exit 0")
        repository.stage("bot.py", f"import sys\n{repository.path('bot.py').read_text('utf-8')}")
        repository.stage("new.py", Pair.fresh().python)
        repository.stage(".gitattributes", "*.py diff=word filter=evil\n")
        for hook in ("pre-commit", "post-index-change", "fsmonitor-watchman", "query-watchman", "post-checkout"):
            repository.script(f".git/evilhooks/{hook}", f'touch "{marker}"')
        repository.git("config", "core.hooksPath", str(repository.path(".git/evilhooks")))
        for name, command in HOSTILE.items():
            repository.git("config", name, command.format(script))
        repository.write("bot.py", "dirty = 1\n")
        assert staged(repository).status == 1
        assert staged(repository, "bot.py", "README", "new.py").status == 1
        assert run("scan", ".", cwd=repository.folder).status == 1
        assert run("scan", "--all-files", ".", cwd=repository.folder).status == 1
        assert not marker.exists()

    def test_no_module_of_the_repository_is_run(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        marker = tmp_path / "executed"
        for name in (
            "re.py",
            "json.py",
            "git.py",
            "rich.py",
            "pathspec.py",
            "scanner/binance_leaks/__init__.py",
            "sitecustomize.py",
        ):
            repository.stage(name, f"open({str(marker)!r}, 'w')\n")
        repository.stage("bot.py", pair.python)
        for words in (["staged"], ["staged", "--format", "json"], ["scan", "."]):
            assert run(*words, cwd=repository.folder, program=[str(SCRIPT)]).status == 1
        assert not marker.exists()

    def test_no_object_is_fetched(self, repository: Repository, tmp_path: Path) -> None:
        marker = tmp_path / "executed"
        script = repository.script(".git/evil", f'touch "{marker}"', "exit 1")
        repository.commit({"a.py": CLEAN})
        repository.stage("lost.py", CLEAN + "lost = 1\n")
        for name, setting in {
            "core.repositoryFormatVersion": "1",
            "extensions.partialClone": "origin",
            "remote.origin.promisor": "true",
            "remote.origin.url": f"ext::{script}",
            "remote.origin.uploadpack": str(script),
            "protocol.ext.allow": "always",
        }.items():
            repository.git("config", name, setting)
        repository.loose(repository.blob("lost.py")).unlink()
        outcome = run("staged", cwd=repository.folder)
        assert outcome.status == 3
        assert "lost.py" in outcome.out + outcome.err
        assert not marker.exists()

    @pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: next(iter(settings)))
    def test_settings_change_no_verdict(self, repository: Repository, pair: Pair, settings: Mapping[str, str]) -> None:
        standing(repository, Pair.fresh())
        repository.write("attributes", "* -diff\n* binary\n")
        repository.write("order", "z*\n")
        repository.stage("sub/page", "words\n")
        content = repository.path("bot.py").read_text("utf-8")
        repository.stage("bot.py", f"{content}more = 1\n")
        for name, setting in settings.items():
            repository.git("config", name, setting.format(repository.folder))
        for cwd in (repository.folder, repository.path("sub")):
            looked = staged(repository, cwd=cwd)
            assert looked.status == 0
            assert exposures(looked.findings) == STANDING_PAIR
        repository.stage("bot.py", content + pair.python)
        assert staged(repository, cwd=repository.path("sub")).status == 1

    @pytest.mark.parametrize("variables", VARIABLES, ids=lambda variables: next(iter(variables)))
    def test_variables_change_no_verdict(
        self, repository: Repository, pair: Pair, variables: Mapping[str, str]
    ) -> None:
        standing(repository, Pair.fresh())
        content = repository.path("bot.py").read_text("utf-8")
        repository.stage("bot.py", f"{content}more = 1\n")
        looked = staged(repository, env=variables)
        assert looked.status == 0
        assert exposures(looked.findings) == STANDING_PAIR
        repository.stage("bot.py", content + pair.python)
        assert staged(repository, env=variables).status == 1

    def test_an_external_diff_of_the_environment_is_not_run(
        self, repository: Repository, pair: Pair, tmp_path: Path
    ) -> None:
        standing(repository, pair)
        marker = tmp_path / "executed"
        script = repository.script(".git/evil", f'touch "{marker}"')
        repository.stage("bot.py", repository.path("bot.py").read_text("utf-8") + "more = 1\n")
        assert staged(repository, env={"GIT_EXTERNAL_DIFF": str(script)}).status == 0
        assert not marker.exists()

    @pytest.mark.skipif(not ROOT, reason="only root can give a folder away")
    def test_a_repository_of_somebody_else(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        for path in (repository.folder, repository.path(".git")):
            os.chown(path, 65534, 65534)
        outcome = assert_one_line(repository.folder, 3, hint=True)
        assert "safe.directory" in outcome


class TestPlace:
    """Where git is, and is not."""

    def test_git_dir_from_the_environment(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        repository.stage("src/bot.py", pair.python)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        given = {"GIT_DIR": str(repository.path(".git")), "GIT_WORK_TREE": str(repository.folder)}
        assert staged(repository, cwd=elsewhere, env=given).status == 1
        assert staged(repository, cwd=repository.path("src"), env=given).status == 1
        assert staged(repository, "src/bot.py", env=given).status == 1
        assert staged(repository, cwd=repository.folder, env={"GIT_DIR": ".git"}).status == 1

    def test_another_index_from_the_environment(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"a.py": CLEAN})
        repository.write("bot.py", pair.python)
        given = {"GIT_INDEX_FILE": str(repository.path(".git/other"))}
        repository.git("read-tree", "HEAD", env=given)
        repository.git("add", "bot.py", env=given)
        assert staged(repository).status == 0
        assert staged(repository, env=given).status == 1
        assert staged(repository, env={"GIT_INDEX_FILE": ".git/other"}).status == 1

    def test_not_a_repository(self, tmp_path: Path) -> None:
        assert "not a git repository" in assert_one_line(tmp_path, 3, hint=True)

    def test_a_bare_repository(self, tmp_path: Path) -> None:
        Repository.create(tmp_path / "bare.git", "--bare")
        assert_one_line(tmp_path / "bare.git", 3)

    def test_no_git_program(self, repository: Repository) -> None:
        repository.stage("a.py", CLEAN)
        reported = [
            run("staged", *words, cwd=repository.folder, env={"PATH": "/nonexistent"}) for words in ([], ["-v"])
        ]
        assert [outcome.status for outcome in reported] == [3, 3]
        assert reported[0].err == reported[1].err
        assert "git program was not found" in reported[0].err

    def test_a_linked_work_tree(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        repository.commit({"a.py": CLEAN})
        repository.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
        linked = Repository(tmp_path / "linked")
        linked.stage("bot.py", pair.python)
        assert staged(linked).status == 1
        assert staged(linked, "bot.py").status == 1
        assert staged(repository).status == 0


class TestAllowing:
    """What the user lets through, by comment and by configuration."""

    @pytest.mark.parametrize(
        "comment", ["binance-leaks: allow", "pragma: allowlist secret", "pragma: whitelist secret"]
    )
    def test_a_comment_on_the_line(self, repository: Repository, pair: Pair, comment: str) -> None:
        repository.stage("bot.py", pair.python.replace(pair.call, f"{pair.call.rstrip()}  # {comment}\n"))
        looked = staged(repository)
        assert (looked.status, looked.findings) == (0, [])
        assert "1 suppressed" in looked.text
        assert looked.report["scan"]["stats"]["suppressed"] == 1
        shown = staged(repository, "--show-suppressed")
        assert [finding["suppressed"] and finding["suppressed"]["by"] for finding in shown.findings] == ["inline"]

    @pytest.mark.parametrize("comment", ["binance-leaks: allow nextline", "pragma: allowlist nextline secret"])
    def test_a_comment_on_the_line_before(self, repository: Repository, pair: Pair, comment: str) -> None:
        repository.stage("bot.py", pair.python.replace("client =", f"# {comment}\nclient ="))
        assert staged(repository).status == 0
        repository.stage("other.py", pair.python.replace("from binance", f"# {comment}\nfrom binance"))
        assert staged(repository).status == 1

    def test_by_digest(self, repository: Repository, pair: Pair) -> None:
        entries = "".join(f'[[tool.binance-leaks.allow]]\nsha256 = "{one}"\n' for one in sorted(pair.digests))
        repository.stage("pyproject.toml", f'[project]\nname = "x"\n\n{entries}')
        repository.stage("src/bot.py", pair.python)
        for cwd in (repository.folder, repository.path("src")):
            looked = staged(repository, cwd=cwd)
            assert looked.status == 0
            assert "1 suppressed" in looked.text
        repository.stage("src/bot.py", pair.python + Pair.fresh().call)
        assert staged(repository).status == 1

    def test_a_digest_of_one_half_is_not_enough(self, repository: Repository, pair: Pair) -> None:
        repository.write(".binance-leaks.toml", f'[[allow]]\nsha256 = "{digest(pair.key)}"\n')
        repository.stage("bot.py", pair.python)
        assert staged(repository).status == 1

    @pytest.mark.parametrize("glob", ["tests/", "/tests/data/bot.py"])
    def test_by_path(self, repository: Repository, pair: Pair, glob: str) -> None:
        repository.write(".binance-leaks.toml", f'[[allow]]\npath = "{glob}"\nreason = "made up"\n')
        repository.stage("tests/data/bot.py", pair.python)
        for cwd in (repository.folder, repository.path("tests")):
            looked = staged(repository, "--show-suppressed", cwd=cwd)
            assert looked.status == 0
            assert [finding["suppressed"] for finding in looked.findings] == [{"by": "config", "reason": "made up"}]
        repository.stage("src/ship.py", pair.python)
        assert staged(repository).status == 1

    @pytest.mark.parametrize("glob", ["fixtures/", "/sub/fixtures/", "*.py"])
    def test_excluded(self, repository: Repository, pair: Pair, glob: str) -> None:
        repository.write(".binance-leaks.toml", f'exclude = ["{glob}"]\n')
        repository.stage("sub/fixtures/bot.py", pair.python)
        assert staged(repository).status == 0
        assert staged(repository, cwd=repository.path("sub")).status == 0
        counted = run("staged", "--format", "json", cwd=repository.folder).report["scan"]["stats"]
        assert (counted["files"], counted["excluded"]) == (0, 1)
        repository.commit()
        assert staged(repository, "sub/fixtures/bot.py").status == 0
        assert staged(repository, "fixtures/bot.py", cwd=repository.path("sub")).status == 0
        assert staged(repository, str(repository.path("sub/fixtures/bot.py"))).status == 0
        repository.stage("other.txt", pair.dotenv)
        assert staged(repository).status == 1


class TestOptions:
    """The options that `staged` shares with the other commands."""

    def test_confidence(self, repository: Repository, pair: Pair) -> None:
        repository.stage("settings.py", f'api_key = "{pair.key}"\n')
        assert staged(repository).status == 0
        assert staged(repository, "--confidence", "low").status == 1

    def test_fail_on(self, repository: Repository, pair: Pair) -> None:
        repository.stage(".env", f"BINANCE_API_KEY={pair.key}\n")
        assert staged(repository).status == 1
        assert staged(repository, "--fail-on", "medium").status == 0
        assert staged(repository, "--fail-on", "low").status == 1
        assert staged(repository, "--fail-on", "none").status == 0

    def test_a_gate_for_each_environment(self, repository: Repository, pair: Pair) -> None:
        gate = '[tool.binance-leaks.fail-on]\ndefault = "low"\ntestnet = "none"\n'
        repository.stage("pyproject.toml", gate)
        repository.stage("bot.py", f'client = Client("{pair.key}", "{pair.secret}", testnet=True)  # Binance\n')
        ran = staged(repository)
        assert ran.status == 0
        assert [finding["environment"] for finding in ran.findings] == ["testnet"]
        repository.stage("live.py", Pair.fresh().python)
        assert staged(repository).status == 1
        assert staged(repository, "--fail-on", "none").status == 0

    def test_quiet(self, repository: Repository, pair: Pair) -> None:
        repository.stage("a.py", CLEAN)
        assert run("staged", "-q", cwd=repository.folder).out == ""
        repository.stage("bot.py", pair.python)
        assert "bot.py:2" in run("staged", "-q", cwd=repository.folder).out

    def test_the_console_script(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        assert run("staged", cwd=repository.folder, program=[str(SCRIPT)]).status == 1

    def test_the_whole_output_is_the_same_at_both_runs(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        runs = [staged(repository).report for _ in range(2)]
        for report in runs:
            report["scan"]["stats"]["seconds"] = 0
        assert runs[0] == runs[1]


def assert_one_line(folder: Path, status: int, *, hint: bool = False) -> str:
    """`staged` fails both ways with the same short message; returns it."""
    reported = [run("staged", *words, cwd=folder) for words in ([], ["-v"])]
    assert [outcome.status for outcome in reported] == [status, status]
    assert reported[0].err == reported[1].err
    assert reported[0].err.startswith("binance-leaks: ")
    assert reported[0].err.count("\n") <= (2 if hint else 1)
    assert not reported[0].out
    return reported[0].err
