"""Read the tables of an open store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from binance_leaks.errors import UsageError
from binance_leaks.findings import Skipped, SuppressedBy, Suppression
from binance_leaks.fleet.models import (
    Attempt,
    Holding,
    Repository,
    RepositoryScan,
    Run,
    RunStatus,
    ScanStatus,
    Unread,
)
from binance_leaks.fleet.store import cells
from binance_leaks.fleet.store.connection import rollback, store_errors
from binance_leaks.model import Cell, CellPart, Commit, Confidence, Environment, Exposure, Location, Role, Value
from binance_leaks.report.stored import read_value, read_verification
from binance_leaks.verification import Verification

_HOLDS = "f.since_run <= :run AND (f.gone_run IS NULL OR f.gone_run > :run)"
_RUNS = "SELECT id, started, finished, status, target, host, process, version, facts FROM runs"
_OF_REPOSITORY = "FROM remembered m JOIN repositories r ON r.id = m.repository WHERE r.key = ?"
_SCANS = f"""
SELECT r.key, s.label, s.size, s.aliases, s.status, s.since_run, s.attempts, s.seconds, s.worker, s.reason, s.hint,
  coalesce(o.complete, 0), coalesce(o.stats, '{{}}'),
  (SELECT count(*) FROM findings f WHERE f.repository = s.repository AND {_HOLDS})
FROM scans s JOIN repositories r ON r.id = s.repository
LEFT JOIN scans o ON o.run = s.since_run AND o.repository = s.repository
WHERE s.run = :run ORDER BY s.label, r.key
"""  # noqa: S608 - of constants
_HELD = f"""
SELECT f.id, r.key, s.label, f.credential, f.environment, f.confidence, f.evidence, f.suppressed_by,
  f.suppressed_reason, f.places
FROM scans s JOIN repositories r ON r.id = s.repository JOIN findings f ON f.repository = s.repository
WHERE s.run = :run AND {_HOLDS} ORDER BY f.id
"""  # noqa: S608 - of constants
_VALUES = f"""
SELECT v.finding, v.role, v.sha256, v.masked
FROM scans s JOIN findings f ON f.repository = s.repository JOIN finding_values v ON v.finding = f.id
WHERE s.run = :run AND {_HOLDS} ORDER BY v.finding, v.number
"""  # noqa: S608 - of constants
_PLACES = """
SELECT l.role, l.path, l.line, l."column", l.exposure, l.blob, r.names, l.pushed, l.standing,
  l.replaceable, l.cell, l.cell_part,
  a.name, a.author, a.date, a.subject, g.name, g.author, g.date, g.subject
