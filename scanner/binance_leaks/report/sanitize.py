r"""Sanitize untrusted text: redact values, escape control characters and Markdown.

Paths, names, commit subjects and evidence come from repositories. A hostile one may put escape sequences, line breaks
and direction marks into them, to forge lines of a report or to hide some. A careless one may put a credential there: a
pair has been seen in a commit's subject. How a value itself is masked is `binance_leaks.model.mask`.

In Markdown only a code span is inert everywhere: GitHub and GitLab look for `@names`, `#numbers`, commits and addresses
in rendered text, where no escape is left. A backtick and a bar would end the span or the table cell, so they are shown
as `\x60` and `\x7c`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from binance_leaks.findings import Finding, Repository, Result, Risk, Skipped, Suppression
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.masking import mask_secret_key
from binance_leaks.model import Commit, Location, Origin
from binance_leaks.scattered_values import mask_values
from binance_leaks.verification import Verification

_VALUE_LENGTH = 64
_ALPHANUMERIC_RUN = lazy_pattern(rf"[A-Za-z0-9]{{{_VALUE_LENGTH},}}")
_MAX_RUN = 4096  # each window of a run is hashed: hostile megabytes must not cost seconds
_MAX_PROSE = 200
_MAX_NOTE = 700
# Commands that GitHub Actions, Azure Pipelines and TeamCity obey in a log: at the start of a line, which may be where
# text was wrapped, or anywhere.
_COMMAND = lazy_pattern(
    r"::(?=(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|internal-|notice|remove-matcher|save-state"
    r"|set-env|set-output|stop-commands|warning))|##(?=(?:vso|teamcity)?\[)",
    re.IGNORECASE,
)
_MARKDOWN_PLAIN = lazy_pattern(r"(?:[A-Za-z0-9,;()“”’'…\u0020-]|[.:?](?=\s|$)|(?<=Binance)\.(?=US))*")
_MARKDOWN_WORD = lazy_pattern(r"[^ ,;()]+")
_MARKDOWN_REFERENCE = lazy_pattern(r"\b[0-9a-f]{7,64}\b|\bwww\b|\bGL-\d|--", re.IGNORECASE)
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FIRST_BYTE_SURROGATE, _LAST_BYTE_SURROGATE = 0xDC80, 0xDCFF


def printable(text: str) -> str:
    r"""Return the text on one line, without characters that a terminal obeys or that are invisible.

    Such characters become escapes: `\x1b`, `\n`, `\u202e`; bytes that are not UTF-8 become `\xff`. So does the start of
    a command that a CI system would obey in a log: `\x3a:error::`, `\x23#vso[`.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(_printable_char(char) for char in text)
    return _COMMAND.sub(lambda found: _escape(found[0][0]) + found[0][1], text)


def encodable(text: str) -> str:
    r"""Return the text with bytes that were not UTF-8 as `\xff`, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    return "".join(_escape(char) if "\ud800" <= char <= "\udfff" else char for char in text)


def _printable_char(char: str) -> str:
    return _escape(char) if unicodedata.category(char) in _UNPRINTABLE else char


def _escape(char: str) -> str:
    code = ord(char)
    if char in "\n\r\t":
        return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}[char]
    if _FIRST_BYTE_SURROGATE <= code <= _LAST_BYTE_SURROGATE:
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Masks credentials in text of a result. `masks` maps the digest of each value to its mask."""

    masks: Mapping[str, str]

    @classmethod
    def of(cls, result: Result) -> Redactor:
        """Return the redactor that knows every value of the result, and the shape of others."""
        findings = (*result.findings, *result.suppressed)
        return cls(MappingProxyType({value.sha256: value.masked for finding in findings for value in finding.values}))

    def path(self, text: str) -> str:
        """Redact a path, ref or address; the rest is unchanged, so that it can still be opened."""
        return mask_values(self._without_known(text), self.masks)

    def prose(self, text: str) -> str:
        """Redact free text: values, and what looks like an encoded value."""
        return mask_values(self._without_known(text), self.masks, prose=True)

    def _without_known(self, text: str) -> str:
        return _ALPHANUMERIC_RUN.sub(lambda run: self._masked_run(run[0]), text)

    def _masked_run(self, run: str) -> str:
        if len(run) > _MAX_RUN:
            return mask_secret_key(run.encode())
        for start in range(len(run) - _VALUE_LENGTH + 1):
            window = run[start : start + _VALUE_LENGTH]
            if (shown := self.masks.get(sha256(window.encode()).hexdigest())) is not None:
                return run[:start] + shown + self._masked_run(run[start + _VALUE_LENGTH :])
        return run


