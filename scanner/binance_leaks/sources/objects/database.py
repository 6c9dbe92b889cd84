"""The object database of a repository: packs, loose objects, alternates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.path_bytes import decode_path, encode_path
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.pack import DamagedPackError, OldIndexError, Pack
from binance_leaks.sources.streams import describe_error

_MOST_ALTERNATES = 64
_MOST_BYTES = 1 << 16
_LONGEST = 4096
_LEFT_OVER = ("tmp_", ".tmp-", "incoming-")
"""What the names of parts of packs, of objects and of folders begin with that are not in the database yet."""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectDatabase:
    """Where a repository keeps its objects.

    `git_folder` is the common one of all its work trees.
    """

    git_folder: Path
    folders: tuple[Path, ...]
    id_size: int
    unread: tuple[Skipped, ...] = ()

    @classmethod
    def of(cls, git: Git) -> ObjectDatabase:
        """The database of the repository that git sees.

        Raises GitError where there is none.
        """
        lines = git.run("rev-parse", "--show-object-format", "--git-common-dir", "--git-path", "objects")
        algorithm, common, objects = decode_path(lines).split("\n")[:3]
        base = Path(git.folder)
        folders, unread = find_alternates(base / objects)
        return cls(
            git_folder=base / common,
            folders=folders,
            id_size=32 if algorithm == "sha256" else 20,
            unread=unread,
        )

    def pack_files(self, unlisted: list[Skipped] | None = None) -> list[Path]:
        """All packs, the largest first.

        Folders that cannot be listed, and what an interrupted git left, are added to `unlisted`.
        """
        found: dict[str, Path] = {}
        for folder in self.folders:
            names = _list(folder / "pack", unlisted)
            for name in names:
                if name.endswith(".pack") and not name.startswith(_LEFT_OVER):
                    found.setdefault(os.path.realpath(folder / "pack" / name), folder / "pack" / name)
            if unlisted is not None:
                unlisted += [_left_over(name) for name in (*_list(folder, None), *names) if name.startswith(_LEFT_OVER)]
        return sorted(found.values(), key=lambda path: -_size(path))

    def loose(self, unlisted: list[Skipped] | None = None) -> Iterator[bytes]:
        """The ids of all loose objects; one that is in several folders comes once.

        Folders that cannot be listed, and what an interrupted git left, are added to `unlisted`.
        """
        for first in range(256):
            prefix = f"{first:02x}"
            for name in sorted({name for folder in self.folders for name in _list(folder / prefix, unlisted)}):
                if len(name) == 2 * self.id_size - 2 and _HEX.issuperset(name):
                    yield bytes.fromhex(prefix + name)
                elif name.startswith(_LEFT_OVER) and unlisted is not None:
                    unlisted.append(_left_over(f"{prefix}/{name}"))


def _list(folder: Path, unlisted: list[Skipped] | None) -> list[str]:
    """The names in a folder; one that is there and cannot be listed is added to `unlisted`."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - names, of folders with many
    except FileNotFoundError:
        return []
    except OSError as error:
        if unlisted is not None:
            unlisted.append(Skipped(what=f"objects in {folder}", why=describe_error(error)))
        return []


def _left_over(name: str) -> Skipped:
    why = "git is writing it, or was interrupted; then git gc --prune=now removes it"
    return Skipped(what=f"objects in {name}", why=why)


@dataclass(kw_only=True, slots=True)
class OpenedPacks:
    """Packs, ids of objects in packs that only git reads, and unreliable packs."""

    packs: list[Pack] = field(default_factory=list)
    by_git: list[bytes] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def open_packs(paths: Iterable[Path], id_size: int) -> OpenedPacks:
    """The packs at some paths. One that vanished meanwhile is left out."""
    opened = OpenedPacks()
    packs, skipped = opened.packs, opened.skipped
    for path in paths:
        try:
            packs.append(Pack(path, id_size))
        except FileNotFoundError:  # noqa: PERF203 - each pack for itself
            if path.exists():
                skipped.append(Skipped(what=f"pack {path.name}", why="it has no index"))
        except OldIndexError as error:
            opened.by_git += error.ids
        except DamagedPackError as error:
            skipped.append(Skipped(what=f"pack {path.name}", why=str(error)))
        except OSError as error:
            skipped.append(Skipped(what=f"pack {path.name}", why=describe_error(error)))
    return opened


