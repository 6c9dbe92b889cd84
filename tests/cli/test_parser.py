"""The command line: help, suggestions, the order of options, and where a single report goes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from binance_leaks.cli.parser import build, load
from binance_leaks.native import compiled

from tests.e2e import Pair, run
from tests.parser_spec import Command, described

COMMANDS = list(described(build()).all())


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def test_without_a_command_there_is_help_and_2(tmp_path: Path) -> None:
    outcome = run(cwd=tmp_path)
    assert outcome.status == 2
    assert not outcome.out
    assert "usage: binance-leaks [OPTIONS] COMMAND" in outcome.err


@pytest.mark.parametrize("words", [(), ("scan",), ("baseline", "create"), ("fleet", "list")])
def test_help_of_a_command(words: tuple[str, ...], tmp_path: Path) -> None:
    asked = run("help", *words, cwd=tmp_path)
    assert asked.status == 0
    assert asked.out == run(*words, "--help", cwd=tmp_path).out
    assert asked.out.startswith(f"usage: {' '.join(('binance-leaks', *words))} [OPTIONS]")


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(option: str, tmp_path: Path) -> None:
    assert run(option, cwd=tmp_path).out.startswith("binance-leaks ")


@pytest.mark.parametrize(("pure", "state"), [("", "active"), ("1", "not built, or switched off")])
def test_version_with_its_parts(pure: str, state: str, tmp_path: Path) -> None:
    if not pure and compiled is None:
        pytest.skip("the compiled module is not installed")
    outcome = run("--version", "-v", cwd=tmp_path, env={"BINANCE_LEAKS_PURE": pure})
    assert outcome.status == 0
    assert re.search(rf"^compiled module +{state}", outcome.out, re.MULTILINE)
    assert re.search(r"^cryptography ", outcome.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "printed", "meant"),
    [
        (("histroy",), "unknown command: binance-leaks histroy", "binance-leaks history"),
        (("help", "stagd"), "unknown command: binance-leaks stagd", "binance-leaks staged"),
        (("baseline", "crate"), "unknown command: binance-leaks baseline crate", "binance-leaks baseline create"),
        (("scan", "--fail-onn", "low"), "unrecognized arguments: --fail-onn", "--fail-on"),
        (("scan", "--exlude=x"), "unrecognized arguments: --exlude=x", "--exclude"),
        (("scan", "--confidence", "hihg"), "argument --confidence: invalid choice: 'hihg'", "high"),
        (("completion", "fsh"), "argument shell: invalid choice: 'fsh'", "fish"),
    ],
)
def test_what_was_probably_meant(words: tuple[str, ...], printed: str, meant: str, tmp_path: Path) -> None:
    outcome = run(*words, cwd=tmp_path)
    assert outcome.status == 2
    assert printed in outcome.err
    assert f"Did you mean {meant}? See binance-leaks" in outcome.err


def test_what_nobody_meant(tmp_path: Path) -> None:
    outcome = run("xyzzy", cwd=tmp_path)
    assert outcome.status == 2
    assert "Did you mean" not in outcome.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_options_come_in_the_order_of_use(command: Command) -> None:
    order = ["", "action", "entry", "keys", "output", "gate", "scope", "store", "work", "verification"]
    groups = [option.group for option in command.options]
    assert groups == sorted(groups, key=order.index)


def test_every_command_names_a_function_that_exists() -> None:
    targets = [parser.get_default("target") for parser in build().leaves()]
    assert sum(target is None for target in targets) == 4  # help, and what detect-secrets reads
    for target in targets:
        assert target is None or callable(load(target))


class TestOutput:
    """`--output` is for the single format."""

    @pytest.mark.parametrize("option", ["-o", "--output"])
    def test_one_report(self, option: str, pair: Pair, tmp_path: Path) -> None:
        (tmp_path / "bot.py").write_text(pair.python)
        outcome = run("scan", "--format", "json", option, "report.json", cwd=tmp_path)
        assert (outcome.status, outcome.out) == (1, "")
        assert len(json.loads((tmp_path / "report.json").read_text("utf-8"))["findings"]) == 1

    def test_text_without_a_format(self, pair: Pair, tmp_path: Path) -> None:
        (tmp_path / "bot.py").write_text(pair.python)
        assert run("scan", "bot.py", "-o", "report.txt", cwd=tmp_path).out == ""
        assert "Binance key pair" in (tmp_path / "report.txt").read_text("utf-8")

    def test_standard_output(self, tmp_path: Path) -> None:
        assert json.loads(run("scan", "--format", "json", "-o", "-", cwd=tmp_path).out)["findings"] == []

    @pytest.mark.parametrize(
        "words", [("--format", "json:a.json"), ("--format", "json", "--format", "text:b.txt"), ("--format", "json")]
    )
    def test_not_for_several(self, words: tuple[str, ...], tmp_path: Path) -> None:
        given = "" if len(words) == 2 and words[1] == "json" else "report.json"
        outcome = run("scan", *words, "-o", given, cwd=tmp_path)
        assert outcome.status == 2
        assert "--output is" in outcome.err


def test_no_color_is_never(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(pair.python)
    assert "\x1b" in run("scan", "bot.py", "--color", "always", cwd=tmp_path).out
    assert "\x1b" not in run("scan", "bot.py", "--color", "always", "--no-color", cwd=tmp_path).out


def test_exit_zero_is_fail_on_none(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(pair.python, "utf-8")
    assert run("scan", ".", cwd=tmp_path).status == 1
    outcome = run("scan", "--exit-zero", ".", cwd=tmp_path)
    assert outcome.status == 0
    assert "bot.py" in outcome.out
    (tmp_path / "unread.zip").write_bytes(b"PK\x03\x04 damaged")
    assert run("scan", "--exit-zero", ".", cwd=tmp_path).status == 3


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_wrong_options_lead_to_the_help_of_their_command(command: Command, tmp_path: Path) -> None:
    if "detect-secrets" in command.name or command.words[-1] in ("audit", "help"):
        pytest.skip("its arguments are those of others")
    outcome = run(*command.words[1:], "--no-such-option", cwd=tmp_path)
    assert outcome.status == 2
    assert f"See {command.name}" in outcome.err
    assert "--help." in outcome.err
