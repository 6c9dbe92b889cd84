"""Values that are glued to one another or to their names, where it can be inferred what is between.

`binance_apikey_<64>`, `key=<64>secret=<64>`, `<64>api_secret<64>`, and a key with its secret in one run of 128. The
name of a credential is enough there; two values with one sign or nothing between them need Binance beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from binance_leaks.detect.candidates import (
    LENGTH,
    RULES,
    Candidate,
    Shape,
    begins_freely,
    is_in_encoded_base64,
    shape_of,
)
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import Strength, read_name
from binance_leaks.detect.work import LOOK, VALUE
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern

LONGEST = 256
"""Alphanumerics in a run that may be values with their names."""
REACH = 80
"""Characters before and behind a run that matter."""
_WORD = lazy_pattern(
    r"(?:binance|bnb|api|access|secret|private|public|key(?:_?id)?|live|main(?:net)?|test(?:net)?|spot|futures?|real|demo)",
    re.IGNORECASE,
)
_MOST_WORDS = 6
_NAME_BEFORE = lazy_pattern(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z_-]{1,40}[_-]\Z")
_LONGEST_NAME = 48
# What follows a value on the pages from which it is copied.
_LABEL = lazy_pattern(r"(?:Copy|Edit|Delete|Hide|IP|Restrict|Access|Created|Enable|Save)[A-Za-z]{0,20}")
_JOINED = frozenset("+/=_-")
_LAST_NAME = lazy_pattern(r"(?<![\w$.-])[\w$.-]+(?=[^\w$.-]{0,12}\Z)")
_LETTER = lazy_pattern(r"[A-Za-z]")
_BOTH = lazy_pattern(r"key.{0,12}secret|cred|keys\b|key_?pair", re.IGNORECASE)
_LEAD = 120
_LINES_ABOVE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Glued:
    """Values in a run of alphanumerics."""

    starts: tuple[int, ...]
    named: bool
    """Whether names are glued to them; else there are two, joined by a sign or by nothing."""


def find_glued_values(document: Document, runs: Iterable[tuple[int, int]]) -> Iterator[Candidate]:
    """Yield every value that is glued to another or to a name, in order, in runs that are no values themselves."""
    text = document.text
    for start, end in runs:
        if not document.work.spend(LOOK):
            return
        glued = glued_in_run(text, start, end)
        if glued is None or not (glued.named or _is_binance_beside(document, start, end)):
            continue
        for at in glued.starts:
            shape = shape_of(text[at : at + LENGTH])
            if shape is None or not (shape is Shape.BASE62 or glued.named):
                continue
            if document.work.spend(VALUE):
                yield Candidate(
                    start=at, end=at + LENGTH, value=text[at : at + LENGTH].encode(), shape=shape, rule=RULES[shape]
                )


def glued_in_run(text: str, start: int, end: int) -> Glued | None:
    """Return the values in a maximal run of alphanumerics that is no value by itself, None if there are none.

    Reads at most 80 characters before the run and behind it.
    """
    if not LENGTH <= end - start <= LONGEST or is_in_encoded_base64(text, start, end):
        return None
    at = _skip_name(text, start, end)
    named = at > start or _is_named_before(text, start)
    joined = not named and _is_value_before(text, start)
    if not (named or joined or begins_freely(text, start)):
        return None
    starts = []
    while end - at >= LENGTH:
        starts.append(at)
        behind = at + LENGTH
        at = _skip_name(text, behind, end)
        named = named or at > behind
    if at < end or text[at : at + 1] in _JOINED:
        if _is_named_behind(text, at, end) or (named and at < end and _LABEL.fullmatch(text, at, end)):
            named = True
        elif at == end and _is_value_behind(text, at):
            joined = True
        else:
            return None
    if not named and len(starts) != (1 if joined else 2):
        return None
    return Glued(starts=tuple(starts), named=named)


def _skip_name(text: str, at: int, end: int) -> int:
    """Return where the name of a credential ends that begins at `at` with a value behind it; `at` if there is none."""
    return max((name for name in _names(text, at, end) if end - name >= LENGTH), default=at)


def _names(text: str, at: int, end: int) -> Iterator[int]:
    """Yield where the name of a key or secret may end that begins at an offset."""
    start = at
    for _ in range(_MOST_WORDS):
        match = _WORD.match(text, at, end)
        if match is None:
            return
        at = match.end()
        if _names_credential(text[start:at]):
            yield at
        if text[at : at + 1] in ("_", "-") and at < end:
            at += 1


def _names_credential(text: str) -> bool:
    name = read_name(text)
    return name.role is not None and name.strength > Strength.WEAK


def _is_named_before(text: str, start: int) -> bool:
    """Whether a name with a sign at its end is before a run, as in `api_key_<64>`."""
    if text[start - 1 : start] not in ("_", "-"):
        return False
    match = _NAME_BEFORE.search(text[max(0, start - _LONGEST_NAME) : start])
    return match is not None and _names_credential(match.group())


def _is_named_behind(text: str, at: int, end: int) -> bool:
    """Whether the name of another value begins at `at`, and goes on to the end of the run or farther."""
    start = at + 1 if at == end and text[at : at + 1] in ("_", "-") else at
    for name in _names(text, start, start + _LONGEST_NAME):
        if name >= end and (
            not _is_alphanumeric(text[name : name + 1]) or _is_alphanumeric(text[name : name + LENGTH])
        ):
            return True
    return False


def _is_value_before(text: str, start: int) -> bool:
    first = start - 1 - LENGTH
    return (
        first >= 0
        and text[start - 1] in _JOINED
        and _is_alphanumeric(text[first : start - 1])
        and text[first - 1 : first] not in _JOINED - {"="}
    )


def _is_value_behind(text: str, end: int) -> bool:
    last = end + 1 + LENGTH
    return last <= len(text) and _is_alphanumeric(text[end + 1 : last]) and text[last : last + 1] not in _JOINED


def _is_alphanumeric(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _is_binance_beside(document: Document, start: int, end: int) -> bool:
    """Whether the name of two joined values mentions Binance or both halves; without a name, what is around them."""
    index = document.line_index(start)
    line, _ = document.line_span(index)
    lead = document.text[max(line, start - _LEAD) : start]
    name = _LAST_NAME.search(lead)
    if name is not None and _LETTER.search(name.group()):
        return _BOTH.search(name.group()) is not None or document.mention_between(line, start) is not None
    above, _ = document.line_span(max(0, index - _LINES_ABOVE))
    _, last = document.line_span(index)
    return document.mention_between(max(above, start - 3 * _LEAD), min(last, end + _LEAD)) is not None
