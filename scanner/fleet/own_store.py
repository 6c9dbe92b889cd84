"""What is a repository's own where it borrows objects of another, as a fork does."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from scanner.detect.credentials import credential_of
from scanner.model import Credential, Exposure, Location, Sighting
from scanner.sources.objects.database import Database, open_packs


class OwnStore:
    """The objects that nobody but a repository stands for: its own, and those of folders that are not `lent`."""

    def __init__(self, database: Database, lent: frozenset[str]) -> None:
        first, *others = database.folders
        own = replace(database, folders=(first, *(one for one in others if os.path.realpath(one) not in lent)))
        opened = open_packs(own.pack_files(), own.id_size)
        self._packs = opened.packs
        self._others = {*opened.by_git, *own.loose()}

    def owned(self, credentials: Iterable[Credential]) -> list[Credential]:
        """The credentials without places that only a lender has: borrowed objects that none of its refs reaches."""
        kept = (self._owned(credential) for credential in credentials)
        return [credential for credential in kept if credential.sightings]

    def _owned(self, credential: Credential) -> Credential:
        sightings = [sighting for sighting in credential.sightings if self._is_own(sighting)]
        if len(sightings) == len(credential.sightings):
            return credential
        return credential_of(sightings) if sightings else replace(credential, sightings=())

    def _is_own(self, sighting: Sighting) -> bool:
        place = sighting.location
        return place.exposure is not Exposure.UNREACHABLE or self._has(_object(place))

    def _has(self, name: bytes | None) -> bool:
        if name is None:
            return True
        return name in self._others or any(pack.entry_of(name) is not None for pack in self._packs)


def _object(place: Location) -> bytes | None:
    """The object that a place is in: a blob, or for a message the commit or tag."""
    name = place.blob or (place.commit.id if place.commit is not None else None)
    return bytes.fromhex(name) if name is not None else None
