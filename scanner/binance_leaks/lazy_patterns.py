"""Regular expressions that are compiled when they are first used.

A scan that finds something imports two hundred and uses a fourth of them; compiling all takes longer than to search.
"""

from __future__ import annotations

import re
from typing import AnyStr, cast


def lazy_pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what does for an expression of a module, as `re.compile` would.

    >>> lazy_pattern(r"[0-9]+").findall("1 and 23")
    ['1', '23']
    """
    return cast("re.Pattern[AnyStr]", LazyPattern(source, flags))


class UsedPattern:
    """Has the methods and attributes of a compiled expression as its own: no method here takes part in a search."""


class LazyPattern(UsedPattern):
    """Stands for an expression until it is used."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):  # as `copy` and `pickle` want to know whether there are such methods
            raise AttributeError(name)
        compiled = re.compile(self._source, self._flags)
        vars(self).update({own: getattr(compiled, own) for own in dir(compiled) if not own.startswith("_")})
        self.__class__ = UsedPattern  # type: ignore[assignment]
        return getattr(self, name)
