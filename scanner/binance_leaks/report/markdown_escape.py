r"""Puts text that a stranger wrote into Markdown, where it can make no markup, link, image, mention or table cell.

Only a code span is inert everywhere: GitHub and GitLab look for `@names`, `#numbers`, commits and addresses in the text
that was rendered, where no escape is left. A backtick and a bar, which would end the span or the cell of a table, are
shown as `\x60` and `\x7c`, as other characters are that cannot be shown.
"""

from __future__ import annotations

import re

from binance_leaks.report.sanitize import printable

_PLAIN = re.compile(r"(?:[A-Za-z0-9,;()“”’'…\u0020-]|[.:?](?=\s|$)|(?<=Binance)\.(?=US))*")
_WORD = re.compile(r"[^ ,;()]+")
_REFERENCE = re.compile(r"\b[0-9a-f]{7,64}\b|\bwww\b|\bGL-\d|--", re.IGNORECASE)


def code(text: str) -> str:
    """A code span that shows this text."""
    shown = printable(text).replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{shown}`" if shown.strip() else "`(empty)`"


def plain(text: str) -> str:
    """Words and simple punctuation as they are, everything else as a code span."""
    return text if _PLAIN.fullmatch(text) and not _REFERENCE.search(text) else code(text)


def worded(text: str) -> str:
    """Sentences with every word that is more than a word, such as a host, as a code span of its own."""
    return _WORD.sub(lambda word: _word(word[0], text[word.end() : word.end() + 1]), text)


def _word(word: str, following: str) -> str:
    """A word with the mark behind it that ends a sentence or phrase, if that is followed by a blank."""
    if word[-1] in ".:?" and word[:-1].strip(".:?") and following in ("", " "):
        return f"{plain(word[:-1])}{word[-1]}"
    return plain(word)
