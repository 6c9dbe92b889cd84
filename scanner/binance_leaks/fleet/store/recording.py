"""Convert reports to rows with digests of findings, and write them.

Reports are large: a location becomes one tuple and nothing else. Each function that writes runs in one transaction.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

from binance_leaks.findings import SuppressedBy
from binance_leaks.fleet.models import Checkpoint, Repository, ScanFailure, ScanResult, ScanStatus
from binance_leaks.fleet.store import cells
from binance_leaks.fleet.store.cells import encode_text, redact_text
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.model import Confidence, Environment, Kind, RiskLevel
from binance_leaks.report.json import SCHEMA, Report, WireCommit, WireFinding, wire_verification
from binance_leaks.report.locations import EXPOSURES_BY_USE
from binance_leaks.report.sanitize import Redactor
from binance_leaks.report.stored import read_value
from binance_leaks.verification import Verification

LocationTuple = tuple[bool, int, bool, str, int, int, str, str, str, str, str, str, bool, int, str]
"""standing, rank by use, not pushed, path, line, column, role, exposure, blob, added by, removed by, references,
whether it can be replaced, number of the notebook's cell from 1, its part.

Sorted as tuples, those come first that help a reader most. What is missing is empty or 0, as None cannot be compared.
"""
_UNPUSHED: Final = 2
_ROLE: Final = 6
_REFS: Final = 11
LocationRow = tuple[
    int, int, str, str, int, int, str, int | None, int | None, str | None, int, bool, bool, bool, int | None, str | None
]


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
            standing, _, unpushed, path, line, column, role, exposure, blob, added, removed, names = row[:12]
            replaceable, cell, part = row[12:]
            named = commits.get(added), commits.get(removed), blob or None, refs[names]
            flags = not unpushed, standing, replaceable
            yield (finding, number, role, path, line, column, exposure, *named, *flags, cell or None, part or None)


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
        exposure, cell = place["exposure"], place["cell"]
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
                cells.join_refs(place["refs"], place["unlisted_refs"]),
                place["replaceable"],
                0 if cell is None else cell["number"],
                "" if cell is None or cell["part"] is None else cell["part"],
            )
        )
    if not found:
        raise ValueError("a finding without a place")
    return tuple(sorted(_in_shape(found)))


def _in_shape(found: list[LocationTuple]) -> list[LocationTuple]:
    """Check and redact the locations, column by column for speed."""
    columns = list(zip(*found, strict=True))
    standing, _, _, paths, lines, numbers, roles, _, blobs, _, _, refs, replaceable, of_cells, parts = columns
    cells.truths((*standing, *replaceable))
    cells.notebook_cells(of_cells, parts)
    cells.counted(lines)
    cells.counted(numbers)
    cells.roles(roles)
    cells.objects(blobs)
    changed = cells.changed((*paths, *refs))
    if not changed:
        return found
    return [_renamed(place, changed) for place in found]


def _renamed(place: LocationTuple, changed: Mapping[str, str]) -> LocationTuple:
    standing, rank, unpushed, path, line, column, role, exposure, blob, added, removed, refs = place[:12]
    path, refs = changed.get(path, path), changed.get(refs, refs)
    return standing, rank, unpushed, path, line, column, role, exposure, blob, added, removed, refs, *place[12:]


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
        f" {len(path)} {path} {len(names)} {names} {replaceable:d} {cell} {part}\n"
        for (standing, _, unpushed, path, line, column, role, exposure, blob, added, removed, names), (
            replaceable,
            cell,
            part,
        ) in ((place[:12], place[12:]) for place in places)
    ]
    digest = hashlib.sha256(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())
    digest.update("".join(lines).encode())
    return digest.digest()[:16]


_DONE = (ScanStatus.SCANNED.value, ScanStatus.UNCHANGED.value)
_NEW_FINDING = """
INSERT INTO findings (repository, credential, since_run, first_run, kind, environment, confidence, risk, reasons,
  evidence, suppressed_by, suppressed_reason, places, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A repository that is not done in a run, by their ids in the store."""

    run: int
    repository: int


def add_repositories(connection: sqlite3.Connection, run: int, repositories: Iterable[Repository]) -> None:
    """Add repositories to a run, each waiting, with the findings of earlier scans."""
    for each in repositories:
        key, label = encode_text(each.key), encode_text(each.label)
        connection.execute(
            "INSERT INTO repositories (key, label) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET label = excluded.label",
            (key, label),
        )
        connection.execute(
            "INSERT OR IGNORE INTO scans (run, repository, label, aliases, size, status, since_run)"
            " SELECT ?, id, label, ?, ?, ?, (SELECT since_run FROM scans WHERE repository = repositories.id"
            " AND since_run IS NOT NULL ORDER BY run DESC LIMIT 1) FROM repositories WHERE key = ?",
            (run, json.dumps(each.aliases), each.size, ScanStatus.WAITING.value, key),
        )


def waiting(connection: sqlite3.Connection, run: int, key: str) -> Waiting | None:
    """The repository if it is not done in the run.

    Raises KeyError if it is not in the run.
    """
    row = connection.execute(
        "SELECT s.repository, s.status FROM scans s JOIN repositories r ON r.id = s.repository"
        " WHERE s.run = ? AND r.key = ?",
        (run, encode_text(key)),
    ).fetchone()
    if row is None:
        raise KeyError(key)
    return None if row[1] in _DONE else Waiting(run=run, repository=int(row[0]))


def scanned(connection: sqlite3.Connection, at: Waiting, scan: ScanResult, rows: ReportRows | None) -> None:
    """Replace the findings of a repository; without rows they are unchanged."""
    status = ScanStatus.UNCHANGED if rows is None else ScanStatus.SCANNED
    connection.execute(
        "UPDATE scans SET status = ?, attempts = ?, seconds = ?, worker = ?, reason = '', hint = ''"
        " WHERE run = ? AND repository = ?",
        (status.value, scan.attempts, scan.seconds, redact_text(scan.worker), at.run, at.repository),
    )
    if rows is not None:
        connection.execute(
            "UPDATE scans SET since_run = run, complete = ?, stats = ? WHERE run = ? AND repository = ?",
            (rows.complete, rows.stats, at.run, at.repository),
        )
        connection.executemany(
            "INSERT INTO skipped VALUES (?, ?, ?, ?, ?)",
            ((at.run, at.repository, number, *each) for number, each in enumerate(rows.skipped)),
        )
        _replace_findings(connection, at, rows.findings)
        _store_checkpoint(connection, at, scan.remembered)


def _store_checkpoint(connection: sqlite3.Connection, at: Waiting, left: Checkpoint | None) -> None:
    """Store the checkpoint, or delete one that belongs to replaced findings."""
    if left is not None:
        connection.execute(
            "INSERT INTO remembered VALUES (?, ?, ?) ON CONFLICT (repository)"
            " DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state",
            (at.repository, left.fingerprint, left.state),
        )
    else:
        connection.execute("DELETE FROM remembered WHERE repository = ?", (at.repository,))


def _replace_findings(connection: sqlite3.Connection, at: Waiting, findings: Iterable[FindingRows]) -> None:
    held: dict[str, tuple[int, int, bytes]] = {
        credential: (number, first, digest)
        for credential, number, first, digest in connection.execute(
            "SELECT credential, id, first_run, digest FROM findings WHERE repository = ? AND gone_run IS NULL",
            (at.repository,),
        )
    }
    numbered = _Numbered(connection)
    for finding in findings:
        number, first, digest = held.get(finding.credential, (0, at.run, b""))
        if digest == finding.digest:
            del held[finding.credential]
            continue
        if number:
            del held[finding.credential]
            _retire(connection, at, number)
        _insert(connection, at, finding, first, numbered)
    for number, _, _ in held.values():
        _retire(connection, at, number)


def _retire(connection: sqlite3.Connection, at: Waiting, number: int) -> None:
    connection.execute("UPDATE findings SET gone_run = ? WHERE id = ?", (at.run, number))


def _insert(connection: sqlite3.Connection, at: Waiting, finding: FindingRows, first: int, numbered: _Numbered) -> None:
    connection.execute("INSERT OR IGNORE INTO credentials VALUES (?, ?)", (finding.credential, at.run))
    by, why = finding.suppressed or (None, None)
    number = connection.execute(
        _NEW_FINDING,
        (
            at.repository,
            finding.credential,
            at.run,
            first,
            finding.kind,
            finding.environment,
            finding.confidence,
            finding.risk,
            finding.reasons,
            finding.evidence,
            by,
            why,
            len(finding.places),
            finding.digest,
        ),
    ).lastrowid
    if number is None:
        raise sqlite3.DatabaseError("malformed")
    connection.executemany(
        "INSERT INTO finding_values VALUES (?, ?, ?, ?, ?)",
        ((number, place, *value) for place, value in enumerate(finding.values)),
    )
    numbered.add(finding)
    connection.executemany(
        "INSERT INTO locations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        finding.place_rows(number, numbered.commits, numbered.refs),
    )


class _Numbered:
    """Ids of commits and ref lists that the findings of one report have named so far."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.commits: dict[str, int] = {}
        self.refs: dict[str, int] = {}

    def add(self, finding: FindingRows) -> None:
        """Insert the commits and ref lists of a finding that are missing."""
        for name, commit in finding.commits.items():
            if name not in self.commits:
                self._connection.execute(
                    "INSERT OR IGNORE INTO commits (name, author, date, subject) VALUES (?, ?, ?, ?)",
                    fields_of(commit),
                )
                self.commits[name] = self._number("SELECT id FROM commits WHERE name = ?", name)
        for names in finding.refs - self.refs.keys():
            self._connection.execute("INSERT OR IGNORE INTO ref_lists (names) VALUES (?)", (names,))
            self.refs[names] = self._number("SELECT id FROM ref_lists WHERE names = ?", names)

    def _number(self, query: str, name: str) -> int:
        return int(self._connection.execute(query, (name,)).fetchone()[0])


def failed(connection: sqlite3.Connection, at: Waiting, failure: ScanFailure, *, moment: str, last: bool) -> None:
    """Record a failed attempt.

    With `last` the repository has failed and keeps its findings.
    """
    reason, hint, worker = redact_text(failure.reason), redact_text(failure.hint), redact_text(failure.worker)
    connection.execute(
        "INSERT INTO errors (run, repository, at, attempt, reason, hint, seconds, worker)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (at.run, at.repository, moment, failure.attempts, reason, hint, failure.seconds, worker),
    )
    if last:
        connection.execute(
            "UPDATE scans SET status = ?, attempts = ?, seconds = ?, worker = ?, reason = ?, hint = ?"
            " WHERE run = ? AND repository = ?",
            (
                ScanStatus.FAILED.value,
                failure.attempts,
                failure.seconds,
                worker,
                reason,
                hint,
                at.run,
                at.repository,
            ),
        )


def verified(connection: sqlite3.Connection, run: int, found: Mapping[str, Verification]) -> None:
    """Store verifications, replacing those of this run."""
    nothing = Redactor({})
    connection.executemany(
        "INSERT INTO verifications VALUES (?, ?, ?) ON CONFLICT (credential, run)"
        " DO UPDATE SET answer = excluded.answer",
        ((name, run, json.dumps(wire_verification(answer, nothing))) for name, answer in sorted(found.items())),
    )
