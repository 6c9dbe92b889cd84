"""Scan what is about to be committed: suspicious index entries, and the message."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from binance_leaks.baseline.known import path_from
from binance_leaks.detect import prefilter
from binance_leaks.detect.engine import detect
from binance_leaks.detect.signatures import without_signatures
from binance_leaks.detect.work import EXHAUSTED, Work
from binance_leaks.errors import UsageError
from binance_leaks.findings import ScanStats, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import COMMIT_MESSAGE, Credential, Exposure, Location, Occurrence
from binance_leaks.pipeline.files import detected_in, scan_entries
from binance_leaks.pipeline.introduced import LFS_NOT_ON_DISK, FileVersions, introduced
from binance_leaks.pipeline.source import Detected, ShowProgress
from binance_leaks.pipeline.tally import Tally
from binance_leaks.reading import LARGEST_LIST, read_file
from binance_leaks.sources.files import FileEntry, list_files
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import StagedChange, StagedChanges, former_blobs
from binance_leaks.sources.nearby_evidence import EvidenceNearStaged

_SCISSORS = lazy_pattern(rb"^[^\n]{1,32} -{24} >8 -{24}\r?$", re.MULTILINE)
_NO_EDITOR = ":"
"""What git sets `GIT_EDITOR` to for hooks of a commit whose message is not edited."""
_DIFF = lazy_pattern(rb"^diff --", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedSource:
    """The index, and whole those named files that are not in it."""

    git: Git
    anchor: str
    """The top of the work tree."""
    staged: StagedChanges
    suspects: Sequence[StagedChange]
    """The changes that the prefilter let through."""
    missing: Sequence[StagedChange]
    """The changes whose content is not in the repository."""
    size: int
    """Bytes of all changes."""
    unstaged: Sequence[str] = ()
    """Named files that are not in the index, from the current folder."""
    excluded: Callable[[str], bool] = lambda _: False
    """Whether a path from the top of the work tree is left out."""
    target: str = "."
    kind: SourceKind = SourceKind.STAGED

    def read(self, show: ShowProgress | None = None) -> Detected:  # noqa: ARG002 - commits are small
        """Scan the changes and the named files."""
        credentials, skipped = credentials_in_changes(self.git, self.suspects, self.excluded)
        submodules = [name for name in self.unstaged if os.path.isdir(name) and not os.path.islink(name)]  # noqa: PTH112, PTH114
        found = detected_in(self._read_whole([name for name in self.unstaged if name not in submodules]))
        moved = partial(_from_top, self.anchor, self.git.folder)
        skipped += found.skipped
        scanned = [each for each in self.staged.changes if not self.excluded(each.shown)]
        missing = [each.shown for each in self.missing if not self.excluded(each.shown)]
        skipped += [Skipped(what=path, why="its content is not in the repository") for path in missing]
        skipped += [
            Skipped(what=path, why="a submodule; scan it by itself", lost=False)
            for path in (*self.staged.submodules, *submodules)
        ]
        excluded = len(self.staged.changes) - len(scanned)
        stats = ScanStats(files=len(scanned), bytes=self.size, excluded=excluded or None)
        return replace(
            found,
            credentials=(*credentials, *(credential.moved(moved) for credential in found.credentials)),
            skipped=tuple(skipped),
            stats=found.stats.plus(stats),
            nearby=EvidenceNearStaged(self.git),
        )

    def _read_whole(self, names: Sequence[str]) -> Tally:
        links = [name for name in names if os.path.islink(name)]  # noqa: PTH114
        texts = [FileEntry(path=name, shown=name, evidence_path=name, link=True) for name in links]
        files = [Path(name) for name in names if name not in links]
        root, folder = self.anchor, self.git.folder
        entries = (
            list_files(files, exclude=lambda path: self.excluded(path_from(root, path, folder)), all_files=True)
            if files
            else ()
        )
        return scan_entries(chain(texts, entries))


def _from_top(root: str, folder: str, place: Location) -> Location:
    """A location in a file that was named from `folder`, from the top of the work tree."""
    return replace(place, path=path_from(root, place.path, folder))


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageSource:
    """The message of a commit that is about to be made, in a file."""

    file: Path
    target: str = COMMIT_MESSAGE
    anchor: str = os.curdir
    kind: SourceKind = SourceKind.STAGED

    def read(self, show: ShowProgress | None = None) -> Detected:  # noqa: ARG002 - messages are small
        """Scan the message. Raises UsageError for a file that cannot be read."""
        try:
            data = read_file(self.file, LARGEST_LIST)
        except OSError as error:
            raise UsageError(f"message {self.file} cannot be read: {error.strerror}") from None
        work = Work()
        credentials = credentials_in_message(data, work, edited=os.environ.get("GIT_EDITOR") != _NO_EDITOR)
        skipped = (Skipped(what=COMMIT_MESSAGE, why=EXHAUSTED),) if work.is_exhausted() else ()
        return Detected(credentials=credentials, skipped=skipped, stats=ScanStats(messages=1, bytes=len(data)))


def credentials_in_message(data: bytes, work: Work, *, edited: bool) -> tuple[Credential, ...]:
    """Return the credentials of a message as its editor left it, if it was `edited`.

    Git does not keep the diff that `commit --verbose` shows in the editor below its scissors line. Everything else is
    scanned, also below such a line and in comments: whether git strips them depends on the clean-up mode, and which
    character begins one on the configuration. Without an editor git adds no diff, and keeps what looks like one.
    """
    scissors = _SCISSORS.search(data) if edited else None
    diff = _DIFF.search(data, scissors.end()) if scissors else None
    kept = without_signatures(data[: diff.start()] if diff else data)
    if not prefilter.may_hold(kept):
        return ()
    return tuple(
        credential.moved(lambda place: replace(place, exposure=Exposure.MESSAGE))
        for credential in detect(kept, path=COMMIT_MESSAGE, evidence_path="", work=work)
    )


def credentials_in_changes(
    git: Git, changes: Sequence[StagedChange], excluded: Callable[[str], bool]
) -> tuple[list[Credential], list[Skipped]]:
    """Return the credentials of staged files, and what could not be read of these.

    The exposure of a value that this commit introduces is `staged`; any other was there before, and is `preexisting`.
    """
    changes = [change for change in changes if not excluded(change.shown)]
    if not changes:
        return [], []
    versions = FileVersions(git)
    versions.add_suspicious(change.blob for change in changes)
    versions.detect([(change.blob, change.path) for change in changes])
    skipped = list(versions.skipped)
    skipped += [
        Skipped(what=change.shown, why=LFS_NOT_ON_DISK) for change in changes if change.blob in versions.lfs_missing
    ]
    holding = [change for change in changes if versions.at(change.blob, change.path).digests]
    former = former_blobs(git, holding, excluded) if holding else {}
    versions.detect([(blob, path) for path, blobs in former.items() for blob in blobs])
    found: list[Credential] = []
    for change in holding:
        version = versions.at(change.blob, change.path)
        parents = [versions.at(blob, change.path) for blob in former[change.path]]
        new = introduced(git, version, parents, new_path=not change.old)
        found += [_with_exposure(credential, change.blob, new) for credential in version.credentials]
    return found, skipped


def _with_exposure(credential: Credential, blob: str, new: Container[str]) -> Credential:
    """The credential of a staged blob, with `new` as the digests of the values that the commit introduces."""

    def place(occurrence: Occurrence) -> Occurrence:
        is_new = occurrence.value.sha256 in new
        exposure = Exposure.STAGED if is_new else Exposure.PRESENT
        return replace(
            occurrence, location=replace(occurrence.location, exposure=exposure, preexisting=not is_new, blob=blob)
        )

    return replace(credential, occurrences=tuple(place(occurrence) for occurrence in credential.occurrences))
