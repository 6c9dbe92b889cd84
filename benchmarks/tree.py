"""The scan of a large tree, ours and the peers'.

The tree is only read: a copy is measured, with a generated key pair in it, and every scanner must have found the pair
in the very runs that were measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commands import Setting, scan_tree
from programs import Program, environment
from reports import places
from samples import plant
from tables import Note, comparison, memory
from timing import BenchmarkError, alternate, megabytes, tree_peak

PLANTED = "planted_by_the_benchmark/settings.py"


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How much there is to scan, git's own folder apart."""

    files: int
    bytes: int


def measure(path: Path, programs: Sequence[Program], options: argparse.Namespace, scratch: Path) -> str:
    """The figures of all programs on a copy of a tree as Markdown."""
    copy = shutil.copytree(path, scratch / "tree", symlinks=True, ignore=shutil.ignore_patterns(".git"))
    lines = plant(copy, PLANTED)
    size = measure_size(copy)
    timeout: float = options.timeout
    setting = Setting(scratch=scratch, env=environment(scratch), lean=options.lean)
    commands = [replace(scan_tree(program, copy, setting), limit=timeout) for program in programs]
    runs = alternate(commands, rounds=options.rounds, warmup=options.warmup)
    notes = {}
    for program, command in zip(programs, commands, strict=True):
        if runs[command.name][-1].stopped:
            notes[command.name] = Note(found="ended by the limit")
        else:
            notes[command.name] = Note(found=findings(program, setting, lines), memory=memory(tree_peak(command)))
    return f"{size.files:,} files, {megabytes(size.bytes)}\n\n{comparison(runs, notes, floor=None)}"


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
    return f"{len(found)}, the pair among them"


def _statuses(path: Path) -> Iterator[os.stat_result]:
    for folder, folders, names in os.walk(path):
        if ".git" in folders:
            folders.remove(".git")
        for name in names:
            yield (Path(folder) / name).lstat()
