"""What changed from one run to another, and what cannot be reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from binance_leaks.config import Config
from binance_leaks.errors import UsageError
from binance_leaks.findings import Mark, Result, Skipped, SuppressedBy, Suppression
from binance_leaks.fleet.models import RunStatus
from binance_leaks.fleet.report import compare_runs
from binance_leaks.fleet.store import Store
from binance_leaks.model import Confidence, Role

from tests.fleet.fleets import SURE, Fleet, failed, found, scanned, unchanged
from tests.report.examples import Maker

MAKER = Maker(73)
KEY, KEY_2, KEY_3 = (MAKER.value(Role.API_KEY) for _ in range(3))
SECRET = MAKER.value(Role.SECRET_KEY)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet.at(tmp_path)


def compared(fleet: Fleet, earlier: int, later: int, config: Config = SURE) -> Result:
    with Store.read(fleet.file) as store:
        return compare_runs(store, earlier, later, config=config)


def marks(result: Result) -> dict[str, Mark | None]:
    return {finding.id: finding.mark for finding in result.findings}


def test_new_still_there_and_gone(fleet: Fleet) -> None:
    fleet.run("ab", [scanned("a", found(KEY), found(KEY_2, path="gone.py")), scanned("b")])
    fleet.run("ab", [unchanged("a"), unchanged("b")])
    fleet.run("ab", [scanned("a", found(KEY)), scanned("b", found(KEY_3))])
    result = compared(fleet, 1, 3)
    assert marks(result) == {found(KEY).id: Mark.STILL_THERE, found(KEY_2).id: Mark.GONE, found(KEY_3).id: Mark.NEW}
    gone = next(finding for finding in result.findings if finding.mark is Mark.GONE)
    assert not gone.fails
    assert [(place.repository, place.path) for place in gone.locations] == [("a", "gone.py")]
    assert [result.stats.counts()[name] for name in ("new", "still_there", "gone")] == [1, 1, 1]
    assert result.complete


def test_a_run_and_itself(fleet: Fleet) -> None:
    run = fleet.run("a", [scanned("a", found(KEY), found(KEY_2, SECRET))])
    assert set(marks(compared(fleet, run, run)).values()) == {Mark.STILL_THERE}


def test_backwards(fleet: Fleet) -> None:
    fleet.run("a", [scanned("a")])
    fleet.run("a", [scanned("a", found(KEY))])
    assert marks(compared(fleet, 1, 2)) == {found(KEY).id: Mark.NEW}
    assert marks(compared(fleet, 2, 1)) == {found(KEY).id: Mark.GONE}


def test_it_has_moved_to_another_repository(fleet: Fleet) -> None:
    fleet.run("ab", [scanned("a", found(KEY)), scanned("b")])
    fleet.run("ab", [scanned("a"), scanned("b", found(KEY))])
    assert marks(compared(fleet, 1, 2)) == {found(KEY).id: Mark.STILL_THERE}


def test_a_repository_that_failed_makes_nothing_gone(fleet: Fleet) -> None:
    fleet.run("ab", [scanned("a", found(KEY)), scanned("b")])
    fleet.run("ab", [failed("a"), unchanged("b")])
    result = compared(fleet, 1, 2)
    assert marks(result) == {found(KEY).id: Mark.STILL_THERE}
    assert [skipped.what for skipped in result.skipped] == ["a"]
    assert not result.complete


def test_a_repository_that_was_not_reached_makes_nothing_gone(fleet: Fleet) -> None:
    fleet.run("ab", [scanned("a", found(KEY)), scanned("b")])
    fleet.run("ab", [unchanged("b")], RunStatus.INTERRUPTED)
    assert marks(compared(fleet, 1, 2)) == {found(KEY).id: Mark.STILL_THERE}


def test_a_repository_that_is_left_out_makes_nothing_gone(fleet: Fleet) -> None:
    fleet.run("abc", [scanned("a", found(KEY), found(KEY_2)), scanned("b", found(KEY_2)), scanned("c")])
    fleet.run("b", [scanned("b")])
    result = compared(fleet, 1, 2)
    assert marks(result) == {}
    assert result.stats.gone == 0
    assert result.skipped == (
        Skipped(what="a", why="not in run 2: not known whether 2 credentials of it are gone", lost=False),
        Skipped(what="c", why="not in run 2", lost=False),
    )
    assert result.complete


def test_a_repository_that_is_new_is_named(fleet: Fleet) -> None:
    fleet.run("ab", [scanned("a", found(KEY)), failed("b")])
    fleet.run("abc", [unchanged("a"), scanned("b", found(KEY_2)), scanned("c", found(KEY))])
    result = compared(fleet, 1, 2)
    assert marks(result) == {found(KEY).id: Mark.STILL_THERE, found(KEY_2).id: Mark.NEW}
    assert [(skipped.what, skipped.why, skipped.lost) for skipped in result.skipped] == [
        (name, "not scanned as of run 1: what is only in it counts as new", False) for name in "bc"
    ]


def test_doubt_makes_nothing_gone(fleet: Fleet) -> None:
    fleet.run("a", [scanned("a", found(KEY))])
    fleet.run("a", [scanned("a", found(KEY, confidence=Confidence.LOW))])
    assert marks(compared(fleet, 1, 2)) == {}


def test_what_was_suppressed_is_gone_apart(fleet: Fleet) -> None:
    allowed = Suppression(by=SuppressedBy.INLINE, reason="made up")
    fleet.run("a", [scanned("a", found(KEY, suppressed=allowed))])
    fleet.run("a", [scanned("a")])
    result = compared(fleet, 1, 2)
    assert (result.findings, [one.mark for one in result.suppressed]) == ((), [Mark.GONE])
    assert (result.stats.gone, result.stats.suppressed) == (0, 1)


def test_no_such_run(fleet: Fleet) -> None:
    fleet.run("a", [scanned("a")])
    with pytest.raises(UsageError, match="has no run 9: its last one is 1"):
        compared(fleet, 1, 9)
