"""Write results into the tables; each function runs in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from binance_leaks.fleet.models import Checkpoint, Repository, ScanFailure, ScanResult, ScanStatus
from binance_leaks.fleet.store.cells import encode_text, redact_text
from binance_leaks.fleet.store.rows import FindingRows, ReportRows, fields_of
from binance_leaks.report.json import wire_verification
from binance_leaks.report.sanitize import Redactor
from binance_leaks.verification import Verification

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
        "INSERT INTO locations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
