"""What the detector found in versions of a file, so that it need not read the next ones."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, cached_property
from itertools import accumulate, islice

from binance_leaks.detect import prefilter
from binance_leaks.detect.environment_evidence import stated_environments
from binance_leaks.detect.sieve import Trait
from binance_leaks.detect.vocabulary import evidence_stems
from binance_leaks.detect.word_search import WordSearch
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Credential, Location

_MOST_PLACES = 20_000
_MOST_REMEMBERED = 300_000
_MOST_VERSIONS = 100
_CONTEXT_BYTES = 250
_HEADER_BYTES = 200
_KEY_BODY = re.compile(rb"[A-Za-z0-9+/=\s\\-]{0,4096}")
_NEAR = 400
"""How far from the beginning of a value, in bytes, the prefilter may place it: of a split one in a later piece."""
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Version:
    """A version of a file, as far as the detector's findings in it depend on it."""

    content: bytes
    places: Sequence[tuple[int, int]]
    """Start and end of all that may belong to a value, in order."""
    keys: Sequence[int]
    """For each place a hash of it, of its line and the one above, where its name mostly is, and of the file's words."""

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.content.split(b"\n")

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *accumulate(len(line) + 1 for line in self._lines)]

    def key_at(self, location: Location) -> int | None:
        """Return the key of the place at a location, None if there is none."""
        if location.line > len(self._lines):
            return None
        line = self._lines[location.line - 1]
        before = location.column - 1
        if not line.isascii():
            before = len(line.decode("utf-8", "replace")[:before].encode())
        offset = self._line_starts[location.line - 1] + before
        at = bisect_right(self.places, (offset, len(self.content)))
        near = range(max(0, at - 1), min(len(self.places), at + 1))
        distance, number = min(((self._distance(number, offset), number) for number in near), default=(_NEAR + 1, 0))
        return self.keys[number] if distance <= _NEAR else None

    def _distance(self, number: int, offset: int) -> int:
        start, end = self.places[number]
        return max(start - offset, offset - end, 0)


def read_version(content: bytes, traits: Trait, *, chains: bool = True) -> Version | None:
    """Return a file with these traits as a version, None if it has no places or too many, or is no text.

    With `chains` it may hold values in short pieces.
    """
    if traits & (Trait.DATABASE | Trait.BINARY) or b"\0" in content:
        return None
    classes = prefilter.classified(content)
    ends = dict.fromkeys(islice(prefilter.hits(content, chains=chains), _MOST_PLACES), 0)
    ends.update(prefilter.long_runs(classes))
    ends.update((at, _end_of_key(content, at)) for at in prefilter.private_key_starts(content, classes))
    if not 0 < len(ends) < _MOST_PLACES:
        return None
    words = _evidence_search().present(content)
    header = content[:_HEADER_BYTES].partition(b"\n")[0]  # where names of columns are
    file = hash((words, header, stated_environments(content.lower().decode("latin-1"))))
    places = [(at, max(at, end)) for at, end in sorted(ends.items())]
    keys = []
    for at, end in places:
        first = _line_above(content, at)
        keys.append(hash((file, at - first, content[first : _end_of_line(content, end)])))
    return Version(content, places, keys)


@cache
def _evidence_search() -> WordSearch:
    return WordSearch(evidence_stems())


def _end_of_key(content: bytes, at: int) -> int:
    body = _KEY_BODY.match(content, at)
    return at if body is None else body.end()


def _line_above(content: bytes, at: int) -> int:
    """Return where the line above that of an offset begins."""
    least = max(0, at - _CONTEXT_BYTES)
    return max(least, content.rfind(b"\n", least, max(0, content.rfind(b"\n", least, at))))


def _end_of_line(content: bytes, at: int) -> int:
    end = content.find(b"\n", at, at + _CONTEXT_BYTES)
    return at + _CONTEXT_BYTES if end < 0 else end


class JudgedVersions:
    """Remembers the values that were found in versions, by the places where they were.

    A version whose places all were in one that was judged holds what was found at them there: other text of it is far
    from all that may be a value. So it holds for versions from which something was removed, or that differ elsewhere.
    """

    def __init__(self) -> None:
        self._versions: dict[int, list[int]] = {}
        self._found: list[dict[int, frozenset[str]]] = []
        self._size = 0

    def find(self, version: Version) -> frozenset[str] | None:
        """Return the digests of the values in a version, None if it must be judged."""
        common: set[int] = set()
        for number, key in enumerate(version.keys):
            judged = self._versions.get(key)
            if judged is None:
                return None
            common = common.intersection(judged) if number else set(judged)
            if not common:
                return None
        found = self._found[max(common)]
        return _NOTHING.union(*(found[key] for key in found.keys() & version.keys))

    def add(self, version: Version, credentials: Sequence[Credential]) -> None:
        """Remember what was found in a version."""
        if self._size + len(version.keys) > _MOST_REMEMBERED:
            return
        found: dict[int, frozenset[str]] = {}
        for occurrence in (each for credential in credentials for each in credential.occurrences):
            key = version.key_at(occurrence.location)
            if key is None:
                return  # what made it a value is not among the places
            found[key] = found.get(key, _NOTHING) | {occurrence.value.sha256}
        self._size += len(version.keys)
        self._found.append(found)
        for key in version.keys:
            judged = self._versions.setdefault(key, [])
            judged.append(len(self._found) - 1)
            del judged[:-_MOST_VERSIONS]
