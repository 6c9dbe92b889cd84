"""Whole verifications against the played exchange: every environment, key type and verdict, pairs and their order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

import pytest
from binance_leaks.model import Credential, Environment, Role, Value
from binance_leaks.verification import Cause, Tier, Verdict, Verification
from binance_leaks.verify.http_types import Reply, Request
from binance_leaks.verify.rate_limit import Limits
from binance_leaks.verify.transport import Timeouts, UrllibTransport
from binance_leaks.verify.verifier import Verifier

from tests.binance.accounts import (
    DEMO,
    DEMO_COIN_FUTURES,
    DEMO_FUTURES,
    FUTURES_TESTNET,
    MAINNET,
    TESTNET,
    TRADE,
    US,
    WITHDRAW,
    Account,
    ed25519_account,
    hmac_account,
    rsa_account,
)
from tests.binance.exchange import Answer, Exchange, refusal
from tests.binance.server import serving
from tests.corpus import values
from tests.verify.credentials import certain, credential, occurrence, pair, value_of
from tests.verify.fakes import FakeClock, FakeTransport

QUICK = Timeouts(connect=10, read=3, total=6)


@pytest.fixture
def rng() -> Random:
    return Random()


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def transport(exchange: Exchange) -> Iterator[UrllibTransport]:
    with serving(exchange) as url, UrllibTransport(loopback=url, timeouts=QUICK) as made:
        yield made


Ask = Callable[..., dict[str, Verification]]


@pytest.fixture
def ask(exchange: Exchange, transport: UrllibTransport) -> Ask:
    """Verifies some credentials, with limits if they matter, by a clock that does not wait."""

    def asking(*credentials: Credential, **limits: float) -> dict[str, Verification]:
        made = Limits(**{"workers": 1, **limits})  # type: ignore[arg-type]  # names and types are those of the tests
        clock = FakeClock(time.time())
        exchange.clock = clock.now
        return Verifier(transport, clock=clock, limits=made).verify(credentials)

    return asking


def one(found: dict[str, Verification]) -> Verification:
    (verification,) = found.values()
    return verification


def paths(exchange: Exchange) -> list[tuple[str, str]]:
    return [(asked.host, asked.path) for asked in exchange.asked]


RESTRICTIONS = (MAINNET, "/sapi/v1/account/apiRestrictions")


class TestVerdicts:
    @pytest.mark.parametrize("make", [hmac_account, ed25519_account, rsa_account])
    def test_live_with_permissions(
        self, exchange: Exchange, ask: Ask, rng: Random, make: Callable[..., Account]
    ) -> None:
        account = make(rng, permissions=WITHDRAW)
        exchange.add(account)
        found = one(ask(pair(account)))
        assert (found.verdict, found.tier, found.ip_restricted) == (Verdict.LIVE, Tier.WITHDRAW, False)
        assert (found.host, found.environment) == (MAINNET, Environment.MAINNET)
        assert found.checked_at is not None
        assert found.checked_at.endswith("+00:00")
        assert (found.key, found.secret) == (
            value_of(account, key=True).sha256,
            value_of(account, key=False).sha256,
        )
        assert not found.swapped
        assert paths(exchange) == [RESTRICTIONS]

    @pytest.mark.parametrize("make", [hmac_account, ed25519_account, rsa_account])
    def test_the_secret_is_wrong(self, exchange: Exchange, ask: Ask, rng: Random, make: Callable[..., Account]) -> None:
        account, other = make(rng), ed25519_account(rng) if make is rsa_account else make(rng)
        exchange.add(account)
        found = one(ask(credential(value_of(account, key=True), value_of(other, key=False))))
        assert found.verdict is Verdict.KEY_LIVE_SECRET_WRONG
        assert "probably active" in found.note
        assert found.secret is None
        assert paths(exchange) == [RESTRICTIONS]

    def test_revoked(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        found = one(ask(certain(pair(ed25519_account(rng)))))
        assert (found.verdict, found.elsewhere, found.is_gone) == (Verdict.NOT_FOUND, (), True)
        assert "Probably revoked" in found.note
        assert paths(exchange) == [RESTRICTIONS] * 2
        assert one(ask(certain(pair(hmac_account(rng))))).is_gone

    def test_unknown_where_it_was_asked(self, ask: Ask, rng: Random) -> None:
        """Nothing says that it is of no other system: Binance.US, TR and TH are companies of their own."""
        found = one(ask(pair(hmac_account(rng))))
        assert (found.verdict, found.is_gone) == (Verdict.NOT_FOUND, False)
        assert found.elsewhere == (Environment.US, Environment.TR, Environment.TH, Environment.WEB3)
        assert found.note.startswith("Not known to api.binance.com, asked twice; it may belong to Binance.US")
        assert "revoked" not in found.note

    def test_without_the_question_whether_halves_are_swapped(self, ask: Ask, rng: Random) -> None:
        found = one(ask(certain(pair(hmac_account(rng))), swapped=False))
        assert found.elsewhere == (Environment.MAINNET,)
        assert "the wrong way round was not checked on mainnet" in found.note

    def test_a_key_that_is_unknown_for_a_moment_only(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng)
        exchange.add(account)
        exchange.script(refusal(401, -2008), times=1)
        assert one(ask(pair(account))).verdict is Verdict.LIVE
        assert len(exchange.asked) == 2

    def test_bound_to_other_addresses(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng, addresses=("192.0.2.1",))
        exchange.add(account)
        found = one(ask(pair(account)))
        assert (found.verdict, found.cause) == (Verdict.INCONCLUSIVE, Cause.ADDRESS)
        assert "does not mean it is dead" in found.note
        assert "127.0.0.1" not in found.note

    def test_bound_to_this_address(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng, addresses=("127.0.0.1",), permissions=TRADE)
        exchange.add(account)
        found = one(ask(pair(account)))
        assert (found.verdict, found.ip_restricted, found.tier) == (Verdict.LIVE, True, Tier.TRADE)

    def test_without_permission(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng, permissions={})
        exchange.add(account)
        found = one(ask(pair(account)))
        assert found.verdict is Verdict.LIVE_NO_PERMISSION
        assert found.note.startswith("Probably active")
        assert found.tier is None

    def test_malformed(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        values_ = (Value.of(Role.API_KEY, b"A1b2" * 12), Value.of(Role.SECRET_KEY, values.hmac_value(rng).encode()))
        found = one(ask(credential(*values_), swapped=False))
        assert found.verdict is Verdict.MALFORMED
        assert len(exchange.asked) == 1

    @pytest.mark.parametrize(
        ("answer", "cause"),
        [
            (Answer(status=403, body=b"<html>blocked</html>"), Cause.FIREWALL),
            (refusal(418, -1003), Cause.BANNED),
            (Answer(status=451, body=b'{"code": 0}'), Cause.LOCATION),
            (refusal(500, -1000), Cause.SERVER),
            (refusal(400, -1007), Cause.SERVER),
            (Answer(status=302, headers={"Location": "https://example.com/"}), Cause.REDIRECT),
            (Answer(status=200, body=b"<html>Log in to the hotel</html>"), Cause.ANSWER),
            (Answer(manner="cut"), Cause.NETWORK),
            (Answer(manner="silent"), Cause.NETWORK),
            (Answer(manner="huge"), Cause.NETWORK),
        ],
    )
    def test_what_reports_nothing(
        self, exchange: Exchange, ask: Ask, rng: Random, answer: Answer, cause: Cause
    ) -> None:
        account = hmac_account(rng)
        exchange.add(account)
        exchange.script(answer)
        found = one(ask(pair(account)))
        assert (found.verdict, found.cause) == (Verdict.INCONCLUSIVE, cause)
        assert found.note.startswith("It cannot be determined from here")
        assert found.permissions is None
        assert len(exchange.asked) == 1

    def test_no_message_of_a_server_is_shown(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        for status, code in [(401, -2015), (400, -1022), (401, -2014), (400, -9999), (401, -1002)]:
            exchange.script(refusal(status, code, "request ip: 203.0.113.9 <script>"), times=1)
            found = one(ask(pair(hmac_account(rng)), swapped=False))
            assert "203.0.113.9" not in repr(found)
            assert "script" not in repr(found)


class TestEnvironments:
    @pytest.mark.parametrize(
        ("environment", "host", "path"),
        [
            (Environment.US, US, "/api/v3/account"),
            (Environment.TESTNET, TESTNET, "/api/v3/account"),
            (Environment.DEMO, DEMO, "/api/v3/account"),
            (Environment.FUTURES_TESTNET, FUTURES_TESTNET, "/fapi/v1/accountConfig"),
        ],
    )
    def test_liveness_only(
        self, exchange: Exchange, ask: Ask, rng: Random, environment: Environment, host: str, path: str
    ) -> None:
        account = hmac_account(rng, host=host, permissions=WITHDRAW)
        exchange.add(account)
        found = one(ask(pair(account, environment=environment)))
        assert (found.verdict, found.environment, found.host) == (Verdict.LIVE, environment, host)
        assert found.permissions is None
        assert found.tier is None
        assert "about the account, not the key" in found.note
        assert paths(exchange) == [(host, path)]
        assert "4723846" not in repr(found)

    @pytest.mark.parametrize("environment", [Environment.TR, Environment.PAY])
    def test_not_verifiable(self, exchange: Exchange, ask: Ask, rng: Random, environment: Environment) -> None:
        found = one(ask(pair(hmac_account(rng), environment=environment)))
        assert (found.verdict, found.cause) == (Verdict.NOT_VERIFIABLE, Cause.ENVIRONMENT)
        assert exchange.asked == []

    def test_unknown_is_the_live_exchange_first(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng)
        exchange.add(account)
        assert one(ask(pair(account, environment=Environment.UNKNOWN))).verdict is Verdict.LIVE
        assert paths(exchange) == [RESTRICTIONS]

    @pytest.mark.parametrize(("host", "environment"), [(TESTNET, Environment.TESTNET), (DEMO, Environment.DEMO)])
    def test_unknown_is_found_elsewhere(
        self, exchange: Exchange, ask: Ask, rng: Random, host: str, environment: Environment
    ) -> None:
        account = hmac_account(rng, host=host)
        exchange.add(account)
        found = one(ask(pair(account, environment=Environment.UNKNOWN)))
        assert (found.verdict, found.environment, found.host) == (Verdict.LIVE, environment, host)

    def test_unknown_everywhere(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        found = one(ask(pair(hmac_account(rng), environment=Environment.UNKNOWN)))
        assert found.verdict is Verdict.NOT_FOUND
        hosts = f"{MAINNET}, {TESTNET}, {DEMO}, {DEMO_FUTURES} and {DEMO_COIN_FUTURES}"
        assert f"Not known to {hosts}, asked twice" in found.note
        assert US not in {asked.host for asked in exchange.asked}
        assert len(exchange.asked) == 2 + 1 + 2 * 4

    def test_hex_without_a_word_is_the_futures_testnet_s(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng, host=FUTURES_TESTNET)
        exchange.add(account)
        assert one(ask(pair(account, environment=Environment.UNKNOWN))).host == FUTURES_TESTNET
        assert {asked.host for asked in exchange.asked} == {FUTURES_TESTNET}

    @pytest.mark.parametrize("host", [DEMO, DEMO_FUTURES, DEMO_COIN_FUTURES])
    @pytest.mark.parametrize("environment", [Environment.FUTURES_TESTNET, Environment.DEMO])
    def test_demo_and_futures_testnet_share_their_hosts(
        self, exchange: Exchange, ask: Ask, rng: Random, host: str, environment: Environment
    ) -> None:
        account = hmac_account(rng, host=host)
        exchange.add(account)
        found = one(ask(pair(account, environment=environment)))
        assert (found.verdict, found.environment, found.host) == (Verdict.LIVE, Environment.DEMO, host)

    @pytest.mark.parametrize("environment", [Environment.TESTNET, Environment.DEMO, Environment.FUTURES_TESTNET])
    def test_a_live_key_beside_a_test_system_s_name(
        self, exchange: Exchange, ask: Ask, rng: Random, environment: Environment
    ) -> None:
        account = hmac_account(rng, permissions=WITHDRAW)
        exchange.add(account)
        found = one(ask(pair(account, environment=environment)))
        assert (found.verdict, found.environment, found.tier) == (Verdict.LIVE, Environment.MAINNET, Tier.WITHDRAW)

    def test_the_live_exchange_s_word_counts_for_more(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        """It does not know the key, and a test system that may is out of reach."""
        exchange.script(Answer(status=500), host=TESTNET)
        exchange.script(Answer(status=500), host=DEMO)
        found = one(ask(pair(hmac_account(rng), environment=Environment.UNKNOWN)))
        assert (found.verdict, found.host) == (Verdict.NOT_FOUND, MAINNET)
        assert {Environment.TESTNET, Environment.DEMO} < {*(found.elsewhere or ())}

    def test_a_test_system_s_word_does_not(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        """It does not know the key, and the live exchange does not say."""
        exchange.script(refusal(400, -2015), host=MAINNET)
        found = one(ask(pair(hmac_account(rng), environment=Environment.TESTNET)))
        assert (found.verdict, found.cause, found.host) == (Verdict.INCONCLUSIVE, Cause.ADDRESS, MAINNET)
        assert found.environment is Environment.UNKNOWN
        assert found.note.startswith(f"{TESTNET} does not know the key. It cannot be determined")

    def test_a_refused_place_does_not_end_the_search(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng, host=TESTNET)
        exchange.add(account)
        exchange.script(Answer(status=451), host=MAINNET)
        found = one(ask(pair(account, environment=Environment.UNKNOWN)))
        assert (found.verdict, found.host) == (Verdict.LIVE, TESTNET)


class TestHalves:
    def test_a_lone_secret_is_never_asked_about(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        for account in (hmac_account(rng), ed25519_account(rng), rsa_account(rng)):
            found = one(ask(credential(value_of(account, key=False))))
            assert (found.verdict, found.cause) == (Verdict.NOT_ASKED, Cause.INCOMPLETE)
        assert exchange.asked == []

    def test_a_lone_key(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        known, unknown = hmac_account(rng), hmac_account(rng)
        exchange.add(known)
        live = one(ask(credential(value_of(known, key=True))))
        assert live.verdict is Verdict.KEY_LIVE_SECRET_WRONG
        assert "checked without its secret" in live.note
        assert one(ask(credential(value_of(unknown, key=True)))).verdict is Verdict.NOT_FOUND
        assert "-1022" not in exchange.asked[0].query

    def test_a_value_alone_that_nothing_names_may_be_a_secret(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        value = value_of(hmac_account(rng), key=True)
        found = one(ask(credential(value, occurrences=[replace(occurrence(value), named=False)])))
        assert (found.verdict, found.cause) == (Verdict.NOT_ASKED, Cause.INCOMPLETE)
        assert exchange.asked == []

    def test_a_value_that_may_be_a_secret_is_not_revoked(self, ask: Ask, rng: Random) -> None:
        value, secret = (value_of(hmac_account(rng), key=key) for key in (True, False))
        lone = certain(credential(value, occurrences=[replace(occurrence(value), named=False)]))
        found = ask(lone, credential(secret, occurrences=[occurrence(secret, line=9)]))[lone.id]
        assert (found.verdict, found.is_gone) == (Verdict.NOT_FOUND, False)

    @pytest.mark.parametrize(
        ("encrypted", "why"),
        [(False, "no secret was found that could sign for it"), (True, "its private key is encrypted")],
    )
    def test_a_lone_key_if_that_is_not_wanted(
        self, exchange: Exchange, ask: Ask, rng: Random, encrypted: bool, why: str
    ) -> None:
        key = value_of(hmac_account(rng), key=True)
        found = one(
            ask(credential(key, occurrences=[replace(occurrence(key), encrypted_beside=encrypted)]), lone_keys=False)
        )
        assert (found.verdict, found.cause, found.note) == (
            Verdict.NOT_ASKED,
            Cause.INCOMPLETE,
            f"Not checked: {why}.",
        )
        assert exchange.asked == []

    def test_an_example_is_not_asked_about(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng)
        values_ = value_of(account, key=True), value_of(account, key=False)
        found = one(ask(credential(*values_, known_example=True)))
        assert (found.verdict, found.cause) == (Verdict.NOT_ASKED, Cause.EXAMPLE)
        assert exchange.asked == []

    def test_a_value_that_has_left_the_process(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        found = one(ask(pair(hmac_account(rng)).without_secrets()))
        assert (found.verdict, found.cause) == (Verdict.NOT_VERIFIABLE, Cause.UNUSABLE)
        assert exchange.asked == []

    @pytest.mark.parametrize("key", [b"a" * 30 + b"\r\nX: 1", b"\xff" * 64, b"", b"a b" * 20])
    def test_what_can_be_no_key(self, exchange: Exchange, ask: Ask, rng: Random, key: bytes) -> None:
        secret = value_of(hmac_account(rng), key=False)
        found = one(ask(credential(Value.of(Role.API_KEY, key), secret)))
        assert found.verdict is Verdict.NOT_VERIFIABLE
        assert exchange.asked == []

    def test_an_encrypted_private_key_leaves_a_lone_key(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = ed25519_account(rng)
        exchange.add(account)
        key, locked = value_of(account, key=True), Value.of(Role.PRIVATE_KEY, values.encrypted_der(rng))
        seen = (occurrence(key), occurrence(locked, line=2, encrypted=True))
        found = one(ask(credential(key, locked, occurrences=seen)))
        assert found.verdict is Verdict.KEY_LIVE_SECRET_WRONG
        assert found.cause is Cause.ENCRYPTED
        assert "its private key was found and is encrypted" in found.note
        beside = replace(occurrence(key), encrypted_beside=True)
        assert one(ask(credential(key, occurrences=[beside]))).cause is Cause.ENCRYPTED

    def test_without_the_library_it_reports_so(
        self, exchange: Exchange, ask: Ask, rng: Random, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "cryptography.exceptions", None)
        found = one(ask(pair(ed25519_account(rng))))
        assert (found.verdict, found.cause) == (Verdict.NOT_VERIFIABLE, Cause.LIBRARY)
        assert 'pip install "cryptography' in found.note
        assert exchange.asked == []


class TestCandidates:
    def test_two_secrets_of_one_key(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account, other = hmac_account(rng), hmac_account(rng)
        exchange.add(account)
        key, right, wrong = (value_of(account, key=True), value_of(account, key=False), value_of(other, key=False))
        seen = (occurrence(key, line=10), occurrence(wrong, line=11), occurrence(right, line=20))
        found = one(ask(credential(key, wrong, right, occurrences=seen)))
        assert (found.verdict, found.secret) == (Verdict.LIVE, right.sha256)
        assert len(exchange.asked) == 2

    def test_the_nearest_first(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account, other = hmac_account(rng), hmac_account(rng)
        exchange.add(account)
        key, right, wrong = (value_of(account, key=True), value_of(account, key=False), value_of(other, key=False))
        seen = (occurrence(key, line=10), occurrence(wrong, line=30), occurrence(right, line=9))
        assert one(ask(credential(key, wrong, right, occurrences=seen))).verdict is Verdict.LIVE
        assert len(exchange.asked) == 1

    def test_two_keys_near_one_secret(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        """Detection gives the secret to the old key; it is the new key's."""
        old, new = hmac_account(rng), hmac_account(rng)
        exchange.add(old, new)
        old_key, new_key, secret = value_of(old, key=True), value_of(new, key=True), value_of(new, key=False)
        paired = credential(old_key, secret, occurrences=(occurrence(old_key, line=1), occurrence(secret, line=2)))
        lone = credential(new_key, occurrences=(occurrence(new_key, line=3),))
        found = ask(paired, lone)
        assert found[paired.id].verdict is Verdict.KEY_LIVE_SECRET_WRONG
        assert (found[lone.id].verdict, found[lone.id].secret) == (Verdict.LIVE, secret.sha256)
        assert len(exchange.asked) == 2

    def test_a_lone_secret_nearby(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account, other = hmac_account(rng), hmac_account(rng)
        exchange.add(account)
        key, wrong, right = value_of(account, key=True), value_of(other, key=False), value_of(account, key=False)
        paired = credential(key, wrong, occurrences=(occurrence(key, line=1), occurrence(wrong, line=2)))
        lone = credential(right, occurrences=(occurrence(right, line=20),))
        found = ask(paired, lone)
        assert found[paired.id].verdict is Verdict.LIVE
        assert found[lone.id].verdict is Verdict.LIVE
        assert "It signs for a key that was found near it." in found[lone.id].note

    def test_a_lone_secret_before_a_nearer_one_of_another_key(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        one_account, other = hmac_account(rng), hmac_account(rng)
        exchange.add(one_account, other)
        key, right = value_of(one_account, key=True), value_of(one_account, key=False)
        alone = credential(key, occurrences=(occurrence(key, line=3),))
        lone = credential(right, occurrences=(occurrence(right, line=20),))
        found = ask(alone, lone, pair(other))
        assert found[alone.id].verdict is Verdict.LIVE
        assert len(exchange.asked) == 2

    def test_the_nearest_of_lone_secrets_first(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng)
        exchange.add(account)
        key, right, wrong = (
            value_of(each, key=is_key)
            for each, is_key in ((account, True), (account, False), (hmac_account(rng), False))
        )
        alone = credential(key, occurrences=[occurrence(key, line=10)])
        others = [credential(each, occurrences=[occurrence(each, line=at)]) for each, at in ((wrong, 2), (right, 11))]
        assert ask(alone, *others)[alone.id].verdict is Verdict.LIVE
        assert len(exchange.asked) == 1

    def test_not_in_another_file_nor_far_away(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng)
        exchange.add(account)
        key, secret = value_of(account, key=True), value_of(account, key=False)
        alone = credential(key, occurrences=(occurrence(key, line=1),))
        for place in (occurrence(secret, path="other.py"), occurrence(secret, line=42)):
            found = ask(alone, credential(secret, occurrences=(place,)))
            assert found[alone.id].verdict is Verdict.KEY_LIVE_SECRET_WRONG
        assert len(exchange.asked) == 2

    def test_only_a_few_are_tried(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng)
        exchange.add(account)
        wrong = [value_of(hmac_account(rng), key=False) for _ in range(9)]
        found = one(ask(credential(value_of(account, key=True), *wrong), candidates=4))
        assert found.verdict is Verdict.KEY_LIVE_SECRET_WRONG
        assert len(exchange.asked) == 4

    def test_an_unknown_key_is_not_tried_with_more_secrets(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        wrong = [value_of(hmac_account(rng), key=False) for _ in range(3)]
        found = one(ask(credential(value_of(hmac_account(rng), key=True), *wrong), swapped=False))
        assert found.verdict is Verdict.NOT_FOUND
        assert len(exchange.asked) == 2


def answered(found: Sequence[Credential], *answers: int, candidates: int = 3) -> list[Verification]:
    """What is concluded where the first host gives these answers in turn: codes, or statuses without one."""
    bodies = iter(answers)

    def answer(_: Request) -> Reply:
        code = next(bodies)
        return Reply(status=code, body=b"") if code > 0 else Reply(status=400, body=b'{"code": %d}' % code)

    clock = FakeClock(time.time())
    limits = Limits(workers=1, swapped=False, candidates=candidates)
    made = Verifier(FakeTransport(answer, clock), clock=clock, limits=limits)
    verifications = made.verify(found)
    assert next(bodies, None) is None, "not all that was expected was asked"
    return [verifications[each.id] for each in found]


class TestUntried:
    """A key whose secret is wrong is as one alone only if every secret that may be the right one was tried."""

    def secrets(self, rng: Random, number: int) -> list[Value]:
        return [value_of(hmac_account(rng), key=False) for _ in range(number)]

    @pytest.mark.parametrize(
        ("answers", "cause"),
        [
            ((-1022, -1022, -1022), None),
            ((-1022, 500, -1022), Cause.SERVER),
            ((-1022, -1022, -2015), Cause.ADDRESS),
            ((-1022, -2015, 500), Cause.ADDRESS),
            ((-1022, -2014, -1022), Cause.ANSWER),
        ],
    )
    def test_another_secret_without_a_clear_answer(
        self, rng: Random, answers: Sequence[int], cause: Cause | None
    ) -> None:
        made = credential(value_of(hmac_account(rng), key=True), *self.secrets(rng, 3))
        (found,) = answered([made], *answers)
        assert (found.verdict, found.cause) == (Verdict.KEY_LIVE_SECRET_WRONG, cause)

    @pytest.mark.parametrize(("candidates", "cause"), [(1, Cause.BUDGET), (2, Cause.BUDGET), (3, None), (4, None)])
    def test_more_secrets_than_are_tried(self, rng: Random, candidates: int, cause: Cause | None) -> None:
        made = credential(value_of(hmac_account(rng), key=True), *self.secrets(rng, 3))
        (found,) = answered([made], *[-1022] * min(candidates, 3), candidates=candidates)
        assert (found.verdict, found.cause) == (Verdict.KEY_LIVE_SECRET_WRONG, cause)

    @pytest.mark.parametrize(("is_paired", "cause"), [(False, Cause.BUDGET), (True, None)])
    def test_a_secret_nearby_that_has_no_key_may_be_the_right_one(
        self, rng: Random, is_paired: bool, cause: Cause | None
    ) -> None:
        key, other = (value_of(hmac_account(rng), key=True) for _ in range(2))
        own, near = self.secrets(rng, 2)
        made = credential(key, own)
        beside = (other, near) if is_paired else (near,)
        places = [occurrence(value, line=at) for at, value in enumerate(beside, start=5)]
        asked = [-1022] * (2 if is_paired else 1)
        found, _ = answered([made, credential(*beside, occurrences=places)], *asked, candidates=1)
        assert (found.verdict, found.cause) == (Verdict.KEY_LIVE_SECRET_WRONG, cause)

    @pytest.mark.parametrize("is_own", [True, False])
    def test_a_private_key_that_cannot_sign(self, rng: Random, is_own: bool) -> None:
        key, (own,) = value_of(hmac_account(rng), key=True), self.secrets(rng, 1)
        broken = Value.of(Role.PRIVATE_KEY, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        made = [credential(key, own, broken)] if is_own else [credential(key, own), credential(broken)]
        found = answered(made, -1022)[0]
        cause = Cause.UNUSABLE if is_own else None
        assert (found.verdict, found.cause) == (Verdict.KEY_LIVE_SECRET_WRONG, cause)

    @pytest.mark.parametrize(("line", "tried"), [(1, True), (81, True), (82, False)])
    def test_secrets_as_far_as_they_are_tried(self, rng: Random, line: int, tried: bool) -> None:
        key, (secret,) = value_of(hmac_account(rng), key=True), self.secrets(rng, 1)
        alone = credential(key, occurrences=[occurrence(key, line=41)])
        far = credential(secret, occurrences=[occurrence(secret, line=line)])
        found, _ = answered([alone, far], -1022)
        assert ("checked without its secret" in found.note) == (not tried)


class TestSwapped:
    def swapped(self, account: Account) -> Credential:
        return credential(Value.of(Role.API_KEY, account.secret), Value.of(Role.SECRET_KEY, account.key.encode()))

    def test_it_is_recognised(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account = hmac_account(rng, permissions=TRADE)
        exchange.add(account)
        found = one(ask(self.swapped(account)))
        assert (found.verdict, found.tier, found.swapped) == (Verdict.LIVE, Tier.TRADE, True)
        assert (found.key, found.secret) == (
            value_of(account, key=True).sha256,
            value_of(account, key=False).sha256,
        )
        assert "wrong way round" in found.note
        assert len(exchange.asked) == 3

    def test_with_a_wrong_key(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        account, other = hmac_account(rng), hmac_account(rng)
        exchange.add(account)
        mixed = credential(Value.of(Role.API_KEY, other.secret), Value.of(Role.SECRET_KEY, account.key.encode()))
        found = one(ask(mixed))
        assert (found.verdict, found.swapped) == (Verdict.KEY_LIVE_SECRET_WRONG, True)
        assert found.key == value_of(account, key=True).sha256

    @pytest.mark.parametrize(("candidates", "cause"), [(1, Cause.BUDGET), (2, None)])
    def test_with_a_wrong_key_and_a_secret_that_was_not_tried(
        self, exchange: Exchange, ask: Ask, rng: Random, candidates: int, cause: Cause | None
    ) -> None:
        account, other, further = hmac_account(rng), hmac_account(rng), hmac_account(rng)
        exchange.add(account)
        key, secret = Value.of(Role.API_KEY, other.secret), Value.of(Role.SECRET_KEY, account.key.encode())
        found = one(ask(credential(key, secret, value_of(further, key=False)), candidates=candidates))
        assert (found.verdict, found.swapped, found.cause) == (Verdict.KEY_LIVE_SECRET_WRONG, True, cause)

    def test_once_only_and_not_for_a_neighbour_s_secret(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        gone, neighbour = hmac_account(rng), hmac_account(rng)
        ask(pair(gone))
        assert [asked.key for asked in exchange.asked] == [gone.key, gone.key, gone.secret.decode()]
        exchange.asked.clear()
        key = value_of(gone, key=True)
        lone = credential(key, occurrences=(occurrence(key, line=3),))
        exchange.add(neighbour)
        ask(lone, pair(neighbour))
        assert neighbour.secret.decode() not in [asked.key for asked in exchange.asked]

    def test_that_it_was_asked_once_is_no_answer_to_who_asks_twice(
        self, exchange: Exchange, ask: Ask, rng: Random
    ) -> None:
        """A pair that is noted down both ways, and a first answer that is wrong for a moment."""
        account = hmac_account(rng, permissions=TRADE)
        exchange.add(account)
        exchange.script(refusal(401, -2008), key=account.key, times=1)
        turned = self.swapped(account)
        found = ask(turned, pair(account))
        assert found[pair(account).id].verdict is Verdict.LIVE

    def test_never_where_it_is_not_needed(self, exchange: Exchange, ask: Ask, rng: Random) -> None:
        live, bound, gone = hmac_account(rng), hmac_account(rng, addresses=("192.0.2.1",)), ed25519_account(rng)
        exchange.add(live, bound)
        ask(pair(live), pair(bound), pair(gone))
        ask(pair(hmac_account(rng)), swapped=False)
        assert not [asked for asked in exchange.asked if asked.key.encode() in (live.secret, bound.secret)]
        assert len({asked.key for asked in exchange.asked}) == 4


class TestClock:
    @pytest.mark.parametrize("ahead", [-3_600_000, -7_000, 8_000, 90_000, 86_400_000])
    @pytest.mark.parametrize("host", [MAINNET, FUTURES_TESTNET])
    def test_it_is_corrected(self, ask: Ask, exchange: Exchange, rng: Random, ahead: int, host: str) -> None:
        exchange.ahead = ahead
        account = hmac_account(rng, host=host)
        environment = Environment.MAINNET if host == MAINNET else Environment.FUTURES_TESTNET
        exchange.add(account)
        assert one(ask(pair(account, environment=environment))).verdict is Verdict.LIVE
        path = "/api/v3/time" if host == MAINNET else "/fapi/v1/time"
        assert [asked.path == path for asked in exchange.asked] == [False, True, False]

    def test_once_for_all_credentials(self, ask: Ask, exchange: Exchange, rng: Random) -> None:
        exchange.ahead = 60_000
        accounts = [hmac_account(rng) for _ in range(10)]
        exchange.add(*accounts)
        found = ask(*map(pair, accounts))
        assert {each.verdict for each in found.values()} == {Verdict.LIVE}
        assert sum(asked.path.endswith("/time") for asked in exchange.asked) == 1
        assert len(exchange.asked) == 12

    def test_no_more_than_once_a_question(self, ask: Ask, exchange: Exchange, rng: Random) -> None:
        exchange.script(refusal(400, -1021), key=(account := hmac_account(rng)).key)
        found = one(ask(pair(account)))
        assert (found.verdict, found.cause) == (Verdict.INCONCLUSIVE, Cause.CLOCK)
        assert len(exchange.asked) == 3

    def test_the_time_request_holds_no_key(self, ask: Ask, exchange: Exchange, rng: Random) -> None:
        exchange.ahead = 60_000
        exchange.add(account := hmac_account(rng))
        ask(pair(account))
        (time_request,) = [asked for asked in exchange.asked if asked.path.endswith("/time")]
        assert time_request.key == ""
        assert time_request.query == ""
