"""Lay out styled lines at a given width. Takes text objects only, so that markup in a path has no effect.

It breaks and styles lines as rich does, whose import takes as long as to find a credential in a small commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.quantities import plural

_NARROWEST = 20  # leaves room beside the deepest indentation
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
"""What switches a style on, by ECMA-48, in the order in which they are written."""
_WORD = lazy_pattern(r"\S+\s*")
_NARROW = lazy_pattern(r"[ -~¡-¬®-ɏ–—‘’“”…]*")
"""What takes a column a character: all of most reports. For other text rich reads tables of ten thousand rows."""


class Text:
    """A text in which parts are styled with the words of `_CODES`; what is appended has the text's own style too."""

    __slots__ = ("_parts", "_style")

    def __init__(self, text: str = "", style: str = "") -> None:
        self._style = style
        self._parts = [(text, style)] if text else []

    @classmethod
    def assemble(cls, *parts: str | tuple[str, str] | Text) -> Text:
        """Join strings, strings with styles, and texts."""
        joined = cls()
        for part in parts:
            if isinstance(part, tuple):
                joined.append(*part)
            else:
                joined = joined + (part if isinstance(part, Text) else cls(part))
        return joined

    @property
    def plain(self) -> str:
        """The text without its styles."""
        return "".join(text for text, _ in self._parts)

    def append(self, text: str, style: str = "") -> Text:
        """Add a string at the end; return the text itself."""
        both = f"{self._style} {style}"
        if self._parts and self._parts[-1][1] == both:
            text = self._parts.pop()[0] + text
        if text:
            self._parts.append((text, both))
        return self

    def join(self, texts: Iterable[Text]) -> Text:
        """Return these texts with this one between each two."""
        joined = Text()
        for number, text in enumerate(texts):
            joined = joined + self + text if number else joined + text
        return joined

    def __add__(self, other: Text) -> Text:
        both = Text(style=self._style)
        both._parts = [*self._parts, *((text, f"{self._style} {style}") for text, style in other._parts)]
        return both

    def part(self, start: int, end: int | None = None) -> Text:
        """Return the text from one character to another, as a slice of a string has them."""
        taken = Text(style=self._style)
        at = 0
        for text, style in self._parts:
            kept = text[max(0, start - at) : None if end is None else max(0, end - at)]
            at += len(text)
            if kept:
                taken._parts.append((kept, style))
        return taken

    def wrap(self, width: int) -> list[Text]:
        """Return the lines of the text, broken between words, and within those that are wider than a line."""
        plain = self.plain
        ends = [0, *_breaks(plain, width), len(plain)]
        return [self.part(start, end) for start, end in pairwise(ends)]

    def render(self, *, color: bool) -> str:
        """Return the text with escape sequences for its styles, if they are wanted."""
        return "".join(_styled(text, style) if color and style.strip() else text for text, style in self._parts)

    def rstrip(self) -> Text:
        """Return the text without white space at its end."""
        return self.part(0, len(self.plain.rstrip()))


class Page:
    """Collects lines; `text()` returns them without trailing spaces, ending in a newline."""

    def __init__(self, *, width: int, color: bool) -> None:
        self._lines: list[str] = []
        self._width = max(width, _NARROWEST)
        self._color = color

    def wrapped(self, text: Text, *, indent: int = 0, hang: int = 0) -> None:
        """Print a paragraph, its first line indented, the following ones by `hang` more."""
        first = text.wrap(self._width - indent)[0]
        self._print(Text(" " * indent) + first)
        plain = text.plain
        behind = len(plain) - len(plain[len(first.plain) :].lstrip())
        if behind < len(plain):
            for line in text.part(behind).wrap(self._width - indent - hang):
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
        link = f"\x1b]8;;{url}\x1b\\{first.render(color=self._color)}\x1b]8;;\x1b\\"
        self._lines.append(f"{' ' * indent}{link}{second.rstrip().render(color=self._color)}")

    def together(self, first: Text, second: Text, *, indent: int) -> None:
        """Print two texts on one line if they fit, else the first one unbroken and the second wrapped below."""
        if indent + _columns(first.plain) + _columns(second.plain) <= self._width:
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
        self._lines.append("")

    def text(self) -> str:
        """Return the page as one string."""
        return "".join(f"{line}\n" for line in self._lines)

    def _print(self, line: Text) -> None:
        self._lines.append(line.rstrip().render(color=self._color))


def _styled(text: str, style: str) -> str:
    words = set(style.split())
    return f"\x1b[{';'.join(code for word, code in _CODES.items() if word in words)}m{text}\x1b[0m"


def _breaks(text: str, width: int) -> list[int]:
    """Return where lines begin behind the first one."""
    breaks: list[int] = []
    column = start = behind = 0
    for match in _WORD.finditer(text):
        start, behind = behind, match.end()
        word = text[start:behind]
        length = _columns(word.rstrip())
        if length <= width - column:
            column += _columns(word)
        elif length > width:
            for part in _chopped(word, width):
                if start:
                    breaks.append(start)
                start += len(part)
                column = _columns(part)
        elif column and start:
            breaks.append(start)
            column = _columns(word)
    return breaks


def _columns(text: str) -> int:
    """The columns of a terminal that a text takes."""
    if _NARROW.fullmatch(text):
        return len(text)
    from rich.cells import cell_len  # start-up: only for wide characters

    return cell_len(text)


def _chopped(word: str, width: int) -> list[str]:
    """A word in parts that are no wider than a line."""
    if _NARROW.fullmatch(word):
        return [word[at : at + width] for at in range(0, len(word), width)]
    from rich.cells import chop_cells  # start-up: as above

    return chop_cells(word, width)
