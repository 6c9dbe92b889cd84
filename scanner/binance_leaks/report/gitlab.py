"""The `gitlab` format: a secret detection report (`gl-secret-detection-report.json`), GitLab's schema 15.0.7.

Every GitLab since 16 accepts that version. GitLab merges two findings at one location that share an identifier, so the
only identifier besides the CWE, which GitLab ignores there, is the credential's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID, uuid5

from binance_leaks import __version__
from binance_leaks.findings import Finding, Result, Skipped
from binance_leaks.model import Location, RiskLevel
from binance_leaks.report import View
from binance_leaks.report.advice import steps
from binance_leaks.report.json import as_json
from binance_leaks.report.locations import describe_unlisted, file_to_open, is_in_archive, path_in_fleet, sort_by_use
from binance_leaks.report.names import (
    MARK_NAMES,
    REST,
    exposure_name,
    harmless_items,
    listed_findings,
    lost_items,
    named_masks,
    pass_reason,
    title,
)
from binance_leaks.report.prose import Describer
from binance_leaks.report.rules import CWE, CWE_PAGE, rule_of
from binance_leaks.report.sanitize import Redactor, code_span, encodable, markdown_sentences, markdown_text, printable
from binance_leaks.report.verification_text import describe_verdict

_VERSION = "15.0.7"
_SCHEMA = (
    "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/"
    f"v{_VERSION}/dist/secret-detection-report-format.json"
)
_NAMESPACE = UUID("8c8fa7c4-1b1e-5b0e-9a3e-5d1b6c1f0a77")  # of ids; arbitrary, but must never change
_NO_COMMIT = "0000000"  # as GitLab's own analyzer writes for files outside of commits
_MAX_SOLUTION = 7000
_SEVERITY: Mapping[RiskLevel, str] = MappingProxyType({level: level.value.capitalize() for level in RiskLevel})
_Object = dict[str, object]


def render_gitlab(result: Result, view: View) -> str:
    """Render the report as GitLab's JSON, indented, in ASCII."""
    report = _Report(result)
    findings = listed_findings(result, show_suppressed=view.show_suppressed)
    made: _Object = {
        "version": _VERSION,
        "schema": _SCHEMA,
        "scan": report.scan(view.moment),
        "vulnerabilities": [report.vulnerability(finding) for finding in findings],
    }
    return as_json(made)


class _Report:
    """Builds the parts of one report; all untrusted text passes the redactor."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._redactor = Redactor.of(result)
        self._describer = Describer.of(result)
        advice = steps(result) if result.findings else []
        steps_text = ("\n    ".join((step.describe(self._named), *step.verbatim)) for step in advice)
        lines = (f"{number}. {one}" for number, one in enumerate(steps_text, 1))
        self._solution = "\n".join(lines)[:_MAX_SOLUTION]

    def scan(self, end: datetime) -> _Object:
        """Return which tool scanned, when, and what was not read."""
        seconds = min(self._result.stats.seconds or 0, end.timestamp())
        tool = {
            "id": "binance-leaks",
            "name": "binance-leaks",
            "version": __version__,
            "vendor": {"name": "binance-leaks"},
        }
        messages = [
            self._message(skipped, "fatal" if skipped == REST else "warn") for skipped in lost_items(self._result)
        ]
        messages += [self._message(skipped, "info") for skipped in harmless_items(self._result)]
        return {
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "start_time": _format_time(end - timedelta(seconds=seconds)),
            "end_time": _format_time(end),
            "status": "success" if self._result.complete else "failure",
            "messages": messages,
        }

    def vulnerability(self, finding: Finding) -> _Object:
        """Return one finding, at its most useful location; the description lists the others."""
        place = sort_by_use(finding)[0]
        made: _Object = {
            "id": str(uuid5(_NAMESPACE, finding.id)),
            "name": rule_of(finding).title,
            "description": self._description(finding),
            "severity": _SEVERITY[finding.risk.level],
            "solution": self._solution,
            "identifiers": [
                {
                    "type": "binance_leaks_credential",
                    "name": f"Binance credential {printable(finding.id)}",
                    "value": printable(finding.id),
                },
                {"type": "cwe", "name": CWE, "value": CWE.removeprefix("CWE-"), "url": CWE_PAGE},
            ],
            "location": self._location(place),
            "details": self._details(finding),
        }
        if not made["solution"]:
            del made["solution"]
        if finding.suppressed is not None:
            why = f"{pass_reason(finding)} {self._describer.quoted.prose(finding.suppressed.reason)}".strip()
            flag = {"type": "flagged-as-likely-false-positive", "origin": "binance-leaks", "description": why}
            made["flags"] = [flag]
        return made

    def _description(self, finding: Finding) -> str:
        describe = self._describer
        shown_values = ", ".join(f"{name} {code_span(mask)}" for name, mask in named_masks(finding))
        reasons = " ".join(markdown_text(describe.quoted.prose(reason)) for reason in finding.risk.reasons)
        evidence = "; ".join(markdown_text(describe.quoted.prose(evidence)) for evidence in finding.evidence)
        parts = (
            f"{title(finding)}: {shown_values}, {finding.confidence.value} confidence.",
            "\n".join(f"- {markdown_sentences(line)}" for line in describe.verification(finding)),
            f"Why {finding.risk.level.value}: {reasons}",
            f"Evidence: {evidence}" if evidence else "",
            pass_reason(finding),
            "\n".join(f"- {place}" for place in describe.locations(finding, most=20, markdown=True)),
        )
        return "\n\n".join(part for part in parts if part)

    def _location(self, place: Location) -> _Object:
        path = path_in_fleet(place, file_to_open(place) or place.path or "unnamed")
        line = 1 if is_in_archive(place) else place.line
        made: _Object = {"file": self._path(path), "start_line": line, "end_line": line}
        commit = place.commit
        if commit is None:
            return {**made, "commit": {"sha": _NO_COMMIT}}
        described = {
            "sha": printable(commit.id) or _NO_COMMIT,
            "author": self._describer.quoted.prose(commit.author),
            "date": self._describer.quoted.path(commit.date),
            "message": self._describer.quoted.prose(commit.subject),
        }
        return {**made, "commit": described}

    def _details(self, finding: Finding) -> _Object:
        details = {
            "environment": ("Environment", finding.environment.facts.title),
            "confidence": ("Confidence", finding.confidence.value),
            "exposure": ("Exposure", exposure_name(finding.exposure, finding.mark)),
            "pushed": ("Pushed", "yes" if any(place.pushed for place in finding.locations) else "unknown"),
            "gate": ("Gate", pass_reason(finding) or "Fails the gate."),
        }
        if finding.verification is not None:
            details["verdict"] = ("Verdict", describe_verdict(finding.verification))
        if finding.repositories:
            details["repositories"] = ("Repositories with it", f"{len(finding.repositories):,}")
        if finding.mark is not None:
            details["mark"] = ("Since the previous run", MARK_NAMES[finding.mark])
        if finding.unlisted:
            details["unlisted"] = ("Not listed", describe_unlisted(finding.unlisted))
        return {key: {"name": name, "type": "text", "value": value} for key, (name, value) in details.items()}

    def _message(self, skipped: Skipped, level: str) -> _Object:
        return {"level": level, "value": self._describer.skipped(skipped)}

    def _named(self, name: str) -> str:
        return code_span(self._describer.quoted.path(name))

    def _path(self, text: str) -> str:
        return encodable(self._redactor.path(text))


def _format_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
