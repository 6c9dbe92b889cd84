"""Scan what is about to be committed: the suspicious entries of the index."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from binance_leaks.detect import prefilter
from binance_leaks.detect.base64_blocks import without_signatures
from binance_leaks.detect.engine import detect
from binance_leaks.findings import Skipped
from binance_leaks.model import COMMIT_MESSAGE, Credential, Exposure, Location, Occurrence
from binance_leaks.pipeline.files import credentials_in
from binance_leaks.sources.chunk import Chunk
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import NewLines, StagedChange, former_blobs
from binance_leaks.sources.stream import read_stream

_SCISSORS = re.compile(rb"^.{0,2} ?-+ >8 -+$", re.MULTILINE)


def credentials_in_message(data: bytes) -> tuple[Credential, ...]:
    """The credentials of a message as its editor left it; what stands below git's scissors line is not kept by git.

    Comment lines are scanned: whether git strips them depends on the clean-up mode, and which character begins one on
    the configuration.
    """
    scissors = _SCISSORS.search(data)
    kept = without_signatures(data[: scissors.start()] if scissors else data)
    if not prefilter.may_hold(kept):
        return ()
    return tuple(
        credential.moved(lambda place: replace(place, exposure=Exposure.MESSAGE))
        for credential in detect(kept, path=COMMIT_MESSAGE, evidence_path="")
    )


def credentials_in_changes(
    git: Git, changes: Sequence[StagedChange], excluded: Callable[[str], bool]
) -> tuple[list[Credential], list[Skipped]]:
    """The credentials of staged files: `staged` where their lines are new, `standing` where they stood there before."""
    changes = [change for change in changes if not excluded(change.shown)]
    found: list[Credential] = []
    skipped: list[Skipped] = []
    if not changes:
        return found, skipped
    by_change: list[tuple[StagedChange, list[tuple[Chunk, Credential]]]] = []
    with git.blobs(change.blob for change in changes) as blobs:
        for change, (_, stream) in zip(changes, blobs, strict=True):
            held: list[tuple[Chunk, Credential]] = []
            if stream is not None:
                for chunk in read_stream(change.shown, change.shown, stream, size=stream.size):
                    if isinstance(chunk, Skipped):
                        skipped.append(chunk)
                    else:
                        held += [(chunk, credential) for credential in credentials_in(chunk)]
            by_change.append((change, held))
    touched = [change for change, held in by_change if held]
    former = former_blobs(git, touched) if touched else {}
    for change, held in by_change:
        if held:
            judge = _Age(git, change, former[change.path])
            found += [_aged(credential, change, judge, text=chunk.is_text) for chunk, credential in held]
    return found, skipped


class _Age:
    """Whether a value of a staged file is new: by the lines that git calls new, by digest where lines mean little."""

    def __init__(self, git: Git, change: StagedChange, former: Sequence[str]) -> None:
        self._git = git
        self._change = change
        self._former = former
        self._lines: NewLines | None = None
        self._digests: list[set[str]] | None = None

    def is_new(self, occurrence: Occurrence, *, text: bool) -> bool:
        if not text:
            return all(occurrence.value.sha256 not in digests for digests in self._former_digests())
        if self._lines is None:
            self._lines = NewLines(self._git, self._change.blob, self._former)
        return self._lines.touch(occurrence.location.line, occurrence.last_line)

    def _former_digests(self) -> list[set[str]]:
        if self._digests is None:
            with self._git.blobs(self._former) as blobs:
                self._digests = [
                    {
                        value.sha256
                        for chunk in (read_stream(self._change.shown, "", stream) if stream is not None else ())
                        if isinstance(chunk, Chunk)
                        for credential in credentials_in(chunk)
                        for value in credential.values
                    }
                    for _, stream in blobs
                ]
        return self._digests


def _aged(credential: Credential, change: StagedChange, age: _Age, *, text: bool) -> Credential:
    def aged(occurrence: Occurrence) -> Occurrence:
        new = age.is_new(occurrence, text=text)
        location: Location = replace(
            occurrence.location,
            exposure=Exposure.STAGED if new else Exposure.PRESENT,
            preexisting=not new,
            blob=change.blob,
        )
        return replace(occurrence, location=location)

    return replace(credential, occurrences=tuple(aged(occurrence) for occurrence in credential.occurrences))
