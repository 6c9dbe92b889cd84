"""The compiled search for words gives what Python gives."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.detect import word_search
from binance_leaks.detect.environment_evidence import NAMED
from binance_leaks.detect.vocabulary import evidence_stems
from binance_leaks.detect.word_search import WordSearch

_STARTS = [word.encode() for pattern in NAMED for word in pattern.starts if word.isascii()]
_SETS = {
    "evidence": list(evidence_stems()),
    "environments": list(dict.fromkeys(_STARTS)),
    "overlaps": [b"aa", b"aaa", b"ab"],
}


def _texts(words: list[bytes], rng: Random) -> list[bytes]:
    parts = [*words, *(word.upper() for word in words), *(word[:-1] for word in words), b" ", b"\0", b"\n", b"a"]
    return [b"".join(rng.choices(parts, k=rng.randrange(12))) for _ in range(400)]


@pytest.mark.parametrize("name", _SETS)
def test_both_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = _SETS[name]
    fast = WordSearch(words)
    monkeypatch.setattr(word_search, "compiled", None)
    plain = WordSearch(words)
    for text in _texts(words, Random(7)):
        assert fast.present(text) == plain.present(text) == bytes(bool(places) for places in plain.places(text))
        assert fast.places(text) == plain.places(text)
