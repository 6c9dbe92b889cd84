"""What a source found, what becomes of it, and whether it passes the gate. A scan that found nothing needs no more."""

from __future__ import annotations

from dataclasses import dataclass, replace

from binance_leaks.findings import Finding, Result, ScanStats, Skipped, SourceKind
from binance_leaks.model import Credential


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """What a source found, before it is judged. The paths of its locations are relative to the folder `anchor`."""

    source: SourceKind
    target: str
    credentials: tuple[Credential, ...]
    skipped: tuple[Skipped, ...] = ()
    stats: ScanStats
    interrupted: bool = False
    anchor: str = "."


def result_of(
    scan: Scan, findings: tuple[Finding, ...] = (), suppressed: tuple[Finding, ...] = (), *, below_confidence: int = 0
) -> Result:
    """The result of a scan, with what was made of its credentials."""
    stats = replace(scan.stats, suppressed=len(suppressed), below_confidence=below_confidence)
    return Result(
        source=scan.source,
        target=scan.target,
        findings=findings,
        suppressed=suppressed,
        skipped=tuple(sorted(scan.skipped, key=lambda skipped: (not skipped.lost, skipped.what, skipped.why))),
        stats=stats,
        interrupted=scan.interrupted,
    )
