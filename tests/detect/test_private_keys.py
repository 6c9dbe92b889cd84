"""Private keys that are damaged: cut short, or with something else in their lines."""

from __future__ import annotations

import base64
from random import Random

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.model import Confidence
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_der_private_key,
)

from tests.corpus import values


def _found(der: bytes, label: str) -> int:
    return len(detect(f"binance\n{values.pem(label, der)}".encode(), path="key.pem"))


@pytest.mark.parametrize(("part", "expected"), [(1.0, 1), (0.95, 1), (0.8, 0), (0.5, 0)])
@pytest.mark.parametrize("pkcs1", [True, False])
def test_a_key_cut_short_counts_up_to_a_tenth(part: float, expected: int, pkcs1: bool) -> None:
    der = values.rsa_der(pkcs1=pkcs1)
    assert _found(der[: int(len(der) * part)], "RSA PRIVATE KEY" if pkcs1 else "PRIVATE KEY") == expected


@pytest.mark.parametrize(("length", "expected"), [(48, 1), (46, 1), (45, 0), (16, 0)])
def test_a_short_key_is_whole(length: int, expected: int) -> None:
    assert _found(values.ed25519_der(Random(1))[:length], "PRIVATE KEY") == expected


def test_what_is_no_key_of_a_known_type() -> None:
    rng = Random(2)
    assert _found(b"\x30\x82\x04\x00" + rng.randbytes(1024), "PRIVATE KEY") == 0
    assert _found(b"\x30\x81" + rng.randbytes(1024), "PRIVATE KEY") == 0
    assert _found(rng.randbytes(48), "PRIVATE KEY") == 0
    for first_bytes in (b"\x31\x82", b"\x30\x81"):
        assert _found(first_bytes + values.rsa_der()[2:], "PRIVATE KEY") == 0


def test_an_encrypted_key_is_known_by_its_content() -> None:
    key = load_der_private_key(values.rsa_der(), password=None)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"a passphrase"))
    armoured = values.pem("PRIVATE KEY", der)
    for text in (armoured, base64.b64encode(armoured.encode()).decode()):
        (found,) = detect(f"binance private key:\n{text}\n".encode(), path="key.txt")
        assert found.occurrences[0].encrypted
        assert found.confidence is Confidence.LOW


def test_a_seed_that_is_no_random_one() -> None:
    for seed, expected in ((Random(3).randbytes(32), 1), (bytes(range(16)) * 2, 0), (bytes(32), 0)):
        text = f'import binance\nbinance_private_key = "{base64.b64encode(seed).decode()}"\n'
        assert len(detect(text.encode(), path="a.py")) == expected
