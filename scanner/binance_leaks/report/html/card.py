"""One credential as the page shows it: all in words that are safe to show, nothing left to decide for the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from binance_leaks.environments import KEY_PAGE
from binance_leaks.findings import Finding, Mark, Result
from binance_leaks.model import Exposure
from binance_leaks.report.advice import allowing, own_steps
from binance_leaks.report.html.locations import Place, Placer, Roll, Spread
from binance_leaks.report.html.timeline import Chronicle, Timeline, first_day
from binance_leaks.report.locations import EXPOSURES_BY_USE, by_use, in_store
from binance_leaks.report.names import KIND_NAMES, MARK_NAMES, exposed, masks, passes_because
from binance_leaks.report.remedy import Step
from binance_leaks.report.sanitize import Quoted, Redactor
from binance_leaks.report.verification_text import Right, asked, further, rights, verdict
from binance_leaks.risk import nameable, power_of
from binance_leaks.verification import Permissions, Verification

_MOST_PLACES = 100
_FIRST_PLACES = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One thing to do: a sentence, lines to copy, and Binance's page for it if it is that."""

    text: str
    lines: tuple[str, ...] = ()
    link: str = ""

    @classmethod
    def of(cls, step: Step, quoted: Quoted, *, about: bool) -> Task:
        """The step, with the masks that it is for in front of it if `about`."""
        text = step.told(quoted.path) if about else step.placed(quoted.path)
        link = KEY_PAGE if KEY_PAGE in step.verbatim else ""
        return cls(
            text=_capital(text),
            lines=tuple(line for line in step.verbatim if line != KEY_PAGE),
            link=link,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What Binance answered: the verdict in words, what the key may do, from where, when it was asked, and the rest."""

    verdict: str
    alive: bool
    rights: tuple[Right, ...]
    addresses: str
    asked: str
    further: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """All that the page tells of one finding. `day` is when it was first brought in, empty if nobody knows.

    `more` places are not listed, `unlisted` says how many are known beyond all. `spread` is that of a fleet.
    """

    number: int
    id: str
    level: str
    kind: str
    environment: str
    environment_name: str
    confidence: str
    masks: tuple[tuple[str, str], ...]
    answer: Answer | None
    reasons: tuple[str, ...]
    evidence: tuple[str, ...]
    exposures: tuple[str, ...]
    exposed: tuple[str, ...]
    pushed: bool
    passes: str
    suppressed: str
    day: str
    timeline: Timeline | None
    first: tuple[Place, ...]
    places: tuple[Place, ...]
    more: int
    unlisted: str
    others: int
    spread: Spread | None
    mark: str
    became: str
    tasks: tuple[Task, ...]
    allowing: tuple[Task, ...]


class Deck:
    """Makes the cards of one result, for those of its findings that are `listed`."""

    def __init__(self, result: Result, *, listed: Sequence[Finding], verbose: bool) -> None:
        self._result = result
        self._verbose = verbose
        self._quoted = Quoted(Redactor.of(result))
        self._placer = Placer(self._quoted)
        self.roll = Roll(listed, self._quoted, verbose=verbose)
        self._chronicle = Chronicle(quoted=self._quoted, source=result.source, verbose=verbose)

    def cards(self, findings: Sequence[Finding], *, start: int = 1) -> tuple[Card, ...]:
        """A card for each, numbered from `start`."""
        return tuple(self._card(finding, number) for number, finding in enumerate(findings, start=start))

    def _card(self, finding: Finding, number: int) -> Card:
        exposures = [exposure for exposure in EXPOSURES_BY_USE if self._is_at(finding, exposure)]
        day = first_day(finding)
        places = by_use(finding)
        kept = places if self._verbose or len(places) <= _MOST_PLACES + 1 else places[:_MOST_PLACES]
        told = self._placer.all(kept, finding.mark)
        folded = _FIRST_PLACES if len(told) > _FIRST_PLACES + 1 else len(told)
        return Card(
            number=number,
            id=finding.id,
            level=finding.risk.level.value,
            kind=KIND_NAMES[finding.kind],
            environment=finding.environment.value,
            environment_name=finding.environment.facts.title,
            confidence=finding.confidence.value,
            masks=tuple(masks(finding)),
            answer=self._answer(finding.verification) if finding.verification is not None else None,
            reasons=tuple(map(self._quoted.prose, finding.risk.reasons)),
            evidence=tuple(map(self._quoted.prose, finding.evidence)),
            exposures=() if finding.mark is Mark.GONE else tuple(exposure.value for exposure in exposures),
            exposed=tuple(exposed(exposure, finding.mark) for exposure in exposures),
            pushed=any(place.pushed for place in places),
            passes=passes_because(finding) if finding.suppressed is None else "",
            suppressed=self._suppressed(finding),
            day=day.isoformat() if day is not None else "",
            timeline=self._chronicle.of(finding),
            first=told[:folded],
            places=told[folded:],
            more=len(places) - len(kept),
            unlisted=in_store(finding.unlisted) if finding.unlisted else "",
            others=len(places) - 1 + finding.unlisted,
            spread=self.roll.spread(finding),
            mark=finding.mark.value if finding.mark is not None else "",
            became=MARK_NAMES[finding.mark] if finding.mark is not None else "",
            tasks=tuple(self._tasks(finding)),
            allowing=tuple(self._allowing(finding)),
        )

    def _is_at(self, finding: Finding, exposure: Exposure) -> bool:
        return any(place.exposure is exposure for place in finding.locations)

    def _answer(self, verification: Verification) -> Answer:
        permissions = nameable(verification.permissions or Permissions())
        return Answer(
            verdict=verdict(verification),
            alive=power_of(verification) is not None,
            rights=rights(permissions),
            addresses=_addresses(verification.ip_restricted),
            asked=asked(verification, self._quoted),
            further=_capital("; ".join(further(permissions))),
            note=self._quoted.note(verification.note),
        )

    def _suppressed(self, finding: Finding) -> str:
        if finding.suppressed is None:
            return ""
        return f"{finding.suppressed.by.value}: {self._quoted.prose(finding.suppressed.reason)}"

    def _tasks(self, finding: Finding) -> list[Task]:
        if finding.suppressed is not None:
            return []
        return [Task.of(step, self._quoted, about=False) for step in own_steps(finding, self._result)]

    def _allowing(self, finding: Finding) -> list[Task]:
        if finding.suppressed is not None:
            return []
        ways = allowing([finding], self._result.source, digests=True)
        return [Task.of(step, self._quoted, about=False) for step in ways]


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _addresses(ip_restricted: bool | None) -> str:
    if ip_restricted is None:
        return "Addresses not told"
    return "Works from trusted addresses only" if ip_restricted else "Works from any address"
