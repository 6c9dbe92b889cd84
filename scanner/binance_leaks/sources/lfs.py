"""Git LFS: pointers in place of files, and the files on disk.

The formats are those of git-lfs's own specification (docs/spec.md) and of its parser: a pointer is a text of at most
1 KiB that has the version, extensions, the id and the size, in this order, and nothing else but blanks at the ends of
lines and empty lines. git-lfs leaves any other text as it is, and so it is what the file holds.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from binance_leaks.findings import Skipped
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.files import FileEntry, read_chunks
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.database import ObjectDatabase
from binance_leaks.sources.plumbing import may_be_lfs_pointer
from binance_leaks.sources.read_content import Chunk

_LINE_END = rb"[ \t\r]*\n\s*"
_POINTER = lazy_pattern(  # its free parts are too short for a value
    rb"\s*version https?://[a-z0-9./-]{1,60}"
    rb"(?:" + _LINE_END + rb"ext-[0-9]-[A-Za-z0-9_]{1,60} sha256:[0-9a-f]{64})*"
    rb"" + _LINE_END + rb"oid sha256:(?P<id>[0-9a-f]{64})"
    rb"" + _LINE_END + rb"size [0-9]{1,19}\s*"
)
_NAME = lazy_pattern(r"[0-9a-f]{64}")


def parse_lfs_pointer(data: bytes) -> str | None:
    """The id of the file that a pointer leads to, its SHA-256 in hexadecimal; None if `data` is anything else."""
    pointer = _POINTER.fullmatch(data) if may_be_lfs_pointer(data) else None
    return pointer["id"].decode("ascii") if pointer else None


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
