"""Runs the program as its users do, and makes the credentials that it should find."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import SystemRandom
from typing import TypedDict

from tests.corpus.values import hmac_value
from tests.program_server import run_program
from tests.repositories import Repository

PROGRAM = (sys.executable, "-m", "binance_leaks")
_OF_START_UP = ("PYTHON", "LANG", "LC_", "LD_", "BINANCE_LEAKS_PURE")  # settings that are read at the start
SOURCE = Path(__file__).resolve().parents[2]
_VALUE = re.compile(r"(?<![A-Za-z0-9])(?![0-9a-f]{64})[A-Za-z0-9]{64}(?![A-Za-z0-9])")


class Named(TypedDict):
    """A value as the JSON report has it."""

    role: str
    sha256: str
    masked: str


class From(TypedDict):
    """The origin of a value in the JSON report."""

    author: str
    date: str
    layer: str
    command: str
    deleted: bool


class Place(TypedDict):
    """A location of the JSON report."""

    role: str
    path: str
    line: int
    column: int
    exposure: str
    origin: From | None


class Found(TypedDict):
    """A finding of the JSON report."""

    id: str
    kind: str
    environment: str
    confidence: str
    risk: dict[str, object]
    values: list[Named]
    locations: list[Place]
    evidence: list[str]
    suppressed: dict[str, str] | None


class Unread(TypedDict):
    """Something that was skipped."""

    what: str
    why: str


class Scanned(TypedDict):
    """The part of the JSON report about the scan."""

    source: str
    complete: bool
    skipped: list[Unread]
    stats: dict[str, float]


class Report(TypedDict):
    """What of the JSON report is asked here."""

    scan: Scanned
    findings: list[Found]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Exit status and output of one run of the program."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> Report:
        """The JSON report on standard output."""
        return as_report(self.out)


def as_report(text: str) -> Report:
    """A JSON report read."""
    report: Report = json.loads(text)
    return report


def run(
    *words: str | bytes | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    program: Sequence[str] = PROGRAM,
    timeout: float = 60,
) -> Outcome:
    """One run. Whatever it is, it ends in time, without a traceback, and shows no value."""
    arguments, environment = [os.fsencode(word) for word in words], {**os.environ, **(env or {})}
    can_fork = sys.platform != "win32" and program is PROGRAM
    if can_fork and not any(name.startswith(_OF_START_UP) for name in env or {}):
        done = run_program(arguments, cwd=cwd, env=environment, stdin=stdin, timeout=timeout)
    else:
        done = subprocess.run(
            [*map(os.fsencode, program), *arguments],
            cwd=cwd,
            env=environment,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    outcome = Outcome(
        status=done.returncode, out=done.stdout.decode("utf-8", "replace"), err=done.stderr.decode("utf-8", "replace")
    )
    assert "Traceback" not in outcome.err, outcome.err
    assert not _VALUE.search(outcome.out), "standard output holds a value"
    assert not _VALUE.search(outcome.err), "standard error holds a value"
    return outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedRun:
    """One look at the index by both ways: `text` as the hook sees it, `report` from the full run."""

    status: int
    text: str
    report: Report

    @property
    def findings(self) -> list[Found]:
        """The findings of the full run."""
        return self.report["findings"]


def staged(
    repository: Repository, *words: str | bytes, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> StagedRun:
    """`staged` the fast way and the full way, which must agree."""
    folder = cwd or repository.folder
    plain = run("staged", *words, cwd=folder, env=env)
    full = run("staged", "--format", "json", *words, cwd=folder, env=env)
    assert plain.status == full.status, f"the fast way says {plain.status}, the full way {full.status}: {plain.out}"
    assert not plain.err, plain.err
    assert not full.err, full.err
    return StagedRun(status=full.status, text=plain.out, report=full.report)


def value() -> str:
    """A fresh value with the shape of a key or secret."""
    return hmac_value(SystemRandom())


def digest(text: str) -> str:
    """The digest that reports show for a value."""
    return sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A key with its secret, in the shapes in which people write them."""

    key: str
    secret: str

    @classmethod
    def fresh(cls) -> Pair:
        """A pair that nobody has."""
        return cls(key=value(), secret=value())

    @property
    def call(self) -> str:
        """One line of Python."""
        return f'client = Client("{self.key}", "{self.secret}")\n'

    @property
    def python(self) -> str:
        """A module of two lines."""
        return f"from binance.client import Client\n{self.call}"

    @property
    def dotenv(self) -> str:
        """Two lines of a `.env` file."""
        return f"BINANCE_API_KEY={self.key}\nBINANCE_API_SECRET={self.secret}\n"

    @property
    def digests(self) -> set[str]:
        """The digests of both."""
        return {digest(self.key), digest(self.secret)}


def digests(findings: Sequence[Found]) -> set[str]:
    """The digests of all values of some findings."""
    return {found["sha256"] for finding in findings for found in finding["values"]}


def exposures(findings: Sequence[Found]) -> set[tuple[str, str]]:
    """Role and exposure of all locations of some findings."""
    return {(place["role"], place["exposure"]) for finding in findings for place in finding["locations"]}
