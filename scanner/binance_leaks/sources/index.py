"""The changed entries of git's index, and which of their lines are new.

The index is the truth, not the work tree. This module is on the start-up path of the hook and imports no more than it
needs; what is needed only where something was found is imported there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Sequence

from binance_leaks.detect import first_test, prefilter
from binance_leaks.path_bytes import decode_path, encode_path
from binance_leaks.sources.archive_kind import archive_kind, may_end_in_zip
from binance_leaks.sources.git import Git
from binance_leaks.sources.git_objects import BlobStream
from binance_leaks.sources.path_roots import relative_path
from binance_leaks.sources.pictures.kinds import may_hold_picture
from binance_leaks.sources.pictures.settings import are_read
from binance_leaks.sources.plumbing import may_be_lfs_pointer

_SUBMODULE = "160000"
_WHOLE_LIMIT = 8 << 20
_HEAD_LENGTH = 512


class StagedChange:
    """An entry of the index that differs from HEAD.

    `old` is empty where HEAD has no such file.
    """

    __slots__ = ("blob", "old", "path")

    def __init__(self, path: bytes, blob: str, old: str) -> None:
        self.path = path
        self.blob = blob
        self.old = old

    @property
    def shown(self) -> str:
        """The path from the top of the work tree, undecodable bytes as `decode_path` keeps them."""
        return decode_path(self.path)


class StagedChanges:
    """The changes of an index: files and links to scan, submodules, deleted files.

    Files in conflict are in none of them.
    """

    __slots__ = ("changes", "deleted", "submodules")

    def __init__(self, changes: Sequence[StagedChange], submodules: Sequence[str], deleted: Container[bytes]) -> None:
        self.changes = changes
        self.submodules = submodules
        self.deleted = deleted


def list_staged(git: Git, paths: Container[bytes] | None) -> StagedChanges:
    """The entries that the index adds or changes, of those in `paths` if given.

    Deletions have no content.
    """
    changes: list[StagedChange] = []
    submodules: list[str] = []
    deleted: set[bytes] = set()
    for status, mode, old, new, path, _ in git.staged():
        if paths is not None and path not in paths:
            continue
        if status == "D":
            deleted.add(path)
        elif status == "U":
            continue
        elif mode == _SUBMODULE:
            submodules.append(decode_path(path))
        else:
            changes.append(StagedChange(path, new, old if old.strip("0") else ""))
    return StagedChanges(changes, submodules, deleted)


def find_suspects(git: Git, changes: Sequence[StagedChange]) -> tuple[list[StagedChange], list[StagedChange], int]:
    """The changes that may contain a credential, those without content, the bytes read.

    An archive is always suspect, and so is a pointer of Git LFS: their content is read later.
    """
    found: list[StagedChange] = []
    missing: list[StagedChange] = []
    size = 0
    if not changes:
        return found, missing, size
    damaged: list[str] = []
    suspects: set[str] = set()
    with git.blobs((change.blob for change in changes), damaged) as blobs:
        for change, (_, stream) in zip(changes, blobs, strict=True):
            if stream is None:
                missing.append(change)
                continue
            size += stream.size
            if may_hold(stream) or prefilter.path_may_hold(change.path):
                suspects.add(change.blob)
    suspects.update(damaged)  # which is reported where they are looked at
    gone = {change.blob for change in missing}
    return [change for change in changes if change.blob in suspects and change.blob not in gone], missing, size


def may_hold(stream: BlobStream) -> bool:
    """Whether the content of a blob is worth the detector's time."""
    if stream.size > _WHOLE_LIMIT:
        return True
    data = stream.read()
    if archive_kind(data[:_HEAD_LENGTH]) is not None or may_end_in_zip(data) or may_be_lfs_pointer(data):
        return True
    if may_hold_picture(data) and are_read():
        return True
    return first_test.may_hold(data)


