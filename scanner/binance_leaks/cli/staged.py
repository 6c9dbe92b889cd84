"""`binance-leaks staged`: the pre-commit hook. Nearly every commit is clean and must pay for nothing but the look."""

from __future__ import annotations

import os
import sys

from binance_leaks.cli.arguments.common import Options
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import NamedPaths, StagedChanges, find_suspects, list_staged, resolve_names
from binance_leaks.sources.staged_fast_path import format_clean_commit


def run(options: Options) -> ExitStatus:
    """Scans the index, and whole those named files that are not in it.

    `pre-commit run --from-ref A --to-ref B` asks for what the commits in between bring in, of which the files that it
    names are only the outcome.
    """
    if "PRE_COMMIT_FROM_REF" in os.environ and "PRE_COMMIT_TO_REF" in os.environ:
        from binance_leaks.cli.push import run_between  # start-up: nothing that a commit needs

        return run_between(options, os.environ["PRE_COMMIT_FROM_REF"], os.environ["PRE_COMMIT_TO_REF"])
    git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - pathlib costs the hook's start-up
    git.root()  # says clearly where there is no work tree, or one that git refuses
    named = resolve_names(git, options.files) if options.files else None
    staged = list_staged(git, named)
    found, missing, size = find_suspects(git, staged.changes)
    unstaged = _unstaged(staged, named)
    if found or unstaged or missing or staged.submodules or options.format or options.config or options.verbose:
        # What follows costs more than the whole of a clean run.
        from binance_leaks.cli.staged_report import report  # as above
        from binance_leaks.cli.verify_option import online

        with online(options) as asker:
            return report(options, git, staged, found, missing, unstaged, asker, size=size)
    if not options.quiet:
        sys.stdout.write(format_clean_commit(len(staged.changes)))
    return ExitStatus.CLEAN


def _unstaged(staged: StagedChanges, named: NamedPaths | None) -> list[str]:
    """Named files that are not in the index's changes. Raises UsageError for one that is nowhere."""
    if named is None:
        return []
    in_index = {change.path for change in staged.changes} | {os.fsencode(path) for path in staged.submodules}
    unstaged = [name for path, name in named.files.items() if path not in in_index and path not in staged.deleted]
    for name in (*unstaged, *named.outside):
        if not os.path.lexists(name):
            raise UsageError(f"no such file: {name}", hint="It is neither on disk nor staged. Is the name right?")
    return [*unstaged, *named.outside]
