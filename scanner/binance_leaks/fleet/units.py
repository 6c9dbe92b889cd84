"""Plan the units of work: each repository once, with those that share objects, large ones first."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from binance_leaks.findings import Skipped
from binance_leaks.fleet.local_repositories import LocalRepository, NotARepository, locate, pack_bytes
from binance_leaks.fleet.models import Entry, Repository, Unit
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.report.sanitize import encodable, printable, without_values
from binance_leaks.sources import urls

_LOGIN = lazy_pattern(r"(?<=://)[^/\s]*@|(?<![^\s/@])[^\s/@:]*:[^\s/@]*@")
_LONGEST = 200
_LABEL_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class NameCandidates:
    """Possible names of a repository.

    `given` are labels that people chose, short ones preferred; `wrote` are paths as written in lists, the first
    preferred; `address` is a path or a normalized URL. `key` is its identity.
    """

    key: str
    address: str = field(repr=False)
    given: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()


def safe_label(text: str) -> str:
    """Return a label, path or URL as one line of limited length, without a login or anything like a value."""
    shown = " ".join(printable(without_values(_LOGIN.sub("", text))).split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def choose_labels(repositories: Sequence[NameCandidates]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Choose a unique label for each key, and return it with the other names, in any order of input.

    A URL without a label is called by host and path, by its path alone if all URLs have one host. Equal labels get a
    suffix.
    """
    alone = len({_host(named.address) for named in repositories if "://" in named.address}) <= 1
    names = {named.key: _names(named, alone=alone) for named in repositories}
    chosen = _make_distinct({key: labels[0] for key, labels in names.items()})
    return {key: (chosen[key], tuple(sorted({*labels[1:]} - {labels[0]}))) for key, labels in names.items()}


def _names(named: NameCandidates, *, alone: bool) -> list[str]:
    given = sorted({safe_label(label) for label in named.given}, key=lambda label: (len(label), label))
    wrote = dict.fromkeys(map(safe_label, named.wrote))
    names = [label for label in (*given, *wrote) if label]
    return names or [_of_address(named.address, alone=alone) or _digest(named.key)]


def _of_address(address: str, *, alone: bool) -> str:
    _, scheme, rest = address.partition("://")
    if not scheme:
        return safe_label(address)
    host, _, path = rest.partition("/")
    return safe_label(path if alone else f"{host.rpartition('@')[2]}/{path}")


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _make_distinct(labels: Mapping[str, str]) -> dict[str, str]:
    """Append to equal labels the scheme, else the key, else a digest of the key."""
    chosen = dict(labels)
    for behind in (_scheme, _key_as_label, _digest):
        _distinguish(chosen, behind)
    taken: set[str] = set()
    for key in sorted(chosen):  # somebody may have thought of all these
        while chosen[key] in taken:
            chosen[key] += "'"
        taken.add(chosen[key])
    return chosen


def _distinguish(chosen: dict[str, str], behind: Callable[[str], str]) -> None:
    """Append a suffix to labels that several have, where that makes each unique."""
    sharing: dict[str, list[str]] = {}
    for key, label in chosen.items():
        sharing.setdefault(label, []).append(key)
    longer = {key: f"{label} ({behind(key)})" for label, keys in sharing.items() if len(keys) > 1 for key in keys}
    counted = Counter((*sharing, *longer.values()))
    for keys in sharing.values():
        if len(keys) > 1 and all(counted[longer[key]] == 1 for key in keys):
            chosen.update({key: longer[key] for key in keys})


def _scheme(key: str) -> str:
    return key.partition("://")[0] if "://" in key else "local"


def _key_as_label(key: str) -> str:
    return safe_label(key.removesuffix("/.git"))


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:_LABEL_DIGITS]


