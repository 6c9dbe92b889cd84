"""Progress of a fleet run: a display on a terminal, a line per minute in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from binance_leaks.cli.arguments.common import Options
from binance_leaks.fleet.coordinator import Pool
from binance_leaks.fleet.models import Repository, ScanFailure, ScanResult, Unit
from binance_leaks.fleet.worker_protocol import Step
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.quantities import human_size, human_time
from binance_leaks.report.sanitize import printable, without_values

_EVERY = 60.0


class FleetLog:
    """A line per minute, which shows in a log that a long run goes on."""

    def __init__(self, total: int, print_line: Callable[[str], None], *, every: float = _EVERY) -> None:
        self._total = total
        self._print_line = print_line
        self._every = every
        self._done = self._failed = 0
        self._started = self._last_line = time.monotonic()

    def recorded(self, repository: Repository, outcome: ScanResult | ScanFailure) -> None:  # noqa: ARG002 - the protocol's
        """Count it."""
        self._done += 1
        self._failed += isinstance(outcome, ScanFailure)

    def tick(self, pool: Pool) -> None:  # noqa: ARG002 - the protocol's
        """Print a line if it is time."""
        now = time.monotonic()
        if now - self._last_line >= self._every:
            self._last_line = now
            failed = f", {self._failed:,} failed" if self._failed else ""
            spent = human_time(now - self._started)
            self._print_line(f"{self._done:,} of {self._total:,} repositories done{failed}, {spent} so far")


def print_status(options: Options, text: str) -> None:
    """Print a line, unless the user wants none."""
    if not options.quiet:
        sys.stderr.write(f"binance-leaks: {without_values(printable(text))}\n")
        sys.stderr.flush()


_MOST_LINES = 12
_SETTLED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    """What a worker is doing, and since when."""

    worker: str
    step: Step
    since: float


class FleetProgress:
    """Live display of counts, bytes, findings, time left, and the workers of a cluster.

    Drawn by the loop of the coordinator; steps may come from any thread.
    """

    def __init__(self, units: Sequence[Unit], *, scheduler: str | None, console: Console | None = None) -> None:
        self._scheduler = scheduler
        self._total = sum(len(unit.repositories) for unit in units)
        self._weights = _weights(units)
        self._done = self._failed = self._bytes = self._credentials = 0
        self._weight = 0.0
        self._per_worker: dict[str, int] = {}
        self._at_workers: Mapping[str, int] = {}
        self._steps: dict[str, _Running] = {}
        self._started = time.monotonic()
        self._lock = Lock()
        self._live = Live(
            console=console or Console(stderr=True), auto_refresh=False, transient=True, get_renderable=self._draw
        )

    def __enter__(self) -> FleetProgress:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def step(self, worker: str, step: Step) -> None:
        """A worker reports its progress."""
        with self._lock:
            held = self._steps.get(step["label"])
            since = held.since if held is not None and held.worker == worker else time.monotonic()
            self._steps[step["label"]] = _Running(worker=worker, step=step, since=since)

    def recorded(self, repository: Repository, outcome: ScanResult | ScanFailure) -> None:
        """A repository was scanned, or has failed."""
        self._done += 1
        self._weight += self._weights.get(repository.key, 0.0)
        self._per_worker[outcome.worker] = self._per_worker.get(outcome.worker, 0) + 1
        if isinstance(outcome, ScanFailure):
            self._failed += 1
        elif outcome.report is not None:
            self._bytes += int(outcome.report["scan"]["stats"].get("bytes", 0))
            self._credentials += sum(finding["suppressed"] is None for finding in outcome.report["findings"])
        with self._lock:
            self._steps.pop(repository.label, None)

    def tick(self, pool: Pool) -> None:
        """Draw it again."""
        if self._scheduler is not None:
            self._at_workers = pool.workers()
        self._live.refresh()

    def _draw(self) -> RenderableType:
        with self._lock:
            running = sorted(self._steps.values(), key=lambda each: each.since)
        rows = self._worker_lines(running) if self._at_workers else [_line(each, "") for each in running[:_MOST_LINES]]
        return Group(self._summary(len(running)), *rows)

    def _summary(self, running: int) -> RenderableType:
        text = [f"{self._done:,}/{self._total:,} repositories", f"{running:,} running"]
        if self._failed:
            text.append(f"{self._failed:,} failed")
        text += [human_size(self._bytes), f"{self._credentials:,} suspicious", self._time_left()]
        row = Table.grid(expand=True, padding=(0, 1))
        row.add_column(ratio=1)
        row.add_column(no_wrap=True)
        bar = ProgressBar(total=max(1.0, sum(self._weights.values())), completed=self._weight)
        row.add_row(bar, Text(", ".join(text)))
        return row

    def _time_left(self) -> str:
        """Estimate the time left from the time so far."""
        spent = time.monotonic() - self._started
        whole = sum(self._weights.values())
        if self._done < _SETTLED or not self._weight:
            return f"{human_time(spent)} so far"
        return f"{human_time(spent * (whole - self._weight) / self._weight)} left"

    def _worker_lines(self, running: Sequence[_Running]) -> list[RenderableType]:
        at_work = {each.worker: each for each in running}
        lines: list[RenderableType] = []
        for worker, count in sorted(self._at_workers.items())[:_MOST_LINES]:
            text = f"{printable(worker)}: {self._per_worker.get(worker, 0):,} done, {count:,} given"
            now = at_work.get(worker)
            lines.append(_line(now, f"{text}, ") if now is not None else Text(f"  {text}"))
        if len(self._at_workers) > _MOST_LINES:
            lines.append(Text(f"  and {len(self._at_workers) - _MOST_LINES:,} more workers"))
        return lines


def _line(running: _Running, before: str) -> Text:
    step = running.step
    size = f" {human_size(step['bytes'])}" if step["bytes"] else ""
    text = f"{step['phase']} {printable(step['label'])}{size}, {human_time(time.monotonic() - running.since)}"
    return Text(f"  {before}{text}", no_wrap=True, overflow="ellipsis")


def _weights(units: Sequence[Unit]) -> dict[str, float]:
    """The weight of each repository: its size if all sizes are known, else 1."""
    repositories = [repository for unit in units for repository in unit.repositories]
    known = all(repository.size for repository in repositories)
    return {repository.key: float(repository.size) if known else 1.0 for repository in repositories}
