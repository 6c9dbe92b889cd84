"""Lay out styled lines at a given width. Takes text objects only, so that markup in a path has no effect."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from rich.console import Console
from rich.text import Text

from binance_leaks.quantities import plural

_NARROWEST = 20  # leaves room beside the deepest indentation


class Page:
    """Collects lines; `text()` returns them without trailing spaces, ending in a newline."""

    def __init__(self, *, width: int, color: bool) -> None:
        self._stream = StringIO()
        self._width = max(width, _NARROWEST)
        self._console = Console(  # everything that it would otherwise read from the environment
            file=self._stream,
            width=self._width,
            height=100,
            force_terminal=color,
            force_jupyter=False,
            force_interactive=False,
            color_system="standard" if color else None,
            no_color=not color,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
        )

    def wrapped(self, text: Text, *, indent: int = 0, hang: int = 0) -> None:
        """Print a paragraph, its first line indented, the following ones by `hang` more."""
        first = text.wrap(self._console, self._width - indent)[0]
        self._print(Text(" " * indent) + first)
        rest = text[len(text) - len(text.plain[len(first) :].lstrip()) :]
        for line in rest.wrap(self._console, self._width - indent - hang) if rest else ():
            self._print(Text(" " * (indent + hang)) + line)

    def whole(self, text: Text, *, indent: int = 0) -> None:
        """Print a line that is never broken or cut: it may exceed the width."""
        self._print(Text(" " * indent) + text)

    def linked(self, first: Text, second: Text, *, url: str | None, indent: int) -> None:
        """Print a line that is never broken, its first text a hyperlink (OSC 8) to `url`, which must be ASCII."""
        if url is None:
            self.whole(first + second, indent=indent)
            return
        if not (url.isascii() and url.isprintable()):
            raise ValueError("not the text of a URL")
        self._stream.write(f"{' ' * indent}\x1b]8;;{url}\x1b\\")
        self._console.print(first, soft_wrap=True, end="")
        self._stream.write("\x1b]8;;\x1b\\")
        self._print(second)

    def together(self, first: Text, second: Text, *, indent: int) -> None:
        """Print two texts on one line if they fit, else the first one unbroken and the second wrapped below."""
        if indent + first.cell_len + second.cell_len <= self._width:
            self.whole(first + second, indent=indent)
        else:
            self.whole(first, indent=indent)
            self.wrapped(second, indent=indent + 2)

    def verbatim(self, lines: Iterable[str], *, indent: int) -> None:
        """Print lines to copy as they are."""
        for line in lines:
            self.whole(Text(line, style="bold"), indent=indent)

    def more(self, count: int, noun: str = "", *, indent: int) -> None:
        """Print how many items of a list were folded, if any."""
        if count > 0:
            more = plural(count, f"more {noun}") if noun else f"{count:,} more"
            self.wrapped(Text(f"and {more}", style="dim"), indent=indent)

    def gap(self) -> None:
        """Print an empty line."""
        self._print(Text())

    def text(self) -> str:
        """Return the page as one string."""
        return self._stream.getvalue()

    def _print(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, soft_wrap=True)
