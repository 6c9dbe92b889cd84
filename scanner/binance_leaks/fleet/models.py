"""The words of a fleet: entries of a list, repositories, what a worker is given and what comes back. All immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from binance_leaks.findings import Skipped, Suppression
from binance_leaks.model import Confidence, Environment, Value
from binance_leaks.report.json import Report


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a list: where a repository is, as git takes it, and what its owner calls it.

    `address` is a path or a URL. It may hold a login, so that it is neither shown nor stored. `size` is in bytes, 0 if
    nobody told. `origin` is where the entry stands, for errors: `repositories.txt:3`.
    """

    address: str = field(repr=False)
    origin: str
    label: str = ""
    size: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository of the fleet.

    `key` is its identity over all runs: a normalized URL without login, or the real path of its git folder.
    `label` is its name in reports, unique in a fleet. `address` is the argument for git and may hold a login.
    `aliases` are the labels of other entries for the same repository. `covered_stores` are the real object folders
    that it borrows and that an earlier repository of its unit scans.
    """

    key: str
    label: str
    address: str = field(repr=False)
    size: int = 0
    aliases: tuple[str, ...] = ()
    covered_stores: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """What one worker scans in one go: a repository, or several that share an object store, its owner first."""

    repositories: tuple[Repository, ...]

    @property
    def size(self) -> int:
        """Bytes, as far as they were told."""
        return sum(repository.size for repository in self.repositories)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What an earlier scan of a repository left for the next one.

    `fingerprint` is of all that a scan depends on, the detector included: where it is still the same there is nothing
    to do. `state` tells which objects were looked at, as
    `binance_leaks.pipeline.state` packs it; None if nobody kept it.
    """

    fingerprint: str
    state: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanResult:
    """What a worker found in a repository.

    `report` has all of it, at any confidence, what is suppressed too; it is None where the repository is as it was
    remembered, so that what was found then still holds. `remembered` is for the next scan, None where nobody wants
    it. `worker` names where it was done, `attempts` counts from 1.
    """

    key: str
    report: Report | None = field(repr=False)
    remembered: Checkpoint | None
    seconds: float
    worker: str = ""
    attempts: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanFailure:
    """A repository that could not be scanned, after so many attempts: why, and what the user can do."""

    key: str
    reason: str
    hint: str = ""
    seconds: float = 0.0
    worker: str = ""
    attempts: int = 1


class RunStatus(Enum):
    """How a run over the fleet stands. `ABANDONED`: it ended early, and the next began without resuming it."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    ABANDONED = "abandoned"


class ScanStatus(Enum):
    """How a repository stands in a run."""

    WAITING = "waiting"
    SCANNED = "scanned"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A run over the fleet, as the store knows it. `host` and `process` did it; `facts` are counts of the whole run."""

    id: int
    started: datetime
    finished: datetime | None
    status: RunStatus
    target: str
    host: str
    process: int
    version: str
    facts: Mapping[str, int | float]


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryScan:
    """How one repository stands in a run.

    `since` is the run whose scan gave what is held of it: this one, an earlier one if nothing changed or if this scan
    failed, None if it was never scanned. `complete` and `stats` are of that scan, `credentials` counts what is held.
    `attempts`, `seconds`, `worker`, `reason` and `hint` are of this run.
    """

    run: int
    repository: Repository
    status: ScanStatus
    since: int | None
    attempts: int
    seconds: float
    worker: str
    reason: str
    hint: str
    complete: bool
    stats: Mapping[str, int | float]
    credentials: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A failed attempt at a repository, the first of a run being number 1."""

    label: str
    at: datetime
    attempt: int
    reason: str
    hint: str
    seconds: float
    worker: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """What a scan of a repository could not read. `skipped.lost` as far as a report tells: that of the whole scan."""

    label: str
    skipped: Skipped


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """A credential as one repository holds it in a run. `number` is that of the finding in the store.

    `places` counts where it stands.
    """

    number: int
    repository: str
    label: str
    credential: str
    values: tuple[Value, ...]
    environment: Environment
    confidence: Confidence
    evidence: tuple[str, ...]
    suppressed: Suppression | None
    places: int
