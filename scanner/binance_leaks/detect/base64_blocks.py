"""Base64 in a text: encoded values, and blocks that only look like values."""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from binance_leaks.detect import literal_chains, rules
from binance_leaks.detect.armour import LINE_END, is_mention, without_escaped_hyphens
from binance_leaks.detect.candidates import LENGTH, Candidate, shape_of
from binance_leaks.detect.document import Document
from binance_leaks.detect.prefilter import ALPHANUMERIC, SHORTEST_ENCODED, printable_text
from binance_leaks.detect.work import LOOK, VALUE
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern

_RUN_OF_BASE64 = lazy_pattern(r"[A-Za-z0-9+/]*")
_END_OF_TOKEN = lazy_pattern(r"={0,2}(?![A-Za-z0-9+/=_-])")
_RUN = b"a" * SHORTEST_ENCODED
_ENCODED_VALUE = 86  # without padding
_TAIL = 88
_LARGEST_TEXT = 1 << 20
_LONGEST_FOLDED = 1000
_MOST_OTHERS = 2
_FIRST_HALF = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
_ALNUM = ord("a")
_JOINED = ("_", "-")
_LINE = lazy_pattern(r"^[\s\"'`#*/>+,\\-]*?(?:[BbRrUuLN]{1,2}[\"'])?([A-Za-z0-9+/]{64})(?:\\[nr])*[\s\"'`,;+&_\\.)]*$")
_PLAIN = lazy_pattern(r"^\s*[A-Za-z0-9+/]{64}\s*$")
_MANY = 3
_MOST_LINES = 64
_BASE64_AND_PADDING = ALPHANUMERIC.decode() + "+/="
_DIGITS = lazy_pattern(r"\d+")
_LONGEST_PREFIX = 100
_LONGEST_LINE = 400
_PEM_REACH = 4000
_BEGIN = lazy_pattern(r"-----BEGIN [A-Z0-9 ]{1,60}-----")
SHORTEST_LINE = 24
"""Letters of base64 in all lines of armour but the last."""
_ARMOUR_HEADER = lazy_pattern(
    r"(?:[\s\"'`]|\\[nr]){1,80}(?:Proc-Type|DEK-Info|Version|Comment|Hash): ?[^\n\\\"']{0,80}"
)
_BODY = lazy_pattern(  # a word or a name, which has fewer letters than a line, ends it
    rf"(?:[A-Za-z0-9+/]{{{SHORTEST_LINE},}}={{0,2}}|[+\s,;\"'`.()]|\\[nrt\"'\n\r])*"
)
_ARMOUR = lazy_pattern(
    r"(?:-|\\-|\\u002[dD]|&#45;|%2D)(BEGIN) [A-Z0-9 ]{0,40}"
    r"(?:KEY|CERTIFICATE|MESSAGE|SIGNATURE|REQUEST|PARAMETERS|BLOCK|CRL|CMS|PKCS7)"
)
_ESCAPE_OR_QUOTE = lazy_pattern(r"[\\%&<\"'`]")
_DATA_URL = ";base64,"
_URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
_WEB_TOKEN = lazy_pattern(r"(?<![A-Za-z0-9])eyJ")
_BEGINS_LINE_END = ("\\", "%", "&", "<", '"', "'", "`")
_ENDS_LINE_END = frozenset("rntaAdD;>\n\"'`")
_ESCAPED_END = rf"(?:{LINE_END.pattern}){{1,3}}[ \t]{{0,16}}"
_NEXT_LINE = lazy_pattern(
    r"(?:\s{1,40}(?:[#>*;+/-]{1,3}[ \t]{1,40})?"  # it may begin with the sign of a comment, an item or a quotation
    rf"|[ \t]{{0,40}}(?:(?:{LINE_END.pattern})\s{{0,40}}){{1,3}}"
    rf"|(?:\\{{1,8}}[nr]){{0,2}}\\{{0,8}}[\"'`](?:(?x:{literal_chains.JOINT.pattern})"
    rf"|[ \t]{{0,4}}[+.&\\]?[ \t]{{0,4}}(?:{LINE_END.pattern}){{1,3}}[ \t]{{0,40}}"  # of a program in a string
    r"(?:[+.&][ \t]{0,4})?[@A-Za-z]?\\{0,8}(?=[\"'`]))[\"'`])"
    rf"(?P<line>[A-Za-z0-9+/]{{1,{_LONGEST_FOLDED}}})(?![A-Za-z0-9+/])"
)
_END_OF_ESCAPE = r"(?<=\\)(?:[nrt]|u000[aAdD])|(?<=%)0[aAdD]"
_BEHIND_ESCAPE = lazy_pattern(_END_OF_ESCAPE)
_LINE_AFTER = lazy_pattern(_ESCAPED_END + r"([A-Za-z0-9+/]{64})(?![A-Za-z0-9+/])")
_LINE_BEFORE = lazy_pattern(rf"(?<![A-Za-z0-9+/])(?:{_END_OF_ESCAPE})?([A-Za-z0-9+/]{{64}})" + _ESCAPED_END + r"\Z")
_LONGEST_WRAPPED = 180
_WRAPPED_LINES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedText:
    """Base64 of printable text at `text[start:end]` of its document, and what it decodes to."""

    start: int
    end: int
    decoded: bytes


