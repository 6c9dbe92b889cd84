"""Reports: a result in, text out, one module a format.

A format's module is imported when it is first asked for, since each costs start-up time that the hook must not pay.
"""

from __future__ import annotations

from dataclasses import dataclass

from scanner.errors import UsageError
from scanner.model import Result
from scanner.report.format import Format, View

__all__ = ["FORMAT_NAMES", "Format", "View", "format_named"]


@dataclass(frozen=True, slots=True)
class _Text:
    name: str = "text"

    def render(self, result: Result, view: View) -> str:
        from scanner.report.brief import clean_line  # start-up: only when a report is wanted

        if (line := clean_line(result, view)) is not None:
            return line
        from scanner.report.text import render_text  # start-up: rich costs 35 ms, and most commits are clean

        return render_text(
            result, width=view.width, color=view.color, show_suppressed=view.show_suppressed, verbose=view.verbose
        )


@dataclass(frozen=True, slots=True)
class _Json:
    name: str = "json"

    def render(self, result: Result, view: View) -> str:
        from scanner.report.json import render_json  # start-up: json costs 3 ms

        return render_json(result, show_suppressed=view.show_suppressed)


_FORMATS: tuple[Format, ...] = (_Text(), _Json())

FORMAT_NAMES: tuple[str, ...] = tuple(known.name for known in _FORMATS)


def format_named(name: str) -> Format:
    """The format of this name; `UsageError` if there is none."""
    for known in _FORMATS:
        if known.name == name:
            return known
    raise UsageError(f"unknown report format: {name!r}", hint=f"formats are {', '.join(FORMAT_NAMES)}")
