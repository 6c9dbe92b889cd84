"""Check the files that git reads first: none may be a pipe, a device or endless.

git opens its configuration, refs and lists with a plain `open`, so a named pipe among them stops it for ever, and so
does one that the configuration includes. The author of a repository in an archive chose these files. The
check is on the start-up path of the hook and imports nothing that Python has not loaded.
"""

from __future__ import annotations

import os
import time

from binance_leaks.path_bytes import decode_path

TYPE_CHECKING = False  # as typing has it, without importing typing
if TYPE_CHECKING:
    from collections.abc import Iterator

_REGULAR = 0o100000
_FOLDER = 0o040000
_DEVICE = 0o020000
_FORMAT = 0o170000
_LARGEST_SETTINGS = 16 << 20
_LARGEST_LIST = 1 << 40
"""Bytes of what git maps or reads in parts."""
_LARGEST_TEXT = 256 << 20
"""Bytes of what git reads whole into memory, such as the list of commits at which a clone ends."""
_IN_PARTS = ("index", "packed-refs", "logs/refs/stash", "commit-graph")
_LARGEST_LINK = 64 << 10
_OWN = ("HEAD", "index", "commondir", "gitdir", "MERGE_HEAD", "FETCH_HEAD")
_COMMON = (
    "packed-refs", "shallow", "info/exclude", "info/attributes", "info/grafts", "info/sparse-checkout",
    "objects/info/alternates", "logs/refs/stash", "objects/info/commit-graph", "objects/pack/multi-pack-index", "HEAD",
)  # fmt: skip
_FOLDERS = ("refs", "worktrees", "objects/pack")
_NAME_FILES = (b"include", b"excludesfile", b"attributesfile")
"""Settings whose values are files that git reads too, in lower case."""
_HUNG: dict[tuple[str, str] | None, float] = {}
"""When git was found to hang, by the folders of the repository."""
_REMEMBERED = 600.0
"""Seconds, for what a command starts; a program that goes on may find the file gone."""


def check_git_folder(folder: str, git_dir: str | None) -> tuple[str, list[str]]:
    """Check whether git would hang in a folder; return why, and the settings to check.

    The reason is empty where it would not. The settings name further files.

    `git_dir` is the git folder where the caller has chosen one. A folder outside of every repository is fine.
    """
    found = find_git_folder(folder, git_dir)
    if found is None:
        return "", []
    own, common = found
    settings = (os.path.join(common, "config"), os.path.join(own, "config.worktree"))  # noqa: PTH118
    lists = [os.path.join(own, name) for name in _OWN] + [os.path.join(common, name) for name in _COMMON]  # noqa: PTH118
    faults = [describe_irregular(path) for path in settings]
    faults += [
        describe_irregular(path, limit=_LARGEST_LIST if path.endswith(_IN_PARTS) else _LARGEST_TEXT) for path in lists
    ]
    faults += [
        describe_irregular(path, limit=_LARGEST_LIST)
        for name in _FOLDERS
        for path in _irregular_below(os.path.join(common, name))  # noqa: PTH118
    ]
    if any(faults):
        return next(filter(None, faults)), []
    return "", [path for path in settings if _names_files(path)]


def find_irregular_object(folder: str, git_dir: str | None) -> str:
    """Why git would hang where it reads a loose object; empty where it would not. Lists all of them."""
    found = find_git_folder(folder, git_dir)
    if found is None:
        return ""
    paths = _irregular_below(os.path.join(found[1], "objects"))  # noqa: PTH118
    return next(filter(None, (describe_irregular(path, limit=_LARGEST_LIST) for path in paths)), "")


def remember_hang(folder: str, git_dir: str | None) -> None:
    """Note that git was found to hang in a repository: each further git would, too, after a wait."""
    _HUNG[find_git_folder(folder, git_dir)] = time.monotonic()


def has_hung(folder: str, git_dir: str | None) -> bool:
    """Whether git was found to hang in a repository a moment ago."""
    if not _HUNG:
        return False
    since = _HUNG.get(find_git_folder(folder, git_dir))
    return since is not None and time.monotonic() - since < _REMEMBERED


def describe_irregular(path: str, *, limit: int = _LARGEST_SETTINGS) -> str:
    """Why a file cannot be read to its end, empty where it can be or does not exist.

    `limit` is its size in bytes. The null device is an empty file, the usual value of settings that are to name none.
    """
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return ""
    kind = status.st_mode & _FORMAT
    if kind == _FOLDER or (kind == _REGULAR and status.st_size <= limit) or _is_null_device(status):
        return ""
    return f"{path} is {'too large' if kind == _REGULAR else 'not a regular file'}"


def _is_null_device(status: os.stat_result) -> bool:
    try:
        null = os.stat(os.devnull)  # noqa: PTH116
    except OSError:
        return False
    return status.st_mode & _FORMAT == _DEVICE and (status.st_dev, status.st_ino) == (null.st_dev, null.st_ino)


def find_git_folder(folder: str, git_dir: str | None) -> tuple[str, str] | None:
    """The git folder that git would use, and the one shared with other work trees; None without."""
    if git_dir:
        own = os.path.join(folder, git_dir)  # noqa: PTH118
        return own, _common_folder(own)
    at = os.path.realpath(folder)
    while True:
        inner = os.path.join(at, ".git")  # noqa: PTH118
        for own in (_follow_git_file(inner, at) or inner, at):
            if os.path.lexists(os.path.join(own, "HEAD")):  # noqa: PTH118
                common = _common_folder(own)
                if any(os.path.exists(os.path.join(*parts)) for parts in ((common, "objects"), (own, "commondir"))):  # noqa: PTH110, PTH118
                    return own, common
        parent = os.path.dirname(at)  # noqa: PTH120
        if parent == at:
            return None
        at = parent


def _follow_git_file(path: str, above: str) -> str | None:
    """`.git` where it is a folder, else the one that it names."""
    if os.path.isdir(path):  # noqa: PTH112
        return path
    content = _read_small(path)
    if not content.startswith(b"gitdir:"):
        return None
    return os.path.join(above, decode_path(content[7:].strip().replace(b"\0", b"?")))  # noqa: PTH118


def _common_folder(own: str) -> str:
    content = _read_small(os.path.join(own, "commondir")).strip()  # noqa: PTH118
    return os.path.join(own, decode_path(content.replace(b"\0", b"?"))) if content else own  # noqa: PTH118


def _read_small(path: str) -> bytes:
    """A small regular file, empty for anything else."""
    if not os.path.isfile(path):  # noqa: PTH113
        return b""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            return stream.read(_LARGEST_LINK)
    except OSError:
        return b""


def _names_files(path: str) -> bool:
    if not os.path.isfile(path):  # noqa: PTH113
        return False
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            content = stream.read(_LARGEST_SETTINGS).lower()
    except OSError:
        return False
    return any(name in content for name in _NAME_FILES)


def _irregular_below(folder: str) -> Iterator[str]:
    """All that is neither a folder nor a regular file, links among them; links to folders are not followed."""
    stack = [folder]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    elif not entry.is_file(follow_symlinks=False):
                        yield entry.path
        except OSError:  # noqa: PERF203 - each folder for itself
            continue
