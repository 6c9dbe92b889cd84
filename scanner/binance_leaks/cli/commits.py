"""`binance-leaks range`, `ci` and `push`: what commits introduce."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import policy_settings
from binance_leaks.cli.run import is_watched, print_notes, runner
from binance_leaks.cli.settings import CommandSettings
from binance_leaks.errors import ScanError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Result
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.pipeline.commit_range import RangeSource
from binance_leaks.reading import LARGEST_LIST, read_standard_input
from binance_leaks.sources.commit_selection import CommitSelection, select_change, select_range, selection_of
from binance_leaks.sources.fetching import Fetcher
from binance_leaks.sources.git import Git
from binance_leaks.sources.push_selection import (
    RefUpdate,
    parse_pre_commit_update,
    parse_push_updates,
    select_between,
    select_push,
)
from binance_leaks.sources.range_fast_path import RangeContents, read_range

if TYPE_CHECKING:
    from binance_leaks.sources.ci.environment_variables import CiChange


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeSettings(CommandSettings):
    """`range`."""

    range: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CiSettings(CommandSettings):
    """`ci`."""

    fetch: bool
    base: str | None
    head: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PushSettings(CommandSettings):
    """`push`."""

    remote: str | None
    url: str | None


def run_range(options: Options) -> ExitStatus:
    """Scan the commits between two revisions and report."""
    settings = RangeSettings.of(options)
    git = Git(os.getcwd())  # noqa: PTH109 - as git sees it
    contents = options.contents
    if contents is None and not is_watched(settings.output):
        contents = read_range(settings.range)
    if contents is None:
        return _report_commits(settings, git, lambda: select_range(git, settings.range))
    selection = selection_of(settings.range, contents)
    return _report_commits(settings, git, lambda: selection, contents=contents)


def run_ci(options: Options) -> ExitStatus:
    """Scan what the run of a CI system is about and report.

    Never passes where it cannot find out what that is.
    """
    settings = CiSettings.of(options)
    git = Git(os.getcwd())  # noqa: PTH109 - as git sees it
    git.top()  # raises a clear error where there is no repository
    change = _announced(settings)
    if change.deletes:
        print_notes(settings.output, f"{change.system}, {change.what}: it only deletes, so there is nothing to scan")
        return ExitStatus.CLEAN
    fetcher = Fetcher(git.folder) if settings.fetch else None
    return _report_commits(
        settings,
        git,
        lambda: select_change(git, change, fetcher.more if fetcher else None),
        fetch=fetcher.blobs if fetcher else None,
    )


def run_push(options: Options) -> ExitStatus:
    """Scan what is pushed and report. A push that adds nothing passes with a note."""
    settings = PushSettings.of(options)
    git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - as git sees it
    git.top()  # raises a clear error where there is no repository
    remote = settings.remote or os.environ.get("PRE_COMMIT_REMOTE_NAME")
    url = settings.url or os.environ.get("PRE_COMMIT_REMOTE_URL")
    selection = select_push(git, _updates(settings), remote=remote, url=url)
    return report_if_any(settings, git, selection, local=True)


def run_between(options: Options, base: str, head: str) -> ExitStatus:
    """Scan what the commits between two revisions introduce, as pre-commit wants it.

    There may be none.
    """
    git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - as git sees it
    git.top()
    return report_if_any(CommandSettings.of(options), git, select_between(git, base, head))


def report_if_any(
    settings: CommandSettings, git: Git, selection: CommitSelection, *, local: bool = False, remember: bool = True
) -> ExitStatus:
    """Scan what is selected, which may be nothing, and report."""
    if not (selection.commits or selection.tags or selection.files):
        print_notes(settings.output, f"{selection.target}: nothing to scan")
        return ExitStatus.CLEAN
    return _report_commits(settings, git, lambda: selection, local=local, remember=remember)


def _report_commits(
    settings: CommandSettings,
    git: Git,
    select: Callable[[], CommitSelection],
    *,
    fetch: Callable[[Sequence[str]], None] | None = None,
    contents: RangeContents | None = None,
    local: bool = False,
    remember: bool = True,
) -> ExitStatus:
    """Scan the selected commits, print which they are, and report what they introduce.

    `local` says that they have not left this machine, `remember` that who reads the report is at this machine.
    """
    with runner(settings) as this:
        top = git.top()
        selection = select()
        count = len(selection.commits)
        named = f"{selection.target} ({count:,} {'commit' if count == 1 else 'commits'})"
        print_notes(settings.output, named, *selection.notes)
        triage = policy_settings(settings.gate, git, top, selection.policy_base)
        if not triage.comments:
            print_notes(
                settings.output,
                "--policy base: what these commits themselves allow, exclude or put into a baseline does not count",
            )
        excluded = triage.config.exclusion(settings.gate.exclude, anchor=top)
        source = RangeSource(
            git=git, anchor=top, selection=selection, excluded=excluded, fetch=fetch, contents=contents
        )
        result = replace(this.scan(source, triage).result, base_policy=not triage.comments)
        if local:
            result = replace(result, rebase=_rebase_start(result, selection))
        return this.report(result, folder=top, repository=top, config=triage.config.file, remember=remember)


def _rebase_start(result: Result, selection: CommitSelection) -> str:
    """What git rebase needs to reach the first commit with a finding: its parent, or that it has none."""
    concerned = {place.commit.id for finding in result.findings for place in finding.locations if place.commit}
    first = next((commit for commit in selection.commits if commit.id in concerned), None)
    return f"{first.id[:12]}~1" if first is not None and first.parents else "--root"


def _announced(settings: CiSettings) -> CiChange:
    """Return the change that the environment names, with the command line applied to it."""
    from binance_leaks.sources.ci import announced_change  # start-up: only `ci` needs what knows the CI systems

    try:
        change = announced_change(os.environ)
    except ScanError:
        if settings.base is None:
            raise
        change = announced_change({})
    if settings.head is not None:
        change = replace(change, head=settings.head, what=settings.head, head_ref=None, also=(), by_hand=True)
    if settings.base is not None:
        change = replace(change, base=settings.base, forced=False, whole=False, deletes=False, also=(), by_hand=True)
    return change


def _updates(settings: PushSettings) -> list[RefUpdate]:
    """Return what is pushed: by pre-commit, else by what git passes to a hook with an address, else HEAD."""
    update = parse_pre_commit_update(os.environ)
    if update is not None:
        return [update]
    if settings.url is None or sys.stdin is None:
        return [RefUpdate(local="HEAD", name="HEAD")]
    return parse_push_updates(read_standard_input(LARGEST_LIST, "the list of refs"))
