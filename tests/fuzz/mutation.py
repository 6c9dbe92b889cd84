"""Changes bytes at random, with the numbers, words and structure of formats in mind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

LARGEST = 64 << 10
"""Bytes of an input: what is slow on these is slower still on files."""
_NUMBERS = (0, 1, 2, 7, 16, 63, 64, 127, 128, 255, 256, 511, 4095, 4096, 32767, 32768, 65535, 65536, (1 << 31) - 1,
            1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip
_DIGITS = re.compile(rb"[0-9]{1,20}")
_MOST_REPEATS = 200


class Mutator:
    """Changes inputs; `words` are what a format knows, `pool` inputs to take pieces from."""

    def __init__(self, rng: Random, words: Sequence[bytes], pool: Sequence[bytes]) -> None:
        self._rng = rng
        self._words = words or (b"\0", b"\n")
        self._pool = pool
        self._ways: tuple[Callable[[bytearray], None], ...] = (
            self._flip, self._flip, self._set_byte, self._delete, self._insert, self._insert_word, self._insert_word,
            self._overwrite_number, self._overwrite_number, self._write_digits, self._repeat, self._swap, self._cut,
            self._splice, self._replace_word, self._move_line, self._wide,
        )  # fmt: skip

    def mutated(self, data: bytes) -> bytes:
        """The input with a few changes, mostly one or two."""
        changed = bytearray(data)
        rng = self._rng
        while True:
            rng.choice(self._ways)(changed)
            if rng.random() < 0.45:
                return bytes(changed[:LARGEST])

    def _at(self, data: bytearray) -> int:
        return int(self._rng.random() * (len(data) + 1))

    def _span(self, data: bytearray, most: int = 64) -> tuple[int, int]:
        start = self._at(data)
        size = self._rng.choice((1, 2, 4, 8, most)) if self._rng.random() < 0.9 else len(data)
        return start, min(len(data), start + 1 + int(self._rng.random() * size))

    def _flip(self, data: bytearray) -> None:
        if data:
            data[int(self._rng.random() * len(data))] ^= 1 << int(self._rng.random() * 8)

    def _set_byte(self, data: bytearray) -> None:
        if data:
            data[int(self._rng.random() * len(data))] = self._rng.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, 10, 34, 92))

    def _delete(self, data: bytearray) -> None:
        start, end = self._span(data)
        del data[start:end]

    def _insert(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = self._rng.randbytes(self._rng.choice((1, 2, 4, 30)))

    def _insert_word(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = self._rng.choice(self._words)

    def _replace_word(self, data: bytearray) -> None:
        word = self._rng.choice(self._words)
        at = data.find(word, self._at(data))
        if at >= 0:
            data[at : at + len(word)] = self._rng.choice(self._words)

    def _overwrite_number(self, data: bytearray) -> None:
        size = self._rng.choice((1, 2, 4, 8))
        at = self._at(data)
        number = self._rng.choice(_NUMBERS) if self._rng.random() < 0.7 else len(data) + self._rng.randint(-2, 2)
        if at + size <= len(data):
            order = "little" if self._rng.random() < 0.5 else "big"
            data[at : at + size] = (number & ((1 << 8 * size) - 1)).to_bytes(size, order)  # type: ignore[arg-type]

    def _write_digits(self, data: bytearray) -> None:
        found = _DIGITS.search(data, self._at(data))
        if found is not None:
            number = self._rng.choice((*_NUMBERS, -1, 10**30, 10**400, len(data)))
            data[found.start() : found.end()] = b"%d" % number

    def _repeat(self, data: bytearray) -> None:
        start, end = self._span(data)
        times = 1 if self._rng.random() < 0.7 else self._rng.randint(2, _MOST_REPEATS)
        if (end - start) * times < LARGEST:
            data[end:end] = data[start:end] * times

    def _swap(self, data: bytearray) -> None:
        first, second = sorted((self._span(data), self._span(data)))
        if first[1] <= second[0]:
            one, two = data[slice(*first)], data[slice(*second)]
            data[slice(*second)] = one
            data[slice(*first)] = two

    def _cut(self, data: bytearray) -> None:
        at = self._at(data)
        if self._rng.random() < 0.7:
            del data[at:]
        else:
            del data[:at]

    def _splice(self, data: bytearray) -> None:
        if self._pool:
            other = self._rng.choice(self._pool)
            start = int(self._rng.random() * (len(other) + 1))
            end = start + int(self._rng.random() * (len(other) - start + 1))
            at = self._at(data)
            data[at : at + self._rng.choice((0, end - start))] = other[start:end]

    def _move_line(self, data: bytearray) -> None:
        lines = data.split(b"\n")
        line = lines.pop(self._rng.randrange(len(lines)))
        for _ in range(self._rng.choice((0, 1, 1, 2))):
            lines.insert(self._rng.randint(0, len(lines)), line)
        data[:] = b"\n".join(lines)

    def _wide(self, data: bytearray) -> None:
        """Another encoding, rarely: nothing that is known of the format is left."""
        if self._rng.random() < 0.1:
            data[:] = data.decode("latin-1").encode(self._rng.choice(("utf-16", "utf-16-be", "utf-8", "utf-32-le")))
