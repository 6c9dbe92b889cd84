"""`binance-leaks detect-secrets-hook` in real repositories, with baselines of this machine and of others."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha1
from pathlib import Path
from random import Random

import binance_leaks.plugin
import pytest
from binance_leaks.baseline.known import PLUGIN_NAMES, REFERENCE_FILTER

from tests.corpus import values
from tests.program_server import run_text
from tests.repositories import Repository

PLUGIN = str(Path(binance_leaks.plugin.__file__).resolve())
ELSEWHERE = "file:///home/somebody/.cache/pre-commit/env/lib/python3.10/site-packages/scanner/binance_leaks/plugin.py"
BASELINE = ".secrets.baseline"
CLEAN = "import os\n\n\ndef client() -> object:\n    return Client(os.environ['KEY'], os.environ['SECRET'])\n"
OTHER_PLUGIN = """
from pathlib import Path

from detect_secrets.constants import VerifiedResult
from detect_secrets.plugins.base import BasePlugin


class MarkDetector(BasePlugin):
    secret_type = 'Mark'

    def analyze_string(self, string):
        if 'MARK' in string:
            yield 'MARKED'

    def verify(self, secret):
        Path(__file__).with_name('asked').touch()
        return VerifiedResult.UNVERIFIED
"""


def fresh() -> str:
    return values.hmac_value(Random())


def call() -> str:
    """The most common way to write a key pair down, by itself on the only line of a file."""
    return f'client = Client("{fresh()}", "{fresh()}")\n'


def reference() -> str:
    """A line that a plugin of the host's own would report, and its filter keeps from it."""
    return f'data = decode("{values.base64_bytes(Random(7), 60)}")\n'


