"""The work of a fleet: one unit scanned, wherever there is a worker."""

from __future__ import annotations

import os
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from binance_leaks.config import Config, Globs, parse_config
from binance_leaks.detect.credentials import credential_of
from binance_leaks.errors import GitError, ScannerError, UsageError
from binance_leaks.findings import Skipped, SourceKind
from binance_leaks.fleet.local_repositories import NotARepository, locate
from binance_leaks.fleet.worker_protocol import (
    RepositoryOutcome,
    RepositoryTask,
    Task,
    Tell,
    empty_outcome,
    failed_outcome,
)
from binance_leaks.model import Confidence, Credential, Exposure, Location, Occurrence
from binance_leaks.pipeline.history import EvidenceNearHistory, Request, scan_history
from binance_leaks.pipeline.scan import Scan
from binance_leaks.pipeline.state import State, conditions, pack_state, unpack_state
from binance_leaks.pipeline.triage import conclude
from binance_leaks.report.json import report_of
from binance_leaks.sources import clone, urls
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.database import ObjectDatabase, compute_fingerprint, open_packs


@contextmanager
def local_folder(address: str, cloning: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """The folder of the repository at a path or URL. `cloning` is called again and again while a clone goes on.

    Raises UsageError for what is no folder, and as `clone.temporary_clone`.
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
    """What a scan of a fleet depends on: the detector itself, and the settings of the user."""
    return conditions(repr(config), repr(exclude), repr(reachable))


def scan_unit(task: Task, tell: Tell) -> Iterator[RepositoryOutcome]:
    """Scans the repositories of a unit one after the other: what one has looked at in a store that they share, the next
    does not look at again.

    Never raises for what is wrong with one of them.
    """
    shared: State | None = None
    for repository in task["repositories"]:
        started = time.monotonic()
        member = _Member(task, repository, tell)
        try:
            done, shared = member.scan(shared)
        except ScannerError as error:
            done = failed_outcome(
                repository["key"], str(error), error.hint, again=_could_pass(error, repository["address"])
            )
        except MemoryError:
            done = failed_outcome(repository["key"], "out of memory", "Scan it where there is more.", again=True)
        except OSError as error:
            done = failed_outcome(repository["key"], error.strerror or type(error).__name__, again=True)
        yield {**done, "seconds": round(time.monotonic() - started, 3)}


def _could_pass(error: ScannerError, address: str) -> bool:
    """Whether what failed may work the next time: what git says of a folder on disk it will say again."""
    if isinstance(error, UsageError):
        return False
    return not isinstance(error, GitError) or not os.path.isdir(address)  # noqa: PTH112 - it may be too long


class _Member:
    """One repository of a unit, to be scanned."""

    def __init__(self, task: Task, repository: RepositoryTask, tell: Tell) -> None:
        self._task = task
        self._repository = repository
        self._tell = tell
        self._config = _config(task)

    def scan(self, shared: State | None) -> tuple[RepositoryOutcome, State | None]:
        """What is in it, and what was looked at in it and in what it shares with others. Raises ScannerError, OSError.

        Of a URL that names the same objects as before, nothing is cloned.
        """
        before, address = self._repository["fingerprint"], self._repository["address"]
        is_url = urls.is_url(address)
        known = ""
        if is_url:
            self._told("asking", 0)
            known = sha256(self._task["settings_digest"].encode() + clone.list_remote_refs(address)).hexdigest()
            if known == before:
                return self._unchanged(before), shared
            if self._repository["has_state"]:
                return self._wanting(), shared
        with local_folder(address, lambda: self._told("cloning", 0)) as folder:
            git = Git(str(folder))
            database = ObjectDatabase.of(git)
            if not is_url:
                _check(address, database)
            fingerprint = known or compute_fingerprint(git, database, self._task["settings_digest"])
            if fingerprint == before:
                return self._unchanged(before), self._remembered() or shared
            if self._repository["has_state"]:
                return self._wanting(), shared
            return self._scanned(git, database, fingerprint, shared, is_mirror=is_url)

    def _unchanged(self, fingerprint: str) -> RepositoryOutcome:
        return {**empty_outcome(self._repository["key"]), "fingerprint": fingerprint}

    def _wanting(self) -> RepositoryOutcome:
        return {**empty_outcome(self._repository["key"]), "wants_state": True}

    def _remembered(self) -> State | None:
        packed = self._repository["state"]
        return unpack_state(b64decode(packed), self._task["settings_digest"]) if packed else None

    def _scanned(
        self, git: Git, database: ObjectDatabase, fingerprint: str, shared: State | None, *, is_mirror: bool
    ) -> tuple[RepositoryOutcome, State | None]:
        reachable = self._task["reachable"]
        remembered = None if reachable else self._remembered()
        request = Request(
            folder=git.folder,
            jobs=self._task["jobs"],
            reachable=reachable,
            mirror=is_mirror,
            state=remembered.and_also(shared) if remembered and shared else remembered or shared,
            excluded=Globs([*self._config.exclude, *self._task["exclude"]]).match,
        )
        outcome = scan_history(request, lambda count: self._told("scanning", count.size))
        credentials = outcome.credentials
        if self._repository["covered_stores"]:
            credentials = OwnObjects(database, frozenset(self._repository["covered_stores"])).owned(credentials)
        scan = Scan(
            source=SourceKind.HISTORY,
            target=self._repository["label"],
            credentials=_small(credentials),
            skipped=tuple(_bounded(outcome.skipped)),
            stats=outcome.stats,
            anchor=git.top(),
        )
        result = conclude(scan, config=self._config, nearby=EvidenceNearHistory(request, outcome))
        looked_at = None if reachable else State.of(starts=outcome.scanned, hits=outcome.hits)
        packed = pack_state(self._task["settings_digest"], looked_at) if looked_at and self._task["keep"] else b""
        done: RepositoryOutcome = {
            **empty_outcome(self._repository["key"]),
            "report": report_of(result, show_suppressed=True),
            "fingerprint": fingerprint,
            "state": b64encode(packed).decode("ascii"),
        }
        return done, looked_at

    def _told(self, phase: str, size: int) -> None:
        self._tell({"label": self._repository["label"], "phase": phase, "bytes": size})


def _check(address: str, database: ObjectDatabase) -> None:
    """Raises GitError where git, which looks above a folder that it does not take, has come to another repository."""
    meant = locate(address)
    if isinstance(meant, NotARepository):
        raise GitError(meant.why)
    if meant.folder != os.path.realpath(database.git_folder) or meant.store != os.path.realpath(database.folders[0]):
        raise GitError("git takes it for no repository, but for a part of another one", hint=_FSCK)


def _bounded(skipped: Iterable[Skipped]) -> Iterator[Skipped]:
    """What was not read, of many for one reason the first ones: a bomb of archives alone holds thousands."""
    counts: dict[tuple[str, bool], int] = {}
    for each in skipped:
        kind = each.why, each.lost
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= _MOST_NAMED:
            yield each
    for (why, lost), count in counts.items():
        if count > _MOST_NAMED:
            yield Skipped(what=f"{count - _MOST_NAMED:,} more", why=why, lost=lost)


def _small(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """The credentials without what may not leave the worker, values, and without what is too much to: of a mirror with
    all pull requests each place in an old commit is in a hundred thousand refs.
    """
    return tuple(credential.without_secrets().moved(_with_few_refs) for credential in credentials)


def _with_few_refs(place: Location) -> Location:
    return replace(place, refs=place.refs[:_MOST_REFS]) if len(place.refs) > _MOST_REFS else place


def _config(task: Task) -> Config:
    """The user's configuration, with every confidence: what another repository tells may still make it surer."""
    text = task["config"]
    config = Config() if text is None else parse_config(text.encode("utf-8"), Path(".binance-leaks.toml"))
    return replace(config, confidence=Confidence.LOW, file=None, baseline=None)


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
        """The credentials without places that only a lender has: borrowed objects that none of its refs reaches."""
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
    """The object that a place is in: a blob, or for a message the commit or tag."""
    name = place.blob or (place.commit.id if place.commit is not None else None)
    return bytes.fromhex(name) if name is not None else None
