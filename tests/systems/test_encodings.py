"""Terminals and names of other encodings: every format is written, and readable where the encoding lets it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from binance_leaks.report import FORMAT_NAMES, write_report
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e import Pair, run
from tests.repositories import Repository

ENCODINGS = ("ascii", "cp437", "cp1252", "cp932", "utf-8")
OURS = "“binance” nearby… → ‘x’ – y — z"

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="its file systems refuse such names")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Pairs in files whose names are Latin-1, no text at all, and Chinese; an author of two scripts."""
    made = Repository.create(tmp_path_factory.mktemp("encodings") / "project")
    made.git("config", "user.name", "Zoë 王")
    for name in (b"caf\xe9.env", b"\xff\xfe.env", "密钥 ✓.env".encode()):
        made.stage(name, Pair.fresh().dotenv)
    made.commit(message="añadir 密钥")
    return made


@given(st.sampled_from(ENCODINGS), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_stream_gets_what_its_encoding_has(encoding: str, text: str) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, newline="")
    write_report(text + OURS, stream)
    read = written.getvalue().decode(encoding)
    for sign in {*text, *OURS}:
        if sign.encode(encoding, "ignore"):
            assert sign in read
    assert "\\u20" not in read.removeprefix(text.encode(encoding, "backslashreplace").decode(encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_report_is_readable(encoding: str, repository: Repository) -> None:
    done = run("history", "--color", "never", ".", cwd=repository.folder, env={"PYTHONIOENCODING": encoding})
    assert done.status == 1, done.err
    assert "caf\\xe9.env:1:17" in done.out
    assert "\\xff\\xfe.env:1:17" in done.out
    assert ("密钥 ✓.env:1:17" in done.out) == (encoding == "utf-8")
    assert "\\u20" not in done.out.replace("\\u2713", "")  # quotation marks and dots of our own


@pytest.mark.parametrize("utf8", ["0", "1"])
def test_every_format_is_written_in_a_locale_without_letters(utf8: str, repository: Repository, tmp_path: Path) -> None:
    """To a file always as UTF-8."""
    formats = [word for name in FORMAT_NAMES for word in ("--format", f"{name}:{tmp_path / name}")]
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": utf8}
    done = run("history", *formats, "--format", "json", cwd=repository.folder, env=locale)
    assert (done.status, done.err) == (1, "")
    written = {name: (tmp_path / name).read_bytes().decode("utf-8") for name in FORMAT_NAMES}
    assert all(len(text) > 500 for text in written.values())
    found = json.loads(written["json"])["findings"]
    assert len({place["path"] for finding in found for place in finding["locations"]}) == 3
    assert written["json"] in done.out
