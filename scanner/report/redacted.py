"""A result without values, in the texts that strangers wrote too: fit to be handed to other programs.

Reports mask such texts when they write them. Whoever takes a result itself, as users of the library do, gets it so.
"""

from __future__ import annotations

from dataclasses import replace

from scanner.findings import Finding, Result, Risk, Skipped, Suppression
from scanner.model import Commit, Location
from scanner.report.sanitize import Redactor
from scanner.verification import Verification


def redacted(result: Result) -> Result:
    """The result without the bytes of any value, and with values masked wherever a repository wrote them.

    Texts stay hostile otherwise: they hold line breaks and escape sequences as they were written.
    """
    masks = _Masks(Redactor.of(result))
    result = result.without_secrets()
    return replace(
        result,
        target=masks.path(result.target),
        findings=tuple(map(masks.finding, result.findings)),
        suppressed=tuple(map(masks.finding, result.suppressed)),
        skipped=tuple(map(masks.skipped, result.skipped)),
    )


class _Masks:
    """Goes through a finding as the JSON report does: paths, references and dates as such, all else as prose."""

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
