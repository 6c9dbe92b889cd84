"""Look properly at an event of an agent's hook, and answer it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from binance_leaks.agents.answers import let_pass, stop
from binance_leaks.agents.event import LARGEST, AgentEvent, UnreadableEventError, read_event
from binance_leaks.cli.agent_event import write_unread
from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.settings import Settings
from binance_leaks.config import Config, find_config, load_config
from binance_leaks.errors import ScanError, ScannerError
from binance_leaks.findings import Result
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Location
from binance_leaks.pipeline.agent_event import AgentEventSource
from binance_leaks.pipeline.run_scan import TriageSettings, load_baseline, run_scan
from binance_leaks.report import write_report
from binance_leaks.report.agent_notice import describe_found
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.sources.path_roots import PathRoots

TIME_LIMIT = 15.0
"""Seconds after which an event counts as not looked at: agents end a hook after 30, and then let the event pass."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentHookSettings(Settings):
    """`agent-hook`."""

    agent: str | None
    fail_open: bool | None
    config: str | None


def run(options: Options) -> int:
    """Scan the event that was read, or read it, and answer it. Raises UsageError and ConfigError for the options."""
    settings = AgentHookSettings.of(options)
    own = load_config(Path(settings.config)) if settings.config else None
    event = options.event
    try:
        if event is None:
            event = read_event(sys.stdin.buffer.read(LARGEST + 1), settings.agent)
        with _time_limit():
            return _answer(event, own, is_open=settings.fail_open)
    except UnreadableEventError as error:
        return write_unread(event, str(error), is_open=settings.fail_open)
    except ScannerError as error:
        return write_unread(event, str(error), is_open=settings.fail_open)


def _answer(event: AgentEvent, own: Config | None, *, is_open: bool | None) -> int:
    source = AgentEventSource(event=event)
    result = run_scan(source, _triage_settings(event.folder, own)).result
    failing = replace(result, findings=tuple(finding for finding in result.findings if finding.fails))
    if failing.findings:
        return _write_found(source, failing)
    if not result.complete:
        first = next(item for item in result.skipped if item.lost)
        return write_unread(event, f"{first.what}: {first.why}", is_open=is_open)
    write_report(let_pass(event).output, sys.stdout)
    return 0


def _write_found(source: AgentEventSource, result: Result) -> int:
    event = source.event

    def locate(place: Location) -> tuple[str, int]:
        if place.path != source.path:
            return place.path, place.line
        field, line = event.locate(place.line)
        return event.target or field or event.kind, line

    answer = stop(event, describe_found(event, result, locate))
    write_report(answer.errors, sys.stderr)
    write_report(answer.output, sys.stdout)
    return answer.status


def _triage_settings(folder: str, own: Config | None) -> TriageSettings:
    """The settings for an event: all of the user's own file, and of the project's only what names single values.

    A project may be hostile. Who allows a value by its digest has the value; patterns, thresholds and comments would
    switch the guard off for values that they never saw.
    """
    top = PathRoots().top(folder)
    if own is not None:
        return TriageSettings(config=own, baseline=load_baseline(own.baseline_file, top), comments=False)
    try:
        file = find_config(Path(folder))
        theirs = load_config(file) if file is not None else Config()
        baseline = load_baseline(theirs.baseline_file, top)
    except ScannerError as error:
        sys.stderr.write(f"binance-leaks: the project's configuration is ignored: {_inert(str(error))}\n")
        return TriageSettings(config=Config(), comments=False)
    allow = tuple(entry for entry in theirs.allow if entry.sha256)
    return TriageSettings(config=Config(allow=allow, file=theirs.file), baseline=baseline, comments=False)


def _inert(text: str) -> str:
    return without_values(printable(text))


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raise ScanError in what takes too long, where the system can."""

    def end(_: int, __: object) -> NoReturn:
        raise ScanError(f"it took longer than {TIME_LIMIT:.0f} seconds")

    if os.name != "posix":
        yield
        return
    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
