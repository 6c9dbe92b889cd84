"""One place of a credential as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scanner.model import Location
from scanner.report.sanitize import Quoted, printable
from scanner.report.words import EXPOSURE_NAMES, ROLE_NAMES


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a value stands: path, line and column, what it is there, how it is exposed, the commit that brought it."""

    path: str
    at: str
    role: str
    exposure: str
    commit: str
    standing: bool


@dataclass(frozen=True, slots=True)
class Placer:
    """Makes places fit to be shown."""

    quoted: Quoted

    def all(self, locations: Sequence[Location]) -> tuple[Place, ...]:
        """These, in their order."""
        return tuple(map(self._place, locations))

    def _place(self, place: Location) -> Place:
        return Place(
            path=self.quoted.path(place.path),
            at=f":{place.line}:{place.column}",
            role=ROLE_NAMES[place.role],
            exposure=EXPOSURE_NAMES[place.exposure],
            commit=printable(place.commit.id[:12]) if place.commit is not None else "",
            standing=place.standing,
        )
