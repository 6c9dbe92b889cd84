"""What is far from a value makes no live credential one of a test system; where files disagree, the graver counts."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.e2e import Found, Pair, run, staged
from tests.repositories import Repository

DISAGREE = "disagree about its environment (mainnet, testnet): the more severe one counts"


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def bot(pair: Pair, *options: str) -> str:
    arguments = ", ".join((f'"{pair.key}"', f'"{pair.secret}"', *options))
    return f"from binance.client import Client\n\nclient = Client({arguments})\n"


def bot_for_tests(pair: Pair) -> str:
    return bot(pair, "testnet=True")


def live_bot(pair: Pair) -> str:
    return bot(pair, 'tld="com"') + 'BASE = "https://api.binance.com"\n'


def only(findings: list[Found]) -> Found:
    (found,) = findings
    return found


def scan(*words: str, cwd: Path) -> Found:
    return only(run("scan", "--format", "json", *words, cwd=cwd).report["findings"])


def history(repository: Repository) -> Found:
    return only(run("history", "--format", "json", cwd=repository.folder).report["findings"])


def test_the_name_of_a_folder_or_archive_is_that_of_a_repository(tmp_path: Path, pair: Pair) -> None:
    folder = tmp_path / "my-testnet-bot"
    (folder / "testnet").mkdir(parents=True)
    (folder / "bot.py").write_text(bot(pair))
    (folder / "testnet" / "bot.py").write_text(bot(other := Pair.fresh()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("my-testnet-bot-main/bot.py", bot(pair))
    (tmp_path / "my-testnet-bot-main.zip").write_bytes(packed.getvalue())
    for words, cwd in ((("my-testnet-bot/bot.py",), tmp_path), (("my-testnet-bot-main.zip",), tmp_path)):
        assert scan(*words, cwd=cwd)["environment"] == "mainnet"
    for words, cwd in ((("my-testnet-bot",), tmp_path), ((".",), folder)):
        found = run("scan", "--format", "json", *words, cwd=cwd).report["findings"]
        by_digest = {value["sha256"]: each["environment"] for each in found for value in each["values"]}
        assert {by_digest[digest] for digest in pair.digests} == {"mainnet"}
        assert {by_digest[digest] for digest in other.digests} == {"testnet"}


def test_other_files_of_a_repository_say_nothing_of_it(repository: Repository, pair: Pair) -> None:
    repository.commit(
        {
            "bot.py": bot(pair),
            "README.md": "# Bot for the Binance testnet\n\nIt trades on https://testnet.binance.vision only.\n",
            "client.py": "from binance.client import Client\n\nclient = Client(testnet=True)\n",
        }
    )
    assert scan(".", cwd=repository.folder)["environment"] == "mainnet"
    assert history(repository)["environment"] == "mainnet"


def assert_graver(found: Found, what: str) -> None:
    assert found["environment"] == "mainnet"
    assert found["risk"]["level"] == "high"
    assert f"{what} {DISAGREE}" in found["evidence"]


def test_files_that_disagree(repository: Repository, pair: Pair) -> None:
    repository.commit({"readme.md": "nothing\n"})
    for name, text in (("a.py", bot_for_tests(pair)), ("b.py", live_bot(pair))):
        repository.stage(name, text)
    assert_graver(only(staged(repository).findings), "files")
    repository.commit()
    assert_graver(scan(".", cwd=repository.folder), "files")
    assert_graver(history(repository), "files")
    assert_graver(
        only(run("range", "--format", "json", "HEAD~1..HEAD", cwd=repository.folder).report["findings"]), "files"
    )


def test_a_file_of_the_testnet_says_nothing_of_others(repository: Repository, pair: Pair) -> None:
    """What one file states is not stated in another, in a history as in the files of today."""
    repository.commit({"readme.md": "nothing\n"})
    repository.commit({"a.py": bot_for_tests(pair), "b.py": bot(pair)})
    assert_graver(scan(".", cwd=repository.folder), "files")
    assert_graver(history(repository), "files")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("between", ["", "\n" * 30], ids=["near", "far"])
def test_versions_that_disagree(repository: Repository, seed: int, between: str) -> None:
    """Whichever version is read again, one between them said that it is live."""
    pair = Pair.fresh()
    repository.commit({"readme.md": "nothing\n"})
    for number, setting in enumerate(("testnet=True", 'tld="com", testnet=False', "testnet=True")):
        text = f"# {seed} {number}\nfrom binance.client import Client\nKEY = '{pair.key}'\nSECRET = '{pair.secret}'\n"
        repository.commit({"bot.py": f"{text}{between}client = Client(KEY, SECRET, {setting})\n"})
    assert_graver(history(repository), "versions of its files")
    ranged = run("range", "--format", "json", "HEAD~3..HEAD", cwd=repository.folder)
    assert_graver(only(ranged.report["findings"]), "versions of its files")


def test_repositories_that_disagree(tmp_path: Path, pair: Pair) -> None:
    for name, text in (("a", bot_for_tests(pair)), ("b", live_bot(pair))):
        Repository.create(tmp_path / "all" / name).commit({"bot.py": text})
    outcome = run("fleet", "scan", "--format", "json", "all", cwd=tmp_path)
    assert_graver(only(outcome.report["findings"]), "repositories")
