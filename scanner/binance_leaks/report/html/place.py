"""One place of a credential as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from binance_leaks.findings import Mark
from binance_leaks.model import Location
from binance_leaks.report.names import ROLE_NAMES, exposed
from binance_leaks.report.sanitize import Quoted, printable


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
