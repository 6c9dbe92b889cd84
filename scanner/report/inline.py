r"""Puts text that a stranger wrote into Markdown, where it can make no markup, link, image, mention or table cell.

Only a code span is inert everywhere: GitHub and GitLab look for `@names`, `#numbers`, commits and addresses in the text
that was rendered, where no escape is left. A backtick and a bar, which would end the span or the cell of a table, are
shown as `\x60` and `\x7c`, as other characters are that cannot be shown.
"""

from __future__ import annotations

import re

from scanner.report.sanitize import printable

_PLAIN = re.compile(r"(?:[A-Za-z0-9,;()“”’'…\u0020-]|[.:?](?=\s|$)|(?<=Binance)\.(?=US))*")
_REFERENCE = re.compile(r"\b[0-9a-f]{7,64}\b|\bwww\b|\bGL-\d|--", re.IGNORECASE)


def code(text: str) -> str:
    """A code span that shows this text."""
    shown = printable(text).replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{shown}`" if shown.strip() else "`(empty)`"


def plain(text: str) -> str:
    """Words and simple punctuation as they are, everything else as a code span."""
    return text if _PLAIN.fullmatch(text) and not _REFERENCE.search(text) else code(text)
