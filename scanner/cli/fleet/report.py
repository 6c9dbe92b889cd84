"""`binance-leaks fleet report` and `fleet diff`: what the store knows, in any format."""

from __future__ import annotations

from pathlib import Path

from scanner.cli.arguments.common import Options
from scanner.cli.fleet.judging import judgement
from scanner.cli.output import present, wanted_formats
from scanner.errors import UsageError
from scanner.fleet.comparing import difference
from scanner.fleet.merging import fleet_result
from scanner.fleet.store import Store


def run(options: Options) -> int:
    """Reports a run, the last one unless another is named."""
    formats = wanted_formats(options)
    judged = judgement(options)
    with Store.read(_file(options)) as store:
        number = options.run_id if options.run_id is not None else last_run(store)
        result = fleet_result(store, number, config=judged.config, places=judged.places)
    return present(result, options, formats)


def run_diff(options: Options) -> int:
    """Compares two runs, the last two unless others are named."""
    formats = wanted_formats(options)
    judged = judgement(options)
    if len(options.runs) not in (0, 2):
        raise UsageError("give two runs, or none for the last two", hint="`fleet list runs` tells their numbers.")
    with Store.read(_file(options)) as store:
        earlier, later = options.runs or _last_two(store)
        result = difference(store, earlier, later, config=judged.config, places=judged.places)
    return present(result, options, formats)


def last_run(store: Store) -> int:
    """The number of the last run. Raises UsageError where there is none."""
    runs = store.runs()
    if not runs:
        raise UsageError(f"{store.file} holds no run", hint="`fleet scan --store` makes one.")
    return runs[-1].id


def _last_two(store: Store) -> tuple[int, int]:
    runs = store.runs()
    if len(runs) < 2:
        raise UsageError(f"{store.file} holds fewer than two runs", hint="Scan again with the same --store.")
    return runs[-2].id, runs[-1].id


def _file(options: Options) -> Path:
    if not options.store:
        raise UsageError("--store is empty", hint="Is a variable unset?")
    return Path(options.store)
