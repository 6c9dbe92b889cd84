"""Lists of repositories as forges export them: JSON, with the names that each gives to address, label and size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from binance_leaks.report.sanitize import printable, without_values

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
_SPACE = re.compile(r"[\s,]*")
_ASK_FOR = "An entry has an address, a path or one of clone_url, remoteUrl, http_url_to_repo, links.clone, url."
_MAY_READ = "Check the name in the request, and that the login may read it."
_LAST_PAGE = "Follow the pages to the last one, and write all of them into the list."


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What stands in a list about a repository, as it stands there.

    `where` is a line, or an entry. `quoted` says that the address is as somebody meant it, blanks and all.
    """

    where: str
    address: str = field(repr=False)
    label: str = ""
    size: int = 0
    quoted: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """What is wrong in one place of a list, and what can be done."""

    where: str
    why: str
    hint: str = ""


def is_json(text: str) -> bool:
    """Whether a list is JSON: it begins with a brace or a bracket, but for `[::1]:path`."""
    return text.lstrip()[:1] in ("{", "[") and not re.match(r"\s*\[[0-9A-Fa-f:.%]*:[0-9A-Fa-f:.%]*\]:", text)


def json_rows(text: str, *, ssh: bool) -> Iterator[Row | Wrong]:
    """The entries of all values that stand one after the other, those in pages and inner arrays, too.

    So it reads arrays, objects one a line, and what a command prints that follows pages.
    """
    decoder = json.JSONDecoder(parse_constant=_refuse)
    at, number, pages = _after_space(text, 0), 0, _Pages()
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            place = error.pos if isinstance(error, json.JSONDecodeError) else at
            yield Wrong(where=str(text.count("\n", 0, place) + 1), why="not JSON, or it is cut off")
            return
        for item in _items(value, pages):
            number += 1
            yield _entry(item, f"entry {number}", ssh=ssh)
        at = _after_space(text, end)
    if pages.more and not pages.ended:
        yield Wrong(where="at its end", why="the last page is missing", hint=_LAST_PAGE)


def row_of(entry: Mapping[str, object], where: str, *, ssh: bool) -> Row | Wrong:
    """What an entry with names says. `ssh` prefers the address for ssh where there are both."""
    told = {_NAMES.get(name.lower(), name): value for name, value in entry.items()}
    by_https, by_ssh = _first(told, _HTTPS), _first(told, _SSH)
    links = _mapping(told.get("links")).get("clone")
    for link in links if isinstance(links, list) else ():
        href = _text(_mapping(link).get("href"))
        match _text(_mapping(link).get("name")):
            case "https" | "http":
                by_https = by_https or href
            case "ssh":
                by_ssh = by_ssh or href
    plain = _first(told, _PLAIN[:2] if by_https or by_ssh else _PLAIN)
    address = (by_ssh if ssh else "") or _text(told.get("address")) or by_https or plain or by_ssh
    if not address:
        return _without_address(told, where)
    return Row(where=where, address=address, label=_label(told), size=_size(told))


@dataclass(slots=True)
class _Pages:
    """Whether pages said that there are more, and whether one said that it is the last."""

    more: bool = False
    ended: bool = False


def _items(value: object, pages: _Pages) -> Iterator[object]:
    """The entries in a value, with a stack of our own: arrays of strangers may be deep."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        elif (inner := _page(one)) is not None:
            told = _mapping(one)
            last = not told.get("next") and told.get("isLastPage", True) is True
            pages.ended |= last
            pages.more |= not last
            waiting += reversed(inner)
        else:
            yield one


def _page(value: object) -> list[object] | None:
    """The entries of a page, which has no address of its own."""
    told = _mapping(value)
    if _OF_ENTRIES & told.keys():
        return None
    return next((inner for name in _PAGES if isinstance(inner := told.get(name), list)), None)


def _entry(item: object, where: str, *, ssh: bool) -> Row | Wrong:
    if isinstance(item, str):
        return Row(where=where, address=item.strip())
    if isinstance(item, dict):
        return row_of(item, where, ssh=ssh)
    return Wrong(where=where, why="neither an address nor an object", hint=_ASK_FOR)


def _without_address(told: Mapping[str, object], where: str) -> Wrong:
    said = _first(told, _ERRORS)
    if said and not _first(told, _LABELS):
        shown = printable(without_values(said))[:80]
        return Wrong(where=where, why=f"an answer of the forge that is no list: {shown}", hint=_MAY_READ)
    return Wrong(where=where, why="no address", hint=_ASK_FOR)


def _label(told: Mapping[str, object]) -> str:
    label = _first(told, _LABELS)
    project = _mapping(told.get("project"))
    above = _text(project.get("name")) or _text(project.get("key"))
    own = _text(told.get("slug")) or label
    alone = label == _text(told.get("name")) and not _text(told.get("label"))
    return f"{above}/{own}" if above and own and alone else label


def _size(told: Mapping[str, object]) -> int:
    """Bytes. GitHub and Gitea count KiB, which they are told by: both have `full_name` and `clone_url`."""
    if size := _number(_mapping(told.get("statistics")).get("repository_size")) or _number(told.get("repository_size")):
        return size
    if size := _number(told.get("diskUsage")):
        return min(size * _KIB, _LARGEST)
    size = _number(told.get("size"))
    in_kib = "full_name" in told and ("clone_url" in told or "ssh_url" in told)
    return min(size * _KIB, _LARGEST) if in_kib else size


def _first(told: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(told.get(name)))), "")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    """A size; 0 for what is none, as a size is no more than a hint of what to begin with."""
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
