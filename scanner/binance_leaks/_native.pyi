"""What is pure work per byte and per object, compiled: the same as Python does where this was not built, but faster."""

from array import array
from collections.abc import Callable, Iterable
from mmap import mmap
from typing import TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview

class DeltaTrees:
    """The delta trees of a pack, for walks as in `sources.objects.walk`."""

    def __new__(
        cls,
        data: mmap,
        offsets: array[int],
        first: array[int],
        following: array[int],
        id_size: int,
        inflate: Callable[[memoryview, int], bytes],
        decompress: Callable[[memoryview, int], bytes | bytearray],
        errors: tuple[type[Exception], ...],
        limits: tuple[int, int, int, int],
    ) -> DeltaTrees: ...
    def visit(
        self,
        roots: array[int],
        visit: Callable[[int, bytes, bytes, int], int],
        around: tuple[int, int, int] | None,
        wanted: bytearray | None,
        needed: bytearray | None,
    ) -> tuple[int, int, list[int], list[int]]:
        """Show a function the objects of the trees of some roots.

        Returns the number of objects shown, their bytes, and the entries that were left, and are forged; all that
        descends from these is, too.
        """

class Search:
    """The first test on bytes: see `binance_leaks.detect.sieve`, which knows the words and the traits."""

    def __new__(cls, words: Iterable[tuple[bytes, int, int]], names: Iterable[tuple[bytes, int, int]]) -> Search:
        """Make a search for words in small letters, each with its traits and a condition, and names near digits."""
    def traits(self, data: Buffer, /) -> int:
        """Return the traits of some bytes, as bits."""
    def runs(self, data: Buffer, /) -> list[tuple[int, int]]:
        """Return start and end of every long run that has the trait VALUE."""
    def pieces(self, data: Buffer, /) -> list[tuple[int, int]]:
        """Return start and end of the last 16 characters of every piece of a value."""
    def chains(self, data: Buffer, /) -> list[tuple[int, int]]:
        """Return start and end of every sign of a short piece of a value, in order."""

def must_look(inherited: int, seen: int, /) -> bool:
    """Whether a version must be looked at more closely: the same as `binance_leaks.detect.sieve.must_look`."""
