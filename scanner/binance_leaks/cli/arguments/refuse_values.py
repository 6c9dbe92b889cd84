"""Refuse credentials among the arguments: the shell's history keeps them, and every user of the machine sees them."""

from __future__ import annotations

import os

from binance_leaks.errors import UsageError
from binance_leaks.lazy_patterns import lazy_pattern

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = lazy_pattern(r"[A-Za-z0-9]{40,}")
_MIXED = lazy_pattern(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9]{40,}")
_LOWER = lazy_pattern(r"[0-9a-z]{64}")
_PRIVATE = lazy_pattern(r"PRIVATE KEY-----|MC4CAQAwBQYDK2Vw|MII[A-Za-z0-9+/]{60}|[A-Za-z0-9+/]{43}=")


def refuse_values(words: Sequence[str], *, digests: bool = False) -> None:
    """Raise UsageError if an argument looks like a credential, without repeating it.

    A run of 64 lower-case letters and digits may also name a file, and is refused only where there is no such file;
    with `digests` it may be one.
    """
    for word in words:
        tokens = _TOKEN.findall(word)
        hex_like = not digests and any(_LOWER.fullmatch(token) for token in tokens) and not _names_a_file(word)
        if hex_like or any(_MIXED.fullmatch(token) for token in tokens) or _PRIVATE.search(word):
            raise UsageError(
                "an argument looks like a key or secret, and arguments are never read as such",
                hint="It is in the shell's history now, and every program here could see it: create a new key, "
                "delete this one, and pass the new one by the environment, --env-file, --stdin or at the prompt.",
            )


def _names_a_file(word: str) -> bool:
    return os.path.lexists(word) or os.path.lexists(word.partition("=")[2])
