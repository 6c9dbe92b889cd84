"""A credential as the page shows it: sanitized text, with nothing left to decide for the template."""

from __future__ import annotations

from collections.abc import Sequence

from binance_leaks.environments import KEY_PAGES
from binance_leaks.findings import Finding, Mark, Result
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Exposure
from binance_leaks.report.advice import steps_for_finding
from binance_leaks.report.allow_commands import allow_command
from binance_leaks.report.allow_notes import allow_notes
from binance_leaks.report.forge import ForgeLinks
from binance_leaks.report.html.locations import LocationFormatter, LocationText, RepositoryIndex, Spread
from binance_leaks.report.html.timeline import Introduced, Timeline, TimelineFormatter, introduced_on
from binance_leaks.report.locations import EXPOSURES_BY_USE, describe_unlisted, sort_by_use
from binance_leaks.report.names import (
    MARK_NAMES,
    capitalize_first,
    exposure_name,
    kind_name,
    named_masks,
    pass_reason,
)
from binance_leaks.report.remedies import Step
from binance_leaks.report.rewrite_advice import GITHUB_REMOVAL, GITLAB_REMOVAL
from binance_leaks.report.sanitize import Quoted, Redactor
from binance_leaks.report.verification_text import (
    TierAccess,
    access_by_tier,
    describe_check,
    describe_key_details,
    describe_verdict,
)
from binance_leaks.risk import power_of
from binance_leaks.verification import Verification

LINKED = KEY_PAGES | {GITHUB_REMOVAL, GITLAB_REMOVAL}
"""The addresses to which a step may lead."""

