"""Locations of a credential, and repositories of a fleet, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from binance_leaks.findings import Finding, Result, SourceKind
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, Location
from binance_leaks.quantities import plural
from binance_leaks.report.forge import ForgeLinks
from binance_leaks.report.locations import (
    LEVELS_BY_SEVERITY,
    RepositoryTotal,
    describe_position,
    locations_by_repository,
    total_by_repository,
)
from binance_leaks.report.names import MARK_NAMES, UNNAMED, exposure_name, readers_name, role_name
from binance_leaks.report.prose import describe_origin
from binance_leaks.report.sanitize import Quoted, printable
from binance_leaks.report.summary import describe_changes


@dataclass(frozen=True, kw_only=True, slots=True)
class LocationText:
    """Where a value is: path, line and column, its role, its exposure, and the commit that introduced it.

    `link` leads to the line on a forge, `commit_link` to the commit, `origin` describes who wrote it or which layer of
    an image has it; they are empty if unknown.
    """

    path: str
    at: str
    link: str
    role: str
    exposure: str
    commit: str
    commit_link: str
    preexisting: bool
    origin: str


@dataclass(frozen=True, slots=True)
class LocationFormatter:
    """Formats locations as sanitized text."""

    quoted: Quoted
    links: ForgeLinks

    def all(self, locations: Sequence[Location], finding: Finding) -> tuple[LocationText, ...]:
        """Format locations of a finding, in their order."""
        return tuple(self._location(location, finding) for location in locations)

    def _location(self, location: Location, finding: Finding) -> LocationText:
        return LocationText(
            path=describe_path(location, self.quoted),
            at=describe_position(location, ""),
            link=self.links.line(location),
            role=role_name(finding, location.role),
            exposure=", ".join(filter(None, (exposure_name(location.exposure, finding.mark), readers_name(location)))),
            commit=printable(location.commit.id[:12]) if location.commit is not None else "",
            commit_link=self.links.commit(location.commit.id, pushed=location.pushed) if location.commit else "",
            preexisting=location.preexisting,
            origin="; ".join(describe_origin(location.origin, self.quoted)),
        )


_NOTES = "refs/notes/"
_NOTE = lazy_pattern(r"(?=(?:/?[0-9a-f]){40}(?:(?:/?[0-9a-f]){24})?\Z)[0-9a-f/]+")
_MAX_ROWS = 15
_MAX_NAMES = 3
_FIRST_REPOSITORIES = 4
_MAX_REPOSITORIES = 100
_FIRST_LOCATIONS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryText:
    """A repository with its locations of one credential, the first few apart from the others."""

    name: str
    first: tuple[LocationText, ...]
    locations: tuple[LocationText, ...]
    more: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """The repositories that hold a credential: their numbers in the list of the page, the first few, the others."""

    numbers: tuple[int, ...]
    first: tuple[RepositoryText, ...]
    held: tuple[RepositoryText, ...]

    @property
    def count(self) -> int:
        """Number of repositories."""
        return len(self.numbers)

    @property
    def more(self) -> int:
        """Number of repositories that are not listed with their locations."""
        return self.count - len(self.first) - len(self.held)

    @property
    def names(self) -> tuple[str, ...]:
        """Names to show while the card is closed."""
        most = _MAX_NAMES if self.count > _MAX_NAMES + 1 else self.count
        return tuple(held.name for held in self.first[:most])


@dataclass(frozen=True, kw_only=True, slots=True)
class TotalRow:
    """One repository in the table of totals: credentials of each level that occurs, of all, and gone ones."""

    name: str
    number: int
    counts: tuple[int, ...]
    total: int
    gone: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeCount:
    """How many credentials are new, still there or gone."""

    key: str
    name: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetText:
    """The repositories of the page. `names` lists those with credentials, by the numbers that rows have."""

    names: tuple[str, ...]
    summary: str
    levels: tuple[str, ...]
    with_gone: bool
    first: tuple[TotalRow, ...]
    rows: tuple[TotalRow, ...]
    changes: tuple[ChangeCount, ...]


class RepositoryIndex:
    """Numbers the repositories of some findings, and formats which of them hold a finding."""

    def __init__(self, findings: Sequence[Finding], quoted: Quoted, links: ForgeLinks, *, verbose: bool) -> None:
        names = sorted({name for finding in findings for name in finding.repositories})
        self._numbers: Mapping[str, int] = {name: number for number, name in enumerate(names)}
        self._quoted = quoted
        self._formatter = LocationFormatter(quoted, links)
        self._verbose = verbose

    def spread(self, finding: Finding) -> Spread | None:
        """Return the repositories that hold a finding, None if it was not found in a fleet."""
        found = locations_by_repository(finding)
        if not found:
            return None
        kept = found if self._verbose or len(found) <= _MAX_REPOSITORIES + 1 else found[:_MAX_REPOSITORIES]
        held = tuple(self._held(holder.repository, self._formatter.all(holder.locations, finding)) for holder in kept)
        first = _FIRST_REPOSITORIES if len(held) > _FIRST_REPOSITORIES + 1 else len(held)
        numbers = tuple(self._numbers[holder.repository] for holder in found)
        return Spread(numbers=numbers, first=held[:first], held=held[first:])

    def fleet(self, result: Result) -> FleetText | None:
        """Return totals of a result's repositories, None if it is not of a fleet."""
        if result.source is not SourceKind.FLEET:
            return None
        found = total_by_repository(result.findings)
        levels = [place for place in range(len(LEVELS_BY_SEVERITY)) if any(total.levels[place] for total in found)]
        rows = tuple(self._row(total, levels) for total in found)
        first = _MAX_ROWS if len(rows) > _MAX_ROWS + 1 else len(rows)
        return FleetText(
            names=tuple(map(self._name, self._numbers)),
            summary=_describe_failures(result),
            levels=tuple(LEVELS_BY_SEVERITY[place].value for place in levels),
            with_gone=any(total.gone for total in found),
            first=rows[:first],
            rows=rows[first:],
            changes=tuple(_count_changes(result.findings)),
        )

    def _held(self, repository: str, locations: Sequence[LocationText]) -> RepositoryText:
        kept = locations if self._verbose or len(locations) <= _MAX_REPOSITORIES + 1 else locations[:_MAX_REPOSITORIES]
        first = _FIRST_LOCATIONS if len(kept) > _FIRST_LOCATIONS + 1 else len(kept)
        return RepositoryText(
            name=self._name(repository),
            first=tuple(kept[:first]),
            locations=tuple(kept[first:]),
            more=len(locations) - len(kept),
        )

    def _row(self, total: RepositoryTotal, levels: Sequence[int]) -> TotalRow:
        return TotalRow(
            name=self._name(total.repository),
            number=self._numbers[total.repository],
            counts=tuple(total.levels[place] for place in levels),
            total=total.credentials,
            gone=total.gone,
        )

    def _name(self, repository: str) -> str:
        return display_name(repository, self._quoted)


