"""`binance-leaks init`: set up hooks, CI and agents, after showing the changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.file_changes import diff, print_lines
from binance_leaks.cli.settings import Settings
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.report.sanitize import printable
from binance_leaks.setup.agent_hooks import Place, plan_agent
from binance_leaks.setup.ci_templates import (
    JOB,
    PIPELINE,
    PIPELINES,
    WORKFLOW,
    plan_github,
    plan_gitlab,
    plan_pipeline,
)
from binance_leaks.setup.package_source import PACKAGE, PackageSource, installed_source
from binance_leaks.setup.plan import Keep, Plan, Refuse, WorkTree, Write
from binance_leaks.setup.pre_commit import PATH, configured_source, plan_pre_commit
from binance_leaks.sources.git import Git


@dataclass(frozen=True, kw_only=True, slots=True)
class InitSettings(Settings):
    """`init`."""

    ci: str | None
    repo: str | None
    rev: str | None
    from_index: bool
    upload_sarif: bool
    agent: Sequence[str]
    user: bool
    dry_run: bool
    yes: bool


def run(options: Options) -> ExitStatus:
    """Plan, show and write what is missing."""
    settings = InitSettings.of(options)
    if settings.agent or settings.user:
        return _run_for_agents(settings)
    if settings.upload_sarif and settings.ci != "github":
        raise UsageError("--upload-sarif is for --ci github")
    given = PackageSource.of(settings.repo, settings.rev)
    if settings.from_index and (given is not None or settings.ci is None):
        raise UsageError("--from-index is for --ci, and in place of --repo")
    tree = _work_tree()
    _carry_out(tree, _plans(tree, settings, given), settings)
    return ExitStatus.CLEAN


def _run_for_agents(settings: InitSettings) -> ExitStatus:
    """Add the hook to the settings of each agent."""
    if not settings.agent:
        raise UsageError("--user is for --agent")
    if settings.ci is not None or settings.repo is not None or settings.rev is not None or settings.from_index:
        raise UsageError("--agent is without --ci and its options", hint="Run init twice.")
    for agent in dict.fromkeys(settings.agent):
        place = Place.of_user(agent) if settings.user else Place.of_project(agent, _work_tree().top)
        if settings.user:
            print_lines([f"In {printable(str(place.tree.top))}:\n"])
        _carry_out(place.tree, plan_agent(agent, place), settings)
    if not settings.dry_run:
        print_lines(["To see whether it works: binance-leaks doctor\n"])
    return ExitStatus.CLEAN


def _carry_out(tree: WorkTree, plans: Sequence[Plan], settings: InitSettings) -> None:
    """Show the changes and write them: all, or none where one file is refused."""
    print_lines(chain.from_iterable(_describe(plan) for plan in plans))
    if refused := [plan.path for plan in plans if isinstance(plan, Refuse)]:
        hint = "Change it by hand as shown above, then run this again."
        raise UsageError(f"{' and '.join(refused)} left alone; nothing was written", hint=hint)
    writes = [plan for plan in plans if isinstance(plan, Write)]
    if not writes:
        print_lines(["Nothing to do.\n"])
    elif settings.dry_run:
        print_lines(["Nothing was written, because of --dry-run.\n"])
    elif not settings.yes and not _confirm(len(writes)):
        print_lines(["Nothing was written.\n"])
    else:
        _write(tree, writes)


def _work_tree() -> WorkTree:
    git = Git.open(".")
    if git is None:
        hint = "Change to one, or make one with `git init`; --user sets an agent up for every project."
        raise UsageError("not in the work tree of a git repository", hint=hint)
    return WorkTree(Path(git.root()))


def _plans(tree: WorkTree, settings: InitSettings, given: PackageSource | None) -> list[Plan]:
    old = tree.read(PATH)
    plans = [plan_pre_commit(old, given)]
    if settings.ci is None:
        return plans
    source = None if settings.from_index else given or configured_source(old)
    if source is None and not settings.from_index:
        raise UsageError("CI needs a place to install this program from", hint=_hint_of_source())
    if settings.ci == "github":
        plans.append(plan_github(tree.read(WORKFLOW), source, upload_sarif=settings.upload_sarif))
    elif settings.ci == "gitlab":
        plans += plan_gitlab(tree.read(PIPELINE), tree.read(JOB), source)
    else:
        pipeline = PIPELINES[settings.ci]
        plans.append(plan_pipeline(pipeline, tree.read(pipeline.path), source))
    return plans


def _hint_of_source() -> str:
    installed = installed_source()
    options = f"--repo {installed.url} --rev {installed.rev}" if installed else "--repo URL --rev COMMIT"
    return f"Give {options}, or --from-index if the package {PACKAGE} of your index is this program."


def _describe(plan: Plan) -> Iterator[str]:
    """The lines that show the change of a file."""
    if isinstance(plan, Refuse):
        yield f"{plan.path}: left alone, because {plan.why}.\n"
        if plan.wanted is not None:
            yield "The change that would be made:\n"
            yield from diff(plan.path, plan.old, plan.wanted)
        if plan.by_hand:
            yield "Add this by hand, each part in its place:\n"
            yield from (f"  {line}\n" for line in plan.by_hand.splitlines())
        return
    if isinstance(plan, Keep):
        yield f"{plan.path}: nothing to add.\n"
    else:
        yield from diff(plan.path, plan.old, plan.new)
    yield from (f"{plan.path}: {note}\n" for note in plan.notes)


def _confirm(count: int) -> bool:
    """Whether the user agrees; without a terminal, starting the command is consent."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    print_lines([f"Write {'this file' if count == 1 else f'these {count} files'}? [y/N] "])
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _write(tree: WorkTree, writes: Sequence[Write]) -> None:
    for plan in writes:
        if tree.read(plan.path) != plan.old:
            raise UsageError(f"{plan.path} was changed meanwhile", hint="Run this again.")
        tree.write(plan.path, plan.new)
        print_lines([f"Wrote {plan.path}.\n"])
    if any(plan.path == PATH for plan in writes):
        print_lines(["Now run: pre-commit install\n"])
