"""What every report format takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scanner.model import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How a report is to look. Formats for machines heed `show_suppressed` alone.

    `width` is in columns. `color` is the caller's decision, who knows the terminal, `NO_COLOR` and `TERM`.
    `verbose` adds digests and shows what is otherwise folded.
    """

    width: int = 80
    color: bool = False
    show_suppressed: bool = False
    verbose: bool = False


class Format(Protocol):
    """One way to write a result down."""

    @property
    def name(self) -> str:
        """The name that `--format` takes."""
        ...

    def render(self, result: Result, view: View) -> str:
        """The whole report, ending in a newline. The same result and view give the same text."""
        ...
