"""Look closely at objects of a history that may hold credentials."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from binance_leaks.detect.engine import detect
from binance_leaks.detect.prefilter import holds_packed_content
from binance_leaks.detect.sieve import NO_TRAITS, Trait, best_sieve
from binance_leaks.detect.signatures import strip_signature
from binance_leaks.detect.work import EXHAUSTED, Work
from binance_leaks.findings import Skipped
from binance_leaks.model import Credential
from binance_leaks.pipeline.files import credentials_in_object, search
from binance_leaks.pipeline.history_worker import Hit, TaskResult
from binance_leaks.pipeline.judged_versions import JudgedVersions, read_version
from binance_leaks.sources.archive_kind import archive_kind, may_end_in_zip
from binance_leaks.sources.git_objects import BlobStream
from binance_leaks.sources.lfs import parse_lfs_pointer
from binance_leaks.sources.objects.tree_index import ObjectRef
from binance_leaks.sources.objects.walk import SEPARATOR
from binance_leaks.sources.pictures.kinds import may_hold_picture
from binance_leaks.sources.pictures.settings import are_read
from binance_leaks.sources.plumbing import may_be_lfs_pointer
from binance_leaks.sources.read_content import Chunk, read_stream

if TYPE_CHECKING:
    from binance_leaks import _native


class ObjectDetection:
    """A detector of credentials in objects, with what it remembers of versions of files.

    It adds what it finds to the result of a task.
    """

    def __init__(self, first_test: _native.Search | None) -> None:
        self._sieve = best_sieve(first_test)
        self._judged = JudgedVersions()

    def version(
        self, ref: ObjectRef, content: bytes, fresh: bytes, inherited: int, seen: int | None, result: TaskResult
    ) -> int:
        """Look at a version of a file as a walk shows it, and return its traits."""
        traits = self._sieve.traits(content, fresh, inherited, seen)
        special = _is_container(content, traits) or may_be_lfs_pointer(content)
        if special or (traits and Trait.CLEAN not in traits):
            is_clean = self._blob(ref, content, traits, result)
            if is_clean and not special:
                traits |= Trait.CLEAN
        return traits

    def blob(self, ref: ObjectRef, content: bytes, result: TaskResult) -> None:
        """Look for credentials in a blob."""
        self._blob(ref, content, self._sieve.traits(content, content, NO_TRAITS), result)

    def stream(self, ref: ObjectRef, stream: BlobStream | io.BytesIO, result: TaskResult) -> None:
        """Look for credentials in a blob that is read piece by piece."""
        self._keep(ref, "blob", self._stream_credentials(stream, ref, result), result)

    def messages(self, pack: int, kind: str, batch: Sequence[tuple[int, bytes]], result: TaskResult) -> None:
        """Look for credentials in many commits or tags of a pack."""
        text = SEPARATOR.join(strip_signature(content) for _, content in batch)
        if self._sieve.suspects(text, self._sieve.traits(text, text, NO_TRAITS)):
            for entry, content in batch:
                self.message((pack, entry), kind, content, result)

    def message(self, ref: ObjectRef, kind: str, content: bytes, result: TaskResult) -> None:
        """Look for credentials in a commit or tag."""
        work = Work()
        self._keep(ref, kind, credentials_in_object(content, work), result)
        if work.is_exhausted():
            result.unread.append((ref, kind, Skipped(what="", why=EXHAUSTED)))

    def _blob(self, ref: ObjectRef, content: bytes, traits: Trait, result: TaskResult) -> bool:
        """Look for credentials in a blob with these traits. Returns whether there is none in any of it."""
        if (file := parse_lfs_pointer(content)) is not None:
            result.pointers.append((ref, file))
        if _is_container(content, traits):
            self.stream(ref, io.BytesIO(content), result)
            return False
        if not self._sieve.suspects(content, traits):
            return True
        chains = Trait.CHAIN in traits and self._sieve.holds_chain(content)
        version = read_version(content, traits, chains=chains)
        digests = self._judged.find(version) if version is not None else None
        if digests is not None:
            result.hits += [Hit(ref, "blob", digests, ())] if digests else []
            return not digests
        work = Work()
        credentials = detect(content, work=work)
        self._keep(ref, "blob", credentials, result)
        if work.is_exhausted():
            result.unread.append((ref, "blob", Skipped(what="", why=EXHAUSTED)))
        elif version is not None:
            self._judged.add(version, credentials)
        return not credentials and not work.is_exhausted()

    def _keep(self, ref: ObjectRef, kind: str, credentials: Sequence[Credential], result: TaskResult) -> None:
        digests = frozenset(value.sha256 for credential in credentials for value in credential.values)
        if digests:
            kept = tuple(credential.without_secrets() for credential in credentials)
            result.hits.append(Hit(ref, kind, digests, kept))

    def _stream_credentials(
        self, stream: BlobStream | io.BytesIO, ref: ObjectRef, result: TaskResult
    ) -> tuple[Credential, ...]:
        found: list[Credential] = []
        for part in search(_chunks(stream), is_worth=self._is_suspicious):
            if isinstance(part, Skipped):
                result.unread.append((ref, "blob", part))
            else:
                found += part[1]
        return tuple(found)

    def _is_suspicious(self, chunk: Chunk) -> bool:
        # The sieve sees one part of a large file only: what speaks for Binance may be in another.
        data = chunk.data
        return chunk.mentions_binance or self._sieve.suspects(data, self._sieve.traits(data, data, NO_TRAITS))


def _is_container(content: bytes, traits: Trait) -> bool:
    """Whether there is more in content than its bytes.

    It is an archive, ends in one, or has one or pictures that are read in base64.
    """
    if archive_kind(content) is not None or may_end_in_zip(content):
        return True
    if traits & Trait.PACKED and holds_packed_content(content):
        return True
    return are_read() and may_hold_picture(content)


def _chunks(stream: BlobStream | io.BytesIO) -> Iterator[Chunk | Skipped]:
    return read_stream("", "", stream)
