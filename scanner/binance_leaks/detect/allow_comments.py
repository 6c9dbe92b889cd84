"""Comments in a text that allow a value: on its line, or on the line above it.

A line is one of the text as its reader sees it: a notebook's cell may be one string of JSON in which lines end with an
escape, and then each of these lines has its own comment. Reports count lines as git does, by line feeds; here a lone
carriage return ends a line as well, and all else that does in some editor or language, so that a comment allows too
little rather than too much.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from binance_leaks.detect.document import Document
from binance_leaks.lazy_patterns import lazy_pattern

_ALLOW = r"binance-leaks:\s{0,20}allow"
_SAME_LINE = lazy_pattern(
    rf"{_ALLOW}\b(?!(?:\s|-){{0,20}}next)|pragma:\s{{0,20}}(?:allow|white)list[ -]secret", re.IGNORECASE
)
_NEXT_LINE = lazy_pattern(
    rf"{_ALLOW}[\s-]{{0,20}}next[\s-]{{0,20}}line|pragma:\s{{0,20}}(?:allow|white)list[ -]next-?line[ -]secret",
    re.IGNORECASE,
)
_NEAR_MISS = lazy_pattern(
    r"binance[-_ ]?leaks[:\s]{1,20}(?:allow(?:list(?:ed)?)?|disable|exclude|false[-_ ]positive|ignore|noqa|off|ok|safe"
    r"|skip|suppress)\b|pragma:\s{0,20}(?:allow|white)list\b"
    r"|(?:gitleaks|betterleaks|kingfisher|trufflehog|ggshield|detect-secrets|secretlint)[:-]\s{0,20}"
    r"(?:allow|ignore|disable|skip)\b|\b(?:noqa|nosec|nosecret|ggignore|nosemgrep|nolint)\b",
    re.IGNORECASE,
)
_RUN = lazy_pattern(r"[A-Za-z0-9]{48}")
_NEWLINE = lazy_pattern(
    r"(?P<separator>\r(?!\n)|[\v\f\x1c-\x1e\x85\u2028\u2029])"
    r"|(?P<slashes>\\{1,8})(?:r\\{1,8}n|[nr]|u000[aAdD]|x0[aAdD]|012)|(?:&#(?:10|13|x[aAdD]);|%0[aAdD]|<br ?/?>){1,2}"
)
_QUOTE = lazy_pattern(r"(?P<slashes>\\{0,8})(?P<quote>[\"`]|(?<![A-Za-z])'|'(?![A-Za-z]))")
_END_OF_STRING = lazy_pattern(r"[\s\"'`\\,;)\]}]*$")
_REACH = 500
_MOST_LINES = 200


def find_allow_comment(document: Document, start: int, end: int) -> str | None:
    """Return the comment that allows the value at `text[start:end]`, on one of its lines or on the line above it.

    In a very long line, such as minified code, only a comment near the value counts.
    """
    if not document.may_allow:
        return None
    text = document.text
    first, last = document.line_index(start), document.line_index(end)
    for index in range(first, min(last, first + _MOST_LINES) + 1):
        line_start, line_end = document.line_span(index)
        for comment in _SAME_LINE.finditer(text, max(line_start, start - _REACH), min(line_end, end + _REACH)):
            if not any(_newlines_between(text, comment, start, end)):
                return comment.group()
    line_start, _ = document.line_span(first)
    for comment in _NEXT_LINE.finditer(text, max(line_start, start - _REACH), start):
        if len(list(_newlines_between(text, comment, start, end))) == 1:
            return comment.group()
    if first == 0:
        return None
    line_start, line_end = document.line_span(first - 1)
    for comment in _NEXT_LINE.finditer(text, line_start, min(line_end, line_start + 2 * _REACH)):
        behind = next(_newlines(text, comment.end(), min(line_end, comment.end() + _REACH)), None)
        if behind is None or _END_OF_STRING.match(_NEWLINE.sub("", text[behind.end() : line_end][:_REACH])):
            return comment.group()
    return None


def find_near_miss(document: Document, start: int, end: int) -> tuple[str, bool] | None:
    """Return a comment that looks as if it should allow the value at `text[start:end]`, and whether it is above it.

    It is on the first line of the value, behind it, or on the line above.
    """
    text = document.text
    first, last = document.line_index(start), document.line_index(end)
    _, line_end = document.line_span(last)
    found = _NEAR_MISS.search(text, end, min(line_end, end + _REACH))
    if found is not None:
        return found.group(), False
    if first == 0:
        return None
    line_start, line_end = document.line_span(first - 1)
    found = _NEAR_MISS.search(text, line_start, min(line_end, line_start + _REACH))
    if found is None or _RUN.search(text, line_start, min(line_end, line_start + _REACH)):
        return None  # there is none, or it belongs to a value on its own line
    return found.group(), True


def _newlines_between(text: str, comment: re.Match[str], start: int, end: int) -> Iterator[re.Match[str]]:
    """The ends of lines between a value and a comment, escaped ones if they are in one string with both."""
    if comment.end() <= start:
        yield from _newlines(text, comment.end(), start)
    elif comment.start() >= end:
        for newline in _NEWLINE.finditer(text, end, comment.start()):
            if not _leaves_string(newline, text[newline.end() : comment.start()]):
                yield newline


def _newlines(text: str, comment_end: int, end: int) -> Iterator[re.Match[str]]:
    """The ends of lines behind a comment, escaped ones if they are in one string with it."""
    for newline in _NEWLINE.finditer(text, comment_end, end):
        if not _leaves_string(newline, text[comment_end : newline.start()]):
            yield newline


def _leaves_string(newline: re.Match[str], text: str) -> bool:
    """Whether the string in which an escape ends a line begins or ends in `text`, which reaches up to the escape.

    What ends a line without an escape leaves none.
    Its quotes have fewer backslashes in front than the escape, and there is an odd number of one kind.
    """
    if newline["separator"]:
        return False
    depth = len(newline["slashes"] or "\\")
    quotes = Counter(quote.group() for quote in _QUOTE.finditer(text) if len(quote["slashes"]) < depth)
    return any(count % 2 for count in quotes.values())