_MAX_LOCATIONS = 100
_FIRST_LOCATIONS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskText:
    """One thing to do: a sentence, lines to copy, and links to sites where to do it or how.

    `about` is what precedes the sentence: the masks or repositories that it is for.
    """

    text: str
    about: str = ""
    lines: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @classmethod
    def of(cls, step: Step, quoted: Quoted, *, about: bool) -> TaskText:
        """Return the text of a step, with the masks that it is for in front if `about`."""
        described = step.describe(quoted.path) if about else step.describe_where(quoted.path)
        lead, text = described[: -len(step.text)], described[-len(step.text) :]
        return cls(
            text=text if lead else capitalize_first(text),
            about=lead,
            lines=tuple(line for line in step.verbatim if line not in LINKED),
            links=tuple(line for line in step.verbatim if line in LINKED),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class VerificationText:
    """What Binance answered about a credential."""

    verdict: str
    active: bool
    access: tuple[TierAccess, ...]
    addresses: str
    checked: str
    details: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """Everything that the page shows of one finding.

    `day` is when it was first introduced, empty if unknown. `more` locations are not listed, `unlisted` counts those in
    no report, `others` all but the first. `spread` is for a fleet.
    """

    number: int
    id: str
    level: str
    kind: str
    environment: str
    environment_name: str
    confidence: str
    masks: tuple[tuple[str, str], ...]
    introduced: Introduced | None
    verification: VerificationText | None
    reasons: tuple[str, ...]
    evidence: tuple[str, ...]
    notes: tuple[str, ...]
    exposures: tuple[str, ...]
    exposures_text: tuple[str, ...]
    pushed: bool
    passes: str
    suppressed: str
    day: str
    timeline: Timeline | None
    first: tuple[LocationText, ...]
    locations: tuple[LocationText, ...]
    more: int
    unlisted: str
    others: int
    spread: Spread | None
    mark: str
    mark_name: str
    tasks: tuple[TaskText, ...]
    allowing: tuple[TaskText, ...]


class CardFormatter:
    """Formats the cards of one result, for its `listed` findings."""

    def __init__(self, result: Result, *, listed: Sequence[Finding], verbose: bool) -> None:
        self._result = result
        self._verbose = verbose
        self._quoted = Quoted(Redactor.of(result))
        links = ForgeLinks.of(result)
        self._formatter = LocationFormatter(self._quoted, links)
        self.repositories = RepositoryIndex(listed, self._quoted, links, verbose=verbose)
        self._chronicle = TimelineFormatter(quoted=self._quoted, links=links, source=result.source, verbose=verbose)

    def cards(self, findings: Sequence[Finding], *, start: int = 1) -> tuple[Card, ...]:
        """Return a card for each finding, numbered from `start`."""
        return tuple(self._card(finding, number) for number, finding in enumerate(findings, start=start))

    def _card(self, finding: Finding, number: int) -> Card:
        exposures = [exposure for exposure in EXPOSURES_BY_USE if self._is_at(finding, exposure)]
        day = introduced_on(finding)
        places = sort_by_use(finding)
        kept = places if self._verbose or len(places) <= _MAX_LOCATIONS + 1 else places[:_MAX_LOCATIONS]
        locations = self._formatter.all(kept, finding)
        folded = _FIRST_LOCATIONS if len(locations) > _FIRST_LOCATIONS + 1 else len(locations)
        return Card(
            number=number,
            id=finding.id,
            level=finding.risk.level.value,
            kind=kind_name(finding),
            environment=finding.environment.value,
            environment_name=finding.environment.facts.title,
            confidence=finding.confidence.value,
            masks=tuple(named_masks(finding)),
            introduced=self._chronicle.introduced(finding),
            verification=self._verification(finding.verification) if finding.verification is not None else None,
            reasons=tuple(map(self._quoted.prose, finding.risk.reasons)),
            evidence=tuple(map(self._quoted.prose, finding.evidence)),
            notes=tuple(allow_notes(finding, self._quoted)),
            exposures=() if finding.mark is Mark.GONE else tuple(exposure.value for exposure in exposures),
            exposures_text=tuple(exposure_name(exposure, finding.mark) for exposure in exposures),
            pushed=any(place.pushed for place in places),
            passes=pass_reason(finding) if finding.suppressed is None else "",
            suppressed=self._suppressed(finding),
            day=day.isoformat() if day is not None else "",
            timeline=self._chronicle.of(finding),
            first=locations[:folded],
            locations=locations[folded:],
            more=len(places) - len(kept),
            unlisted=describe_unlisted(finding.unlisted) if finding.unlisted else "",
            others=len(places) - 1 + finding.unlisted,
            spread=self.repositories.spread(finding),
            mark=finding.mark.value if finding.mark is not None else "",
            mark_name=MARK_NAMES[finding.mark] if finding.mark is not None else "",
            tasks=tuple(self._tasks(finding)),
            allowing=tuple(self._allowing(finding)),
        )

    def _is_at(self, finding: Finding, exposure: Exposure) -> bool:
        return any(place.exposure is exposure for place in finding.locations)

    def _verification(self, verification: Verification) -> VerificationText:
        return VerificationText(
            verdict=describe_verdict(verification),
            active=power_of(verification) is not None,
            access=access_by_tier(verification),
            addresses=_describe_addresses(verification.ip_restricted),
            checked=describe_check(verification, self._quoted),
            details=capitalize_first("; ".join(describe_key_details(verification))),
            note=self._quoted.note(verification.note),
        )

    def _suppressed(self, finding: Finding) -> str:
        if finding.suppressed is None:
            return ""
        return f"{finding.suppressed.by.value}: {self._quoted.prose(finding.suppressed.reason)}"

    def _tasks(self, finding: Finding) -> list[TaskText]:
        if finding.suppressed is not None:
            return []
        return [TaskText.of(step, self._quoted, about=False) for step in steps_for_finding(finding, self._result)]

    def _allowing(self, finding: Finding) -> list[TaskText]:
        if finding.suppressed is not None:
            return []
        step = Step(text="run in its repository:", verbatim=(allow_command(finding, self._result.source),))
        return [TaskText.of(step, self._quoted, about=False)]


def _describe_addresses(ip_restricted: bool | None) -> str:
    if ip_restricted is None:
        return "Addresses unknown"
    return "Works from trusted addresses only" if ip_restricted else "Works from any address"