def encoded_texts(document: Document) -> Iterator[EncodedText]:
    """Yield all base64 of printable text that is as long as a value or longer, on one line or folded."""
    text, classes, done = document.text, document.classes, 0
    while (at := classes.find(_RUN, done)) >= 0:
        done = at + len(_RUN)
        if not _may_encode_text(text[at:done]):
            continue
        start, end = _line_around(text, classes, at)
        done = max(end, done)
        if text[start - 1 : start] in _JOINED or _decoded(text[start : start + SHORTEST_ENCODED]) is None:
            continue
        if not document.work.spend(LOOK):
            return
        lines = _folded_lines(text, start, end)
        done = max(done, lines[-1][1])
        encoded = None if _is_part(text, lines) else _read(text, lines)
        if encoded is not None and document.work.spend(VALUE):
            yield encoded


def encoded_value(encoded: EncodedText) -> Candidate | None:
    """Return the value that is encoded, with or without a line feed at its end; None if it is none."""
    value = encoded.decoded.strip()
    if len(value) != LENGTH or not value.isalnum() or not value.isascii():
        return None
    shape = shape_of(value.decode())
    if shape is None:
        return None
    return Candidate(start=encoded.start, end=encoded.end, value=value, shape=shape, rule=rules.BASE64)


def is_longer_than_value(encoded: EncodedText) -> bool:
    """Whether a whole text may be encoded, and not a value or a private key."""
    return len(encoded.decoded.strip()) > LENGTH and b"PRIVATE KEY-----" not in encoded.decoded


def _may_encode_text(run: str) -> bool:
    """Whether a run may be base64 of ASCII, in which every fourth letter is of the first half of the alphabet."""
    return not (
        run[::4].strip(_FIRST_HALF)
        and run[1::4].strip(_FIRST_HALF)
        and run[2::4].strip(_FIRST_HALF)
        and run[3::4].strip(_FIRST_HALF)
    )


def _line_around(text: str, classes: bytes, at: int) -> tuple[int, int]:
    """Return where the base64 begins and ends, on one line, that has 60 alphanumerics at `at`, as that of a value."""
    start = at
    while start > 0 and at - start < _LARGEST_TEXT and (classes[start - 1] == _ALNUM or text[start - 1] in "+/"):
        start -= 1
    run = _RUN_OF_BASE64.match(text, start)
    escape = _BEHIND_ESCAPE.match(text, start)
    return escape.end() if escape else start, run.end() if run else start


def _folded_lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the lines over which base64 of a text is folded of which the first is `text[start:end]`."""
    lines = [(start, end)]
    rest = text[end - (end - start) % 4 : end]
    while lines[-1][1] - start < _LARGEST_TEXT and (line := _next_line(text, *lines[-1])):
        rest += text[slice(*line)]
        fours = len(rest) // 4 * 4
        if _decoded(rest[:fours]) is None:
            break
        rest = rest[fours:]
        lines.append(line)
    return lines


def _next_line(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the line on which base64 may go on behind one; None if there is none.

    All but the last have 60 characters or more. Of lines as long as a value in base64 none is longer than the one
    before, and none is a value or would be glued to one: those are texts of their own.
    """
    length = end - start
    line = _NEXT_LINE.match(text, end) if SHORTEST_ENCODED <= length <= _LONGEST_FOLDED else None
    if line is None or len(line["line"]) > max(length, _ENCODED_VALUE - 1):
        return None
    if length >= _ENCODED_VALUE and length % 4 == 0 and _are_two_texts(text[start:end], line["line"]):
        return None
    return line.span("line")


def _are_two_texts(one: str, other: str) -> bool:
    """Whether one of two lines of base64 is that of a value, or has one that would be glued to the other line."""
    before, behind = _decoded(one[-_TAIL:]) or b"", _decoded(_padded(other[:_TAIL])) or b""
    if _is_value(behind.strip()) or (len(one) == _TAIL and _is_value(before.strip())):
        return True
    meet = _is_value(before[-LENGTH:]) or _is_value(behind[:LENGTH])
    return meet and before[-1:].isalnum() and behind[:1].isalnum()


