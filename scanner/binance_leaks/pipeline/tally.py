"""What a scan of files has read and found so far."""

from __future__ import annotations

from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.model import Credential
from binance_leaks.quantities import plural
from binance_leaks.sources.files import FileEntry
from binance_leaks.sources.pictures.kinds import is_picture
from binance_leaks.sources.pictures.settings import why_unread
from binance_leaks.sources.plumbing import may_be_lfs_pointer
from binance_leaks.sources.read_content import Chunk

_LFS_POINTER = "a pointer of Git LFS; `git lfs pull` downloads the file"


@dataclass(kw_only=True, slots=True)
class Tally:
    """What was scanned so far.

    Credentials of files have no secrets: these do not leave the process that read them. `holding` are the files with
    credentials, which are read again where the secrets are needed.
    """

    files: int = 0
    bytes: int = 0
    pictures: int = 0
    credentials: list[Credential] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    holding: list[FileEntry] = field(default_factory=list)
    interrupted: bool = False

    def add(self, other: Tally) -> None:
        """Add what another process, or the next batch, found."""
        self.files += other.files
        self.bytes += other.bytes
        self.pictures += other.pictures
        self.credentials += other.credentials
        self.skipped += other.skipped
        self.holding += other.holding

    def add_chunk(self, chunk: Chunk) -> None:
        """Count content that was read, and note what it only points to."""
        self.bytes += len(chunk.data)
        self.pictures += chunk.picture is None and chunk.whole and is_picture(chunk.data)
        if may_be_lfs_pointer(chunk.data):
            from binance_leaks.sources.lfs import parse_lfs_pointer  # start-up: few work trees have pointers

            if parse_lfs_pointer(chunk.data) is None:
                return
            self.skipped.append(Skipped(what=chunk.path, why=_LFS_POINTER, lost=False))

    def note_unread_pictures(self) -> None:
        """Note how many pictures were not read, or not their text, because nothing that reads them is installed."""
        why = why_unread() if self.pictures else None
        if why is not None:
            self.skipped.append(Skipped(what=plural(self.pictures, "picture"), why=why, lost=False))
