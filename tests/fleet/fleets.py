"""Small fleets for tests: findings with values made at run time, reports as workers send them, and stores of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from binance_leaks.config import Config
from binance_leaks.findings import Finding, Result, Risk, ScanStats, Skipped, SourceKind, Suppression
from binance_leaks.fleet.models import (
    Checkpoint,
    Holding,
    Repository,
    RepositoryScan,
    RunStatus,
    ScanFailure,
    ScanResult,
)
from binance_leaks.fleet.report import fleet_result
from binance_leaks.fleet.store import Store
from binance_leaks.model import Confidence, Credential, Environment, Location, RiskLevel, Value
from binance_leaks.report.json import Report, report_of

from tests.report.examples import COMMIT, EVIDENCE, at

MOMENT = datetime(2026, 5, 4, 12, 30, tzinfo=timezone.utc)
SURE = Config()
ALL = Config(confidence=Confidence.LOW)


def now() -> datetime:
    """Always the same."""
    return MOMENT


def repository(name: str, *, size: int = 0, aliases: tuple[str, ...] = ()) -> Repository:
    """A repository whose address has a login, which is to be found nowhere."""
    return Repository(
        key=f"https://git.example/{name}",
        label=name,
        address=f"https://me:word@git.example/{name}",
        size=size,
        aliases=aliases,
    )


def found(
    *values: Value,
    confidence: Confidence = Confidence.HIGH,
    environment: Environment = Environment.MAINNET,
    evidence: tuple[str, ...] = EVIDENCE,
    suppressed: Suppression | None = None,
    places: Sequence[Location] | None = None,
    path: str = "bot.py",
) -> Finding:
    """What one repository holds: these values, in a commit, on lines one below the other."""
    credential = Credential(
        values=values, occurrences=(), environment=environment, confidence=confidence, evidence=evidence
    )
    if places is None:
        places = [at(path, 3 + line, role=value.role, commit=COMMIT) for line, value in enumerate(values)]
    return Finding(
        id=credential.id,
        kind=credential.kind,
        environment=environment,
        confidence=confidence,
        risk=Risk(level=RiskLevel.HIGH, reasons=("It is one.",)),
        values=values,
        locations=tuple(places),
        evidence=evidence,
        suppressed=suppressed,
        fails=suppressed is None,
    )


def report(*findings: Finding, skipped: tuple[Skipped, ...] = ()) -> Report:
    """The report of a worker, with what is suppressed."""
    result = Result(
        source=SourceKind.HISTORY,
        target=".",
        findings=tuple(one for one in findings if one.suppressed is None),
        suppressed=tuple(one for one in findings if one.suppressed is not None),
        skipped=skipped,
        stats=ScanStats(objects=10, blobs=6, bytes=1000, seconds=0.5),
    )
    return report_of(result, show_suppressed=True)


def scanned(
    name: str, *findings: Finding, skipped: tuple[Skipped, ...] = (), remembered: Checkpoint | None = None
) -> ScanResult:
    """What a worker brings of a repository."""
    key = repository(name).key
    return ScanResult(
        key=key, report=report(*findings, skipped=skipped), remembered=remembered, seconds=1.5, worker="worker 1"
    )


def unchanged(name: str) -> ScanResult:
    """A repository that is as it was."""
    return ScanResult(key=repository(name).key, report=None, remembered=None, seconds=0.1)


def failed(name: str, reason: str = "no route to host") -> ScanFailure:
    """A repository that could not be scanned."""
    return ScanFailure(key=repository(name).key, reason=reason, hint="Check the network.", seconds=2.0, attempts=3)


@dataclass(frozen=True, slots=True)
class Fleet:
    """A store in a folder, to which whole runs are added."""

    file: Path

    @classmethod
    def at(cls, folder: Path) -> Fleet:
        """The one in a folder."""
        return cls(folder / "fleet.db")

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """Its store, for a run."""
        with Store.open(self.file, now=now) as store:
            yield store

    def run(
        self, names: Iterable[str], outcomes: Iterable[ScanResult | ScanFailure], status: RunStatus = RunStatus.FINISHED
    ) -> int:
        """A run over these repositories with these outcomes."""
        with self.opened() as store:
            run = store.begin("repositories.txt", [repository(name) for name in names])
            record_all(store, run, outcomes)
            store.finish(run, status, {"seconds": 7.5})
        return run

    def result(self, run: int, config: Config = SURE, places: int | None = 50) -> Result:
        """The report of a run."""
        with Store.read(self.file) as store:
            return fleet_result(store, run, config=config, places=places)

    def asked(self, query: str) -> list[tuple[object, ...]]:
        """What SQL says, as the sqlite3 program would have it."""
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(query).fetchall()


def record_all(store: Store, run: int, outcomes: Iterable[ScanResult | ScanFailure]) -> None:
    """Each as it comes."""
    for outcome in outcomes:
        if isinstance(outcome, ScanResult):
            store.record(run, outcome)
        else:
            store.record_failure(run, outcome, last=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """All that a store reports of a run, without its own numbers."""

    scans: tuple[RepositoryScan, ...]
    held: tuple[tuple[Holding, tuple[Location, ...]], ...]
    unread: tuple[Skipped, ...]

    @classmethod
    def of(cls, store: Store, run: int) -> Seen:
        """It."""
        held = [(replace(one, number=0), tuple(store.places(one))) for one in store.held(run)]
        return cls(
            scans=tuple(store.scans(run)),
            held=tuple(sorted(held, key=lambda pair: (pair[0].repository, pair[0].credential))),
            unread=tuple(one.skipped for one in store.unread(run)),
        )
