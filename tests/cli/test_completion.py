"""The scripts for shells, asked for completions in these shells: bash, zsh and fish, as far as they are installed."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from binance_leaks.cli.arguments.shells import SHELLS
from binance_leaks.cli.parser import build
from binance_leaks.cli.parser_spec import Command, described
from binance_leaks.report import FORMAT_NAMES

from tests.e2e import run

PROGRAM = described(build())
TOP_LEVEL = {command.words[-1] for command in PROGRAM.commands}
RISKS = {"none", "info", "low", "medium", "high", "critical"}
_BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_binance_leaks; printf '%s\\n' "${COMPREPLY[@]}"
"""
_ZSH = "PS1='READY''> '; unsetopt BEEP; autoload -U compinit;"
Ask = Callable[..., set[str]]


def scripted(shell: str, folder: Path) -> Path:
    """The script of a shell, in a file."""
    outcome = run("completion", shell, cwd=folder)
    assert outcome.status == 0
    file = folder / f"script.{shell}"
    file.write_text(outcome.out, "utf-8")
    return file


def options_of(*words: str) -> set[str]:
    command = next(one for one in PROGRAM.all() if one.words[1:] == words)
    return {name for option in command.options for name in option.names}


def here(shell: str) -> pytest.MarkDecorator:
    found = sys.platform != "win32" and shutil.which(shell) is not None
    return pytest.mark.skipif(not found, reason=f"{shell} is not installed")


@pytest.mark.parametrize("shell", [pytest.param(shell, marks=here(shell)) for shell in SHELLS])
def test_the_script_is_valid_and_holds_every_option(shell: str, tmp_path: Path) -> None:
    file = scripted(shell, tmp_path)
    subprocess.run([shell, "-n", file], check=True, timeout=60)
    text = file.read_text("utf-8")
    for command in PROGRAM.all():
        assert command.words[-1] in text
        for option in command.options:
            for name in option.names:
                assert (f"-l {name[2:]} " if shell == "fish" and name.startswith("--") else name[1:]) in text


def test_another_shell_is_refused(tmp_path: Path) -> None:
    outcome = run("completion", "tcsh", cwd=tmp_path)
    assert outcome.status == 2
    assert "'bash', 'zsh', 'fish'" in outcome.err or "bash, zsh, fish" in outcome.err


