"""One run at a time: a lock beside the store that ends with the process, however that ends.

It is a transaction that nobody finishes, in a database without content: the standard library has no other lock that is
the same on every system. Forked processes do not inherit it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path


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
