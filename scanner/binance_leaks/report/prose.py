"""Tells of a finding and its places in plain sentences, for formats that have no fields for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from binance_leaks.findings import Finding, Mark, Result, Skipped, SourceKind
from binance_leaks.model import Commit, Exposure, Location
from binance_leaks.report.locations import by_use, further, repository_of
from binance_leaks.report.names import ROLE_NAMES, exposed
from binance_leaks.report.sanitize import Quoted, Redactor, code_span, markdown_text, printable
from binance_leaks.report.verification_text import told

_MOST_PLACES = 6
_MOST_REFS = 4
_MOST_EVIDENCE = 4
_WITH_HISTORY = (SourceKind.HISTORY, SourceKind.RANGE, SourceKind.FLEET)


@dataclass(frozen=True, slots=True)
class Telling:
    """What of a result was written by strangers, made inert: on one line, without values. `source` was scanned."""

    quoted: Quoted
    source: SourceKind

    @classmethod
    def of(cls, result: Result) -> Telling:
        """The telling that knows every value of the result."""
        return cls(Quoted(Redactor.of(result)), result.source)

    def where(self, location: Location) -> str:
        """`path:line:column`, in a fleet `repository: path:line:column`."""
        repository = repository_of(location, self.quoted.path)
        return f"{repository}{self.quoted.path(location.path)}:{location.line}:{location.column}"

    def commit(self, commit: Commit) -> str:
        """Id, day, author without address, subject."""
        name = commit.author.partition(" <")[0].strip() or commit.author
        day = self.quoted.path(commit.date)[:10]
        return f"{printable(commit.id[:12])} {day} {self.quoted.prose(name)}: {self.quoted.prose(commit.subject)}"

    def fate(self, location: Location, mark: Mark | None = None) -> list[str]:
        """How a place is exposed, who brought the value there, who took it out, what holds it; a phrase each."""
        phrases = ["stood there before"] if location.preexisting else []
        if location.exposure is not Exposure.PRESENT or self.source in _WITH_HISTORY:
            phrases.append(exposed(location.exposure, mark))
        if location.commit is not None:
            phrases.append(f"added in {self.commit(location.commit)}")
        if location.removed is not None:
            phrases.append(f"removed in {self.commit(location.removed)}")
        if location.refs:
            phrases.append(f"in {self.refs(location.refs)}")
        return [*phrases, "pushed: a remote has it"] if location.pushed else phrases

    def place(self, location: Location, mark: Mark | None = None) -> str:
        """One place on one line."""
        return "; ".join((f"{self.where(location)} ({ROLE_NAMES[location.role]})", *self.fate(location, mark)))

    def marked(self, location: Location, mark: Mark | None = None) -> str:
        """The same in Markdown."""
        phrases = map(markdown_text, self.fate(location, mark))
        return "; ".join((f"{code_span(self.where(location))} ({ROLE_NAMES[location.role]})", *phrases))

    def places(self, finding: Finding, most: int = _MOST_PLACES, *, marked: bool = False) -> list[str]:
        """Its places, the most useful first, and how many more there are than `most`; in Markdown if `marked`."""
        places = by_use(finding)
        shown = places if len(places) <= most + 1 else places[:most]
        tell = self.marked if marked else self.place
        told = [tell(place, finding.mark) for place in shown]
        return [*told, *(f"and {rest}" for rest in further(finding, shown))]

    def refs(self, refs: Sequence[str]) -> str:
        """Names of branches and tags, the first few."""
        if len(refs) <= _MOST_REFS + 1:
            return ", ".join(map(self.quoted.path, refs))
        return f"{', '.join(map(self.quoted.path, refs[:_MOST_REFS]))} and {len(refs) - _MOST_REFS:,} more"

    def why(self, finding: Finding) -> str:
        """The risk with its reasons."""
        reasons = " ".join(self.quoted.prose(reason) for reason in finding.risk.reasons)
        return f"Why {finding.risk.level.value}: {reasons}"

    def verdict(self, finding: Finding) -> list[str]:
        """What Binance answered about it, a line each; nothing if nobody was to ask."""
        return told(finding.verification, self.quoted) if finding.verification is not None else []

    def evidence(self, finding: Finding) -> str:
        """What speaks for Binance, the first few; empty if nothing is known."""
        told = [self.quoted.prose(evidence) for evidence in finding.evidence[:_MOST_EVIDENCE]]
        more = len(finding.evidence) - len(told)
        if more > 0:
            told.append(f"and {more:,} more")
        return f"Evidence: {'; '.join(told)}." if told else ""

    def skipped(self, skipped: Skipped) -> str:
        """What was not read, and why."""
        return f"{self.quoted.path(skipped.what)}: {self.quoted.prose(skipped.why)}"
