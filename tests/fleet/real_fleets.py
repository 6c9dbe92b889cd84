"""Fleets of real repositories, and runs of the program over them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from binance_leaks.fleet.models import Unit
from binance_leaks.fleet.unit_scan import settings_digest
from binance_leaks.fleet.worker_protocol import RepositoryTask, Task

from tests.e2e import PROGRAM, Outcome, digest, run, value
from tests.repositories import Repository

_VOLATILE = ("seconds",)
_STORED = (
    "SELECT credential, repository, kind, environment, confidence, risk, first_run, places, masked FROM held",
    "SELECT * FROM exposed",
    "SELECT run, label, aliases, status, since_run, reason, hint, complete FROM scans",
    "SELECT run, repository, reason, hint FROM failures",
    "SELECT key, label, fingerprint, state FROM remembered JOIN repositories ON id = repository",
    "SELECT label, what, why FROM skipped JOIN scans USING (run, repository)",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """Repositories below one folder, with the values that stand in them. The first value is in each."""

    folder: Path
    names: tuple[str, ...]
    values: tuple[str, ...]

    @classmethod
    def create(cls, folder: Path, *names: str) -> Fleet:
        """Repositories with two commits each: a key in all of them, a secret of its own in each."""
        key, values = value(), []
        for name in names:
            repository = Repository.create(folder / name)
            values.append(value())
            repository.commit(
                {"bot.py": f'from binance.client import Client\nclient = Client("{key}", "{values[-1]}")\n'}
            )
            repository.commit({"bot.py": "import os\n"})
        return cls(folder=folder, names=names, values=(key, *values))

    @property
    def digests(self) -> set[str]:
        """Of all values that are to be found."""
        return {digest(each) for each in self.values}

    def digest_of(self, name: str) -> str:
        """Of the value that only this repository has."""
        return digest(self.values[1 + self.names.index(name)])


def scan(*words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Outcome:
    """One `fleet scan` to its end, in JSON."""
    return run("fleet", "scan", *words, "--format", "json", cwd=cwd, env={"TMPDIR": str(temporary(cwd)), **(env or {})})


def temporary(cwd: Path) -> Path:
    """Where a scan from a folder has its temporary files."""
    folder = cwd / "temporary"
    folder.mkdir(exist_ok=True)
    return folder


def leftovers(cwd: Path) -> list[Path]:
    """What is left there."""
    return sorted(temporary(cwd).iterdir())


@contextmanager
def scanning(
    *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None, program: Sequence[str] = PROGRAM
) -> Iterator[subprocess.Popen[bytes]]:
    """A `fleet scan` that goes on beside the test, in a group of its own; ended if the test does not end it."""
    process = subprocess.Popen(
        [*program, "fleet", "scan", *words, "--format", "json"],
        cwd=cwd, env={**os.environ, "TMPDIR": str(temporary(cwd)), **(env or {})}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[bytes], timeout: float = 60) -> Outcome:
    """What came of it."""
    out, err = process.communicate(timeout=timeout)
    outcome = Outcome(status=process.returncode, out=out.decode(), err=err.decode())
    assert "Traceback" not in outcome.err, outcome.err
    return outcome


def found(outcome: Outcome) -> set[str]:
    """Digests of all values of a report."""
    return {each["sha256"] for finding in outcome.report["findings"] for each in finding["values"]}


def read_transaction(text: str) -> object:
    """A report without what differs from run to run: times, and who did it."""
    return _without(json.loads(text))


def stored(file: Path) -> list[list[tuple[object, ...]]]:
    """What a store holds, but for times and who did it."""
    with closing(sqlite3.connect(file)) as connection:
        return [sorted(connection.execute(query), key=repr) for query in _STORED]


def _without(data: object) -> object:
    if isinstance(data, dict):
        return {key: _without(part) for key, part in data.items() if key not in _VOLATILE}
    if isinstance(data, list):
        return [_without(part) for part in data]
    return data


def task(unit: Unit) -> Task:
    """A unit as a worker is given it."""
    repositories: list[RepositoryTask] = [
        {
            "key": each.key,
            "label": each.label,
            "address": each.address,
            "covered_stores": [],
            "fingerprint": "",
            "has_state": False,
            "state": "",
        }
        for each in unit.repositories
    ]
    return {
        "settings_digest": settings_digest(None, (), reachable=False),
        "config": None,
        "exclude": [],
        "reachable": False,
        "keep": True,
        "jobs": 1,
        "time_limit": 60.0,
        "clone_limit": 1 << 30,
        "repositories": repositories,
    }
