"""What was found in one version of a file is what the detector would find in the next."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.detect.sieve import NO_TRAITS, Trait
from binance_leaks.pipeline.judged_versions import JudgedVersions, read_version

from tests.corpus import values


@pytest.fixture
def rng() -> Random:
    return Random(41)


FILLER = "".join(f"line {number} of what is said between\n" for number in range(30))


def pair(rng: Random) -> str:
    return f"BINANCE_API_KEY={values.hmac_value(rng)}\nBINANCE_API_SECRET={values.hmac_value(rng)}\n"


def digests(text: str) -> frozenset[str]:
    return frozenset(value.sha256 for credential in detect(text.encode()) for value in credential.values)


def find(judged: JudgedVersions, text: str) -> frozenset[str] | None:
    version = read_version(text.encode(), NO_TRAITS)
    assert version is not None
    return judged.find(version)


def judge(judged: JudgedVersions, text: str) -> None:
    version = read_version(text.encode(), NO_TRAITS)
    assert version is not None
    judged.add(version, detect(text.encode()))


def test_text_far_from_all_values_changes_nothing(rng: Random) -> None:
    judged, one, other = JudgedVersions(), pair(rng), pair(rng)
    judge(judged, one + FILLER + other)
    later = one + FILLER + "something new\n" + FILLER + other
    assert find(judged, later) == digests(later) == digests(one + other)


def test_what_was_removed_is_not_there(rng: Random) -> None:
    judged, one, other = JudgedVersions(), pair(rng), pair(rng)
    judge(judged, one + FILLER + other)
    assert find(judged, one + FILLER) == digests(one)
    assert find(judged, FILLER + "ä" + FILLER + "\n\n" + other) in (None, digests(other))


@pytest.mark.parametrize("change", ["a value", "a name", "the exchange", "one more"])
def test_what_may_change_a_finding_is_judged(rng: Random, change: str) -> None:
    judged, text = JudgedVersions(), f"token={values.hmac_value(rng)}\n{FILLER}"
    judge(judged, text)
    changed = {
        "a value": f"token={values.hmac_value(rng)}\n{FILLER}",
        "a name": text.replace("token", "api_secret"),
        "the exchange": text + "see binance.com\n",
        "one more": text + pair(rng),
    }[change]
    assert find(judged, changed) is None


def test_values_are_together_only_where_they_were_judged_together(rng: Random) -> None:
    judged, one, other = JudgedVersions(), pair(rng), pair(rng)
    judge(judged, one + FILLER)
    judge(judged, "\n\n" + FILLER + other)
    assert find(judged, one + FILLER + "\n\n" + FILLER + other) is None


def test_two_values_in_one_line_are_told_apart(rng: Random) -> None:
    judged, key, secret = JudgedVersions(), values.hmac_value(rng), values.hmac_value(rng)
    text = f'# é\n"{"ü" * 90}"; client = Client("{key}", "{secret}")  # ü binance'
    judge(judged, text)
    version = read_version(text.encode(), NO_TRAITS)
    assert version is not None
    assert judged.find(version) == digests(text)
    assert len(digests(text)) == 2
    places = {
        version.key_at(occurrence.location)
        for credential in detect(text.encode())
        for occurrence in credential.occurrences
    }
    assert places == set(version.keys)
    assert len(places) == 2


def test_random_versions(rng: Random) -> None:
    blocks = [pair(rng) for _ in range(4)] + [f"hash {rng.randbytes(32).hex()}\n" for _ in range(3)] + [FILLER] * 4
    judged, known = JudgedVersions(), 0
    for _ in range(150):
        text = "".join(rng.sample(blocks, rng.randint(3, len(blocks)))) + f"version {rng.random()}\n"
        version = read_version(text.encode(), NO_TRAITS)
        if version is None:
            continue
        found = judged.find(version)
        if found is None:
            judged.add(version, detect(text.encode()))
        else:
            known += 1
            assert found == digests(text)
    assert known


def test_what_is_no_text_is_judged_each_time(rng: Random) -> None:
    text = pair(rng).encode()
    assert read_version(text + b"\0", NO_TRAITS) is None
    assert read_version(text, Trait.DATABASE) is None
    assert read_version(text, Trait.BINARY) is None
    assert read_version(FILLER.encode(), NO_TRAITS) is None
