"""Add lines to a YAML file and keep every byte of the rest.

YAML libraries that write a file anew lose quotes, blank lines and the places of comments. So PyYAML only finds the
positions, and lines are inserted there. The positions are right for usual files, but unusual ones exist: the caller
must read the result again and check that it means what it should.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import yaml

from binance_leaks.lazy_dataclasses import dataclass

Edit: TypeAlias = tuple[int, int, str]
"""Start and end of the text that is replaced, and its replacement."""

_NULL = "tag:yaml.org,2002:null"
_ANCHORED = "it uses anchors"


class UnsafeEditError(Exception):
    """The file should not be changed by a program; the message is the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class YamlFile:
    """A file with one YAML document.

    `root` is None where it is empty; `mark` is the byte order mark or nothing.
    """

    text: str
    mark: bytes
    newline: str
    root: yaml.MappingNode | None

    @classmethod
    def read(cls, data: bytes) -> YamlFile:
        """Parse a file.

        Raises UnsafeEditError for what is not UTF-8, not YAML, or not one block mapping.
        """
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            text = data[len(mark) :].decode("utf-8")
        except UnicodeDecodeError:
            raise UnsafeEditError("it is not UTF-8") from None
        windows = text.count("\r\n")
        if text.count("\r") > windows:
            raise UnsafeEditError("it has line ends of old Macs")
        newline = "\r\n" if windows * 2 > text.count("\n") else "\n"
        return cls(text=text, mark=mark, newline=newline, root=_mapping(_root(text)))

    def value(self, name: str) -> yaml.Node | None:
        """Return the value of a top-level key, None without the key."""
        return next((value for key, value in self._pairs() if key.value == name), None)

    def key(self, name: str) -> yaml.Node | None:
        """Return the top-level key itself."""
        return next((key for key, _ in self._pairs() if key.value == name), None)

    def line_of(self, node: yaml.Node) -> int:
        """Return the start of the line that a node begins.

        Raises UnsafeEditError where it is not first on its line.
        """
        start = node.start_mark.index - node.start_mark.column
        if self.text[start : node.start_mark.index].strip():
            raise UnsafeEditError("its layout is unusual")
        return start

    def after(self, node: yaml.Node) -> int:
        """Return the start of the line after a node, or the end of the text."""
        at = _end(node)
        if at and self.text[at - 1] == "\n":  # a block scalar ends with its last line
            return at
        return self._next_line(at)

    def after_comments(self, at: int, *, deeper_than: int) -> int:
        """Return `at`, or the end of the comment lines after it that are indented deeper."""
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
        """Whether an empty line precedes an item of a list.

        Comment lines above it belong to it.
        """
        start = item.start_mark.index - item.start_mark.column
        for line in reversed(self.text[:start].splitlines()):
            if not line.lstrip().startswith("#"):
                return not line.strip()
        return False

    def edited(self, edits: Sequence[Edit]) -> bytes:
        """Return the file with these edits, whose text has `\\n`.

        Text after an unended last line begins a new line.
        """
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
    """Parse a text into its events, without the layout.

    Raises UnsafeEditError where it is not YAML.
    """
    try:
        return [_event(event) for event in yaml.parse(text, Loader=yaml.SafeLoader)]
    except (yaml.YAMLError, RecursionError):
        raise UnsafeEditError("the result would not be YAML") from None


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
        raise UnsafeEditError(f"it is not valid YAML: {error.problem or error.context}{where}") from None
    except yaml.YAMLError:
        raise UnsafeEditError("it holds characters that YAML forbids") from None
    except RecursionError:
        raise UnsafeEditError("it is nested too deeply") from None
    if len(documents) > 1:
        raise UnsafeEditError("it holds several YAML documents")
    return documents[0] if documents else None


def _mapping(root: yaml.Node | None) -> yaml.MappingNode | None:
    if root is None or is_empty(root):
        return None
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise UnsafeEditError("its top level is not a block of keys")
    names = [key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UnsafeEditError(f"it has the key {twice} twice")
    return root


def refuse_anchors(text: str) -> None:
    """Raise UnsafeEditError where the text uses anchors.

    What is added to one part would appear in others.
    """
    if any(getattr(event, "anchor", None) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
        raise UnsafeEditError(_ANCHORED)


def _end(node: yaml.Node) -> int:
    """Return the end of a node's text: of its last part, as PyYAML ends a block where the next thing begins."""
    while isinstance(node, (yaml.SequenceNode, yaml.MappingNode)) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    index: int = node.end_mark.index
    return index
