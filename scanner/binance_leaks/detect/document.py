"""Bytes as text: encodings, lines and columns, and the strings inside binaries."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from binance_leaks.detect import prefilter
from binance_leaks.detect.brackets import Brackets
from binance_leaks.detect.interrupted_text import join_spans, uninterrupted
from binance_leaks.detect.messages import Messages, find_messages, origins_of_document
from binance_leaks.detect.names import other_exchanges
from binance_leaks.detect.vocabulary import LEGACY_WORDS, SERVICE_ACCOUNT, mentions, name_mentions_binance
from binance_leaks.detect.wide_text import from_wide, wide_encoding, wide_strings
from binance_leaks.detect.work import Work
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Origin

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
PRINTABLE = bytes(byte if 0x20 <= byte < 0x7F or byte in b"\t\n\r" else 0x0A for byte in range(256))
_STEP = 1024
_BLOCK = 4096
_LONGEST_WORD = 32
_LONG = b"a" * 30
_DIGIT = lazy_pattern(r"[0-9]")
_SCHEMA = 1 << 16
_CHARS_A_CONTROL = 500
_SHORTEST_ESCAPED = 4


@dataclass(frozen=True, kw_only=True)
class Document:
    """A text in which values are looked for, with the way back to lines and columns.

    `path` is the part of its path that may speak for Binance. `binary` says that the text is the printable strings of
    a binary, each on a line of its own. `raw` are the bytes of a binary and `places` lead there: pairs of an offset in
    the text and that of its byte, ascending; what follows is in `encoding` up to the next. `first_line` and
    `first_column` are those of the text within a larger file.
    """

    text: str
    path: str = ""
    binary: bool = False
    raw: bytes = b""
    places: Sequence[tuple[int, int]] = ()
    encoding: str = "latin-1"
    first_line: int = 1
    first_column: int = 1
    mentions_binance: bool = False
    named_elsewhere: bool = False
    """Whether names that belong to the strings of this binary are in another part of it, and mention Binance."""
    work: Work = field(default_factory=Work)
    """The work that is done for the file."""
    origins: Sequence[tuple[int, Origin]] = ()
    """Where in the text each message of an export begins, ascending, and who wrote it."""

    @cached_property
    def line_starts(self) -> list[int]:
        """Offsets of the first character of every line."""
        lines = self.text.splitlines(True)
        ends = self.text.endswith("\n")
        if len(lines) == self.text.count("\n") + (not ends):  # nothing else ends a line in it
            return [0, *accumulate(map(len, lines if ends else lines[:-1]))]
        return [0, *accumulate(len(line) + 1 for line in self.text.split("\n")[:-1])]

    @cached_property
    def flat(self) -> bytes:
        """The text with one byte a character, so that byte searches give offsets of characters."""
        return self.text.encode("latin-1", "replace")

    @cached_property
    def classes(self) -> bytes:
        """The classes of the characters, by the table of the prefilter."""
        return prefilter.classified(self.flat)

    @cached_property
    def runs(self) -> list[tuple[int, int]]:
        """Start and end of every run of 48 or more alphanumerics."""
        return list(prefilter.long_runs(self.classes))

    @cached_property
    def words(self) -> str:
        """The text with what looks random blanked, so that no word is read out of the middle of a value."""
        parts = []
        done = 0
        at = self.classes.find(_LONG)
        while at >= 0:
            end = prefilter.run_end(self.classes, at + len(_LONG))
            if _DIGIT.search(self.text, at, end):
                parts += [self.text[done:at], "\0" * (end - at)]
                done = end
            at = self.classes.find(_LONG, end)
        return "".join([*parts, self.text[done:]]) if parts else self.text

    @cached_property
    def brackets(self) -> Brackets:
        """The brackets of the text, without those in what looks random."""
        return Brackets(self.words)

    @cached_property
    def mentions(self) -> list[tuple[int, int]]:
        """Spans of what speaks for Binance, in order."""
        return mentions(self.words, self.words.encode("latin-1", "replace"))

    def last_mention_between(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the last span of what speaks for Binance that begins and ends between two offsets."""
        at = bisect_left(self.mentions, (end, end)) - 1
        while at >= 0 and self.mentions[at][0] >= start:
            if self.mentions[at][1] <= end:
                return self.mentions[at]
            at -= 1
        return None

    def exchanges_between(self, start: int, end: int) -> list[tuple[int, str]]:
        """Return where other exchanges are named between two offsets, in order, and their names in small letters."""
        named: list[tuple[int, str]] = []
        for block in range(start // _BLOCK, (max(start, end - 1)) // _BLOCK + 1):
            if block not in self._exchanges:
                first = block * _BLOCK
                found = other_exchanges(self.words, max(0, first - _LONGEST_WORD), first + _BLOCK + _LONGEST_WORD)
                self._exchanges[block] = [each for each in found if first <= each[0] < first + _BLOCK]
            named += self._exchanges[block]
        return [each for each in named if start <= each[0] and each[0] + len(each[1]) <= end]

    @cached_property
    def _exchanges(self) -> dict[int, list[tuple[int, str]]]:
        """The other exchanges in each block of the text that was read."""
        return {}

    @cached_property
    def path_mentions(self) -> bool:
        """Whether the path speaks for Binance."""
        return name_mentions_binance(self.path)

    def mention_between(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the first span of what speaks for Binance that begins and ends between two offsets."""
        at = bisect_left(self.mentions, (start, start))
        if at < len(self.mentions) and self.mentions[at][1] <= end:
            return self.mentions[at]
        return None

    @cached_property
    def may_allow(self) -> bool:
        """Whether a word is in it with which each comment begins that allows a value."""
        return b"binance-leaks" in self.lower or b"pragma:" in self.lower

    @cached_property
    def may_hold_service_account(self) -> bool:
        """Whether something is in it that is in the key file of a Google service account."""
        return SERVICE_ACCOUNT.search(self.words) is not None

    @cached_property
    def may_sign_tokens(self) -> bool:
        """Whether the name of a library that signs web tokens is in it."""
        return b"jwt" in self.lower or b"jsonwebtoken" in self.lower

    @cached_property
    def lower(self) -> bytes:
        """The text in lower case with one byte a character."""
        return self.flat.lower()

    def line_index(self, offset: int) -> int:
        """Return the number of the line that holds `offset`, from 0."""
        return bisect_right(self.line_starts, offset) - 1

    def line(self, index: int, *, most: int | None = None) -> str:
        """Return the text of a line without its end, or at most its first characters; empty outside the document."""
        start, end = self.line_span(index)
        return self.text[start : end if most is None else min(end, start + most)]

    def line_span(self, index: int) -> tuple[int, int]:
        """Return the span of a line without its end; an empty span outside the document."""
        return self._spans.get(index) or self._find_span(index)

    def _find_span(self, index: int) -> tuple[int, int]:
        starts = self.line_starts
        if not 0 <= index < len(starts):
            return 0, 0
        end = starts[index + 1] - 1 if index + 1 < len(starts) else len(self.text)
        if end > starts[index] and self.text[end - 1] == "\r":
            end -= 1
        span = self._spans[index] = starts[index], end
        return span

    @cached_property
    def _spans(self) -> dict[int, tuple[int, int]]:
        """The spans of the lines that were asked for."""
        return {}

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of `offset`, from 1, in the file that the document came from."""
        if self.binary or self.places:
            at = self._byte(offset)
            line = bisect_left(self._raw_line_ends, at) + 1
            before = self.raw[self._raw_line_ends[line - 2] + 1 if line > 1 else 0 : at]
            column = len(before if self._is_raw_binary else before.decode("utf-8", "surrogateescape")) + 1
        else:
            index = self.line_index(offset)
            line, column = index + 1, offset - self.line_starts[index] + 1
        if line == 1:
            column += self.first_column - 1
        return line + self.first_line - 1, column

    def origin(self, offset: int) -> Origin | None:
        """Return who wrote what is at `offset`, None where that is not stated."""
        index = bisect_right(self.origins, offset, key=lambda start: start[0]) - 1
        return self.origins[index][1] if index >= 0 else None

    def _byte(self, offset: int) -> int:
        """Return the offset in `raw` of the character at `offset`."""
        index = bisect_left(self.places, (offset + 1, 0)) - 1
        start, at = self.places[index] if index >= 0 else (0, 0)
        return at + self._encoded_length(offset) - self._encoded_length(start)

    def _encoded_length(self, offset: int) -> int:
        """Return how many bytes the text before `offset` takes."""
        if self.encoding == "latin-1":
            return offset
        step = offset // _STEP
        return self._encoded_lengths[step] + len(self.text[step * _STEP : offset].encode(self.encoding, "replace"))

    @cached_property
    def _encoded_lengths(self) -> list[int]:
        parts = (self.text[at : at + _STEP] for at in range(0, len(self.text), _STEP))
        return [0, *accumulate(len(part.encode(self.encoding, "replace")) for part in parts)]

    @cached_property
    def _is_raw_binary(self) -> bool:
        return is_binary(self.raw)

    @cached_property
    def _raw_line_ends(self) -> list[int]:
        return [match.start() for match in re.finditer(b"\n", self.raw)]


def documents(
    data: bytes,
    *,
    path: str = "",
    first_line: int = 1,
    first_column: int = 1,
    mentions_binance: bool = False,
    work: Work | None = None,
) -> list[Document]:
    """Return the texts in `data`: itself, or for a binary its narrow and wide strings and the rows of a database."""
    work = Work() if work is None else work

    def document(
        text: str, *, binary: bool = False, places: Sequence[tuple[int, int]] = (), encoding: str = "latin-1"
    ) -> Document:
        return Document(
            text=text,
            path=path,
            binary=binary,
            raw=data if binary or places else b"",
            places=places,
            encoding=encoding,
            first_line=first_line,
            first_column=first_column,
            mentions_binance=mentions_binance or (bool(places) and prefilter.mentions_binance(data[:_SCHEMA])),
            work=work,
        )

    def uncovered(data: bytes) -> Document | None:
        found = _uncovered(data)
        return replace(document(found[0], places=found[1], encoding="utf-8"), raw=data) if found else None

    def texts(data: bytes) -> list[Document]:
        if (messages := find_messages(data)) is None:
            return [replace(uncovered(data) or document(_text(data)), origins=origins_of_document(data))]
        return _of_export(data, messages, uncovered(messages.left) or document(_text(messages.left)))

    def wide_documents(main: str = "", begin: int = 0) -> Iterator[Document]:
        for encoding, text, places in wide_strings(data, main, begin):
            yield document(text, binary=True, places=places, encoding=encoding)

    bom, marked = _mark(data)
    holds_wide_text = b"\0" in data and prefilter.holds_wide_text(prefilter.classified(data))
    if marked == "utf-8" and not holds_wide_text:
        return texts(data[len(bom) :])
    if not marked and not is_binary(data):
        return texts(_PICKLED.sub(_blanked, data) if data.startswith(_PICKLE) else data)
    from binance_leaks.detect.sqlite import table_text  # start-up: only for what is binary

    rows = table_text(data)
    wide = marked if marked not in ("", "utf-8") else wide_encoding(data) if rows is None else None
    if wide:
        begin = len(bom) if wide == marked else 0
        return [*texts(from_wide(data[begin:], wide)), *wide_documents(wide, begin)]
    found = [document(data.translate(PRINTABLE).decode("latin-1"), binary=True)]
    found += [document(rows.text, places=rows.places, encoding=rows.encoding)] if rows is not None else []
    if holds_wide_text:
        elsewhere = _is_assembly(data) and prefilter.mentions_binance(data)
        found += (replace(each, named_elsewhere=elsewhere) for each in wide_documents())
    return found


def _uncovered(data: bytes) -> tuple[str, list[tuple[int, int]]] | None:
    """Return a text without its escapes or interruptions, and its places in the bytes; None if it has none."""
    if prefilter.may_hold_escapes(data, prefilter.classified(data)) and any(prefilter.escaped_runs(data, 48)):
        return _without_escapes(data)
    if prefilter.may_be_interrupted(data) and (spans := uninterrupted(data)):
        return join_spans(data, spans)
    return None


def _mark(data: bytes) -> tuple[bytes, str]:
    """Return the mark of an encoding that begins a text, and the encoding; both empty without a mark."""
    return next((each for each in _BOMS if data.startswith(each[0])), (b"", ""))


def _of_export(data: bytes, messages: Messages, left: Document) -> list[Document]:
    """A document with the texts of messages below one another, and the one of what is left without them."""
    text, places = join_spans(data, messages.spans)
    origins = [(places[index][0], origin) for index, origin in messages.starts]
    named = left.mentions_binance or prefilter.mentions_binance(data)
    left = replace(left, mentions_binance=named)
    return [replace(left, text=text, raw=data, places=places, encoding="utf-8", origins=origins), left]


def _is_assembly(data: bytes) -> bool:
    """Whether it is a .NET assembly: its literals are in UTF-16 in one heap, its names in ASCII in another."""
    return b"#Strings" in data and b"#US" in data


_PICKLE = (b"(", b"c")
_PICKLED = lazy_pattern(rb"^([a-z(]{0,4}V)([^\n]*\n)(p\d+)$", re.MULTILINE)


def _blanked(match: re.Match[bytes]) -> bytes:
    """Blank the letters and numbers around a string of a pickle in the text protocol."""
    opcodes, string, memo = match.groups()
    return b" " * len(opcodes) + string + b" " * len(memo)


_CONTROLS = bytes((*range(0x02, 0x07), *range(0x0E, 0x1A), *range(0x1C, 0x20)))


def is_binary(data: bytes) -> bool:
    """Whether bytes are read as the strings of a binary; text in UTF-16 is among them."""
    return b"\0" in data or _is_packed(data)


def _is_packed(data: bytes) -> bool:
    """Whether bytes without a zero are strings with lengths and tags between, such as MessagePack, and not text."""
    controls = len(data) - len(data.translate(None, _CONTROLS))
    return controls * _CHARS_A_CONTROL >= len(data)


def _text(data: bytes) -> str:
    """Decode UTF-8, else the legacy encoding in which words of the vocabulary are found, else Latin-1.

    Nothing is lost by a wrong guess but the meaning of names that are not ASCII.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        scores = {
            encoding: sum(data.count(word.encode(encoding)) for word in words)
            for encoding, words in LEGACY_WORDS.items()
        }
    best = max(scores, key=lambda encoding: scores[encoding])
    if scores[best]:
        try:
            return data.decode(best)
        except UnicodeDecodeError:
            pass
    return data.decode("utf-8", "surrogateescape") if _mostly_utf8(data) else data.decode("latin-1")


def _mostly_utf8(data: bytes) -> bool:
    """Whether a damaged byte or two is all that keeps it from being UTF-8 with other letters in it."""
    text = data.decode("utf-8", "surrogateescape")
    return sum("\udc80" <= char <= "\udcff" for char in text) * 4 < sum(char > "\x7f" for char in text)


_ESCAPE = lazy_pattern(rb"\\{1,4}(?:u00|x)(?P<hex>..)|&#(?:x(?P<reference>..)|(?P<decimal>[0-9]{2,3}));")


def _without_escapes(data: bytes) -> tuple[str, list[tuple[int, int]]]:
    """The text with its longer runs of escaped characters decoded, and its places in the bytes."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    length = done = 0
    for start, end in (*prefilter.escaped_runs(data, _SHORTEST_ESCAPED), (len(data), len(data))):
        plain = data[done:start].decode("utf-8", "surrogateescape")
        decoded = "".join(
            chr(int(escape["hex"] or escape["reference"], 16) if escape["decimal"] is None else int(escape["decimal"]))
            for escape in _ESCAPE.finditer(data, start, end)
        )
        places += [(length, done), (length + len(plain), start)]
        parts += [plain, decoded]
        length += len(plain) + len(decoded)
        done = end
    return "".join(parts), places
