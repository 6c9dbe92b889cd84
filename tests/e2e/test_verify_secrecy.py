"""What a check with Binance leaves behind in reports and files."""

from __future__ import annotations

import os
from pathlib import Path
from random import SystemRandom

import pytest
from binance_leaks.report import FORMAT_NAMES

from tests.binance.accounts import FUTURES_TESTNET, Account, hmac_account
from tests.binance.exchange import Exchange
from tests.binance.server import serving
from tests.e2e import run

OUTSIDE = "203.0.113.77"
"""The address that the exchange sees, as behind a router."""

CLEAN = {name: "" for name in os.environ if "BINANCE" in name.upper()}


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
        env = {**CLEAN, "BINANCE_API_KEY": account.key, "BINANCE_API_SECRET": account.secret.decode()}
        words = ("--environment", "futures-testnet", "--format", shown, "--verify-cache", "cache.json")
        with serving(exchange) as url:
            ran = run("verify", "--verify-loopback", url, *words, cwd=tmp_path, env=env)
        assert [asked.host for asked in exchange.asked][:1] == [FUTURES_TESTNET]
        self.assert_unseen(ran.out + ran.err + (tmp_path / "cache.json").read_text("utf-8"))