def former_blobs(
    git: Git, changes: Sequence[StagedChange], excluded: Callable[[str], bool] = lambda _: False
) -> dict[bytes, list[str]]:
    """The blobs of each change in the parents of the commit to be made, by path.

    Returns an empty list for a path that no parent has. HEAD is a parent (of `git commit --amend`, too: git does not
    inform a hook that it amends), and in a merge every commit that is merged. A file that a parent has under another
    name has the blob of the old name, unless that is excluded: the values of an excluded file were not read.
    """
    former: dict[bytes, list[str]] = {change.path: [change.old] if change.old else [] for change in changes}
    if not all(former.values()):
        for path, blob in _blobs_before(git, None, excluded).items():
            if blob and not former.get(path, [blob]):
                former[path].append(blob)
    for head in git.merge_heads():
        differing = _blobs_before(git, head, excluded)
        for change in changes:
            blob = differing.get(change.path, change.blob)
            if blob:
                former[change.path].append(blob)
    return former


def _blobs_before(git: Git, commit: str | None, excluded: Callable[[str], bool]) -> dict[bytes, str]:
    """The blob in a commit of each file that the index changes, empty where the commit has no such file."""
    return {
        path: "" if not old.strip("0") or (status in "RC" and excluded(decode_path(former))) else old
        for status, _, old, _, path, former in git.staged(against=commit, renames=True)
    }


class NamedPaths:
    """The files and folders that a user named, relative to the top of the work tree.

    `outside` are those that are not in it.
    """

    __slots__ = ("files", "folders", "outside")

    def __init__(self, files: dict[bytes, str], folders: Sequence[bytes], outside: Sequence[str]) -> None:
        self.files = files
        self.folders = folders
        self.outside = outside

    def __contains__(self, path: object) -> bool:
        return path in self.files or (
            isinstance(path, bytes) and any(path.startswith(folder) for folder in self.folders)
        )


def resolve_names(git: Git, names: Sequence[str]) -> NamedPaths:
    """What the user named.

    Raises UsageError for what is neither on disk nor in the index nor in HEAD.
    """
    prefix = decode_path(git.run("rev-parse", "--show-prefix").rstrip(b"\n"))
    root = os.path.realpath(os.path.join(git.folder, *[".."] * prefix.count("/")))  # noqa: PTH118
    files: dict[bytes, str] = {}
    folders: list[bytes] = []
    outside: list[str] = []
    for name in names:
        parent, base = os.path.split(os.path.join(git.folder, name.rstrip("/") or "/"))  # noqa: PTH118
        full = os.path.join(os.path.realpath(parent), base) if base not in ("", ".", "..") else os.path.realpath(name)  # noqa: PTH118
        path = relative_path(full, root)
        if path == ".." or path.startswith("../") or os.path.isabs(path):  # noqa: PTH117
            outside.append(name)
        elif os.path.isdir(full) and not os.path.islink(full) and not os.path.exists(os.path.join(full, ".git")):  # noqa: PTH110, PTH112, PTH114, PTH118
            folders.append(b"" if path == "." else encode_path(path) + b"/")
        elif path == ".":
            folders.append(b"")
        else:
            files[encode_path(path)] = name
    return NamedPaths(files, folders, outside)


def read_tracked_siblings(git: Git, folder: bytes, most: int) -> Iterator[bytes]:
    """Read the indexed files beside a path, and the manifests at the top, as evidence."""
    whole = Git(git.root(), inherit=True)
    listed = whole.run("ls-files", "-z", "-s").split(b"\0")[:-1]
    ids = []
    for entry in listed:
        head, _, path = entry.partition(b"\t")
        if path.rpartition(b"/")[0] == folder and not head.startswith(b"160000"):
            ids.append(head.split(b" ")[1].decode("ascii"))
    with git.blobs(ids[:most], []) as blobs:
        for _, stream in blobs:
            if stream is not None and stream.size <= _WHOLE_LIMIT // 8:
                yield stream.read()
