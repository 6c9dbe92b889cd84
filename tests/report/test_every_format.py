"""Laws that hold for all formats: golden files, no value in any of them, nothing hostile gets through."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache, partial
from itertools import product

import pytest
from binance_leaks import __version__
from binance_leaks.cli.parser import build
from binance_leaks.findings import Result, SourceKind
from binance_leaks.model import UNDECIDED, Cell, CellPart, Exposure, RiskLevel, Role
from binance_leaks.report import FORMAT_NAMES, View, format_named
from binance_leaks.report.advice import steps
from binance_leaks.report.verification_text import describe_verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from . import examples
from .goldens import GOLDEN, assert_golden
from .test_text import HOSTILE
from .value_forms import FORMS, is_readable

SUFFIX = {
    "text": "txt",
    "json": "json",
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


@cache
def example(name: str, shown: str) -> str:
    """An example result with all that there is, in this format."""
    return rendered(name, examples.RESULTS[shown]())


GOLDEN_RESULTS: dict[str, tuple[Callable[[], Result], View]] = {
    "plain": (examples.plain_result, View(moment=MOMENT)),
    "hostile": (partial(examples.hostile_fleet, "a`|\n<b>\x1b[1m\u202e&\"'=\udcff"), FULL),
}


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("shown", GOLDEN_RESULTS)
def test_golden(name: str, shown: str) -> None:
    """One plain result, and one whose texts are hostile, unfolded; laws below hold the rest."""
    made, view = GOLDEN_RESULTS[shown]
    text = rendered(name, made(), view)
    stable = re.sub(rf'("(?:semanticV|v)ersion": ")({re.escape(__version__)})"', r'\g<1>0"', text)
    if name == "html":
        stable = without_looks(stable)
    assert_golden(f"{shown}.{name}.{SUFFIX[name]}", stable)


def without_looks(page: str) -> str:
    """The page but for its style and script, which have tests of their own, and the version."""
    page = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", page, flags=re.DOTALL)
    page = re.sub(r"sha256-[A-Za-z0-9+/]{43}=", "sha256-", page)
    return page.replace(f"binance-leaks {__version__}", "binance-leaks 0")


def test_every_format_has_golden_files() -> None:
    assert set(FORMAT_NAMES) == set(SUFFIX)
    assert {file.name for file in GOLDEN.iterdir()} == {
        *(f"{shown}.{name}.{SUFFIX[name]}" for name in FORMAT_NAMES for shown in GOLDEN_RESULTS),
        "staged.txt",
    }


@pytest.mark.parametrize("command", ["scan", "staged", "history", "report"])
def test_help_names_every_format(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build().parse_args([command, "--help"])
    words = re.findall(r"\w+", capsys.readouterr().out)
    assert set(FORMAT_NAMES) <= set(words)


@pytest.mark.parametrize("name", sorted({*FORMAT_NAMES} - {"json", "csv"}))
def test_what_may_be_a_secret_is_not_called_an_api_key(name: str) -> None:
    made = examples.files_result()
    place = examples.at("bot.py", 3)
    key = examples.Maker().finding(
        Role.API_KEY, locations=[place], level=RiskLevel.MEDIUM, evidence=(UNDECIDED, "a name")
    )
    texts = [
        re.sub(r"\s+", " ", rendered(name, replace(made, findings=(finding,)), View(moment=MOMENT)))
        for finding in (key, replace(key, evidence=("a name",)))
    ]
    assert ["API key or secret key" in text for text in texts] == [True, name == "sarif"]  # which lists all rules
    assert ["API key without its secret" in text for text in texts] == [name == "sarif", True]


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_one_newline_ends_it(name: str) -> None:
    texts = {shown: example(name, shown) for shown in examples.RESULTS}
    assert [shown for shown, text in texts.items() if not re.search(r"[^\n]\n\Z", text) or "\r" in text] == []


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_no_value_is_written(name: str) -> None:
    for shown, made in examples.RESULTS.items():
        result, text = made(), re.sub(r"\s", "", example(name, shown))
        for value in (value for finding in (*result.findings, *result.suppressed) for value in finding.values):
            assert value.secret is not None
            raw = value.secret.reveal()
            for form in (raw.decode("latin-1"), raw.hex(), b64encode(raw).decode()):
                assert form[4:-4] not in text, shown
                assert form[4:24] not in text, shown


AROUND = ("{}", "keys/{}/a.txt", 'Client("{}")', "key={}", "a.zip!/{}", "blob:{}", "={}")


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_value_in_a_name_or_subject_is_masked(name: str) -> None:
    written = []
    for made, around, value in product(examples.HOSTILE_RESULTS, AROUND, (examples.Maker(99).raw().decode(), _known())):
        text = rendered(name, made(around.format(value)))
        if value[8:24] in re.sub(r"\s", "", text):
            written.append((made.__name__, around))
    assert written == []


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_value_in_another_form_is_masked(name: str) -> None:
    """Every field of a result holds it."""
    written = []
    for (form, make), value in product(FORMS.items(), (examples.Maker(98).raw().decode(), _known())):
        text = rendered(name, examples.hostile_result(f"key={make(value)}"))
        if is_readable(value, re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL)):
            written.append(form)
    assert written == []


def _known() -> str:
    """A value that the hostile result itself reports."""
    secret = examples.hostile_result("").findings[0].values[0].secret
    assert secret is not None
    return secret.reveal().decode()


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_hostile_names_are_inert_text(name: str) -> None:
    further = ("", " ", "::error::x", "=1+1", "|x|", "`", "\ufffe\uffff", "</x>]]>")
    live = []
    for made, hostile in product(examples.HOSTILE_RESULTS, (*HOSTILE, *further)):
        text = rendered(name, made(hostile))
        text.encode()
        if {unicodedata.category(char) for char in {*text} - {"\n"}} & {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"}:
            live.append((made.__name__, hostile))
    assert live == []


COMMANDS = ("::error::forged", "##[error]forged", "##vso[task.complete]forged", "##teamcity[x]")


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_no_name_is_a_command_in_a_log(name: str) -> None:
    """Logs of GitHub Actions, Azure Pipelines and TeamCity obey some text in what a program prints."""
    obeyed = []
    for made, command, before in product(examples.HOSTILE_RESULTS, COMMANDS, ("", f"{'x' * 70} ", "x" * 74)):
        text = rendered(name, made(f"{before}{command}"))
        is_forged = name != "github" and any(line.lstrip().startswith("::") for line in text.splitlines())
        if is_forged or re.search(r"##(vso|teamcity)?\[", text):
            obeyed.append((made.__name__, before, command))
    assert obeyed == [], "GitHub's own commands are held by tests of its own"


@settings(max_examples=40)
@given(hostile=st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_can_be_written(hostile: str) -> None:
    for made, name in product(examples.HOSTILE_RESULTS, FORMAT_NAMES):
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


@pytest.mark.parametrize("name", sorted({*SUFFIX} - {"text"}))
def test_color_and_width_are_for_readers(name: str) -> None:
    result = examples.files_result()
    assert rendered(name, result, View(width=20, color=True)) == rendered(name, result, View())


def test_suppressed_are_shown_when_requested() -> None:
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


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_every_exposure_of_every_source_can_be_shown(name: str) -> None:
    for source, exposure, standing in product(SourceKind, Exposure, (False, True)):
        place = examples.at("src/a.py", 3, exposure=exposure, commit=examples.COMMIT, preexisting=standing)
        finding = replace(examples.files_result().findings[0], locations=(place,), fails=not standing)
        result = replace(examples.files_result(), source=source, findings=(finding,))
        for verbose in (False, True):
            text = rendered(name, result, View(verbose=verbose))
            assert "src/a.py" in text, (source, exposure, standing)
            assert examples.COMMIT.id[:12] in text, (source, exposure, standing)


READERS = ("text", "github", "junit", "markdown", "html")
"""Formats that say everything in sentences; the others have fields for some of it."""


def _strings(value: object) -> Iterator[str]:
    """All texts in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def _words(name: str, result: Result) -> str:
    """The text of a report, unescaped and on one line."""
    text = html.unescape(rendered(name, result, View(moment=MOMENT, width=2000)))
    if name == "gitlab":
        text = " ".join(_strings(json.loads(text)))
    if name == "html":
        text = re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", "", text, flags=re.DOTALL)
    return " ".join(
        _unescaped(text)
        .replace("%0A", " ")
        .replace("%3A", ":")
        .replace("%2C", ",")
        .replace("`", "")
        .replace("**", "")
        .lower()
        .split()
    )


