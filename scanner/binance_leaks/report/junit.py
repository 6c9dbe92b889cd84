"""The `junit` format: each finding a test case, in the dialect of Ant's JUnit task, which all CI systems read.

What fails the gate is a failure; what passes it, or is suppressed and shown, is skipped, with the reason. One more test
case says whether everything was read, an error if not: so there is always one, and a clean scan has one that passed.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from binance_leaks.findings import Finding, Result
from binance_leaks.report import View
from binance_leaks.report.locations import by_use, repository_of, spread
from binance_leaks.report.names import MARK_NAMES, left_out, masked, passes_because, shown, title, unread
from binance_leaks.report.prose import Telling
from binance_leaks.report.rules import rule_of
from binance_leaks.report.sanitize import printable
from binance_leaks.report.summary import nothing_found, scanned
from binance_leaks.report.verification_text import counts

_SUITE = "binance-leaks"


def render_junit(result: Result, view: View) -> str:
    """The report as XML, in ASCII."""
    report = _Report(result)
    findings = shown(result, show_suppressed=view.show_suppressed)
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
    """Draws one result as test cases; all text is printable, which XML's characters are a part of."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._telling = Telling.of(result)

    def whole(self, seconds: str) -> ET.Element:
        """The case that says whether everything was read."""
        case = _case("everything was read", f"{_SUITE}.scan", seconds)
        if lost := unread(self._result):
            error = ET.SubElement(case, "error", {"message": f"{len(lost):,} not read", "type": "incomplete"})
            error.text = "\n".join(map(self._telling.skipped, lost))
        return case

    def case(self, finding: Finding) -> ET.Element:
        """One finding."""
        rule = rule_of(finding).id
        place, tell = by_use(finding)[0], self._telling
        # no line in it: the name is to outlive a moved one
        path = repository_of(place, tell.quoted.path) + tell.quoted.path(place.path)
        case = _case(f"{title(finding)}, {printable(finding.id[:12])}, in {path}", f"{_SUITE}.{rule}", "0")
        mark = f"{MARK_NAMES[finding.mark]}, " if finding.mark is not None else ""
        heading = f"{mark}{finding.risk.level.value}: {masked(finding)}"
        if _fails(finding):
            failure = ET.SubElement(case, "failure", {"message": heading, "type": rule})
            failure.text = self._told(finding)
        else:
            skipped = ET.SubElement(case, "skipped", {"message": f"{passes_because(finding)} {heading}"})
            skipped.text = self._told(finding)
        return case

    def summary(self) -> str:
        """How much was scanned, and what was skipped without loss."""
        result = self._result
        lines = [scanned(result) if result.findings else nothing_found(result)]
        lines += [spread(result), counts(result.findings)] if result.findings else []
        lines += [f"Skipped, nothing lost: {self._telling.skipped(skipped)}" for skipped in left_out(result)]
        return "\n".join(line for line in lines if line)

    def _told(self, finding: Finding) -> str:
        tell = self._telling
        suppressed = f"Reason: {tell.quoted.prose(finding.suppressed.reason)}" if finding.suppressed is not None else ""
        confidence = f"{finding.confidence.value} confidence"
        lines = (
            f"{title(finding)}, {confidence}: {masked(finding)}",
            suppressed,
            *tell.verdict(finding),
            tell.why(finding),
        )
        told = (*lines, tell.evidence(finding), *tell.places(finding))
        return "\n".join(line for line in told if line)


def _case(name: str, classname: str, seconds: str) -> ET.Element:
    return ET.Element("testcase", {"name": name, "classname": classname, "time": seconds})


def _fails(finding: Finding) -> bool:
    return finding.fails and finding.suppressed is None
