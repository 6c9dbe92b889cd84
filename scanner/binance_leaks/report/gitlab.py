"""The `gitlab` format: a secret detection report (`gl-secret-detection-report.json`), schema 15.0.7 of GitLab's.

That version is taken by every GitLab since 16. Two findings in one place that share an identifier become one in GitLab,
so that the only identifier beside the CWE, which does not count there, is the credential's own.
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
from binance_leaks.report.locations import by_use, file_of, in_store, is_inside, path_in_fleet
from binance_leaks.report.names import MARK_NAMES, REST, exposed, left_out, masks, passes_because, shown, title, unread
from binance_leaks.report.prose import Telling
from binance_leaks.report.rules import CWE, CWE_PAGE, rule_of
from binance_leaks.report.sanitize import Redactor, code_span, encodable, markdown_sentences, markdown_text, printable
from binance_leaks.report.verification_text import verdict

_VERSION = "15.0.7"
_SCHEMA = (
    "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/"
    f"v{_VERSION}/dist/secret-detection-report-format.json"
)
_NAMESPACE = UUID("8c8fa7c4-1b1e-5b0e-9a3e-5d1b6c1f0a77")  # of ids; any will do that never changes
_NO_COMMIT = "0000000"  # what GitLab's own analyzer writes for files outside of commits
_LONGEST_SOLUTION = 7000
_SEVERITY: Mapping[RiskLevel, str] = MappingProxyType({level: level.value.capitalize() for level in RiskLevel})
_Object = dict[str, object]


def render_gitlab(result: Result, view: View) -> str:
    """The report as GitLab's JSON, indented, in ASCII."""
    report = _Report(result)
    findings = shown(result, show_suppressed=view.show_suppressed)
    made: _Object = {
        "version": _VERSION,
        "schema": _SCHEMA,
        "scan": report.scan(view.moment),
        "vulnerabilities": [report.vulnerability(finding) for finding in findings],
    }
    return as_json(made)


class _Report:
    """Builds the parts of one report; whatever a repository wrote passes the redactor."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._redactor = Redactor.of(result)
        self._telling = Telling.of(result)
        advice = steps(result) if result.findings else []
        told = ("\n    ".join((step.told(self._named), *step.verbatim)) for step in advice)
        lines = (f"{number}. {one}" for number, one in enumerate(told, 1))
        self._solution = "\n".join(lines)[:_LONGEST_SOLUTION]

    def scan(self, end: datetime) -> _Object:
        """Who scanned, when, and what was not read."""
        seconds = min(self._result.stats.seconds or 0, end.timestamp())
        tool = {
            "id": "binance-leaks",
            "name": "binance-leaks",
            "version": __version__,
            "vendor": {"name": "binance-leaks"},
        }
        messages = [self._message(skipped, "fatal" if skipped == REST else "warn") for skipped in unread(self._result)]
        messages += [self._message(skipped, "info") for skipped in left_out(self._result)]
        return {
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "start_time": _time(end - timedelta(seconds=seconds)),
            "end_time": _time(end),
            "status": "success" if self._result.complete else "failure",
            "messages": messages,
        }

    def vulnerability(self, finding: Finding) -> _Object:
        """One finding, at the most useful of its places; all others are told in the description."""
        place = by_use(finding)[0]
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
            why = f"{passes_because(finding)} {self._telling.quoted.prose(finding.suppressed.reason)}".strip()
            flag = {"type": "flagged-as-likely-false-positive", "origin": "binance-leaks", "description": why}
            made["flags"] = [flag]
        return made

    def _description(self, finding: Finding) -> str:
        tell = self._telling
        shown_values = ", ".join(f"{name} {code_span(mask)}" for name, mask in masks(finding))
        reasons = " ".join(markdown_text(tell.quoted.prose(reason)) for reason in finding.risk.reasons)
        evidence = "; ".join(markdown_text(tell.quoted.prose(evidence)) for evidence in finding.evidence)
        parts = (
            f"{title(finding)}: {shown_values}, {finding.confidence.value} confidence.",
            "\n".join(f"- {markdown_sentences(line)}" for line in tell.verdict(finding)),
            f"Why {finding.risk.level.value}: {reasons}",
            f"Evidence: {evidence}" if evidence else "",
            passes_because(finding),
            "\n".join(f"- {place}" for place in tell.places(finding, most=20, marked=True)),
        )
        return "\n\n".join(part for part in parts if part)

    def _location(self, place: Location) -> _Object:
        path = path_in_fleet(place, file_of(place) or place.path or "unnamed")
        line = 1 if is_inside(place) else place.line
        made: _Object = {"file": self._path(path), "start_line": line, "end_line": line}
        commit = place.commit
        if commit is None:
            return {**made, "commit": {"sha": _NO_COMMIT}}
        told = {
            "sha": printable(commit.id) or _NO_COMMIT,
            "author": self._telling.quoted.prose(commit.author),
            "date": self._telling.quoted.path(commit.date),
            "message": self._telling.quoted.prose(commit.subject),
        }
        return {**made, "commit": told}

    def _details(self, finding: Finding) -> _Object:
        told = {
            "environment": ("Environment", finding.environment.facts.title),
            "confidence": ("Confidence", finding.confidence.value),
            "exposure": ("Exposure", exposed(finding.exposure, finding.mark)),
            "pushed": ("A remote has it", "yes" if any(place.pushed for place in finding.locations) else "not known"),
            "gate": ("Gate", passes_because(finding) or "Fails."),
        }
        if finding.verification is not None:
            told["verdict"] = ("Verdict", verdict(finding.verification))
        if finding.repositories:
            told["repositories"] = ("Repositories that hold it", f"{len(finding.repositories):,}")
        if finding.mark is not None:
            told["mark"] = ("Since the run before", MARK_NAMES[finding.mark])
        if finding.unlisted:
            told["unlisted"] = ("Not listed", in_store(finding.unlisted))
        return {key: {"name": name, "type": "text", "value": value} for key, (name, value) in told.items()}

    def _message(self, skipped: Skipped, level: str) -> _Object:
        return {"level": level, "value": self._telling.skipped(skipped)}

    def _named(self, name: str) -> str:
        return code_span(self._telling.quoted.path(name))

    def _path(self, text: str) -> str:
        return encodable(self._redactor.path(text))


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
