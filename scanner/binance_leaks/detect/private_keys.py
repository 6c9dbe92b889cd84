"""Ed25519 and RSA private keys, the secret half of a pair: PEM or bare base64."""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum
from itertools import chain

from binance_leaks.detect import prefilter, rules
from binance_leaks.detect.document import PRINTABLE, Document, is_binary
from binance_leaks.detect.work import LOOK, VALUE
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern

_BEGIN = lazy_pattern(r"-----BEGIN (RSA |ENCRYPTED |)PRIVATE KEY-----")
_END = lazy_pattern(r"-----END (?:RSA |ENCRYPTED |)PRIVATE KEY-----")
_ESCAPED = lazy_pattern(r"(?<!\\)\\+(?:[nrt]|u000[aAdD])|%0[aAdD]|&#1[03];|<br\s*/?>")
_HEADERS = lazy_pattern(r"(?:Proc-Type|DEK-Info):[^\n\\]*")
_WITHOUT_END = lazy_pattern(r"-----|\n[^\S\n]*\n|[;}]")
_DIFF_SIGN = lazy_pattern(r"\n[+-]")
_LITERAL_JOINT = lazy_pattern(r"""["'`]\s*(?:[+.&\\]\s*)?(?:_\s*)?["'`]""")
_ENCODED_BEGIN = "LS0tLS1CRUdJTi"
_ENCODED_PEM = lazy_pattern(rf"(?<![A-Za-z0-9+/]){_ENCODED_BEGIN}[A-Za-z0-9+/\s]{{80,8000}}={{0,2}}")
_NOT_BASE64 = lazy_pattern(r"[^A-Za-z0-9+/=]")
_LONGEST = 12_000
_SHORTEST = 40
_LONGEST_LEAD = 200
_MAY_BEGIN = lazy_pattern(b"|".join(map(re.escape, (b"PRIVATE KEY-----", *prefilter.PACKED_KEYS))))
_BARE = lazy_pattern(
    r"(?<![A-Za-z0-9+/_-])(?:MC4CAQAwBQYDK2VwBCIEI[A-Za-z0-9+/]{43}"
    r"|MII[A-Za-z0-9+/]{2,4}(?:IBADANBgkqhkiG9w0BAQEFAASC|IBAAKCAQEA|IBAAKCAgEA)[A-Za-z0-9+/\s]{800,3400}={0,2})(?![A-Za-z0-9+/=_-])"
)
_BARE_PARTS = ("MC4CAQAwBQYDK2VwBCIEI", "IBADANBgkqhkiG9w0BAQEFAASC", "IBAAKCAQEA", "IBAAKCAgEA")
# By its last character, for which a search is fast.
_SEED = lazy_pattern(r"=(?<=[A-Za-z0-9+/]{43}=)(?<![A-Za-z0-9+/_-][A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=_-])")
_SEED_LENGTH = 44
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
_RSA_OID = bytes.fromhex("06092a864886f70d010101")
_ENCRYPTED_OID = bytes.fromhex("06092a864886f70d01050d")


class KeyType(Enum):
    """The types of private key that Binance takes."""

    ED25519 = "Ed25519"
    RSA = "RSA"
    ENCRYPTED = "encrypted"


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivateKey:
    """A private key at `text[start:end]` of its document, as DER; a bare seed has its PKCS#8 form."""

    start: int
    end: int
    der: bytes
    type: KeyType
    rule: str


def private_keys(document: Document) -> Iterator[PrivateKey]:
    """Yield every private key of a type that Binance takes, in order of kind and place."""
    packed = next(prefilter.private_key_starts(document.flat, document.classes), None) is not None
    for key in chain(packed_keys(document) if packed else (), _seeds(document)):
        if not document.work.spend(VALUE):
            return
        yield key


