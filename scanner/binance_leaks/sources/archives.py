"""Read the members of archives at every depth: zip, 7z, tar, gzip, bzip2, xz, zstd.

Everything streams; nothing is written to disk but, beyond a size, a zip file that arrives through a pipe or inside
another archive. Members name themselves: names are shown as they are and never used to open anything. Import this on
the first archive only, for its decoders take longer to import than a clean commit to scan.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import chain

from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.sources import git_packs, mail_members, pdf_members, seven_zip, tars, zips
from binance_leaks.sources.archive_kind import (
    HEAD_SIZE,
    NOT_READ,
    ZIP_END,
    ZIP_END_SIZE,
    ArchiveKind,
    archive_kind,
    may_end_in_zip,
)
from binance_leaks.sources.archive_member import (
    ArchiveMember,
    Attached,
    name_alone,
    raw_chunks,
    refusals,
    suspicious,
    uncovered,
)
from binance_leaks.sources.compressed_names import name_inside, skip_type, stored_name
from binance_leaks.sources.container_images import LARGEST_METADATA, ImageIndex, is_image_member
from binance_leaks.sources.packed_content import find_packed_content
from binance_leaks.sources.pictures.contents import read_embedded, read_picture
from binance_leaks.sources.pictures.kinds import LARGEST, is_picture, may_hold_picture
from binance_leaks.sources.pictures.settings import are_read
from binance_leaks.sources.read_content import TOO_LARGE_TO_BE_READ_TWICE, Chunk, TailReader
from binance_leaks.sources.streams import (
    SHORTEST_VALUE,
    JoinedStream,
    PeekableStream,
    Readable,
    Seekable,
    StreamReader,
    can_rewind,
    describe_error,
    hold,
    keep_short,
)
from binance_leaks.sources.unpack import (
    COMPRESSIONS,
    ArchiveLimits,
    BoundedStream,
    DamagedArchiveError,
    DecompressedStream,
    UnpackBudget,
    can_read_zstd,
)

__all__ = ["ArchiveKind", "ArchiveLimits", "archive_kind", "read_members"]

_DOCUMENTS = {
    ArchiveKind.PDF: pdf_members.read_pdf,
    ArchiveKind.MAIL: mail_members.read_mailbox,
    ArchiveKind.OUTLOOK: mail_members.read_outlook_file,
}


def read_members(
    path: str,
    evidence_path: str,
    stream: Readable,
    *,
    limits: ArchiveLimits = ArchiveLimits(),  # noqa: B008  (immutable)
) -> Iterator[Chunk | Skipped]:
    """The content of an archive that `stream`, at its beginning, holds.

    What is encrypted, unsupported, too deep or too large is reported as `Skipped`, one for each reason. So is what is
    corrupt or truncated, after all that could be read before; then the raw bytes follow where they can be had again, so
    that plain values in them are still scanned. No OSError comes from here.
    """
    unpacker, place = _Unpacker(budget=UnpackBudget(limits)), ArchiveMember(path=path, evidence=evidence_path)
    yield from unpacker.within_limits(place, unpacker.content(place, stream, 0))


def read_zip_behind(
    path: str,
    evidence_path: str,
    file: Seekable,
    *,
    limits: ArchiveLimits = ArchiveLimits(),  # noqa: B008  (immutable)
) -> Iterator[Chunk | Skipped]:
    """The members of a zip file behind other content, as in a zipapp; nothing where there is no such zip file."""
    if not zips.has_directory(file):
        return
    unpacker, place = _Unpacker(budget=UnpackBudget(limits)), ArchiveMember(path=path, evidence=evidence_path)
    yield from unpacker.within_limits(place, unpacker.zip_behind(place, file, 0))


def read_packed_content(path: str, evidence_path: str, text: bytes) -> Iterator[Chunk | Skipped]:
    """The content of compressed data and archives that a text has in base64, each a member of it."""
    unpacker, place = _Unpacker(budget=UnpackBudget(ArchiveLimits())), ArchiveMember(path=path, evidence=evidence_path)
    yield from unpacker.within_limits(place, unpacker.packed_content(place, text, 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unpacker:
    """`depth` everywhere is the number of archives around."""

    budget: UnpackBudget

    def within_limits(self, place: ArchiveMember, items: Iterator[Chunk | Skipped]) -> Iterator[Chunk | Skipped]:
        """What was read, and then which limit ended it."""
        yield from items
        if self.budget.exhausted is not None:
            yield place.skipped(f"{self.budget.exhausted}; the rest was not read")

    def content(self, place: ArchiveMember, stream: Readable, depth: int) -> Iterator[Chunk | Skipped]:
        peeked = PeekableStream(stream)
        head = peeked.peek(HEAD_SIZE)
        kind = archive_kind(head)
        if can_rewind(stream):
            stream.seek(0)
        else:
            stream = peeked
        if kind is None and is_picture(head) and are_read():
            yield from self._document(place, stream, depth, partial(self._picture, place))
        elif kind is None:
            yield from self._plain(place, stream, depth)
        elif kind in NOT_READ or (kind is ArchiveKind.ZSTD and not can_read_zstd()):
            hint = "; `python -m pip install backports.zstd` installs what reads it" if kind not in NOT_READ else ""
            yield place.skipped(f"the content of {kind.value} archives is not read{hint}")
            yield from raw_chunks(place, stream)
        elif depth >= self.budget.limits.depth:
            yield place.skipped(f"archives are nested deeper than {self.budget.limits.depth}")
            yield from raw_chunks(place, stream)
        elif kind in (ArchiveKind.ZIP, ArchiveKind.SEVEN_ZIP):
            yield from self._seekable(place, stream, kind, depth)
        elif kind is ArchiveKind.TAR:
            yield from self._tar(place, PeekableStream(stream), depth)
        elif kind is ArchiveKind.GIT_PACK:
            yield from self._git_pack(place, keep_short(stream), depth)
        elif kind in _DOCUMENTS:
            yield from self._document(place, stream, depth, partial(_DOCUMENTS[kind], place, budget=self.budget))
        else:
            yield from self._compressed(place, stream, kind, depth)

    def _plain(self, place: ArchiveMember, stream: Readable, depth: int) -> Iterator[Chunk | Skipped]:
        """Content that is no archive by its beginning; it may end in a zip file, or hold archives and pictures."""
        for chunk in raw_chunks(place, stream):
            yield chunk
            if isinstance(chunk, Skipped) or not chunk.whole:
                continue
            yield from self.packed_content(place, chunk.data, depth)
            if are_read() and may_hold_picture(chunk.data):
                yield from read_embedded(place.path, place.evidence, chunk.data, self.budget)
            if may_end_in_zip(chunk.data):
                yield from self.zip_behind(place, io.BytesIO(chunk.data), depth)

    def packed_content(self, place: ArchiveMember, text: bytes, depth: int) -> Iterator[Chunk | Skipped]:
        """What a text has in base64."""
        for each in find_packed_content(text):
            if isinstance(each, str):
                yield place.skipped(each)
            elif depth >= self.budget.limits.depth:
                yield place.skipped(f"archives are nested deeper than {self.budget.limits.depth}")
                return
            elif self.budget.admit():
                name, content = each
                yield from self.content(place.member(name), io.BytesIO(content), depth + 1)

    def _document(
        self,
        place: ArchiveMember,
        stream: Readable,
        depth: int,
        read: Callable[[Readable], Iterator[Chunk | Skipped | Attached]],
    ) -> Iterator[Chunk | Skipped]:
        """What a reader makes of content whose end it need not look at, and of a zip file there."""
        file = keep_short(stream)
        reader = TailReader(file)
        for item in read(reader):
            if isinstance(item, Attached):
                yield from self.content(item.place, io.BytesIO(item.content), depth + 1)
            else:
                yield item
        if ZIP_END not in reader.tail[-ZIP_END_SIZE:]:
            return
        if not can_rewind(file):
            yield place.skipped(TOO_LARGE_TO_BE_READ_TWICE)
        elif zips.has_directory(file):
            yield from self.zip_behind(place, file, depth)

    def _picture(self, place: ArchiveMember, stream: Readable) -> Iterator[Chunk | Skipped]:
        """A picture as it is, and its texts."""
        taker = StreamReader(stream)
        data = taker.take(LARGEST + 1)
        yield from raw_chunks(place, JoinedStream(data, stream) if len(data) > LARGEST else io.BytesIO(data))
        if taker.fault is not None:
            yield place.skipped(taker.fault)
        yield from read_picture(place.path, place.evidence, data, self.budget)

    def zip_behind(self, place: ArchiveMember, file: Seekable, depth: int) -> Iterator[Chunk | Skipped]:
        """The members of a zip file behind content that was read, as it is, with the zip file."""
        if depth >= self.budget.limits.depth:
            yield place.skipped(f"archives are nested deeper than {self.budget.limits.depth}")
            return
        for item in self._zip_members(place, file, depth):
            if isinstance(item, Skipped) or item.path != place.path:
                yield item

    def _compressed(
        self, place: ArchiveMember, stream: Readable, kind: ArchiveKind, depth: int
    ) -> Iterator[Chunk | Skipped]:
        stream = keep_short(stream)
        packed = PeekableStream(stream)
        head = packed.peek(HEAD_SIZE)
        inflated = DecompressedStream(packed, COMPRESSIONS[kind], self.budget)
        inner = PeekableStream(inflated)
        if archive_kind(inner.peek(HEAD_SIZE)) is ArchiveKind.TAR:
            # A compressed tar archive is one archive to its user, in depth as in path.
            yield from self._tar(place, inner, depth)
        elif self.budget.admit():
            name = name_inside(place.path, head) if kind is not ArchiveKind.GIT_OBJECT else skip_type(inner)
            yield from self.content(place.member(name), inner, depth + 1)
        rest = inflated.rest()
        if inflated.damaged and can_rewind(stream):
            stream.seek(0)
            yield from raw_chunks(place, stream)
            return
        name_of_member = stored_name(head).encode("utf-8", "surrogateescape")
        for text in inflated.texts:
            if len(text.replace(name_of_member, b"")) >= SHORTEST_VALUE:
                yield place.chunk(text)
        yield from self._behind(place, rest, depth)

    def _behind(self, place: ArchiveMember, rest: Readable, depth: int) -> Iterator[Chunk | Skipped]:
        """What is behind the data of a compressed stream, if it is long enough for a value."""
        peeked = PeekableStream(rest)
        if len(peeked.peek(SHORTEST_VALUE)) == SHORTEST_VALUE:
            yield from self.content(place, peeked, depth + 1)

    def _tar(self, place: ArchiveMember, stream: PeekableStream, depth: int) -> Iterator[Chunk | Skipped]:
        images = ImageIndex()
        try:
            for entry in tars.read_entries(stream):
                if isinstance(entry, tars.TarName):
                    yield from name_alone(place, entry.name)
                    continue
                if not self.budget.admit():
                    return
                if isinstance(entry, tars.TarText):
                    yield place.chunk(entry.data)
                    continue
                inside = place.member(entry.name)
                if place.layer is not None:
                    index, layer = place.layer
                    index.add_path(layer, entry.name)
                    inside = replace(inside, origin=partial(index.layer_origin, layer, entry.name))
                if entry.link is not None:
                    if is_image_member(entry.name):
                        images.add_link(entry.name, entry.link)
                    yield inside.chunk(entry.link.encode("utf-8", "surrogateescape"))
                elif is_image_member(entry.name):
                    yield from self._image_member(inside, entry, images, depth + 1)
                else:
                    yield from self.content(inside, entry.data, depth + 1)
        except OSError as error:
            yield place.skipped(describe_error(error))
            if stream.peek(1):
                yield from raw_chunks(place, stream)
            return
        if stream.peek(1):
            yield from self.content(place, stream, depth + 1)

    def _image_member(
        self, place: ArchiveMember, entry: tars.TarEntry, images: ImageIndex, depth: int
    ) -> Iterator[Chunk | Skipped]:
        """A layer of the image of a container, or what may be its metadata."""
        peeked = PeekableStream(entry.data)
        if peeked.peek(1) not in (b"{", b"["):
            self.budget.allow_image()
            yield from self.content(replace(place, layer=(images, entry.name)), peeked, depth)
            return
        content = peeked.peek(LARGEST_METADATA)
        images.add_metadata(entry.name, content)
        place = replace(place, origin=partial(images.configuration_origin, entry.name))
        yield from self.content(place, peeked, depth)

    def _seekable(
        self, place: ArchiveMember, stream: Readable, kind: ArchiveKind, depth: int
    ) -> Iterator[Chunk | Skipped]:
        """The members of an archive with its directory at its end; what cannot go back is held."""
        members = self._zip_members if kind is ArchiveKind.ZIP else self._seven_zip_members
        if can_rewind(stream):
            yield from members(place, stream, depth)
            return
        taker = StreamReader(stream)
        try:
            # Less for an inner one, as those around it are held at the same time.
            file = hold(taker, self.budget.limits.held >> (2 * depth))
        except OSError as error:
            yield place.skipped(f"it cannot be held: {describe_error(error)}")
            return
        with file:
            if taker.fault is not None:
                yield place.skipped(taker.fault)
            yield from members(place, file, depth)

    def _seven_zip_members(self, place: ArchiveMember, file: Seekable, depth: int) -> Iterator[Chunk | Skipped]:
        refused: Counter[str] = Counter()
        damaged = False
        archive = seven_zip.SevenZip()
        try:
            archive = seven_zip.read_archive(file, self.budget)
            for why, count in archive.refused():
                refused[why] += count
            for member in archive.members(file, self.budget):
                if not isinstance(member, seven_zip.SevenZipMember):
                    yield from self._behind(place, member, depth)
                    continue
                if not self.budget.admit():
                    break
                yield from self.content(place.member(member.name), member.content, depth + 1)
                damaged |= member.content.damaged
            for name in archive.empty_names:
                yield from name_alone(place, name)
            yield from map(place.chunk, archive.texts)
        except OSError as error:
            damaged = True
            yield place.skipped(describe_error(error))
        yield from refusals(place, refused)
        if self.budget.exhausted is not None:
            return
        if damaged:
            file.seek(0)
            yield from raw_chunks(place, file)
        else:
            yield from uncovered(place, file, archive.spans)
            for start, end in archive.endless:
                file.seek(start)
                yield from suspicious(raw_chunks(place, BoundedStream(file, end - start)))

    def _git_pack(self, place: ArchiveMember, stream: Readable, depth: int) -> Iterator[Chunk | Skipped]:
        parts = 0
        try:
            for found in git_packs.read_pack(stream, self.budget):
                if not isinstance(found, git_packs.GitObject):
                    yield from raw_chunks(place, found)
                    continue
                if not self.budget.admit():
                    return
                parts += not found.whole
                yield from self.content(place.member(found.name), io.BytesIO(found.content), depth + 1)
        except OSError as error:
            yield place.skipped(describe_error(error))
            if can_rewind(stream):
                stream.seek(0)
                yield from raw_chunks(place, stream)
        if parts:
            why = f"{parts:,} of its objects build on others that are not in it: only what they add was read"
            yield place.skipped(why)

    def _zip_members(self, place: ArchiveMember, file: Seekable, depth: int) -> Iterator[Chunk | Skipped]:
        seen: set[int] = set()
        spans: list[tuple[int, int]] = []
        refused: Counter[str] = Counter()
        damaged = False
        for entries in (chain(zips.list_entries(file), zips.search_left_out(file, spans)), zips.search_entries(file)):
            try:
                for entry in entries:
                    if not self.budget.admit():
                        break
                    if entry.notes:
                        yield place.chunk(entry.notes)
                    if entry.is_folder or entry.offset in seen:
                        yield from name_alone(place, entry.name)
                    if entry.offset in seen:
                        continue
                    seen.add(entry.offset)
                    damaged |= yield from self._zip_member(place, file, entry, depth, refused, spans)
                break
            except OSError as error:
                damaged = True
                yield place.skipped(describe_error(error))
        yield from refusals(place, refused)
        if self.budget.exhausted is not None:
            return
        if damaged:
            file.seek(0)
            yield from raw_chunks(place, file)
            return
        try:
            rest = zips.read_trailer(file)
            spans += zips.directory_spans(file)
        except OSError as error:
            yield place.skipped(describe_error(error))
            return
        yield from uncovered(place, file, spans)
        if rest:
            yield place.chunk(rest)

    def _zip_member(
        self,
        place: ArchiveMember,
        file: Seekable,
        entry: zips.ZipEntry,
        depth: int,
        refused: Counter[str],
        spans: list[tuple[int, int]],
    ) -> Generator[Chunk | Skipped, None, bool]:
        """The chunks of one member; returns if it is damaged. Adds to `refused`, and what it covers to `spans`."""
        try:
            end, start = zips.locate(file, entry)
        except DamagedArchiveError:
            if entry.is_folder:
                return False
            refused[entry.refusal or "not where the directory places it"] += 1
            return entry.refusal is None
        spans.append((entry.offset, end))
        if entry.size is not None:
            spans.append((start, start + entry.packed))
        if entry.is_folder:
            return False
        if entry.refusal is not None:
            refused[entry.refusal] += 1
            return False
        member = zips.open_member(file, entry, start, self.budget)
        yield from self.content(place.member(entry.name), member, depth + 1)
        rest = member.rest()
        if not member.damaged and entry.size is not None:
            yield from self._behind(place, rest, depth)
        return member.damaged
