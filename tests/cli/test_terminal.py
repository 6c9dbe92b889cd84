"""Which terminals get hyperlinks and colour, and that logs get neither."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from binance_leaks.cli.output import has_hyperlinks, obeys_escapes

from tests.e2e import PROGRAM, Pair, run
from tests.repositories import Repository

KNOWN: tuple[Mapping[str, str], ...] = (
    {"VTE_VERSION": "7600", "TERM": "xterm-256color"},
    {"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.2", "TERM": "xterm-256color"},
    {"TERM_PROGRAM": "WezTerm", "TERM_PROGRAM_VERSION": "20240203-110809-5046fc22", "TERM": "xterm-256color"},
    {"TERM_PROGRAM": "vscode", "TERM_PROGRAM_VERSION": "1.95.0", "TERM": "xterm-256color"},
    {"TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4", "TERM": "tmux-256color"},
    {"TERM": "xterm-kitty"},
    {"TERM": "alacritty"},
    {"TERM": "foot"},
    {"KONSOLE_VERSION": "230401", "TERM": "xterm-256color"},
    {"WT_SESSION": "4a5b6c"},
    {"FORCE_HYPERLINK": "1", "TERM": "xterm"},
)
OTHERS: tuple[Mapping[str, str], ...] = (
    {},
    {"TERM": "xterm-256color"},
    {"TERM": "linux"},
    {"TERM": "dumb", "FORCE_HYPERLINK": "1"},
    {"TERM": "dumb", "VTE_VERSION": "7600"},
    {"TERM": "xterm-256color", "VTE_VERSION": "5000"},
    {"TERM": "xterm-256color", "VTE_VERSION": "7.6"},
    {"TERM": "screen-256color", "VTE_VERSION": "7600"},
    {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a"},
    {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal", "TERM_PROGRAM_VERSION": "455"},
    {"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"},
)


@pytest.mark.parametrize("environment", KNOWN, ids=str)
def test_terminals_that_have_links(environment: Mapping[str, str]) -> None:
    assert has_hyperlinks(environment)


@pytest.mark.parametrize("environment", OTHERS, ids=str)
def test_terminals_that_are_not_known_to_have_links(environment: Mapping[str, str]) -> None:
    assert not has_hyperlinks(environment)


@pytest.mark.parametrize("environment", KNOWN, ids=str)
@pytest.mark.parametrize(
    "more",
    [{"CI": "true"}, {"TF_BUILD": "True"}, {"SSH_CONNECTION": "::1 1 ::1 22"}, {"FORCE_HYPERLINK": "0"}],
    ids=str,
)
def test_no_links_in_a_log_over_ssh_or_against_a_wish(environment: Mapping[str, str], more: Mapping[str, str]) -> None:
    assert not has_hyperlinks({**environment, **more})


def test_a_stream_that_is_no_terminal_obeys_nothing() -> None:
    assert not obeys_escapes(io.StringIO())


@pytest.fixture
def leaky(repository: Repository) -> Repository:
    repository.write("bot a.py", Pair.fresh().python)
    return repository


def on_a_terminal(cwd: Path, *words: str, env: Mapping[str, str]) -> str:
    """What a run writes to a terminal."""
    import pty  # POSIX only

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *words], cwd=cwd, env={**os.environ, **env}, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
    ):
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # Linux ends a terminal so
            pass
        os.close(ours)
    return shown.decode()


needs_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")


@needs_a_terminal
def test_a_terminal_with_links_gets_them(leaky: Repository) -> None:
    text = on_a_terminal(leaky.folder, "scan", env={"TERM": "xterm-kitty"})
    link = re.search(r"\x1b\]8;;file://(\S+)\x1b\\(\S.*?)\x1b\]8;;\x1b\\", text)
    assert link is not None
    assert link[1] == f"{leaky.folder.as_posix()}/bot%20a.py"
    assert link[2] == "bot a.py:2:18"
    assert "\x1b[1;31mHIGH" in text


@needs_a_terminal
def test_links_of_staged_files_count_from_the_top(leaky: Repository) -> None:
    leaky.stage("bot a.py")
    leaky.write("sub/x", "x")
    text = on_a_terminal(leaky.path("sub"), "staged", env={"TERM": "xterm-kitty"})
    assert f"\x1b]8;;file://{leaky.folder.as_posix()}/bot%20a.py\x1b\\" in text


@needs_a_terminal
@pytest.mark.parametrize(
    ("words", "env"),
    [
        ((), {"TERM": "dumb"}),
        (("--color", "never"), {"TERM": "xterm-kitty"}),
        (("--format", "json"), {"TERM": "xterm-kitty"}),
        (("--format", "github"), {"TERM": "xterm-kitty"}),
        (("--format", "csv"), {"TERM": "xterm-kitty"}),
    ],
)
def test_a_dumb_terminal_or_another_format_gets_no_escape(
    leaky: Repository, words: tuple[str, ...], env: Mapping[str, str]
) -> None:
    assert "\x1b" not in on_a_terminal(leaky.folder, "scan", *words, env=env)


@needs_a_terminal
def test_a_ci_log_on_a_terminal_gets_colour_and_no_links(leaky: Repository) -> None:
    text = on_a_terminal(leaky.folder, "scan", env={"TERM": "xterm-kitty", "CI": "true"})
    assert "\x1b]8" not in text
    assert "\x1b[1;31mHIGH" in text


@pytest.mark.parametrize("env", [*KNOWN, {"TERM": "xterm-kitty", "CLICOLOR_FORCE": "1"}], ids=str)
def test_a_pipe_gets_no_escape(leaky: Repository, env: Mapping[str, str]) -> None:
    outcome = run("scan", cwd=leaky.folder, env=env)
    assert "\x1b" not in outcome.out + outcome.err


@pytest.mark.parametrize("encoding", ["cp437", "cp850", "cp932", "cp1252", "ascii", "utf-16"])
def test_a_legacy_code_page_loses_nothing(leaky: Repository, encoding: str) -> None:
    """Consoles and pipes of Windows have a code page of their own, in which not every character is."""
    leaky.write("配置.py", Pair.fresh().python)
    outcome = subprocess.run(
        [*PROGRAM, "scan"],
        cwd=leaky.folder,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    text = outcome.stdout.decode(encoding)
    assert outcome.returncode == 1
    assert not outcome.stderr
    assert "配置.py:2:18" in text or "\\u914d\\u7f6e.py:2:18" in text
    assert "2 credentials: 2 high." in text


@pytest.mark.parametrize("words", [("scan", "."), ("history",), ("staged",), ("message", "clean.txt")])
def test_quiet_reports_nothing_of_a_clean_scan_and_all_of_another(
    repository: Repository, words: tuple[str, ...]
) -> None:
    repository.commit({"clean.txt": "nothing\n"})
    for place in ("before", "after"):
        quiet = run(*words, (words[0] == "staged" and "-q") or "--quiet", cwd=repository.folder)
        assert (quiet.status, quiet.out, quiet.err) == (0, "", ""), place
    pair = Pair.fresh()
    repository.write("clean.txt", pair.python)
    repository.stage("clean.txt")
    if words[0] == "history":
        repository.commit()
    quiet, loud = (run(*words, *more, cwd=repository.folder) for more in (("-q",), ()))
    assert quiet.status == loud.status == 1
    assert re.sub(r"\d\.\d+ s", "", quiet.out) == re.sub(r"\d\.\d+ s", "", loud.out)


@pytest.mark.parametrize("words", [("scan", "."), ("staged",), ("message", "a.py")])
def test_verbose_shows_digests_and_ids(repository: Repository, words: tuple[str, ...]) -> None:
    repository.stage("a.py", Pair.fresh().python)
    folded, verbose = (run(*words, *more, cwd=repository.folder).out for more in ((), ("-v",)))
    assert not re.search("[0-9a-f]{32}", folded)
    assert len(re.findall(r"^  sha256       [0-9a-f]{64}$", verbose, re.MULTILINE)) == 2
    assert re.search(r"^  id           [0-9a-f]{32}$", verbose, re.MULTILINE)
