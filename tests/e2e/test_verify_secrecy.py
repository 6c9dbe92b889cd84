"""What leaves this machine in checks of the program, and what comes out of it: recorded byte by byte."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from urllib.parse import urlsplit

import pytest
from binance_leaks.environments import Environment
from binance_leaks.report import FORMAT_NAMES

from tests.binance.accounts import FUTURES_TESTNET, Account, hmac_account
from tests.binance.certificates import Authority
from tests.binance.exchange import Answer, Exchange
from tests.binance.recorder import recording
from tests.binance.server import serving
from tests.e2e import Outcome, run
from tests.verify.test_law import pieces

OUTSIDE = "203.0.113.77"
"""The address that the exchange sees, as behind a router."""

CLEAN = {name: "" for name in os.environ if "BINANCE" in name.upper()}
_REQUEST = re.compile(rb"GET [^\r\n]+ HTTP/1\.1\r\n(?:[^\r\n]+\r\n)+\r\n")
VERIFIABLE = [environment for environment in Environment if environment.facts.probes]


@dataclass(frozen=True)
class Sent:
    """A request as it was on the wire."""

    data: bytes

    def header(self, name: str) -> str:
        found = re.search(rb"^%s: ([^\r\n]*)\r\n" % name.encode(), self.data, re.MULTILINE | re.IGNORECASE)
        return found[1].decode() if found else ""

    @property
    def host(self) -> str:
        return self.header("Host")

    @property
    def key(self) -> str:
        return self.header("X-MBX-APIKEY")


NAMES = [(f"{prefix}API_KEY", f"{prefix}API_SECRET") for prefix in ("BINANCE_", "", "TESTNET_")]


def env_of(account: Account, names: tuple[str, str] = NAMES[0]) -> dict[str, str]:
    return {**CLEAN, names[0]: account.key, names[1]: account.secret.decode()}


def verify(
    folder: Path, account: Account, *words: str, names: tuple[str, str], exchange: Exchange | None = None
) -> list[Sent]:
    """The requests of `binance-leaks verify` about a pair in the environment."""
    with (
        serving(exchange or Exchange()) as url,
        recording(urlsplit(url).port or 0) as (tapped, heard),
    ):
        run("verify", "--verify-loopback", tapped, *words, cwd=folder, env=env_of(account, names))
    sent = bytes(heard.sent)
    requests = _REQUEST.findall(sent)
    assert b"".join(requests) == sent, "nothing but these requests was sent"
    return [Sent(data) for data in requests]


NAMES = [
    ("BINANCE_API_KEY", "BINANCE_API_SECRET"),
    ("API_KEY", "API_SECRET"),
    ("TESTNET_API_KEY", "TESTNET_API_SECRET"),
]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0])
@pytest.mark.parametrize("environment", VERIFIABLE, ids=lambda environment: environment.value)
def test_a_secret_is_sent_to_the_system_that_the_user_named_only(
    tmp_path: Path, environment: Environment, names: tuple[str, str]
) -> None:
    """Of a pair that nobody knows: once as the key, which is announced, and to nobody else."""
    make_for = FUTURES_TESTNET if environment.facts.alphabet == "hex" else "any"
    account = hmac_account(SystemRandom(), host=make_for)
    requests = verify(tmp_path, account, "--environment", environment.value, names=names)
    own = {probe.host for probe in environment.facts.probes}
    # Sixty-four hex digits without Binance in a name are no credential, so that nothing is sent about them.
    assert requests or (environment.facts.alphabet == "hex" and names != NAMES[0])
    exposed = [request for request in requests if account.secret in request.data]
    assert {request.host for request in exposed} <= own
    assert all(request.key == account.secret.decode() for request in exposed)
    assert len(exposed) <= 1
    rest = b"".join(request.data.replace(account.secret, b"") for request in requests)
    assert not [piece for piece in pieces(account.secret) if piece in rest]
    assert all(request.host in own for request in requests[:1])


@pytest.mark.parametrize("environment", VERIFIABLE, ids=lambda environment: environment.value)
def test_a_secret_of_a_known_key_is_not_sent(tmp_path: Path, environment: Environment) -> None:
    account = hmac_account(SystemRandom(), host=environment.facts.probes[0].host)
    requests = verify(
        tmp_path, account, "--environment", environment.value, names=NAMES[0], exchange=Exchange([account])
    )
    assert [request.key for request in requests] == [account.key]
    assert not [piece for piece in pieces(account.secret) if piece in requests[0].data]


class TestAddress:
    """Futures repeat the address of who asks in an error; it goes nowhere."""

    @pytest.fixture
    def account(self) -> Account:
        return hmac_account(SystemRandom(), host=FUTURES_TESTNET, addresses=("192.0.2.1",))

    def assert_unseen(self, text: str) -> None:
        assert OUTSIDE not in text
        assert "request ip" not in text

    def test_no_report_shows_it(self, tmp_path: Path, account: Account) -> None:
        exchange = Exchange([account], outside=OUTSIDE)
        line = f'client = UMFutures(key="{account.key}", secret="{account.secret.decode()}")\n'
        (tmp_path / "bot.py").write_text(f"# testnet.binancefuture.com\n{line}")
        written = [word for name in FORMAT_NAMES for word in ("--format", f"{name}:report.{name}")]
        with serving(exchange) as url:
            ran = run("scan", ".", "-v", "--verify", "--verify-loopback", url, *written, cwd=tmp_path, env=CLEAN)
        assert [asked.host for asked in exchange.asked][:1] == [FUTURES_TESTNET]
        self.assert_unseen(ran.out + ran.err)
        for name in FORMAT_NAMES:
            self.assert_unseen((tmp_path / f"report.{name}").read_text("utf-8"))

    @pytest.mark.parametrize("shown", ["text", "json"])
    def test_neither_does_an_audit_nor_its_cache(self, tmp_path: Path, account: Account, shown: str) -> None:
        exchange = Exchange([account], outside=OUTSIDE)
        words = ("--environment", "futures-testnet", "--format", shown, "--verify-cache", "cache.json")
        with serving(exchange) as url:
            ran = run("verify", "--verify-loopback", url, *words, cwd=tmp_path, env=env_of(account))
        assert [asked.host for asked in exchange.asked][:1] == [FUTURES_TESTNET]
        self.assert_unseen(ran.out + ran.err + (tmp_path / "cache.json").read_text("utf-8"))


class TestFaults:
    """Whatever a server does on the wire, a key is undecided, and no part of it is in what is printed."""

    def assert_undecided(self, ran: Outcome, account: Account) -> None:
        assert ran.status == 3
        assert "state unknown" in ran.out
        for value in (account.key.encode(), account.secret):
            assert not [piece for piece in pieces(value) if piece in (ran.out + ran.err).encode()]

    @pytest.mark.parametrize(
        "manner", ["cut", "cut in the body", "cut in the chunks", "bad chunks", "reset", "reset in the body", "gzip"]
    )
    def test_of_an_answer(self, tmp_path: Path, manner: str) -> None:
        account = hmac_account(SystemRandom())
        exchange = Exchange([account])
        exchange.script(Answer(body=b'{"enableReading": true, "ipRestrict": false}', manner=manner))
        with serving(exchange) as url:
            ran = run("verify", "--verify-loopback", url, cwd=tmp_path, env=env_of(account))
        self.assert_undecided(ran, account)
        assert exchange.asked

    @pytest.mark.parametrize("handshake", ["plain", "refused", "too old", "cut", "reset"])
    def test_of_a_handshake(self, tmp_path: Path, handshake: str) -> None:
        account = hmac_account(SystemRandom())
        exchange = Exchange([account])
        with serving(exchange, handshake=handshake) as url:
            ran = run("verify", "--verify-loopback", url, cwd=tmp_path, env=env_of(account))
        self.assert_undecided(ran, account)
        assert exchange.asked == []

    def test_of_a_certificate(self, tmp_path: Path) -> None:
        account, authority = hmac_account(SystemRandom()), Authority(tmp_path)
        exchange = Exchange([account])
        with serving(exchange, certificate=authority.certificate("127.0.0.2")) as url:
            words = ("--verify-loopback", url, "--verify-ca", str(authority.file))
            ran = run("verify", *words, cwd=tmp_path, env=env_of(account))
        self.assert_undecided(ran, account)
        assert exchange.asked == []

    def test_chunks_are_none(self, tmp_path: Path) -> None:
        account = hmac_account(SystemRandom(), addresses=("127.0.0.1",))
        exchange = Exchange([account])
        exchange.script(Answer(body=json.dumps(account.restrictions()).encode(), manner="chunked"))
        with serving(exchange) as url:
            ran = run("verify", "--verify-loopback", url, cwd=tmp_path, env=env_of(account))
        assert "active" in ran.out
        assert "state unknown" not in ran.out
