"""From credentials to a result: merge, pair across files, weigh with the neighbours, suppress, rank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from scanner.config import Config
from scanner.detect.credentials import lacks_evidence, paired_across, settled, with_evidence
from scanner.detect.examples import published_as
from scanner.model import (
    Credential,
    Evidence,
    Finding,
    Result,
    Risk,
    RiskLevel,
    Skipped,
    SourceKind,
    SuppressedBy,
    Suppression,
)
from scanner.risk import assess


class Surroundings(Protocol):
    """What stands around a file: its neighbours and its repository."""

    def mention(self, path: str) -> Evidence | None:
        """What beside the file at `path` speaks for Binance, the nearest, or None."""
        ...


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


def conclude(scan: Scan, *, config: Config, surroundings: Surroundings | None) -> Result:
    """The result of a scan: findings of at least the configured confidence, the gravest first, and what is allowed."""
    credentials = paired_across(scan.credentials)
    if surroundings is not None:
        credentials = paired_across(_weighed(credentials, surroundings))
    credentials = settled(credentials)
    shown = [credential for credential in credentials if credential.confidence >= config.confidence]
    findings = [_finding(credential, config, scan.anchor) for credential in shown]
    counted = tuple(sorted((finding for finding in findings if finding.suppressed is None), key=_order))
    suppressed = tuple(sorted((finding for finding in findings if finding.suppressed is not None), key=_order))
    stats = {
        **scan.stats,
        "suppressed": len(suppressed),
        "below_confidence": len(credentials) - len(shown),
    }
    return Result(
        source=scan.source,
        target=scan.target,
        findings=counted,
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


def _weighed(credentials: Sequence[Credential], surroundings: Surroundings) -> Iterable[Credential]:
    for credential in credentials:
        if not lacks_evidence(credential) or credential.known_example:
            yield credential
            continue
        paths = sorted({sighting.location.path for sighting in credential.sightings})
        found = [evidence for path in paths[:4] if (evidence := surroundings.mention(path)) is not None]
        yield with_evidence(credential, max(found, key=lambda evidence: evidence.grade)) if found else credential


def _finding(credential: Credential, config: Config, anchor: str) -> Finding:
    allows = {
        (sighting.value.sha256, sighting.location.path): _allowed(
            config, sighting.value.sha256, config.relative(sighting.location.path, anchor)
        )
        for sighting in credential.sightings
    }
    locations = tuple(sighting.location for sighting in credential.sightings)
    suppressed = _suppression(credential, allows)
    risk = assess(credential, locations)
    if suppressed is not None and suppressed.by is SuppressedBy.KNOWN_EXAMPLE:
        risk = Risk(level=RiskLevel.INFO, reasons=(suppressed.reason,))
    new = any(not location.standing for location in locations)
    return Finding(
        id=credential.id,
        kind=credential.kind,
        environment=credential.environment,
        confidence=credential.confidence,
        risk=risk,
        values=credential.values,
        locations=locations,
        evidence=credential.evidence,
        suppressed=suppressed,
        fails=new and suppressed is None and config.fail_on.fails(credential.environment, risk.level),
    )


def _allowed(config: Config, sha256: str, path: str) -> str | None:
    return next((allow.reason for allow in config.allow if allow.covers(sha256, path)), None)


def _suppression(credential: Credential, allows: Mapping[tuple[str, str], str | None]) -> Suppression | None:
    """A finding is suppressed only if every one of its places is."""
    if credential.known_example:
        source = published_as(credential.values[0].sha256)
        return Suppression(by=SuppressedBy.KNOWN_EXAMPLE, reason=f"published in {source}")
    reasons: list[Suppression] = []
    for sighting in credential.sightings:
        location = sighting.location
        configured = allows[sighting.value.sha256, location.path]
        if location.allowed is not None:
            reasons.append(Suppression(by=SuppressedBy.INLINE, reason=location.allowed))
        elif configured is not None:
            reasons.append(Suppression(by=SuppressedBy.CONFIG, reason=configured))
        elif published_as(sighting.value.sha256) is None:
            return None
    return reasons[0] if reasons else None


def _order(finding: Finding) -> tuple[int, int, str, int, str]:
    first = finding.locations[0]
    return -finding.risk.level.rank, -finding.confidence.rank, first.path, first.line, finding.id
