"""From entries of a list to units of work: each repository once, with those that share objects; large ones first."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from binance_leaks.findings import Skipped
from binance_leaks.fleet.display_names import Named, inert, labels_of
from binance_leaks.fleet.git_layout import Nowhere, Place, locate, packed
from binance_leaks.fleet.models import Entry, Repository, Unit
from binance_leaks.report.sanitize import encodable, without_values
from binance_leaks.sources import urls

_HERE = re.compile(r"file://(?:localhost)?(?=/)", re.IGNORECASE)
_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Units:
    """What is to be scanned: `units`, the largest first; their `repositories` by label; and what is no repository."""

    repositories: tuple[Repository, ...]
    units: tuple[Unit, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """An entry, and what it leads to: the URL in one spelling, or a path and its place on this disk."""

    entry: Entry
    key: str
    shown: str
    place: Place | None = None


def units_of(entries: Iterable[Entry]) -> Units:
    """The repositories that entries lead to, in units.

    Several entries may lead to one repository: other spellings of a URL, links, work trees. Repositories that share
    objects, as forks on a disk do, are one unit; first come those that others borrow from. The result does not depend
    on the order of the entries. What is no repository is told of, and counts as lost. Raises UsageError for a URL that
    cannot be cloned.
    """
    ways: dict[str, list[_Way]] = {}
    skipped = set()
    for entry in entries:
        way = _way(entry)
        if isinstance(way, _Way):
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


def _way(entry: Entry) -> _Way | Skipped:
    path = _path(entry.address)
    if path is None:
        url = urls.normalize_url(entry.address)
        return _Way(entry=entry, key=_identity(url), shown=url)
    match locate(path):
        case Nowhere(why=why):
            at = "" if entry.origin == entry.address else f" ({inert(entry.origin)})"
            return Skipped(what=inert(path), why=f"{why}{at}")
        case Place() as place:
            return _Way(entry=entry, key=_identity(place.folder), shown=path, place=place)


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


def _preference(way: _Way) -> tuple[bool, int, str]:
    """What comes first of several ways to a repository: a login, its main folder, a short address."""
    address = way.entry.address
    worse = urls.parse_address(address).password is None if way.place is None else way.place.linked
    return worse, len(address), address


def _repositories(ways: Mapping[str, Sequence[_Way]]) -> dict[str, Repository]:
    """A repository for each key, by the first of its ways."""
    labels = labels_of([_named(key, several) for key, several in ways.items()])
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


def _named(key: str, ways: Sequence[_Way]) -> Named:
    labels = [(way.entry.label, way.place is not None and _is_part(way.entry.label, way.shown)) for way in ways]
    return Named(
        key=key,
        address=ways[0].shown,
        given=tuple(label for label, written in labels if not written),
        wrote=tuple(label for label, written in labels if written),
    )


def _is_part(label: str, path: str) -> bool:
    """Whether a label is the end of a path, and so no name that somebody thought of."""
    parts = [part for part in Path(label).parts if part not in ("..", "~")]
    return bool(parts) and list(Path(path).parts[-len(parts) :]) == parts


def _groups(keys: Iterable[str], places: Mapping[str, Place]) -> list[list[str]]:
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


def _unit(repositories: Iterable[Repository], places: Mapping[str, Place]) -> Unit:
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
        sized.append(replace(one, size=own or one.size, lent=tuple(sorted(stood_for & {*place.borrowed}))))
        stood_for |= {place.store, *place.borrowed}
    first = replace(sized[0], size=sized[0].size + sum(map(packed, pools)))
    return Unit(repositories=(first, *sized[1:]))


def _borrowed(repository: Repository, places: Mapping[str, Place]) -> tuple[str, ...]:
    place = places.get(repository.key)
    return () if place is None else place.borrowed
