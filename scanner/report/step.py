"""One step of advice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_MOST_ABOUT = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to do. `verbatim` are lines to copy as they are, `about` the masks of the values that it is for."""

    text: str
    verbatim: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    def told(self, shown: Callable[[str], str]) -> str:
        """The text, with what it is for in front; `shown` makes a mask fit to be shown."""
        if not self.about:
            return self.text
        more = len(self.about) - _MOST_ABOUT
        listed = ", ".join(map(shown, self.about[: _MOST_ABOUT if more > 1 else None]))
        return f"For {listed}{f' and {more:,} more' if more > 1 else ''}: {self.text}"
