"""Our baselines in the real programs of detect-secrets, and theirs in ours."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import binance_leaks.plugin
import pytest
from binance_leaks.baseline.known import PLUGIN_NAMES, REFERENCE_FILTER, filters

from tests.corpus import values
from tests.e2e import PROGRAM, Pair, run, value
from tests.e2e.baselines import (
    API_KEY,
    NAME,
    SECRET_KEY,
    content,
    create,
    entries,
    of,
    scan,
    sha,
    update,
)
from tests.program_server import run_text
from tests.repositories import Repository

PLUGIN = str(Path(binance_leaks.plugin.__file__).resolve())
WITH_PLUGIN = ("-p", PLUGIN)


def ours(*words: str | Path, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Our program where it may show values: an audit does."""
    done = run_text("binance-leaks", *words, cwd=cwd, stdin=stdin)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def labels(folder: Path) -> dict[str, list[bool | None]]:
    return {path: [raw.get("is_secret") for raw in listed] for path, listed in content(folder)["results"].items()}


def lines(pair: Pair) -> str:
    """A pair on two lines, as an audit of one line shows them by digest."""
    return f'BINANCE_API_KEY = "{pair.key}"\nBINANCE_API_SECRET = "{pair.secret}"\n'


def commit_known(repository: Repository, path: str = "bot.py") -> Pair:
    """A pair that is committed and in a baseline that we made, which is committed too."""
    pair = Pair.fresh()
    repository.commit({path: f"import os\n\n{lines(pair)}"})
    create(repository.folder)
    repository.commit({NAME: repository.path(NAME).read_bytes()})
    return pair


@pytest.fixture
def known(repository: Repository) -> Repository:
    """A repository with a pair in `bot.py`, known to a baseline that we made."""
    commit_known(repository)
    return repository


class TestByTheHostAlone:
    """What of detect-secrets 1.5.0 works on our baselines as it is, and what does not: README says the same."""

    def test_the_settings_are_what_it_writes_itself(self, known: Repository) -> None:
        flags = ("-n", "--disable-filter", REFERENCE_FILTER)
        made = json.loads(run_text("detect-secrets", "scan", *WITH_PLUGIN, *flags, "bot.py", cwd=known.folder).stdout)
        own = content(known.folder)
        assert own["version"] == made["version"]
        found = [raw for raw in made["results"]["bot.py"] if raw["type"] in (API_KEY, SECRET_KEY)]
        assert own["results"] == {"bot.py": found}
        verified = "detect_secrets.filters.common.is_ignored_due_to_verification_policies"
        assert [each for each in filters() if each["path"] != verified] == made["filters_used"]
        plugins = [each for each in made["plugins_used"] if each["name"] in PLUGIN_NAMES]
        assert own["plugins_used"] == [{k: v for k, v in each.items() if k != "path"} for each in plugins]

    def test_hook_with_the_plugin(self, known: Repository) -> None:
        before = known.path(NAME).read_bytes()
        hook = ("detect-secrets-hook", *WITH_PLUGIN, "--baseline", NAME)
        done = run_text(*hook, "bot.py", NAME, cwd=known.folder)
        assert (done.returncode, done.stdout) == (0, "")
        assert known.path(NAME).read_bytes() == before
        known.stage("new.py", Pair.fresh().python)
        done = run_text(*hook, "bot.py", "new.py", cwd=known.folder)
        assert done.returncode == 1
        assert "new.py:2" in done.stdout
        assert "bot.py" not in done.stdout

    @pytest.mark.parametrize(
        "words",
        [
            ["detect-secrets-hook", "--baseline", NAME, "bot.py"],
            ["detect-secrets", "scan", "--baseline", NAME],
            ["detect-secrets", "audit", NAME],
            ["detect-secrets", "audit", "--report", NAME],
            ["detect-secrets", "audit", "--stats", NAME],
        ],
    )
    def test_without_the_plugin_nothing_passes_nor_changes(self, known: Repository, words: list[str]) -> None:
        """It stops, rather than to scan nothing and pass."""
        before = known.path(NAME).read_bytes()
        done = run_text(*words, cwd=known.folder, stdin="s\ns\n")
        assert done.returncode == 1
        assert done.stderr
        assert known.path(NAME).read_bytes() == before

    def test_scan_with_the_plugin(self, known: Repository) -> None:
        before = content(known.folder)
        known.stage("new.py", Pair.fresh().python)
        text = json.dumps(before, indent=2).replace('"line_number"', '"is_secret": true, "line_number"', 1)
        known.stage(NAME, text)
        done = run_text("detect-secrets", "scan", "-n", *WITH_PLUGIN, "--baseline", NAME, cwd=known.folder)
        assert done.returncode == 0, done.stderr
        assert list(content(known.folder)["results"]) == ["bot.py", "new.py"]
        assert labels(known.folder) == {"bot.py": [True, None], "new.py": [None, None]}
        assert scan(known.folder).status == 0
        after = known.path(NAME).read_bytes()
        assert "No change" in update(known.folder).out
        assert known.path(NAME).read_bytes() == after


