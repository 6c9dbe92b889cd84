"""Keep values out of every output: the `Secret` that holds one, and the masks that reports show instead."""

from __future__ import annotations


class Secret:
    """The bytes of a value, kept from every output.

    `repr`, `str` and `format` show no character of it, and it cannot be pickled, so that it does not leave the process
    that read it. Only `verify/`, `plugin.py`, `replacements.py` and this module may call `reveal()`; a test enforces
    that.
    """

    __slots__ = ("_bytes",)

    def __init__(self, value: bytes) -> None:
        self._bytes = value

    def reveal(self) -> bytes:
        """The bytes themselves: ASCII of a key or secret, DER of a private key."""
        return self._bytes

    def __repr__(self) -> str:
        return "Secret(***)"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._bytes == other._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __reduce__(self) -> str:
        raise TypeError("a Secret does not leave its process")


def mask_api_key(value: bytes) -> str:
    """Return both ends of an API key, which is not secret by itself."""
    text = value.decode("ascii", "replace")
    return f"{text[:4]}…{text[-4:]}"


def mask_secret_key(value: bytes) -> str:
    """Return the start of a secret key, or of a value that may be one."""
    return f"{value[:4].decode('ascii', 'replace')}…"


def mask_private_key(der: bytes) -> str:
    """Return the size of a private key, and nothing of its content."""
    return f"private key, {len(der)} bytes"
