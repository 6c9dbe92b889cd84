"""Freshly generated values: credentials with the shapes Binance gives out, and strings that only look like them.

Nothing here is a credential of anybody. Text comes from the random generator that is passed in; RSA and encrypted keys
come from `cryptography`, whose randomness cannot be seeded.
"""

from __future__ import annotations

import base64
import math
import re
import string
from collections import Counter
from functools import cache
from random import Random

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

BASE62 = string.ascii_letters + string.digits
BASE36 = string.ascii_lowercase + string.digits
BASE58 = "".join(sorted(set(BASE62) - set("0OIl")))
HEX = string.digits + "abcdef"
LENGTH = 64
ENTROPY = (4.66, 5.54)
PEM_COLUMNS = 64

_WORDS = re.findall(
    r"\w+",
    "Api At By Id In Is Of On To Up All Any Bot Buy Get Key Map New Old Raw Set Sub Tax User View Data "
    "Exch Fees From Host Into Item List Load Name Open Page Path Pool Rate Read Send Spot Swap Test Time "
    "With Asset Batch Cache Chart Count Depth Event Fetch Graph Index Limit Order Parse Price Proxy Query "
    "Queue Quote Route Stake Store Token Total Trade Value Candle Client Config Cursor Filter Ledger "
    "Market Member Method Object Option Record Report Result Signal Socket Status Stream Symbol Wallet "
    "Account Balance Binance Builder Context Details Execute Factory Futures Handler History Manager "
    "Monitor Network Payload Process Request Service Session Support Transfer Exchange Response Snapshot",
)


def entropy(text: str) -> float:
    """Shannon entropy of the characters of a text, in bits per character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _pick(rng: Random, alphabet: str, length: int) -> str:
    return "".join(rng.choices(alphabet, k=length))


def hmac_value(rng: Random) -> str:
    """An API key or an HMAC secret: 64 of base62 with all three classes and the entropy of real ones."""
    while True:
        value = _pick(rng, BASE62, LENGTH)
        mixed = any(map(str.islower, value)) and any(map(str.isupper, value)) and any(map(str.isdigit, value))
        if mixed and ENTROPY[0] <= entropy(value) <= ENTROPY[1]:
            return value


def hex_value(rng: Random) -> str:
    """A key or secret of the old futures testnet: 64 of lower-case hex. A SHA-256 digest has the same shape."""
    return _pick(rng, HEX, LENGTH)


def pay_value(rng: Random) -> str:
    """A merchant key or secret of Binance Pay: 64 of `[a-z0-9]`, letters beyond `f` among them."""
    while True:
        value = _pick(rng, BASE36, LENGTH)
        if set(value) - set(HEX) and any(map(str.isdigit, value)):
            return value


def ed25519_der(rng: Random) -> bytes:
    """An Ed25519 private key: PKCS#8, 48 bytes, of which the last 32 are the seed."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def ed25519_pem_body(rng: Random) -> str:
    """The only line between the armour of an Ed25519 private key: 64 characters of base64."""
    return base64.b64encode(ed25519_der(rng)).decode("ascii")


@cache
def _rsa_key(bits: int, number: int) -> rsa.RSAPrivateKey:
    # Key generation takes a tenth of a second, so the same few keys serve a whole run.
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def rsa_der(*, bits: int = 2048, number: int = 1, pkcs1: bool = False) -> bytes:
    """An RSA private key, PKCS#8 unless asked for the traditional form; the same one for equal arguments in one run."""
    form = PrivateFormat.TraditionalOpenSSL if pkcs1 else PrivateFormat.PKCS8
    return _rsa_key(bits, number).private_bytes(Encoding.DER, form, NoEncryption())


def rsa_pem(*, bits: int = 2048, number: int = 1, pkcs1: bool = False) -> str:
    """The same key with its armour."""
    return pem("RSA PRIVATE KEY" if pkcs1 else "PRIVATE KEY", rsa_der(bits=bits, number=number, pkcs1=pkcs1))


def encrypted_der(rng: Random) -> bytes:
    """An Ed25519 private key that cannot be used without its passphrase: encrypted PKCS#8."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(rng.randbytes(12)))


def encrypted_pem(rng: Random) -> str:
    """The same with its armour."""
    return pem("ENCRYPTED PRIVATE KEY", encrypted_der(rng))


def body_lines(der: bytes) -> tuple[str, ...]:
    """Base64 of some bytes, cut as PEM cuts it."""
    text = base64.b64encode(der).decode("ascii")
    return tuple(text[start : start + PEM_COLUMNS] for start in range(0, len(text), PEM_COLUMNS))


def pem(label: str, der: bytes) -> str:
    """A PEM file of some bytes."""
    return "\n".join((f"-----BEGIN {label}-----", *body_lines(der), f"-----END {label}-----", ""))


def camel_identifier(rng: Random) -> str:
    """An identifier of exactly 64 letters and one digit, as generated code has them."""
    while True:
        words = rng.choices(_WORDS, k=rng.randint(10, 14))
        words.insert(rng.randint(2, len(words)), str(rng.randint(2, 9)))
        name = "".join(words)
        if len(name) == LENGTH:
            return name


def base64_lines(rng: Random) -> tuple[str, ...]:
    """A block of base64 of 64 columns, with a short last line."""
    return body_lines(rng.randbytes(48 * rng.randint(6, 12) + 20))


def base64_bytes(rng: Random, length: int) -> str:
    """Base64 of so many random bytes: a signature has 64 (88 characters), a Kraken secret too."""
    return base64.b64encode(rng.randbytes(length)).decode("ascii")


def jwt(rng: Random) -> str:
    """A signed web token."""
    header = '{"alg":"HS256","typ":"JWT"}'
    claims = f'{{"sub":"{rng.randint(1, 10**9)}","iat":{rng.randint(16 * 10**8, 17 * 10**8)}}}'
    parts = (header.encode(), claims.encode(), rng.randbytes(32))
    return ".".join(base64.urlsafe_b64encode(part).decode("ascii").rstrip("=") for part in parts)


def alphabet(rng: Random) -> str:
    """The letters and digits themselves, shuffled: as many characters as a key, none of its repetitions."""
    return "".join(rng.sample(BASE62, len(BASE62))) + "Aa"


def base62(rng: Random, length: int) -> str:
    """So many random letters and digits."""
    return _pick(rng, BASE62, length)


def base58(rng: Random, length: int) -> str:
    """So many characters of the alphabet of addresses."""
    return _pick(rng, BASE58, length)


def hexadecimal(rng: Random, length: int) -> str:
    """So many lower-case hex digits."""
    return _pick(rng, HEX, length)


def uuid(rng: Random) -> str:
    """A random UUID in its usual form."""
    digits = _pick(rng, HEX, 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
