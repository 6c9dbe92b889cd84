"""Reads a stored report, schema `binance-leaks/1`, so that it can be rendered again in every format.

A report may come from anywhere. It is read strictly: what has another shape is refused, so that nothing but digests,
masks and text passes, which the formats treat as they treat text of strangers. Keys that are not known are passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeVar

from binance_leaks.errors import UsageError
from binance_leaks.findings import (
    Finding,
    Mark,
    Result,
    Risk,
    ScanStats,
    Skipped,
    SourceKind,
    SuppressedBy,
    Suppression,
)
from binance_leaks.model import Commit, Confidence, Environment, Exposure, Kind, Location, RiskLevel, Role, Value
from binance_leaks.report.json import SCHEMA
from binance_leaks.report.names import REST
from binance_leaks.report.strict_json import Part
from binance_leaks.risk import nameable
from binance_leaks.verification import Cause, Permissions, Verdict, Verification

_T = TypeVar("_T")
_ID = re.compile(r"[0-9a-f]{8,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MASK = re.compile(r"[!-~]{1,4}…[!-~]{0,4}|private key, [0-9]{1,9} bytes")
_HOST = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,9}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|\+00:00)")
_CREATED, _TRADING_ENDS = "createTime", "tradingAuthorityExpirationTime"
_STATISTIC = re.compile(r"[a-z_]{1,40}")
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
    return _result(Part(name, "", whole))


def read_value(data: object, name: str) -> Value:
    """One value of a finding, from plain data. Raises UsageError, naming `name`, for what is no digest or no mask."""
    return _value(Part(name, "value", data))


def read_verification(data: object, name: str) -> Verification:
    """What Binance answered, from plain data as `wire_verification` makes it. Raises UsageError, naming `name`."""
    return _verification(Part(name, "verification", data))


def _refuse_constant(text: str) -> float:
    raise ValueError(text)


def _result(whole: Part) -> Result:
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
        stats=ScanStats.of({key: stats[key].number() for key in stats.mapping()}),
        interrupted=interrupted,
    )
    if result.complete != complete:
        raise UsageError(f"report {whole.report}: scan.complete is false, and nothing is named that was not read")
    return result


def _check_schema(whole: Part) -> None:
    schema = whole["schema"].text()
    if schema == SCHEMA:
        return
    if schema.startswith(f"{_FAMILY}/"):
        raise UsageError(
            f"report {whole.report} has another version of the schema than {SCHEMA}",
            hint="Use the version of binance-leaks that wrote it.",
        )
    raise UsageError(f"report {whole.report} is none of binance-leaks", hint="Write it with --format json:FILE.")


def _skipped(scan: Part) -> tuple[tuple[Skipped, ...], bool, bool]:
    """What was not read, whether the scan was interrupted, and whether it says that it is complete."""
    complete = scan["complete"].truth()
    listed = scan["skipped"].items(lambda part: (part["what"].text(), part["why"].text()))
    interrupted = not complete and listed[-1:] == ((REST.what, REST.why),)
    if interrupted:
        listed = listed[:-1]
    return tuple(Skipped(what=what, why=why, lost=not complete) for what, why in listed), interrupted, complete


def _finding(part: Part) -> Finding:
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
        mark=_held(part, "mark", lambda one: one.member(Mark)),
        unlisted=unlisted.whole() if unlisted is not None else 0,
    )


def _verification(part: Part) -> Verification:
    """The rights decide the tier. Reports of an earlier version lack what is read with `_held`."""
    swapped = part.get("swapped")
    note = part["note"].optional(lambda one: one.text())
    return Verification(
        verdict=part["verdict"].member(Verdict),
        cause=_held(part, "cause", lambda one: one.member(Cause)),
        permissions=_permissions(part["permissions"], part["ip_restricted"].optional(lambda one: one.truth())),
        environment=_held(part, "environment", lambda one: one.member(Environment)),
        host=part["host"].optional(lambda one: one.form(_HOST, "a host")),
        checked_at=part["checked_at"].optional(lambda one: one.form(_MOMENT, "a moment in UTC")),
        note=note or "",
        key=_held(part, "key_sha256", lambda one: one.form(_DIGEST, "a SHA-256 digest")),
        secret=_held(part, "secret_sha256", lambda one: one.form(_DIGEST, "a SHA-256 digest")),
        swapped=swapped is not None and swapped.truth(),
    )


def _held(part: Part, key: str, read: Callable[[Part], _T]) -> _T | None:
    """What an object may lack or have as null."""
    held = part.get(key)
    return held.optional(read) if held is not None else None


def _permissions(part: Part, ip_restricted: bool | None) -> Permissions | None:
    """None if nothing is told; what was told of no permission at all is the same."""
    names = {name for name in part.mapping() if name not in (_CREATED, _TRADING_ENDS)}
    if set(nameable(Permissions(granted=tuple(names))).granted) != names:
        raise part.wrong("has a name that is no permission")
    granted = {name for name in names if part[name].truth()}
    created, ends = _held(part, _CREATED, Part.milliseconds), _held(part, _TRADING_ENDS, Part.milliseconds)
    if not part.mapping() and ip_restricted is None:
        return None
    return Permissions(
        granted=tuple(sorted(granted)),
        denied=tuple(sorted(names - granted)),
        ip_restricted=ip_restricted,
        created=created,
        trading_ends=ends,
    )


def _value(part: Part) -> Value:
    return Value(
        role=part["role"].member(Role),
        sha256=part["sha256"].form(_DIGEST, "a SHA-256 digest"),
        masked=part["masked"].form(_MASK, "a mask"),
    )


def _location(part: Part) -> Location:
    preexisting = part.get("standing")
    return Location(
        role=part["role"].member(Role),
        path=part["path"].text(),
        line=part["line"].count(),
        column=part["column"].count(),
        exposure=part["exposure"].member(Exposure),
        commit=part["commit"].optional(_commit),
        blob=part["blob"].optional(lambda blob: blob.form(_OBJECT, "an object id")),
        refs=part["refs"].items(lambda ref: ref.text()),
        preexisting=preexisting is not None and preexisting.truth(),
        removed=part["removed"].optional(_commit),
        pushed=part["pushed"].truth(),
        repository=_held(part, "repository", Part.text),
    )


def _commit(part: Part) -> Commit:
    return Commit(
        id=part["id"].form(_OBJECT, "a commit id"),
        author=part["author"].text(),
        date=part["date"].text(),
        subject=part["subject"].text(),
    )


def _suppression(part: Part) -> Suppression:
    return Suppression(by=part["by"].member(SuppressedBy), reason=part["reason"].text())
