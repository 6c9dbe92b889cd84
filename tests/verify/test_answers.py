"""Every row of the table of answers, and what is none of Binance's answers."""

from __future__ import annotations

import json
from random import Random

import pytest
from binance_leaks.environments import Probe, probes_for
from binance_leaks.model import Environment
from binance_leaks.verification import PERMISSION_TIERS, Cause, Permissions, Tier, Verdict
from binance_leaks.verify.http_types import NoReply, Reply
from binance_leaks.verify.responses import fields_of, outcome_of, server_time
from hypothesis import given
from hypothesis import strategies as st

from tests.binance.accounts import CREATED, READ, TRADE, TRANSFER, WITHDRAW, hmac_account

KEY = b"Aa0" * 21
(PROBE,) = probes_for(Environment.MAINNET, KEY)
(US_PROBE,) = probes_for(Environment.US, KEY)


def error(status: int, code: object, **more: object) -> Reply:
    return Reply(status=status, body=json.dumps({"code": code, "msg": "live 200 OK -2008 -1022", **more}).encode())


def html(status: int) -> Reply:
    return Reply(status=status, body=b"<html><body>Request blocked. code -2008 enableReading ipRestrict</body></html>")


@pytest.mark.parametrize(
    ("reply", "verdict", "cause"),
    [
        (error(400, -1022), Verdict.KEY_LIVE_SECRET_WRONG, None),
        (error(401, -1022), Verdict.KEY_LIVE_SECRET_WRONG, None),
        (error(400, -2008), Verdict.NOT_FOUND, None),
        (error(401, -2008), Verdict.NOT_FOUND, None),
        (error(401, -2014), Verdict.MALFORMED, None),
        (error(400, -2014), Verdict.MALFORMED, None),
        (error(401, -2015), Verdict.INCONCLUSIVE, Cause.ADDRESS),
        (error(400, -2015), Verdict.INCONCLUSIVE, Cause.ADDRESS),
        (error(401, -1002), Verdict.LIVE_NO_PERMISSION, None),
        (error(400, -1021), Verdict.INCONCLUSIVE, Cause.CLOCK),
        (error(400, -1003), Verdict.INCONCLUSIVE, Cause.RATE),
        (error(429, -1003), Verdict.INCONCLUSIVE, Cause.RATE),
        (html(429), Verdict.INCONCLUSIVE, Cause.RATE),
        (error(418, -1003), Verdict.INCONCLUSIVE, Cause.BANNED),
        (html(403), Verdict.INCONCLUSIVE, Cause.FIREWALL),
        (error(403, -2008), Verdict.INCONCLUSIVE, Cause.FIREWALL),
        (error(451, 0), Verdict.INCONCLUSIVE, Cause.LOCATION),
        (error(451, -2008), Verdict.INCONCLUSIVE, Cause.LOCATION),
        *[(error(400, code), Verdict.INCONCLUSIVE, Cause.SERVER) for code in (-1000, -1001, -1006, -1007, -1008)],
        (error(400, -1004), Verdict.INCONCLUSIVE, Cause.BUSY),
        (error(400, -2017), Verdict.INCONCLUSIVE, Cause.LOCKED),
        *[(error(400, code), Verdict.INCONCLUSIVE, Cause.REFUSED) for code in (-1099, -1109, -3001, -4004)],
        *[(error(status, -2008), Verdict.INCONCLUSIVE, Cause.SERVER) for status in (199, 500, 502, 503, 504, 599)],
        (html(502), Verdict.INCONCLUSIVE, Cause.SERVER),
        *[
            (error(status, -2008), Verdict.INCONCLUSIVE, Cause.REDIRECT)
            for status in (300, 301, 302, 303, 307, 308, 399)
        ],
        *[(trouble, Verdict.INCONCLUSIVE, Cause.NETWORK) for trouble in NoReply],
        (html(200), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (html(404), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (Reply(status=200, body=b"{}"), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (Reply(status=200, body=b"[1]"), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (Reply(status=200, body=b'{"status": "ok", "login": true}'), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (Reply(status=200, body=b'{"code": -2015, "enableReading": true}'), Verdict.INCONCLUSIVE, Cause.ADDRESS),
        (Reply(status=204, body=b""), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (error(400, -1102), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (error(400, "-2008"), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (error(400, True), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (error(400, -2008.0), Verdict.INCONCLUSIVE, Cause.ANSWER),
        (error(400, None), Verdict.INCONCLUSIVE, Cause.ANSWER),
    ],
)
def test_what_an_answer_means(reply: Reply | NoReply, verdict: Verdict, cause: Cause | None) -> None:
    outcome = outcome_of(reply, PROBE)
    assert (outcome.verdict, outcome.cause) == (verdict, cause)
    assert "live 200" not in repr(outcome)


def restrictions(**fields: object) -> Permissions:
    body = {"ipRestrict": False, "createTime": CREATED, **fields}
    outcome = outcome_of(Reply(status=200, body=json.dumps(body).encode()), PROBE)
    assert outcome.verdict is Verdict.LIVE
    assert outcome.permissions is not None
    return outcome.permissions


class TestPermissions:
    @pytest.mark.parametrize(
        ("granted", "tier"),
        [(READ, Tier.READ), (TRADE, Tier.TRADE), (TRANSFER, Tier.TRANSFER), (WITHDRAW, Tier.WITHDRAW), ({}, None)],
    )
    def test_the_tier_is_the_highest(self, granted: dict[str, bool], tier: Tier | None) -> None:
        account = hmac_account(Random(), permissions=granted, addresses=("127.0.0.1",))
        permissions = restrictions(**account.restrictions())
        assert permissions.tier is tier
        assert permissions.granted == tuple(sorted(granted))
        assert permissions.ip_restricted is True
        assert permissions.created == CREATED

    @pytest.mark.parametrize("name", PERMISSION_TIERS)
    def test_each_documented_one_has_its_tier(self, name: str) -> None:
        assert restrictions(**{name: True}).tier is PERMISSION_TIERS[name]

    def test_every_field_is_optional(self) -> None:
        outcome = outcome_of(Reply(status=200, body=b'{"ipRestrict": null}'), PROBE)
        assert outcome.permissions == Permissions()
        assert not Permissions(ip_restricted=True).known

    @pytest.mark.parametrize(
        "name", ["enableTimeTravel", "permitsEverything", "enable2FAReset", "enableSpot_V2", "canWithdraw", "fast"]
    )
    def test_an_unknown_one_counts_as_trading_and_is_shown(self, name: str) -> None:
        permissions = restrictions(enableReading=True, **{name: True})
        assert permissions.unknown == (name,)
        assert permissions.tier is Tier.TRADE
        assert restrictions(enableWithdrawals=True, **{name: True}).tier is Tier.WITHDRAW

    @pytest.mark.parametrize("value", ["yes", 1, "true", [0], {}])
    def test_what_is_neither_false_nor_absent_is_granted(self, value: object) -> None:
        assert restrictions(enableWithdrawals=value).tier is Tier.WITHDRAW
        assert restrictions(enableWithdrawals=None, enableFutures=False).tier is None

    def test_nothing_else_is_kept(self) -> None:
        permissions = restrictions(
            uid=12345678, email="who@where.example", enableReading=True, enabled="x", balances=[1]
        )
        assert permissions.fields() == {"enableReading": True, "createTime": CREATED}

    def test_an_odd_name_is_shown_without_what_is_unsafe(self) -> None:
        permissions = restrictions(**{"enable\x1b[31mRed": True, "enableÄ": True, "enable" + "x" * 99: True})
        assert permissions.granted == ("enable_", "enable__31mRed", "enable" + "x" * 39 + "...")

    def test_many_of_them_are_counted_and_the_known_are_all_there(self) -> None:
        many = {f"enableA{number}x": True for number in range(10_000)}
        permissions = restrictions(**many, enableWithdrawals=True)
        assert permissions.tier is Tier.WITHDRAW
        assert "and_9940_more" in permissions.granted
        assert len(permissions.granted) == 62

    @pytest.mark.parametrize(("number", "more"), [(60, ()), (61, ("and_1_more",))])
    def test_a_few_of_them_are_all_shown(self, number: int, more: tuple[str, ...]) -> None:
        names = [f"enable{at}" for at in range(number)]
        granted = restrictions(**dict.fromkeys(names, True)).granted
        assert granted == tuple(sorted((*names[:60], *more)))
        denied = restrictions(**dict.fromkeys([*names, *PERMISSION_TIERS], False)).denied
        assert denied == tuple(sorted((*names[:60], *PERMISSION_TIERS)))

    def test_what_is_false_is_denied_and_what_names_a_permission_and_is_null(self) -> None:
        permissions = restrictions(enableTeleport=False, x=False, enableFutures=None, canTrade=None, uid=None, y=0)
        assert permissions.granted == ()
        assert permissions.denied == ("canTrade", "enableFutures", "enableTeleport", "x")

    @pytest.mark.parametrize(
        ("body", "granted", "restricted", "ends"),
        [
            (b'"enableWithdrawals": true, "enableWithdrawals": false', ("enableWithdrawals",), None, None),
            (b'"enableWithdrawals": false, "enableWithdrawals": true', ("enableWithdrawals",), None, None),
            (b'"x": false, "x": true, "x": false', ("x",), None, None),
            (b'"ipRestrict": true, "ipRestrict": false', (), False, None),
            (b'"ipRestrict": false, "ipRestrict": true', (), False, None),
            (b'"ipRestrict": true, "ipRestrict": true', (), True, None),
            (b'"tradingAuthorityExpirationTime": 1500000000000, "tradingAuthorityExpirationTime": 1600000000000',
             (), None, 1_600_000_000_000),
            (b'"tradingAuthorityExpirationTime": 1500000000000, "tradingAuthorityExpirationTime": null',
             (), None, None),
        ],
    )  # fmt: skip
    def test_of_a_field_that_is_there_twice_the_more_dangerous_counts(
        self, body: bytes, granted: tuple[str, ...], restricted: bool | None, ends: int | None
    ) -> None:
        outcome = outcome_of(Reply(status=200, body=b'{"createTime": 1500000000000, %s}' % body), PROBE)
        assert outcome.permissions is not None
        assert outcome.permissions.granted == granted
        assert (outcome.permissions.ip_restricted, outcome.permissions.trading_ends) == (restricted, ends)

    def test_two_codes_are_no_answer(self) -> None:
        outcome = outcome_of(Reply(status=401, body=b'{"code": -2015, "code": -2008}'), PROBE)
        assert (outcome.verdict, outcome.cause) == (Verdict.INCONCLUSIVE, Cause.ANSWER)

    def test_one_code_twice_is_one_answer(self) -> None:
        outcome = outcome_of(Reply(status=400, body=b'{"code": -2008, "code": -2008}'), PROBE)
        assert outcome.verdict is Verdict.NOT_FOUND

    @pytest.mark.parametrize("value", [10**11, 10**13 - 1])
    def test_the_first_and_the_last_moment(self, value: int) -> None:
        assert restrictions(createTime=value).created == value

    @pytest.mark.parametrize("value", ["soon", -5, 12, True, 1.5, 10**30, None, 10**11 - 1, 10**13])
    def test_a_moment_that_is_none(self, value: object) -> None:
        permissions = restrictions(createTime=value, tradingAuthorityExpirationTime=value)
        assert (permissions.created, permissions.trading_ends) == (None, None)

    def test_where_trading_ends(self) -> None:
        permissions = restrictions(tradingAuthorityExpirationTime=CREATED + 5, enableFutures=True)
        assert permissions.trading_ends == CREATED + 5
        assert permissions.fields()["tradingAuthorityExpirationTime"] == CREATED + 5

    def test_rights_of_an_account_are_not_the_key_s(self) -> None:
        body = json.dumps(hmac_account(Random()).account()).encode()
        outcome = outcome_of(Reply(status=200, body=body), US_PROBE)
        assert outcome.verdict is Verdict.LIVE
        assert outcome.permissions is None
        assert "4723846" not in repr(outcome)
        assert "4723846" not in repr(Reply(status=200, body=body))


HOSTILE = [
    pytest.param(b"[" * 200_000, id="deep"),
    pytest.param(b'{"code": ' + b"9" * 500_000 + b"}", id="long number"),
    pytest.param(b'{"code": -' + b"9" * 30 + b"}", id="large number"),
    pytest.param(b'{"code": NaN}', id="no number"),
    pytest.param(b"\xff\xfe\x00{", id="no text"),
    pytest.param(b'{"code": -20', id="cut"),
    pytest.param(b"", id="empty"),
]


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("status", [200, 400])
def test_damaged_bodies_say_nothing(body: bytes, status: int) -> None:
    assert outcome_of(Reply(status=status, body=body), PROBE).cause is Cause.ANSWER
    assert server_time(Reply(status=200, body=body)) is None


@given(status=st.integers(100, 999), body=st.binary(max_size=300))
def test_noise_is_never_an_opinion(status: int, body: bytes) -> None:
    """No bytes at random make a key live or dead."""
    assert outcome_of(Reply(status=status, body=body), PROBE).verdict is Verdict.INCONCLUSIVE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(
    status=st.sampled_from([200, 400, 401]),
    fields=st.dictionaries(
        st.sampled_from(["code", "msg", "createTime", "ipRestrict", "enableFutures", "tradingAuthorityExpirationTime"]),
        JSON,
    ),
    probe=st.sampled_from([PROBE, US_PROBE]),
)
def test_fields_of_any_type_are_borne(status: int, fields: dict[str, object], probe: Probe) -> None:
    outcome = outcome_of(Reply(status=status, body=json.dumps(fields).encode()), probe)
    assert outcome.verdict is not Verdict.LIVE or (status == 200 and "code" not in fields)
    assert outcome.permissions is None or outcome.permissions.tier in (None, Tier.TRADE)


def test_the_time_of_a_server() -> None:
    assert server_time(Reply(status=200, body=b'{"serverTime": 1700000000123}')) == 1700000000123
    assert server_time(Reply(status=200, body=b'{"serverTime": "now"}')) is None
    assert server_time(Reply(status=403, body=b'{"serverTime": 1700000000123}')) is None
    assert server_time(NoReply.TIMED_OUT) is None
    assert fields_of(b'{"a": 1, "b": %d, "c": %d}' % (10**17, 10**18)) == {"a": 1, "b": 10**17, "c": None}
