"""List and read the files of a scan; no pipe, device or link surprises.

Trees of 100,000 files are usual, so every folder is listed once with `os.scandir`, whose entries know their type, and
small files take four system calls and no buffered stream.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from binance_leaks.errors import GitError
from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import member_of_file
from binance_leaks.path_bytes import decode_path, encode_path
from binance_leaks.sources.archive_kind import archive_kind, may_end_in_zip
from binance_leaks.sources.git import Git
from binance_leaks.sources.path_roots import UNKNOWN, PathRoot, PathRoots
from binance_leaks.sources.pictures.kinds import may_hold_picture
from binance_leaks.sources.pictures.settings import are_read
from binance_leaks.sources.read_content import WHOLE_LIMIT, Chunk, read_stream
from binance_leaks.sources.streams import describe_error

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO


SPECIAL_NAMES = {
    stat.S_IFIFO: "a named pipe, not a file",
    stat.S_IFSOCK: "a socket, not a file",
    stat.S_IFCHR: "a device, not a file",
    stat.S_IFBLK: "a device, not a file",
}
_IGNORED_FOLDERS = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory")
_MOUNT_POINT = 0xA0000003


class FileEntry(NamedTuple):  # made for every file, and a dataclass takes three times as long
    """A file to read: `path` for the system, `shown` for the user, `evidence_path`.

    `explicit` files were named by the user; of a `link` only its text is read.
    """

    path: str
    shown: str
    evidence_path: str
    explicit: bool = False
    link: bool = False


class WorkTreeLister(Protocol):
    """What a lister needs of git in a folder; see `Git`."""

    def worktree_files(self, *, ignored: bool) -> list[bytes]: ...
    def run(self, *arguments: str) -> bytes: ...


OpenGit = Callable[[str], WorkTreeLister | None]


def list_files(
    roots: Sequence[Path],
    *,
    exclude: Callable[[str], bool],
    all_files: bool,
    open_git: OpenGit = Git.open,
) -> Iterator[FileEntry | Skipped]:
    """The files of `roots`, sorted by name, and what of them cannot be read.

    In a git work tree a folder means what git does not ignore; with `all_files`, outside a work tree, without git, and
    for a folder that git ignores as a whole, it means everything in it but `.git` folders. Repositories inside are
    treated likewise by their own rules. `exclude` is called with the shown path of every file and of every folder below
    a root, and leaves out all that is in such a folder. A path that does not exist raises UsageError at once.
    """
    looked_at = PathRoots()
    walks = [_Walk(root=looked_at.root(os.fspath(path)), exclude=exclude, open_git=open_git) for path in roots]
    return _distinct(walks, all_files)


def _distinct(walks: Sequence[_Walk], all_files: bool) -> Iterator[FileEntry | Skipped]:
    """Nothing twice where roots overlap."""
    seen: set[str] = set()
    for walk in walks:
        for item in walk.items(all_files):
            if len(walks) > 1 and isinstance(item, FileEntry):
                if item.shown in seen:
                    continue
                seen.add(item.shown)
            yield item


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listing:
    """What git lists below `base`: for every folder the names in it, and git itself for further questions."""

    git: WorkTreeLister
    base: str
    names: dict[str, set[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Walk:
    """One root. Relative paths have `/` on every system; that of the root itself is empty."""

    root: PathRoot
    exclude: Callable[[str], bool]
    open_git: OpenGit

    def items(self, all_files: bool) -> Iterator[FileEntry | Skipped]:
        root = self.root
        if root.fault is not None:
            yield Skipped(what=root.shown, why=root.fault)
        elif root.kind == stat.S_IFDIR:
            yield from self._folders(all_files)
        elif self.exclude(root.shown):
            return
        elif root.kind == stat.S_IFREG:
            yield self._root_entry(link=False)
        elif root.kind == stat.S_IFLNK:
            yield self._root_entry(link=True)
            yield Skipped(what=root.shown, why="a broken symbolic link")
        else:
            yield Skipped(what=root.shown, why=SPECIAL_NAMES.get(root.kind, "not a file"))

    def _root_entry(self, *, link: bool) -> FileEntry:
        root = self.root
        return FileEntry(path=root.path, shown=root.shown, evidence_path=root.evidence, explicit=True, link=link)

    def _folders(self, all_files: bool) -> Iterator[FileEntry | Skipped]:
        listing = None
        if self.root.in_work_tree and not all_files:
            listing = yield from self._listing("")
            if listing is not None and not listing.names:
                # The user named a folder that git ignores as a whole.
                listing, all_files = None, True
        stack: list[tuple[str, _Listing | None]] = [("", listing)]
        while stack:
            folder, listing = stack.pop()
            try:
                kinds = _kinds(self._path(folder))
            except OSError as error:
                gone = isinstance(error, (FileNotFoundError, NotADirectoryError))
                yield Skipped(what=self._shown(folder), why=describe_error(error), lost=not gone or not folder)
                continue
            if listing is None and folder and not all_files and ".git" in kinds:
                listing = yield from self._listing(folder)
            below: list[tuple[str, _Listing | None]] = []
            yield from self._folder(folder, kinds, listing, below)
            stack.extend(reversed(below))

    def _folder(
        self,
        folder: str,
        kinds: dict[str, int],
        listing: _Listing | None,
        below: list[tuple[str, _Listing | None]],
    ) -> Iterator[FileEntry | Skipped]:
        """The files of one folder; those of its folders that are to be walked go into `below`."""
        inside = f"{folder}/" if folder else ""
        path = self.root.below(os.sep) + inside.replace("/", os.sep)
        shown, evidence = self.root.below("/") + inside, self.root.evidence_below + inside
        names = kinds.keys() if listing is None else listing.names.get(folder, set())
        for name in sorted(names):
            # git and the file system may spell a name in different ways: then git's is looked up.
            kind = kinds[name] if name in kinds else _kind_of(path + name)
            if kind == UNKNOWN or self.exclude(shown + name):
                continue
            if kind == stat.S_IFREG:
                yield FileEntry(path + name, shown + name, evidence + name)
            elif kind != stat.S_IFDIR:
                yield from self._special(inside + name, kind)
            elif name != ".git":
                known = listing is not None and inside + name in listing.names
                below.append((inside + name, listing if known else None))
        if listing is not None:
            yield from self._closed(inside, [name for name in kinds if kinds[name] == stat.S_IFDIR], listing)

    def _special(self, relative: str, kind: int) -> Iterator[FileEntry | Skipped]:
        path, shown = self._path(relative), self._shown(relative)
        if kind != stat.S_IFLNK:
            yield Skipped(what=shown, why=SPECIAL_NAMES.get(kind, "not a file"), lost=False)
            return
        yield FileEntry(path=path, shown=shown, evidence_path=self.root.evidence_below + relative, link=True)
        target = os.path.realpath(path)
        real = self.root.real
        if target != real and not target.startswith(real if real.endswith(os.sep) else real + os.sep):
            yield Skipped(what=shown, why="a symbolic link out of the tree", lost=False)

    def _closed(self, inside: str, folders: Sequence[str], listing: _Listing) -> Iterator[Skipped]:
        """The folders that git does not list because it cannot read them, unless it would ignore them."""
        names = listing.names.get(inside[:-1], set())
        for name in sorted(folders):
            if name in names or name == ".git" or self.exclude(self._shown(inside + name)):
                continue
            try:
                os.scandir(self._path(inside + name)).close()
            except OSError as error:
                if not _ignored(listing, inside + name):
                    yield Skipped(what=self._shown(inside + name), why=describe_error(error))

    def _listing(self, folder: str) -> Generator[Skipped, None, _Listing | None]:
        """The files of a folder by git, None where git cannot list them: then everything is read."""
        base = f"{folder}/" if folder else ""
        try:
            git = self.open_git(self._path(folder))
            listed = git.worktree_files(ignored=False) if git is not None else []
        except GitError as error:
            why = f"git does not list it ({error}), so what it ignores is scanned too"
            yield Skipped(what=self._shown(folder), why=why, lost=False)
            return None
        if git is None:
            return None
        names = _by_folder(folder, (base + decode_path(path).rstrip("/") for path in listed))
        return _Listing(git=git, base=base, names=names)

    def _path(self, relative: str) -> str:
        return self.root.below(os.sep) + relative.replace("/", os.sep) if relative else self.root.path

    def _shown(self, relative: str) -> str:
        return self.root.below("/") + relative if relative else self.root.shown


def _by_folder(top: str, paths: Iterable[str]) -> dict[str, set[str]]:
    """Every folder from `top` on with the names in it that lead to one of `paths`."""
    names: dict[str, set[str]] = {}
    for path in paths:
        inner = path
        while len(inner) > len(top):
            folder, _, name = inner.rpartition("/")
            known = folder in names
            names.setdefault(folder, set()).add(name)
            if known:
                break
            inner = folder
    return names


def _ignored(listing: _Listing, relative: str) -> bool:
    """Whether git ignores a folder that it cannot read. (check-ignore does not take paths literally.)"""
    try:
        return bool(listing.git.run(*_IGNORED_FOLDERS, "--", relative[len(listing.base) :]))
    except GitError:
        return False


def _kinds(folder: str) -> dict[str, int]:
    """Names in a folder with their types; raises OSError."""
    with os.scandir(folder) as found:
        return {entry.name: entry_kind(entry) for entry in found}


def entry_kind(entry: os.DirEntry[str]) -> int:
    """Return the type of an entry of a folder, as `stat.S_IFREG`; UNKNOWN if it cannot be looked at."""
    try:
        if entry.is_file(follow_symlinks=False):
            return stat.S_IFREG
        if entry.is_dir(follow_symlinks=False):
            return stat.S_IFLNK if sys.platform == "win32" and _is_junction(entry) else stat.S_IFDIR
        return stat.S_IFLNK if entry.is_symlink() else stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
    except OSError:
        return UNKNOWN


def _is_junction(entry: os.DirEntry[str]) -> bool:
    return getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) == _MOUNT_POINT


def _kind_of(path: str) -> int:
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return UNKNOWN


__all__ = ["SPECIAL_NAMES", "FileEntry", "entry_kind", "list_files", "read_chunks", "with_layout_origin"]

_BLOBS, _DIGEST, _LAYER = "sha256", 64, "layer.tar"

# A pipe or device that took a file's place after it was listed must not make open() wait. Windows lacks most of these.
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):
    _FLAGS |= getattr(os, _name, 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_IS_LINK = (errno.ELOOP, errno.EMLINK)
_BUFFER = 64 << 10


def open_regular(path: str) -> BinaryIO:
    """Open a file that is a regular one and no link, without waiting for it. Raises OSError."""
    stream = open(os.open(path, _FLAGS | _NO_LINK), "rb")  # noqa: PTH123, SIM115
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise OSError(errno.EINVAL, "it is not a regular file")


def read_plain(entry: FileEntry) -> bytes | None:
    """The content of a listed file that is small, whole and no archive; None where `read_chunks` must read it."""
    if entry.link:
        return None
    try:
        descriptor = os.open(entry.path, _FLAGS if entry.explicit else _FLAGS | _NO_LINK)
    except OSError:
        return None
    try:
        return _plain_content(descriptor, os.fstat(descriptor))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _plain_content(descriptor: int, status: os.stat_result) -> bytes | None:
    if not stat.S_ISREG(status.st_mode) or status.st_size > WHOLE_LIMIT:
        return None
    data = os.read(descriptor, status.st_size + 1)
    is_plain = len(data) == status.st_size and archive_kind(data) is None and not may_end_in_zip(data)
    return data if is_plain and not (are_read() and may_hold_picture(data)) else None


def read_chunks(entry: FileEntry) -> Iterator[Chunk | Skipped]:
    """What a listed file holds: whole, in windows, or the members of an archive.

    No OSError comes from here.

    A symbolic link gives its text, unless the user named it. A file that vanished since it was listed is not lost; one
    that cannot be read, or not to its end, is.
    """
    if entry.link:
        yield _link_text(entry)
        return
    try:
        descriptor = os.open(entry.path, _FLAGS if entry.explicit else _FLAGS | _NO_LINK)
    except OSError as error:
        became_link = error.errno in _IS_LINK and not entry.explicit
        yield _link_text(entry) if became_link else _unread(entry, error)
        return
    try:
        yield from _content(entry, descriptor)
    except OSError as error:
        yield _unread(entry, error)
    finally:
        os.close(descriptor)


def with_layout_origin(entry: FileEntry, chunks: Iterable[Chunk | Skipped]) -> Iterator[Chunk | Skipped]:
    """Yield the chunks of a file, with their origin where it is a layer in the folder of a container image."""
    *_, folder, name = ("", *entry.path.replace(os.sep, "/").rsplit("/", 2))
    if not ((folder == _BLOBS and len(name) == _DIGEST) or (name == _LAYER and len(folder) == _DIGEST)):
        yield from chunks
        return
    from binance_leaks.sources.image_layouts import layout_origin  # start-up: hardly any file comes here

    for chunk in chunks:
        if isinstance(chunk, Skipped):
            yield chunk
        else:
            yield replace(chunk, origin=partial(layout_origin, entry.path, member_of_file(chunk.path)))


def _content(entry: FileEntry, descriptor: int) -> Iterator[Chunk | Skipped]:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        lost = entry.explicit or stat.S_ISDIR(status.st_mode)
        yield Skipped(what=entry.shown, why="no longer a file", lost=lost)
        return
    data = _plain_content(descriptor, status)
    if data is not None:
        yield Chunk(path=entry.shown, evidence_path=entry.evidence_path, data=data)
        return
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", buffering=_BUFFER, closefd=False) as stream:
        # Files of the kernel have size 0, and are not empty.
        yield from read_stream(entry.shown, entry.evidence_path, stream, size=status.st_size or None)


def _link_text(entry: FileEntry) -> Chunk | Skipped:
    try:
        text = encode_path(os.readlink(entry.path))  # noqa: PTH115 - pathlib would cost more than reading
    except OSError as error:
        return _unread(entry, error)
    return Chunk(path=entry.shown, evidence_path=entry.evidence_path, data=text)


def _unread(entry: FileEntry, error: OSError) -> Skipped:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return Skipped(what=entry.shown, why="it vanished before it was read", lost=False)
    return Skipped(what=entry.shown, why=describe_error(error))
