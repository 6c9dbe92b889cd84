"""Base64 of a value, as in the `data:` of a Kubernetes secret, and base64 of a whole text that holds values."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from binance_leaks.detect import rules
from binance_leaks.detect.candidates import LENGTH, Candidate, shape_of
from binance_leaks.detect.document import Document

_TOKEN = re.compile(
    r"[A-Za-z0-9+/]{60,}(?:\s{1,40}[A-Za-z0-9+/]{60,76})*(?:\s{1,40}[A-Za-z0-9+/]{1,76})?={0,2}(?![A-Za-z0-9+/=_-])"
)
_PART = re.compile(r"[A-Za-z0-9+/]{86,}={0,2}(?![A-Za-z0-9+/=_-])")
_RUN = b"a" * 60
_PROBE = 64
_TEXT = bytes(sorted(set(range(0x20, 0x7F)) | {9, 10, 13}))
_LARGEST_TEXT = 1 << 20


def encoded_values(document: Document) -> Iterator[Candidate]:
    """Every value that stands in base64, with or without a line feed at its end."""
    for match in _tokens(document):
        decoded = _decode(match.group())
        if decoded is None:
            continue
        value = decoded.strip()
        if len(value) != LENGTH or not value.isalnum() or not value.isascii():
            continue
        shape = shape_of(value.decode())
        if shape is not None:
            yield Candidate(start=match.start(), end=match.end(), value=value, shape=shape, rule=rules.BASE64)


def encoded_texts(document: Document) -> Iterator[tuple[int, int, bytes]]:
    """Base64 of printable text longer than a value: where it begins and ends, and what it decodes to."""
    for match in _tokens(document):
        decoded = _decode(match.group())
        if decoded is not None and len(decoded.strip()) > LENGTH and b"PRIVATE KEY-----" not in decoded:
            yield match.start(), match.end(), decoded


def _tokens(document: Document) -> Iterator[re.Match[str]]:
    """Base64 that holds a run of 60 alphanumerics, as that of any value does, on one line or folded over several."""
    classes, text = document.classes, document.text
    at = classes.find(_RUN)
    while at >= 0:
        start = at
        while start > 0 and at - start < _LARGEST_TEXT and (classes[start - 1] == _ALNUM or text[start - 1] in "+/"):
            start -= 1
        whole = _PART.match(text, start) or _TOKEN.match(text, start)
        if whole and text[start - 1 : start] not in _JOINED and len(whole.group()) > 85:
            yield whole
        at = classes.find(_RUN, max(whole.end() if whole else 0, at + len(_RUN)))


_ALNUM = ord("a")
_JOINED = ("_", "-")


def _decode(token: str) -> bytes | None:
    """The printable text that a base64 token stands for, None if it stands for anything else."""
    packed = "".join(token.split())
    if len(packed) > _LARGEST_TEXT or _decoded(packed[:_PROBE]) is None:
        return None
    return _decoded(packed + "=" * (-len(packed) % 4))


def _decoded(packed: str) -> bytes | None:
    try:
        decoded = binascii.a2b_base64(packed)
    except binascii.Error:
        return None
    return None if decoded.translate(None, _TEXT) else decoded
