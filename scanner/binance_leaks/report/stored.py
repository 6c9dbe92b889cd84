"""Read a stored report, schema `binance-leaks/1`, to render it again in any format.

A report may come from anywhere. It is read strictly: any other shape is refused, so that only digests, masks and text
pass, which the formats treat as untrusted. Unknown keys are ignored.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from binance_leaks.errors import UsageError
from binance_leaks.findings import (
    Finding,
    Forge,
    Mark,
    Repository,
    Result,
    Risk,
    ScanStats,
    Skipped,
    SourceKind,
    SuppressedBy,
    Suppression,
)
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import (
    Cell,
    CellPart,
    Commit,
    Confidence,
    Environment,
    Exposure,
    Kind,
    Location,
    Origin,
    Readers,
    RiskLevel,
    Role,
    Value,
)
from binance_leaks.report.json import SCHEMA
from binance_leaks.report.names import REST
from binance_leaks.verification import Cause, Permissions, Verdict, Verification, safe_name

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)
_MAX_NUMBER = 2**53  # what every reader of JSON can hold


@dataclass(frozen=True, slots=True)
class JsonPart:
    """One value of a report, with its place in it for errors."""

    report: str
    place: str
    value: object

    def __getitem__(self, key: str) -> JsonPart:
        """Return a value that an object must have."""
        part = self.get(key)
        if part is None:
            raise self.wrong(f"lacks {key!r}")
        return part

    def get(self, key: str) -> JsonPart | None:
        """Return a value that an object may have."""
        held = self.mapping()
        if key not in held:
            return None
        return JsonPart(self.report, f"{self.place}.{key}" if self.place else key, held[key])

    def mapping(self) -> Mapping[str, object]:
        """Return an object."""
        if not isinstance(self.value, dict):
            raise self.wrong("must be an object")
        return self.value

    def items(self, read: Callable[[JsonPart], _T], *, least: int = 0) -> tuple[_T, ...]:
        """Return a list of at least `least` items."""
        if not isinstance(self.value, list):
            raise self.wrong("must be a list")
        if len(self.value) < least:
            raise self.wrong("is empty")
        held: Sequence[object] = self.value
        return tuple(read(JsonPart(self.report, f"{self.place}[{n}]", one)) for n, one in enumerate(held))

    def optional(self, read: Callable[[JsonPart], _T]) -> _T | None:
        """Return the value, or None for null."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        """Return a string."""
        if not isinstance(self.value, str):
            raise self.wrong("must be text")
        return self.value

    def form(self, pattern: re.Pattern[str], what: str) -> str:
        """Return a string that matches. The error does not repeat one that does not: it may be a credential."""
        text = self.text()
        if pattern.fullmatch(text) is None:
            raise self.wrong(f"is not {what}")
        return text

    def truth(self) -> bool:
        """Return a boolean."""
        if not isinstance(self.value, bool):
            raise self.wrong("must be true or false")
        return self.value

    def count(self) -> int:
        """Return an integer from 1."""
        return self._from(1)

    def whole(self) -> int:
        """Return an integer from 0."""
        return self._from(0)

    def milliseconds(self) -> int:
        """Return a moment in milliseconds since 1970, between 1973 and 2286."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int) or not 10**11 <= value < 10**13:
            raise self.wrong("must be a moment in milliseconds since 1970")
        return value

    def number(self) -> int | float:
        """Return a number from 0."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong("must be a number from 0")
        if not (0 <= value <= _MAX_NUMBER and math.isfinite(value)):
            raise self.wrong("must be a number from 0")
        return value

    def member(self, kind: type[_E]) -> _E:
        """Return the member of an enumeration with this value."""
        text = self.text()
        for member in kind:
            if member.value == text:
                return member
        raise self.wrong(f"must be one of {', '.join(str(member.value) for member in kind)}")

    def _from(self, least: int) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not least <= self.value <= _MAX_NUMBER:
            raise self.wrong(f"must be a whole number from {least}")
        return self.value

    def wrong(self, what: str) -> UsageError:
        """Return the error for this value."""
        return UsageError(
            f"report {self.report}: {self.place or 'the whole'} {what}",
            hint=f"It must be a complete report of binance-leaks, schema {SCHEMA}.",
        )


_ID = lazy_pattern(r"[0-9a-f]{8,64}")
_DIGEST = lazy_pattern(r"[0-9a-f]{64}")
_OBJECT = lazy_pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MASK = lazy_pattern(r"[!-~]{1,4}…[!-~]{0,4}|private key, [0-9]{1,9} bytes")
_HOST = lazy_pattern(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,9}")
_TIMESTAMP = lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|\+00:00)")
_CREATED, _TRADING_ENDS = "createTime", "tradingAuthorityExpirationTime"
_REBASE = lazy_pattern(r"--root|[0-9a-f]{12}~1")
_STATISTIC = lazy_pattern(r"[a-z_]{1,40}")
_FAMILY = SCHEMA.partition("/")[0]


def read_report(data: bytes, name: str) -> Result:
    """Return the result in a report. Raises UsageError with the name of the report and what is wrong in it.

    A report does not say which skipped items could hold a credential: all count as lost if the scan is incomplete,
    else none.
    """
    try:
        whole = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UsageError(
            f"report {name} is not JSON, or it is cut off", hint="Write it with --format json:FILE."
        ) from None
    return _result(JsonPart(name, "", whole))


def read_value(data: object, name: str) -> Value:
    """Return one value of a finding from plain data. Raises UsageError, naming `name`, for another shape."""
    return _value(JsonPart(name, "value", data))


def read_verification(data: object, name: str) -> Verification:
    """Return a verification from plain data as `wire_verification` makes it. Raises UsageError, naming `name`."""
    return _verification(JsonPart(name, "verification", data))


def _refuse_constant(text: str) -> float:
    raise ValueError(text)


def _result(whole: JsonPart) -> Result:
    _check_schema(whole)
    scan = whole["scan"]
    skipped, interrupted, complete = _skipped(scan)
    findings = whole["findings"].items(_finding)
    stats = scan["stats"]
    if not all(map(_STATISTIC.fullmatch, stats.mapping())):
        raise UsageError(f"report {whole.report}: scan.stats has an invalid name")
    result = Result(
        source=scan["source"].member(SourceKind),
        target=scan["target"].text(),
        findings=tuple(finding for finding in findings if finding.suppressed is None),
        suppressed=tuple(finding for finding in findings if finding.suppressed is not None),
        skipped=skipped,
        stats=ScanStats.of({key: stats[key].number() for key in stats.mapping()}),
        interrupted=interrupted,
        rebase=_optional(scan, "rebase", lambda one: one.form(_REBASE, "what git rebase takes")),
        repository=_optional(scan, "repository", _repository),
        base_policy=_optional(scan, "base_policy", JsonPart.truth) is True,
    )
    if result.complete != complete:
        raise UsageError(f"report {whole.report}: scan.complete is false, but nothing is listed as not read")
    return result


def _repository(part: JsonPart) -> Repository:
    return Repository(
        name=part["name"].text(),
        page=part["page"].text(),
        forge=part["forge"].optional(lambda one: one.member(Forge)),
    )


def _check_schema(whole: JsonPart) -> None:
    schema = whole["schema"].text()
    if schema == SCHEMA:
        return
    if schema.startswith(f"{_FAMILY}/"):
        raise UsageError(
            f"report {whole.report} is of another schema version than {SCHEMA}",
            hint="Use the version of binance-leaks that wrote it.",
        )
    raise UsageError(
        f"report {whole.report} is not a report of binance-leaks", hint="Write it with --format json:FILE."
    )


def _skipped(scan: JsonPart) -> tuple[tuple[Skipped, ...], bool, bool]:
    """Return what was not read, whether the scan was interrupted, and whether it says that it is complete."""
    complete = scan["complete"].truth()
    listed = scan["skipped"].items(lambda part: (part["what"].text(), part["why"].text()))
    interrupted = not complete and listed[-1:] == ((REST.what, REST.why),)
    if interrupted:
        listed = listed[:-1]
    return tuple(Skipped(what=what, why=why, lost=not complete) for what, why in listed), interrupted, complete


def _finding(part: JsonPart) -> Finding:
    locations = part["locations"].items(_location, least=1)
    suppressed = part["suppressed"].optional(_suppression)
    new = suppressed is None and any(not location.preexisting for location in locations)
    fails, unlisted = part.get("fails"), part.get("unlisted")
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
        verification=verification.optional(_verification) if (verification := part.get("verification")) else None,
        mark=_optional(part, "mark", lambda one: one.member(Mark)),
        unlisted=unlisted.whole() if unlisted is not None else 0,
    )


def _verification(part: JsonPart) -> Verification:
    """Read a verification; permissions decide the tier. Older reports lack what is read with `_optional`."""
    swapped = part.get("swapped")
    elsewhere = part.get("elsewhere")
    host = part["host"].optional(lambda one: one.form(_HOST, "a host"))
    verdict, environment = part["verdict"].member(Verdict), _optional(part, "environment", _environment)
    if elsewhere is None and verdict is Verdict.INCONCLUSIVE:
        # An older report does not say that the test system which the surroundings named is doubted.
        environment = environment or next((each for each in Environment if host in each.facts.hosts), None)
    note = part["note"].optional(lambda one: one.text())
    return Verification(
        verdict=verdict,
        cause=_optional(part, "cause", lambda one: one.member(Cause)),
        permissions=_permissions(part["permissions"], part["ip_restricted"].optional(lambda one: one.truth())),
        environment=environment,
        host=host,
        checked_at=part["checked_at"].optional(lambda one: one.form(_TIMESTAMP, "a moment in UTC")),
        elsewhere=elsewhere.optional(lambda one: one.items(_environment)) if elsewhere is not None else None,
        note=note or "",
        key=_optional(part, "key_sha256", lambda one: one.form(_DIGEST, "a SHA-256 digest")),
        secret=_optional(part, "secret_sha256", lambda one: one.form(_DIGEST, "a SHA-256 digest")),
        swapped=swapped is not None and swapped.truth(),
    )


def _environment(part: JsonPart) -> Environment:
    return part.member(Environment)


def _optional(part: JsonPart, key: str, read: Callable[[JsonPart], _T]) -> _T | None:
    """Read what an object may lack or have as null."""
    held = part.get(key)
    return held.optional(read) if held is not None else None


def _permissions(part: JsonPart, ip_restricted: bool | None) -> Permissions | None:
    """Read permissions; None if nothing is known."""
    names = {name for name in part.mapping() if name not in (_CREATED, _TRADING_ENDS)}
    if {safe_name(name) for name in names} != names:
        raise part.wrong("has a name that is not a permission")
    granted = {name for name in names if part[name].truth()}
    created, ends = (
        _optional(part, _CREATED, JsonPart.milliseconds),
        _optional(part, _TRADING_ENDS, JsonPart.milliseconds),
    )
    if not part.mapping() and ip_restricted is None:
        return None
    return Permissions(
        granted=tuple(sorted(granted)),
        denied=tuple(sorted(names - granted)),
        ip_restricted=ip_restricted,
        created=created,
        trading_ends=ends,
    )


def _value(part: JsonPart) -> Value:
    return Value(
        role=part["role"].member(Role),
        sha256=part["sha256"].form(_DIGEST, "a SHA-256 digest"),
        masked=part["masked"].form(_MASK, "a mask"),
    )


def _location(part: JsonPart) -> Location:
    preexisting, unlisted, replaceable = part.get("standing"), part.get("unlisted_refs"), part.get("replaceable")
    near_miss = _optional(part, "near_miss", lambda one: (one["comment"].text(), one["above"].truth()))
    permit = _optional(part, "allowed_by", lambda one: one.member(SuppressedBy))
    return Location(
        role=part["role"].member(Role),
        path=part["path"].text(),
        line=part["line"].count(),
        column=part["column"].count(),
        cell=_optional(part, "cell", _cell),
        exposure=part["exposure"].member(Exposure),
        commit=part["commit"].optional(_commit),
        blob=part["blob"].optional(lambda blob: blob.form(_OBJECT, "an object id")),
        refs=part["refs"].items(lambda ref: ref.text()),
        preexisting=preexisting is not None and preexisting.truth(),
        removed=part["removed"].optional(_commit),
        pushed=part["pushed"].truth(),
        repository=_optional(part, "repository", JsonPart.text),
        unlisted_refs=unlisted.whole() if unlisted is not None else 0,
        replaceable=replaceable is None or replaceable.truth(),
        permit=permit.value if permit is not None else None,
        near_miss=near_miss[0] if near_miss is not None else None,
        near_miss_above=near_miss is not None and near_miss[1],
        origin=_optional(part, "origin", _origin),
        readers=_optional(part, "readers", lambda one: one.member(Readers)),
    )


def _origin(part: JsonPart) -> Origin:
    return Origin(
        author=part["author"].text(),
        date=part["date"].text(),
        layer=part["layer"].text(),
        command=part["command"].text(),
        deleted=part["deleted"].truth(),
    )


def _cell(part: JsonPart) -> Cell:
    return Cell(number=part["number"].count(), part=part["part"].optional(lambda one: one.member(CellPart)))


def _commit(part: JsonPart) -> Commit:
    return Commit(
        id=part["id"].form(_OBJECT, "a commit id"),
        author=part["author"].text(),
        date=part["date"].text(),
        subject=part["subject"].text(),
    )


def _suppression(part: JsonPart) -> Suppression:
    return Suppression(by=part["by"].member(SuppressedBy), reason=part["reason"].text())
