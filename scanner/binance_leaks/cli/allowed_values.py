"""Find every value in the files, the index and the history of a project, allowed or not."""

from __future__ import annotations

import os
from pathlib import Path

from binance_leaks.errors import ScanError
from binance_leaks.pipeline.files import FileSource
from binance_leaks.pipeline.history import HistorySource
from binance_leaks.pipeline.source import Detected, Source
from binance_leaks.pipeline.workers import usable_cores
from binance_leaks.quantities import plural
from binance_leaks.sources.git import Git
from binance_leaks.sources.path_roots import PathRoots, relative_path


def find_values(project: str) -> set[tuple[str, str]] | None:
    """Return the digest and path, from the top of the project, of each value; None if the user interrupted this.

    Raises ScanError if not everything could be read: then a value that is not found may still be there.
    """
    found: set[tuple[str, str]] = set()
    sources: list[Source[Detected]] = [
        FileSource(paths=[Path(project)], target=project, jobs=usable_cores(), all_files=True)
    ]
    if PathRoots().top(project) is not None:
        top = Git(project).top()
        sources.append(HistorySource(folder=top, target=top, anchor=project, jobs=usable_cores()))
    for source in sources:
        detected = source.read()
        if detected.interrupted:
            return None
        lost = [skipped for skipped in detected.skipped if skipped.lost]
        if lost:
            raise ScanError(
                f"{plural(len(lost), 'item')} could not be read, so no entry is sure to match nothing: {lost[0].what}",
                hint=f"{lost[0].why}. `binance-leaks history` lists what is missing.",
            )
        for credential in detected.credentials:
            for occurrence in credential.occurrences:
                path = occurrence.location.path
                if os.path.isabs(path):  # noqa: PTH117 - paths of findings are text
                    path = relative_path(path, project)
                found.add((occurrence.value.sha256, path.replace(os.sep, "/")))
    return found
