"""`binance-leaks scan`: files, folders, standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import triage_settings
from binance_leaks.cli.run import runner
from binance_leaks.cli.settings import CommandSettings
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.pipeline.files import FileSource
from binance_leaks.pipeline.workers import usable_cores
from binance_leaks.sources.path_roots import PathRoots
from binance_leaks.sources.read_content import Chunk


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanSettings(CommandSettings):
    """`scan`."""

    paths: Sequence[str]
    all_files: bool
    jobs: int
    """0 is one for each core."""
    image: Sequence[str] = ()
    """Names of images of containers."""

    @property
    def roots(self) -> Sequence[str]:
        """The paths to scan: the current folder where nothing is named."""
        return self.paths or ([] if self.image else ["."])


def run(options: Options) -> ExitStatus:
    """Scan the named paths and report."""
    settings = ScanSettings.of(options)
    with runner(settings) as this:
        folder = configuration_folder(settings.roots)
        triage = triage_settings(settings.gate, folder, root=PathRoots().top(str(folder)))
        excluded = triage.config.exclusion(settings.gate.exclude)
        repository = str(folder) if len(settings.roots) == 1 and "-" not in settings.roots else None
        return this.run(_source(settings, excluded), triage, folder=os.curdir, repository=repository)


def _source(settings: ScanSettings, excluded: Callable[[str], bool]) -> FileSource:
    """Return the source for the named paths; `-` is standard input. Raises UsageError for an empty name."""
    refuse_empty_path(settings.roots)
    if "-" in settings.roots and sys.stdin is None:
        raise UsageError("standard input is closed")
    return FileSource(
        paths=[Path(path) for path in settings.roots if path != "-"],
        target=" ".join((*settings.roots, *settings.image)),
        images=_images(settings.image),
        jobs=settings.jobs or usable_cores(),
        all_files=settings.all_files,
        excluded=excluded,
        stdin=sys.stdin.buffer if "-" in settings.roots else None,
    )


def _images(names: Sequence[str]) -> Sequence[Callable[[], Iterator[Chunk | Skipped]]]:
    """Return what reads each image. Raises UsageError for a name that cannot be one, or without a program."""
    if not names:
        return ()
    from binance_leaks.sources import saved_images  # start-up: it starts processes, and hardly any scan needs it

    for name in names:
        saved_images.check_image_name(name)
    program = saved_images.find_program()
    return [partial(saved_images.read_image, program, name) for name in names]


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
