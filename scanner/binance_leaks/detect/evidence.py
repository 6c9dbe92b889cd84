"""Evidence for Binance, or for another service, and its distance from the value."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from binance_leaks.detect.candidates import Candidate
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import FOREIGN_EXCHANGE, REMEMBERED, Name, read_name
from binance_leaks.detect.nearby_names import NearbyName
from binance_leaks.detect.outline import Outline
from binance_leaks.detect.vocabulary import (
    BARE_API_KEY,
    BARE_FRAMEWORK_SECRETS,
    FOREIGN_SERVICES,
    FRAMEWORK_MARKS,
    FRAMEWORK_SECRETS,
    SERVICE_ACCOUNT,
    VOCABULARY,
)
from binance_leaks.detect.word_search import WordSearch
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Evidence, Grade

_BEFORE, _AFTER = 400, 200
_BLOCK = 10
_SMALL_FILE = 40
_BINARY_REACH = 1 << 16
_LONG_LINE = 1000
_HEADING = 40
_ORDINARY_WORDS = frozenset({"consumer", "devise", "phoenix", "symfony"})
_SERVICES = sorted(FOREIGN_SERVICES - _ORDINARY_WORDS)
_SERVICE = lazy_pattern("|".join(_SERVICES), re.IGNORECASE)
_SERVICE_WORDS = WordSearch([word.encode() for word in _SERVICES])
_USUAL_HEADINGS = frozenset({"session", "webhook", "docker"})


class Surroundings:
    """What surrounds the values of one document; what was read for one value is used for those near it."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._document = outline.document
        self._fields: dict[int, dict[int, str | None]] = {}
        self._last: tuple[Candidate | None, tuple[int, int, int, int]] = None, (0, 0, 0, 0)
        self._parents: dict[int, str | None] = {}

    def evidence(self, candidate: Candidate, nearby: NearbyName | None) -> tuple[Evidence, ...]:
        """Return the nearest evidence for Binance in the text, and that of the path."""
        found: list[Evidence] = []
        if nearby is not None and nearby.name.binance:
            found.append(_BY_NAME)
        else:
            nearest = self._nearest(candidate)
            found += [nearest] if nearest is not None else []
        if self._document.path_mentions:
            found.append(_BY_PATH)
        return tuple(found)

    def _lines(self, candidate: Candidate) -> tuple[int, int, int, int]:
        """Return the first and last line of a value, and the span of its statement."""
        if self._last[0] is not candidate:
            document = self._document
            first = document.line_index(candidate.start)
            start, end = document.line_span(first)
            last = first
            if candidate.end > end:
                last = document.line_index(candidate.end)
                end = document.line_span(last)[1]
            self._last = (
                candidate,
                (first, last, max(start, candidate.start - _BEFORE), min(end, candidate.end + _AFTER)),
            )
        return self._last[1]

    def _nearest(self, candidate: Candidate) -> Evidence | None:
        document = self._document
        if document.mentions:
            first, last, *near = self._lines(candidate)
            span = document.mention_between(*near)
            if span:
                return _quoted(document, span, Grade.STATEMENT, "on the same line")
            span = _in_block(self._outline, candidate, first, last)
            if span:
                return _quoted(document, span, Grade.BLOCK, "nearby")
            reach = _BINARY_REACH if document.binary else len(document.text)
            span = document.mention_between(candidate.start - reach, candidate.end + reach)
            if span:
                return _quoted(document, span, Grade.FILE, "in the file")
        if document.named_elsewhere or (document.mentions_binance and not document.binary):
            return _IN_FILE
        return None

    def foreign_service(self, candidate: Candidate, nearby: NearbyName | None) -> str | None:
        """Return another service to which the value belongs: by its name, the nearest mention, or enclosing lines."""
        if nearby is not None and nearby.name.foreign:
            return nearby.name.foreign
        if nearby is not None and nearby.name.binance:
            return None
        document = self._document
        if nearby is not None and _is_framework_secret(document, candidate, nearby):
            return "web framework"
        if (
            candidate.shape is None
            and document.may_hold_service_account
            and _is_in_service_account(document, candidate)
        ):
            return "google"
        index, _, start, end = self._lines(candidate)
        if document.may_sign_tokens and _SIGNS_TOKENS.search(document.words[start : candidate.start]):
            return "jwt"
        enclosing = _heading_in_line(document, candidate, start)
        if enclosing is not None and enclosing.foreign is not None:
            return enclosing.foreign
        before = _last_named(document, start, candidate.start)
        if before is not None:
            return before or None
        after = document.exchanges_between(candidate.end, end)
        if after and not document.mention_between(candidate.end, end):
            return after[0][1]
        beside = self._exchange_beside(index)
        if beside is not None:
            return beside or None
        for parent in self._outline.enclosing_lines(index):
            named = self._named_in_heading(*parent)
            if named is not None:
                return named or None
        return None if self._speaks_for_binance else self._service_around(candidate)

    @cached_property
    def _speaks_for_binance(self) -> bool:
        return document_mentions(self._document)

    def _service_around(self, candidate: Candidate) -> str | None:
        """Return the service that the text before a value names last, or its path: where nothing speaks for Binance."""
        around = self._document.words[max(0, candidate.start - _BEFORE) : candidate.start]
        is_there = any(_SERVICE_WORDS.present(around.encode("ascii", "replace")))  # the expression is slow
        named = (_SERVICE.findall(around) if is_there else ()) or _SERVICE.findall(self._document.path)
        return named[-1].lower() if named else None

    def _named_in_heading(self, start: int, end: int) -> str | None:
        """Return the exchange or service that an enclosing line names: "" for Binance, None for none."""
        if start not in self._parents:
            heading = self._document.words[start : min(end, start + _LONG_LINE)]
            named = _last_named(self._document, start, start + len(heading))
            if named is None and len(heading) <= _HEADING:
                named = next((word for word in [read_name(heading).foreign] if word not in _USUAL_HEADINGS), None)
            self._parents[start] = named
        return self._parents[start]

    def _exchange_beside(self, index: int) -> str | None:
        """Return the exchange that a field beside the value names, as `name: kraken`: "" for Binance, None for none.

        Reads the lines of the value's own level, upward and then downward.
        """
        first, last = (index - _BESIDE) // _FIELD_LINES, (index + _BESIDE) // _FIELD_LINES
        fields = self._exchange_fields(first)
        if last > first and (others := self._exchange_fields(last)):
            fields = {**fields, **others}
        if not fields:
            return None
        outline, document = self._outline, self._document
        level = outline.indent(index)
        for step in (-1, 1):
            at = index + step
            while abs(at - index) <= _BESIDE and 0 <= at < len(document.line_starts):
                indent = outline.indent(at)
                if indent < level:
                    break
                if at in fields and indent == level:
                    return fields[at]
                if step > 0 and document.line(at, most=_LONG_LINE).lstrip().startswith(("-", "{", "}", "[")):
                    break
                at += step
        return None

    def _exchange_fields(self, block: int) -> dict[int, str | None]:
        """The fields for the name of an exchange in a block of lines, with the exchange that each names last."""
        found = self._fields.get(block)
        if found is None:
            found = self._fields[block] = {}
            document = self._document
            first = block * _FIELD_LINES
            last = min(first + _FIELD_LINES, len(document.line_starts)) - 1
            for line in range(max(0, first), last + 1):
                match = _EXCHANGE_FIELD.match(document.line(line, most=_LONG_LINE))
                if match:
                    found[line] = _last(match.group(1))
        return found


