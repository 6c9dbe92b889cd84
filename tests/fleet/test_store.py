"""The store: what is written is read, run by run, by its owner alone, by one run at a time, and without any value."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

import pytest
from binance_leaks.errors import ScanError, UsageError
from binance_leaks.findings import Finding, Skipped, SuppressedBy, Suppression
from binance_leaks.fleet.models import Checkpoint, Repository, RunStatus, ScanFailure, ScanResult, ScanStatus
from binance_leaks.fleet.report import fleet_result
from binance_leaks.fleet.store import Store, connection
from binance_leaks.fleet.store.connection import store_errors
from binance_leaks.model import Cell, CellPart, Confidence, Exposure, Location, Role
from binance_leaks.report.json import Report
from binance_leaks.verification import Verdict, Verification
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fleet.fleets import (
    ALL,
    MOMENT,
    SURE,
    Fleet,
    Seen,
    failed,
    found,
    now,
    record_all,
    report,
    repository,
    scanned,
    unchanged,
)
from tests.report.examples import COMMIT, LATER, Maker, at

NAMES = ("a", "b", "c")
MAKER = Maker(71)
KEYS = tuple(MAKER.value(Role.API_KEY) for _ in range(3))
SECRETS = tuple(MAKER.value(Role.SECRET_KEY) for _ in range(3))
PLACE = at("bot.py", 1, commit=COMMIT)
POSIX = pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A store that is not there yet."""
    return Fleet.at(tmp_path)


def contents() -> st.SearchStrategy[tuple[Finding, ...]]:
    """What a repository may hold: some of a few credentials, in a few shapes each."""
    shapes: list[Callable[[int], Finding]] = [
        lambda n: found(KEYS[n]),
        lambda n: found(KEYS[n], SECRETS[n]),
        lambda n: found(KEYS[n], SECRETS[n], path="other.py"),
        lambda n: found(KEYS[n], confidence=Confidence.LOW),
    ]
    chosen = st.dictionaries(st.integers(0, 2), st.sampled_from(shapes), max_size=3)
    return chosen.map(lambda picked: tuple(shape(number) for number, shape in sorted(picked.items())))


def outcomes(name: str) -> st.SearchStrategy[ScanResult | ScanFailure | None]:
    """What may become of a repository in a run; None for nothing."""
    scans = contents().map(lambda findings: scanned(name, *findings))
    return st.one_of(scans, scans, st.sampled_from([unchanged(name), failed(name), None]))


def whole_runs() -> st.SearchStrategy[list[list[ScanResult | ScanFailure | None]]]:
    """A few runs, with an outcome for each repository."""
    return st.lists(st.tuples(*map(outcomes, NAMES)).map(list), min_size=1, max_size=4)


def done(run: Sequence[ScanResult | ScanFailure | None]) -> list[ScanResult | ScanFailure]:
    return [outcome for outcome in run if outcome is not None]


@contextmanager
def scratch() -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory() as folder:
        yield Fleet.at(Path(folder))


