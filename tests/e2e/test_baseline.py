"""Baselines: what is known passes wherever it moves to, what is new does not, and updates keep what they should."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import zipfile
from pathlib import Path
from random import Random

import pytest

from tests.corpus import values
from tests.e2e import Pair, digest, digests, run, staged, value
from tests.e2e.baselines import (
    API_KEY,
    NAME,
    PRIVATE_KEY,
    SECRET_KEY,
    Entry,
    content,
    create,
    entries,
    known_pair,
    label,
    of,
    scan,
    sha,
    update,
)
from tests.repositories import Repository


def suppressed(outcome_text: str) -> list[tuple[str, str]]:
    """By what, and why, of all that a JSON report suppresses."""
    findings = json.loads(outcome_text)["findings"]
    return [(each["suppressed"]["by"], each["suppressed"]["reason"]) for each in findings if each["suppressed"]]


class TestCreate:
    """A new baseline: complete, sorted, of digests alone."""

    def test_it_reports_what_to_do_next(self, repository: Repository) -> None:
        repository.commit({"bots/a.py": Pair.fresh().python})
        reported = create(repository.path("bots")).out
        assert "commit it" in reported
        setting = f'[tool.binance-leaks]\nbaseline = "{NAME}"\n'
        assert setting in reported.replace("\n  ", "\n"), reported
        repository.write("pyproject.toml", setting)
        assert run("scan", cwd=repository.folder).status == 0
        repository.path(NAME).unlink()
        reported = create(repository.folder).out
        assert "commit it" in reported
        assert "[tool.binance-leaks]" not in reported
        repository.path(NAME).unlink()
        assert "commit it" not in create(repository.folder, "--quiet").out

    def test_the_audit_has_help_without_a_baseline(self, tmp_path: Path) -> None:
        outcome = run("baseline", "audit", "--help", cwd=tmp_path)
        assert (outcome.status, outcome.err) == (0, "")
        assert "usage: binance-leaks baseline audit" in outcome.out

    def test_what_is_written(self, repository: Repository) -> None:
        one, two = Pair.fresh(), Pair.fresh()
        pem = values.pem("PRIVATE KEY", values.ed25519_der(Random()))
        repository.commit(
            {"z/.env": one.dotenv, "a.py": f"\n{two.python}", "k.py": f'import binance\nbinance_key = """{pem}"""\n'}
        )
        outcome = create(repository.folder)
        text = repository.path(NAME).read_text()
        body = sha("".join(pem.splitlines()[1:-1]))
        assert entries(repository.folder) == of("z/.env", one) | of("a.py", two) | {("k.py", PRIVATE_KEY, body)}
        assert text == json.dumps(json.loads(text), indent=2) + "\n"
        read = content(repository.folder)
        assert list(read) == ["version", "plugins_used", "filters_used", "results"]
        assert list(read["results"]) == ["a.py", "k.py", "z/.env"]
        assert [entry["type"] for entry in read["results"]["a.py"]] == [API_KEY, SECRET_KEY]
        assert read["results"]["a.py"][0] == {
            "type": API_KEY, "filename": "a.py", "hashed_secret": sha(two.key), "is_verified": False, "line_number": 3,
        }  # fmt: skip
        for reported in (
            "5 added, 0 kept, 0 dropped",
            "a.py:3  API key",
            "a.py:3  secret key",
            "k.py:2  private key 48",
        ):
            assert reported in outcome.out
        assert f"{two.key[:4]}…{two.key[-4:]}" in outcome.out
        assert not [
            word for word in (one.key, one.secret, two.key, two.secret, *pem.splitlines()[1:-1]) if word in text
        ]
        assert str(repository.folder) not in text
        assert "file:" not in text

    def test_of_nothing(self, repository: Repository) -> None:
        repository.commit({"a.py": "import os\n"})
        assert "0 added" in create(repository.folder).out
        assert content(repository.folder)["results"] == {}
        assert scan(repository.folder).status == 0

    def test_overwrites_nothing(self, repository: Repository) -> None:
        known_pair(repository)
        before = repository.path(NAME).read_bytes()
        outcome = create(repository.folder, status=2)
        assert outcome.err.splitlines()[0] == f"binance-leaks: {NAME} exists"
        assert "baseline update" in outcome.err
        assert repository.path(NAME).read_bytes() == before

    def test_not_even_a_link_to_nowhere(self, repository: Repository) -> None:
        repository.path(NAME).symlink_to("gone")
        assert "exists" in create(repository.folder, status=2).err

    def test_from_a_folder_inside_it_is_of_the_whole(self, repository: Repository) -> None:
        one, two = Pair.fresh(), Pair.fresh()
        repository.commit({"src/a.py": one.python, "b.py": two.python})
        create(repository.path("src"))
        assert entries(repository.folder) == of("src/a.py", one) | of("b.py", two)

    def test_of_some_paths(self, repository: Repository) -> None:
        one, two = Pair.fresh(), Pair.fresh()
        repository.commit({"src/a.py": one.python, "b.py": two.python})
        create(repository.path("src"), ".", "--baseline", "known.json")
        assert entries(repository.path("src"), "known.json") == of("src/a.py", one)

    def test_outside_of_a_repository(self, tmp_path: Path) -> None:
        pair = Pair.fresh()
        folder = tmp_path / "tree" / "src"
        folder.mkdir(parents=True)
        (folder / "a.py").write_text(pair.python)
        create(folder, ".", "--baseline", "../known.json")
        assert entries(folder.parent, "known.json") == of("src/a.py", pair)
        assert run("scan", "--baseline", "../known.json", cwd=folder).status == 0
        assert run("scan", "--baseline", "tree/known.json", "tree/src/a.py", cwd=tmp_path).status == 0

    def test_what_is_allowed_otherwise_is_not_added(self, repository: Repository) -> None:
        allowed, excluded, by_path, unsure = Pair.fresh(), Pair.fresh(), Pair.fresh(), value()
        settings = "[[allow]]\npath = 'tests/**'\n\n"
        repository.commit(
            {
                ".binance-leaks.toml": f"exclude = ['vendor/']\n{settings}",
                "a.py": f"import binance\n{allowed.call.rstrip()}  # binance-leaks: allow\n",
                "vendor/b.py": excluded.python,
                "tests/c.py": by_path.python,
                "d.txt": f"{unsure}\n",
                "e.py": Pair.fresh().python,
            }
        )
        create(repository.folder, "--exclude", "e.py")
        assert entries(repository.folder) == set()
        repository.path(NAME).unlink()
        create(repository.folder, "--exclude", "e.py", "--confidence", "low")
        assert {path for path, _, _ in entries(repository.folder)} == {"d.txt"}
        assert {plugin["confidence"] for plugin in content(repository.folder)["plugins_used"]} == {"low"}

    def test_it_is_not_scanned_itself(self, repository: Repository) -> None:
        pair = known_pair(repository)
        text = repository.path(NAME).read_text()
        leaked = Pair.fresh()
        odd = text.replace('"version": "1.5.0",', f'"version": "1.5.0",\n  "binance_api_key": "{leaked.key}",', 1)
        repository.write(NAME, odd)
        update(repository.folder)
        assert entries(repository.folder) == of("bot.py", pair)
        assert run("scan", "--confidence", "low", NAME, cwd=repository.folder).status == 1
        repository.write(NAME, text)
        assert run("scan", "--confidence", "low", NAME, cwd=repository.folder).status == 0

    def test_a_value_in_a_path_is_not_written(self, repository: Repository) -> None:
        pair, named = Pair.fresh(), value()
        repository.commit({f"keys/{named}.py": pair.python})
        create(repository.folder)
        assert named not in repository.path(NAME).read_text()
        assert scan(repository.folder).status == 0
        assert "0 added, 3 kept, 0 dropped" in update(repository.folder).out

    def test_a_byte_order_mark_is_accepted(self, repository: Repository) -> None:
        pair = Pair.fresh()
        repository.commit({"bot.py": pair.python})
        create(repository.folder)
        file = repository.path(NAME)
        file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
        repository.write(".binance-leaks.toml", f'\ufeffbaseline = "{NAME}"\n')
        assert run("scan", cwd=repository.folder).status == 0
        repository.write(".binance-leaks.toml", f'\ufeff[tool.binance-leaks]\nbaseline = "{NAME}"\n')
        assert run("scan", cwd=repository.folder).status == 0
        other = Pair.fresh()
        repository.commit({"other.py": other.python})
        update(repository.folder)
        assert entries(repository.folder) == of("bot.py", pair) | of("other.py", other)

    def test_paths_that_are_no_text(self, repository: Repository) -> None:
        pair = Pair.fresh()
        for name in (b"caf\xe9.py", "naïve ☃.py".encode(), b"back\\slash.py", b"new\nline.py"):
            repository.write(name, pair.python)
        create(repository.folder)
        assert len(entries(repository.folder)) == 8
        assert scan(repository.folder).status == 0
        assert "No change" in update(repository.folder).out

    def test_of_a_name_that_is_no_place(self, repository: Repository) -> None:
        outcome = create(repository.folder, "--baseline", "gone/known.json", status=2)
        assert "there is no folder gone" in outcome.err
        assert "the path is empty" in create(repository.folder, "", status=2).err
        assert "no such file" in create(repository.folder, "gone.py", status=2).err
        assert "not in the repository" in create(repository.folder, ".", "..", status=2).err
        assert not repository.path(NAME).exists()


class TestMatching:
    """What is known passes, what is new does not."""

    def test_moving_and_renaming_lines_changes_nothing(self, repository: Repository) -> None:
        pair = known_pair(repository)
        for text in (
            f"# more\n# lines\n\n{pair.python}",
            f"if True:\n        {pair.call}\nfrom binance import Client\n",
            f"BINANCE_KEY = '{pair.key}'\nBINANCE_SECRET = '{pair.secret}'\n",
            pair.python.replace("\n", "\r\n"),
            pair.python.encode("utf-16").decode("latin-1"),
        ):
            repository.path("bot.py").write_bytes(text.encode("latin-1"))
            outcome = scan(repository.folder)
            assert outcome.status == 0, text
            assert suppressed(outcome.out) == [("baseline", "known to the baseline, not audited")]
            before = repository.path(NAME).read_bytes()
            assert "No change" in update(repository.folder).out
            assert repository.path(NAME).read_bytes() == before

    def test_another_value_on_the_line_is_new(self, repository: Repository) -> None:
        pair, other = known_pair(repository), Pair.fresh()
        repository.write("bot.py", f"import binance\n{pair.call.rstrip()}; {other.call}")
        outcome = scan(repository.folder)
        assert outcome.status == 1
        (finding,) = [finding for finding in outcome.report["findings"] if finding["suppressed"] is None]
        assert digests([finding]) == other.digests

    @pytest.mark.parametrize("new", ["key", "secret"])
    def test_a_pair_with_one_new_half_is_new(self, repository: Repository, new: str) -> None:
        pair = known_pair(repository)
        changed = Pair(key=value(), secret=pair.secret) if new == "key" else Pair(key=pair.key, secret=value())
        repository.write("bot.py", changed.python)
        outcome = scan(repository.folder)
        assert outcome.status == 1
        (finding,) = outcome.report["findings"]
        assert digests([finding]) == changed.digests

    def test_another_file_is_new(self, repository: Repository) -> None:
        pair = known_pair(repository)
        repository.write("other.py", pair.python)
        assert scan(repository.folder).status == 1
        assert scan(repository.folder, "bot.py").status == 0

    def test_labels_are_reported(self, repository: Repository) -> None:
        known_pair(repository)
        for printed, word in ((True, "as real"), (False, "as a false alarm")):
            label(repository.folder, bot_py=printed)
            assert suppressed(scan(repository.folder).out) == [("baseline", f"known to the baseline, audited {word}")]
        text = run("scan", "--baseline", NAME, "--show-suppressed", cwd=repository.folder).out
        assert "suppressed (baseline): known to the baseline, audited as a false alarm" in text

    def test_from_any_folder_in_any_way(self, repository: Repository, tmp_path: Path) -> None:
        pair = Pair.fresh()
        repository.commit({"src/sub/bot.py": pair.python, "other/x": ""})
        create(repository.folder)
        top = repository.folder
        (tmp_path / "link").symlink_to(top)
        for cwd, words in (
            (top, ["src/"]),
            (top, ["./src/sub/../sub/bot.py"]),
            (top / "src" / "sub", []),
            (top / "src", ["sub"]),
            (top / "other", ["../src"]),
            (tmp_path, [str(top)]),
            (tmp_path, [str(tmp_path / "link" / "src")]),
            (tmp_path / "link" / "src", ["sub/bot.py"]),
            (tmp_path, ["link"]),
        ):
            known = os.path.relpath(top / NAME, cwd.resolve())
            assert run("scan", "--baseline", known, *words, cwd=cwd).status == 0, (cwd, words)
            assert run("scan", "--baseline", top / NAME, *words, cwd=cwd).status == 0, (cwd, words)

    def test_in_a_clone_elsewhere(self, repository: Repository, tmp_path: Path) -> None:
        known_pair(repository)
        repository.git("clone", "--quiet", str(repository.folder), str(tmp_path / "far" / "away"))
        shutil.rmtree(repository.folder)
        clone = Repository(tmp_path / "far" / "away")
        assert scan(clone.folder).status == 0
        assert "No change" in update(clone.folder).out
        clone.write("bot.py", Pair.fresh().python)
        assert scan(clone.folder).status == 1

    def test_members_of_archives(self, repository: Repository) -> None:
        pair, other = Pair.fresh(), Pair.fresh()
        with zipfile.ZipFile(repository.path("a.zip"), "w") as archive:
            archive.writestr("in/x.env", pair.dotenv)
        create(repository.folder)
        assert entries(repository.folder) == of("a.zip!/in/x.env", pair)
        assert scan(repository.folder).status == 0
        with zipfile.ZipFile(repository.path("a.zip"), "a") as archive:
            archive.writestr("in/y.env", other.dotenv)
        assert scan(repository.folder).status == 1
        assert "2 added, 2 kept, 0 dropped" in update(repository.folder).out
        repository.path("a.zip").unlink()
        assert "0 added, 0 kept, 4 dropped" in update(repository.folder).out

    def test_written_on_windows(self, repository: Repository) -> None:
        pair = known_pair(repository, "src/bot.py")
        text = repository.path(NAME).read_text().replace("src/bot.py", "src\\\\bot.py").replace("\n", "\r\n")
        repository.path(NAME).write_bytes(text.encode())
        assert scan(repository.folder).status == 0
        assert "No change" in update(repository.folder).out
        assert repository.path(NAME).read_bytes() == text.encode()
        repository.write("src/bot.py", f"{pair.python}\n{Pair.fresh().python}")
        assert "2 added, 2 kept, 0 dropped" in update(repository.folder).out
        data = repository.path(NAME).read_bytes()
        assert data.count(b"\n") == data.count(b"\r\n")
        assert scan(repository.folder).status == 0


class TestEverywhere:
    """The same baseline for every command, from the command line and the configuration."""

    def test_staged(self, repository: Repository) -> None:
        pair = known_pair(repository)
        repository.commit({"bot.py": "import os\n"})
        repository.stage("bot.py", f"# again\n\n\n{pair.python.replace('client', 'other')}")
        assert staged(repository).status == 1
        seen = staged(repository, "--baseline", NAME)
        assert seen.status == 0
        assert seen.report["scan"]["stats"]["suppressed"] == 1
        repository.stage("new.py", Pair.fresh().python)
        assert staged(repository, "--baseline", NAME).status == 1

    def test_named_files_that_are_not_staged(self, repository: Repository) -> None:
        pair = known_pair(repository, "src/bot.py")
        named = run("staged", "--baseline", f"../{NAME}", "--", "bot.py", cwd=repository.path("src"))
        assert named.status == 0, named.out
        repository.write("src/other.py", pair.python)
        named = run("staged", "--baseline", f"../{NAME}", "--", "bot.py", "other.py", cwd=repository.path("src"))
        assert named.status == 1
        assert "src/other.py:2" in named.out

    def test_staged_reads_it_only_where_something_is_found(self, repository: Repository) -> None:
        repository.stage("a.py", "import os\n")
        assert run("staged", "--baseline", "gone", cwd=repository.folder).status == 0
        repository.stage("a.py", Pair.fresh().python)
        assert run("staged", "--baseline", "gone", cwd=repository.folder).status == 2

    def test_a_commit_through_the_hook(self, repository: Repository) -> None:
        pair = known_pair(repository)
        repository.hook("pre-commit", "staged", "--baseline", NAME, "--")
        repository.stage("bot.py", f"# moved\n{pair.call}\nimport binance\n")
        repository.git("commit", "--quiet", "--message", "moved")
        repository.stage("bot.py", f"# moved\n{pair.call}{Pair.fresh().call}\nimport binance\n")
        assert repository.run("commit", "--message", "new").status != 0

    def test_message(self, repository: Repository) -> None:
        pair = Pair.fresh()
        repository.commit({"a": "a"}, message=f"Try binance\n\n{pair.call}")
        create(repository.folder, "--history")
        assert entries(repository.folder) == of("commit message", pair)
        repository.write("sub/MESSAGE", f"Again with binance\n\n\n  {pair.call}")
        assert run("message", "--baseline", NAME, "sub/MESSAGE", cwd=repository.folder).status == 0
        assert run("message", "--baseline", f"../{NAME}", "MESSAGE", cwd=repository.path("sub")).status == 0
        assert run("message", "sub/MESSAGE", cwd=repository.folder).status == 1
        repository.write("sub/MESSAGE", f"Again with binance\n\n{Pair.fresh().call}")
        assert run("message", "--baseline", NAME, "sub/MESSAGE", cwd=repository.folder).status == 1

    @pytest.mark.parametrize(
        ("file", "table"), [(".binance-leaks.toml", ""), ("pyproject.toml", "[tool.binance-leaks]\n")]
    )
    def test_by_the_configuration(self, repository: Repository, file: str, table: str) -> None:
        known_pair(repository)
        repository.write(file, f'{table}baseline = "{NAME}"\n')
        repository.path("sub").mkdir()
        for cwd in (repository.folder, repository.path("sub")):
            assert run("scan", "..", cwd=repository.path("sub")).status == 0
            assert run("scan", repository.folder, cwd=cwd).status == 0
        assert run("scan", "--no-baseline", cwd=repository.folder).status == 1
        assert run("history", cwd=repository.folder).status == 0
        repository.write("empty.json", json.dumps({"version": "1.5.0", "results": {}}))
        assert run("scan", "--baseline", "empty.json", cwd=repository.folder).status == 1
        assert "No change" in update(repository.path("sub")).out
        assert run("scan", "--baseline", NAME, "--no-baseline", cwd=repository.folder).status == 2

    @pytest.mark.parametrize("setting", ["baseline = 1", 'baseline = ""', "baseline = []"])
    def test_a_configuration_that_names_no_file(self, repository: Repository, setting: str) -> None:
        repository.write(".binance-leaks.toml", f"{setting}\n")
        outcome = run("scan", cwd=repository.folder)
        assert outcome.status == 2
        assert "baseline must be" in outcome.err

    def test_the_file_of_the_configuration_is_the_default(self, repository: Repository) -> None:
        repository.write(".binance-leaks.toml", 'baseline = "ci/known.json"\n')
        pair = Pair.fresh()
        repository.commit({"bot.py": pair.python, "ci/x": ""})
        create(repository.folder)
        assert entries(repository.path("ci"), "known.json") == of("bot.py", pair)
        assert not repository.path(NAME).exists()


class TestHistory:
    """What only the history holds."""

    def test_older_commits_by_path_and_value(self, repository: Repository) -> None:
        pair, new = Pair.fresh(), Pair.fresh()
        repository.commit({"a.py": pair.python})
        repository.commit({"a.py": f"# later\n{pair.python}"})
        create(repository.folder)
        assert run("history", "--baseline", NAME, cwd=repository.folder).status == 0
        repository.commit({"a.py": new.python})
        outcome = run("history", "--baseline", NAME, "--format", "json", cwd=repository.folder)
        assert outcome.status == 1
        assert digests(outcome.report["findings"]) == new.digests

    def test_create_with_history_and_update_after_it(self, repository: Repository) -> None:
        old, new = Pair.fresh(), Pair.fresh()
        repository.commit({"gone.py": old.python, "a.py": "import os\n"})
        repository.git("rm", "--quiet", "gone.py")
        repository.commit()
        create(repository.folder, "--history")
        assert entries(repository.folder) == of("gone.py", old)
        assert run("history", "--baseline", NAME, cwd=repository.folder).status == 0
        repository.write("a.py", new.python)
        assert "2 added, 2 kept, 0 dropped" in update(repository.folder).out
        assert entries(repository.folder) == of("gone.py", old) | of("a.py", new)
        assert "No change" in update(repository.folder).out

    def test_without_history_what_is_gone_goes(self, repository: Repository) -> None:
        pair = known_pair(repository)
        repository.commit({"bot.py": "import os\n"})
        update(repository.folder)
        assert entries(repository.folder) == set()
        assert "2 added" in update(repository.folder, "--history").out
        assert entries(repository.folder) == of("bot.py", pair)
        assert "No change" in update(repository.folder).out

    def test_some_paths_of_a_history(self, repository: Repository) -> None:
        one, two, reported = Pair.fresh(), Pair.fresh(), Pair.fresh()
        repository.commit({"src/a.py": one.python, "b.py": two.python}, message=f"binance\n\n{reported.call}")
        repository.git("rm", "--quiet", "-r", "src", "b.py")
        repository.commit({"src/x": ""})
        create(repository.folder, "--history", "src")
        assert entries(repository.folder) == of("src/a.py", one)
        update(repository.folder)
        assert entries(repository.folder) == of("src/a.py", one) | of("b.py", two) | of("commit message", reported)
        assert "No change" in update(repository.folder, "src").out

    def test_a_shallow_clone_drops_nothing(self, repository: Repository, tmp_path: Path) -> None:
        old = Pair.fresh()
        repository.commit({"gone.py": old.python})
        repository.git("rm", "--quiet", "gone.py")
        create(repository.folder, "--history")
        repository.commit({NAME: repository.path(NAME).read_bytes()})
        repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(tmp_path / "clone"))
        outcome = update(tmp_path / "clone", status=3)
        assert "No change" in outcome.out
        assert "shallow clone" in outcome.out
        assert entries(tmp_path / "clone") == of("gone.py", old)

    def test_squashed_and_rebased(self, repository: Repository) -> None:
        pair = known_pair(repository)
        repository.commit({"bot.py": f"# one\n{pair.python}"})
        repository.commit({"bot.py": f"# one\n# two\n{pair.python}"})
        repository.git("reset", "--quiet", "--soft", "HEAD~2")
        repository.commit(message="squashed")
        assert run("history", "--reachable", "--baseline", NAME, cwd=repository.folder).status == 0


class TestUpdate:
    """What is kept, and what is not."""

    def test_labels_and_lines_are_kept(self, repository: Repository) -> None:
        pair, new = known_pair(repository), Pair.fresh()
        label(repository.folder, bot_py=True)
        before = content(repository.folder)["results"]["bot.py"]
        repository.write("bot.py", f"# a line more\n{pair.python}\nimport os\n{new.python}")
        outcome = update(repository.folder)
        assert "2 added, 2 kept, 0 dropped" in outcome.out
        after = content(repository.folder)["results"]["bot.py"]
        assert [entry for entry in after if entry in before] == before
        assert "is_secret" not in next(entry for entry in after if entry not in before)

    def test_dropped_ones_are_reported(self, repository: Repository) -> None:
        pair = known_pair(repository)
        repository.write("bot.py", "import os\n")
        outcome = update(repository.folder)
        assert "0 added, 0 kept, 2 dropped" in outcome.out
        assert f"dropped  bot.py  {API_KEY}, SHA-1 {sha(pair.key)[:12]}" in outcome.out
        assert "bot.py" not in content(repository.folder)["results"]

    def test_an_entry_whose_value_is_less_sure_now_stays(self, repository: Repository) -> None:
        key = value()
        repository.commit({"a.txt": f"{key}\n"})
        create(repository.folder, "--confidence", "low")
        assert "No change" in update(repository.folder).out
        repository.write("a.txt", f"{key}  # binance-leaks: allow\n")
        assert "No change" in update(repository.folder).out

    def test_what_was_not_looked_at_stays(self, repository: Repository) -> None:
        one, two, ignored = Pair.fresh(), Pair.fresh(), Pair.fresh()
        repository.commit({".gitignore": ".env\n", "src/a.py": one.python, "b.py": two.python})
        repository.write(".env", ignored.dotenv)
        create(repository.folder, "--all-files")
        assert entries(repository.folder) == of("src/a.py", one) | of("b.py", two) | of(".env", ignored)
        repository.write("b.py", "import os\n")
        assert "0 added, 6 kept, 0 dropped" in update(repository.folder, "src").out
        repository.write("src/a.py", "import os\n")
        update(repository.folder, "src")
        assert entries(repository.folder) == of("b.py", two) | of(".env", ignored)
        repository.write(".binance-leaks.toml", "exclude = ['b.py']\n")
        assert "No change" in update(repository.folder).out
        repository.path(".binance-leaks.toml").unlink()
        update(repository.folder)
        assert entries(repository.folder) == of(".env", ignored)
        repository.path(".env").unlink()
        update(repository.folder)
        assert entries(repository.folder) == set()

    def test_a_folder_that_is_gone(self, repository: Repository) -> None:
        known_pair(repository, "src/deep/bot.py")
        shutil.rmtree(repository.path("src"))
        assert "0 added, 0 kept, 2 dropped" in update(repository.folder).out

    def test_of_others(self, repository: Repository) -> None:
        """Settings, entries and keys that are not ours stay to the letter, and so does a timestamp."""
        pair = Pair.fresh()
        repository.commit({"bot.py": pair.python, "old.py": "import os\n"})
        other: Entry = {"type": "Secret Keyword", "filename": "old.py", "hashed_secret": "ab" * 20, "is_secret": False}
        gone: Entry = {"type": API_KEY, "filename": "old.py", "hashed_secret": "cd" * 20}
        whole = {
            "generated_at": "2020-01-01T00:00:00Z",
            "version": "1.4.0",
            "whatever": {"more": [1, None]},
            "plugins_used": [{"name": "KeywordDetector", "keyword_exclude": ""}],
            "filters_used": [],
            "results": {"zz": [other], "old.py": [other, gone]},
        }
        repository.write(NAME, json.dumps(whole, indent=2) + "\n")
        update(repository.folder)
        after = content(repository.folder)
        assert {**after, "results": {}} == {**whole, "results": {}}
        assert list(after) == list(whole)
        assert after["results"]["zz"] == after["results"]["old.py"] == [other]
        assert entries(repository.folder) >= of("bot.py", pair)

    def test_without_a_change_the_file_is_left_alone(self, repository: Repository) -> None:
        known_pair(repository)
        odd = json.dumps(content(repository.folder))  # as no program would write it
        repository.write(NAME, odd)
        stamp = repository.path(NAME).stat()
        assert "No change" in update(repository.folder).out
        assert update(repository.folder, "-q").out == ""
        assert repository.path(NAME).read_text() == odd
        assert (repository.path(NAME).stat().st_mtime_ns, repository.path(NAME).stat().st_ino) == (
            stamp.st_mtime_ns,
            stamp.st_ino,
        )

    def test_mode_and_link_are_kept(self, repository: Repository, tmp_path: Path) -> None:
        known_pair(repository)
        real = tmp_path / "real.json"
        repository.path(NAME).rename(real)
        real.chmod(0o640)
        repository.path(NAME).symlink_to(real)
        repository.write("new.py", Pair.fresh().python)
        update(repository.folder)
        assert repository.path(NAME).is_symlink()
        assert real.stat().st_mode & 0o777 == 0o640
        assert len(entries(repository.folder)) == 4
        assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "real.json"]

    def test_a_new_file_has_the_usual_mode(self, repository: Repository) -> None:
        known_pair(repository)
        usual = repository.write("usual", "")
        assert repository.path(NAME).stat().st_mode == usual.stat().st_mode


def test_no_output_holds_a_value(repository: Repository) -> None:
    """`run` looks at what is printed; here at what is written."""
    pair, other = Pair.fresh(), Pair.fresh()
    repository.commit({"a.py": pair.python}, message=f"binance\n\n{other.call}")
    create(repository.folder, "--history")
    text = repository.path(NAME).read_text()
    for each in (pair.key, pair.secret, other.key, other.secret):
        assert each not in text
        assert each[:8] not in text
        assert digest(each) not in text
