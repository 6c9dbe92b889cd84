"""Reports: a result in, text out, one module a format.

A format's module is imported when it is first asked for, since each costs start-up time that the hook must not pay.
"""

from __future__ import annotations

from dataclasses import dataclass

from binance_leaks.errors import UsageError
from binance_leaks.findings import Result
from binance_leaks.report.format import Format, View

__all__ = ["FORMAT_NAMES", "Format", "View", "format_named"]


@dataclass(frozen=True, slots=True)
class _Text:
    name: str = "text"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.summary import clean_line  # start-up: only when a report is wanted

        if (line := clean_line(result, view)) is not None:
            return line
        from binance_leaks.report.text import render_text  # start-up: rich costs 35 ms, and most commits are clean

        return render_text(
            result,
            width=view.width,
            color=view.color,
            show_suppressed=view.show_suppressed,
            verbose=view.verbose,
            folder=view.folder,
        )


@dataclass(frozen=True, slots=True)
class _Json:
    name: str = "json"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.json import render_json  # start-up: json costs 3 ms

        return render_json(result, show_suppressed=view.show_suppressed)


@dataclass(frozen=True, slots=True)
class _Sarif:
    name: str = "sarif"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.sarif import render_sarif  # start-up, as for all formats below

        return render_sarif(result, view)


@dataclass(frozen=True, slots=True)
class _Github:
    name: str = "github"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.github import render_github  # start-up

        return render_github(result, view)


@dataclass(frozen=True, slots=True)
class _Gitlab:
    name: str = "gitlab"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.gitlab import render_gitlab  # start-up

        return render_gitlab(result, view)


@dataclass(frozen=True, slots=True)
class _Junit:
    name: str = "junit"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.junit import render_junit  # start-up

        return render_junit(result, view)


@dataclass(frozen=True, slots=True)
class _Csv:
    name: str = "csv"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.csv import render_csv  # start-up

        return render_csv(result, view)


@dataclass(frozen=True, slots=True)
class _Markdown:
    name: str = "markdown"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.markdown import render_markdown  # start-up

        return render_markdown(result, view)


@dataclass(frozen=True, slots=True)
class _Html:
    name: str = "html"

    def render(self, result: Result, view: View) -> str:
        from binance_leaks.report.html.page import render_html  # start-up: jinja2 costs 50 ms

        return render_html(result, view)


_FORMATS: tuple[Format, ...] = (
    _Text(), _Json(), _Sarif(), _Github(), _Gitlab(), _Junit(), _Csv(), _Markdown(), _Html(),
)  # fmt: skip

FORMAT_NAMES: tuple[str, ...] = tuple(known.name for known in _FORMATS)


def format_named(name: str) -> Format:
    """The format of this name; `UsageError` if there is none."""
    for known in _FORMATS:
        if known.name == name:
            return known
    raise UsageError(f"unknown report format: {name!r}", hint=f"Known: {', '.join(FORMAT_NAMES)}")
