"""Make the plan of a search: list folders, and open no file.

A home folder holds some 100,000 files in some 10,000 folders, so each folder is listed once, and a name is first tried
against one expression for all locations.
"""
# ruff: noqa: PTH112, PTH120
# pathlib would cost more per file than listing it does.

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType

from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.machine.account import Account
from binance_leaks.machine.known_locations import (
    KnownLocation,
    Treatment,
    known_locations,
    matches,
    name_expression,
    names_anywhere,
)
from binance_leaks.machine.plan import Plan, PlannedFile, PlannedRepository
from binance_leaks.sources.files import SPECIAL_NAMES, FileEntry, entry_kind
from binance_leaks.sources.path_roots import UNKNOWN
from binance_leaks.sources.read_content import WHOLE_LIMIT
from binance_leaks.sources.streams import describe_error

CACHES, TRASH = "caches", "trash"
LEFT_OUT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        CACHES: frozenset(
            {
                "node_modules",
                "bower_components",
                "site-packages",
                "dist-packages",
                "__pycache__",
                ".cache",
                ".npm",
                ".yarn",
                ".pnpm-store",
                ".cargo",
                ".rustup",
                ".gradle",
                ".m2",
                ".nuget",
                ".tox",
                ".nox",
                ".mypy_cache",
                ".pytest_cache",
                ".ruff_cache",
                ".terraform",
                "caches",
                "cache",
                "cacheddata",
                "gpucache",
                "cachestorage",
            }
        ),
        TRASH: frozenset({".trash", ".trashes", "trash", "$recycle.bin", ".trash-1000"}),
    }
)
"""Names of folders, in small letters, that are left out unless the user asks for them."""
_WHY = MappingProxyType(
    {
        CACHES: "installed packages and caches are left out; --include caches reads them",
        TRASH: "the trash is left out; --include trash reads it",
    }
)
_PACKED = "the IDE compresses it: only what it keeps as plain text is searched"
_LARGE_DATABASE = (
    f"a database of more than {WHOLE_LIMIT >> 20} MiB is read as plain bytes: a value that the end of a page cuts is "
    "not found"
)
_TIME = "the time limit ended the search for files; a longer --time-limit allows more"
_LINK = "a symbolic link out of the folders that are searched; name its target to search it"
_OTHER_SYSTEM = "another file system is left out; name it to search it"
_BARE = frozenset({"HEAD", "objects", "refs"})
_WILD = re.compile(r"[*?]")


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchSettings:
    """What is searched, and how far."""

    account: Account
    roots: Sequence[str]
    """Folders below which files are looked for by name, without links."""
    include: frozenset[str] = frozenset()
    """Kinds of locations, `caches` and `trash` that are read only if asked for."""
    depth: int = 12
    """Folders below a root."""
    seconds: float = 60.0
    excluded: Callable[[str], bool] = lambda _: False


def make_plan(settings: SearchSettings, progress: Callable[[int, int], None] = lambda *_: None) -> Plan:
    """List folders and return what a search reads.

    `progress` is called with the folders that were listed and the files that were chosen.
    """
    return _Search(settings, progress).plan()


@dataclass(kw_only=True, slots=True)
class _LeftOut:
    """Folders that are left out, counted."""

    by_name: Counter[tuple[str, str]] = field(default_factory=Counter)
    deep: int = 0
    unsearched: int = 0

    def skipped(self, depth: int) -> Iterator[Skipped]:
        for (group, name), count in sorted(self.by_name.items()):
            yield Skipped(what=f"{_count(count)} named {name}", why=_WHY[group], lost=False)
        if self.deep:
            why = f"more than {depth} folders deep; --depth allows more"
            yield Skipped(what=_count(self.deep), why=why, lost=False)
        if self.unsearched:
            yield Skipped(what=f"{_count(self.unsearched)} and what is below", why=_TIME)


def _count(folders: int) -> str:
    return "1 folder" if folders == 1 else f"{folders:,} folders"