def find_alternates(objects: Path) -> tuple[tuple[Path, ...], tuple[Skipped, ...]]:
    """A folder of objects, all that it borrows from, and borrowed folders that are gone.

    Near ones come first.
    """
    found = [objects]
    unread: list[Skipped] = []
    seen = {os.path.realpath(objects)}
    for folder in found:
        lines, fault = _alternates(folder / "info" / "alternates")
        if fault:
            unread.append(Skipped(what=f"objects that {folder} borrows", why=f"its list of alternates {fault}"))
        for line in lines:
            if not line or line.startswith(b"#"):
                continue
            other = folder / decode_path(line.replace(b"\0", b"?"))
            if not os.path.isdir(other):  # noqa: PTH112 - the line may be too long for a path
                unread.append(Skipped(what=f"objects borrowed from {other}"[:_LONGEST], why="there is no such folder"))
            elif os.path.realpath(other) in seen:
                continue
            elif len(found) < _MOST_ALTERNATES:
                seen.add(os.path.realpath(other))
                found.append(other)
            else:
                why = f"it borrows from more than {_MOST_ALTERNATES - 1} folders"
                unread.append(Skipped(what=f"objects borrowed from {other}", why=why))
    return tuple(found), tuple(unread)


def _alternates(file: Path) -> tuple[list[bytes], str]:
    """The lines of a file, and why they are not all; those of a sparse terabyte would not fit into memory."""
    try:
        if not file.is_file():
            return [], ""
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        return [], f"cannot be read: {describe_error(error)}"
    return content[:_MOST_BYTES].split(b"\n"), "is too long" if len(content) > _MOST_BYTES else ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def is_partial_clone(git: Git) -> bool:
    """Whether objects were left out of the clone, to be fetched on demand."""
    return bool(git.run("config", "--get-regexp", r"^remote\..*\.(promisor|partialclonefilter)$", accept=(0, 1)))


def find_missing(git: Git, names: Sequence[str]) -> list[str]:
    """Those of some objects that are neither in a pack nor loose."""
    database = ObjectDatabase.of(git)
    opened = open_packs(database.pack_files(), database.id_size)
    by_git = {name.hex() for name in opened.by_git}

    def is_here(name: str) -> bool:
        if name in by_git or any(pack.entry_of(bytes.fromhex(name)) is not None for pack in opened.packs):
            return True
        return any((folder / name[:2] / name[2:]).exists() for folder in database.folders)

    return [name for name in names if not is_here(name)]


def compute_fingerprint(git: Git, database: ObjectDatabase, *others: str) -> str:
    """Digest refs, objects, borrowed folders, and `others` that a scan depends on.

    Files are known by name, size and the time of their last change, which no program sets: one that was mended, or may
    be read now, counts as another. Raises GitError.
    """
    digest = sha256()
    for part in (*(other.encode("utf-8", "surrogateescape") for other in others), *_facts(git, database)):
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


def _facts(git: Git, database: ObjectDatabase) -> Iterator[bytes]:
    yield git.run("for-each-ref", "--format=%(objectname) %(refname) %(symref)", accept=(0, 1, 128))
    yield git.run("worktree", "list", "--porcelain", accept=(0, 128))  # HEAD of each work tree, on no branch too
    yield git.run("config", "--get-regexp", r"^(remote|extensions)\.", accept=(0, 1))
    for path in database.pack_files():
        yield _file(path)
    for folder in database.folders:
        yield from _loose(folder)
    for skipped in database.unread:
        yield skipped.what.encode("utf-8", "surrogateescape")
    yield _content(database.git_folder / "shallow")
    for path in sorted((database.git_folder / "lfs" / "objects").glob("??/??/*")):
        yield _file(path)


def _loose(folder: Path) -> Iterator[bytes]:
    """All files of loose objects."""
    for first in range(256):
        try:
            with os.scandir(folder / f"{first:02x}") as entries:
                for entry in sorted(entries, key=lambda each: each.name):
                    status = entry.stat(follow_symlinks=False)
                    yield encode_path(entry.name) + b" %d %d" % (status.st_size, status.st_ctime_ns)
        except OSError:  # noqa: PERF203 - most of the folders are not there
            continue


def _file(path: Path) -> bytes:
    try:
        status = path.stat()
    except OSError:
        return encode_path(path.name)
    return encode_path(path.name) + b" %d %d %d" % (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
