"""The objects of a PDF file, found one after the other, and what they are made of (ISO 32000-1, section 7).

Not by its table of objects, which a damaged or hostile file may forge; and not with `pypdf`, which decides by the file
how much it unpacks and how long it works. All here is linear in the file and its unpacked streams.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from io import BytesIO
from typing import TypeAlias

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.sources.streams import StreamReader
from binance_leaks.sources.unpack import ZLIB, DecompressedStream, OverLimitError, UnpackBudget


class Name(str):
    """A name, such as `/Font`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an object by its number."""

    number: int


class Word(bytes):
    """An operator, or a word such as `true`."""

    __slots__ = ()


Value: TypeAlias = "Mapping[str, Value] | list[Value] | Name | Reference | Word | bytes | float | None"

_BLANK = rb"\0\t\n\f\r "
_TOKEN = lazy_pattern(
    rb"<<|>>|\[|\]|<([0-9A-Fa-f" + _BLANK + rb"]*)>|/([^" + _BLANK + rb"()<>\[\]{}/%]*)"
    rb"|([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))|(\()|([A-Za-z'\"][A-Za-z0-9*'\"]*)|%[^\r\n]*|[^" + _BLANK + rb"]",
)
_HEX, _NAME, _NUMBER, _STRING, _WORD = range(1, 6)
"""The groups of a token."""
_PARENTHESIS = lazy_pattern(rb"[()]|\\.", re.DOTALL)
_OBJECT = lazy_pattern(rb"(?<![0-9])([0-9]{1,10})[" + _BLANK + rb"]{1,9}[0-9]{1,5}[" + _BLANK + rb"]{1,9}obj")
_ESCAPE = lazy_pattern(rb"\\(?:([0-7]{1,3})|(\r\n|\n|\r)|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_TYPE = lazy_pattern(rb"/(?:Subt|T)ype[" + _BLANK + rb"]{0,9}/([A-Za-z0-9]{1,20})(?![A-Za-z0-9])")
_ENCRYPTED = lazy_pattern(rb"/Encrypt[" + _BLANK + rb"]{1,9}(?:[0-9]|<<)")
_MOST_OBJECTS = 200_000
_LONGEST_OBJECT = 1 << 18
_LONGEST_NUMBER = 18
_DEEPEST = 40
_FLATE = frozenset(("FlateDecode", "Fl"))
_ASCII85 = frozenset(("ASCII85Decode", "A85"))
_ASCII_HEX = frozenset(("ASCIIHexDecode", "AHx"))
FILTERS = _FLATE | _ASCII85 | _ASCII_HEX
"""The ways to pack a stream that are read."""


def tokens(data: bytes, at: int = 0) -> Iterator[tuple[Value, int]]:
    """Yield the values and operators from an offset on, and where each ends; dictionaries and lists as a whole."""
    stack: list[list[Value]] = []
    search = _TOKEN.search
    while (match := search(data, at)) is not None:
        at = match.end()
        kind = match.lastindex
        value: Value = None
        if kind == _NUMBER:
            value = float(match[kind]) if at - match.start() < _LONGEST_NUMBER else 0.0
        elif kind == _WORD:
            value = Word(match[kind])
        elif kind == _HEX:
            value = _from_hex(match[kind])
        elif kind == _STRING:
            start, at = at, _string_end(data, at)
            value = _unescaped(data[start : at - 1])
        elif kind == _NAME:
            value = Name(match[kind].decode("latin-1"))
        else:
            token = match.group()
            if token in (b"<<", b"["):
                if len(stack) < _DEEPEST:
                    stack.append([])
                continue
            if token not in (b">>", b"]") or not stack:
                continue
            items = stack.pop()
            value = _dictionary(items) if token == b">>" else items
        if not stack:
            yield value, at
        elif isinstance(value, Word) and value == b"R" and len(stack[-1]) > 1:
            number = stack[-1][-2]
            stack[-1][-2:] = [Reference(int(number))] if isinstance(number, float) else []
        else:
            stack[-1].append(value)


def parse(data: bytes) -> Value:
    """The first value in some bytes; a reference where there is nothing else."""
    found: list[Value] = []
    for value, _ in tokens(data):
        if isinstance(value, Word) and value == b"R" and len(found) == 2 and isinstance(found[0], float):
            return Reference(int(found[0]))
        found.append(value)
        if len(found) > 2 or not isinstance(value, float):
            break
    return found[0] if found else None


def _dictionary(items: list[Value]) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    at = 0
    while at + 1 < len(items):
        key = items[at]
        if isinstance(key, Name):
            found[key] = items[at + 1]
            at += 1
        at += 1
    return found


def _string_end(data: bytes, at: int) -> int:
    """Where a string ends, behind its parenthesis; the end of the data where there is none."""
    depth = 1
    while depth:
        match = _PARENTHESIS.search(data, at)
        if match is None:
            return len(data)
        at = match.end()
        depth += {b"(": 1, b")": -1}.get(match.group(), 0)
    return at


def _from_hex(digits: bytes) -> bytes:
    digits = b"".join(digits.replace(b"\0", b"").split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(_unescape, text) if b"\\" in text else text


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return bytes((int(match[1], 8) & 255,))
    return b"" if match[2] is not None else _ESCAPED.get(match[3], match[3])


@dataclass(frozen=True, kw_only=True)
class PdfObject:
    """An object as it is in the file: its bytes, and those of its stream if it has one."""

    raw: bytes
    stream: bytes | None = None

    @cached_property
    def value(self) -> Value:
        """What it is."""
        return parse(self.raw)

    @property
    def entries(self) -> Mapping[str, Value]:
        """Its dictionary, empty if it is something else."""
        return self.value if isinstance(self.value, dict) else {}


class PdfFile:
    """The objects of a file by number, those in compressed object streams among them. Raises `OverLimitError`."""

    def __init__(self, data: bytes, budget: UnpackBudget) -> None:
        self.objects: dict[int, PdfObject] = {}
        self.unread = 0
        """Streams that could not be unpacked, or not to their end."""
        self.packed: list[bytes] = []
        """The contents of compressed object streams."""
        self._budget = budget
        self.objects.update(_objects(data))
        self.encrypted = _ENCRYPTED.search(data) is not None
        if not self.encrypted:
            for found in self.of_type(b"ObjStm").values():
                self._unpack_objects(found)

    def of_type(self, name: bytes) -> dict[int, PdfObject]:
        """The objects whose type or subtype has a name, by number."""
        return {number: found for number, found in self.objects.items() if name in _TYPE.findall(found.raw)}

    def resolve(self, value: Value) -> Value:
        """What a reference leads to; any other value as it is."""
        for _ in range(_DEEPEST):
            if not isinstance(value, Reference):
                return value
            found = self.objects.get(value.number)
            value = found.value if found is not None else None
        return None

    def dictionary(self, value: Value) -> Mapping[str, Value]:
        """A dictionary, given or referred to; empty if it is none."""
        resolved = self.resolve(value)
        return resolved if isinstance(resolved, dict) else {}

    def items(self, value: Value) -> list[Value]:
        """A list, given or referred to; of one item if it is none."""
        resolved = self.resolve(value)
        if isinstance(resolved, list):
            return resolved
        return [] if resolved is None else [value]

    def object_at(self, value: Value) -> PdfObject | None:
        """The object that a reference leads to."""
        return self.objects.get(value.number) if isinstance(value, Reference) else None

    def unpack(self, found: PdfObject) -> bytes:
        """The content of an object's stream, empty if it is packed in a way that is not read.

        Raises `OverLimitError` where all that the file holds is too much.
        """
        data = found.stream or b""
        self._budget.spend(len(data))
        try:
            for name in self.items(found.entries.get("Filter")):
                data = self._without_filter(name, data)
        except ValueError:
            self.unread += 1
            return b""
        return data

    def _without_filter(self, name: Value, data: bytes) -> bytes:
        """Unpack what a filter packed. Raises ValueError for another filter and for what it cannot have packed."""
        if not isinstance(name, Name):
            raise ValueError("no name")
        if name in _FLATE:
            return self._inflate(data)
        if name in _ASCII85:
            return _from_ascii85(data)
        if name in _ASCII_HEX:
            return _from_hex(re.sub(rb"[^0-9A-Fa-f]", b"", data))
        raise ValueError(name)

    def _inflate(self, data: bytes) -> bytes:
        reader = StreamReader(DecompressedStream(BytesIO(data), ZLIB, self._budget))
        parts = []
        while part := reader.take(1 << 20):
            parts.append(part)
        if self._budget.exhausted is not None:
            raise OverLimitError(self._budget.exhausted)
        self.unread += reader.fault is not None
        return b"".join(parts)

    def _unpack_objects(self, found: PdfObject) -> None:
        count, first = found.entries.get("N"), found.entries.get("First")
        data = self.unpack(found)
        if not isinstance(count, float) or not isinstance(first, float):
            return
        self.packed.append(data)
        head = data[: int(first)].split()[: 2 * min(int(count), _MOST_OBJECTS)]
        numbers = [int(each) for each in head if each.isdigit() and len(each) < _LONGEST_NUMBER]
        places = list(zip(numbers[::2], numbers[1::2], strict=False))
        ends = [offset for _, offset in places[1:]] + [len(data)]
        at = 0
        for (number, offset), end in zip(places, ends, strict=False):
            at = max(at, int(first) + offset)  # each byte is of one object only
            if len(self.objects) < _MOST_OBJECTS:
                self.objects.setdefault(number, PdfObject(raw=data[at : min(int(first) + end, at + _LONGEST_OBJECT)]))


def _from_ascii85(data: bytes) -> bytes:
    data = data.strip().removeprefix(b"<~")
    return base64.a85decode(data.partition(b"~")[0], ignorechars=b"\0\t\n\f\r ")


class _Finder:
    """The places of a word in some bytes, each looked for once."""

    def __init__(self, data: bytes, word: bytes) -> None:
        self._data = data
        self._word = word
        self._next = -1

    def behind(self, at: int) -> int:
        """The first place from an offset on, which grows from call to call; the end if there is none."""
        if self._next < at:
            found = self._data.find(self._word, at)
            self._next = found if found >= 0 else len(self._data)
        return self._next


def _objects(data: bytes) -> Iterator[tuple[int, PdfObject]]:
    ends, streams, stream_ends = (_Finder(data, word) for word in (b"endobj", b"stream", b"endstream"))
    at = 0
    for _ in range(_MOST_OBJECTS):
        match = _OBJECT.search(data, at)
        if match is None:
            return
        start = match.end()
        end, stream = ends.behind(start), streams.behind(start)
        content = None
        if stream < end and data[stream + 6 : stream + 7] in (b"\r", b"\n"):
            begin = stream + (8 if data.startswith(b"\r\n", stream + 6) else 7)
            end = stream
            at = stream_ends.behind(begin)
            content = data[begin:at]
        else:
            at = end
        yield int(match[1]), PdfObject(raw=data[start : min(end, start + _LONGEST_OBJECT)], stream=content)