_BY_NAME = Evidence(grade=Grade.STATEMENT, text="its name mentions Binance")
_BY_PATH = Evidence(grade=Grade.PATH, text="the path mentions Binance")
_IN_FILE = Evidence(grade=Grade.FILE, text="“binance” in the file")


def _quoted(document: Document, span: tuple[int, int], grade: Grade, where: str) -> Evidence:
    return Evidence(grade=grade, text=f"“{document.text[span[0] : span[1]].strip()}” {where}")


def document_mentions(document: Document) -> bool:
    """Whether anything in the document or its path speaks for Binance."""
    return bool(document.mentions) or document.mentions_binance or document.path_mentions


def _is_framework_secret(document: Document, candidate: Candidate, nearby: NearbyName) -> bool:
    """Whether a web framework signs its cookies and tokens with the value."""
    named = _names_framework_secret(nearby.name.text)
    if named is not None:
        return named
    start, end = max(0, candidate.start - _FRAMEWORK_REACH), candidate.end + _FRAMEWORK_REACH
    beside = document.words[max(0, candidate.start - _AFTER) : candidate.end + _AFTER]
    return bool(FRAMEWORK_MARKS.search(document.words, start, end)) and not BARE_API_KEY.search(beside)


@lru_cache(maxsize=REMEMBERED)
def _names_framework_secret(text: str) -> bool | None:
    """Whether a name is that of such a secret; None if it may be in a file with marks of a framework."""
    name = "_".join(read_name(text).words)
    if _WEB_FRAMEWORK_SECRET.search(text) or FRAMEWORK_SECRETS.search(name):
        return True
    return None if name in BARE_FRAMEWORK_SECRETS else False