def _is_value(text: bytes) -> bool:
    return len(text) == LENGTH and text.isalnum()


def _padded(packed: str) -> str:
    return packed + "=" * (-len(packed) % 4)


def _is_part(text: str, lines: Sequence[tuple[int, int]]) -> bool:
    """Whether lines of base64 of a text are followed by one of anything else, as in a picture with texts in it."""
    start, end = lines[-1]
    line = _next_line(text, start, end) if end - start < _ENCODED_VALUE else None
    return line is not None and line[1] - line[0] >= SHORTEST_ENCODED


def _read(text: str, lines: Sequence[tuple[int, int]]) -> EncodedText | None:
    """Return the text that is encoded in lines, of which the last may be something else; None if they encode none."""
    for count in range(len(lines), max(0, len(lines) - _MOST_OTHERS), -1):
        whole = _END_OF_TOKEN.match(text, lines[count - 1][1])
        packed = "".join(text[start:end] for start, end in lines[:count])
        if whole is None or not _ENCODED_VALUE <= len(packed) <= _LARGEST_TEXT:
            continue
        decoded = _decoded(_padded(packed))
        if decoded is not None:
            return EncodedText(start=lines[0][0], end=whole.end(), decoded=decoded)
    return None


def _decoded(packed: str) -> bytes | None:
    try:
        decoded = binascii.a2b_base64(packed)
    except binascii.Error:
        return None
    return printable_text(decoded)


