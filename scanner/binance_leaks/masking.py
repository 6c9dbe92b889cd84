"""Keep values out of every output: the `Secret` that holds one, and the masks that reports show instead."""

from __future__ import annotations

from bisect import bisect_left

from binance_leaks.lazy_patterns import lazy_pattern

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Iterator

_RUN = lazy_pattern(r"[A-Za-z0-9]{64,}")
_LOWER_PAIR = lazy_pattern(r"(?=[a-z][a-z])")
_MOST_LOWER_PAIRS = 0.4
"""Small letters behind small letters in a run, of its length: 0.17 ± 0.06 in a random value, 0.45 or more in names."""
_LENGTH, _STEP = 64, 8
"""Letters of a value, and from part to part of a longer run: one of them is nearly all of a value in it."""


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


def find_runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the span of each run that looks like a value, known or not."""
    return (run.span() for run in _RUN.finditer(text) if _is_mixed(run[0]))


def _is_mixed(run: str) -> bool:
    """Whether a run of 64 or more alphanumerics is or holds a random value: all classes mixed, and not words."""
    if run.islower() or run.isupper() or run.isalpha() or run.isdigit():
        return False
    if len(run) == _LENGTH:
        return _has_both_cases(run)
    pairs = [pair.start() for pair in _LOWER_PAIR.finditer(run)]
    for start in (*range(0, len(run) - _LENGTH, _STEP), len(run) - _LENGTH):
        part = run[start : start + _LENGTH]
        few = bisect_left(pairs, start + _LENGTH) - bisect_left(pairs, start) < _MOST_LOWER_PAIRS * _LENGTH
        if few and _has_both_cases(part) and not part.isalpha():
            return True
    return False


def _has_both_cases(run: str) -> bool:
    return any(char.islower() for char in run) and any(char.isupper() for char in run)
