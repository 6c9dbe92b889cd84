"""The text of a PDF file, in lines as it is laid out, and what else its streams hold.

The strings of a page are codes of its fonts: a font's map to Unicode says what they mean, or for simple fonts their
encoding. Where a font has neither, its text cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.sources.pdf_objects import FILTERS, Name, PdfFile, Reference, Value, Word, tokens

_TEXT_SHOWN = lazy_pattern(rb"T[jJ]|['\"]")
# Images, fonts and their maps, color profiles, and what is read otherwise.
_NO_CONTENT = lazy_pattern(
    rb"/(?:Subt|T)ype[\0\t\n\f\r ]{0,9}/(?:Image|Form|XRef|ObjStm|CMap|Type1C|CIDFontType0C|OpenType)(?![A-Za-z0-9])"
    rb"|/Length1[^0-9]|/Alternate[^A-Za-z]"
)
_BEGIN = lazy_pattern(rb"(?<![^\0\t\n\f\r \])>}])BT(?![^\0\t\n\f\r /\[(<])")
_MOST_TEXT = 16 << 20
_MOST_CODES = 1 << 16
_MOST_MAPPED = 1 << 18
_LONGEST_MAP = 1 << 20
_SYMBOLS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "space": " ", "colon": ":", "equal": "=", "underscore": "_", "hyphen": "-",
    "period": ".", "comma": ",", "slash": "/", "plus": "+", "quotesingle": "'", "quotedbl": '"',
}  # fmt: skip
_MOST_OPERANDS = 8
_OPERATORS = frozenset((b"Tj", b"'", b'"', b"TJ", b"Tf", b"Td", b"TD", b"TL", b"T*", b"Tm"))
"""The operators that a pen obeys; others are of graphics."""
_SPACE, _LINE = 0.18, 0.4
"""Gaps that separate words and lines, in sizes of the font."""


@dataclass(kw_only=True, slots=True)
class _Font:
    """What the codes of a font mean, and how wide they are, in thousandths of its size."""

    bytes_a_code: int = 1
    characters: Mapping[int, str] = field(default_factory=dict)
    plain: bool = True
    """Whether a code that the map does not have is a letter of Latin-1."""
    widths: Mapping[int, float] = field(default_factory=dict)
    default_width: float = 500.0

    def read(self, string: bytes) -> tuple[str, float]:
        """The characters of a string and their width; U+FFFD for what is unknown."""
        step = self.bytes_a_code
        codes = (
            string
            if step == 1
            else [int.from_bytes(string[at : at + step], "big") for at in range(0, len(string), step)]
        )
        known, unknown = self.characters, "\ufffd"
        text = "".join([known.get(code) or (chr(code) if self.plain else unknown) for code in codes])
        widths, default = self.widths, self.default_width
        return text, sum([widths.get(code, default) for code in codes])


class PdfText:
    """The text of a file, page by page, and the contents of its other streams."""

    def __init__(self, file: PdfFile) -> None:
        self._file = file
        self._fonts: dict[int, _Font] = {}
        self.unknown = self.known = 0
        """Characters of fonts that say nothing of what they mean, and others."""
        self.cut_short = False
        """Whether there is more text than is read."""
        self._left = _MOST_TEXT

    def lines(self) -> Iterator[str]:
        """Yield the text of each page, of each form that pages share, and what is written about the file."""
        file = self._file
        for page in self._pages():
            content = [file.object_at(part) for part in file.items(page.get("Contents"))]
            data = b"\n".join(file.unpack(part) for part in content if part is not None)
            yield self._read(data, self._resources(page))
        for form in file.of_type(b"Form").values():
            yield self._read(file.unpack(form), file.dictionary(form.entries.get("Resources")))
        for packed in file.packed:
            yield packed.decode("latin-1")

    def others(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and content of the streams that are no text of a page: attached files, scripts, descriptions."""
        contents = {
            part.number
            for page in self._pages()
            for part in self._file.items(page.get("Contents"))
            if isinstance(part, Reference)
        }
        for number, found in self._file.objects.items():
            if found.stream is None or number in contents or _NO_CONTENT.search(found.raw):
                continue
            filters = self._file.items(found.entries.get("Filter"))
            if filters and FILTERS.issuperset(map(str, filters)):
                yield number, self._file.unpack(found)

    def _pages(self) -> Iterator[Mapping[str, Value]]:
        """Yield the pages in their order, then those that no list of pages names."""
        file = self._file
        pages = file.of_type(b"Page")
        waiting: list[Value] = [root.entries.get("Pages") for root in file.of_type(b"Catalog").values()]
        seen: set[int] = set()
        while waiting:
            at = waiting.pop()
            if not isinstance(at, Reference) or at.number in seen:
                continue
            seen.add(at.number)
            if at.number in pages:
                yield pages.pop(at.number).entries
            else:
                waiting += reversed(file.items(file.dictionary(at).get("Kids")))
        yield from (page.entries for page in pages.values())

    def _resources(self, page: Mapping[str, Value]) -> Mapping[str, Value]:
        for _ in range(40):
            if "Resources" in page or "Parent" not in page:
                break
            page = self._file.dictionary(page["Parent"])
        return self._file.dictionary(page.get("Resources"))

    def _read(self, content: bytes, resources: Mapping[str, Value]) -> str:
        if _TEXT_SHOWN.search(content) is None:
            return ""
        named = self._file.dictionary(resources.get("Font"))
        pen = _Pen(lambda name: self._font(named.get(name)))
        end = 0
        while (begin := _BEGIN.search(content, end)) is not None and self._left > 0:
            pen.begin()
            operands: list[Value] = []
            end = begin.end()
            for value, at in tokens(content, begin.end()):
                end = at
                if not isinstance(value, Word):
                    operands.append(value)
                    continue
                if value == b"ET":
                    break
                if value in _OPERATORS:
                    pen.operate(value, operands[-_MOST_OPERANDS:])
                operands.clear()
            self._left -= end - begin.end()
        self.cut_short |= self._left <= 0
        self.unknown += pen.unknown
        self.known += pen.known
        return "".join(pen.parts)

    def _font(self, value: Value) -> _Font:
        if not isinstance(value, Reference):
            return self._make_font(self._file.dictionary(value))
        if value.number not in self._fonts:
            self._fonts[value.number] = self._make_font(self._file.dictionary(value))
        return self._fonts[value.number]

    def _make_font(self, entries: Mapping[str, Value]) -> _Font:
        composite = entries.get("Subtype") == "Type0"
        font = _Font(bytes_a_code=2 if composite else 1, plain=not composite)
        mapped = self._file.object_at(entries.get("ToUnicode"))
        if mapped is not None:
            font.characters = _unicode_map(self._file.unpack(mapped))
        if composite:
            for each in self._file.items(entries.get("DescendantFonts"))[:1]:
                descendant = self._file.dictionary(each)
                font.widths = _composite_widths(self._file.items(descendant.get("W")), self._file)
                default = descendant.get("DW")
                font.default_width = default if isinstance(default, float) else 1000.0
            return font
        first = entries.get("FirstChar")
        widths = self._file.items(entries.get("Widths"))
        if isinstance(first, float):
            font.widths = {int(first) + at: width for at, width in enumerate(widths) if isinstance(width, float)}
        if not font.characters:
            differences = self._file.items(self._file.dictionary(entries.get("Encoding")).get("Differences"))
            font.characters = _named_characters(differences)
        return font


