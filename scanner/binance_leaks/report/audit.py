"""Audits of the user's own keys, as text or as JSON with the schema `binance-leaks-audit/1`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TypedDict

from binance_leaks import __version__
from binance_leaks.audit import (
    PERMISSION_WORDS,
    Audit,
    AuditOutcome,
    Purpose,
    Rotation,
    age_words,
    in_order,
    needed_words,
    words_for,
)
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Credential, Kind, Role, Value
from binance_leaks.report.json import WireValue, as_json, wire_value
from binance_leaks.report.names import ROLE_NAMES, capitalize_first
from binance_leaks.report.sanitize import encodable, printable, without_values
from binance_leaks.report.text_layout import Page, Text
from binance_leaks.verification import PERMISSION_TIERS, Cause, Permissions, Tier, Verdict

AUDIT_SCHEMA = "binance-leaks-audit/1"
_LABEL = 12
_WIDEST_NAME = max(map(len, PERMISSION_WORDS.values())) + 2
_VERDICTS = MappingProxyType(
    {
        Verdict.LIVE: ("active", "bold green"),
        Verdict.LIVE_NO_PERMISSION: ("probably active", "bold yellow"),
        Verdict.KEY_LIVE_SECRET_WRONG: ("key probably active, secret does not match", "bold yellow"),
        Verdict.NOT_FOUND: ("probably revoked or deleted", "bold yellow"),
        Verdict.MALFORMED: ("probably not a key of this system", "bold yellow"),
        Verdict.INCONCLUSIVE: ("state unknown", "bold yellow"),
        Verdict.NOT_VERIFIABLE: ("cannot be verified", "bold yellow"),
        Verdict.NOT_ASKED: ("not checked", "bold yellow"),
    }
)
_ROTATION = MappingProxyType(
    {
        Rotation.FRESH: "no need to replace it yet",
        Rotation.SOON: "replace it soon (every 3 to 6 months is advised)",
        Rotation.DUE: "replace it now (every 3 to 6 months is advised)",
        Rotation.UNKNOWN: "replace keys every 3 to 6 months",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Audited:
    """A credential with its audit."""

    credential: Credential
    audit: Audit


def render_audit_text(audited: Sequence[Audited], *, purpose: Purpose | None, width: int, color: bool) -> str:
    """Render the audits one after the other, and a summary in the last line."""
    page = Page(width=width, color=color)
    for each in audited:
        _AuditPage(page, each).draw()
        page.gap()
    page.wrapped(Text(_summary(audited, purpose), style="bold"))
    return page.text()


class _AuditPage:
    """Draws one audit on a page."""

    def __init__(self, page: Page, audited: Audited) -> None:
        self._page = page
        self._credential = audited.credential
        self._audit = audited.audit
        self._verification = audited.audit.verification

    def draw(self) -> None:
        """Draw which key it is, the verdict, its permissions, addresses and age, and what to do."""
        self._head()
        self._page.wrapped(Text(self._verification.note), indent=2)
        if self._verification.host is not None:
            when = f", {self._verification.checked_at}" if self._verification.checked_at else ""
            self._line("Checked", f"{self._verification.host}{when}")
        permissions = self._verification.permissions
        if permissions is not None and permissions.known:
            self._table(permissions)
            self._line("Addresses", _describe_addresses(permissions))
            self._line("Created", _describe_creation(self._audit, permissions))
            self._line("Trading", _describe_trading(self._audit, permissions))
        if self._audit.purpose is not None:
            self._line("Purpose", f"{self._audit.purpose.value}, which needs {needed_words(self._audit.purpose)}")
        for text, style in ((self._audit.faults, "bold red"), (self._audit.warnings, "bold yellow")):
            for sentence in text:
                mark = "Fault" if style == "bold red" else "Warning"
                self._page.wrapped(Text.assemble((f"{mark}: ", style), sentence), indent=2, hang=2)
        self._steps()

    def _head(self) -> None:
        verdict, style = _VERDICTS[self._verification.verdict]
        if self._verification.verdict is Verdict.KEY_LIVE_SECRET_WRONG and self._credential.kind is Kind.API_KEY:
            verdict = "probably active, checked without its secret"
        if self._verification.cause is Cause.ENCRYPTED:
            verdict = "probably active, its private key is encrypted"
        if self._verification.verdict in (Verdict.NOT_FOUND, Verdict.MALFORMED) and not self._verification.is_gone:
            verdict = "not known where it was checked"
        environment = self._verification.environment or self._credential.environment
        first, *others = sorted(self._credential.values, key=lambda value: list(Role).index(value.role))
        named = Text.assemble(
            (f"{capitalize_first(ROLE_NAMES[first.role])} {_mask(first)}", "bold"), ": ", (verdict, style)
        )
        self._page.wrapped(named + Text(f", {environment.facts.title}"), hang=2)
        for value in others:
            self._line(capitalize_first(ROLE_NAMES[value.role]), _mask(value))
        self._line("Found in", ", ".join(_list_locations(self._credential)))

    def _table(self, permissions: Permissions) -> None:
        self._page.gap()
        names = [*PERMISSION_WORDS, *permissions.unknown]
        in_force = self._verification.permissions_in_force or permissions
        before = ""
        for name in names:
            label = PERMISSION_TIERS[name].value if name in PERMISSION_TIERS else "unknown"
            may = Text("yes", style="bold") if name in permissions.granted else Text("no", style="dim")
            if name not in permissions.granted and name not in permissions.denied:
                may = Text("unknown", style="dim")
            if name in permissions.granted and name not in in_force.granted:
                may = Text("lapsed", style="dim")
            if name in self._audit.excess:
                may = Text("yes, not needed", style="bold red")
            shown = Text(f"{label if label != before else '':<{_LABEL}}", style="dim")
            self._page.whole(shown + Text(f"{words_for(name):<{_WIDEST_NAME}}") + may, indent=2)
            before = label
        self._page.gap()

    def _steps(self) -> None:
        if not self._audit.steps:
            return
        self._page.wrapped(Text("What to do", style="bold"), indent=2)
        for number, step in enumerate(self._audit.steps, start=1):
            self._page.wrapped(Text(f"{number}. {step}"), indent=4, hang=3)

    def _line(self, label: str, text: str) -> None:
        self._page.wrapped(Text.assemble((f"{label:<{_LABEL}}", "dim"), text), indent=2, hang=_LABEL)


class _Key(TypedDict):
    id: str
    kind: str
    environment: str
    values: list[WireValue]
    standing: str
    verdict: str
    cause: str | None
    note: str
    host: str | None
    checked_at: str | None
    tier: str | None
    permissions: dict[str, bool] | None
    ip_restricted: bool | None
    created: str | None
    age_days: int | None
    rotation: str
    trading_ends: str | None
    excess: list[str]
    lacks: list[list[str]]
    faults: list[str]
    warnings: list[str]
    steps: list[str]


class _Report(TypedDict):
    schema: str
    tool: dict[str, str]
    audited_at: str
    complete: bool
    purpose: str | None
    keys: list[_Key]


def render_audit_json(
    audited: Sequence[Audited], *, purpose: Purpose | None, now: datetime, complete: bool = True
) -> str:
    """Render the audits as JSON by `binance-leaks-audit-1.schema.json`; an interrupted one is not complete."""
    report: _Report = {
        "schema": AUDIT_SCHEMA,
        "tool": {"name": "binance-leaks", "version": __version__},
        "audited_at": now.astimezone(timezone.utc).isoformat(timespec="seconds"),
        "complete": complete,
        "purpose": purpose.value if purpose is not None else None,
        "keys": [_key(each.credential, each.audit) for each in audited],
    }
    return as_json(report)


def _key(credential: Credential, audit: Audit) -> _Key:
    verification = audit.verification
    permissions = verification.permissions
    return {
        "id": credential.id,
        "kind": credential.kind.value,
        "environment": (verification.environment or credential.environment).value,
        "values": [wire_value(value) for value in credential.values],
        "standing": audit.outcome.value,
        "verdict": verification.verdict.value,
        "cause": verification.cause.value if verification.cause is not None else None,
        "note": verification.note,
        "host": verification.host,
        "checked_at": verification.checked_at,
        "tier": verification.tier.value if verification.tier is not None else None,
        "permissions": _granted(permissions) if permissions is not None else None,
        "ip_restricted": verification.ip_restricted,
        "created": _date(permissions.created) if permissions is not None else None,
        "age_days": audit.age_days,
        "rotation": audit.rotation.value,
        "trading_ends": _date(permissions.trading_ends) if permissions is not None else None,
        "excess": list(audit.excess),
        "lacks": [list(names) for names in audit.lacks],
        "faults": list(audit.faults),
        "warnings": list(audit.warnings),
        "steps": list(audit.steps),
    }


def _granted(permissions: Permissions) -> dict[str, bool]:
    return {name: name in permissions.granted for name in in_order((*permissions.granted, *permissions.denied))}


def _summary(audited: Sequence[Audited], purpose: Purpose | None) -> str:
    if not audited:
        return "No Binance credentials found: nothing was audited."
    outcomes = [each.audit.outcome for each in audited]
    failed, unknown = outcomes.count(AuditOutcome.FAILED), outcomes.count(AuditOutcome.UNKNOWN)
    parts = [f"{len(audited):,} {'key' if len(audited) == 1 else 'keys'} audited"]
    if failed:
        parts.append(f"{failed:,} with faults")
    if unknown:
        parts.append(f"{unknown:,} with unknown permissions")
    if not failed and not unknown:
        parts.append("no faults")
    known = any(each.audit.verification.permissions_in_force is not None for each in audited)
    hint = " With --purpose, also whether that is more than needed." if known and purpose is None else ""
    return f"{', '.join(parts)}.{hint}"


def _describe_addresses(permissions: Permissions) -> str:
    restricted = permissions.ip_restricted
    if restricted is None:
        return "unknown: Binance did not report whether it is restricted to trusted addresses"
    if restricted:
        allowed = "; from there it can do what is allowed above" if permissions.granted else ""
        return f"trusted addresses only{allowed}"
    return "any address: there is no list of trusted addresses (an empty list restricts nothing)"


def _describe_creation(audit: Audit, permissions: Permissions) -> str:
    if permissions.created is None:
        return f"unknown; {_ROTATION[Rotation.UNKNOWN]}"
    return f"{_date(permissions.created)}, {age_words(audit.age_days)} ago: {_ROTATION[audit.rotation]}"


def _describe_trading(audit: Audit, permissions: Permissions) -> str:
    if (permissions.tier or Tier.READ) is Tier.READ:
        return "not allowed"
    if audit.trading_days_left is None:
        return "allowed, no end date known"
    date = _date(permissions.trading_ends)
    if audit.trading_days_left < 0:
        return f"its authority for spot and margin ended on {date}"
    return f"its authority for spot and margin ends on {date}, in {age_words(audit.trading_days_left)}"


def _date(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).date().isoformat()


def _list_locations(credential: Credential) -> list[str]:
    """List paths with lines, each once, at most a few."""
    found = dict.fromkeys(
        f"{place.path}:{place.line}" if "." in place.path or "/" in place.path else place.path
        for place in (occurrence.location for occurrence in credential.occurrences)
    )
    shown = [printable(without_values(encodable(place))) for place in found]
    return shown if len(shown) <= 4 else [*shown[:4], f"and {len(shown) - 4:,} more"]


def _mask(value: Value) -> str:
    return printable(value.masked).removeprefix("private key, ")
