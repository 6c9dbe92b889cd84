"""What looks random enough for a value, and what does not."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect.candidates import Shape, find_candidates, shape_of
from binance_leaks.detect.document import Document

from tests.corpus import values


def test_random_values_have_their_shapes() -> None:
    rng = Random("shapes")
    assert {shape_of(values.hmac_value(rng)) for _ in range(300)} == {Shape.BASE62}
    assert {shape_of(values.hex_value(rng)) for _ in range(300)} == {Shape.HEX}
    assert {shape_of(values.pay_value(rng)) for _ in range(300)} == {Shape.BASE36}


def test_alphabets_have_none() -> None:
    rng = Random("alphabets")
    assert {shape_of(values.alphabet(rng)) for _ in range(20)} == {None}


def test_few_identifiers_have_one() -> None:
    """Of 500 a dozen have the entropy of values; most of those have too many lower-case letters in a row."""
    rng = Random("identifiers")
    assert sum(shape_of(values.camel_identifier(rng)) is not None for _ in range(500)) <= 4


def test_repetitions_have_none() -> None:
    assert [shape_of(part * (64 // len(part))) for part in ("0123456789abcdef", "ab12", "A1b2", "x", "Ab1Cd2Ef")] == [
        Shape.HEX,
        None,
        None,
        None,
        None,
    ]


def test_one_character_has_none() -> None:
    assert [shape_of("z" * count + "1" * (64 - count)) for count in (62, 63, 64)] == [None] * 3


def test_one_class_of_letters_has_none() -> None:
    value = values.hmac_value(Random("classes"))
    assert shape_of(value.upper()) is None
    assert shape_of("".join(char if char.isalpha() else "x" for char in value)) is None


@pytest.mark.parametrize("glued", ["\\n", "%0A", "\\u000a"])
def test_a_letter_of_an_escape_is_no_part_of_a_value_that_a_text_begins_with(glued: str) -> None:
    value = values.hmac_value(Random(glued))
    (candidate,), _ = find_candidates(Document(text=glued + value))
    assert candidate.start == len(glued)