class Base64Lines:
    """The neighbouring lines of a document that hold 64 characters of base64 and little else. Each is read once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._blocks: dict[int, _Block | None] = {}
        self._bodies: dict[int, tuple[int, int]] = {}
        self._logged: dict[int, int] = {}
        self._mentions: dict[int, bool] = {}

    def block(self, index: int) -> _Block | None:
        """Return the block of line `index`; None if it is no such line, or alone without armour."""
        if index not in self._blocks:
            self._read_block(index)
        return self._blocks[index]

    def is_in_pem(self, at: int) -> bool:
        """Whether a PEM block begins before an offset and all from there on is its body."""
        text, low = self._document.text, max(0, at - _PEM_REACH)
        before = bisect_right(self._begins, at - len("BEGIN "))
        begun = self._begins[before - 1] if before else -1
        if begun < low or self._is_mention(begun):
            return False
        if begun >= low + 5 and text.startswith("-----", begun - 5):
            if begun not in self._bodies:
                self._bodies[begun] = _plain_body(text, begun - 5)
            plain, end = self._bodies[begun]
            if at <= plain:
                return at <= end or at <= self._end_of_logged_body(begun - 5)
        return _in_one_line_pem(text[low:at])

    def _is_mention(self, begun: int) -> bool:
        if begun not in self._mentions:
            self._mentions[begun] = is_mention(self._document.text, begun)
        return self._mentions[begun]

    def _end_of_logged_body(self, start: int) -> int:
        """Return where the body of PEM ends of which each line is prefixed like the first, as in a log with times."""
        if start not in self._logged:
            text = self._document.text
            line = text.rfind("\n", max(0, start - _LONGEST_PREFIX), start) + 1
            prefix = _DIGITS.sub("0", text[line:start])
            end = text.find("\n", start, start + _LONGEST_LINE) if 0 < start - line < _LONGEST_PREFIX else start
            while start < end < start + _PEM_REACH:
                after = text.find("\n", end + 1, end + _LONGEST_LINE)
                content = text[end + 1 : after if after >= 0 else end + _LONGEST_LINE].rstrip()
                before = content.rstrip(_BASE64_AND_PADDING)
                if before == content or _DIGITS.sub("0", before) != prefix:
                    break
                end = after if after >= 0 else end + _LONGEST_LINE
            self._logged[start] = end
        return self._logged[start]

    @cached_property
    def _begins(self) -> list[int]:
        return [match.start() for match in re.finditer("BEGIN ", self._document.text)]

    def _read_block(self, index: int) -> None:
        first = last = index
        payloads = {index: self._payload(index)}
        if payloads[index] is None:
            self._blocks[index] = None
            return
        while (payload := self._payload(first - 1)) is not None:
            first -= 1
            payloads[first] = payload
        while (payload := self._payload(last + 1)) is not None:
            last += 1
            payloads[last] = payload
        above, _ = self._document.line_span(first - 1)
        marker = _ARMOUR.search(self._document.line(first - 1, most=_LONGEST_LINE))
        armoured = marker is not None and not self._is_mention(above + marker.start(1))
        if first == last and not armoured:
            self._blocks[index] = None
            return
        lines = range(first, last + 1)
        block = _Block(
            first=first,
            last=last,
            signs=[0, *accumulate(_holds_sign(payloads[at] or "") for at in lines)],
            plain=[0, *accumulate(_PLAIN.match(self._document.line(at)) is not None for at in lines)],
            armoured=armoured,
        )
        self._blocks.update(dict.fromkeys(lines, block))

    def _payload(self, index: int) -> str | None:
        start, end = self._document.line_span(index)
        match = _LINE.match(self._document.text[start:end]) if end - start <= _LONGEST_LINE else None
        return match.group(1) if match else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Block:
    """Neighbouring lines of base64: the first and last, and how many up to each hold a sign, or nothing else."""

    first: int
    last: int
    signs: Sequence[int]
    plain: Sequence[int]
    armoured: bool
    """Whether the line above begins armour, as `-----BEGIN CERTIFICATE-----`."""


def _holds_sign(payload: str) -> bool:
    return "+" in payload.strip("+") or "/" in payload.strip("/")


def in_base64_block(document: Document, candidate: Candidate, lines: Base64Lines) -> bool:
    """Whether the value is one of three or more neighbouring 64-column lines of base64, or has `-----BEGIN` above.

    Lines in quotes or after a list dash are values as often as base64, so there a `+` or `/` decides. Also parts of
    web tokens, data URLs, and such lines with escaped ends in one string.
    """
    text, at = document.text, candidate.start
    if lines.is_in_pem(at) or text.startswith(_DATA_URL, max(0, at - len(_DATA_URL))) or _in_web_token(text, candidate):
        return True
    if _is_wrapped(text, candidate):
        return True
    index = document.line_index(at)
    block = lines.block(index)
    if block is None:
        return False
    first, last = max(block.first, index - _MOST_LINES), min(block.last, index + _MOST_LINES)
    if block.armoured and first == block.first:
        return True
    count = last - first + 1
    if block.signs[last + 1 - block.first] > block.signs[first - block.first]:
        return count >= 2
    plain = block.plain[last + 1 - block.first] - block.plain[first - block.first]
    return count >= _MANY and (plain == count or count >= 12)


def _plain_body(text: str, start: int) -> tuple[int, int]:
    """Return how far from the beginning of PEM on there is neither an escape nor a quote, and how far its body goes."""
    special = _ESCAPE_OR_QUOTE.search(text, start, start + _PEM_REACH)
    plain = special.start() if special else start + _PEM_REACH
    begun = _BEGIN.match(text, start)
    return plain, _end_of_body(text, begun.end()) if begun else -1


def _end_of_body(text: str, at: int) -> int:
    while header := _ARMOUR_HEADER.match(text, at):
        at = header.end()
    body = _BODY.match(text, at)
    return body.end() if body else at


def _in_one_line_pem(lead: str) -> bool:
    """Whether a PEM block begins above and all from there on is its body, as in a string with escaped line ends."""
    if "BEGIN " not in lead:
        return False
    lead = without_escaped_hyphens(lead)
    begun = _BEGIN.match(lead, max(0, lead.rfind("-----BEGIN ")))
    if begun is None:
        return False
    end = _end_of_body(lead, begun.end())
    return end == len(lead.removesuffix("\\"))


def _in_web_token(text: str, candidate: Candidate) -> bool:
    """Whether the value is a part of a JSON web token, such as the signature of one with HS384."""
    if "." not in (text[candidate.start - 1 : candidate.start], text[candidate.end : candidate.end + 1]):
        return False
    lead = text[max(0, candidate.start - _PEM_REACH) : candidate.end]
    token = lead[len(lead.rstrip(_URL_SAFE)) :]
    begun = _WEB_TOKEN.search(token)
    return begun is not None and "." in token[begun.start() :] + text[candidate.end : candidate.end + 1]


def _is_wrapped(text: str, candidate: Candidate) -> bool:
    """Whether the value is one of several lines of base64 within one string, whose line ends are escaped."""
    reach = _WRAPPED_LINES * _LONGEST_WRAPPED
    low, high = max(0, candidate.start - reach), candidate.end + reach
    if text.find("+", low, high) < 0 and text.find("/", low, high) < 0:
        return False
    lines: list[str] = []
    at = candidate.end
    while (
        text[at : at + 1] in _BEGINS_LINE_END and len(lines) < _WRAPPED_LINES and (match := _LINE_AFTER.match(text, at))
    ):
        lines.append(match.group(1))
        at = match.end()
    at = candidate.start
    for _ in range(_WRAPPED_LINES):
        if text[max(0, at - 17) : at].rstrip(" \t")[-1:] not in _ENDS_LINE_END:
            break
        match = _LINE_BEFORE.search(text[max(0, at - _LONGEST_WRAPPED) : at])
        if match is None:
            break
        lines.append(match.group(1))
        at -= match.end() - match.start(1)
    return any("+" in line or "/" in line for line in lines)
