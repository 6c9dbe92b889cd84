"""Runs `history` and reads what it reports; forms of its findings that can be compared across repositories."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest

from tests.e2e import PROGRAM, Named, Outcome, Pair, Place, Scanned, digest, run

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT_ID = re.compile(r"\b[0-9a-f]{7,}\b")
_POWERS = "-dac_override,-dac_read_search"


class Reported(TypedDict):
    """A commit as the JSON report has it."""

    id: str
    author: str
    date: str
    subject: str


class Spot(Place):
    """A location of the JSON report of a history."""

    commit: Reported | None
    removed: Reported | None
    blob: str | None
    refs: list[str]
    pushed: bool


class Leak(TypedDict):
    """A finding of the JSON report of a history."""

    id: str
    kind: str
    confidence: str
    values: list[Named]
    locations: list[Spot]


class HistoryReport(TypedDict):
    """What of the JSON report is asked here."""

    scan: Scanned
    findings: list[Leak]


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """One run of `history` with the report in JSON."""

    status: int
    err: str
    report: HistoryReport

    @property
    def leaks(self) -> list[Leak]:
        """The findings."""
        return self.report["findings"]

    @property
    def ids(self) -> set[str]:
        """The ids of the findings; each is reported once."""
        ids = [leak["id"] for leak in self.leaks]
        assert len(ids) == len(set(ids))
        return set(ids)

    @property
    def paths(self) -> set[str]:
        """All paths of all findings."""
        return {place["path"] for leak in self.leaks for place in leak["locations"]}

    @property
    def complete(self) -> bool:
        """Whether the scan says that it saw everything."""
        return self.report["scan"]["complete"]

    @property
    def skipped(self) -> str:
        """What was skipped and why, a line each."""
        return "\n".join(f"{one['what']}: {one['why']}" for one in self.report["scan"]["skipped"])

    @property
    def objects(self) -> float:
        """How many objects were read."""
        return self.report["scan"]["stats"]["objects"]

    @property
    def blobs(self) -> float:
        """How many blobs were read."""
        return self.report["scan"]["stats"]["blobs"]

    def holds(self, pair: Pair) -> bool:
        """Whether a finding is of this pair."""
        return identity(pair) in self.ids


def identity(pair: Pair) -> str:
    """The id of the finding of a pair, as `Credential.id` defines it."""
    return digest(f"binance-leaks/1:{digest(pair.key)}")[:32]


def history(
    *words: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
    timeout: float = 60,
) -> Looked:
    """A run that ends with a report. Its status, its completeness and its findings agree."""
    outcome = run("history", "--format", "json", *words, cwd=cwd, env=env, program=program, timeout=timeout)
    assert outcome.out, f"no report, status {outcome.status}: {outcome.err}"
    looked = read(outcome)
    allowed = looked.complete or "--allow-incomplete" in words
    assert looked.status == (1 if looked.leaks else 0 if allowed else 3), looked.err
    assert looked.complete or looked.skipped
    return looked


def read(outcome: Outcome) -> Looked:
    """The report on standard output."""
    report: HistoryReport = json.loads(outcome.out)
    assert report["scan"]["source"] == "history"
    return Looked(status=outcome.status, err=outcome.err, report=report)


def tell(outcome: Outcome, *statuses: int) -> str:
    """The one line, with at most a hint below it, in which a failure is reported."""
    assert outcome.status in statuses, f"status {outcome.status}: {outcome.err}"
    assert not outcome.out
    lines = outcome.err.splitlines()
    assert lines, "nothing is reported"
    assert lines[0].startswith("binance-leaks: ")
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  ")), outcome.err
    return outcome.err


@dataclass(frozen=True, order=True, slots=True)
class Line:
    """What two reports of the same history must agree on, whatever the ids of its objects."""

    finding: str
    confidence: str
    path: str
    role: str
    line: int
    column: int
    exposure: str
    refs: tuple[str, ...]
    pushed: bool
    commit: str
    removed: str


def lines(looked: Looked, *, ids: bool = True) -> list[Line]:
    """All locations of all findings, in order; commits by their ids or by their subjects."""

    def named(commit: Reported | None) -> str:
        if commit is None:
            return ""
        # The subject of a stash has the id of a commit in it.
        what = commit["id"] + commit["subject"] if ids else _SHORT_ID.sub("", commit["subject"])
        return f"{commit['author']} {commit['date']} {what}"

    return sorted(
        Line(
            finding=leak["id"], confidence=leak["confidence"], role=place["role"],
            path=place["path"] if ids else _ID.sub("ID", place["path"]),
            line=place["line"], column=place["column"], exposure=place["exposure"],
            refs=tuple(ref for ref in place["refs"] if not ref.startswith("HEAD")), pushed=place["pushed"],
            commit=named(place["commit"]), removed=named(place["removed"]),
        )
        for leak in looked.leaks for place in leak["locations"]
    )  # fmt: skip


def without_powers(folder: Path) -> Sequence[str]:
    """The program run so that permissions of files hold, for root too; skips the test where that cannot be had."""
    closed = folder / "closed-to-all"
    closed.write_bytes(b"")
    closed.chmod(0)
    without = () if os.geteuid() else ("setpriv", f"--bounding-set={_POWERS}", f"--inh-caps={_POWERS}")
    try:
        done = subprocess.run([*without, "cat", str(closed)], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs setpriv to be without root's powers")
    if b"Permission denied" not in done.stderr:
        pytest.skip("permissions do not hold here")
    return (*without, *PROGRAM)


def objects_of(folder: Path) -> set[str]:
    """The ids of all objects that a repository holds, by git's own word."""
    done = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"],
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    return set(done.stdout.decode().split())


def group(leader: int) -> set[int]:
    """The living processes of a process group."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                state, _, pgrp = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(pgrp) == leader and state not in "ZX":
                found.add(int(folder.name))
    return found
