"""The store: opened by one run for writing, or by anyone for reading."""

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
    Repository,
    Run,
    RunStatus,
    ScanFailure,
    ScanResult,
    ScanStatus,
)
from binance_leaks.fleet.store import cells, recording
from binance_leaks.fleet.store.connection import (
    FOR_A_RUN,
    Lock,
    check,
    connect,
    connect_reader,
    create_tables,
    host,
    in_use_error,
    prepare,
    rollback,
    store_errors,
)
from binance_leaks.fleet.store.reading import StoreReader
from binance_leaks.fleet.store.recording import rows_of
from binance_leaks.verification import Verification

_UNFINISHED = (RunStatus.RUNNING, RunStatus.INTERRUPTED)


class Store(StoreReader):
    """An open store, for one thread; a context manager.

    Every method raises ScanError, naming the store, if the file is damaged, locked by another program, or the disk is
    full. Earlier transactions are kept, an unfinished one leaves nothing.
    """

    def __init__(self, file: Path, connection: sqlite3.Connection, lock: Lock | None, now: Callable[[], datetime]):
        super().__init__(file, connection)
        self._lock = lock
        self._now = now

    @classmethod
    def open(cls, file: Path, *, now: Callable[[], datetime]) -> Store:
        """Open the store for a run, create it if needed, and lock it until it is closed or the process ends.

        `now` returns times with their offset. Raises UsageError for a file that is no store of this version or that
        others could have changed, ScanError if another run has it.
        """
        prepare(file)
        with store_errors(file):
            lock = Lock.take(file)
        if lock is None:
            raise in_use_error(file)
        try:
            with store_errors(file):
                connection = connect(file, "rw")
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
        """Open the store for reading, also during a run.

        Raises UsageError if there is none.
        """
        check(file)
        with store_errors(file):
            return cls(file, connect_reader(file), None, _no_clock)

    def close(self) -> None:
        """Close and unlock it."""
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

    def begin(self, target: str, repositories: Sequence[Repository]) -> int:
        """Begin a run over these repositories; return its number.

        An unfinished run is abandoned.
        """
        with self._writing() as connection:
            connection.execute(
                "UPDATE runs SET status = ? WHERE status IN (?, ?)",
                (RunStatus.ABANDONED.value, *(status.value for status in _UNFINISHED)),
            )
            run = connection.execute(
                "INSERT INTO runs (started, status, target, host, process, version) VALUES (?, ?, ?, ?, ?, ?)",
                (self._moment(), RunStatus.RUNNING.value, cells.encode_text(target), host(), os.getpid(), __version__),
            ).lastrowid
            if run is None:
                raise sqlite3.DatabaseError("malformed")
            recording.add_repositories(connection, run, repositories)
        return run

    def unfinished(self) -> Run | None:
        """The last run, if it ended early or some of its repositories failed."""
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
        """Resume the last run.

        Return the repositories that are waiting or failed, with the key as address.

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

    def record(self, run: int, scanned: ScanResult) -> None:
        """Record a result in one transaction.

        Returns nothing if the repository is already done in this run.

        Raises ReplyError for an invalid report, ScanError if the run is not active or has no such repository.
        """
        try:
            rows = rows_of(scanned.report) if scanned.report is not None else None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, UsageError):
            raise ReplyError(
                f"what came back of {cells.redact_text(scanned.key)} is not understood",
                hint="Use the same version of binance-leaks on all machines.",
            ) from None
        with self._recording(run, scanned.key) as at:
            if at is not None:
                recording.scanned(self._connection, at, scanned, rows)

    def record_failure(self, run: int, failed: ScanFailure, *, last: bool) -> None:
        """Record a failed attempt.

        With `last` the repository has failed and keeps its findings.

        Nothing is recorded if the repository is already done in this run. Raises ScanError as `record` does.
        """
        with self._recording(run, failed.key) as at:
            if at is not None:
                recording.failed(self._connection, at, failed, moment=self._moment(), last=last)

    def record_verifications(self, run: int, found: Mapping[str, Verification]) -> None:
        """Record the verifications of credentials in a run, by credential id."""
        with self._writing() as connection:
            recording.verified(connection, run, found)

    def finish(self, run: int, status: RunStatus, facts: Mapping[str, int | float]) -> None:
        """End a run; `facts` are its counts by name, `seconds` among them."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE runs SET status = ?, finished = ?, facts = ? WHERE id = ?",
                (status.value, self._moment(), json.dumps(dict(facts)), run),
            )

    def _take_over(self) -> None:
        """Create the tables if needed, set it up for a run, and record who has it."""
        with store_errors(self._file):
            connection = self._connection
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                create_tables(connection)
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
                raise ScanError(f"run {run} of store {self._file} is not active")
            try:
                at = recording.waiting(connection, run, key)
            except KeyError:
                raise ScanError(f"{cells.redact_text(key)} is not a repository of run {run}") from None
            yield at

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing."""
        if self._lock is None:
            raise ScanError(f"store {self._file} is open for reading only")
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
    raise ScanError("the store is open for reading only")
