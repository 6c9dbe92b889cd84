"""Read files safely: no pipe, device, link or late change surprises.

Small files take four system calls and no buffered stream, because nearly all of a scan of files is this.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from binance_leaks.findings import Skipped
from binance_leaks.sources.archive_kind import archive_kind
from binance_leaks.sources.chunk import Chunk
from binance_leaks.sources.read_content import WHOLE_LIMIT, read_stream
from binance_leaks.sources.streams import describe_error
from binance_leaks.sources.tree import FileEntry, list_files

__all__ = ["FileEntry", "list_files", "read_chunks"]

# A pipe or device that took a file's place after it was listed must not make open() wait. Windows lacks most of these.
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):
    _FLAGS |= getattr(os, _name, 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_IS_LINK = (errno.ELOOP, errno.EMLINK)
_BUFFER = 64 << 10


def read_chunks(entry: FileEntry) -> Iterator[Chunk | Skipped]:
    """What a listed file holds: whole, in windows, or the members of an archive.

    No OSError comes from here.

    A symbolic link gives its text, unless the user named it. A file that vanished since it was listed is not lost; one
    that cannot be read, or not to its end, is.
    """
    if entry.link:
        yield _link_text(entry)
        return
    try:
        descriptor = os.open(entry.path, _FLAGS if entry.explicit else _FLAGS | _NO_LINK)
    except OSError as error:
        became_link = error.errno in _IS_LINK and not entry.explicit
        yield _link_text(entry) if became_link else _unread(entry, error)
        return
    try:
        yield from _content(entry, descriptor)
    except OSError as error:
        yield _unread(entry, error)
    finally:
        os.close(descriptor)


def _content(entry: FileEntry, descriptor: int) -> Iterator[Chunk | Skipped]:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        lost = entry.explicit or stat.S_ISDIR(status.st_mode)
        yield Skipped(what=entry.shown, why="no longer a file", lost=lost)
        return
    if status.st_size <= WHOLE_LIMIT:
        data = os.read(descriptor, status.st_size + 1)
        if len(data) == status.st_size and archive_kind(data) is None:
            yield Chunk(path=entry.shown, evidence_path=entry.evidence_path, data=data)
            return
        os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", buffering=_BUFFER, closefd=False) as stream:
        # Files of the kernel say that they are empty, and are not.
        yield from read_stream(entry.shown, entry.evidence_path, stream, size=status.st_size or None)


def _link_text(entry: FileEntry) -> Chunk | Skipped:
    try:
        text = os.fsencode(os.readlink(entry.path))  # noqa: PTH115 - pathlib would cost more than reading
    except OSError as error:
        return _unread(entry, error)
    return Chunk(path=entry.shown, evidence_path=entry.evidence_path, data=text)


def _unread(entry: FileEntry, error: OSError) -> Skipped:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return Skipped(what=entry.shown, why="it vanished before it was read", lost=False)
    return Skipped(what=entry.shown, why=describe_error(error))
