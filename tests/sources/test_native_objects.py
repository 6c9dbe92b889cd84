"""The compiled readers of objects answer as those in Python do, also to what is damaged or forged."""

from __future__ import annotations

import pytest
from binance_leaks.native import compiled

from tests.fuzz_native import KINDS, fuzz

pytestmark = pytest.mark.skipif(compiled is None, reason="the compiled module is not there")


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_inputs_are_read_alike(kind: str) -> None:
    outcomes = fuzz(kind, range(1500))
    assert len(outcomes) >= 3
    assert min(outcomes.values()) > 10
