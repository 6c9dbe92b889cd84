"""Report formats: a table from each name to the function that renders it, and what all of them take.

A format's module is imported when it is first used, since each costs start-up time that the hook must not pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, TextIO

from binance_leaks.errors import UsageError
from binance_leaks.findings import Result
from binance_leaks.lazy_dataclasses import dataclass

__all__ = ["FORMAT_NAMES", "Format", "View", "format_named", "write_report"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How a report is to look. Formats for machines use `show_suppressed` and `moment` only."""

    width: int = 80
    """Columns of the terminal."""
    color: bool = False
    """Whether to use colour: decided by the caller, who knows the terminal, `NO_COLOR` and `TERM`."""
    show_suppressed: bool = False
    """Whether to list suppressed findings."""
    verbose: bool = False
    """Whether to add digests and unfold every list."""
    moment: datetime = _EPOCH
    """When the report is made, in UTC; given by the caller, so that the same view gives the same text."""
    folder: str | None = None
    """Absolute path with `/`, from which text links to files; None for no links."""
    program: str = "binance-leaks"
    """What a reader types to start this program."""
    remembered: bool = False
    """Whether `allow` knows the findings by their ids, as it does on the machine that scanned."""
    only_changes: bool = False
    """Whether text is a single line where nothing changed since an earlier run."""


class _Renderer(Protocol):
    """The function of a format."""

    def __call__(self, result: Result, view: View) -> str: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a result."""

    name: str
    """The name that `--format` takes."""
    function: str
    """The function that renders it, as `module:function` below this package."""
    for_people: bool = False
    """Whether people read it at a terminal, so that `--quiet` leaves it out where nothing was found."""
    for_repository: bool = False
    """Whether it shows `Result.repository` where nothing was found, too."""

    def render(self, result: Result, view: View) -> str:
        """Return the whole report, ending in a newline. The same result and view give the same text."""
        module, _, function = self.function.partition(":")
        renderer: _Renderer = getattr(import_module(f"{__name__}.{module}"), function)  # start-up: see above
        return renderer(result, view)


_FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        known.name: known
        for known in (
            Format("text", "summary:render_text_or_line", for_people=True),
            Format("json", "json:render_json", for_repository=True),
            Format("sarif", "sarif:render_sarif"),
            Format("github", "github:render_github"),
            Format("gitlab", "gitlab:render_gitlab"),
            Format("junit", "junit:render_junit"),
            Format("csv", "csv:render_csv"),
            Format("markdown", "markdown:render_markdown"),
            Format("html", "html.page:render_html", for_repository=True),
        )
    }
)

FORMAT_NAMES: tuple[str, ...] = tuple(_FORMATS)
"""All names that `--format` takes."""


def format_named(name: str) -> Format:
    """Return the format of this name. Raises UsageError if there is none."""
    if name not in _FORMATS:
        raise UsageError(f"unknown report format: {name!r}", hint=f"Known: {', '.join(FORMAT_NAMES)}")
    return _FORMATS[name]


_PLAIN = MappingProxyType({"…": "...", **dict.fromkeys("“”‘’", "'"), **dict.fromkeys("–—", "-"), "→": "->"})
"""Signs of our own texts in ASCII. None of them has a meaning in a format, as a quotation mark would."""


def write_report(text: str, stream: TextIO) -> None:
    """Write and flush a report. Characters that the stream's encoding lacks are written in ASCII, else as escapes.

    Raises OSError as the stream does, BrokenPipeError if it was closed.
    """
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        lacking = {ord(sign): plain for sign, plain in _PLAIN.items() if not sign.encode(encoding, "ignore")}
        text = text.translate(lacking).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()