def packed_keys(document: Document) -> Iterator[PrivateKey]:
    """Yield those in PEM, or in base64 without PEM lines around it."""
    taken: list[int] = []
    begins = list(_BEGIN.finditer(document.text))
    for index, begin in enumerate(begins):
        if not document.work.spend(LOOK):
            return
        after = begins[index + 1].start() if index + 1 < len(begins) else len(document.text)
        key = _pem(document.text, begin, after)
        if key is not None:
            taken += [key.start, key.end]
            yield key
    bare = _BARE.finditer(document.text) if any(part in document.text for part in _BARE_PARTS) else ()
    for match in bare:
        if not document.work.spend(LOOK):
            return
        if bisect_right(taken, match.start()) % 2:
            continue
        der = _decode(match.group())
        kind = _type_of(der)
        if kind is not None:
            yield PrivateKey(start=match.start(), end=match.end(), der=der, type=kind, rule=rules.PRIVATE_KEY_BASE64)
    for match in _ENCODED_PEM.finditer(document.text) if _ENCODED_BEGIN in document.text else ():
        if not document.work.spend(LOOK):
            return
        text = _decode(match.group()).decode("latin-1")
        inner = _BEGIN.search(text)
        decoded = _pem(text, inner, len(text)) if inner else None
        if decoded is not None:
            yield replace(decoded, start=match.start(), end=match.end())


def holds_packed_key(data: bytes) -> bool:
    """Whether one is in some bytes; only what is around its possible beginnings is read, and that once."""
    spans: list[tuple[int, int]] = []
    for match in _MAY_BEGIN.finditer(data):
        start, end = max(0, match.start() - _LONGEST_LEAD), match.start() + _LONGEST
        first = spans.pop()[0] if spans and start <= spans[-1][1] else start
        spans.append((first, end))
    text = data.translate(PRINTABLE) if spans and is_binary(data) else data
    parts = (Document(text=text[start:end].decode("latin-1")) for start, end in spans)
    return any(next(packed_keys(part), None) is not None for part in parts)


def _seeds(document: Document) -> Iterator[PrivateKey]:
    if not prefilter.may_hold_seed(document.flat):
        return
    for match in _SEED.finditer(document.text):
        if not document.work.spend(LOOK):
            return
        start = match.end() - _SEED_LENGTH
        der = _decode(document.text[start : match.end()])
        if len(der) == 32 and len(set(der)) > 16:
            # The PKCS#8 form, so that a seed and the same key in PEM are one credential.
            der = _ED25519 + der
            yield PrivateKey(start=start, end=match.end(), der=der, type=KeyType.ED25519, rule=rules.ED25519_SEED)


def _pem(text: str, begin: re.Match[str], after: int) -> PrivateKey | None:
    """Return the key that begins at a line of PEM; the next such line is at offset `after`."""
    longest = min(begin.end() + _LONGEST, after)
    end = _END.search(text, begin.end(), longest)
    body = text[begin.end() : end.start() if end else longest]
    if not end:
        body = _WITHOUT_END.split(body, maxsplit=1)[0]
    if len(body) < _SHORTEST:
        return None
    if text[max(0, begin.start() - 1) : begin.start()] in ("+", "-"):
        body = _DIFF_SIGN.sub("\n", body)
    body = _LITERAL_JOINT.sub("", body)
    encrypted = begin.group(1) == "ENCRYPTED " or "Proc-Type" in body or "DEK-Info" in body
    packed = _NOT_BASE64.sub("", _HEADERS.sub("", _ESCAPED.sub("", body)))
    der = _decode(packed)
    kind = KeyType.ENCRYPTED if encrypted and len(der) >= 32 else _type_of(der)
    if kind is None:
        return None
    return PrivateKey(
        start=begin.start(),
        end=end.end() if end else begin.end() + len(body),
        der=der,
        type=kind,
        rule=rules.PRIVATE_KEY_PEM,
    )


def _decode(packed: str) -> bytes:
    packed = "".join(packed.split()).rstrip("=")
    try:
        return binascii.a2b_base64(packed + "=" * (-len(packed) % 4))
    except binascii.Error:
        return b""


def _type_of(der: bytes) -> KeyType | None:
    """Return the type by the outermost structure of the DER; a key cut short by up to a tenth still counts."""
    if der.startswith(_ED25519) and len(der) >= 46:
        return KeyType.ED25519
    if der[:1] != b"\x30" or der[1:2] != b"\x82" or len(der) < 600:
        return None
    length = int.from_bytes(der[2:4], "big") + 4
    if not 0.9 * length <= len(der) <= length + 4:
        return None
    if _ENCRYPTED_OID in der[:40]:
        return KeyType.ENCRYPTED
    if _RSA_OID in der[:30] or der[4:8] == b"\x02\x01\x00\x02":
        return KeyType.RSA
    return None
