"""`binance-leaks fleet report` and `fleet diff`: what the store knows, in any format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.fleet.inputs import load_fleet_config
from binance_leaks.cli.output import present, wanted_formats
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.fleet.models import RunStatus
from binance_leaks.fleet.report import compare_runs, fleet_result
from binance_leaks.fleet.store import Store


def run(options: Options) -> ExitStatus:
    """Reports a run, the last one unless another is named."""
    formats = wanted_formats(options)
    config = load_fleet_config(options)
    with Store.read(store_file(options)) as store:
        number = options.run_id if options.run_id is not None else last_run(store)
        result = fleet_result(store, number, config=config.config, places=config.places)
    return present(result, options, formats)


def run_diff(options: Options) -> ExitStatus:
    """Compares two runs, the last two that came to their ends unless others are named."""
    formats = wanted_formats(options)
    config = load_fleet_config(options)
    if len(options.runs) > 2:
        raise UsageError("more than two runs are given", hint="`fleet list runs` tells their numbers.")
    with Store.read(store_file(options)) as store:
        earlier, later = _pair(options.runs, store)
        result = compare_runs(store, earlier, later, config=config.config, places=config.places)
    return present(result, options, formats)


def last_run(store: Store) -> int:
    """The number of the last run. Raises UsageError where there is none."""
    runs = store.runs()
    if not runs:
        raise UsageError(f"{store.file} holds no run", hint="`fleet scan --store` makes one.")
    return runs[-1].id


def _pair(named: Sequence[int], store: Store) -> tuple[int, int]:
    """The earlier and the later run. What ended early is passed over: nobody was told what it found."""
    if len(named) == 2:
        return named[0], named[1]
    ended = [run.id for run in store.runs() if run.status is RunStatus.FINISHED]
    if named and ended:
        return named[0], ended[-1]
    if len(ended) < 2:
        raise UsageError(
            f"{store.file} holds fewer than two runs that came to their ends",
            hint="Scan again with the same --store, or go on with --resume.",
        )
    return ended[-2], ended[-1]


def store_file(options: Options) -> Path:
    """The store that is named. Raises UsageError for an empty name."""
    if not options.store:
        raise UsageError("--store is empty", hint="Is a variable unset?")
    return Path(options.store)
