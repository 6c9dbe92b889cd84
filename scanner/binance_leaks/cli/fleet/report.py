"""`binance-leaks fleet report`, `diff` and `list`: show what a store holds."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.fleet.inputs import load_fleet_config
from binance_leaks.cli.output import colored, page_width, present, wanted_formats
from binance_leaks.cli.settings import OutputSettings
from binance_leaks.config import Config
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Finding
from binance_leaks.fleet.models import Attempt, RepositoryScan, Run, RunStatus, ScanStatus, Unread
from binance_leaks.fleet.report import compare_runs, fleet_result
from binance_leaks.fleet.store import Store
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Confidence
from binance_leaks.report import write_report
from binance_leaks.report.json import as_json
from binance_leaks.report.names import join_masks
from binance_leaks.report.sanitize import printable, without_values

ALLOWS_INCOMPLETE = "allow_incomplete"
"""The fact of a run that was started with `--allow-incomplete`."""


def run(options: Options) -> ExitStatus:
    """Report a run, by default the last one."""
    output = OutputSettings.of(options)
    formats = wanted_formats(output)
    config = load_fleet_config(options)
    with Store.read(store_file(options)) as store:
        number = options.run_id if options.run_id is not None else last_run(store)
        result = fleet_result(store, number, config=config.config, places=config.places)
        allowed = _is_incomplete_allowed(options, store, number)
    return present(result, output, formats, allow_incomplete=allowed)


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
        allowed = _is_incomplete_allowed(options, store, later)
    return present(result, output, formats, allow_incomplete=allowed, only_changes=True)


def _is_incomplete_allowed(options: Options, store: Store, run: int) -> bool:
    """Whether a run may be incomplete: by this command line, or by that of the run."""
    return options.allow_incomplete or bool(store.run(run).facts.get(ALLOWS_INCOMPLETE))


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


_SCHEMA = "binance-leaks-fleet/1"
_MOST_NAMED = 3
_STYLES = {ScanStatus.FAILED.value: "bold red", ScanStatus.WAITING.value: "yellow", "no": "bold red"}
_PLACES = 1
_UNFOLDED = 100_000
"""Columns for programs that read the list: each row is one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _List:
    """Rows under column names; `numbers` are right-aligned. JSON has the same names with the data."""

    name: str
    columns: tuple[str, ...]
    shown: tuple[tuple[str, ...], ...]
    numbers: frozenset[str]
    data: Sequence[object]


def run_list(options: Options) -> ExitStatus:
    """List what was requested."""
    with Store.read(store_file(options)) as store:
        made = _make_list(options, store)
    if options.list_format == "json":
        write_report(as_json({"schema": _SCHEMA, made.name: made.data}), sys.stdout)
    else:
        write_report(_draw(made, color=colored(options.color)), sys.stdout)
    return ExitStatus.CLEAN


def _make_list(options: Options, store: Store) -> _List:
    if options.what == "runs":
        return _list_runs(store.runs())
    number = options.run_id if options.run_id is not None else last_run(store)
    if options.what == "credentials":
        result = fleet_result(store, number, config=Config(confidence=Confidence.MEDIUM), places=_PLACES)
        return _list_credentials(result.findings)
    scans = store.scans(store.run(number).id)
    return _list_repositories(scans, store.unread(number), store.attempts(number))


def _list_runs(runs: Sequence[Run]) -> _List:
    return _List(
        name="runs",
        columns=("run", "started", "took", "status", "of"),
        numbers=frozenset({"run", "took"}),
        shown=tuple(
            (str(run.id), _moment(run.started), _seconds(run.facts.get("seconds", 0)), run.status.value, run.target)
            for run in runs
        ),
        data=[
            {
                "id": run.id,
                "started": run.started.isoformat(),
                "finished": run.finished.isoformat() if run.finished is not None else None,
                "status": run.status.value,
                "target": _inert(run.target),
                "version": _inert(run.version),
                "host": _inert(run.host),
                "process": run.process,
                "facts": dict(run.facts),
            }
            for run in runs
        ],
    )


