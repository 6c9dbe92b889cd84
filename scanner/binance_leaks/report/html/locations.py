"""What the page tells of the repositories of a fleet: which hold a credential, what each holds, what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from binance_leaks.findings import Finding, Mark, Result, SourceKind
from binance_leaks.model import Location
from binance_leaks.report.locations import LEVELS, Total, held_by, holders, totals
from binance_leaks.report.names import MARK_NAMES, ROLE_NAMES, UNNAMED, exposed
from binance_leaks.report.sanitize import Quoted, printable
from binance_leaks.report.summary import plural, since_before


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a value stands: path, line and column, what it is there, how it is exposed, the commit that brought it."""

    path: str
    at: str
    role: str
    exposure: str
    commit: str
    preexisting: bool


@dataclass(frozen=True, slots=True)
class Placer:
    """Makes places fit to be shown."""

    quoted: Quoted

    def all(self, locations: Sequence[Location], mark: Mark | None) -> tuple[Place, ...]:
        """These of a credential that has this mark, in their order."""
        return tuple(self._place(place, mark) for place in locations)

    def _place(self, place: Location, mark: Mark | None) -> Place:
        return Place(
            path=self.quoted.path(place.path),
            at=f":{place.line}:{place.column}",
            role=ROLE_NAMES[place.role],
            exposure=exposed(place.exposure, mark),
            commit=printable(place.commit.id[:12]) if place.commit is not None else "",
            preexisting=place.preexisting,
        )


_MOST_ROWS = 15
_MOST_NAMES = 3
_FIRST_HELD = 4
_MOST_HELD = 100
_FIRST_PLACES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A repository with its places of one credential, the first few apart from the others."""

    name: str
    first: tuple[Place, ...]
    places: tuple[Place, ...]
    more: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """The repositories that hold a credential: their numbers in the list of the page, the first few, the others."""

    numbers: tuple[int, ...]
    first: tuple[Held, ...]
    held: tuple[Held, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.numbers)

    @property
    def more(self) -> int:
        """How many the page does not list with their places."""
        return self.count - len(self.first) - len(self.held)

    @property
    def names(self) -> tuple[str, ...]:
        """The names to show at first sight."""
        most = _MOST_NAMES if self.count > _MOST_NAMES + 1 else self.count
        return tuple(held.name for held in self.first[:most])


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One repository in the table of totals: how many credentials of each level that occurs, all, and those gone."""

    name: str
    number: int
    counts: tuple[int, ...]
    total: int
    gone: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Became:
    """How many credentials are new, still there or gone."""

    key: str
    name: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """The repositories of the page. `names` is the list of those that hold anything, by the numbers that rows have."""

    names: tuple[str, ...]
    told: str
    levels: tuple[str, ...]
    with_gone: bool
    first: tuple[Row, ...]
    rows: tuple[Row, ...]
    became: tuple[Became, ...]


class Roll:
    """Numbers the repositories of some findings, and tells which hold one of them."""

    def __init__(self, findings: Sequence[Finding], quoted: Quoted, *, verbose: bool) -> None:
        names = sorted({name for finding in findings for name in finding.repositories})
        self._numbers: Mapping[str, int] = {name: number for number, name in enumerate(names)}
        self._quoted = quoted
        self._placer = Placer(quoted)
        self._verbose = verbose

    def spread(self, finding: Finding) -> Spread | None:
        """The repositories that hold a finding, None where it was not found in a fleet."""
        found = holders(finding)
        if not found:
            return None
        kept = found if self._verbose or len(found) <= _MOST_HELD + 1 else found[:_MOST_HELD]
        held = tuple(self._held(holder.repository, self._placer.all(holder.places, finding.mark)) for holder in kept)
        first = _FIRST_HELD if len(held) > _FIRST_HELD + 1 else len(held)
        numbers = tuple(self._numbers[holder.repository] for holder in found)
        return Spread(numbers=numbers, first=held[:first], held=held[first:])

    def fleet(self, result: Result) -> Fleet | None:
        """Totals of a result's repositories, None if it is of no fleet."""
        if result.source is not SourceKind.FLEET:
            return None
        found = totals(result.findings)
        levels = [place for place in range(len(LEVELS)) if any(total.levels[place] for total in found)]
        rows = tuple(self._row(total, levels) for total in found)
        first = _MOST_ROWS if len(rows) > _MOST_ROWS + 1 else len(rows)
        return Fleet(
            names=tuple(map(self._name, self._numbers)),
            told=_told(result),
            levels=tuple(LEVELS[place].value for place in levels),
            with_gone=any(total.gone for total in found),
            first=rows[:first],
            rows=rows[first:],
            became=tuple(_became(result.findings)),
        )

    def _held(self, repository: str, places: Sequence[Place]) -> Held:
        kept = places if self._verbose or len(places) <= _MOST_HELD + 1 else places[:_MOST_HELD]
        first = _FIRST_PLACES if len(kept) > _FIRST_PLACES + 1 else len(kept)
        return Held(
            name=self._name(repository),
            first=tuple(kept[:first]),
            places=tuple(kept[first:]),
            more=len(places) - len(kept),
        )

    def _row(self, total: Total, levels: Sequence[int]) -> Row:
        return Row(
            name=self._name(total.repository),
            number=self._numbers[total.repository],
            counts=tuple(total.levels[place] for place in levels),
            total=total.credentials,
            gone=total.gone,
        )

    def _name(self, repository: str) -> str:
        return name_of(repository, self._quoted)


def name_of(repository: str, quoted: Quoted) -> str:
    """The name of a repository as a page may show it."""
    return quoted.path(repository).strip() or UNNAMED


def headline(result: Result) -> str:
    """How many credentials are in how many repositories, and how many are gone, for a result that has any."""
    gone = sum(finding.mark is Mark.GONE for finding in result.findings)
    there = len(result.findings) - gone
    if not there:
        return f"{plural(gone, 'leaked credential')} gone"
    told = f"{plural(there, 'leaked credential')} {held_by(result)}".strip()
    return f"{told}, {gone:,} gone" if gone else told


def _told(result: Result) -> str:
    """What the headline leaves out."""
    failed = result.stats.repositories_failed or 0
    lost = f"{plural(failed, 'repository')} could not be scanned." if failed else ""
    return " ".join(sentence for sentence in (lost, since_before(result)) if sentence)


def _became(findings: Sequence[Finding]) -> list[Became]:
    marks = [finding.mark for finding in findings]
    return [
        Became(key=mark.value, name=name, count=marks.count(mark)) for mark, name in MARK_NAMES.items() if mark in marks
    ]