@dataclass(frozen=True, slots=True)
class Quoted:
    """Sanitizes untrusted text for display: on one line, inert, without values."""

    redactor: Redactor

    def path(self, text: str) -> str:
        """Sanitize a path or the name of a ref, uncut."""
        return printable(self.redactor.path(text))

    def prose(self, text: str) -> str:
        """Sanitize free text, cut if it is long."""
        return self._cut(text, _MAX_PROSE)

    def note(self, text: str) -> str:
        """Sanitize a few sentences, cut if they are longer."""
        return self._cut(text, _MAX_NOTE)

    def _cut(self, text: str, longest: int) -> str:
        shown = printable(self.redactor.prose(text))
        return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def without_values(text: str) -> str:
    """Redact what looks like a value in text without a result, such as an error."""
    return Redactor(MappingProxyType({})).prose(text)


def redacted(result: Result) -> Result:
    """Return the result without the bytes of any value, with values masked in all of its text.

    Its text is untrusted otherwise: line breaks and escape sequences are unchanged.
    """
    masks = _Masker(Redactor.of(result))
    result = result.without_secrets()
    return replace(
        result,
        target=masks.path(result.target),
        repository=masks.repository(result.repository),
        findings=tuple(map(masks.finding, result.findings)),
        suppressed=tuple(map(masks.finding, result.suppressed)),
        skipped=tuple(map(masks.skipped, result.skipped)),
    )


class _Masker:
    """Masks a finding as the JSON report does: paths, refs and dates as such, all else as prose."""

    def __init__(self, redactor: Redactor) -> None:
        self.path = redactor.path
        self._prose = redactor.prose

    def finding(self, finding: Finding) -> Finding:
        return replace(
            finding,
            risk=Risk(level=finding.risk.level, reasons=tuple(map(self._prose, finding.risk.reasons))),
            locations=tuple(map(self._location, finding.locations)),
            evidence=tuple(map(self._prose, finding.evidence)),
            suppressed=self._suppression(finding.suppressed),
            verification=self._verification(finding.verification),
        )

    def repository(self, repository: Repository | None) -> Repository | None:
        if repository is None:
            return None
        return replace(repository, name=self.path(repository.name), page=self.path(repository.page))

    def skipped(self, skipped: Skipped) -> Skipped:
        return replace(skipped, what=self.path(skipped.what), why=self._prose(skipped.why))

    def _location(self, place: Location) -> Location:
        return replace(
            place,
            path=self.path(place.path),
            commit=self._commit(place.commit),
            removed=self._commit(place.removed),
            refs=tuple(map(self.path, place.refs)),
            repository=None if place.repository is None else self.path(place.repository),
            allowed=None if place.allowed is None else self._prose(place.allowed),
            near_miss=None if place.near_miss is None else self._prose(place.near_miss),
            origin=self._origin(place.origin),
        )

    def _origin(self, origin: Origin | None) -> Origin | None:
        if origin is None:
            return None
        return replace(
            origin,
            author=self._prose(origin.author),
            date=self._prose(origin.date),
            layer=self.path(origin.layer),
            command=self._prose(origin.command),
        )

    def _commit(self, commit: Commit | None) -> Commit | None:
        if commit is None:
            return None
        return Commit(
            id=commit.id,
            author=self._prose(commit.author),
            date=self.path(commit.date),
            subject=self._prose(commit.subject),
        )

    def _suppression(self, suppression: Suppression | None) -> Suppression | None:
        return None if suppression is None else replace(suppression, reason=self._prose(suppression.reason))

    def _verification(self, verification: Verification | None) -> Verification | None:
        return None if verification is None else replace(verification, note=self._prose(verification.note))


def code_span(text: str) -> str:
    """Return a Markdown code span that shows this text."""
    shown = printable(text).replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{shown}`" if shown.strip() else "`(empty)`"


def markdown_text(text: str) -> str:
    """Return words and simple punctuation unchanged, any other text as a code span."""
    return text if _MARKDOWN_PLAIN.fullmatch(text) and not _MARKDOWN_REFERENCE.search(text) else code_span(text)


def markdown_sentences(text: str) -> str:
    """Return sentences in which everything but plain words, such as a host, is a code span."""
    return _MARKDOWN_WORD.sub(lambda word: _word(word[0], text[word.end() : word.end() + 1]), text)


def _word(word: str, following: str) -> str:
    """Escape a word, leaving out the punctuation that ends a sentence or phrase before a space."""
    if word[-1] in ".:?" and word[:-1].strip(".:?") and following in ("", " "):
        return f"{markdown_text(word[:-1])}{word[-1]}"
    return markdown_text(word)
