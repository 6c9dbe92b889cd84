"""Lists of repositories, in whichever form they come: lines, tables, and what forges export."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from binance_leaks.errors import UsageError
from binance_leaks.findings import Skipped
from binance_leaks.fleet.exports import ADDRESSES, Row, Wrong, is_json, json_rows, row_of
from binance_leaks.fleet.git_layout import Place, locate
from binance_leaks.fleet.models import Entry
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.sources import urls
from binance_leaks.sources.read_stream import describe_error

_BARE = frozenset({"HEAD", "refs", "config", "packed-refs"})
_OF_GIT = frozenset(
    {"objects", "refs", "logs", "hooks", "info", "branches", "worktrees", "modules", "lfs", "reftable", "rr-cache"}
)
_NONE = "Give a folder with repositories in it, or a list of them."


@dataclass(slots=True)
class _Found:
    top: str
    entries: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def find_repositories(folder: Path) -> tuple[list[Entry], list[Skipped]]:
    """The repositories in a folder, itself included, in the order of their paths, and what could not be looked into.

    Found are work trees, linked ones and those of submodules, too, wherever they are nested, and bare repositories. The
    label is the path from the folder. Damaged ones are found as well, so that they are told of. Symbolic links are not
    followed: those to a repository elsewhere are named as skipped, but not as lost. Nor are stores of submodules found
    that have no work tree: they belong to the repository around them.

    Raises UsageError where the folder cannot be read, or nothing in it is a repository.
    """
    top = os.path.abspath(folder)  # noqa: PTH100 - does not follow links
    try:
        os.scandir(top).close()
    except OSError as error:
        raise UsageError(f"{folder} cannot be searched: {describe_error(error)}", hint=_NONE) from None
    found = _Found(top=os.path.realpath(top))
    waiting = [("", top)]
    while waiting:
        label, path = waiting.pop()
        waiting += reversed(list(_look(label, path, found)))
    if not found.entries and not any(skipped.lost for skipped in found.skipped):
        raise UsageError(f"there is no git repository in {folder}", hint=_NONE)
    return found.entries, found.skipped


def _look(label: str, path: str, found: _Found) -> Iterator[tuple[str, str]]:
    """Notes what a folder is, and tells which folders in it are to be looked at, in order."""
    try:
        with os.scandir(path) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except OSError as error:
        found.skipped.append(Skipped(what=path, why=f"cannot be searched: {describe_error(error)}"))
        return
    names = {entry.name for entry in entries}
    bare = "objects" in names and len(_BARE & names) >= 2
    if bare or (".git" in names and _is_work_tree(path)):
        found.entries.append(Entry(address=path, origin=path, label=label or Path(path).name or path))
    for entry in entries:
        if entry.name == ".git" or (bare and entry.name in _OF_GIT):
            continue
        inner = f"{label}/{entry.name}" if label else entry.name
        try:
            if entry.is_dir(follow_symlinks=False):
                yield inner, entry.path
            elif entry.is_symlink() and entry.is_dir() and _leads_out(entry.path, found.top):
                why = "a link to a repository elsewhere; links are not followed, list it by itself"
                found.skipped.append(Skipped(what=entry.path, why=why, lost=False))
        except OSError:  # a link to itself, or what is gone by now
            continue


def _is_work_tree(path: str) -> bool:
    """Whether `.git` is more than an empty folder, which git passes over."""
    own = Path(path) / ".git"
    try:
        return own.is_file() or next(own.iterdir(), None) is not None
    except OSError:
        return own.is_dir()  # it may be one that we may not read: the scan tells


def _leads_out(link: str, top: str) -> bool:
    """Whether a link leads to a repository that the search does not come by."""
    return not Path(os.path.realpath(link)).is_relative_to(top) and isinstance(locate(link), Place)


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


_MOST_NAMED = 5
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_FORMS = "A list has a path or URL on each line, or is JSON or CSV as a forge exports it."
_WRITE_BLANKS = "A label stands behind a tab or “ = ”; a blank that belongs to the URL is written %20."


def read_list(data: bytes, name: str, *, base: Path, ssh: bool = False) -> list[Entry]:
    """The repositories that a list names, in its order. `name` is what messages call the list.

    Its form is recognised from its content: lines, a table with a header, or JSON.
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
        if urls.normalize_url(address).partition("://")[2].partition("/")[2].strip("~/"):
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
