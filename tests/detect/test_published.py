"""Published examples are no leaks, and hide nothing that is beside them."""

from __future__ import annotations

import re
from hashlib import sha256
from random import Random

import pytest
from binance_leaks import scan_bytes
from binance_leaks.detect import published
from binance_leaks.findings import Risk, SuppressedBy, Suppression
from binance_leaks.model import RiskLevel

from tests.corpus.values import hmac_value

KEY, SECRET, OTHER_KEY, OTHER_SECRET = (hmac_value(Random(seed)) for seed in (11, 12, 13, 14))
LISTS = (published._DOCUMENTED, published._CONNECTOR_TESTS, published._PYTHON_BINANCE_TESTS)


def test_each_digest_is_one_and_is_in_one_list() -> None:
    together = [digest for digests in LISTS for digest in digests]
    assert len(set(together)) == len(together)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in together)
    assert all(published.published_as(digest) for digest in together)
    assert published.published_as(sha256(KEY.encode()).hexdigest()) is None


@pytest.fixture(autouse=True)
def documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a pair for published."""
    known = {sha256(value.encode()).hexdigest(): "the documentation" for value in (KEY, SECRET)}
    for module in ("detect.credentials", "pipeline.triage"):
        monkeypatch.setattr(f"binance_leaks.{module}.published_as", known.get)


ALONE = (
    f'from binance.client import Client\nclient = Client("{KEY}", "{SECRET}")\n',
    f"BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={SECRET}\n",
    f"curl -H 'X-MBX-APIKEY: {KEY}' https://api.binance.com/api/v3/order\n",
)


@pytest.mark.parametrize("text", ALONE)
def test_alone(text: str) -> None:
    result = scan_bytes(text.encode())
    assert result.findings == ()
    (finding,) = result.suppressed
    reason = "published in the documentation"
    assert finding.suppressed == Suppression(by=SuppressedBy.KNOWN_EXAMPLE, reason=reason)
    assert (finding.risk, finding.fails) == (Risk(level=RiskLevel.INFO, reasons=(reason,)), False)


BESIDE = {
    "a secret with the published key": f"BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={OTHER_SECRET}\n",
    "a key with the published secret": f"BINANCE_API_KEY={OTHER_KEY}\nBINANCE_API_SECRET={SECRET}\n",
    "a call": f'from binance.client import Client\nclient = Client("{KEY}", "{OTHER_SECRET}")\n',
    "two pairs": f"{ALONE[0]}mine = Client('{OTHER_KEY}', '{OTHER_SECRET}')\n",
    "the published secret in a comment": (
        f"BINANCE_API_KEY={KEY}\n# BINANCE_API_SECRET={SECRET}\nBINANCE_API_SECRET={OTHER_SECRET}\n"
    ),
    "the published key in a comment": (
        f"# BINANCE_API_KEY={KEY}\nBINANCE_API_KEY={OTHER_KEY}\nBINANCE_API_SECRET={SECRET}\n"
    ),
    "one line": f'# binance\nkeys = ["{KEY}", "{OTHER_KEY}"]\n',
    "bare lines": f"binance\n{KEY}\n{SECRET}\n\n{OTHER_KEY}\n{OTHER_SECRET}\n",
    "a default": f'import os\nAPI_KEY = os.getenv("BINANCE_API_KEY", "{OTHER_KEY}")  # not {KEY}\n',
}


@pytest.mark.parametrize("form", BESIDE)
def test_beside_another_value(form: str) -> None:
    result = scan_bytes(BESIDE[form].encode())
    found = {value.sha256 for finding in result.findings for value in finding.values}
    unknown = {value for value in (OTHER_KEY, OTHER_SECRET) if value in BESIDE[form]}
    assert {sha256(value.encode()).hexdigest() for value in unknown} <= found
    assert all(finding.fails for finding in result.findings)


def test_an_allowed_secret_beside_a_published_key() -> None:
    text = f"BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET={OTHER_SECRET}  # binance-leaks: allow\n"
    (finding,) = scan_bytes(text.encode()).suppressed
    assert finding.suppressed is not None
    assert finding.suppressed.by is SuppressedBy.INLINE
