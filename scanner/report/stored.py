"""Reads a stored report, schema `binance-leaks/1`, so that it can be rendered again in every format.

A report may come from anywhere. It is read strictly: what has another shape is refused, so that nothing but digests,
masks and text passes, which the formats treat as they treat text of strangers. Keys that are not known are passed over.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from scanner.errors import UsageError
from scanner.model import (
    Commit,
    Confidence,
    Environment,
    Exposure,
    Finding,
    Kind,
    Location,
    Result,
    Risk,
    RiskLevel,
    Role,
    Skipped,
    SourceKind,
    SuppressedBy,
    Suppression,
    Value,
)
from scanner.report.json import SCHEMA
from scanner.report.words import REST

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)
_ID = re.compile(r"[0-9a-f]{8,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MASK = re.compile(r"[!-~]{1,4}…[!-~]{0,4}|private key, [0-9]{1,9} bytes")
_STATISTIC = re.compile(r"[a-z_]{1,40}")
_MOST = 2**53  # what every reader of JSON can hold
_FAMILY = SCHEMA.partition("/")[0]


def read_report(data: bytes, name: str) -> Result:
    """The result that a report holds. Raises UsageError, naming the report and what is wrong in it.

    Which of the things that were not read could have held a credential is not in a report: all of them count as lost
    if it says that the scan is incomplete, else none.
    """
    try:
        whole = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UsageError(
            f"report {name} is not JSON, or it is cut off", hint="Write it with --format json:FILE."
        ) from None
    return _result(_Part(name, "", whole))


def _refuse_constant(text: str) -> float:
    raise ValueError(text)


@dataclass(frozen=True, slots=True)
class _Part:
    """One value of a report with its place in it, which errors name."""

    report: str
    place: str
    value: object

    def __getitem__(self, key: str) -> _Part:
        """A value that an object must have."""
        part = self.get(key)
        if part is None:
            raise self._wrong(f"lacks {key!r}")
        return part

    def get(self, key: str) -> _Part | None:
        """A value that an object may have."""
        held = self.mapping()
        if key not in held:
            return None
        return _Part(self.report, f"{self.place}.{key}" if self.place else key, held[key])

    def mapping(self) -> Mapping[str, object]:
        """An object."""
        if not isinstance(self.value, dict):
            raise self._wrong("must be an object")
        return self.value

    def items(self, read: Callable[[_Part], _T], *, least: int = 0) -> tuple[_T, ...]:
        """A list of at least so many."""
        if not isinstance(self.value, list):
            raise self._wrong("must be a list")
        if len(self.value) < least:
            raise self._wrong("is empty")
        held: Sequence[object] = self.value
        return tuple(read(_Part(self.report, f"{self.place}[{n}]", one)) for n, one in enumerate(held))

    def optional(self, read: Callable[[_Part], _T]) -> _T | None:
        """What is there, or null."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            raise self._wrong("must be text")
        return self.value

    def form(self, pattern: re.Pattern[str], what: str) -> str:
        """A string of a form. What has another form is not repeated in the error: it may be a value."""
        text = self.text()
        if pattern.fullmatch(text) is None:
            raise self._wrong(f"is not {what}")
        return text

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self._wrong("must be true or false")
        return self.value

    def count(self) -> int:
        """A whole number from 1."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not 1 <= self.value <= _MOST:
            raise self._wrong("must be a whole number from 1")
        return self.value

    def number(self) -> int | float:
        """A number from 0."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong("must be a number from 0")
        if not (0 <= value <= _MOST and math.isfinite(value)):
            raise self._wrong("must be a number from 0")
        return value

    def member(self, kind: type[_E]) -> _E:
        """A name of an enumeration."""
        text = self.text()
        for member in kind:
            if member.value == text:
                return member
        raise self._wrong(f"must be one of {', '.join(str(member.value) for member in kind)}")

    def _wrong(self, what: str) -> UsageError:
        return UsageError(
            f"report {self.report}: {self.place or 'the whole'} {what}",
            hint=f"It must be a whole report of binance-leaks, schema {SCHEMA}.",
        )