_HERE = lazy_pattern(r"file://(?:localhost)?(?=/)", re.IGNORECASE)
_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Units:
    """The plan of a run: `units`, largest first, their `repositories` by label, and what is no repository."""

    repositories: tuple[Repository, ...]
    units: tuple[Unit, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _ResolvedEntry:
    """An entry with its target: a normalized URL, or a path and the repository there."""

    entry: Entry
    key: str
    shown: str
    place: LocalRepository | None = None


def plan_units(entries: Iterable[Entry]) -> Units:
    """Plan the units for list entries.

    Several entries may name one repository: other spellings of a URL, links, work trees. Repositories that share
    objects, as forks on a disk do, are one unit, in which those that lend come first. The result does not depend on the
    order of the entries. What is no repository is skipped, and counts as lost. Raises UsageError for a URL that cannot
    be cloned.
    """
    ways: dict[str, list[_ResolvedEntry]] = {}
    skipped = set()
    for entry in entries:
        way = _resolve(entry)
        if isinstance(way, _ResolvedEntry):
            ways.setdefault(way.key, []).append(way)
        else:
            skipped.add((way.what, way.why))
    for several in ways.values():
        several.sort(key=_preference)
    repositories = _repositories(ways)
    places = {key: place for key, (way, *_) in ways.items() if (place := way.place) is not None}
    units = [_unit([repositories[key] for key in keys], places) for keys in _groups(ways, places)]
    units.sort(key=lambda unit: (-unit.size, unit.repositories[0].label))
    found = [repository for unit in units for repository in unit.repositories]
    return Units(
        repositories=tuple(sorted(found, key=lambda repository: repository.label)),
        units=tuple(units),
        skipped=tuple(Skipped(what=what, why=why) for what, why in sorted(skipped)),
    )


def _resolve(entry: Entry) -> _ResolvedEntry | Skipped:
    path = _path(entry.address)
    if path is None:
        url = urls.normalize_url(entry.address)
        return _ResolvedEntry(entry=entry, key=_identity(url), shown=url)
    match locate(path):
        case NotARepository(why=why):
            at = "" if entry.origin == entry.address else f" ({safe_label(entry.origin)})"
            return Skipped(what=safe_label(path), why=f"{why}{at}")
        case LocalRepository() as place:
            return _ResolvedEntry(entry=entry, key=_identity(place.folder), shown=path, place=place)


def _path(address: str) -> str | None:
    """The local path of an address, None if it is on another machine."""
    if not urls.is_url(address):
        return os.path.abspath(address)  # noqa: PTH100 - does not follow links
    found = _HERE.match(address)
    if found is None:
        return None
    path = urls.percent_decode(address[found.end() :])
    if sys.platform == "win32" and path[2:3] == ":":  # file:///C:/folder
        path = path[1:]
    return os.path.abspath(path)  # noqa: PTH100 - as above


def _identity(text: str) -> str:
    """A key that can be stored: text that no file may hold is replaced by a digest."""
    shown = encodable(without_values(text))
    digest = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return text if shown == text else f"{shown}#{digest[:_DIGITS]}"


def _preference(way: _ResolvedEntry) -> tuple[bool, int, str]:
    """Sort key of entries for one repository: with a login, the main folder, a short address first."""
    address = way.entry.address
    worse = urls.parse_address(address).password is None if way.place is None else way.place.linked
    return worse, len(address), address


def _repositories(ways: Mapping[str, Sequence[_ResolvedEntry]]) -> dict[str, Repository]:
    """The repositories by key, each with the address of its preferred entry."""
    labels = choose_labels([_name_candidates(key, several) for key, several in ways.items()])
    return {
        key: Repository(
            key=key,
            label=labels[key][0],
            address=several[0].entry.address if several[0].place is None else several[0].shown,
            size=max(way.entry.size for way in several),
            aliases=labels[key][1],
        )
        for key, several in ways.items()
    }


def _name_candidates(key: str, ways: Sequence[_ResolvedEntry]) -> NameCandidates:
    labels = [(way.entry.label, way.place is not None and _is_part(way.entry.label, way.shown)) for way in ways]
    return NameCandidates(
        key=key,
        address=ways[0].shown,
        given=tuple(label for label, written in labels if not written),
        wrote=tuple(label for label, written in labels if written),
    )


def _is_part(label: str, path: str) -> bool:
    """Whether a label is the end of a path, and so not chosen by anybody."""
    parts = [part for part in Path(label).parts if part not in ("..", "~")]
    return bool(parts) and list(Path(path).parts[-len(parts) :]) == parts


def _groups(keys: Iterable[str], places: Mapping[str, LocalRepository]) -> list[list[str]]:
    """Group the keys of repositories that share an object store, also an unlisted one."""
    above: dict[str, str] = {}

    def top(store: str) -> str:
        while (up := above.setdefault(store, store)) != store:
            above[store] = above.setdefault(up, up)
            store = up
        return store

    for place in places.values():
        for other in place.borrowed:
            above[top(other)] = top(place.store)
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(f"store {top(places[key].store)}" if key in places else f"url {key}", []).append(key)
    return list(groups.values())


def _unit(repositories: Iterable[Repository], places: Mapping[str, LocalRepository]) -> Unit:
    """Make a unit, its owner first; the size of unlisted stores counts for the owner."""
    ordered = sorted(repositories, key=lambda one: (len(_borrowed(one, places)), one.label))
    listed = {place.store for one in ordered if (place := places.get(one.key)) is not None}
    pools = {store for one in ordered for store in _borrowed(one, places)} - listed
    waiting, stood_for, sized = set(listed), set[str](), []
    for one in ordered:
        place = places.get(one.key)
        if place is None:
            sized.append(one)
            continue
        own = pack_bytes(place.store) if place.store in waiting else 0
        waiting.discard(place.store)
        sized.append(replace(one, size=own or one.size, covered_stores=tuple(sorted(stood_for & {*place.borrowed}))))
        stood_for |= {place.store, *place.borrowed}
    first = replace(sized[0], size=sized[0].size + sum(map(pack_bytes, pools)))
    return Unit(repositories=(first, *sized[1:]))


def _borrowed(repository: Repository, places: Mapping[str, LocalRepository]) -> tuple[str, ...]:
    place = places.get(repository.key)
    return () if place is None else place.borrowed
