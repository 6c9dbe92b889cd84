"""Signatures of commits and tags: blocks of base64 that no author wrote, and that are not searched.

Only what has the form of a signature is left out: a kind with the bytes that its data begin with, lines of one length,
and base64 alone. Any other text between such markers may be a value, and is searched.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ASN1 = (b"MI",)
_BEGINNINGS: Mapping[bytes, tuple[bytes, ...]] = {
    b"-----BEGIN PGP SIGNATURE-----": (b"i", b"w"),
    b"-----BEGIN PGP MESSAGE-----": (b"h", b"j", b"k", b"o", b"w", b"x"),
    b"-----BEGIN SSH SIGNATURE-----": (b"U1NIU0lH",),
    b"-----BEGIN SIGNED MESSAGE-----": _ASN1,
    b"-----BEGIN CERTIFICATE-----": _ASN1,
    b"-----BEGIN PKCS7-----": _ASN1,
}
"""For each kind the base64 that its data begin with: of packets, a word, a sequence. `commits.c` has them, too."""
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_LONGEST_LINE, _LONGEST_HEADER = 76, 63
_BEGIN, _END = b"-----BEGIN ", b"-----END "
_HEADERS = (b"gpgsig", b"gpgsig-sha256")


def strip_signature(content: bytes) -> bytes:
    """Return a commit's or a tag's headers and message without a signature that ends its headers.

    For a quick look only. The compiled module does the same.
    """
    end = content.find(b"\n\n")
    at = content.find(b"\ngpgsig", 0, max(end, 0))  # what reads so in the message is the author's
    if at < 0:
        return content
    name, _, armour = content[at + 1 : end].partition(b" ")
    lines = armour.split(b"\n ")
    while lines and not lines[-1]:
        lines.pop()
    return content[:at] + content[end:] if name in _HEADERS and _is_signature(lines) else content


def without_signatures(message: bytes) -> bytes:
    """Return a raw commit or tag, or a message, with the base64 of its signatures blanked; lines keep their numbers."""
    if _BEGIN not in message:
        return message
    lines = message.split(b"\n")
    begun = -1
    for number, line in enumerate(lines):
        if _BEGIN in line:
            begun = number
        elif begun >= 0 and _END in line:
            first = lines[begun][lines[begun].find(_BEGIN) :]
            block = [first, *(inner.removeprefix(b" ") for inner in lines[begun + 1 : number + 1])]
            if _is_signature(block):
                lines[begun + 1 : number] = [inner if _is_header(inner) else b"" for inner in lines[begun + 1 : number]]
            begun = -1
    return b"\n".join(lines)


def _is_signature(lines: Sequence[bytes]) -> bool:
    """Whether some lines are a signature, from its first marker to its last."""
    begins = _BEGINNINGS.get(lines[0]) if lines else None
    if begins is None or lines[-1] != lines[0].replace(_BEGIN, _END):
        return False
    body = [line for line in lines[1:-1] if line and not _is_header(line)]
    if b"".join(body).translate(None, _BASE64):
        return False
    if body and len(body[-1]) == 5 and body[-1].startswith(b"="):
        body.pop()  # the checksum
    if not body or not body[0].startswith(begins):
        return False
    length = len(body[0])
    return length <= _LONGEST_LINE and {len(line) for line in body[:-1]} <= {length} and len(body[-1]) <= length


def _is_header(line: bytes) -> bool:
    """Whether a line is one such as `Version: GnuPG v2`, too short for a value."""
    return b": " in line and len(line) <= _LONGEST_HEADER
