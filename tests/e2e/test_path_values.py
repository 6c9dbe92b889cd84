"""Values in the names of files and folders: found by every command, and printed by none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from binance_leaks.report import FORMAT_NAMES

from tests.e2e import Found, Outcome, Pair, digests, exposures, run, staged
from tests.repositories import Repository


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def files(pair: Pair) -> dict[str, str]:
    """A folder that is named by a key, with its secret in a file below."""
    return {f"bots/binance/{pair.key}/settings.json": f'{{"secret": "{pair.secret}"}}\n'}


def assert_no_value(pair: Pair, *texts: str) -> None:
    assert not [value for value in (pair.key, pair.secret) for text in texts if value[6:] in text]


def only(findings: list[Found]) -> Found:
    (found,) = findings
    return found


def paths(found: Found) -> set[str]:
    return {place["path"] for place in found["locations"]}


@pytest.fixture
def repository_with(repository: Repository, pair: Pair) -> Repository:
    repository.commit({"readme.md": "nothing\n"}, message="before")
    repository.commit(files(pair), message="with names")
    return repository


def shown(pair: Pair) -> set[str]:
    folder = f"bots/binance/{pair.key[:4]}…{pair.key[-4:]}"
    return {folder, f"{folder}/settings.json"}


def scanned(outcome: Outcome, pair: Pair) -> Found:
    assert outcome.status == 1
    assert_no_value(pair, outcome.out, outcome.err)
    found = only(outcome.report["findings"])
    assert {value["sha256"] for value in found["values"]} == pair.digests
    assert paths(found) == shown(pair)
    assert "in the name of its file or folder" in found["evidence"]
    return found


def test_scan(repository_with: Repository, pair: Pair) -> None:
    scanned(run("scan", "--format", "json", cwd=repository_with.folder), pair)


def test_staged(repository: Repository, pair: Pair) -> None:
    for name, content in files(pair).items():
        repository.stage(name, content)
    looked = staged(repository)
    assert looked.status == 1
    assert digests(looked.findings) == pair.digests
    assert {exposure for _, exposure in exposures(looked.findings)} == {"staged"}
    assert paths(only(looked.findings)) == shown(pair)


def test_range_and_history(repository_with: Repository, pair: Pair) -> None:
    scanned(run("range", "HEAD~1..HEAD", "--format", "json", cwd=repository_with.folder), pair)
    repository_with.git("rm", "-r", "--quiet", "bots")
    repository_with.commit(message="without names")
    found = scanned(run("history", "--format", "json", cwd=repository_with.folder), pair)
    assert {place["exposure"] for place in found["locations"]} == {"history"}
    outcome = run("history", cwd=repository_with.folder)
    assert "with names" in outcome.out
    assert "removed in" in outcome.out
    assert_no_value(pair, outcome.out, outcome.err)


def test_a_name_is_introduced_by_renaming_and_not_by_editing(repository: Repository, pair: Pair) -> None:
    repository.commit({"plain.txt": "nothing\n" * 9})
    name = f"binance_api_secret_{pair.secret}.txt"
    repository.git("mv", "plain.txt", name)
    assert staged(repository).status == 1
    repository.commit(message="renamed")
    assert run("range", "HEAD~1..HEAD", cwd=repository.folder).status == 1
    repository.stage(name, "something else\n" * 9)
    assert staged(repository).status == 0
    repository.commit(message="edited")
    assert run("range", "HEAD~1..HEAD", cwd=repository.folder).status == 0


def test_members_of_archives(tmp_path: Path, pair: Pair) -> None:
    with zipfile.ZipFile(tmp_path / "backup.zip", "w") as archive:
        archive.writestr(f"binance/{pair.key}.{pair.secret}.txt", "")
    outcome = run("scan", "--format", "json", "backup.zip", cwd=tmp_path)
    assert outcome.status == 1
    found = only(outcome.report["findings"])
    assert {value["sha256"] for value in found["values"]} == pair.digests
    assert_no_value(pair, outcome.out)


def test_a_baseline_knows_them_without_holding_them(repository_with: Repository, pair: Pair) -> None:
    created = run("baseline", "create", cwd=repository_with.folder)
    assert created.status == 0
    text = (repository_with.folder / ".secrets.baseline").read_text("utf-8")
    assert_no_value(pair, text, created.out, created.err)
    assert run("scan", "--baseline", ".secrets.baseline", cwd=repository_with.folder).status == 0


def test_no_report_prints_them(repository_with: Repository, pair: Pair, tmp_path: Path) -> None:
    reports = [word for name in FORMAT_NAMES for word in ("--format", f"{name}:{tmp_path / name}")]
    outcome = run("scan", *reports, cwd=repository_with.folder)
    assert outcome.status == 1
    assert_no_value(pair, outcome.out, outcome.err, *((tmp_path / name).read_text("utf-8") for name in FORMAT_NAMES))


def test_no_message_prints_them(tmp_path: Path, pair: Pair) -> None:
    (tmp_path / f"link_{pair.secret}").symlink_to(f"nowhere_{pair.key}")
    (tmp_path / f"broken_{pair.secret}.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    for words in (
        ("scan", f"no_such_{pair.key}"),
        ("scan", "--baseline", f"no_such_{pair.key}", "."),
        ("scan", "--verbose", "."),
        ("report", f"no_such_{pair.key}.json"),
        ("history", f"no_such_{pair.key}"),
        ("scan", "--format", f"json:/nowhere/{pair.key}", "."),
    ):
        outcome = run(*words, cwd=tmp_path)
        assert_no_value(pair, outcome.out, outcome.err)


def test_digests_are_names_like_others(tmp_path: Path) -> None:
    (tmp_path / "binance").mkdir()
    (tmp_path / "binance" / f"{'0123456789abcdef' * 4}.json").write_text("{}")
    assert run("scan", ".", cwd=tmp_path).status == 0
