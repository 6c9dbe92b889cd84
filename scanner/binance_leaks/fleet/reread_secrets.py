"""Re-read secrets from their repositories for verification.

Workers send no values back. Only the objects with wanted values are read, in as few repositories as possible.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from binance_leaks.errors import ScannerError
from binance_leaks.findings import Finding
from binance_leaks.fleet.models import Repository
from binance_leaks.fleet.unit_scan import local_folder
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, Credential, Location, Occurrence, container_of
from binance_leaks.pipeline.files import credentials_in, credentials_in_object
from binance_leaks.sources.git import Git
from binance_leaks.sources.read_content import Chunk, read_stream
from binance_leaks.sources.urls import is_url

_MOST_PLACES = 4
"""Places of a value that are read in one repository."""

ReportStep = Callable[[str], None]
"""Told the label of a repository before it is read."""


@dataclass(kw_only=True, slots=True)
class _Wanted:
    """Locations in one repository by the digests of their values."""

    places: dict[str, list[Location]] = field(default_factory=dict)

    def add(self, digest: str, place: Location) -> None:
        held = self.places.setdefault(digest, [])
        if len(held) < _MOST_PLACES:
            held.append(place)


class SecretReader:
    """Reads values again from the repositories of a fleet that this machine can reach."""

    def __init__(self, repositories: Iterable[Repository], on_repository: ReportStep) -> None:
        self._repositories = {repository.label: repository for repository in repositories}
        self._on_repository = on_repository

    def credentials(self, findings: Sequence[Finding]) -> list[Credential]:
        """Return the credentials of findings, with the bytes of those values that could be read."""
        found = self._occurrences(findings)
        return [_credential(finding, found) for finding in findings]

    def _occurrences(self, findings: Sequence[Finding]) -> dict[str, list[Occurrence]]:
        """Read occurrences with their bytes, by digest."""
        by_repository = _places(findings)
        missing = {value.sha256 for finding in findings for value in finding.values}
        found: dict[str, list[Occurrence]] = {}
        while missing:
            label = self._best(by_repository, missing)
            if label is None:
                break
            wanted = by_repository.pop(label)
            self._on_repository(label)
            for occurrence in self._read(self._repositories[label], wanted, missing):
                found.setdefault(occurrence.value.sha256, []).append(occurrence)
            missing -= found.keys()
        return found

    def _best(self, places: Mapping[str, _Wanted], missing: set[str]) -> str | None:
        """Choose the repository with most of the missing values, one on this disk before one to clone."""

        def rank(label: str) -> tuple[int, bool, str]:
            return -len(missing & places[label].places.keys()), is_url(self._repositories[label].address), label

        ranked = sorted(rank(label) for label in places if label in self._repositories)
        return ranked[0][2] if ranked and ranked[0][0] else None

    def _read(self, repository: Repository, wanted: _Wanted, missing: set[str]) -> list[Occurrence]:
        """Read the missing values in a repository; nothing where it cannot be read."""
        places = [place for digest, held in wanted.places.items() if digest in missing for place in held]
        try:
            with local_folder(repository.address) as folder:
                return [
                    occurrence
                    for credential in _read_again(Git(str(folder)), places, repository.label)
                    for occurrence in credential.occurrences
                    if occurrence.value.sha256 in missing
                ]
        except (ScannerError, OSError):
            return []


def _places(findings: Iterable[Finding]) -> dict[str, _Wanted]:
    """Where to read, by repository. A location names only a role, so every value of that role may be there."""
    by_repository: dict[str, _Wanted] = {}
    for finding in findings:
        for place in finding.locations:
            if place.repository is not None:
                wanted = by_repository.setdefault(place.repository, _Wanted())
                for value in finding.values:
                    if value.role is place.role:
                        wanted.add(value.sha256, place)
    return by_repository


def _read_again(git: Git, places: Iterable[Location], label: str) -> Iterator[Credential]:
    """Detect again in the objects of these locations. Paths begin with the label, as those of other repositories do."""
    paths: dict[str, set[str | None]] = {}
    for place in places:
        if place.blob is not None:
            paths.setdefault(place.blob, set()).add(container_of(place.path))
        elif place.commit is not None and place.path in (COMMIT_MESSAGE, TAG_MESSAGE):
            paths.setdefault(place.commit.id, set()).add(None)
    with git.blobs(paths) as blobs:
        for name, stream in blobs:
            content = stream.read() if stream is not None else b""
            for path in sorted(paths[name], key=str):
                for credential in _in_content(content, path):
                    yield credential.moved(lambda place: replace(place, path=f"{label}/{place.path}"))


def _in_content(content: bytes, path: str | None) -> Iterator[Credential]:
    if path is None:
        yield from credentials_in_object(content)
        return
    for chunk in read_stream(path, path, io.BytesIO(content), size=len(content)):
        if isinstance(chunk, Chunk):
            yield from credentials_in(chunk)


def _credential(finding: Finding, found: Mapping[str, Sequence[Occurrence]]) -> Credential:
    """The credential of a finding, with the bytes of its values."""
    values = []
    occurrences: list[Occurrence] = []
    for value in finding.values:
        seen = [occurrence.in_role(value.role) for occurrence in found.get(value.sha256, ())]
        values.append(seen[0].value if seen else value)
        occurrences += seen
    return Credential(
        values=tuple(values),
        occurrences=tuple(occurrences),
        environment=finding.environment,
        confidence=finding.confidence,
        evidence=finding.evidence,
    )
