"""String literals that a program puts together, and the values that they make up.

By operators (`"ab" + "cd"`, `.`, `..`, `&`, `||`), by nothing (`"ab" "cd"`), by additions to one name (`+=`,
`.append("ab")`), and by calls that join a list. Imports next to nothing, for the prefilter.
"""

from __future__ import annotations

import re

from binance_leaks.lazy_patterns import lazy_pattern

TYPE_CHECKING = False  # as typing has it: a commit that is clean may need this module
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LENGTH = 64
LONGEST = 800
"""Characters of a chain that makes up a value, unless its pieces are far apart."""
CHAIN_REACH = 4 * LONGEST
"""Characters around a sign of a short piece in which all of its chain is."""
_BLANKS = r"[ \t\r\n\xa0]{0,160}"
_LITERAL = lazy_pattern(r"([\"'`])([A-Za-z0-9]{1,63})\\{0,3}\1", re.ASCII)
_PREFIX = r"""[@A-Za-z]?\\{0,3}(?=["'`])"""
JOINT = lazy_pattern(
    rf"""{_BLANKS}(?:\){_BLANKS})?(?:(?:(?P<comma>,)|\+\+?|\.\.?|&|\|\||<>|\\|~){_BLANKS})?
    (?:[_\\][ \t]{{0,9}}\r?\n{_BLANKS})?(?:\({_BLANKS})?{_PREFIX}""",
    re.VERBOSE | re.ASCII,
)
"""What is between two literals that an operator or nothing joins, or a comma, from the end of one on."""
_ADDITION = lazy_pattern(
    rf"""{_BLANKS}(?:\){_BLANKS})?(?:;{_BLANKS})?[\w$.{{}}\[\]>-]{{0,60}}
    (?:(?<=.append)\(|(?<=.Append)\(|(?<=.push)\(|(?<=.push_str)\(|(?<=.concat)\(|(?<=.add)\(|(?<=.write)\(
    |{_BLANKS}(?:\+|\.\.?|&|<>|\|\|)=){_BLANKS}{_PREFIX}""",
    re.VERBOSE | re.ASCII,
)
_AFTER = frozenset(" \t\r\n\xa0+.&|<>~\\_;),\"'`@(")
_CALL_BEFORE = lazy_pattern(
    r"""(?:join|concat|implode)!?["']?[\s:(\[]{0,40}(?:["'`]{2}[\s,(\[]{1,40})?
    (?:(?:new|list|arrays?|string|str|vec|qw|of|aslist|[.\[\]!])\s{0,9}){0,8}[\s(\[{]{0,40}[@A-Za-z]?\Z""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_JOINING = ("join", "concat", "implode")
_JOINED_BY_NOTHING = lazy_pattern(r"[\"'`]{2}\s{0,9}\)", re.ASCII)
_SEPARATOR_BEFORE = lazy_pattern(r"[^\"'`][\"'`]\s{0,9}\.\s{0,9}join\W{0,40}\Z", re.ASCII)
_CALL_BEHIND = lazy_pattern(
    r"""[\s,]{0,40}[\])}]{1,3}\s{0,40}(?:,\s{0,9}["'`]{2}\s{0,9}\)
    |\.\s{0,9}(?:join|concat)\b(?!\s{0,9}\(\s{0,9}["'`][^"'`]))""",
    re.VERBOSE | re.ASCII,
)
_LEAD, _TAIL = 120, 120


def find_chains(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and content of every chain of two literals or more that has the length of a value, in order."""
    done = 0
    after = _AFTER if _may_join_list(text) else _AFTER - {","}
    for first in _LITERAL.finditer(text):
        if first.start() < done or text[first.end() : first.end() + 1] not in after:
            continue
        sections = [[first]]
        last = first
        while (following := _following(text, last.end())) is not None:
            if following[1] and after is not _AFTER:
                break
            last, is_apart = following
            if is_apart:
                sections.append([])
            sections[-1].append(last)
        done = last.end()
        if last is not first:
            yield from _values(text, sections)


def around(places: Iterable[int], reach: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a text that may hold chains through some places, which are in order."""
    start = end = 0
    for at in places:
        if at - reach > end:
            if end:
                yield start, end
            start = max(0, at - reach)
        end = at + reach
    if end:
        yield start, end


def _may_join_list(text: str) -> bool:
    """Whether a call may join the literals of a list, so that a comma between them counts."""
    lower = text.lower()
    return any(word in lower for word in _JOINING) or _JOINED_BY_NOTHING.search(text) is not None


def _following(text: str, end: int) -> tuple[re.Match[str], bool] | None:
    """Return the literal that a joint leads to from the end of another, and whether a comma is between them."""
    sign = JOINT.match(text, end)
    joint = sign or _ADDITION.match(text, end)
    piece = _LITERAL.match(text, joint.end()) if joint is not None else None
    return None if piece is None else (piece, sign is not None and sign["comma"] is not None)


def _values(text: str, sections: Sequence[Sequence[re.Match[str]]]) -> Iterator[tuple[int, int, str]]:
    """The chains between commas; without one, all of a list, if something joins it."""
    found = [pieces for pieces in sections if len(pieces) > 1 and _length(pieces) == LENGTH]
    every = [piece for pieces in sections for piece in pieces]
    if not found and _length(every) == LENGTH and _is_joined(text, every):
        found = [every]
    for pieces in found:
        yield pieces[0].start(), pieces[-1].end(), "".join(piece[2] for piece in pieces)


def _length(pieces: Sequence[re.Match[str]]) -> int:
    return sum(len(piece[2]) for piece in pieces)


def _is_joined(text: str, pieces: Sequence[re.Match[str]]) -> bool:
    """Whether a call joins a list of pieces, with nothing between them."""
    start, end = pieces[0].start(), pieces[-1].end()
    lead = text[max(0, start - _LEAD) : start]
    if _CALL_BEFORE.search(lead):
        return _SEPARATOR_BEFORE.search(lead) is None
    return _CALL_BEHIND.match(text, end, end + _TAIL) is not None