def hook(repository: Repository, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Our hook, which never shows a traceback."""
    done = run_text("binance-leaks", "detect-secrets-hook", *arguments, cwd=repository.folder)
    assert "Traceback" not in done.stderr
    return done


def refused(repository: Repository, *arguments: str) -> str:
    """The one line, and the hint perhaps, with which our hook refuses to run."""
    done = hook(repository, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    message, *hints = done.stderr.splitlines()
    assert message.startswith("binance-leaks: ")
    assert all(hint.startswith("  ") for hint in hints)
    assert len(hints) <= 1
    return message


def reported(done: subprocess.CompletedProcess[str]) -> set[tuple[str, str]]:
    """Types and places that the hook prints."""
    rows = done.stdout.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    kinds = [row.split(":", 1)[1].strip() for row in rows if row.startswith("Secret Type:")]
    places = [row.split(":", 1)[1].strip() for row in rows if row.startswith("Location:")]
    return {(kind, place) for kind, place in zip(kinds, places, strict=True) if kind.startswith("Binance")}


def pair_at(place: str) -> set[tuple[str, str]]:
    return {("Binance API Key", place), ("Binance Secret Key", place)}


def read(repository: Repository) -> dict[str, object]:
    content: dict[str, object] = json.loads(repository.path(BASELINE).read_text())
    return content


def rewrite(repository: Repository, **changes: object) -> None:
    """Changes some parts of the baseline, and stages it."""
    repository.stage(BASELINE, json.dumps({**read(repository), **changes}, indent=2) + "\n")


def plugins(repository: Repository, **changes: object) -> list[dict[str, object]]:
    """The plugins of the baseline, ours with some settings changed."""
    content = json.loads(repository.path(BASELINE).read_text())["plugins_used"]
    return [{**plugin, **changes} if plugin["name"] in PLUGIN_NAMES else plugin for plugin in content]


def ours(repository: Repository) -> list[tuple[str, int]]:
    """File and line of the baseline's Binance values."""
    content = json.loads(repository.path(BASELINE).read_text())["results"]
    found = [secret for secrets in content.values() for secret in secrets if secret["type"].startswith("Binance")]
    return sorted((secret["filename"], secret["line_number"]) for secret in found)


def labels(repository: Repository) -> list[bool | None]:
    """The label of an audit for each secret in the baseline."""
    content = json.loads(repository.path(BASELINE).read_text())["results"]
    return [secret.get("is_secret") for secrets in content.values() for secret in secrets]


@pytest.fixture
def known(repository: Repository) -> Repository:
    """A repository with a pair in `old.py`, known to a baseline that was made on another machine."""
    repository.stage("old.py", f"import binance\n\n{call()}")
    made = run_text(
        "detect-secrets",
        "scan",
        "-n",
        "-p",
        PLUGIN,
        "--disable-filter",
        REFERENCE_FILTER,
        "old.py",
        cwd=repository.folder,
    )
    content = json.loads(made.stdout)
    content["filters_used"].append({"path": REFERENCE_FILTER})
    repository.stage(BASELINE, json.dumps(content))
    rewrite(repository, plugins_used=plugins(repository, path=ELSEWHERE))
    assert ours(repository) == [("old.py", 3), ("old.py", 3)]
    repository.commit()
    return repository


class TestPluginPath:
    """The path that users pass to detect-secrets."""

    def test_is_one_that_the_host_takes(self, tmp_path: Path) -> None:
        done = run_text("binance-leaks", "plugin-path", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        plugin = Path(done.stdout.removesuffix("\n"))
        assert plugin.is_file()
        assert plugin.parts[-2:] == ("binance_leaks", "plugin.py")
        (tmp_path / ".env").write_text(f"BINANCE_API_KEY={fresh()}\n")
        scan = run_text("detect-secrets", "scan", "-n", "-p", done.stdout.strip(), ".env", cwd=tmp_path)
        assert "Binance API Key" in scan.stdout


class TestWithoutBaseline:
    """Any credential in the files that are passed stops the commit."""

    def test_a_file_of_one_line(self, repository: Repository) -> None:
        """Which detect-secrets-hook itself does not see, with the plugin or without."""
        repository.stage("bot.py", call())
        assert reported(hook(repository, "bot.py")) == pair_at("bot.py:1")
        assert hook(repository, "bot.py").returncode == 1
        assert run_text("detect-secrets-hook", "-n", "-p", PLUGIN, "bot.py", cwd=repository.folder).returncode == 0

    def test_clean_files(self, repository: Repository) -> None:
        repository.stage("bot.py", CLEAN)
        repository.stage("other.py", CLEAN)
        done = hook(repository, "bot.py", "other.py")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert hook(repository).returncode == 0

    def test_no_value_is_printed(self, repository: Repository) -> None:
        text = call()
        repository.stage("bot.py", text)
        for arguments in ((), ("--json",), ("-v",)):
            done = hook(repository, *arguments, "bot.py")
            assert done.returncode == 1
            assert not [word for word in text.split('"') if len(word) == 64 and word in done.stdout + done.stderr]

    def test_other_plugins_still_have_their_filter(self, repository: Repository) -> None:
        """Lines without a credential are filtered as ever."""
        repository.stage("a.py", reference())
        assert hook(repository, "a.py").returncode == 0
        assert hook(repository, "--disable-filter", REFERENCE_FILTER, "a.py").returncode == 1

    def test_users_own_plugin_and_filters(self, repository: Repository) -> None:
        other = repository.write("../other.py", OTHER_PLUGIN)
        repository.stage("bot.py", f"MARK\n{call()}")
        done = hook(
            repository, "-p", str(other), "--disable-filter", "detect_secrets.filters.heuristic.is_lock_file", "bot.py"
        )
        assert "Mark" in done.stdout
        assert reported(done) == pair_at("bot.py:2")
        assert hook(repository, "--exclude-files", "bot", "bot.py").returncode == 0
        assert hook(repository, "-p", PLUGIN, "bot.py").returncode == 1

    @pytest.mark.parametrize("arguments", [[], ["-n"], ["--no-verify"], ["-nv"], ["--no-v"]])
    def test_nothing_is_verified(self, repository: Repository, arguments: list[str]) -> None:
        other = repository.write("../other.py", OTHER_PLUGIN)
        repository.stage("a.py", "MARK\n")
        assert hook(repository, "-p", str(other), *arguments, "a.py").returncode == 1
        assert not other.with_name("asked").exists()

    def test_unless_the_user_wants_it(self, repository: Repository) -> None:
        other = repository.write("../other.py", OTHER_PLUGIN)
        repository.stage("a.py", "MARK\n")
        assert hook(repository, "-p", str(other), "--only-verified", "a.py").returncode == 0
        assert other.with_name("asked").exists()

    def test_help_and_mistakes_are_the_hosts(self, repository: Repository) -> None:
        shown = hook(repository, "--help")
        assert shown.returncode == 0
        assert "--baseline" in shown.stdout
        assert hook(repository, "--version").returncode == 0
        for wrong in (["--baseline"], ["--no-such-option"], ["-p", "gone.py"], ["-n", "--only-verified"]):
            done = hook(repository, *wrong)
            assert done.returncode == 2
            assert "usage:" in done.stderr

    def test_words_behind_the_double_dash_are_files(self, repository: Repository) -> None:
        repository.stage("bot.py", call())
        assert reported(hook(repository, "--", "bot.py", "--baseline")) == pair_at("bot.py:1")


class TestBaseline:
    """A baseline from anywhere: what it knows passes, what it does not know stops the commit."""

    def test_by_the_host_alone(self, known: Repository) -> None:
        """It scans nothing and passes: what our hook is for."""
        known.stage("new.py", f"import binance\n\n{call()}")
        done = run_text("detect-secrets-hook", "--baseline", BASELINE, "new.py", cwd=known.folder)
        assert done.returncode == 0
        assert "Unable to load plugins" in done.stderr

    def test_what_is_known_passes(self, known: Repository) -> None:
        before = known.path(BASELINE).read_bytes()
        done = hook(known, "--baseline", BASELINE, "old.py")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert known.path(BASELINE).read_bytes() == before

    @pytest.mark.parametrize("arguments", [["--baseline", BASELINE], [f"--baseline={BASELINE}"], ["--basel", BASELINE]])
    def test_what_is_new_does_not(self, known: Repository, arguments: list[str]) -> None:
        before = known.path(BASELINE).read_bytes()
        known.stage("new.py", call())
        known.stage("old.py", known.path("old.py").read_text() + call())
        done = hook(known, *arguments, "old.py", "new.py")
        assert done.returncode == 1
        assert reported(done) == pair_at("new.py:1") | pair_at("old.py:4")
        assert known.path(BASELINE).read_bytes() == before

    def test_moved_lines_update_it_and_nothing_else(self, known: Repository) -> None:
        before = read(known)
        known.stage("old.py", "# a line more\n" + known.path("old.py").read_text())
        done = hook(known, "--base64-limit", "5", "--baseline", BASELINE, "old.py")
        assert done.returncode == 3
        assert f"`git add {BASELINE}`" in done.stdout.replace("\n", " ")
        after = read(known)
        assert ours(known) == [("old.py", 4), ("old.py", 4)]
        assert {name for name in after if after[name] != before.get(name)} <= {"results", "generated_at"}
        assert list(after) == list(before)
        known.stage(BASELINE)
        # The same limit again: what lies between it and the default is no longer in the baseline.
        assert hook(known, "--base64-limit", "5", "--baseline", BASELINE, "old.py").returncode == 0

    def test_what_is_gone_is_removed(self, known: Repository) -> None:
        known.stage("old.py", CLEAN)
        assert hook(known, "--baseline", BASELINE, "old.py").returncode == 3
        assert ours(known) == []
        assert plugins(known) == plugins(known, path=ELSEWHERE)

    def test_it_is_not_scanned_itself(self, known: Repository) -> None:
        """It is among the staged files as soon as it changes, and full of digests."""
        known.stage(BASELINE, known.path(BASELINE).read_text() + "\n")
        assert hook(known, "--baseline", BASELINE, BASELINE, "old.py").returncode == 0

    def test_it_must_be_staged(self, known: Repository) -> None:
        known.write(BASELINE, known.path(BASELINE).read_text() + "\n")
        done = hook(known, "--baseline", BASELINE, "old.py")
        assert done.returncode == 1
        assert f"Your baseline file ({BASELINE}) is unstaged." in done.stdout

    def test_one_without_our_plugins_gets_them(self, known: Repository) -> None:
        others = [plugin for plugin in plugins(known) if plugin["name"] not in PLUGIN_NAMES]
        rewrite(known, plugins_used=others, results={})
        known.stage("new.py", call())
        assert reported(hook(known, "--baseline", BASELINE, "new.py")) == pair_at("new.py:1")
        assert hook(known, "--baseline", BASELINE, "old.py").returncode == 1

    def test_plugins_that_it_leaves_out_stay_out(self, known: Repository) -> None:
        rewrite(known, plugins_used=[each for each in plugins(known) if each["name"] != "BinanceApiKeyDetector"])
        known.stage("new.py", call())
        assert reported(hook(known, "--baseline", BASELINE, "new.py")) == {("Binance Secret Key", "new.py:1")}

    def test_its_settings_hold(self, known: Repository) -> None:
        known.stage("notes.txt", f"{fresh()}\n")
        assert reported(hook(known, "--baseline", BASELINE, "notes.txt")) == set()
        rewrite(known, plugins_used=plugins(known, confidence="low"))
        assert reported(hook(known, "--baseline", BASELINE, "notes.txt")) == {("Binance API Key", "notes.txt:1")}

    def test_a_filter_that_it_leaves_out_stays_out(self, known: Repository) -> None:
        known.stage("a.py", reference())
        assert hook(known, "--baseline", BASELINE, "a.py").returncode == 0
        rewrite(known, filters_used=[])
        assert hook(known, "--baseline", BASELINE, "a.py").returncode == 1

    def test_a_plugin_disabled_by_name(self, known: Repository) -> None:
        """By itself the host looks its plugins up for that before it has read the baseline, and never again."""
        known.stage("new.py", call())
        disabled = ("--disable-plugin", "KeywordDetector", "--baseline", BASELINE)
        assert reported(hook(known, *disabled, "new.py")) == pair_at("new.py:1")

    def test_an_older_one_is_upgraded(self, known: Repository) -> None:
        rewrite(known, version="1.4.0")
        assert hook(known, "--baseline", BASELINE, "old.py").returncode == 3
        assert read(known)["version"] != "1.4.0"
        assert plugins(known) == plugins(known, path=ELSEWHERE)
        assert ours(known) == [("old.py", 3), ("old.py", 3)]

    def test_users_own_plugin_in_it(self, known: Repository) -> None:
        other = known.write("../other.py", OTHER_PLUGIN)
        rewrite(known, plugins_used=[*plugins(known), {"name": "MarkDetector", "path": f"file://{other}"}])
        known.stage("new.py", f"MARK\n{call()}")
        done = hook(known, "--baseline", BASELINE, "new.py")
        assert "Mark" in done.stdout
        assert reported(done) == pair_at("new.py:2")

    @pytest.mark.parametrize(
        "named",
        [
            {"plugins_used": [{"name": "MarkDetector", "path": "file://other.py"}]},
            {"plugins_used": [{"name": "MarkDetector", "path": "1234567other.py"}]},
            {"plugins_used": [{"name": "MarkDetector", "path": "file:///proc/self/cwd/other.py"}]},
            {"plugins_used": [{"name": "MarkDetector", "path": "file://other.py::a.py"}]},
            {"filters_used": [{"path": "file://other.py::keep"}]},
            {"filters_used": [{"path": "FILE://other.py::keep"}]},
            {"version": "0.14.0", "plugins_used": [], "custom_plugin_paths": ["other.py"]},
        ],
    )
    def test_code_of_the_work_tree_is_run_only_if_the_user_names_it(
        self, known: Repository, named: dict[str, object]
    ) -> None:
        ran = known.path("ran")
        name = "other.py::a.py" if sys.platform != "win32" and "::a.py" in str(named) else "other.py"
        known.write(name, f"open({str(ran)!r}, 'w').close()\ndef keep(): return False\n{OTHER_PLUGIN}")
        rewrite(known, **named)
        assert "names code in the work tree" in refused(known, "--baseline", BASELINE, "old.py")
        audited = run_text("binance-leaks", "detect-secrets-audit", BASELINE, cwd=known.folder)
        assert (audited.returncode, ran.exists()) == (2, False)
        assert "names code in the work tree" in audited.stderr

    @pytest.mark.parametrize("kind", ["plugins_used", "filters_used"])
    def test_code_that_the_user_names_is_run(self, known: Repository, kind: str) -> None:
        other = known.write("other.py", f"open('ran', 'w').close()\ndef keep(): return False\n{OTHER_PLUGIN}")
        named, option = (other, "-p") if kind == "plugins_used" else (f"{other}::keep", "-f")
        rewrite(known, **{kind: [{"name": "MarkDetector", "path": f"file://{named}"}]})
        hook(known, option, str(named), "--baseline", BASELINE, "old.py")
        assert known.path("ran").exists()


class TestBadBaseline:
    """Refused before anything is scanned, in one line."""

    def test_missing(self, repository: Repository) -> None:
        assert refused(repository, "--baseline", "gone.json") == "binance-leaks: no such baseline: gone.json"
        assert refused(repository, "--baseline", ".") == "binance-leaks: baseline . is a folder"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", f"baseline {BASELINE} is not valid JSON"),
            ('{"version": ', f"baseline {BASELINE} is not valid JSON"),
            ("[]", f"{BASELINE} is not a baseline of detect-secrets"),
            ("{}", f"{BASELINE} is not a baseline of detect-secrets"),
            ('{"version": 1, "results": {}}', f"{BASELINE} is not a baseline of detect-secrets"),
            ('{"version": "newest", "results": {}}', f"{BASELINE} is not a baseline of detect-secrets"),
            ('{"version": "1.5.0", "results": []}', f"{BASELINE} is not a baseline of detect-secrets"),
            (
                '{"version": "1.5.0", "results": {}, "plugins_used": {}}',
                f"baseline {BASELINE}: “plugins_used” is not a list of plugins",
            ),
        ],
    )
    def test_no_baseline(self, repository: Repository, content: str, message: str) -> None:
        repository.stage(BASELINE, content)
        assert refused(repository, "--baseline", BASELINE) == f"binance-leaks: {message}"

    def test_not_even_text(self, repository: Repository) -> None:
        repository.stage(BASELINE, b"\xff\xfe\x00")
        assert refused(repository, "--baseline", BASELINE).endswith("is not valid JSON: not UTF-8")

    def test_unknown_confidence(self, known: Repository) -> None:
        rewrite(known, plugins_used=plugins(known, confidence="certain"))
        assert "must be one of low, medium, high" in refused(known, "--baseline", BASELINE)

    def test_a_plugin_of_the_user_that_is_elsewhere(self, known: Repository) -> None:
        rewrite(known, plugins_used=[*plugins(known), {"name": "MarkDetector", "path": "file:///gone/other.py"}])
        assert "plugin MarkDetector is not at file:///gone/other.py" in refused(known, "--baseline", BASELINE)

    @pytest.mark.parametrize("name", ["a\0b", "a" * 5000, "\ud800"])
    def test_a_plugin_in_what_can_be_no_file(self, known: Repository, name: str) -> None:
        rewrite(known, plugins_used=[{"name": "MarkDetector", "path": f"file://{name}"}])
        assert "in what can be no file" in refused(known, "--baseline", BASELINE)

    def test_a_plugin_that_nobody_knows(self, known: Repository) -> None:
        rewrite(known, plugins_used=[*plugins(known), {"name": "NoSuchDetector"}])
        done = hook(known, "--baseline", BASELINE, "old.py")
        assert done.returncode == 2
        assert "No such `NoSuchDetector` plugin" in done.stderr
        assert f"binance-leaks: detect-secrets cannot work with {BASELINE}" in done.stderr


