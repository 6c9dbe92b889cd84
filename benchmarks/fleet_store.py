"""Fills the store of a fleet with generated findings, and prints what that and the report of it cost.

Each repository has its credentials with the same number of places each; every fourth credential is in all of them. A
second run finds all of it again, a third one has a new place in one credential of each repository. Reports are made in
processes of their own. Files are made in a temporary folder and removed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from binance_leaks.config import Config
from binance_leaks.fleet.models import Checkpoint, Repository, RunStatus, ScanResult
from binance_leaks.fleet.report import fleet_result
from binance_leaks.fleet.store import Store
from binance_leaks.report.json import Report, WireCommit, WireFinding, WireLocation
from timing import markdown

_MIB = 1 << 20
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_OWN_COMMITS = 400


@dataclass(kw_only=True)
class Cost:
    """Seconds of wall clock and of CPU, for recording alone."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """What is done inside is added."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Fills the store of a fleet and prints what it costs.")
    parser.add_argument("--repositories", type=int, default=200)
    parser.add_argument("--credentials", type=int, default=20, help="in each repository (default: %(default)s)")
    parser.add_argument("--places", type=int, default=250, help="of each credential (default: %(default)s)")
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--all", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.report is not None:
        print(report(options.report, None if options.all else 50))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "fleet.db")
        print(fill(file, options.repositories, options.credentials, options.places))
        for more in ((), ("--all",)):
            done = subprocess.run(
                [sys.executable, __file__, "--report", str(file), *more], check=True, capture_output=True, text=True
            )
            print(done.stdout, end="")
    return 0


def fill(file: Path, repositories: int, credentials: int, places: int) -> str:
    """Three runs, and what each cost."""
    fleet = [_repository(number) for number in range(repositories)]
    rows = []
    for name, more in (("first", 0), ("all the same", 0), ("one in each changed", 1)):
        cost = Cost()
        start = _written(file)
        with Store.open(file, now=lambda: datetime.now(timezone.utc)) as store:
            with cost.counted():
                run = store.begin("generated", fleet)
            for number, repository in enumerate(fleet):
                scanned = ScanResult(
                    key=repository.key,
                    report=_report(number, credentials, places, more),
                    remembered=Checkpoint(fingerprint=f"{number}-{more}", state=os.urandom(80_000)),
                    seconds=1.0,
                )
                with cost.counted():
                    store.record(run, scanned)
            with cost.counted():
                store.finish(run, RunStatus.FINISHED, {"seconds": 1.0})
        recorded = repositories * credentials * places
        rows.append(
            [
                name,
                f"{recorded / cost.wall:,.0f}",
                f"{cost.wall:.1f} s",
                f"{cost.cpu:.1f} s",
                f"{_peak() / _MIB:.0f} MB",
                f"{_written(file) / _MIB:.0f} MB (+{(_written(file) - start) / _MIB:.0f})",
            ]
        )
    return markdown(["run", "places/s", "time", "CPU", "peak so far", "file"], rows)


def report(file: Path, places: int | None) -> str:
    """The result of the last run, and what it cost."""
    cost = Cost()
    with Store.read(file) as store:
        last = store.runs()[-1].id
        before = _peak()
        with cost.counted():
            result = fleet_result(store, last, config=Config(), places=places)
    listed = sum(len(finding.locations) for finding in result.findings)
    return (
        f"report with {'all' if places is None else f'at most {places}'} places: {len(result.findings):,} findings,"
        f" {listed:,} places, {cost.wall:.1f} s, {cost.cpu:.1f} s of CPU, {_peak() / _MIB:.0f} MB"
        f" (the program itself {before / _MIB:.0f} MB)"
    )


def _repository(number: int) -> Repository:
    return Repository(key=f"https://git.example/team/{number}.git", label=f"team/{number}", address="")


def _report(repository: int, credentials: int, places: int, more: int) -> Report:
    return {
        "schema": "binance-leaks/1",
        "tool": {"name": "binance-leaks", "version": "0"},
        "scan": {
            "source": "history",
            "target": ".",
            "repository": None,
            "rebase": None,
            "base_policy": False,
            "complete": True,
            "skipped": [],
            "stats": {"objects": 10_000, "blobs": 6_000, "bytes": 90_000_000, "suppressed": 0},
        },
        "findings": [
            _finding(repository, number, places + (more if number == 1 else 0)) for number in range(credentials)
        ],
    }


def _finding(repository: int, number: int, places: int) -> WireFinding:
    name = f"shared {number}" if number % 4 == 0 else f"{repository} {number}"
    key, secret = _digest(f"key {name}"), _digest(f"secret {name}")
    return {
        "id": _digest(f"binance-leaks/1:{key}")[:32],
        "kind": "key-pair",
        "environment": "mainnet",
        "confidence": "high",
        "risk": {"level": "high", "reasons": ["Whoever reads them can sign requests.", "It is of the live exchange."]},
        "values": [
            {"role": "api-key", "sha256": key, "masked": "abcd…wxyz"},
            {"role": "secret-key", "sha256": secret, "masked": "abcd…"},
        ],
        "locations": [_place(repository, number, place) for place in range(places)],
        "evidence": ["the package binance is imported in this file", "Client(...) takes it as its first argument"],
        "suppressed": None,
        "fails": True,
        "verification": None,
        "mark": None,
        "unlisted": 0,
    }


def _place(repository: int, number: int, place: int) -> WireLocation:
    version = place // 2
    return {
        "role": "secret-key" if place % 2 else "api-key",
        "path": f"services/trader/{number}/config/settings_{version % 7}.py",
        "line": 12 + place % 2 + version,
        "column": 15,
        "cell": None,
        "exposure": "present" if version == 0 else "history",
        "commit": _commit(repository, version * 3 + number),
        "blob": _digest(f"{repository} {number} {version}")[:40],
        "refs": ["main", "origin/main", f"v{version % 9}"],
        "removed": _commit(repository, version * 3 + number + 3) if version else None,
        "pushed": True,
        "standing": False,
        "repository": None,
        "unlisted_refs": 0,
        "replaceable": True,
        "allowed_by": None,
        "near_miss": None,
        "origin": None,
    }


def _commit(repository: int, number: int) -> WireCommit:
    return {
        "id": _digest(f"{repository} {number % _OWN_COMMITS}")[:40],
        "author": "Jane Doe <jane@project.example>",
        "date": "2024-03-05T17:20:31+01:00",
        "subject": f"Change number {number % _OWN_COMMITS} of the settings",
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _written(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


if __name__ == "__main__":
    sys.exit(main())