laws = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class TestLaws:
    """What holds for whatever is recorded."""

    @laws
    @given(runs=whole_runs())
    def test_a_snapshot_of_an_old_run_never_changes(self, runs: list[list[ScanResult | ScanFailure | None]]) -> None:
        before: dict[int, Seen] = {}
        with scratch() as fleet:
            for outcome in runs:
                run = fleet.run(NAMES, done(outcome))
                with Store.read(fleet.file) as store:
                    assert {number: Seen.of(store, number) for number in before} == before
                    before[run] = Seen.of(store, run)

    @laws
    @given(runs=whole_runs())
    def test_recording_twice_is_recording_once(self, runs: list[list[ScanResult | ScanFailure | None]]) -> None:
        with scratch() as once, scratch() as twice:
            for outcome in runs:
                scans = [one for one in done(outcome) if isinstance(one, ScanResult)]
                run = once.run(NAMES, scans)
                assert twice.run(NAMES, [*scans, *scans, *(failed(name) for name in names_of(scans))]) == run
            with Store.read(once.file) as first, Store.read(twice.file) as second:
                for number in range(1, run + 1):
                    assert Seen.of(first, number) == Seen.of(second, number)
            assert twice.asked("SELECT count(*) FROM locations") == once.asked("SELECT count(*) FROM locations")

    @laws
    @given(runs=whole_runs(), data=st.data())
    def test_the_order_of_recording_does_not_matter(
        self, runs: list[list[ScanResult | ScanFailure | None]], data: st.DataObject
    ) -> None:
        with scratch() as one, scratch() as other:
            for outcome in runs:
                run = one.run(NAMES, done(outcome))
                other.run(NAMES, data.draw(st.permutations(done(outcome))))
            assert one.result(run, ALL) == other.result(run, ALL)

    @laws
    @given(runs=whole_runs())
    def test_the_last_run_holds_what_was_last_found(self, runs: list[list[ScanResult | ScanFailure | None]]) -> None:
        expected: dict[str, set[str]] = {name: set() for name in NAMES}
        with scratch() as fleet:
            for outcome in runs:
                run = fleet.run(NAMES, done(outcome))
                for one in done(outcome):
                    if isinstance(one, ScanResult) and one.report is not None:
                        expected[one.key.rpartition("/")[2]] = {each["id"] for each in one.report["findings"]}
            with Store.read(fleet.file) as store:
                held = [(one.label, one.credential) for one in store.held(run)]
            assert sorted(held) == sorted((name, each) for name, ids in expected.items() for each in ids)
            assert fleet.asked("PRAGMA foreign_key_check") == []
            assert fleet.asked("PRAGMA integrity_check") == [("ok",)]


def names_of(scans: Sequence[ScanResult]) -> list[str]:
    return [scan.key.rpartition("/")[2] for scan in scans]