def _list_repositories(scans: Sequence[RepositoryScan], unread: Iterable[Unread], attempts: Sequence[Attempt]) -> _List:
    why: dict[str, list[str]] = {}
    for each in unread:
        if each.skipped.lost:
            why.setdefault(each.label, []).append(f"{each.skipped.what}: {each.skipped.why}")
    return _List(
        name="repositories",
        columns=("repository", "state", "credentials", "complete", "took", "why"),
        numbers=frozenset({"credentials", "took"}),
        shown=tuple(
            (
                scan.repository.label,
                scan.status.value,
                f"{scan.credentials:,}",
                "yes" if scan.complete else "no",
                _seconds(scan.seconds),
                _failure_text(scan, why.get(scan.repository.label, [])),
            )
            for scan in scans
        ),
        data=[
            {
                "repository": _inert(scan.repository.label),
                "address": _inert(scan.repository.key),
                "aliases": [_inert(alias) for alias in scan.repository.aliases],
                "state": scan.status.value,
                "since_run": scan.since,
                "credentials": scan.credentials,
                "complete": scan.complete,
                "unread": [_inert(text) for text in why.get(scan.repository.label, [])],
                "attempts": scan.attempts,
                "seconds": scan.seconds,
                "worker": _inert(scan.worker),
                "reason": _inert(scan.reason),
                "hint": _inert(scan.hint),
                "failures": [_failure(each) for each in attempts if each.label == scan.repository.label],
                "stats": dict(scan.stats),
            }
            for scan in scans
        ],
    )


def _failure(attempt: Attempt) -> dict[str, object]:
    """A failed attempt, whatever became of the next one."""
    return {
        "attempt": attempt.attempt,
        "at": attempt.at.isoformat(),
        "reason": _inert(attempt.reason),
        "hint": _inert(attempt.hint),
        "seconds": attempt.seconds,
        "worker": _inert(attempt.worker),
    }


def _failure_text(scan: RepositoryScan, unread: Sequence[str]) -> str:
    """Why it failed and after how many attempts, or what could not be read."""
    if scan.reason:
        return f"{scan.reason} ({scan.attempts} attempts)" if scan.attempts > 1 else scan.reason
    more = f" and {len(unread) - 1:,} more" if len(unread) > 1 else ""
    return f"not read: {unread[0]}{more}" if unread else ""


def _list_credentials(findings: Sequence[Finding]) -> _List:
    return _List(
        name="credentials",
        columns=("risk", "credential", "environment", "mark", "repositories"),
        numbers=frozenset(),
        shown=tuple(
            (
                finding.risk.level.value,
                join_masks(finding),
                finding.environment.value,
                finding.mark.value if finding.mark is not None else "",
                _join_names(finding.repositories),
            )
            for finding in findings
        ),
        data=[
            {
                "id": finding.id,
                "risk": finding.risk.level.value,
                "kind": finding.kind.value,
                "environment": finding.environment.value,
                "confidence": finding.confidence.value,
                "mark": finding.mark.value if finding.mark is not None else None,
                "values": [
                    {"role": value.role.value, "sha256": value.sha256, "masked": printable(value.masked)}
                    for value in finding.values
                ],
                "repositories": [_inert(name) for name in finding.repositories],
            }
            for finding in findings
        ],
    )


def _join_names(repositories: Sequence[str]) -> str:
    more = len(repositories) - _MOST_NAMED
    shown = ", ".join(repositories[:_MOST_NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown


def _draw(made: _List, *, color: bool) -> str:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in made.columns:
        table.add_column(name, justify="right" if name in made.numbers else "left", overflow="fold")
    for row in made.shown:
        table.add_row(*(Text(_inert(cell), style=_STYLES.get(cell, "")) for cell in row))
    console = Console(
        width=page_width() if sys.stdout.isatty() else _UNFOLDED,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with console.capture() as capture:
        console.print(table if made.shown else Text(f"No {made.name}."))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _inert(text: str) -> str:
    """Text for a terminal and for JSON, without values even if the store was tampered with."""
    return without_values(printable(text))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s"
