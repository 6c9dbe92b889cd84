"""Entries of `allow` in configurations of all styles: added, and removed again."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from binance_leaks.config import parse_config
from binance_leaks.errors import ConfigError
from binance_leaks.setup.allow_entries import format_entry, with_entries, without_entries

PROJECT, OWN = Path("pyproject.toml"), Path(".binance-leaks.toml")
DIGESTS = [Random(7).randbytes(32).hex() for _ in range(3)]
PAIR, SINGLE = DIGESTS[:2], DIGESTS[2:]
OTHERS = '# top\n[project]\nname = "bot"  # ours\n\n[tool.ruff]\nline-length = 100\n'
STYLES = [
    (OWN, ""),
    (OWN, 'confidence = "high"\n\n[fail-on]\ndefault = "low"\n'),
    (OWN, 'confidence = "high"\n\n[[allow]]\npath = "x"  # keep\n\n[fail-on]\ndefault = "low"\n'),
    (OWN, '[tool.binance-leaks]\nexclude = ["*.lock"]\n'),
    (PROJECT, ""),
    (PROJECT, OTHERS),
    (PROJECT, f"{OTHERS}\n[build-system]\nrequires = []\n"),
    (PROJECT, f'{OTHERS}\n[tool.binance-leaks]  # why\nconfidence = "high"\n\n[tool.zed]\na = 1\n'),
    (PROJECT, '[tool.binance-leaks]\nallow = [\n  # why\n  { path = "x" },\n]\n'),
    (PROJECT, "[tool.binance-leaks]\nallow = []\n"),
    (PROJECT, '[[tool.binance-leaks.allow]]\npath = "no end of line"'),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(("file", "text"), STYLES)
def test_entries_come_and_go(file: Path, text: str, newline: str, mark: bytes) -> None:
    old = mark + text.replace("\n", newline).encode()
    kept = parse_config(old, file).allow
    new = with_entries(old, file, [PAIR, SINGLE], "a “test” key")
    assert new.startswith(mark)
    assert new.count(b"\r\n") == (new.count(b"\n") if newline == "\r\n" and text.count("\n") else 0)
    added = parse_config(new, file).allow[len(kept) :]
    assert [entry.sha256 for entry in added] == [tuple(PAIR), tuple(SINGLE)]
    assert {entry.reason for entry in added} == {"a “test” key"}
    for line in text.splitlines():
        assert line == "allow = []" or line.encode() in new
    back = without_entries(new, file, [len(kept), len(kept) + 1])
    assert parse_config(back, file) == parse_config(old, file)


def test_an_entry_has_an_empty_line_behind_it() -> None:
    new = with_entries(f"{OTHERS}[build-system]\nrequires = []\n".encode(), PROJECT, [SINGLE], "why")
    assert b'reason = "why"\n\n[build-system]' in new
    assert format_entry(PROJECT, SINGLE, None) == f'[[tool.binance-leaks.allow]]\nsha256 = "{SINGLE[0]}"\n'


def test_one_of_several_is_removed() -> None:
    text = "".join(f'[[allow]]  # {path}\npath = "{path}"\n\n' for path in "abc").encode()
    left = without_entries(text, OWN, [1])
    assert [entry.path for entry in parse_config(left, OWN).allow] == ["a", "c"]
    assert b"# a" in left
    assert b"# b" not in left


@pytest.mark.parametrize(
    "text",
    [
        '[tool]\nbinance-leaks.confidence = "high"\nruff.a = 1\n',
        '[tool]\nbinance-leaks = { confidence = "high" }\n',
        '[tool.binance-leaks.fail-on]\ndefault = "low"\n[tool.ruff]\na = 1\n[[tool.binance-leaks.allow]]\npath = "q"',
    ],
)
def test_what_cannot_be_kept_is_refused_or_right(text: str) -> None:
    before = parse_config(text.encode(), PROJECT)
    try:
        after = parse_config(with_entries(text.encode(), PROJECT, [PAIR], None), PROJECT)
    except ConfigError as error:
        assert "cannot change safely" in str(error)
        return
    assert after.allow[:-1] == before.allow
    assert after.fail_on == before.fail_on


@pytest.mark.parametrize(
    "text", ['tool = "binance-leaks"\n', "tool = 1\n", "[[tool]]\nbinance-leaks = 1\n", "tool = {}\n"]
)
def test_no_table_of_tools(text: str) -> None:
    with pytest.raises(ConfigError, match="cannot change safely"):
        with_entries(text.encode(), PROJECT, [PAIR], None)


def test_what_is_no_configuration_is_an_error() -> None:
    for data in (b"[", b"\xff", b"allow = 1"):
        with pytest.raises(ConfigError):
            with_entries(data, OWN, [PAIR], None)
