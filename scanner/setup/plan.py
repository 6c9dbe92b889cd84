"""What is to become of one file: written, left as it is, or left alone because a machine should not touch it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


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
