"""Times the gate on a pull request: the newest commits of a repository, against `git log -p` of the same and the peers.

The repositories are only read: a bare clone that borrows their objects gets one more commit, which adds a generated key
pair, and one that takes it out again. Every scanner must have found it in the very runs that were measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commands import Setting, scan_commits
from copies import PLANTED
from programs import Program, Tool, add_arguments, environment, find_all
from reports import places
from repositories import git
from samples import plant
from timing import BenchmarkError, Command, Run, alternate, markdown, megabytes, seconds, summarize

PEERS = (Tool.KINGFISHER, Tool.GITLEAKS, Tool.BETTERLEAKS)
FLOOR = "git log -p"
HEADER = ("program", "time", "CPU", "times git log -p", "times binance-leaks", "memory", "found")


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A clone with the commits that are scanned, and the lines of the planted pair."""

    clone: Path
    base: str
    head: str
    lines: tuple[int, ...]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Times the gate on a pull request, ours and the peers'.")
    parser.add_argument("repositories", type=Path, nargs="+", metavar="REPO", help="a repository; it is only read")
    parser.add_argument(
        "--commits",
        type=int,
        action="append",
        metavar="N",
        help="commits of the pull request (default: 50; repeatable)",
    )
    parser.add_argument(
        "--timeout", type=float, default=300.0, metavar="SECONDS", help="end a peer then (default: %(default)g)"
    )
    add_arguments(parser, rounds=5)
    options = parser.parse_args()
    repositories: list[Path] = options.repositories
    sizes: list[int] = options.commits or [50]
    try:
        programs = find_all(options, PEERS)
        for repository in repositories:
            for size in sizes:
                with tempfile.TemporaryDirectory() as folder:
                    print(measure(repository.absolute(), size, programs, options, Path(folder)) + "\n", flush=True)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def measure(
    repository: Path, size: int, programs: Sequence[Program], options: argparse.Namespace, scratch: Path
) -> str:
    """The figures of git and all programs on one pull request as Markdown."""
    lean: bool = options.lean
    timeout: float = options.timeout
    setting = Setting(scratch=scratch, env=environment(scratch), lean=lean)
    request = pull_request(repository, size, scratch / "clone.git", setting)
    span = f"{request.base}..{request.head}"
    floor = Command(
        name=FLOOR,
        argv=("sh", "-c", f"git log -p --no-color --no-ext-diff {span} >/dev/null"),
        cwd=request.clone,
        env=setting.env,
    )
    commands = [
        scan_commits(
            program,
            request.clone,
            request.base,
            request.head,
            setting,
            limit=None if program.tool is Tool.BINANCE_LEAKS else timeout,
        )
        for program in programs
    ]
    clean = [_clean(program, request, setting) for program in programs if program.tool is Tool.BINANCE_LEAKS]
    runs = alternate([floor, *commands, *clean], rounds=options.rounds, warmup=options.warmup)
    found = ["", *(judge(program, setting, runs[program.tool.value][-1], request.lines) for program in programs)]
    found += ["nothing" for _ in clean]
    count = git(request.clone, setting.env, "rev-list", "--count", span).decode().strip()
    whole = git(request.clone, setting.env, "rev-list", "--count", request.head).decode().strip()
    name = repository.parent.name if repository.name in (".git", "repo") else repository.name
    return f"{name}: {int(count):,} commits of {int(whole):,}\n\n{table(runs, found)}"


def pull_request(repository: Path, size: int, clone: Path, setting: Setting) -> PullRequest:
    """A clone whose `HEAD` is so many commits after a base, along first parents, with a pair planted on top."""
    git(repository, setting.env, "clone", "--quiet", "--bare", "--shared", str(repository), str(clone))
    newest = git(clone, setting.env, "rev-list", "--first-parent", f"--max-count={size}", "HEAD").decode().split()
    base = next(
        (
            commit
            for commit in newest
            if int(git(clone, setting.env, "rev-list", "--count", f"{commit}..HEAD").decode()) >= size - 2
        ),
        newest[-1],
    )
    with tempfile.TemporaryDirectory() as folder:
        lines = plant(Path(folder), PLANTED)
        text = (Path(folder) / PLANTED).read_bytes()
    head = git(clone, setting.env, "rev-parse", "HEAD").decode().strip()
    who = "committer Benchmark <benchmark@example.com> 1700000000 +0000\n"
    stream = (
        f"commit refs/heads/pull-request\n{who}data 8\naccount\n\nfrom {head}\nM 100644 inline {PLANTED}\n".encode()
        + b"data %d\n%s\n" % (len(text), text)
        + f"commit refs/heads/pull-request\n{who}data 11\nno account\n\nD {PLANTED}\n".encode()
    )
    subprocess.run(
        ["git", "-C", str(clone), "fast-import", "--quiet", "--force"], env=setting.env, input=stream, check=True
    )
    git(clone, setting.env, "symbolic-ref", "HEAD", "refs/heads/pull-request")
    tip = git(clone, setting.env, "rev-parse", "HEAD").decode().strip()
    return PullRequest(clone=clone, base=base, head=tip, lines=lines)


def _clean(program: Program, request: PullRequest, setting: Setting) -> Command:
    """Ours without the two commits of the planted pair, as nearly every pull request is. 3: blobs are missing."""
    apart = replace(setting, scratch=setting.scratch / "clean")
    apart.scratch.mkdir()
    command = scan_commits(program, request.clone, request.base, f"{request.head}~2", apart, limit=None)
    return replace(command, name=f"{command.name}, nothing planted", expected=frozenset({0, 3}))


def judge(program: Program, setting: Setting, run: Run, lines: Sequence[int]) -> str:
    """What the last run found. Raises BenchmarkError if that is not the planted pair."""
    if run.stopped:
        return "ended by the limit"
    found = places(program.tool, setting.report(program.tool))
    pair = {place.line for place in found if place.path.endswith(PLANTED)}
    if not pair:
        return "MISSES the pair"
    if program.tool is Tool.BINANCE_LEAKS and not pair.issuperset(lines):
        raise BenchmarkError(f"binance-leaks found line {sorted(pair)} of the pair planted on {list(lines)}")
    return f"{len(set(found))}, {'the pair' if pair.issuperset(lines) else 'half of the pair'} among them"


def table(runs: dict[str, list[Run]], found: Sequence[str]) -> str:
    """The figures as Markdown."""
    own = Tool.BINANCE_LEAKS.value
    to_floor = summarize(runs, base=FLOOR)
    to_own = summarize(runs, base=own) if own in runs else [None] * len(to_floor)
    rows = []
    for one, other, what in zip(to_floor, to_own, found, strict=True):
        sign = "> " if runs[one.name][-1].stopped else ""
        ratio = f"{sign}{one.ratio:.2f} ({one.ratio_range[0]:.2f} to {one.ratio_range[1]:.2f})"
        to_us = "" if other is None else f"{sign}{other.ratio:.2f}"
        rows.append(
            [
                one.name,
                f"{sign}{seconds(one.wall)}",
                f"{sign}{seconds(one.cpu)}",
                ratio,
                to_us,
                megabytes(one.peak),
                what,
            ]
        )
    return markdown(HEADER, rows)


if __name__ == "__main__":
    raise SystemExit(main())
