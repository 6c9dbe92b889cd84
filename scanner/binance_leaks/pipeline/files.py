"""Scan files and content, in several processes if there are many files."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from binance_leaks.detect import first_test, prefilter
from binance_leaks.detect.signatures import without_signatures
from binance_leaks.detect.work import EXHAUSTED, Work
from binance_leaks.errors import ScanError
from binance_leaks.findings import ScanStats, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.masking import Secret
from binance_leaks.model import Credential, Location, Origin
from binance_leaks.native import compiled
from binance_leaks.path_bytes import encode_path
from binance_leaks.pipeline.source import Detected, NearbyEvidence, Progress, ShowProgress
from binance_leaks.pipeline.tally import Tally
from binance_leaks.sources.files import FileEntry, list_files, read_chunks, read_plain, with_layout_origin
from binance_leaks.sources.nearby_evidence import EvidenceNearFiles
from binance_leaks.sources.objects.parse import find_merged_tags, find_message, without_merged_tags
from binance_leaks.sources.pictures.kinds import is_picture
from binance_leaks.sources.pictures.settings import are_read
from binance_leaks.sources.plumbing import may_be_lfs_pointer
from binance_leaks.sources.read_content import Chunk, read_stream

if TYPE_CHECKING:
    from binance_leaks import _native
    from binance_leaks.detect.sieve import Sieve
    from binance_leaks.pipeline.lifeline import Lifeline

_LENGTH = 64


def credentials_in(chunk: Chunk, work: Work | None = None) -> tuple[Credential, ...]:
    """The credentials of one chunk and of its path; `work` is that which was done for its file."""
    from binance_leaks.detect.engine import detect  # start-up: most scans are clean and need no detector
    from binance_leaks.detect.path_values import detect_in_path  # as above

    found = detect(
        chunk.data,
        path=chunk.path,
        evidence_path=chunk.evidence_path,
        first_line=chunk.first_line,
        first_column=chunk.first_column,
        mentions_binance=chunk.mentions_binance,
        work=work,
    )
    if found and chunk.whole and chunk.path.endswith(".ipynb"):
        from binance_leaks.detect.notebook_cells import with_cells  # as above

        found = with_cells(found, chunk.data)
    if chunk.picture is not None:
        from binance_leaks.detect.picture_text import with_origin  # as above: few files are pictures

        found = with_origin(found, chunk.picture)
    return found + detect_in_path(chunk.path, chunk.evidence_path)


def may_hold(chunk: Chunk) -> bool:
    """Whether a chunk or its path is worth the detector's time."""
    if not chunk.whole:  # what it needs may be in another part of the file
        return first_test.may_hold(chunk.data)
    return _may_hold(chunk.data, chunk.evidence_path)


def _may_hold(content: bytes, path: str) -> bool:
    if len(path) >= _LENGTH and prefilter.path_may_hold(encode_path(path)):
        return True
    search = _search()
    if search is None:
        return first_test.may_hold(content)
    seen = search.traits(content)
    if first_test.must_look(first_test.BINARY, seen):
        sieve = _sieve()
        if sieve.suspects(content, sieve.traits(content, content, 0, seen)):
            return True
    if not seen & first_test.HEX:
        return False
    from binance_leaks.detect.vocabulary import name_mentions_binance  # the search knows the vocabulary

    return name_mentions_binance(path)  # digits count where the exchange is named, and a path may name it


@cache
def _search() -> _native.Search | None:
    return first_test.new_search(pictures=are_read()) if compiled is not None else None


@cache
def _sieve() -> Sieve:
    from binance_leaks.detect.sieve import best_sieve  # start-up: as above

    return best_sieve(_search())


def search(
    chunks: Iterable[Chunk | Skipped], *, is_worth: Callable[[Chunk], bool] = lambda _: True
) -> Iterator[tuple[Chunk, tuple[Credential, ...]] | Skipped]:
    """Yield each chunk with its credentials, and what was not read, or not searched to its end.

    The detector sees only what `is_worth` it. Chunks of one file follow one another and share its limit of work.
    """
    path, work = "", Work()
    of_origin: list[tuple[Chunk, tuple[Credential, ...]]] = []
    for chunk in chunks:
        if isinstance(chunk, Skipped):
            yield chunk
            continue
        if chunk.path != path:
            path, work = chunk.path, Work()
        if work.is_exhausted():
            yield chunk, ()
            continue
        found = credentials_in(chunk, work) if is_worth(chunk) else ()
        if found and chunk.origin is not None:  # known at the end
            of_origin.append((replace(chunk, data=b""), found))
            found = ()
        yield chunk, found
        if work.is_exhausted():
            yield Skipped(what=chunk.path, why=EXHAUSTED)
    for chunk, found in of_origin:
        origin = chunk.origin() if chunk.origin is not None else None
        yield chunk, tuple(credential.moved(partial(_with_origin, origin)) for credential in found)


