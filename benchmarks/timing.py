"""The measuring core: runs commands in turn as whole processes and compares their time, work and memory.

POSIX only, as times and memory come from `wait4`. Commands are run A B C A B C …, so that a machine that grows slower
or faster meanwhile touches all of them alike, and a ratio is the median of the ratios within each round.
"""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
_SAMPLE_EVERY = 0.01


class BenchmarkError(Exception):
    """A measurement that would mean nothing: a program that failed, or that did not do the work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A program with its arguments. `expected` are the exit statuses that mean that it did its work.

    After `limit` seconds it is ended with all its children, and that is no error.
    """

    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    expected: frozenset[int] = frozenset({0})
    stdout: Path | None = None
    limit: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One process from start to end: seconds of wall clock, seconds of CPU and peak memory in bytes.

    CPU is of the process and all its children. `peak` is the resident memory of the largest single one of them; Linux
    never reports less than the measuring process itself holds, some 20 MB. `printed` is the end of its standard error;
    `stopped` that its limit was reached, so that all figures are lower bounds.
    """

    wall: float
    cpu: float
    peak: int
    status: int
    printed: str = ""
    stopped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TreePeak:
    """Peak memory of a process and its descendants together, in bytes, shared pages counted once."""

    total: int
    processes: int
    stopped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What all rounds of one command come to.

    `ratio` is that of the time to the base's, `cpu_ratio` that of the processor time, with its least and greatest.
    """

    name: str
    wall: float
    cpu: float
    peak: int
    ratio: float
    cpu_ratio: float
    cpu_ratio_range: tuple[float, float]


def run(command: Command) -> Run:
    """Run once and measure. Raises BenchmarkError if it ends by itself with a status that is not expected."""
    return _run(command, _wait)


def alternate(commands: Sequence[Command], *, rounds: int, warmup: int = 1) -> dict[str, list[Run]]:
    """Run all commands in turn, `warmup` rounds uncounted and then `rounds` counted ones.

    A command that reached its limit is not run again: that run is for it in every round.
    """
    runs: dict[str, list[Run]] = {command.name: [] for command in commands}
    stopped: dict[str, Run] = {}
    for number in range(-warmup, rounds):
        for command in commands:
            _progress(f"round {number + 1} of {rounds}: {command.name}")
            done = stopped.get(command.name) or run(command)
            if done.stopped:
                stopped[command.name] = done
            if number >= 0:
                runs[command.name].append(done)
    _progress("")
    return runs


def tree_peak(command: Command, *, without: tuple[str, ...] = ()) -> TreePeak | None:
    """Run once more, watched: the memory of all its processes together. None where `/proc` does not tell it.

    Mapped files whose names end in one of `without` do not count. Apart from the timed runs, since watching costs time.
    Samples every 10 ms, less often where that would hold the processes up: a shorter peak may be missed.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        return None
    peaks: list[TreePeak] = []
    done = _run(command, lambda pid: _watch(pid, peaks, without))
    return TreePeak(
        total=max((peak.total for peak in peaks), default=0),
        processes=max((peak.processes for peak in peaks), default=1),
        stopped=done.stopped,
    )


def summarize(runs: Mapping[str, Sequence[Run]], *, base: str) -> list[Figures]:
    """Medians of each command, and the median of its ratios to the base within each round."""
    return [_figures(name, several, runs[base]) for name, several in runs.items()]


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns padded."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def megabytes(size: float) -> str:
    """Bytes as MB of 1,000,000."""
    return f"{size / 1e6:.0f} MB"


def peak_text(peak: int) -> str:
    """A `peak` as text: only a bound where it is no more than what the measuring process itself holds."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
    return megabytes(peak) if peak > own else f"under {megabytes(own)}"


def seconds(value: float) -> str:
    """Seconds, as milliseconds where that reads better."""
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="" if text else "\r", file=sys.stderr, flush=True)


def _figures(name: str, runs: Sequence[Run], base: Sequence[Run]) -> Figures:
    ratios = [one.wall / other.wall for one, other in zip(runs, base, strict=True)]
    cpu_ratios = [one.cpu / other.cpu for one, other in zip(runs, base, strict=True)]
    return Figures(
        name=name,
        wall=statistics.median(one.wall for one in runs),
        cpu=statistics.median(one.cpu for one in runs),
        peak=max(one.peak for one in runs),
        ratio=statistics.median(ratios),
        cpu_ratio=statistics.median(cpu_ratios),
        cpu_ratio_range=(min(cpu_ratios), max(cpu_ratios)),
    )


def _run(command: Command, wait: Callable[[int], tuple[int, float, int]]) -> Run:
    with ExitStack() as stack:
        errors = stack.enter_context(tempfile.TemporaryFile())
        output = stack.enter_context(command.stdout.open("wb")) if command.stdout else subprocess.DEVNULL
        start = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,  # so that its children can be ended with it
        )
        stopped = threading.Event()
        timer = threading.Timer(command.limit or 0, _stop, (process.pid, stopped))
        try:
            if command.limit is not None:
                timer.start()
            status, cpu, peak = wait(process.pid)
            wall = time.perf_counter() - start
            process.returncode = status
        finally:
            timer.cancel()
            if process.returncode is None:
                _kill(process.pid)
        errors.seek(0)
        printed = errors.read()[-600:].decode("utf-8", "replace").strip()
    if status not in command.expected and not stopped.is_set():
        raise BenchmarkError(f"{command.name} ended with status {status}: {printed or 'it printed nothing'}")
    return Run(wall=wall, cpu=cpu, peak=peak, status=status, printed=printed, stopped=stopped.is_set())


def _stop(pid: int, stopped: threading.Event) -> None:
    stopped.set()
    _kill(pid)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _wait(pid: int) -> tuple[int, float, int]:
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT


def _watch(pid: int, peaks: list[TreePeak], without: tuple[str, ...]) -> tuple[int, float, int]:
    while True:
        start = time.perf_counter()
        sizes = [_proportional_size(one, without) for one in _family(pid)]
        peaks.append(TreePeak(total=sum(sizes), processes=len(sizes)))
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT
        time.sleep(max(_SAMPLE_EVERY, 4 * (time.perf_counter() - start)))


def _family(pid: int) -> list[int]:
    family = [pid]
    for parent in family:  # grows while it is walked: children of children
        family.extend(_children(parent))
    return family


def _children(pid: int) -> list[int]:
    try:
        lists = [tasks.read_text() for tasks in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # ended meanwhile
        return []
    return [int(child) for text in lists for child in text.split()]


def _proportional_size(pid: int, without: tuple[str, ...]) -> int:
    try:
        text = Path(f"/proc/{pid}/{'smaps' if without else 'smaps_rollup'}").read_text()
    except OSError:  # ended meanwhile
        return 0
    size, counts = 0, True
    for line in text.splitlines():
        if not line[0].isupper():  # an address range and what is mapped there: the fields that follow are its own
            counts = not line.endswith(without)
        elif counts and line.startswith("Pss:"):
            size += int(line.split()[1]) * 1024
    return size
