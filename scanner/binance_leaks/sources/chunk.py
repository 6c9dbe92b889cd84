"""A chunk of content to scan, with its provenance."""

from __future__ import annotations

from dataclasses import dataclass

from binance_leaks.model import is_member


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Bytes and their provenance: a whole file, or a window of one that is too large to hold.

    `path` is what the user is shown: `/` on every system, undecodable bytes as `os.fsdecode` keeps them, and
    `outer.zip!/inner/name` for a member of an archive. Members name themselves, so control characters may be in it.
    `evidence_path` is the part of it that may speak for Binance: from the argument's base name, or relative to the
    root of the work tree. `first_line` and `first_column` are where `data` begins in the file, counted from 1, columns
    in characters of UTF-8. `mentions_binance` says of a window that the exchange's name was seen in the file so far.
    """

    path: str
    evidence_path: str
    data: bytes
    first_line: int = 1
    first_column: int = 1
    whole: bool = True
    mentions_binance: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it has lines as git counts them: an archive's member or a binary has none."""
        return not is_member(self.path) and b"\0" not in self.data