@pytest.mark.parametrize("name", READERS)
def test_an_incomplete_scan_is_described_alike(name: str) -> None:
    lost = replace(examples.clean_result(), skipped=examples.files_result().skipped[:1])
    assert "the scan is incomplete: 1 item not read" in _words(name, lost)


@pytest.mark.parametrize("name", [*READERS, "sarif", "gitlab"])
def test_provenance_is_described_alike(name: str) -> None:
    result = examples.history_result()
    words = _words(name, result)
    assert "pushed: a remote has it" in words
    assert "only in older commits" in words
    if name == "html":
        assert f"introduced 2024-03-05 {examples.COMMIT.id[:12]}" in words
        assert f"removed 2024-04-01 {examples.LATER.id[:12]}" in words
    else:
        assert f"introduced in {examples.COMMIT.id[:12]}" in words or name == "text", "which has it as a heading"
        assert f"removed in {examples.LATER.id[:12]}" in words
    lone = replace(result.findings[1], locations=result.findings[1].locations[-1:])
    assert "unreachable from any branch or tag" in _words(name, replace(result, findings=(lone,)))


@pytest.mark.parametrize("name", [*READERS, "sarif", "gitlab"])
def test_what_was_there_before_is_described_alike(name: str) -> None:
    assert "already there before this change" in _words(name, examples.gate_result())
    assert "its risk is below the gate" in _words(name, examples.gate_result())


