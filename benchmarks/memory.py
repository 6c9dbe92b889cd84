"""Scans one very large text file with a generated key pair in its middle, and prints the peak memory and the time.

The file is made in a temporary folder and removed. The peers are measured too with `--with-peers`: give them time.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from commands import Setting, scan_tree
from programs import Program, Tool, add_arguments, environment, find_all, find_own
from reports import places
from samples import log_block, pair_lines
from timing import BenchmarkError, Command, Run, TreePeak, alternate, markdown, megabytes, peak_text, seconds, tree_peak

BLOCK = 1_000_000
NAME = "worker.log"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Scans one very large file and prints the peak memory.")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="size of the file (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where to make it (default: the folder for temporary files)")
    parser.add_argument("--with-peers", action="store_true", help="measure the peers too")
    add_arguments(parser, rounds=1)
    options = parser.parse_args()
    folder: Path | None = options.folder
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            print(measure(options, Path(scratch)))
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def measure(options: argparse.Namespace, scratch: Path) -> str:
    """The figures as Markdown."""
    size = int(options.gigabytes * 1e9)
    rounds: int = options.rounds
    warmup: int = options.warmup
    programs = find_all(options) if options.with_peers else alone(options.program)
    target = scratch / "data" / NAME
    target.parent.mkdir()
    lines = write_log(target, size)
    setting = Setting(scratch=scratch, env=environment(scratch), lean=options.lean)
    commands = [scan_tree(program, target, setting) for program in programs]
    runs = alternate(commands, rounds=rounds, warmup=warmup)
    rows = []
    for program, command in zip(programs, commands, strict=True):
        verdict = judge(program, setting, lines)
        rows.append(row(command, runs[command.name], tree_peak(command), size, verdict))
    return markdown(["program", "time", "MB/s", "largest process", "all processes", "pair found"], rows)


def alone(program: Path | None) -> list[Program]:
    """Ourselves only. Raises BenchmarkError if we are not there."""
    own = find_own(program)
    if not isinstance(own, Program):
        raise BenchmarkError(f"{Tool.BINANCE_LEAKS.value} is {own.why}")
    return [own]


def write_log(target: Path, size: int) -> tuple[int, int]:
    """Write a log of about `size` bytes with a pair in its middle; the lines of the pair."""
    if shutil.disk_usage(target.parent).free < size * 1.1:
        raise BenchmarkError(f"no room for {megabytes(size)} in {target.parent}")
    block = log_block(min(BLOCK, size // 2), seed=1)
    half = max(1, size // len(block) // 2)
    with target.open("wb") as stream:
        for part in range(2 * half):
            if part == half:
                stream.write(pair_lines().encode())
            stream.write(block)
    first = half * block.count(b"\n") + 1
    return first, first + 1


def judge(program: Program, setting: Setting, lines: tuple[int, int]) -> str:
    """Whether the last run found the pair. The file holds nothing else to find, so two findings are the pair.

    kingfisher names line 0 for everything in a file of some hundred megabytes: found, and reported so.
    """
    found = [place.line for place in places(program.tool, setting.report(program.tool))]
    if set(lines).issubset(found):
        return "yes"
    return "yes, on wrong lines" if len(found) >= len(lines) else "NO"


def row(command: Command, runs: Sequence[Run], peak: TreePeak | None, size: int, verdict: str) -> list[str]:
    """One line of the table: the fastest run, the greatest memory."""
    wall = min(one.wall for one in runs)
    total = "" if peak is None else f"{megabytes(peak.total)} in {peak.processes}"
    return [
        command.name,
        seconds(wall),
        f"{size / wall / 1e6:.0f}",
        peak_text(max(one.peak for one in runs)),
        total,
        verdict,
    ]


if __name__ == "__main__":
    raise SystemExit(main())
