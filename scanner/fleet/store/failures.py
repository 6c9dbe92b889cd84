"""What goes wrong with a store, told in one line with what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scanner.errors import ScanError

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
