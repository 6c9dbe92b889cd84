"""`binance-leaks doctor`: is a commit that is made here really checked?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from binance_leaks import __version__
from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.last_scan import record_folder
from binance_leaks.cli.settings import Settings
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.report import write_report
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.setup.doctor.agents import check_agents
from binance_leaks.setup.doctor.check import Check, State
from binance_leaks.setup.doctor.hooks import HookFolder, check_hooks, check_switches, find_hook, is_ignored
from binance_leaks.setup.doctor.leftovers import check_leftovers
from binance_leaks.setup.doctor.program import check_path, check_program
from binance_leaks.setup.doctor.project import load_project
from binance_leaks.setup.doctor.trial import check_by_trial
from binance_leaks.setup.pre_commit import INSTALLED
from binance_leaks.sources.git import Git

SCHEMA = "binance-leaks-doctor/1"
_WIDTH = 19
_TRIED = INSTALLED[:2]


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorSettings(Settings):
    """`doctor`."""

    no_run: bool
    json: bool


def run(options: Options) -> ExitStatus:
    """Make every check and print it."""
    settings = DoctorSettings.of(options)
    if Git.open(".") is None:
        raise UsageError("not in the work tree of a git repository", hint="Change to the one whose hooks are meant.")
    git = Git(".", inherit=True)
    checks = []
    for check in _examine(git, Path(git.root()), may_run=not settings.no_run):
        checks.append(check)
        if not settings.json:
            write_report("".join(_lines(check)), sys.stdout)
            sys.stdout.flush()
    status = _status(checks)
    write_report(_as_json(checks, status) if settings.json else _conclusion(checks, status), sys.stdout)
    return status


def _examine(git: Git, top: Path, *, may_run: bool) -> Iterator[Check]:
    yield from check_program(git)
    config, checks = load_project(top)
    yield from checks
    folder = HookFolder.of(git, top)
    hooks = {kind: find_hook(folder, top, kind) for kind in INSTALLED}
    yield from check_hooks(folder, top, hooks)
    yield from check_switches(hooks)
    yield from check_path({program for hook in hooks.values() if hook for program in hook.programs})
    for kind in _TRIED:
        hook = hooks[kind]
        if hook is None or is_ignored(hook.file) or not hook.may_call_us:
            continue
        if not may_run:
            state = State.OK if hook.calls_us else State.UNKNOWN
            remedy = "" if hook.calls_us else "binance-leaks doctor"
            yield Check(name=f"{kind}, tried", state=state, found="not tried, because of --no-run", remedy=remedy)
            continue
        sys.stderr.write(f"Running {_shown(str(hook.file))} with a generated key pair (not with --no-run)\n")
        sys.stderr.flush()
        yield check_by_trial(hook, top, config)
    yield from check_agents(top, may_run=may_run)
    yield from check_leftovers(top, filter(None, [record_folder()]))


def _status(checks: Sequence[Check]) -> ExitStatus:
    states = {check.state for check in checks}
    if State.FAILURE in states:
        return ExitStatus.FINDINGS
    return ExitStatus.INCOMPLETE if State.UNKNOWN in states else ExitStatus.CLEAN


def _lines(check: Check) -> Iterator[str]:
    yield f"{check.state.value:<9}{check.name:<{_WIDTH}}{_shown(check.found)}\n"
    if check.remedy:
        yield f"{'':<9}{'':<{_WIDTH}}→ {_shown(check.remedy)}\n"


def _shown(text: str) -> str:
    """Return text that may quote a configuration or the name of a file, on one line and without values."""
    return printable(without_values(text))


def _conclusion(checks: Sequence[Check], status: ExitStatus) -> str:
    failures = sum(check.state is State.FAILURE for check in checks)
    return {
        ExitStatus.CLEAN: "\nCommits are checked here.\n",
        ExitStatus.FINDINGS: f"\n{failures} {'failure' if failures == 1 else 'failures'}: not all is checked here.\n",
        ExitStatus.INCOMPLETE: "\nIt could not be found out whether commits are checked here.\n",
    }[status]


def _as_json(checks: Sequence[Check], status: ExitStatus) -> str:
    rows = [
        {
            "name": check.name,
            "state": check.state.value,
            "found": without_values(check.found),
            "remedy": without_values(check.remedy),
        }
        for check in checks
    ]
    content = {"schema": SCHEMA, "version": __version__, "status": int(status), "checks": rows}
    return json.dumps(content, ensure_ascii=True, indent=2) + "\n"
