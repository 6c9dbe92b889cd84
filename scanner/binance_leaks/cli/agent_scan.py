"""Scan an event of an agent's hook in full, and answer it."""

from __future__ import annotations

import sys
from pathlib import Path

from binance_leaks.agents.answers import let_pass, stop
from binance_leaks.agents.event import AgentEvent
from binance_leaks.cli.agent_hook import write_unread
from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.settings import Settings
from binance_leaks.config import Config, find_config, load_config
from binance_leaks.errors import ScannerError
from binance_leaks.findings import Result
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.pipeline.agent_source import AgentEventSource, why_refused
from binance_leaks.pipeline.run_scan import TriageSettings, load_baseline, run_scan
from binance_leaks.report import write_report
from binance_leaks.report.agent_notice import describe_found
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.sources.path_roots import PathRoots


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentHookSettings(Settings):
    """`agent-hook`."""

    fail_open: bool | None
    config: str | None
    event: AgentEvent
    """The event, which was read before the command line was parsed."""


def run(options: Options) -> int:
    """Scan the event and answer it. Raises ConfigError for the user's own configuration."""
    settings = AgentHookSettings.of(options)
    own = load_config(Path(settings.config)) if settings.config else None
    try:
        return _answer(settings.event, own, is_open=settings.fail_open)
    except ScannerError as error:
        return write_unread(settings.event, str(error), is_open=settings.fail_open)


def _answer(event: AgentEvent, own: Config | None, *, is_open: bool | None) -> int:
    source = AgentEventSource(event=event)
    result = run_scan(source, _triage_settings(event.folder, own)).result
    failing = replace(result, findings=tuple(finding for finding in result.findings if finding.fails))
    if failing.findings:
        return _write_found(source, failing)
    if not result.complete:
        lost = [item for item in result.skipped if item.lost]
        is_file = all(item.what in event.files and item.why == why_refused(item.what) for item in lost)
        return write_unread(event, f"{lost[0].what}: {lost[0].why}", is_open=is_open, is_file=is_file)
    write_report(let_pass(event).output, sys.stdout)
    return 0


def _write_found(source: AgentEventSource, result: Result) -> int:
    event = source.event
    answer = stop(event, describe_found(event, result, source.locator()))
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
    config = Config(allow=allow, file=theirs.file, folder=theirs.folder)
    return TriageSettings(config=config, baseline=baseline, comments=False)


def _inert(text: str) -> str:
    return without_values(printable(text))
