"""Timeline of a credential: the commits that introduced and removed it, in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from enum import Enum

from binance_leaks.findings import Finding, Mark, SourceKind
from binance_leaks.model import Commit, Exposure, Location
from binance_leaks.report.html.locations import display_name
from binance_leaks.report.locations import sort_by_use
from binance_leaks.report.sanitize import Quoted, printable

_MAX_EVENTS = 12
_MAX_PATHS = 5
_MAX_NAMES = 3
_MAX_REFS = 12
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
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

    def commit_text(self, commit: Commit) -> CommitText:
        """Return a commit as sanitized text."""
        name = commit.author.partition(" <")[0].strip()
        return CommitText(
            id=printable(commit.id[:12]),
            day=self.quoted.path(commit.date)[:10],
            author=self.quoted.prose(commit.author if self.verbose or not name else name),
            subject=self.quoted.prose(commit.subject),
        )

    def _events(self, places: Sequence[Location], change: Change) -> Iterable[tuple[datetime, Event]]:
        by_commit: dict[Commit, list[Location]] = {}
        for place in places:
            commit = place.commit if change is Change.INTRODUCED else place.removed
            if commit is not None:
                by_commit.setdefault(commit, []).append(place)
        for commit, held in by_commit.items():
            paths = dict.fromkeys(self.quoted.path(place.path) for place in held)
            names = dict.fromkeys(
                display_name(place.repository, self.quoted) for place in held if place.repository is not None
            )
            shown = tuple(paths) if self.verbose else tuple(paths)[:_MAX_PATHS]
            known = tuple(names) if self.verbose or len(names) <= _MAX_NAMES + 1 else tuple(names)[:_MAX_NAMES]
            event = Event(
                change=change,
                commit=self.commit_text(commit),
                paths=shown,
                more=len(paths) - len(shown),
                repositories=known,
                elsewhere=len(names) - len(known),
            )
            yield _parse_moment(commit.date), event

    def _now(self, places: Sequence[Location]) -> CurrentState:
        refs = list(dict.fromkeys(ref for place in places for ref in place.refs))
        shown = refs if self.verbose or len(refs) <= _MAX_REFS + 1 else refs[:_MAX_REFS]
        return CurrentState(
            summary=_describe_remaining({place.exposure for place in places}),
            refs=tuple(map(self.quoted.path, shown)),
            more=len(refs) - len(shown),
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
