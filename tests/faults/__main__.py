"""Try every command that writes, and a store, with every fault, over and over: `python -m tests.faults --minutes 30`.

Prints for each command how often it was run, and every law that did not hold. Ends with status 1 if one did not.
"""

from __future__ import annotations

import argparse
import errno
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from tests.binance.server import serving
from tests.faults.commands import COMMANDS, WritingCommand, exchange
from tests.faults.injection import NEEDS
from tests.faults.test_store import StoreTrial
from tests.faults.trial import Trial

_STREAMS = [closed for count in (1, 2, 3) for closed in itertools.combinations(range(3), count)]
_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "BINANCE_LEAKS_PICTURES": "off",
    **{f"GIT_{who}_{what}": "a@project.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def _laws_of_command(
    command: WritingCommand, folder: Path, url: str, rng: Random
) -> tuple[Trial, Mapping[str, Callable[[], None]]]:
    trial = Trial.of(command, folder, url)
    calls = range(len(trial.plain.calls))
    return trial, {
        "killed at a call": lambda: trial.kill_at_calls(calls),
        "killed at a time": lambda: trial.kill_at_times(rng, 20),
        "a call fails": lambda: trial.fail_at_calls(calls),
        "short and interrupted": trial.change_nothing,
        "a read fails": lambda: trial.fail_reads(_some(rng, len(trial.reads()))),
        "closed streams": lambda: trial.close_streams(_STREAMS),
        "output fails": trial.fail_outputs,
        "clock": trial.jump_clock,
    }


def _some(rng: Random, count: int) -> list[int]:
    return rng.sample(range(count), min(40, count))


def _laws_of_store(folder: Path) -> tuple[StoreTrial, Mapping[str, Callable[[], None]]]:
    trial = StoreTrial(folder)
    calls = range(len(trial.calls))
    return trial, {
        "killed at a call": lambda: trial.kill_at_calls(calls),
        "disk full": lambda: trial.fail_at_calls(calls, errno.ENOSPC),
        "disk fails": lambda: trial.fail_at_calls(calls, errno.EIO),
    }


def main() -> int:
    """Go round until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--command", default="", help="only commands with this in their name; a store is `store`")
    options = parser.parse_args()
    if NEEDS:
        sys.stdout.write(f"{NEEDS}\n")
        return 2
    os.environ.update(_SETTINGS)
    rng, end = Random(options.seed), time.monotonic() + options.minutes * 60
    runs, failures = Counter[str](), Counter[str]()
    sys.stdout.write(f"seed {options.seed}\n")
    with serving(exchange()[0]) as url:
        for number in itertools.count(1):
            for command in (*COMMANDS, None):
                name = command.name if command is not None else "store"
                if options.command not in name:
                    continue
                with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                    place = Path(folder)
                    trial, laws = (
                        _laws_of_command(command, place, url, rng) if command is not None else _laws_of_store(place)
                    )
                    for law, hold in laws.items():
                        if time.monotonic() < end:
                            failures[name] += _fails(f"{name}, {law}", hold)
                    runs[name] += trial.runs
                sys.stdout.write(f"round {number}: {name}: {runs[name]:,} runs, {failures[name]} failures\n")
                sys.stdout.flush()
            if time.monotonic() >= end:
                break
    sys.stdout.write(f"{runs.total():,} runs, {failures.total()} failures\n")
    return 1 if failures.total() else 0


def _fails(name: str, hold: Callable[[], None]) -> bool:
    try:
        hold()
    except AssertionError as error:
        sys.stdout.write(f"FAILED {name}: {error}\n")
        return True
    return False


if __name__ == "__main__":
    raise SystemExit(main())
