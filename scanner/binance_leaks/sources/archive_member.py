"""A member of an archive: the path that is shown, the path that is evidence, and the origin of its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from binance_leaks.detect import first_test, prefilter
from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import member_path
from binance_leaks.sources.read_content import Chunk, OriginOf, read_content
from binance_leaks.sources.streams import Readable, Seekable, UncoveredStream

if TYPE_CHECKING:
    from binance_leaks.sources.container_images import ImageIndex


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveMember:
    """A file, or a member of an archive: its paths, its origin, and the container image it is a layer of, by name."""

    path: str
    evidence: str
    origin: OriginOf | None = None
    layer: tuple[ImageIndex, str] | None = None

    def member(self, name: str) -> ArchiveMember:
        path, evidence = member_path(self.path, name), member_path(self.evidence, name)
        return ArchiveMember(path=path, evidence=evidence, origin=self.origin)

    def chunk(self, data: bytes) -> Chunk:
        return Chunk(path=self.path, evidence_path=self.evidence, data=data, origin=self.origin)

    def skipped(self, why: str) -> Skipped:
        return Skipped(what=self.path, why=why)


class Attached(NamedTuple):
    """A part that is to be read by itself: a file, or text without an author or a date."""

    place: ArchiveMember
    content: bytes


def raw_chunks(place: ArchiveMember, stream: Readable) -> Iterator[Chunk | Skipped]:
    """The content of a stream as it is."""
    chunks = read_content(place.path, place.evidence, stream)
    if place.origin is None:
        return chunks
    return (replace(chunk, origin=place.origin) if isinstance(chunk, Chunk) else chunk for chunk in chunks)


def name_alone(place: ArchiveMember, name: str) -> Iterator[Chunk]:
    """The name of what has no content, if it may have a value in it."""
    if prefilter.path_may_hold(name.encode("utf-8", "surrogateescape")):
        yield place.member(name).chunk(b"")


def uncovered(place: ArchiveMember, file: Seekable, spans: Iterable[tuple[int, int]]) -> Iterator[Chunk | Skipped]:
    """The bytes of an archive that belong to none of its members, as they are."""
    rest = UncoveredStream(file, spans)
    if rest.gaps:
        yield from raw_chunks(place, rest)


def suspicious(chunks: Iterable[Chunk | Skipped]) -> Iterator[Chunk | Skipped]:
    """Of packed bytes that were read already as what they hold, those that may hold a value as they are."""
    return (item for item in chunks if isinstance(item, Skipped) or first_test.may_hold(item.data))


def refusals(place: ArchiveMember, refused: Mapping[str, int]) -> Iterator[Skipped]:
    for why, count in refused.items():
        yield place.skipped(f"{count:,} of its members {'is' if count == 1 else 'are'} {why}")
