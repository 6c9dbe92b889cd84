"""Lists of repositories as lines of text: plain ones, and tables with a header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from scanner.fleet.exports import ADDRESSES, Row, Wrong, row_of

_LINE_END = re.compile(r"\r\n|\n|\r")
_QUOTED = re.compile(r'"((?:[^"]|"")+)"(.*)', re.DOTALL)
_LABEL = re.compile(r"[ ]*\t\s*|[ \t]+=[ \t]+")
_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)
_BEHIND = (
    "Write a label behind a tab or “ = ”, and a comment behind “ #”; an address that holds these stands in quotes."
)
_COLUMNS = "A table begins with the names of its columns, such as: url, label, size."


def plain_rows(text: str) -> Iterator[Row | Wrong]:
    """One repository a line: an address, after it a label behind a tab or ` = `, after that a comment behind ` #`.

    An address may hold blanks. One that holds a tab, ` = ` or ` #` stands in double quotes, of which one that belongs
    to it is doubled.
    """
    for number, line in enumerate(_LINE_END.split(text), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield _row(stripped, str(number))


def _row(line: str, where: str) -> Row | Wrong:
    quoted = _QUOTED.fullmatch(line)
    if quoted is None and line.startswith('"'):
        return Wrong(where=where, why="a quote that is not closed", hint=_BEHIND)
    before, label = _parted(_COMMENT.sub("", quoted[2] if quoted else line))
    if "\t" in label:
        return Wrong(where=where, why="more than an address and a label", hint=_COLUMNS)
    if quoted is None:
        return Row(where=where, address=before, label=label, quoted=False)
    if before:
        return Wrong(where=where, why="something other than a label behind the quotes", hint=_BEHIND)
    return Row(where=where, address=quoted[1].replace('""', '"'), label=label)


def _parted(text: str) -> tuple[str, str]:
    """What stands before the label, and the label."""
    found = _LABEL.search(text)
    return (text.strip(), "") if found is None else (text[: found.start()].strip(), text[found.end() :].strip())


def delimiter_of(text: str) -> str | None:
    """What parts the columns, if the first line is the header of a table: one of its names is that of an address."""
    first = next((line for line in _LINE_END.split(text) if line.strip()), "")
    for delimiter in ("\t", ",", ";"):
        names = _names(next(csv.reader([first], delimiter=delimiter), []))
        if ADDRESSES & names.keys() and (len(names) > 1 or "url" in next(iter(names)).lower()):
            return delimiter
    return None


def table_rows(text: str, delimiter: str, *, ssh: bool) -> Iterator[Row | Wrong]:
    """The rows of a table, whose columns are named as the forges name them in JSON. `ssh` as for `row_of`."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: dict[str, int] = {}
    while True:
        where = str(rows.line_num + 1)
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield Wrong(where=where, why=f"not a row of a table: {error}")
            return
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if names:
            yield row_of({name: cells[at] for name, at in names.items() if at < len(cells)}, where, ssh=ssh)
        else:
            names = _names(cells)


def _names(cells: list[str]) -> dict[str, int]:
    """The columns by name, in the spelling of the forges where it is one of theirs."""
    known = {name.lower(): name for name in ADDRESSES}
    names = [cell.strip() for cell in cells]
    return {known.get(name.lower(), name): at for at, name in enumerate(names) if name}