class _Search:
    """One search: what it has found so far."""

    def __init__(self, settings: SearchSettings, progress: Callable[[int, int], None]) -> None:
        self._settings = settings
        self._progress = progress
        self._ends = time.monotonic() + settings.seconds
        wanted = [
            location
            for location in known_locations()
            if settings.account.has(location) and (not location.is_asked or location.kind.value in settings.include)
        ]
        self._known = [location for location in wanted if not location.is_anywhere]
        self._named = [(location, location.pattern.lower().split("/")) for location in wanted if location.is_anywhere]
        self._name = re.compile(name_expression(names_anywhere()), re.IGNORECASE)
        self._whole_folders = {parts[-2] for _, parts in self._named if parts[-1] == "*"}
        self._names = {name: group for group in LEFT_OUT if group not in settings.include for name in LEFT_OUT[group]}
        self._rank = {location: number for number, location in enumerate(wanted)}
        self._allowed = [settings.account.home, *settings.roots]
        self._files: dict[str, PlannedFile] = {}
        self._repositories: dict[str, PlannedRepository] = {}
        self._skipped: list[Skipped] = []
        self._left_out = _LeftOut()
        self._folders = 0

    def plan(self) -> Plan:
        for location in self._known:
            for pattern in self._settings.account.patterns(location):
                self._expand(pattern, location)
        for root in self._settings.roots:
            self._search(root)
        return Plan(
            files=sorted(self._files.values(), key=lambda file: (self._rank[file.location], file.entry.shown)),
            repositories=sorted(self._repositories.values(), key=lambda found: (found.size, found.folder)),
            skipped=[*dict.fromkeys(self._skipped), *self._left_out.skipped(self._settings.depth)],
            folders=self._folders,
        )

    def _expand(self, pattern: str, location: KnownLocation) -> None:
        """Choose the files that an absolute pattern matches."""
        parts = pattern.split("/")
        fixed = next((number for number, part in enumerate(parts) if _WILD.search(part)), len(parts) - 1)
        folder = self._resolve("/".join(parts[:fixed]) or "/")
        if folder is not None:
            self._match(folder, parts[fixed:], location)

    def _resolve(self, folder: str) -> str | None:
        """Return a folder without links, None if there is none, or a link leads out of what may be searched.

        A folder outside of the home folder was named by the user's environment.
        """
        real, home = _real(folder), self._settings.account.home.rstrip("/")
        if not os.path.isdir(real):
            return None
        if f"{folder}/".startswith(f"{home}/") and not self._is_allowed(real):
            self._skipped.append(Skipped(what=folder, why=_LINK, lost=False))
            return None
        return real

    def _is_allowed(self, real: str) -> bool:
        return any(real == folder or real.startswith(folder.rstrip("/") + "/") for folder in self._allowed)

    def _match(self, folder: str, parts: Sequence[str], location: KnownLocation) -> None:
        first, rest = parts[0], parts[1:]
        if first == "**":
            self._everything_below(folder, rest[-1] if rest else "*", location)
        elif not _WILD.search(first) and not rest:
            self._take(_join(folder, first), _kind_of(_join(folder, first)), location)
        else:
            for entry, kind in self._list(folder):
                if fnmatchcase(entry.name.lower(), first.lower()):
                    if not rest:
                        self._take(_join(folder, entry.name), kind, location)
                    elif kind == stat.S_IFDIR:
                        self._match(_join(folder, entry.name), rest, location)

    def _everything_below(self, top: str, name: str, location: KnownLocation) -> None:
        stack = [(top, 0)]
        while stack and self._has_time(stack):
            folder, depth = stack.pop()
            for entry, kind in self._list(folder):
                path = _join(folder, entry.name)
                if kind == stat.S_IFDIR:
                    if self._enters(path, entry.name, depth):
                        stack.append((path, depth + 1))
                elif fnmatchcase(entry.name.lower(), name.lower()):
                    self._take(path, kind, location)

    def _search(self, root: str) -> None:
        """Choose the files below a root that have the name of a location, and the repositories."""
        device = _device(root)
        stack = [(root, 0)]
        while stack and self._has_time(stack):
            folder, depth = stack.pop()
            listed = list(self._list(folder))
            names = {entry.name for entry, kind in listed if kind in (stat.S_IFDIR, stat.S_IFREG)}
            if names >= _BARE:
                self._add_repository(folder, folder)
                continue
            is_whole = folder.rpartition("/")[2].lower() in self._whole_folders
            for entry, kind in listed:
                path = _join(folder, entry.name)
                if kind != stat.S_IFDIR:
                    if is_whole or self._name.fullmatch(entry.name):
                        self._take_named(path, kind)
                    elif kind == stat.S_IFLNK and os.path.isdir(path) and not self._is_allowed(_real(path)):
                        self._skipped.append(Skipped(what=path, why=_LINK, lost=False))
                elif entry.name == ".git":
                    self._add_repository(folder, path)
                elif self._enters(path, entry.name, depth):
                    if sys.platform != "win32" and _device(path) != device:
                        self._skipped.append(Skipped(what=path, why=_OTHER_SYSTEM, lost=False))
                    else:
                        stack.append((path, depth + 1))

    def _has_time(self, stack: Sequence[object]) -> bool:
        """Whether there is time to search more; else what is left is counted."""
        if time.monotonic() <= self._ends:
            return True
        self._left_out.unsearched += len(stack)
        return False

    def _enters(self, path: str, name: str, depth: int) -> bool:
        """Whether a folder is searched; what is left out is counted."""
        group = self._names.get(name.lower())
        if group is not None:
            self._left_out.by_name[group, name] += 1
            return False
        if depth >= self._settings.depth:
            self._left_out.deep += 1
            return False
        return not self._settings.excluded(path)

    def _take_named(self, path: str, kind: int) -> None:
        parts = path.lower().split("/")
        for location, pattern in self._named:
            if fnmatchcase(parts[-1], pattern[-1]) and matches(parts, pattern):
                self._take(path, kind, location)
                return

    def _take(self, path: str, kind: int, location: KnownLocation) -> None:
        """Plan to read a file; of a link its target, if that is in what may be searched."""
        if kind == stat.S_IFLNK:
            real = _real(path)
            kind = _kind_of(real)
            if kind not in (UNKNOWN, stat.S_IFDIR) and not self._is_allowed(real):
                self._skipped.append(Skipped(what=path, why=_LINK, lost=False))
                return
            path = real
        if kind in (UNKNOWN, stat.S_IFDIR) or path in self._files or self._settings.excluded(path):
            return
        if kind != stat.S_IFREG:
            self._skipped.append(Skipped(what=path, why=SPECIAL_NAMES.get(kind, "not a file"), lost=False))
            return
        entry = FileEntry(path=path, shown=path, evidence_path=self._evidence(path))
        self._files[path] = PlannedFile(entry=entry, location=location, size=_size(path))
        if location.treatment is Treatment.PACKED_HISTORY:
            self._skipped.append(Skipped(what=path, why=_PACKED, lost=False))
        elif location.treatment is Treatment.DATABASE and self._files[path].size > WHOLE_LIMIT:
            self._skipped.append(Skipped(what=path, why=_LARGE_DATABASE, lost=False))

    def _evidence(self, path: str) -> str:
        """Return the part of a path that may be evidence for Binance: below the home folder, or from a root on."""
        home = self._settings.account.home.rstrip("/") + "/"
        if path.startswith(home):
            return path.removeprefix(home)
        root = next((root for root in self._settings.roots if path.startswith(root.rstrip("/") + "/")), "")
        return path.removeprefix(os.path.dirname(root)).lstrip("/")

    def _add_repository(self, folder: str, git_folder: str) -> None:
        """Plan to read a repository; a folder that only has the name of one holds no objects."""
        is_repository = {entry.name for entry, _ in self._list(git_folder)} >= _BARE
        if is_repository and not self._settings.excluded(folder):
            packs = f"{git_folder}/objects/pack"
            size = sum(_size(_join(packs, entry.name)) for entry, _ in self._list(packs))
            self._repositories[folder] = PlannedRepository(folder=folder, git_folder=git_folder, size=size)

    def _list(self, folder: str) -> Iterator[tuple[os.DirEntry[str], int]]:
        """Yield what is in a folder with its types, sorted by name."""
        try:
            with os.scandir(folder) as found:
                listed = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                self._skipped.append(Skipped(what=folder, why=describe_error(error)))
            return
        self._folders += 1
        self._progress(self._folders, len(self._files))
        for entry in listed:
            yield entry, entry_kind(entry)


def _join(folder: str, name: str) -> str:
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


def _real(path: str) -> str:
    return os.path.realpath(path).replace(os.sep, "/")


def _kind_of(path: str) -> int:
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return UNKNOWN


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except (OSError, ValueError):
        return 0


def _device(path: str) -> int:
    try:
        return os.lstat(path).st_dev
    except OSError:
        return 0