def _result(whole: _Part) -> Result:
    _check_schema(whole)
    scan = whole["scan"]
    skipped, interrupted, complete = _skipped(scan)
    findings = whole["findings"].items(_finding)
    stats = scan["stats"]
    if not all(map(_STATISTIC.fullmatch, stats.mapping())):
        raise UsageError(f"report {whole.report}: scan.stats has a name that is none of a statistic")
    result = Result(
        source=scan["source"].member(SourceKind),
        target=scan["target"].text(),
        findings=tuple(finding for finding in findings if finding.suppressed is None),
        suppressed=tuple(finding for finding in findings if finding.suppressed is not None),
        skipped=skipped,
        stats={key: stats[key].number() for key in stats.mapping()},
        interrupted=interrupted,
    )
    if result.complete != complete:
        raise UsageError(f"report {whole.report}: scan.complete is false, and nothing is named that was not read")
    return result


def _check_schema(whole: _Part) -> None:
    schema = whole["schema"].text()
    if schema == SCHEMA:
        return
    if schema.startswith(f"{_FAMILY}/"):
        raise UsageError(
            f"report {whole.report} has another version of the schema than {SCHEMA}",
            hint="Use the version of binance-leaks that wrote it.",
        )
    raise UsageError(f"report {whole.report} is none of binance-leaks", hint="Write it with --format json:FILE.")


def _skipped(scan: _Part) -> tuple[tuple[Skipped, ...], bool, bool]:
    """What was not read, whether the scan was interrupted, and whether it says that it is complete."""
    complete = scan["complete"].truth()
    listed = scan["skipped"].items(lambda part: (part["what"].text(), part["why"].text()))
    interrupted = not complete and listed[-1:] == ((REST.what, REST.why),)
    if interrupted:
        listed = listed[:-1]
    return tuple(Skipped(what=what, why=why, lost=not complete) for what, why in listed), interrupted, complete


def _finding(part: _Part) -> Finding:
    locations = part["locations"].items(_location, least=1)
    suppressed = part["suppressed"].optional(_suppression)
    new = suppressed is None and any(not location.standing for location in locations)
    fails = part.get("fails")
    return Finding(
        id=part["id"].form(_ID, "an id"),
        kind=part["kind"].member(Kind),
        environment=part["environment"].member(Environment),
        confidence=part["confidence"].member(Confidence),
        risk=Risk(
            level=part["risk"]["level"].member(RiskLevel), reasons=part["risk"]["reasons"].items(lambda one: one.text())
        ),
        values=part["values"].items(_value, least=1),
        locations=locations,
        evidence=part["evidence"].items(lambda one: one.text()),
        suppressed=suppressed,
        fails=new if fails is None else fails.truth(),
    )


def _value(part: _Part) -> Value:
    return Value(
        role=part["role"].member(Role),
        sha256=part["sha256"].form(_DIGEST, "a SHA-256 digest"),
        masked=part["masked"].form(_MASK, "a mask"),
    )


def _location(part: _Part) -> Location:
    standing = part.get("standing")
    return Location(
        role=part["role"].member(Role),
        path=part["path"].text(),
        line=part["line"].count(),
        column=part["column"].count(),
        exposure=part["exposure"].member(Exposure),
        commit=part["commit"].optional(_commit),
        blob=part["blob"].optional(lambda blob: blob.form(_OBJECT, "an object id")),
        refs=part["refs"].items(lambda ref: ref.text()),
        standing=standing is not None and standing.truth(),
        removed=part["removed"].optional(_commit),
        pushed=part["pushed"].truth(),
    )


def _commit(part: _Part) -> Commit:
    return Commit(
        id=part["id"].form(_OBJECT, "a commit id"),
        author=part["author"].text(),
        date=part["date"].text(),
        subject=part["subject"].text(),
    )


def _suppression(part: _Part) -> Suppression:
    return Suppression(by=part["by"].member(SuppressedBy), reason=part["reason"].text())