def _named_characters(differences: list[Value]) -> dict[int, str]:
    found: dict[int, str] = {}
    code = 0
    for each in differences[:_MOST_CODES]:
        if isinstance(each, float):
            code = int(each)
        elif isinstance(each, Name):
            character = each if len(each) == 1 else _SYMBOLS.get(each)
            if character is not None:
                found[code] = character
            code += 1
    return found


def _composite_widths(items: list[Value], file: PdfFile) -> dict[int, float]:
    found: dict[int, float] = {}
    at, left = 0, _MOST_MAPPED
    while at + 1 < len(items) and left > 0:
        first, second = items[at], file.resolve(items[at + 1])
        if not isinstance(first, float):
            break
        if isinstance(second, list):
            left -= len(second)
            found.update((int(first) + step, width) for step, width in enumerate(second) if isinstance(width, float))
            at += 2
            continue
        width = items[at + 2] if at + 2 < len(items) else None
        if isinstance(second, float) and isinstance(width, float) and second - first < _MOST_CODES:
            left -= int(second - first)
            found.update(dict.fromkeys(range(int(first), int(second) + 1), width))
        at += 3
    return found


def _unicode_map(cmap: bytes) -> dict[int, str]:
    """Read the parts of a map: `bfchar` has codes and texts, `bfrange` first and last codes and texts or lists."""
    found: dict[int, str] = {}
    items: list[Value] = []
    for value, _ in tokens(cmap[:_LONGEST_MAP]):
        if not isinstance(value, Word):
            items.append(value)
            continue
        for target in (
            _targets(items, 2) if value == b"endbfchar" else _targets(items, 3) if value == b"endbfrange" else ()
        ):
            found.update(target)
            if len(found) > _MOST_CODES:
                return found
        items.clear()
    return found


