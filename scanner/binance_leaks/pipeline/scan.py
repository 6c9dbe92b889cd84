"""What a source found, what becomes of it, and whether it passes the gate. A scan that found nothing needs no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from binance_leaks.findings import Finding, Result, Skipped, SourceKind
from binance_leaks.model import Credential


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """What a source found, before it is judged. The paths of its locations are relative to the folder `anchor`."""

    source: SourceKind
    target: str
    credentials: tuple[Credential, ...]
    skipped: tuple[Skipped, ...] = ()
    stats: Mapping[str, int | float]
    interrupted: bool = False
    anchor: str = "."


def result_of(
    scan: Scan, findings: tuple[Finding, ...] = (), suppressed: tuple[Finding, ...] = (), *, below_confidence: int = 0
) -> Result:
    """The result of a scan, with what was made of its credentials."""
    stats = {**scan.stats, "suppressed": len(suppressed), "below_confidence": below_confidence}
    return Result(
        source=scan.source,
        target=scan.target,
        findings=findings,
        suppressed=suppressed,
        skipped=tuple(sorted(scan.skipped, key=lambda skipped: (not skipped.lost, skipped.what, skipped.why))),
        stats=stats,
        interrupted=scan.interrupted,
    )


def gate(result: Result, *, allow_incomplete: bool = False) -> int:
    """The exit status: 1 for a finding that fails, 3 for an incomplete scan without one, 0 otherwise.

    With `allow_incomplete` what could not be read is told and does not count.
    """
    if any(finding.fails for finding in result.findings):
        return 1
    return 0 if result.complete or allow_incomplete else 3
