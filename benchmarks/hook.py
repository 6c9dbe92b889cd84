"""A commit of ten small clean files: our hook and the peers' hooks, as ratios to an empty Python.

Builds a temporary repository with some history, stages the files, makes sure that every hook stops a commit with a
generated key pair, takes the pair out, and measures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from commands import FOUND, Setting, scan_staged
from programs import Program, Tool, environment, interpreter
from samples import clean_sources, plant
from tables import comparison
from timing import BenchmarkError, Command, alternate, run

FLOOR = "python -c pass"
COMMITS = 5
FILES_OF_A_COMMIT = 8
STAGED_FILES = 10
LEAST_ROUNDS = 20
"""A hook takes milliseconds, and medians of few rounds jump."""


def measure(programs: Sequence[Program], options: argparse.Namespace, scratch: Path) -> str:
    """The figures of all hooks on one commit as Markdown."""
    setting = Setting(scratch=scratch, env=environment(scratch), lean=options.lean)
    repository = scratch / "repository"
    files = make_repository(repository, setting.env)
    check(programs, repository, files, setting)
    hooks = [scan_staged(one, repository, files, setting, status=0) for one in programs]
    by_pre_commit = [_as_pre_commit(one, hook) for one, hook in zip(programs, hooks, strict=True)]
    commands = [floor(programs, repository, setting), *hooks, *filter(None, by_pre_commit)]
    runs = alternate(commands, rounds=max(options.rounds, LEAST_ROUNDS), warmup=options.warmup)
    return f"{len(files)} staged files\n\n{comparison(runs, {}, floor=FLOOR)}"


def make_repository(repository: Path, env: Mapping[str, str]) -> list[str]:
    """A repository with some commits and ten clean staged files; the names of these."""
    repository.mkdir()
    git(repository, env, "init", "--quiet", "--template=")
    # Without an identity kingfisher's staged mode reads nothing, reports it, and exits with 0.
    git(repository, env, "config", "user.name", "Benchmark")
    git(repository, env, "config", "user.email", "benchmark@example.com")
    for number in range(COMMITS):
        write(repository / f"part{number}", clean_sources(FILES_OF_A_COMMIT, seed=number))
        git(repository, env, "add", ".")
        git(repository, env, "commit", "--quiet", "--message", f"part {number}")
    staged = clean_sources(STAGED_FILES, seed=COMMITS)
    write(repository / "bot", staged)
    git(repository, env, "add", ".")
    return [f"bot/{name}" for name in staged]


def check(programs: Sequence[Program], repository: Path, files: Sequence[str], setting: Setting) -> None:
    """Make sure that every hook stops a generated pair: one that reads nothing is fast. Raises BenchmarkError."""
    name = "bot/accounts.py"
    plant(repository, name)
    git(repository, setting.env, "add", name)
    for program in programs:
        run(scan_staged(program, repository, [*files, name], setting, status=FOUND[program.tool]))
    git(repository, setting.env, "rm", "--quiet", "--force", name)


def _as_pre_commit(program: Program, hook: Command) -> Command | None:
    """Our hook as `.pre-commit-hooks.yaml` has it started, without the script that pip makes."""
    if program.tool is not Tool.BINANCE_LEAKS:
        return None
    call = "from binance_leaks.cli import main; raise SystemExit(main())"
    argv = (str(interpreter(program)), "-I", "-c", call, "staged")
    return replace(hook, name=f"{hook.name}, by pre-commit", argv=argv)


def floor(programs: Sequence[Program], repository: Path, setting: Setting) -> Command:
    """An empty Python of the environment that binance-leaks runs in."""
    own = [program for program in programs if program.tool is Tool.BINANCE_LEAKS]
    python = interpreter(own[0]) if own else Path(sys.executable)
    return Command(name=FLOOR, argv=(str(python), "-c", "pass"), cwd=repository, env=setting.env)


def git(repository: Path, env: Mapping[str, str], *arguments: str) -> None:
    """One git command in the repository. Raises BenchmarkError if it fails."""
    done = subprocess.run(["git", *arguments], cwd=repository, env=env, capture_output=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"git {arguments[0]} failed: {os.fsdecode(done.stderr).strip()}")


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the texts as files of the folder."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
