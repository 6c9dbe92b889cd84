"""`--pictures`: whether pictures are read, by this process and those that it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from binance_leaks.errors import UsageError
from binance_leaks.sources.pictures import settings

_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".pdf")


@contextmanager
def pictures_read(wanted: str | None, *, quick: bool) -> Iterator[None]:
    """Read pictures as the option or, without it, the environment wants; with `quick` each in at most a second.

    Raises UsageError where they must be read and nothing that could is installed.
    """
    before = os.environ.get(settings.VARIABLE)
    how = wanted or settings.mode()
    if how == settings.ON and not settings.can_read_text():
        raise UsageError(
            "the packages that recognize text in pictures are not all installed",
            hint=f"{settings.INSTALL}, or --pictures auto.",
        )
    os.environ[settings.VARIABLE] = settings.QUICK if quick and how == settings.AUTO else how
    try:
        yield
    finally:
        if before is None:
            del os.environ[settings.VARIABLE]
        else:
            os.environ[settings.VARIABLE] = before


def announce_pictures(paths: Iterable[str]) -> None:
    """Print to standard error how many pictures are about to be read, if any are."""
    count = sum(path.lower().endswith(_ENDINGS) for path in paths)
    if count and settings.are_read():
        most = ", at most a second each" if settings.mode() == settings.QUICK else ""
        what = "a picture" if count == 1 else f"{count:,} pictures"
        sys.stderr.write(f"binance-leaks: reading {what}{most}; --pictures off leaves them out\n")
        sys.stderr.flush()
