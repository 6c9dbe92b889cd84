"""Which cell of a Jupyter notebook holds a value.

A notebook is JSON: `cells`, or in format 3 `worksheets` with `cells`, is a list of objects with `source` (3: `input`)
and `outputs`. Only brackets and strings are read, up to the last value; what is no notebook has no cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from binance_leaks.lazy_dataclasses import replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Cell, CellPart, Credential, Location

# An unterminated string ends with the text, so that nothing is read twice.
_TOKEN = lazy_pattern(r'[\[\]{}]|("[^"\\]*(?:\\(?:.|\Z)[^"\\]*)*(?:"|\Z))(:)?', re.DOTALL)
_MAX_TOKENS = 1_000_000
_MAX_DEPTH = 64
_PARTS = {'"source"': CellPart.SOURCE, '"input"': CellPart.SOURCE, '"outputs"': CellPart.OUTPUT}


def with_cells(credentials: tuple[Credential, ...], data: bytes) -> tuple[Credential, ...]:
    """Return the credentials of a whole notebook with the cells that hold them."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return credentials
    places = sorted({(each.location.line, each.location.column) for one in credentials for each in one.occurrences})
    cells = dict(zip(places, cells_at(text, _offsets(text, places)), strict=True))
    return tuple(
        replace(
            credential,
            occurrences=tuple(
                replace(each, location=_in_cell(each.location, cells)) for each in credential.occurrences
            ),
        )
        for credential in credentials
    )


def cells_at(text: str, offsets: Sequence[int]) -> list[Cell | None]:
    """Return the cell that holds each of some offsets in a notebook, which ascend; None where there is not one."""
    found: list[Cell | None] = []
    opened: list[_Opened] = []
    for token in islice(_TOKEN.finditer(text), _MAX_TOKENS):
        while len(found) < len(offsets) and offsets[len(found)] < token.end():
            found.append(_cell(opened))
        first = text[token.start()]
        if len(found) == len(offsets) or (first in "]}" and not opened) or len(opened) == _MAX_DEPTH:
            break
        if first in "[{":
            if opened:
                opened[-1].count += 1
            opened.append(_Opened(is_list=first == "["))
        elif first in "]}":
            opened.pop()
        elif token[2] and opened:
            opened[-1].key = token[1]
    return found + [None] * (len(offsets) - len(found))


class _Opened:
    """A list or object that is open: how many lists and objects began in it, and the last key."""

    __slots__ = ("count", "is_list", "key")

    def __init__(self, *, is_list: bool) -> None:
        self.is_list = is_list
        self.count = 0
        self.key = ""


def _cell(opened: Sequence[_Opened]) -> Cell | None:
    keys = [each.key for each in opened]
    if keys[:1] == ['"cells"'] and len(keys) > 2:
        at = 1
    elif keys[:1] == ['"worksheets"'] and keys[2:3] == ['"cells"'] and len(keys) > 4 and opened[1].count == 1:
        at = 3
    else:
        return None
    if not opened[at].is_list:
        return None
    return Cell(number=opened[at].count, part=_PARTS.get(keys[at + 1]))


def _offsets(text: str, positions: Iterable[tuple[int, int]]) -> list[int]:
    """Return the offsets of ascending lines and columns."""
    offsets, line, start = [], 1, 0
    for wanted, column in positions:
        while line < wanted and (end := text.find("\n", start)) >= 0:
            line, start = line + 1, end + 1
        offsets.append(start + column - 1)
    return offsets


def _in_cell(location: Location, cells: dict[tuple[int, int], Cell | None]) -> Location:
    cell = cells[location.line, location.column]
    return replace(location, cell=cell) if cell is not None else location
