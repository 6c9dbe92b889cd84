"""Fuzz for some time, or repeat one input: `python -m tests.fuzz --help`."""

from __future__ import annotations

import argparse
import base64
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom

from tests.fuzz.laws import Laws
from tests.fuzz.planted import Planted
from tests.fuzz.readers import warm_up
from tests.fuzz.runs import Tally, run
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import prepare

_SHOWN_INPUT, _SHOWN_DETAILS = 1_500, 1_500


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Feed hostile inputs to every reader.")
    parser.add_argument("--minutes", type=float, default=2, help="for all targets (default: %(default)s)")
    parser.add_argument("--target", action="append", choices=TARGETS, help="a target; repeatable (default: all)")
    parser.add_argument("--processes", type=int, default=2, help="targets at a time (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="makes the values and the inputs (default: another one each time)")
    parser.add_argument("--input", type=Path, help="try this input of one target, and nothing else")
    parser.add_argument(
        "--atheris", action="store_true", help="let atheris choose inputs by coverage, target by target"
    )
    parser.add_argument(
        "--findings", type=Path, default=Path(tempfile.gettempdir()) / "binance-leaks-fuzz",
        help="the folder for inputs that break a law (default: %(default)s)",
    )  # fmt: skip
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Fuzz; 1 where something is wrong."""
    parser = _parser()
    options = parser.parse_args(words)
    names: list[str] = options.target or list(TARGETS)
    seed = SystemRandom().getrandbits(32) if options.seed is None else options.seed
    if options.input is not None:
        if len(names) != 1 or options.seed is None:
            parser.error("--input needs one --target and the --seed of the run")
        return _repeat(names[0], seed, options.input.read_bytes())
    if options.atheris:
        from tests.fuzz.by_coverage import fuzz_by_coverage  # atheris is no dependency

        return fuzz_by_coverage(names, seed=seed, seconds=60 * options.minutes, findings=options.findings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a run as an interrupt does
    targets, started = [TARGETS[name] for name in names], time.monotonic()
    warm_up(Planted.of(seed))
    seconds = 60 * options.minutes - (time.monotonic() - started)
    _print(f"{'target':<18}{'inputs':>12}{'a second':>10}{'kept':>7}{'found':>7}")
    tallies = run(
        targets, seed=seed, processes=options.processes, seconds=seconds,
        show=_Line(started).show, done=lambda tally: _print_done(tally, options.findings),
    )  # fmt: skip
    _print_row(_sum(tallies, time.monotonic() - started))
    _print(f"seed {seed}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    return 1 if any(tally.found for tally in tallies) else 0


def _sum(tallies: Sequence[Tally], seconds: float) -> Tally:
    return Tally(
        target="all",
        inputs=sum(each.inputs for each in tallies),
        kept=sum(each.kept for each in tallies),
        seconds=seconds,
        found=[found for each in tallies for found in each.found],
    )


def _repeat(name: str, seed: int, data: bytes) -> int:
    target = TARGETS[name]
    with prepare(target):
        violation, _ = Laws(target, Planted.of(seed), thorough=True).check(data)
    if violation is None:
        _print(f"{name}: nothing is wrong")
        return 0
    _print(f"{name}: {violation.law}: {violation.what}\n{violation.details}")
    return 1


class _Line:
    """One line on a terminal with how far the run is."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._shown = 0.0

    def show(self, tallies: Sequence[Tally]) -> None:
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self._shown < 1:
            return
        self._shown = now
        count, found = sum(each.inputs for each in tallies), sum(len(each.found) for each in tallies)
        sys.stderr.write(f"\r{now - self._started:6.0f} s  {count:>12,} inputs  {found} found ")
        sys.stderr.flush()


def _print_row(tally: Tally) -> None:
    rate = tally.inputs / tally.seconds if tally.seconds else 0
    _print(f"{tally.target:<18}{tally.inputs:>12,}{rate:>10,.0f}{tally.kept:>7,}{len(tally.found):>7}")


def _print_done(tally: Tally, folder: Path) -> None:
    """A row, and what was found, which is saved."""
    _print_row(tally)
    for each in tally.found:
        command = each.save(folder)
        _print(
            f"\n{each.violation.law}: {each.violation.what}\n{each.violation.details[-_SHOWN_DETAILS:]}\n  {command}"
        )
        if len(each.data) <= _SHOWN_INPUT:
            _print(f"  the input, in base64: {base64.b64encode(each.data).decode()}\n")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