class TestReadingBack:
    """What was recorded is read as it was."""

    def test_places_as_a_worker_reported_them(self, fleet: Fleet) -> None:
        places = [
            at("a.py", 1, 2, exposure=Exposure.PRESENT, commit=COMMIT, refs=("main", "v1"), pushed=True),
            at("b.py", 3, 4, role=Role.SECRET_KEY, exposure=Exposure.HISTORY, commit=COMMIT, removed=LATER),
            at("commit message", 5, 6, exposure=Exposure.MESSAGE, commit=LATER),
            at(f"blob:{'ab' * 20}", 7, 8, exposure=Exposure.UNREACHABLE),
            replace(at("c.ipynb", 9), cell=Cell(number=4, part=CellPart.OUTPUT), exposure=Exposure.UNREACHABLE),
            replace(at("d.ipynb", 9), cell=Cell(number=1), replaceable=False, exposure=Exposure.UNREACHABLE),
        ]
        run = fleet.run("a", [scanned("a", found(KEYS[0], SECRETS[0], places=places))])
        with Store.read(fleet.file) as store:
            (held,) = store.held(run)
            assert store.places(held) == [replace(place, repository="a") for place in places]
            assert held.places == 6

    def test_few_places_show_every_role_and_a_pushed_one(self, fleet: Fleet) -> None:
        many = [at(f"{n:03}.py", 1, commit=COMMIT) for n in range(9)]
        others = [
            at("old.py", 1, role=Role.SECRET_KEY, exposure=Exposure.HISTORY),
            at("pushed.py", 1, exposure=Exposure.HISTORY, pushed=True),
        ]
        run = fleet.run("a", [scanned("a", found(KEYS[0], SECRETS[0], places=[*many, *others]))])
        with Store.read(fleet.file) as store:
            (held,) = store.held(run)
            assert [place.path for place in store.places(held, most=4)] == ["000.py", "pushed.py", "old.py", "001.py"]
            assert len(store.places(held)) == held.places == 11

    def test_runs_and_scans(self, fleet: Fleet) -> None:
        fleet.run("ab", [scanned("a", found(KEYS[0])), failed("b")])
        with fleet.opened() as store:
            run = store.begin("others.txt", [repository("a", size=5, aliases=("copy", "fork")), repository("c")])
            store.record(run, unchanged("a"))
            store.finish(run, RunStatus.INTERRUPTED, {"seconds": 1.25, "clones": 2})
        with Store.read(fleet.file) as store:
            first, second = store.runs()
            assert (first.status, first.target, first.facts) == (
                RunStatus.FINISHED,
                "repositories.txt",
                {"seconds": 7.5},
            )
            assert (second.status, second.facts) == (RunStatus.INTERRUPTED, {"seconds": 1.25, "clones": 2})
            assert (second.started, second.finished, second.process) == (MOMENT, MOMENT, os.getpid())
            a, b = store.scans(1)
            assert (a.status, a.since, a.credentials, a.complete, a.worker) == (
                ScanStatus.SCANNED,
                1,
                1,
                True,
                "worker 1",
            )
            assert (b.status, b.since, b.attempts, b.reason) == (ScanStatus.FAILED, None, 3, "no route to host")
            a, c = store.scans(2)
            assert (a.status, a.since, a.credentials, a.stats["objects"]) == (ScanStatus.UNCHANGED, 1, 1, 10)
            assert (a.repository.aliases, a.repository.size) == (("copy", "fork"), 5)
            assert (c.status, c.since, c.credentials) == (ScanStatus.WAITING, None, 0)

    def test_every_failed_attempt_is_kept(self, fleet: Fleet) -> None:
        with fleet.opened() as store:
            run = store.begin("list", [repository("a")])
            store.record_failure(run, replace(failed("a", "killed"), attempts=1), last=False)
            assert store.scans(run)[0].status is ScanStatus.WAITING
            store.record_failure(run, replace(failed("a", "took too long"), attempts=2), last=True)
            assert [(one.attempt, one.reason, one.at) for one in store.attempts(run)] == [
                (1, "killed", MOMENT),
                (2, "took too long", MOMENT),
            ]
            assert store.scans(run)[0].reason == "took too long"
            store.record(run, scanned("a"))
            assert (store.scans(run)[0].status, store.scans(run)[0].reason) == (ScanStatus.SCANNED, "")

    def test_what_changed_keeps_its_first_run(self, fleet: Fleet) -> None:
        fleet.run("a", [scanned("a", found(KEYS[0]), found(KEYS[1]))])
        fleet.run("a", [scanned("a", found(KEYS[0], path="moved.py"), found(KEYS[1]))])
        fleet.run("a", [scanned("a", found(KEYS[1]))])
        first, second = found(KEYS[0]).id, found(KEYS[1]).id
        assert set(fleet.asked("SELECT credential, since_run, first_run, gone_run FROM findings")) == {
            (first, 1, 1, 2),
            (first, 2, 1, 3),
            (second, 1, 1, None),
        }

    @pytest.mark.parametrize(
        "other",
        [
            replace(PLACE, path="other.py"),
            replace(PLACE, line=9),
            replace(PLACE, column=9),
            replace(PLACE, role=Role.SECRET_KEY),
            replace(PLACE, exposure=Exposure.HISTORY),
            replace(PLACE, commit=LATER),
            replace(PLACE, commit=None),
            replace(PLACE, commit=replace(COMMIT, subject="Said otherwise")),
            replace(PLACE, removed=LATER),
            replace(PLACE, blob=None),
            replace(PLACE, refs=("main",)),
            replace(PLACE, pushed=True),
            replace(PLACE, preexisting=True),
        ],
    )
    def test_any_change_of_a_place_is_a_change(self, fleet: Fleet, other: Location) -> None:
        for place in (PLACE, PLACE, other):
            fleet.run("a", [scanned("a", found(KEYS[0], places=[place]))])
        assert fleet.asked("SELECT since_run, gone_run FROM findings ORDER BY id") == [(1, 3), (3, None)]

    def test_what_is_remembered(self, fleet: Fleet) -> None:
        left = Checkpoint(fingerprint="1f", state=bytes(range(256)))
        fleet.run("ab", [replace(scanned("a"), remembered=left), scanned("b")])
        fleet.run("ab", [unchanged("a"), failed("b")])
        with fleet.opened() as store:
            key = repository("a").key
            assert Checkpoint(fingerprint=store.fingerprint(key), state=store.state(key)) == left
            for nothing in (repository("b").key, "nobody"):
                assert (store.fingerprint(nothing), store.state(nothing)) == ("", None)
        fleet.run("ab", [scanned("a", skipped=(Skipped(what="object 1", why="missing"),))])
        with fleet.opened() as store:
            assert store.fingerprint(repository("a").key) == "", "it would stand for findings that are replaced"

    def test_what_could_not_be_read_stays_with_what_was_found(self, fleet: Fleet) -> None:
        lost = Skipped(what="object 1", why="missing")
        fleet.run("a", [scanned("a", skipped=(lost,))])
        run = fleet.run("a", [failed("a")])
        with Store.read(fleet.file) as store:
            (unread,) = store.unread(run)
            assert (unread.label, unread.skipped) == ("a", lost)

    def test_verifications(self, fleet: Fleet) -> None:
        answer = Verification(verdict=Verdict.NOT_FOUND, host="api.binance.com", checked_at="2026-05-04T12:30:00Z")
        other = Verification(verdict=Verdict.NOT_ASKED, note="It is not asked about.")
        with fleet.opened() as store:
            first = store.begin("list", [])
            store.record_verifications(first, {"aa": other, "bb": other})
            store.record_verifications(first, {"aa": answer})
            second = store.begin("list", [])
            store.record_verifications(second, {"bb": answer})
            assert store.verifications(first) == {"aa": answer, "bb": other}
            assert store.verifications(second) == {"aa": answer, "bb": answer}

    def test_names_of_strangers(self, fleet: Fleet) -> None:
        odd = ["'); DROP TABLE runs; --", "a\nb\x1b[2J", "caf\udce9", "?mode=memory#", "name\x00"]
        with fleet.opened() as store:
            run = store.begin("\udce9", [Repository(key=one, label=one, address="") for one in odd])
            for one in odd:
                store.record(run, ScanResult(key=one, report=report(found(KEYS[0])), remembered=None, seconds=0))
            store.finish(run, RunStatus.FINISHED, {})
            assert {scan.repository.key for scan in store.scans(run)} == set(odd)
            assert {held.label for held in store.held(run)} == set(odd)

    def test_a_file_with_an_odd_name(self, tmp_path: Path) -> None:
        fleet = Fleet(tmp_path / "a?mode=memory#%20é.db")
        assert fleet.run("a", [scanned("a")]) == 1
        assert fleet.file.exists()

    def test_people_can_ask_it(self, fleet: Fleet) -> None:
        allowed = Suppression(by=SuppressedBy.INLINE, reason="made up")
        fleet.run("abc", [scanned("a", found(KEYS[0])), scanned("b", found(KEYS[0])), failed("c")])
        fleet.run(
            "abc", [scanned("a", found(KEYS[0]), found(KEYS[1], suppressed=allowed)), unchanged("b"), failed("c")]
        )
        exposed = "SELECT repository, path, line, masked, in_commit FROM exposed ORDER BY repository"
        assert fleet.asked(exposed) == [(name, "bot.py", 3, KEYS[0].masked, COMMIT.id) for name in "ab"]
        assert fleet.asked("SELECT credential, repositories, first_run FROM shared") == [(found(KEYS[0]).id, 2, 1)]
        assert ("c", "no route to host") in fleet.asked("SELECT repository, reason FROM failures")


