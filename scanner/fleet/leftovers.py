"""What scanning leaves on a disk and among the processes of this machine: how much, whose, and away with it."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX = "fleet"
_PROCESSES = Path("/proc")


def own_folder() -> Path:
    """A new temporary folder whose name tells which process made it. Raises OSError."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{_host()}-{os.getpid()}-"))


def sweep(folder: Path) -> None:
    """Removes such folders below another one if the process that made them is gone without having done so."""
    if not hasattr(os, "killpg"):
        return  # Windows: asking whether a process lives would end it
    for left in folder.glob(f"{_PREFIX}-{_host()}-*-*"):
        number = left.name.split("-")[-2]
        with suppress(OSError):
            if number.isdecimal() and _is_ours(left) and not _lives(int(number)):
                end_those_in(left)
                shutil.rmtree(left, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 - many, and as text
    return total


def end_those_in(folder: Path) -> None:
    """Ends the processes that work below a folder, each with its group: git, where it outlived whoever started it.

    Where the system does not tell which they are, git notices by itself that nobody listens any more.
    """
    if not _PROCESSES.is_dir() or not hasattr(os, "killpg"):
        return
    for entry in _PROCESSES.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                where, group = (entry / "cwd").readlink(), os.getpgid(int(entry.name))
                if where.is_relative_to(folder) and group != os.getpgrp():
                    os.killpg(group, signal.SIGKILL)


def _host() -> str:
    return "".join(char for char in platform.node() if char.isalnum())[:40]


def _is_ours(folder: Path) -> bool:
    return not hasattr(os, "geteuid") or folder.lstat().st_uid == os.geteuid()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    except OverflowError:  # a name that this program never gave
        return True
    return True
