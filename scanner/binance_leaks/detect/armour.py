"""Armour of PEM and PGP: its markers, and which of them are only mentioned."""

from __future__ import annotations

import re

from binance_leaks.lazy_patterns import lazy_pattern

LINE_END = lazy_pattern(
    r"\\{1,8}[rnt]|\\{1,8}u000[aAdD]|%0[aAdD]|&#1[03];|&#x[aAdD];|<br ?/?>|\\{1,8}\r?\n"
    r"|[\"'`][ \t]{0,4}[+.,&\\]?[ \t]{0,4}\r?\n[ \t]{0,40}[\"'`]"
)
"""An escaped end of a line, or what is between two literals on lines of their own."""
_ESCAPED_HYPHEN = lazy_pattern(r"\\-|\\u002[dD]|&#45;|%2[dD]")
_MARKER = lazy_pattern(
    r"----[ -]?(?:BEGIN|END)\b[^\n\"'`-]{0,60}-{4,5}"
    r"|(?<![A-Za-z0-9_])(?:BEGIN|END)[ _](?:(?:RSA|DSA|EC|OPENSSH|ENCRYPTED|PGP)[ _])?"
    r"(?:(?:PRIVATE|PUBLIC)[ _]KEY|CERTIFICATE)(?![A-Za-z0-9])"
)
_LABEL = lazy_pattern(r"BEGIN[ _][A-Z0-9 _]{0,60}-{0,5}")
_BLANK_LINE_BELOW = lazy_pattern(r"[A-Z0-9 ]{1,60}-----(?:\\[nr]|[^\nA-Za-z0-9]){0,6}\n[^\S\n]{0,40}\n")
_REACH = 800
_LONGEST_PREFIX = 100
_LONGEST_MENTIONED = 2
_LINE_OF_BODY = lazy_pattern(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{24,}={0,2}")
_END_OF_BODY = lazy_pattern(
    r"-----?END\b|(?<![A-Za-z0-9+/])(?P<last>[A-Za-z0-9+/]{1,63})(?P<padding>={0,2})(?=[\s\"'`,;)]{0,20}\Z)"
)
_NEXT_VALUE = lazy_pattern(r"(?<=[A-Za-z0-9+/=]{24})[\"'`,;:|][^A-Za-z0-9+/]{0,20}[A-Za-z0-9+/]")
"""What is between a value and another on its line."""
_WORD_OR_NUMBER = lazy_pattern(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_WORD = lazy_pattern(r"[A-Za-z]{2,}")
_BEGINNING = lazy_pattern(r"M[A-P]|b3Bl|AAAA|ey")
"""How bodies begin: DER, OpenSSH, SSH and JSON."""


def without_armour_markers(text: str) -> str:
    """Return a text with lines such as `-----BEGIN PRIVATE KEY-----` blanked, which name nothing but armour."""
    return _MARKER.sub(" ", text) if "BEGIN" in text or "END" in text else text


def without_escaped_hyphens(text: str) -> str:
    """Return a text in which the hyphens of markers are not escaped, and escaped ends of lines are ends of lines."""
    return LINE_END.sub("\n", _ESCAPED_HYPHEN.sub("-", text))


def is_mention(text: str, begun: int) -> bool:
    """Whether what is below a marker at `BEGIN` is a value or two, and not the body of armour.

    A body begins as its format does, or has more lines, or a shorter last one, or an end. Its lines hold no more.
    """
    prefix = text[max(0, begun - _LONGEST_PREFIX) : begun].rpartition("\n")[2]
    frame = _WORD.findall(without_escaped_hyphens(prefix))
    lines = without_escaped_hyphens(text[begun : begun + _REACH]).split("\n")
    label = _LABEL.match(lines[0])
    lines[0] = lines[0][label.end() if label else 0 :]
    body: list[str] = []
    for whole in lines:
        others = None if whole is lines[0] else _NEXT_VALUE.search(whole)
        line = whole[: others.start()] if others else whole
        pieces = list(_LINE_OF_BODY.finditer(line))
        end = _end_of_body(line, pieces[-1].end() if pieces else 0)
        first = pieces[0] if pieces else end
        words = _WORD.findall(line[: first.start()] if first else line)
        if not words or (first and words == frame):
            body += (piece.group().lstrip("+/") for piece in pieces)  # signs of a diff and of a comment
            if end and body:
                return False
        elif whole is not lines[0]:
            break
        if others:
            break
    if not 0 < len(body) <= _LONGEST_MENTIONED or any(len(line) != 64 or not line.isalnum() for line in body):
        return False
    return _BEGINNING.match(body[0]) is None or _BLANK_LINE_BELOW.match(text, begun + len("BEGIN ")) is not None


def _end_of_body(line: str, at: int) -> re.Match[str] | None:
    """Return the marker or the shorter line of base64 that ends a body, from an offset on; None if there is neither."""
    end = _END_OF_BODY.search(line, at)
    if end is None or not end["last"] or end["padding"]:
        return end
    return None if len(end["last"]) % 4 or _WORD_OR_NUMBER.fullmatch(end["last"]) else end
