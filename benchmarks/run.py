"""Compare binance-leaks with other scanners: histories, trees, pull requests and the hook, in four tables.

Without a repository a generated one is measured. Peers that are not installed are left out. See README.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import gate
import history
import hook
import tree
from copies import complete_copy
from growth import Plan, generate
from programs import Program, Tool, add_arguments, environment, find_all
from timing import BenchmarkError

KINDS = ("history", "tree", "gate", "hook")
COMMITS = (50, 500)
GENERATED = Plan(name="generated", commits=5_000, files=800)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A repository to measure, and the lines of the pair that is planted in its history, if one is."""

    name: str
    repository: Path
    lines: Sequence[int] = ()


def main() -> int:
    """Measure and print."""
    options = parse()
    wanted: list[str] = options.only or [*KINDS]
    try:
        programs = find_all(options)
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            subjects = list(find_subjects(options, scratch))
            for kind in KINDS:
                if kind in wanted:
                    print(f"## {kind.capitalize()}\n", flush=True)
                    for table in tables(kind, subjects, programs, options):
                        print(f"{table}\n", flush=True)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compares binance-leaks with other scanners, in four tables.")
    parser.add_argument("--only", choices=KINDS, action="append", help="measure this one (default: all; repeatable)")
    parser.add_argument(
        "--repository",
        type=Path,
        action="append",
        metavar="REPO",
        help="a repository for all but the hook, only read (default: a generated one; repeatable)",
    )
    parser.add_argument(
        "--complete",
        type=Path,
        metavar="FOLDER",
        help="measure copies that lack no object, with a generated pair; they are made in that folder and stay there",
    )
    parser.add_argument(
        "--tree",
        type=Path,
        action="append",
        metavar="PATH",
        help="a tree, only read (default: the newest files of the repositories; repeatable)",
    )
    parser.add_argument(
        "--commits",
        type=int,
        action="append",
        metavar="N",
        help=f"commits of the pull request (default: {' and '.join(map(str, COMMITS))}; repeatable)",
    )
    parser.add_argument(
        "--timeout", type=float, default=300.0, metavar="SECONDS", help="end a program then (default: %(default)g)"
    )
    add_arguments(parser, rounds=5)
    return parser.parse_args()


def find_subjects(options: argparse.Namespace, scratch: Path) -> Iterator[Subject]:
    """The given repositories, or complete copies of them; without any a generated one."""
    env = environment(scratch)
    given: list[Path] = options.repository or []
    complete: Path | None = options.complete
    if not given:
        generate(GENERATED, scratch / "generated.git", env)
        yield Subject(name=GENERATED.name, repository=scratch / "generated.git")
    for repository in given:
        path = repository.absolute()
        name = (path.parent.name if path.name in (".git", "repo") else path.name).removesuffix(".git")
        if complete is None:
            yield Subject(name=name, repository=path)
            continue
        complete.mkdir(parents=True, exist_ok=True)
        copy = complete.absolute() / f"{name}.git"
        yield Subject(name=f"{name}, a complete copy", repository=copy, lines=complete_copy(path, copy, env))


def tables(
    kind: str, subjects: Sequence[Subject], programs: Sequence[Program], options: argparse.Namespace
) -> Iterator[str]:
    """The tables of one kind, each with a line on what was measured."""
    of_git = [program for program in programs if program.tool is not Tool.DETECT_SECRETS]  # it reads no commits
    if kind == "hook":
        with tempfile.TemporaryDirectory() as folder:
            yield hook.measure(programs, options, Path(folder))
    elif kind == "tree":
        yield from _trees(subjects, programs, options)
    for subject in subjects if kind in ("history", "gate") else ():
        for size in (options.commits or COMMITS) if kind == "gate" else (0,):
            with tempfile.TemporaryDirectory() as folder:
                if kind == "gate":
                    table = gate.measure(subject.repository, size, of_git, options, Path(folder))
                else:
                    table = history.measure(subject.repository, subject.lines, of_git, options, Path(folder))
                yield f"{subject.name}: {table}"


def _trees(subjects: Sequence[Subject], programs: Sequence[Program], options: argparse.Namespace) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        trees: list[Path] = options.tree or [scratch / "newest"]
        if not options.tree:
            for subject in subjects:
                _check_out(subject, scratch / "newest" / subject.name, environment(scratch))
        for path in trees:
            with tempfile.TemporaryDirectory() as apart:
                name = path.name if options.tree else f"newest files of {len(subjects)} repositories"
                yield f"{name}: {tree.measure(path.absolute(), programs, options, Path(apart))}"


def _check_out(subject: Subject, target: Path, env: Mapping[str, str]) -> None:
    target.mkdir(parents=True)
    command = ["git", "-C", str(subject.repository), "archive", "HEAD"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as archiving:
        unpacked = subprocess.run(["tar", "-x", "-C", str(target)], stdin=archiving.stdout, check=False)
    if archiving.returncode or unpacked.returncode:
        raise BenchmarkError(f"{subject.name} lacks files; --complete makes a copy without them, --tree names a tree")


if __name__ == "__main__":
    raise SystemExit(main())
