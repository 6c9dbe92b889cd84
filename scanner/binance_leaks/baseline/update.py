"""A baseline brought up to date: what is new comes in, what is gone goes out, all else stays as it is.

Entries that stay are not touched: neither their labels nor their lines, which say where a value stood when it came in
and would differ from branch to branch. New ones are put in by path, then type and digest, so that what two people add
stands in different places unless it is in the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import TypeVar

from binance_leaks.baseline.file import Baseline, Entry, Raw
from binance_leaks.baseline.known import stored
from binance_leaks.baseline.names import SECRET_TYPES
from binance_leaks.model import Value

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A value at a path from the top, and its line."""

    value: Value
    path: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """A baseline after an update, with what was done to it."""

    baseline: Baseline
    added: tuple[Found, ...]
    dropped: tuple[Entry, ...]
    kept: int


def updated(
    baseline: Baseline, found: Iterable[Found], *, present: Set[tuple[str, str]], gone: Callable[[str], bool]
) -> Update:
    """The baseline with all that was found.

    `present` are path and SHA-1 of everything that stands anywhere, be it allowed or too uncertain to be reported: what
    is of it in the baseline stays. Another entry goes out if `gone` says of its path that the value would have been
    seen there. Paths are those of entries.
    """
    new: dict[tuple[str, str], Found] = {}
    for each in sorted(found, key=lambda each: (each.path, SECRET_TYPES[each.value.role], each.value.sha1, each.line)):
        new.setdefault((stored(each.path), each.value.sha1), each)
    results: dict[str, list[Raw]] = {}
    dropped: list[Entry] = []
    kept = 0
    for path, listed in baseline.results.items():
        left: list[Raw] = []
        for raw in listed:
            entry = Entry.of(path, raw)
            if entry is not None and (entry.path, entry.sha1) not in present and gone(entry.path):
                dropped.append(entry)
                continue
            if entry is not None:
                kept += 1
                new.pop((entry.path, entry.sha1), None)
            left.append(raw)
        if left or not listed:
            results[path] = left
    for (path, _), each in new.items():
        _put(results.setdefault(path, []), _raw(path, each), _by_type)
    return Update(
        baseline=replace(baseline, results=_ordered(baseline.results, results)),
        added=tuple(new.values()),
        dropped=tuple(dropped),
        kept=kept,
    )


def _raw(path: str, found: Found) -> dict[str, object]:
    """An entry as detect-secrets writes it."""
    return {
        "type": SECRET_TYPES[found.value.role],
        "filename": path,
        "hashed_secret": found.value.sha1,
        "is_verified": False,
        "line_number": found.line,
    }


def _ordered(before: Mapping[str, object], results: Mapping[str, list[Raw]]) -> dict[str, Sequence[Raw]]:
    """The results with new paths put in their places among those that were there."""
    paths = [path for path in before if path in results]
    for path in results:
        if path not in before:
            _put(paths, path, lambda path: path)
    return {path: results[path] for path in paths}


def _by_type(raw: Raw) -> str:
    return f"{raw['type']}\0{raw['hashed_secret']}"


def _put(things: list[_T], new: _T, key: Callable[[_T], str]) -> None:
    """Put something in front of the first that comes after it; the others stay as they are, sorted or not."""
    place = key(new)
    at = next((index for index, thing in enumerate(things) if key(thing) > place), len(things))
    things.insert(at, new)
