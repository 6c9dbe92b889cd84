"""The `sarif` format: SARIF 2.1.0, the OASIS standard, with GitHub's demands on it where they go further.

One result per finding. Its fingerprint is the credential's id, independent of the line. There are no snippets: they
would contain the value. GitHub rejects a whole upload because of one result without a file, so messages and objects,
which have none, get a nominal one; `logicalLocations` says what they are. In a fleet a URI starts with the name of the
repository, which is also in the properties of each location, and `baselineState` says what changed since the last run.

`level` follows the gate first: what fails is an `error`, or a `warning` below medium risk; what passes is a `warning`
from medium risk on, else a `note`. What Binance answered is in message, properties and `rank`, a priority from 0 to 100
within the log. Code scanning reads only `security-severity` of rules, which no answer can change: there `level`
separates an active key from a revoked one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from binance_leaks import __version__
from binance_leaks.environments import KEY_PAGE
from binance_leaks.findings import Finding, Mark, Result, Skipped, SuppressedBy
from binance_leaks.model import Exposure, Location, RiskLevel
from binance_leaks.report import View
from binance_leaks.report.json import Wire, as_json, wire_value, wire_verification
from binance_leaks.report.locations import (
    file_to_open,
    is_absolute,
    is_in_archive,
    path_in_fleet,
    path_uri,
    sort_by_use,
)
from binance_leaks.report.names import (
    PUSHED,
    capitalize_first,
    harmless_items,
    join_masks,
    listed_findings,
    lost_items,
    pass_reason,
    skipped_phrase,
    statistics,
    title,
)
from binance_leaks.report.prose import Describer
from binance_leaks.report.rules import CWE, CWE_PAGE, RULES, Rule, rule_of
from binance_leaks.report.sanitize import Redactor, encodable, printable
from binance_leaks.report.verification_text import describe_verdict
from binance_leaks.risk import priority

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_MAX_RELATED = 999  # GitHub takes 1000 locations a result
_STATES: Mapping[Mark, str] = MappingProxyType({Mark.NEW: "new", Mark.STILL_THERE: "unchanged", Mark.GONE: "absent"})
_Object = dict[str, object]


def render_sarif(result: Result, view: View) -> str:
    """Render the report as SARIF, indented, in ASCII."""
    log: _Object = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_RunBuilder(result, view).run()]}
    return as_json(log)


class _RunBuilder:
    """Builds the one run of a log; all untrusted text passes the redactor."""

    def __init__(self, result: Result, view: View) -> None:
        self._result = result
        self._view = view
        self._redactor = Redactor.of(result)
        self._wire = Wire(self._redactor)
        self._describer = Describer.of(result)

    def run(self) -> _Object:
        """Return the whole run."""
        result, source = self._result, self._result.source.value
        findings = listed_findings(result, show_suppressed=self._view.show_suppressed)
        return {
            "tool": {"driver": _driver()},
            "automationDetails": {"id": f"binance-leaks/{source}/"},
            "invocations": [self._invocation()],
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder that paths are relative to."}}},
            "results": [self._finding(finding) for finding in findings],
            "properties": {
                "source": source,
                "target": self._path(result.target),
                "complete": result.complete,
                "stats": statistics(result),
            },
        }

    def _invocation(self) -> _Object:
        end = self._view.moment
        start = end - timedelta(seconds=min(self._result.stats.seconds or 0, end.timestamp()))
        notifications = [self._notification(skipped, "error") for skipped in lost_items(self._result)]
        notifications += [self._notification(skipped, "note") for skipped in harmless_items(self._result)]
        return {
            "executionSuccessful": self._result.complete,
            "startTimeUtc": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "endTimeUtc": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "toolExecutionNotifications": notifications,
        }

    def _notification(self, skipped: Skipped, level: str) -> _Object:
        kind = "Not read" if level == "error" else capitalize_first(skipped_phrase(self._result))
        return {"level": level, "message": {"text": _escape_message(f"{kind}: {self._describer.skipped(skipped)}")}}

    def _finding(self, finding: Finding) -> _Object:
        rule = rule_of(finding)
        first, *others = sort_by_use(finding)
        made: _Object = {
            "ruleId": rule.id,
            "ruleIndex": RULES.index(rule),
            "level": _level(finding),
            "message": {"text": self._text(finding)},
            "locations": [self._location(first, finding.mark)],
            "partialFingerprints": {
                "binanceLeaksCredential/v1": printable(finding.id),
                "primaryLocationLineHash": f"{printable(finding.id)}:1",
            },
        }
        if finding.mark is not None:
            made["baselineState"] = _STATES[finding.mark]
        if finding.verification is not None:
            made["rank"] = priority(finding)
        if others:
            related = (self._location(location, finding.mark) for location in others[:_MAX_RELATED])
            made["relatedLocations"] = [{"id": number, **place} for number, place in enumerate(related, 1)]
        if self._view.show_suppressed:
            made["suppressions"] = self._suppressions(finding)
        return {**made, "properties": self._properties(finding)}

    def _text(self, finding: Finding) -> str:
        reasons = " ".join(self._describer.quoted.prose(reason) for reason in finding.risk.reasons)
        parts = [f"{title(finding)}: {join_masks(finding)}.", f"Risk {finding.risk.level.value}: {reasons}"]
        if finding.verification is not None:
            parts.insert(1, f"Verdict: {describe_verdict(finding.verification)}.")
        if any(location.pushed for location in finding.locations):
            parts.append(f"{capitalize_first(PUSHED)}.")
        return _escape_message(" ".join(part for part in (*parts, pass_reason(finding)) if part))

    def _location(self, location: Location, mark: Mark | None) -> _Object:
        shown_path = self._redactor.path(location.path) or "unnamed"
        file = file_to_open(location)
        name = self._redactor.path(path_in_fleet(location, location.path if file is None else file)) or "unnamed"
        artifact: _Object = {"uri": path_uri(name)}
        if not is_absolute(name):
            artifact["uriBaseId"] = _ROOT
        inside = file is None or is_in_archive(location)
        region = {"startLine": 1 if inside else location.line}
        if not inside:
            region["startColumn"] = location.column
        text = "; ".join((self._describer.position(location), *self._describer.provenance(location, mark)))
        made: _Object = {
            "physicalLocation": {"artifactLocation": artifact, "region": region},
            "message": {"text": _escape_message(text)},
            "properties": {name: held for name, held in self._wire.location(location).items() if held is not None},
        }
        if inside:
            made["logicalLocations"] = [_logical_location(location, encodable(shown_path))]
        return made

    def _properties(self, finding: Finding) -> _Object:
        made: _Object = {
            "id": printable(finding.id),
            "environment": finding.environment.value,
            "confidence": finding.confidence.value,
            "risk": finding.risk.level.value,
            "reasons": [self._prose(reason) for reason in finding.risk.reasons],
            "exposure": finding.exposure.value,
            "fails": finding.fails and finding.suppressed is None,
            "places": len(finding.locations),
            "values": [wire_value(value) for value in finding.values],
            "evidence": [self._prose(evidence) for evidence in finding.evidence],
        }
        if finding.repositories:
            made["repositories"] = [self._path(repository) for repository in finding.repositories]
        if finding.unlisted:
            made["unlisted"] = finding.unlisted
        if finding.verification is not None:
            made["verification"] = wire_verification(finding.verification, self._redactor)
        return made

    def _suppressions(self, finding: Finding) -> Sequence[Mapping[str, str]]:
        if finding.suppressed is None:
            return []
        kind = "inSource" if finding.suppressed.by is SuppressedBy.INLINE else "external"
        why = f"{finding.suppressed.by.value}: {self._prose(finding.suppressed.reason)}"
        return [{"kind": kind, "status": "accepted", "justification": why}]

    def _path(self, text: str) -> str:
        return encodable(self._redactor.path(text))

    def _prose(self, text: str) -> str:
        return encodable(self._redactor.prose(text))


def _driver() -> _Object:
    return {
        "name": "binance-leaks",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in RULES],
    }


def _rule(rule: Rule) -> _Object:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.description},
        "help": {"text": rule.help(markdown=False), "markdown": rule.help(markdown=True)},
        "helpUri": CWE_PAGE if rule.play_money else KEY_PAGE,
        "defaultConfiguration": {"level": "warning" if float(rule.score) < 4 else "error"},
        "properties": {
            "security-severity": rule.score,
            "precision": "high",
            "tags": ["security", "secret", "binance", f"external/cwe/{CWE.lower()}"],
        },
    }


def _level(finding: Finding) -> str:
    severe = finding.risk.level >= RiskLevel.MEDIUM
    if finding.suppressed is not None:
        return "note"
    if finding.fails:
        return "error" if severe else "warning"
    return "warning" if severe else "note"


def _logical_location(location: Location, path: str) -> _Object:
    """Describe a location that is not a file: a member of an archive, a message, an object, standard input."""
    if location.exposure is Exposure.MESSAGE:
        commit = f"commit {printable(location.commit.id)}: " if location.commit is not None else ""
        return {"name": path, "fullyQualifiedName": f"{commit}{path}", "kind": "message"}
    kind = "member" if is_in_archive(location) else "object" if path.startswith("blob:") else "stream"
    return {"name": path, "fullyQualifiedName": path, "kind": kind}


def _escape_message(text: str) -> str:
    """Escape links and placeholders, which SARIF reads from `[…](…)` and `{0}` (section 3.11)."""
    return text.replace("[", "\\[").replace("]", "\\]").replace("{", "{{").replace("}", "}}")
