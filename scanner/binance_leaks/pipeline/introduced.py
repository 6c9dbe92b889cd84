"""Decide what a commit introduces, for the hook and for the gate.

The question is: was this value there before?

A value is introduced at a path where no parent of the commit has that value at that path; a file that git recognises as
renamed is compared under its old name. So moving, re-indenting, re-encoding or renaming introduces nothing, and copying
does. A parent has a value where the detector finds it in the parent's version of the file, whatever the line; and where
the detector did not recognise it there yet, because a name or a mention of Binance came later, if the parent has the
lines of the value unchanged.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from binance_leaks.detect import prefilter
from binance_leaks.errors import GitError
from binance_leaks.findings import NOT_READABLE, Skipped
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Credential, Occurrence
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.git import Git
from binance_leaks.sources.git_objects import BlobStream
from binance_leaks.sources.index import may_hold
from binance_leaks.sources.plumbing import LFS_POINTER_SIZE, may_be_lfs_pointer

if TYPE_CHECKING:
    from binance_leaks.sources.lfs import LfsStore
    from binance_leaks.sources.range_fast_path import RangeContents
    from binance_leaks.sources.read_content import Chunk

_BLOBS_PER_REPORT = 64
LFS_NOT_ON_DISK = "its content is in Git LFS and not on disk; `git lfs fetch --all` downloads it"


def introduced(
    git: Git, version: FileVersion, parents: Sequence[FileVersion], *, new_path: bool = False
) -> frozenset[str]:
    """Return the digests of the values of a file that no parent's version has.

    `parents` are the versions in those parents that have the file, under any name; without any, every value is
    introduced. A version that could not be read has no values. A value in the path is introduced where no parent has
    that path, which `new_path` says.
    """
    names = version.in_path if new_path or not parents else frozenset()
    unknown = (version.digests - version.in_path).difference(*(parent.digests for parent in parents)) | names
    in_text = unknown - version.binary - version.in_path
    if not in_text or not parents:
        return unknown
    added = [_added_lines(git, parent.blob, version.blob) for parent in parents]
    return unknown.difference(
        digest for digest in in_text if not all(_touches(runs, version.occurrences[digest]) for runs in added)
    )


def _touches(runs: Sequence[tuple[int, int]], occurrence: Occurrence) -> bool:
    """Whether any line of a value was added, or what was between two of its lines removed."""
    first, last = occurrence.location.line, occurrence.last_line
    return any(start <= last and first <= end for start, end in runs)


def _added_lines(git: Git, old: str, new: str) -> list[tuple[int, int]]:
    """The runs of lines that a blob adds to an older one; all lines where the older one cannot be read."""
    try:
        return git.added_lines(old, new) if old != new else []
    except GitError:
        return [(1, sys.maxsize)]


@dataclass(frozen=True, kw_only=True)
class FileVersion:
    """A blob at a path, with the credentials in it."""

    blob: str
    credentials: tuple[Credential, ...] = ()
    binary: frozenset[str] = frozenset()
    """Digests of values in archives and binaries, where line numbers mean nothing about age."""

    @cached_property
    def occurrences(self) -> Mapping[str, Occurrence]:
        """The first occurrence of each value, by digest."""
        found: dict[str, Occurrence] = {}
        for credential in self.credentials:
            for occurrence in credential.occurrences:
                found.setdefault(occurrence.value.sha256, occurrence)
        return found

    @cached_property
    def in_path(self) -> frozenset[str]:
        """The digests of the values that are in its path only."""
        found = [each for credential in self.credentials for each in credential.occurrences]
        in_content = {occurrence.value.sha256 for occurrence in found if not occurrence.in_path}
        return frozenset(occurrence.value.sha256 for occurrence in found) - in_content

    @property
    def digests(self) -> frozenset[str]:
        """The digests of all values."""
        return frozenset(self.occurrences)


class FileVersions:
    """Versions of files: blobs prefiltered once, suspicious ones scanned once per path.

    `fetch` gets blobs that a partial clone does not have. `contents` are those of a range that were prefiltered before.
    """

    def __init__(
        self,
        git: Git,
        fetch: Callable[[Sequence[str]], None] | None = None,
        contents: RangeContents | None = None,
    ) -> None:
        self._git = git
        self._fetch = fetch
        self._contents = contents
        self._lfs: LfsStore | None = None
        self._versions: dict[tuple[str, bytes], FileVersion] = {}
        self._prefiltered: set[str] = set()
        self.suspicious: set[str] = set()
        self.missing: set[str] = set()
        self.lfs_missing: set[str] = set()
        """Pointers of Git LFS whose files are not on disk."""
        self.skipped: list[Skipped] = []
        self.bytes = 0

    @property
    def commit_texts(self) -> Mapping[str, bytes]:
        """The contents of commits that were read before."""
        return self._contents.texts if self._contents is not None else {}

    def add_suspicious(self, blobs: Iterable[str]) -> None:
        """Take over blobs that passed the prefilter elsewhere."""
        self.suspicious.update(blobs)
        self._prefiltered.update(self.suspicious)

    def prefilter(self, blobs: Iterable[str], progress: Callable[[int, int, int], None] = lambda *_: None) -> None:
        """Find out which of some blobs may hold a credential, and which are missing."""
        wanted = [blob for blob in dict.fromkeys(blobs) if blob not in self._prefiltered]
        self._prefiltered.update(wanted)
        lacking = self._prefilter(self._without_known(wanted), progress)
        if lacking and self._fetch is not None:
            self._fetch(lacking)
            lacking = self._prefilter(lacking, progress)
        self.missing.update(lacking)

    def _without_known(self, wanted: Sequence[str]) -> Sequence[str]:
        """Take over what is known of some blobs; return the others."""
        if self._contents is None:
            return wanted
        sizes = self._contents.sizes
        self.bytes += sum(sizes.get(blob, 0) for blob in wanted)
        self.suspicious.update(self._contents.suspects.keys() & set(wanted))
        return [blob for blob in wanted if blob not in sizes]

    @cached_property
    def _is_partial(self) -> bool:
        from binance_leaks.sources.objects.database import is_partial_clone  # start-up: what was read needs none

        return is_partial_clone(self._git)

    def _prefilter(self, wanted: Sequence[str], progress: Callable[[int, int, int], None]) -> list[str]:
        """Prefilter some blobs; return those that are missing."""
        if not wanted:
            return []
        from binance_leaks.sources.objects.database import find_missing  # start-up: as above

        lacking = find_missing(self._git, wanted) if self._is_partial else []
        gone = set(lacking)
        here = [blob for blob in wanted if blob not in gone]
        if not here:
            return lacking
        damaged: list[str] = []
        with self._git.blobs(here, damaged) as streams:
            for number, (blob, stream) in enumerate(streams):
                if stream is None:
                    lacking.append(blob)
                    continue
                self.bytes += stream.size
                if may_hold(stream):
                    self.suspicious.add(blob)
                if number % _BLOBS_PER_REPORT == 0:
                    progress(number, len(here), self.bytes)
        self.suspicious.update(damaged)  # which is reported where they are looked at
        return lacking

    def detect(self, wanted: Sequence[tuple[str, bytes]]) -> None:
        """Run the detector on blobs at paths, those that pass the prefilter."""
        self.prefilter(blob for blob, _ in wanted)
        by_blob: dict[str, list[bytes]] = {}
        for blob, path in dict.fromkeys(wanted):
            if (blob in self.suspicious or prefilter.path_may_hold(path)) and (blob, path) not in self._versions:
                by_blob.setdefault(blob, []).append(path)
        known = self._contents.suspects if self._contents is not None else {}
        ordered = []
        for blob, path in ((blob, path) for blob, paths in by_blob.items() for path in paths):
            if blob in known:
                self._versions[blob, path] = self._detect(blob, decode_path(path), BlobStream.of(known[blob]))
            else:
                ordered.append((blob, path))
        if not ordered:
            return
        damaged: list[str] = []
        with self._git.blobs((blob for blob, _ in ordered), damaged) as streams:
            for (blob, path), (_, stream) in zip(ordered, streams, strict=True):
                if stream is not None:
                    self._versions[blob, path] = self._detect(blob, decode_path(path), stream)
                elif blob not in self.missing:  # it was there, or damaged, a moment ago
                    damaged.append(blob)
        gone = set(damaged)
        self.skipped += [Skipped(what=decode_path(path), why=NOT_READABLE) for blob, path in ordered if blob in gone]

    def _detect(self, blob: str, path: str, stream: BlobStream) -> FileVersion:
        # start-up: most ranges are clean and need no detector
        from binance_leaks.pipeline.files import search

        found: list[Credential] = []
        binary: set[str] = set()
        chunks, in_lfs = self._chunks(blob, path, stream)
        for result in search(chunks):
            if isinstance(result, Skipped):
                self.skipped.append(result)
                continue
            chunk, credentials = result
            found += credentials
            if in_lfs or not chunk.is_text:
                binary.update(value.sha256 for credential in credentials for value in credential.values)
        return FileVersion(blob=blob, credentials=tuple(found), binary=frozenset(binary))

    def _chunks(self, blob: str, path: str, stream: BlobStream) -> tuple[Iterable[Chunk | Skipped], bool]:
        """The content of a blob, or of the file that it is a Git LFS pointer to, and whether it is such a pointer."""
        from binance_leaks.sources.read_content import read_stream  # start-up: only where something is suspicious

        if stream.size > LFS_POINTER_SIZE:
            return read_stream(path, path, stream), False
        content = stream.read()
        plain = read_stream(path, path, io.BytesIO(content))
        if not may_be_lfs_pointer(content):
            return plain, False
        from binance_leaks.sources.lfs import LfsStore, parse_lfs_pointer  # start-up: few repositories use Git LFS
        from binance_leaks.sources.objects.database import ObjectDatabase  # as above

        name = parse_lfs_pointer(content)
        if name is None:
            return plain, False
        self._lfs = self._lfs or LfsStore.of(self._git, ObjectDatabase.of(self._git))
        file = self._lfs.path(name)
        if file is None:
            self.lfs_missing.add(blob)
            return plain, False
        return self._lfs.chunks(file, path), True

    def at(self, blob: str, path: bytes) -> FileVersion:
        """A blob at a path.

        Without credentials where the detector found none or was not run.
        """
        return self._versions.get((blob, path)) or FileVersion(blob=blob)
