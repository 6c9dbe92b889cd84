"""What is pure work per byte and per object, compiled: the same as Python does where this was not built, but faster."""

from array import array
from collections.abc import Callable
from mmap import mmap

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
