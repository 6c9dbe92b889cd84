"""The `text` format: credentials for a reader at a terminal or in a log, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.text import Text

from scanner.model import (
    Commit,
    Environment,
    Exposure,
    Finding,
    Kind,
    Location,
    Result,
    RiskLevel,
    Role,
    Skipped,
    SourceKind,
    Value,
)
from scanner.report.advice import allowing, steps
from scanner.report.brief import nothing_found, plural, scanned, suppressed_count
from scanner.report.page import Page
from scanner.report.sanitize import Redactor, printable

_MOST_LOCATIONS = 6
_MOST_EVIDENCE = 4
_MOST_SKIPPED = 10
_LONGEST_PROSE = 200

_LEVEL_STYLE = {
    RiskLevel.CRITICAL: "bold red",
    RiskLevel.HIGH: "bold red",
    RiskLevel.MEDIUM: "bold yellow",
    RiskLevel.LOW: "bold cyan",
    RiskLevel.INFO: "bold",
}
_KIND = {
    Kind.KEY_PAIR: "Binance key pair",
    Kind.API_KEY: "API key without its secret",
    Kind.SECRET_KEY: "secret key",
    Kind.PRIVATE_KEY: "private key",
}
_ROLE = {Role.API_KEY: "API key", Role.SECRET_KEY: "secret key", Role.PRIVATE_KEY: "private key"}
_ROLE_ORDER = tuple(Role)
_ENVIRONMENT = {
    Environment.MAINNET: "mainnet",
    Environment.TESTNET: "testnet",
    Environment.FUTURES_TESTNET: "futures testnet",
    Environment.DEMO: "demo trading",
    Environment.US: "Binance.US",
    Environment.TR: "Binance TR",
    Environment.PAY: "Binance Pay",
    Environment.UNKNOWN: "environment unknown",
}
_STANDING = "Stood there before; does not block"
_EXPOSURE_ORDER = (
    Exposure.STAGED,
    Exposure.MESSAGE,
    Exposure.PRESENT,
    Exposure.HISTORY,
    Exposure.UNREACHABLE,
)


def render_text(result: Result, *, width: int, color: bool, show_suppressed: bool, verbose: bool = False) -> str:
    """The report for a reader, at most `width` columns wide but for paths and lines to copy, which stay whole.

    With `color` it holds ANSI styles, else no escape sequence. `verbose` adds digests and unfolds every list.
    """
    page = Page(width=width, color=color)
    report = _Report(page, result, verbose=verbose)
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

    def __init__(self, page: Page, result: Result, *, verbose: bool) -> None:
        self._page = page
        self._result = result
        self._verbose = verbose
        self._redactor = Redactor.of(result)

    def finding(self, finding: Finding) -> None:
        """What it is, its masked values, where it stands, and why it was judged so."""
        self._page.wrapped(_headline(finding), hang=2)
        if finding.suppressed is not None:
            why = f"suppressed ({finding.suppressed.by.value}): {self._prose(finding.suppressed.reason)}"
            self._page.wrapped(Text(why, style="dim"), indent=2, hang=2)
        for value in sorted(finding.values, key=lambda value: _ROLE_ORDER.index(value.role)):
            self._value(value)
        if self._verbose:
            self._page.whole(Text(f"id           {printable(finding.id)}", style="dim"), indent=2)
        with_role = len({location.role for location in finding.locations}) > 1
        for exposure in _EXPOSURE_ORDER:
            places = [location for location in finding.locations if location.exposure is exposure]
            for standing in (False, True):
                group = [place for place in places if place.standing is standing]
                if group:
                    self._heading(_STANDING if standing else _exposed(exposure, self._result.source))
                    self._places(group, with_role=with_role)
        self._why(finding)

    def summary(self, *, listed: bool) -> None:
        """How many of which risk, what does not count, how much was read and what was not."""
        result = self._result
        if result.findings:
            self._page.wrapped(_counts(result.findings))
        else:
            self._page.wrapped(Text(nothing_found(result), style="green" if result.complete else ""))
        if result.suppressed:
            count = f"{len(result.suppressed):,} suppressed" if listed else suppressed_count(result)
            self._page.wrapped(Text(f"{count}."))
        if result.findings and (sentence := scanned(result)):
            self._page.wrapped(Text(sentence))
        self._skipped()

    def advice(self) -> None:
        """What to do now, and how to allow a false alarm."""
        self._page.wrapped(Text("What to do now", style="bold"))
        for number, step in enumerate(steps(self._result), start=1):
            self._page.wrapped(Text(f"{number}. {step.text}"), indent=2, hang=3)
            self._page.verbatim(step.verbatim, indent=5)
        self._page.gap()
        self._page.wrapped(Text("If it is a false alarm, allow it", style="bold"))
        for step in allowing(self._result.findings[0].values[0].sha256 if self._verbose else None):
            self._page.wrapped(Text(step.text), indent=2)
            self._page.verbatim(step.verbatim, indent=5)

    def _value(self, value: Value) -> None:
        shown = printable(value.masked).removeprefix("private key, ")
        self._page.whole(Text.assemble((f"{_ROLE[value.role]:<13}", "dim"), (shown, "bold")), indent=2)
        if self._verbose:
            self._page.whole(Text(f"sha256       {printable(value.sha256)}", style="dim"), indent=2)

    def _why(self, finding: Finding) -> None:
        evidence = [self._prose(evidence) for evidence in finding.evidence]
        if len(evidence) > _MOST_EVIDENCE and not self._verbose:
            evidence[_MOST_EVIDENCE:] = [f"and {len(evidence) - _MOST_EVIDENCE:,} more"]
        if evidence:
            self._page.wrapped(Text(f"Evidence: {'; '.join(evidence)}."), indent=2, hang=2)
        reasons = " ".join(self._prose(reason) for reason in finding.risk.reasons)
        self._page.wrapped(Text(f"Why {finding.risk.level.value}: {reasons}"), indent=2, hang=2)

    def _places(self, places: Sequence[Location], *, with_role: bool) -> None:
        shown = places if self._verbose else _first_places(places)
        for commit, group in groupby(_by_commit(shown), key=lambda location: location.commit):
            if commit is not None:
                self._page.wrapped(self._commit(commit), indent=4, hang=2)
            for location in group:
                self._place(location, indent=4 if commit is None else 6, with_role=with_role)
        self._more(len(places) - len(shown), " place", indent=4)

    def _place(self, location: Location, *, indent: int, with_role: bool) -> None:
        line = Text(f"{self._path(location.path)}:{location.line}:{location.column}")
        if with_role:
            line.append(f"  {_ROLE[location.role]}", style="dim")
        self._page.whole(line, indent=indent)
        if self._verbose and location.refs:
            self._page.whole(Text(f"in {', '.join(map(self._path, location.refs))}", style="dim"), indent=indent + 2)

    def _commit(self, commit: Commit) -> Text:
        when, who = self._path(commit.date)[:10], self._prose(commit.author)
        return Text.assemble((printable(commit.id[:12]), "yellow"), f" {when} {who}: {self._prose(commit.subject)}")

    def _skipped(self) -> None:
        lost = [skipped for skipped in self._result.skipped if skipped.lost]
        harmless = [skipped for skipped in self._result.skipped if not skipped.lost]
        if self._result.interrupted:
            self._page.wrapped(Text("Incomplete: interrupted, the rest was not read.", style="bold red"))
        if lost:
            self._page.wrapped(Text(f"Incomplete: {len(lost):,} not read.", style="bold red"))
            self._unread(lost)
        if harmless:
            self._page.wrapped(Text(f"{len(harmless):,} skipped, nothing lost."))
            self._unread(harmless)

    def _unread(self, things: Sequence[Skipped]) -> None:
        shown = things if self._verbose else things[:_MOST_SKIPPED]
        for one in shown:
            self._page.together(Text(f"{self._path(one.what)}: "), Text(self._prose(one.why)), indent=2)
        self._more(len(things) - len(shown), "", indent=2)

    def _heading(self, heading: str) -> None:
        self._page.wrapped(Text(f"{heading}:"), indent=2, hang=2)

    def _more(self, count: int, noun: str, *, indent: int) -> None:
        if count > 0:
            more = plural(count, f"more{noun}") if noun else f"{count:,} more"
            self._page.wrapped(Text(f"and {more}", style="dim"), indent=indent)

    def _path(self, text: str) -> str:
        return printable(self._redactor.path(text))

    def _prose(self, text: str) -> str:
        shown = printable(self._redactor.prose(text))
        return shown if len(shown) <= _LONGEST_PROSE else f"{shown[: _LONGEST_PROSE - 1]}…"


def _headline(finding: Finding) -> Text:
    level = finding.risk.level
    marks = f", {_ENVIRONMENT[finding.environment]}, {finding.confidence.value} confidence"
    return Text.assemble((level.value.upper(), _LEVEL_STYLE[level]), "  ", (_KIND[finding.kind], "bold"), marks)


def _counts(findings: Sequence[Finding]) -> Text:
    levels = [finding.risk.level for finding in findings]
    line = Text(f"{plural(len(levels), 'credential')}: ", style="bold")
    counts = [
        Text(f"{levels.count(level):,} {level.value}", style=_LEVEL_STYLE[level])
        for level in sorted(RiskLevel, reverse=True)
        if level in levels
    ]
    return line.append_text(Text(", ").join(counts)).append(".")


def _exposed(exposure: Exposure, source: SourceKind) -> str:
    match exposure:
        case Exposure.STAGED:
            return "Added in this commit"
        case Exposure.MESSAGE:
            return "In a commit or tag message" if source is not SourceKind.STAGED else "In the commit message"
        case Exposure.PRESENT:
            return "Found at" if source in (SourceKind.FILES, SourceKind.STAGED) else "Still there today"
        case Exposure.HISTORY:
            return "Only in older commits"
        case Exposure.UNREACHABLE:
            return "Only in the object database, no branch or tag leads to it"


def _by_commit(places: Sequence[Location]) -> list[Location]:
    """Places of one commit side by side, commits as they first come, then by path and position."""
    commits: dict[Commit | None, int] = {}
    for place in places:
        commits.setdefault(place.commit, len(commits))
    return sorted(places, key=lambda place: (commits[place.commit], place.path, place.line, place.column))


def _first_places(places: Sequence[Location]) -> Sequence[Location]:
    """The places that fit; a list that is one too long is not folded, as the fold would be as long."""
    return places if len(places) <= _MOST_LOCATIONS + 1 else _by_commit(places)[:_MOST_LOCATIONS]
