"""Parse lists of repositories: lines, CSV tables, and the JSON that forges export."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from binance_leaks.errors import UsageError
from binance_leaks.fleet.models import Entry
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.path_bytes import encode_path
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.sources import urls

_HTTPS = ("clone_url", "remoteUrl", "http_url_to_repo")
_SSH = ("ssh_url", "sshUrl", "ssh_url_to_repo")
_PLAIN = ("address", "url", "path")
ADDRESSES = frozenset((*_HTTPS, *_SSH, *_PLAIN))
"""Names of what holds an address."""
_OF_ENTRIES = ADDRESSES - {"path"} | {"links"}
_LABELS = ("label", "nameWithOwner", "full_name", "path_with_namespace", "name")
_SIZES = ("size", "diskUsage", "repository_size")
_PAGES = ("values", "value", "data", "items", "repositories", "projects")
_ERRORS = ("message", "error_description", "error", "errors")
_LARGEST = 1 << 50
_KIB = 1024
_NAMES: Mapping[str, str] = MappingProxyType({name.lower(): name for name in (*ADDRESSES, *_LABELS, *_SIZES)})
_SPACE = lazy_pattern(r"[\s,]*")
_ASK_FOR = "An entry has an address, a path or one of clone_url, remoteUrl, http_url_to_repo, links.clone, url."
_MAY_READ = "Check the name in the request, and that the login may read it."
_LAST_PAGE = "Follow the pages to the last one, and write all of them into the list."


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What a list says about a repository.

    `where` is a line, or an entry. `quoted`: blanks in the address are intended.
    """

    where: str
    address: str = field(repr=False)
    label: str = ""
    size: int = 0
    quoted: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class InvalidRow:
    """An entry of a list that cannot be used: where, why, and a hint."""

    where: str
    why: str
    hint: str = ""


def is_json(text: str) -> bool:
    """Whether a list is JSON: it begins with a brace or a bracket, except `[::1]:path`."""
    return text.lstrip()[:1] in ("{", "[") and not re.match(r"\s*\[[0-9A-Fa-f.%]*:[0-9A-Fa-f:.%]*\]:", text)


def json_rows(text: str, *, ssh: bool) -> Iterator[Row | InvalidRow]:
    """Parse the entries of consecutive JSON values, also those in pages and inner arrays.

    So it reads arrays, JSON lines, and the output of commands that follow pages.
    """
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at, number, pages = _after_space(text, 0), 0, _Pages()
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            place = error.pos if isinstance(error, json.JSONDecodeError) else at
            yield InvalidRow(where=str(text.count("\n", 0, place) + 1), why="not JSON, or truncated")
            return
        for item in _items(value, pages):
            number += 1
            yield _parse_item(item, f"entry {number}", ssh=ssh)
        at = _after_space(text, end)
    if pages.more and not pages.ended:
        yield InvalidRow(where="at its end", why="the last page is missing", hint=_LAST_PAGE)


def parse_entry(entry: Mapping[str, object], where: str, *, ssh: bool) -> Row | InvalidRow:
    """Parse an entry with named fields.

    `ssh` prefers the SSH address where there are both.
    """
    fields = {_NAMES.get(name.lower(), name): value for name, value in entry.items()}
    by_https, by_ssh = _first(fields, _HTTPS), _first(fields, _SSH)
    links = _mapping(fields.get("links")).get("clone")
    for link in links if isinstance(links, list) else ():
        href = _text(_mapping(link).get("href"))
        match _text(_mapping(link).get("name")):
            case "https" | "http":
                by_https = by_https or href
            case "ssh":
                by_ssh = by_ssh or href
    plain = _first(fields, _PLAIN[:2] if by_https or by_ssh else _PLAIN)
    address = (by_ssh if ssh else "") or _text(fields.get("address")) or by_https or plain or by_ssh
    if not address:
        return _without_address(fields, where)
    return Row(where=where, address=address, label=_label(fields), size=_size(fields))


@dataclass(slots=True)
class _Pages:
    """Whether a page announced another one, and whether one was the last."""

    more: bool = False
    ended: bool = False


