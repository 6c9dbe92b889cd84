"""The `junit` format: a test case per finding, in the dialect of Ant's JUnit task, which all CI systems read.

A finding that fails the gate is a failure; one that passes, or is suppressed and shown, is skipped, with the reason.
One more test case says whether everything was read, and is an error if not: a clean scan has this one test, which
passed.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from binance_leaks.findings import Finding, Result
from binance_leaks.report import View
from binance_leaks.report.locations import describe_spread, repository_prefix, sort_by_use
from binance_leaks.report.names import (
    MARK_NAMES,
    capitalize_first,
    harmless_items,
    join_masks,
    listed_findings,
    lost_items,
    pass_reason,
    skipped_phrase,
    title,
)
from binance_leaks.report.prose import Describer
from binance_leaks.report.rules import rule_of
from binance_leaks.report.sanitize import printable
from binance_leaks.report.summary import describe_clean, describe_incomplete, describe_scope
from binance_leaks.report.verification_text import count_verdicts

_SUITE = "binance-leaks"


def render_junit(result: Result, view: View) -> str:
    """Render the report as XML, in ASCII."""
    report = _Report(result)
    findings = listed_findings(result, show_suppressed=view.show_suppressed)
    failures = sum(_fails(finding) for finding in findings)
    seconds = f"{result.stats.seconds or 0:.3f}"
    root = ET.Element("testsuites")
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _SUITE,
            "package": _SUITE,
            "id": "0",
            "timestamp": view.moment.strftime("%Y-%m-%dT%H:%M:%S"),
            "hostname": "localhost",
            "tests": str(len(findings) + 1),
            "failures": str(failures),
            "errors": "0" if result.complete else "1",
            "skipped": str(len(findings) - failures),
            "time": seconds,
        },
    )
    ET.SubElement(suite, "properties")
    suite.append(report.whole(seconds))
    suite.extend(report.case(finding) for finding in findings)
    ET.SubElement(suite, "system-out").text = report.summary()
    ET.SubElement(suite, "system-err").text = ""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root).decode("ascii")}\n'


class _Report:
    """Renders one result as test cases; all text is printable, and so valid in XML."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._describer = Describer.of(result)

    def whole(self, seconds: str) -> ET.Element:
        """Return the case that says whether everything was read."""
        case = _case("everything was read", f"{_SUITE}.scan", seconds)
        if lost := lost_items(self._result):
            error = ET.SubElement(case, "error", {"message": describe_incomplete(lost), "type": "incomplete"})
            error.text = "\n".join(map(self._describer.skipped, lost))
        return case

    def case(self, finding: Finding) -> ET.Element:
        """Return the case of a finding."""
        rule = rule_of(finding).id
        place, describe = sort_by_use(finding)[0], self._describer
        # without the line, so that the name stays the same when the line moves
        path = repository_prefix(place, describe.quoted.path) + describe.quoted.path(place.path)
        case = _case(f"{title(finding)}, {printable(finding.id[:12])}, in {path}", f"{_SUITE}.{rule}", "0")
        mark = f"{MARK_NAMES[finding.mark]}, " if finding.mark is not None else ""
        heading = f"{mark}{finding.risk.level.value}: {join_masks(finding)}"
        if _fails(finding):
            failure = ET.SubElement(case, "failure", {"message": heading, "type": rule})
            failure.text = self._describe(finding)
        else:
            skipped = ET.SubElement(case, "skipped", {"message": f"{pass_reason(finding)} {heading}"})
            skipped.text = self._describe(finding)
        return case

    def summary(self) -> str:
        """Describe how much was scanned, and what was skipped without loss."""
        result = self._result
        lines = [describe_scope(result) if result.findings else describe_clean(result)]
        lines += [describe_spread(result), count_verdicts(result.findings)] if result.findings else []
        phrase = capitalize_first(skipped_phrase(result))
        lines += [f"{phrase}: {self._describer.skipped(skipped)}" for skipped in harmless_items(result)]
        return "\n".join(line for line in lines if line)

    def _describe(self, finding: Finding) -> str:
        describe = self._describer
        suppressed = (
            f"Reason: {describe.quoted.prose(finding.suppressed.reason)}" if finding.suppressed is not None else ""
        )
        confidence = f"{finding.confidence.value} confidence"
        lines = (
            f"{title(finding)}, {confidence}: {join_masks(finding)}",
            suppressed,
            *describe.verification(finding),
            describe.risk(finding),
        )
        described = (*lines, describe.evidence(finding), *describe.locations(finding))
        return "\n".join(line for line in described if line)


def _case(name: str, classname: str, seconds: str) -> ET.Element:
    return ET.Element("testcase", {"name": name, "classname": classname, "time": seconds})


def _fails(finding: Finding) -> bool:
    return finding.fails and finding.suppressed is None
