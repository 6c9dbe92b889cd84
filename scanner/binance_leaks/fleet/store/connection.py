"""Open the store: check and lock its file, connect, create tables.

The tables and views are readable with the sqlite3 program too. A finding is a credential in one repository. It is valid
from the run `since_run` up to, but not including, `gone_run`, which is NULL while it is valid: so an earlier run can be
reported without a copy. A finding that differs in anything is another row. Ref lists are text with one name per line.
"""

from __future__ import annotations

import errno
import os
import platform
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from binance_leaks.errors import ScanError, UsageError
from binance_leaks.fleet.store import cells
from binance_leaks.reading import kind_of

APPLICATION = 0x424C464C
"""`application_id` in the file header: `BLFL`."""
VERSION = 2
"""`user_version` in the file header."""

_TABLES = """
CREATE TABLE holder (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  since TEXT NOT NULL, host TEXT NOT NULL, process INTEGER NOT NULL
);
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL, finished TEXT, status TEXT NOT NULL, target TEXT NOT NULL,
  host TEXT NOT NULL, process INTEGER NOT NULL, version TEXT NOT NULL, facts TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE, label TEXT NOT NULL
);
CREATE TABLE scans (
  run INTEGER NOT NULL REFERENCES runs, repository INTEGER NOT NULL REFERENCES repositories,
  label TEXT NOT NULL, aliases TEXT NOT NULL, size INTEGER NOT NULL,
  status TEXT NOT NULL, since_run INTEGER REFERENCES runs,
  attempts INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0, worker TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '', hint TEXT NOT NULL DEFAULT '',
  complete INTEGER NOT NULL DEFAULT 0, stats TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (run, repository)
) WITHOUT ROWID;
CREATE INDEX scans_of_repository ON scans (repository, run);
CREATE TABLE skipped (
  run INTEGER NOT NULL, repository INTEGER NOT NULL, number INTEGER NOT NULL,
  what TEXT NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (run, repository, number), FOREIGN KEY (run, repository) REFERENCES scans
) WITHOUT ROWID;
CREATE TABLE errors (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL, repository INTEGER NOT NULL, at TEXT NOT NULL, attempt INTEGER NOT NULL,
  reason TEXT NOT NULL, hint TEXT NOT NULL, seconds REAL NOT NULL, worker TEXT NOT NULL,
  FOREIGN KEY (run, repository) REFERENCES scans
);
CREATE INDEX errors_of_run ON errors (run, repository);
CREATE TABLE remembered (
  repository INTEGER PRIMARY KEY REFERENCES repositories,
  fingerprint TEXT NOT NULL, state BLOB
);
CREATE TABLE credentials (
  id TEXT PRIMARY KEY, first_run INTEGER NOT NULL REFERENCES runs
) WITHOUT ROWID;
CREATE TABLE findings (
  id INTEGER PRIMARY KEY,
  repository INTEGER NOT NULL REFERENCES repositories, credential TEXT NOT NULL REFERENCES credentials,
  since_run INTEGER NOT NULL REFERENCES runs, first_run INTEGER NOT NULL REFERENCES runs,
  gone_run INTEGER REFERENCES runs,
  kind TEXT NOT NULL, environment TEXT NOT NULL, confidence TEXT NOT NULL, risk TEXT NOT NULL,
  reasons TEXT NOT NULL, evidence TEXT NOT NULL, suppressed_by TEXT, suppressed_reason TEXT,
  places INTEGER NOT NULL, digest BLOB NOT NULL
);
CREATE UNIQUE INDEX findings_that_hold ON findings (repository, credential) WHERE gone_run IS NULL;
CREATE INDEX findings_of_repository ON findings (repository, since_run);
CREATE INDEX findings_of_credential ON findings (credential);
CREATE TABLE finding_values (
  finding INTEGER NOT NULL REFERENCES findings, number INTEGER NOT NULL,
  role TEXT NOT NULL, sha256 TEXT NOT NULL, masked TEXT NOT NULL,
  PRIMARY KEY (finding, number)
) WITHOUT ROWID;
CREATE INDEX values_by_digest ON finding_values (sha256);
CREATE TABLE commits (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE, author TEXT NOT NULL, date TEXT NOT NULL, subject TEXT NOT NULL
);
CREATE TABLE ref_lists (
  id INTEGER PRIMARY KEY,
  names TEXT NOT NULL UNIQUE
);
CREATE TABLE locations (
  finding INTEGER NOT NULL REFERENCES findings, place INTEGER NOT NULL,
  role TEXT NOT NULL, path TEXT NOT NULL, line INTEGER NOT NULL, "column" INTEGER NOT NULL, exposure TEXT NOT NULL,
  added INTEGER REFERENCES commits, removed INTEGER REFERENCES commits, blob TEXT,
  refs INTEGER NOT NULL REFERENCES ref_lists, pushed INTEGER NOT NULL, standing INTEGER NOT NULL,
  replaceable INTEGER NOT NULL, cell INTEGER, cell_part TEXT,
  PRIMARY KEY (finding, place)
) WITHOUT ROWID;
CREATE TABLE verifications (
  credential TEXT NOT NULL, run INTEGER NOT NULL REFERENCES runs, answer TEXT NOT NULL,
  PRIMARY KEY (credential, run)
) WITHOUT ROWID;
"""
_VIEWS = """
CREATE VIEW held AS
  SELECT f.id AS finding, f.credential, s.label AS repository, f.kind, f.environment, f.confidence, f.risk,
         f.first_run, f.places, f.suppressed_by, group_concat(v.masked, ' ') AS masked
  FROM scans s JOIN findings f ON f.repository = s.repository AND f.gone_run IS NULL
  JOIN finding_values v ON v.finding = f.id
  WHERE s.run = (SELECT max(id) FROM runs)
  GROUP BY f.id;
CREATE VIEW exposed AS
  SELECT h.credential, h.masked, h.kind, h.environment, h.confidence, h.risk, h.repository,
         l.role, l.path, l.line, l.exposure, c.name AS in_commit, c.author, c.date, l.pushed
  FROM held h JOIN locations l ON l.finding = h.finding LEFT JOIN commits c ON c.id = l.added
  WHERE h.suppressed_by IS NULL;
CREATE VIEW shared AS
  SELECT credential, min(masked) AS masked, count(*) AS repositories, sum(places) AS places,
         min(first_run) AS first_run, group_concat(repository, ' ') AS held_by
  FROM held GROUP BY credential HAVING count(*) > 1 ORDER BY repositories DESC;
CREATE VIEW failures AS
  SELECT run, label AS repository, attempts, reason, hint FROM scans WHERE status = 'failed';
"""


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty file, all or none, and mark it.

    With a rollback journal, so that the marks are in the file itself and not in a write-ahead log.
    """
    marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
    connection.executescript(f"BEGIN EXCLUSIVE; {marks} {_TABLES} {_VIEWS} COMMIT;")


_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_USER_VERSION, _APPLICATION_ID = 60, 68
_COMPANIONS = ("-wal", "-shm", "-journal", "-lock", "-lock-journal")
_ANOTHER = "Name another file."


def prepare(file: Path) -> bool:
    """Make sure that a run can write to the store.

    Return whether the file is new and empty.

    Others may not read the store either: an existing one is set to mode 0600. Raises UsageError for a file that is no
    store of this version or that others could have changed, ScanError for one that cannot be read.
    """
    lock = file.with_name(f"{file.name}-lock")
    made = _create(file) or is_empty(file)
    if made:
        check_owner(file)
    else:
        check(file)
    if not made and sys.platform != "win32" and not file.lstat().st_mode & stat.S_IWUSR:
        raise ScanError(f"store {file} is read-only", hint=f"chmod u+w {file}, or name another file.")
    _create(lock)
    try:
        for each in (file, lock):
            if sys.platform != "win32" and stat.S_IMODE(each.lstat().st_mode) != 0o600:
                each.chmod(0o600)
    except OSError as error:
        why = "it is read-only" if error.errno == errno.EROFS else error.strerror
        raise ScanError(f"store {file} cannot be made private: {why}") from None
    return made


def check(file: Path) -> None:
    """Raise UsageError for a file that is no store of this version, ScanError for one that cannot be read."""
    check_owner(file)
    try:
        with file.open("rb") as stream:
            header = stream.read(_HEADER)
    except OSError as error:
        raise ScanError(f"store {file} cannot be read: {error.strerror}") from None
    if not header:
        raise UsageError(f"store {file} is empty", hint="The first run with --store FILE fills it.")
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise UsageError(f"{file} is not a store: it is not an SQLite database", hint=_ANOTHER)
    if _number(header, _APPLICATION_ID) != APPLICATION:
        raise UsageError(f"{file} is not a store: it is the database of another program", hint=_ANOTHER)
    version = _number(header, _USER_VERSION)
    if version != VERSION:
        age = "a newer" if version > VERSION else "an older"
        raise UsageError(
            f"store {file} was made by {age} version of binance-leaks: its schema is {version}, not {VERSION}",
            hint="Use that version, or name another file, which is filled by a new run.",
        )


def check_owner(file: Path) -> None:
    """Raise UsageError if there is no such file, or if another user could have created or changed it."""
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent} for the store", hint="Create it, or name another one.")
    for each in (file, *(file.with_name(file.name + suffix) for suffix in _COMPANIONS)):
        try:
            strange = _untrusted_reason(each.lstat())
        except FileNotFoundError:
            if each == file:
                raise UsageError(
                    f"there is no store {file}", hint="The first run with --store FILE creates it."
                ) from None
            continue
        except OSError as error:
            raise ScanError(f"store {file} cannot be read: {error.strerror}") from None
        if strange:
            raise UsageError(f"{each} {strange}, so it is not trusted as a store", hint=_ANOTHER)


def is_empty(file: Path) -> bool:
    """Whether the file is empty, as `mktemp` leaves it, or a run that ended before it wrote anything."""
    check_owner(file)
    return file.stat().st_size == 0


def _create(file: Path) -> bool:
    """Create a file of mode 0600, which SQLite copies to its companions; return whether it was missing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        os.close(os.open(file, flags, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        if not file.parent.is_dir():
            check_owner(file)
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ScanError(f"{file} cannot be created: its folder is read-only", hint=_ANOTHER) from None
        raise ScanError(f"store {file} cannot be created: {error.strerror}", hint=_ANOTHER) from None
    return True


def _untrusted_reason(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return f"is {kind_of(status.st_mode)}"
    if sys.platform != "win32" and status.st_uid != os.geteuid():
        return "belongs to another user"
    if sys.platform != "win32" and status.st_mode & 0o022:
        return "can be changed by other users"
    return ""


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")


_FULL = "disk is full"
_FOREIGN = "not a database"
_READ_ONLY = "readonly"
_LOCKED = "locked"
_NOT_OPENED = "unable to open"
_TROUBLE = "disk I/O error"
_TOO_OLD_A_COPY = "Restore it from a copy, or name another file, which is filled by a new run."


@contextmanager
def store_errors(file: Path) -> Iterator[None]:
    """Raise ScanError for SQLite's errors inside, and for rows that no version has written.

    The text of SQLite is used only where it is known to hold no data.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _scan_error(file, str(error)) from None
    except OSError as error:
        raise ScanError(f"store {file} cannot be used: {error.strerror}") from None
    except ValueError:
        raise ScanError(
            f"store {file} is damaged: it has content that binance-leaks does not write", hint=_TOO_OLD_A_COPY
        ) from None


def _scan_error(file: Path, said: str) -> ScanError:
    if _FULL in said:
        return ScanError(
            f"store {file} cannot be written: the disk is full",
            hint="Free some space, then continue with --resume.",
        )
    if _READ_ONLY in said:
        return ScanError(f"store {file} cannot be written: it, or its folder, is read-only", hint="Name another file.")
    if _LOCKED in said:
        return ScanError(
            f"store {file} is in use by another program that writes to it", hint="End that program, then try again."
        )
    if _NOT_OPENED in said:
        return ScanError(f"store {file} cannot be opened", hint="Check the permissions of it and of its folder.")
    if _TROUBLE in said:
        return ScanError(
            f"store {file} cannot be read or written: the disk, or a limit on the size of files, refuses it",
            hint="Check the disk, then continue with --resume.",
        )
    damage = "it is no longer a database" if _FOREIGN in said else "SQLite cannot read it"
    return ScanError(f"store {file} is damaged: {damage}", hint=_TOO_OLD_A_COPY)


class Lock:
    """An exclusive lock, from `take` until `release`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def take(cls, store: Path) -> Lock | None:
        """Lock a store; None if another process has it.

        Raises sqlite3.Error where locks do not work.
        """
        file = store.with_name(f"{store.name}-lock")
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            if "locked" in str(error):
                return None
            raise
        return cls(connection)

    def release(self) -> None:
        """Unlock it."""
        self._connection.close()


_CACHE_KIB = 16_384
_PATIENCE = 10.0
# Foreign keys are not enforced: a sixth of the time of recording for what one writer, under test, keeps anyway.
FOR_A_RUN = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -{_CACHE_KIB};
PRAGMA wal_autocheckpoint = 4000;
"""
"""How a run uses the file: readers are not in its way, and if the machine crashes the last repositories are lost."""


def connect(file: Path, mode: str) -> sqlite3.Connection:
    """Connect to an existing file, `mode` as in SQLite's URIs: `ro` or `rw`."""
    address = f"{file.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def connect_reader(file: Path) -> sqlite3.Connection:
    """Connect for reading. In a read-only folder the file is assumed to be unchanging.

    What a run that was killed while it created the store has not finished is rolled back first.
    """
    connection = connect(file, "ro")
    try:
        connection.execute("SELECT 1 FROM runs LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        is_read_only = _READ_ONLY in str(error)
        if is_read_only and _has_content(file, "-journal"):
            return _connect_after_rollback(file)
        if not (is_read_only or _NOT_OPENED in str(error)) or _has_content(file, "-wal"):
            raise
        return connect(file, "ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def _has_content(store: Path, suffix: str) -> bool:
    file = store.with_name(f"{store.name}{suffix}")
    return file.exists() and file.stat().st_size > 0


def _connect_after_rollback(file: Path) -> sqlite3.Connection:
    connection = connect(file, "rw")
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        check(file)
    except BaseException:
        connection.close()
        raise
    return connection


def rollback(connection: sqlite3.Connection) -> None:
    """Roll back the transaction, if any: after some errors SQLite has done it already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def in_use_error(file: Path) -> ScanError:
    """Make the error that names the run that has the store, as far as known."""
    row = None
    with suppress(sqlite3.Error), closing(connect(file, "ro")) as connection:
        row = connection.execute("SELECT process, host, since FROM holder").fetchone()
    who = (
        f": process {row[0]} on {cells.redact_text(str(row[1]))}, since {cells.redact_text(str(row[2]))[:19]}"
        if row
        else ""
    )
    return ScanError(
        f"store {file} is in use by another run{who}",
        hint="Wait until that run has ended, stop it and continue with --resume, or name another store.",
    )


def host() -> str:
    """The name of this machine."""
    return platform.node() or "unknown"
