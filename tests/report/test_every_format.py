"""Laws that hold for all formats: golden files, no value in any of them, nothing hostile gets through."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from binance_leaks import __version__
from binance_leaks.cli.parser import build
from binance_leaks.findings import Result
from binance_leaks.model import RiskLevel, Role
from binance_leaks.report import FORMAT_NAMES, View, format_named
from hypothesis import given, settings
from hypothesis import strategies as st

from . import examples
from .examples import Hostile
from .goldens import assert_golden
from .test_text import HOSTILE

SUFFIX = {
    "sarif": "sarif",
    "github": "txt",
    "gitlab": "json",
    "junit": "xml",
    "csv": "csv",
    "markdown": "md",
    "html": "html",
}
MOMENT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc)
FULL = View(show_suppressed=True, verbose=True, moment=MOMENT)


def rendered(name: str, result: Result, view: View = FULL) -> str:
    return format_named(name).render(result, view)


@pytest.mark.parametrize("name", SUFFIX)
@pytest.mark.parametrize("shown", examples.RESULTS)
@pytest.mark.parametrize("everything", [False, True])
def test_golden(name: str, shown: str, everything: bool) -> None:
    text = rendered(name, examples.RESULTS[shown](), FULL if everything else View(moment=MOMENT))
    stable = re.sub(rf'("(?:semanticV|v)ersion": ")({re.escape(__version__)})"', r'\g<1>0"', text)
    if name == "html":
        stable = without_looks(stable)
    assert_golden(f"{shown}-{name}{'-everything' if everything else ''}.{SUFFIX[name]}", stable)


def without_looks(page: str) -> str:
    """The page but for its style and script, which have tests of their own, and the version."""
    page = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", page, flags=re.DOTALL)
    page = re.sub(r"sha256-[A-Za-z0-9+/]{43}=", "sha256-", page)
    return page.replace(f"binance-leaks {__version__}", "binance-leaks 0")


def test_every_format_has_golden_files() -> None:
    assert set(FORMAT_NAMES) == {*SUFFIX, "text", "json"}


@pytest.mark.parametrize("command", ["scan", "staged", "history", "report"])
def test_help_names_every_format(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build().parse_args([command, "--help"])
    words = re.findall(r"\w+", capsys.readouterr().out)
    assert set(FORMAT_NAMES) <= set(words)


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("shown", examples.RESULTS)
def test_one_newline_ends_it(name: str, shown: str) -> None:
    text = rendered(name, examples.RESULTS[shown]())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\r" not in text


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("shown", examples.RESULTS)
def test_no_value_is_written(name: str, shown: str) -> None:
    result = examples.RESULTS[shown]()
    text = re.sub(r"\s", "", rendered(name, result))
    for finding in (*result.findings, *result.suppressed):
        for value in finding.values:
            assert value.secret is not None
            raw = value.secret.reveal()
            for form in (raw.decode("latin-1"), raw.hex(), b64encode(raw).decode()):
                assert form[4:-4] not in text
                assert form[4:24] not in text


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("around", ["{}", "keys/{}/a.txt", 'Client("{}")', "key={}", "a.zip!/{}", "blob:{}", "={}"])
def test_a_value_in_a_name_or_subject_is_masked(name: str, around: str, made: Hostile) -> None:
    for value in (examples.Maker(99).raw().decode(), _known()):
        text = rendered(name, made(around.format(value)))
        assert value[8:24] not in re.sub(r"\s", "", text)


def _known() -> str:
    """A value that the hostile result itself reports."""
    secret = examples.hostile_result("").findings[0].values[0].secret
    assert secret is not None
    return secret.reveal().decode()


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("hostile", [*HOSTILE, "", " ", "::error::x", "=1+1", "|x|", "`", "\ufffe\uffff", "</x>]]>"])
def test_hostile_names_are_inert_text(name: str, hostile: str, made: Hostile) -> None:
    text = rendered(name, made(hostile))
    text.encode()
    shown = [char for char in text if char != "\n"]
    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"}]


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize(
    "command", ["::error::forged", "##[error]forged", "##vso[task.complete]forged", "##teamcity[x]"]
)
def test_no_name_is_a_command_in_a_log(name: str, command: str, made: Hostile) -> None:
    """Logs of GitHub Actions, Azure Pipelines and TeamCity obey some text in what a program prints."""
    for hostile in (command, f"{'x' * 70} {command}", f"{'x' * 74}{command}"):
        text = rendered(name, made(hostile))
        assert not re.search(r"##(vso|teamcity)?\[", text)
        lines = [line for line in text.splitlines() if line.lstrip().startswith("::")]
        assert not lines or name == "github", "whose own commands are held by tests of its own"


@pytest.mark.parametrize("made", examples.HOSTILE_RESULTS)
@pytest.mark.parametrize("name", SUFFIX)
@settings(max_examples=40, deadline=None)
@given(hostile=st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_can_be_written(name: str, hostile: str, made: Hostile) -> None:
    rendered(name, made(hostile)).encode()


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_incomplete_is_never_silent(name: str) -> None:
    clean = examples.clean_result()
    assert rendered(name, replace(clean, interrupted=True)) != rendered(name, clean)
    lost = replace(clean, skipped=examples.files_result().skipped[:1])
    assert "data/part-00.bin" in rendered(name, lost)
    assert "permission denied" in rendered(name, lost)


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("shown", ["files", "history", "gate"])
def test_every_finding_is_there(name: str, shown: str) -> None:
    """By its mask; GitHub shows ten of a level, and the rest is counted."""
    result = examples.RESULTS[shown]()
    text = rendered(name, result, View(moment=MOMENT))
    masks = [value.masked for finding in result.findings for value in finding.values]
    seen = [mask for mask in masks if mask.removeprefix("private key, ") in _unescaped(text)]
    if (name, shown) == ("github", "gate"):
        assert len(seen) == 2 + 2 + 8
        assert "6 more credentials" in text
    else:
        assert seen == masks


@pytest.mark.parametrize("name", sorted({*SUFFIX, "json"}))
def test_color_and_width_are_for_readers(name: str) -> None:
    result = examples.files_result()
    assert rendered(name, result, View(width=20, color=True)) == rendered(name, result, View())


def test_suppressed_are_shown_when_asked_for() -> None:
    result = examples.files_result()
    for name in FORMAT_NAMES:
        assert "docs/example.md" in rendered(name, result)
        assert "docs/example.md" not in rendered(name, result, View())


def test_a_private_key_shows_nothing() -> None:
    lone = examples.Maker(3).finding(
        Role.PRIVATE_KEY,
        locations=[examples.at("id.pem", 1, role=Role.PRIVATE_KEY)],
        level=RiskLevel.MEDIUM,
    )
    for name in FORMAT_NAMES:
        assert "48 bytes" in rendered(name, replace(examples.clean_result(), findings=(lone,)))


def _unescaped(text: str) -> str:
    return text.replace("\\u2026", "…").replace("&#8230;", "…")