class TestUnfinished:
    """A run that ended early is gone on with, or given up."""

    def test_nothing_is_left_to_do(self, fleet: Fleet) -> None:
        with fleet.opened() as store:
            assert store.unfinished() is None
        fleet.run("a", [scanned("a")])
        with fleet.opened() as store:
            assert store.unfinished() is None

    @pytest.mark.parametrize("status", [RunStatus.INTERRUPTED, RunStatus.FINISHED])
    def test_failed_and_waiting_ones_are_given(self, fleet: Fleet, status: RunStatus) -> None:
        run = fleet.run("abc", [scanned("a", found(KEYS[0])), failed("b")], status)
        with fleet.opened() as store:
            unfinished = store.unfinished()
            assert unfinished is not None
            assert unfinished.id == run
            rest = store.resume(run)
            assert [(one.label, one.address) for one in rest] == [(n, f"https://git.example/{n}") for n in "bc"]
            record_all(store, run, [scanned("b", found(KEYS[1])), scanned("c"), scanned("a")])
            store.finish(run, RunStatus.FINISHED, {})
            assert store.unfinished() is None
            assert [scan.status for scan in store.scans(run)] == [ScanStatus.SCANNED] * 3
            assert len(store.held(run)) == 2, "a was done, and its first report counts"

    def test_a_new_run_gives_it_up(self, fleet: Fleet) -> None:
        run = fleet.run("a", [], RunStatus.INTERRUPTED)
        fleet.run("a", [scanned("a")])
        with fleet.opened() as store:
            assert store.run(run).status is RunStatus.ABANDONED
            assert store.unfinished() is None
            with pytest.raises(UsageError, match="run 1 of store"):
                store.resume(run)
            with pytest.raises(ScanError, match=r"run 1 of store .* is not active"):
                store.record(run, scanned("a"))

    def test_only_repositories_of_the_run_are_recorded(self, fleet: Fleet) -> None:
        with fleet.opened() as store:
            run = store.begin("list", [repository("a")])
            with pytest.raises(ScanError, match="is not a repository of run 1"):
                store.record(run, scanned("b"))

    def test_what_cannot_be_stored_is_reported_in_a_line(self, fleet: Fleet) -> None:
        with fleet.opened() as store:
            run = store.begin("list", [repository("a")])
            for place in (at("a.py", 2**80), at("a.py", 1, commit=replace(COMMIT, author="A"))):
                scan = scanned("a", found(KEYS[0], places=[place]))
                assert scan.report is not None
                if place.commit is not None:
                    commit = scan.report["findings"][0]["locations"][0]["commit"]
                    assert commit is not None
                    commit["author"] = "\udcff"
                with pytest.raises(ScanError, match="is not understood"):
                    store.record(run, scan)
            assert store.held(run) == []

    def test_no_such_run(self, fleet: Fleet) -> None:
        fleet.run("a", [])
        with Store.read(fleet.file) as store:
            for number in (0, 2, -1, 2**70):
                with pytest.raises(UsageError, match=f"has no run {number}: its last one is 1"):
                    store.run(number)


