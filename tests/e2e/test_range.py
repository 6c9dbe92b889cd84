"""`binance-leaks range`: what the commits between two revisions introduce, and nothing else."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.e2e import Pair, run
from tests.e2e.ranges import Gate, brought_by, gate, removed_by
from tests.hiding_contents import compiled, dotenv, module
from tests.repositories import Repository


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def project(repository: Repository) -> Repository:
    """A repository whose branch `base` holds a pair already; `main` goes on from there."""
    repository.commit({"README.md": "A bot for Binance.\n", "standing.env": Pair.fresh().dotenv})
    repository.git("branch", "base")
    return repository


def over(repository: Repository, *words: str, text: str = "base..main") -> Gate:
    return gate("range", text, *words, cwd=repository.folder)


class TestBroughtIn:
    """What counts as introduced."""

    def test_a_pair_in_a_new_file(self, project: Repository, pair: Pair) -> None:
        commit = project.commit({"bot.py": module(pair)}, message="Add the bot")
        found = over(project)
        assert found.status == 1
        assert found.is_of(pair)
        assert {(place["path"], place["exposure"], place["standing"]) for place in found.places} == {
            ("bot.py", "present", False)
        }
        assert {brought_by(place) for place in found.places} == {commit}
        assert {place["commit"]["subject"] for place in found.places if place["commit"]} == {"Add the bot"}
        assert [place["removed"] for place in found.places] == [None, None]

    def test_nothing_that_stood_there_before(self, project: Repository) -> None:
        project.commit({"README.md": "A bot for Binance, in Python.\n"})
        found = over(project)
        assert (found.status, found.found) == (0, [])
        assert found.stats["commits"] == 1

    def test_what_was_read_is_counted(self, project: Repository) -> None:
        """Each new version of a file, and the commits themselves."""
        commits = [
            project.commit({"a.txt": "one\n", "b.txt": "two\n"}),
            project.commit({"a.txt": "three\n"}),
            project.commit({"c.txt": "one\n"}),
        ]
        sizes = [int(project.git("cat-file", "-s", commit)) for commit in commits]
        stats = over(project).stats
        assert (stats["commits"], stats["files"]) == (3, 4)
        assert stats["bytes"] == len("one\ntwo\nthree\n") + sum(sizes)

    def test_files_beside_it_when_it_was_introduced_are_evidence(self, project: Repository, pair: Pair) -> None:
        keys = f"api_key={pair.key}\napi_secret={pair.secret}\n"
        project.commit({"app/keys.ini": keys, "app/run.py": "from binance.client import Client\n"})
        project.commit({"app/run.py": "print()\n"})
        found = over(project)
        assert found.is_of(pair)
        assert [evidence for evidence in found.found[0]["evidence"] if "run.py" in evidence] == [
            "“run.py” beside it mentioned Binance"
        ]

    def test_added_and_removed_again(self, project: Repository, pair: Pair) -> None:
        added = project.commit({"bot.py": module(pair)})
        removed = project.commit({"bot.py": "import os\n"})
        found = over(project)
        assert found.is_of(pair)
        for place in found.places:
            assert place["exposure"] == "history"
            assert place["commit"] is not None
            assert place["removed"] is not None
            assert (place["commit"]["id"], place["removed"]["id"]) == (added, removed)

    def test_added_and_deleted_with_its_file(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": module(pair)})
        project.git("rm", "--quiet", "bot.py")
        removed = project.commit()
        assert {removed_by(place) for place in over(project).places} == {removed}

    def test_in_a_message(self, project: Repository, pair: Pair) -> None:
        commit = project.commit(message=f"Try it\n\nBinance API key {pair.key}\nsecret {pair.secret}\n")
        found = over(project)
        assert found.is_of(pair)
        assert {(place["path"], place["exposure"], brought_by(place)) for place in found.places} == {
            ("commit message", "message", commit)
        }

    def test_a_new_secret_beside_an_old_key(self, repository: Repository, pair: Pair) -> None:
        key, secret = pair.dotenv.splitlines(keepends=True)
        repository.commit({".env": key})
        repository.git("branch", "base")
        repository.commit({".env": key + secret})
        found = over(repository)
        assert found.is_of(pair)
        assert {(place["role"], place["standing"]) for place in found.places} == {
            ("api-key", True),
            ("secret-key", False),
        }
        assert found.found[0]["kind"] == "key-pair"

    def test_a_second_key_on_the_same_line(self, repository: Repository, pair: Pair) -> None:
        other = Pair.fresh()
        repository.commit({"bot.py": f"import binance\nkeys = [{pair.call.strip()}]\n"})
        repository.git("branch", "base")
        repository.commit({"bot.py": f"import binance\nkeys = [{pair.call.strip()}, {other.call.strip()}]\n"})
        assert over(repository).is_of(other)

    def test_a_changed_value(self, project: Repository, pair: Pair) -> None:
        project.commit({"standing.env": pair.dotenv})
        assert over(project).is_of(pair)

    def test_a_copy_in_another_file(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"a.py": module(pair)})
        repository.git("branch", "base")
        repository.commit({"b.py": module(pair)})
        found = over(repository)
        assert found.is_of(pair)
        assert {place["path"] for place in found.places} == {"b.py"}

    @pytest.mark.parametrize("make", [compiled, lambda pair: module(pair).encode("utf-16"), lambda pair: zipped(pair)])
    def test_in_what_is_no_text(self, project: Repository, pair: Pair, make: object) -> None:
        assert callable(make)
        project.commit({"data.bin": make(pair)})
        assert over(project).is_of(pair)

    def test_several_pairs_in_several_commits(self, project: Repository) -> None:
        pairs = [Pair.fresh() for _ in range(3)]
        for number, each in enumerate(pairs):
            project.commit({f"bot{number}.py": module(each)})
        assert over(project).is_of(*pairs)

    def test_halves_in_two_files_and_commits(self, project: Repository, pair: Pair) -> None:
        key, secret = pair.dotenv.splitlines(keepends=True)
        project.commit({"a.env": key})
        project.commit({"b.env": secret})
        assert over(project).is_of(pair)

    def test_a_root_commit_of_its_own(self, project: Repository, pair: Pair) -> None:
        project.git("checkout", "--quiet", "--orphan", "other")
        project.git("rm", "-rfq", ".")
        project.commit({"bot.py": module(pair)})
        assert over(project, text="base..other").is_of(pair)


def zipped(pair: Pair, *, more: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bot/settings.py", module(pair))
        archive.writestr("more.txt", more)
    return buffer.getvalue()


class TestNotBroughtIn:
    """What a change does to what is there already."""

    @pytest.fixture
    def held(self, repository: Repository, pair: Pair) -> Repository:
        repository.commit({"bot.py": module(pair, padding=3), "bot.zip": zipped(pair)})
        repository.git("branch", "base")
        return repository

    def quiet(self, repository: Repository, *, text: str = "base..main") -> None:
        found = over(repository, text=text)
        assert (found.status, found.found) == (0, [])

    def test_moved_within_its_file(self, held: Repository, pair: Pair) -> None:
        held.commit({"bot.py": pair.python + module(Pair.fresh(), padding=3).rpartition("from")[0]})
        self.quiet(held)
        found = over(held)
        assert found.stats["standing"] == 1

    def test_indented_anew(self, held: Repository, pair: Pair) -> None:
        held.commit({"bot.py": f"from binance.client import Client\nif True:\n    {pair.call}"})
        self.quiet(held)

    def test_other_line_ends(self, held: Repository, pair: Pair) -> None:
        held.commit({"bot.py": module(pair, padding=3).replace("\n", "\r\n")})
        self.quiet(held)

    def test_renamed(self, held: Repository) -> None:
        held.git("mv", "bot.py", "trader.py")
        held.commit()
        self.quiet(held)

    def test_renamed_and_changed_a_little(self, held: Repository, pair: Pair) -> None:
        held.git("mv", "bot.py", "trader.py")
        held.commit({"trader.py": module(pair, padding=3) + "print('hello')\n"})
        self.quiet(held)

    def test_mentioned_by_new_lines_around_it(self, repository: Repository, pair: Pair) -> None:
        """Evidence came, the value was there."""
        repository.commit({"a.txt": f"x\n{pair.key}\n{pair.secret}\n"})
        repository.git("branch", "base")
        repository.commit({"a.txt": f"binance api key and secret\n{pair.key}\n{pair.secret}\n"})
        self.quiet(repository)

    def test_an_archive_with_another_member_changed(self, held: Repository, pair: Pair) -> None:
        held.commit({"bot.zip": zipped(pair, more="another version")})
        self.quiet(held)

    def test_deleted(self, held: Repository) -> None:
        held.git("rm", "--quiet", "bot.py", "bot.zip")
        held.commit()
        self.quiet(held)

    def test_removed_and_brought_back(self, held: Repository, pair: Pair) -> None:
        held.commit({"bot.py": "import os\n"})
        held.commit({"bot.py": module(pair, padding=3)})
        self.quiet(held)

    def test_merged_from_the_base(self, held: Repository) -> None:
        held.commit({"feature.py": "import os\n"})
        held.git("checkout", "--quiet", "base")
        held.commit({"other.py": module(Pair.fresh())})
        held.git("checkout", "--quiet", "main")
        held.git("merge", "--quiet", "--no-edit", "base")
        self.quiet(held)

    def test_a_conflict_solved_with_lines_of_either_side(self, held: Repository) -> None:
        ours, theirs = Pair.fresh(), Pair.fresh()
        held.commit({"keys.py": module(ours)})
        held.git("branch", "side", "base")
        held.git("checkout", "--quiet", "side")
        held.commit({"keys.py": module(theirs)})
        held.git("checkout", "--quiet", "main")
        held.run("merge", "--quiet", "side")
        held.commit({"keys.py": ours.python + theirs.python})
        found = over(held)
        merge = held.head()
        assert found.is_of(ours, theirs)
        assert merge not in {brought_by(place) for place in found.places}


class TestMerges:
    """Merges introduce what neither parent has."""

    @pytest.fixture
    def forked(self, project: Repository) -> Repository:
        project.git("branch", "side")
        project.commit({"a.py": "import os\n"})
        project.git("checkout", "--quiet", "side")
        project.commit({"b.py": "import sys\n"})
        project.git("checkout", "--quiet", "main")
        return project

    def test_what_a_merge_itself_adds(self, forked: Repository, pair: Pair) -> None:
        forked.git("merge", "--quiet", "--no-commit", "side")
        merge = forked.commit({"a.py": module(pair)})
        found = over(forked)
        assert found.is_of(pair)
        assert {brought_by(place) for place in found.places} == {merge}

    def test_what_the_merged_branch_adds(self, forked: Repository, pair: Pair) -> None:
        forked.git("checkout", "--quiet", "side")
        commit = forked.commit({"c.py": module(pair)})
        forked.git("checkout", "--quiet", "main")
        forked.git("merge", "--quiet", "--no-edit", "side")
        found = over(forked)
        assert {brought_by(place) for place in found.places} == {commit}

    def test_only_the_merge_is_in_the_range(self, forked: Repository, pair: Pair) -> None:
        forked.git("merge", "--quiet", "--no-commit", "side")
        forked.commit({"c.py": module(pair)})
        forked.git("branch", "both", "main^1")
        forked.git("checkout", "--quiet", "both")
        assert over(forked, text="both..main").is_of(pair)

    def test_three_parents(self, forked: Repository, pair: Pair) -> None:
        forked.git("branch", "third", "base")
        forked.git("checkout", "--quiet", "third")
        forked.commit({"c.py": module(pair)})
        forked.git("checkout", "--quiet", "main")
        forked.git("merge", "--quiet", "--no-edit", "side", "third")
        assert over(forked).is_of(pair)
        assert over(forked, text="third..main").found == []

    def test_a_rename_on_one_side_and_a_change_on_the_other(self, project: Repository, pair: Pair) -> None:
        project.commit({"old.py": "import os\n" * 20})
        project.git("branch", "--force", "base")
        project.git("branch", "side")
        changed = project.commit({"old.py": "import os\n" * 20 + module(pair)})
        project.git("checkout", "--quiet", "side")
        project.git("mv", "old.py", "new.py")
        project.commit()
        project.git("checkout", "--quiet", "main")
        project.git("merge", "--quiet", "--no-edit", "side")
        found = over(project)
        assert found.is_of(pair)
        assert changed in {brought_by(place) for place in found.places}
        assert over(project, text="main^1..main").found == []


class TestPlaces:
    """The locations in a report."""

    def test_the_line_is_that_of_today(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": pair.python})
        project.commit({"bot.py": "# one\n# two\n" + pair.python})
        assert {place["line"] for place in over(project).places} == {4}

    def test_the_line_is_that_of_the_commit_where_it_is_gone(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": pair.python})
        project.commit({"bot.py": "\n" * 9})
        assert {place["line"] for place in over(project).places} == {2}

    def test_a_rename_is_followed(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": module(pair)})
        project.git("mv", "bot.py", "trader.py")
        renamed = project.commit()
        reported = {
            (place["path"], place["exposure"], removed_by(place), place["standing"]) for place in over(project).places
        }
        assert reported == {("bot.py", "history", renamed, False), ("trader.py", "present", None, False)}

    def test_the_way_in_is_the_first_commit(self, project: Repository, pair: Pair) -> None:
        first = project.commit({"bot.py": module(pair)})
        project.commit({"bot.py": "import os\n"})
        project.commit({"bot.py": module(pair)})
        assert {brought_by(place) for place in over(project).places} == {first}

    def test_names_that_are_odd(self, project: Repository) -> None:
        names = ["-dash.py", "sp ace.py", "quo'te\".py", "new\nline.py", "\u5e01\u5b89.py", "::x.py", "a..b.py", "*.py"]
        pairs = [Pair.fresh() for _ in names]
        project.commit({name: module(pair) for name, pair in zip(names, pairs, strict=True)})
        found = over(project)
        assert found.is_of(*pairs)
        assert {place["path"] for place in found.places} == set(names)
        assert {place["exposure"] for place in found.places} == {"present"}


class TestForms:
    """Kinds of repositories and ways to say what is meant."""

    @pytest.mark.parametrize("text", ["base..main", "base...main", "base..", "base..HEAD", "base^{commit}..@"])
    def test_ranges(self, project: Repository, pair: Pair, text: str) -> None:
        project.commit({"bot.py": module(pair)})
        assert over(project, text=text).is_of(pair)

    def test_the_left_side_may_be_left_out(self, project: Repository, pair: Pair) -> None:
        project.git("checkout", "--quiet", "-b", "topic")
        project.commit({"bot.py": module(pair)})
        project.git("checkout", "--quiet", "main")
        assert over(project, text="..topic").is_of(pair)

    def test_from_a_subfolder(self, project: Repository, pair: Pair) -> None:
        project.commit({"sub/bot.py": module(pair), "other.py": "import os\n"})
        found = gate("range", "base..main", cwd=project.folder / "sub")
        assert {place["path"] for place in found.places} == {"sub/bot.py"}

    def test_bare(self, project: Repository, pair: Pair, tmp_path: Path) -> None:
        project.commit({"bot.py": module(pair)})
        project.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
        assert gate("range", "base..main", cwd=tmp_path / "bare.git").is_of(pair)

    def test_another_work_tree(self, project: Repository, pair: Pair, tmp_path: Path) -> None:
        project.commit({"bot.py": module(pair)})
        project.git("worktree", "add", "--quiet", str(tmp_path / "other"), "base")
        assert gate("range", "base..main", cwd=tmp_path / "other").is_of(pair)

    def test_sha256(self, tmp_path: Path, pair: Pair) -> None:
        repository = Repository.create(tmp_path / "long", "--object-format=sha256")
        repository.commit({"a.py": "import os\n"})
        repository.git("branch", "base")
        repository.commit({"bot.py": module(pair)})
        assert over(repository).is_of(pair)

    def test_submodules_are_named(self, project: Repository, tmp_path: Path) -> None:
        inner = Repository.create(tmp_path / "inner")
        inner.commit({"a.py": "import os\n"})
        project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.folder), "inner")
        project.commit()
        found = over(project)
        assert found.status == 0
        assert found.report is not None
        assert [one["what"] for one in found.report["scan"]["skipped"]] == ["inner"]

    def test_a_hostile_configuration_runs_nothing(self, project: Repository, pair: Pair, tmp_path: Path) -> None:
        trap = tmp_path / "trap"
        ran = project.script("run.sh", f"touch {trap}", "cat")
        for setting in ("diff.evil.textconv", "diff.evil.command", "diff.external", "core.pager", "core.fsmonitor"):
            project.git("config", setting, str(ran))
        project.git("config", "log.showSignature", "true")
        project.git("config", "diff.orderFile", str(ran))
        project.commit({".gitattributes": "* diff=evil\n", "bot.py": module(pair)})
        trap.unlink(missing_ok=True)
        assert over(project).is_of(pair)
        assert not trap.exists()

    def test_many_commits_of_one_file(self, project: Repository, pair: Pair) -> None:
        for number in range(30):
            project.commit({"bot.py": module(pair) + f"# {number}\n"})
        found = over(project)
        assert found.is_of(pair)
        assert len(found.places) == 2


class TestChoices:
    """Options and settings."""

    def test_paths_that_are_left_out(self, project: Repository, pair: Pair) -> None:
        project.commit({"vendor/bot.py": module(pair)})
        assert over(project, "--exclude", "vendor/").found == []
        project.write(".binance-leaks.toml", 'exclude = ["vendor/"]\n')
        assert over(project).found == []

    def test_renamed_from_a_path_that_is_left_out(self, project: Repository, pair: Pair) -> None:
        project.commit({"fixtures/bot.py": module(pair), "old.py": "import os\n" * 9})
        project.git("mv", "fixtures/bot.py", "bot.py")
        project.git("mv", "old.py", "new.py")
        project.commit()
        found = over(project, "--exclude", "fixtures/")
        assert found.is_of(pair)
        assert {place["path"] for place in found.places} == {"bot.py"}

    def test_paths_that_are_left_out_are_counted(self, project: Repository, pair: Pair) -> None:
        """A change may exclude itself: that must not look like a change that was read."""
        project.commit({"vendor/bot.py": module(pair), "a.py": "", ".binance-leaks.toml": 'exclude = ["vendor/"]\n'})
        project.commit({"vendor/bot.py": module(Pair.fresh())})
        assert over(project).stats["excluded"] == 1
        reported = run("range", "base..main", cwd=project.folder)
        assert (reported.status, "1 path excluded, not read." in reported.out) == (0, True)
        project.commit({"bot.py": module(pair)})
        assert "1 path excluded, not read." in run("range", "base..main", cwd=project.folder).out
        assert "excluded" not in run("range", "base..main", "--policy", "base", cwd=project.folder).out

    def test_a_comment_allows(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": f"from binance.client import Client\n# binance-leaks: allow next line\n{pair.call}"})
        found = over(project)
        assert found.found == []
        assert found.stats["suppressed"] == 1

    def test_fail_on(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": module(pair)})
        assert over(project, "--fail-on", "critical").status == 0
        assert over(project, "--fail-on", "none").status == 0
        assert over(project, "--fail-on", "high").status == 1

    def test_text_reports_which_commits(self, project: Repository, pair: Pair) -> None:
        commit = project.commit({"bot.py": module(pair)}, message="Add the bot")
        ran = run("range", "base..main", cwd=project.folder)
        assert ran.err == "binance-leaks: base..main (1 commit)\n"
        assert f"{commit[:12]} " in ran.out
        assert "Add the bot" in ran.out
        assert run("range", "base..main", "-q", "--fail-on", "none", cwd=project.folder).err == ""


class TestBaseline:
    """What a baseline knows passes, however the commits are written."""

    @pytest.fixture
    def known(self, project: Repository, pair: Pair) -> Repository:
        """The pair on `main`, known to a baseline that is committed there too."""
        project.commit({"bot.py": module(pair)})
        assert run("baseline", "create", cwd=project.folder).status == 0
        project.commit({".secrets.baseline": project.path(".secrets.baseline").read_bytes()})
        return project

    def test_it_passes(self, known: Repository) -> None:
        assert over(known).status == 1
        found = over(known, "--baseline", ".secrets.baseline")
        assert (found.status, found.found) == (0, [])
        assert found.stats["suppressed"] == 1

    def test_by_the_configuration(self, known: Repository) -> None:
        known.commit({"pyproject.toml": '[tool.binance-leaks]\nbaseline = ".secrets.baseline"\n'})
        assert over(known).status == 0
        assert over(known, "--no-baseline").status == 1

    def test_squashed_and_rebased(self, known: Repository) -> None:
        known.git("reset", "--quiet", "--soft", "base")
        known.commit(message="All in one")
        assert over(known, "--baseline", ".secrets.baseline").status == 0
        known.git("checkout", "--quiet", "base")
        known.commit({"other.py": "import os\n"})
        known.git("checkout", "--quiet", "main")
        known.git("rebase", "--quiet", "base")
        assert over(known, "--baseline", ".secrets.baseline").status == 0

    def test_moved_to_another_line(self, known: Repository, pair: Pair) -> None:
        known.commit({"bot.py": "# one\n# two\n" + module(pair)})
        assert over(known, "--baseline", ".secrets.baseline").status == 0

    def test_another_value_on_the_same_line(self, known: Repository, pair: Pair) -> None:
        other = Pair.fresh()
        known.commit({"bot.py": module(pair).replace(pair.call, f"{pair.call.strip()}; {other.call}")})
        assert over(known, "--baseline", ".secrets.baseline").is_of(other)

    def test_a_known_half_with_a_new_one(self, known: Repository, pair: Pair) -> None:
        other = Pair.fresh()
        known.commit({"bot.py": module(pair).replace(pair.secret, other.secret)})
        assert over(known, "--baseline", ".secrets.baseline").status == 1

    @pytest.mark.parametrize("content", ["", "{", "[]", "<<<<<<< ours\n", '{"version": "9.0.0", "results": {}}'])
    def test_no_baseline_at_all(self, known: Repository, content: str) -> None:
        known.write("broken", content)
        ran = run("range", "base..main", "--baseline", "broken", cwd=known.folder)
        assert (ran.status, ran.out) == (2, "")
        assert "broken" in ran.err
        assert run("range", "base..main", "--baseline", "nowhere", cwd=known.folder).status == 2


class TestPolicy:
    """A change does not allow itself where the word of the base counts."""

    def test_a_comment(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": f"from binance.client import Client\n{pair.call.strip()}  # binance-leaks: allow\n"})
        assert over(project).status == 0
        assert over(project, "--policy", "base").is_of(pair)

    @pytest.mark.parametrize("name", ["pyproject.toml", ".binance-leaks.toml"])
    @pytest.mark.parametrize(
        "line", ['exclude = ["*"]', 'fail-on = "none"', '[[tool.binance-leaks.allow]]\npath = "*"']
    )
    def test_its_configuration(self, project: Repository, pair: Pair, name: str, line: str) -> None:
        project.commit({"bot.py": module(pair), name: f"[tool.binance-leaks]\n{line}\n"})
        assert over(project, "--fail-on", "info" if "fail" not in line else "none").status == 0
        assert run("range", "base..main", "--policy", "base", cwd=project.folder).status == 1
        assert run("range", "base..main", "--policy", "base", "--config", name, cwd=project.folder).status == 1

    def test_it_is_reported(self, project: Repository, pair: Pair) -> None:
        """Else the advice to allow a false alarm by a comment would be followed in vain."""
        project.commit({"bot.py": module(pair)})
        assert "does not count" in over(project, "--policy", "base").err
        assert "does not count" not in over(project).err
        assert over(project, "--policy", "base", "--quiet").err == ""

    def test_its_baseline(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": module(pair)})
        run("baseline", "create", cwd=project.folder)
        project.commit({".secrets.baseline": project.path(".secrets.baseline").read_bytes()})
        words = ("range", "base..main", "--baseline", ".secrets.baseline")
        assert run(*words, cwd=project.folder).status == 0
        assert run(*words, "--policy", "base", cwd=project.folder).status == 1

    def test_what_the_base_allows(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"bot.py": module(pair)})
        run("baseline", "create", cwd=repository.folder)
        baseline = repository.path(".secrets.baseline").read_bytes()
        repository.commit(
            {
                "bot.py": "import os\n",
                ".secrets.baseline": baseline,
                "pyproject.toml": '[tool.binance-leaks]\nbaseline = ".secrets.baseline"\nexclude = ["docs/"]\n',
            }
        )
        repository.git("branch", "base")
        repository.commit({"bot.py": module(pair), "docs/a.py": module(Pair.fresh()), "pyproject.toml": ""})
        assert over(repository, "--policy", "base").status == 0
        assert len(over(repository).found) == 2


class TestWrong:
    """What cannot be scanned is reported, and never passes."""

    def test_a_branch_that_only_the_remote_has(self, project: Repository) -> None:
        project.git("update-ref", "refs/remotes/origin/trunk", "base")
        reported = over(project, text="trunk..main")
        assert (reported.status, "Is origin/trunk meant?" in reported.err) == (2, True)
        assert "git fetch" in over(project, text="other..main").err

    @pytest.mark.parametrize(
        ("text", "reported"),
        [
            ("nowhere..main", "nowhere names no commit"),
            ("main..nowhere", "nowhere names no commit"),
            ("main", "not a range"),
            ("", "not a range"),
            ("..", "not a range"),
            ("...", "not a range"),
            ("a..b..c", "not a range"),
            ("--all..main", "required: BASE..HEAD"),
            ("main..--all", "not a range"),
            ("main..main", "is empty: both are commit"),
            ("main..base", "the second is an ancestor of the first"),
            ("base:README.md..main", "names no commit"),
            ("main..\udcff", "names no commit"),
        ],
    )
    def test_ranges(self, project: Repository, text: str, reported: str) -> None:
        project.commit({"a.py": "import os\n"})
        ran = run("range", text, cwd=project.folder)
        assert (ran.status, ran.out) == (2, "")
        assert reported in ran.err

    def test_no_common_ancestor(self, project: Repository) -> None:
        project.git("checkout", "--quiet", "--orphan", "other")
        project.commit({"a.py": "import os\n"})
        ran = run("range", "main...other", cwd=project.folder)
        assert ran.status == 2
        assert "no common ancestor" in ran.err
        assert "main..other" in ran.err

    def test_no_repository(self, tmp_path: Path) -> None:
        ran = run("range", "a..b", cwd=tmp_path)
        assert ran.status == 3
        assert "not a git repository" in ran.err

    def test_no_commit(self, repository: Repository) -> None:
        assert run("range", "HEAD~1..HEAD", cwd=repository.folder).status == 2

    def test_a_shallow_clone(self, project: Repository, tmp_path: Path) -> None:
        base = project.git("rev-parse", "base")
        for number in range(4):
            project.commit({"a.py": f"{number}\n"})
        shallow = tmp_path / "shallow"
        project.git("clone", "--quiet", "--depth=2", project.folder.as_uri(), str(shallow))
        for text, status in ((f"{base}..HEAD", 3), ("HEAD~1..HEAD", 0), ("HEAD~2..HEAD", 3)):
            ran = run("range", text, cwd=shallow)
            assert ran.status == status, text
            assert ("git fetch --unshallow" in ran.err) is (status == 3)

    def test_a_missing_blob(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": module(pair), "other.py": dotenv(Pair.fresh())})
        project.loose(project.blob("bot.py")).unlink()
        found = over(project, "--fail-on", "none")
        assert found.status == 3
        assert found.report is not None
        assert not found.report["scan"]["complete"]
        assert [one["what"] for one in found.report["scan"]["skipped"]] == ["bot.py"]
        assert len(found.found) == 1

    @pytest.mark.parametrize("what", ["HEAD~1", "HEAD~1^{tree}", "HEAD^{tree}"])
    def test_a_missing_commit_or_tree(self, project: Repository, what: str) -> None:
        project.commit({"a.py": "1\n"})
        project.commit({"a.py": "2\n"})
        project.loose(project.git("rev-parse", what)).unlink()
        ran = run("range", "base..main", cwd=project.folder)
        assert ran.status == 3
        assert ran.err
