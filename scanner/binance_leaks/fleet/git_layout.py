"""Where a repository on this disk keeps what it has, read from its files as git reads them.

No git is run: it would take milliseconds for each of thousands of folders, and where a folder is no repository it would
answer for the one around it. What git refuses for its owner is found all the same; the scan tells.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from binance_leaks.detect.correlate import credential_of
from binance_leaks.model import Credential, Exposure, Location, Occurrence
from binance_leaks.sources.objects.database import ObjectDatabase, find_alternates, open_packs
from binance_leaks.sources.read_stream import describe_error


class OwnStore:
    """The objects that nobody but a repository stands for: its own, and those of folders that are not `lent`."""

    def __init__(self, database: ObjectDatabase, lent: frozenset[str]) -> None:
        first, *others = database.folders
        own = replace(database, folders=(first, *(one for one in others if os.path.realpath(one) not in lent)))
        opened = open_packs(own.pack_files(), own.id_size)
        self._packs = opened.packs
        self._others = {*opened.by_git, *own.loose()}

    def owned(self, credentials: Iterable[Credential]) -> list[Credential]:
        """The credentials without places that only a lender has: borrowed objects that none of its refs reaches."""
        kept = (self._owned(credential) for credential in credentials)
        return [credential for credential in kept if credential.occurrences]

    def _owned(self, credential: Credential) -> Credential:
        occurrences = [occurrence for occurrence in credential.occurrences if self._is_own(occurrence)]
        if len(occurrences) == len(credential.occurrences):
            return credential
        return credential_of(occurrences) if occurrences else replace(credential, occurrences=())

    def _is_own(self, occurrence: Occurrence) -> bool:
        place = occurrence.location
        return place.exposure is not Exposure.UNREACHABLE or self._has(_object(place))

    def _has(self, name: bytes | None) -> bool:
        if name is None:
            return True
        return name in self._others or any(pack.entry_of(name) is not None for pack in self._packs)


def _object(place: Location) -> bytes | None:
    """The object that a place is in: a blob, or for a message the commit or tag."""
    name = place.blob or (place.commit.id if place.commit is not None else None)
    return bytes.fromhex(name) if name is not None else None


_LONGEST = 1 << 16
_HEAD = re.compile(rb"ref:\s*refs/|[0-9a-fA-F]{40}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A repository on disk. `folder` is its git folder, the common one of all its work trees, and real.

    `linked` says that it was reached by a linked work tree. `store` is the real folder of its objects, `borrowed` are
    those that it takes objects from, near ones first.
    """

    folder: str
    linked: bool
    store: str
    borrowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Why there is no repository at a path."""

    why: str


def locate(path: str) -> Place | Nowhere:
    """The repository whose work tree or git folder a path is; not one that the path is within."""
    try:
        folder = _git_folder(Path(path))
        if isinstance(folder, Nowhere):
            return folder
        common = _common(folder)
        missing = _missing(folder, common)
        if missing:
            return Nowhere(missing)
        store = os.path.realpath(common / "objects")
        _, *others = find_alternates(Path(store))[0]
        borrowed = tuple(os.path.realpath(other) for other in others)
        return Place(folder=os.path.realpath(common), linked=common != folder, store=store, borrowed=borrowed)
    except OSError as error:
        return Nowhere(f"cannot be read: {describe_error(error)}")


def packed(store: str) -> int:
    """The bytes of the packs of an object store, 0 where there are none or nobody may look."""
    try:
        with os.scandir(os.path.join(store, "pack")) as entries:  # noqa: PTH118 - pathlib is slower
            return sum(entry.stat().st_size for entry in entries if entry.name.endswith(".pack"))
    except OSError:
        return 0


def _git_folder(path: Path) -> Path | Nowhere:
    """The git folder of a path; what git would look at, whether it is sound or not."""
    if not path.exists():
        return Nowhere("there is no such folder")
    if not path.is_dir():
        return _led_to(path)
    own = path / ".git"
    if own.is_file():
        return _led_to(own)
    if own.is_dir() and (_is_git_folder(own) or not _is_git_folder(path)):
        return own
    return path if _is_git_folder(path) else Nowhere(_stranger(path))


def _is_git_folder(path: Path) -> bool:
    return (path / "HEAD").is_file() and ((path / "objects").is_dir() or (path / "commondir").is_file())


def _stranger(path: Path) -> str:
    above = next((parent for parent in path.absolute().parents if (parent / ".git").exists()), None)
    return "no git repository" if above is None else f"no git repository, but within the one at {above}"


def _led_to(file: Path) -> Path | Nowhere:
    """Where a file `.git` leads, as linked work trees and submodules have one."""
    content = _content(file)
    if not content.startswith(b"gitdir:"):
        return Nowhere("a file and no git repository")
    target = file.parent / os.fsdecode(content.removeprefix(b"gitdir:").strip().replace(b"\0", b"?"))
    return target if target.is_dir() else Nowhere("its .git leads to a folder that is not there")


def _common(folder: Path) -> Path:
    """What the git folder of a linked work tree shares with the others; of any other it is itself."""
    shared = folder / "commondir"
    if not shared.is_file():
        return folder
    return folder / os.fsdecode(_content(shared).strip().replace(b"\0", b"?"))


def _missing(folder: Path, common: Path) -> str:
    """Why git would not take a folder for a git folder, and would look for one above it; empty if it would."""
    head = folder / "HEAD"
    if head.is_symlink():
        sound = os.readlink(head).startswith("refs/")  # noqa: PTH115 - Path.readlink drops what is odd in it
    else:
        sound = head.is_file() and bool(_HEAD.match(_content(head)))
    if not sound:
        return "a damaged git repository: its HEAD is missing or names no branch"
    gone = next((name for name in ("objects", "refs") if not (common / name).is_dir()), None)
    return f"a damaged git repository: it has no folder {gone}" if gone else ""


def _content(file: Path) -> bytes:
    """The start of a file that may be a pipe, which nobody would ever write to."""
    if not stat.S_ISREG(file.stat().st_mode):
        return b""
    with file.open("rb") as stream:
        return stream.read(_LONGEST)
