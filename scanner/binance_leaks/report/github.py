"""The `github` format: workflow commands that GitHub Actions shows as annotations, and a summary line.

An `error` for each finding that fails the gate, a `warning` for one that passes, a `notice` for a suppressed one if
those are shown, an `error` for an incomplete scan. GitHub shows ten of a level per step: the most severe come first,
and the last one counts the others. Escaping follows GitHub's documentation: `%`, CR and LF everywhere, `:` and `,` in
properties too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from binance_leaks.findings import Finding, Mark, Result
from binance_leaks.quantities import plural
from binance_leaks.report import View
from binance_leaks.report.allow_commands import allow_command, false_alarm
from binance_leaks.report.allow_notes import allow_notes
from binance_leaks.report.locations import describe_spread, file_to_open, is_in_archive, path_in_fleet, sort_by_use
from binance_leaks.report.names import (
    MARK_NAMES,
    harmless_items,
    join_masks,
    lost_items,
    pass_reason,
    skipped_phrase,
    title,
)
from binance_leaks.report.prose import Describer
from binance_leaks.report.summary import (
    count_suppressed,
    describe_changes,
    describe_clean,
    describe_gate,
    describe_incomplete,
)
from binance_leaks.report.verification_text import count_verdicts

_MAX_ANNOTATIONS = 10
_MAX_UNREAD = 20


def render_github(result: Result, view: View) -> str:
    """Render workflow commands, one per line, for a step's standard output."""
    report = _Report(result)
    failing = [report.annotation("error", finding) for finding in result.findings if finding.fails]
    passing = [report.annotation("warning", finding) for finding in result.findings if not finding.fails]
    hidden = result.suppressed if view.show_suppressed else ()
    notices = [report.annotation("notice", finding) for finding in hidden]
    lines = (
        *report.incomplete(),
        *_limit("error", failing, _MAX_ANNOTATIONS - (not result.complete)),
        *_limit("warning", passing, _MAX_ANNOTATIONS),
        *_limit("notice", notices, _MAX_ANNOTATIONS),
        report.summary(listed=view.show_suppressed),
    )
    return "".join(f"{line}\n" for line in lines)


def render_failure(message: str, hint: str) -> str:
    """Render an annotation for a scan that failed."""
    return _command("error", [("title", "Not scanned for Binance credentials")], f"{message}\n{hint}".rstrip()) + "\n"


class _Report:
    """Renders one result as commands."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._describer = Describer.of(result)

    def annotation(self, level: str, finding: Finding) -> str:
        """Return the annotation of a finding, at its most useful location."""
        place, describe = sort_by_use(finding)[0], self._describer
        properties: list[tuple[str, object]] = []
        if (file := file_to_open(place)) is not None:
            properties.append(("file", describe.quoted.path(path_in_fleet(place, file))))
            if not is_in_archive(place):
                properties += [("line", place.line), ("col", place.column)]
        mark = f"{MARK_NAMES[finding.mark]}: " if finding.mark is not None else ""
        heading = f"{finding.risk.level.value.upper()} {mark}{title(finding)}"
        suppressed = finding.suppressed
        message = (
            f"{join_masks(finding)} ({finding.confidence.value} confidence)",
            pass_reason(finding) + (f" {describe.quoted.prose(suppressed.reason)}" if suppressed is not None else ""),
            *describe.verification(finding),
            *describe.locations(finding),
            *allow_notes(finding, describe.quoted),
            describe.risk(finding),
            describe.evidence(finding),
            _advice(finding),
            f"{false_alarm(self._result)}{allow_command(finding, self._result.source)}" if suppressed is None else "",
        )
        return _command(level, (*properties, ("title", heading)), "\n".join(part for part in message if part))

    def incomplete(self) -> Iterable[str]:
        """Return one annotation for everything that was not read."""
        lost = lost_items(self._result)
        if lost:
            lines = [self._describer.skipped(skipped) for skipped in lost[:_MAX_UNREAD]]
            if len(lost) > len(lines):
                lines.append(f"and {len(lost) - len(lines):,} more")
            yield _command("error", [("title", describe_incomplete(lost))], "\n".join(lines))

    def summary(self, *, listed: bool) -> str:
        """Return a summary line for the log."""
        result = self._result
        failing = sum(finding.fails for finding in result.findings)
        if result.findings:
            line = f"{plural(len(result.findings), 'credential')}; {describe_gate(failing)}."
            for sentence in (describe_spread(result), describe_changes(result)):
                line += f" {sentence}" if sentence else ""
            if verified := count_verdicts(result.findings):
                line += f" {verified}"
        else:
            line = describe_clean(result)
        if result.suppressed:
            line += f" {f'{len(result.suppressed):,} suppressed' if listed else count_suppressed(result)}."
        if harmless := harmless_items(result):
            line += f" {len(harmless):,} {skipped_phrase(result)}."
        return line if result.complete else f"{line} The scan is incomplete."


def _advice(finding: Finding) -> str:
    """Return what to do first, unless it is suppressed."""
    if finding.suppressed is not None:
        return ""
    if finding.mark is Mark.GONE:
        return "Revoke it unless that was done: what was pushed stays leaked."
    if finding.verification is not None and finding.verification.is_gone:
        return "Check that it is really revoked, and remove it."
    return "Revoke it first: what was pushed stays leaked, even if it is removed later."


def _limit(level: str, commands: Sequence[str], most: int) -> Sequence[str]:
    """Return as many as GitHub shows, the last one a count if there are more."""
    if len(commands) <= most:
        return commands
    kept = commands[: most - 1]
    more = f"{len(commands) - len(kept):,} more credentials, not shown here: see the summary or another report"
    return [*kept, _command(level, [("title", "More Binance credentials")], more)]


def _command(level: str, properties: Iterable[tuple[str, object]], message: str) -> str:
    joined = ",".join(f"{name}={_escape_property(str(value))}" for name, value in properties)
    return f"::{level} {joined}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
