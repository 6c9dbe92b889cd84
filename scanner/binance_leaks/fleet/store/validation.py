"""What a worker reports, held to the shape in which it is read again, and its text without values.

All functions raise ValueError, or TypeError, for what has another shape; those for columns take many cells at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from binance_leaks.fleet.store import columns
from binance_leaks.model import Role
from binance_leaks.report.json import WireCommit
from binance_leaks.report.sanitize import Redactor

_ID = re.compile(r"[0-9a-f]{8,64}")
_LENGTHS = frozenset({0, 40, 64})
_ROLES = frozenset(role.value for role in Role)
_MOST = 2**53
_REDACTOR = Redactor(MappingProxyType({}))


def path(cell: object) -> str:
    """A path, or the name of a reference."""
    return _REDACTOR.path(columns.storable(cell))


def prose(cell: object) -> str:
    """Free text."""
    return _REDACTOR.prose(columns.storable(cell))


def proses(cell: object) -> list[str]:
    """A list of free texts."""
    if not isinstance(cell, list):
        raise ValueError("no list")
    return [prose(each) for each in cell]


def identity(cell: object) -> str:
    """The id of a credential."""
    if _ID.fullmatch(columns.text(cell)) is None:
        raise ValueError("no id")
    return columns.text(cell)


def truth(cell: object) -> bool:
    """True or false."""
    if not isinstance(cell, bool):
        raise ValueError("neither true nor false")
    return cell


def commit(told: WireCommit) -> WireCommit:
    """A commit."""
    objects([told["id"]])
    if not told["id"]:
        raise ValueError("a commit without an id")
    return {
        "id": told["id"],
        "author": prose(told["author"]),
        "date": path(told["date"]),
        "subject": prose(told["subject"]),
    }


def truths(column: Iterable[object]) -> None:
    """Each is true or false."""
    if not {*map(type, column)} <= {bool}:
        raise ValueError("neither true nor false")


def counted(column: Sequence[int]) -> None:
    """Each is a whole number from 1."""
    if {*map(type, column)} != {int} or min(column) < 1 or max(column) > _MOST:
        raise ValueError("no whole number from 1")


def roles(column: Iterable[str]) -> None:
    """Each is a role."""
    if not {*column} <= _ROLES:
        raise ValueError("no role")


def objects(column: Iterable[str]) -> None:
    """Each is the id of an object, or empty."""
    names = {*column}
    if not {*map(len, names)} <= _LENGTHS or "".join(names).strip("0123456789abcdef"):
        raise ValueError("no id of an object")


def changed(column: Iterable[str]) -> Mapping[str, str]:
    """What is to stand in place of those paths, or lists of references, that hold values."""
    columns.storable(together := "\n".join(column))
    if path(together) == together:  # as nearly always
        return {}
    return {cell: shown for cell in {*column} if (shown := path(cell)) != cell}
