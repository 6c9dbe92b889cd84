"""Read one value of a stored report strictly; errors name its place in the report."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from binance_leaks.errors import UsageError
from binance_leaks.report.json import SCHEMA

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)
_MAX_NUMBER = 2**53  # what every reader of JSON can hold


@dataclass(frozen=True, slots=True)
class JsonPart:
    """One value of a report, with its place in it for errors."""

    report: str
    place: str
    value: object

    def __getitem__(self, key: str) -> JsonPart:
        """Return a value that an object must have."""
        part = self.get(key)
        if part is None:
            raise self.wrong(f"lacks {key!r}")
        return part

    def get(self, key: str) -> JsonPart | None:
        """Return a value that an object may have."""
        held = self.mapping()
        if key not in held:
            return None
        return JsonPart(self.report, f"{self.place}.{key}" if self.place else key, held[key])

    def mapping(self) -> Mapping[str, object]:
        """Return an object."""
        if not isinstance(self.value, dict):
            raise self.wrong("must be an object")
        return self.value

    def items(self, read: Callable[[JsonPart], _T], *, least: int = 0) -> tuple[_T, ...]:
        """Return a list of at least `least` items."""
        if not isinstance(self.value, list):
            raise self.wrong("must be a list")
        if len(self.value) < least:
            raise self.wrong("is empty")
        held: Sequence[object] = self.value
        return tuple(read(JsonPart(self.report, f"{self.place}[{n}]", one)) for n, one in enumerate(held))

    def optional(self, read: Callable[[JsonPart], _T]) -> _T | None:
        """Return the value, or None for null."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        """Return a string."""
        if not isinstance(self.value, str):
            raise self.wrong("must be text")
        return self.value

    def form(self, pattern: re.Pattern[str], what: str) -> str:
        """Return a string that matches. The error does not repeat one that does not: it may be a credential."""
        text = self.text()
        if pattern.fullmatch(text) is None:
            raise self.wrong(f"is not {what}")
        return text

    def truth(self) -> bool:
        """Return a boolean."""
        if not isinstance(self.value, bool):
            raise self.wrong("must be true or false")
        return self.value

    def count(self) -> int:
        """Return an integer from 1."""
        return self._from(1)

    def whole(self) -> int:
        """Return an integer from 0."""
        return self._from(0)

    def milliseconds(self) -> int:
        """Return a moment in milliseconds since 1970, between 1973 and 2286."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int) or not 10**11 <= value < 10**13:
            raise self.wrong("must be a moment in milliseconds since 1970")
        return value

    def number(self) -> int | float:
        """Return a number from 0."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong("must be a number from 0")
        if not (0 <= value <= _MAX_NUMBER and math.isfinite(value)):
            raise self.wrong("must be a number from 0")
        return value

    def member(self, kind: type[_E]) -> _E:
        """Return the member of an enumeration with this value."""
        text = self.text()
        for member in kind:
            if member.value == text:
                return member
        raise self.wrong(f"must be one of {', '.join(str(member.value) for member in kind)}")

    def _from(self, least: int) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not least <= self.value <= _MAX_NUMBER:
            raise self.wrong(f"must be a whole number from {least}")
        return self.value

    def wrong(self, what: str) -> UsageError:
        """Return the error for this value."""
        return UsageError(
            f"report {self.report}: {self.place or 'the whole'} {what}",
            hint=f"It must be a complete report of binance-leaks, schema {SCHEMA}.",
        )
