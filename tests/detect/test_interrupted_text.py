"""Values that mark-up or invisible characters interrupt, and where they are then located."""

from __future__ import annotations

import codecs
from random import Random

import pytest
from binance_leaks.detect import first_test
from binance_leaks.detect.engine import detect
from binance_leaks.detect.interrupted_text import uninterrupted
from binance_leaks.detect.sieve import NO_TRAITS, PlainSieve, best_sieve
from binance_leaks.model import Confidence, Kind

from tests.corpus import values

_BREAKS = (
    "<wbr>", "<wbr/>", "&shy;", "&#8203;", "&#x200B;",
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u00ad\u200b",
)  # fmt: skip
_HTML = "<!doctype html>\n<title>Binance</title>\n<p>ä</p>\n<p>API key: {key}</p>\n<p>Secret key: {secret}</p>\n"
_WORD = (
    '<?xml version="1.0"?>\n<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body><w:p><w:r><w:t>Binance</w:t></w:r></w:p>{paragraphs}</w:body></w:document>"
)
_RUN = (
    '<w:proofErr w:type="spellEnd"/><w:r w:rsidRPr="0A"><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{}</w:t></w:r>'
)


def _cut(value: str, length: int) -> list[str]:
    return [value[at : at + length] for at in range(0, len(value), length)]


def _pair(seed: str) -> tuple[str, str]:
    rng = Random(seed)
    return values.hmac_value(rng), values.hmac_value(rng)


def _assert_found(data: bytes, lines: set[int] | None = None) -> None:
    (found,) = detect(data, path="notes")
    assert found.kind is Kind.KEY_PAIR
    assert found.confidence is Confidence.HIGH
    assert lines is None or {occurrence.location.line for occurrence in found.occurrences} == lines
    assert first_test.may_hold(data)
    plain = PlainSieve()
    assert plain.suspects(data, plain.traits(data, data, NO_TRAITS))


@pytest.mark.parametrize("length", [1, 8, 32, 63])
@pytest.mark.parametrize("sign", _BREAKS, ids=ascii)
def test_soft_breaks_in_html(sign: str, length: int) -> None:
    key, secret = (sign.join(_cut(value, length)) for value in _pair(sign))
    _assert_found(_HTML.format(key=key, secret=secret).encode(), {4, 5})


@pytest.mark.parametrize("sign", [sign for sign in _BREAKS if not sign.isascii()], ids=ascii)
def test_invisible_characters_in_text(sign: str) -> None:
    key, secret = (sign.join(_cut(value, 20)) for value in _pair(sign))
    text = f"Binance\n\nAPI key: {key}\nSecret key: {secret}\n"
    _assert_found(text.encode(), {3, 4})
    _assert_found(codecs.BOM_UTF8 + text.encode(), {3, 4})


def test_location_counts_what_is_not_read() -> None:
    key, secret = _pair("column")
    (found,) = detect(f"ab\u200bcd binance Client('{key}', '{secret}')\n".encode())
    assert [occurrence.location.column for occurrence in found.occurrences] == [23, 91]


def test_breaks_do_not_join_what_others_separate() -> None:
    key, secret = _pair("apart")
    assert (
        detect(f"<p>binance key {key[:32]}<wbr></p><p>{key[32:]}</p>{secret[:30]}<wbr> {secret[30:]}\n".encode()) == ()
    )


def _paragraph(*runs: str) -> str:
    return f"<w:p><w:pPr/>{''.join(map(_RUN.format, runs))}</w:p>"


@pytest.mark.parametrize("length", [1, 7, 40, 64])
def test_runs_of_a_word_document(length: int) -> None:
    key, secret = _pair(f"word {length}")
    paragraphs = _paragraph("API ", "Ke", "y: ", *_cut(key, length)) + _paragraph("Secret: ", *_cut(secret, length))
    _assert_found(_WORD.format(paragraphs=paragraphs).encode(), {2})


def test_lines_that_lay_out_a_word_document_are_no_part_of_a_value() -> None:
    key, secret = _pair("layout")
    paragraphs = _paragraph("API key: ", *_cut(key, 20)) + _paragraph("Secret: ", *_cut(secret, 20))
    _assert_found(_WORD.format(paragraphs=paragraphs.replace("><", ">\n  <")).encode())


def test_cells_of_a_word_document() -> None:
    key, secret = _pair("cells")
    rows = [("API key", "Secret"), (key, secret)]
    cells = [[f"<w:tc><w:tcPr/>{_paragraph(*_cut(text, 5))}</w:tc>" for text in row] for row in rows]
    table = "".join(f"<w:tr>{''.join(row)}</w:tr>" for row in cells)
    _assert_found(_WORD.format(paragraphs=f"<w:tbl>{table}</w:tbl>").encode())


def test_paragraphs_are_apart() -> None:
    key, _ = _pair("paragraphs")
    paragraphs = _paragraph("API key", key[:32]) + _paragraph(key[32:])
    assert detect(_WORD.format(paragraphs=paragraphs).encode()) == ()


def test_attributes_are_read() -> None:
    key, secret = _pair("attributes")
    link = f'<w:hyperlink w:tooltip="apiKey={key}&amp;secretKey={secret}"/>'
    _assert_found(_WORD.format(paragraphs=link).encode(), {2})


@pytest.mark.parametrize(
    "text",
    [
        '<a:p xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:r><a:t>{}</a:t></a:r><a:r><a:t>{}</a:t></a:r></a:p>',
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>{}</t></r><r><rPr/><t>{}</t></r></si></sst>',
        '<text:p xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">{}<text:span>{}</text:span></text:p>',
        '<w:p xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:r><w:t>{}</w:t></w:r><w:r><w:t>{}</w:t></w:r></w:p>',
    ],
    ids=["presentation", "table", "OpenDocument", "Word 2003"],
)
def test_other_office_documents(text: str) -> None:
    key, _ = _pair(text)
    (found,) = detect(text.format(f"binance api key {key[:20]}", key[20:]).encode())
    assert found.kind is Kind.API_KEY
    assert found.confidence is Confidence.HIGH


def test_the_sieve_suspects_them() -> None:
    sieve = best_sieve()
    key, secret = _pair("sieve")
    contents = [
        *(_HTML.format(key=sign.join(_cut(key, 8)), secret=sign.join(_cut(secret, 8))).encode() for sign in _BREAKS),
        _WORD.format(paragraphs=_paragraph("key ", *_cut(key, 9)) + _paragraph("secret ", *_cut(secret, 9))).encode(),
    ]
    for content in contents:
        traits = sieve.traits(content, content, NO_TRAITS)
        assert sieve.suspects(content, traits)


def test_spans_cover_the_text_in_order() -> None:
    data = _WORD.format(paragraphs=_paragraph("a", "b")).encode()
    spans = uninterrupted(data)
    ends = [0, *(end for _, end, _ in spans)]
    assert all(end <= start for end, (start, _, _) in zip(ends, spans, strict=False))
    assert b"".join(data[start:end] + sign for start, end, sign in spans).split() == [b"Binance", b"ab"]
