"""`binance-leaks push`: the pre-push hook. Everything that the push would bring to the remote."""

from __future__ import annotations

import os
import sys

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.commits import report_commits, tell
from binance_leaks.exit_status import ExitStatus
from binance_leaks.sources.commit_selection import CommitSelection
from binance_leaks.sources.git import Git
from binance_leaks.sources.pushed_commits import (
    RefUpdate,
    parse_pre_commit_update,
    parse_push_updates,
    select_between,
    select_push,
)


def run(options: Options) -> ExitStatus:
    """Scans what is pushed and reports. A push that brings nothing new passes, and says so."""
    git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - as git sees it
    git.top()  # says clearly where there is no repository
    remote = options.remote or os.environ.get("PRE_COMMIT_REMOTE_NAME")
    url = options.url or os.environ.get("PRE_COMMIT_REMOTE_URL")
    return _report(options, git, select_push(git, _updates(options), remote=remote, url=url))


def run_between(options: Options, base: str, head: str) -> ExitStatus:
    """Scans what the commits between two revisions bring in, as pre-commit asks for it. None is nothing to scan."""
    git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - as git sees it
    git.top()
    return _report(options, git, select_between(git, base, head))


def _report(options: Options, git: Git, selection: CommitSelection) -> ExitStatus:
    if not selection.commits and not selection.tags:
        tell(options, f"{selection.target}: nothing to scan")
        return ExitStatus.CLEAN
    return report_commits(options, git, lambda: selection)


def _updates(options: Options) -> list[RefUpdate]:
    """What is pushed: what pre-commit passes on, else what git tells a hook that it gave an address, else HEAD."""
    update = parse_pre_commit_update(os.environ)
    if update is not None:
        return [update]
    if options.url is None or sys.stdin is None:
        return [RefUpdate(local="HEAD", name="HEAD")]
    return parse_push_updates(sys.stdin.buffer.read())
