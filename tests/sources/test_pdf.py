"""PDF files: their text is read as it is laid out, whatever packs it, or it is reported as not read."""

from __future__ import annotations

import base64
import io
import random
import zlib
from collections.abc import Mapping

import pytest
from binance_leaks.findings import Skipped
from binance_leaks.sources.archives import ArchiveKind, ArchiveLimits, archive_kind, read_members
from binance_leaks.sources.pdf_objects import Name, PdfFile, Reference, parse, tokens
from binance_leaks.sources.pdf_text import PdfText
from binance_leaks.sources.read_content import Chunk
from binance_leaks.sources.unpack import UnpackBudget

from tests.sources.test_archives import MIB, read, reasons, zipped

FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
# Codes of two bytes, 0x20 lower than the letters that they mean, as of a font of which a part is embedded.
SUBSET = {
    6: b"<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[7 0 R]/ToUnicode 8 0 R>>",
    7: b"<</Type/Font/Subtype/CIDFontType2/DW 600/W[1 [600 600] 3 90 600]>>",
}
UNICODE_MAP = (
    b"1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfrange <0001> <0010> <0021> <0011> <005E> <0031> "
    b"endbfrange 1 beginbfchar <0000> <0020> endbfchar"
)


def packed(data: bytes, filters: str = "Flate") -> bytes:
    """A stream object with what packs it."""
    names = []
    if "Flate" in filters:
        data = zlib.compress(data)
        names.append(b"/FlateDecode")
    if "85" in filters:
        data = base64.a85encode(data) + b"~>"
        names.insert(0, b"/ASCII85Decode")
    if "Hex" in filters:
        data = data.hex().encode() + b">"
        names.insert(0, b"/ASCIIHexDecode")
    return b"<</Length %d/Filter[%s]>>stream\r\n%s\nendstream" % (len(data), b" ".join(names), data)


def pdf(
    content: bytes, objects: Mapping[int, bytes] | None = None, *, filters: str = "Flate", tail: bytes = b""
) -> bytes:
    """A file of one page, whose fonts are F1 and F2."""
    parts = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1/Resources<</Font<</F1 5 0 R/F2 6 0 R>>>>>>",
        3: b"<</Type/Page/Parent 2 0 R/Contents 4 0 R>>",
        4: packed(content, filters),
        5: FONT,
        **(objects or {}),
    }
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % each for each in parts.items())
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + body + tail + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def text_of(data: bytes) -> str:
    found, skipped = read(data, "a.pdf")
    assert not skipped
    assert found["a.pdf"] == data
    return found["a.pdf!/text"].decode()


@pytest.mark.parametrize("filters", ["", "Flate", "Flate85", "FlateHex", "Hex"])
def test_text_is_read_whatever_packs_it(filters: str) -> None:
    data = pdf(b"BT /F1 9 Tf 50 700 Td (API key: abc) Tj 0 -12 Td <736563726574> Tj ET", filters=filters)
    assert archive_kind(data) is ArchiveKind.PDF
    assert text_of(data).splitlines() == ["API key: abc", "secret"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"[(ab) -20 (cd) 15 (ef)] TJ", "abcdef"),
        (b"[(ab) -250 (cd)] TJ", "ab cd"),
        (b"(a\\(b\\)\\\\c \\101\\\n\\(d) Tj", "a(b)\\c A(d"),
        (b"(nested (once (twice)) more) Tj", "nested (once (twice)) more"),
        (b"(one) Tj T* (two) ' 0 0 (three) \"", "one\ntwo\nthree"),
        (b"(one) Tj 1 0 0 1 50 600 Tm (two) Tj", "one\ntwo"),
        (b"(abcd) Tj 20 0 Td (ef) Tj", "abcdef"),
        (b"(abcd) Tj 200 0 Td (ef) Tj", "abcd ef"),
        (b"(left) Tj /Span <</ActualText (x)>> BDC (right) Tj EMC", "leftright"),
        (b"% a comment (not shown) Tj\n(shown) Tj", "shown"),
    ],
)
def test_strings_are_put_together_as_they_are_laid_out(content: bytes, text: str) -> None:
    assert text_of(pdf(b"q BT /F1 10 Tf 12 TL 50 700 Td " + content + b" ET Q")).strip() == text


