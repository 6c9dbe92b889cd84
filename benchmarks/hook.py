"""Times a commit of ten small clean files: our hook and the peers' hooks, as ratios to an empty Python.

Builds a temporary repository with some history, stages the files, makes sure that every hook stops a commit with a
generated key pair, takes the pair out, and measures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from commands import FOUND, Setting, scan_staged
from programs import Program, Tool, add_arguments, environment, find_all, interpreter
from samples import clean_sources, plant
from timing import BenchmarkError, Command, Figures, alternate, markdown, peak_text, run, seconds, summarize

FLOOR = "python -c pass"
COMMITS = 5
FILES_OF_A_COMMIT = 8
STAGED_FILES = 10


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Times a commit of ten small clean files, ours and the peers' hooks.")
    add_arguments(parser, rounds=20)
    options = parser.parse_args()
    rounds: int = options.rounds
    warmup: int = options.warmup
    lean: bool = options.lean
    try:
        programs = find_all(options)
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            setting = Setting(scratch=scratch, env=environment(scratch), lean=lean)
            repository = scratch / "repository"
            files = make_repository(repository, setting.env)
            check(programs, repository, files, setting)
            commands = [floor(programs, repository, setting)]
            commands += [scan_staged(one, repository, files, setting, status=0) for one in programs]
            figures = summarize(alternate(commands, rounds=rounds, warmup=warmup), base=FLOOR)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(figures))
    return 0


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


def table(figures: Sequence[Figures]) -> str:
    """The figures as Markdown."""
    own = next((one.ratio for one in figures if one.name == Tool.BINANCE_LEAKS.value), None)
    rows = [
        [
            one.name,
            seconds(one.wall),
            seconds(one.cpu),
            peak_text(one.peak),
            f"{one.ratio:.1f} ({one.ratio_range[0]:.1f} to {one.ratio_range[1]:.1f})",
            "" if own is None else f"{one.ratio / own:.1f}",
        ]
        for one in figures
    ]
    return markdown(["program", "time", "CPU", "peak memory", f"times `{FLOOR}`", "times binance-leaks"], rows)


if __name__ == "__main__":
    raise SystemExit(main())
