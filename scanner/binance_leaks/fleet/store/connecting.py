"""Connections to a store: for a run, for reading, and what is told of who has it."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from binance_leaks.errors import ScanError
from binance_leaks.fleet.store import columns

_FULL = "disk is full"
_FOREIGN = "not a database"
_READ_ONLY = "readonly"
_LOCKED = "locked"
_NOT_OPENED = "unable to open"
_TROUBLE = "disk I/O error"
_TOO_OLD_A_COPY = "Restore it from a copy, or name another file, which is filled by a new run."


@contextmanager
def told(file: Path) -> Iterator[None]:
    """Raises ScanError, naming the store, for what SQLite says inside, and for rows that no version has written.

    SQLite's own words go along where they are known to hold no more than words.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _as_told(file, str(error)) from None
    except OSError as error:
        raise ScanError(f"store {file} cannot be used: {error.strerror}") from None
    except ValueError:
        raise ScanError(
            f"store {file} is damaged: it holds what binance-leaks does not write", hint=_TOO_OLD_A_COPY
        ) from None


def _as_told(file: Path, said: str) -> ScanError:
    if _FULL in said:
        return ScanError(
            f"store {file} cannot be written: the disk is full",
            hint="Make room, then go on where it stopped with --resume.",
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
            hint="Check the disk, then go on where it stopped with --resume.",
        )
    damage = "it is no database any more" if _FOREIGN in said else "SQLite cannot read it"
    return ScanError(f"store {file} is damaged: {damage}", hint=_TOO_OLD_A_COPY)


class Lock:
    """Held from `take` until `release`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def take(cls, store: Path) -> Lock | None:
        """The lock of a store, None if somebody has it. Raises sqlite3.Error where locks do not work."""
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
        """Let others have it."""
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


def connected(file: Path, mode: str) -> sqlite3.Connection:
    """A connection to an existing file, `mode` as in SQLite's addresses: `ro` or `rw`."""
    address = f"{file.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def reader(file: Path) -> sqlite3.Connection:
    """A connection that reads. Where nothing can be put beside the file it is taken for one that nobody writes to."""
    connection = connected(file, "ro")
    try:
        connection.execute("SELECT 1 FROM runs LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        log = file.with_name(f"{file.name}-wal")
        if "unable to open" not in str(error) or (log.exists() and log.stat().st_size):
            raise
        return connected(file, "ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def roll_back(connection: sqlite3.Connection) -> None:
    """Ends a transaction without a trace, if there is one: after some errors SQLite has done it already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def busy(file: Path) -> ScanError:
    """The error that says which run has the store, as far as it wrote that down."""
    row = None
    with suppress(sqlite3.Error), closing(connected(file, "ro")) as connection:
        row = connection.execute("SELECT process, host, since FROM holder").fetchone()
    who = f": process {row[0]} on {columns.plain(str(row[1]))}, since {columns.plain(str(row[2]))[:19]}" if row else ""
    return ScanError(
        f"store {file} is in use by another run{who}",
        hint="Wait until that run has ended, end it and go on with --resume, or name another store.",
    )


def host() -> str:
    """The name of this machine."""
    return platform.node() or "unknown"
