"""Scan files: one after the other when they are few, in several processes when they are many."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing import get_all_start_methods, get_context

from binance_leaks.detect import prefilter
from binance_leaks.detect.base64_blocks import without_signatures
from binance_leaks.detect.engine import detect
from binance_leaks.errors import ScanError
from binance_leaks.findings import Skipped
from binance_leaks.model import Credential, Secret
from binance_leaks.sources.chunk import Chunk
from binance_leaks.sources.files import FileEntry, read_chunks
from binance_leaks.sources.objects.parse import find_merged_tags, find_message


def credentials_in(chunk: Chunk) -> tuple[Credential, ...]:
    """The credentials of one chunk."""
    return detect(
        chunk.data,
        path=chunk.path,
        evidence_path=chunk.evidence_path,
        first_line=chunk.first_line,
        first_column=chunk.first_column,
        mentions_binance=chunk.mentions_binance,
    )


def credentials_in_object(content: bytes) -> tuple[Credential, ...]:
    """The credentials of a commit or tag: of its message, of its headers, and of the tags that it keeps."""
    found: list[Credential] = []
    kept = _unsigned(content)
    start = find_message(kept)
    for text in (kept[start:], kept[:start], *map(_unsigned, find_merged_tags(content))):
        if prefilter.may_hold(text):
            found += detect(text)
    return tuple(found)


def _unsigned(content: bytes) -> bytes:
    return without_signatures(content, headers=find_message(content))


_FIRST_BATCH, _BATCH = 4, 128
_SERIAL_SECONDS = 0.1
_AHEAD = 4


@dataclass(kw_only=True, slots=True)
class Tally:
    """What has been scanned so far. Credentials come without their secrets: those stay where they were read.

    `holding` are the files in which there are any, to be read again where the secrets are needed.
    """

    files: int = 0
    bytes: int = 0
    credentials: list[Credential] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    holding: list[FileEntry] = field(default_factory=list)
    interrupted: bool = False

    def add(self, other: Tally) -> None:
        """Adds what another process, or the next batch, has found."""
        self.files += other.files
        self.bytes += other.bytes
        self.credentials += other.credentials
        self.skipped += other.skipped
        self.holding += other.holding


Progress = Callable[[Tally], None]


def scan_entries(entries: Iterable[FileEntry | Skipped], *, jobs: int, progress: Progress) -> Tally:
    """Scans listed files. Starts in this process; if that has not finished soon, `jobs` processes take the rest.

    An interrupt ends the scan and marks the tally; nothing keeps running.
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
    except BrokenProcessPool:
        raise ScanError(
            "a scanning process died, perhaps for lack of memory", hint="Try again with --jobs 1, or scan fewer paths."
        ) from None
    return tally


def scan_batch(batch: Sequence[FileEntry]) -> Tally:
    """Scans some files in this process."""
    tally = Tally()
    for entry in batch:
        tally.files += 1
        for chunk in read_chunks(entry):
            if isinstance(chunk, Skipped):
                tally.skipped.append(chunk)
                continue
            tally.bytes += len(chunk.data)
            found = credentials_in(chunk) if prefilter.may_hold(chunk.data) else ()
            if found:
                tally.credentials += [credential.without_secrets() for credential in found]
                tally.holding += [entry] if tally.holding[-1:] != [entry] else []
    return tally


def secrets_again(entries: Iterable[FileEntry]) -> dict[str, Secret]:
    """The bytes of the values in some files, by their digests, read once more: they never leave a process."""
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
    """Scans content that comes from elsewhere than a listed file, in this process: the secrets stay."""
    tally = Tally(files=1)
    for chunk in found:
        if isinstance(chunk, Skipped):
            tally.skipped.append(chunk)
        else:
            tally.bytes += len(chunk.data)
            tally.credentials += credentials_in(chunk)
    return tally


def _batches(entries: Iterable[FileEntry | Skipped], tally: Tally) -> Iterator[list[FileEntry]]:
    """Files in batches, small ones first so that large files soon reach the pool; what was skipped is tallied."""
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


def _scan_in_pool(batches: Iterator[list[FileEntry]], tally: Tally, *, jobs: int, progress: Progress) -> None:
    first = next(batches, None)
    if first is None:
        return
    batches = chain([first], batches)
    method = "fork" if "fork" in get_all_start_methods() else "spawn"
    pool = ProcessPoolExecutor(jobs, mp_context=get_context(method), initializer=_leave_interrupts_to_parent)
    try:
        running: set[Future[Tally]] = set()
        while True:
            running |= {pool.submit(scan_batch, batch) for batch in islice(batches, jobs * _AHEAD - len(running))}
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                tally.add(future.result())
            progress(tally)
    except BaseException:
        for process in list(pool._processes.values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def usable_cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
