"""The `github` format: workflow commands that GitHub Actions turns into annotations, and a line that sums up.

An `error` for each finding that fails, a `warning` for one that passes, a `notice` for a suppressed one if those are
shown, an `error` for a scan that is incomplete. GitHub shows ten of a level a step: the gravest come first, and the
last says how many are left out. Escaping is that of GitHub's documentation: `%`, CR and LF everywhere, `:` and `,` in
properties as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from binance_leaks.findings import Finding, Mark, Result
from binance_leaks.report import View
from binance_leaks.report.locations import by_use, file_of, is_inside, path_in_fleet, spread
from binance_leaks.report.names import MARK_NAMES, left_out, masked, passes_because, title, unread
from binance_leaks.report.prose import Telling
from binance_leaks.report.summary import nothing_found, plural, since_before, suppressed_count
from binance_leaks.report.verification_text import GONE, counts

_MOST_SHOWN = 10
_MOST_UNREAD = 20


def render_github(result: Result, view: View) -> str:
    """Workflow commands, one a line, for a step's standard output."""
    report = _Report(result)
    failing = [report.annotation("error", finding) for finding in result.findings if finding.fails]
    passing = [report.annotation("warning", finding) for finding in result.findings if not finding.fails]
    hidden = result.suppressed if view.show_suppressed else ()
    notices = [report.annotation("notice", finding) for finding in hidden]
    lines = (
        *report.incomplete(),
        *_bounded("error", failing, _MOST_SHOWN - (not result.complete)),
        *_bounded("warning", passing, _MOST_SHOWN),
        *_bounded("notice", notices, _MOST_SHOWN),
        report.summary(listed=view.show_suppressed),
    )
    return "".join(f"{line}\n" for line in lines)


def failure(message: str, hint: str) -> str:
    """An annotation for a scan that could not be done."""
    return _command("error", [("title", "Not scanned for Binance credentials")], f"{message}\n{hint}".rstrip()) + "\n"


class _Report:
    """Draws one result as commands."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._telling = Telling.of(result)

    def annotation(self, level: str, finding: Finding) -> str:
        """One finding, at the most useful of its places."""
        place, tell = by_use(finding)[0], self._telling
        properties: list[tuple[str, object]] = []
        if (file := file_of(place)) is not None:
            properties.append(("file", tell.quoted.path(path_in_fleet(place, file))))
            if not is_inside(place):
                properties += [("line", place.line), ("col", place.column)]
        mark = f"{MARK_NAMES[finding.mark]}: " if finding.mark is not None else ""
        heading = f"{finding.risk.level.value.upper()} {mark}{title(finding)}"
        suppressed = finding.suppressed
        message = (
            f"{masked(finding)} ({finding.confidence.value} confidence)",
            passes_because(finding) + (f" {tell.quoted.prose(suppressed.reason)}" if suppressed is not None else ""),
            *tell.verdict(finding),
            *tell.places(finding),
            tell.why(finding),
            tell.evidence(finding),
            _advice(finding),
        )
        return _command(level, (*properties, ("title", heading)), "\n".join(part for part in message if part))

    def incomplete(self) -> Iterable[str]:
        """One annotation for all that was not read."""
        lost = unread(self._result)
        if lost:
            told = [self._telling.skipped(skipped) for skipped in lost[:_MOST_UNREAD]]
            if len(lost) > len(told):
                told.append(f"and {len(lost) - len(told):,} more")
            heading = f"The scan is incomplete: {len(lost):,} not read"
            yield _command("error", [("title", heading)], "\n".join(told))

    def summary(self, *, listed: bool) -> str:
        """A line in our own words, for the log."""
        result = self._result
        failing = sum(finding.fails for finding in result.findings)
        if result.findings:
            line = f"{plural(len(result.findings), 'credential')}, {failing:,} failing."
            for told in (spread(result), since_before(result)):
                line += f" {told}" if told else ""
            if verified := counts(result.findings):
                line += f" {verified}"
        else:
            line = nothing_found(result)
        if result.suppressed:
            line += f" {f'{len(result.suppressed):,} suppressed' if listed else suppressed_count(result)}."
        if harmless := left_out(result):
            line += f" {len(harmless):,} skipped, nothing lost."
        return line if result.complete else f"{line} The scan is incomplete."


def _advice(finding: Finding) -> str:
    """What to do first, unless it does not count."""
    if finding.suppressed is not None:
        return ""
    if finding.mark is Mark.GONE:
        return "Revoke it if nobody did: what was pushed stays leaked."
    if finding.verification is not None and finding.verification.verdict in GONE:
        return "Check that it is really gone, and remove it."
    return "Revoke it first: what was pushed stays leaked, whatever is removed later."


def _bounded(level: str, commands: Sequence[str], most: int) -> Sequence[str]:
    """As many as GitHub shows, the last of them a count where there are more."""
    if len(commands) <= most:
        return commands
    kept = commands[: most - 1]
    more = f"{len(commands) - len(kept):,} more credentials, not shown here: see the summary or another report"
    return [*kept, _command(level, [("title", "More Binance credentials")], more)]


def _command(level: str, properties: Iterable[tuple[str, object]], message: str) -> str:
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties)
    return f"::{level} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
