"""Signatures in commits, tags and messages: blanked, while all that is around them stays where it is."""

from __future__ import annotations

import pytest
from binance_leaks.detect.base64_blocks import without_signatures

_BEGIN, _END = "-----BEGIN {0}-----", "-----END {0}-----"


def _signature(kind: str) -> str:
    return f"{_BEGIN}\n\nabc\ndef\n{_END}".format(kind)


@pytest.mark.parametrize("kind", ["PGP SIGNATURE", "SSH SIGNATURE", "SIGNED MESSAGE", "CERTIFICATE", "PKCS7"])
def test_a_signature_is_blanked_and_lines_stay(kind: str) -> None:
    signature = _signature(kind)
    text = f"before\n{signature}\nbetween\n{signature}\nafter\n"
    blank = "\n" * signature.count("\n")
    assert without_signatures(text.encode()) == f"before\n{blank}\nbetween\n{blank}\nafter\n".encode()


@pytest.mark.parametrize(
    "text", ["nothing", "", _BEGIN.format("PGP SIGNATURE") + "\nabc\n", _signature("RSA PRIVATE KEY")]
)
def test_what_is_no_whole_signature_stays(text: str) -> None:
    assert without_signatures(text.encode()) == text.encode()


def test_only_headers_are_read_as_signed_headers() -> None:
    header = "gpgsig abc\n def\n ghi\n"
    commit = f"tree 1\n{header}author a\n\n"
    assert without_signatures(f"{commit}{header}".encode(), headers=len(commit)) == (
        f"tree 1\n\n\n\nauthor a\n\n{header}".encode()
    )
