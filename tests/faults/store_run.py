"""A run of a fleet that writes its store, without scan processes: two repositories, of which one fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from binance_leaks.errors import ScannerError, UsageError
from binance_leaks.fleet.models import RunStatus
from binance_leaks.fleet.store import Store
from binance_leaks.model import Role

from tests.fleet.fleets import failed, found, now, repository, scanned
from tests.report.examples import Maker

_KEY = Maker(72).value(Role.API_KEY)

State = tuple[tuple[str, ...], ...]
"""The status of the runs, and what is known of each repository in the last one."""


def main() -> int:
    """Write the store that the arguments name; print an error as the program does."""
    try:
        for _ in steps(Path(sys.argv[1])):
            pass
    except ScannerError as error:
        sys.stderr.write(f"binance-leaks: {error}\n")
        return int(error.exit_status)
    return 0


def steps(file: Path) -> Iterator[None]:
    """Go on with the run of a store, or begin it; pause after each transaction."""
    with Store.open(file, now=now) as store:
        yield
        unfinished = store.unfinished()
        if unfinished is None and store.runs():
            return
        run = unfinished.id if unfinished is not None else store.begin("list", [repository("a"), repository("b")])
        waiting = {one.label for one in store.resume(run)}
        yield
        if "a" in waiting:
            store.record(run, scanned("a", found(_KEY)))
            yield
        if "b" in waiting:
            store.record_failure(run, failed("b"), last=True)
            yield
        store.finish(run, RunStatus.FINISHED, {"seconds": 7.5})
    yield


def state(file: Path) -> State:
    """What a reader of the store sees; nothing where there is no store yet."""
    if not file.exists():
        return ((),)
    try:
        store = Store.read(file)
    except UsageError as error:
        assert str(error) == f"store {file} is empty"
        return ((),)
    with store:
        runs = store.runs()
        scans = [f"{scan.repository.label} {scan.status.value}" for scan in store.scans(runs[-1].id)] if runs else []
        held = [f"{one.label} {one.credential}" for one in store.held(runs[-1].id)] if runs else []
        return (tuple(run.status.value for run in runs), tuple(scans), tuple(held))
