"""The played exchange is as strict as Binance's documents: where they refuse a request, it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from urllib.parse import urlencode

import pytest
from binance_leaks.environments import Environment, Probe
from binance_leaks.model import Value
from binance_leaks.verify.signing import Unusable, signer_of

from tests.binance.accounts import (
    DEMO,
    FUTURES_TESTNET,
    MAINNET,
    TESTNET,
    US,
    Account,
    ed25519_account,
    hmac_account,
    rsa_account,
)
from tests.binance.exchange import ENDPOINTS, Answer, Asked, Exchange

NOW = 1_800_000_000_000
RESTRICTIONS = "/sapi/v1/account/apiRestrictions"
ACCOUNT = "/api/v3/account"
CONFIG = "/fapi/v1/accountConfig"


@pytest.fixture
def exchange() -> Exchange:
    made = Exchange()
    made.clock = lambda: NOW / 1000
    return made


def query_of(account: Account, **parameters: object) -> str:
    """A signed query, as of now."""
    payload = urlencode({"timestamp": NOW, **parameters})
    sign = signer_of(Value.of(account.role, account.secret))
    assert not isinstance(sign, Unusable)
    return f"{payload}&signature={sign(payload.encode())}"


def ask(exchange: Exchange, account: Account, path: str = RESTRICTIONS, query: str | None = None) -> Answer:
    return exchange.answer(
        Asked(
            host=account.host,
            path=path,
            query=query_of(account) if query is None else query,
            headers={"x-mbx-apikey": account.key},
            address="127.0.0.1",
            connection=0,
            at=0.0,
        )
    )


def code_of(answer: Answer) -> int | None:
    code = json.loads(answer.body).get("code")
    assert code is None or isinstance(code, int)
    return code


def opened(exchange: Exchange, make: Callable[..., Account] = hmac_account, **more: object) -> Account:
    account = make(Random(), **more)
    exchange.add(account)
    return account


class TestSignatures:
    def test_hmac_in_any_case(self, exchange: Exchange) -> None:
        account = opened(exchange)
        payload, _, signature = query_of(account).rpartition("=")
        for form in (signature, signature.upper(), signature.title()):
            assert code_of(ask(exchange, account, query=f"{payload}={form}")) is None

    @pytest.mark.parametrize("make", [ed25519_account, rsa_account])
    def test_base64_in_its_own_only(self, exchange: Exchange, make: Callable[..., Account]) -> None:
        account = opened(exchange, make)
        payload, _, signature = query_of(account).rpartition("=")
        assert code_of(ask(exchange, account, query=f"{payload}={signature}")) is None
        assert code_of(ask(exchange, account, query=f"{payload}={signature.lower()}")) == -1022

    @pytest.mark.parametrize("make", [ed25519_account, rsa_account])
    def test_a_plus_is_percent_encoded(self, exchange: Exchange, make: Callable[..., Account]) -> None:
        account = opened(exchange, make)
        queries = (query_of(account, recvWindow=window) for window in range(1, 1000))
        query = next(query for query in queries if "%2B" in query)
        assert code_of(ask(exchange, account, query=query)) is None
        assert code_of(ask(exchange, account, query=query.replace("%2B", "+"))) == -1022

    def test_it_comes_before_addresses_and_permissions(self, exchange: Exchange) -> None:
        account = opened(exchange, addresses=("192.0.2.1",), permissions={})
        other = hmac_account(Random(), key=account.key)
        assert code_of(ask(exchange, other)) == -1022
        assert code_of(ask(exchange, account)) == -2015


class TestTime:
    @pytest.mark.parametrize(("ahead", "code"), [(999, None), (1000, -1021), (1001, -1021)])
    def test_less_than_a_second_ahead(self, exchange: Exchange, ahead: int, code: int | None) -> None:
        account = opened(exchange)
        assert code_of(ask(exchange, account, query=query_of(account, timestamp=NOW + ahead))) == code

    @pytest.mark.parametrize(("age", "window", "code"), [(5000, None, None), (5001, None, -1021), (7, 7, None)])
    def test_within_the_window(self, exchange: Exchange, age: int, window: int | None, code: int | None) -> None:
        account = opened(exchange)
        more = {} if window is None else {"recvWindow": window}
        assert code_of(ask(exchange, account, query=query_of(account, timestamp=NOW - age, **more))) == code

    def test_no_longer_than_a_minute(self, exchange: Exchange) -> None:
        account = opened(exchange)
        assert code_of(ask(exchange, account, query=query_of(account, recvWindow=60_000))) is None
        assert code_of(ask(exchange, account, query=query_of(account, recvWindow=60_001))) == -1131


class TestParameters:
    @pytest.mark.parametrize(("host", "code"), [(MAINNET, None), (TESTNET, None), (DEMO, None), (US, -1104)])
    def test_those_that_are_not_read(self, exchange: Exchange, host: str, code: int | None) -> None:
        account = opened(exchange, host=host)
        assert code_of(ask(exchange, account, ACCOUNT, query_of(account, omitZeroBalances="true"))) == code
        assert code_of(ask(exchange, account, ACCOUNT, query_of(account, more="true"))) == -1104
        assert code_of(ask(exchange, account, "/api/v3/time", "more=1")) == -1104

    def test_twice(self, exchange: Exchange) -> None:
        account = opened(exchange)
        payload, _, signature = query_of(account).partition("&signature=")
        query = f"{payload}&timestamp={NOW}&signature={signature}"
        assert code_of(ask(exchange, account, query=query)) == -1101

    @pytest.mark.parametrize("query", ["", f"timestamp={NOW}", "signature=00"])
    def test_those_that_are_missing(self, exchange: Exchange, query: str) -> None:
        assert code_of(ask(exchange, opened(exchange), query=query)) == -1102


class TestRefusals:
    @pytest.mark.parametrize(
        ("host", "path", "repeats"),
        [(MAINNET, RESTRICTIONS, False), (TESTNET, ACCOUNT, False), (FUTURES_TESTNET, CONFIG, True)],
    )
    def test_futures_repeat_the_address(self, exchange: Exchange, host: str, path: str, repeats: bool) -> None:
        account = opened(exchange, host=host, addresses=("192.0.2.1",))
        exchange.outside = "203.0.113.77"
        answer = ask(exchange, account, path)
        assert code_of(answer) == -2015
        assert (b"request ip: 203.0.113.77" in answer.body) is repeats

    @pytest.mark.parametrize(
        ("host", "path", "code"),
        [(MAINNET, RESTRICTIONS, -1002), (MAINNET, ACCOUNT, -2015), (FUTURES_TESTNET, CONFIG, -2015)],
    )
    def test_a_permission_that_is_missing(self, exchange: Exchange, host: str, path: str, code: int) -> None:
        assert code_of(ask(exchange, opened(exchange, host=host, permissions={}), path)) == code

    def test_a_key_of_another_system(self, exchange: Exchange) -> None:
        account = opened(exchange, host=TESTNET)
        elsewhere = hmac_account(Random(), key=account.key, secret=account.secret)
        assert code_of(ask(exchange, elsewhere)) == -2008
        assert code_of(ask(exchange, hmac_account(Random(), key=account.key[:63]))) == -2014


def probes() -> list[Probe]:
    return [probe for environment in Environment for probe in environment.facts.probes]


@pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.host)
def test_our_requests_are_as_documented(probe: Probe) -> None:
    """Path, weight and parameters of each probe are those of its system."""
    endpoint = ENDPOINTS[probe.host][probe.path]
    assert endpoint.weight == probe.weight
    assert {name for name, _ in probe.parameters} <= endpoint.parameters
    assert probe.time_path in ENDPOINTS[probe.host]
