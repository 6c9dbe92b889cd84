"""`binance-leaks fleet report` and `fleet diff`: report stored runs in any format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.fleet.inputs import load_fleet_config
from binance_leaks.cli.output import present, wanted_formats
from binance_leaks.cli.settings import OutputSettings
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.fleet.models import RunStatus
from binance_leaks.fleet.report import compare_runs, fleet_result
from binance_leaks.fleet.store import Store


def run(options: Options) -> ExitStatus:
    """Report a run, by default the last one."""
    output = OutputSettings.of(options)
    formats = wanted_formats(output)
    config = load_fleet_config(options)
    with Store.read(store_file(options)) as store:
        number = options.run_id if options.run_id is not None else last_run(store)
        result = fleet_result(store, number, config=config.config, places=config.places)
    return present(result, output, formats, allow_incomplete=options.allow_incomplete)


def run_diff(options: Options) -> ExitStatus:
    """Compare two runs, by default the last two finished ones."""
    output = OutputSettings.of(options)
    formats = wanted_formats(output)
    config = load_fleet_config(options)
    if len(options.runs) > 2:
        raise UsageError("more than two runs are given", hint="`fleet list runs` lists their numbers.")
    with Store.read(store_file(options)) as store:
        earlier, later = _runs_to_compare(options.runs, store)
        result = compare_runs(store, earlier, later, config=config.config, places=config.places)
    return present(result, output, formats, allow_incomplete=options.allow_incomplete)


def last_run(store: Store) -> int:
    """Return the number of the last run. Raises UsageError where there is none."""
    runs = store.runs()
    if not runs:
        raise UsageError(f"{store.file} has no run", hint="`fleet scan --store` creates one.")
    return runs[-1].id


def _runs_to_compare(named: Sequence[int], store: Store) -> tuple[int, int]:
    """The earlier and the later run. Unfinished ones are left out: their findings were never reported."""
    if len(named) == 2:
        return named[0], named[1]
    ended = [run.id for run in store.runs() if run.status is RunStatus.FINISHED]
    if named and ended:
        return named[0], ended[-1]
    if len(ended) < 2:
        raise UsageError(
            f"{store.file} has fewer than two finished runs",
            hint="Scan again with the same --store, or continue with --resume.",
        )
    return ended[-2], ended[-1]


def store_file(options: Options) -> Path:
    """Return the path of the store. Raises UsageError for an empty one."""
    if not options.store:
        raise UsageError("--store is empty", hint="Is a variable unset?")
    return Path(options.store)
