"""The `text` format: credentials for people at a terminal or in a log, most severe first."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence, Set
from itertools import groupby

from binance_leaks.findings import Finding, Mark, Result, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, Commit, Exposure, Location, RiskLevel, Role, Value
from binance_leaks.quantities import plural
from binance_leaks.report import View
from binance_leaks.report.advice import steps
from binance_leaks.report.allow_commands import SHORT_ID, allow_commands, false_alarm
from binance_leaks.report.allow_notes import allow_notes
from binance_leaks.report.locations import (
    EXPOSURES_BY_USE,
    LEVELS_BY_SEVERITY,
    describe_position,
    describe_spread,
    describe_unlisted,
    file_to_open,
    fold_refs,
    group_skipped,
    is_absolute,
    locations_by_repository,
    newly_found_in,
    path_uri,
)
from binance_leaks.report.names import (
    ALREADY_THERE,
    MARK_NAMES,
    PUSHED,
    ROLE_NAMES,
    UNNAMED,
    capitalize_first,
    kind_name,
    pass_reason,
    readers_name,
    role_name,
    skipped_phrase,
)
from binance_leaks.report.prose import describe_origin
from binance_leaks.report.sanitize import Quoted, Redactor, printable
from binance_leaks.report.summary import (
    count_suppressed,
    describe_clean,
    describe_gate,
    describe_incomplete,
    describe_scope,
)
from binance_leaks.report.text_layout import Page, Text
from binance_leaks.report.verification_text import count_verdicts, describe_verification
from binance_leaks.risk import power_of

_MAX_EVIDENCE = 4
_MAX_SKIPPED = 10

_LEVEL_STYLE = {
    RiskLevel.CRITICAL: "bold red",
    RiskLevel.HIGH: "bold red",
    RiskLevel.MEDIUM: "bold yellow",
    RiskLevel.LOW: "bold cyan",
    RiskLevel.INFO: "bold",
}
_MAX_LOCATIONS = 6
_MAX_PER_REPOSITORY = 3
_MAX_REFS = 4
_MAX_URL = 2000  # terminals cut or drop longer ones
_BEING_MADE = (Exposure.STAGED, Exposure.MESSAGE)
_ON_DISK = (Exposure.STAGED, Exposure.PRESENT)

_ALREADY_THERE = f"{capitalize_first(ALREADY_THERE)}; does not block"
_MAX_REPOSITORIES = 3
_ROLE_ORDER = tuple(Role)


def render_text(result: Result, view: View) -> str:
    """Render the report for people, wrapped at `view.width` columns except paths and lines to copy, which stay whole.

    It holds no escape sequence except ANSI styles with `view.color` and hyperlinks with `view.folder`.
    """
    page = Page(width=view.width, color=view.color)
    report = _Report(page, result, view)
    for finding in result.findings:
        report.finding(finding)
        page.gap()
    if view.show_suppressed and result.suppressed:
        page.wrapped(Text("Suppressed, not counted", style="bold"))
        page.gap()
        for finding in result.suppressed:
            report.finding(finding)
            page.gap()
    report.summary(listed=view.show_suppressed)
    if result.findings:
        report.advice()
    return page.text()


class _Report:
    """Draws one result on a page."""

    def __init__(self, page: Page, result: Result, view: View) -> None:
        self._page = page
        self._result = result
        self._view = view
        self._verbose = view.verbose
        self._quoted = Quoted(Redactor.of(result))
        verified = any(finding.verification is not None for finding in result.findings)
        self._is_short = result.source is SourceKind.STAGED and bool(result.findings) and not (view.verbose or verified)
        self._places = _Locations(page, self._quoted, view, source=result.source)

    def finding(self, finding: Finding) -> None:
        """Draw one finding: what it is, its masked values, its locations, and the reasons of its risk."""
        self._page.wrapped(self._headline(finding), hang=2)
        if finding.suppressed is not None:
            why = f"suppressed ({finding.suppressed.by.value}): {self._quoted.prose(finding.suppressed.reason)}"
            self._page.wrapped(Text(why, style="dim"), indent=2, hang=2)
        beside = self._places_beside_values(finding)
        for value in sorted(finding.values, key=lambda value: _ROLE_ORDER.index(value.role)):
            self._value(role_name(finding, value.role), value, beside.get(value.role))
        if self._verbose:
            self._page.whole(Text(f"id           {printable(finding.id)}", style="dim"), indent=2)
        self._verification(finding)
        if fresh := newly_found_in(finding):
            names = ", ".join(map(self._quoted.path, fresh))
            self._page.wrapped(Text(f"Now also in {names}.", style="bold red"), indent=2, hang=2)
        if finding.repositories and not finding.is_new and not self._verbose:
            self._unchanged(finding)
            return
        if any(location.pushed for location in finding.locations):
            self._page.wrapped(Text(f"{capitalize_first(PUSHED)}.", style="bold red"), indent=2, hang=2)
        if finding.is_new and (passes := pass_reason(finding)) and finding.suppressed is None:
            self._page.wrapped(Text(f"Does not fail the gate. {passes}"), indent=2, hang=2)
        if not beside:
            self._places.of(finding)
        for note in allow_notes(finding, self._quoted):
            self._page.wrapped(Text(note, style="bold"), indent=2, hang=2)
        self._why(finding)

    def _places_beside_values(self, finding: Finding) -> Mapping[Role, Location]:
        """The location of each value of a commit that is being made, if each has one; then a line has room for both."""
        places = {place.role: place for place in finding.locations if place.exposure in _BEING_MADE}
        is_short = self._is_short and finding.suppressed is None and finding.is_new
        alone = len(places) == len(finding.locations) == len(finding.values)
        return places if is_short and alone and not any(place.preexisting for place in places.values()) else {}

    def _headline(self, finding: Finding) -> Text:
        level = finding.risk.level
        mark = f"{MARK_NAMES[finding.mark]}: " if finding.mark is not None else ""
        marks = f", {finding.environment.facts.title}, {finding.confidence.value} confidence"
        kind = (f"{mark}{kind_name(finding)}", "bold")
        line = Text.assemble((level.value.upper(), _LEVEL_STYLE[level]), "  ", kind, marks)
        if self._view.remembered and len(self._result.findings) > 1 and not self._verbose:
            line.append(f"  {printable(finding.id[:SHORT_ID])}", style="dim")
        return line

    def _unchanged(self, finding: Finding) -> None:
        """Name the repositories of a finding that was there before: a comparison of two runs is about what is new."""
        names = [self._quoted.path(holder.repository) for holder in locations_by_repository(finding)]
        more = len(names) - _MAX_REPOSITORIES
        shown = names if more <= 1 else [*names[:_MAX_REPOSITORIES], f"and {plural(more, 'more repository')}"]
        self._page.wrapped(Text(f"Unchanged, in {', '.join(shown)}."), indent=2, hang=2)

    def summary(self, *, listed: bool) -> None:
        """Draw counts of risks and suppressed findings, how much was read, and what was not."""
        result = self._result
        if self._is_short:
            line = _count_line(result.findings)
            self._page.wrapped(line.append(f" {describe_scope(result)}"))
        elif result.findings:
            self._page.wrapped(_count_line([finding for finding in result.findings if finding.mark is not Mark.GONE]))
            if verified := count_verdicts(result.findings):
                self._page.wrapped(Text(verified))
        else:
            self._page.wrapped(Text(describe_clean(result), style="green" if result.complete else ""))
        if result.findings and (sentence := describe_spread(result)):
            self._page.wrapped(Text(sentence))
        if result.suppressed:
            count = f"{len(result.suppressed):,} suppressed" if listed else count_suppressed(result)
            self._page.wrapped(Text(f"{count}."))
        if result.findings and not self._is_short and (sentence := describe_scope(result)):
            self._page.wrapped(Text(sentence))
        self._skipped()

    def advice(self) -> None:
        """Draw what to do now, and how to allow a false alarm."""
        todo = steps(self._result)
        if not todo:
            return
        if not self._is_short:
            self._page.gap()
        if not self._is_short:
            self._page.wrapped(Text("What to do now", style="bold"))
        for number, step in enumerate(todo, start=1):
            lead = f"{number}. "
            self._page.wrapped(Text(f"{lead}{step.describe(self._quoted.path)}"), indent=2, hang=len(lead))
            self._page.verbatim(map(self._runnable, step.verbatim), indent=5)
        lead = false_alarm(self._result)
        for command in allow_commands(self._result.findings, self._result.source, self._view):
            self._page.whole(Text.assemble(lead, (command, "bold")), indent=2)

    def _runnable(self, line: str) -> str:
        """A line to copy, with the name by which this program can be started here."""
        return re.sub(r"^binance-leaks(?= )", lambda _: self._view.program, line)

    def _value(self, name: str, value: Value, place: Location | None) -> None:
        shown = printable(value.masked).removeprefix("private key, ")
        line = Text.assemble((f"{name:<12} ", "dim"), (shown, "bold"))
        if place is not None:
            line.append(" " * max(11 - len(shown), 2))
            self._places.beside(line, place)
            return
        self._page.whole(line, indent=2)
        if self._verbose:
            self._page.whole(Text(f"sha256       {printable(value.sha256)}", style="dim"), indent=2)

    def _verification(self, finding: Finding) -> None:
        """Draw what Binance answered, the verdict highlighted."""
        if finding.verification is None:
            return
        first, *more = describe_verification(finding.verification, self._quoted)
        style = "bold red" if power_of(finding.verification) is not None else "bold"
        self._page.wrapped(Text(first, style=style), indent=2, hang=2)
        for line in more:
            self._page.wrapped(Text(line, style="dim"), indent=2, hang=2)

    def _why(self, finding: Finding) -> None:
        evidence = [self._quoted.prose(evidence) for evidence in finding.evidence]
        if len(evidence) > _MAX_EVIDENCE and not self._verbose:
            evidence[_MAX_EVIDENCE:] = [f"and {len(evidence) - _MAX_EVIDENCE:,} more"]
        if evidence:
            self._page.wrapped(Text(f"Evidence: {'; '.join(evidence)}."), indent=2, hang=2)
        if self._places_beside_values(finding):
            return
        reasons = " ".join(self._quoted.prose(reason) for reason in finding.risk.reasons)
        self._page.wrapped(Text(f"Why {finding.risk.level.value}: {reasons}"), indent=2, hang=2)

    def _skipped(self) -> None:
        lost = [skipped for skipped in self._result.skipped if skipped.lost]
        harmless = [skipped for skipped in self._result.skipped if not skipped.lost]
        if self._result.interrupted:
            self._page.wrapped(Text("The scan was interrupted: the rest was not read.", style="bold red"))
        if lost:
            fleet = self._result.source is SourceKind.FLEET
            self._page.wrapped(Text(f"{describe_incomplete(lost)}{':' if fleet else '.'}", style="bold red"))
            self._unread(lost)
        if harmless:
            self._page.wrapped(Text(f"{len(harmless):,} {skipped_phrase(self._result)}."))
            self._unread(harmless)

    def _unread(self, things: Sequence[Skipped]) -> None:
        if self._result.source is SourceKind.FLEET and not self._verbose:
            things = group_skipped(things)
        shown = things if self._verbose else things[:_MAX_SKIPPED]
        for one in shown:
            self._page.together(Text(f"{self._quoted.path(one.what)}: "), Text(self._quoted.prose(one.why)), indent=2)
        self._page.more(len(things) - len(shown), indent=2)


def _count_line(findings: Sequence[Finding]) -> Text:
    levels = [finding.risk.level for finding in findings]
    if not levels:
        return Text("No credentials remain.", style="green")
    line = Text(f"{plural(len(levels), 'credential')}: ", style="bold")
    counts = [
        Text(f"{levels.count(level):,} {level.value}", style=_LEVEL_STYLE[level])
        for level in LEVELS_BY_SEVERITY
        if level in levels
    ]
    line = line + Text(", ").join(counts)
    failing = sum(finding.fails for finding in findings)
    if failing < len(findings):
        line.append(f"; {describe_gate(failing)}")
    return line.append(".")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """How locations are drawn."""

    mark: Mark | None
    indent: int
    most: int
    """Locations of one exposure to list before folding."""
    with_role: bool
    """Whether to name the role of the value at each location."""


class _Locations:
    """Draws the locations of findings on a page, by exposure and commit."""

    def __init__(self, page: Page, quoted: Quoted, view: View, *, source: SourceKind) -> None:
        self._page = page
        self._quoted = quoted
        self._source = source
        self._verbose = view.verbose
        self._folder = view.folder

    def of(self, finding: Finding) -> None:
        """Draw the locations of a finding, most useful first, in a fleet by repository.

        `verbose` unfolds locations, refs and authors.
        """
        with_role = len({location.role for location in finding.locations}) > 1
        held = locations_by_repository(finding)
        if not held:
            fold = _Layout(mark=finding.mark, indent=2, most=_MAX_LOCATIONS, with_role=with_role)
            self._exposures(finding.locations, fold)
        shown = held if self._verbose or len(held) <= _MAX_REPOSITORIES + 1 else held[:_MAX_REPOSITORIES]
        most = _MAX_LOCATIONS if len(held) == 1 else _MAX_PER_REPOSITORY
        for holder in shown:
            name = self._quoted.path(holder.repository).strip() or UNNAMED
            self._page.whole(Text.assemble("In ", (name, "bold"), ":"), indent=2)
            self._exposures(holder.locations, _Layout(mark=finding.mark, indent=4, most=most, with_role=with_role))
        self._page.more(len(held) - len(shown), "repository", indent=2)
        if finding.unlisted:
            self._page.wrapped(Text(f"and {describe_unlisted(finding.unlisted)}", style="dim"), indent=2)

    def beside(self, value: Text, location: Location) -> None:
        """Draw a value with its location on one line."""
        position = Text(describe_position(location, self._quoted.path(location.path)))
        self._page.linked(value + position, Text(""), url=self._url(location), indent=2)

    def _exposures(self, locations: Sequence[Location], fold: _Layout) -> None:
        for exposure in EXPOSURES_BY_USE:
            exposed = [location for location in locations if location.exposure is exposure]
            for preexisting in (False, True):
                group = [location for location in exposed if location.preexisting is preexisting]
                if group:
                    heading = _ALREADY_THERE if preexisting else _exposure_heading(group, self._source, fold.mark)
                    self._page.wrapped(Text(f"{heading}:"), indent=fold.indent, hang=2)
                    self._group(group, fold)

    def _group(self, locations: Sequence[Location], fold: _Layout) -> None:
        shown = locations if self._verbose else _first_locations(locations, fold.most)
        for commit, group in groupby(_group_by_commit(shown), key=lambda location: location.commit):
            if commit is not None:
                self._page.wrapped(self._commit(commit), indent=fold.indent + 2, hang=2)
            indent = fold.indent + (2 if commit is None else 4)
            for outcome, fellows in groupby(group, key=_outcome_key):
                for origin, of_origin in groupby(fellows, key=lambda location: location.origin):
                    for location in of_origin:
                        self._place(location, indent=indent, with_role=fold.with_role)
                    for phrase in describe_origin(origin, self._quoted):
                        self._page.wrapped(Text(phrase), indent=indent + 2, hang=2)
                self._outcome(*outcome, indent=indent + 2)
        self._page.more(len(locations) - len(shown), "location", indent=fold.indent + 2)

    def _place(self, location: Location, *, indent: int, with_role: bool) -> None:
        position = Text(describe_position(location, self._quoted.path(location.path)))
        about = [ROLE_NAMES[location.role]] if with_role else []
        about += [readers_name(location)] if readers_name(location) else []
        role = Text(f"  {', '.join(about)}" if about else "", style="dim")
        self._page.linked(position, role, url=self._url(location), indent=indent)

    def _url(self, location: Location) -> str | None:
        """Return the URL of the file to open; None where there is none, or its name would show a value."""
        file = file_to_open(location)
        if self._folder is None or location.repository is not None or file is None or location.exposure not in _ON_DISK:
            return None
        path = posixpath.normpath(file if is_absolute(file) else f"{self._folder}/{file}")
        if path.startswith("//") or self._quoted.redactor.path(path) != path:
            return None  # another machine's file is not opened by a click
        url = path_uri(path)
        return url if len(url) <= _MAX_URL else None

    def _outcome(self, removed: Commit | None, refs: Sequence[str], unlisted: int, *, indent: int) -> None:
        """Draw which commit removed the locations above, and which branches and tags contain them."""
        if removed is not None:
            line = Text.assemble("removed in ", (printable(removed.id[:12]), "yellow"))
            line.append(f" ({self._date(removed)}) by {self._author(removed)}: {self._quoted.prose(removed.subject)}")
            self._page.wrapped(line, indent=indent, hang=2)
        if refs:
            shown, more = (refs, unlisted) if self._verbose else fold_refs(refs, _MAX_REFS, unlisted=unlisted)
            rest = f" and {more:,} more" if more else ""
            self._page.wrapped(
                Text(f"in {', '.join(map(self._quoted.path, shown))}{rest}", style="dim"), indent=indent, hang=2
            )

    def _commit(self, commit: Commit) -> Text:
        line = Text(printable(commit.id[:12]), style="yellow")
        line = Text.assemble(line, f" {self._date(commit)} {self._author(commit)}: ")
        return line.append(self._quoted.prose(commit.subject))

    def _date(self, commit: Commit) -> str:
        return self._quoted.path(commit.date)[:10]

    def _author(self, commit: Commit) -> str:
        """Return the name; with the address only when verbose."""
        name = commit.author.partition(" <")[0].strip()
        return self._quoted.prose(commit.author if self._verbose or not name else name)


def _exposure_heading(locations: Sequence[Location], source: SourceKind, mark: Mark | None) -> str:
    """Return the heading of locations with one exposure."""
    match locations[0].exposure:
        case Exposure.STAGED:
            return "Added in this commit"
        case Exposure.MESSAGE:
            return _message_heading({location.path for location in locations}, source)
        case Exposure.PRESENT if mark is Mark.GONE:
            return "In the files of an earlier run"
        case Exposure.PRESENT:
            on_disk = (SourceKind.FILES, SourceKind.STAGED, SourceKind.MACHINE)
            return "Found at" if source in on_disk else "In the current files"
        case Exposure.HISTORY:
            return "Only in older commits"
        case Exposure.UNREACHABLE:
            return "Only in the object database, unreachable from any branch or tag"


def _message_heading(paths: Set[str], source: SourceKind) -> str:
    if source is SourceKind.STAGED:
        return "In the commit message"
    if paths == {COMMIT_MESSAGE}:
        return "In a commit message"
    return "In a tag message" if paths == {TAG_MESSAGE} else "In a commit or tag message"


def _group_by_commit(locations: Sequence[Location]) -> list[Location]:
    """Sort locations by commit and outcome as they first occur, then by path and position."""
    commits: dict[Commit | None, int] = {}
    outcomes: dict[tuple[Commit | None, tuple[str, ...], int], int] = {}
    for location in locations:
        commits.setdefault(location.commit, len(commits))
        outcomes.setdefault(_outcome_key(location), len(outcomes))
    return sorted(
        locations,
        key=lambda location: (
            commits[location.commit],
            outcomes[_outcome_key(location)],
            location.path,
            location.line,
            location.column,
        ),
    )


def _outcome_key(location: Location) -> tuple[Commit | None, tuple[str, ...], int]:
    return location.removed, location.refs, location.unlisted_refs


def _first_locations(locations: Sequence[Location], most: int) -> Sequence[Location]:
    """Return the locations that fit; one too many is not folded, as the fold would be as long."""
    return locations if len(locations) <= most + 1 else _group_by_commit(locations)[:most]
