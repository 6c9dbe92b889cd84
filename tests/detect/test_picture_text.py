"""Text that was recognized in a picture: rows, wrapped and damaged values, parts, and what each reading is worth."""

from __future__ import annotations

from hashlib import sha256

import pytest
from binance_leaks.detect import published
from binance_leaks.detect.engine import detect
from binance_leaks.detect.picture_text import PictureLine, PictureOrigin, PictureText, lay_out, with_origin
from binance_leaks.model import Confidence, Credential, Kind, Reading

from tests.e2e import value

PICTURE = "ab" * 32


def column(*texts: str, left: float = 20, height: float = 20) -> list[PictureLine]:
    """Lines one below the other, as wide as their texts."""
    return [
        PictureLine(left, number * 30, left + 9 * len(text), number * 30 + height, text)
        for number, text in enumerate(texts)
    ]


def read(*lines: PictureLine) -> tuple[Credential, ...]:
    """What the detector makes of lines."""
    text = lay_out(lines)
    found = detect(text.text.encode(), path="shot.png!/text", evidence_path="", mentions_binance=text.is_key_page)
    return with_origin(found, PictureOrigin(digest=PICTURE, recognized=text))


def page(key: str, secret: str, *more: str) -> list[PictureLine]:
    return column("Binance", "API Key", *key.split(), "Secret Key", *secret.split(), *more)


def test_both_halves_with_their_labels_are_certain_and_have_ids_of_the_picture() -> None:
    key, secret = value(), value()
    (found,) = read(*page(key, secret))
    assert (found.kind, found.confidence) == (Kind.KEY_PAIR, Confidence.HIGH)
    digests = {each.sha256 for each in found.values}
    assert digests.isdisjoint({sha256(each.encode()).hexdigest() for each in (key, secret)})
    assert len(digests) == 2
    assert all(each.secret is None for each in found.values)
    assert {each.masked[:4] for each in found.values} == {key[:4], secret[:4]}
    assert all(each.reading is Reading.RECOGNIZED for each in found.occurrences)
    assert any("read from a picture" in text for text in found.evidence)
    (again,) = read(*page(key[:-1] + ("0" if key[-1] != "0" else "O"), secret))  # a character is read otherwise
    assert again.id == found.id


def test_without_labels_or_the_other_half_it_is_medium_at_most() -> None:
    (alone,) = read(*column("Binance", "API Key", value()))
    assert (alone.kind, alone.confidence) == (Kind.API_KEY, Confidence.MEDIUM)
    (pair,) = read(*column(f'Binance Client("{value()}", "{value()}")'))
    assert pair.confidence <= Confidence.MEDIUM or all(each.named for each in pair.occurrences)
    assert all(each.confidence is Confidence.LOW for each in read(*column("Key", value())))


@pytest.mark.parametrize("cut", [(64,), (32, 64), (22, 44, 64), (60, 64)])
def test_wrapped_values_are_joined(cut: tuple[int, ...]) -> None:
    key, secret = value(), value()
    wrapped = [" ".join(each[start:end] for start, end in zip((0, *cut), cut, strict=False)) for each in (key, secret)]
    text = lay_out(page(*wrapped)).text
    assert key in text
    assert secret in text


def test_what_recognition_does_to_a_value() -> None:
    key = value()
    whole = lay_out(column(f"API Key: {key[:30]} {key[30:]}")).text  # a gap that is none
    assert whole.endswith(key)
    for damaged in (key[:-1], key[1:], key + "l", key[:20] + key[19:]):
        (run,) = lay_out(column(damaged)).text.split()
        assert len(run) == 64
    barred = key[:10] + "|" + key[11:]
    assert lay_out(column(barred)).text == key[:10] + "l" + key[11:]
    beside = [PictureLine(0, 0, 90, 20, "API Key"), PictureLine(120, 1, 400, 21, key[:30])]
    assert lay_out([PictureLine(404, 0, 700, 20, key[30:]), *beside]).text == f"API Key {key}"


def test_two_columns_stay_two() -> None:
    left, right = column("API Key", "first"), column("Secret Key", "second", left=400)
    assert lay_out([*right, *left]).text == "API Key Secret Key\nfirst second"


def test_digests_and_base64_are_no_values() -> None:
    digest = sha256(b"a file").hexdigest()
    assert read(*column("Binance", "$ sha256sum *", f"{digest.replace('0', 'O', 1)}  file", f"{digest}  file")) == ()
    lines = [value() for _ in range(6)]
    found = read(*column("Binance api key", "-----BEGIN CERTIFICATE-----", *lines))
    assert all(each.confidence is Confidence.LOW for each in found)
    assert read(*column("Binance API Key", "*" * 64, "Secret Key", "•" * 40)) == ()


@pytest.mark.parametrize("label", ["API Key", "Secret Key"])
def test_a_covered_value_is_what_can_be_read_of_it(label: str) -> None:
    key = value()
    while not any(map(str.isdigit, key[:14])) or not any(map(str.isdigit, key[50:])):
        key = value()
    ends = [PictureLine(20, 60, 140, 80, key[:14]), PictureLine(460, 60, 580, 80, key[50:])]
    found = read(*column("Binance", label), *ends)
    if found:  # each of 14 characters has capitals, small letters and digits
        assert [each.confidence for each in found] == [Confidence.LOW]
        assert any("of its 64 characters can be read" in text for text in found[0].evidence)
        assert key[:4] not in found[0].values[0].masked


def test_a_part_is_no_half_of_a_pair() -> None:
    key, secret = value(), "aB3dE5gH7jK9mN1p"
    found = read(*page(key, secret))
    assert {(each.kind, each.confidence) for each in found} == {
        (Kind.API_KEY, Confidence.MEDIUM),
        (Kind.SECRET_KEY, Confidence.LOW),
    }


def test_labels_of_the_page_are_evidence() -> None:
    key, secret = value(), value()
    lines = column("API Key", key, "Secret Key", secret, "Enable Reading", "Enable Spot & Margin Trading")
    assert lay_out(lines).is_key_page
    (found,) = read(*lines)
    assert found.confidence is Confidence.HIGH
    assert not lay_out(column("API Key", key, "Enable Reading")).is_key_page


def test_a_documented_example_is_one_however_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "O0Il1" + value()[5:]
    digest = sha256(key.encode()).hexdigest()
    monkeypatch.setattr(
        "binance_leaks.detect.picture_text.published_as", lambda sha256: "an example" if sha256 == digest else None
    )
    assert published.published_as(digest) is None
    (found,) = read(*column("Binance", "API Key", key.replace("I", "l", 1)))
    assert [each.sha256 for each in found.values] == [digest]


def test_codes_and_metadata_are_exact() -> None:
    key, secret = value(), value()
    found = detect(f"BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n".encode())
    (seen,) = with_origin(found, PictureOrigin(digest=PICTURE, what="a code in a picture"))
    assert seen.id == found[0].id
    assert seen.confidence is Confidence.HIGH
    assert "read from a code in a picture" in seen.evidence


def test_hostile_text_takes_no_time() -> None:
    for text in ("aB3" * 400, "aB3d " * 300, "| " * 600, "1lI0O" * 12 + "aB3d", "A1b " + "x" * 1000):
        assert isinstance(lay_out(column(*[text] * 30)), PictureText)
    assert lay_out([]).text == ""