FROM locations l JOIN ref_lists r ON r.id = l.refs
LEFT JOIN commits a ON a.id = l.added LEFT JOIN commits g ON g.id = l.removed
WHERE l.finding = ? AND l.place < ? ORDER BY l.place
"""
_UNREAD = """
SELECT s.label, k.what, k.why, o.complete
FROM scans s JOIN scans o ON o.run = s.since_run AND o.repository = s.repository
JOIN skipped k ON k.run = o.run AND k.repository = o.repository
WHERE s.run = ? ORDER BY s.label, s.repository, k.number
"""
_ANSWERS = """
SELECT v.credential, v.answer FROM verifications v
JOIN (SELECT credential, max(run) AS run FROM verifications WHERE run <= ? GROUP BY credential)
USING (credential, run) ORDER BY v.credential
"""
_ALL = 2**62
_T = TypeVar("_T")


class StoreReader:
    """What an open store holds.

    Every method raises ScanError, naming the store, if the file is damaged or locked by another program.
    """

    def __init__(self, file: Path, connection: sqlite3.Connection) -> None:
        self._file = file
        self._connection = connection

    @property
    def file(self) -> Path:
        """Its path."""
        return self._file

    @contextmanager
    def read_transaction(self) -> Iterator[None]:
        """Read consistently: inside, the store is seen as of the first read."""
        if self._connection.in_transaction:
            yield
            return
        with store_errors(self._file):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with store_errors(self._file):
                rollback(self._connection)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        with store_errors(self._file):
            return [_run(row) for row in self._connection.execute(f"{_RUNS} ORDER BY id")]

    def run(self, number: int) -> Run:
        """One run. Raises UsageError if there is no such run."""
        with store_errors(self._file):
            row = self._connection.execute(f"{_RUNS} WHERE id = ?", (min(number, _ALL),)).fetchone()
            if row is None:
                last = cells.whole(self._connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0])
                there = f"its last one is {last}" if last else "it has none yet"
                raise UsageError(f"store {self._file} has no run {number}: {there}")
            return _run(row)

    def previous_finished_run(self, run: int) -> int | None:
        """The last finished run before this one that scanned a repository.

        The findings of an unfinished run were never compared with anything.
        """
        with store_errors(self._file):
            done = (ScanStatus.SCANNED.value, ScanStatus.UNCHANGED.value, RunStatus.FINISHED.value)
            row = self._connection.execute(
                "SELECT max(run) FROM scans JOIN runs ON runs.id = run"
                " WHERE run < ? AND scans.status IN (?, ?) AND runs.status = ?",
                (run, *done),
            ).fetchone()
            return None if row[0] is None else cells.whole(row[0])

    def scans(self, run: int) -> list[RepositoryScan]:
        """The repositories of a run with their status, by label."""
        with store_errors(self._file):
            return [_scan(run, row) for row in self._connection.execute(_SCANS, {"run": run})]

    def attempts(self, run: int) -> list[Attempt]:
        """The failed attempts of a run, in the order of recording."""
        with store_errors(self._file):
            rows = self._connection.execute(
                "SELECT s.label, e.at, e.attempt, e.reason, e.hint, e.seconds, e.worker"
                " FROM errors e JOIN scans s ON s.run = e.run AND s.repository = e.repository"
                " WHERE e.run = ? ORDER BY e.id",
                (run,),
            )
            return [
                Attempt(
                    label=cells.decode_text(label),
                    at=cells.moment(at),
                    attempt=cells.whole(attempt),
                    reason=cells.text(reason),
                    hint=cells.text(hint),
                    seconds=cells.number(seconds),
                    worker=cells.text(worker),
                )
                for label, at, attempt, reason, hint, seconds, worker in rows
            ]

    def fingerprint(self, key: str) -> str:
        """The fingerprint of the last scan of a repository, empty if there is none."""
        with store_errors(self._file):
            row = self._connection.execute(f"SELECT fingerprint {_OF_REPOSITORY}", (cells.encode_text(key),)).fetchone()
            return "" if row is None else cells.text(row[0])

    def state(self, key: str) -> bytes | None:
        """The scanned objects of a repository from its last scan, if they were kept."""
        with store_errors(self._file):
            row = self._connection.execute(f"SELECT state {_OF_REPOSITORY}", (cells.encode_text(key),)).fetchone()
            held = row[0] if row is not None else None
            if held is not None and not isinstance(held, bytes):
                raise ValueError("no bytes")
            return held

    def held(self, run: int) -> list[Holding]:
        """The credentials of each repository of a run."""
        with store_errors(self._file):
            values: dict[int, list[Value]] = {}
            for finding, role, digest, masked in self._connection.execute(_VALUES, {"run": run}):
                value = _strictly(read_value, {"role": role, "sha256": digest, "masked": masked})
                values.setdefault(cells.whole(finding), []).append(value)
            return [_held(row, values) for row in self._connection.execute(_HELD, {"run": run})]

    def places(self, held: Holding, *, most: int | None = None) -> list[Location]:
        """Its locations: the first of each role, then the most useful ones."""
        with store_errors(self._file):
            rows = self._connection.execute(_PLACES, (held.number, _ALL if most is None else max(most, 1))).fetchall()
            if not rows:
                raise ValueError("a finding without a place")
            return list(_places(rows, held.label))

    def places_by_role(self, held: Holding) -> Mapping[Role, int]:
        """The number of its locations by role."""
        with store_errors(self._file):
            rows = self._connection.execute(
                "SELECT role, count(*) FROM locations WHERE finding = ? GROUP BY role", (held.number,)
            )
            return {Role(role): cells.whole(count) for role, count in rows}

    def unread(self, run: int) -> list[Unread]:
        """What the scans behind a run's findings could not read."""
        with store_errors(self._file):
            return [
                Unread(
                    label=cells.decode_text(label),
                    skipped=Skipped(what=cells.text(what), why=cells.text(why), lost=not complete),
                )
                for label, what, why, complete in self._connection.execute(_UNREAD, (run,))
            ]

    def verifications(self, run: int) -> Mapping[str, Verification]:
        """The latest verification of each credential up to a run, by the id under which it was recorded."""
        with store_errors(self._file):
            return {
                cells.text(credential): _strictly(read_verification, cells.parsed(answer))
                for credential, answer in self._connection.execute(_ANSWERS, (run,))
            }


