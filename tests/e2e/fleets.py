"""Runs `fleet` and reads what it reports; repositories that share what they should not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tests.e2e import Named, Outcome, Pair, Place, Scanned, run
from tests.repositories import Repository


class Spot(Place):
    """A location of the JSON report of a fleet."""

    repository: str
    standing: bool
    blob: str | None
    commit: dict[str, str] | None


class Leak(TypedDict):
    """A finding of the JSON report of a fleet."""

    id: str
    kind: str
    environment: str
    confidence: str
    mark: str | None
    unlisted: int
    fails: bool
    risk: dict[str, object]
    values: list[Named]
    locations: list[Spot]
    suppressed: dict[str, str] | None
    verification: dict[str, object] | None


class FleetReport(TypedDict):
    """What of the JSON report is asked here."""

    scan: Scanned
    findings: list[Leak]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """A folder of repositories, with a store beside it."""

    top: Path

    @property
    def folder(self) -> Path:
        """What is searched."""
        return self.top / "src"

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.top / "fleet.db"

    def add(self, name: str, files: Mapping[str, str | bytes] | None = None) -> Repository:
        """A new repository with one commit."""
        repository = Repository.create(self.folder / name)
        repository.commit(files or {"README.md": "words\n"})
        return repository

    def run(self, *words: str | Path, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Outcome:
        """`fleet` with these words."""
        return run("fleet", *words, cwd=self.top, env=env, stdin=stdin)

    def scan(self, *words: str | Path, env: Mapping[str, str] | None = None) -> FleetReport:
        """A scan of the folder with the store, as JSON."""
        return report(self.run("scan", self.folder, "--store", self.store, "--format", "json", *words, env=env))


def report(outcome: Outcome) -> FleetReport:
    """The JSON report on standard output."""
    assert outcome.out, outcome.err
    read: FleetReport = json.loads(outcome.out)
    return read


def found(reported: FleetReport) -> dict[frozenset[str], set[str]]:
    """The repositories that hold each credential, by the digests of its values."""
    return {
        frozenset(named["sha256"] for named in leak["values"]): {place["repository"] for place in leak["locations"]}
        for leak in reported["findings"]
    }


def held(*pairs: tuple[Pair, Iterable[str]]) -> dict[frozenset[str], set[str]]:
    """The same, as it should be."""
    return {frozenset(pair.digests): set(names) for pair, names in pairs}


def marks(reported: FleetReport) -> dict[frozenset[str], str | None]:
    """What became of each credential since the run before."""
    return {frozenset(named["sha256"] for named in leak["values"]): leak["mark"] for leak in reported["findings"]}
