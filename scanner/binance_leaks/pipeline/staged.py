"""Scan what is about to be committed: the suspicious entries of the index."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import replace

from binance_leaks.detect import prefilter
from binance_leaks.detect.base64_blocks import without_signatures
from binance_leaks.detect.engine import detect
from binance_leaks.findings import Skipped
from binance_leaks.model import COMMIT_MESSAGE, Credential, Exposure, Occurrence
from binance_leaks.pipeline.introduced import FileVersions, introduced
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import StagedChange, former_blobs

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
    """Return the credentials of staged files, and what could not be read of these.

    The exposure of a value that this commit introduces is `staged`; any other was there before, and is `preexisting`.
    """
    changes = [change for change in changes if not excluded(change.shown)]
    if not changes:
        return [], []
    versions = FileVersions(git)
    versions.add_suspicious(change.blob for change in changes)
    versions.detect([(change.blob, change.path) for change in changes])
    skipped = list(versions.skipped)
    holding = [change for change in changes if versions.at(change.blob, change.path).digests]
    former = former_blobs(git, holding, excluded) if holding else {}
    versions.detect([(blob, path) for path, blobs in former.items() for blob in blobs])
    found: list[Credential] = []
    for change in holding:
        version = versions.at(change.blob, change.path)
        new = introduced(git, version, [versions.at(blob, change.path) for blob in former[change.path]])
        found += [_with_exposure(credential, change.blob, new) for credential in version.credentials]
    return found, skipped


def _with_exposure(credential: Credential, blob: str, new: Container[str]) -> Credential:
    """The credential of a staged blob, with `new` as the digests of the values that the commit introduces."""

    def place(occurrence: Occurrence) -> Occurrence:
        is_new = occurrence.value.sha256 in new
        exposure = Exposure.STAGED if is_new else Exposure.PRESENT
        return replace(
            occurrence, location=replace(occurrence.location, exposure=exposure, preexisting=not is_new, blob=blob)
        )

    return replace(credential, occurrences=tuple(place(occurrence) for occurrence in credential.occurrences))
