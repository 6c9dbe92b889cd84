"""Ed25519 and RSA private keys, the secret half of a pair: PEM or bare base64."""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import chain

from binance_leaks.detect import prefilter, rules
from binance_leaks.detect.base64_blocks import SHORTEST_LINE
from binance_leaks.detect.document import PRINTABLE, Document, is_binary
from binance_leaks.detect.work import LOOK, VALUE
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern

_BEGIN = lazy_pattern(r"-----BEGIN (RSA |ENCRYPTED |)PRIVATE KEY-----")
_END = lazy_pattern(r"-----END (?:RSA |ENCRYPTED |)PRIVATE KEY-----")
_ESCAPED = lazy_pattern(r"(?<!\\)\\+(?:[nrt]|u000[aAdD])|%0[aAdD]|&#1[03];|<br\s*/?>")
_HEADERS = lazy_pattern(r"Proc-Type: ?4, ?ENCRYPTED|DEK-Info: ?[A-Z0-9-]{1,20}, ?[0-9A-Fa-f]{8,32}")
_WITHOUT_END = lazy_pattern(r"-----|\n[^\S\n]*\n|[;}]")
_DIFF_SIGN = lazy_pattern(r"\n[+-]")
_LITERAL_JOINT = lazy_pattern(r"""["'`]\s*(?:[+.&\\]\s*)?(?:_\s*)?["'`]""")
_ENCODED_BEGIN = "LS0tLS1CRUdJTi"
_ENCODED_PEM = lazy_pattern(rf"(?<![A-Za-z0-9+/]){_ENCODED_BEGIN}[A-Za-z0-9+/\s]{{80,8000}}={{0,2}}")
_BASE64 = lazy_pattern(r"([A-Za-z0-9+/]+)=*")
_LETTER = lazy_pattern(r"[A-Za-z0-9+/]")
_LONGEST = 12_000
_MOST_BEHIND = 6
"""Letters of base64 that may follow the last of a key."""
_SHORTEST_RSA = 600
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
_ENCRYPTED_OIDS = (bytes.fromhex("06092a864886f70d0105"), bytes.fromhex("060a2a864886f70d010c01"))
"""How the identifiers begin of encryption by PKCS #5 and PKCS #12."""


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
        key = _read(match.group(), match.start(), rules.PRIVATE_KEY_BASE64)
        if key is not None:
            yield key
    for match in _ENCODED_PEM.finditer(document.text) if _ENCODED_BEGIN in document.text else ():
        if not document.work.spend(LOOK):
            return
        text = _decode(match.group()).decode("latin-1")
        inner = _BEGIN.search(text)
        decoded = _pem(text, inner, len(text)) if inner else None
        if decoded is not None:
            rest = _length_behind(match.group(), (decoded.end * 4 + 2) // 3) if text[decoded.end :].strip() else 0
            yield replace(decoded, start=match.start(), end=match.end() - rest)


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
    if text[max(0, begin.start() - 1) : begin.start()] in ("+", "-"):
        body = _DIFF_SIGN.sub("\n ", body)
    headers = _HEADERS.search(body, 0, _LONGEST_LEAD)
    for pattern in (_LITERAL_JOINT, _HEADERS, _ESCAPED):
        body = pattern.sub(_blanked, body)
    key = _read(body, begin.end(), rules.PRIVATE_KEY_PEM, encrypted=headers is not None)
    if key is None and (key := _read_letters(body, begin.end(), rules.PRIVATE_KEY_PEM)) is None:
        return None
    is_last = end is not None and _BASE64.search(body, key.end - begin.end()) is None
    return replace(key, start=begin.start(), end=end.end() if end and is_last else key.end)


def _blanked(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _read(body: str, offset: int, rule: str, *, encrypted: bool = False) -> PrivateKey | None:
    """Return the key with which a body begins that is at an offset; it ends where its DER does, or its lines do.

    `encrypted` says that headers state so: such a key has no structure.
    """
    lines = list(_BASE64.finditer(body))
    if not lines:
        return None
    length = _stated_length(_decode(lines[0].group(1)[:8]))
    der, end = _decode_lines(lines, (length * 4 + 2) // 3)
    kind = _type_of(der, length)
    if kind is None and encrypted:
        der, end = _decode_lines(lines, len(body))
        kind = KeyType.ENCRYPTED if len(der) >= _SHORTEST_RSA else None
    if kind is None:
        return None
    return PrivateKey(start=offset, end=offset + end, der=der, type=kind, rule=rule)


def _read_letters(body: str, offset: int, rule: str) -> PrivateKey | None:
    """Return the key in the letters of base64 of a body, with anything between them; only its structure proves it."""
    letters = list(_LETTER.finditer(body))
    packed = "".join(letter.group() for letter in letters)
    length = _stated_length(_decode(packed[:8]))
    most = min((length * 4 + 2) // 3, len(letters))
    der = _decode(packed[:most])
    kind = _type_of(der, length)
    if kind is None or kind is KeyType.ENCRYPTED:
        return None
    return PrivateKey(start=offset, end=offset + letters[most - 1].end(), der=der, type=kind, rule=rule)


def _decode_lines(lines: Sequence[re.Match[str]], most: int) -> tuple[bytes, int]:
    """Decode at most so many letters of base64 and return where they end; a short line ends them."""
    parts: list[str] = []
    end, left = 0, most
    for index, line in enumerate(lines):
        letters = line.group(1)
        is_short = len(letters) < min(SHORTEST_LINE, left) and index + 1 < len(lines)
        if left <= 0 or is_short or (index and len(letters) > left + _MOST_BEHIND):
            break
        parts.append(letters[:left])
        end = line.end() if len(letters) <= left else line.start() + left
        left -= len(letters)
    return _decode("".join(parts)), end


def _length_behind(text: str, count: int) -> int:
    """Return how long the part of a text is that is behind so many letters of base64."""
    for line in _BASE64.finditer(text):
        count -= len(line.group(1))
        if count <= 0:
            return len(text) - line.end(1) - count
    return 0


def _decode(packed: str) -> bytes:
    packed = "".join(packed.split()).rstrip("=")
    packed = packed[:-1] if len(packed) % 4 == 1 else packed  # a letter by itself is no byte
    try:
        return binascii.a2b_base64(packed + "=" * (-len(packed) % 4))
    except binascii.Error:
        return b""


def _stated_length(der: bytes) -> int:
    """Return how long the outermost structure of some DER is, by its first bytes; 0 if it is none of a key."""
    if der[:1] != b"\x30" or len(der) < 4:
        return 0
    if der[1] < 0x80:
        return der[1] + 2
    return {0x81: der[2] + 3, 0x82: int.from_bytes(der[2:4], "big") + 4}.get(der[1], 0)


def _type_of(der: bytes, length: int) -> KeyType | None:
    """Return the type by what is in its outermost structure; a key cut short by up to a tenth still counts."""
    if der.startswith(_ED25519) and len(der) >= 46:
        return KeyType.ED25519
    if not length or len(der) < 0.9 * length:
        return None
    if any(oid in der[:20] for oid in _ENCRYPTED_OIDS):
        return KeyType.ENCRYPTED
    if der[1] != 0x82 or len(der) < _SHORTEST_RSA:
        return None
    if _RSA_OID in der[:30] or der[4:8] == b"\x02\x01\x00\x02":
        return KeyType.RSA
    return None
