"""What the command line names, as entries of a fleet: lists, folders to search, URLs, standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scanner.errors import UsageError
from scanner.findings import Skipped
from scanner.fleet.labels import inert
from scanner.fleet.listing import read_list
from scanner.fleet.search import find_repositories
from scanner.fleet.words import Entry
from scanner.sources.urls import is_url

_STDIN = "standard input"


def entries_of(names: Sequence[str], *, ssh: bool) -> tuple[list[Entry], list[Skipped]]:
    """The entries, and what of the folders could not be searched. Raises UsageError for what cannot be used."""
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    for name in names:
        if not name:
            raise UsageError("the name of a list is empty", hint="Is a variable unset?")
        if name == "-":
            entries += read_list(_stdin(), _STDIN, base=Path.cwd(), ssh=ssh)
        elif is_url(name):
            entries += read_list(name.encode("utf-8", "surrogateescape"), "command line", base=Path.cwd(), ssh=ssh)
        elif os.path.isdir(name):  # noqa: PTH112 - the text may be too long for a path
            found, unread = find_repositories(Path(name))
            entries += found if len(names) == 1 else [replace(entry, label=_within(name, entry)) for entry in found]
            skipped += unread
        else:
            entries += read_list(_content(name), name, base=Path(name).absolute().parent, ssh=ssh)
    return entries, skipped


def _within(folder: str, entry: Entry) -> str:
    """What a repository is called where several folders are named: the folder, too."""
    return folder if entry.label in ("", ".") else f"{folder.rstrip('/')}/{entry.label}"


def target_of(names: Sequence[str], count: int) -> str:
    """What is scanned, in a few words for reports and the store, without logins of URLs."""
    shown = ", ".join(_STDIN if name == "-" else inert(name) for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{count:,} {'repository' if count == 1 else 'repositories'} of {shown}{more}"


def _content(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name is no name of a file"
        raise UsageError(
            f"list {name} cannot be read: {why}", hint="Give a list of repositories, a folder to search, or a URL."
        ) from None


def _stdin() -> bytes:
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    return sys.stdin.buffer.read()
