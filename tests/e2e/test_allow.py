"""`binance-leaks allow` as users run it, behind each command that finds something."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.e2e import Outcome, Pair, digest, run
from tests.repositories import Repository

OWN = ".binance-leaks.toml"


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own for what programs remember."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


def allow(repository: Repository, *words: str, status: int = 0) -> Outcome:
    outcome = run("allow", *words, cwd=repository.folder)
    assert outcome.status == status, outcome.err
    return outcome


def identity(repository: Repository, *words: str) -> str:
    """The id of the one finding of a scan."""
    (finding,) = run(*words, "--format", "json", cwd=repository.folder).report["findings"]
    name: str = json.loads(json.dumps(finding))["id"]
    return name


class TestInConfiguration:
    @pytest.mark.parametrize("words", [("scan",), ("staged",), ("history",), ("range", "HEAD^..HEAD")])
    def test_after_each_command(self, repository: Repository, pair: Pair, words: tuple[str, ...]) -> None:
        repository.commit()
        repository.stage("bot.py", pair.python)
        if words[0] in ("history", "range"):
            repository.commit()
        assert run(*words, cwd=repository.folder).status == 1
        shown = allow(repository, "--last", "--reason", "for tests")
        assert f"+++ b/{OWN}" in shown.out
        assert 'reason = "for tests"' in repository.path(OWN).read_text("utf-8")
        assert run(*words, cwd=repository.folder).status == 0
        assert "Allowed already" in allow(repository, "--last").out

    def test_a_message(self, repository: Repository, pair: Pair) -> None:
        message = repository.write(".git/COMMIT_EDITMSG", f"Use {pair.call}")
        assert run("message", message, cwd=repository.folder).status == 1
        assert run("allow", "--last", "--inline", cwd=repository.folder).status == 2
        allow(repository, "--last")
        assert run("message", message, cwd=repository.folder).status == 0

    def test_by_id_digest_and_report(self, repository: Repository, pair: Pair) -> None:
        repository.write("bot.py", pair.python)
        name = identity(repository, "scan")
        assert (
            "Allowed: Binance key pair"
            in allow(repository, name[:8].upper(), "--dry-run").err + allow(repository, name).out
        )
        repository.path(OWN).unlink()
        allow(repository, *sorted(pair.digests))
        assert run("scan", cwd=repository.folder).status == 0
        repository.path(OWN).unlink()
        (repository.folder.parent / "report.json").write_text(
            run("scan", "--format", "json", cwd=repository.folder).out, "utf-8"
        )
        repository.write("other.py", Pair.fresh().python)
        run("scan", "other.py", cwd=repository.folder)
        allow(repository, name, status=2)
        allow(repository, name, "--report", "../report.json")
        assert run("scan", "bot.py", cwd=repository.folder).status == 0

    def test_dry_run_writes_nothing(self, repository: Repository, pair: Pair) -> None:
        repository.write("bot.py", pair.python)
        run("scan", cwd=repository.folder)
        for words in (("--last",), ("--last", "--inline")):
            assert "because of --dry-run" in allow(repository, *words, "--dry-run").out
        assert repository.path("bot.py").read_text("utf-8") == pair.python
        assert not repository.path(OWN).exists()

    def test_the_configuration_of_the_project_is_edited(self, repository: Repository, pair: Pair) -> None:
        repository.write("pyproject.toml", "# ours\n[project]\nname = 'bot'\n")
        repository.write("src/bot.py", pair.python)
        run("scan", cwd=repository.path("src"))
        run("allow", "--last", cwd=repository.path("src"))
        assert "# ours" in repository.path("pyproject.toml").read_text("utf-8")
        assert run("scan", cwd=repository.folder).status == 0
        repository.write("mine.toml", "")
        other = Pair.fresh()
        repository.write("src/bot.py", other.python)
        run("scan", "--config", "mine.toml", cwd=repository.folder)
        allow(repository, "--last")
        assert digest(other.key) in repository.path("mine.toml").read_text("utf-8")

    def test_another_project_is_scanned_from_here(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        other = Repository.create(tmp_path / "other")
        other.commit({"bot.py": pair.python})
        assert run("history", "../other", cwd=repository.folder).status == 1
        allow(repository, "--last")
        assert other.path(OWN).exists()
        assert not repository.path(OWN).exists()

    def test_what_cannot_be_edited_is_printed_to_be_added(self, repository: Repository, pair: Pair) -> None:
        text = '[tool]\nbinance-leaks = { confidence = "high" }\n'
        repository.write("pyproject.toml", text)
        repository.write("bot.py", pair.python)
        run("scan", cwd=repository.folder)
        refused = allow(repository, "--last", status=2)
        assert "Add this by hand:" in refused.out
        assert digest(pair.key) in refused.out
        assert repository.path("pyproject.toml").read_text("utf-8") == text


class TestInline:
    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("bot.py", 'BINANCE_API_KEY = "{KEY}"\r\nBINANCE_API_SECRET = "{SECRET}"\r\n'),
            ("bot.js", 'const binanceKey = "{KEY}";\nconst binanceSecret = "{SECRET}";'),
            (".env", "BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}\n"),
            ("deploy.yml", "binance:\n  apiKey: {KEY}\n  apiSecret: {SECRET}\n"),
            ("run.sh", "export BINANCE_API_KEY={KEY} BINANCE_API_SECRET={SECRET}\n"),
            ("app.properties", "binance.api.key={KEY}\nbinance.api.secret={SECRET}\n"),
            ("notes.md", "Binance api key: {KEY}\nBinance api secret: {SECRET}\n"),
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_comments_in_the_syntax_of_the_file(
        self, repository: Repository, pair: Pair, name: str, shape: str, encoding: str
    ) -> None:
        old = shape.replace("{KEY}", pair.key).replace("{SECRET}", pair.secret).encode(encoding)
        file = repository.write(name, old)
        assert run("scan", name, cwd=repository.folder).status == 1
        allow(repository, "--last", "--inline")
        new = file.read_bytes()
        assert run("scan", name, cwd=repository.folder).status == 0, new
        left = [line.partition("binance-leaks")[0].rstrip(" #/-<!") for line in new.decode(encoding).splitlines()]
        assert [line for line in left if line] == old.decode(encoding).splitlines()
        assert new.decode(encoding).count("\r\n") == (new.decode(encoding).count("\n") if b"\r" in old else 0)
        assert "Allowed already" in allow(repository, "--last", "--inline").out

    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("keys.json", '{"binanceApiKey": "{KEY}", "binanceApiSecret": "{SECRET}"}'),
            ("bot.py", 'text = """\nBINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}\n"""\n'),
            ("run.sh", "cat <<END\nBINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}\nEND\n"),
        ],
    )
    def test_where_there_is_no_room_nothing_is_written(
        self, repository: Repository, pair: Pair, name: str, shape: str
    ) -> None:
        repository.write("good.py", pair.python)
        text = shape.replace("{KEY}", pair.key).replace("{SECRET}", pair.secret)
        repository.write(name, text)
        run("scan", cwd=repository.folder)
        refused = allow(repository, "--last", "--inline", status=2)
        assert "no comment can be added to" in refused.err
        assert "Leave out --inline" in refused.err
        assert repository.path(name).read_text("utf-8") == text
        assert repository.path("good.py").read_text("utf-8") == pair.python

    def test_what_is_only_in_the_history(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"bot.py": pair.python})
        repository.commit({"bot.py": "import os\n"})
        run("history", cwd=repository.folder)
        assert "in no file on disk" in allow(repository, "--last", "--inline", status=2).err


class TestListAndPrune:
    def test_only_what_matches_nothing_goes(self, repository: Repository, pair: Pair) -> None:
        gone, kept = Pair.fresh(), Pair.fresh()
        repository.commit({"bot.py": pair.python})
        repository.commit({"bot.py": kept.python})
        entries = [
            f"[[allow]]\nsha256 = {sorted(each.digests)}\nreason = 'entry {name}'\n"
            for name, each in {"history": pair, "files": kept, "gone": gone}.items()
        ]
        repository.write(OWN, "\n".join([*entries, '[[allow]]\npath = "bot.py"\n', '[[allow]]\npath = "none/"\n']))
        listed = allow(repository, "--list").out
        assert "5 allow entries" in listed
        assert f"{sorted(gone.digests)[0][:12]}…" in listed
        assert "entry gone" in listed
        before = repository.path(OWN).read_bytes()
        assert "-reason = 'entry gone'" in allow(repository, "--prune", "--dry-run").out
        assert repository.path(OWN).read_bytes() == before
        allow(repository, "--prune")
        left = repository.path(OWN).read_text("utf-8")
        assert "entry gone" not in left
        assert "none/" not in left
        assert "entry history" in left
        assert "entry files" in left
        assert 'path = "bot.py"' in left
        assert "still matches" in allow(repository, "--prune").out

    def test_the_index_counts(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        repository.path("bot.py").unlink()
        repository.write(OWN, f"[[allow]]\nsha256 = {sorted(pair.digests)}\n")
        assert "still matches" in allow(repository, "--prune").out

    def test_an_incomplete_scan_prunes_nothing(self, repository: Repository, pair: Pair) -> None:
        repository.stage("bot.py", pair.python)
        blob = repository.loose(repository.blob("bot.py"))
        repository.commit()
        blob.chmod(0o600)
        blob.write_bytes(b"damaged")
        text = f'[[allow]]\nsha256 = "{digest(Pair.fresh().key)}"\n'
        repository.write(OWN, text)
        assert "could not be read" in allow(repository, "--prune", status=3).err
        assert repository.path(OWN).read_text("utf-8") == text

    def test_without_entries(self, repository: Repository) -> None:
        for words in (("--list",), ("--prune",)):
            assert "allows nothing" in allow(repository, *words).out


class TestRemembering:
    def test_a_private_file_without_values(self, repository: Repository, pair: Pair, state: Path) -> None:
        repository.write("bot.py", pair.python)
        repository.write(f"binance_{pair.key}/bot.py", pair.python)
        run("scan", cwd=repository.folder)
        (file,) = (each for each in state.rglob("*") if each.is_file())
        assert pair.key not in file.read_text("utf-8")
        assert pair.secret not in file.read_text("utf-8")
        if os.name == "posix":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_nothing_without_findings_and_in_ci(self, repository: Repository, pair: Pair, state: Path) -> None:
        run("scan", cwd=repository.folder)
        repository.write("bot.py", pair.python)
        run("scan", cwd=repository.folder, env={"CI": "true"})
        assert not state.exists()
        assert "no scan of this project" in allow(repository, "--last", status=2).err

    def test_nothing_in_what_is_scanned(self, repository: Repository, pair: Pair) -> None:
        repository.write("bot.py", pair.python)
        inside = {"XDG_STATE_HOME": str(repository.path("state"))}
        assert run("scan", cwd=repository.folder, env=inside).status == 1
        assert not repository.path("state").exists()

    @pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b'{"schema": "binance-leaks-last-scan/1"}'])
    def test_a_damaged_file_is_none(self, repository: Repository, pair: Pair, state: Path, content: bytes) -> None:
        repository.write("bot.py", pair.python)
        run("scan", cwd=repository.folder)
        (file,) = (each for each in state.rglob("*") if each.is_file())
        file.write_bytes(content)
        allow(repository, "--last", status=2)

    def test_a_folder_that_cannot_be_written_fails_no_scan(self, repository: Repository, pair: Pair) -> None:
        repository.write("bot.py", pair.python)
        (repository.folder.parent / "state").write_text("a file", "utf-8")
        assert run("scan", cwd=repository.folder).status == 1


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "printed"),
        [
            ((), "nothing to allow"),
            (("--last", "3f9c"), "--last means"),
            (("--list", "3f9c"), "whole configuration"),
            (("3f9c",), "no finding 3f9c"),
            (("xyz!",), "not an id or a digest"),
            (("--last", "--inline", "--reason", "x"), "--reason is for"),
            (("--last", "--report", "none.json"), "none.json cannot be read"),
            (("--list", "--config", "."), "cannot be read"),
        ],
    )
    def test_errors(self, repository: Repository, words: tuple[str, ...], printed: str) -> None:
        assert printed in allow(repository, *words, status=2).err

    def test_a_value_is_not_a_digest(self, repository: Repository, pair: Pair) -> None:
        repository.write("bot.py", pair.python)
        run("scan", cwd=repository.folder)
        for word in (pair.key, f"--reason={pair.secret}"):
            assert "looks like a key" in allow(repository, word, status=2).err
        hexadecimal = digest(pair.key)  # what a key of the futures testnet looks like
        repository.write("bot.py", f'BINANCE_TESTNET_API_KEY = "{hexadecimal}"  # testnet.binancefuture.com\n')
        if run("scan", cwd=repository.folder).status == 1:
            assert "not its digest" in allow(repository, hexadecimal, status=2).err
