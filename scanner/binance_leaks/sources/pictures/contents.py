"""The texts of a picture as members of it: `shot.png!/code`, `shot.png!/metadata`, `shot.png!/text`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import cast

from binance_leaks.detect import prefilter
from binance_leaks.detect.picture_text import PictureLine, PictureOrigin, lay_out
from binance_leaks.findings import Skipped
from binance_leaks.model import member_path
from binance_leaks.sources.pictures import settings
from binance_leaks.sources.pictures.embedded import embedded_pictures
from binance_leaks.sources.pictures.kinds import LARGEST
from binance_leaks.sources.pictures.reader import picture_reader
from binance_leaks.sources.read_content import Chunk
from binance_leaks.sources.unpack import ArchiveLimits, UnpackBudget


def read_embedded(
    path: str, evidence_path: str, text: bytes, budget: UnpackBudget | None = None
) -> Iterator[Chunk | Skipped]:
    """Yield what is in the pictures that a text holds in base64."""
    yield from read_members_of(path, evidence_path, embedded_pictures(text), budget or UnpackBudget(ArchiveLimits()))


def read_members_of(
    path: str, evidence_path: str, pictures: Iterable[tuple[str, bytes] | str], budget: UnpackBudget
) -> Iterator[Chunk | Skipped]:
    """Yield what is in some pictures of a file, given by the names that they have in it, and why some are not read."""
    for each in pictures:
        if isinstance(each, str):
            yield Skipped(what=path, why=each, lost=settings.mode() == settings.ON)
            continue
        name, picture = each
        if not budget.admit():
            return
        yield from read_picture(member_path(path, name), member_path(evidence_path, name), picture, budget)


def read_picture(path: str, evidence_path: str, picture: bytes, budget: UnpackBudget) -> Iterator[Chunk | Skipped]:
    """Yield the texts of a picture, then why not all of it was read: nothing of it where no time is left.

    With `--pictures on` what was not read is lost, else it is a note.
    """
    how = settings.mode()
    if len(picture) > LARGEST or budget.reading_seconds <= 0:
        why = "it is too large" if len(picture) > LARGEST else "the others in the same file took too long"
        yield Skipped(what=path, why=f"the picture: {why}", lost=how == settings.ON)
        return
    started = time.monotonic()
    reading = picture_reader().read(picture, quick=how == settings.QUICK)
    budget.reading_seconds -= time.monotonic() - started
    digest = sha256(picture).hexdigest()
    chunks = [chunk for part in reading.parts for chunk in _chunks(path, evidence_path, digest, part)]
    is_named = any(chunk.mentions_binance or prefilter.mentions_binance(chunk.data) for chunk in chunks)
    for chunk in chunks:
        yield chunk.in_file_that_mentions_binance() if is_named else chunk
    for fault in reading.faults:
        yield Skipped(what=path, why=f"the picture: {fault}", lost=how == settings.ON)


def _chunks(path: str, evidence_path: str, digest: str, part: Mapping[str, object]) -> Iterator[Chunk]:
    page = part.get("page")
    where = f"page {page} " if page else ""

    def chunk(name: str, text: str, origin: PictureOrigin, *, is_named: bool = False) -> Chunk:
        return Chunk(
            path=member_path(path, where + name),
            evidence_path=member_path(evidence_path, where + name),
            data=text.encode("utf-8", "replace"),
            picture=origin,
            mentions_binance=is_named,
        )

    for name, what in (("codes", "a code in a picture"), ("metadata", "the metadata of a picture")):
        if name in part:
            exact = "\n".join(cast("list[str]", part[name]))
            yield chunk(name.removesuffix("s"), exact, PictureOrigin(digest=digest, what=what))
    if "lines" in part:
        lines = cast("list[tuple[float, float, float, float, str]]", part["lines"])
        text = lay_out(PictureLine(*line) for line in lines)
        yield chunk("text", text.text, PictureOrigin(digest=digest, recognized=text), is_named=text.is_key_page)
