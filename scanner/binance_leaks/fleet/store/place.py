"""Where a store is: whether the file can be one, is one, and is its owner's alone, as every new one is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from binance_leaks.errors import ScanError, UsageError
from binance_leaks.fleet.store.schema import APPLICATION, VERSION

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_USER_VERSION, _APPLICATION_ID = 60, 68
_COMPANIONS = ("-wal", "-shm", "-journal", "-lock", "-lock-journal")
_ANOTHER = "Name another file."


def prepare(file: Path) -> bool:
    """Makes sure that a run can write to the store, and says whether the file is new, still to be filled.

    Whoever may not change the store shall not read it either: an existing one is given mode 0600. Raises UsageError for
    a file that is no store of this version or that others could have changed, ScanError for one that cannot be read.
    """
    lock = file.with_name(f"{file.name}-lock")
    made = _made(file) or is_empty(file)
    if not made:
        check(file)
    _made(lock)
    try:
        for each in (file, lock):
            if os.name == "posix" and stat.S_IMODE(each.lstat().st_mode) != 0o600:
                each.chmod(0o600)
    except OSError as error:
        raise ScanError(f"store {file} cannot be kept from others: {error.strerror}") from None
    return made


def check(file: Path) -> None:
    """Raises UsageError for what is no store of this version, ScanError for one that cannot be read."""
    judge(file)
    try:
        with file.open("rb") as stream:
            header = stream.read(_HEADER)
    except OSError as error:
        raise ScanError(f"store {file} cannot be read: {error.strerror}") from None
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise UsageError(f"{file} is no store: it is no SQLite database", hint=_ANOTHER)
    if _number(header, _APPLICATION_ID) != APPLICATION:
        raise UsageError(f"{file} is no store: it is the database of another program", hint=_ANOTHER)
    version = _number(header, _USER_VERSION)
    if version != VERSION:
        age = "a newer" if version > VERSION else "an older"
        raise UsageError(
            f"store {file} was made by {age} version of binance-leaks: its schema is {version}, not {VERSION}",
            hint="Use that version, or name another file, which is filled by a new run.",
        )


def judge(file: Path) -> None:
    """Raises UsageError if there is no such file, or if another user could have made or changed it."""
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent} for the store", hint="Make it, or name another one.")
    for each in (file, *(file.with_name(file.name + suffix) for suffix in _COMPANIONS)):
        try:
            strange = _strange(each.lstat())
        except FileNotFoundError:
            if each == file:
                raise UsageError(
                    f"there is no store {file}", hint="The first run that names it with --store makes it."
                ) from None
            continue
        except OSError as error:
            raise ScanError(f"store {file} cannot be read: {error.strerror}") from None
        if strange:
            raise UsageError(f"{each} {strange}, so it is not believed as a store", hint=_ANOTHER)


def is_empty(file: Path) -> bool:
    """Whether it is a file of no bytes, as `mktemp` leaves it, or a run that ended before it wrote anything."""
    judge(file)
    return file.stat().st_size == 0


def _made(file: Path) -> bool:
    """Makes a file of mode 0600, which SQLite then gives to those that it puts beside it. Whether it was not there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        os.close(os.open(file, flags, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        judge(file)
        raise ScanError(f"store {file} cannot be made: {error.strerror}", hint=_ANOTHER) from None
    return True


def _strange(status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "is a link"
    if stat.S_ISDIR(status.st_mode):
        return "is a folder"
    if not stat.S_ISREG(status.st_mode):
        return "is no plain file"
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        return "belongs to another user"
    if os.name == "posix" and status.st_mode & 0o022:
        return "can be changed by other users"
    return ""


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")
