"""The store as others use it: opened for a run by one process, or read by anybody meanwhile."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from binance_leaks import __version__
from binance_leaks.errors import ReplyError, ScanError, UsageError
from binance_leaks.fleet.models import (
    Attempt,
    Holding,
    Repository,
    RepositoryScan,
    Run,
    RunStatus,
    ScanFailure,
    ScanResult,
    ScanStatus,
    Unread,
)
from binance_leaks.fleet.store import cells, reading, recording, schema
from binance_leaks.fleet.store.connection import (
    FOR_A_RUN,
    Lock,
    check,
    connected,
    host,
    in_use_error,
    prepare,
    reader,
    rollback,
    store_errors,
)
from binance_leaks.fleet.store.rows import rows_of
from binance_leaks.model import Location, Role
from binance_leaks.verification import Verification

_UNFINISHED = (RunStatus.RUNNING, RunStatus.INTERRUPTED)


class Store:
    """A store that is open until `close`, or as long as a `with` lasts. For one thread.

    Every method raises ScanError, naming the store, if the file is damaged, locked by a stranger, or the disk is full.
    What was written before that stays, and a transaction that was not finished leaves nothing.
    """

    def __init__(self, file: Path, connection: sqlite3.Connection, lock: Lock | None, now: Callable[[], datetime]):
        self._file = file
        self._connection = connection
        self._lock = lock
        self._now = now

    @classmethod
    def open(cls, file: Path, *, now: Callable[[], datetime]) -> Store:
        """The store for a run, made if there is none, and locked for as long as it is open or its process lives.

        `now` gives moments with their offset. Raises UsageError for a file that is no store of this version or that
        others could have changed, ScanError if another run has it.
        """
        prepare(file)
        with store_errors(file):
            lock = Lock.take(file)
        if lock is None:
            raise in_use_error(file)
        try:
            with store_errors(file):
                connection = connected(file, "rw")
        except BaseException:
            lock.release()
            raise
        store = cls(file, connection, lock, now)
        try:
            store._take_over()
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def read(cls, file: Path) -> Store:
        """The store for reading only, also while a run is going on. Raises UsageError if there is none."""
        check(file)
        with store_errors(file):
            return cls(file, reader(file), None, _no_clock)

    def close(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            with suppress(sqlite3.Error):
                self._connection.execute("DELETE FROM holder")
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def file(self) -> Path:
        """Where it is."""
        return self._file

    def begin(self, target: str, repositories: Sequence[Repository]) -> int:
        """A new run over these repositories, all waiting; its number. A run that was not finished is given up."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE runs SET status = ? WHERE status IN (?, ?)",
                (RunStatus.ABANDONED.value, *(status.value for status in _UNFINISHED)),
            )
            run = connection.execute(
                "INSERT INTO runs (started, status, target, host, process, version) VALUES (?, ?, ?, ?, ?, ?)",
                (self._moment(), RunStatus.RUNNING.value, cells.packed(target), host(), os.getpid(), __version__),
            ).lastrowid
            if run is None:
                raise sqlite3.DatabaseError("malformed")
            recording.add_repositories(connection, run, repositories)
        return run

    def unfinished(self) -> Run | None:
        """The last run, if it has something left to do: it ended early, or some of its repositories failed."""
        with self.read_transaction():
            all_runs = self.runs()
            if not all_runs:
                return None
            last = all_runs[-1]
            failed = last.status is RunStatus.FINISHED and any(
                scan.status is ScanStatus.FAILED for scan in self.scans(last.id)
            )
            return last if failed or last.status in _UNFINISHED else None

    def resume(self, run: int) -> list[Repository]:
        """Goes on with the last run: gives the repositories that are waiting or failed, each with its key for address.

        Raises UsageError if the run is not the last one.
        """
        self._check_last(run)
        with self._writing() as connection:
            connection.execute(
                "UPDATE runs SET status = ?, finished = NULL, host = ?, process = ? WHERE id = ?",
                (RunStatus.RUNNING.value, host(), os.getpid(), run),
            )
        open_ones = (ScanStatus.WAITING, ScanStatus.FAILED)
        return [scan.repository for scan in self.scans(run) if scan.status in open_ones]

    def fingerprint(self, key: str) -> str:
        """That of the last scan of a repository, empty if nothing is remembered of it."""
        with store_errors(self._file):
            return reading.fingerprint(self._connection, key)

    def state(self, key: str) -> bytes | None:
        """Which objects the last scan of a repository has looked at, if that is remembered."""
        with store_errors(self._file):
            return reading.state(self._connection, key)

    def record(self, run: int, scanned: ScanResult) -> None:
        """What a worker found, whole or not at all; nothing if the repository is done in this run already.

        Raises ReplyError if the report is not understood, ScanError if the run is not going on, or the repository is
        none of it.
        """
        try:
            rows = rows_of(scanned.report) if scanned.report is not None else None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, UsageError):
            raise ReplyError(
                f"what came back of {cells.plain(scanned.key)} is not understood",
                hint="Use the same version of binance-leaks on all machines.",
            ) from None
        with self._recording(run, scanned.key) as at:
            if at is not None:
                recording.scanned(self._connection, at, scanned, rows)

    def record_failure(self, run: int, failed: ScanFailure, *, last: bool) -> None:
        """An attempt that failed; with `last` the repository stands as failed, and holds what it held.

        Nothing is recorded of a repository that is done in this run. Raises ScanError as `record` does.
        """
        with self._recording(run, failed.key) as at:
            if at is not None:
                recording.failed(self._connection, at, failed, moment=self._moment(), last=last)

    def record_verifications(self, run: int, found: Mapping[str, Verification]) -> None:
        """What Binance answered about credentials in a run, by their ids."""
        with self._writing() as connection:
            recording.verified(connection, run, found)

    def finish(self, run: int, status: RunStatus, facts: Mapping[str, int | float]) -> None:
        """Ends a run; `facts` are counts of it by name, `seconds` among them."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE runs SET status = ?, finished = ?, facts = ? WHERE id = ?",
                (status.value, self._moment(), json.dumps(dict(facts)), run),
            )

    @contextmanager
    def read_transaction(self) -> Iterator[None]:
        """Inside, everything is read as it stood at the first look, whatever a run records meanwhile."""
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
        """All runs, the first one first."""
        with store_errors(self._file):
            return reading.runs(self._connection)

    def run(self, number: int) -> Run:
        """One run. Raises UsageError if there is none of that number."""
        with store_errors(self._file):
            return reading.run_named(self._connection, number, self._file)

    def previous_finished_run(self, run: int) -> int | None:
        """The last run before this one that came to its end and looked at a repository.

        What only a run found that ended early was never compared with anything.
        """
        with store_errors(self._file):
            return reading.previous_finished_run(self._connection, run)

    def scans(self, run: int) -> list[RepositoryScan]:
        """How each repository stands in a run, by label."""
        with store_errors(self._file):
            return reading.scans(self._connection, run)

    def attempts(self, run: int) -> list[Attempt]:
        """The failed attempts of a run, in the order in which they were recorded."""
        with store_errors(self._file):
            return reading.attempts(self._connection, run)

    def unread(self, run: int) -> list[Unread]:
        """What could not be read by the scans that gave what is held in a run."""
        with store_errors(self._file):
            return reading.unread(self._connection, run)

    def held(self, run: int) -> list[Holding]:
        """What each repository of a run holds of each credential."""
        with store_errors(self._file):
            return list(reading.held(self._connection, run))

    def places(self, held: Holding, *, most: int | None = None) -> list[Location]:
        """Where it stands: the first place of each role, then those first that help a reader most."""
        with store_errors(self._file):
            return list(reading.places(self._connection, held.number, held.label, most))

    def places_by_role(self, held: Holding) -> Mapping[Role, int]:
        """How many places it has, by the role of the value there."""
        with store_errors(self._file):
            return reading.places_by_role(self._connection, held.number)

    def verifications(self, run: int) -> Mapping[str, Verification]:
        """The last answer about each credential, up to a run, by the id under which it was recorded."""
        with store_errors(self._file):
            return reading.verifications(self._connection, run)

    def _take_over(self) -> None:
        """Fills a new file, makes it fit for a run, and says who has it."""
        with store_errors(self._file):
            connection = self._connection
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                schema.create(connection)
            connection.executescript(FOR_A_RUN)
            connection.execute(
                "INSERT OR REPLACE INTO holder VALUES (1, ?, ?, ?)", (self._moment(), host(), os.getpid())
            )

    def _check_last(self, run: int) -> None:
        last = self.runs()[-1:]
        if self.run(run) not in last:
            raise UsageError(f"run {run} of store {self._file} is over", hint="Only the last run can be resumed.")

    @contextmanager
    def _recording(self, run: int, key: str) -> Iterator[recording.Waiting | None]:
        with self._writing() as connection:
            row = connection.execute("SELECT id, status FROM runs ORDER BY id DESC LIMIT 1").fetchone()
            if row != (run, RunStatus.RUNNING.value):
                raise ScanError(f"run {run} of store {self._file} is not going on")
            try:
                at = recording.waiting(connection, run, key)
            except KeyError:
                raise ScanError(f"{cells.plain(key)} is no repository of run {run}") from None
            yield at

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing."""
        if self._lock is None:
            raise ScanError(f"store {self._file} was opened for reading only")
        connection = self._connection
        with store_errors(self._file):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                rollback(connection)

    def _moment(self) -> str:
        return self._now().isoformat()


def _no_clock() -> datetime:
    raise ScanError("a store that is only read needs no clock")
