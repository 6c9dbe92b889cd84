"""Models of a fleet: list entries, repositories, units, runs, results."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from binance_leaks.findings import Skipped, Suppression
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.model import Confidence, Environment, Value
from binance_leaks.report.json import Report


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a list.

    `address` is a path or a URL; it may hold a login, so it is neither printed nor stored. `size` is in bytes, 0 if
    unknown. `origin` is the position in the list, for errors: `repositories.txt:3`.
    """

    address: str = field(repr=False)
    origin: str
    label: str = ""
    size: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository of the fleet.

    `key` is its identity over all runs: a normalized URL without login, or the real path of its git folder. `label` is
    its name in reports, unique in a fleet. `address` is the argument for git and may hold a login. `aliases` are the
    labels of other entries for the same repository. `covered_stores` are the real object folders that it borrows and
    that an earlier repository of its unit scans.
    """

    key: str
    label: str
    address: str = field(repr=False)
    size: int = 0
    aliases: tuple[str, ...] = ()
    covered_stores: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """What one worker scans in one task: a repository, or several that share an object store, its owner first."""

    repositories: tuple[Repository, ...]

    @property
    def size(self) -> int:
        """Bytes, as far as known."""
        return sum(repository.size for repository in self.repositories)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What a scan of a repository keeps for the next one.

    `fingerprint` covers all that a scan depends on, the detector included: if it is the same, nothing has to be read.
    `state` is the set of scanned objects, packed by `binance_leaks.pipeline.state`; None if it was not kept.
    """

    fingerprint: str
    state: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanResult:
    """The result of scanning a repository.

    `report` has all findings, of any confidence and suppressed ones too; None if nothing has changed since the last
    scan, whose findings are then still valid. `remembered` is for the next scan, None if it is not wanted. `attempts`
    counts from 1.
    """

    key: str
    report: Report | None = field(repr=False)
    remembered: Checkpoint | None
    seconds: float
    worker: str = ""
    attempts: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanFailure:
    """A repository that could not be scanned: the reason, and what the user can do."""

    key: str
    reason: str
    hint: str = ""
    seconds: float = 0.0
    worker: str = ""
    attempts: int = 1


class RunStatus(Enum):
    """Status of a run.

    `ABANDONED`: it ended early, and the next one began without resuming it.
    """

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    ABANDONED = "abandoned"


class ScanStatus(Enum):
    """Status of a repository in a run."""

    WAITING = "waiting"
    SCANNED = "scanned"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A run over the fleet, as stored.

    `host` and `process` executed it; `facts` are counts of the whole run.
    """

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
    """Status of one repository in a run.

    `since` is the run whose scan gave its current findings: this one, an earlier one if nothing changed or this scan
    failed, None if it was never scanned. `complete` and `stats` are of that scan, `credentials` counts its findings.
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
    """A failed attempt at a repository; the first of a run is number 1."""

    label: str
    at: datetime
    attempt: int
    reason: str
    hint: str
    seconds: float
    worker: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unread:
    """What a scan of a repository could not read.

    `skipped.lost` is that of the whole scan.
    """

    label: str
    skipped: Skipped


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """A credential in one repository, as of a run.

    `number` is the id of the finding in the store, `places` counts its locations.
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