def _items(value: object, pages: _Pages) -> Iterator[object]:
    """Yield the entries in a value. Iterative, as arrays may be nested deeply."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        elif (inner := _page(one)) is not None:
            fields = _mapping(one)
            last = not fields.get("next") and fields.get("isLastPage", True) is True
            pages.ended |= last
            pages.more |= not last
            waiting += reversed(inner)
        else:
            yield one


def _page(value: object) -> list[object] | None:
    """The entries of a page, which has no address of its own."""
    fields = _mapping(value)
    if _OF_ENTRIES & fields.keys():
        return None
    return next((inner for name in _PAGES if isinstance(inner := fields.get(name), list)), None)


def _parse_item(item: object, where: str, *, ssh: bool) -> Row | InvalidRow:
    if isinstance(item, str):
        return Row(where=where, address=item.strip())
    if isinstance(item, dict):
        return parse_entry(item, where, ssh=ssh)
    return InvalidRow(where=where, why="neither an address nor an object", hint=_ASK_FOR)


def _without_address(fields: Mapping[str, object], where: str) -> InvalidRow:
    said = _first(fields, _ERRORS)
    if said and not _first(fields, _LABELS):
        shown = printable(without_values(said))[:80]
        return InvalidRow(where=where, why=f"a reply of the forge that is not a list: {shown}", hint=_MAY_READ)
    return InvalidRow(where=where, why="no address", hint=_ASK_FOR)


def _label(fields: Mapping[str, object]) -> str:
    label = _first(fields, _LABELS)
    project = _mapping(fields.get("project"))
    above = _text(project.get("name")) or _text(project.get("key"))
    own = _text(fields.get("slug")) or label
    alone = label == _text(fields.get("name")) and not _text(fields.get("label"))
    return f"{above}/{own}" if above and own and alone else label


def _size(fields: Mapping[str, object]) -> int:
    """The size in bytes. GitHub and Gitea count KiB; both have `full_name` and `clone_url`."""
    if size := _number(_mapping(fields.get("statistics")).get("repository_size")) or _number(
        fields.get("repository_size")
    ):
        return size
    if size := _number(fields.get("diskUsage")):
        return min(size * _KIB, _LARGEST)
    size = _number(fields.get("size"))
    in_kib = "full_name" in fields and ("clone_url" in fields or "ssh_url" in fields)
    return min(size * _KIB, _LARGEST) if in_kib else size


def _first(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(fields.get(name)))), "")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    """A size; 0 for anything else, as a size only decides the order."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
        return min(int(value), _LARGEST)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _LARGEST:
        return int(value)
    return 0


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _refuse(text: str) -> float:
    raise ValueError(text)


_LINE_END = lazy_pattern(r"\r\n|\n|\r")
_QUOTED = lazy_pattern(r'"((?:[^"]|"")+)"(.*)', re.DOTALL)
_LABEL = lazy_pattern(r"\t| =[ \t]")
_COMMENT = lazy_pattern(r"(?:^|\s)#.*", re.DOTALL)
_BEHIND = (
    "Write a label after a tab or “ = ”, a comment after “ #”, and an address that contains these in double quotes."
)
_COLUMNS = "A table begins with the names of its columns, such as: url, label, size."


