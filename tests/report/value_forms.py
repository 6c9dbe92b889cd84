"""Forms in which a text holds a value without a run of its 64 characters, and what a reader of such a text sees."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType


def _each(form: str) -> Callable[[str], str]:
    return lambda value: "".join(form.format(ord(char)) for char in value)


def _pieces(size: int, between: str) -> Callable[[str], str]:
    return lambda value: between.join(value[start : start + size] for start in range(0, len(value), size))


FORMS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "two literals": _pieces(32, '" + "'),
        "a name": _pieces(32, "_"),
        "zero width": _pieces(32, "\u200b"),
        "soft hyphens": _pieces(7, "\u00ad"),
        "escaped soft hyphens": _pieces(32, "\\u00ad"),
        "escaped line break": _pieces(20, "\\n"),
        "a list": _pieces(16, '", "'),
        "blanks": _pieces(4, " "),
        "nearly all": _pieces(60, "-"),
        "spaced": _pieces(1, " "),
        "bytes": _each("\\x{:02x}"),
        "code points": _each("\\u{:04x}"),
        "long code points": _each("\\U{:08x}"),
        "code points in braces": _each("\\u{{{:x}}}"),
        "octal": _each("\\{:03o}"),
        "entities": _each("&#{};"),
        "hexadecimal entities": _each("&#x{:x};"),
        "percent": _each("%{:02X}"),
        "percent twice": _each("%25{:02X}"),
        "quoted-printable": _each("={:02X}"),
        "hexadecimal": _each("{:02x}"),
        "fullwidth": lambda value: "".join(chr(ord(char) + 0xFEE0) for char in value),
        "half escaped": lambda value: value[:32] + _each("\\x{:02x}")(value[32:]),
    }
)
_HEX = r"([0-9A-Fa-f]{2})"


def readable(text: str) -> str:
    """Return the letters and digits of a report, with escapes decoded."""
    text = unicodedata.normalize("NFKC", html.unescape(html.unescape(text)))
    text = re.sub(r"\\+([0-7]{3})", lambda code: chr(int(code[1], 8)), text)
    code_points = rf"(?:\\+x|\\+u(?:00|\{{)|\\+U0{{6}}|%(?:25)*|=){_HEX}"
    text = re.sub(code_points, lambda code: chr(int(code[1], 16)), text)
    text = re.sub(r"(?:[3-7][0-9A-Fa-f]){64,}", lambda run: bytes.fromhex(run[0]).decode(), text)
    return re.sub(r"\\+(?:n|u[0-9a-f]{4})|[^A-Za-z0-9]", "", text)


def is_readable(value: str, text: str) -> bool:
    """Whether a report shows 16 characters of a value, at any place."""
    shown = readable(text)
    return any(value[start : start + 16] in shown for start in range(len(value) - 15))
