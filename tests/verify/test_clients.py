"""The played exchange is right: clients that others wrote work against it unchanged, and see what Binance gives.

The official SDK, `binance-sdk-wallet`, and `python-binance`, which differ in how they order and encode a query. What
our verifier makes of the same credentials must agree with what they are reported.
"""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import pytest
from binance_common.configuration import ConfigurationRestAPI
from binance_common.errors import BadRequestError, Error, RateLimitBanError, TooManyRequestsError, UnauthorizedError
from binance_leaks.model import Environment, Role
from binance_leaks.verification import Permissions, Tier, Verdict
from binance_leaks.verify.transport import UrllibTransport
from binance_leaks.verify.verifier import Verifier
from binance_sdk_wallet.wallet import Wallet

from tests.binance.accounts import (
    CREATED,
    FUTURES_TESTNET,
    MAINNET,
    TESTNET,
    WITHDRAW,
    Account,
    ed25519_account,
    hmac_account,
    rsa_account,
)
from tests.binance.exchange import Exchange
from tests.binance.server import serving
from tests.corpus import values
from tests.verify.credentials import pair

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    from binance.client import Client
    from binance.exceptions import BinanceAPIException

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs

MAKERS = [hmac_account, ed25519_account, rsa_account]


@dataclass
class Played:
    """An exchange that is running."""

    exchange: Exchange
    url: str


@pytest.fixture
def played() -> Iterator[Played]:
    exchange = Exchange()
    with serving(exchange) as url:
        yield Played(exchange, url)


def sdk(url: str, account: Account) -> Wallet:
    """The official client of an account."""
    private = account.role is Role.PRIVATE_KEY
    configuration = ConfigurationRestAPI(
        api_key=account.key,
        api_secret=None if private else account.secret.decode(),
        private_key=values.pem("PRIVATE KEY", account.secret) if private else None,
        base_path=url,
        timeout=10_000,
        retries=0,
    )
    return Wallet(config_rest_api=configuration)


def python_binance(url: str, account: Account) -> Client:
    """The client of python-binance of an account."""
    private = account.role is Role.PRIVATE_KEY
    client = Client(
        account.key,
        None if private else account.secret.decode(),
        private_key=values.pem("PRIVATE KEY", account.secret) if private else None,
        ping=False,
    )
    client.API_URL = f"{url}/api"
    client.MARGIN_API_URL = f"{url}/sapi"
    client.FUTURES_URL = f"{url}/fapi"
    return client


def answer_of_sdk(url: str, account: Account) -> int | dict[str, object]:
    """The permissions that the official client gets, or Binance's code, which it calls `status_code`."""
    try:
        response = sdk(url, account).rest_api.get_api_key_permission()
    except Error as error:
        assert isinstance(error, (BadRequestError, UnauthorizedError))
        return error.status_code or 0
    data = response.data()
    return {
        "ipRestrict": data.ip_restrict,
        "enableWithdrawals": data.enable_withdrawals,
        "createTime": data.create_time,
    }


def answer_of_python_binance(url: str, account: Account) -> int | dict[str, object]:
    """The same of python-binance."""
    try:
        answer = python_binance(url, account).get_account_api_permissions()
    except BinanceAPIException as error:
        return int(error.code)
    return {name: answer[name] for name in ("ipRestrict", "enableWithdrawals", "createTime")}


def verdict_of(url: str, account: Account) -> Verdict:
    with UrllibTransport(loopback=url) as transport:
        (found,) = Verifier(transport).verify([pair(account)]).values()
    return found.verdict


class TestAccepted:
    @pytest.mark.parametrize("make", MAKERS)
    @pytest.mark.parametrize("bound", [False, True])
    def test_by_all_alike(self, played: Played, make: Callable[..., Account], bound: bool) -> None:
        account = make(Random(), permissions=WITHDRAW, addresses=("127.0.0.1",) if bound else ())
        played.exchange.add(account)
        expected = {"ipRestrict": bound, "enableWithdrawals": True, "createTime": CREATED}
        assert answer_of_sdk(played.url, account) == expected
        assert answer_of_python_binance(played.url, account) == expected
        assert verdict_of(played.url, account) is Verdict.LIVE
        agents = [asked.headers["user-agent"].split("/")[0] for asked in played.exchange.asked]
        assert agents == ["binance-sdk-wallet", "Mozilla", "binance-leaks"]

    def test_permissions_are_the_same(self, played: Played) -> None:
        account = hmac_account(Random(), permissions=WITHDRAW)
        played.exchange.add(account)
        theirs = python_binance(played.url, account).get_account_api_permissions()
        with UrllibTransport(loopback=played.url) as transport:
            (found,) = Verifier(transport).verify([pair(account)]).values()
        assert isinstance(found.permissions, Permissions)
        assert found.tier is Tier.WITHDRAW
        assert {**found.permissions.fields(), "ipRestrict": found.ip_restricted} == theirs


@dataclass(frozen=True)
class Refused:
    """A way to be refused: what is opened and what is used, the code that comes, our verdict."""

    opened: Callable[[Account], Account | None]
    used: Callable[[Account], Account]
    code: int
    verdict: Verdict


