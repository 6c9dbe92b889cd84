"""The tables and views of the store, readable with the sqlite3 program too.

A finding is a credential in one repository. It is valid from the run `since_run` up to, but not including, `gone_run`,
which is NULL while it is valid: so an earlier run can be reported without a copy. A finding that differs in anything is
another row. Ref lists are text with one name per line.
"""

from __future__ import annotations

import sqlite3

APPLICATION = 0x424C464C
"""`application_id` in the file header: `BLFL`."""
VERSION = 1
"""`user_version` in the file header."""

_TABLES = """
CREATE TABLE holder (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  since TEXT NOT NULL, host TEXT NOT NULL, process INTEGER NOT NULL
);
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL, finished TEXT, status TEXT NOT NULL, target TEXT NOT NULL,
  host TEXT NOT NULL, process INTEGER NOT NULL, version TEXT NOT NULL, facts TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE, label TEXT NOT NULL
);
CREATE TABLE scans (
  run INTEGER NOT NULL REFERENCES runs, repository INTEGER NOT NULL REFERENCES repositories,
  label TEXT NOT NULL, aliases TEXT NOT NULL, size INTEGER NOT NULL,
  status TEXT NOT NULL, since_run INTEGER REFERENCES runs,
  attempts INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0, worker TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '', hint TEXT NOT NULL DEFAULT '',
  complete INTEGER NOT NULL DEFAULT 0, stats TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (run, repository)
) WITHOUT ROWID;
CREATE INDEX scans_of_repository ON scans (repository, run);
CREATE TABLE skipped (
  run INTEGER NOT NULL, repository INTEGER NOT NULL, number INTEGER NOT NULL,
  what TEXT NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (run, repository, number), FOREIGN KEY (run, repository) REFERENCES scans
) WITHOUT ROWID;
CREATE TABLE errors (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL, repository INTEGER NOT NULL, at TEXT NOT NULL, attempt INTEGER NOT NULL,
  reason TEXT NOT NULL, hint TEXT NOT NULL, seconds REAL NOT NULL, worker TEXT NOT NULL,
  FOREIGN KEY (run, repository) REFERENCES scans
);
CREATE INDEX errors_of_run ON errors (run, repository);
CREATE TABLE remembered (
  repository INTEGER PRIMARY KEY REFERENCES repositories,
  fingerprint TEXT NOT NULL, state BLOB
);
CREATE TABLE credentials (
  id TEXT PRIMARY KEY, first_run INTEGER NOT NULL REFERENCES runs
) WITHOUT ROWID;
CREATE TABLE findings (
  id INTEGER PRIMARY KEY,
  repository INTEGER NOT NULL REFERENCES repositories, credential TEXT NOT NULL REFERENCES credentials,
  since_run INTEGER NOT NULL REFERENCES runs, first_run INTEGER NOT NULL REFERENCES runs,
  gone_run INTEGER REFERENCES runs,
  kind TEXT NOT NULL, environment TEXT NOT NULL, confidence TEXT NOT NULL, risk TEXT NOT NULL,
  reasons TEXT NOT NULL, evidence TEXT NOT NULL, suppressed_by TEXT, suppressed_reason TEXT,
  places INTEGER NOT NULL, digest BLOB NOT NULL
);
CREATE UNIQUE INDEX findings_that_hold ON findings (repository, credential) WHERE gone_run IS NULL;
CREATE INDEX findings_of_repository ON findings (repository, since_run);
CREATE INDEX findings_of_credential ON findings (credential);
CREATE TABLE finding_values (
  finding INTEGER NOT NULL REFERENCES findings, number INTEGER NOT NULL,
  role TEXT NOT NULL, sha256 TEXT NOT NULL, masked TEXT NOT NULL,
  PRIMARY KEY (finding, number)
) WITHOUT ROWID;
CREATE INDEX values_by_digest ON finding_values (sha256);
CREATE TABLE commits (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE, author TEXT NOT NULL, date TEXT NOT NULL, subject TEXT NOT NULL
);
CREATE TABLE ref_lists (
  id INTEGER PRIMARY KEY,
  names TEXT NOT NULL UNIQUE
);
CREATE TABLE locations (
  finding INTEGER NOT NULL REFERENCES findings, place INTEGER NOT NULL,
  role TEXT NOT NULL, path TEXT NOT NULL, line INTEGER NOT NULL, "column" INTEGER NOT NULL, exposure TEXT NOT NULL,
  added INTEGER REFERENCES commits, removed INTEGER REFERENCES commits, blob TEXT,
  refs INTEGER NOT NULL REFERENCES ref_lists, pushed INTEGER NOT NULL, standing INTEGER NOT NULL,
  PRIMARY KEY (finding, place)
) WITHOUT ROWID;
CREATE TABLE verifications (
  credential TEXT NOT NULL, run INTEGER NOT NULL REFERENCES runs, answer TEXT NOT NULL,
  PRIMARY KEY (credential, run)
) WITHOUT ROWID;
"""
_VIEWS = """
CREATE VIEW held AS
  SELECT f.id AS finding, f.credential, s.label AS repository, f.kind, f.environment, f.confidence, f.risk,
         f.first_run, f.places, f.suppressed_by, group_concat(v.masked, ' ') AS masked
  FROM scans s JOIN findings f ON f.repository = s.repository AND f.gone_run IS NULL
  JOIN finding_values v ON v.finding = f.id
  WHERE s.run = (SELECT max(id) FROM runs)
  GROUP BY f.id;
CREATE VIEW exposed AS
  SELECT h.credential, h.masked, h.kind, h.environment, h.confidence, h.risk, h.repository,
         l.role, l.path, l.line, l.exposure, c.name AS in_commit, c.author, c.date, l.pushed
  FROM held h JOIN locations l ON l.finding = h.finding LEFT JOIN commits c ON c.id = l.added
  WHERE h.suppressed_by IS NULL;
CREATE VIEW shared AS
  SELECT credential, min(masked) AS masked, count(*) AS repositories, sum(places) AS places,
         min(first_run) AS first_run, group_concat(repository, ' ') AS held_by
  FROM held GROUP BY credential HAVING count(*) > 1 ORDER BY repositories DESC;
CREATE VIEW failures AS
  SELECT run, label AS repository, attempts, reason, hint FROM scans WHERE status = 'failed';
"""


def create(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty file, all or none, and mark it.

    With a rollback journal, so that the marks are in the file itself and not in a write-ahead log.
    """
    marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
    connection.executescript(f"BEGIN EXCLUSIVE; {marks} {_TABLES} {_VIEWS} COMMIT;")
