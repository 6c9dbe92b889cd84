"""What versions of files hold: each blob looked at once, those that may hold something read under their paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from binance_leaks.findings import Skipped
from binance_leaks.model import Credential, Occurrence
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import may_hold
from binance_leaks.sources.objects.database import find_missing, is_partial_clone
from binance_leaks.sources.stream import read_stream

_EVERY = 64


@dataclass(frozen=True, kw_only=True)
class Version:
    """A blob at a path with its credentials. `binary` are the digests of values for which lines mean nothing."""

    blob: str
    credentials: tuple[Credential, ...]
    binary: frozenset[str] = frozenset()

    @cached_property
    def occurrences(self) -> Mapping[str, Occurrence]:
        """The first occurrence of each value, by digest."""
        found: dict[str, Occurrence] = {}
        for credential in self.credentials:
            for occurrence in credential.occurrences:
                found.setdefault(occurrence.value.sha256, occurrence)
        return found

    @property
    def digests(self) -> frozenset[str]:
        """The digests of all values."""
        return frozenset(self.occurrences)

    def is_text(self, digest: str) -> bool:
        """Whether the line of a value says whether it is new."""
        return digest not in self.binary


class Versions:
    """The versions of the files of a repository, as far as somebody asked. `fetch` brings blobs that are missing."""

    def __init__(self, git: Git, fetch: Callable[[Sequence[str]], None] | None = None) -> None:
        self._git = git
        self._fetch = fetch
        self._partial = is_partial_clone(git)
        self._versions: dict[tuple[str, bytes], Version] = {}
        self._looked: set[str] = set()
        self.suspicious: set[str] = set()
        self.missing: set[str] = set()
        self.skipped: list[Skipped] = []
        self.bytes = 0

    def look(self, blobs: Iterable[str], progress: Callable[[int, int, int], None] = lambda *_: None) -> None:
        """Finds out which of some blobs may hold a credential, and which are not there."""
        wanted = [blob for blob in dict.fromkeys(blobs) if blob not in self._looked]
        self._looked.update(wanted)
        lacking = self._look(wanted, progress)
        if lacking and self._fetch is not None:
            self._fetch(lacking)
            lacking = self._look(lacking, progress)
        self.missing.update(lacking)

    def _look(self, wanted: Sequence[str], progress: Callable[[int, int, int], None]) -> list[str]:
        """Looks at some blobs; returns those that are missing."""
        lacking = find_missing(self._git, wanted) if self._partial and wanted else []
        gone = set(lacking)
        here = [blob for blob in wanted if blob not in gone]
        if not here:
            return lacking
        with self._git.blobs(here) as streams:
            for number, (blob, stream) in enumerate(streams):
                if stream is None:
                    lacking.append(blob)
                    continue
                self.bytes += stream.size
                if may_hold(stream):
                    self.suspicious.add(blob)
                if number % _EVERY == 0:
                    progress(number, len(here), self.bytes)
        return lacking

    def read(self, wanted: Sequence[tuple[str, bytes]]) -> None:
        """Detects in blobs at paths what they hold."""
        self.look(blob for blob, _ in wanted)
        by_blob: dict[str, list[bytes]] = {}
        for blob, path in dict.fromkeys(wanted):
            if blob in self.suspicious and (blob, path) not in self._versions:
                by_blob.setdefault(blob, []).append(path)
        asked = [(blob, path) for blob, paths in by_blob.items() for path in paths]
        if not asked:
            return
        # start-up: most ranges are clean and need no detector
        from binance_leaks.pipeline.files import credentials_in

        with self._git.blobs(blob for blob, _ in asked) as streams:
            for (blob, path), (_, stream) in zip(asked, streams, strict=True):
                if stream is None:
                    continue
                shown = self.shown(path)
                found: list[Credential] = []
                binary: set[str] = set()
                for chunk in read_stream(shown, shown, stream, size=stream.size):
                    if isinstance(chunk, Skipped):
                        self.skipped.append(chunk)
                        continue
                    held = credentials_in(chunk)
                    found += held
                    if not chunk.is_text:
                        binary.update(value.sha256 for credential in held for value in credential.values)
                self._versions[blob, path] = Version(blob=blob, credentials=tuple(found), binary=frozenset(binary))

    def version(self, blob: str, path: bytes) -> Version:
        """A blob at a path, with nothing in it where nothing was found."""
        return self._versions.get((blob, path)) or Version(blob=blob, credentials=())

    def shown(self, path: bytes) -> str:
        """A path for the reader."""
        return os.fsdecode(path)
