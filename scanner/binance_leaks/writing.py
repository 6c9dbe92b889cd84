"""Write files whole or not at all: readers see the old content or the new.

A draft is written beside the file, with what it holds on disk, and then gets the file's name. Where that fails no
draft is left; that of a process which was killed is removed by the next one, or by `doctor`. A symbolic link is
replaced, not followed; another name of the same file (a hard link) keeps the old content.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PRIVATE = 0o600
_DRAFT = ".binance-leaks-"
DRAFTS = f"{_DRAFT}*.tmp"
"""The pattern of their names."""


def replace_file(file: Path, data: bytes, *, private: bool = False) -> None:
    """Write a file, over the one that may be there. Raises OSError.

    It keeps the mode of the file that it replaces, and a new one gets the usual mode; a `private` one always has 0600.
    """
    with _replacement(file, data, private=private) as draft:
        draft.replace(file)


def edit_file(file: Path, old: bytes | None, new: bytes) -> None:
    """Write a file over the content that the new one was made from, None where there was none.

    Raises OSError, also where the file has another content by now.
    """
    with _replacement(file, new) as draft:
        if (file.read_bytes() if file.is_file() else None) != old:
            raise OSError(errno.EBUSY, "it was changed meanwhile; run the command again")
        draft.replace(file)


def create_private_file(file: Path, data: bytes) -> None:
    """Write a new file with mode 0600.

    Raises FileExistsError where anything has its name, a link too, and OSError.
    """
    with _draft(file, data, _PRIVATE) as draft:
        try:
            os.link(draft, file)
        except FileExistsError:
            raise
        except OSError:  # some file systems have no links
            if os.path.lexists(file):
                raise FileExistsError from None
            draft.replace(file)
        else:
            draft.unlink()


def remove_left_drafts(folder: Path) -> int:
    """Remove what processes that were killed have left in a folder where they wrote; return how many."""
    from binance_leaks.temporary_folders import is_left  # start-up: most scans write no file

    removed = 0
    with suppress(OSError):  # it is no reason not to write
        for left in folder.glob(DRAFTS):
            if is_left(left):
                left.unlink()
                removed += 1
    return removed


@contextmanager
def _replacement(file: Path, data: bytes, *, private: bool = False) -> Iterator[Path]:
    """A draft with the mode that the file is to have. Until it has its content, nobody else reads more than before."""
    mode = stat.S_IMODE(file.stat().st_mode) if not private and file.exists() else None
    with _draft(file, data, _PRIVATE if private or mode is not None else 0o666) as draft:
        if mode is not None:
            draft.chmod(mode)
        yield draft


@contextmanager
def _draft(file: Path, data: bytes, mode: int) -> Iterator[Path]:
    """A file beside another with this content, which is removed if anything fails."""
    from binance_leaks.temporary_folders import process_mark  # start-up: most scans write no file

    remove_left_drafts(file.parent)
    draft = file.with_name(f"{_DRAFT}{process_mark()}-{os.urandom(6).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(draft, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        yield draft
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