HOLDER = """
import sys
from pathlib import Path
from binance_leaks.fleet.store import Store
from tests.fleet.fleets import found, now, repository, scanned
from tests.fleet.test_store import KEYS
store = Store.open(Path(sys.argv[1]), now=now)
run = store.begin("list", [repository("a"), repository("b")])
store.record(run, scanned("a", found(KEYS[0])))
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_run(file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of a run."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


class TestOneRunAtATime:
    """The lock, and what others may do meanwhile."""

    def test_a_second_run_is_refused_and_a_reader_is_not(self, fleet: Fleet) -> None:
        with another_run(fleet.file) as process:
            with pytest.raises(ScanError) as refused:
                Store.open(fleet.file, now=now)
            assert f"process {process.pid} on " in str(refused.value)
            assert "since 2026-05-04T12:30:00" in str(refused.value)
            assert "--resume" in refused.value.hint
            with Store.read(fleet.file) as store:
                assert store.runs()[0].status is RunStatus.RUNNING
                assert [one.label for one in store.held(1)] == ["a"]

    def test_within_a_process_too(self, fleet: Fleet) -> None:
        with fleet.opened(), pytest.raises(ScanError, match="in use by another run"), fleet.opened():
            pass
        with fleet.opened():
            pass

    def test_a_reader_sees_one_moment(self, fleet: Fleet) -> None:
        with fleet.opened() as store:
            run = store.begin("list", [repository("a"), repository("b")])
            with Store.read(fleet.file) as reader:
                with reader.read_transaction():
                    assert reader.held(run) == []
                    store.record(run, scanned("a", found(KEYS[0])))
                    assert reader.held(run) == []
                assert [one.label for one in reader.held(run)] == ["a"]

    def test_a_reader_does_not_write(self, fleet: Fleet) -> None:
        run = fleet.run("a", [])
        with Store.read(fleet.file) as store, pytest.raises(ScanError, match="is open for reading only"):
            store.finish(run, RunStatus.FINISHED, {})

    def test_a_report_that_is_interrupted_leaves_nothing(self, fleet: Fleet) -> None:
        class Stop(BaseException):
            pass

        with fleet.opened() as store:
            run = store.begin("list", [repository("a")])
            with pytest.raises(Stop), store._recording(run, repository("a").key):
                store._connection.execute("UPDATE scans SET status = 'scanned'")
                raise Stop
            assert store.scans(run)[0].status is ScanStatus.WAITING


class TestNoValue:
    """The law: digests and masks alone."""

    def test_no_value_is_in_any_file(self, fleet: Fleet) -> None:
        make = Maker()
        values = [make.value(role) for role in (Role.API_KEY, Role.SECRET_KEY, Role.PRIVATE_KEY) for _ in range(3)]
        raw = [value.secret.reveal() for value in values if value.secret is not None]
        text = raw[0].decode("ascii")
        store_errors = replace(COMMIT, subject=f"Use {text}", author=text)
        places = [at(f"keys/{text}.py", 1, commit=store_errors, refs=(text,), removed=store_errors)]
        findings = [found(value, places=places, evidence=(f"named {text}",)) for value in values]
        with fleet.opened() as store:
            run = store.begin("list", [repository("a"), repository("b")])
            store.record(run, scanned("a", *findings, skipped=(Skipped(what=text, why=text),)))
            store.record_failure(run, failed("b", f"cannot clone https://{text}@git.example/b"), last=True)
            during = everything(fleet)
        for content in (during, everything(fleet)):
            assert all(value.sha256.encode() in content for value in values), "the law has teeth"
            assert not any(value in content for value in raw)
            assert b"me:word" not in content, "nor the login of an address"

    def test_what_is_no_digest_or_no_mask_is_refused(self, fleet: Fleet) -> None:
        value = KEYS[0]
        assert value.secret is not None
        bare = replace(value, masked=value.secret.reveal().decode("ascii"))
        with fleet.opened() as store:
            run = store.begin("list", [repository("a")])
            with pytest.raises(ScanError, match="is not understood"):
                store.record(run, scanned("a", found(bare)))
        assert value.secret.reveal() not in everything(fleet)


def everything(fleet: Fleet) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(fleet.file.parent.iterdir()))


class TestPrivate:
    """Files that only their owner may read."""

    @POSIX
    def test_every_file_is_the_owners_alone(self, fleet: Fleet) -> None:
        before = os.umask(0)
        try:
            with fleet.opened() as store:
                store.begin("list", [])
                modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in fleet.file.parent.iterdir()}
        finally:
            os.umask(before)
        assert modes.keys() >= {"fleet.db", "fleet.db-wal", "fleet.db-shm", "fleet.db-lock"}
        assert set(modes.values()) == {0o600}

    @POSIX
    def test_an_open_one_is_closed_to_others(self, fleet: Fleet) -> None:
        fleet.run("a", [])
        fleet.file.chmod(0o644)
        fleet.run("a", [])
        assert stat.S_IMODE(fleet.file.stat().st_mode) == 0o600

    @POSIX
    def test_an_empty_file_is_filled(self, fleet: Fleet) -> None:
        fleet.file.touch()
        assert fleet.run("a", []) == 1


def text_file(file: Path) -> None:
    file.write_text(
        "nothing of the kind, and longer than the header of a database has to be, which is hundred bytes.\n" * 3
    )


def short_file(file: Path) -> None:
    file.write_text("SQLite format 3")


def other_program(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE songs (title)")


def versioned(version: int) -> Callable[[Path], None]:
    def make(file: Path) -> None:
        Fleet(file).run("a", [])
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

    return make


def folder(file: Path) -> None:
    file.mkdir()


def link(file: Path) -> None:
    Fleet(file.with_name("real.db")).run("a", [])
    file.symlink_to("real.db")


def writable(file: Path) -> None:
    Fleet(file).run("a", [])
    file.chmod(0o666)


def foreign(file: Path) -> None:
    Fleet(file).run("a", [])
    os.chown(file, 12345, 12345)


def planted(file: Path) -> None:
    Fleet(file).run("a", [])
    file.with_name("fleet.db-journal").touch(mode=0o666)
    file.with_name("fleet.db-journal").chmod(0o666)


ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")


class TestRefused:
    """Files that are no store of this version, or not one to believe: reported in a line, and left as they are."""

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (text_file, "is not a store: it is not an SQLite database"),
            (short_file, "is not a store: it is not an SQLite database"),
            (other_program, "is not a store: it is the database of another program"),
            (versioned(3), "made by a newer version of binance-leaks: its schema is 3, not 2"),
            (versioned(1), "made by an older version of binance-leaks: its schema is 1, not 2"),
            (versioned(0), "made by an older version of binance-leaks"),
            (folder, "is a folder"),
            pytest.param(link, "is a link", marks=POSIX),
            pytest.param(writable, "can be changed by other users", marks=POSIX),
            pytest.param(planted, "fleet.db-journal can be changed by other users", marks=POSIX),
            pytest.param(foreign, "belongs to another user", marks=ROOT),
        ],
    )
    @pytest.mark.parametrize("way", ["open", "read"])
    def test_for_what_it_is(self, fleet: Fleet, make: Callable[[Path], None], message: str, way: str) -> None:
        make(fleet.file)
        before = states(fleet)
        with pytest.raises(UsageError, match=message) as refused:
            Store.open(fleet.file, now=now) if way == "open" else Store.read(fleet.file)
        assert refused.value.hint
        assert states(fleet) == before

    def test_no_such_folder(self, tmp_path: Path) -> None:
        for way in (lambda file: Store.open(file, now=now), Store.read):
            with pytest.raises(UsageError, match="there is no folder"):
                way(tmp_path / "none" / "fleet.db")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    @pytest.mark.parametrize("suffix", ["", "-lock", "-wal"])
    def test_a_pipe_is_named_as_one(self, fleet: Fleet, suffix: str) -> None:
        os.mkfifo(f"{fleet.file}{suffix}")
        with pytest.raises(UsageError, match="is a named pipe, so it is not trusted"):
            Store.open(fleet.file, now=now)

    def test_nothing_to_read(self, fleet: Fleet) -> None:
        with pytest.raises(UsageError, match="there is no store") as refused:
            Store.read(fleet.file)
        assert "--store" in refused.value.hint
        assert not fleet.file.exists()


def states(fleet: Fleet) -> dict[str, tuple[int, int]]:
    files = (file.lstat() for file in (fleet.file,))
    return {str(number): (each.st_mode, each.st_size) for number, each in enumerate(files)}


class TestTrouble:
    """A disk that is full, files that are damaged: an error in a line, and what was there before stays."""

    def test_a_full_disk_in_the_words_of_sqlite(self, tmp_path: Path) -> None:
        file = tmp_path / "fleet.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA max_page_count = 3")
            connection.execute("CREATE TABLE rows (content)")
            with (
                pytest.raises(ScanError, match=f"store {file} cannot be written: the disk is full"),
                store_errors(file),
            ):
                connection.execute("INSERT INTO rows VALUES (zeroblob(100000))")

    def test_what_may_only_be_read_in_the_words_of_sqlite(self, fleet: Fleet) -> None:
        fleet.run("a", [])
        with (
            closing(sqlite3.connect(f"{fleet.file.as_uri()}?mode=ro", uri=True)) as connection,
            pytest.raises(ScanError, match="is read-only"),
            store_errors(fleet.file),
        ):
            connection.execute("DELETE FROM runs")

    @pytest.mark.parametrize("words", ["attempt to write a readonly database", "unable to open database file"])
    def test_a_read_only_folder_in_the_words_of_sqlite(
        self, fleet: Fleet, words: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which words these are depends on the version of SQLite."""
        fleet.run("a", [])
        with closing(sqlite3.connect(fleet.file)) as writer:
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        real = connection.connect

        class Refusing(sqlite3.Connection):
            def execute(self, *_: object) -> NoReturn:
                raise sqlite3.OperationalError(words)

        def connect(file: Path, mode: str) -> sqlite3.Connection:
            return real(file, mode) if "immutable" in mode else sqlite3.connect(":memory:", factory=Refusing)

        monkeypatch.setattr(connection, "connect", connect)
        with closing(connection.connect_reader(fleet.file)) as opened:
            assert opened.execute("SELECT count(*) FROM runs").fetchone() == (1,)

    def test_another_program_writes_to_it(self, fleet: Fleet) -> None:
        fleet.run("a", [])
        with (
            closing(sqlite3.connect(fleet.file, isolation_level=None)) as one,
            closing(sqlite3.connect(fleet.file, isolation_level=None, timeout=0)) as other,
        ):
            one.execute("BEGIN IMMEDIATE")
            with pytest.raises(ScanError, match="in use by another program"), store_errors(fleet.file):
                other.execute("BEGIN IMMEDIATE")

    @pytest.mark.parametrize("kept", [100, 4096, 30_000])
    def test_a_store_that_was_cut_off(self, fleet: Fleet, kept: int) -> None:
        fleet.run("a", [scanned("a", found(KEYS[0]))])
        content = fleet.file.read_bytes()
        fleet.file.write_bytes(content[:kept])
        with pytest.raises(ScanError, match=f"store {fleet.file} is damaged"):
            use(fleet)

    def test_a_store_with_noise_in_it(self, fleet: Fleet) -> None:
        fleet.run("a", [scanned("a", found(KEYS[0]))])
        content = fleet.file.read_bytes()
        fleet.file.write_bytes(content[:4096] + bytes(len(content) - 4096))
        with pytest.raises(ScanError, match="is damaged"):
            use(fleet)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE findings SET environment = 'moon'",
            "UPDATE findings SET confidence = NULL",
            "UPDATE findings SET evidence = 'words'",
            "UPDATE findings SET evidence = replace(hex(zeroblob(20000)), '0', '[')",
            "UPDATE findings SET suppressed_by = 'nobody'",
            "UPDATE findings SET places = -1",
            "UPDATE finding_values SET masked = hex(randomblob(32))",
            "UPDATE finding_values SET sha256 = 'short'",
            "UPDATE finding_values SET role = x'ff'",
            "DELETE FROM finding_values",
            "DELETE FROM locations",
            "UPDATE locations SET line = 'one'",
            "UPDATE locations SET path = x'ff'",
            "UPDATE locations SET path = CAST(x'ff' AS TEXT)",
            "UPDATE locations SET exposure = 'everywhere'",
            "UPDATE commits SET subject = x'ff'",
            "UPDATE runs SET started = 'yesterday'",
            "UPDATE runs SET status = 'lost'",
            "UPDATE runs SET facts = '[]'",
            "UPDATE scans SET stats = '{\"objects\": NaN}'",
            "UPDATE scans SET aliases = '{}'",
            "UPDATE scans SET status = ''",
            "INSERT INTO verifications VALUES ('aa', 1, '{}')",
            "DROP TABLE skipped",
        ],
    )
    def test_what_no_version_writes_is_reported_in_a_line(self, fleet: Fleet, change: str) -> None:
        fleet.run("a", [scanned("a", found(KEYS[0]))])
        with closing(sqlite3.connect(fleet.file, isolation_level=None)) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute("PRAGMA writable_schema = ON")
            try:
                connection.execute(change)
            except sqlite3.IntegrityError:
                connection.executescript(f"PRAGMA legacy_alter_table = ON; {change.replace('NULL', repr(''))}")
        with pytest.raises(ScanError, match=f"store {fleet.file} is damaged") as raised:
            fleet.result(1)
        assert raised.value.__cause__ is None

    @pytest.mark.parametrize(
        "spoilt",
        [
            {"schema": "binance-leaks/2"},
            {"schema": "binance-leaks/1"},
            {"schema": "binance-leaks/1", "findings": [{}]},
            {"schema": "binance-leaks/1", "findings": None},
            {"schema": "binance-leaks/1", "findings": [], "scan": {"complete": True}},
            {"schema": "binance-leaks/1", "findings": [], "scan": {"complete": True, "stats": {}, "skipped": [{}]}},
        ],
    )
    def test_what_is_no_report_is_reported_in_a_line(self, fleet: Fleet, spoilt: dict[str, object]) -> None:
        good = scanned("a", found(KEYS[0]))
        bad = replace(good, report=cast(Report, spoilt))
        with fleet.opened() as store:
            run = store.begin("list", [repository("a")])
            with pytest.raises(ScanError, match="is not understood") as raised:
                store.record(run, bad)
            assert "same version" in raised.value.hint
            store.record(run, good)
            assert len(fleet_result(store, run, config=SURE).findings) == 1


def use(fleet: Fleet) -> None:
    """All that is done with a store."""
    with fleet.opened() as store:
        run = store.begin("list", [repository("a")])
        store.record(run, scanned("a", found(KEYS[1])))
        fleet_result(store, run, config=SURE)
        fleet_result(store, 1, config=SURE)
