"""What configures us is read whole, within a limit, and never waited for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from binance_leaks.config import Allow, AllowList, load_config
from binance_leaks.errors import ConfigError
from binance_leaks.reading import LARGEST_BASELINE, LARGEST_CONFIGURATION, LARGEST_LIST, LARGEST_REPORT, read_file

from tests.e2e import Outcome, run

DEEP = 100_000


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100)
    assert read_file(file, 100) == b"x" * 100
    with pytest.raises(OSError, match="more than 99 bytes"):
        read_file(file, 99)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_refused_and_that_of_a_shell_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a named pipe, not a regular file"):
        read_file(tmp_path / "pipe", 100)
    if not Path("/dev/fd").exists():
        pytest.skip("needs /dev/fd")
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as stream:
        stream.write(b"from a shell")
    try:
        assert read_file(f"/dev/fd/{reader}", 100) == b"from a shell"
    finally:
        os.close(reader)
    with pytest.raises(OSError, match="more than"):
        read_file("/dev/zero", 100)


INPUTS: Sequence[tuple[str, Sequence[str], int, int]] = (
    (".binance-leaks.toml", ("scan", "."), LARGEST_CONFIGURATION, 2),
    ("pyproject.toml", ("scan", "."), LARGEST_CONFIGURATION, 2),
    ("named.toml", ("scan", "--config", "named.toml", "."), LARGEST_CONFIGURATION, 2),
    ("named.toml", ("fleet", "scan", "--config", "named.toml", "."), LARGEST_CONFIGURATION, 2),
    ("named", ("scan", "--baseline", "named", "."), LARGEST_BASELINE, 2),
    ("named", ("baseline", "update", "--baseline", "named"), LARGEST_BASELINE, 2),
    ("named", ("baseline", "audit", "named"), LARGEST_BASELINE, 2),
    ("named", ("report", "named"), LARGEST_REPORT, 2),
    ("named", ("allow", "--last", "--report", "named"), LARGEST_REPORT, 2),
    ("named", ("fleet", "list", "named"), LARGEST_LIST, 2),
    ("named", ("verify", "--env-file", "named"), 1 << 20, 2),
    ("named", ("message", "named"), LARGEST_LIST, 2),
)


def _sparse(file: Path, size: int) -> None:
    with file.open("wb") as stream:
        stream.truncate(size)


def _pipe(file: Path, size: int) -> None:
    del size
    os.mkfifo(file)


@pytest.mark.parametrize("make", [_sparse, _pipe], ids=["endless", "pipe"])
@pytest.mark.parametrize(("name", "words", "limit", "status"), INPUTS, ids=lambda value: str(value)[:40])
def test_no_command_waits_for_its_own_file(
    tmp_path: Path, name: str, words: Sequence[str], limit: int, status: int, make: Callable[[Path, int], None]
) -> None:
    make(tmp_path / name, limit + 1)
    done = run(*words, cwd=tmp_path, timeout=60)
    if make is _pipe and name in (".binance-leaks.toml", "pyproject.toml"):
        status = 0  # it is no configuration, and the scan lists it
    assert_one_line(done, status)


def assert_one_line(done: Outcome, status: int) -> None:
    assert done.status == status, done.err
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) <= 3


@pytest.mark.parametrize(
    "text",
    [
        "a=" + "[" * DEEP,
        "a=" + "{b=" * DEEP,
        "a" + ".a" * DEEP + "=1",
        "[a" + ".a" * DEEP + "]",
        "[[a" + '."a"' * DEEP + "]]",
        "a={b" + ".b" * DEEP + "=1}",
        "exclude = [" + '"x",' * DEEP + "]",
        'allow = [{path = "*"}' + "".join(f', {{path = "a{n}"}}' for n in range(6000)) + "]",
        "a=" + "9" * DEEP,
    ],
    ids=["arrays", "tables", "key", "header", "quoted", "inline", "exclude", "allow", "number"],
)
def test_a_configuration_beyond_reason_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / ".binance-leaks.toml"
    file.write_text(text)
    with pytest.raises(ConfigError):
        load_config(file)


@pytest.mark.parametrize(
    "text",
    [
        "exclude = [" + ", ".join(f'"a.b.c.{n}"' for n in range(50)) + "]",
        "# " + "a.b. " * 50 + '\nexclude = ["x"]',
        '[tool.other]\ntext = """\n' + "." * 100 + '\n"""\n[tool.binance-leaks]\nexclude = ["x"]',
    ],
    ids=["line", "comment", "dots"],
)
def test_a_configuration_with_many_dots_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.binance-leaks]\n{text}" if "[tool.binance-leaks]" not in text else text)
    assert load_config(file).exclude


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP,
        '{"a":' * DEEP,
        '{"version":"1.5.0","results":{' + ",".join(f'"k{n}":[]' for n in range(DEEP)) + ',"z":[],"z":[]}}',
    ],
    ids=["arrays", "objects", "repeated"],
)
def test_json_beyond_reason_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    for words in (("scan", "--baseline", "file", "."), ("report", "file")):
        assert_one_line(run(*words, cwd=tmp_path, timeout=60), 2)


def test_many_entries_allow_what_they_name() -> None:
    digests = [f"{number:064x}" for number in range(30_000)]
    entries = [Allow(sha256=(digest,), path=None, reason=digest) for digest in digests]
    entries[5:5] = [
        Allow(sha256=(), path="docs/", reason="path"),
        Allow(sha256=(digests[9],), path="x/*", reason="both"),
    ]
    allowed = AllowList(entries)
    assert [*allowed.matching(digests[7], "a.py")] == [9]
    assert [*allowed.matching(digests[7], "docs/a.py")] == [5, 9]
    assert [*allowed.matching(digests[9], "x/a.zip!/b")] == [6, 11]
    assert not [*allowed.matching("f" * 64, "a.py")]


def test_a_baseline_takes_many_new_values(tmp_path: Path) -> None:
    known = {"b.env": [{"type": "other", "hashed_secret": f"{n:040x}"} for n in range(5000)]}
    text = json.dumps({"version": "1.5.0", "plugins_used": [], "filters_used": [], "results": known})
    (tmp_path / "base").write_text(text)
    assert run("scan", "--baseline", "base", ".", cwd=tmp_path, timeout=60).status == 0
