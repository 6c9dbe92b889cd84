"""The `text` format: credentials for a reader at a terminal or in a log, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from binance_leaks.findings import Finding, Mark, Result, Skipped, SourceKind
from binance_leaks.model import RiskLevel, Role, Value
from binance_leaks.report.advice import allowing, steps
from binance_leaks.report.location_order import by_repository, holders, newly_in, spread
from binance_leaks.report.names import KIND_NAMES, MARK_NAMES, ROLE_NAMES, passes_because
from binance_leaks.report.sanitize import Quoted, Redactor, printable
from binance_leaks.report.summary import nothing_found, plural, scanned, suppressed_count
from binance_leaks.report.text_layout import Page
from binance_leaks.report.text_locations import Places
from binance_leaks.report.verification_text import counts, told
from binance_leaks.risk import power_of

_MOST_EVIDENCE = 4
_MOST_SKIPPED = 10

_LEVEL_STYLE = {
    RiskLevel.CRITICAL: "bold red",
    RiskLevel.HIGH: "bold red",
    RiskLevel.MEDIUM: "bold yellow",
    RiskLevel.LOW: "bold cyan",
    RiskLevel.INFO: "bold",
}
_MOST_REPOSITORIES = 3
_ROLE_ORDER = tuple(Role)


def render_text(
    result: Result,
    *,
    width: int,
    color: bool,
    show_suppressed: bool,
    verbose: bool = False,
    folder: str | None = None,
) -> str:
    """The report for a reader, at most `width` columns wide but for paths and lines to copy, which stay whole.

    With `color` it holds ANSI styles, with `folder` hyperlinks to files from there, else no escape sequence. `verbose`
    adds digests and unfolds every list.
    """
    page = Page(width=width, color=color)
    report = _Report(page, result, verbose=verbose, folder=folder)
    for finding in result.findings:
        report.finding(finding)
        page.gap()
    if show_suppressed and result.suppressed:
        page.wrapped(Text("Suppressed, these do not count", style="bold"))
        page.gap()
        for finding in result.suppressed:
            report.finding(finding)
            page.gap()
    report.summary(listed=show_suppressed)
    if result.findings:
        page.gap()
        report.advice()
    return page.text()


class _Report:
    """Draws the parts of one result on a page."""

    def __init__(self, page: Page, result: Result, *, verbose: bool, folder: str | None) -> None:
        self._page = page
        self._result = result
        self._verbose = verbose
        self._quoted = Quoted(Redactor.of(result))
        self._places = Places(page, self._quoted, source=result.source, verbose=verbose, folder=folder)

    def finding(self, finding: Finding) -> None:
        """What it is, its masked values, where it stands, and why it was judged so."""
        self._page.wrapped(_headline(finding), hang=2)
        if finding.suppressed is not None:
            why = f"suppressed ({finding.suppressed.by.value}): {self._quoted.prose(finding.suppressed.reason)}"
            self._page.wrapped(Text(why, style="dim"), indent=2, hang=2)
        for value in sorted(finding.values, key=lambda value: _ROLE_ORDER.index(value.role)):
            self._value(value)
        if self._verbose:
            self._page.whole(Text(f"id           {printable(finding.id)}", style="dim"), indent=2)
        self._verification(finding)
        if fresh := newly_in(finding):
            names = ", ".join(map(self._quoted.path, fresh))
            self._page.wrapped(Text(f"Now also in {names}.", style="bold red"), indent=2, hang=2)
        if finding.repositories and not finding.is_new and not self._verbose:
            self._in_short(finding)
            return
        if any(location.pushed for location in finding.locations):
            self._page.wrapped(Text("Pushed: a remote has it.", style="bold red"), indent=2, hang=2)
        if finding.is_new and (passes := passes_because(finding)) and finding.suppressed is None:
            self._page.wrapped(Text(f"Does not fail. {passes}"), indent=2, hang=2)
        self._places.of(finding)
        self._why(finding)

    def _in_short(self, finding: Finding) -> None:
        """Where it is, of one that was there before: whoever compares two runs looks for what is new."""
        names = [self._quoted.path(holder.repository) for holder in holders(finding)]
        more = len(names) - _MOST_REPOSITORIES
        shown = names if more <= 1 else [*names[:_MOST_REPOSITORIES], f"and {plural(more, 'more repository')}"]
        self._page.wrapped(Text(f"As before, in {', '.join(shown)}."), indent=2, hang=2)

    def summary(self, *, listed: bool) -> None:
        """How many of which risk, what does not count, how much was read and what was not."""
        result = self._result
        if result.findings:
            self._page.wrapped(_counts([finding for finding in result.findings if finding.mark is not Mark.GONE]))
            if verified := counts(result.findings):
                self._page.wrapped(Text(verified))
        else:
            self._page.wrapped(Text(nothing_found(result), style="green" if result.complete else ""))
        if result.findings and (told := spread(result)):
            self._page.wrapped(Text(told))
        if result.suppressed:
            count = f"{len(result.suppressed):,} suppressed" if listed else suppressed_count(result)
            self._page.wrapped(Text(f"{count}."))
        if result.findings and (sentence := scanned(result)):
            self._page.wrapped(Text(sentence))
        self._skipped()

    def advice(self) -> None:
        """What to do now, and how to allow a false alarm."""
        todo = steps(self._result)
        if not todo:
            return
        self._page.wrapped(Text("What to do now", style="bold"))
        for number, step in enumerate(todo, start=1):
            lead = f"{number}. "
            self._page.wrapped(Text(f"{lead}{step.told(self._quoted.path)}"), indent=2, hang=len(lead))
            self._page.verbatim(step.verbatim, indent=5)
        self._page.gap()
        self._page.wrapped(Text("If it is a false alarm, allow it", style="bold"))
        for step in allowing(self._result.findings, self._result.source, digests=self._verbose):
            self._page.wrapped(Text(step.text), indent=2)
            self._page.verbatim(step.verbatim, indent=5)

    def _value(self, value: Value) -> None:
        shown = printable(value.masked).removeprefix("private key, ")
        self._page.whole(Text.assemble((f"{ROLE_NAMES[value.role]:<13}", "dim"), (shown, "bold")), indent=2)
        if self._verbose:
            self._page.whole(Text(f"sha256       {printable(value.sha256)}", style="dim"), indent=2)

    def _verification(self, finding: Finding) -> None:
        """What Binance answered: the verdict stands out, the rest is small print."""
        if finding.verification is None:
            return
        first, *more = told(finding.verification, self._quoted)
        alive = "bold red" if power_of(finding.verification) is not None else "bold"
        self._page.wrapped(Text(first, style=alive), indent=2, hang=2)
        for line in more:
            self._page.wrapped(Text(line, style="dim"), indent=2, hang=2)

    def _why(self, finding: Finding) -> None:
        evidence = [self._quoted.prose(evidence) for evidence in finding.evidence]
        if len(evidence) > _MOST_EVIDENCE and not self._verbose:
            evidence[_MOST_EVIDENCE:] = [f"and {len(evidence) - _MOST_EVIDENCE:,} more"]
        if evidence:
            self._page.wrapped(Text(f"Evidence: {'; '.join(evidence)}."), indent=2, hang=2)
        reasons = " ".join(self._quoted.prose(reason) for reason in finding.risk.reasons)
        self._page.wrapped(Text(f"Why {finding.risk.level.value}: {reasons}"), indent=2, hang=2)

    def _skipped(self) -> None:
        lost = [skipped for skipped in self._result.skipped if skipped.lost]
        harmless = [skipped for skipped in self._result.skipped if not skipped.lost]
        if self._result.interrupted:
            self._page.wrapped(Text("Incomplete: interrupted, the rest was not read.", style="bold red"))
        if lost:
            fleet = self._result.source is SourceKind.FLEET
            told = "Incomplete, not read:" if fleet else f"Incomplete: {len(lost):,} not read."
            self._page.wrapped(Text(told, style="bold red"))
            self._unread(lost)
        if harmless:
            self._page.wrapped(Text(f"{len(harmless):,} skipped, nothing lost."))
            self._unread(harmless)

    def _unread(self, things: Sequence[Skipped]) -> None:
        if self._result.source is SourceKind.FLEET and not self._verbose:
            things = by_repository(things)
        shown = things if self._verbose else things[:_MOST_SKIPPED]
        for one in shown:
            self._page.together(Text(f"{self._quoted.path(one.what)}: "), Text(self._quoted.prose(one.why)), indent=2)
        self._page.more(len(things) - len(shown), indent=2)


def _headline(finding: Finding) -> Text:
    level = finding.risk.level
    mark = f"{MARK_NAMES[finding.mark]}: " if finding.mark is not None else ""
    marks = f", {finding.environment.facts.title}, {finding.confidence.value} confidence"
    kind = (f"{mark}{KIND_NAMES[finding.kind]}", "bold")
    return Text.assemble((level.value.upper(), _LEVEL_STYLE[level]), "  ", kind, marks)


def _counts(findings: Sequence[Finding]) -> Text:
    levels = [finding.risk.level for finding in findings]
    if not levels:
        return Text("No credential is left.", style="green")
    line = Text(f"{plural(len(levels), 'credential')}: ", style="bold")
    counts = [
        Text(f"{levels.count(level):,} {level.value}", style=_LEVEL_STYLE[level])
        for level in sorted(RiskLevel, reverse=True)
        if level in levels
    ]
    line.append_text(Text(", ").join(counts))
    failing = sum(finding.fails for finding in findings)
    if failing < len(findings):
        line.append(f"; {failing:,} of them fail{'s' if failing == 1 else ''}" if failing else "; none of them fails")
    return line.append(".")
