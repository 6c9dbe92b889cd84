"""The `csv` format: a row per location (RFC 4180), and one per item that was not read.

Spreadsheets evaluate cells that start with `=`, `+`, `-` or `@` as formulas, and a repository may name a file so:
such cells get a `'` in front, which spreadsheets do not show. So do the parts of a cell behind a `;`, as spreadsheets
in many countries split the lines of any such file there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from binance_leaks.findings import Finding, Result, SourceKind
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Commit, Location, Origin
from binance_leaks.report import View
from binance_leaks.report.locations import MAX_LISTED_REFS
from binance_leaks.report.names import harmless_items, listed_findings, lost_items, pass_reason
from binance_leaks.report.sanitize import Quoted, Redactor, printable
from binance_leaks.verification import Verification

COLUMNS = (
    "record", "id", "kind", "environment", "confidence", "risk", "reasons", "fails", "passes_because", "role", "masked",
    "digest", "path", "line", "column", "exposure", "standing", "pushed", "refs", "commit", "author", "date", "subject",
    "removed", "removed_author", "removed_date", "removed_subject", "blob", "evidence", "unlisted_refs",
    "origin_author", "origin_date", "layer", "layer_command", "layer_deleted",
)  # fmt: skip
VERIFICATION_COLUMNS = (
    "verdict", "cause", "tier", "ip_restricted", "permissions", "checked_at", "host", "note",
)  # fmt: skip
FLEET_COLUMNS = ("repository", "mark", "unlisted")
_SPLIT_FORMULA = lazy_pattern(r"([;\t|])([\s\"]{0,20}[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""The start of a formula where a spreadsheet takes another character than the comma for the end of a cell."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def render_csv(result: Result, view: View) -> str:
    """Render the table with its heading; `record` is `finding`, `not-read` or `skipped`.

    Columns of verification follow the others if anything was verified; columns of a fleet come last.
    """
    stream = StringIO()
    findings = listed_findings(result, show_suppressed=view.show_suppressed)
    verified = any(finding.verification is not None for finding in findings)
    fleet = result.source is SourceKind.FLEET
    columns = (*COLUMNS, *(VERIFICATION_COLUMNS if verified else ()), *(FLEET_COLUMNS if fleet else ()))
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    rows = _Rows(Quoted(Redactor.of(result)), fleet=fleet)
    for finding in findings:
        writer.writerows({name: _escape_formula(cell) for name, cell in row.items()} for row in rows.of(finding))
    for record, things in (("not-read", lost_items(result)), ("skipped", harmless_items(result))):
        for skipped in things:
            row = {"record": record, "path": rows.path(skipped.what), "reasons": rows.prose(skipped.why)}
            writer.writerow({name: _escape_formula(cell) for name, cell in row.items()})
    return stream.getvalue()


class _Rows:
    """Turns findings into rows of single-line text."""

    def __init__(self, quoted: Quoted, *, fleet: bool) -> None:
        self._fleet = fleet
        self.path = quoted.path
        self.prose = quoted.prose
        self.note = quoted.note

    def of(self, finding: Finding) -> Iterator[dict[str, str]]:
        """Yield a row for each of its locations."""
        suppressed = finding.suppressed
        why = pass_reason(finding) + (f" {self.prose(suppressed.reason)}" if suppressed is not None else "")
        common = {
            "record": "finding",
            "id": printable(finding.id),
            "kind": finding.kind.value,
            "environment": finding.environment.value,
            "confidence": finding.confidence.value,
            "risk": finding.risk.level.value,
            "reasons": " ".join(map(self.prose, finding.risk.reasons)),
            "fails": _format_bool(finding.fails and suppressed is None),
            "passes_because": why,
            "evidence": "; ".join(map(self.prose, finding.evidence)),
        }
        if finding.verification is not None:
            common |= self._verification(finding.verification)
        for location in finding.locations:
            row = {**common, **_value_columns(finding, location), **self._place(location)}
            yield {**row, **self._of_fleet(finding, location)} if self._fleet else row

    def _verification(self, verification: Verification) -> dict[str, str]:
        """Return what Binance answered; what is unknown stays empty."""
        permissions, restricted = verification.permissions, verification.ip_restricted
        return {
            "verdict": verification.verdict.value,
            "cause": verification.cause.value if verification.cause is not None else "",
            "tier": verification.tier.value if verification.tier is not None else "",
            "ip_restricted": _format_bool(restricted) if restricted is not None else "",
            "permissions": " ".join(permissions.nameable().granted) if permissions is not None else "",
            "checked_at": self.path(verification.checked_at or ""),
            "host": self.path(verification.host or ""),
            "note": self.note(verification.note),
        }

    def _place(self, location: Location) -> dict[str, str]:
        return {
            "path": self.path(location.path),
            "line": str(location.line),
            "column": str(location.column),
            "exposure": location.exposure.value,
            "standing": _format_bool(location.preexisting),
            "pushed": _format_bool(location.pushed),
            "refs": " ".join(map(self.path, location.refs[:MAX_LISTED_REFS])),
            "unlisted_refs": str(location.unlisted_refs + max(0, len(location.refs) - MAX_LISTED_REFS)),
            "blob": printable(location.blob or ""),
            **self._commit(location.commit, ("commit", "author", "date", "subject")),
            **self._commit(location.removed, ("removed", "removed_author", "removed_date", "removed_subject")),
            **self._origin(location.origin),
        }

    def _origin(self, origin: Origin | None) -> dict[str, str]:
        if origin is None:
            return {}
        return {
            "origin_author": self.prose(origin.author),
            "origin_date": self.prose(origin.date),
            "layer": self.path(origin.layer),
            "layer_command": self.prose(origin.command),
            "layer_deleted": _format_bool(origin.deleted) if origin.layer else "",
        }

    def _of_fleet(self, finding: Finding, location: Location) -> dict[str, str]:
        return {
            "repository": self.path(location.repository or ""),
            "mark": finding.mark.value if finding.mark is not None else "",
            "unlisted": str(finding.unlisted),
        }

    def _commit(self, commit: Commit | None, names: tuple[str, str, str, str]) -> dict[str, str]:
        if commit is None:
            return {}
        texts = (printable(commit.id), self.prose(commit.author), self.path(commit.date), self.prose(commit.subject))
        return dict(zip(names, texts, strict=True))


def _value_columns(finding: Finding, location: Location) -> dict[str, str]:
    """Return the values that can be at this location: those with its role."""
    there = [value for value in finding.values if value.role is location.role]
    return {
        "role": location.role.value,
        "masked": " ".join(printable(value.masked) for value in there),
        "digest": " ".join(f"sha256:{printable(value.sha256)}" for value in there),
    }


def _format_bool(fact: bool) -> str:
    return "true" if fact else "false"


def _escape_formula(cell: str) -> str:
    cell = _SPLIT_FORMULA.sub(r"\1'\2", cell)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
