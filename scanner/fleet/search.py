"""Searches a folder for git repositories, without asking git."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scanner.errors import UsageError
from scanner.findings import Skipped
from scanner.fleet.places import Place, locate
from scanner.fleet.words import Entry
from scanner.sources.reading import reason

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
        raise UsageError(f"{folder} cannot be searched: {reason(error)}", hint=_NONE) from None
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
        found.skipped.append(Skipped(what=path, why=f"cannot be searched: {reason(error)}"))
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
