"""Inputs that once broke a law, as fuzzing found them, made small: each is read, refused or reported now."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import pytest
from binance_leaks.api import scan_bytes

from tests.fuzz import seeds
from tests.fuzz.laws import Laws
from tests.fuzz.planted import Planted
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import prepare

PLANTED = Planted.of(1)


def _damaged_object() -> bytes:
    """One of git's objects with a sound beginning and a corrupt second block."""
    text = b"blob 5000\0some text"
    stored = b"\0" + struct.pack("<HH", len(text), 0xFFFF ^ len(text)) + text
    return b"x\x01" + stored + b"\x07" + bytes(40)


def _offsets_cut() -> bytes:
    """A pack's index whose table of offsets of 64 bits ends within one."""
    whole = seeds.packs(PLANTED)[1]
    return whole[:-41] + whole[-40:]


def _two_in_one_place() -> bytes:
    """A pack's index that has two objects in the place of the base of a delta."""
    return seeds.packs(PLANTED)[1]


def _cached_at(number: str) -> bytes:
    """A cache of verdicts with an entry of another moment."""
    return seeds.verdict_caches(PLANTED)[0].replace(b"1800000000.0", number.encode(), 1)


def _in_words(text: str) -> bytes:
    """A text with a value that is glued to many words."""
    return text.format("allow" * 40 + PLANTED.pair.key + "allow" * 40).encode()


FOUND: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "a damaged object of git": ("archives", _damaged_object),
    "a table of offsets that is cut": ("packs", _offsets_cut),
    "two objects in one place of a pack": ("packs", _two_in_one_place),
    "a moment of 400 digits in a cache": ("verdict caches", lambda: _cached_at("9" * 400)),
    "an inline table of tools": ("configuration", lambda: b"tool = {}"),
    "a value as an unknown setting": ("configuration", lambda: f"{PLANTED.pair.key} = 1".encode()),
    "a value within a long run of words": ("configuration", lambda: _in_words("{} = 1")),
    "a value in the path of an entry that is wrong": (
        "baselines", lambda: f'{{"version": "1.5.0", "results": {{"{PLANTED.pair.key}": [{{}}]}}}}'.encode(),
    ),
}  # fmt: skip
"""The target of each, and what makes the input."""


@pytest.mark.parametrize("name", FOUND)
def test_it_holds_now(name: str) -> None:
    target, make = FOUND[name]
    with prepare(TARGETS[target]):
        violation, _ = Laws(TARGETS[target], PLANTED, thorough=True).check(make())
    assert violation is None, violation


def test_a_damaged_object_is_reported() -> None:
    result = scan_bytes(_damaged_object(), path="objects/ab/cd")
    assert "the zlib data are corrupt" in {skipped.why for skipped in result.skipped}
