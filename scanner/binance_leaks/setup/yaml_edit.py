"""A YAML file as text to which lines are added, with every byte of the rest kept.

YAML libraries that write a file anew lose what its author cared for: quotes, blank lines, the place of comments. So
PyYAML only tells where things stand, and lines are put in there. Whoever adds must then read the result again and see
that it says what it should: the places are computed for usual files, and unusual ones exist.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import yaml

Edit: TypeAlias = tuple[int, int, str]
"""First character that goes, the one after the last that goes, and what comes there."""

_NULL = "tag:yaml.org,2002:null"
_ANCHORED = "it uses anchors"


class UnsafeError(Exception):
    """The file is one that a machine should not amend; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One YAML document. `root` is None where it says nothing; `mark` is the byte order mark or nothing."""

    text: str
    mark: bytes
    newline: str
    root: yaml.MappingNode | None

    @classmethod
    def read(cls, data: bytes) -> Document:
        """The document in a file. Raises UnsafeError for what is not UTF-8, not YAML, or not one block mapping."""
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            text = data[len(mark) :].decode("utf-8")
        except UnicodeDecodeError:
            raise UnsafeError("it is not UTF-8") from None
        windows = text.count("\r\n")
        if text.count("\r") > windows:
            raise UnsafeError("it has line ends of old Macs")
        newline = "\r\n" if windows * 2 > text.count("\n") else "\n"
        return cls(text=text, mark=mark, newline=newline, root=_mapping(_root(text)))

    def value(self, name: str) -> yaml.Node | None:
        """What stands under a top-level key, None without the key."""
        return next((value for key, value in self._pairs() if key.value == name), None)

    def key(self, name: str) -> yaml.Node | None:
        """The top-level key itself."""
        return next((key for key, _ in self._pairs() if key.value == name), None)

    def line_of(self, node: yaml.Node) -> int:
        """Where the line begins on which a node is the first thing. Raises UnsafeError where it is not the first."""
        start = node.start_mark.index - node.start_mark.column
        if self.text[start : node.start_mark.index].strip():
            raise UnsafeError("its layout is unusual")
        return start

    def after(self, node: yaml.Node) -> int:
        """Where the line begins that follows a node, or the end of the text."""
        at = _end(node)
        if at and self.text[at - 1] == "\n":  # a block scalar ends with its last line
            return at
        return self._next_line(at)

    def after_remarks(self, at: int, *, deeper_than: int) -> int:
        """`at`, or where the lines of comments that follow it and are set in deeper have ended."""
        end = at
        while at < len(self.text):
            following = self._next_line(at)
            line = self.text[at:following]
            words = line.strip()
            if words and not (words.startswith("#") and len(line) - len(line.lstrip(" ")) > deeper_than):
                break
            at = following
            end = at if words else end
        return end

    def is_blank_before(self, item: yaml.Node) -> bool:
        """Whether an item of a list is set apart by an empty line; lines of comments over it belong to it."""
        start = item.start_mark.index - item.start_mark.column
        for line in reversed(self.text[:start].splitlines()):
            if not line.lstrip().startswith("#"):
                return not line.strip()
        return False

    def edited(self, edits: Sequence[Edit]) -> bytes:
        """The file with these edits, whose text has `\\n`; what comes at the end of a last line begins a new one."""
        text = self.text
        for start, end, added in sorted(edits, reverse=True):
            glue = "\n" if start == len(self.text) and text[:start] and not text[:start].endswith("\n") else ""
            text = text[:start] + (glue + added).replace("\n", self.newline) + text[end:]
        return self.mark + text.encode("utf-8")

    def _pairs(self) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        yield from self.root.value if self.root else ()

    def _next_line(self, at: int) -> int:
        cut = self.text.find("\n", at)
        return len(self.text) if cut < 0 else cut + 1


def events(text: str) -> list[tuple[str, ...]]:
    """What a text says, in order, without its layout. Raises UnsafeError where it is not YAML."""
    try:
        return [_event(event) for event in yaml.parse(text, Loader=yaml.SafeLoader)]
    except (yaml.YAMLError, RecursionError):
        raise UnsafeError("the result would not be YAML") from None


def is_empty(node: yaml.Node) -> bool:
    """Whether a key has nothing after it, not even `null`."""
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL and not node.value


def _event(event: yaml.Event) -> tuple[str, ...]:
    fields = (getattr(event, name, None) for name in ("anchor", "tag", "value", "implicit"))
    return (type(event).__name__, *(repr(field) for field in fields))


def _root(text: str) -> yaml.Node | None:
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UnsafeError(f"it is not valid YAML: {error.problem or error.context}{where}") from None
    except yaml.YAMLError:
        raise UnsafeError("it holds characters that YAML forbids") from None
    except RecursionError:
        raise UnsafeError("it is nested too deeply") from None
    if len(documents) > 1:
        raise UnsafeError("it holds several YAML documents")
    return documents[0] if documents else None


def _mapping(root: yaml.Node | None) -> yaml.MappingNode | None:
    if root is None or is_empty(root):
        return None
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise UnsafeError("its top level is not a block of keys")
    names = [key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UnsafeError(f"it has the key {twice} twice")
    return root


def refuse_anchors(text: str) -> None:
    """Raises UnsafeError where a part of the text stands for another: what is added to one would appear in both."""
    if any(getattr(event, "anchor", None) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
        raise UnsafeError(_ANCHORED)


def _end(node: yaml.Node) -> int:
    """Where the text of a node ends; the mark of a block is where the next thing begins, so its last part is asked."""
    while isinstance(node, (yaml.SequenceNode, yaml.MappingNode)) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    index: int = node.end_mark.index
    return index