def test_fonts_with_a_map_to_unicode() -> None:
    codes = b"".join(bytes((0, byte - 0x20)) for byte in b"API key: aZ09")
    content = b"BT /F2 9 Tf 10 10 Td [<%s> -30 <%s>] TJ ET" % (codes[:8].hex().encode(), codes[8:].hex().encode())
    assert text_of(pdf(content, {**SUBSET, 8: packed(UNICODE_MAP)})).strip() == "API key: aZ09"


def test_fonts_with_names_of_characters() -> None:
    font = b"<</Type/Font/Subtype/Type1/Encoding<</Differences[1/K/e/y/space/one]>>>>"
    assert text_of(pdf(b"BT /F1 9 Tf (\\001\\002\\003\\004\\005) Tj ET", {5: font})).strip() == "Key 1"


def test_fonts_that_say_nothing_are_reported() -> None:
    font = b"<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[]>>"
    _, skipped = read(pdf(b"BT /F1 9 Tf <00010002> Tj ET", {5: font}))
    assert reasons(skipped) == "fonts of the PDF file do not say which characters they show"


def test_objects_in_compressed_streams() -> None:
    font = SUBSET[6]
    head = b"6 0 7 %d " % len(font)
    body = head + font + SUBSET[7]
    packed_objects = packed(body).replace(b"<<", b"<</Type/ObjStm/N 2/First %d" % len(head), 1)
    content = b"BT /F2 9 Tf <00210022> Tj ET"
    assert text_of(pdf(content, {8: packed(UNICODE_MAP), 9: packed_objects})).startswith("AB")


def test_pages_come_in_their_order_and_share_forms() -> None:
    objects = {
        2: b"<</Type/Pages/Kids[11 0 R 3 0 R]/Resources<</Font<</F1 5 0 R>>>>>>",
        11: b"<</Type/Page/Parent 2 0 R/Contents[12 0 R]>>",
        12: packed(b"BT /F1 9 Tf (first) Tj ET"),
        13: packed(b"BT /F1 9 Tf (form) Tj ET").replace(b"<<", b"<</Type/XObject/Subtype/Form", 1),
    }
    assert text_of(pdf(b"BT /F1 9 Tf (second) Tj ET", objects)).split() == ["first", "second", "form"]


def test_attached_files_are_read() -> None:
    attached = packed(zipped({"in.txt": b"hello"})).replace(b"<<", b"<</Type/EmbeddedFile", 1)
    found, skipped = read(pdf(b"", {9: attached}), "a.pdf")
    assert found["a.pdf!/object 9!/in.txt"] == b"hello"
    assert not skipped


def test_images_and_fonts_are_not_read() -> None:
    image = packed(b"image").replace(b"<<", b"<</Type/XObject/Subtype/Image", 1)
    program = packed(b"program").replace(b"<<", b"<</Length1 7", 1)
    found, _ = read(pdf(b"", {9: image, 10: program}), "a.pdf")
    assert list(found) == ["a.pdf"]


def test_encrypted_files_are_reported() -> None:
    _, skipped = read(pdf(b"BT (x) Tj ET", tail=b"10 0 obj<</Filter/Standard>>endobj\ntrailer<</Encrypt 10 0 R>>\n"))
    assert reasons(skipped) == "the text of the PDF file is encrypted"


