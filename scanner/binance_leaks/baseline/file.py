"""The file of a baseline: read, made anew, brought up to date, written.

The format is that of detect-secrets 1.x (`core/baseline.py` there): `results` has a list of entries for each path, and
an entry has at least `type` and `hashed_secret`. Everything else in it belongs to other programs, and is kept.

An update does not touch entries that remain: neither their labels nor their lines, which say where a value was when it
was added and would differ from branch to branch. New ones are added by path, then type and digest, so that what two
people add is in different places unless it is in the same file.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

from binance_leaks.baseline.known import OUR_TYPES, PLUGIN_NAMES, SECRET_TYPES, Known, Label, filters, stored
from binance_leaks.errors import ConfigError, ScanError, UsageError
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Confidence, Value
from binance_leaks.reading import LARGEST_BASELINE, read_file
from binance_leaks.writing import replace_file

DEFAULT_NAME = ".secrets.baseline"
_OUR_KEY = "binance_leaks"
_VERSION = "1.5.0"
_VERSIONS = lazy_pattern(r"(\d{1,9})\.\d{1,9}\.\d{1,9}")
_CONFLICT = lazy_pattern(r"^(<{7} .*|={7}|>{7} .*)\r?$", re.MULTILINE)
_UPDATE = "`binance-leaks baseline update`"

Raw = Mapping[str, object]
"""An object of the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One of our entries: `path` is that of the file, with `/` and without values."""

    path: str
    type: str
    sha1: str
    label: Label

    @classmethod
    def of(cls, path: str, raw: Raw) -> Entry | None:
        """The entry, None if it is of another plugin."""
        if raw["type"] not in OUR_TYPES:
            return None
        return cls(
            path=stored(path),
            type=str(raw["type"]),
            sha1=str(raw["hashed_secret"]).lower(),
            label=Label.of(raw.get("is_secret")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """A baseline as read from its file.

    `content` is all of it, `results` the checked part, `newline` ends lines.
    """

    content: Raw
    results: Mapping[str, Sequence[Raw]]
    newline: str = "\n"

    @classmethod
    def read(cls, file: Path) -> Baseline:
        """Read the baseline in a file.

        Raises ConfigError, with what to do, for one that is not understood in full.
        """
        return cls.parse(file, file_content(file))

    @classmethod
    def parse(cls, file: Path, data: bytes) -> Baseline:
        """The baseline that a file holds or held. Raises ConfigError as `read` does."""
        content = parsed(file, data)
        version = str(content["version"])
        if version.startswith("0."):
            hint = f"Upgrade it: detect-secrets scan --baseline {file}"
            raise ConfigError(f"baseline {file} is of detect-secrets {version}, before 1.0", hint=hint)
        if not version.startswith("1."):
            hint = "Update binance-leaks, or make another baseline: binance-leaks baseline create"
            raise ConfigError(f"baseline {file} is of version {version}, which is not known yet", hint=hint)
        newline = "\r\n" if b"\r\n" in data else "\n"
        return cls(content=content, results=_results(file, content["results"]), newline=newline)

    @classmethod
    def new(cls, confidence: Confidence) -> Baseline:
        """An empty one.

        It names our plugins by name alone: a path would hold on this machine only.
        """
        plugins = [{"name": name, "confidence": confidence.value} for name in PLUGIN_NAMES]
        content = {"version": _VERSION, "plugins_used": plugins, "filters_used": filters(), "results": {}}
        return cls(content=content, results={})

    @property
    def with_history(self) -> bool:
        """Whether it holds what the history holds, and not only the files of today."""
        own = self.content.get(_OUR_KEY)
        return isinstance(own, dict) and own.get("history") is True

    def marked_with_history(self) -> Baseline:
        """The same baseline, which remembers that it holds what the history holds.

        Else an update that reads the files alone would take all that for gone. detect-secrets passes over the mark.
        """
        if self.with_history:
            return self
        return replace(self, content={**self.content, _OUR_KEY: {"history": True}})

    def entries(self) -> Iterator[Entry]:
        """Our entries."""
        for path, listed in self.results.items():
            for raw in listed:
                entry = Entry.of(path, raw)
                if entry is not None:
                    yield entry

    def known(self, root: str) -> Known:
        """Return the known values, with paths relative to the folder `root`.

        Of several labels the most severe applies.
        """
        labels: dict[tuple[str, str], Label] = {}
        for entry in self.entries():
            key = entry.path, entry.sha1
            labels[key] = max(entry.label, labels.get(key, entry.label))
        return Known(labels=labels, root=os.path.realpath(root))

    def text(self) -> str:
        """The file as detect-secrets would write it."""
        return json.dumps({**self.content, "results": self.results}, indent=2) + "\n"


def parsed(file: Path, data: bytes) -> dict[str, object]:
    """The content of a file that looks like a baseline of any version.

    ConfigError for anything else.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        hint = "It must be UTF-8. PowerShell's `>` writes UTF-16: make it with `binance-leaks baseline create`."
        raise ConfigError(f"baseline {file} is not valid JSON: not UTF-8", hint=hint) from None
    try:
        content: object = json.loads(text, object_pairs_hook=_distinct)
    except _RepeatedError as error:
        hint = f"Perhaps by a merge: keep one of the two, then run {_UPDATE}."
        raise ConfigError(f"baseline {file} has “{error}” twice in one place", hint=hint) from None
    except (ValueError, RecursionError):
        if _CONFLICT.search(text):
            hint = f"Keep either side (git checkout --ours {file}), then run {_UPDATE}."
            raise ConfigError(f"baseline {file} has conflict markers of git in it", hint=hint) from None
        raise ConfigError(f"baseline {file} is not valid JSON") from None
    if isinstance(content, dict) and isinstance(content.get("results"), dict):
        version = content.get("version")
        if isinstance(version, str) and _VERSIONS.fullmatch(version):
            return content
    raise ConfigError(f"{file} is not a baseline of detect-secrets", hint="It must have a version and results.")