def _targets(items: list[Value], step: int) -> Iterator[dict[int, str]]:
    left = _MOST_MAPPED
    for at in range(0, len(items) - step + 1, step):
        first, last, target = items[at], items[at + step - 2], items[at + step - 1]
        if not isinstance(first, bytes) or not isinstance(last, bytes) or left <= 0:
            continue
        low, high = int.from_bytes(first[-2:], "big"), int.from_bytes(last[-2:], "big")
        if isinstance(target, list):
            left -= len(target)
            yield {low + place: _text(each) for place, each in enumerate(target) if isinstance(each, bytes)}
        elif isinstance(target, bytes) and target:
            begin = int.from_bytes(target[-2:], "big")
            codes = range(low, min(high, low + 255) + 1)
            left -= len(codes)
            yield {code: _text(target[:-2] + (begin + code - low & 0xFFFF).to_bytes(2, "big")) for code in codes}


def _text(target: bytes) -> str:
    return target.rjust(2, b"\0").decode("utf-16-be", "replace")


class _Pen:
    """Where text is written on a page, and what is written so far."""

    def __init__(self, find_font: Callable[[str], _Font]) -> None:
        self._find_font = find_font
        self._font = _Font()
        self._size = 1.0
        self._leading = 0.0
        self.begin()
        self._end: tuple[float, float] | None = None
        self.parts: list[str] = []
        self.unknown = self.known = 0

    def operate(self, operator: bytes, operands: list[Value]) -> None:
        """Do what an operator means for text."""
        numbers = [each for each in operands if isinstance(each, float)]
        if operator in (b"Tj", b"'", b'"'):
            if operator != b"Tj":
                self._move(0.0, -self._leading)
            self._show(operands[-1:])
        elif operator == b"TJ":
            self._show(operands[0] if operands and isinstance(operands[0], list) else [])
        elif operator == b"Tf" and len(operands) > 1:
            self._font = self._find_font(operands[0]) if isinstance(operands[0], Name) else _Font()
            self._size = numbers[0] if numbers else 1.0
        elif operator in (b"Td", b"TD") and len(numbers) > 1:
            if operator == b"TD":
                self._leading = -numbers[1]
            self._move(numbers[0], numbers[1])
        elif operator == b"TL" and numbers:
            self._leading = numbers[0]
        elif operator == b"T*":
            self._move(0.0, -self._leading)
        elif operator == b"Tm" and len(numbers) > 5:
            a, b, c, d, e, f = numbers[:6]
            self._line = self._at = (a, b, c, d, e, f)

    def begin(self) -> None:
        """Begin a text object."""
        self._line = self._at = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

    def _move(self, x: float, y: float) -> None:
        a, b, c, d, e, f = self._line
        self._line = self._at = (a, b, c, d, e + x * a + y * c, f + x * b + y * d)

    def _show(self, items: list[Value]) -> None:
        a, b, _, d, x, y = self._at
        height = abs(self._size * d) or abs(self._size * b) or 1.0
        if self._end is not None:
            gap = x - self._end[0]
            if abs(y - self._end[1]) > _LINE * height:
                self.parts.append("\n")
            elif gap > _SPACE * height or gap < -height:
                self.parts.append(" ")
        for item in items:
            if isinstance(item, float):
                x -= item / 1000 * self._size * a
                if item < -_SPACE * 1000:
                    self.parts.append(" ")
            elif isinstance(item, bytes) and not isinstance(item, Word):
                text, width = self._font.read(item)
                unknown = text.count("\ufffd")
                self.unknown += unknown
                self.known += len(text) - unknown
                self.parts.append(text)
                x += width / 1000 * self._size * a
        self._end = x, y
        self._at = (*self._at[:4], x, y)
