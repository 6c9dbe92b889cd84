"""What happened to a credential, in the order in which it happened: commits that brought it in and took it out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from enum import Enum

from binance_leaks.findings import Finding, Mark, SourceKind
from binance_leaks.model import Commit, Exposure, Location
from binance_leaks.report.html.locations import name_of
from binance_leaks.report.locations import by_use
from binance_leaks.report.sanitize import Quoted, printable

_MOST_EVENTS = 12
_MOST_PATHS = 5
_MOST_NAMES = 3
_MOST_REFS = 12
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
_WITH_HISTORY = frozenset({SourceKind.HISTORY, SourceKind.RANGE, SourceKind.FLEET})


class Happened(Enum):
    """What a commit did with a credential."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A commit in words that can be shown."""

    id: str
    day: str
    author: str
    subject: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One commit with the paths that it brought the credential to or took it out of, and how many more there are.

    `repositories` of a fleet have it, and `elsewhere` more of them.
    """

    happened: Happened
    commit: Told
    paths: tuple[str, ...]
    more: int = 0
    repositories: tuple[str, ...] = ()
    elsewhere: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Now:
    """What is left of it: `summary` in a few words, the branches and tags whose history holds it, how many more."""

    summary: str
    refs: tuple[str, ...] = ()
    more: int = 0
    pushed: bool = False


_GONE = Now(summary="Gone: no repository of this run holds it")


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The events, the earliest first; `gap` is how many were left out before the last ones. `now` ends it."""

    events: tuple[Event, ...]
    last: tuple[Event, ...]
    gap: int
    now: Now


@dataclass(frozen=True, kw_only=True, slots=True)
class Chronicle:
    """Tells the timelines of one result. `verbose` leaves nothing out and shows addresses of authors."""

    quoted: Quoted
    source: SourceKind
    verbose: bool = False

    def of(self, finding: Finding) -> Timeline | None:
        """The timeline of a finding, None where no commit is known."""
        places = by_use(finding) if finding.repositories else finding.locations
        if self.source not in _WITH_HISTORY or not any(place.commit or place.removed or place.refs for place in places):
            return None
        dated = [*self._events(places, Happened.IN), *self._events(places, Happened.OUT)]
        events = [event for _, event in sorted(dated, key=lambda one: one[0])]
        kept = len(events) if self.verbose or len(events) <= _MOST_EVENTS + 1 else _MOST_EVENTS // 2
        now = _GONE if finding.mark is Mark.GONE else self._now(places)
        last = events[max(kept, len(events) - _MOST_EVENTS // 2) :]
        return Timeline(events=tuple(events[:kept]), last=tuple(last), gap=len(events) - kept - len(last), now=now)

    def told(self, commit: Commit) -> Told:
        """A commit as it can be shown."""
        name = commit.author.partition(" <")[0].strip()
        return Told(
            id=printable(commit.id[:12]),
            day=self.quoted.path(commit.date)[:10],
            author=self.quoted.prose(commit.author if self.verbose or not name else name),
            subject=self.quoted.prose(commit.subject),
        )

    def _events(self, places: Sequence[Location], happened: Happened) -> Iterable[tuple[datetime, Event]]:
        by_commit: dict[Commit, list[Location]] = {}
        for place in places:
            commit = place.commit if happened is Happened.IN else place.removed
            if commit is not None:
                by_commit.setdefault(commit, []).append(place)
        for commit, held in by_commit.items():
            paths = dict.fromkeys(self.quoted.path(place.path) for place in held)
            names = dict.fromkeys(
                name_of(place.repository, self.quoted) for place in held if place.repository is not None
            )
            shown = tuple(paths) if self.verbose else tuple(paths)[:_MOST_PATHS]
            known = tuple(names) if self.verbose or len(names) <= _MOST_NAMES + 1 else tuple(names)[:_MOST_NAMES]
            event = Event(
                happened=happened,
                commit=self.told(commit),
                paths=shown,
                more=len(paths) - len(shown),
                repositories=known,
                elsewhere=len(names) - len(known),
            )
            yield _moment(commit.date), event

    def _now(self, places: Sequence[Location]) -> Now:
        refs = list(dict.fromkeys(ref for place in places for ref in place.refs))
        shown = refs if self.verbose or len(refs) <= _MOST_REFS + 1 else refs[:_MOST_REFS]
        return Now(
            summary=_left({place.exposure for place in places}),
            refs=tuple(map(self.quoted.path, shown)),
            more=len(refs) - len(shown),
            pushed=any(place.pushed for place in places),
        )


def first_day(finding: Finding) -> date | None:
    """The day on which it was first brought in, as its author's clock said; None where no date is known."""
    days = (day_of(place.commit.date) for place in finding.locations if place.commit is not None)
    return min((day for day in days if day is not None), default=None)


def day_of(text: str) -> date | None:
    """The day of a moment in ISO 8601; None of what is none, as commits may hold anything."""
    found = _DAY.match(text)
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def _left(exposures: set[Exposure]) -> str:
    if Exposure.PRESENT in exposures:
        return "Still there today"
    if Exposure.STAGED in exposures:
        return "Brought in by this change"
    if Exposure.HISTORY in exposures:
        return "Gone from the files of today, still in the history"
    if Exposure.MESSAGE in exposures:
        return "Still in the message"
    return "No branch or tag leads to it, the object database still holds it"


def _moment(text: str) -> datetime:
    """When it was, to sort by; what is no date comes first."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return datetime.min.replace(tzinfo=timezone.utc)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
