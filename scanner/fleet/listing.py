"""Lists of repositories, in whichever form they come: lines, tables, and what forges export."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from scanner.errors import UsageError
from scanner.fleet.exports import Row, Wrong, is_json, json_rows
from scanner.fleet.lines import delimiter_of, plain_rows, table_rows
from scanner.fleet.words import Entry
from scanner.report.sanitize import printable, without_values
from scanner.sources import urls

_MOST_NAMED = 5
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_FORMS = "A list has a path or URL on each line, or is JSON or CSV as a forge exports it."
_WRITE_BLANKS = "A label stands behind a tab or “ = ”; a blank that belongs to the URL is written %20."


def read_list(data: bytes, name: str, *, base: Path, ssh: bool = False) -> list[Entry]:
    """The repositories that a list names, in its order. `name` is what messages call the list.

    Its form is told from what it holds: lines as `scanner.fleet.lines` describes them, a table with a header, or JSON.
    Relative paths count from the folder `base`, a `~` at the start is the user's home. `ssh` prefers the address for
    ssh where a forge gives both. Text is UTF-8, or UTF-16 as PowerShell writes it.

    Raises UsageError for what is no list, an empty one, and one with entries that cannot be used: it names them all, or
    the first and how many there are. No message holds a login.
    """
    text = _decoded(data, name)
    entries: list[Entry] = []
    wrong: list[Wrong] = []
    for row in _rows(text, ssh=ssh):
        made = row if isinstance(row, Wrong) else _entry(row, name, base)
        if isinstance(made, Wrong):
            wrong.append(made)
        else:
            entries.append(made)
    if wrong:
        raise _complaint(wrong, name)
    if not entries:
        raise UsageError(f"{name} names no repository", hint=_FORMS)
    return entries


def _decoded(data: bytes, name: str) -> str:
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    try:
        # Paths need be no UTF-8: their bytes come out again as they went in.
        text = data.decode(encoding, "surrogateescape" if encoding != "utf-16" else "strict")
    except UnicodeDecodeError:
        raise UsageError(f"{name} is no text, or it is cut off", hint=_FORMS) from None
    if _BINARY.search(text):
        raise UsageError(f"{name} is a binary file and no list of repositories", hint=_FORMS)
    if text.lstrip().startswith("<"):
        raise UsageError(f"{name} is a page and no list of repositories", hint=_FORMS)
    return text


def _rows(text: str, *, ssh: bool) -> Iterable[Row | Wrong]:
    if is_json(text):
        return json_rows(text, ssh=ssh)
    delimiter = delimiter_of(text)
    return plain_rows(text) if delimiter is None else table_rows(text, delimiter, ssh=ssh)


def _entry(row: Row, name: str, base: Path) -> Entry | Wrong:
    entry = Entry(address=row.address, origin=_origin(row.where, name), label=row.label, size=row.size)
    path = _path(row.address, base)
    if path is None:
        return _checked_url(row) or entry
    if "://" in row.address or not _is_path(path):
        return Wrong(where=row.where, why="neither a URL nor a path", hint=_FORMS)
    written = os.path.normpath(row.address)
    return replace(
        entry, address=path, label=row.label or (Path(path).name if Path(written).name in ("", "..") else written)
    )


def _path(address: str, base: Path) -> str | None:
    """The path that an address is, None for a URL. What is there beside the list is a path whatever it looks like."""
    path = os.path.join(base, os.path.expanduser(address))  # noqa: PTH111, PTH118 - pathlib raises for unknown users
    if "://" not in address and _is_path(path) and os.path.exists(path):  # noqa: PTH110 - as above
        return os.path.abspath(path)  # noqa: PTH100 - as above
    return None if urls.is_url(address) else os.path.abspath(path)  # noqa: PTH100 - as above


def _is_path(path: str) -> bool:
    """Whether the system could have a file of this name, which it could not with half of a surrogate pair."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def _checked_url(row: Row) -> Wrong | None:
    address = row.address
    if re.search(r"\s", address) and (not row.quoted or re.match(r"https:", address, re.IGNORECASE)):
        return Wrong(where=row.where, why="a blank in a URL", hint=_WRITE_BLANKS)
    try:
        if urls.canonical_url(address).partition("://")[2].partition("/")[2].strip("~/"):
            return None
    except UsageError as error:
        return Wrong(where=row.where, why=str(error), hint=error.hint)
    return Wrong(where=row.where, why="a host without a repository", hint=_FORMS)


def _origin(where: str, name: str) -> str:
    return f"{name}:{where}" if where.isdigit() else f"{name}, {where}"


def _complaint(wrong: list[Wrong], name: str) -> UsageError:
    told = [f"{_origin(one.where, name)}: {without_values(printable(one.why))}" for one in wrong[:_MOST_NAMED]]
    if len(wrong) > _MOST_NAMED:
        told.append(f"and {len(wrong) - _MOST_NAMED} more")
    hints = dict.fromkeys(one.hint for one in wrong[:_MOST_NAMED] if one.hint)
    return UsageError("; ".join(told), hint=" ".join(hints) or _FORMS)
