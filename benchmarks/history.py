"""Times the scan of whole histories, ours and the peers', against git itself handing out the blobs.

The repositories are only read. With `--complete` copies of them are measured that lack no object and hold a generated
key pair in a deleted file, which every scanner must have found in the very runs that were measured.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commands import Setting, scan_history
from copies import PLANTED, complete_copy
from programs import Program, Tool, add_arguments, environment, find_all
from reports import items, load, member, number, places
from repositories import FLOOR, PACKS, Contents, prepare_floor
from timing import (
    BenchmarkError,
    Command,
    Figures,
    Run,
    TreePeak,
    alternate,
    markdown,
    megabytes,
    seconds,
    summarize,
    tree_peak,
)

PEERS = (Tool.KINGFISHER, Tool.GITLEAKS, Tool.BETTERLEAKS)
HEADER = ("program", "time", "CPU", "MB/s", "times floor", "times binance-leaks", "memory", "found", "remarks")
WATCHED = 60.0
_BROKEN = re.compile("unable to read|missing (?:blob|tree|commit)|bad object|incomplete scan|fatal:")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a scanner came to: findings, notes, and whether it went through the whole history."""

    found: str
    remarks: str
    whole: bool


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Times the scan of whole histories, ours and the peers'.")
    parser.add_argument("repositories", type=Path, nargs="+", metavar="REPO", help="a repository; it is only read")
    parser.add_argument(
        "--complete",
        type=Path,
        metavar="FOLDER",
        help="measure copies that lack no object, with a generated pair; they are made in that folder and stay there",
    )
    parser.add_argument(
        "--timeout", type=float, default=300.0, metavar="SECONDS", help="end a peer then (default: %(default)g)"
    )
    add_arguments(parser, rounds=3)
    options = parser.parse_args()
    repositories: list[Path] = options.repositories
    try:
        programs = find_all(options, PEERS)
        for repository in repositories:
            with tempfile.TemporaryDirectory() as folder:
                print(measure(repository.absolute(), programs, options, Path(folder)) + "\n", flush=True)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def measure(repository: Path, programs: Sequence[Program], options: argparse.Namespace, scratch: Path) -> str:
    """The figures of git and all programs on one repository as Markdown."""
    lean: bool = options.lean
    timeout: float = options.timeout
    folder: Path | None = options.complete
    setting = Setting(scratch=scratch, env=environment(scratch), lean=lean)
    name = _name(repository)
    lines: tuple[int, ...] = ()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder.absolute() / f"{name}.git"
        lines = complete_copy(repository, target, setting.env)
        repository = target
    contents, floor = prepare_floor(repository, scratch, setting.env)
    limits = [None if program.tool is Tool.BINANCE_LEAKS else timeout for program in programs]
    commands = [
        scan_history(program, repository, setting, limit=limit) for program, limit in zip(programs, limits, strict=True)
    ]
    runs = alternate([floor, *commands], rounds=options.rounds, warmup=options.warmup)
    outcomes = [Outcome(found="", remarks="", whole=True)]
    outcomes += [judge(program, setting, runs[program.tool.value][-1], lines) for program in programs]
    peaks = [watch(command, runs[command.name][-1]) for command in (floor, *commands)]
    head = (
        f"{name}{', a complete copy' if lines else ''}{', peers lean' if lean else ''}: {contents.commits:,} commits,"
    )
    size = f"{contents.objects:,} objects, {contents.blobs:,} blobs, {megabytes(contents.bytes)}"
    return f"{head} {size}\n\n{table(runs, outcomes, peaks, contents)}"


def judge(program: Program, setting: Setting, run: Run, lines: Sequence[int]) -> Outcome:
    """What the last run came to. Raises BenchmarkError if it went through, but did not find the planted pair."""
    tool = program.tool
    if run.stopped:
        return Outcome(found="", remarks="ended by the limit", whole=True)
    if tool is not Tool.BINANCE_LEAKS and _BROKEN.search(run.printed):
        return Outcome(found="", remarks=f"STOPS at a missing object, exits {run.status}", whole=False)
    report = setting.report(tool)
    found = places(tool, report)
    pair = {place.line for place in found if place.path.endswith(PLANTED)}
    if not pair.issuperset(lines):
        raise BenchmarkError(f"{tool.value} found line {sorted(pair)} of the pair planted on {list(lines)}")
    planted = ", the pair among them" if lines else ""
    return Outcome(found=f"{len(set(found))}{planted}", remarks=_remarks(tool, report), whole=True)


def watch(command: Command, run: Run) -> TreePeak | None:
    """Memory of all processes but for mapped packs; of the first minute only where the limit was reached."""
    limited = replace(command, limit=min(WATCHED, run.wall)) if run.stopped else replace(command, limit=None)
    return tree_peak(limited, without=PACKS)


def table(
    runs: dict[str, list[Run]], outcomes: Sequence[Outcome], peaks: Sequence[TreePeak | None], contents: Contents
) -> str:
    """The figures as Markdown. Where a program did not do the whole work, it has no ratio."""
    own = Tool.BINANCE_LEAKS.value
    to_floor = summarize(runs, base=FLOOR)
    to_own = summarize(runs, base=own) if own in runs else [None] * len(to_floor)
    rows = []
    for one, other, outcome, peak in zip(to_floor, to_own, outcomes, peaks, strict=True):
        sign = "> " if runs[one.name][-1].stopped else ""
        speed = f"{contents.bytes / one.wall / 1e6:.0f}"
        rows.append(
            [
                one.name,
                f"{sign}{seconds(one.wall)}",
                f"{sign}{seconds(one.cpu)}",
                speed if outcome.whole and not sign else "",
                _ratio(one, sign) if outcome.whole else "",
                _ratio(other, sign) if outcome.whole and other is not None else "",
                _memory(peak),
                outcome.found,
                outcome.remarks,
            ]
        )
    return markdown(HEADER, rows)


def _name(repository: Path) -> str:
    name = repository.parent.name if repository.name in (".git", "repo") else repository.name
    return name.removesuffix(".git")


def _ratio(figures: Figures, sign: str) -> str:
    return f"{sign}{figures.ratio:.2f} ({figures.ratio_range[0]:.2f} to {figures.ratio_range[1]:.2f})"


def _memory(peak: TreePeak | None) -> str:
    if peak is None:
        return ""
    return f"{'> ' if peak.stopped else ''}{megabytes(peak.total)} in {peak.processes}"


def _remarks(tool: Tool, report: Path) -> str:
    """How far the scan went by its report, if that is in it."""
    read = load(report)
    if tool is Tool.BINANCE_LEAKS:
        skipped = sum(1 for _ in items(member(read, "scan"), "skipped"))
        return f"{skipped} skipped" if skipped else ""
    if tool is Tool.KINGFISHER:
        states = [member(one, "stats") for one in items(member(read, "audit"), "repositories")]
        return f"{sum(number(one, 'blobs_scanned') for one in states):,.0f} blobs read"
    return ""


if __name__ == "__main__":
    raise SystemExit(main())
