"""Completion as shells ask for it: by argcomplete's protocol, and with keys pressed in bash, zsh and fish."""

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
from binance_leaks.cli.arguments.commands import SHELLS
from binance_leaks.cli.parser import build
from binance_leaks.report import FORMAT_NAMES

from tests.e2e import run
from tests.parser_spec import Command, described

PROGRAM = described(build())
TOP_LEVEL = {command.words[-1] for command in PROGRAM.commands}
RISKS = {"none", "info", "low", "medium", "high", "critical"}
_ZSH = "PS1='READY''> '; unsetopt BEEP; autoload -U compinit;"


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
def test_the_script_is_valid(shell: str, tmp_path: Path) -> None:
    subprocess.run([shell, "-n", scripted(shell, tmp_path)], check=True, timeout=60)


def test_another_shell_is_refused(tmp_path: Path) -> None:
    outcome = run("completion", "tcsh", cwd=tmp_path)
    assert outcome.status == 2
    assert "bash, zsh, fish" in outcome.err


def ask(folder: Path, line: str) -> set[str]:
    """What is offered at the end of a command line."""
    asked = {
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "fish",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(folder / "offered"),
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "binance_leaks"],
        cwd=folder,
        env={**os.environ, **asked},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == b""
    offered = (folder / "offered").read_text("utf-8")
    (folder / "offered").unlink()
    return {line.partition("\t")[0].strip() for line in offered.splitlines() if line}


def test_commands(tmp_path: Path) -> None:
    assert ask(tmp_path, "binance-leaks ") >= TOP_LEVEL
    assert ask(tmp_path, "binance-leaks his") == {"history"}
    assert ask(tmp_path, "binance-leaks baseline ") >= {"create", "update", "audit"}
    assert ask(tmp_path, "binance-leaks completion ") >= set(SHELLS)


def test_options_of_the_command_alone(tmp_path: Path) -> None:
    for words in (("scan",), ("history",), ("ci",), ("baseline", "create")):
        long = {name for name in options_of(*words) if name.startswith("--")}
        assert ask(tmp_path, f"binance-leaks {' '.join(words)} --") == long
    assert ask(tmp_path, "binance-leaks ci --fe") == {"--fetch"}
    assert not ask(tmp_path, "binance-leaks scan --fe")
    assert ask(tmp_path, "binance-leaks scan src -q --show") == {"--show-suppressed"}


def test_words_that_are_no_commands_here(tmp_path: Path) -> None:
    """A file or a value may be called as a command is."""
    assert "--all-files" in ask(tmp_path, "binance-leaks scan history --a")
    assert "--keep" in ask(tmp_path, "binance-leaks history --state scan --k")


def test_values(tmp_path: Path) -> None:
    assert ask(tmp_path, "binance-leaks scan --confidence ") == {"low", "medium", "high"}
    assert ask(tmp_path, "binance-leaks scan --confidence=h") == {"--confidence=high"}
    assert ask(tmp_path, "binance-leaks scan --fail-on ") == RISKS
    assert ask(tmp_path, "binance-leaks ci --format ") == set(FORMAT_NAMES)
    assert ask(tmp_path, "binance-leaks ci --format sa") == {"sarif"}
    assert ask(tmp_path, "binance-leaks init --ci git") == {"gitea", "github", "gitlab"}


def test_files_where_they_belong(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").touch()
    (tmp_path / "report.json").touch()
    assert ask(tmp_path, "binance-leaks scan sett") == {"settings.toml"}
    assert ask(tmp_path, "binance-leaks scan --config sett") == {"settings.toml"}
    assert ask(tmp_path, "binance-leaks scan --format json:re") == {"json:report.json"}
    assert ask(tmp_path, "binance-leaks plugin-path sett") == set()
    assert ask(tmp_path, "binance-leaks history --branch sett") == set()


class Shell:
    """An interactive shell on a terminal, to press keys in."""

    def __init__(self, words: list[str], folder: Path, programs: dict[str, str]) -> None:
        import pty  # POSIX only

        self._ours, theirs = pty.openpty()
        environment = {
            **os.environ,
            **programs,
            "TERM": "xterm",
            "ZDOTDIR": str(folder),
            "COLUMNS": "200",
            "INPUTRC": os.devnull,
        }
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
        """Types a text, and when it is there the key for completion: zsh completes nothing while keys wait."""
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
def interactive(tmp_path: Path, programs: dict[str, str]) -> Iterator[Callable[..., Shell]]:
    opened: list[Shell] = []

    def start(*words: str) -> Shell:
        opened.append(Shell([*words], tmp_path, programs))
        return opened[-1]

    yield start
    for shell in opened:
        shell.close()


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """An environment in which the program is found by its name."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program = folder / "binance-leaks"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m binance_leaks "$@"\n', "utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


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
    shell.complete("\x15binance-leaks scan --confidence h", "igh ")
    shell.complete("\x15binance-leaks report \\$", r"\\\(touch\\ bad\\\)\.json ")
    assert not (tmp_path / "bad").exists()


@here("zsh")
def test_keys_in_zsh(tmp_path: Path, interactive: Callable[..., Shell]) -> None:
    scripted("zsh", tmp_path)
    shell = interactive("zsh", "-f", "-i")
    shell.press(f"{_ZSH} compinit -uD; source ./script.zsh; echo LOADED$((1))\n")
    shell.wait_for(r"LOADED1[\s\S]*READY> ")
    shell.complete("binance-leaks hist", "ory")
    shell.complete("--ke", "ep")
    shell.complete("\x15binance-leaks scan --format sa", "rif")
    shell.complete("\x15binance-leaks baseline up", "date")
    shell.complete("--hist", "ory")
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


@here("fish")
def test_fish_offers_what_the_program_does(tmp_path: Path, programs: dict[str, str]) -> None:
    file = scripted("fish", tmp_path)
    done = subprocess.run(
        ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", str(file), "binance-leaks his"],
        cwd=tmp_path,
        env={**os.environ, **programs},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split("\t")[0] == "history"


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
