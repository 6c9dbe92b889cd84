"""A value is reported with a name only if that is its own."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.model import Role

from tests.corpus import values


@pytest.mark.parametrize(
    "template",
    [
        'client = Client(os.environ["BINANCE_API_KEY"], "{}")\n',
        'client = Client(os.getenv("BINANCE_API_KEY"), "{}")\n',
        'client := binance.NewClient(os.Getenv("BINANCE_API_KEY"), "{}")\n',
    ],
)
def test_a_secret_is_not_named_as_the_key_before_it(template: str) -> None:
    (credential,) = detect(template.format(values.hmac_value(Random(template))).encode(), path="bot.py")
    assert [value.role for value in credential.values] == [Role.SECRET_KEY]
    assert not [text for text in credential.evidence if "named" in text]
