"""`binance-leaks staged` and `message`: the pre-commit and the commit-msg hook.

Nearly every commit is clean and pays for the prefilter alone: this module imports little, and the rest in functions.
"""

from __future__ import annotations

import os
import sys

from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.path_bytes import encode_path
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import NamedPaths, StagedChanges, find_suspects, list_staged, resolve_names
from binance_leaks.sources.staged_fast_path import format_clean_commit

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Options
    from binance_leaks.pipeline.staged import StagedSource


def run(options: Options) -> ExitStatus:
    """Scan the index, and whole those named files that are not in it.

    `pre-commit run --from-ref A --to-ref B` wants what the commits in between introduce; the files that it names are
    only the outcome.
    """
    if "PRE_COMMIT_FROM_REF" in os.environ and "PRE_COMMIT_TO_REF" in os.environ:
        from binance_leaks.cli.commits import run_between  # start-up: nothing that a commit needs

        return run_between(options, os.environ["PRE_COMMIT_FROM_REF"], os.environ["PRE_COMMIT_TO_REF"])
    git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - pathlib costs the hook's start-up
    root = git.root()  # raises a clear error where there is no work tree, or one that git refuses
    named = resolve_names(git, options.files) if options.files else None
    staged = list_staged(git, named)
    suspects, missing, size = find_suspects(git, staged.changes)
    unstaged = _unstaged(staged, named)
    wanted = options.format or options.output is not None or options.config or options.verbose
    if suspects or unstaged or missing or staged.submodules or wanted:
        # What follows costs more than the whole of a clean run.
        from binance_leaks.pipeline.staged import StagedSource  # as above

        source = StagedSource(
            git=git, anchor=root, staged=staged, suspects=suspects, missing=missing, size=size, unstaged=unstaged
        )
        return _report(options, source)
    if not options.quiet:
        sys.stdout.write(format_clean_commit(len(staged.changes)))
    return ExitStatus.CLEAN


def _report(options: Options, source: StagedSource) -> ExitStatus:
    """Scan, judge and report; late imports as most commits are clean."""
    from pathlib import Path

    from binance_leaks.cli.gate_policy import triage_settings
    from binance_leaks.cli.pictures import announce_pictures
    from binance_leaks.cli.run import runner
    from binance_leaks.cli.settings import CommandSettings
    from binance_leaks.lazy_dataclasses import replace

    settings = CommandSettings.of(options)
    with runner(settings) as this:
        triage = triage_settings(settings.gate, Path(source.git.folder), root=source.anchor)
        excluded = triage.config.exclusion(settings.gate.exclude, anchor=source.anchor)
        if not settings.output.quiet:
            announce_pictures(each.shown for each in source.suspects if not excluded(each.shown))
        return this.run(replace(source, excluded=excluded), triage, folder=source.anchor)


def run_message(options: Options) -> ExitStatus:
    """Scan the message in a file.

    Late imports as the hook for commits imports this module.
    """
    from pathlib import Path

    from binance_leaks.cli.gate_policy import triage_settings
    from binance_leaks.cli.run import runner
    from binance_leaks.cli.settings import CommandSettings
    from binance_leaks.pipeline.staged import MessageSource
    from binance_leaks.sources.path_roots import PathRoots

    settings = CommandSettings.of(options)
    with runner(settings) as this:
        triage = triage_settings(settings.gate, Path(), root=PathRoots().top("."))
        return this.run(MessageSource(file=Path(options.file)), triage)


def _unstaged(staged: StagedChanges, named: NamedPaths | None) -> list[str]:
    """Named files that are not among the changes of the index. Raises UsageError for one that does not exist."""
    if named is None:
        return []
    in_index = {change.path for change in staged.changes} | {encode_path(path) for path in staged.submodules}
    unstaged = [name for path, name in named.files.items() if path not in in_index and path not in staged.deleted]
    for name in (*unstaged, *named.outside):
        if not os.path.lexists(name):
            raise UsageError(f"no such file: {name}", hint="It is neither on disk nor staged. Is the name right?")
    return [*unstaged, *named.outside]