class TestHook:
    """`detect-secrets-hook` by our program."""

    def test_known_and_new(self, known: Repository) -> None:
        before = known.path(NAME).read_bytes()
        done = ours("detect-secrets-hook", "--baseline", NAME, "bot.py", NAME, cwd=known.folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        known.stage("new.py", Pair.fresh().python)
        done = ours("detect-secrets-hook", "--baseline", NAME, "new.py", "bot.py", cwd=known.folder)
        assert done.returncode == 1
        assert "new.py:2" in done.stdout
        assert known.path(NAME).read_bytes() == before

    def test_when_it_updates_lines_all_else_stays(self, known: Repository) -> None:
        text = known.path(NAME).read_text()
        before = json.loads(text)
        known.stage(NAME, json.dumps({**before, "whatever": 1}, indent=2) + "\n")
        known.commit({"bot.py": f"# more\n{known.path('bot.py').read_text()}"})
        done = ours("detect-secrets-hook", "--baseline", NAME, "bot.py", cwd=known.folder)
        assert done.returncode == 3
        after = json.loads(known.path(NAME).read_text())
        assert {**after, "results": 0} == {**before, "whatever": 1, "results": 0}
        assert known.path(NAME).read_text() == json.dumps(after, indent=2) + "\n"
        assert entries(known.folder) == {
            (path, raw["type"], raw["hashed_secret"]) for path, listed in before["results"].items() for raw in listed
        }


class TestAudit:
    """`baseline audit`: the audit of detect-secrets, wherever lines, files and machines have gone."""

    def test_answers_from_standard_input(self, known: Repository) -> None:
        before = known.path(NAME).read_text()
        done = ours("baseline", "audit", cwd=known.folder, stdin="n\ny\n")
        assert done.returncode == 0, done.stderr
        assert labels(known.folder) == {"bot.py": [True, False]}
        after = known.path(NAME).read_text().replace(',\n        "is_secret": true', "")
        assert after.replace(',\n        "is_secret": false', "") == before
        reported = ours("baseline", "audit", cwd=known.folder).stdout
        assert "Nothing to audit!" in reported

    def test_at_a_terminal(self, known: Repository) -> None:
        master, slave = pty.openpty()
        with subprocess.Popen(
            [*PROGRAM, "baseline", "audit", NAME], cwd=known.folder, stdin=slave, stdout=slave, stderr=slave
        ) as process:
            os.close(slave)
            shown, ends = b"", time.monotonic() + 60
            for answer in (b"y\n", b"b\n", b"n\n", b"s\n"):
                while not shown.endswith(b"(q)uit: ") and time.monotonic() < ends:
                    if select.select([master], [], [], 1)[0]:
                        shown += os.read(master, 65536)
                os.write(master, answer)
                shown += answer
            shown += _rest(master)
            assert process.wait(60) == 0
        os.close(master)
        assert b"bot.py" in shown
        assert labels(known.folder) == {"bot.py": [True, None]}

    def test_it_is_the_same_under_its_old_name(self, known: Repository) -> None:
        done = ours("detect-secrets-audit", NAME, cwd=known.folder, stdin="n\ny\n")
        assert done.returncode == 0, done.stderr
        assert labels(known.folder) == {"bot.py": [True, False]}

    def test_from_another_folder(self, known: Repository, tmp_path: Path) -> None:
        known.path("sub").mkdir()
        for cwd, words in ((known.path("sub"), []), (tmp_path, [str(known.path(NAME))])):
            done = ours("baseline", "audit", *words, cwd=cwd, stdin="n\n" * 2)
            assert done.returncode == 0, done.stderr
            assert labels(known.folder) == {"bot.py": [True, True]}
            for listed in (whole := content(known.folder))["results"].values():
                for raw in listed:
                    raw.pop("is_secret")
            known.write(NAME, json.dumps(whole, indent=2))

    def test_after_lines_have_moved(self, known: Repository) -> None:
        known.write("bot.py", f"\n\n# more\n{known.path('bot.py').read_text()}")
        before = content(known.folder)["results"]["bot.py"]
        done = ours("baseline", "audit", cwd=known.folder, stdin="n\nn\n")
        assert "not found" not in done.stdout
        after = content(known.folder)["results"]["bot.py"]
        assert [{**raw, "is_secret": True} for raw in before] == after

    def test_statistics_and_report(self, known: Repository) -> None:
        ours("baseline", "audit", cwd=known.folder, stdin="n\ny\n")
        stats = json.loads(ours("baseline", "audit", "--stats", "--json", cwd=known.folder).stdout)
        assert stats["BinanceApiKeyDetector"]["stats"]["raw"]["true-positives"] == 1
        assert stats["BinanceSecretKeyDetector"]["stats"]["raw"]["false-positives"] == 1
        report = json.loads(ours("baseline", "audit", "--report", cwd=known.folder).stdout)["results"]
        found = {(each["filename"], kind, sha(each["secrets"])) for each in report for kind in each["types"]}
        assert found == entries(known.folder)
        real = json.loads(ours("baseline", "audit", "--report", "--only-real", cwd=known.folder).stdout)["results"]
        assert [each["types"] for each in real] == [[API_KEY]]

    def test_what_only_the_history_holds_stays(self, repository: Repository) -> None:
        old, reported = Pair.fresh(), Pair.fresh()
        repository.commit({"gone.py": old.python}, message=f"binance\n\n{reported.call}")
        repository.git("rm", "--quiet", "gone.py")
        pair = Pair.fresh()
        repository.commit({"bot.py": pair.python})
        create(repository.folder, "--history")
        done = ours("baseline", "audit", cwd=repository.folder, stdin="n\nn\n")
        assert done.returncode == 0, done.stderr
        assert "4 of" in done.stderr
        assert entries(repository.folder) == of("bot.py", pair) | of("gone.py", old) | of("commit message", reported)
        assert labels(repository.folder)["bot.py"] == [True, True]
        assert json.loads(ours("baseline", "audit", "--report", cwd=repository.folder).stdout)["results"]
        stats = json.loads(ours("baseline", "audit", "--stats", "--json", cwd=repository.folder).stdout)
        assert stats["BinanceApiKeyDetector"]["stats"]["raw"] == {
            "true-positives": 1, "false-positives": 0, "unknown": 2,
        }  # fmt: skip
        assert "No change" in update(repository.folder).out

    def test_private_keys_and_unsure_values(self, repository: Repository) -> None:
        pem = values.pem("PRIVATE KEY", values.rsa_der())
        repository.commit({"k.py": f'import binance\nbinance_private_key = """{pem}"""\n', "x.txt": f"{value()}\n"})
        create(repository.folder, "--confidence", "low")
        done = ours("baseline", "audit", cwd=repository.folder, stdin="n\nn\n")
        assert "not found" not in done.stdout
        assert labels(repository.folder) == {"k.py": [True], "x.txt": [True]}

    def test_written_on_windows(self, repository: Repository) -> None:
        commit_known(repository, "src/bot.py")
        text = repository.path(NAME).read_text().replace("src/bot.py", "src\\\\bot.py")
        repository.write(NAME, text)
        done = ours("baseline", "audit", cwd=repository.folder, stdin="n\ny\n")
        assert "not found" not in done.stdout
        assert labels(repository.folder) == {"src\\bot.py": [True, False]}

    def test_answers_that_end_too_soon(self, known: Repository) -> None:
        before = known.path(NAME).read_bytes()
        done = ours("baseline", "audit", cwd=known.folder, stdin="n\n")
        assert done.returncode == 2
        assert "nothing was saved" in done.stderr
        assert known.path(NAME).read_bytes() == before

    @pytest.mark.parametrize("text", ["{", '{"version": "1.5.0", "results": {"a": [1]}}', "<<<<<<< x\n=======\n"])
    def test_a_baseline_that_is_no_good(self, known: Repository, text: str) -> None:
        known.write(NAME, text)
        assert run("baseline", "audit", cwd=known.folder).status == 2

    def test_none_at_all(self, repository: Repository, tmp_path: Path) -> None:
        for cwd in (repository.folder, tmp_path):
            outcome = run("baseline", "audit", cwd=cwd)
            assert outcome.status == 2
            assert "no such baseline" in outcome.err


class TestTheirs:
    """Baselines that detect-secrets made."""

    @staticmethod
    def made(repository: Repository, *words: str) -> None:
        done = run_text("detect-secrets", "scan", "-n", *words, cwd=repository.folder)
        assert done.returncode == 0, done.stderr
        repository.commit({NAME: done.stdout})

    def test_with_our_plugin(self, repository: Repository) -> None:
        pair = Pair.fresh()
        pem = values.pem("PRIVATE KEY", values.ed25519_der(Random()))
        repository.commit({"bot.py": pair.python, "k.py": f'import binance\nbinance_private_key = """{pem}"""\n'})
        self.made(repository, *WITH_PLUGIN, "--disable-filter", REFERENCE_FILTER)
        before = repository.path(NAME).read_bytes()
        assert scan(repository.folder).status == 0
        assert "0 added, 3 kept, 0 dropped" in update(repository.folder).out
        assert repository.path(NAME).read_bytes() == before

    def test_slim_ones(self, repository: Repository) -> None:
        repository.commit({"bot.py": Pair.fresh().python})
        self.made(repository, "--slim", *WITH_PLUGIN, "--disable-filter", REFERENCE_FILTER)
        assert "generated_at" not in content(repository.folder)
        assert scan(repository.folder).status == 0
        assert "No change" in update(repository.folder).out
        done = ours("baseline", "audit", cwd=repository.folder, stdin="s\n" * 4)
        assert done.returncode == 0, done.stderr

    def test_without_our_plugin(self, repository: Repository) -> None:
        """Ours come in, theirs stay, and their hook goes on with its own plugins."""
        pair = Pair.fresh()
        keyword = f'password = "{values.base62(Random(), 20)}"\n'
        repository.commit({"bot.py": f"{lines(pair)}{keyword}", "b.py": keyword})
        self.made(repository)
        before = content(repository.folder)
        assert not {each[1] for each in entries(repository.folder)} & {API_KEY, SECRET_KEY}
        assert scan(repository.folder).status == 1
        assert "2 added, 0 kept, 0 dropped" in update(repository.folder).out
        after = content(repository.folder)
        assert {**after, "results": {}} == {**before, "results": {}}
        theirs = [raw for raw in after["results"]["bot.py"] if raw["type"] not in (API_KEY, SECRET_KEY)]
        assert theirs == before["results"]["bot.py"]
        assert after["results"]["b.py"] == before["results"]["b.py"]
        assert scan(repository.folder).status == 0
        repository.commit({NAME: repository.path(NAME).read_bytes()})
        assert run_text("detect-secrets-hook", "--baseline", NAME, "b.py", cwd=repository.folder).returncode == 0
        repository.stage("new.py", f'password = "{values.base62(Random(), 20)}"\n')
        assert run_text("detect-secrets-hook", "--baseline", NAME, "new.py", cwd=repository.folder).returncode == 1
        done = ours("detect-secrets-hook", "--baseline", NAME, "bot.py", "b.py", cwd=repository.folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        count = sum(len(listed) for listed in after["results"].values())
        done = ours("baseline", "audit", cwd=repository.folder, stdin="n\n" * count)
        assert done.returncode == 0, done.stderr
        assert all(each == [True] * len(each) for each in labels(repository.folder).values())
        assert {**content(repository.folder), "results": {}} == {**before, "results": {}}


def _rest(master: int) -> bytes:
    """What is still to be read from a terminal until the other side closes it."""
    shown = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # how Linux says that it was closed
            return shown
        if not data:
            return shown
        shown += data


if sys.platform == "win32":
    pytest.skip("has no pseudo terminals", allow_module_level=True)
