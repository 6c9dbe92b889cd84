"""What is to become of one file: written, left as it is, or left alone because a machine should not touch it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from binance_leaks.errors import UsageError
from binance_leaks.writing import replace_file

_LARGEST = 1 << 20
"""Bytes of the largest file that is amended; those of people are a hundredth of that."""


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The top folder of a work tree. Paths are relative to it, with `/`."""

    top: Path

    def read(self, path: str) -> bytes | None:
        """A file's content, None where there is none. Raises UsageError for what is no file of this work tree."""
        place = self._place(path)
        try:
            if not stat.S_ISREG(place.stat().st_mode):
                raise UsageError(f"{path} is not a file")
            if place.stat().st_size > _LARGEST:
                raise UsageError(f"{path} is too large to be changed by a program")
            return place.read_bytes()
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise UsageError(f"{path} cannot be made: a part of its path is a file") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None

    def write(self, path: str, data: bytes) -> None:
        """Puts a file in place at once and whole, its permissions kept. Raises UsageError where that fails."""
        place = self._place(path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            replace_file(place, data)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None

    def _place(self, path: str) -> Path:
        """Where a file really is: a link within the work tree is followed, and stays."""
        named = self.top / path
        try:
            top, place = self.top.resolve(), Path(os.path.realpath(named))
        except OSError as error:
            raise UsageError(f"{path} cannot be found: {error.strerror}") from None
        inner = place.relative_to(top).parts if place.is_relative_to(top) else ()
        if not inner or inner[0].lower() == ".git":
            raise UsageError(f"{path} leads out of the work tree", hint="It is a link, or lies below one.")
        if place.is_symlink() or (named.is_symlink() and not place.exists()):
            raise UsageError(f"{path} is a link to nowhere")
        return place


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """A file that is made or changed. `path` is relative to the top of the work tree; `old` is None for a new one."""

    path: str
    old: bytes | None
    new: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Keep:
    """A file that has everything already."""

    path: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Refuse:
    """A file that a person must change.

    `by_hand` is what to put there; `old` and `wanted` show how a file that is ours as a whole would differ.
    """

    path: str
    why: str
    by_hand: str = ""
    old: bytes = b""
    wanted: bytes | None = None


Plan: TypeAlias = Write | Keep | Refuse
