"""Single cells of the store: text as it is put in, and what is read, held to the shape in which it was written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime

from binance_leaks.report.sanitize import encodable, without_values


def packed(text: str) -> str | bytes:
    """Text that is read again as it is: a path whose bytes are no UTF-8 is stored as its bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text


def unpacked(cell: object) -> str:
    """The text that was packed."""
    return cell.decode("utf-8", "surrogateescape") if isinstance(cell, bytes) else text(cell)


def plain(words: str) -> str:
    """Text of an error or a name, without what looks like a value, fit for a cell."""
    return encodable(without_values(words))


def text(cell: object) -> str:
    """Text. Raises ValueError for anything else, as all below do."""
    if not isinstance(cell, str):
        raise ValueError("no text")
    return cell


def storable(cell: object) -> str:
    """Text that can be put into a cell."""
    words = text(cell)
    words.encode()
    return words


def whole(cell: object) -> int:
    """A whole number from 0."""
    if not isinstance(cell, int) or cell < 0:
        raise ValueError("no whole number")
    return cell


def number(cell: object) -> int | float:
    """A finite number from 0."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float)) or not math.isfinite(cell) or cell < 0:
        raise ValueError("no number")
    return cell


def moment(cell: object) -> datetime:
    """A moment with its offset, in ISO 8601."""
    read = datetime.fromisoformat(text(cell))
    if read.tzinfo is None:
        raise ValueError("a moment without an offset")
    return read


def parsed(cell: object) -> object:
    """What JSON says."""
    try:
        read: object = json.loads(text(cell))
    except RecursionError:
        raise ValueError("too deep") from None
    return read


def counts(cell: object) -> Mapping[str, int | float]:
    """Counts by their names, in JSON."""
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
