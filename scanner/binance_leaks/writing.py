"""Puts files in place whole or not at all: whoever reads one sees the old content or the new, never a part."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def put_in_place(file: Path, data: bytes) -> None:
    """Writes a draft beside the file and renames it onto it; where that fails no draft is left. Raises OSError.

    The file keeps the mode that it has, a new one gets the usual. A link is replaced, not followed.
    """
    draft = file.with_name(f".binance-leaks-{os.urandom(6).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else None
    descriptor = os.open(draft, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            draft.chmod(mode)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
