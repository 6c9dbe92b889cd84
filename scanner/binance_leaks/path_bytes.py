"""Paths, refs and settings of git as text, and back: bytes that are no UTF-8 are kept on every system.

`os.fsdecode` does so on POSIX. On Windows it refuses such bytes, which any repository may have in its names.
"""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":

    def decode_path(name: bytes) -> str:
        """Decode a name; what cannot be decoded is in it as surrogates."""
        return name.decode("utf-8", "surrogateescape")

    def encode_path(name: str) -> bytes:
        """Encode a name of `decode_path`, or of a file of Windows, which may have half a surrogate pair in it."""
        try:
            return name.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return name.encode("utf-8", "surrogatepass")

else:
    decode_path, encode_path = os.fsdecode, os.fsencode
