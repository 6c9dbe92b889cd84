"""The report of a fleet: one finding per credential, with what all repositories together say of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from random import Random

import pytest
from binance_leaks.api import scan_history
from binance_leaks.config import Config, FailOn
from binance_leaks.findings import Finding, Mark, Skipped, SourceKind, SuppressedBy, Suppression
from binance_leaks.fleet.models import RunStatus, ScanResult
from binance_leaks.fleet.store import Store
from binance_leaks.model import UNDECIDED, Confidence, Environment, Exposure, Kind, RiskLevel, Role, Value
from binance_leaks.report.json import report_of
from binance_leaks.report.locations import EXPOSURES_BY_USE
from binance_leaks.verification import Permissions, Verdict, Verification

from tests.corpus import values
from tests.fleet.fleets import ALL, SURE, Fleet, failed, found, record_all, repository, scanned, unchanged
from tests.report.examples import COMMIT, Maker, at
from tests.repositories import Repository

MAKER = Maker(72)
KEY, KEY_2, KEY_3 = (MAKER.value(Role.API_KEY) for _ in range(3))
SECRET, SECRET_2 = (MAKER.value(Role.SECRET_KEY) for _ in range(2))
INLINE = Suppression(by=SuppressedBy.INLINE, reason="made up")
LOW, MEDIUM, HIGH = Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet.at(tmp_path)


def merged(fleet: Fleet, **held: list[Finding]) -> list[Finding]:
    """The findings of a run in which each repository holds these, at any confidence."""
    run = fleet.run(held, [scanned(name, *findings) for name, findings in held.items()])
    return list(fleet.result(run, ALL).findings)


def digests(finding: Finding) -> set[str]:
    return {value.sha256 for value in finding.values}


def where(finding: Finding) -> set[tuple[str | None, Role]]:
    return {(place.repository, place.role) for place in finding.locations}


class TestOneCredential:
    """What makes up one, and what stays two."""

    def test_one_repository_gives_a_role_that_another_does_not(self, fleet: Fleet) -> None:
        undecided = found(KEY, evidence=(UNDECIDED, "nearby"))
        (alone,) = merged(fleet, a=[undecided], b=[undecided])
        assert (alone.is_undecided, alone.risk.level) == (True, RiskLevel.MEDIUM)
        (key,) = merged(fleet, a=[undecided], b=[found(KEY, confidence=MEDIUM)])
        assert (key.is_undecided, key.risk.level) == (False, RiskLevel.LOW)
        secret = Value.of(Role.SECRET_KEY, b"" if KEY.secret is None else KEY.secret.reveal())
        (half,) = merged(fleet, a=[undecided], b=[found(secret, confidence=MEDIUM)])
        assert (half.kind, half.risk.level) == (Kind.SECRET_KEY, RiskLevel.MEDIUM)

    def test_a_key_in_several_repositories(self, fleet: Fleet) -> None:
        (one,) = merged(fleet, a=[found(KEY, SECRET)], b=[found(KEY)], c=[found(KEY, SECRET_2)])
        assert one.repositories == ("a", "b", "c")
        assert digests(one) == {KEY.sha256, SECRET.sha256, SECRET_2.sha256}
        assert (one.id, one.kind) == (found(KEY).id, Kind.KEY_PAIR)

    def test_a_lone_secret_goes_to_its_pair(self, fleet: Fleet) -> None:
        (one,) = merged(fleet, a=[found(SECRET, confidence=LOW)], b=[found(KEY, SECRET)])
        assert where(one) == {("a", Role.SECRET_KEY), ("b", Role.API_KEY), ("b", Role.SECRET_KEY)}

    def test_two_keys_beside_one_secret_stay_two(self, fleet: Fleet) -> None:
        found_ones = merged(fleet, a=[found(KEY, SECRET)], b=[found(KEY_2, SECRET)])
        assert {one.id for one in found_ones} == {found(KEY).id, found(KEY_2).id}

    def test_halves_of_different_repositories_stay_alone(self, fleet: Fleet) -> None:
        assert len(merged(fleet, a=[found(KEY)], b=[found(SECRET)])) == 2

    def test_a_value_takes_the_role_that_a_whole_pair_gives_it(self, fleet: Fleet) -> None:
        wrong = Value.of(Role.API_KEY, revealed(SECRET))
        (one,) = merged(fleet, a=[found(wrong)], b=[found(KEY, SECRET)])
        assert where(one) == {("a", Role.SECRET_KEY), ("b", Role.API_KEY), ("b", Role.SECRET_KEY)}
        assert sorted(value.masked for value in one.values) == sorted((KEY.masked, SECRET.masked))

    def test_two_that_disagree_about_roles_are_one_pair(self, fleet: Fleet) -> None:
        key, secret = Value.of(Role.API_KEY, revealed(SECRET)), Value.of(Role.SECRET_KEY, revealed(KEY))
        (one,) = merged(fleet, a=[found(KEY, SECRET)], b=[found(key, secret)])
        assert one.kind is Kind.KEY_PAIR
        assert {value.role for value in one.values} == {Role.API_KEY, Role.SECRET_KEY}
        assert len(one.locations) == 4

    def test_with_any_names_and_the_order(self, tmp_path: Path) -> None:
        held = [[found(SECRET, confidence=LOW)], [found(KEY, SECRET)], [found(KEY_2, SECRET)], [found(KEY, SECRET_2)]]
        seen = set()
        for number, order in enumerate(permutations(range(4))):
            fleet = Fleet(tmp_path / f"{number}.db")
            run = fleet.run("abcd", [scanned("abcd"[each], *held[each]) for each in order])
            seen.add(tuple(fleet.result(run, ALL).findings))
        assert len(seen) == 1


def revealed(value: Value) -> bytes:
    assert value.secret is not None
    return value.secret.reveal()


class TestJudgedTogether:
    """One repository speaks for the others."""

    def test_the_highest_confidence_counts(self, fleet: Fleet) -> None:
        run = fleet.run("abc", [scanned("a", found(KEY, confidence=LOW)), scanned("b", found(KEY, confidence=HIGH))])
        (one,) = fleet.result(run).findings
        assert (one.confidence, one.repositories) == (HIGH, ("a", "b"))

    def test_what_is_sure_nowhere_is_left_out(self, fleet: Fleet) -> None:
        run = fleet.run("ab", [scanned("a", found(KEY, confidence=LOW)), scanned("b", found(KEY_2, confidence=MEDIUM))])
        assert [one.id for one in fleet.result(run).findings] == [found(KEY_2).id]
        assert len(fleet.result(run, ALL).findings) == 2
        assert not fleet.result(run, Config(confidence=HIGH)).findings

    @pytest.mark.parametrize(
        ("printed", "taken"),
        [
            ((Environment.UNKNOWN, Environment.TESTNET), Environment.UNKNOWN),
            ((Environment.TESTNET, Environment.DEMO), Environment.DEMO),
            ((Environment.UNKNOWN, Environment.US), Environment.US),
            ((Environment.TESTNET, Environment.MAINNET), Environment.MAINNET),
            ((Environment.UNKNOWN, Environment.UNKNOWN), Environment.UNKNOWN),
        ],
    )
    def test_the_most_prudent_environment(
        self, fleet: Fleet, printed: tuple[Environment, Environment], taken: Environment
    ) -> None:
        one, other = (found(KEY, environment=each) for each in printed)
        (together,) = merged(fleet, a=[one], b=[other])
        assert together.environment is taken

    def test_a_place_that_reports_nothing_of_it_does_not_count(self, fleet: Fleet) -> None:
        """A test key that somebody noted down stays one."""
        noted = found(KEY, environment=Environment.UNKNOWN, confidence=LOW)
        (together,) = merged(fleet, a=[found(KEY, environment=Environment.TESTNET)], b=[noted])
        assert together.environment is Environment.TESTNET

    def test_a_pair_is_worse_than_its_half(self, fleet: Fleet) -> None:
        (half,) = merged(fleet, a=[found(KEY)])
        (pair,) = merged(fleet, a=[found(KEY)], b=[found(KEY, SECRET)])
        assert (half.risk.level, pair.risk.level) == (RiskLevel.LOW, RiskLevel.HIGH)

    def test_evidence_is_united_the_best_of_each_first(self, fleet: Fleet) -> None:
        one = found(KEY, evidence=("best of a", *(f"a {n:02}" for n in range(20))))
        (together,) = merged(fleet, a=[one], b=[found(KEY, evidence=("best of b", "b"))])
        assert together.evidence[:2] == ("best of a", "best of b")
        assert len(together.evidence) == 12

    def test_the_gate_is_that_of_the_configuration(self, fleet: Fleet) -> None:
        run = fleet.run("a", [scanned("a", found(KEY, SECRET))])
        assert [one.fails for one in fleet.result(run).findings] == [True]
        lenient = Config(fail_on=FailOn.named("critical"))
        assert [one.fails for one in fleet.result(run, lenient).findings] == [False]


class TestSuppressed:
    """It is suppressed only where it is suppressed in every repository."""

    def test_in_one_repository_only(self, fleet: Fleet) -> None:
        run = fleet.run("ab", [scanned("a", found(KEY, suppressed=INLINE)), scanned("b", found(KEY))])
        result = fleet.result(run)
        assert (len(result.findings), len(result.suppressed)) == (1, 0)
        assert result.findings[0].fails

    def test_in_every_repository(self, fleet: Fleet) -> None:
        config = Suppression(by=SuppressedBy.CONFIG, reason="of the bank of examples")
        run = fleet.run(
            "ab", [scanned("a", found(KEY, suppressed=INLINE)), scanned("b", found(KEY, suppressed=config))]
        )
        result = fleet.result(run)
        (one,) = result.suppressed
        assert (one.suppressed, one.fails, result.findings) == (INLINE, False, ())
        assert result.stats.suppressed == 1


class TestPlaces:
    """Where it is: few places of each repository, none of them forgotten."""

    def test_at_most_so_many_of_each_repository(self, fleet: Fleet) -> None:
        old = [at(f"{n}.py", 1, exposure=Exposure.HISTORY, commit=COMMIT) for n in range(30)]
        today = [at(f"today/{n}.py", 1, exposure=Exposure.PRESENT) for n in range(4)]
        run = fleet.run("ab", [scanned("a", found(KEY, places=[*old, *today])), scanned("b", found(KEY))])
        (one,) = fleet.result(run, places=6).findings
        assert Counter(place.repository for place in one.locations) == {"a": 6, "b": 1}
        assert one.unlisted == 28
        assert [place.exposure for place in one.locations] == sorted(
            (p.exposure for p in one.locations), key=EXPOSURES_BY_USE.index
        )
        assert sum(place.exposure is Exposure.PRESENT for place in one.locations) == 5
        (whole,) = fleet.result(run, places=None).findings
        assert (len(whole.locations), whole.unlisted) == (35, 0)
        assert whole.risk == one.risk

    def test_a_lone_secret_counts_with_its_pair_in_the_same_repository(self, fleet: Fleet) -> None:
        lone = found(SECRET, places=[at(f"{n}.py", 1, role=Role.SECRET_KEY) for n in range(10)])
        (one,) = merged(fleet, a=[found(KEY, SECRET), lone])
        assert len(one.locations) == 12
        run = fleet.run("a", [scanned("a", found(KEY, SECRET), lone)])
        (few,) = fleet.result(run, places=5).findings
        assert (len(few.locations), few.unlisted) == (5, 7)


class TestAnswers:
    """What Binance answered, once for the whole fleet."""

    def test_it_is_judged_by_it(self, fleet: Fleet) -> None:
        one = self.after(
            fleet, {found(KEY).id: Verification(verdict=Verdict.NOT_FOUND, host="api.binance.com", elsewhere=())}
        )
        assert one.risk.level is RiskLevel.INFO
        assert one.verification is not None

    def test_what_binance_knows_is_sure_and_of_its_system(self, fleet: Fleet) -> None:
        live = Verification(
            verdict=Verdict.LIVE, host="testnet.binance.vision", environment=Environment.TESTNET, key=KEY.sha256
        )
        one = self.after(fleet, {found(KEY).id: live}, confidence=LOW)
        assert (one.confidence, one.environment) == (HIGH, Environment.TESTNET)
        assert one.evidence[0] == "testnet.binance.vision knows it"

    @pytest.mark.parametrize("after_it_was_turned", [False, True])
    def test_a_pair_that_was_noted_the_wrong_way_round(self, fleet: Fleet, after_it_was_turned: bool) -> None:
        key, secret = Value.of(Role.API_KEY, revealed(SECRET)), Value.of(Role.SECRET_KEY, revealed(KEY))
        right = found(key, secret)
        live = Verification(
            verdict=Verdict.LIVE, host="api.binance.com", swapped=True, key=key.sha256, secret=secret.sha256
        )
        one = self.after(fleet, {right.id if after_it_was_turned else found(KEY).id: live})
        assert one.id == right.id
        assert {value.sha256: value.role for value in one.values} == {
            key.sha256: Role.API_KEY,
            secret.sha256: Role.SECRET_KEY,
        }
        assert {place.line: place.role for place in one.locations} == {3: Role.SECRET_KEY, 4: Role.API_KEY}
        assert next(value.masked for value in one.values if value.role is Role.SECRET_KEY) == secret.masked

    def test_a_key_goes_with_the_secret_that_signs_for_it(self, fleet: Fleet) -> None:
        live = Verification(
            verdict=Verdict.LIVE,
            permissions=Permissions(granted=("enableWithdrawals",)),
            host="api.binance.com",
            key=KEY_3.sha256,
            secret=SECRET.sha256,
        )
        with fleet.opened() as store:
            run = store.begin("list", [repository(name) for name in "ab"])
            record_all(store, run, [scanned("a", found(KEY, SECRET)), scanned("b", found(KEY_3, path="b.py"))])
            store.record_verifications(run, {found(KEY_3).id: live})
            store.finish(run, RunStatus.FINISHED, {})
        first, second = fleet.result(run, ALL).findings
        assert digests(first) == {KEY_3.sha256, SECRET.sha256}
        assert (first.risk.level, first.kind) == (RiskLevel.CRITICAL, Kind.KEY_PAIR)
        assert where(first) == {("b", Role.API_KEY), ("a", Role.SECRET_KEY)}
        assert (digests(second), second.kind) == ({KEY.sha256}, Kind.API_KEY)
        assert where(second) == {("a", Role.API_KEY)}
        assert (first.unlisted, second.unlisted) == (0, 0)

    @staticmethod
    def after(fleet: Fleet, answers: dict[str, Verification], confidence: Confidence = HIGH) -> Finding:
        """The only finding, a pair, after these answers."""
        with fleet.opened() as store:
            run = store.begin("list", [repository("a")])
            store.record(run, scanned("a", found(KEY, SECRET, confidence=confidence)))
            store.record_verifications(run, answers)
            store.finish(run, RunStatus.FINISHED, {})
        (one,) = fleet.result(run).findings
        return one


class TestMarks:
    """What became of it since the run before."""

    def test_a_first_run_marks_nothing(self, fleet: Fleet) -> None:
        result = fleet.result(fleet.run("a", [scanned("a", found(KEY))]))
        assert [one.mark for one in result.findings] == [None]
        assert result.stats.new is None

    def test_new_still_there_and_gone(self, fleet: Fleet) -> None:
        fleet.run("ab", [scanned("a", found(KEY), found(KEY_2)), scanned("b")])
        run = fleet.run("ab", [scanned("a", found(KEY)), scanned("b", found(KEY), found(KEY_3))])
        result = fleet.result(run)
        assert {one.id: one.mark for one in result.findings} == {
            found(KEY).id: Mark.STILL_THERE,
            found(KEY_3).id: Mark.NEW,
        }
        assert {name: result.stats.counts()[name] for name in ("new", "still_there", "gone")} == dict.fromkeys(
            ("new", "still_there", "gone"), 1
        )

    def test_what_was_not_sure_enough_to_be_reported_is_new(self, fleet: Fleet) -> None:
        fleet.run("a", [scanned("a", found(KEY, confidence=LOW))])
        run = fleet.run("a", [scanned("a", found(KEY))])
        assert [one.mark for one in fleet.result(run).findings] == [Mark.NEW]
        assert [one.mark for one in fleet.result(run, ALL).findings] == [Mark.STILL_THERE]

    def test_what_was_suppressed_before_is_new(self, fleet: Fleet) -> None:
        """Else a comment that comes with a credential and goes a day later would hide it for good."""
        allowed = found(KEY, suppressed=INLINE)
        fleet.run("a", [scanned("a", allowed)])
        run = fleet.run("ab", [scanned("a", allowed), scanned("b", found(KEY))])
        assert [one.mark for one in fleet.result(run).findings] == [Mark.NEW]
        run = fleet.run("ab", [scanned("a", allowed), scanned("b", found(KEY))])
        assert [one.mark for one in fleet.result(run).findings] == [Mark.STILL_THERE]

    def test_what_stays_suppressed_is_still_there(self, fleet: Fleet) -> None:
        for _ in range(2):
            run = fleet.run("a", [scanned("a", found(KEY, suppressed=INLINE))])
        assert [one.mark for one in fleet.result(run).suppressed] == [Mark.STILL_THERE]

    def test_a_half_that_is_left_of_a_pair_is_still_there(self, fleet: Fleet) -> None:
        fleet.run("a", [scanned("a", found(KEY, SECRET))])
        result = fleet.result(fleet.run("a", [scanned("a", found(SECRET))]))
        assert [one.mark for one in result.findings] == [Mark.STILL_THERE]
        assert result.stats.gone == 0

    def test_a_run_that_looked_at_nothing_is_no_measure(self, fleet: Fleet) -> None:
        fleet.run("a", [scanned("a", found(KEY))])
        fleet.run("a", [], RunStatus.INTERRUPTED)
        run = fleet.run("a", [scanned("a", found(KEY))])
        assert [one.mark for one in fleet.result(run).findings] == [Mark.STILL_THERE]


class TestUnread:
    """What is missing is reported."""

    def test_a_repository_that_failed(self, fleet: Fleet) -> None:
        fleet.run("ab", [scanned("a", found(KEY)), scanned("b")])
        result = fleet.result(fleet.run("abc", [failed("a"), unchanged("b"), failed("c", "took too long.")]))
        assert result.skipped == (
            Skipped(
                what="a",
                why="no route to host (3 attempts). Check the network. What run 1 found in it is still reported.",
            ),
            Skipped(what="c", why="took too long (3 attempts). Check the network."),
        )
        assert not result.complete
        assert [one.id for one in result.findings] == [found(KEY).id]
        assert {name: count for name, count in result.stats.counts().items() if name.startswith("repositories")} == {
            "repositories": 3,
            "repositories_failed": 2,
            "repositories_unchanged": 1,
        }

    def test_a_run_that_was_interrupted(self, fleet: Fleet) -> None:
        result = fleet.result(fleet.run("abc", [scanned("a")], RunStatus.INTERRUPTED))
        assert result.interrupted
        assert [skipped.what for skipped in result.skipped] == ["2 repositories"]

    def test_what_a_scan_could_not_read(self, fleet: Fleet) -> None:
        lost = Skipped(what="object 1f", why="missing")
        passed = Skipped(what="vendor", why="a submodule", lost=False)
        result = fleet.result(fleet.run("ab", [scanned("a", skipped=(lost,)), scanned("b", skipped=(passed,))]))
        assert result.skipped == (replace(lost, what="a: object 1f"), replace(passed, what="b: vendor"))
        complete = fleet.result(fleet.run("ab", [scanned("a"), unchanged("b")]))
        assert (complete.complete, complete.skipped) == (True, (replace(passed, what="b: vendor"),))

    def test_what_was_read_is_that_of_this_run(self, fleet: Fleet) -> None:
        fleet.run("abc", [scanned(name) for name in "abc"])
        result = fleet.result(fleet.run("abc", [scanned("a"), scanned("b"), unchanged("c")]))
        assert (result.source, result.target) == (SourceKind.FLEET, "repositories.txt")
        assert {name: result.stats.counts()[name] for name in ("objects", "blobs", "bytes", "seconds")} == {
            "objects": 20,
            "blobs": 12,
            "bytes": 2000,
            "seconds": 7.5,
        }


def test_a_fleet_of_one_reports_what_its_scan_reports(fleet: Fleet, tmp_path: Path) -> None:
    rng = Random(5)
    made = Repository.create(tmp_path / "project")
    key, secret, other = (values.hmac_value(rng) for _ in range(3))
    made.commit({"bot.py": f'from binance.client import Client\nclient = Client("{key}", "{secret}")\n'})
    made.commit({"bot.py": "pass\n", "old.env": f"BINANCE_API_KEY={other}\n"})
    single = scan_history(made.folder, config=SURE)
    known = scan_history(made.folder, config=ALL)
    with fleet.opened() as store:
        run = store.begin("list", [repository("a")])
        data = report_of(known, show_suppressed=True)
        store.record(run, ScanResult(key=repository("a").key, report=data, remembered=None, seconds=1.0))
        store.finish(run, RunStatus.FINISHED, {})
    whole = fleet.result(run, places=None)
    assert len(single.findings) == 2
    assert [comparable(one) for one in whole.findings] == [comparable(one) for one in single.findings]


def comparable(finding: Finding) -> Finding:
    """Without what a report does not tell, and with its places in one order."""
    return replace(
        finding,
        values=tuple(replace(value.without_secret(), sha1="") for value in finding.values),
        locations=tuple(sorted((replace(place, repository=None) for place in finding.locations), key=repr)),
    )


def test_a_store_in_the_middle_of_a_run_is_reported(fleet: Fleet) -> None:
    with fleet.opened() as store:
        run = store.begin("list", [repository("a"), repository("b")])
        store.record(run, scanned("a", found(KEY)))
        result = fleet.result(run)
        assert [one.id for one in result.findings] == [found(KEY).id]
        assert result.interrupted
        with Store.read(fleet.file) as reader:
            assert len(reader.held(run)) == 1