def line_rows(text: str) -> Iterator[Row | InvalidRow]:
    """Parse one repository per line: an address, a label after a tab or ` = `, a comment after ` #`.

    An address may hold blanks. One that holds a tab, ` = ` or ` #` is written in double quotes, with quotes in it
    doubled.
    """
    for number, line in enumerate(_LINE_END.split(text), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield _row(stripped, str(number))


def _row(line: str, where: str) -> Row | InvalidRow:
    quoted = _QUOTED.fullmatch(line)
    if quoted is None and line.startswith('"'):
        return InvalidRow(where=where, why="a quote that is not closed", hint=_BEHIND)
    before, label = _split_label(_COMMENT.sub("", quoted[2] if quoted else line))
    if "\t" in label:
        return InvalidRow(where=where, why="more than an address and a label", hint=_COLUMNS)
    if quoted is None:
        return Row(where=where, address=before, label=label, quoted=False)
    if before:
        return InvalidRow(where=where, why="something other than a label after the quotes", hint=_BEHIND)
    return Row(where=where, address=quoted[1].replace('""', '"'), label=label)


def _split_label(text: str) -> tuple[str, str]:
    """Split a line into address and label."""
    found = _LABEL.search(text)
    return (text.strip(), "") if found is None else (text[: found.start()].strip(), text[found.end() :].strip())


def delimiter_of(text: str) -> str | None:
    """The delimiter of a table whose header has a column for the address.

    Returns None if it is no table.
    """
    first = next((line for line in _LINE_END.split(text) if line.strip()), "")
    for delimiter in ("\t", ",", ";"):
        try:
            names = _names(next(csv.reader([first], delimiter=delimiter), []))
        except csv.Error:  # a line longer than its cells may be
            continue
        if ADDRESSES & names.keys() and (len(names) > 1 or "url" in next(iter(names)).lower()):
            return delimiter
    return None


def table_rows(text: str, delimiter: str, *, ssh: bool) -> Iterator[Row | InvalidRow]:
    """Parse a table, whose columns are named like the fields in JSON.

    `ssh` as for `parse_entry`.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: dict[str, int] = {}
    while True:
        where = str(rows.line_num + 1)
        try:
            cells = next(rows, None)
        except csv.Error as error:
            yield InvalidRow(where=where, why=f"not a row of a table: {error}")
            return
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if names:
            yield parse_entry({name: cells[at] for name, at in names.items() if at < len(cells)}, where, ssh=ssh)
        else:
            names = _names(cells)


def _names(cells: list[str]) -> dict[str, int]:
    """The columns by name, in the spelling that forges use."""
    known = {name.lower(): name for name in ADDRESSES}
    names = [cell.strip() for cell in cells]
    return {known.get(name.lower(), name): at for at, name in enumerate(names) if name}


_MOST_NAMED = 5
_BINARY = lazy_pattern(r"[\x00-\x08\x0e-\x1f\x7f]")
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_FORMS = "A list has a path or URL on each line, or is JSON or CSV as a forge exports it."
_WRITE_BLANKS = "Write a label after a tab or “ = ”, and a blank in a URL as %20."


def read_list(data: bytes, name: str, *, base: Path, ssh: bool = False) -> list[Entry]:
    """Return the repositories of a list, in its order.

    `name` is the name of the list in messages.

    The format is recognized by the content: lines, a table with a header, or JSON. Relative paths start at the folder
    `base`, `~` is the user's home. `ssh` prefers the SSH address where a forge gives both. Text is UTF-8, or UTF-16 as
    PowerShell writes it.

    Raises UsageError for a file that is no list, an empty list, and invalid entries: all of them, or the first and
    their number. No message holds a login.
    """
    text = _decoded(data, name)
    entries: list[Entry] = []
    wrong: list[InvalidRow] = []
    for row in _rows(text, ssh=ssh):
        made = row if isinstance(row, InvalidRow) else _entry(row, name, base)
        if isinstance(made, InvalidRow):
            wrong.append(made)
        else:
            entries.append(made)
    if wrong:
        raise _complaint(wrong, name)
    if not entries:
        raise UsageError(f"{name} lists no repository", hint=_FORMS)
    return entries


def _decoded(data: bytes, name: str) -> str:
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    try:
        # Paths need be no UTF-8: their bytes come out again as they went in.
        text = data.decode(encoding, "surrogateescape" if encoding != "utf-16" else "strict")
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not text, or is truncated", hint=_FORMS) from None
    if _BINARY.search(text):
        raise UsageError(f"{name} is a binary file, not a list of repositories", hint=_FORMS)
    if text.lstrip().startswith("<"):
        raise UsageError(f"{name} is a web page, not a list of repositories", hint=_FORMS)
    return text


def _rows(text: str, *, ssh: bool) -> Iterable[Row | InvalidRow]:
    if is_json(text):
        return json_rows(text, ssh=ssh)
    delimiter = delimiter_of(text)
    return line_rows(text) if delimiter is None else table_rows(text, delimiter, ssh=ssh)


def _entry(row: Row, name: str, base: Path) -> Entry | InvalidRow:
    entry = Entry(address=row.address, origin=_origin(row.where, name), label=row.label, size=row.size)
    path = _path(row.address, base)
    if path is None:
        return _checked_url(row) or entry
    if "://" in row.address or not _is_path(path):
        return InvalidRow(where=row.where, why="neither a URL nor a path", hint=_FORMS)
    written = os.path.normpath(row.address)
    return replace(
        entry, address=path, label=row.label or (Path(path).name if Path(written).name in ("", "..") else written)
    )


def _path(address: str, base: Path) -> str | None:
    """The path of an address, None for a URL. A file that exists beside the list is a path whatever its name."""
    path = os.path.join(base, os.path.expanduser(address))  # noqa: PTH111, PTH118 - pathlib raises for unknown users
    if "://" not in address and _is_path(path) and os.path.exists(path):  # noqa: PTH110 - as above
        return os.path.abspath(path)  # noqa: PTH100 - as above
    return None if urls.is_url(address) else os.path.abspath(path)  # noqa: PTH100 - as above


def _is_path(path: str) -> bool:
    """Whether a file can have this name: half of a surrogate pair cannot be one."""
    try:
        return b"\0" not in encode_path(path)
    except UnicodeEncodeError:
        return False


def _checked_url(row: Row) -> InvalidRow | None:
    address = row.address
    if re.search(r"\s", address) and (not row.quoted or re.match(r"https:", address, re.IGNORECASE)):
        return InvalidRow(where=row.where, why="a blank in a URL", hint=_WRITE_BLANKS)
    try:
        if urls.normalize_url(address).partition("://")[2].partition("/")[2].strip("~/"):
            return None
    except UsageError as error:
        return InvalidRow(where=row.where, why=str(error), hint=error.hint)
    return InvalidRow(where=row.where, why="a host without a repository", hint=_FORMS)


def _origin(where: str, name: str) -> str:
    return f"{name}:{where}" if where.isdigit() else f"{name}, {where}"


def _complaint(wrong: list[InvalidRow], name: str) -> UsageError:
    fields = [f"{_origin(one.where, name)}: {without_values(printable(one.why))}" for one in wrong[:_MOST_NAMED]]
    if len(wrong) > _MOST_NAMED:
        fields.append(f"and {len(wrong) - _MOST_NAMED} more")
    hints = dict.fromkeys(one.hint for one in wrong[:_MOST_NAMED] if one.hint)
    return UsageError("; ".join(fields), hint=" ".join(hints) or _FORMS)
