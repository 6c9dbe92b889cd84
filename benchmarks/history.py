"""The scan of whole histories, ours and the peers', against git itself handing out the blobs.

The repositories are only read. In complete copies of them, which hold a generated key pair in a deleted file, every
scanner must have found that in the very runs that were measured.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from commands import Setting, scan_history
from copies import PLANTED
from programs import Program, Tool, environment
from reports import items, load, member, number, places
from repositories import FLOOR, PACKS, prepare_floor
from tables import Note, comparison, memory
from timing import BenchmarkError, Command, Run, TreePeak, alternate, megabytes, tree_peak

WATCHED = 60.0
_BROKEN = re.compile("unable to read|missing (?:blob|tree|commit)|bad object|incomplete scan|fatal:")


def measure(
    repository: Path, lines: Sequence[int], programs: Sequence[Program], options: argparse.Namespace, scratch: Path
) -> str:
    """The figures of git and all programs on one repository as Markdown.

    `lines` are those of the pair that is planted in it, if it is a complete copy.
    """
    timeout: float = options.timeout
    setting = Setting(scratch=scratch, env=environment(scratch), lean=options.lean)
    contents, floor = prepare_floor(repository, scratch, setting.env)
    limits = [None if program.tool is Tool.BINANCE_LEAKS else timeout for program in programs]
    commands = [
        scan_history(program, repository, setting, limit=limit) for program, limit in zip(programs, limits, strict=True)
    ]
    runs = alternate([floor, *commands], rounds=options.rounds, warmup=options.warmup)
    notes = {floor.name: Note(memory=memory(watch(floor, runs[floor.name][-1])))}
    for program, command in zip(programs, commands, strict=True):
        last = runs[command.name][-1]
        notes[command.name] = replace(judge(program, setting, last, lines), memory=memory(watch(command, last)))
    blobs = f"{contents.blobs:,} blobs, {megabytes(contents.bytes)}"
    head = f"{contents.commits:,} commits, {contents.objects:,} objects, {blobs}"
    return f"{head}\n\n{comparison(runs, notes, floor=FLOOR)}"


def judge(program: Program, setting: Setting, run: Run, lines: Sequence[int]) -> Note:
    """What the last run came to. Raises BenchmarkError if it went through, but did not find the planted pair."""
    tool = program.tool
    if run.stopped:
        return Note(found="ended by the limit")
    if tool is not Tool.BINANCE_LEAKS and _BROKEN.search(run.printed):
        return Note(found=f"STOPS at a missing object, exits {run.status}", whole=False)
    report = setting.report(tool)
    found = places(tool, report)
    pair = {place.line for place in found if place.path.endswith(PLANTED)}
    if not pair.issuperset(lines):
        raise BenchmarkError(f"{tool.value} found line {sorted(pair)} of the pair planted on {list(lines)}")
    parts = [f"{len(set(found))}", *(["the pair among them"] if lines else []), *_remarks(tool, report)]
    return Note(found=", ".join(parts))


def watch(command: Command, run: Run) -> TreePeak | None:
    """Memory of all processes but for mapped packs; of the first minute only where the limit was reached."""
    limited = replace(command, limit=min(WATCHED, run.wall)) if run.stopped else replace(command, limit=None)
    return tree_peak(limited, without=PACKS)


def _remarks(tool: Tool, report: Path) -> list[str]:
    """How far the scan went by its report, if that is in it."""
    read = load(report)
    if tool is Tool.BINANCE_LEAKS:
        skipped = sum(1 for _ in items(member(read, "scan"), "skipped"))
        return [f"{skipped} skipped"] if skipped else []
    if tool is Tool.KINGFISHER:
        states = [member(one, "stats") for one in items(member(read, "audit"), "repositories")]
        return [f"{sum(number(one, 'blobs_scanned') for one in states):,.0f} blobs read"]
    return []
