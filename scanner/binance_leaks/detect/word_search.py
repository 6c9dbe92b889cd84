"""Search for many words at once: which are in a text, and where."""

from __future__ import annotations

from collections.abc import Sequence

from binance_leaks.native import compiled


class WordSearch:
    """A search for words of two bytes or more in small letters, in data of either case.

    With the compiled module it reads the data once, else once for each word.

    >>> search = WordSearch([b"spot", b"test"])
    >>> search.present(b"A Testnet")
    b'\\x00\\x01'
    >>> search.places(b"A Testnet")
    [[], [2]]
    """

    def __init__(self, words: Sequence[bytes]) -> None:
        self._words = tuple(words)
        self._compiled = None
        if compiled is not None:
            self._compiled = compiled.Search([(word, number, 0) for number, word in enumerate(self._words)], ())

    def present(self, data: bytes) -> bytes:
        """Return a byte for each word, 1 if it is in the data."""
        if self._compiled is not None:
            return bytes(self._compiled.present(data))
        lower = data.lower()
        return bytes(word in lower for word in self._words)

    def places(self, data: bytes) -> list[list[int]]:
        """Return for each word the offsets where it begins, ascending."""
        found: list[list[int]] = [[] for _ in self._words]
        if self._compiled is not None:
            for number, at in self._compiled.places(data):
                found[number].append(at)
            return found
        lower = data.lower()
        for places, word in zip(found, self._words, strict=True):
            at = lower.find(word)
            while at >= 0:
                places.append(at)
                at = lower.find(word, at + 1)
        return found