@pytest.mark.parametrize("name", [*READERS, "sarif", "gitlab", "csv"])
def test_why_a_finding_passes_is_always_given(name: str) -> None:
    result = examples.gate_result()
    passing = replace(result, findings=result.findings[2:3])
    assert "its risk is below the gate" in _words(name, passing)
    assert "below the gate" not in _words(name, replace(result, findings=result.findings[:1]))


@pytest.mark.parametrize("name", ["text", "github", "html"])
def test_the_gate_is_counted_alike(name: str) -> None:
    result = examples.gate_result()
    assert "1 fails the gate" in _words(name, result)
    assert "none fails the gate" in _words(name, replace(result, findings=result.findings[2:]))


@pytest.mark.parametrize("name", [*READERS, "sarif", "gitlab"])
def test_verdicts_are_described_alike(name: str) -> None:
    for finding in examples.verified_result().findings:
        assert finding.verification is not None
        words = _words(name, replace(examples.verified_result(), findings=(finding,)))
        assert describe_verdict(finding.verification).lower() in words


@pytest.mark.parametrize("name", ["text", "markdown", "html", "gitlab"])
def test_every_step_of_advice_is_given(name: str) -> None:
    for made in examples.RESULTS.values():
        result = made()
        words = _words(name, result)
        for step in steps(result) if result.findings else []:
            assert step.text.rstrip(".").lower() in words
            assert all(line.removeprefix("https://").lower() in words for line in step.verbatim)


def _unescaped(text: str) -> str:
    return text.replace("\\u2026", "…").replace("&#8230;", "…")


@pytest.mark.parametrize("name", ["text", "github", "markdown"])
def test_a_change_that_cannot_allow_its_own_findings_says_where_to(name: str) -> None:
    result = examples.gate_result()
    render = format_named(name).render
    assert "in a change that is merged first" not in render(result, View()).lower()
    text = render(replace(result, base_policy=True), View()).lower()
    assert "false alarm" in text
    assert "in a change that is merged first" in text


@pytest.mark.parametrize("name", ["text", "html", "sarif", "github", "gitlab", "junit", "markdown"])
def test_the_cell_of_a_notebook_is_named(name: str) -> None:
    result = examples.files_result()
    place = replace(result.findings[0].locations[0], path="a.ipynb", cell=Cell(number=4, part=CellPart.OUTPUT))
    text = format_named(name).render(
        replace(result, findings=(replace(result.findings[0], locations=(place,)),)), View(verbose=True)
    )
    assert f"{place.line}:{place.column}, cell 4, output" in text
