"""The gate on a pull request: the newest commits of a repository, against `git log -p` of the same and the peers.

The repositories are only read: a bare clone that borrows their objects gets one more commit, which adds a generated key
pair, and one that takes it out again. Every scanner must have found it in the very runs that were measured.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commands import Setting, scan_commits
from copies import PLANTED
from programs import Program, Tool, environment
from reports import places
from repositories import git
from samples import plant
from tables import Note, comparison
from timing import BenchmarkError, Command, Run, alternate

FLOOR = "git log -p"


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A clone with the commits that are scanned, and the lines of the planted pair."""

    clone: Path
    base: str
    head: str
    lines: tuple[int, ...]


def measure(
    repository: Path, size: int, programs: Sequence[Program], options: argparse.Namespace, scratch: Path
) -> str:
    """The figures of git and all programs on one pull request as Markdown."""
    timeout: float = options.timeout
    setting = Setting(scratch=scratch, env=environment(scratch), lean=options.lean)
    request = pull_request(repository, size, scratch / "clone.git", setting)
    span = f"{request.base}..{request.head}"
    floor = Command(
        name=FLOOR,
        argv=("sh", "-c", f"git log -p --no-color --no-ext-diff {span} >/dev/null"),
        cwd=request.clone,
        env=setting.env,
    )
    commands = [
        scan_commits(program, request.clone, request.base, request.head, setting, limit=timeout) for program in programs
    ]
    own = [program for program in programs if program.tool is Tool.BINANCE_LEAKS]
    clean = [_clean(program, request, setting) for program in own]
    runs = alternate([floor, *commands, *clean], rounds=options.rounds, warmup=options.warmup)
    notes = {program.tool.value: judge(program, setting, runs[program.tool.value][-1], request) for program in programs}
    notes |= {command.name: Note(found="nothing") for command in clean}
    count = git(request.clone, setting.env, "rev-list", "--count", span).decode().strip()
    whole = git(request.clone, setting.env, "rev-list", "--count", request.head).decode().strip()
    return f"{int(count):,} commits of {int(whole):,}\n\n{comparison(runs, notes, floor=FLOOR)}"


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
    command = scan_commits(program, request.clone, request.base, f"{request.head}~2", setting, limit=None)
    argv = (str(program.path), "range", f"{request.base}..{request.head}~2")
    return replace(command, name=f"{command.name}, nothing planted", argv=argv, expected=frozenset({0, 3}))


def judge(program: Program, setting: Setting, run: Run, request: PullRequest) -> Note:
    """What the last run found. Raises BenchmarkError if ours is not the planted pair."""
    if run.stopped:
        return Note(found="ended by the limit")
    found = places(program.tool, setting.report(program.tool))
    pair = {place.line for place in found if place.path.endswith(PLANTED)}
    if program.tool is Tool.BINANCE_LEAKS and not pair.issuperset(request.lines):
        raise BenchmarkError(f"binance-leaks found line {sorted(pair)} of the pair planted on {list(request.lines)}")
    part = "the pair" if pair.issuperset(request.lines) else "half of the pair" if pair else "not the pair"
    return Note(found=f"{len(set(found))}, {part} among them", whole=bool(pair))
