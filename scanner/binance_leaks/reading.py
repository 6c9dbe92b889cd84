"""Read the files that configure us or that we wrote: whole, within a limit, and only where they can end.

A repository brings some of them. A named pipe, device or endless file in the place of one must not stop a scan or fill
the memory. A pipe that the user's shell made, as for `<(…)`, is below `/dev` and may be read.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import BinaryIO

from binance_leaks.errors import UsageError
from binance_leaks.quantities import human_size

LARGEST_CONFIGURATION = 4 << 20
LARGEST_BASELINE = 64 << 20
LARGEST_REPORT = 256 << 20
LARGEST_LIST = 64 << 20
LARGEST_STATE = 2 << 30
"""Bytes of each sort of file. A state has 8 bytes for each object of a history."""
_OF_SHELLS = "/dev/"


def read_file(file: str | os.PathLike[str], limit: int) -> bytes:
    """Return the bytes of a file. Raises OSError, also for one that is not regular or has more than `limit` bytes."""
    name = os.fspath(file)
    is_of_shell = name.startswith(_OF_SHELLS)
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | (0 if is_of_shell else getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(os.open(name, flags), "rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        if not (stat.S_ISREG(mode) or is_of_shell):
            raise OSError(errno.EINVAL, f"it is {kind_of(mode)}, not a regular file", name)
        return read_limited(stream, limit, name)


def kind_of(mode: int) -> str:
    """What a file is that is not regular, as a link, a folder, a named pipe."""
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no plain file")


def read_limited(stream: BinaryIO, limit: int, name: str) -> bytes:
    """Return all that a stream gives. Raises OSError where that is more than `limit` bytes."""
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it has more than {human_size(limit)}", name)
    return data


def read_standard_input(limit: int, what: str) -> bytes:
    """Return the standard input. Raises UsageError where it cannot be read, or has more than `limit` bytes."""
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    try:
        return read_limited(sys.stdin.buffer, limit, "standard input")
    except OSError as error:
        raise UsageError(f"{what} on standard input cannot be read: {error.strerror}") from None
