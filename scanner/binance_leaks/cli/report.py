"""`binance-leaks report`: a stored JSON report, rendered again in any format."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.output import present, wanted_formats
from binance_leaks.config import FailOn
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Finding, Result
from binance_leaks.report.stored import read_report


def run(options: Options) -> ExitStatus:
    """Reads the report and shows it; the exit status is that of the scan which wrote it, or of `--fail-on`."""
    formats = wanted_formats(options)
    name = "on standard input" if options.report == "-" else options.report
    result = read_report(_read(options.report), name)
    if options.fail_on:
        result = _judged(result, FailOn.named(options.fail_on))
    return present(result, options, formats)


def _read(name: str) -> bytes:
    if not name:
        raise UsageError("no such report: the name is empty", hint="Is a variable unset?")
    if name == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a valid file name"
        raise UsageError(f"report {name} cannot be read: {why}") from None


def _judged(result: Result, fail_on: FailOn) -> Result:
    """The same findings before another gate."""

    def judged(finding: Finding) -> Finding:
        return replace(finding, fails=finding.is_new and fail_on.fails(finding.environment, finding.risk.level))

    return replace(result, findings=tuple(map(judged, result.findings)))
