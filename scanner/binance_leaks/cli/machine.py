"""`binance-leaks machine`: the places of a developer's machine where keys are."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import adjusted, baseline_file
from binance_leaks.cli.run import clean_up_on_signals, is_watched, print_notes, runner
from binance_leaks.cli.settings import CommandSettings, GateSettings, OutputSettings
from binance_leaks.config import FILE_NAMES, Config, load_config
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.machine.account import Account, system_of
from binance_leaks.machine.plan import Plan
from binance_leaks.machine.search import SearchSettings, make_plan
from binance_leaks.pipeline.machine import MachineSource
from binance_leaks.pipeline.run_scan import TriageSettings, load_baseline
from binance_leaks.pipeline.workers import usable_cores
from binance_leaks.quantities import human_size, plural
from binance_leaks.report.sanitize import printable, without_values


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineSettings(CommandSettings):
    """`machine`."""

    paths: Sequence[str]
    dry_run: bool
    include: Sequence[str]
    depth: int
    no_repositories: bool
    time_limit: int
    """Seconds."""
    jobs: int


def run(options: Options) -> ExitStatus:
    """Make the plan, show it, and scan what it names."""
    settings = MachineSettings.of(options)
    clean_up_on_signals()
    with runner(settings) as this:
        ends = time.monotonic() + settings.time_limit
        home = _home()
        triage = _triage_settings(settings.gate, home)
        excluded = _exclusion(triage.config, settings.gate.exclude, home)
        roots = _roots(settings.paths, home)
        plan = _make_plan(settings, home, roots, excluded)
        if settings.dry_run:
            return _print_plan(plan, triage)
        print_notes(settings.output, *_summarize(plan))
        source = MachineSource(
            plan=plan,
            anchor=home,
            target=" ".join(roots),
            ends=ends,
            jobs=settings.jobs or usable_cores(),
            excluded=excluded,
        )
        return this.run(source, triage, folder=home)


def _home() -> str:
    """Return the home folder without links, with `/`. Raises UsageError where there is none."""
    try:
        home = Path.home().resolve()
    except (OSError, RuntimeError):
        home = Path()
    if not home.is_absolute() or not home.is_dir():
        raise UsageError("there is no home folder", hint="Set HOME to it.")
    return home.as_posix()


def _roots(paths: Sequence[str], home: str) -> list[str]:
    roots = []
    for path in paths:
        if not path or not Path(path).is_dir():
            raise UsageError(f"no such folder: {path or 'the path is empty'}", hint="Name folders to look below.")
        roots.append(Path(path).resolve().as_posix())
    return list(dict.fromkeys(roots)) or [home]


def _triage_settings(gate: GateSettings, home: str) -> TriageSettings:
    """Return the settings: of the named configuration, else of `.binance-leaks.toml` in the home folder.

    No other file is opened to look for one.
    """
    file = Path(gate.config) if gate.config else Path(home, FILE_NAMES[0])
    config = adjusted(load_config(file) if gate.config or file.is_file() else Config(), gate)
    return TriageSettings(config=config, baseline=load_baseline(baseline_file(gate, config), None))


def _exclusion(config: Config, patterns: Sequence[str], home: str) -> Callable[[str], bool]:
    """Return a function that tests an absolute path. Patterns count from the configuration, else the home folder."""
    excluded = config.exclusion(patterns, anchor=home)
    below = home.rstrip("/") + "/"
    if config.file is not None:
        return excluded
    return lambda path: excluded(path.removeprefix(below).lstrip("/"))


def _make_plan(settings: MachineSettings, home: str, roots: Sequence[str], excluded: Callable[[str], bool]) -> Plan:
    search = SearchSettings(
        account=Account(system=system_of(), home=home, environment=os.environ),
        roots=roots,
        include=frozenset(settings.include),
        depth=settings.depth,
        seconds=settings.time_limit / 2,
        excluded=excluded,
    )
    with _search_progress(settings.output) as show:
        plan = make_plan(search, show)
    return replace(plan, repositories=()) if settings.no_repositories else plan


@contextmanager
def _search_progress(output: OutputSettings) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how many folders were listed, and how many files were chosen."""
    if not is_watched(output):
        yield lambda *_: None
        return
    from binance_leaks.cli.progress import SearchProgress  # start-up: as in `scan_progress`

    with SearchProgress() as bar:
        yield bar.update


def _summarize(plan: Plan) -> Iterator[str]:
    """Yield the plan in short: what is read, by program."""
    yield f"reads {_describe(plan)}; opens nothing else"
    for location, files in plan.by_program():
        yield f"  {location.kind.value}: {location.program}, {plural(len(files), 'file')}"
    if plan.repositories:
        yield f"  git: stashes and unreachable objects of {plural(len(plan.repositories), 'repository')}"


def _describe(plan: Plan) -> str:
    repositories = f" and {plural(len(plan.repositories), 'repository')}" if plan.repositories else ""
    size = human_size(sum(file.size for file in plan.files))
    return f"{plural(len(plan.files), 'file')} ({size}){repositories}"


def _print_plan(plan: Plan, triage: TriageSettings) -> ExitStatus:
    """Print each file that would be read, and what is left out. Incomplete where the time was too short to find all."""
    lines = [f"Would read {_describe(plan)} of {plural(plan.folders, 'folder')}; nothing was opened."]
    for location, files in plan.by_program():
        lines += ["", f"{location.program} ({location.kind.value})", *(f"  {file.entry.shown}" for file in files)]
    if plan.repositories:
        lines += ["", "git: stashes and unreachable objects", *(f"  {found.git_folder}" for found in plan.repositories)]
    if triage.config.file is not None:
        lines += ["", f"Configuration: {triage.config.file}"]
    if plan.skipped:
        lines += ["", "Left out", *(f"  {each.what}: {each.why}" for each in plan.skipped)]
    sys.stdout.write("".join(f"{without_values(printable(line))}\n" for line in lines))
    return ExitStatus.INCOMPLETE if any(each.lost for each in plan.skipped) else ExitStatus.CLEAN
