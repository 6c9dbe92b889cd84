"""One step of advice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from binance_leaks.report.names import UNNAMED

_MOST_ABOUT = 5
_MOST_REPOSITORIES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to do. `verbatim` are lines to copy as they are, `about` the masks of the values that it is for.

    `repositories` are those of a fleet where it is to be done, their names as strangers wrote them.
    """

    text: str
    verbatim: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()

    def told(self, shown: Callable[[str], str]) -> str:
        """The text, with what it is for in front; `shown` makes a mask or a name fit to be shown, values masked."""
        text = self.placed(shown)
        return f"For {_listed(self.about, _MOST_ABOUT, shown)}: {text}" if self.about else text

    def placed(self, shown: Callable[[str], str]) -> str:
        """The text with the repositories in front."""
        if not self.repositories:
            return self.text
        names = [name if name.strip() else UNNAMED for name in self.repositories]
        listed = _listed(names, _MOST_REPOSITORIES, shown, "repositories")
        return f"In {listed}: {self.text[:1].lower()}{self.text[1:]}"


def _listed(names: Sequence[str], most: int, shown: Callable[[str], str], noun: str = "") -> str:
    """The first few, and how many more there are."""
    more = len(names) - most
    if more <= 1:
        return ", ".join(map(shown, names))
    return f"{', '.join(map(shown, names[:most]))} and {more:,} more{f' {noun}' if noun else ''}"
