"""Scan one unit: the repositories that share an object store, one after the other."""

from __future__ import annotations

import os
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from binance_leaks.config import Config, parse_config
from binance_leaks.detect.credentials import credential_of
from binance_leaks.errors import GitError, ScannerError, UsageError
from binance_leaks.findings import Skipped, SourceKind
from binance_leaks.fleet.local_repositories import NotARepository, locate
from binance_leaks.fleet.worker_protocol import (
    ReportStep,
    RepositoryOutcome,
    RepositoryTask,
    Task,
    empty_outcome,
    failed_outcome,
)
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Confidence, Credential, Exposure, Location, Occurrence
from binance_leaks.path_patterns import Globs
from binance_leaks.pipeline.history import HistoryDetected, HistorySource
from binance_leaks.pipeline.run_scan import TriageSettings, run_scan
from binance_leaks.pipeline.source import ShowProgress
from binance_leaks.pipeline.state import State, conditions, pack_state, unpack_state
from binance_leaks.report.json import report_of
from binance_leaks.sources import clone, urls
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.database import ObjectDatabase, compute_fingerprint, open_packs


@contextmanager
def local_folder(address: str, cloning: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Yield the folder of a repository, cloned for the time being if it is a URL.

    `cloning` is called repeatedly during a clone. Raises UsageError where there is no folder, and like
    `clone.temporary_clone`.
    """
    if urls.is_url(address):
        with clone.temporary_clone(address, lambda _: cloning()) as folder:
            yield folder
        return
    if not os.path.isdir(address):  # noqa: PTH112 - the text may be too long for a path
        raise UsageError(f"no such folder: {address}", hint="On a cluster, every worker must see it.")
    yield Path(address)


_MOST_NAMED = 25
_MOST_REFS = 100
_FSCK = "Run `git status` in it to see what is wrong."


@lru_cache(maxsize=4)
def settings_digest(config: str | None, exclude: tuple[str, ...], *, reachable: bool) -> str:
    """Return the digest of what a fleet scan depends on: the detector and the user's settings."""
    return conditions(repr(config), repr(exclude), repr(reachable))


def scan_unit(task: Task, report_step: ReportStep) -> Iterator[RepositoryOutcome]:
    """Scan the repositories of a unit; objects that they share are read once.

    Never raises for errors of one repository: they are in its outcome.
    """
    shared: State | None = None
    for repository in task["repositories"]:
        started = time.monotonic()
        member = _Member(task, repository, report_step)
        try:
            done, shared = member.scan(shared)
        except ScannerError as error:
            done = failed_outcome(
                repository["key"], str(error), error.hint, again=_may_pass_later(error, repository["address"])
            )
        except MemoryError:
            done = failed_outcome(repository["key"], "out of memory", "Scan it where there is more.", again=True)
        except OSError as error:
            done = failed_outcome(repository["key"], error.strerror or type(error).__name__, again=True)
        yield {**done, "seconds": round(time.monotonic() - started, 3)}


def _may_pass_later(error: ScannerError, address: str) -> bool:
    """Whether a retry may succeed: git's errors about a local folder repeat themselves."""
    if isinstance(error, UsageError):
        return False
    return not isinstance(error, GitError) or not os.path.isdir(address)  # noqa: PTH112 - it may be too long


class _Member:
    """A repository of the unit, to be scanned."""

    def __init__(self, task: Task, repository: RepositoryTask, report_step: ReportStep) -> None:
        self._task = task
        self._repository = repository
        self._report_step = report_step
        self._config = _config(task)

    def scan(self, shared: State | None) -> tuple[RepositoryOutcome, State | None]:
        """Scan it; return the outcome and the scanned objects, also of shared stores.

        A URL whose refs have not changed is not cloned. Raises ScannerError, OSError.
        """
        before, address = self._repository["fingerprint"], self._repository["address"]
        is_url = urls.is_url(address)
        known = ""
        if is_url:
            self._report_phase("asking", 0)
            known = sha256(self._task["settings_digest"].encode() + clone.list_remote_refs(address)).hexdigest()
            if known == before:
                return self._unchanged(before), shared
            if self._repository["has_state"]:
                return self._needs_state(), shared
        with local_folder(address, lambda: self._report_phase("cloning", 0)) as folder:
            git = Git(str(folder))
            database = ObjectDatabase.of(git)
            if not is_url:
                _check_folder(address, database)
            fingerprint = known or compute_fingerprint(git, database, self._task["settings_digest"])
            if fingerprint == before:
                return self._unchanged(before), self._remembered() or shared
            if self._repository["has_state"]:
                return self._needs_state(), shared
            return self._scanned(git, database, fingerprint, shared, is_mirror=is_url)

    def _unchanged(self, fingerprint: str) -> RepositoryOutcome:
        return {**empty_outcome(self._repository["key"]), "fingerprint": fingerprint}

    def _needs_state(self) -> RepositoryOutcome:
        return {**empty_outcome(self._repository["key"]), "wants_state": True}

    def _remembered(self) -> State | None:
        packed = self._repository["state"]
        return unpack_state(b64decode(packed), self._task["settings_digest"]) if packed else None

    def _scanned(
        self, git: Git, database: ObjectDatabase, fingerprint: str, shared: State | None, *, is_mirror: bool
    ) -> tuple[RepositoryOutcome, State | None]:
        reachable = self._task["reachable"]
        remembered = None if reachable else self._remembered()
        source = HistorySource(
            folder=git.folder,
            target=self._repository["label"],
            anchor=git.top(),
            jobs=self._task["jobs"],
            reachable=reachable,
            mirror=is_mirror,
            state=remembered.merge(shared) if remembered and shared else remembered or shared,
            excluded=Globs([*self._config.exclude, *self._task["exclude"]]).match,
        )
        covered = frozenset(self._repository["covered_stores"])
        scan = run_scan(
            _UnitSource(source, OwnObjects(database, covered).owned if covered else None),
            TriageSettings(config=self._config),
            progress=nullcontext(lambda progress: self._report_phase("scanning", progress.bytes)),
        )
        result = replace(scan.result, stats=replace(scan.result.stats, seconds=None))
        looked_at = None if reachable or result.interrupted else scan.detected.state()
        packed = pack_state(self._task["settings_digest"], looked_at) if looked_at and self._task["keep"] else b""
        done: RepositoryOutcome = {
            **empty_outcome(self._repository["key"]),
            "report": report_of(result, show_suppressed=True),
            "fingerprint": fingerprint,
            "state": b64encode(packed).decode("ascii"),
        }
        return done, looked_at

    def _report_phase(self, phase: str, size: int) -> None:
        self._report_step({"label": self._repository["label"], "phase": phase, "bytes": size})


@dataclass(frozen=True, slots=True)
class _UnitSource:
    """A history without secrets, which do not leave the worker, and with few of very many refs and unread objects."""

    inner: HistorySource
    own: Callable[[Sequence[Credential]], Sequence[Credential]] | None
    """Keeps what is not in an object store that another repository of the fleet covers."""

    @property
    def kind(self) -> SourceKind:
        return self.inner.kind

    @property
    def target(self) -> str:
        return self.inner.target

    @property
    def anchor(self) -> str:
        return self.inner.anchor

    def read(self, show: ShowProgress | None = None) -> HistoryDetected:
        """Read the history."""
        detected = self.inner.read(show)
        credentials = self.own(detected.credentials) if self.own is not None else detected.credentials
        return replace(detected, credentials=_reduced(credentials), skipped=tuple(_limit_skipped(detected.skipped)))


def _check_folder(address: str, database: ObjectDatabase) -> None:
    """Raise GitError where git, which searches above a folder that it does not accept, found another repository."""
    meant = locate(address)
    if isinstance(meant, NotARepository):
        raise GitError(meant.why)
    if meant.folder != os.path.realpath(database.git_folder) or meant.store != os.path.realpath(database.folders[0]):
        raise GitError("git does not accept it as a repository, only as part of another one", hint=_FSCK)


def _limit_skipped(skipped: Iterable[Skipped]) -> Iterator[Skipped]:
    """Limit skipped items of the same reason: one archive bomb holds thousands."""
    counts: dict[tuple[str, bool], int] = {}
    for each in skipped:
        kind = each.why, each.lost
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= _MOST_NAMED:
            yield each
    for (why, lost), count in counts.items():
        if count > _MOST_NAMED:
            yield Skipped(what=f"{count - _MOST_NAMED:,} more", why=why, lost=lost)


def _reduced(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """Remove values, which may not leave the worker, and long lists of refs.

    In a mirror with all pull requests, each location in an old commit is in a hundred thousand refs.
    """
    return tuple(credential.without_secrets().moved(_with_few_refs) for credential in credentials)


def _with_few_refs(place: Location) -> Location:
    return replace(place, refs=place.refs[:_MOST_REFS]) if len(place.refs) > _MOST_REFS else place


def _config(task: Task) -> Config:
    """The user's configuration at every confidence: another repository may raise it."""
    text = task["config"]
    config = Config() if text is None else parse_config(text.encode("utf-8"), Path(".binance-leaks.toml"))
    return replace(config, confidence=Confidence.LOW, file=None, folder=None, baseline=None)


class OwnObjects:
    """The objects for which only one repository is scanned: all but those in its `covered_stores`."""

    def __init__(self, database: ObjectDatabase, covered_stores: frozenset[str]) -> None:
        first, *others = database.folders
        own = replace(
            database, folders=(first, *(one for one in others if os.path.realpath(one) not in covered_stores))
        )
        opened = open_packs(own.pack_files(), own.id_size)
        self._packs = opened.packs
        self._others = {*opened.by_git, *own.loose()}

    def owned(self, credentials: Iterable[Credential]) -> list[Credential]:
        """Remove locations in borrowed objects that no ref of the repository reaches."""
        kept = (self._owned(credential) for credential in credentials)
        return [credential for credential in kept if credential.occurrences]

    def _owned(self, credential: Credential) -> Credential:
        occurrences = [occurrence for occurrence in credential.occurrences if self._is_own(occurrence)]
        if len(occurrences) == len(credential.occurrences):
            return credential
        return credential_of(occurrences) if occurrences else replace(credential, occurrences=())

    def _is_own(self, occurrence: Occurrence) -> bool:
        place = occurrence.location
        return place.exposure is not Exposure.UNREACHABLE or self._has(_object(place))

    def _has(self, name: bytes | None) -> bool:
        if name is None:
            return True
        return name in self._others or any(pack.entry_of(name) is not None for pack in self._packs)


def _object(place: Location) -> bytes | None:
    """The id of the object with a location: a blob, or the commit or tag of a message."""
    name = place.blob or (place.commit.id if place.commit is not None else None)
    return bytes.fromhex(name) if name is not None else None