def ask_bash(folder: Path) -> Ask:
    file = scripted("bash", folder)

    def ask(*words: str) -> set[str]:
        done = subprocess.run(
            ["bash", "--norc", "--noprofile", "-c", _BASH, "bash", file, "binance-leaks", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert not done.stderr
        return set(done.stdout.split())

    return ask


def ask_fish(folder: Path) -> Ask:
    file = scripted("fish", folder)

    def ask(*words: str) -> set[str]:
        line = " ".join(words)
        done = subprocess.run(
            ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", str(file), f"binance-leaks {line}"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert not done.stderr
        return {line.split("\t")[0] for line in done.stdout.splitlines()}

    return ask


@pytest.fixture(params=[pytest.param(ask_bash, marks=here("bash")), pytest.param(ask_fish, marks=here("fish"))])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Ask:
    asked: Ask = request.param(tmp_path)
    return asked


def test_commands(ask: Ask) -> None:
    assert ask("") == TOP_LEVEL
    assert ask("his") == {"history"}
    assert ask("baseline", "") >= {"create", "update", "audit"}
    assert ask("completion", "") >= set(SHELLS)


def test_options_of_the_command_alone(ask: Ask) -> None:
    for words in (("scan",), ("history",), ("ci",), ("baseline", "create")):
        long = {name for name in options_of(*words) if name.startswith("--")}
        assert {name for name in ask(*words, "--") if name.startswith("--")} == long
    assert ask("ci", "--fe") == {"--fetch"}
    assert not ask("scan", "--fe")
    assert ask("scan", "src", "-q", "--show") == {"--show-suppressed"}


def test_words_that_are_no_commands_here(ask: Ask) -> None:
    """A file or a value may be called as a command is."""
    assert "--all-files" in ask("scan", "history", "--a")
    assert "--keep" in ask("history", "--state", "scan", "--k")


def test_values(ask: Ask) -> None:
    assert ask("scan", "--confidence", "") == {"low", "medium", "high"}
    assert ask("scan", "--fail-on", "") == RISKS
    assert ask("ci", "--format", "") == set(FORMAT_NAMES)
    assert ask("ci", "--format", "sa") == {"sarif"}
    assert ask("init", "--ci", "git") == {"github", "gitlab"}


@here("bash")
def test_bash_splits_at_equals_and_colons(tmp_path: Path) -> None:
    ask = ask_bash(tmp_path)
    assert ask("scan", "--confidence", "=") == {"low", "medium", "high"}
    assert ask("scan", "--confidence", "=", "h") == {"high"}
    assert ask("scan", "--format", "json", ":") == set()
    assert ask("scan", "--format", "json", ":", "re") == set(), "readline completes the file"
    assert ask("scan", "--", "--") == set()


@here("fish")
def test_fish_completes_files_where_they_belong(tmp_path: Path) -> None:
    ask = ask_fish(tmp_path)
    (tmp_path / "settings.toml").touch()
    assert ask("scan", "sett") == {"settings.toml"}
    assert ask("scan", "--config", "sett") == {"settings.toml"}
    assert ask("plugin-path", "sett") == set()
    assert ask("scan", "--confidence=h") == {"--confidence=high"}


class Shell:
    """An interactive shell on a terminal, to press keys in."""

    def __init__(self, words: list[str], folder: Path) -> None:
        import pty  # POSIX only

        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "ZDOTDIR": str(folder), "COLUMNS": "200", "INPUTRC": os.devnull}
        self._process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self._shown = ""

    def press(self, keys: str) -> None:
        """Types; what was shown before is forgotten."""
        self._shown = ""
        os.write(self._ours, keys.encode())

    def complete(self, text: str, pattern: str) -> str:
        """Types a text, and when it stands there the key for completion: zsh completes nothing while keys wait."""
        self.press(text)
        self.wait_for(re.escape(text[-2:]))
        self.press("\t")
        return self.wait_for(pattern)

    def wait_for(self, pattern: str) -> str:
        """What is shown, once it matches; a shell that is stuck fails in a minute."""
        end = time.monotonic() + 20
        while not re.search(pattern, self._shown):
            ready, _, _ = select.select([self._ours], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"not shown: {pattern} in {self._shown!r}"
            self._shown += os.read(self._ours, 65536).decode("utf-8", "replace")
        return self._shown

    def close(self) -> None:
        """Ends the shell."""
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


@pytest.fixture
def interactive(tmp_path: Path) -> Iterator[Callable[..., Shell]]:
    opened: list[Shell] = []

    def start(*words: str) -> Shell:
        opened.append(Shell([*words], tmp_path))
        return opened[-1]

    yield start
    for shell in opened:
        shell.close()


@here("bash")
def test_keys_in_bash(tmp_path: Path, interactive: Callable[..., Shell]) -> None:
    scripted("bash", tmp_path)
    (tmp_path / "my report.json").touch()
    (tmp_path / "$(touch bad).json").touch()
    shell = interactive("bash", "--norc", "--noprofile", "-i")
    shell.press("PS1='READY''> '; bind 'set bell-style none'; source script.bash\n")
    shell.wait_for(r"READY> ")
    shell.complete("binance-leaks hist", "ory ")
    shell.complete("\x15binance-leaks report my", r"\\ report\.json ")
    shell.complete("\x15binance-leaks scan --format json:my", r"\\ report\.json ")
    shell.complete("\x15binance-leaks report \\$", r"\\\(touch\\ bad\\\)\.json ")
    assert not (tmp_path / "bad").exists()


@here("zsh")
def test_keys_in_zsh(tmp_path: Path, interactive: Callable[..., Shell]) -> None:
    scripted("zsh", tmp_path)
    (tmp_path / "my report.json").touch()
    shell = interactive("zsh", "-f", "-i")
    shell.press(f"{_ZSH} compinit -uD; source ./script.zsh; echo LOADED$((1))\n")
    shell.wait_for(r"LOADED1[\s\S]*READY> ")
    shell.complete("binance-leaks hist", "ory")
    shell.complete("--ke", "ep")
    shell.complete("\x15binance-leaks scan --confidence ", r"high\s+low\s+medium")
    shell.complete("\x15binance-leaks scan --format sa", "rif")
    shell.complete("\x15binance-leaks scan --format json:my", r"\\ report\.json")
    shell.complete("\x15binance-leaks baseline up", "date")
    shell.complete("--hist", "ory")
    shell.complete("\x15binance-leaks ci --fail-on=cr", "itical")
    shown = shell.complete("\x15binance-leaks ", r"staged[\s\S]*pre-commit hook")
    assert "scan everything that a repository ever held" in shown


@here("zsh")
def test_zsh_finds_the_script_in_its_path(tmp_path: Path, interactive: Callable[..., Shell]) -> None:
    (tmp_path / "functions").mkdir()
    scripted("zsh", tmp_path).rename(tmp_path / "functions/_binance-leaks")
    shell = interactive("zsh", "-f", "-i")
    shell.press(f"fpath=($PWD/functions $fpath); {_ZSH} compinit -uD; echo LOADED$((1))\n")
    shell.wait_for(r"LOADED1[\s\S]*READY> ")
    shell.complete("binance-leaks hist", "ory")
    shell.complete("--subm", "odules")


def all_commands() -> list[Command]:
    return list(PROGRAM.all())


@pytest.mark.parametrize("command", all_commands(), ids=lambda command: command.name)
def test_every_command_helps_with_an_example(command: Command, tmp_path: Path) -> None:
    outcome = run(*command.words[1:], "--help", cwd=tmp_path)
    assert (outcome.status, outcome.err) == (0, "")
    assert command.examples
    for example in command.examples:
        assert example in outcome.out
        assert "binance-leaks" in example
    assert command.summary or command is PROGRAM
    assert command.description


def test_the_module_is_the_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "binance_leaks", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.fullmatch(r"binance-leaks \S+\n", done.stdout)
