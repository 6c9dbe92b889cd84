"""Times the scan of a large tree, ours and the peers'.

The given tree is only read. With `--plant` it is copied to a temporary folder, a generated key pair is put into the
copy, the copy is measured, and every scanner must have found the pair in the very runs that were measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands import Setting, scan_tree
from programs import Program, add_arguments, environment, find_all
from reports import places
from samples import plant
from timing import (
    BenchmarkError,
    Figures,
    TreePeak,
    alternate,
    markdown,
    megabytes,
    peak_text,
    seconds,
    summarize,
    tree_peak,
)

PLANTED = "planted_by_the_benchmark/settings.py"


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How much there is to scan, git's own folder apart."""

    files: int
    bytes: int


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Times the scan of a large tree, ours and the peers'.")
    parser.add_argument("path", type=Path, help="the tree; it is only read")
    parser.add_argument("--plant", action="store_true", help="measure a copy with a generated key pair in it")
    add_arguments(parser, rounds=3)
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            print(measure(options, Path(folder)))
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def measure(options: argparse.Namespace, scratch: Path) -> str:
    """The figures of all programs as Markdown."""
    path: Path = options.path.absolute()
    planted: bool = options.plant
    lean: bool = options.lean
    rounds: int = options.rounds
    warmup: int = options.warmup
    if not path.is_dir():
        raise BenchmarkError(f"{path} is no folder")
    programs = find_all(options)
    lines: tuple[int, ...] = ()
    if planted:
        path = shutil.copytree(path, scratch / path.name, symlinks=True)
        lines = plant(path, PLANTED)
    size = measure_size(path)
    print(f"{path.name}: {size.files} files, {megabytes(size.bytes)}{', peers lean' if lean else ''}\n")
    setting = Setting(scratch=scratch, env=environment(scratch), lean=lean)
    commands = [scan_tree(program, path, setting) for program in programs]
    figures = summarize(alternate(commands, rounds=rounds, warmup=warmup), base=commands[0].name)
    found = [findings(program, setting, lines) for program in programs]
    peaks = [tree_peak(command) for command in commands]
    return table(figures, peaks, found, size)


def measure_size(path: Path) -> Size:
    """Files and bytes of a tree. Symbolic links and special files do not count, nor does a `.git`."""
    sizes = [status.st_size for status in _statuses(path) if stat.S_ISREG(status.st_mode)]
    return Size(files=len(sizes), bytes=sum(sizes))


def findings(program: Program, setting: Setting, lines: Sequence[int]) -> str:
    """At how many places the last run found something. Raises BenchmarkError if the planted pair is not among them."""
    found = set(places(program.tool, setting.report(program.tool)))
    pair = {place.line for place in found if place.path.endswith(PLANTED)}
    if not pair.issuperset(lines):
        raise BenchmarkError(f"{program.tool.value} found line {sorted(pair)} of the pair planted on {list(lines)}")
    return f"{len(found)}, the pair among them" if lines else str(len(found))


def table(figures: Sequence[Figures], peaks: Sequence[TreePeak | None], found: Sequence[str], size: Size) -> str:
    """The figures as Markdown."""
    rows = [
        [
            one.name,
            seconds(one.wall),
            seconds(one.cpu),
            f"{size.bytes / one.wall / 1e6:.0f}",
            f"{one.ratio:.2f} ({one.ratio_range[0]:.2f} to {one.ratio_range[1]:.2f})",
            peak_text(one.peak),
            "" if peak is None else f"{megabytes(peak.total)} in {peak.processes}",
            count,
        ]
        for one, peak, count in zip(figures, peaks, found, strict=True)
    ]
    memory = ["largest process", "all processes"]
    return markdown(["program", "time", "CPU", "MB/s", f"times {figures[0].name}", *memory, "places found"], rows)


def _statuses(path: Path) -> Iterator[os.stat_result]:
    for folder, folders, names in os.walk(path):
        if ".git" in folders:
            folders.remove(".git")
        for name in names:
            yield (Path(folder) / name).lstat()


if __name__ == "__main__":
    raise SystemExit(main())
