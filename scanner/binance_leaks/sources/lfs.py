"""Git LFS: pointers in place of files, and the files on disk.

The formats are those of git-lfs's own specification (docs/spec.md): a pointer is a text under 1 KiB whose first line
names the version. git-lfs accepts blanks around it, CRLF, and lines of extensions in front of the id.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.files import FileEntry, read_chunks
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.database import ObjectDatabase
from binance_leaks.sources.plumbing import may_be_lfs_pointer
from binance_leaks.sources.read_content import Chunk

_ID = lazy_pattern(rb"^oid[ ]sha256:([0-9a-f]{64})[ \t\r]*$", re.MULTILINE)
_NAME = lazy_pattern(r"[0-9a-f]{64}")
_SIZE = lazy_pattern(rb"^size[ ]([0-9]{1,19})[ \t\r]*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class LfsPointer:
    """The target of a pointer: the SHA-256 of a file in hexadecimal, and its size if given."""

    id: str
    size: int | None


def parse_lfs_pointer(data: bytes) -> LfsPointer | None:
    """The pointer that `data` is, None for other content."""
    if not may_be_lfs_pointer(data):
        return None
    named, size = _ID.search(data), _SIZE.search(data)
    if named is None:
        return None
    return LfsPointer(id=named.group(1).decode("ascii"), size=int(size.group(1)) if size else None)


class LfsStore:
    """The Git LFS files on disk: of a repository, and of those that it borrows from."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = folders

    @classmethod
    def of(cls, git: Git, database: ObjectDatabase) -> LfsStore:
        """The store of a repository. Raises GitError."""
        set_to = decode_path(git.run("config", "--type=path", "lfs.storage", accept=(0, 1)).rstrip(b"\n"))
        own = database.git_folder / (set_to or "lfs")
        borrowed = [folder.parent / "lfs" for folder in database.folders[1:]]
        return cls(tuple(folder / "objects" for folder in dict.fromkeys([own, *borrowed])))

    def path(self, name: str) -> Path | None:
        """The file with this id; None where there is none, or something else than a file."""
        for folder in self.folders:
            path = folder / name[:2] / name[2:4] / name
            try:
                if stat.S_ISREG(path.lstat().st_mode):
                    return path
            except OSError:
                continue
        return None

    def files(self) -> Iterator[Path]:
        """All files in the repository's own folder, in the order of their ids."""
        for path in sorted(self.folders[0].glob("??/??/*")):
            if _NAME.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode):
                yield path

    def chunks(self, file: Path, shown: str) -> Iterator[Chunk | Skipped]:
        """The content of a file under its pointer's path, and why it cannot be read completely."""
        return read_chunks(FileEntry(path=str(file), shown=shown, evidence_path=shown))
