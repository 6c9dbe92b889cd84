"""Base64 of a whole configuration file: its credentials are found where the base64 is."""

from __future__ import annotations

from base64 import b64encode
from random import Random

import pytest
from binance_leaks.detect.engine import detect

from tests.corpus import values


@pytest.fixture
def encoded() -> str:
    """The base64 of a file with a pair on its second and third line."""
    rng = Random(1)
    key, secret = values.hmac_value(rng), values.hmac_value(rng)
    return b64encode(f"# account\nBINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n".encode()).decode()


def test_a_file_in_base64(encoded: str) -> None:
    (found,) = detect(f"kind: Secret\ndata:\n  env: {encoded}\n".encode(), path="secret.yaml")
    assert len(found.values) == 2
    assert {(each.location.line, each.location.column) for each in found.occurrences} == {(3, 8)}


def test_base64_in_base64_is_not_followed(encoded: str) -> None:
    twice = b64encode(f"# binance\nenv: {encoded}\n".encode()).decode()
    assert detect(f"data:\n  env: {twice}\n".encode(), path="secret.yaml") == ()
