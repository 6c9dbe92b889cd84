"""What a scan means for a baseline: values to add, values present, paths read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from binance_leaks.baseline.file import Found
from binance_leaks.baseline.known import path_from, stored
from binance_leaks.config import Config
from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, container_of
from binance_leaks.pipeline.run_scan import TriageSettings
from binance_leaks.pipeline.source import Detected, Source
from binance_leaks.pipeline.triage import judge, path_in_repository, weigh

_NO_FILES = (COMMIT_MESSAGE, TAG_MESSAGE)
_NO_FILE_BEGINS = ("blob:", "lfs object ")


@dataclass(frozen=True, kw_only=True, slots=True)
class BaselineInput:
    """The result of a scan for a baseline.

    `found` is to be added, `present` are path and SHA-1 of every value that was found at all.
    """

    found: tuple[Found, ...]
    present: frozenset[tuple[str, str]]


def collect_for_baseline(source: Source[Detected], scan: Detected, *, config: Config, root: str) -> BaselineInput:
    """Collect the values that are certain enough and not allowed otherwise, and all values that are present.

    Paths are relative to the folder `root`.
    """
    judged = judge(weigh(scan.credentials, scan.nearby), source, TriageSettings(config=config))
    found = tuple(
        Found(
            value=occurrence.value.without_secret(),
            path=path_in_repository(occurrence.location.path, source, root),
            line=occurrence.location.line,
        )
        for each in judged
        for occurrence in each.open
    )
    present = {
        (stored(path_in_repository(occurrence.location.path, source, root)), occurrence.value.sha1)
        for credential in scan.credentials
        for occurrence in credential.occurrences
    }
    return BaselineInput(
        found=found, present=frozenset(present | {(stored(each.path), each.value.sha1) for each in found})
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanCoverage:
    """Which paths a scan has seen, all from the folder `root`.

    `roots` were requested, `read` are the files that were read, `unread` those that could not be. With `history` that
    was scanned too; `partial` is True if it could not be read completely.
    """

    root: str
    roots: tuple[str, ...]
    read: frozenset[str]
    unread: frozenset[str]
    history: bool
    partial: bool

    @classmethod
    def of(
        cls,
        root: str,
        *,
        roots: Sequence[str],
        read: Iterable[str],
        skipped: Iterable[Skipped],
        history: Sequence[Skipped] | None,
    ) -> ScanCoverage:
        """What was seen of `roots` by a scan of files.

        `history` is what could not be read of it, if it was scanned.
        """
        unread = (container_of(path_from(root, each.what, os.curdir)) for each in skipped if each.lost)
        return cls(
            root=root,
            roots=tuple(path_from(root, path, os.curdir) for path in roots),
            read=frozenset(map(stored, _files_from(root, read))),
            unread=frozenset(stored(path) for path in unread),
            history=history is not None,
            partial=any(each.lost for each in history or ()),
        )

    def gone(self, path: str) -> bool:
        """Whether a value that was not found is no longer at that path.

        It may be there still if the path was not requested, was excluded, or could not be read.
        """
        file = container_of(path)
        if self.partial or not self.covers(file):
            return False
        if _is_no_file(file):
            return self.history
        if any(_is_in(file, unread) for unread in self.unread):
            return False
        return file in self.read or not os.path.lexists(os.path.join(self.root, file))  # noqa: PTH118

    def covers(self, path: str) -> bool:
        """Whether a path was requested.

        What is no file, such as a commit message, was requested only if everything was.
        """
        if _is_no_file(path):
            return os.curdir in self.roots
        return any(_is_in(path, root) for root in self.roots)


def _files_from(root: str, paths: Iterable[str]) -> Iterator[str]:
    """`path_from` for many files, which looks at each folder once."""
    folders: dict[str, str] = {}
    for path in paths:
        name = path.rpartition("/")[2]
        folder = path[: len(path) - len(name)]
        if folder not in folders:
            folders[folder] = path_from(root, f"{folder}x", os.curdir)[:-1]
        yield folders[folder] + name


def _is_no_file(path: str) -> bool:
    name = path.rpartition("/")[2]  # a submodule's name may precede it
    return name in _NO_FILES or path.startswith(_NO_FILE_BEGINS)


def _is_in(path: str, folder: str) -> bool:
    return folder == os.curdir or path == folder or path.startswith(f"{folder}/")
