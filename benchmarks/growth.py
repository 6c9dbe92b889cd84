"""Shows what the scan of a history grows with: the bytes of its blobs, not its commits times the size of its tree.

Repositories are generated with 1,000, 10,000 and 100,000 commits, each of which changes a few lines of one file, with a
small and a large tree; and one with 10,000 versions of one file that holds a generated pair, beside the same without.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands import Setting, scan_history
from programs import Program, add_arguments, environment, find_all
from reports import items, load
from repositories import FLOOR, Contents, git, prepare_floor
from samples import log_block, pair_lines
from timing import BenchmarkError, alternate, markdown, megabytes, seconds, summarize

COMMITS = (1_000, 10_000, 100_000)
TREES = (200, 2_000)
VERSIONS = 10_000
FILES_OF_A_FOLDER = 40
FILE_SIZE = 4_000
CHANGED = 3
NO_PAIR = 'BINANCE_API_KEY = os.environ["BINANCE_API_KEY"]\nBINANCE_SECRET_KEY = os.environ["BINANCE_SECRET_KEY"]\n'
HEADER = ("repository", "commits", "objects", "blobs", "program", "time", "per GB", "per 1,000 objects", "times floor")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A repository to be generated, and what is to be found. With a `head`, all commits change the file that has it."""

    name: str
    commits: int
    files: int
    head: str | None = None
    findings: int = 0


def main() -> int:
    """Generate, measure and print."""
    parser = argparse.ArgumentParser(description="Shows what the scan of a history grows with.")
    parser.add_argument("--commits", type=int, action="append", metavar="N", help=f"repeatable (default: {COMMITS})")
    parser.add_argument(
        "--versions", type=int, default=VERSIONS, metavar="N", help="of one file (default: %(default)s)"
    )
    parser.add_argument("--folder", type=Path, help="where to make them (default: the folder for temporary files)")
    add_arguments(parser, rounds=3)
    options = parser.parse_args()
    folder: Path | None = options.folder
    try:
        programs = find_all(options, ())
        rows: list[list[str]] = []
        for plan in plans(options.commits or COMMITS, options.versions):
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                rows += measure(plan, programs, options, Path(scratch))
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(markdown(HEADER, rows))
    return 0


def plans(commits: Sequence[int], versions: int) -> list[Plan]:
    """Each number of commits with each tree, and many versions of one file without and with a pair."""
    grown = [Plan(name=f"{files:,} files", commits=number, files=files) for files in TREES for number in commits]
    clean = Plan(name="one file, clean", commits=versions, files=TREES[0], head=NO_PAIR)
    leaked = Plan(name="one file, leaked", commits=versions, files=TREES[0], head=pair_lines(), findings=1)
    return [*grown, clean, leaked]


def measure(plan: Plan, programs: Sequence[Program], options: argparse.Namespace, scratch: Path) -> list[list[str]]:
    """The rows of one repository, git's own first. Raises BenchmarkError if the findings are not what is hidden."""
    setting = Setting(scratch=scratch, env=environment(scratch), lean=options.lean)
    repository = scratch / "repository"
    generate(plan, repository, setting.env)
    contents, floor = prepare_floor(repository, scratch, setting.env)
    commands = [floor, *(scan_history(program, repository, setting, limit=None) for program in programs)]
    figures = summarize(alternate(commands, rounds=options.rounds, warmup=options.warmup), base=FLOOR)
    for program in programs:
        found = sum(1 for _ in items(load(setting.report(program.tool)), "findings"))
        if found != plan.findings:
            raise BenchmarkError(f"{program.tool.value} has {found} findings in the repository of {plan.name}")
    return [row(plan, contents, one.name, one.wall, one.ratio) for one in figures]


def generate(plan: Plan, repository: Path, env: Mapping[str, str]) -> None:
    """Make the bare repository, in one pack. Raises BenchmarkError if git cannot."""
    git(repository.parent, env, "init", "--quiet", "--bare", "--template=", str(repository))
    importing = subprocess.Popen(
        ["git", "-C", str(repository), "fast-import", "--quiet"], env=env, stdin=subprocess.PIPE
    )
    if importing.stdin is None:
        raise BenchmarkError("no pipe")
    with importing.stdin as stream:
        stream.writelines(history(plan))
    if importing.wait():
        raise BenchmarkError("git cannot import the generated history")
    git(repository, env, "symbolic-ref", "HEAD", "refs/heads/main")
    git(repository, env, "repack", "-a", "-d", "-q")


def history(plan: Plan) -> Iterator[bytes]:
    """All commits as `git fast-import` takes them: the first brings all files, each other changes a few lines."""
    chance = random.Random(plan.commits)
    pool = log_block(1_000_000, seed=1).splitlines(keepends=True)
    head = (plan.head or "").encode()
    count = FILE_SIZE * len(pool) // sum(len(line) for line in pool)
    files = [chance.choices(pool, k=count) for _ in range(plan.files)]
    yield _commit(0)
    for index, lines in enumerate(files):
        yield _file(index, (head if index == 0 else b"") + b"".join(lines))
    for number in range(1, plan.commits):
        index = chance.randrange(plan.files) if plan.head is None else 0
        start = chance.randrange(count - CHANGED)
        for line in range(start, start + CHANGED):
            files[index][line] = b"%d %s" % (number, chance.choice(pool))
        yield _commit(number)
        yield _file(index, (head if index == 0 else b"") + b"".join(files[index]))


def row(plan: Plan, contents: Contents, name: str, wall: float, ratio: float) -> list[str]:
    """One line of the table."""
    return [
        plan.name,
        f"{contents.commits:,}",
        f"{contents.objects:,}",
        megabytes(contents.bytes),
        name,
        seconds(wall),
        seconds(wall / contents.bytes * 1e9),
        f"{wall / contents.objects * 1e6:.2f} ms",
        f"{ratio:.2f}",
    ]


def _commit(number: int) -> bytes:
    message = b"change %d" % number
    who = b"Benchmark <benchmark@example.com> %d +0000" % (1_600_000_000 + 60 * number)
    return b"commit refs/heads/main\ncommitter %s\ndata %d\n%s\n" % (who, len(message), message)


def _file(index: int, content: bytes) -> bytes:
    folder, number = divmod(index, FILES_OF_A_FOLDER)
    return b"M 100644 inline part%d/module%d.txt\ndata %d\n%s\n" % (folder, number, len(content), content)


if __name__ == "__main__":
    raise SystemExit(main())
