"""Time in the page: the events of a credential, and the chart of when credentials were introduced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timezone
from enum import Enum

from binance_leaks.findings import Finding, Mark, SourceKind
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Commit, Exposure, Location, RiskLevel
from binance_leaks.quantities import plural
from binance_leaks.report.forge import ForgeLinks
from binance_leaks.report.html.locations import describe_path, display_name
from binance_leaks.report.locations import LEVELS_BY_SEVERITY, fold_refs, merge_refs, sort_by_use
from binance_leaks.report.sanitize import Quoted, printable

_MAX_EVENTS = 12
_MAX_PATHS = 5
_MAX_NAMES = 3
_MAX_REFS = 12
_DAY = lazy_pattern(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
_WITH_HISTORY = frozenset({SourceKind.HISTORY, SourceKind.RANGE, SourceKind.FLEET})


class Change(Enum):
    """What a commit did with a credential."""

    INTRODUCED = "introduced"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitText:
    """A commit as sanitized text."""

    id: str
    day: str
    author: str
    subject: str
    link: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Introduced:
    """Who introduced a credential first, and on which day; `others` counts further authors who added it."""

    author: str
    day: str
    others: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One commit with the first paths where it introduced or removed the credential; `more` counts the others.

    `repositories` of a fleet contain the commit, and `elsewhere` more of them.
    """

    change: Change
    commit: CommitText
    paths: tuple[str, ...]
    more: int = 0
    repositories: tuple[str, ...] = ()
    elsewhere: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CurrentState:
    """Where it is now: `summary`, the first branches and tags whose history contains it, how many more."""

    summary: str
    refs: tuple[str, ...] = ()
    more: int = 0
    pushed: bool = False


_GONE = CurrentState(summary="Gone: no repository of this run has it")


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The events, earliest first; `gap` counts those left out before the `last` ones."""

    events: tuple[Event, ...]
    last: tuple[Event, ...]
    gap: int
    now: CurrentState


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineFormatter:
    """Formats timelines of one result. `verbose` leaves nothing out and shows addresses of authors."""

    quoted: Quoted
    links: ForgeLinks
    source: SourceKind
    verbose: bool = False

    def of(self, finding: Finding) -> Timeline | None:
        """Return the timeline of a finding, None if no commit is known."""
        places = sort_by_use(finding) if finding.repositories else finding.locations
        if self.source not in _WITH_HISTORY or not any(place.commit or place.removed or place.refs for place in places):
            return None
        dated = [*self._events(places, Change.INTRODUCED), *self._events(places, Change.REMOVED)]
        events = [event for _, event in sorted(dated, key=lambda one: one[0])]
        kept = len(events) if self.verbose or len(events) <= _MAX_EVENTS + 1 else _MAX_EVENTS // 2
        now = _GONE if finding.mark is Mark.GONE else self._now(places)
        last = events[max(kept, len(events) - _MAX_EVENTS // 2) :]
        return Timeline(events=tuple(events[:kept]), last=tuple(last), gap=len(events) - kept - len(last), now=now)

    def introduced(self, finding: Finding) -> Introduced | None:
        """Return who introduced a finding first, None if no author is known."""
        known = [
            place.commit for place in finding.locations if place.commit is not None and place.commit.author.strip()
        ]
        if not known:
            return None
        commit = self._commit(min(known, key=lambda commit: _parse_moment(commit.date)))
        others = {self._author(each) for each in known} - {commit.author}
        return Introduced(author=commit.author, day=commit.day, others=len(others))

    def _commit(self, commit: Commit, *, pushed: bool = False) -> CommitText:
        return CommitText(
            id=printable(commit.id[:12]),
            day=self.quoted.path(commit.date)[:10],
            author=self._author(commit),
            subject=self.quoted.prose(commit.subject),
            link=self.links.commit(commit.id, pushed=pushed),
        )

    def _author(self, commit: Commit) -> str:
        name = commit.author.partition(" <")[0].strip()
        return self.quoted.prose(commit.author if self.verbose or not name else name)

    def _events(self, places: Sequence[Location], change: Change) -> Iterable[tuple[datetime, Event]]:
        by_commit: dict[Commit, list[Location]] = {}
        for place in places:
            commit = place.commit if change is Change.INTRODUCED else place.removed
            if commit is not None:
                by_commit.setdefault(commit, []).append(place)
        for commit, held in by_commit.items():
            paths = dict.fromkeys(describe_path(place, self.quoted) for place in held)
            names = dict.fromkeys(
                display_name(place.repository, self.quoted) for place in held if place.repository is not None
            )
            shown = tuple(paths) if self.verbose else tuple(paths)[:_MAX_PATHS]
            known = tuple(names) if self.verbose or len(names) <= _MAX_NAMES + 1 else tuple(names)[:_MAX_NAMES]
            event = Event(
                change=change,
                commit=self._commit(commit, pushed=any(place.pushed for place in held)),
                paths=shown,
                more=len(paths) - len(shown),
                repositories=known,
                elsewhere=len(names) - len(known),
            )
            yield _parse_moment(commit.date), event

    def _now(self, places: Sequence[Location]) -> CurrentState:
        refs, unlisted = merge_refs(places), max((place.unlisted_refs for place in places), default=0)
        shown, more = (refs, unlisted) if self.verbose else fold_refs(refs, _MAX_REFS, unlisted=unlisted)
        return CurrentState(
            summary=_describe_remaining({place.exposure for place in places}),
            refs=tuple(map(self.quoted.path, shown)),
            more=more,
            pushed=any(place.pushed for place in places),
        )


def introduced_on(finding: Finding) -> date | None:
    """Return the day on which it was first introduced, by its author's clock; None if unknown."""
    days = (parse_day(place.commit.date) for place in finding.locations if place.commit is not None)
    return min((day for day in days if day is not None), default=None)


