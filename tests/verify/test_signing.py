"""Signatures: against the documented vector, and checked by other code than that which made them."""

from __future__ import annotations

import base64
import builtins
import hmac
from collections.abc import Callable
from hashlib import sha256
from random import Random
from urllib.parse import unquote

import pytest
from binance_leaks.detect.published import published_as
from binance_leaks.model import Role, Value
from binance_leaks.verification import Cause
from binance_leaks.verify.signing import Sign, Unusable, load_private_key, signer_of, wrong_signer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from tests.corpus import values

PAYLOAD = (
    b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
)
SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


def documented_secret() -> bytes:
    """The secretKey of the documents' signed request, which is not written out here: every fourth character a piece."""
    pieces = ("NtJjAjeY1ZC6bMHT", "hmYV743Nejl5v65j", "qddHPMRi3IVXqAf0", "PSKjZg5PUnNAq7Aj")
    return "".join("".join(each) for each in zip(*pieces, strict=True)).encode()


def signer(role: Role, material: bytes) -> Sign:
    made = signer_of(Value.of(role, material))
    assert not isinstance(made, Unusable)
    return made


class TestHmac:
    def test_the_documented_vector(self) -> None:
        secret = documented_secret()
        assert published_as(sha256(secret).hexdigest()) is not None
        assert signer(Role.SECRET_KEY, secret)(PAYLOAD) == SIGNATURE

    def test_what_the_standard_library_computes(self) -> None:
        secret = values.hmac_value(Random()).encode()
        expected = hmac.new(secret, PAYLOAD, sha256).hexdigest()
        assert signer(Role.SECRET_KEY, secret)(PAYLOAD) == expected
        assert wrong_signer()(PAYLOAD) != expected

    def test_nobody_s_signature_has_the_same_form(self) -> None:
        assert len(wrong_signer()(PAYLOAD)) == len(SIGNATURE)


class TestEd25519:
    @pytest.mark.parametrize("bare", [False, True], ids=["pkcs8", "seed"])
    def test_it_verifies(self, bare: bool) -> None:
        der = values.ed25519_der(Random())
        signature = signer(Role.PRIVATE_KEY, der[-32:] if bare else der)(PAYLOAD)
        key = load_der_private_key(der, None)
        assert isinstance(key, ed25519.Ed25519PrivateKey)
        key.public_key().verify(base64.b64decode(unquote(signature), validate=True), PAYLOAD)

    def test_the_vector_of_rfc_8032(self) -> None:
        """Test 2 of section 7.1: one byte, 0x72."""
        seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f" + "5b8a319f35aba624da8cf6ed4fb8a6fb")
        expected = (
            "92a009a9f0d4cab8720e820b5f642540" + "a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c" + "387b2eaeb4302aeeb00d291612bb0c00"
        )
        signature = signer(Role.PRIVATE_KEY, seed)(b"\x72")
        assert base64.b64decode(unquote(signature)).hex() == expected


class TestRsa:
    @pytest.mark.parametrize("bits", [2048, 4096])
    @pytest.mark.parametrize("pkcs1", [False, True], ids=["pkcs8", "pkcs1"])
    def test_it_verifies(self, bits: int, pkcs1: bool) -> None:
        der = values.rsa_der(bits=bits, pkcs1=pkcs1)
        signature = signer(Role.PRIVATE_KEY, der)(PAYLOAD)
        key = load_der_private_key(der, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        raw = base64.b64decode(unquote(signature), validate=True)
        key.public_key().verify(raw, PAYLOAD, padding.PKCS1v15(), hashes.SHA256())

    def test_nothing_in_a_signature_needs_encoding_any_more(self) -> None:
        signature = signer(Role.PRIVATE_KEY, values.rsa_der())(PAYLOAD)
        assert signature.replace("%", "").isalnum()
        assert "%3D" in signature


@pytest.mark.parametrize("make", [lambda: values.ed25519_der(Random()), values.rsa_der], ids=["Ed25519", "RSA"])
def test_bytes_beyond_its_end_do_not_matter(make: Callable[[], bytes]) -> None:
    der = make()
    assert signer(Role.PRIVATE_KEY, der + b"\0\1")(PAYLOAD) == signer(Role.PRIVATE_KEY, der)(PAYLOAD)


def foreign() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def small() -> bytes:
    return values.rsa_der(bits=1024)


class TestUnusable:
    @pytest.mark.parametrize(
        "material",
        [
            pytest.param(lambda: values.ed25519_der(Random())[:-2], id="cut"),
            pytest.param(lambda: values.rsa_der()[:-60], id="cut RSA"),
            pytest.param(lambda: values.encrypted_der(Random()), id="encrypted"),
            pytest.param(foreign, id="elliptic curve"),
            pytest.param(small, id="1024 bits"),
            pytest.param(lambda: b"\x30\x82" + Random().randbytes(4000), id="too long"),
            pytest.param(lambda: b"", id="nothing"),
            pytest.param(lambda: b"\x30", id="one byte"),
            pytest.param(lambda: Random().randbytes(900), id="noise"),
        ],
    )
    def test_it_is_reported_why(self, material: object) -> None:
        assert callable(material)
        der = material()
        assert load_private_key(der) is None
        made = signer_of(Value.of(Role.PRIVATE_KEY, der))
        assert isinstance(made, Unusable)
        assert made.cause is Cause.UNUSABLE

    def test_a_value_that_has_left(self) -> None:
        value = Value.of(Role.SECRET_KEY, b"x" * 64).without_secret()
        made = signer_of(value)
        assert isinstance(made, Unusable)
        assert made.cause is Cause.UNUSABLE

    def test_without_the_library_it_is_reported_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = builtins.__import__

        def without(name: str, *args: object, **more: object) -> object:
            if name.startswith("cryptography"):
                raise ImportError(name)
            return real(name, *args, **more)  # type: ignore[arg-type]  # passed on as they came

        der = values.ed25519_der(Random())
        monkeypatch.setattr(builtins, "__import__", without)
        made = signer_of(Value.of(Role.PRIVATE_KEY, der))
        assert isinstance(made, Unusable)
        assert made.cause is Cause.LIBRARY
        assert 'pip install "cryptography' in made.why
        assert not isinstance(signer_of(Value.of(Role.SECRET_KEY, b"x" * 64)), Unusable)
