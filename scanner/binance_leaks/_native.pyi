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
        visit: Callable[[int, bytes, bytes, int, int | None], int],
        search: Search | None,
        around: tuple[int, int] | None,
        wanted: bytearray | None,
        needed: bytearray | None,
    ) -> tuple[int, int, list[int], list[int]]:
        """Show a function the objects of the trees of some roots: all, or those that `search` says must be looked at.

        Returns the number of objects shown, their bytes, and the entries that were left, and are forged; all that
        descends from these is, too.
        """

    def visit_messages(
        self,
        roots: array[int],
        visit: Callable[[int, bytes], None],
        search: Search | None,
        wanted: bytearray | None,
        needed: bytearray | None,
    ) -> tuple[tuple[int, int, list[int], list[int]], list[tuple[int, bytes, tuple[bytes, ...], int]]]:
        """Show a function commits or tags: all, or those that `search` says must be looked at.

        Returns what `visit` does, and of each commit the entry, tree, parents and time.
        """

def lay_out(
    data: mmap, offsets: array[int], base: array[int], first: array[int], following: array[int], weight: array[int], /
) -> bytes:
    """Do what `sources.objects.delta_forest.lay_out` does."""

class TreeIndex:
    """What trees name, for `sources.objects.tree_index`. A tree has a number there, its `owner`."""

    def __new__(cls, id_size: int, known: array[int], sought: bytes) -> TreeIndex:
        """Make an index; `known` are the first 64 bits of ids, and `sought` ids one after the other, both ascending."""
    def read_share(
        self, trees: DeltaTrees, first_owner: int, roots: array[int], /
    ) -> tuple[int, int, list[int], list[int]]:
        """Read the trees of some roots; returns what `DeltaTrees.visit` does."""
    def read(self, owner: int, tree: bytes, /) -> None:
        """Read a tree."""
    def take(self) -> tuple[list[tuple[int, bytes, bytes]], set[bytes], bytes]:
        """Return what was found since the last call.

        Entries with sought ids: owner, name and id; unknown ids; owners, of 64 bits each, that are the first to give an
        object a name in which a value may be.
        """
    def above(self, sought: bytes, /) -> list[tuple[int, bytes, bytes]]:
        """Return owner, name and id of the folders with some ids, which are ascending one after the other."""

class Search:
    """The first test on bytes: see `binance_leaks.detect.sieve`, which knows the words and the traits."""

    def __new__(cls, words: Iterable[tuple[bytes, int, int]], names: Iterable[tuple[bytes, int, int]]) -> Search:
        """Make a search for words in small letters, each with its traits and a condition, and names near digits."""
    def traits(self, data: Buffer, /) -> int:
        """Return the traits of some bytes, as bits."""
    def present(self, data: Buffer, /) -> bytes:
        """Return a byte for each word, whose trait is its number: 1 if it is there."""
    def places(self, data: Buffer, /) -> list[tuple[int, int]]:
        """Return trait and start of every word, in order."""
    def runs(self, data: Buffer, /) -> list[tuple[int, int]]:
        """Return start and end of every long run that has the trait VALUE."""
    def pieces(self, data: Buffer, /) -> list[tuple[int, int]]:
        """Return start and end of the last 16 characters of every piece of a value."""
    def chains(self, data: Buffer, /) -> list[tuple[int, int]]:
        """Return start and end of every sign of a short piece of a value, in order."""

def must_look(inherited: int, seen: int, /) -> bool:
    """Whether a version must be looked at more closely: the same as `binance_leaks.detect.first_test.must_look`."""

def may_be_container(data: Buffer, /) -> bool:
    """Whether bytes may be an archive, end in one, or be a pointer of Git LFS."""

def trim() -> None:
    """Give the memory that was freed back to the system, where the C library can: it keeps much of large objects."""
