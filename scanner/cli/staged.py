"""`binance-leaks staged`: the pre-commit hook. Nearly every commit is clean and must pay for nothing but the look."""

from __future__ import annotations

import os
import sys

from scanner.cli.parser import Options
from scanner.detect import prefilter
from scanner.sources.git import Git
from scanner.sources.index import Staged, paths_from_root, staged_changes, suspects
from scanner.sources.magic import HEAD_SIZE, archive_kind

_WHOLE_LIMIT = 8 << 20


def run(options: Options) -> int:
    """Scans the index, and whole those named files that are not in it."""
    git = Git(os.getcwd(), inherit=True)  # noqa: PTH109 - pathlib costs the hook's start-up
    named = paths_from_root(git, options.files) if options.files else None
    staged = staged_changes(git, named)
    found, missing, size = suspects(git, staged.changes)
    unstaged = _unstaged(git, staged, named)
    suspicious = [file for file in unstaged if _suspect(file)]
    if not (found or suspicious or missing or staged.submodules or options.format or options.config):
        if not options.quiet:
            count = len(staged.changes) + len(unstaged)
            files = "file" if count == 1 else "files"
            sys.stdout.write(f"No Binance credentials in {count} {files} to be committed.\n")
        return 0
    # What follows costs more than the whole of a clean run.
    from scanner.cli.staged_report import report

    return report(options, git, staged, found, missing, suspicious, files=len(staged.changes) + len(unstaged), size=size)


def _unstaged(git: Git, staged: Staged, named: dict[bytes, str] | None) -> list[str]:
    if named is None:
        return []
    in_index = {change.path for change in staged.changes} | {os.fsencode(path) for path in staged.submodules}
    return [file for path, file in named.items() if path not in in_index and os.path.lexists(os.path.join(git.folder, file))]  # noqa: PTH118


def _suspect(file: str) -> bool:
    """Whether a file on disk has to be looked at; what cannot be read here is left for the scan to explain."""
    if os.path.islink(file) or not os.path.isfile(file):  # noqa: PTH113, PTH114
        return True
    try:
        with open(file, "rb") as stream:  # noqa: PTH123
            data = stream.read(_WHOLE_LIMIT + 1)
    except OSError:
        return True
    return len(data) > _WHOLE_LIMIT or archive_kind(data[:HEAD_SIZE]) is not None or prefilter.may_hold(data)
