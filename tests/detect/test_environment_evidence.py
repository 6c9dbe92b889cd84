"""How hints for an environment are searched for: where they begin, and nowhere else, and yet all of them."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect.environment_evidence import NAMED, found_in, hinted, small
from binance_leaks.model import Environment
from binance_leaks.pipeline.files import credentials_in
from binance_leaks.sources.read_content import Chunk
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import values

_PIECES = (
    "binance", "bpay", ".binanceapi", "testnet", ".binancefuture", ".vision", "test", "net", "sandbox", "set_", "set",
    "Mode", " = true", "=TRUE", ": \"1\"", "=false", "spot", "demo", "-api", " trading", "us", "tr", ".us", ".tr",
    "tld", "='us'", "=\"TR\"", "api", "api3", "f", "stream", "api-gcp", ".binance.com", "future", "s", "paper", "_key",
    "Live", "prod", "uction", "real", "main", "_", "-", " ", ".", "\n", "x", "模拟", "正式", "实盘", "İ", "ſ",
)  # fmt: skip


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


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ('URL = "https://api.binance.com"\n{}', True),
        ("url: https://fapi.binance.com/\n{}", True),
        ("{}", False),
        ("# see https://api.binance.com\n{}", False),
        ("x = 1  # https://api.binance.com\n{}", False),
        ("/* https://api.binance.com */\n{}", False),
        ('URL = "https://api.binance.com"\nUS = "https://api.binance.us"\n{}', False),
        ('URL = "https://api.binance.com"\n{}\nother = Client(tld="th")\n', False),
        ('URL = "https://api.binance.com"\n# or Binance TR, binance_tr\n{}', False),
        ('URL = "https://demo-api.binance.com"\nLIVE = "https://api.binance.com"\n{}', False),
        ('URL = "https://api.binance.com.example.net"\n{}', False),
    ],
)
def test_a_host_in_code_makes_an_environment_certain(text: str, certain: bool) -> None:
    rng = Random(3)
    call = f'client = Client("{values.hmac_value(rng)}", "{values.hmac_value(rng)}")\n'
    data = f"import binance\n{text.format(call)}".encode()
    (found,) = credentials_in(Chunk(path="bot.py", evidence_path="bot.py", data=data))
    stated = [each for each in found.occurrences if each.environment is Environment.MAINNET]
    assert any(each.certain for each in stated) is certain
