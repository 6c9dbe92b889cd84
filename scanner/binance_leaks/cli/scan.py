"""`binance-leaks scan`: files, folders, standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import triage_settings
from binance_leaks.cli.run import runner
from binance_leaks.cli.settings import CommandSettings
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.pipeline.files import FileSource
from binance_leaks.pipeline.workers import usable_cores
from binance_leaks.sources.path_roots import PathRoots


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanSettings(CommandSettings):
    """`scan`."""

    paths: Sequence[str]
    all_files: bool
    jobs: int
    """0 is one for each core."""


def run(options: Options) -> ExitStatus:
    """Scan the named paths and report."""
    settings = ScanSettings.of(options)
    with runner(settings) as this:
        folder = configuration_folder(settings.paths)
        triage = triage_settings(settings.gate, folder, root=PathRoots().top(str(folder)))
        excluded = triage.config.exclusion(settings.gate.exclude)
        repository = str(folder) if len(settings.paths) == 1 and "-" not in settings.paths else None
        return this.run(_source(settings, excluded), triage, folder=os.curdir, repository=repository)


def _source(settings: ScanSettings, excluded: Callable[[str], bool]) -> FileSource:
    """Return the source for the named paths; `-` is standard input. Raises UsageError for an empty name."""
    refuse_empty_path(settings.paths)
    if "-" in settings.paths and sys.stdin is None:
        raise UsageError("standard input is closed")
    return FileSource(
        paths=[Path(path) for path in settings.paths if path != "-"],
        target=" ".join(settings.paths),
        jobs=settings.jobs or usable_cores(),
        all_files=settings.all_files,
        excluded=excluded,
        stdin=sys.stdin.buffer if "-" in settings.paths else None,
    )


def refuse_empty_path(paths: Sequence[str]) -> None:
    """Raise UsageError for an empty path."""
    if "" in paths:
        raise UsageError("no such file or folder: the path is empty", hint="Is a variable unset?")


def configuration_folder(paths: Sequence[str]) -> Path:
    """The folder to find the configuration for: that of the first path, else the current one."""
    for path in paths:
        if path != "-":
            place = Path(path)
            return place if place.is_dir() else place.parent
    return Path()
