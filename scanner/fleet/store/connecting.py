"""Connections to a store: for a run, for reading, and what is told of who has it."""

from __future__ import annotations

import platform
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from scanner.errors import ScanError
from scanner.fleet.store import cells

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
    who = f": process {row[0]} on {cells.plain(str(row[1]))}, since {cells.plain(str(row[2]))[:19]}" if row else ""
    return ScanError(
        f"store {file} is in use by another run{who}",
        hint="Wait until that run has ended, end it and go on with --resume, or name another store.",
    )


def host() -> str:
    """The name of this machine."""
    return platform.node() or "unknown"
