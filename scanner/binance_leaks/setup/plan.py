"""Plan and make the change of one file: write it, keep it, or refuse.

A file that is ours as a whole has a first line with a digest, which shows whether anybody has edited it since.
"""

from __future__ import annotations

import stat
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.sources.path_roots import resolve_inside
from binance_leaks.writing import replace_file

_MARKER = lazy_pattern(rb"(?:#|//) Written by `binance-leaks init` \(digest ([0-9a-f]{16})\); .*\r?\n")
_DIGITS = 16  # against oversight, not forgery: who can edit the file can do anything
_LARGEST = 1 << 20
"""Bytes of the largest file that is amended; real ones are a hundredth of that."""


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The top folder of a work tree. Paths are relative to it, with `/`."""

    top: Path

    def read(self, path: str) -> bytes | None:
        """Read a file, None where there is none.

        Raises UsageError for what is not a file of this work tree.
        """
        file = self._resolve(path)
        try:
            if not stat.S_ISREG(file.stat().st_mode):
                raise UsageError(f"{path} is not a file")
            if file.stat().st_size > _LARGEST:
                raise UsageError(f"{path} is too large to be changed by a program")
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise UsageError(f"{path} cannot be made: a part of its path is a file") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole or not at all, and keep its mode.

        Raises UsageError where that fails.
        """
        file = self._resolve(path)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, data)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None

    def _resolve(self, path: str) -> Path:
        """Return the real path of a file: a link within the work tree is followed, and kept."""
        named = self.top / path
        try:
            real = resolve_inside(str(self.top), path)
        except OSError as error:
            raise UsageError(f"{path} cannot be found: {error.strerror}") from None
        if real is None:
            raise UsageError(f"{path} leads out of the work tree", hint="It is a link, or lies below one.")
        file = Path(real)
        if file.is_symlink() or (named.is_symlink() and not file.exists()):
            raise UsageError(f"{path} is a link to nowhere")
        return file


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """A file to write.

    `path` is relative to the top of the work tree; `old` is None for a new file.
    """

    path: str
    old: bytes | None
    new: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Keep:
    """A file that needs no change."""

    path: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Refuse:
    """A file that a person must change.

    `by_hand` is what to put into it; `old` and `wanted` show how a file that is ours as a whole would differ.
    """

    path: str
    why: str
    by_hand: str = ""
    old: bytes = b""
    wanted: bytes | None = None


Plan: TypeAlias = Write | Keep | Refuse


def plan_file(path: str, old: bytes | None, body: str, *, notes: tuple[str, ...] = (), comment: str = "#") -> Plan:
    """Plan a file whose whole content is ours, in a language whose comments begin so.

    One that was edited, or that we did not write, is refused.
    """
    new = with_marker(body, comment)
    if old is None:
        return Write(path=path, old=None, new=new, notes=notes)
    if _with_unix_line_ends(old) == new:
        return Keep(path=path)
    if not is_unedited(old):
        why = "it was edited since it was written" if has_marker(old) else "it was there before"
        return Refuse(path=path, why=why, old=old, wanted=new)
    return Write(path=path, old=old, new=new.replace(b"\n", b"\r\n") if b"\r\n" in old else new, notes=notes)


def with_marker(body: str, comment: str = "#") -> bytes:
    """Return the file's bytes with the marker as first line."""
    line = (
        f"{comment} Written by `binance-leaks init` (digest {_digest(body.encode())}); once edited, it is left alone.\n"
    )
    return (line + body).encode("utf-8")


def has_marker(data: bytes) -> bool:
    """Whether we wrote a file, edited since or not."""
    return _MARKER.match(data) is not None


def is_unedited(data: bytes) -> bool:
    """Whether a file is as we wrote it; a checkout may have changed its line ends."""
    found = _MARKER.match(data)
    return found is not None and found[1].decode() == _digest(_with_unix_line_ends(data[found.end() :]))


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()[:_DIGITS]


def _with_unix_line_ends(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")
