"""The state of a history scan: the objects that the next scan can skip.

No value and no digest of one is in it: ids of objects, shortened to 64 bits, and ids of the objects in
which something was found, which are scanned again so that the next report is complete.
"""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

from binance_leaks import __version__
from binance_leaks.errors import ScanError, UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.reading import LARGEST_STATE, read_file
from binance_leaks.writing import replace_file

_MAGIC = b"binance-leaks-state/1\n"
_LONGEST_HEADER = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What was scanned: `starts` are the first 64 bits of object ids, ascending.

    `hits` are those in which something was found.
    """

    starts: array[int]
    hits: frozenset[bytes]

    @classmethod
    def of(cls, *, starts: Iterable[int], hits: Iterable[bytes]) -> State:
        """The state of a scan of these objects, in any order."""
        return cls(starts=array("Q", sorted(set(starts))), hits=frozenset(hits))

    def merge(self, other: State) -> State:
        """What either scan has scanned, as of two repositories that share objects."""
        return State.of(starts={*self.starts, *other.starts}, hits=self.hits | other.hits)

    def takes_all(self) -> bool:
        """Return False."""
        return False

    def takes_blob(self, name: bytes) -> bool:
        """Whether a blob is new, or had a hit."""
        start = int.from_bytes(name[:8], "big")
        at = bisect_left(self.starts, start)
        return name in self.hits or at == len(self.starts) or self.starts[at] != start

    def takes_message(self, name: bytes) -> bool:  # noqa: ARG002 - the same for all
        """Return True: the whole graph of commits is needed, and it is small."""
        return True


def conditions(*parts: str) -> str:
    """The conditions of a state: this detector, and others that the caller depends on."""
    digest = hashlib.sha256(__version__.encode())
    for folder in ("detect", "sources"):
        for file in sorted((Path(__file__).parents[1] / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    for part in parts:
        digest.update(b"\0" + part.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def read_state(file: Path, holds_for: str) -> State | None:
    """The state in a file, None where there is none or it holds for other conditions.

    Raises UsageError for a file that is something else, and ScanError for one that cannot be read.
    """
    try:
        if not file.parent.is_dir():
            raise UsageError(f"{file} cannot be written: there is no folder {file.parent}")
        if file.exists() and not file.is_file():
            raise UsageError(f"{file} is not a file", hint="Name another one.")
        content = read_file(file, LARGEST_STATE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ScanError(f"state {file} cannot be read: {error.strerror}") from None
    if not content.startswith(_MAGIC):
        raise UsageError(f"{file} is not a state file", hint="Name another file, or delete it.")
    return unpack_state(content, holds_for)


def unpack_state(content: bytes, holds_for: str) -> State | None:
    """The state that was packed; None if it is damaged or holds for other conditions."""
    end = content.find(b"\n", len(_MAGIC), _LONGEST_HEADER)
    try:
        header = json.loads(content[len(_MAGIC) : end])
        if header["conditions"] != holds_for:
            return None
        starts = array("Q", content[end + 1 :])
        if sys.byteorder == "little":
            starts.byteswap()
        if _digest(header["hits"], content[end + 1 :]) != header["sha256"]:
            return None
        return State(
            starts=starts,
            hits=frozenset(bytes.fromhex(name) for name in header["hits"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def pack_state(holds_for: str, state: State) -> bytes:
    """A state as bytes: eight for each object, and a header."""
    body = state.starts[:]
    if sys.byteorder == "little":
        body.byteswap()
    packed = body.tobytes()
    hits = sorted(name.hex() for name in state.hits)
    header = {"conditions": holds_for, "hits": hits, "sha256": _digest(hits, packed)}
    return _MAGIC + json.dumps(header).encode("ascii") + b"\n" + packed


def _digest(hits: Iterable[str], packed: bytes) -> str:
    return hashlib.sha256(" ".join(hits).encode("ascii") + b"\n" + packed).hexdigest()


def write_state(file: Path, holds_for: str, state: State) -> None:
    """Write a state with mode 0600, whole or not at all.

    Raises ScanError where it cannot be written.
    """
    try:
        replace_file(file, pack_state(holds_for, state), private=True)
    except OSError as error:
        raise ScanError(f"state {file} cannot be written: {error.strerror}") from None