def _run(row: tuple[object, ...]) -> Run:
    number, started, finished, status, target, host, process, version, facts = row
    return Run(
        id=cells.whole(number),
        started=cells.moment(started),
        finished=None if finished is None else cells.moment(finished),
        status=RunStatus(status),
        target=cells.decode_text(target),
        host=cells.text(host),
        process=cells.whole(process),
        version=cells.text(version),
        facts=cells.counts(facts),
    )


def _scan(run: int, row: tuple[object, ...]) -> RepositoryScan:
    key, label, size, aliases, status, since, attempts, seconds, worker, reason, hint, complete, stats, held = row
    return RepositoryScan(
        run=run,
        repository=_repository(key, label, size, aliases),
        status=ScanStatus(status),
        since=None if since is None else cells.whole(since),
        attempts=cells.whole(attempts),
        seconds=cells.number(seconds),
        worker=cells.text(worker),
        reason=cells.text(reason),
        hint=cells.text(hint),
        complete=bool(cells.whole(complete)),
        stats=cells.counts(stats),
        credentials=cells.whole(held),
    )


def _repository(key: object, label: object, size: object, aliases: object) -> Repository:
    """The repository; its address is the key, as that holds no login."""
    name = cells.decode_text(key)
    return Repository(
        key=name,
        label=cells.decode_text(label),
        address=name,
        size=cells.whole(size),
        aliases=cells.texts(aliases),
    )


def _held(row: tuple[object, ...], values: Mapping[int, list[Value]]) -> Holding:
    number, key, label, credential, environment, confidence, evidence, by, why, places = row
    found = values.get(cells.whole(number))
    if not found:
        raise ValueError("a finding without a value")
    return Holding(
        number=cells.whole(number),
        repository=cells.decode_text(key),
        label=cells.decode_text(label),
        credential=cells.text(credential),
        values=tuple(found),
        environment=Environment(environment),
        confidence=Confidence(confidence),
        evidence=cells.texts(evidence),
        suppressed=None if by is None else Suppression(by=SuppressedBy(by), reason=cells.text(why)),
        places=cells.whole(places),
    )


def _places(rows: Iterable[tuple[object, ...]], label: str) -> Iterator[Location]:
    roles = {role.value: role for role in Role}
    exposures = {exposure.value: exposure for exposure in Exposure}
    commits: dict[tuple[object, ...], Commit | None] = {}
    lists: dict[object, tuple[tuple[str, ...], int]] = {}
    for row in rows:
        role, path, line, column, exposure, blob, refs, pushed, standing, replaceable, cell, part = row[:12]
        added, removed = row[12:16], row[16:]
        if role not in roles or exposure not in exposures:
            raise ValueError("another role, or exposure")
        for fields in (added, removed):
            if fields not in commits:
                commits[fields] = _commit(fields)
        if refs not in lists:
            lists[refs] = cells.split_refs(cells.text(refs))
        yield Location(
            role=roles[role],
            path=cells.text(path),
            line=cells.whole(line),
            column=cells.whole(column),
            exposure=exposures[exposure],
            commit=commits[added],
            blob=None if blob is None else cells.text(blob),
            refs=lists[refs][0],
            unlisted_refs=lists[refs][1],
            preexisting=bool(standing),
            removed=commits[removed],
            pushed=bool(pushed),
            replaceable=bool(replaceable),
            cell=None
            if cell is None
            else Cell(number=cells.whole(cell), part=None if part is None else CellPart(part)),
            repository=label,
        )


def _commit(row: tuple[object, ...]) -> Commit | None:
    name, author, date, subject = row
    if name is None:
        return None
    return Commit(
        id=cells.text(name),
        author=cells.text(author),
        date=cells.text(date),
        subject=cells.text(subject),
    )


def _strictly(read: Callable[[object, str], _T], data: object) -> _T:
    try:
        return read(data, "of a store")
    except UsageError:
        raise ValueError("another shape") from None
