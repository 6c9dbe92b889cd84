"""What looks like values and is not: lines of base64, signatures of commits and tags."""

from __future__ import annotations

import re

from binance_leaks.detect.candidates import Candidate
from binance_leaks.detect.document import Document

_LINE = re.compile(r"^[\s\"'`#*/>+,\\-]*?([A-Za-z0-9+/]{64})(?:\\[nr])*[\s\"'`,;+\\.)]*$")
_PLAIN = re.compile(r"^\s*[A-Za-z0-9+/]{64}\s*$")
_MANY = 3
_LONGEST_LINE = 400
_PEM_REACH = 4000
_BODY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{1,60}-----"
    r"(?:(?:\s|\\[nr]|[\"'`])+(?:Proc-Type|DEK-Info|Version|Comment|Hash): ?[^\n\\\"']{0,80})*"
    r"(?:[A-Za-z0-9+/=\s,;\"'`.()]|\\[nrt\"'\n\r]|\\$)*"
)
_SIGNATURE = re.compile(
    rb"-----BEGIN (?:PGP|SSH|CERTIFICATE|PKCS7|SIGNED)[^\n]*-----\n.*?-----END [^\n]*-----", re.DOTALL
)
_SIGNED_HEADER = re.compile(rb"^(?:gpgsig|gpgsig-sha256|mergetag) [^\n]*\n(?: [^\n]*\n)*", re.MULTILINE)


def in_base64_block(document: Document, candidate: Candidate) -> bool:
    """Whether the value is one of three or more neighbouring 64-column lines of base64, or has `-----BEGIN` above.

    Lines in quotes or behind a list dash are values as often as base64, so there a `+` or `/` must tell.
    """
    index = document.line_index(candidate.start)
    if _in_one_line_pem(document.text[max(0, candidate.start - _PEM_REACH) : candidate.start]):
        return True
    start, end = document.line_span(index)
    if end - start > _LONGEST_LINE or not _LINE.match(document.text[start:end]):
        return False
    first = last = index
    while _LINE.match(document.line(first - 1)) and index - first < 64:
        first -= 1
    while _LINE.match(document.line(last + 1)) and last - index < 64:
        last += 1
    lines = [document.line(at) for at in range(first, last + 1)]
    if "-----BEGIN" in document.line(first - 1):
        return True
    if any("+" in line.strip("+ ") or "/" in line.strip("/ ") for line in map(_payload, lines)):
        return len(lines) >= 2
    if len(lines) >= _MANY:
        return all(_PLAIN.match(line) for line in lines) or len(lines) >= 12
    return False


def _in_one_line_pem(lead: str) -> bool:
    """Whether a PEM block has begun above and all since then is its body, as in a string with escaped line ends."""
    begun = lead.rfind("-----BEGIN ")
    return begun >= 0 and _BODY.fullmatch(lead, begun) is not None


def _payload(line: str) -> str:
    match = _LINE.match(line)
    return match.group(1) if match else ""


def without_signatures(message: bytes, *, headers: int = 0) -> bytes:
    """A raw commit or tag object, or a message, with its signatures blanked line by line; lines stay.

    The first `headers` bytes are those of an object: what reads like a signed header below them is the author's text.
    """
    return _SIGNATURE.sub(_blanked, _SIGNED_HEADER.sub(_blanked, message[:headers]) + message[headers:])


def _blanked(match: re.Match[bytes]) -> bytes:
    return b"\n" * match.group().count(b"\n")