def content_of(file: Path) -> dict[str, object]:
    """The content of a baseline of any version.

    Raises ConfigError as `Baseline.read` does.
    """
    content = parsed(file, file_content(file))
    _results(file, content["results"])
    return content


def refuse_existing(file: Path) -> None:
    """Raise UsageError unless a baseline can be created in `file`.

    Called before a scan, so that it does not fail at its end.
    """
    if os.path.lexists(file):
        raise UsageError(f"{file} exists", hint=f"Update it: {_UPDATE} keeps the labels of an audit.")
    if not file.parent.is_dir():
        raise UsageError(f"baseline {file} cannot be written: there is no folder {file.parent}")
    refuse_unwritable(file)


def refuse_unwritable(file: Path) -> None:
    """Raise ScanError where no file can be created beside `file`.

    Called before a long scan, too.
    """
    folder = file.resolve().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ScanError(f"baseline {file} cannot be written: its folder {folder} is read-only")


def write(file: Path, text: str, *, newline: str = "\n") -> None:
    """Write a baseline whole or not at all, with the mode of the existing file.

    The target of a link is written, and the link is kept. Raises ScanError where it cannot be written.
    """
    file = file.resolve()
    try:
        replace_file(file, text.replace("\n", newline).encode("utf-8"))
    except OSError as error:
        raise ScanError(f"baseline {file} cannot be written: {error.strerror}") from None


def file_content(file: Path) -> bytes:
    """The bytes of a baseline.

    Raises ConfigError, with what to do, where there are none to be had.
    """
    try:
        if file.is_dir():
            raise ConfigError(f"baseline {file} is a folder", hint=f"Name the file: {file / DEFAULT_NAME}")
        if file.exists() and not file.is_file():
            raise ConfigError(f"baseline {file} is no file")
        return read_file(file, LARGEST_BASELINE)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"no such baseline: {file}", hint="Make one: binance-leaks baseline create") from None
    except OSError as error:
        raise ConfigError(f"baseline {file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError("the name of the baseline is no name of a file") from None


class _RepeatedError(Exception):
    """A name that is twice in one object. Its text is the name."""


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; of two equal names JSON would silently keep the last, and with it the half of what is known."""
    made: dict[str, object] = {}
    for name, value in pairs:
        if name in made:
            raise _RepeatedError(name)
        made[name] = value
    return made


def _results(file: Path, results: object) -> dict[str, list[Raw]]:
    checked: dict[str, list[Raw]] = {}
    for path, listed in results.items() if isinstance(results, dict) else ():
        if not isinstance(listed, list):
            raise ConfigError(f"baseline {file}: the entries of {path} are not a list")
        for number, raw in enumerate(listed, start=1):
            fault = _fault(raw)
            if fault:
                raise ConfigError(f"baseline {file}: entry {number} of {path} {fault}")
        checked[path] = listed
    return checked


def _fault(raw: object) -> str:
    """What is wrong with an entry, nothing if it is sound."""
    if not isinstance(raw, dict):
        return "is not an object"
    for name in ("type", "hashed_secret"):
        if not isinstance(raw.get(name), str):
            return f"has no “{name}”"
    if not isinstance(raw.get("is_secret"), bool | None):
        return "has an “is_secret” that is neither true nor false"
    return ""


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

    `present` are path and SHA-1 of everything that was found, allowed and uncertain values included: its entries are
    kept. Another entry is dropped if `gone` is True for its path: then the value would have been found there. Paths are
    those of entries.
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
    added: dict[str, list[Raw]] = {}
    for (path, _), each in new.items():
        added.setdefault(path, []).append(_raw(path, each))
    for path, listed in added.items():
        results[path] = _inserted(results.get(path, []), listed, _by_type)
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
    kept, new = (path for path in before if path in results), (path for path in results if path not in before)
    return {path: results[path] for path in _inserted([*kept], [*new], str)}


def _by_type(raw: Raw) -> str:
    return f"{raw['type']}\0{raw['hashed_secret']}"


def _inserted(things: Sequence[_T], new: Iterable[_T], key: Callable[[_T], str]) -> list[_T]:
    """Insert each new item before the first that sorts after it; the others are not sorted."""
    highest = [*accumulate(map(key, things), max)]
    merged: list[_T] = []
    at = 0
    for each in sorted(new, key=key):
        place = bisect_right(highest, key(each), at)
        merged += [*things[at:place], each]
        at = place
    return [*merged, *things[at:]]
