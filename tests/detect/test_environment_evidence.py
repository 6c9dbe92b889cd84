"""How hints for an environment are searched for: where they begin, and nowhere else, and yet all of them."""

from __future__ import annotations

import pytest
from binance_leaks.detect.environment_evidence import NAMED, found_in, hinted, small
from binance_leaks.model import Environment
from hypothesis import given, settings
from hypothesis import strategies as st

_PIECES = (
    "binance", "bpay", ".binanceapi", "testnet", ".binancefuture", ".vision", "test", "net", "sandbox", "set_", "set",
    "Mode", " = true", "=TRUE", ": \"1\"", "=false", "spot", "demo", "-api", " trading", "us", "tr", ".us", ".tr",
    "tld", "='us'", "=\"TR\"", "api", "api3", "f", "stream", "api-gcp", ".binance.com", "future", "s", "paper", "_key",
    "Live", "prod", "uction", "real", "main", "_", "-", " ", ".", "\n", "x", "模拟", "正式", "实盘", "İ", "ſ",
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
def test_nothing_is_missed(text: str) -> None:
    """The same as if each pattern looked through all of the text."""
    lowered = small(text)
    every = [
        (match.start(), match.end(), order)
        for order, pattern in enumerate(NAMED)
        for match in pattern.expression.finditer(lowered)
    ]
    assert [hint[:3] for hint in found_in(lowered, NAMED)] == every


@settings(deadline=None)
@given(st.text(max_size=50))
def test_small_letters_stay_in_their_places(text: str) -> None:
    lowered = small(text)
    assert len(lowered) == len(text)
    assert [a for a in lowered if a.isascii() and a.isupper()] == []


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("TestNet_key", Environment.TESTNET),
        ("use_testnet = False", Environment.MAINNET),
        ("BINANCE_US_KEY", Environment.US),
        ("https://API.binance.com", Environment.MAINNET),
        ("Futures Testnet", Environment.FUTURES_TESTNET),
        ("nothing of it", None),
    ],
)
def test_examples(text: str, environment: Environment | None) -> None:
    assert hinted(text) is environment