def _is_in_service_account(document: Document, candidate: Candidate) -> bool:
    start, end = next(
        iter(document.brackets.around(candidate.start, most=1)), (candidate.start - _BEFORE, candidate.end)
    )
    return SERVICE_ACCOUNT.search(document.words, max(0, start), max(end, candidate.end + _BEFORE)) is not None


def _heading_in_line(document: Document, candidate: Candidate, start: int) -> Name | None:
    """The name of the object that encloses the value in its line: `"Jwt": {"Key": …}`."""
    if _OPENING.search(document.words, start + 1, candidate.start) is None:
        return None
    for opening, _ in document.brackets.around(candidate.start, most=2):
        if opening - 1 <= start:
            return None
        lead = document.words[max(start, opening - _HEADING) : opening - 1].rstrip(" \t\"'`:=>(")
        match = _LAST_WORD.search(lead)
        if match:
            return read_name(match.group())
    return None


_OPENING = lazy_pattern(r"[(\[{]")
_LAST_WORD = lazy_pattern(r"(?<![\w.-])[\w.-]+\Z")
_SIGNS_TOKENS = lazy_pattern(r"(?<![a-z])(?:jwt|jsonwebtoken)\.\w{1,20}\(", re.IGNORECASE)


_WEB_FRAMEWORK_SECRET = lazy_pattern(r"^app\.(?:config\W{0,2}SECRET_KEY|secret_key)|^settings\.SECRET_KEY")
_FRAMEWORK_REACH = 4000
_BESIDE = 8
_FIELD_LINES = 64
_EXCHANGE_FIELD = lazy_pattern(
    r"""^[\s{\[(#/-]*["']?(?:exchange|name|id|market|venue|broker|platform|provider|exchange_?(?:name|id))["']?\s*(?:=>|[:=])+(?![:=>])\s*(\S.*)$""",
    re.IGNORECASE,
)


def statement(document: Document, candidate: Candidate) -> tuple[int, int]:
    """Return the span of the line or lines of the value; of a long line only what is near."""
    start, _ = document.line_span(document.line_index(candidate.start))
    _, end = document.line_span(document.line_index(candidate.end))
    return max(start, candidate.start - _BEFORE), min(end, candidate.end + _AFTER)


def _last(text: str) -> str | None:
    """Return the exchange that a text names last: "" for Binance, a name for another, None for neither."""
    ours, theirs = -1, -1
    name = ""
    for match in VOCABULARY.finditer(text):
        ours = match.start()
    for match in FOREIGN_EXCHANGE.finditer(text):
        theirs, name = match.start(), match.group().lower()
    if ours < 0 and theirs < 0:
        return None
    return "" if ours > theirs else name


def _last_named(document: Document, start: int, end: int) -> str | None:
    """Return the same of a part of a document, where both kinds of names are found once for all values."""
    ours = document.last_mention_between(start, end)
    theirs = document.exchanges_between(start, end)
    if ours is None:
        return theirs[-1][1] if theirs else None
    return "" if not theirs or ours[0] > theirs[-1][0] else theirs[-1][1]


def _in_block(outline: Outline, candidate: Candidate, index: int, last: int) -> tuple[int, int] | None:
    document = outline.document
    reach = _BLOCK if len(document.line_starts) > _SMALL_FILE else _SMALL_FILE
    start = max(document.line_span(max(0, index - reach))[0], candidate.start - 4000)
    below = min(len(document.line_starts) - 1, last + reach)
    end = min(document.line_span(below)[1], candidate.end + 4000)
    near = document.mention_between(start, end)
    if near or not document.mentions:
        return near
    for parent in outline.enclosing_lines(index):
        named = document.mention_between(parent[0], min(parent[1], parent[0] + _LONG_LINE))
        if named:
            return named
    return None
