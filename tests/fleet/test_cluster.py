"""A fleet on a real Dask cluster finds what one machine finds, whatever becomes of scheduler and workers meanwhile."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from binance_leaks.fleet.cluster import DaskPool
from binance_leaks.fleet.models import Entry
from binance_leaks.fleet.units import plan_units

from tests.e2e import SOURCE, Outcome, digest
from tests.fleet.clusters import Cluster, Part, children, cluster, command, eventually, lives
from tests.fleet.gates import Gate
from tests.fleet.real_fleets import Fleet, ended, leftovers, read_transaction, scan, scanning, stored, task

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc")

_IMPATIENT = """
import os, sys
from functools import partial
import binance_leaks.fleet.cluster as cluster
cluster.DaskPool = partial(cluster.DaskPool, patience=float(os.environ["PATIENCE"]))
from binance_leaks.cli import main
sys.exit(main())
"""
_NO_PACKAGE = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "binance_leaks":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A cluster of two workers, a fleet of six, the gate in front of git, and what one machine finds."""

    cluster: Cluster
    fleet: Fleet
    gate: Gate
    folder: Path
    plain: Outcome

    def words(self, *more: str) -> tuple[str | Path, ...]:
        return (self.fleet.folder, "--scheduler", self.cluster.address, *more)

    def holder(self, name: str) -> tuple[Part, int]:
        """The worker that has a repository before the gate, and its runner."""
        eventually(lambda: self.gate.here(name), reported=lambda: self.cluster.printed)
        runner = self.gate.here(name)[-1][1]
        return next(worker for worker in self.cluster.workers if runner in children(worker.process.pid)), runner

    def check(self, outcome: Outcome, store: str | None = None) -> None:
        """Nothing is lost, nothing twice, nothing left behind."""
        assert outcome.status == 1, outcome.err
        assert not outcome.err
        assert read_transaction(outcome.out) == read_transaction(self.plain.out)
        if store is not None:
            assert stored(self.folder / store) == stored(self.folder / "plain.db")
        assert not leftovers(self.folder)
        eventually(lambda: not self.cluster.leftovers(), reported=lambda: str(self.cluster.leftovers()))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("cluster")
    gate = Gate.create(folder / "gate")
    fleet = Fleet.create(folder / "repositories", *(f"project-{number}" for number in range(6)))
    plain = scan(fleet.folder, "--store", "plain.db", cwd=folder)
    with cluster(folder / "cluster", env=gate.env) as made:
        yield Place(cluster=made, fleet=fleet, gate=gate, folder=folder, plain=plain)


@pytest.fixture(autouse=True)
def _open(place: Place) -> Iterator[None]:
    yield
    place.gate.open_all()


def test_the_same_as_on_one_machine(place: Place) -> None:
    place.check(scan(*place.words("--store", "first.db"), cwd=place.folder), "first.db")
    shutil.copy(place.folder / "plain.db", place.folder / "again.db")
    local = scan(place.fleet.folder, "--store", "again.db", cwd=place.folder)
    remote = scan(*place.words("--store", "first.db"), cwd=place.folder)
    assert read_transaction(local.out) == read_transaction(remote.out)
    assert stored(place.folder / "first.db") == stored(place.folder / "again.db")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "closed"])
def test_a_worker_that_goes(place: Place, number: signal.Signals) -> None:
    place.gate.rule("project-2", "hold")
    store = f"{number.name}.db"
    with scanning(*place.words("--store", store), cwd=place.folder) as process:
        worker, runner = place.holder("project-2")
        place.cluster.start_worker()
        worker.end(number)
        eventually(lambda: not lives(runner))
        place.gate.open("project-2")
        place.check(ended(process), store)


def test_a_worker_that_comes(place: Place) -> None:
    place.gate.rule("project", "hold")
    with scanning(*place.words("--store", "comes.db"), cwd=place.folder) as process:
        eventually(lambda: len(place.gate.here("project")) == 2)
        new = place.cluster.start_worker()
        eventually(lambda: children(new.process.pid), reported=lambda: new.printed)
        place.gate.open("project")
        place.check(ended(process), "comes.db")
    new.end(signal.SIGTERM)


