"""Where files disagree about the environment of one credential: the more severe counts, and the evidence names that."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect.credentials import merge_credentials
from binance_leaks.detect.engine import detect
from binance_leaks.model import Credential, Environment

from tests.corpus import values

_LIVE = "from binance import Client\nclient = Client('{key}', '{secret}', tld='com')\n"
_TEST = "from binance import Client\nclient = Client('{key}', '{secret}', testnet=True)\n"
_SECRET_ONLY = "import binance\nAPI_SECRET = '{secret}'\nTESTNET = True\n"


def _found(files: dict[str, str]) -> tuple[Credential, ...]:
    rng = Random("disagreement")
    key, secret = values.hmac_value(rng), values.hmac_value(rng)
    return merge_credentials(
        credential
        for path, text in files.items()
        for credential in detect(text.format(key=key, secret=secret).encode(), path=path)
    )


def _doubts(credential: Credential) -> list[str]:
    return [text for text in credential.evidence if text.startswith("files disagree")]


def test_more_severe_environment_counts() -> None:
    (credential,) = _found({"a.py": _TEST, "b.py": _LIVE})
    assert credential.environment is Environment.MAINNET
    assert _doubts(credential) == [
        "files disagree about its environment (mainnet, testnet): the more severe one counts"
    ]


@pytest.mark.parametrize("texts", [(_TEST, _TEST), (_LIVE, _LIVE), (_TEST,)])
def test_agreement_is_not_reported(texts: tuple[str, ...]) -> None:
    (credential,) = _found({f"{number}.py": text for number, text in enumerate(texts)})
    assert _doubts(credential) == []


def test_what_is_reported_of_one_half_holds_for_the_other() -> None:
    files = {"a.py": "import binance\nAPI_KEY = '{key}'\n\n" + _SECRET_ONLY}
    (credential,) = _found(files)
    assert credential.environment is Environment.TESTNET
    assert _doubts(credential) == []
