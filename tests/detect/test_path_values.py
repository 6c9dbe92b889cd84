"""Values in the names of files and folders, and what is paired with them."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.detect.pairing_across_files import pair_across_files
from binance_leaks.detect.path_values import detect_in_path
from binance_leaks.model import Confidence, Credential, Kind
from binance_leaks.scattered_values import mask_values

from tests.corpus import values


def _pair(seed: str) -> tuple[str, str]:
    rng = Random(seed)
    return values.hmac_value(rng), values.hmac_value(rng)


@pytest.mark.parametrize(
    ("path", "kind", "confidence", "where"),
    [
        ("binance_{key}.txt", Kind.API_KEY, Confidence.MEDIUM, "binance_{key}.txt"),
        ("bots/binance/{key}/log.csv", Kind.API_KEY, Confidence.MEDIUM, "bots/binance/{key}"),
        ("binance/api_key_{key}", Kind.API_KEY, Confidence.HIGH, "binance/api_key_{key}"),
        ("binance/api-key/{key}.json", Kind.API_KEY, Confidence.HIGH, "binance/api-key/{key}.json"),
        ("BinanceSecret={secret}.key", Kind.SECRET_KEY, Confidence.HIGH, "BinanceSecret={secret}.key"),
        ("binance/{key}_{secret}.txt", Kind.KEY_PAIR, Confidence.HIGH, "binance/{key}_{secret}.txt"),
        ("binance/{key}.{secret}", Kind.KEY_PAIR, Confidence.HIGH, "binance/{key}.{secret}"),
        ("a.zip!/binance/{key}.txt", Kind.API_KEY, Confidence.MEDIUM, "a.zip!/binance/{key}.txt"),
        ("{key}.json", Kind.API_KEY, Confidence.LOW, "{key}.json"),
    ],
)
def test_names(path: str, kind: Kind, confidence: Confidence, where: str) -> None:
    key, secret = _pair(path)
    (found,) = detect_in_path(path.format(key=key, secret=secret))
    assert (found.kind, found.confidence) == (kind, confidence)
    places = {(each.location.path, each.location.line) for each in found.occurrences}
    assert places == {(where.format(key=key, secret=secret), 1)}
    assert all(occurrence.in_path for occurrence in found.occurrences)
    assert "in the name of its file or folder" in found.evidence


@pytest.mark.parametrize(
    "name", ["binance/{hex}.json", "binance_api_key_{hex}", "binance/{pay}", "binance/a{key}b.txt"]
)
def test_names_that_hold_none(name: str) -> None:
    rng = Random(name)
    path = name.format(hex=values.hex_value(rng), pay=values.pay_value(rng), key=values.hmac_value(rng))
    assert detect_in_path(path) == ()


def test_only_what_may_be_evidence_is_read() -> None:
    key, _ = _pair("above")
    assert detect_in_path(f"/home/{key}/binance/a.txt", "binance/a.txt") == ()
    (found,) = detect_in_path(f"/home/user/binance/{key}.txt", f"binance/{key}.txt")
    assert found.occurrences[0].location.path == f"/home/user/binance/{key}.txt"


def _paired(path: str, text: str) -> tuple[Credential, ...]:
    return pair_across_files([*detect(text.encode(), path=path), *detect_in_path(path)])


def test_a_secret_in_a_file_that_is_named_by_its_key() -> None:
    key, secret = _pair("content")
    for path in (f"accounts/{key}.json", f"accounts/{key}/a.json", f"accounts/{key}.zip!/a.json"):
        (found,) = _paired(path, f'{{"secret": "{secret}"}}')
        assert found.kind is Kind.KEY_PAIR
        assert found.confidence is Confidence.MEDIUM


def test_a_secret_elsewhere_is_not_its_half() -> None:
    key, secret = _pair("elsewhere")
    found = pair_across_files([*detect(f'secret = "{secret}"'.encode(), path="b.py"), *detect_in_path(f"{key}.json")])
    assert {credential.kind for credential in found} == {Kind.API_KEY, Kind.SECRET_KEY}


def test_names_are_masked_and_others_are_not() -> None:
    key, secret = _pair("mask")
    words = "allow" * 40
    for path in (f"binance_{key}.txt", f"a/binance{key}", f"x/{key}{secret}/y", f"{words}{key}{words}{secret}{words}"):
        assert key[4:] not in mask_values(path)
        assert secret[4:] not in mask_values(path)
    for name in (
        values.hex_value(Random(1)),
        "ThisIsTheVeryLongNameOfATestOfSomethingThatWasWrittenByHandIn2019Test.java",
        f"{'a' * 70}.txt",
        f"{'ANameOfWords' * 20}1.txt",
    ):
        assert mask_values(f"src/{name}") == f"src/{name}"