@pytest.mark.parametrize("length", [0, 20])
def test_damaged_streams_are_reported(length: int) -> None:
    stream = zlib.compress(b"BT /F1 9 Tf (%s) Tj ET" % random.Random(1).randbytes(500).hex().encode())
    broken = b"<</Filter/FlateDecode>>stream\n" + stream[:length] + b"\nendstream"
    _, skipped = read(pdf(b"", {4: broken}))
    assert reasons(skipped) == "1 of the streams of the PDF file cannot be unpacked"


def test_other_filters_are_reported() -> None:
    _, skipped = read(pdf(b"", {4: b"<</Filter/LZWDecode>>stream\nx\nendstream"}))
    assert "cannot be unpacked" in reasons(skipped)


def test_a_bomb_is_stopped() -> None:
    data = pdf(b"BT (" + b"x" * 40 * MIB + b") Tj ET")
    _, skipped = read(data, limits=ArchiveLimits(total=32 * MIB))
    assert skipped
    references = b" ".join([b"4 0 R"] * 20_000)
    many = pdf(b"BT (x) Tj ET" * 1000, {3: b"<</Type/Page/Parent 2 0 R/Contents[" + references + b"]>>"})
    _, skipped = read(many, limits=ArchiveLimits(total=32 * MIB))
    assert "unpacks to more than 32 MiB" in reasons(skipped)


def test_more_text_than_is_read_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("binance_leaks.sources.pdf_text._MOST_TEXT", 1000)
    found, skipped = read(pdf(b"BT /F1 9 Tf (abc) Tj ET " * 100), "a.pdf")
    assert "more text than is read" in reasons(skipped)
    assert found["a.pdf!/text"].count(b"abc") < 100


def test_a_large_file_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("binance_leaks.sources.pdf_members._LARGEST", 1 << 20)
    data = pdf(b"", {9: b"(" + b"x" * (1 << 20) + b")"})
    items = list(read_members("a.pdf", "a.pdf", io.BytesIO(data)))
    assert [item.why for item in items if isinstance(item, Skipped)] == [
        "a PDF file of more than 1 MiB, whose text is not read"
    ]
    assert b"".join(item.data for item in items if isinstance(item, Chunk)) == data


@pytest.mark.parametrize("seed", range(80))
def test_no_damage_raises(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(
        pdf(b"BT /F2 9 Tf [<00210022> -3 (x)] TJ ET", {**SUBSET, 8: packed(UNICODE_MAP), 9: packed(b"attached")})
    )
    pieces = (b"<<", b">>", b"[", b"(", b")", b"stream\n", b"endstream", b"endobj", b"9" * 30, b" 7 0 obj", b"2 0 R")
    for _ in range(rng.randint(1, 20)):
        at = rng.randrange(8, len(data))
        data[at : at + rng.randrange(3)] = rng.choice((*pieces, rng.randbytes(2)))
    file = PdfFile(bytes(data), UnpackBudget(ArchiveLimits()))
    text = PdfText(file)
    assert all(isinstance(line, str) for line in text.lines())
    assert all(isinstance(content, bytes) for _, content in text.others())


@pytest.mark.parametrize(
    "piece", [b"(", b"((", b"(\\(", b"<<", b"[", b"1 0 obj", b"1 0 obj stream\n", b"<00", b"/Type/Page ", b"%", b"BT "]
)
def test_hostile_pieces_take_linear_work(piece: bytes) -> None:
    """Each token is read once: there are no more of them than pieces."""
    data = piece * (200_000 // len(piece))
    assert sum(1 for _ in tokens(data)) <= len(data)
    PdfFile(b"%PDF-1.7\n" + data, UnpackBudget(ArchiveLimits()))


def test_values() -> None:
    assert parse(b" 12 0 R ") == Reference(12)
    assert parse(b"<</A/B/C[1 (x) 2 0 R]/D<</E<41 4>>>>>") == {
        "A": Name("B"),
        "C": [1.0, b"x", Reference(2)],
        "D": {"E": b"A@"},
    }
    assert parse(b"-.5") == -0.5
    assert parse(b"") is None
