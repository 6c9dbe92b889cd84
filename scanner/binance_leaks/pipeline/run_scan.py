"""Run one scan: read a source, judge what was found, return a result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from binance_leaks.config import Config
from binance_leaks.findings import Finding, Result, SourceKind
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Credential, Location
from binance_leaks.pipeline.source import Detected, ShowProgress, Source

if TYPE_CHECKING:
    from binance_leaks.baseline.known import Known
    from binance_leaks.pipeline.apply_verification import Verified, Verify

D = TypeVar("D", bound=Detected)
_NO_PROGRESS: AbstractContextManager[None] = nullcontext()


@dataclass(frozen=True, kw_only=True, slots=True)
class TriageSettings:
    """What decides whether a credential is reported, and whether it fails the gate."""

    config: Config
    baseline: Known | None = None
    comments: bool = True
    """Whether a comment may allow a value that is new."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan(Generic[D]):
    """A finished scan: the result, and what the source detected."""

    result: Result
    detected: D


def run_scan(
    source: Source[D],
    settings: TriageSettings,
    *,
    verify: Verify | None = None,
    progress: AbstractContextManager[ShowProgress | None] = _NO_PROGRESS,
) -> Scan[D]:
    """Read a source and judge what it detected.

    `verify` checks with Binance what is reported; after an interrupt nothing is checked, and one while it checks leaves
    the rest unchecked and the result incomplete. `progress` is entered while
    the source is read. Raises ScannerError.
    """
    started = time.monotonic()
    with progress as show:
        detected = source.read(show)
    stats = replace(detected.stats, seconds=round((detected.stats.seconds or 0) + time.monotonic() - started, 3))
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    below, interrupted = 0, False
    if detected.credentials or verify is not None:
        from binance_leaks.pipeline.triage import triage  # start-up: most scans are clean and need no detector

        judged = detected if settings.comments else _without_comments(detected)
        check = _Check(verify) if verify is not None and not detected.interrupted else None
        findings, suppressed, below = triage(source, judged, settings, check)
        interrupted = check is not None and check.interrupted
    result = Result(
        source=source.kind,
        target=source.target,
        findings=findings,
        suppressed=suppressed,
        skipped=tuple(sorted(detected.skipped, key=lambda skipped: (not skipped.lost, skipped.what, skipped.why))),
        stats=replace(stats, suppressed=len(suppressed), below_confidence=below),
        interrupted=detected.interrupted or interrupted,
    )
    return Scan(result=_only_introduced(result) if source.kind is SourceKind.RANGE else result, detected=detected)


class _Check:
    """A verification that remembers whether the user interrupted it."""

    def __init__(self, verify: Verify) -> None:
        self._verify = verify
        self.interrupted = False

    def __call__(self, credentials: Sequence[Credential]) -> Verified:
        verified = self._verify(credentials)
        self.interrupted = verified.interrupted
        return verified


def load_baseline(file: Path | None, root: str | None) -> Known | None:
    """Read what a baseline knows, None without a file.

    Raises ConfigError for one that cannot be read or understood.

    Its paths count from `root`, the top of the repository that is scanned; outside of one, from its own folder.
    """
    if file is None:
        return None
    from binance_leaks.baseline.file import Baseline  # start-up: most scans have no baseline

    return Baseline.read(file).known(root if root is not None else str(file.resolve().parent))


def _without_comments(detected: Detected) -> Detected:
    """Let no comment allow a value that is new."""

    def disregard(place: Location) -> Location:
        return place if place.preexisting else replace(place, allowed=None)

    return replace(detected, credentials=tuple(credential.moved(disregard) for credential in detected.credentials))


def _only_introduced(result: Result) -> Result:
    """Leave out what was there before the commits; `standing` of the statistics counts it."""
    new = tuple(finding for finding in result.findings if finding.is_new)
    suppressed = tuple(finding for finding in result.suppressed if finding.is_new)
    standing = len(result.findings) + len(result.suppressed) - len(new) - len(suppressed)
    stats = replace(result.stats, suppressed=len(suppressed), standing=standing)
    return replace(result, findings=new, suppressed=suppressed, stats=stats)
