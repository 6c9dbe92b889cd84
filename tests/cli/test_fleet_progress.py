"""What is seen of a run over a fleet while it goes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from io import StringIO

import pytest
from binance_leaks.cli.fleet.progress import FleetLog, FleetProgress
from binance_leaks.findings import Result, ScanStats, SourceKind
from binance_leaks.fleet.models import Repository, ScanFailure, ScanResult, Unit
from binance_leaks.fleet.worker_protocol import Reply, Step, Task
from binance_leaks.report.json import report_of
from rich.console import Console

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Workers:
    """A pool of which only the workers are asked for."""

    def __init__(self, at: Mapping[str, int]) -> None:
        self._at = at

    def slots(self) -> int:
        return 2

    def submit(self, task: Task, *, avoid: Collection[str]) -> Future[Reply]:
        raise AssertionError(task, avoid)

    def failure_reason(self, error: BaseException) -> str | None:
        raise AssertionError(error)

    def reconnect(self) -> None:
        raise AssertionError

    def workers(self) -> Mapping[str, int]:
        return self._at

    def close(self) -> None:
        raise AssertionError


class Terminal:
    """A terminal that keeps what it was shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "xterm")
        self._stream = StringIO()
        self.console = Console(file=self._stream, force_terminal=True, width=100, color_system=None)

    def taken(self) -> str:
        """What was drawn since it was last asked."""
        drawn = _CONTROL.sub("", self._stream.getvalue())
        self._stream.seek(0)
        self._stream.truncate()
        return drawn


def repository(name: str, size: int = 1000) -> Repository:
    return Repository(key=name, label=name, address=f"/{name}", size=size)


def scanned(name: str, worker: str = "here", size: int = 0) -> ScanResult:
    result = Result(source=SourceKind.HISTORY, target=name, findings=(), stats=ScanStats(bytes=size))
    return ScanResult(key=name, report=report_of(result), remembered=None, seconds=1.0, worker=worker)


def step(label: str, phase: str = "scanning", size: int = 0) -> Step:
    return {"label": label, "phase": phase, "bytes": size}


UNITS = tuple(Unit(repositories=(repository(name),)) for name in ("a", "b", "c", "d"))


def test_here(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, here = Terminal(monkeypatch), Workers({})
    with FleetProgress(UNITS, scheduler=None, console=terminal.console) as progress:
        progress.step("here", step("a", "cloning"))
        progress.step("here", step("b", size=5_000_000))
        terminal.taken()
        progress.tick(here)
        drawn = terminal.taken()
        assert "0/4 repositories, 2 running, 0 bytes" in drawn
        assert re.search(r"  cloning a, .* s\n", drawn)
        assert re.search(r"  scanning b 5\.0 MB, .* s", drawn)
        progress.recorded(repository("a"), scanned("a", size=7_000_000))
        progress.recorded(repository("b"), ScanFailure(key="b", reason="it hung"))
        progress.recorded(repository("c"), scanned("c"))
        progress.tick(here)
        drawn = terminal.taken()
        assert "3/4 repositories, 0 running, 1 failed, 7.0 MB" in drawn
        assert re.search(r"s left", drawn)
        assert "scanning b" not in drawn


def test_on_a_cluster_each_worker_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, cluster = Terminal(monkeypatch), Workers({"tcp://host:1": 2, "tcp://host:2": 1})
    with FleetProgress(UNITS, scheduler="tcp://host:9", console=terminal.console) as progress:
        progress.recorded(repository("a"), scanned("a", worker="tcp://host:2"))
        progress.step("tcp://host:1", step("b"))
        terminal.taken()
        progress.tick(cluster)
        drawn = terminal.taken()
    assert re.search(r"tcp://host:1: 0 done, 2 given, scanning b, ", drawn)
    assert drawn.endswith("tcp://host:2: 1 done, 1 given")


def test_a_unit_that_goes_to_another_worker_is_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    with FleetProgress(UNITS, scheduler=None, console=terminal.console) as progress:
        progress.step("one", step("a"))
        progress.step("two", step("a"))
        terminal.taken()
        progress.tick(Workers({}))
        assert "1 running" in terminal.taken()


def test_names_draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    with FleetProgress(UNITS, scheduler=None, console=terminal.console) as progress:
        progress.step("here", step("[bold]a[/bold]\x1b[2J\n\u202e"))
        terminal.taken()
        progress.tick(Workers({}))
        drawn = terminal.taken()
    assert r"scanning [bold]a[/bold]\x1b[2J\n\u202e" in drawn


def test_a_log_gets_a_line_now_and_then() -> None:
    printed: list[str] = []
    log = FleetLog(4, printed.append, every=0.0)
    log.recorded(repository("a"), scanned("a"))
    log.recorded(repository("b"), ScanFailure(key="b", reason="it hung"))
    log.tick(Workers({}))
    assert re.fullmatch(r"2 of 4 repositories done, 1 failed, .* so far", printed[0])
    quiet = FleetLog(4, printed.append, every=3600.0)
    quiet.tick(Workers({}))
    assert len(printed) == 1
