"""The plan of a search: every file and repository that it reads, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.machine.known_locations import KnownLocation
from binance_leaks.sources.files import FileEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedFile:
    """A file that is read, and the location that it is at. `size` in bytes when the plan was made."""

    entry: FileEntry
    location: KnownLocation
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRepository:
    """A git repository whose stashes and unreachable objects are read. `size` in bytes of its packs.

    `git_folder` has the objects; of a bare repository it is the folder itself.
    """

    folder: str
    git_folder: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a search reads: nothing else is opened.

    Folders are listed to make it, and no file is opened.
    """

    files: Sequence[PlannedFile] = ()
    repositories: Sequence[PlannedRepository] = ()
    skipped: Sequence[Skipped] = ()
    """What is not looked at, and why."""
    folders: int = 0
    """Folders that were listed."""

    def by_program(self) -> Iterator[tuple[KnownLocation, list[PlannedFile]]]:
        """Yield the files of each program with one of its locations, programs in the order of the table."""
        for _, group in groupby(self.files, key=lambda file: file.location.program):
            files = list(group)
            yield files[0].location, files
