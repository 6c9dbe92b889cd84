"""`binance-leaks report`: a stored JSON report, rendered again in any format."""

from __future__ import annotations

import sys

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.output import present, wanted_formats
from binance_leaks.cli.settings import CommandSettings
from binance_leaks.config import FailOn
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Finding, Result
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.reading import LARGEST_REPORT, read_file, read_limited
from binance_leaks.report.stored import read_report


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportSettings(CommandSettings):
    """`report`."""

    report: str


def run(options: Options) -> ExitStatus:
    """Read a report and render it.

    The exit status is that of the scan which wrote it, or of `--fail-on`.
    """
    settings = ReportSettings.of(options)
    formats = wanted_formats(settings.output)
    name = "on standard input" if settings.report == "-" else settings.report
    result = read_report(_read(settings.report), name)
    if settings.gate.fail_on:
        result = _with_gate(result, FailOn.named(settings.gate.fail_on))
    return present(result, settings.output, formats)


def _read(name: str) -> bytes:
    if not name:
        raise UsageError("no such report: the name is empty", hint="Is a variable unset?")
    if name == "-" and sys.stdin is None:
        raise UsageError("standard input is closed")
    try:
        if name == "-":
            return read_limited(sys.stdin.buffer, LARGEST_REPORT, name)
        return read_file(name, LARGEST_REPORT)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a valid file name"
        raise UsageError(f"report {name} cannot be read: {why}") from None


def _with_gate(result: Result, fail_on: FailOn) -> Result:
    """Judge the findings by another gate."""

    def judge(finding: Finding) -> Finding:
        return replace(finding, fails=finding.is_new and fail_on.fails(finding.environment, finding.risk.level))

    return replace(result, findings=tuple(map(judge, result.findings)))