def describe_path(location: Location, quoted: Quoted) -> str:
    """Return the sanitized path of a location; a message and a note by what they are about.

    git stores the note of a commit in a file that is called like the id of the commit.
    """
    if location.path == COMMIT_MESSAGE and location.commit is not None:
        return f"message of commit {printable(location.commit.id[:12])}"
    if location.path == TAG_MESSAGE and location.refs:
        return f"message of tag {quoted.path(location.refs[0])}"
    if location.refs and all(ref.startswith(_NOTES) for ref in location.refs) and _NOTE.fullmatch(location.path):
        name = quoted.path(location.refs[0].removeprefix(_NOTES))
        about = location.path.replace("/", "")[:12]
        return f"note on {about}" if name == "commits" else f"note on {about} ({name})"
    return quoted.path(location.path)


def display_name(repository: str, quoted: Quoted) -> str:
    """Return the sanitized name of a repository."""
    return quoted.path(repository).strip() or UNNAMED


def _describe_failures(result: Result) -> str:
    """Return repositories that failed, and changes since the previous run."""
    failed = result.stats.repositories_failed or 0
    lost = f"{plural(failed, 'repository')} could not be scanned." if failed else ""
    return " ".join(sentence for sentence in (lost, describe_changes(result)) if sentence)


def _count_changes(findings: Sequence[Finding]) -> list[ChangeCount]:
    marks = [finding.mark for finding in findings]
    return [
        ChangeCount(key=mark.value, name=name, count=marks.count(mark))
        for mark, name in MARK_NAMES.items()
        if mark in marks
    ]
