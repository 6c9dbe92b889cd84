"""Add members and items to a JSON file with comments, and leave everything else as it is.

JSON as editors read it: comments of both kinds, and a comma behind the last item. Each value knows its place in the
text, so that what is added is an insertion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from binance_leaks.lazy_dataclasses import dataclass, field

_DEEPEST = 60
_UNIT = "  "


class UnreadableJsonError(ValueError):
    """A file that is no such JSON. The message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A value and its place: `text[start:end]`. `members` are those of an object, `items` those of a list."""

    start: int
    end: int
    value: object
    members: Mapping[str, Node] = field(default_factory=dict)
    items: Sequence[Node] = ()

    @property
    def children(self) -> Sequence[Node]:
        """The values in it, in order."""
        return [*self.members.values(), *self.items]


@dataclass(frozen=True, kw_only=True, slots=True)
class Insertion:
    """Text that comes before the character at `at`."""

    at: int
    text: str


def parse(text: str) -> Node:
    """Parse a file. Raises UnreadableJsonError."""
    reader = _Reader(text)
    node = reader.value(0)
    if reader.skip() != len(text):
        raise UnreadableJsonError("it has text behind its end")
    return node


def add_member(text: str, node: Node, name: str, value: object) -> list[Insertion]:
    """Return what adds a member to an object."""
    return _add(text, node, f"{json.dumps(name)}: ", value)


def add_item(text: str, node: Node, value: object) -> list[Insertion]:
    """Return what adds an item to a list."""
    return _add(text, node, "", value)


def inserted(text: str, insertions: Sequence[Insertion]) -> str:
    """Return the text with insertions, which are in order."""
    for insertion in reversed(insertions):
        text = text[: insertion.at] + insertion.text + text[insertion.at :]
    return text


def rendered(value: object, indent: str = "", unit: str = _UNIT) -> str:
    """Return JSON whose lines after the first are indented."""
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", f"\n{indent}")


def _add(text: str, node: Node, head: str, value: object) -> list[Insertion]:
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    outer = _indent_at(text, node.start)
    unit = _unit(text)
    last = node.children[-1] if node.children else None
    indent = _own_indent(text, last) if last is not None else None
    indent = outer + unit if indent is None else indent
    added = f"\n{indent}{head}{rendered(value, indent, unit)}".replace("\n", end_of_line)
    if last is None:
        is_open = "\n" not in text[node.start : node.end]
        return [Insertion(at=node.start + 1, text=added + (f"{end_of_line}{outer}" if is_open else ""))]
    reader = _Reader(text, last.end)
    has_comma = text[reader.skip()] == ","
    comma = [] if has_comma else [Insertion(at=last.end, text=",")]
    at = _end_of_line(text, reader.at + 1 if has_comma else last.end, node.end - 1)
    is_open = "\n" not in text[at : node.end]
    return [*comma, Insertion(at=at, text=added + (f"{end_of_line}{outer}" if is_open else ""))]


def _end_of_line(text: str, at: int, limit: int) -> int:
    """The end of the line where only a comment follows, else the place itself."""
    newline = text.find("\n", at, limit)
    if newline < 0:
        return at
    rest = text[at:newline].strip()
    if rest and not rest.startswith("//") and not (rest.startswith("/*") and rest.endswith("*/")):
        return at
    return newline - 1 if text[newline - 1] == "\r" else newline


def _indent_at(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _own_indent(text: str, node: Node) -> str | None:
    """The indentation of a value that begins a line, perhaps behind its name; None where it does not."""
    line = text[text.rfind("\n", 0, node.start) + 1 : node.start]
    before = line.strip()
    is_first = not before or (before.startswith('"') and before.endswith(":") and before.count('"') == 2)
    return _indent_at(text, node.start) if is_first and "\n" in text[: node.start] else None


def _unit(text: str) -> str:
    """One step of indentation, as the first line that has one."""
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if indent and line.strip() and not line.strip().startswith(("/", "*")):
            return indent
    return _UNIT


class _Reader:
    """Reads values, and knows where it is."""

    def __init__(self, text: str, at: int = 0) -> None:
        self._text = text
        self.at = at

    def skip(self) -> int:
        """Skip blanks and comments, and return the place."""
        text = self._text
        while self.at < len(text):
            if text[self.at].isspace():
                self.at += 1
            elif text.startswith("//", self.at):
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            elif text.startswith("/*", self.at):
                end = text.find("*/", self.at + 2)
                if end < 0:
                    raise UnreadableJsonError("a comment has no end")
                self.at = end + 2
            else:
                break
        return self.at

    def value(self, depth: int) -> Node:
        """Read the next value."""
        if depth > _DEEPEST:
            raise UnreadableJsonError("it is nested too deep")
        start = self.skip()
        char = self._text[start : start + 1]
        if char == "{":
            return self._object(start, depth)
        if char == "[":
            return self._list(start, depth)
        value = self._scalar()
        return Node(start=start, end=self.at, value=value)

    def _object(self, start: int, depth: int) -> Node:
        members: dict[str, Node] = {}
        self.at += 1
        while not self._closes("}", members):
            self.skip()
            name = self._scalar()
            if not isinstance(name, str):
                raise UnreadableJsonError("a member has no name")
            if name in members:
                raise UnreadableJsonError("it has a name twice")
            self._expect(":")
            members[name] = self.value(depth + 1)
        values = {name: node.value for name, node in members.items()}
        return Node(start=start, end=self.at, value=values, members=members)

    def _list(self, start: int, depth: int) -> Node:
        items: list[Node] = []
        self.at += 1
        while not self._closes("]", items):
            items.append(self.value(depth + 1))
        return Node(start=start, end=self.at, value=[item.value for item in items], items=items)

    def _closes(self, bracket: str, before: Mapping[str, Node] | Sequence[Node]) -> bool:
        """Whether a bracket is next; reads it, or the comma that must be behind what came before."""
        if self._is_next(bracket):
            return True
        if before:
            self._expect(",")
            return self._is_next(bracket)
        return False

    def _is_next(self, char: str) -> bool:
        if self._text[self.skip() : self.at + 1] != char:
            return False
        self.at += 1
        return True

    def _expect(self, char: str) -> None:
        if not self._is_next(char):
            raise UnreadableJsonError(f"a {char} is missing")

    def _scalar(self) -> object:
        text, start = self._text, self.at
        if text.startswith('"', start):
            end = start + 1
            while end < len(text) and text[end] not in '"\n':
                end += 2 if text[end] == "\\" else 1
            end += 1
        else:
            end = start
            while end < len(text) and (text[end].isalnum() or text[end] in "+-."):
                end += 1
        try:
            value: object = json.loads(text[start:end])
        except ValueError:
            raise UnreadableJsonError("it is no JSON") from None
        self.at = end
        return value