def same(account: Account) -> Account:
    return account


def other_secret(account: Account) -> Account:
    if account.role is Role.PRIVATE_KEY:
        return Account(key=account.key, secret=values.ed25519_der(Random()), role=account.role)
    return Account(key=account.key, secret=values.hmac_value(Random()).encode())


def short_key(account: Account) -> Account:
    return Account(key=account.key[:40], secret=account.secret, role=account.role)


REFUSALS = {
    "wrong secret": Refused(same, other_secret, -1022, Verdict.KEY_LIVE_SECRET_WRONG),
    "unknown": Refused(lambda _: None, same, -2008, Verdict.NOT_FOUND),
    "malformed": Refused(same, short_key, -2014, Verdict.MALFORMED),
    "address": Refused(
        lambda account: Account(**{**vars(account), "addresses": ("192.0.2.7",)}),
        same,
        -2015,
        Verdict.INCONCLUSIVE,
    ),
    "permission": Refused(
        lambda account: Account(**{**vars(account), "permissions": {}}), same, -1002, Verdict.LIVE_NO_PERMISSION
    ),
}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("case", REFUSALS)
def test_refused_by_all_alike(played: Played, make: Callable[..., Account], case: str) -> None:
    refused = REFUSALS[case]
    account = make(Random())
    opened = refused.opened(account)
    if opened is not None:
        played.exchange.add(opened)
    used = refused.used(account)
    assert answer_of_sdk(played.url, used) == refused.code
    assert answer_of_python_binance(played.url, used) == refused.code
    assert verdict_of(played.url, used) is refused.verdict


class TestTimeAndWeight:
    @pytest.mark.parametrize("ahead", [-5_000, 30_000])
    def test_a_clock_that_is_off(self, played: Played, ahead: int) -> None:
        played.exchange.ahead = ahead
        account = hmac_account(Random())
        played.exchange.add(account)
        assert answer_of_sdk(played.url, account) == -1021
        assert answer_of_python_binance(played.url, account) == -1021
        assert verdict_of(played.url, account) is Verdict.LIVE

    def test_the_time(self, played: Played) -> None:
        played.exchange.ahead = 7_000_000
        reported = python_binance(played.url, hmac_account(Random())).get_server_time()
        assert abs(reported["serverTime"] - played.exchange.now()) < 60_000

    def test_a_wide_window(self, played: Played) -> None:
        played.exchange.ahead = 30_000
        account = hmac_account(Random())
        played.exchange.add(account)
        api = sdk(played.url, account).rest_api
        assert api.get_api_key_permission(recv_window=60_000).data().enable_reading is True
        with pytest.raises(BadRequestError) as raised:
            api.get_api_key_permission(recv_window=60_001)
        assert raised.value.status_code == -1131

    def test_a_limit_and_a_ban(self, played: Played) -> None:
        played.exchange.limits[MAINNET, "SAPI"], played.exchange.window = 2, 1e10
        account = hmac_account(Random())
        played.exchange.add(account)
        api = sdk(played.url, account).rest_api
        for _ in range(2):
            api.get_api_key_permission()
        for _ in range(3):
            with pytest.raises(TooManyRequestsError) as raised:
                api.get_api_key_permission()
            assert 0 < (raised.value.retry_after or 0) <= 61
        with pytest.raises(RateLimitBanError):
            api.get_api_key_permission()


class TestOtherSystems:
    def test_the_testnet(self) -> None:
        account = hmac_account(Random(), host=TESTNET)
        with serving(Exchange([account], default=TESTNET)) as url:
            client = python_binance(url, account)
            assert client.get_account(omitZeroBalances="true")["canTrade"] is True
            with pytest.raises(BinanceAPIException) as raised:
                client.get_account_api_permissions()
            assert raised.value.status_code == 404
            with UrllibTransport(loopback=url) as transport:
                (found,) = Verifier(transport).verify([pair(account, environment=Environment.TESTNET)]).values()
        assert found.verdict is Verdict.LIVE

    def test_the_futures_testnet(self) -> None:
        account = hmac_account(Random(), host=FUTURES_TESTNET)
        with serving(Exchange([account], default=FUTURES_TESTNET)) as url:
            assert python_binance(url, account).futures_account_config()["canTrade"] is True
            unknown = hmac_account(Random(), host=FUTURES_TESTNET)
            with pytest.raises(BinanceAPIException) as raised:
                python_binance(url, unknown).futures_account_config()
        assert raised.value.code == -2008


def test_an_order_is_refused(played: Played) -> None:
    """Nothing that changes anything is played: a test that called it would fail."""
    account = hmac_account(Random())
    played.exchange.add(account)
    with pytest.raises(BinanceAPIException) as raised:
        python_binance(played.url, account).create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity=1)
    assert raised.value.status_code == 501
    assert played.exchange.asked == []


def test_signatures_are_not_all_alike() -> None:
    """The three types make signatures of three lengths: no type is checked as another."""
    lengths = {make: len(make(Random()).secret) for make in MAKERS}
    assert len(set(lengths.values())) == 3
    assert not ed25519_account(Random()).accepts(b"x", base64.b64encode(b"0" * 64).decode())
