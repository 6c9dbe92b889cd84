"""What every report format takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol, TextIO

from binance_leaks.findings import Result


def write_report(text: str, stream: TextIO) -> None:
    """Write and flush a report. What the stream's encoding lacks is written in ASCII; nothing is lost over it.

    Raises OSError as the stream does, BrokenPipeError for one that was closed.
    """
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("…", "...").encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How a report is to look. Formats for machines heed `show_suppressed` and `moment` alone.

    `width` is in columns. `color` is the caller's decision, who knows the terminal, `NO_COLOR` and `TERM`.
    `verbose` adds digests and shows what is otherwise folded. `moment` is when the report is made, in UTC, for formats
    that say so: given by the caller, so that the same view gives the same text. `folder`, an absolute path with `/`, is
    where the paths of the result lead to files that text can link to; None for no links.
    """

    width: int = 80
    color: bool = False
    show_suppressed: bool = False
    verbose: bool = False
    moment: datetime = _EPOCH
    folder: str | None = None


class Format(Protocol):
    """One way to write a result down."""

    @property
    def name(self) -> str:
        """The name that `--format` takes."""
        ...

    def render(self, result: Result, view: View) -> str:
        """The whole report, ending in a newline. The same result and view give the same text."""
        ...
