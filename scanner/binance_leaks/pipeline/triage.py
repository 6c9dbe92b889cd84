"""Triage credentials: merge, pair across files, add evidence, suppress, rank."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from binance_leaks.baseline.known import Label, path_from
from binance_leaks.config import AllowList, Config
from binance_leaks.detect import prefilter
from binance_leaks.detect.credentials import (
    drop_unrelated_private_keys,
    lacks_evidence,
    mark_encrypted_beside,
    with_evidence,
)
from binance_leaks.detect.pairing_across_files import pair_across_files
from binance_leaks.detect.published import published_as
from binance_leaks.findings import Finding, Risk, Skipped, SourceKind, SuppressedBy, Suppression
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Credential, Location, Occurrence, RiskLevel, Value
from binance_leaks.pipeline.files import search
from binance_leaks.pipeline.run_scan import TriageSettings
from binance_leaks.pipeline.source import Detected, NearbyEvidence, Source
from binance_leaks.risk import assess, order, with_readers
from binance_leaks.sources.nearby_evidence import EvidenceNearFiles
from binance_leaks.sources.path_roots import PathRoots
from binance_leaks.sources.read_content import read_content

if TYPE_CHECKING:
    from binance_leaks.pipeline.apply_verification import Verify
from binance_leaks.verification import Verification


def credentials_alone(
    filename: str, data: bytes, nearby: EvidenceNearFiles
) -> tuple[tuple[Credential, ...], list[Skipped]]:
    """Return the credentials of a file as a scan of it alone judges them, and why it was not searched to its end."""
    root = PathRoots().root(filename)
    evidence_path = root.evidence if root.in_work_tree or Path(filename).is_absolute() else root.shown
    chunks = read_content(filename, evidence_path, io.BytesIO(data))
    found: list[Credential] = []
    skipped: list[Skipped] = []
    for result in search(chunks):
        if isinstance(result, Skipped):
            skipped.append(result)
        else:
            found += result[1]
    return weigh(found, nearby), skipped


def lines_of(filename: str) -> dict[str, int]:
    """Return the first line of every value in a file, by SHA-1 as in baselines.

    Returns nothing if the file cannot be read.
    """
    try:
        plain = unified(Path(filename).read_bytes()) if Path(filename).is_file() else b""
    except (OSError, ValueError):
        return {}
    if not prefilter.may_hold(plain):
        return {}
    lines: dict[str, int] = {}
    for credential in credentials_alone(filename, plain, EvidenceNearFiles())[0]:
        for occurrence in credential.occurrences:
            line = occurrence.location.line
            lines[occurrence.value.sha1] = min(line, lines.get(occurrence.value.sha1, line))
    return lines


def unified(data: bytes) -> bytes:
    """Content with line ends as detect-secrets reads them."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A credential with enough confidence to be reported, as a finding.

    Nothing allows its `open` occurrences.
    """

    finding: Finding
    open: tuple[Occurrence, ...]


def triage(
    source: Source[Detected], found: Detected, settings: TriageSettings, verify: Verify | None = None
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], int]:
    """Turn what a source found into findings and suppressed ones, most severe first.

    Credentials below the configured confidence are left out and counted. `verify` checks only what is reported:
    nothing that is suppressed, and nothing that was there before the commits of a range.
    """
    credentials = weigh(found.credentials, found.nearby)
    verifications: Mapping[str, Verification] = {}
    if verify is not None:
        judged = judge(credentials, source, settings)
        open_ids = {each.finding.id for each in judged if _is_to_verify(each, source)}
        secrets = found.reread_secrets() if open_ids else {}
        verified = verify([credential.with_secrets(secrets) for credential in credentials if credential.id in open_ids])
        others = (credential for credential in credentials if credential.id not in open_ids)
        credentials, verifications = (*verified.credentials, *others), verified.verifications
    judged = judge(credentials, source, settings, verifications)
    findings = sorted((each.finding for each in judged), key=order)
    return (
        tuple(finding for finding in findings if finding.suppressed is None),
        tuple(finding for finding in findings if finding.suppressed is not None),
        len(credentials) - len(findings),
    )


def _is_to_verify(judged: Judged, source: Source[Detected]) -> bool:
    is_range = source.kind is SourceKind.RANGE
    return any(not (is_range and occurrence.location.preexisting) for occurrence in judged.open)


def weigh(credentials: Iterable[Credential], nearby: NearbyEvidence | None) -> tuple[Credential, ...]:
    """Merge and pair credentials, and add evidence from outside their files.

    Only where such evidence could change the confidence.
    """
    paired = pair_across_files(credentials)
    if nearby is not None:
        paired = pair_across_files(_add_nearby_evidence(paired, nearby))
    return drop_unrelated_private_keys(mark_encrypted_beside(paired))


def judge(
    credentials: Iterable[Credential],
    source: Source[Detected],
    settings: TriageSettings,
    verifications: Mapping[str, Verification] | None = None,
) -> list[Judged]:
    """Judge those credentials of a source that have the configured confidence."""
    known = verifications or {}
    permit = _Permit(source, settings)
    return [
        _judge_one(credential, permit, settings.config, known.get(credential.id))
        for credential in credentials
        if credential.confidence >= settings.config.confidence
    ]


def path_in_repository(path: str, source: Source[Detected], root: str) -> str:
    """The path of a finding from the folder `root`, the top of the repository.

    That of git is such a path already.
    """
    on_disk = source.kind in (SourceKind.FILES, SourceKind.MACHINE)
    return path_from(root, path, source.anchor) if on_disk else path


def _add_nearby_evidence(credentials: Sequence[Credential], nearby: NearbyEvidence) -> Iterable[Credential]:
    for credential in credentials:
        if not lacks_evidence(credential) or credential.known_example:
            yield credential
            continue
        paths = sorted({occurrence.location.path for occurrence in credential.occurrences})
        found = [evidence for path in paths[:4] if (evidence := nearby.evidence_near(path)) is not None]
        yield with_evidence(credential, max(found, key=lambda evidence: evidence.grade)) if found else credential


def _judge_one(credential: Credential, permit_of: _Permit, config: Config, verification: Verification | None) -> Judged:
    permits = permit_of.occurrences(credential)
    suppressed = _suppression(credential, permits)
    new = any(
        permit is None and not occurrence.location.preexisting
        for occurrence, permit in zip(credential.occurrences, permits, strict=True)
    )
    finding = finding_of(
        credential,
        tuple(
            replace(occurrence.location, permit=permit.by.value if permit is not None else None)
            for occurrence, permit in zip(credential.occurrences, permits, strict=True)
        ),
        config,
        suppressed=suppressed,
        verification=verification,
        counts=new,
    )
    open_ones = (
        occurrence
        for occurrence, permit in zip(credential.occurrences, permits, strict=True)
        if permit is None and published_as(occurrence.value.sha256) is None
    )
    return Judged(finding=finding, open=tuple(open_ones))


def finding_of(
    credential: Credential,
    locations: tuple[Location, ...],
    config: Config,
    *,
    suppressed: Suppression | None,
    verification: Verification | None,
    counts: bool,
) -> Finding:
    """Judge a credential at these locations.

    What does not count, or is suppressed, does not fail.
    """
    risk = with_readers(assess(credential, locations, verification), locations)
    if suppressed is not None and suppressed.by is SuppressedBy.KNOWN_EXAMPLE:
        risk = Risk(level=RiskLevel.INFO, reasons=(suppressed.reason,))
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
        verification=verification,
        fails=counts and suppressed is None and config.fail_on.fails(credential.environment, risk.level),
    )


def published(credential: Credential) -> Suppression:
    """Suppress a credential that is published as an example."""
    source = published_as(credential.values[0].sha256)
    return Suppression(by=SuppressedBy.KNOWN_EXAMPLE, reason=f"published in {source}")


class _Permit:
    """What allows an occurrence: a comment, the configuration, the baseline, or nothing."""

    def __init__(self, source: Source[Detected], settings: TriageSettings) -> None:
        self._source = source
        self._config = settings.config
        self._allowed = AllowList(settings.config.allow)
        self._baseline = settings.baseline

    def occurrences(self, credential: Credential) -> tuple[Suppression | None, ...]:
        """What allows each occurrence of a credential."""
        by_place: dict[tuple[Value, str], Suppression | None] = {}
        for occurrence in credential.occurrences:
            key = occurrence.value, occurrence.location.path
            if key not in by_place:
                by_place[key] = self._of_place(*key)
        return tuple(
            by_place[occurrence.value, occurrence.location.path]
            if occurrence.location.allowed is None
            else Suppression(by=SuppressedBy.INLINE, reason=occurrence.location.allowed)
            for occurrence in credential.occurrences
        )

    def _of_place(self, value: Value, path: str) -> Suppression | None:
        config, baseline = self._config, self._baseline
        if config.allow:
            relative = config.relative(path, self._source.anchor)
            first = next(self._allowed.matching(value.sha256, relative), None)
            if first is not None:
                return Suppression(by=SuppressedBy.CONFIG, reason=config.allow[first].reason)
        if baseline is None:
            return None
        label = baseline.label(value, path_in_repository(path, self._source, baseline.root))
        return Suppression(by=SuppressedBy.BASELINE, reason=label.value) if label is not None else None


def _suppression(credential: Credential, permits: Sequence[Suppression | None]) -> Suppression | None:
    """A finding is suppressed only if all its locations are; by a baseline with the most severe of its labels."""
    if credential.known_example:
        return published(credential)
    for occurrence, permit in zip(credential.occurrences, permits, strict=True):
        if permit is None and published_as(occurrence.value.sha256) is None:
            return None
    given = [permit for permit in permits if permit is not None]
    known = [permit for permit in given if permit.by is SuppressedBy.BASELINE]
    if known:
        return max(known, key=lambda permit: Label(permit.reason))
    return given[0] if given else None
