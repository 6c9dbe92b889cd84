"""The documents: generated from or compared with the program, linked without a gap, and naming nothing that is not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from binance_leaks.cli.parser import build
from binance_leaks.config import Config, load_config, parse_config
from binance_leaks.environments import KEY_PAGE
from binance_leaks.errors import ConfigError
from binance_leaks.model import Confidence, Environment, RiskLevel
from binance_leaks.report.remedies import remedies
from binance_leaks.verification import Tier

from tests.parser_spec import described
from tests.reference import reference
from tests.report import examples

TOP = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [
        *TOP.glob("docs/*.md"),
        TOP / ".github/SECURITY.md",
        TOP / "README.md",
        TOP / "CONTRIBUTING.md",
        TOP / "CHANGELOG.md",
    ]
)
CONFIGURATION = (TOP / "docs/configuration.md").read_text("utf-8")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def test_the_reference_is_what_the_parser_reports() -> None:
    text = (TOP / "docs/reference.md").read_text("utf-8")
    assert text == reference(), "run: python -m tests.reference > docs/reference.md"
    for command in described(build()).all():
        for option in command.options:
            assert all(f"`{name}" in text for name in option.names)


def known(settings: str) -> set[str]:
    """The settings that there are in a table, by the message about one that is not."""
    try:
        parse(settings)
    except ConfigError as error:
        return set(error.hint.removeprefix("Known: ").split(", "))
    raise AssertionError


def parse(text: str) -> Config:
    return parse_config(text.encode(), Path(".binance-leaks.toml"))


def rows() -> dict[str, list[str]]:
    """The tables of settings: name, then type, default and purpose."""
    found = re.findall(r"^\| \[?`([a-z0-9.-]+)`(?:\]\(\S+\))? \| (.*) \|$", CONFIGURATION, re.MULTILINE)
    return {name: rest.split(" | ") for name, rest in found}


def test_every_setting_is_reported() -> None:
    settings = known("zzzzzz = 1")
    inner = known('[[allow]]\nzzzzzz = 1\npath = "x"')
    assert {name for name in rows() if "." not in name} == settings
    assert {name.removeprefix("allow.") for name in rows() if "." in name} == inner
    for name in settings:
        assert f"\n## {name}\n" in CONFIGURATION
        assert re.search(rf"^(\[*(tool\.binance-leaks\.)?{name}\]*$|{name} = )", CONFIGURATION, re.MULTILINE)
    environments = known('fail-on = { zzzzzz = "low" }')
    assert all(f"`{name}`" in CONFIGURATION for name in environments)
    assert environments == {"default", *(environment.value for environment in Environment)}


def test_defaults_are_as_reported() -> None:
    reported = {name: re.findall(r"`([^`]+)`", row[1]) for name, row in rows().items()}
    lines = "".join(f"{name} = {value[0]}\n" for name, value in reported.items() if value and "." not in name)
    assert replace(parse(lines), file=None, folder=None) == Config()
    assert {name for name, value in reported.items() if not value} == {"baseline", "allow.sha256", "allow.path"}
    assert parse('[[allow]]\npath = "x"').allow[0].reason == reported["allow.reason"][0].strip('"')


def test_levels_are_as_reported() -> None:
    for level in (*Confidence, *RiskLevel):
        assert f"`{level.value}`" in CONFIGURATION


@pytest.mark.parametrize("block", re.findall(r"^```toml\n(.*?)^```$", CONFIGURATION, re.MULTILINE | re.DOTALL))
def test_examples_of_settings_load(block: str, tmp_path: Path) -> None:
    file = tmp_path / (".binance-leaks.toml" if ".binance-leaks.toml" in block else "pyproject.toml")
    file.write_text(block, "utf-8")
    assert replace(load_config(file), file=None, folder=None) != Config()


def anchors(document: Path) -> set[str]:
    """The anchors of headings, as GitHub makes them."""
    text = _FENCED.sub("", document.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = _LINK.findall(_FENCED.sub("", document.read_text("utf-8")))
    for link in links:
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://")
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert target.is_relative_to(TOP)
        assert not anchor or anchor in anchors(target), link


def test_the_index_has_every_document() -> None:
    links = set(_LINK.findall((TOP / "README.md").read_text("utf-8")))
    missing = {f"docs/{document.name}" for document in TOP.glob("docs/*.md")} - links
    assert not missing
    assert "CONTRIBUTING.md" in links


def test_documents_are_for_any_screen() -> None:
    for document in DOCUMENTS:
        assert all(line.isprintable() for line in document.read_text("utf-8").splitlines()), document.name


def test_no_document_holds_a_value() -> None:
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        assert not re.search(r"(?<![A-Za-z0-9])(?![0-9a-f]{64})[A-Za-z0-9]{64}(?![A-Za-z0-9])", text), document.name


def test_the_incident_guide_is_the_advice_of_reports() -> None:
    """Every step that reports give for a live key that may withdraw is there, in the same order and words."""
    guide = re.sub(r"\s+", " ", (TOP / "docs/incident.md").read_text("utf-8").replace("**", ""))
    finding = examples.verified_result().findings[0]
    assert finding.verification is not None
    assert finding.verification.tier is Tier.WITHDRAW
    first, *others = remedies([finding])
    assert "disable or delete the key" in first.text
    assert "Disable or delete the key" in guide
    assert KEY_PAGE in guide
    places = [guide.index(step.text) for step in others]
    assert len(places) == 7
    assert [guide.index(KEY_PAGE), *places, guide.index("Rewrite the history")] == sorted(
        [guide.index(KEY_PAGE), *places, guide.index("Rewrite the history")]
    )


def test_the_architecture_names_modules_that_exist() -> None:
    text = (TOP / "docs/architecture.md").read_text("utf-8")
    package = TOP / "scanner/binance_leaks"
    named = set(re.findall(r"(?<![\w/])((?:\w+/)*\w+\.py|(?:\w+/)+)(?=[`\s,;:]|$)", text))
    missing = {name for name in named if not (package / name).exists() and not (TOP / name).exists()} - {"settings.py"}
    assert not missing
    assert len(named) > 40


def test_every_environment_variable_is_documented() -> None:
    section = CONFIGURATION.partition("## Environment variables")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`([A-Z_]+\*?)(?:=\w+)?`", section))
    families = ("GIT_", *(name[:-1] for name in listed if name.endswith("*")))
    variables = "(?:os.environ|environment|variables)"
    reads = re.compile(rf'{variables}(?:\.get\(|\[)"([A-Z]\w+)"|"([A-Z]\w+)" (?:not )?in {variables}')
    sources = [path.read_text("utf-8") for path in (TOP / "scanner/binance_leaks").rglob("*.py")]
    read = {name for source in sources for pair in reads.findall(source) for name in pair if name}
    assert len(read) > 30
    assert not {name for name in read - listed if not name.startswith(families)}


def test_every_promise_names_the_tests_that_hold_it() -> None:
    promises, _, _ = (TOP / "docs/security.md").read_text("utf-8").partition("## What is not promised")
    rows = [line.strip("| ").split(" | ") for line in promises.splitlines() if line.startswith("| ")]
    held = [row for row in rows if row != ["promise", "held by"]]
    assert len(held) > 20
    for promise, tests in held:
        names = re.findall(r"`(tests/[a-z0-9_/]+\.py)`", tests)
        assert names, promise
        assert ", ".join(f"`{name}`" for name in names) == tests
        assert all("def test_" in (TOP / name).read_text("utf-8") for name in names)
