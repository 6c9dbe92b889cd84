"""Check the cells of the store, as they are written and as they are read.

Text of workers is redacted. All functions raise ValueError or TypeError for invalid input; those for columns check many
cells at once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import CellPart, Role
from binance_leaks.report.json import WireCommit
from binance_leaks.report.sanitize import Redactor, encodable, without_values


def encode_text(text: str) -> str | bytes:
    """Encode text to read it back unchanged: a path that is no UTF-8 is stored as its bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text


def decode_text(cell: object) -> str:
    """Decode packed text."""
    return cell.decode("utf-8", "surrogateescape") if isinstance(cell, bytes) else text(cell)


def redact_text(words: str) -> str:
    """Redact text of an error or a name."""
    return encodable(without_values(words))


def text(cell: object) -> str:
    """Text."""
    if not isinstance(cell, str):
        raise ValueError("no text")
    return cell


def storable(cell: object) -> str:
    """Text that can be encoded."""
    words = text(cell)
    words.encode()
    return words


def whole(cell: object) -> int:
    """An integer from 0."""
    if not isinstance(cell, int) or cell < 0:
        raise ValueError("no whole number")
    return cell


def number(cell: object) -> int | float:
    """A finite number from 0."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float)) or not math.isfinite(cell) or cell < 0:
        raise ValueError("no number")
    return cell


def moment(cell: object) -> datetime:
    """A time with its UTC offset, in ISO 8601."""
    read = datetime.fromisoformat(text(cell))
    if read.tzinfo is None:
        raise ValueError("a moment without an offset")
    return read


def parsed(cell: object) -> object:
    """Parse JSON."""
    try:
        read: object = json.loads(text(cell))
    except RecursionError:
        raise ValueError("too deep") from None
    return read


def counts(cell: object) -> Mapping[str, int | float]:
    """The counts by name, in JSON."""
    read = parsed(cell)
    if not isinstance(read, dict):
        raise ValueError("no counts")
    return {text(name): number(count) for name, count in read.items()}


def texts(cell: object) -> tuple[str, ...]:
    """A list of texts, in JSON."""
    read = parsed(cell)
    if not isinstance(read, list):
        raise ValueError("no list")
    return tuple(text(each) for each in read)


_ID = lazy_pattern(r"[0-9a-f]{8,64}")
_LENGTHS = frozenset({0, 40, 64})
_ROLES = frozenset(role.value for role in Role)
_PARTS = frozenset({"", *(part.value for part in CellPart)})
_MOST = 2**53
_REDACTOR = Redactor(MappingProxyType({}))


def path(cell: object) -> str:
    """A path or the name of a ref, redacted."""
    return _REDACTOR.path(storable(cell))


def prose(cell: object) -> str:
    """Free text, redacted."""
    return _REDACTOR.prose(storable(cell))


def proses(cell: object) -> list[str]:
    """A list of free texts, redacted."""
    if not isinstance(cell, list):
        raise ValueError("no list")
    return [prose(each) for each in cell]


def identity(cell: object) -> str:
    """The id of a credential."""
    if _ID.fullmatch(text(cell)) is None:
        raise ValueError("no id")
    return text(cell)


def truth(cell: object) -> bool:
    """True or false."""
    if not isinstance(cell, bool):
        raise ValueError("neither true nor false")
    return cell


def commit(data: WireCommit) -> WireCommit:
    """A commit, redacted."""
    objects([data["id"]])
    if not data["id"]:
        raise ValueError("a commit without an id")
    return {
        "id": data["id"],
        "author": prose(data["author"]),
        "date": path(data["date"]),
        "subject": prose(data["subject"]),
    }


def truths(column: Iterable[object]) -> None:
    """Each is true or false."""
    if not {*map(type, column)} <= {bool}:
        raise ValueError("neither true nor false")


def notebook_cells(numbers: Iterable[object], parts: Iterable[str]) -> None:
    """Each is the number of a cell, 0 for none, and its part, empty for none."""
    for each in {*numbers}:
        if type(each) is not int or not 0 <= each <= _MOST:
            raise ValueError("no number of a cell")
    if not {*parts} <= _PARTS:
        raise ValueError("no part of a cell")


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
    """The redacted form of those paths or lists of refs that hold values."""
    storable(together := "\n".join(column))
    if path(together) == together:  # as nearly always
        return {}
    return {cell: shown for cell in {*column} if (shown := path(cell)) != cell}


def join_refs(refs: Sequence[str], unlisted: int) -> str:
    """Return the row of a ref list: a name a line, and after a space, which no name starts with, how many more."""
    return "\n".join([*refs, f" {unlisted}"] if unlisted else refs)


def split_refs(names: str) -> tuple[tuple[str, ...], int]:
    """Return the names of a ref list, and how many more there are."""
    *refs, last = names.split("\n")
    if last[:1] == " " and last[1:].isdecimal():
        return tuple(refs), int(last)
    return ((*refs, last), 0) if names else ((), 0)
