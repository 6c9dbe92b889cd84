"""Private keys that are damaged: cut short, or with something else in their lines; what is near them stays."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.model import Confidence, Role, Value
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


def _traditional_pem(rng: Random, size: int = 1200) -> str:
    """A private key in the form of old OpenSSL: encrypted, so that it is nothing but random bytes."""
    begin, *lines = values.pem("RSA PRIVATE KEY", rng.randbytes(size)).splitlines()
    headers = "Proc-Type: 4,ENCRYPTED", f"DEK-Info: AES-128-CBC,{values.hexadecimal(rng, 32).upper()}", ""
    return "\n".join((begin, *headers, *lines)) + "\n"


def test_a_traditional_encrypted_key_is_known_by_its_headers() -> None:
    pem = _traditional_pem(Random(4))
    for text in (pem, pem.replace("\n", "\\n"), pem.replace("\n", "\r\n")):
        (found,) = detect(f"binance private key:\n{text}\n".encode(), path="key.txt")
        assert found.occurrences[0].encrypted
    assert not detect(f"binance private key:\n{_traditional_pem(Random(4), 300)}".encode(), path="key.txt")


PLAIN, RSA, ENCRYPTED = (f"-----BEGIN {kind}PRIVATE KEY-----" for kind in ("", "RSA ", "ENCRYPTED "))
HEADERS = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF\n"
NOT_ENDED: Mapping[str, Callable[[Random], str]] = MappingProxyType(
    {
        "a mention of a header": lambda _: f"# paste your {ENCRYPTED} here\n",
        "a mention of another kind of armour": lambda _: "# -----BEGIN CERTIFICATE-----\n",
        "a header in a literal": lambda _: f'const MARK = "{ENCRYPTED}"\n',
        "a header in a call": lambda _: f'if pem.startswith("{ENCRYPTED}"):\n    run()\n',
        "a header in base64": lambda _: f"mark = {base64.b64encode(ENCRYPTED.encode()).decode()}\n",
        "headers of an encrypted key": lambda _: f"{RSA}\n{HEADERS}",
        "headers of an encrypted key that are something else": lambda _: f"{RSA}\nProc-Type: x\nDEK-Info: y\n",
        "the beginning of an encrypted key": lambda rng: (
            f"{ENCRYPTED}\n{values.body_lines(values.encrypted_der(rng))[0]}\n"
        ),
        "a key": lambda rng: f"{PLAIN}\n{values.ed25519_pem_body(rng)}\n",
        "a key in RSA": lambda _: values.rsa_pem().split("-----END")[0],
        "a key in RSA without its last lines": lambda _: values.rsa_pem().rsplit("\n", 4)[0] + "\n",
        "a traditional encrypted key": lambda rng: _traditional_pem(rng).split("-----END")[0],
    }
)
PAIRS: Mapping[str, str] = MappingProxyType(
    {
        "settings": "BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n",
        "code": 'const BINANCE_API_KEY = "{key}"\nconst BINANCE_API_SECRET = "{secret}"\n',
        "YAML": "binance:\n  key: {key}\n  secret: {secret}\n",
        "a call": 'binance = Client("{key}",\n    "{secret}")\n',
    }
)
ENDS = ("", *(begin.replace("BEGIN", "END") + "\n" for begin in (RSA, ENCRYPTED)))


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("beginning", NOT_ENDED)
def test_values_below_the_beginning_of_a_key_are_none_of_its_lines(beginning: str, pair: str) -> None:
    """Also those between it and a line that ends a key: names and values are no base64 of it."""
    for seed, end in enumerate(ENDS):
        rng = Random(f"{beginning} {pair} {seed}")
        key, secret = values.hmac_value(rng), values.hmac_value(rng)
        text = NOT_ENDED[beginning](rng) + PAIRS[pair].format(key=key, secret=secret) + end
        found = detect(text.encode())
        digests = {value.sha256 for each in found for value in each.values}
        halves = ((Role.API_KEY, key), (Role.SECRET_KEY, secret))
        assert digests >= {Value.of(role, value.encode()).sha256 for role, value in halves}, end
        assert any(each.has_key and each.confidence is Confidence.HIGH for each in found), end


@pytest.mark.parametrize("form", ["as PHP writes it", "in lines of 20", "in pieces of 16", "a short line in it"])
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_letters_of_a_key_may_be_in_short_pieces(kind: str, form: str) -> None:
    der = values.ed25519_der(Random(4)) if kind == "ed25519" else values.rsa_der()
    body = base64.b64encode(der).decode("ascii")
    head, tail = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    text = {
        "as PHP writes it": json.dumps({"binance_private_key": f"{head}\n{body}\n{tail}\n"}).replace("/", "\\/"),
        "in lines of 20": "\n".join([head, *(body[at : at + 20] for at in range(0, len(body), 20)), tail]),
        "in pieces of 16": f'"{head}\\n"' + "".join(f' + "{body[at : at + 16]}"' for at in range(0, len(body), 16)),
        "a short line in it": f"{head}\n{body[:40]}\n{body[40:46]}\n{body[46:]}\n{tail}",
    }[form]
    found = detect(f"binance\n{text}\n".encode(), path="config.json")
    assert [value.role for each in found for value in each.values if value.role is Role.PRIVATE_KEY]