def _with_origin(origin: Origin | None, location: Location) -> Location:
    """Add the origin of a file to a location in it, whose own author and date come first."""
    if origin is None or location.origin is None:
        return replace(location, origin=location.origin or origin)
    own = location.origin
    return replace(location, origin=replace(origin, author=own.author, date=own.date))


def credentials_in_object(content: bytes, work: Work | None = None) -> tuple[Credential, ...]:
    """The credentials of a commit or tag: in its message, headers and merged tags."""
    from binance_leaks.detect.engine import detect  # start-up: as above

    work = Work() if work is None else work
    found: list[Credential] = []
    kept = without_signatures(content)
    start = find_message(kept)
    headers = without_merged_tags(kept[:start])
    for text in (kept[start:], headers, *map(without_signatures, find_merged_tags(content))):
        if first_test.may_hold(text):
            found += detect(text, work=work)
    return tuple(found)


def message_holds_credential(content: bytes) -> bool:
    """Whether a commit or tag holds a credential, or more than is searched."""
    work = Work()
    return bool(credentials_in_object(content, work)) or work.is_exhausted()


def holds_credential(path: str, content: bytes) -> bool:
    """Whether a file holds a credential or anything to report: what cannot be read, or is in another place."""
    if may_be_lfs_pointer(content):
        return True
    results = search(read_stream(path, path, io.BytesIO(content), size=len(content)), is_worth=may_hold)
    return any(isinstance(result, Skipped) or result[1] for result in results)


_FIRST_BATCH, _BATCH = 4, 128
_SERIAL_SECONDS = 0.1
_AHEAD = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSource:
    """Files, folders and standard input."""

    paths: Sequence[Path]
    target: str
    jobs: int = 1
    all_files: bool = False
    """Whether to read what git ignores, too."""
    excluded: Callable[[str], bool] = lambda _: False
    stdin: BinaryIO | None = None
    """Read before the files."""
    images: Sequence[Callable[[], Iterable[Chunk | Skipped]]] = ()
    """What reads each image of a container."""
    note: Callable[[FileEntry], None] | None = None
    """Called with each file that is read."""
    anchor: str = os.curdir
    kind: SourceKind = SourceKind.FILES

    def read(self, show: ShowProgress | None = None) -> Detected:
        """Scan everything. Raises UsageError for a path that does not exist."""
        tally = Tally()
        if self.stdin is not None:
            tally.add(scan_chunks(read_stream("<stdin>", "", self.stdin)))
        for image in self.images:
            tally.add(scan_chunks(image()))
        if self.paths:
            entries: Iterable[FileEntry | Skipped] = list_files(
                self.paths, exclude=self.excluded, all_files=self.all_files
            )
            if self.note is not None:
                entries = _note(entries, self.note)
            if show is not None:
                entries = list(entries)  # the bar shows how many there are
            files = scan_entries(entries, jobs=self.jobs, progress=_shown(show, entries))
            tally.add(files)
            tally.interrupted = files.interrupted
        tally.note_unread_pictures()
        return detected_in(tally, nearby=EvidenceNearFiles())


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentSource:
    """Content in memory: a file, an archive, the answer of a server; it has no neighbours."""

    content: bytes
    path: str = ""
    """What the content is called. Names in it that mention Binance are evidence."""
    anchor: str = os.curdir
    kind: SourceKind = SourceKind.FILES

    @property
    def target(self) -> str:
        """The path, or a placeholder."""
        return self.path or "<bytes>"

    def read(self, show: ShowProgress | None = None) -> Detected:  # noqa: ARG002 - there is nothing to wait for
        """Scan the content."""
        stream = io.BytesIO(self.content)
        return detected_in(scan_chunks(read_stream(self.target, self.path, stream, size=len(self.content))))


def detected_in(tally: Tally, nearby: NearbyEvidence | None = None) -> Detected:
    """Return what a tally counted and holds."""
    return Detected(
        credentials=tuple(tally.credentials),
        skipped=tuple(tally.skipped),
        stats=ScanStats(files=tally.files, bytes=tally.bytes),
        interrupted=tally.interrupted,
        nearby=nearby,
        reread_secrets=partial(reread_secrets, tally.holding),
    )


def _note(entries: Iterable[FileEntry | Skipped], note: Callable[[FileEntry], None]) -> Iterator[FileEntry | Skipped]:
    for entry in entries:
        if isinstance(entry, FileEntry):
            note(entry)
        yield entry


def _shown(show: ShowProgress | None, entries: Iterable[FileEntry | Skipped]) -> Callable[[Tally], None]:
    """Show how far a tally is, of all entries if they are listed."""
    if show is None:
        return lambda _: None
    total = len(entries) if isinstance(entries, list) else None
    return lambda tally: show(Progress(done=tally.files, total=total, bytes=tally.bytes, found=len(tally.credentials)))


