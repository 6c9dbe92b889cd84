"""The cache of verdicts: what it keeps and for how long, what it refuses to believe, and that it holds no value."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from random import Random

import pytest
from binance_leaks.errors import ScanError, UsageError
from binance_leaks.model import Environment
from binance_leaks.verification import Cause, Permissions, Tier, Verdict
from binance_leaks.verify.cache import CacheFile, DatedOutcome
from binance_leaks.verify.http_types import NoReply, Reply
from binance_leaks.verify.responses import Outcome, inconclusive
from binance_leaks.verify.verifier import Verifier
from hypothesis import given
from hypothesis import strategies as st

from tests.binance.accounts import WITHDRAW, Account, ed25519_account, hmac_account
from tests.verify.credentials import pair, value_of
from tests.verify.fakes import FakeClock, FakeTransport

NOW = 1_800_000_000.0
HOUR = 3600.0
posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners are POSIX's")

PERMISSIONS = Permissions(
    granted=("enableReading", "enableWithdrawals"),
    denied=("enableFutures",),
    ip_restricted=True,
    created=1_700_000_000_000,
    trading_ends=1_790_000_000_000,
)
OUTCOMES = [
    Outcome(verdict=Verdict.LIVE, permissions=PERMISSIONS),
    Outcome(verdict=Verdict.LIVE),
    Outcome(verdict=Verdict.LIVE_NO_PERMISSION, detail="code -1002"),
    Outcome(verdict=Verdict.KEY_LIVE_SECRET_WRONG, detail="code -1022"),
    Outcome(verdict=Verdict.NOT_FOUND, detail="code -2008"),
    Outcome(verdict=Verdict.MALFORMED, detail="code -2014"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "verified.json"


class TestKeeping:
    @pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.verdict.value)
    def test_what_is_put_comes_back(self, file: Path, outcome: Outcome) -> None:
        cache = CacheFile(file)
        cache.put("digest", DatedOutcome(outcome=outcome, at=NOW))
        cache.save(NOW)
        again = CacheFile(file)
        assert again.get("digest", NOW + 1) == DatedOutcome(outcome=outcome, at=NOW)
        assert again.get("other", NOW) is None

    @pytest.mark.parametrize("cause", [Cause.ADDRESS, Cause.NETWORK, Cause.FIREWALL, Cause.STOPPED, Cause.BUDGET])
    def test_what_reports_nothing_is_not_kept(self, file: Path, cause: Cause) -> None:
        cache = CacheFile(file)
        cache.put("digest", DatedOutcome(outcome=inconclusive(cause), at=NOW))
        cache.put("other", DatedOutcome(outcome=Outcome(verdict=Verdict.NOT_VERIFIABLE, cause=Cause.LIBRARY), at=NOW))
        cache.save(NOW)
        assert json.loads(file.read_text())["entries"] == {}

    @pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.verdict.value)
    def test_it_expires_and_comes_not_from_the_future(self, file: Path, outcome: Outcome) -> None:
        is_dead = outcome.verdict in (Verdict.NOT_FOUND, Verdict.MALFORMED)
        for cache, holds in (
            (CacheFile(file), 24 * HOUR if is_dead else HOUR),
            (CacheFile(file, live_for=5, dead_for=9), 9 if is_dead else 5),
        ):
            cache.put("digest", DatedOutcome(outcome=outcome, at=NOW))
            assert cache.get("digest", NOW + holds - 1) is not None
            assert cache.get("digest", NOW + holds) is None
            assert cache.get("digest", NOW - 300) is not None, "clocks differ"
            assert cache.get("digest", NOW - 301) is None
            cache.save(NOW + holds)
            assert json.loads(file.read_text())["entries"] == {}

    def test_it_does_not_grow_for_ever(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("binance_leaks.verify.cache._MOST_ENTRIES", 3)
        cache = CacheFile(file)
        for number in range(9):
            cache.put(str(number), DatedOutcome(outcome=OUTCOMES[0], at=NOW + number))
        cache.save(NOW)
        assert set(json.loads(file.read_text())["entries"]) == {"6", "7", "8"}


class TestFile:
    @posix
    def test_nobody_else_may_read_it(self, file: Path) -> None:
        file.write_text("{}")
        file.chmod(0o644)
        CacheFile(file).save(NOW)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(file.parent.iterdir()) == [file]

    @posix
    @pytest.mark.parametrize("dangling", [False, True])
    def test_links_are_refused(self, file: Path, dangling: bool) -> None:
        target = file.with_name("target")
        if not dangling:
            CacheFile(target).save(NOW)
        file.symlink_to(target)
        with pytest.raises(UsageError, match="is a link"):
            CacheFile(file)

    @posix
    def test_a_link_that_came_meanwhile(self, file: Path) -> None:
        cache = CacheFile(file)
        target = file.with_name("target")
        target.write_text("mine")
        file.symlink_to(target)
        with pytest.raises(UsageError, match="is a link"):
            cache.save(NOW)
        assert target.read_text() == "mine"

    @posix
    def test_a_link_that_came_between_two_looks(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = file.with_name("target")
        CacheFile(target).save(NOW)
        file.symlink_to(target)
        monkeypatch.setattr("binance_leaks.verify.cache._refuse_untrusted_file", lambda _: None)
        with pytest.raises(UsageError, match="cannot be read"):
            CacheFile(file)

    @posix
    def test_what_others_may_change_is_refused(self, file: Path) -> None:
        CacheFile(file).save(NOW)
        for mode in (0o620, 0o602, 0o666):
            file.chmod(mode)
            with pytest.raises(UsageError, match="can be changed by other users"):
                CacheFile(file)

    @posix
    def test_a_foreign_owner_is_refused(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        CacheFile(file).save(NOW)
        monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
        with pytest.raises(UsageError, match="belongs to another user"):
            CacheFile(file)

    @posix
    def test_what_is_no_plain_file(self, file: Path) -> None:
        os.mkfifo(file)
        with pytest.raises(UsageError, match="is a named pipe"):
            CacheFile(file)
        with pytest.raises(UsageError, match="is a folder"):
            CacheFile(file.parent)

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no folder"):
            CacheFile(tmp_path / "none" / "verified.json")

    def test_a_folder_that_went(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        cache = CacheFile(tmp_path / "folder" / "verified.json")
        (tmp_path / "folder").rmdir()
        with pytest.raises(ScanError, match="cannot be written"):
            cache.save(NOW)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"schema": "other", "entries": {}}',
            b'{"schema": "binance-leaks-verified/2"}',
            b'{"schema": "binance-leaks-verified/2", "entries": []}',
            b'{"schema": "binance-leaks-verified/2", "entries": {"digest": 5}}',
            b'{"schema": "binance-leaks-verified/2", "entries": {"digest": {"at": 1800000000, "verdict": "live"}}}',
        ],
    )
    def test_damage_is_as_nothing(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)
        cache = CacheFile(file)
        assert cache.get("digest", NOW) is None
        cache.save(NOW)
        assert json.loads(file.read_text())["entries"] == {}

    @given(
        field=st.sampled_from(["at", "verdict", "detail", "permissions"]),
        value=st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=2),
    )
    def test_an_entry_of_the_wrong_types_is_dropped_or_harmless(
        self, tmp_path_factory: pytest.TempPathFactory, field: str, value: object
    ) -> None:
        file = tmp_path_factory.mktemp("cache") / "verified.json"
        cache = CacheFile(file)
        cache.put("digest", DatedOutcome(outcome=OUTCOMES[0], at=NOW))
        cache.save(NOW)
        content = json.loads(file.read_text())
        content["entries"]["digest"][field] = value
        file.write_text(json.dumps(content))
        dated = CacheFile(file).get("digest", NOW)
        assert dated is None or dated.outcome.verdict is Verdict.LIVE

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("granted", "enableReading"),
            ("granted", [1]),
            ("denied", None),
            ("denied", ["enableReading", None]),
            ("ip_restricted", "yes"),
            ("created", "soon"),
            ("trading_ends", 1.5),
        ],
    )
    def test_permissions_of_the_wrong_types_make_no_entry(self, file: Path, field: str, value: object) -> None:
        """Such an answer would be taken for one without permissions."""
        assert _read_with(file, {}) == OUTCOMES[0]
        assert _read_with(file, {field: value}) is None

    @pytest.mark.parametrize(
        "verdict", [verdict for verdict in Verdict if verdict not in {o.verdict for o in OUTCOMES}]
    )
    def test_a_verdict_that_is_never_kept_is_not_believed(self, file: Path, verdict: Verdict) -> None:
        cache = CacheFile(file)
        cache.put("digest", DatedOutcome(outcome=OUTCOMES[0], at=NOW))
        cache.save(NOW)
        file.write_text(file.read_text().replace('"live"', f'"{verdict.value}"'))
        assert CacheFile(file).get("digest", NOW) is None

    def test_a_huge_file_is_as_nothing(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cache = CacheFile(file)
        cache.put("digest", DatedOutcome(outcome=OUTCOMES[1], at=NOW))
        cache.save(NOW)
        monkeypatch.setattr("binance_leaks.verify.cache._LARGEST", file.stat().st_size)
        assert CacheFile(file).get("digest", NOW) is not None
        monkeypatch.setattr("binance_leaks.verify.cache._LARGEST", file.stat().st_size - 1)
        assert CacheFile(file).get("digest", NOW) is None


def _read_with(file: Path, permissions: dict[str, object]) -> Outcome | None:
    """What is read of a live key whose permissions were changed in the file."""
    cache = CacheFile(file)
    cache.put("digest", DatedOutcome(outcome=OUTCOMES[0], at=NOW))
    cache.save(NOW)
    content = json.loads(file.read_text())
    content["entries"]["digest"]["permissions"] |= permissions
    file.write_text(json.dumps(content))
    dated = CacheFile(file).get("digest", NOW)
    return dated.outcome if dated is not None else None


LIVE = Reply(status=200, body=json.dumps(hmac_account(Random(), permissions=WITHDRAW).restrictions()).encode())


def verified(file: Path, account: Account, answer: Reply | NoReply, *, later: float = 0.0) -> tuple[Verifier, int]:
    """A run of its own, which ends in a saved cache; how many requests it took."""
    clock = FakeClock(NOW + later)
    cache = CacheFile(file)
    transport = FakeTransport(lambda _: answer, clock)
    verifier = Verifier(transport, clock=clock, cache=cache)
    verifier.verify([pair(account)])
    cache.save(clock.now())
    return verifier, len(transport.requests)


class TestRuns:
    def test_the_second_asks_nothing(self, file: Path) -> None:
        account = hmac_account(Random())
        first, asked = verified(file, account, LIVE)
        second, asked_again = verified(file, account, NoReply.CUT, later=60)
        assert (asked, asked_again) == (1, 0)
        assert first.verify([pair(account)]) == second.verify([pair(account)])
        (found,) = second.verify([pair(account)]).values()
        assert found.tier is Tier.WITHDRAW
        assert found.checked_at == "2027-01-15T08:00:00+00:00"

    def test_a_revocation_shows_after_an_hour(self, file: Path) -> None:
        account = hmac_account(Random())
        verified(file, account, LIVE)
        gone = Reply(status=401, body=b'{"code": -2008}')
        second, _ = verified(file, account, gone, later=HOUR + 1)
        (found,) = second.verify([pair(account)]).values()
        assert found.verdict is Verdict.NOT_FOUND

    def test_failures_are_asked_again(self, file: Path) -> None:
        account = hmac_account(Random())
        verified(file, account, NoReply.CUT)
        assert verified(file, account, LIVE)[1] == 1

    def test_another_secret_is_another_question(self, file: Path) -> None:
        account, other = hmac_account(Random()), hmac_account(Random())
        verified(file, account, LIVE)
        mixed = Account(key=account.key, secret=other.secret)
        assert verified(file, mixed, LIVE)[1] == 1

    def test_a_stand_in_is_another_place(self, file: Path) -> None:
        class Elsewhere(FakeTransport):
            def route(self, host: str) -> str:
                return f"127.0.0.1:1 in place of {host}"

        account, clock = hmac_account(Random()), FakeClock(NOW)
        verified(file, account, LIVE)
        transport = Elsewhere(lambda _: LIVE, clock)
        Verifier(transport, clock=clock, cache=CacheFile(file)).verify([pair(account)])
        assert len(transport.requests) == 1

    def test_no_value_and_no_digest_of_one_is_in_it(self, file: Path) -> None:
        rng = Random()
        for account in (hmac_account(rng), ed25519_account(rng)):
            verified(file, account, LIVE)
            content = file.read_text()
            for value in (value_of(account, key=True), value_of(account, key=False)):
                assert value.secret is not None
                assert value.sha256 not in content
                assert value.sha1 not in content
            assert account.key[:8] not in content
            assert repr(account.secret)[2:10] not in content
        assert len(json.loads(content)["entries"]) == 2

    def test_other_environments_are_other_questions(self, file: Path) -> None:
        account, clock = hmac_account(Random()), FakeClock(NOW)
        verified(file, account, LIVE)
        transport = FakeTransport(lambda _: Reply(status=200, body=b'{"canTrade": true}'), clock)
        verifier = Verifier(transport, clock=clock, cache=CacheFile(file))
        verifier.verify([pair(account, environment=Environment.TESTNET)])
        assert len(transport.requests) == 1
