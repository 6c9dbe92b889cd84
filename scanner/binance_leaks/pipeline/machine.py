"""Scan what the plan of a machine names: its files, and what no branch of its repositories reaches."""
# ruff: noqa: PTH116, PTH120 - paths of findings are text

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from binance_leaks.detect.vocabulary import name_mentions_binance
from binance_leaks.errors import GitError
from binance_leaks.findings import ScanStats, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.machine.plan import Plan, PlannedRepository
from binance_leaks.model import Credential, Evidence, Exposure, Grade, Location, Readers, container_of
from binance_leaks.pipeline.files import detected_in, scan_entries
from binance_leaks.pipeline.history import HistoryDetected, HistorySource
from binance_leaks.pipeline.source import Detected, NearbyEvidence, Progress, ShowProgress
from binance_leaks.pipeline.tally import Tally
from binance_leaks.sources.files import FileEntry, read_plain
from binance_leaks.sources.nearby_evidence import mentions_binance

LARGEST = 2 << 30
_MOST_SIBLINGS = 200
_LARGEST_SIBLING = 1 << 20
_RATE = 25 << 20
"""Bytes of packs a second that git walks: a repository with more than fits into the time left is not begun."""
_TIME = "it may take longer than the time that was left; a longer --time-limit allows it"
_LARGE = f"larger than {LARGEST >> 30} GiB; `binance-leaks scan` reads it"


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineSource:
    """The files and repositories of a plan, and nothing else."""

    plan: Plan
    anchor: str
    """The home folder."""
    target: str
    ends: float
    """When the time limit ends the scan, by `time.monotonic`: no repository that takes longer is begun."""
    jobs: int = 1
    excluded: Callable[[str], bool] = lambda _: False
    kind: SourceKind = SourceKind.MACHINE

    def read(self, show: ShowProgress | None = None) -> Detected:
        """Scan the files, then the repositories, smallest first; an interrupt keeps what was found until then."""
        total = len(self.plan.files)

        def progress(tally: Tally) -> None:
            if show is not None:
                show(Progress(done=tally.files, total=total, bytes=tally.bytes, found=len(tally.credentials)))

        tally = scan_entries(self._entries(), jobs=self.jobs, progress=progress)
        tally.skipped += self.plan.skipped
        tally.note_unread_pictures()
        files = detected_in(tally)
        found = _Found(credentials=list(files.credentials), skipped=list(files.skipped), stats=files.stats)
        found.interrupted = files.interrupted
        try:
            for repository in self.plan.repositories:
                if found.interrupted:
                    break
                self._scan_repository(repository, found, show)
        except KeyboardInterrupt:
            found.interrupted = True
        if sys.platform == "win32":
            found.skipped.append(Skipped(what="file permissions", why="not checked on Windows", lost=False))
        return replace(
            files,
            credentials=tuple(credential.moved(self._with_readers) for credential in found.credentials),
            skipped=tuple(found.skipped),
            stats=found.stats,
            interrupted=found.interrupted,
            nearby=_EvidenceInPlan(self.plan, found.nearby, self.anchor),
        )

    def _entries(self) -> Iterator[FileEntry | Skipped]:
        for file in self.plan.files:
            yield Skipped(what=file.entry.shown, why=_LARGE) if file.size > LARGEST else file.entry

    def _with_readers(self, place: Location) -> Location:
        if place.exposure is not Exposure.PRESENT or place.blob is not None:
            return place
        return replace(place, readers=readers_of(container_of(place.path), self.anchor))

    def _scan_repository(self, repository: PlannedRepository, found: _Found, show: ShowProgress | None) -> None:
        folder = repository.folder
        if self.ends - time.monotonic() < repository.size / _RATE:
            found.skipped.append(Skipped(what=f"the repository {folder}", why=_TIME))
            return
        source = HistorySource(
            folder=repository.git_folder,
            target=folder,
            anchor=folder,
            jobs=self.jobs,
            leftovers=True,
            submodules=True,
            excluded=lambda path: self.excluded(f"{folder}/{path}"),
        )
        try:
            detected = source.read(show)
        except GitError as error:
            found.skipped.append(Skipped(what=f"the repository {folder}", why=str(error)))
            return
        found.add(folder, detected)


@dataclass(kw_only=True, slots=True)
class _Found:
    """What was found so far."""

    credentials: list[Credential]
    skipped: list[Skipped]
    stats: ScanStats
    nearby: dict[str, NearbyEvidence] = field(default_factory=dict)
    interrupted: bool = False

    def add(self, folder: str, detected: HistoryDetected) -> None:
        """Add what a repository holds, its paths below its folder."""

        def move(place: Location) -> Location:
            return replace(place, path=f"{folder}/{place.path}")

        self.credentials += [credential.moved(move) for credential in detected.credentials]
        self.skipped += [replace(each, what=f"{folder}: {each.what}") for each in detected.skipped]
        self.stats = self.stats.plus(replace(detected.stats, blobs=None))
        if detected.nearby is not None:
            self.nearby[folder] = detected.nearby
        self.interrupted = detected.interrupted


def readers_of(path: str, top: str) -> Readers | None:
    """Return who can read a file by the permission bits of it and of the folders above, up to `top` if it is below.

    None where they say nothing, as on Windows.
    """
    if sys.platform == "win32":
        return None
    try:
        mode = os.lstat(path).st_mode
        above = [os.stat(folder).st_mode for folder in _folders_above(path, top)]
    except (OSError, ValueError):
        return None
    if mode & stat.S_IROTH and all(each & stat.S_IXOTH for each in above):
        return Readers.EVERYONE
    if mode & (stat.S_IRGRP | stat.S_IROTH) and all(each & (stat.S_IXGRP | stat.S_IXOTH) for each in above):
        return Readers.GROUP
    return Readers.OWNER


def _folders_above(path: str, top: str) -> Iterator[str]:
    folder = os.path.dirname(path)
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if folder == top or parent == folder:
            return
        folder = parent


class _EvidenceInPlan:
    """Evidence beside a file that opens nothing but what the plan names."""

    def __init__(self, plan: Plan, repositories: Mapping[str, NearbyEvidence], home: str) -> None:
        self._repositories = repositories
        self._home = home.rstrip("/") + "/"
        self._siblings: dict[str, list[FileEntry]] = {}
        self._known: dict[str, Evidence | None] = {}
        for file in plan.files:
            siblings = self._siblings.setdefault(file.entry.shown.rpartition("/")[0], [])
            if file.size <= _LARGEST_SIBLING and len(siblings) < _MOST_SIBLINGS:
                siblings.append(file.entry)

    def evidence_near(self, path: str) -> Evidence | None:
        """Return evidence in the other files of the plan in its folder, or in the name of a folder above it."""
        folder = container_of(path).rpartition("/")[0]
        if folder not in self._known:
            self._known[folder] = self._beside(folder)
        return self._known[folder] or self._in_repository(path)

    def _beside(self, folder: str) -> Evidence | None:
        for entry in self._siblings.get(folder, ()):
            if mentions_binance(read_plain(entry) or b""):
                name = entry.shown.rpartition("/")[2]
                return Evidence(grade=Grade.SIBLING, text=f"“{name}” beside it mentions Binance")
        return None

    def _in_repository(self, path: str) -> Evidence | None:
        for folder, nearby in self._repositories.items():
            if path.startswith(f"{folder}/"):
                if name_mentions_binance(folder.removeprefix(self._home)):
                    return Evidence(grade=Grade.REPOSITORY, text="the repository's name mentions Binance")
                return nearby.evidence_near(path.removeprefix(f"{folder}/"))
        return None
