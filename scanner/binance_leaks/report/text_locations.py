"""The part of the text report that says where a credential stands, since when, and what became of it."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import groupby

from rich.text import Text

from binance_leaks.findings import Finding, Mark, SourceKind
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, Commit, Exposure, Location
from binance_leaks.report.location_order import holders, in_store
from binance_leaks.report.names import ROLE_NAMES, UNNAMED, file_of
from binance_leaks.report.sanitize import Quoted, printable
from binance_leaks.report.sarif import is_absolute, path_uri
from binance_leaks.report.text_layout import Page

_MOST_LOCATIONS = 6
_MOST_REPOSITORIES = 3
_MOST_OF_EACH = 3
_MOST_REFS = 4
_LONGEST_URL = 2000  # terminals cut or drop longer ones
_ON_DISK = (Exposure.STAGED, Exposure.PRESENT)

_PREEXISTING = "Stood there before; does not block"
_EXPOSURE_ORDER = (
    Exposure.STAGED,
    Exposure.PRESENT,
    Exposure.HISTORY,
    Exposure.MESSAGE,
    Exposure.UNREACHABLE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fold:
    """How places are drawn: how far in, how many of each kind at most, and whether each says its role."""

    mark: Mark | None
    indent: int
    most: int
    with_role: bool


class Places:
    """Draws the locations of findings on a page, by exposure and commit."""

    def __init__(
        self, page: Page, quoted: Quoted, *, source: SourceKind, verbose: bool, folder: str | None = None
    ) -> None:
        self._page = page
        self._quoted = quoted
        self._source = source
        self._verbose = verbose
        self._folder = folder

    def of(self, finding: Finding) -> None:
        """Where its values stand, the most visible places first. `verbose` unfolds places, refs and authors.

        In a fleet by repositories, those first where it is seen most.
        """
        with_role = len({location.role for location in finding.locations}) > 1
        held = holders(finding)
        if not held:
            fold = _Fold(mark=finding.mark, indent=2, most=_MOST_LOCATIONS, with_role=with_role)
            self._exposures(finding.locations, fold)
        shown = held if self._verbose or len(held) <= _MOST_REPOSITORIES + 1 else held[:_MOST_REPOSITORIES]
        most = _MOST_LOCATIONS if len(held) == 1 else _MOST_OF_EACH
        for holder in shown:
            name = self._quoted.path(holder.repository).strip() or UNNAMED
            self._page.whole(Text.assemble("In ", (name, "bold"), ":"), indent=2)
            self._exposures(holder.places, _Fold(mark=finding.mark, indent=4, most=most, with_role=with_role))
        self._page.more(len(held) - len(shown), "repository", indent=2)
        if finding.unlisted:
            self._page.wrapped(Text(f"and {in_store(finding.unlisted)}", style="dim"), indent=2)

    def _exposures(self, locations: Sequence[Location], fold: _Fold) -> None:
        for exposure in _EXPOSURE_ORDER:
            places = [location for location in locations if location.exposure is exposure]
            for preexisting in (False, True):
                group = [place for place in places if place.preexisting is preexisting]
                if group:
                    heading = _PREEXISTING if preexisting else _exposed(group, self._source, fold.mark)
                    self._page.wrapped(Text(f"{heading}:"), indent=fold.indent, hang=2)
                    self._group(group, fold)

    def _group(self, places: Sequence[Location], fold: _Fold) -> None:
        shown = places if self._verbose else _first_places(places, fold.most)
        for commit, group in groupby(_by_commit(shown), key=lambda location: location.commit):
            if commit is not None:
                self._page.wrapped(self._commit(commit), indent=fold.indent + 2, hang=2)
            indent = fold.indent + (2 if commit is None else 4)
            for fate, fellows in groupby(group, key=_fate):
                for location in fellows:
                    self._place(location, indent=indent, with_role=fold.with_role)
                self._outcome(*fate, indent=indent + 2)
        self._page.more(len(places) - len(shown), "place", indent=fold.indent + 2)

    def _place(self, location: Location, *, indent: int, with_role: bool) -> None:
        place = Text(f"{self._quoted.path(location.path)}:{location.line}:{location.column}")
        role = Text(f"  {ROLE_NAMES[location.role]}" if with_role else "", style="dim")
        self._page.linked(place, role, url=self._url(location), indent=indent)

    def _url(self, location: Location) -> str | None:
        """The file to open for a place; None where it does not stand in one, or its name would show a value."""
        file = file_of(location)
        if self._folder is None or location.repository is not None or file is None or location.exposure not in _ON_DISK:
            return None
        path = posixpath.normpath(file if is_absolute(file) else f"{self._folder}/{file}")
        if path.startswith("//") or self._quoted.redactor.path(path) != path:
            return None  # another machine's file is not opened by a click
        url = path_uri(path)
        return url if len(url) <= _LONGEST_URL else None

    def _outcome(self, removed: Commit | None, refs: Sequence[str], *, indent: int) -> None:
        """What became of the places above, and which branches and tags hold them."""
        if removed is not None:
            line = Text.assemble("removed in ", (printable(removed.id[:12]), "yellow"))
            line.append(f" ({self._date(removed)}) by {self._author(removed)}: {self._quoted.prose(removed.subject)}")
            self._page.wrapped(line, indent=indent, hang=2)
        if refs:
            folded = len(refs) > _MOST_REFS + 1 and not self._verbose
            shown = ", ".join(map(self._quoted.path, refs[:_MOST_REFS] if folded else refs))
            more = f" and {len(refs) - _MOST_REFS:,} more" if folded else ""
            self._page.wrapped(Text(f"in {shown}{more}", style="dim"), indent=indent, hang=2)

    def _commit(self, commit: Commit) -> Text:
        line = Text(printable(commit.id[:12]), style="yellow")
        line = Text.assemble(line, f" {self._date(commit)} {self._author(commit)}: ")
        return line.append(self._quoted.prose(commit.subject))

    def _date(self, commit: Commit) -> str:
        return self._quoted.path(commit.date)[:10]

    def _author(self, commit: Commit) -> str:
        """The name; the address behind it only when verbose."""
        name = commit.author.partition(" <")[0].strip()
        return self._quoted.prose(commit.author if self._verbose or not name else name)


def _exposed(places: Sequence[Location], source: SourceKind, mark: Mark | None) -> str:
    """The heading over places of one exposure."""
    match places[0].exposure:
        case Exposure.STAGED:
            return "Added in this commit"
        case Exposure.MESSAGE:
            return _in_message({place.path for place in places}, source)
        case Exposure.PRESENT if mark is Mark.GONE:
            return "There in an earlier run"
        case Exposure.PRESENT:
            return "Found at" if source in (SourceKind.FILES, SourceKind.STAGED) else "Still there today"
        case Exposure.HISTORY:
            return "Only in older commits"
        case Exposure.UNREACHABLE:
            return "Only in the object database, no branch or tag leads to it"


def _in_message(paths: Set[str], source: SourceKind) -> str:
    if source is SourceKind.STAGED:
        return "In the commit message"
    if paths == {COMMIT_MESSAGE}:
        return "In a commit message"
    return "In a tag message" if paths == {TAG_MESSAGE} else "In a commit or tag message"


def _by_commit(places: Sequence[Location]) -> list[Location]:
    """Places of one commit and fate side by side, both as they first come, then by path and position."""
    commits: dict[Commit | None, int] = {}
    fates: dict[tuple[Commit | None, tuple[str, ...]], int] = {}
    for place in places:
        commits.setdefault(place.commit, len(commits))
        fates.setdefault(_fate(place), len(fates))
    return sorted(
        places, key=lambda place: (commits[place.commit], fates[_fate(place)], place.path, place.line, place.column)
    )


def _fate(place: Location) -> tuple[Commit | None, tuple[str, ...]]:
    return place.removed, place.refs


def _first_places(places: Sequence[Location], most: int) -> Sequence[Location]:
    """The places that fit; a list that is one too long is not folded, as the fold would be as long."""
    return places if len(places) <= most + 1 else _by_commit(places)[:most]
