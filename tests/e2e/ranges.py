"""Runs `range`, `ci` and `push`, and reads what they tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tests.e2e import Pair, Scanned, run
from tests.e2e.histories import Leak, Spot, identity


class Change(Spot):
    """A location of the JSON report of a range."""

    standing: bool


class Brought(Leak):
    """A finding of the JSON report of a range."""

    environment: str
    evidence: list[str]
    fails: bool


class RangeReport(TypedDict):
    """What of the JSON report is asked here."""

    scan: Scanned
    findings: list[Brought]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """One run with the report in JSON; `report` is None where there is none."""

    status: int
    err: str
    report: RangeReport | None

    @property
    def found(self) -> list[Brought]:
        """The findings."""
        assert self.report is not None, self.err
        return self.report["findings"]

    @property
    def ids(self) -> list[str]:
        """The ids of the findings, sorted."""
        return sorted(finding["id"] for finding in self.found)

    @property
    def places(self) -> list[Change]:
        """All locations of all findings."""
        return [place for finding in self.found for place in finding["locations"]]  # type: ignore[misc]

    @property
    def stats(self) -> Mapping[str, float]:
        """The counts."""
        assert self.report is not None, self.err
        return self.report["scan"]["stats"]

    def is_of(self, *pairs: Pair) -> bool:
        """Whether the findings are of just these pairs."""
        return self.ids == sorted(identity(pair) for pair in pairs)


def gate(
    *words: str | bytes | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: bytes = b"", timeout: float = 60
) -> Gate:
    """One run of `range`, `ci` or `push`; exit status and findings agree."""
    ran = run(*words, "--format", "json", cwd=cwd, env=env, stdin=stdin, timeout=timeout)
    report: RangeReport | None = json.loads(ran.out) if ran.out else None
    if report is not None and "--fail-on" not in words:
        assert ran.status == (1 if report["findings"] else 0 if report["scan"]["complete"] else 3), ran.err
    return Gate(status=ran.status, err=ran.err, report=report)


def brought_by(place: Change) -> str | None:
    """The commit that brought a value to a place."""
    return place["commit"]["id"] if place["commit"] else None


def removed_by(place: Change) -> str | None:
    """The commit that took it out."""
    return place["removed"]["id"] if place["removed"] else None
