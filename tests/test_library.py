"""The library: `from binance_leaks import …` scans as the program does, shows no value, costs nothing until used."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import binance_leaks
import pytest
from binance_leaks import (
    Confidence,
    Config,
    ConfigError,
    Exposure,
    FailOn,
    GitError,
    Kind,
    Result,
    RiskLevel,
    ScannerError,
    ScanStats,
    SourceKind,
    UsageError,
    api,
    find_config,
    load_config,
    render,
    scan_bytes,
    scan_history,
    scan_paths,
    scan_range,
)

from tests.e2e import Pair, digest, run
from tests.repositories import Repository

TOP = Path(__file__).resolve().parents[1]
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", (TOP / "docs/library.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)


def known(result: Result) -> set[str]:
    return {value.sha256 for finding in result.findings for value in finding.values}


def both(pair: Pair) -> set[str]:
    return {digest(pair.key), digest(pair.secret)}


def test_names_are_those_of_the_library() -> None:
    tree = ast.parse(Path(api.__file__).read_text("utf-8"))
    imported = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    assert {alias.name for alias in imported if alias.asname == alias.name} | defined == set(binance_leaks.__all__)
    for name in binance_leaks.__all__:
        assert getattr(binance_leaks, name) is getattr(api, name)
    assert (TOP / "scanner/binance_leaks/py.typed").exists()


def test_every_function_is_documented() -> None:
    functions = [name for name in binance_leaks.__all__ if name.islower()]
    text = (TOP / "docs/library.md").read_text("utf-8")
    for name in functions:
        assert getattr(binance_leaks, name).__doc__
        assert f"{name}(" in text
    assert len(functions) == 7


def test_an_unknown_name_is_no_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'scan_all'"):
        getattr(binance_leaks, "scan_all")  # noqa: B009 - a type checker refuses it, too


def imported(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; before = set(sys.modules)\n{program}\nprint(*set(sys.modules) - before)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import binance_leaks; binance_leaks.__version__; hasattr(binance_leaks, 'model')"
    assert imported(program) == {"binance_leaks"}
    assert "binance_leaks.api" not in imported("from binance_leaks import model")
    assert "binance_leaks.pipeline.run_scan" in imported("from binance_leaks import scan_bytes")


def test_the_library_opens_no_connection_and_loads_no_client() -> None:
    loaded = imported("from binance_leaks import *; render(scan_bytes(b'x'))")
    assert not {"ssl", "urllib3", "certifi", "git", "rich", "binance_leaks.verify.transport"} & loaded


def test_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("Binance", "utf-8")
    pair = Pair.fresh()
    result = scan_bytes(pair.python.encode(), path="bot.py")
    (finding,) = result.findings
    assert (finding.kind, finding.risk.level, finding.fails) == (Kind.KEY_PAIR, RiskLevel.HIGH, True)
    assert {(place.path, place.line) for place in finding.locations} == {("bot.py", 2)}
    assert known(result) == both(pair)
    assert result.complete
    lone = f'api_key = "{pair.key}"\n'.encode()
    assert not scan_bytes(lone, path="bot.py").findings, "a neighbour on disk is none of these bytes"
    assert scan_bytes(lone, path="binance/bot.py").findings
    assert scan_bytes(b"").findings == ()


def test_paths_are_scanned_as_by_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one, two = Pair.fresh(), Pair.fresh()
    (tmp_path / "a.py").write_text(one.python, "utf-8")
    (tmp_path / "b.env").write_text(two.dotenv, "utf-8")
    reported = json.loads(render(scan_paths()))
    theirs = json.loads(run("scan", "--format", "json", cwd=tmp_path).out)
    del reported["scan"]["stats"]["seconds"], theirs["scan"]["stats"]["seconds"]
    assert reported == theirs
    assert known(scan_paths(["a.py", tmp_path / "b.env"])) == both(one) | both(two)
    assert known(scan_paths(tmp_path, exclude=["*.py"])) == both(two)
    assert (scan_bytes(b"nothing").stats.suppressed, scan_bytes(b"nothing").stats.below_confidence) == (0, 0)
    assert scan_paths("a.py", jobs=2).findings == scan_paths("a.py").findings


def test_a_configuration_is_heeded_where_it_is_given(repository: Repository) -> None:
    pair = Pair.fresh()
    repository.write("keys/a.py", pair.python)
    repository.write(".binance-leaks.toml", 'exclude = ["keys/"]\n')
    assert scan_paths(repository.folder).findings
    file = find_config(repository.folder)
    assert file is not None
    assert not scan_paths(repository.folder, config=load_config(file)).findings
    lenient = Config(confidence=Confidence.LOW, fail_on=FailOn.named("none"))
    (finding,) = scan_paths(repository.folder, config=lenient).findings
    assert not finding.fails


def test_a_baseline_is_heeded(repository: Repository) -> None:
    repository.write("a.py", Pair.fresh().python)
    assert run("baseline", "create", cwd=repository.folder).status == 0
    file = repository.path(".secrets.baseline")
    repository.commit({"a.py": repository.path("a.py").read_bytes()})
    for result in (
        scan_paths(repository.folder, baseline=file),
        scan_paths(repository.folder, config=Config(baseline=file.name, file=str(repository.path("pyproject.toml")))),
        scan_history(repository.folder, baseline=file),
    ):
        assert not result.findings
        assert len(result.suppressed) == 1


def test_history_and_range(repository: Repository) -> None:
    old, new = Pair.fresh(), Pair.fresh()
    first = repository.commit({"a.py": old.python})
    repository.commit({"a.py": "import os\n", "b.py": new.python})
    history = scan_history(repository.folder)
    assert history.source is SourceKind.HISTORY
    assert known(history) == both(old) | both(new)
    gone = next(finding for finding in history.findings if digest(old.key) in {v.sha256 for v in finding.values})
    assert {place.exposure for place in gone.locations} == {Exposure.HISTORY}
    assert {place.commit.id for place in gone.locations if place.commit} == {first}
    brought = scan_range(f"{first}..HEAD", repository.folder)
    assert known(brought) == both(new)
    assert brought.source is SourceKind.RANGE
    assert known(scan_history(str(repository.folder), exclude=["b.py"], branches=["main"])) == both(old)


def test_no_value_is_anywhere_in_a_result(repository: Repository) -> None:
    pair, named = Pair.fresh(), Pair.fresh()
    repository.git("config", "user.name", f"key {named.key}")
    repository.commit({f"{named.key}.py": pair.python}, message=f"use {named.key} {named.secret}\n\nBinance")
    for result in (scan_paths(repository.folder), scan_history(repository.folder)):
        assert both(pair) <= known(result)
        for text in (repr(result), *(render(result, name) for name in binance_leaks.FORMAT_NAMES)):
            assert not [value for value in (pair.key, pair.secret, named.key, named.secret) if value in text]
        values = [value for finding in result.findings for value in finding.values]
        assert all(value.secret is None for value in values)


def test_errors_are_those_of_the_library(tmp_path: Path, repository: Repository) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("exclude = 1\n", "utf-8")
    for kind, scan in (
        (UsageError, lambda: scan_paths(tmp_path / "nowhere")),
        (UsageError, lambda: scan_paths([])),
        (UsageError, lambda: scan_paths("a\0b")),
        (UsageError, lambda: scan_paths(tmp_path, jobs=0)),
        (ConfigError, lambda: scan_paths(tmp_path, baseline=broken)),
        (ConfigError, lambda: scan_paths(tmp_path, baseline=tmp_path / "none")),
        (ConfigError, lambda: load_config(broken)),
        (UsageError, lambda: scan_history("https://git.example/a.git")),
        (GitError, lambda: scan_history(tmp_path)),
        (UsageError, lambda: scan_range("HEAD", repository.folder)),
        (UsageError, lambda: scan_range("a..b", repository.folder)),
        (UsageError, lambda: render(scan_bytes(b""), "xml")),
    ):
        with pytest.raises(kind) as raised:
            scan()
        assert isinstance(raised.value, ScannerError)
        assert str(raised.value)


def test_what_cannot_be_read_is_reported_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    result = scan_paths(tmp_path)
    assert not result.complete
    assert [skipped.lost for skipped in result.skipped] == [True]
    assert [skipped.lost for skipped in scan_paths("x" * 10_000).skipped] == [True]


def test_a_report_is_stable() -> None:
    result = replace(scan_bytes(Pair.fresh().python.encode()), stats=ScanStats())
    assert render(result) == render(result)
    assert render(result, "text", width=40) != render(result, "text", width=100)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_run(number: int, repository: Repository) -> None:
    pair = Pair.fresh()
    repository.commit({"src/bot.py": pair.python})
    program = repository.folder.parent / "example.py"
    program.write_text(EXAMPLES[number], "utf-8")
    done = subprocess.run(
        [sys.executable, str(program), "src"],
        cwd=repository.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr
    assert done.returncode == (1 if "sys.exit" in EXAMPLES[number] else 0)
    assert ("key-pair mainnet" in done.stdout) or "objects, 1 findings" in done.stdout
    assert pair.key not in done.stdout


@pytest.mark.slow
def test_examples_are_typed(tmp_path: Path) -> None:
    files = []
    for number, example in enumerate([*EXAMPLES, "import binance_leaks\nbinance_leaks.scan_all()\n"]):
        files.append(tmp_path / f"example_{number}.py")
        files[-1].write_text(example, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *map(str, files)],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    wrong = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(wrong) == 1, done.stdout
    assert "has no attribute" in wrong[0]
