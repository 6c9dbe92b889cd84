"""The `json` format: schema `binance-leaks/1`, described by `binance-leaks-1.schema.json` in this folder.

The wire format has types of its own, so that a change of the model cannot change it unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypedDict

from binance_leaks import __version__
from binance_leaks.findings import Finding, Repository, Result, Suppression
from binance_leaks.model import Cell, Commit, Location, Origin, Value
from binance_leaks.report import View
from binance_leaks.report.locations import MAX_LISTED_REFS
from binance_leaks.report.names import REST, statistics
from binance_leaks.report.sanitize import Redactor, encodable
from binance_leaks.verification import Verification


def as_json(report: Mapping[str, object]) -> str:
    """Return the text of a report, in ASCII: the same on every console and code page.

    Azure Pipelines and GitHub Actions obey `##vso[…]` and `##[…]` anywhere in a line. Two number signs can only be in a
    string, where the second is written as an escape, which changes nothing for a reader of JSON.
    """
    text = json.dumps(report, indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("##", "#\\u0023") + "\n"


SCHEMA = "binance-leaks/1"


class _Tool(TypedDict):
    name: str
    version: str


class _Skipped(TypedDict):
    what: str
    why: str


class _Repository(TypedDict):
    name: str
    page: str
    forge: str | None


class _Scan(TypedDict):
    source: str
    target: str
    repository: _Repository | None
    rebase: str | None
    base_policy: bool
    complete: bool
    skipped: list[_Skipped]
    stats: dict[str, int | float]


class _Risk(TypedDict):
    level: str
    reasons: list[str]


class WireValue(TypedDict):
    """A value of a finding as it is written."""

    role: str
    sha256: str
    masked: str


class WireCommit(TypedDict):
    """A commit as it is written."""

    id: str
    author: str
    date: str
    subject: str


class WireNearMiss(TypedDict):
    """A comment that nearly allows a value, as it is written."""

    comment: str
    above: bool


class WireOrigin(TypedDict):
    """The origin of a value as it is written."""

    author: str
    date: str
    layer: str
    command: str
    deleted: bool


class WireCell(TypedDict):
    """A cell of a notebook, as it is written."""

    number: int
    part: str | None


class _OnMachine(TypedDict, total=False):
    readers: str


class WireLocation(_OnMachine):
    """A location as it is written. `readers` is only there for files of which it is known."""

    role: str
    path: str
    line: int
    column: int
    cell: WireCell | None
    exposure: str
    commit: WireCommit | None
    blob: str | None
    refs: list[str]
    removed: WireCommit | None
    pushed: bool
    standing: bool
    repository: str | None
    unlisted_refs: int
    replaceable: bool
    allowed_by: str | None
    near_miss: WireNearMiss | None
    origin: WireOrigin | None


class _Suppressed(TypedDict):
    by: str
    reason: str


class WireVerification(TypedDict):
    """What Binance answered, as it is written."""

    verdict: str
    tier: str | None
    permissions: dict[str, bool | int]
    ip_restricted: bool | None
    checked_at: str | None
    host: str | None
    note: str
    cause: str | None
    environment: str | None
    swapped: bool
    elsewhere: list[str] | None
    key_sha256: str | None
    secret_sha256: str | None


class WireFinding(TypedDict):
    """A finding as it is written."""

    id: str
    kind: str
    environment: str
    confidence: str
    risk: _Risk
    values: list[WireValue]
    locations: list[WireLocation]
    evidence: list[str]
    suppressed: _Suppressed | None
    fails: bool
    verification: WireVerification | None
    mark: str | None
    unlisted: int


class Report(TypedDict):
    """A whole report as plain data."""

    schema: str
    tool: _Tool
    scan: _Scan
    findings: list[WireFinding]


def render_json(result: Result, view: View) -> str:
    """Render the report as JSON, indented, in ASCII."""
    return as_json(report_of(result, show_suppressed=view.show_suppressed))


def report_of(result: Result, *, show_suppressed: bool = False) -> Report:
    r"""Return the report as plain data, without any value.

    Bytes of a path that are not UTF-8 are written as the text `\xff`. Suppressed findings follow the others if they are
    shown; their number is always in `stats`.
    """
    wire = Wire(Redactor.of(result))
    shown = (*result.findings, *result.suppressed) if show_suppressed else result.findings
    return {
        "schema": SCHEMA,
        "tool": {"name": "binance-leaks", "version": __version__},
        "scan": wire.scan(result),
        "findings": [wire.finding(finding) for finding in shown],
    }


class Wire:
    """Turns the model into the wire format; all untrusted text passes the redactor."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def scan(self, result: Result) -> _Scan:
        """Return the facts of the scan as they are written."""
        skipped: list[_Skipped] = [
            {"what": self._path(skipped.what), "why": self._prose(skipped.why)} for skipped in result.skipped
        ]
        if result.interrupted:
            skipped.append({"what": REST.what, "why": REST.why})
        return {
            "source": result.source.value,
            "target": self._path(result.target),
            "repository": self._repository(result.repository),
            "rebase": result.rebase,
            "base_policy": result.base_policy,
            "complete": result.complete,
            "skipped": skipped,
            "stats": statistics(result),
        }

    def _repository(self, repository: Repository | None) -> _Repository | None:
        if repository is None:
            return None
        return {
            "name": self._path(repository.name),
            "page": self._path(repository.page),
            "forge": repository.forge.value if repository.forge is not None else None,
        }

    def finding(self, finding: Finding) -> WireFinding:
        """Return a finding as it is written."""
        return {
            "id": finding.id,
            "kind": finding.kind.value,
            "environment": finding.environment.value,
            "confidence": finding.confidence.value,
            "risk": {"level": finding.risk.level.value, "reasons": [self._prose(r) for r in finding.risk.reasons]},
            "values": [wire_value(value) for value in finding.values],
            "locations": [self.location(location) for location in finding.locations],
            "evidence": [self._prose(evidence) for evidence in finding.evidence],
            "suppressed": self._suppressed(finding.suppressed),
            "fails": finding.fails,
            "verification": wire_verification(finding.verification, self._redactor),
            "mark": finding.mark.value if finding.mark is not None else None,
            "unlisted": finding.unlisted,
        }

    def location(self, location: Location) -> WireLocation:
        """Return a location as it is written."""
        on_machine: _OnMachine = {"readers": location.readers.value} if location.readers is not None else {}
        return {
            "role": location.role.value,
            "path": self._path(location.path),
            "line": location.line,
            "column": location.column,
            "cell": self._cell(location.cell),
            "exposure": location.exposure.value,
            "commit": self._commit(location.commit),
            "blob": location.blob,
            "refs": [self._path(ref) for ref in location.refs[:MAX_LISTED_REFS]],
            "removed": self._commit(location.removed),
            "pushed": location.pushed,
            "standing": location.preexisting,
            "repository": self._path(location.repository) if location.repository is not None else None,
            "unlisted_refs": location.unlisted_refs + max(0, len(location.refs) - MAX_LISTED_REFS),
            "replaceable": location.replaceable,
            "allowed_by": location.permit,
            "near_miss": self._near_miss(location),
            "origin": self._origin(location.origin),
            **on_machine,
        }

    def _origin(self, origin: Origin | None) -> WireOrigin | None:
        if origin is None:
            return None
        return {
            "author": self._prose(origin.author),
            "date": self._prose(origin.date),
            "layer": self._path(origin.layer),
            "command": self._prose(origin.command),
            "deleted": origin.deleted,
        }

    def _near_miss(self, location: Location) -> WireNearMiss | None:
        if location.near_miss is None:
            return None
        return {"comment": self._prose(location.near_miss), "above": location.near_miss_above}

    def _cell(self, cell: Cell | None) -> WireCell | None:
        if cell is None:
            return None
        return {"number": cell.number, "part": cell.part.value if cell.part is not None else None}

    def _commit(self, commit: Commit | None) -> WireCommit | None:
        if commit is None:
            return None
        return {
            "id": commit.id,
            "author": self._prose(commit.author),
            "date": self._path(commit.date),
            "subject": self._prose(commit.subject),
        }

    def _suppressed(self, suppression: Suppression | None) -> _Suppressed | None:
        if suppression is None:
            return None
        return {"by": suppression.by.value, "reason": self._prose(suppression.reason)}

    def _path(self, text: str) -> str:
        return encodable(self._redactor.path(text))

    def _prose(self, text: str) -> str:
        return encodable(self._redactor.prose(text))


def wire_value(value: Value) -> WireValue:
    """Return a value as its role, digest and mask."""
    return {"role": value.role.value, "sha256": value.sha256, "masked": value.masked}


def wire_verification(verification: Verification | None, redactor: Redactor) -> WireVerification | None:
    """Return what Binance answered as plain data.

    `permissions` has Binance's names, `createTime` and `tradingAuthorityExpirationTime` in milliseconds since 1970; it
    is empty where they are unknown.
    """
    if verification is None:
        return None
    permissions = verification.permissions
    fields = permissions.nameable().fields() if permissions is not None else {}
    tier, cause, environment = verification.tier, verification.cause, verification.environment
    return {
        "verdict": verification.verdict.value,
        "tier": tier.value if tier is not None else None,
        "permissions": fields,
        "ip_restricted": verification.ip_restricted,
        "checked_at": verification.checked_at,
        "host": verification.host,
        "note": encodable(redactor.prose(verification.note)),
        "cause": cause.value if cause is not None else None,
        "environment": environment.value if environment is not None else None,
        "swapped": verification.swapped,
        "elsewhere": [each.value for each in verification.elsewhere] if verification.elsewhere is not None else None,
        "key_sha256": verification.key,
        "secret_sha256": verification.secret,
    }
