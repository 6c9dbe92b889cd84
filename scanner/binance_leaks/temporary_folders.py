"""Temporary folders and files that are recognised and removed when the process that made them was killed.

Their names have the host, the namespace of its processes, the process and when it started, as the number of a process
is soon given to another one, and means another process in each container. Only what belongs to this user is removed.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_KINDS = ("mirror", "fetch", "fleet", "store", "binance-leaks-doctor")
"""Names of folders. That of a folder with a repository can be evidence, and mentions no exchange."""
_STARTED = 19
"""The field of `/proc/PID/stat` behind the name of the program."""


def process_mark() -> str:
    """Name this process: its host, the namespace of its number where there is one, its number and start."""
    where = "-".join(filter(None, (_host(), _namespace())))
    return f"{where}-{os.getpid()}-{_started(os.getpid())}"


def make_folder(kind: str) -> Path:
    """Make a temporary folder of this process. Raises OSError."""
    if kind not in _KINDS:
        raise ValueError(kind)
    return Path(tempfile.mkdtemp(prefix=f"{kind}-{process_mark()}-"))


@contextmanager
def temporary_folder(kind: str) -> Iterator[Path]:
    """A temporary folder that is removed at the end, with those that earlier runs have left. Raises OSError."""
    remove_left_folders()
    folder = make_folder(kind)
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder, as far as the system lets it."""
    if sys.platform == "win32":  # it keeps files that are read-only, as packs are
        for place, _, names in os.walk(folder):
            for name in names:
                with suppress(OSError):
                    Path(place, name).chmod(stat.S_IWRITE)
    shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders(within: Path | None = None) -> int:
    """Remove the folders of processes that have ended without removing them; return how many."""
    removed = 0
    within = Path(tempfile.gettempdir()) if within is None else within
    for kind in _KINDS:
        for left in within.glob(f"{kind}-{_host()}-*-*-*"):
            if left.is_dir() and is_left(left):
                kill_processes_in(left)
                remove_folder(left)
                removed += not left.exists()
    return removed


def is_left(path: Path) -> bool:
    """Whether the process whose mark is in a name has ended, and the path belongs to this user.

    Never for a process of another namespace, which may live unseen; a mark without one is of an earlier version.
    """
    if sys.platform == "win32":
        return False  # asking whether a process lives would end it
    parts = path.name.split("-")
    here = parts[-4:-3] == [_host()] or parts[-5:-3] == [_host(), _namespace()]
    if not here or not (parts[-3] + parts[-2]).isdecimal():
        return False
    number, started = parts[-3:-1]
    try:
        if path.lstat().st_uid != os.geteuid():
            return False
    except OSError:
        return False
    return not _is_running(int(number)) or _started(int(number)) not in (int(started), 0)


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 - many, and as text
    return total


def kill_processes_in(folder: Path) -> None:
    """Kill the process groups that work below a folder: git, where it outlived its parent.

    Where the system does not list processes, git ends by itself when nobody reads its output.
    """
    if sys.platform == "win32" or not _PROCESSES.is_dir():
        return
    for entry in _PROCESSES.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                where, group = (entry / "cwd").readlink(), os.getpgid(int(entry.name))
                if where.is_relative_to(folder) and group != os.getpgrp():
                    os.killpg(group, signal.SIGKILL)


def _host() -> str:
    return "".join(char for char in platform.node() if char.isalnum())[:40]


def _namespace() -> str:
    """The number of the namespace of processes that this one is in; empty where there is none, or it is not known."""
    try:
        return "".join(filter(str.isdecimal, str((_PROCESSES / "self" / "ns" / "pid").readlink())))
    except OSError:
        return ""


def _started(process: int) -> int:
    """When a process started, in ticks since the system did; 0 where that is not known."""
    try:
        text = (_PROCESSES / str(process) / "stat").read_text("ascii", "replace")
        return int(text.rpartition(")")[2].split()[_STARTED])
    except (OSError, ValueError, IndexError):
        return 0


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    except OverflowError:  # a name that this program never gave
        return True
    return True
