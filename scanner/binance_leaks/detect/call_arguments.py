"""Roles by position: `Client("K", "S")`, `K:S`, two bare lines, tuple assignments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, pairwise

from binance_leaks.detect.candidates import Candidate
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import Name, Strength, read_name
from binance_leaks.detect.nearby_names import (
    BLOCK_COMMENT,
    LINE_COMMENT,
    NamePosition,
    NearbyName,
    clean,
    complement,
    packed_name,
)
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Role

_END_OF_VALUE = lazy_pattern(
    r"""[\s"'`)\]}>]*
    (?:\.(?:to_string|to_owned|into|clone|encode|getBytes|trim|strip|unwrap|as_str|c_str|decode)\([^()]*\)[)\s]*)*""",
    re.VERBOSE,
)
_WRAPPER = r"""(?:Some|String::from|String\.from|String|std::string|std::wstring|SecretStr|SecretString|Optional\.of
    |Box::new|new|str|SecureString|NSString|Buffer\.from|Just|Text|L|b|r|u|f|N)\b"""
_BEGIN_OF_VALUE = lazy_pattern(rf"""(?:{_WRAPPER}|[\s(\["'`{{<@&*\#/-])*""", re.VERBOSE)
_SEPARATOR = lazy_pattern(r"(?:[,:;|/+&\s\\#]|->|=>|\.\.|\bto\b)+")
_BARE_NAME = lazy_pattern(r"""^["'`\])]*\s*,\s*([A-Za-z_][\w.]*)\s*[,)\]]""")
_TWO_NAMES = lazy_pattern(
    r"""(?<![\w.$@-])([\w.$@-]{1,60})(?:\s*(?:[,/|:&+;]|\band\b|和|\bи\b)\s*|\s+)([\w.$@-]{1,60})
    [\s)\]}]*(?::=|=>|<-|=|:|<<<|\bis\b|\bare\b|->)[\s("'`\[{]*$""",
    re.VERBOSE,
)
_BOUNDARY = lazy_pattern(r"[\])}]\s*(?:,\s*)?[\[({]")
_COMMENT = lazy_pattern(
    rf"""{BLOCK_COMMENT}|(?:(?<=[\s,(])|(?<=\A["'`])|(?<=\\n)){LINE_COMMENT}""", re.VERBOSE | re.DOTALL
)
_JOINT = lazy_pattern(r"\\{1,8}n\\{0,8}\"\s{0,99},(?:\s|\\{1,8}[nrt]){0,99}\\{0,8}\"")
"""Where a list of lines in JSON goes on with the next, as in the source of a notebook's cell."""
_LONGEST_GAP = 200
_LONGEST_GAP_WITH_COMMENTS = 400
_LONGEST_FRAME = 200
_MOST_LINE_ENDS = 3
_LIST_REACH = 2000
_LISTS_REACH = 200
_LONGEST_TAG = 8
_LONGEST_SHORT = 14


def adjacent_groups(document: Document, found: Sequence[Candidate]) -> list[list[int]]:
    """Group the indices of values that are next to each other with nothing but punctuation between."""
    if found and _is_property_list(document):
        return [list(range(len(found)))]
    groups: list[list[int]] = []
    for index, candidate in enumerate(found):
        if index and (
            _touch(document, found[index - 1], candidate) or _same_frame(document, found[index - 1], candidate)
        ):
            groups[-1].append(index)
        else:
            groups.append([index])
    return [part for group in groups for part in _by_lines(document, found, group)]


def _touch(document: Document, first: Candidate, second: Candidate) -> bool:
    gap = document.text[first.end : second.start]
    if _is_glued(gap) or (document.binary and len(gap) <= _LONGEST_TAG):
        return True
    if len(gap) > _LONGEST_GAP_WITH_COMMENTS or gap.count("\n") > _MOST_LINE_ENDS:
        return False
    if len(gap) <= _LONGEST_GAP and (_is_separator(clean(gap)) or not gap.strip()):
        return True
    code = _JOINT.sub(" ", _COMMENT.sub(" ", gap))
    return (
        len(code) <= _LONGEST_GAP
        and "," in code
        and code != gap
        and _is_separator(clean(code))
        and not _are_of_two_services(document, first, second)
    )


def _are_of_two_services(document: Document, first: Candidate, second: Candidate) -> bool:
    """Whether a comment between two values names another service, or Binance where one beside them names another."""
    if document.exchanges_between(first.end, second.start):
        return True
    if document.mention_between(first.end, second.start) is None:
        return False
    start, _ = document.line_span(max(0, document.line_index(first.start) - 1))
    _, end = document.line_span(document.line_index(second.end))
    return bool(document.exchanges_between(start, end))


def _is_glued(gap: str) -> bool:
    """Whether one sign or nothing is between two values."""
    return gap in _GLUE


_GLUE = frozenset(("", *"+/_-=.:"))


def _is_separator(gap: str) -> bool:
    """Whether a text ends one value, separates it from the next by a sign or white space, and begins the next.

    Each part takes all that it can, so that a gap is read once: what two parts have in common is only white space,
    and signs that may begin a value as well as separate two.
    """
    match = _END_OF_VALUE.match(gap)
    end = match.end() if match else 0
    separator = _SEPARATOR.match(gap, end)
    if separator:
        end = separator.end()
    elif not gap[:end].rstrip("\"'`")[-1:].isspace():
        return False
    return _BEGIN_OF_VALUE.fullmatch(gap, end) is not None


def _same_frame(document: Document, first: Candidate, second: Candidate) -> bool:
    """Whether two neighbouring lines are the same but for their values, as two `<constructor-arg value="…"/>`."""
    index = document.line_index(first.start)
    if document.line_index(second.start) != index + 1:
        return False
    text = document.text
    start, end = document.line_span(index)
    if end - start - (first.end - first.start) >= _LONGEST_FRAME:
        return False
    below, last = document.line_span(index + 1)
    if text[first.end : end].rstrip() != text[second.end : last].rstrip():
        return False
    return text[start : first.start].lstrip() == text[below : second.start].lstrip()


def _by_lines(document: Document, found: Sequence[Candidate], group: list[int]) -> list[list[int]]:
    """Split a group: a table of values by lines, a list of lists by lists, anything else not at all."""
    if len(group) == 1:
        return [group]
    gaps = [document.text[found[one].end : found[other].start] for one, other in pairwise(group)]
    bounds = [bool(_BOUNDARY.search(gap)) for gap in gaps]
    if any(bounds) and not all(bounds):
        parts = [[group[0]]]
        for index, bound in zip(group[1:], bounds, strict=True):
            if bound:
                parts.append([])
            parts[-1].append(index)
        return parts
    lines = [list(part) for _, part in groupby(group, key=lambda index: document.line_index(found[index].start))]
    return lines if len(lines) > 1 and any(len(line) > 1 for line in lines) else [group]


def positional_roles(
    document: Document, found: Sequence[Candidate], nearby_names: Sequence[NearbyName | None]
) -> dict[int, tuple[Role, int | None]]:
    """Return the roles that position gives, by index, with the index of the partner where there is one."""
    roles: dict[int, tuple[Role, int | None]] = {}
    for group in adjacent_groups(document, found):
        listed = _listed_names(document, found, nearby_names, group) if document.binary else []
        if listed:
            roles.update(_by_names(listed, group))
        elif len(group) == 2:
            roles.update(_pair(document, found, nearby_names, group[0], group[1]))
        elif len(group) > 2:
            roles.update(_list(document, found, nearby_names, group))
        else:
            roles.update(_beside_a_name(document, found, nearby_names, group[0]))
    return roles


def _listed_names(
    document: Document, found: Sequence[Candidate], nearby_names: Sequence[NearbyName | None], group: list[int]
) -> list[Name]:
    """Return the names that a binary lists apart from its values: after them in .pyc, before in a property list."""
    first, last = group[0], group[-1]
    if _is_property_list(document):
        start = found[first - 1].end if first else 0
        lines = _property_strings(document.text[max(start, found[first].start - _LIST_REACH) : found[first].start])
    elif all(
        nearby is None or nearby.name.strength <= Strength.WEAK for nearby in (nearby_names[index] for index in group)
    ):
        end = found[last + 1].start if last + 1 < len(found) else len(document.text)
        lines = document.text[found[last].end : min(end, found[last].end + _LIST_REACH)].split("\n")
    else:
        return []
    names = {line: name for line in lines if len(line) >= 3 and (name := packed_name(line)) is not None and name.role}
    listed = list(names.values())
    return listed if len(listed) == len(group) else []


def _is_property_list(document: Document) -> bool:
    """Whether it is a binary property list: all the names of a dictionary, then all its values."""
    return document.binary and document.raw.startswith(b"bplist")


def _property_strings(text: str) -> list[str]:
    """Return the strings of a property list.

    The letter before a short one is its length, from Q for 1 to ^ for 14. A long one has _ and a length that is no
    text, so it begins a line, and ends where short ones fill the rest of it.
    """
    strings = []
    for line in (line.removesuffix("_") for line in text.split("\n")):
        ends = _ends_of_short(line)
        at = 0
        while at < len(line):
            if at in ends:
                strings.append(line[at + 1 : ends[at]])
                at = ends[at]
            else:
                end = next((start for start in range(at + _LONGEST_SHORT + 1, len(line)) if start in ends), len(line))
                strings.append(line[at:end])
                at = end
    return strings


def _ends_of_short(line: str) -> dict[int, int]:
    """Return the ends of the short strings, by their starts, behind which there are only short strings."""
    ends: dict[int, int] = {}
    for start in range(len(line) - 1, -1, -1):
        length = ord(line[start]) - ord("P")
        end = start + 1 + length
        if 1 <= length <= _LONGEST_SHORT and (end == len(line) or end in ends):
            ends[start] = end
    return ends


def _by_names(names: Sequence[Name], group: list[int]) -> dict[int, tuple[Role, int | None]]:
    roles: dict[int, tuple[Role, int | None]] = {}
    for index, name in zip(group, names, strict=True):
        partners = [
            at
            for at, other in zip(group, names, strict=True)
            if other.role is not name.role and set(other.stem) == set(name.stem)
        ]
        if name.role is not None:
            roles[index] = (name.role, partners[0] if len(partners) == 1 else None)
    return roles


def _pair(
    document: Document, found: Sequence[Candidate], nearby_names: Sequence[NearbyName | None], first: int, second: int
) -> dict[int, tuple[Role, int | None]]:
    if found[first].shape is not found[second].shape:
        return {}
    named = _two_names(document, found[first])
    if named and named[0] is named[1]:
        return {first: (named[0], None), second: (named[1], None)}
    if named:
        return {first: (named[0], second), second: (named[1], first)}
    one, other = nearby_names[first], nearby_names[second]
    if any(nearby is not None and nearby.name.excluded for nearby in (one, other)):
        return {}
    if one is not None and _is_choice(document, found[first], found[second]):
        return _list(document, found, nearby_names, [first, second])
    if _is_glued(document.text[found[first].end : found[second].start]):
        return {first: (Role.API_KEY, second), second: (Role.SECRET_KEY, first)}
    if _is_called_key_between(document.text[found[first].end : found[second].start], one, other):
        return {first: (Role.API_KEY, second), second: (Role.SECRET_KEY, first)}
    in_order = _names_secret(other) and not _names_secret(one)
    if _own(other, not in_order and _line_between(document, found[first], found[second])) or (
        one is not None and _own(one) and not one.call and one.position is NamePosition.DIRECT and not _both(one)
    ):
        return {}
    if one is not None and one.name.role is not None and one.position is NamePosition.BEHIND:
        return {first: (one.name.role, second), second: (complement(one.name.role), first)}
    if one is not None and one.name.plural and not one.call and _lists_secrets_elsewhere(nearby_names, first, second):
        return _list(document, found, nearby_names, [first, second])
    if (
        one is not None
        and one.position is not NamePosition.LOOSE
        and one.name.role is Role.SECRET_KEY
        and one.name.plural
        and not one.call
    ):
        return _list(document, found, nearby_names, [first, second])
    return {first: (Role.API_KEY, second), second: (Role.SECRET_KEY, first)}


def _is_choice(document: Document, first: Candidate, second: Candidate) -> bool:
    """Whether the values are the two outcomes of a condition, as in `test ? "K1" : "K2"`."""
    start, _ = document.line_span(document.line_index(first.start))
    between = document.text[first.end : second.start]
    return (
        bool(_CHOICE.search(document.text[max(start, first.start - 200) : first.start]))
        and between.strip(" \t\n\"'`") == ":"
    )


_CHOICE = lazy_pattern(r"\?\s*[\"'`]?$")


def _both(nearby: NearbyName) -> bool:
    """Whether a name can mean key and secret together, as in `BINANCE_KEYS=K:S`."""
    return nearby.name.plural or nearby.name.strength is Strength.WEAK


def _own(nearby: NearbyName | None, line_above: bool = False) -> bool:
    """Whether a name is that of one value alone; `line_above` if a line of words is between it and the value before."""
    return (
        nearby is not None
        and nearby.name.role is not None
        and (
            nearby.position in (NamePosition.DIRECT, NamePosition.BEHIND)
            or (line_above and nearby.position is NamePosition.ABOVE)
        )
    )


def _is_called_key_between(gap: str, one: NearbyName | None, other: NearbyName | None) -> bool:
    """Whether a comment between two values calls one the key, and nothing else names either: the first is it.

    Below the first, a comment that distinguishes a key from others, as “testnet key”, is on the second.
    """
    comment = _COMMENT.search(gap)
    return (
        comment is not None
        and (one is None or one.name.role is None)
        and other is not None
        and other.name.role is Role.API_KEY
        and not other.name.plural
        and other.position in (NamePosition.DIRECT, NamePosition.ABOVE)
        and not ("\n" in gap[: comment.start()] and read_name(other.name.text).stem)
    )


def _names_secret(nearby: NearbyName | None) -> bool:
    return nearby is not None and nearby.name.role is Role.SECRET_KEY


def _line_between(document: Document, first: Candidate, second: Candidate) -> bool:
    """Whether a line with words is between those of two values, as a comment on the second is."""
    lines = document.text[first.end : second.start].split("\n")[1:-1]
    return any(any(map(str.isalnum, line)) for line in lines)


def _lists_secrets_elsewhere(nearby_names: Sequence[NearbyName | None], first: int, second: int) -> bool:
    near = range(max(0, first - _LISTS_REACH), min(len(nearby_names), second + _LISTS_REACH))
    return any(
        (nearby := nearby_names[index]) is not None and nearby.name.role is Role.SECRET_KEY
        for index in near
        if index not in (first, second)
    )


def _list(
    document: Document, found: Sequence[Candidate], nearby_names: Sequence[NearbyName | None], group: list[int]
) -> dict[int, tuple[Role, int | None]]:
    nearby = nearby_names[group[0]]
    role = nearby.name.role if nearby is not None else None
    if role is None:
        return {}
    own = {
        other
        for one, other in pairwise(group)
        if _own(nearby_names[other], _line_between(document, found[one], found[other]))
    }
    return {index: (role, None) for index in group if index not in own}


def _two_names(document: Document, candidate: Candidate) -> tuple[Role, Role] | None:
    """Return the roles of two names right before two values: `key, secret = "K", "S"`, `api key/secret: K / S`."""
    start, _ = document.line_span(document.line_index(candidate.start))
    match = _TWO_NAMES.search(clean(document.text[max(start, candidate.start - 300) : candidate.start]))
    if not match:
        return None
    one, other = read_name(match.group(1)), read_name(match.group(2))
    if one.role is None or other.role is None:
        return None
    if one.role is not other.role or (one.text != other.text and "," in match.group()):
        return one.role, other.role
    return None


def _beside_a_name(
    document: Document, found: Sequence[Candidate], nearby_names: Sequence[NearbyName | None], index: int
) -> dict[int, tuple[Role, int | None]]:
    """Return the role of one literal beside a variable: `Client(api_key, "S")`, `Client("K", api_secret)`."""
    nearby = nearby_names[index]
    if nearby is not None and nearby.position is NamePosition.ARGUMENT and nearby.name.role is Role.API_KEY:
        return {index: (Role.SECRET_KEY, None)}
    if (
        nearby is not None
        and nearby.name.role is not None
        and nearby.position is NamePosition.DIRECT
        and not nearby.call
    ):
        return {}
    end = found[index].end
    match = _BARE_NAME.match(document.text[end : end + 80])
    role = read_name(match.group(1)).role if match else None
    return {index: (complement(role), None)} if role else {}
