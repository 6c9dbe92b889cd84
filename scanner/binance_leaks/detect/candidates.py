"""Candidates: strings of 64 characters that look as random as a credential."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from math import log2
from typing import NamedTuple

from binance_leaks.detect import rules
from binance_leaks.detect.document import Document
from binance_leaks.detect.work import DIGEST, LOOK, VALUE
from binance_leaks.lazy_patterns import lazy_pattern

LENGTH = 64
_JOINED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")
# Shannon entropy in bits a character: 60,000 random keys lie from 4.66 to 5.54, hand-made alphabets above.
_ENTROPY = (4.6, 5.6)
# Lower-case letters after a lower-case letter: 11 ± 4 in a random value, 30 at most in 60,000; 45 in CamelCase.
_MOST_LOWER_PAIRS = 36
_LOWER_PAIR = lazy_pattern(r"(?=[a-z][a-z])")
_GLUED_LEFT = lazy_pattern(
    r"(?:\\(?:[nrtbfvae0]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|0?33\[[0-9;]*m)"
    r"|%(?:25)*[0-9A-Fa-f]{2}"
    r"|=(?:3[Dd]|0[AaDd9]|2[027C])"
    r"|\x1b\[[0-9;]*m)$"
)
_LONGEST_GLUE = 14
# A length of 64, "@", as a byte or as four; what follows a value in .pyc, pickle and protobuf may be a letter.
_LENGTH_LEFT = lazy_pattern(r"@(?:\n{3})?$")


class Shape(Enum):
    """The alphabet of a value."""

    BASE62 = "base62"
    HEX = "hex"
    BASE36 = "base36"


class Candidate(NamedTuple):
    """A string with the shape of a value, at `text[start:end]` of its document; `value` is what it decodes to."""

    start: int
    end: int
    value: bytes
    shape: Shape | None
    rule: str


def find_candidates(document: Document) -> tuple[list[Candidate], list[tuple[int, int]]]:
    """Return every plain value of the document, and the runs of alphanumerics that may hold others, in order."""
    found: list[Candidate] = []
    others: list[tuple[int, int]] = []
    work = document.work
    for start, end in document.runs:
        if end - start < LENGTH:
            continue
        if not work.spend(LOOK):
            break
        at = value_in_run(document.text, start, end, binary=document.binary)
        if at is None:
            others.append((start, end))
            continue
        value = document.text[at : at + LENGTH]
        shape = shape_of(value)
        if shape is not None and work.spend(VALUE if shape is Shape.BASE62 else DIGEST):
            found.append(Candidate(at, at + LENGTH, value.encode(), shape, RULES[shape]))
    return found, others


def value_in_run(text: str, start: int, end: int, *, binary: bool) -> int | None:
    """Return where in a maximal run of alphanumerics a value begins that is part of nothing longer, else None.

    Reads at most 60 characters before the run and 12 after it.
    """
    at = _bounds(text, start, end, binary=binary)
    return at if at is not None and _stands_alone(text, at, binary=binary) else None


RULES = {Shape.BASE62: rules.HMAC, Shape.HEX: rules.FUTURES_TESTNET, Shape.BASE36: rules.PAY}
"""The rule for plain values of each shape."""


def shape_of(value: str) -> Shape | None:
    """Return the shape of 64 alphanumerics, None if they do not look random enough for a credential."""
    if value.isalpha() or value == value.upper():
        return None
    if value == value.lower():
        if not value.strip("0123456789abcdef"):
            return Shape.HEX if len(set(value)) >= 10 else None
        return Shape.BASE36 if entropy(value) >= 4.2 else None
    if not _ENTROPY[0] <= entropy(value) <= _ENTROPY[1]:
        return None
    lower = len(value) - len(value.encode().translate(None, _LOWER))
    if lower > _MOST_LOWER_PAIRS and len(_LOWER_PAIR.findall(value)) > _MOST_LOWER_PAIRS:
        return None
    return Shape.BASE62


def entropy(value: str) -> float:
    """Return the Shannon entropy of 64 characters, in bits a character."""
    return log2(LENGTH) - sum(map(_BITS.__getitem__, Counter(value).values())) / LENGTH


_BITS = tuple(count * log2(count) if count else 0.0 for count in range(LENGTH + 1))
_LOWER = b"abcdefghijklmnopqrstuvwxyz"


def _bounds(text: str, start: int, end: int, *, binary: bool) -> int | None:
    """Return where in a run the value begins; an escape before it may have glued a letter or a hex pair to it."""
    surplus = end - start - LENGTH
    if surplus == 0:
        return start
    if binary and _LENGTH_LEFT.search(text[max(0, start - 4) : start]):
        return start
    if surplus > _LONGEST_GLUE:
        return None
    lead = text[max(0, start - 8) : start + surplus]
    return start + surplus if _GLUED_LEFT.search(lead) else None


def _stands_alone(text: str, at: int, *, binary: bool) -> bool:
    """Whether no neighbour makes the value part of something longer, such as base64 or an identifier."""
    left, right = text[at - 1 : at] if at else "", text[at + LENGTH : at + LENGTH + 1]
    if is_in_encoded_base64(text, at, at + LENGTH):
        return False
    if right and right in _JOINED and not binary:
        tail = text[at + LENGTH : at + LENGTH + 12]
        return left == "=" and bool(_END_OF_SUBSTITUTION.match(tail))
    if binary:
        return left != "_"  # symbols of compiled C++ begin with _Z
    if left.isalnum():
        return True  # the letter of an escape, which _bounds has recognised
    return begins_freely(text, at)


def begins_freely(text: str, at: int) -> bool:
    """Whether no sign before a run makes it part of something longer."""
    left = text[at - 1 : at] if at else ""
    if left not in _JOINED or left == "=" or not left:
        return True
    lead = text[max(0, at - 60) : at].rpartition("\n")[2]
    return bool(_JOINED_YET_ALONE.search(lead))


def is_in_encoded_base64(text: str, start: int, end: int) -> bool:
    """Whether an escaped sign of base64 is before a run or behind it."""
    left, right = text[start - 1 : start], text[end : end + 1]
    if (left == ";" or left.isalnum()) and _ENCODED_BASE64_LEFT.search(text[max(0, start - 9) : start]):
        return True
    return right in ("%", "\\", "&") and _ENCODED_BASE64_RIGHT.match(text, end) is not None


_END_OF_SUBSTITUTION = lazy_pattern(r"/[gIimp]{0,3}(?:[;\"'\s|]|$)")  # sed "s/KEY=.*/KEY=…/g"
_ENCODED_BASE64_LEFT = lazy_pattern(r"(?:%(?:25){0,3}2[BbFf]|\\u002[bBfF]|\\x2[bBfF]|&#4[37];|&#x2[bBfF];)$")
_ENCODED_BASE64_RIGHT = lazy_pattern(
    r"%(?:25){0,3}(?:2[BbFf]|3[Dd])|\\{1,4}(?:/|u002[bBfF]|x2[bBfF]|u003[dD])|&#4[37];|&#x2[bBfF];|&#61;|&#x3[dD];"
)
# The sign of a diff at the start of a line, the default of a shell parameter, a comment with no space, a URL's user.
_JOINED_YET_ALONE = lazy_pattern(r"(?:^[+-]|\$\{\w+:?-|(?:^|[\s:])//)$")