def parse_day(text: str) -> date | None:
    """Parse the day of a moment in ISO 8601; None for anything else, as commits may hold any text."""
    found = _DAY.match(text)
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def _describe_remaining(exposures: set[Exposure]) -> str:
    if Exposure.PRESENT in exposures:
        return "Still in the current files"
    if Exposure.STAGED in exposures:
        return "Introduced by this change"
    if Exposure.HISTORY in exposures:
        return "Removed from the current files, still in the history"
    if Exposure.MESSAGE in exposures:
        return "Still in the message"
    return "Unreachable from any branch or tag, still in the object database"


def _parse_moment(text: str) -> datetime:
    """Parse a moment to sort by; text that is not a date comes first."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return datetime.min.replace(tzinfo=timezone.utc)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


WIDTH, HEIGHT = 1000, 100
"""Units of the drawing; the page stretches it to the available space."""

_MAX_BARS = 36
_MAX_BAR_WIDTH = 60.0
_BAR_SHARE = 0.72
_STEPS = (1, 3, 12, 24, 60, 120, 300, 600, 1200, 3000, 6000, 12000)  # months


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of a bar: one level of risk, with its position in the drawing."""

    level: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One span of time: credentials of each level of the chart, and the parts to draw."""

    name: str
    x: float
    width: float
    counts: tuple[int, ...]
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """Credentials of all levels."""
        return sum(self.counts)

    @property
    def description(self) -> str:
        """The span in words: `2024-03: 2 critical, 1 low`."""
        return f"{self.name}: {', '.join(f'{part.count:,} {part.level}' for part in reversed(self.parts))}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A grid line of the chart for a count."""

    count: int
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """The whole drawing. `levels` are those that occur, `undated` counts credentials without a known date."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    levels: tuple[str, ...]
    summary: str
    undated: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the first, the middle and the last span, as far as they exist."""
        middle = self.bars[len(self.bars) // 2 : len(self.bars) // 2 + 1] if len(self.bars) % 2 else ()
        return tuple(dict.fromkeys(bar.name for bar in (self.bars[0], *middle, self.bars[-1])))


def chart_of(findings: Sequence[Finding]) -> Chart | None:
    """Return the chart of these findings, None if no date is known."""
    dated = [(day, finding.risk.level) for finding in findings if (day := introduced_on(finding)) is not None]
    if not dated:
        return None
    months = [_month(day) for day, _ in dated]
    step = next(step for step in _STEPS if max(months) // step - min(months) // step < _MAX_BARS)
    first, last = min(months) // step, max(months) // step
    counts = {span: [0] * len(LEVELS_BY_SEVERITY) for span in range(first, last + 1)}
    for day, level in dated:
        counts[_month(day) // step][level.rank] += 1
    lines = _lines(max(map(sum, counts.values())))
    levels = [level for level in LEVELS_BY_SEVERITY if any(row[level.rank] for row in counts.values())]
    return Chart(
        bars=tuple(_bars(counts, levels, step=step, top=lines[-1].count)),
        lines=lines,
        levels=tuple(level.value for level in levels),
        summary=_summary([day for day, _ in dated]),
        undated=len(findings) - len(dated),
    )


def _bars(counts: dict[int, list[int]], levels: Sequence[RiskLevel], *, step: int, top: int) -> list[Bar]:
    pitch = WIDTH / len(counts)
    width = min(pitch * _BAR_SHARE, _MAX_BAR_WIDTH)
    return [
        Bar(
            name=_name(span * step, step),
            x=round(pitch * (place + 0.5) - width / 2, 1),
            width=round(width, 1),
            counts=tuple(row[level.rank] for level in levels),
            parts=tuple(_parts(row, top)),
        )
        for place, (span, row) in enumerate(counts.items())
    ]


def _parts(row: Sequence[int], top: int) -> list[Part]:
    """Return the parts in drawing order, the most severe at the bottom, where bars compare best."""
    parts, below = [], 0
    for level in LEVELS_BY_SEVERITY:
        if count := row[level.rank]:
            y = HEIGHT * (1 - (below + count) / top)
            height = HEIGHT * count / top
            parts.append(Part(level=level.value, count=count, y=round(y, 2), height=round(height, 2)))
            below += count
    return list(reversed(parts))


def _lines(most: int) -> tuple[Line, ...]:
    """Return lines at round counts, up to one that no bar exceeds."""
    scale = 1
    while most > 5 * scale:
        scale = scale * 10 if most > 25 * scale else scale * 5 if most > 10 * scale else scale * 2
    steps = -(-most // scale)
    return tuple(Line(count=scale * n, y=round(HEIGHT * (1 - n / steps), 2)) for n in range(steps + 1))


def _summary(days: Sequence[date]) -> str:
    first, last = min(days).isoformat(), max(days).isoformat()
    when = f"on {first}" if first == last else f"between {first} and {last}"
    return f"{plural(len(days), 'credential')} first introduced {when}."


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _name(month: int, step: int) -> str:
    year, of_year = divmod(month, 12)
    if step == 1:
        return f"{year:04}-{of_year + 1:02}"
    if step == 3:
        return f"{year:04} Q{of_year // 3 + 1}"
    return f"{year:04}" if step == 12 else f"{year:04}–{year + step // 12 - 1:04}"