def test_what_nobody_waits_for_ends(place: Place) -> None:
    place.gate.rule("project-1", "hold")
    with scanning(*place.words("--store", "left.db"), cwd=place.folder) as process:
        _, runner = place.holder("project-1")
        process.send_signal(signal.SIGINT)
        outcome = ended(process)
    assert outcome.status == 130
    assert "--store left.db --resume" in outcome.err
    eventually(lambda: not lives(runner))
    place.gate.open("project-1")
    resumed = scan(*place.words("--store", "left.db", "--resume"), cwd=place.folder)
    assert read_transaction(resumed.out) == read_transaction(place.plain.out)


def other_version(folder: Path) -> Path:
    """A copy of the package that calls itself by another version."""
    shutil.copytree(
        SOURCE / "scanner/binance_leaks", folder / "binance_leaks", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (folder / "binance_leaks" / "__init__.py").open("a") as file:
        file.write('\n__version__ = "0.0.7"\n')
    return folder


def no_package(folder: Path) -> Path:
    """A folder for PYTHONPATH that hides the package."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_NO_PACKAGE)
    return folder


@pytest.mark.parametrize(
    ("make", "why"), [(other_version, "has another version of binance-leaks"), (no_package, "has no binance-leaks")]
)
def test_a_worker_of_another_kind(place: Place, tmp_path: Path, make: Callable[[Path], Path], why: str) -> None:
    path = str(make(tmp_path / "other"))
    place.gate.rule("project", "hold")
    with scanning(*place.words("--store", f"{make.__name__}.db"), cwd=place.folder) as process:
        eventually(lambda: len(place.gate.here("project")) == 2)
        stranger = place.cluster.start_worker(path=path)
        eventually(lambda: "'detector'" in stranger.printed or "No module named" in stranger.printed)
        place.gate.open("project")
        place.check(ended(process), f"{make.__name__}.db")
    assert "scan_on_worker-" not in stranger.printed
    assert not children(stranger.process.pid)
    refused = scan(*place.words("--store", "never.db"), cwd=place.folder)
    assert refused.status == 3
    assert f"worker tcp://127.0.0.1:{stranger.port} {why}" in refused.err
    assert not refused.out
    stranger.end(signal.SIGTERM)


def test_no_value_and_no_login_is_written_down(place: Place) -> None:
    """Neither in replies, nor in what scheduler and workers log or spill, nor in what lists of processes show."""
    login = uuid4().hex
    given = plan_units(
        [
            Entry(address=str(place.fleet.folder / "project-3"), origin="list:1"),
            Entry(address=f"https://me:{login}@127.0.0.1:9/a.git", origin="list:2"),
        ]
    )
    with closing(DaskPool(place.cluster.address, lambda *_: None)) as pool:
        futures = [pool.submit(task(unit), avoid=()) for unit in given.units]
        replies = [future.result(timeout=30) for future in futures]
    assert len(replies[0]["done"]) == 1
    reported = json.dumps(replies)
    files = [file for file in (place.cluster.folder / "spill").rglob("*") if file.is_file()]
    spilled = [file.read_bytes().decode("latin-1") for file in files]
    seen = [command(runner) for worker in place.cluster.workers for runner in children(worker.process.pid)]
    assert digest(place.fleet.values[4]) in reported
    assert any("binance_leaks.fleet.worker_process" in one for one in seen)
    for text in (reported, place.cluster.printed, *spilled, *seen):
        assert login not in text
        assert not any(value in text for value in place.fleet.values)


@pytest.mark.slow
def test_a_cluster_that_goes(place: Place, tmp_path: Path) -> None:
    """All workers, then the scheduler: a run ends in order and is gone on with, or it goes on by itself."""
    impatient = (sys.executable, "-c", _IMPATIENT)
    with cluster(tmp_path / "cluster", workers=1, env=place.gate.env) as made:
        words = (place.fleet.folder, "--scheduler", made.address, "--store", tmp_path / "fleet.db")
        place.gate.rule("project-4", "hold")
        with scanning(*words, cwd=tmp_path, program=impatient, env={"PATIENCE": "2"}) as process:
            eventually(lambda: place.gate.here("project-4"))
            made.workers[0].end(signal.SIGKILL)
            outcome = ended(process)
        assert outcome.status == 3
        assert outcome.err.splitlines()[0] == f"binance-leaks: no worker is left at {made.address}"
        assert "--resume" in outcome.err
        place.gate.open("project-4")
        made.start_worker()
        resumed = scan(*words, "--resume", cwd=tmp_path)
        assert read_transaction(resumed.out) == read_transaction(place.plain.out)
        assert stored(tmp_path / "fleet.db") == stored(place.folder / "plain.db")

        def lose_the_worker() -> None:
            made.workers[0].end(signal.SIGKILL)
            made.start_worker()

        def lose_the_scheduler() -> None:
            made.scheduler.end(signal.SIGKILL)
            made.start_scheduler()
            made.start_worker()

        for lose in (lose_the_worker, lose_the_scheduler):
            place.gate.rule("project-4", "hold")
            with scanning(*words, "--rescan", cwd=tmp_path, program=impatient, env={"PATIENCE": "15"}) as process:
                eventually(lambda: place.gate.here("project-4"))
                lose()
                place.gate.open("project-4")
                outcome = ended(process)
            assert outcome.status == 1, outcome.err
            assert not outcome.err
            assert {leak["id"] for leak in outcome.report["findings"]} == {
                leak["id"] for leak in place.plain.report["findings"]
            }
            assert outcome.report["scan"]["complete"]
        assert not leftovers(tmp_path)
        eventually(lambda: not made.leftovers(), reported=lambda: str(made.leftovers()))


def test_a_scheduler_that_is_not_there(place: Place, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as stack:
        started = [
            stack.enter_context(
                scanning(place.fleet.folder, "--scheduler", f"127.0.0.1:{port}", "--store", f"{port}.db", cwd=tmp_path)
            )
            for port in (silent.getsockname()[1], 1)
        ]
        for process in started:
            outcome = ended(process)
            assert outcome.status == 3
            assert not outcome.out
            assert outcome.err.splitlines()[0].startswith("binance-leaks: no scheduler answers at tcp://127.0.0.1:")
            assert len(outcome.err.splitlines()) == 2
    with closing(sqlite3.connect(tmp_path / "1.db")) as connection:
        assert not connection.execute("SELECT id FROM runs").fetchall()


def test_a_scheduler_without_the_package(place: Place, tmp_path: Path) -> None:
    with cluster(tmp_path / "cluster", workers=0, path=str(no_package(tmp_path / "other"))) as made:
        outcome = scan(place.fleet.folder, "--scheduler", made.address, cwd=tmp_path)
    assert outcome.status == 3
    assert f"the scheduler at {made.address} has no binance-leaks" in outcome.err


@pytest.mark.parametrize(
    "address",
    [
        "",
        "foo",
        "http://127.0.0.1:8786",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:99999",
        "inproc://1",
        "tcp://:1",
        "tls://127.0.0.1:1",
    ],
)
def test_what_is_no_address(place: Place, address: str) -> None:
    outcome = scan(place.fleet.folder, "--scheduler", address, cwd=place.folder)
    assert outcome.status == 2
    assert not outcome.out
    assert len(outcome.err.splitlines()) == 2


def test_a_login_does_not_go_over_the_network(place: Place) -> None:
    login = uuid4().hex
    listed = place.folder / "list.txt"
    listed.write_text(f"https://me:{login}@127.0.0.1:9/a.git\n")
    outcome = scan(listed, "--scheduler", place.cluster.address, cwd=place.folder)
    assert outcome.status == 2
    assert f"{listed}:1" in outcome.err
    assert login not in outcome.err + outcome.out
    here = scan(listed, "--retries", "0", cwd=place.folder)
    assert here.status == 3
    assert "https://127.0.0.1:9/a" in here.out
    assert login not in here.err + here.out
