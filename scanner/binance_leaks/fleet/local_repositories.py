"""Find git repositories on this disk and their object stores, without running git.

Running git takes milliseconds for each of thousands of folders, and in a folder that is no repository it answers for
the one around it. Repositories that git refuses because of their owner are found, and the scan reports them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from binance_leaks.errors import UsageError
from binance_leaks.findings import Skipped
from binance_leaks.fleet.models import Entry
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.objects.database import find_alternates
from binance_leaks.sources.streams import describe_error

_LONGEST = 1 << 16
_HEAD = lazy_pattern(rb"ref:\s*refs/|[0-9a-fA-F]{40}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalRepository:
    """A repository on disk.

    `folder` is the real path of its git folder, the common one of all its work trees. `linked`: the path was a linked
    work tree. `store` is the real folder of its objects, `borrowed` are its alternates, nearest first.
    """

    folder: str
    linked: bool
    store: str
    borrowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotARepository:
    """Why there is no repository at a path."""

    why: str


def locate(path: str) -> LocalRepository | NotARepository:
    """Return the repository whose work tree or git folder a path is.

    Not one that contains the path.
    """
    try:
        folder = _git_folder(Path(path))
        if isinstance(folder, NotARepository):
            return folder
        common = _common_folder(folder)
        rejection = _rejection(folder, common)
        if rejection:
            return NotARepository(rejection)
        store = os.path.realpath(common / "objects")
        _, *others = find_alternates(Path(store))[0]
        borrowed = tuple(os.path.realpath(other) for other in others)
        return LocalRepository(folder=os.path.realpath(common), linked=common != folder, store=store, borrowed=borrowed)
    except OSError as error:
        return NotARepository(f"cannot be read: {describe_error(error)}")


def pack_bytes(store: str) -> int:
    """Return the bytes of all packs of an object store, 0 where there are none or they cannot be read."""
    try:
        with os.scandir(os.path.join(store, "pack")) as entries:  # noqa: PTH118 - pathlib is slower
            return sum(entry.stat().st_size for entry in entries if entry.name.endswith(".pack"))
    except OSError:
        return 0


def _git_folder(path: Path) -> Path | NotARepository:
    """The git folder of a path, as git would choose it, valid or not."""
    if not path.exists():
        return NotARepository("there is no such folder")
    if not path.is_dir():
        return _follow_git_file(path)
    own = path / ".git"
    if own.is_file():
        return _follow_git_file(own)
    if own.is_dir() and (_is_git_folder(own) or not _is_git_folder(path)):
        return own
    return path if _is_git_folder(path) else NotARepository(_not_found_reason(path))


def _is_git_folder(path: Path) -> bool:
    return (path / "HEAD").is_file() and ((path / "objects").is_dir() or (path / "commondir").is_file())


def _not_found_reason(path: Path) -> str:
    above = next((parent for parent in path.absolute().parents if (parent / ".git").exists()), None)
    return "not a git repository" if above is None else f"not a git repository, but inside the one at {above}"


def _follow_git_file(file: Path) -> Path | NotARepository:
    """The folder that a `.git` file names, as linked work trees and submodules have one."""
    content = _read_start(file)
    if not content.startswith(b"gitdir:"):
        return NotARepository("a file, not a git repository")
    target = file.parent / decode_path(content.removeprefix(b"gitdir:").strip().replace(b"\0", b"?"))
    return target if target.is_dir() else NotARepository("its .git names a folder that does not exist")


def _common_folder(folder: Path) -> Path:
    """The git folder that linked work trees share; of any other it is itself."""
    shared = folder / "commondir"
    if not shared.is_file():
        return folder
    return folder / decode_path(_read_start(shared).strip().replace(b"\0", b"?"))


def _rejection(folder: Path, common: Path) -> str:
    """Why git would not accept a git folder and would search above it; empty if it would accept it."""
    head = folder / "HEAD"
    if head.is_symlink():
        sound = os.readlink(head).startswith("refs/")  # noqa: PTH115 - Path.readlink drops what is odd in it
    else:
        sound = head.is_file() and bool(_HEAD.match(_read_start(head)))
    if not sound:
        return "a damaged git repository: its HEAD is missing or invalid"
    gone = next((name for name in ("objects", "refs") if not (common / name).is_dir()), None)
    return f"a damaged git repository: it has no folder {gone}" if gone else ""


def _read_start(file: Path) -> bytes:
    """The first bytes of a file; nothing of a pipe, which would block."""
    if not stat.S_ISREG(file.stat().st_mode):
        return b""
    with file.open("rb") as stream:
        return stream.read(_LONGEST)


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
    """Find the repositories in a folder, itself included, in the order of their paths.

    Finds work trees, also linked ones and those of submodules, nested ones, and bare repositories; damaged ones too, so
    that they are reported. The label is the path from the folder. Symbolic links are not followed: a link to a
    repository elsewhere is listed as skipped, but not as lost. Object stores of submodules without a work tree are not
    found: they belong to the repository around them.

    Also returns what could not be searched. Raises UsageError where the folder cannot be read or holds no repository.
    """
    top = os.path.abspath(folder)  # noqa: PTH100 - does not follow links
    try:
        os.scandir(top).close()
    except OSError as error:
        raise UsageError(f"{folder} cannot be searched: {describe_error(error)}", hint=_NONE) from None
    found = _Found(top=os.path.realpath(top))
    waiting = [("", top)]
    while waiting:
        label, path = waiting.pop()
        waiting += reversed(list(_visit(label, path, found)))
    if not found.entries and not any(skipped.lost for skipped in found.skipped):
        raise UsageError(f"there is no git repository in {folder}", hint=_NONE)
    return found.entries, found.skipped


def _visit(label: str, path: str, found: _Found) -> Iterator[tuple[str, str]]:
    """Add a folder to `found` if it is a repository, and yield the folders in it, in order."""
    try:
        with os.scandir(path) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except OSError as error:
        found.skipped.append(Skipped(what=path, why=f"cannot be searched: {describe_error(error)}"))
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
            elif entry.is_symlink() and entry.is_dir() and _leads_elsewhere(entry.path, found.top):
                why = "a link to a repository elsewhere; links are not followed, list it by itself"
                found.skipped.append(Skipped(what=entry.path, why=why, lost=False))
        except OSError:  # a link to itself, or what is gone by now
            continue


def _is_work_tree(path: str) -> bool:
    """Whether `.git` is more than an empty folder, which git ignores."""
    own = Path(path) / ".git"
    try:
        return own.is_file() or next(own.iterdir(), None) is not None
    except OSError:
        return own.is_dir()  # it may be one that we may not read: the scan tells


def _leads_elsewhere(link: str, top: str) -> bool:
    """Whether a link leads to a repository that the search does not visit."""
    return not Path(os.path.realpath(link)).is_relative_to(top) and isinstance(locate(link), LocalRepository)
