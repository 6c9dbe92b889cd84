"""Convert the report of a repository to rows, with a digest of each finding to detect changes.

Reports are large: a location becomes one tuple and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from binance_leaks.findings import SuppressedBy
from binance_leaks.fleet.store import cells
from binance_leaks.model import Confidence, Environment, Kind, RiskLevel
from binance_leaks.report.json import SCHEMA, Report, WireCommit, WireFinding
from binance_leaks.report.locations import EXPOSURES_BY_USE
from binance_leaks.report.stored import read_value

LocationTuple = tuple[bool, int, bool, str, int, int, str, str, str, str, str, str]
"""standing, rank by use, not pushed, path, line, column, role, exposure, blob, added by, removed by, references.

Sorted as tuples, those come first that help a reader most. What is missing is empty, as None cannot be compared.
"""
_UNPUSHED: Final = 2
_ROLE: Final = 6
_REFS: Final = 11
LocationRow = tuple[int, int, str, str, int, int, str, int | None, int | None, str | None, int, bool, bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingRows:
    """A finding: fields as text, values (role, digest, mask), locations, and their commits."""

    credential: str
    kind: str
    environment: str
    confidence: str
    risk: str
    reasons: str
    evidence: str
    suppressed: tuple[str, str] | None
    values: tuple[tuple[str, str, str], ...]
    places: tuple[LocationTuple, ...] = field(repr=False)
    commits: Mapping[str, WireCommit] = field(repr=False)
    digest: bytes

    @property
    def refs(self) -> set[str]:
        """The ref lists of its locations."""
        return {place[_REFS] for place in self.places}

    def place_rows(self, finding: int, commits: Mapping[str, int], refs: Mapping[str, int]) -> Iterator[LocationRow]:
        """Return the rows of its locations, with the ids of the finding, of commits and of ref lists.

        The first location of each role comes first, so that the first few show the whole credential, then the first one
        that a remote has, then the others in order.
        """
        for number, row in enumerate(_leading(self.places)):
            standing, _, unpushed, path, line, column, role, exposure, blob, added, removed, names = row
            named = commits.get(added), commits.get(removed), blob or None, refs[names]
            yield (finding, number, role, path, line, column, exposure, *named, not unpushed, standing)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportRows:
    """A report: whether the scan was complete, statistics in JSON, skipped items, findings."""

    complete: bool
    stats: str
    skipped: tuple[tuple[str, str], ...]
    findings: tuple[FindingRows, ...]


def rows_of(report: Report) -> ReportRows:
    """Convert a report; its text is redacted even if the worker left values in it.

    Raises ValueError, KeyError, TypeError, AttributeError or UsageError for an invalid report: what is stored must be
    readable.
    """
    if report["schema"] != SCHEMA:
        raise ValueError("another schema")
    scan = report["scan"]
    stats = json.dumps(scan["stats"])
    cells.counts(stats)
    found = {finding["id"]: _rows_of(finding) for finding in report["findings"]}
    if len(found) != len(report["findings"]):
        raise ValueError("a credential twice")
    return ReportRows(
        complete=cells.truth(scan["complete"]),
        stats=stats,
        skipped=tuple((cells.path(each["what"]), cells.prose(each["why"])) for each in scan["skipped"]),
        findings=tuple(found.values()),
    )


def _rows_of(finding: WireFinding) -> FindingRows:
    commits: dict[str, WireCommit] = {}
    places = _places(finding, commits)
    suppressed = finding["suppressed"]
    values = [read_value(value, "of a worker") for value in finding["values"]]
    if not values:
        raise ValueError("a finding without a value")
    shown = tuple((value.role.value, value.sha256, value.masked) for value in values)
    text_fields = (
        Kind(finding["kind"]).value,
        Environment(finding["environment"]).value,
        Confidence(finding["confidence"]).value,
        RiskLevel(finding["risk"]["level"]).value,
        json.dumps(cells.proses(finding["risk"]["reasons"])),
        json.dumps(cells.proses(finding["evidence"])),
        None if suppressed is None else (SuppressedBy(suppressed["by"]).value, cells.prose(suppressed["reason"])),
    )
    kind, environment, confidence, risk, reasons, evidence, why = text_fields
    return FindingRows(
        credential=cells.identity(finding["id"]),
        kind=kind,
        environment=environment,
        confidence=confidence,
        risk=risk,
        reasons=reasons,
        evidence=evidence,
        suppressed=why,
        values=shown,
        places=places,
        commits=commits,
        digest=_digest((text_fields, shown, [fields_of(commits[name]) for name in sorted(commits)]), places),
    )


def _places(finding: WireFinding, commits: dict[str, WireCommit]) -> tuple[LocationTuple, ...]:
    """The sorted locations; their commits are added to `commits`."""
    ranks = {exposure.value: rank for rank, exposure in enumerate(EXPOSURES_BY_USE)}
    found: list[LocationTuple] = []
    for place in finding["locations"]:
        added, removed = place["commit"], place["removed"]
        for commit in (added, removed):
            if commit is not None and commit["id"] not in commits:
                commits[commit["id"]] = cells.commit(commit)
        exposure = place["exposure"]
        found.append(
            (
                place["standing"],
                ranks[exposure],
                not place["pushed"],
                place["path"],
                place["line"],
                place["column"],
                place["role"],
                exposure,
                place["blob"] or "",
                "" if added is None else added["id"],
                "" if removed is None else removed["id"],
                "\n".join(place["refs"]),
            )
        )
    if not found:
        raise ValueError("a finding without a place")
    return tuple(sorted(_in_shape(found)))


def _in_shape(found: list[LocationTuple]) -> list[LocationTuple]:
    """Check and redact the locations, column by column for speed."""
    columns = list(zip(*found, strict=True))
    standing, _, _, paths, lines, numbers, roles, _, blobs, _, _, refs = columns
    cells.truths(standing)
    cells.counted(lines)
    cells.counted(numbers)
    cells.roles(roles)
    cells.objects(blobs)
    changed = cells.changed((*paths, *refs))
    if not changed:
        return found
    return [_renamed(place, changed) for place in found]


def _renamed(place: LocationTuple, changed: Mapping[str, str]) -> LocationTuple:
    standing, rank, unpushed, path, line, column, role, exposure, blob, added, removed, refs = place
    path, refs = changed.get(path, path), changed.get(refs, refs)
    return standing, rank, unpushed, path, line, column, role, exposure, blob, added, removed, refs


def _leading(places: tuple[LocationTuple, ...]) -> Iterable[LocationTuple]:
    leaders: dict[str, int] = {}
    for number, place in enumerate(places):
        leaders.setdefault(place[_ROLE], number)
    first = set(leaders.values())
    first.update([number for number, place in enumerate(places) if not place[_UNPUSHED]][:1])
    rest = (place for number, place in enumerate(places) if number not in first)
    return chain((places[number] for number in sorted(first)), rest)


def fields_of(commit: WireCommit) -> tuple[str, str, str, str]:
    """The row of a commit."""
    return commit["id"], commit["author"], commit["date"], commit["subject"]


def _digest(content: object, places: Iterable[LocationTuple]) -> bytes:
    """The digest of a finding. Foreign text is preceded by its length, so that it is unambiguous."""
    lines = [
        f"{standing:d} {unpushed:d} {line} {column} {role} {exposure} {blob} {added} {removed}"
        f" {len(path)} {path} {len(names)} {names}\n"
        for standing, _, unpushed, path, line, column, role, exposure, blob, added, removed, names in places
    ]
    digest = hashlib.sha256(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())
    digest.update("".join(lines).encode())
    return digest.digest()[:16]