def scan_entries(
    entries: Iterable[FileEntry | Skipped], *, jobs: int = 1, progress: Callable[[Tally], None] = lambda _: None
) -> Tally:
    """Scan listed files, in `jobs` processes if it takes longer than a moment.

    An interrupt ends the scan and is noted in the tally; no process keeps running.
    """
    tally = Tally()
    batches = _batches(entries, tally)
    started = time.monotonic()
    try:
        for batch in batches:
            tally.add(scan_batch(batch))
            progress(tally)
            if jobs > 1 and time.monotonic() - started > _SERIAL_SECONDS:
                break
        _scan_in_pool(batches, tally, jobs=jobs, progress=progress)
    except KeyboardInterrupt:
        tally.interrupted = True
    return tally


def scan_batch(batch: Sequence[FileEntry]) -> Tally:
    """Scan some files in this process."""
    tally = Tally()
    for entry in batch:
        tally.files += 1
        content = read_plain(entry)
        if content is None:
            _scan_chunks(entry, read_chunks(entry), tally, is_worth=may_hold)
        elif not (may_be_lfs_pointer(content) or _may_hold(content, entry.evidence_path)):  # as nearly every file
            tally.bytes += len(content)
            tally.pictures += is_picture(content)
        elif prefilter.holds_packed_content(content):
            chunks = read_stream(entry.shown, entry.evidence_path, io.BytesIO(content))
            _scan_chunks(entry, chunks, tally, is_worth=may_hold)
        else:
            chunk = Chunk(path=entry.shown, evidence_path=entry.evidence_path, data=content)
            _scan_chunks(entry, (chunk,), tally, is_worth=lambda _: True)
    return tally


def _scan_chunks(
    entry: FileEntry, chunks: Iterable[Chunk | Skipped], tally: Tally, *, is_worth: Callable[[Chunk], bool]
) -> None:
    for result in search(with_layout_origin(entry, chunks), is_worth=is_worth):
        if isinstance(result, Skipped):
            tally.skipped.append(result)
            continue
        chunk, found = result
        tally.add_chunk(chunk)
        if found:
            tally.credentials += [credential.without_secrets() for credential in found]
            tally.holding += [entry] if tally.holding[-1:] != [entry] else []


def reread_secrets(entries: Iterable[FileEntry]) -> dict[str, Secret]:
    """Read the secrets in some files again, by SHA-256: they never leave a process."""
    return {
        value.sha256: value.secret
        for entry in entries
        for chunk in read_chunks(entry)
        if isinstance(chunk, Chunk)
        for credential in credentials_in(chunk)
        for value in credential.values
        if value.secret is not None
    }


def scan_chunks(found: Iterable[Chunk | Skipped]) -> Tally:
    """Scan content that is not in a listed file, in this process, with secrets."""
    tally = Tally(files=1)
    for result in search(found, is_worth=may_hold):
        if isinstance(result, Skipped):
            tally.skipped.append(result)
        else:
            chunk, credentials = result
            tally.add_chunk(chunk)
            tally.credentials += credentials
    return tally


def _batches(entries: Iterable[FileEntry | Skipped], tally: Tally) -> Iterator[list[FileEntry]]:
    """Yield files in batches, small ones first so that large files soon reach the pool; tally what is skipped."""
    iterator = iter(entries)
    size = _FIRST_BATCH
    while True:
        batch: list[FileEntry] = []
        for entry in iterator:
            if isinstance(entry, Skipped):
                tally.skipped.append(entry)
            else:
                batch.append(entry)
                if len(batch) == size:
                    break
        if not batch:
            return
        yield batch
        size = min(2 * size, _BATCH)


def _scan_in_pool(
    batches: Iterator[list[FileEntry]], tally: Tally, *, jobs: int, progress: Callable[[Tally], None]
) -> None:
    first = next(batches, None)
    if first is None:
        return
    # start-up: most scans are done before this
    from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
    from concurrent.futures.process import BrokenProcessPool  # as above

    batches = chain([first], batches)
    from binance_leaks.pipeline.lifeline import Lifeline, WorkerContext  # as above

    context = WorkerContext()
    lifeline = Lifeline(context)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker, initargs=(lifeline,))
    try:
        running: set[Future[Tally]] = set()
        while True:
            with _interrupts_held():
                running |= {pool.submit(scan_batch, batch) for batch in islice(batches, jobs * _AHEAD - len(running))}
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                tally.add(future.result())
            progress(tally)
    except BrokenProcessPool:
        raise ScanError(
            "a scanning process died, perhaps for lack of memory", hint="Try again with --jobs 1, or scan fewer paths."
        ) from None
    except BaseException:
        for process in list(pool._processes.values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        lifeline.close()


def _start_worker(lifeline: Lifeline) -> None:
    """End with the parent, and leave interrupts to it."""
    lifeline.follow()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold interrupts back: one that comes while a process is started would end that, before it ignores them."""
    if sys.platform == "win32":
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
