"""Records: the objects, list items and elements of a text, and the names of values in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from binance_leaks.detect.document import Document
from binance_leaks.detect.names import REMEMBERED, Name, Strength, read_name, words_of
from binance_leaks.detect.outline import Outline
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Role

_MOST_LINES = 40
_LONGEST_LEAD = 300


def enclosing_item(outline: Outline, index: int) -> tuple[int, int] | None:
    """Return the first and last line of the list item (`- name: …`) that holds line `index`, None if none does."""
    if not outline.has_items:
        return None
    level = outline.indent(index)
    first = index
    while not _begins_item(outline, first):
        first -= 1
        if first < max(0, index - _MOST_LINES) or 0 <= outline.indent(first) < level:
            return None
    if outline.indent(first) != level:
        return None
    last = index
    while last < index + _MOST_LINES and _goes_on(outline, last + 1, level):
        last += 1
    return first, last


def _begins_item(outline: Outline, index: int) -> bool:
    return outline.document.line(index, most=_LONGEST_LEAD).lstrip().startswith("- ")


def _goes_on(outline: Outline, index: int, level: int) -> bool:
    """Whether a line is of the same item as the one above."""
    indent = outline.indent(index)
    if index >= len(outline.document.line_starts) or 0 <= indent < level:
        return False
    return not (indent == level and _begins_item(outline, index))


_VALUE_WORDS = frozenset(
    {"value", "val", "text", "data", "content", "string", "plaintext", "default", "payload", "literal"}
)
"""Last words of fields that hold a value and do not name it."""
_NAME_WORDS = frozenset(
    {
        "name", "key", "id", "label", "title", "variable", "var", "field", "property", "setting", "parameter", "header",
        "env",
    }
)  # fmt: skip
"""Last words of fields that hold the name of what is in another field of the record."""
_ELEMENT = lazy_pattern(r"<(/?)([A-Za-z_][\w:.-]{0,60})([^<>]{0,400})>")
_ATTRIBUTE = lazy_pattern(r"(?<![\w:.-])([\w:.-]{1,60})\s{0,9}=\s{0,9}[\"']([^\"'<>]{1,120})[\"']")
_CHILD = lazy_pattern(r"<([A-Za-z_][\w:.-]{0,60})(?:\s[^<>]{0,200})?>([^<>]{1,120})</")
_FIELD_NAME = lazy_pattern(r"(?<![\w.:$@-])[\w.:$@-]{1,60}\Z")
_MEMBER = lazy_pattern(
    r"(?<![\w$@-])[\"']?([\w$@-]{1,60})[\"']?\s{0,9}(?::|=>|=)\s{0,9}[\"'`]?([^\"'`,;{}\[\]\n]{1,120})|([{\[(])|([}\])])"
)
_LIST_NAME = lazy_pattern(r"(?<![\w.-])([\w.-]{1,60})[\"']?\s{0,9}(?::|=>|=)\s{0,9}\Z")
_FAR = 1500
_HEADING_REACH = 100


def name_in_record(outline: Outline, start: int, end: int, within: tuple[int, int], index: int) -> Name | None:
    """Return the name that another field of its record gives the value at `text[start:end]`, None if there is none.

    So `{"name": "BINANCE_API_KEY", "type": "secret", "value": …}`, in any order, on one line or several, as a list item
    or an element. Other values are outside of `within`; the value begins on line `index`.
    """
    text = outline.document.words
    line, _ = outline.document.line_span(index)
    lead = text[max(line, within[0], start - _HEADING_REACH) : start]
    opened = text.rfind("<", max(0, start - _FAR), start)
    if opened >= 0 and (opened > text.rfind(">", opened, start) or lead.rstrip()[-1:] in (">", "")):
        return _name_in_elements(text, start, end, opened, within)
    if not _is_value_field(_field_before(lead)):
        return None
    return _name_in_brackets(outline.document, start, within) or _name_in_lines(outline, start, within)


def name_of_collection(document: Document, start: int) -> Name | None:
    """Return the name of the list or table of values that holds one, with the key that it has there in its stem.

    So the second value of `secrets = {"a": …, "b": …}` is the secret of account `b`.
    """
    text = document.words
    for opening, _ in document.brackets.around(start, most=1):
        name = _list_name(text[max(0, opening - _HEADING_REACH) : opening - 1])
        if name is None or name.role is None or not name.plural:
            return None
        account = words_of(_field_before(text[max(opening, start - _HEADING_REACH) : start]))
        return replace(name, stem=(*name.stem, *account))
    return None


@lru_cache(maxsize=REMEMBERED)
def _list_name(lead: str) -> Name | None:
    match = _LIST_NAME.search(lead)
    return read_name(match.group(1)) if match else None


@lru_cache(maxsize=REMEMBERED)
def _field_before(lead: str) -> str:
    """The field whose value follows: `value` in `  "value": "`; empty where none does."""
    lead = lead.rstrip(" \t\r\n\"'`\\@")
    if lead[-1:] not in (":", "=", ">") or lead.endswith("->"):
        return ""
    match = _FIELD_NAME.search(lead.rstrip(" \t:=>\"'`\\])"))
    return match.group() if match else ""


@lru_cache(maxsize=REMEMBERED)
def _is_value_field(field: str) -> bool:
    words = words_of(field)
    return bool(words) and words[-1] in _VALUE_WORDS and read_name(field).role is not Role.API_KEY


def _best_name(fields: Iterable[tuple[str, str]]) -> Name | None:
    """The clearest name in the fields that hold names."""
    found: list[Name] = []
    for field, value in fields:
        words = words_of(field)
        if words and words[-1] in _NAME_WORDS:
            name = read_name(value.strip())
            found += [name] if name.role is not None or name.excluded or name.foreign else []
    return max(found, key=lambda name: name.strength, default=None)


def _name_in_brackets(document: Document, start: int, within: tuple[int, int]) -> Name | None:
    text = document.words
    for number, (opening, closing) in enumerate(document.brackets.around(start, most=3)):
        alone = within[0] <= opening and closing <= within[1]
        if not alone and number:
            return None
        first, last = max(opening, within[0]), min(closing, within[1])
        name = _best_name(_members(text, first, last)) or (_heading(text, opening - 1, within[0]) if alone else None)
        if name is not None:
            return name
    return None


def _members(text: str, start: int, end: int) -> Iterator[tuple[str, str]]:
    """The fields of a record between brackets, without those of records inside it."""
    depth = 0
    for match in _MEMBER.finditer(text, start, end):
        if match.group(3):
            depth += 1
        elif match.group(4):
            depth -= 1
        elif depth <= 0:
            yield match.group(1), match.group(2)


def _heading(text: str, opening: int, low: int) -> Name | None:
    """The name in front of a bracket: a key (`"API_KEY": {`), a label (`variable "api_key" {`), a string before it."""
    lead = text[max(low, opening - _HEADING_REACH) : opening].rstrip(" \t\r\n,:=>({[\"'`")
    cut = max(lead.rfind(mark) for mark in "\"'`\n{}[],;<>")
    name = read_name(lead[cut + 1 :].removesuffix("\\n"))
    return name if name.strength > Strength.WEAK and not name.plural else None


def _name_in_lines(outline: Outline, start: int, within: tuple[int, int]) -> Name | None:
    """The name in the lines of the same item of a list, or of the same level without a blank line between."""
    document = outline.document
    index = document.line_index(start)
    level = outline.indent(index)
    item = enclosing_item(outline, index) or _level(outline, index)
    fields: list[tuple[str, str]] = []
    for at in range(item[0], item[1] + 1):
        first, last = document.line_span(at)
        if at == index or outline.indent(at) != level or first < within[0] or first > within[1]:
            continue
        line = document.words[first : min(last, first + 300)].strip().lstrip("-#/* \t")
        cut = min((at for mark in ":=" if (at := line.find(mark)) > 0), default=0)
        fields.append((line[:cut].strip(" \"'"), line[cut:].strip(" :=>\"'`,;")))
    return _best_name(fields)


def _level(outline: Outline, index: int) -> tuple[int, int]:
    """The lines around one, as far as none is blank, a section, or farther left."""
    level = outline.indent(index)

    def belongs(at: int) -> bool:
        line = outline.document.line(at, most=_LONGEST_LEAD)
        return outline.indent(at) >= level and not line.lstrip().startswith("[")

    first = last = index
    while first > max(0, index - _MOST_LINES) and belongs(first - 1):
        first -= 1
    while last < min(len(outline.document.line_starts) - 1, index + _MOST_LINES) and belongs(last + 1):
        last += 1
    return first, last


def _name_in_elements(text: str, start: int, end: int, opened: int, within: tuple[int, int]) -> Name | None:
    """The name in an attribute of the value's element, or of the one around it, or in an element beside it."""
    if opened > text.rfind(">", opened, start):
        field = _field_before(text[max(opened, start - _HEADING_REACH) : start])
        closed = text.find(">", end, end + _FAR)
        return _best_name(_attributes(text[opened : max(closed, end)])) if _is_value_field(field) else None
    around: list[re.Match[str]] = []
    depth = 0
    for match in reversed(list(_ELEMENT.finditer(text, max(0, start - _FAR), start))):
        if match.group(3).endswith("/"):
            continue
        if match.group(1):
            depth += 1
        elif depth:
            depth -= 1
        else:
            around.append(match)
    if len(around) < 2 or not _is_value_field(around[0].group(2)):
        return None
    closed = text.find(f"</{around[1].group(2)}", end, end + _FAR)
    if around[1].end() < within[0] or max(closed, end) > within[1]:
        return _best_name(_attributes(around[0].group()))
    beside = text[around[1].end() : around[0].start()] + text[end : max(closed, end)]
    fields = [*_attributes(around[0].group()), *_attributes(around[1].group())]
    return _best_name([*fields, *((match.group(1), match.group(2)) for match in _CHILD.finditer(beside))])


def _attributes(tag: str) -> list[tuple[str, str]]:
    return [(match.group(1), match.group(2)) for match in _ATTRIBUTE.finditer(tag)]
