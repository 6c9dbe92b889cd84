"""The commands and comments that allow a false alarm."""

from __future__ import annotations

from collections.abc import Sequence

from binance_leaks.findings import Finding, Result, SourceKind
from binance_leaks.report import View

ALLOW = "binance-leaks: allow"
ALLOW_NEXT_LINE = f"{ALLOW} next line"
ALLOW_COMMENT = f"# {ALLOW}"
SHORT_ID = 8
"""Digits of an id that are shown: enough for those of one scan."""
_REASON = '--reason "WHY"'
_MOST = 3
_MANY_PROJECTS = (SourceKind.FLEET, SourceKind.MACHINE)


def false_alarm(result: Result) -> str:
    """Return what precedes the command that allows a false alarm."""
    return f"False alarm? {'In a change that is merged first: ' if result.base_policy else ''}"


def allow_command(finding: Finding, source: SourceKind, program: str = "binance-leaks") -> str:
    """Return the command that allows a finding by its digests, on any machine with its project."""
    digests = " ".join(sorted(value.sha256 for value in finding.values))
    config = {SourceKind.FLEET: " --config FILE", SourceKind.MACHINE: " --config ~/.binance-leaks.toml"}.get(source, "")
    return f"{program} allow {digests}{config} {_REASON}"


def allow_commands(findings: Sequence[Finding], source: SourceKind, view: View) -> list[str]:
    """Return the commands that allow the first findings, the shortest that work where the reader is."""
    findings = [finding for finding in findings if finding.fails] or findings
    if not view.remembered:
        return [allow_command(finding, source) for finding in findings[: 1 if source in _MANY_PROJECTS else _MOST]]
    if len(findings) == 1:
        return [f"{view.program} allow --last {_REASON}"]
    return [f"{view.program} allow {findings[0].id[:SHORT_ID]} {_REASON}"]
