"""From entries of a list to units of work: each repository once, with those that share objects; large ones first."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from binance_leaks.findings import Skipped
from binance_leaks.fleet.local_repositories import LocalRepository, NotARepository, locate, packed
from binance_leaks.fleet.models import Entry, Repository, Unit
from binance_leaks.report.sanitize import encodable, printable, without_values
from binance_leaks.sources import urls

_LOGIN = re.compile(r"(?<=://)[^/\s]*@|[^\s/@:]*:[^\s/@]*@")
_LONGEST = 200
_LABEL_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class NameCandidates:
    """What a repository may be called: by the names `given` by people, best by a short one; by its path as somebody
    `wrote` it, best by the first; by its `address`, a path or a URL in one spelling. `key` is its identity.
    """

    key: str
    address: str = field(repr=False)
    given: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()


def safe_label(text: str) -> str:
    """A label, path or URL on one line, without a login or anything that looks like a value, and not too long."""
    shown = " ".join(printable(without_values(_LOGIN.sub("", text))).split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def choose_labels(repositories: Sequence[NameCandidates]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """For each key the label of its repository and its other names, whatever order they come in.

    A URL that nobody named is called by host and path; by its path alone where all are of one host. Where two would be
    called the same, both get what tells them apart.
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
    """The labels by key. Behind those that several have stands how it is reached, else the key, else a digest of it."""
    chosen = dict(labels)
    for behind in (_scheme, _place, _digest):
        _distinguish(chosen, behind)
    taken: set[str] = set()
    for key in sorted(chosen):  # somebody may have thought of all these
        while chosen[key] in taken:
            chosen[key] += "'"
        taken.add(chosen[key])
    return chosen


def _distinguish(chosen: dict[str, str], behind: Callable[[str], str]) -> None:
    """Puts something behind the labels that several have, where that makes each of them one of its own."""
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


def _place(key: str) -> str:
    return safe_label(key.removesuffix("/.git"))


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:_LABEL_DIGITS]


_HERE = re.compile(r"file://(?:localhost)?(?=/)", re.IGNORECASE)
_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Units:
    """What is to be scanned: `units`, the largest first; their `repositories` by label; and what is no repository."""

    repositories: tuple[Repository, ...]
    units: tuple[Unit, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _ResolvedEntry:
    """An entry, and what it leads to: the URL in one spelling, or a path and its place on this disk."""

    entry: Entry
    key: str
    shown: str
    place: LocalRepository | None = None


def plan_units(entries: Iterable[Entry]) -> Units:
    """The repositories that entries lead to, in units.

    Several entries may lead to one repository: other spellings of a URL, links, work trees. Repositories that share
    objects, as forks on a disk do, are one unit; first come those that others borrow from. The result does not depend
    on the order of the entries. What is no repository is told of, and counts as lost. Raises UsageError for a URL that
    cannot be cloned.
    """
    ways: dict[str, list[_ResolvedEntry]] = {}
    skipped = set()
    for entry in entries:
        way = _way(entry)
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


def _way(entry: Entry) -> _ResolvedEntry | Skipped:
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
    """The path that an address leads to on this disk, None where it leads to another machine."""
    if not urls.is_url(address):
        return os.path.abspath(address)  # noqa: PTH100 - does not follow links
    found = _HERE.match(address)
    return None if found is None else os.path.abspath(urls.percent_decode(address[found.end() :]))  # noqa: PTH100


def _identity(text: str) -> str:
    """A key that can be stored: what no file may hold, or can, is in it as a digest only."""
    shown = encodable(without_values(text))
    digest = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return text if shown == text else f"{shown}#{digest[:_DIGITS]}"


def _preference(way: _ResolvedEntry) -> tuple[bool, int, str]:
    """What comes first of several ways to a repository: a login, its main folder, a short address."""
    address = way.entry.address
    worse = urls.parse_address(address).password is None if way.place is None else way.place.linked
    return worse, len(address), address


def _repositories(ways: Mapping[str, Sequence[_ResolvedEntry]]) -> dict[str, Repository]:
    """A repository for each key, by the first of its ways."""
    labels = choose_labels([_named(key, several) for key, several in ways.items()])
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


def _named(key: str, ways: Sequence[_ResolvedEntry]) -> NameCandidates:
    labels = [(way.entry.label, way.place is not None and _is_part(way.entry.label, way.shown)) for way in ways]
    return NameCandidates(
        key=key,
        address=ways[0].shown,
        given=tuple(label for label, written in labels if not written),
        wrote=tuple(label for label, written in labels if written),
    )


def _is_part(label: str, path: str) -> bool:
    """Whether a label is the end of a path, and so no name that somebody thought of."""
    parts = [part for part in Path(label).parts if part not in ("..", "~")]
    return bool(parts) and list(Path(path).parts[-len(parts) :]) == parts


def _groups(keys: Iterable[str], places: Mapping[str, LocalRepository]) -> list[list[str]]:
    """The keys of those that share a store of objects, also by one that is not listed, and all others alone."""
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
    """A unit of repositories, its owner first, who is also given the size of what others own."""
    ordered = sorted(repositories, key=lambda one: (len(_borrowed(one, places)), one.label))
    listed = {place.store for one in ordered if (place := places.get(one.key)) is not None}
    pools = {store for one in ordered for store in _borrowed(one, places)} - listed
    waiting, stood_for, sized = set(listed), set[str](), []
    for one in ordered:
        place = places.get(one.key)
        if place is None:
            sized.append(one)
            continue
        own = packed(place.store) if place.store in waiting else 0
        waiting.discard(place.store)
        sized.append(replace(one, size=own or one.size, covered_stores=tuple(sorted(stood_for & {*place.borrowed}))))
        stood_for |= {place.store, *place.borrowed}
    first = replace(sized[0], size=sized[0].size + sum(map(packed, pools)))
    return Unit(repositories=(first, *sized[1:]))


def _borrowed(repository: Repository, places: Mapping[str, LocalRepository]) -> tuple[str, ...]:
    place = places.get(repository.key)
    return () if place is None else place.borrowed