class TestAudit:
    """The host's audit, which by itself cannot work with plugins that came with `-p`."""

    @staticmethod
    def run(repository: Repository, *arguments: str, answers: str = "") -> subprocess.CompletedProcess[str]:
        return run_text("binance-leaks", "detect-secrets-audit", *arguments, cwd=repository.folder, stdin=answers)

    def test_labels_on_another_machine(self, known: Repository) -> None:
        before = read(known)
        count = len(labels(known))
        done = self.run(known, BASELINE, answers="n\n" * count)
        assert done.returncode == 0, done.stderr
        assert labels(known) == [True] * count
        after = read(known)
        assert {name for name in after if after[name] != before[name]} <= {"results", "generated_at"}

    def test_report(self, known: Repository) -> None:
        report = json.loads(self.run(known, "--report", BASELINE).stdout)["results"]
        digests = {sha1(entry["secrets"].encode()).hexdigest() for entry in report}  # noqa: S324
        content = json.loads(known.path(BASELINE).read_text())["results"]["old.py"]
        assert digests == {secret["hashed_secret"] for secret in content}

    def test_answers_that_end_too_soon(self, known: Repository) -> None:
        before = known.path(BASELINE).read_bytes()
        done = self.run(known, BASELINE, answers="n\n")
        assert done.stderr.splitlines()[-1].startswith("binance-leaks: the audit ended before")
        assert known.path(BASELINE).read_bytes() == before
