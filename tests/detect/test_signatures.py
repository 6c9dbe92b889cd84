"""Signatures in commits, tags and messages: their base64 is blanked, and nothing that is not of their form."""

from __future__ import annotations

from base64 import b64encode
from random import Random

import pytest
from binance_leaks.detect.signatures import strip_signature, without_signatures

_DATA = {
    "PGP SIGNATURE": b"\x89\x02\x33",
    "PGP MESSAGE": b"\xa3\x01",
    "SSH SIGNATURE": b"SSHSIG\0\0",
    "SIGNED MESSAGE": b"\x30\x82\x01",
    "CERTIFICATE": b"\x30\x82",
    "PKCS7": b"\x30\x80\x06",
}
_BEGIN, _END = "-----BEGIN {0}-----", "-----END {0}-----"
_VALUE = "Ab3" * 21 + "d"
_NAMED = f"BINANCE_API_SECRET={_VALUE}"


def _body(kind: str, width: int = 64) -> list[str]:
    text = b64encode(_DATA[kind] + Random(1).randbytes(150)).decode()
    return [text[at : at + width] for at in range(0, len(text), width)]


def _block(kind: str, *lines: str) -> str:
    return "\n".join([_BEGIN.format(kind), *lines, _END.format(kind)])


def _commit(signature: str, *, name: str = "gpgsig", behind: str = "") -> bytes:
    indented = signature.replace("\n", "\n ")
    return f"tree 1\nauthor a\ncommitter a\n{name} {indented}\n{behind}\nThe message\n".encode()


def _forms(kind: str) -> list[list[str]]:
    body = _body(kind)
    return [
        body,
        ["", *body, "=aB3d"],
        ["Version: GnuPG v2", "Comment: x", "", *body],
        _body(kind, 76),
        _body(kind, 70),
    ]


@pytest.mark.parametrize("kind", _DATA)
def test_the_base64_of_a_signature_is_blanked_and_lines_stay(kind: str) -> None:
    for lines in _forms(kind):
        blank = _block(kind, *(line if ":" in line else "" for line in lines))
        signed, expected = (f"before\n{block}\nbetween\n{block}\nafter\n" for block in (_block(kind, *lines), blank))
        assert without_signatures(signed.encode()) == expected.encode()
        kept = without_signatures(_commit(_block(kind, *lines)))
        assert not any(line in kept for line in (line.encode() for line in lines if line and ":" not in line))
        assert kept.endswith(b"\nThe message\n")


@pytest.mark.parametrize("kind", _DATA)
@pytest.mark.parametrize("name", ["gpgsig", "gpgsig-sha256"])
def test_a_quick_look_has_no_signature(kind: str, name: str) -> None:
    for lines in _forms(kind):
        for end in ("", "\n"):
            commit = _commit(_block(kind, *lines) + end, name=name)
            assert strip_signature(commit) == b"tree 1\nauthor a\ncommitter a\n\nThe message\n"


_BODY = _body("PGP SIGNATURE")


@pytest.mark.parametrize(
    "signature",
    [
        _block("PGP SIGNATURE", _NAMED),
        _block("PGP SIGNATURE", *_BODY, _NAMED),
        _block("PGP SIGNATURE", _NAMED, *_BODY),
        _block("PGP SIGNATURE", _VALUE),
        _block("SSH SIGNATURE", "binanceApiSecret", _VALUE),
        _block("PGP SIGNATURE", "iQbinanceSecret", _VALUE),
        _block("PGP SIGNATURE", "i" * 40, _VALUE, "i" * 40),
        _block("PGP SIGNATURE", f"Comment: {_NAMED}", "", *_BODY),
        _block(f"PGP {_VALUE}", *_BODY),
        _block("RSA PRIVATE KEY", "MI" + "a" * 62, _VALUE),
        _block("PGP SIGNATURE", *_BODY) + _VALUE,
        _block("PGP SIGNATURE", *_BODY[:-1], _VALUE + "AAAAAAAAAAAAA"),
        "\n".join([_BEGIN.format("PGP SIGNATURE"), *_BODY, _END.format("SSH SIGNATURE"), _VALUE]),
        "\n".join([_BEGIN.format("PGP SIGNATURE"), _VALUE]),
        _VALUE,
        f"x\n{_NAMED}",
    ],
)
def test_what_is_no_signature_is_searched(signature: str) -> None:
    for text in (signature.encode(), _commit(signature)):
        assert _VALUE.encode() in without_signatures(text)
        assert _VALUE.encode() in strip_signature(text)


@pytest.mark.parametrize("behind", [f"binance_secret {_VALUE}\n", f"encoding x\n {_VALUE}\n"])
def test_headers_behind_a_signature_are_searched(behind: str) -> None:
    commit = _commit(_block("PGP SIGNATURE", *_BODY), behind=behind)
    assert _VALUE.encode() in without_signatures(commit)
    assert _VALUE.encode() in strip_signature(commit)
