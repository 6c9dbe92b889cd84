"""Sign the query of a request: HMAC-SHA256, Ed25519 or RSA (PKCS#1 v1.5, SHA-256).

The payload is the query string as it is sent, percent-encoded before it is signed. An HMAC signature is written in hex,
the others in base64, percent-encoded (Binance spot API documents, "Signed endpoint security").
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from binance_leaks.errors import ScannerError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Role, Value
from binance_leaks.verification import Cause

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

Sign: TypeAlias = Callable[[bytes], str]
"""From a payload to its signature, in the form for a URL."""

INSTALL = 'python -m pip install "cryptography>=42", which the extra "verify" of this package does too'
_SEED_LENGTH = 32
_LONGEST_DER = 4_000  # A 4096-bit RSA key takes 2,400 bytes; larger ones are none of Binance's and slow to load.
_RSA_BITS = (2048, 4096)


class SigningLibraryError(ScannerError):
    """Ed25519 and RSA need a library that is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Ed25519 and RSA keys cannot be verified: the package cryptography is not installed",
            hint=f"Install it: {INSTALL}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Unusable:
    """Why a secret half cannot sign, in plain English."""

    cause: Cause
    why: str


def signer_of(secret: Value) -> Sign | Unusable:
    """Return what signs with this secret half, or why nothing can.

    It cannot if it has left the process, is damaged or of no use.
    """
    if secret.secret is None:
        return Unusable(cause=Cause.UNUSABLE, why="the value is not at hand any more")
    material = secret.secret.reveal()
    if secret.role is not Role.PRIVATE_KEY:
        return lambda payload: hmac.new(material, payload, sha256).hexdigest()
    try:
        key = load_private_key(material)
    except SigningLibraryError as error:
        return Unusable(cause=Cause.LIBRARY, why=f"{error}. {error.hint}")
    if key is None:
        return Unusable(cause=Cause.UNUSABLE, why="the private key is cut short, damaged, or of a type Binance has not")
    return _signing_with(key)


def wrong_signer() -> Sign:
    """Return a signer with a random secret, to check a key whose secret is not known."""
    return lambda payload: hmac.new(b"binance-leaks: no secret", payload, sha256).hexdigest()


def load_private_key(der: bytes) -> Ed25519PrivateKey | RSAPrivateKey | None:
    """Load a private key: DER (PKCS#8 or PKCS#1) or a bare 32-byte seed.

    Returns None if Binance accepts no such key.

    Raises SigningLibraryError without `cryptography`, which is imported here because it is optional and slow to load.

    Returns None if it is none that Binance takes.

    Raises SigningLibraryError without `cryptography`, which is imported here because it is optional and slow to load.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_der_private_key
    except ImportError:
        raise SigningLibraryError from None
    if len(der) == _SEED_LENGTH:
        return ed25519.Ed25519PrivateKey.from_private_bytes(der)
    if len(der) > _LONGEST_DER:
        return None
    try:
        key = load_der_private_key(_without_trail(der), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and _RSA_BITS[0] <= key.key_size <= _RSA_BITS[1]:
        return key
    return None


def _without_trail(der: bytes) -> bytes:
    """The outermost structure by the length it gives itself: base64 may have brought a few bytes more."""
    if der[:2] == b"\x30\x82":
        return der[: 4 + int.from_bytes(der[2:4], "big")]
    if der[:1] == b"\x30" and len(der) > 1 and der[1] < 0x80:
        return der[: 2 + der[1]]
    return der


def _signing_with(key: Ed25519PrivateKey | RSAPrivateKey) -> Sign:
    """What signs with a private key. Imports as late as what loaded the key."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    def sign(payload: bytes) -> str:
        if isinstance(key, rsa.RSAPrivateKey):
            signature = key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = key.sign(payload)
        return quote(base64.b64encode(signature), safe="")

    return sign
