"""A repository of a fleet where it can be read: its folder, or a clone that is gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scanner.errors import UsageError
from scanner.sources import clone, urls


@contextmanager
def on_disk(address: str, cloning: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """The folder of the repository at a path or URL. `cloning` is called again and again while a clone goes on.

    Raises UsageError for what is no folder, and as `clone.temporary_clone`.
    """
    if urls.is_url(address):
        with clone.temporary_clone(address, lambda _: cloning()) as folder:
            yield folder
        return
    if not os.path.isdir(address):  # noqa: PTH112 - the text may be too long for a path
        raise UsageError(f"no such folder: {address}", hint="On a cluster, every worker must see it.")
    yield Path(address)
