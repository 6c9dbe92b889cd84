"""Sentences on a finding and its locations, for formats without fields for them."""

from __future__ import annotations

from binance_leaks.findings import Finding, Mark, Result, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import IMAGE_CONFIGURATION, Commit, Exposure, Location, Origin
from binance_leaks.report.forge import ForgeLinks
from binance_leaks.report.locations import describe_position, describe_rest, fold_refs, repository_prefix, sort_by_use
from binance_leaks.report.names import ALREADY_THERE, PUSHED, exposure_name, readers_name, role_name
from binance_leaks.report.sanitize import Quoted, code_span, markdown_text, printable
from binance_leaks.report.verification_text import describe_verification

_MAX_LOCATIONS = 6
_MAX_REFS = 4
_MAX_EVIDENCE = 4
_LAYER = len("sha256:") + 12
_WITH_HISTORY = (SourceKind.HISTORY, SourceKind.RANGE, SourceKind.FLEET)


def describe_origin(origin: Origin | None, quoted: Quoted) -> list[str]:
    """Describe who wrote a value and when, or which layer of an image has it; a phrase each."""
    if origin is None:
        return []
    phrases = []
    author, date = quoted.prose(origin.author).strip(), quoted.prose(origin.date).strip()
    if author or (date and not origin.layer):
        phrases.append(f"written{f' by {author}' if author else ''}{f' on {date}' if date else ''}")
        date = ""
    if origin.layer == IMAGE_CONFIGURATION:
        phrases.append("in the configuration of the image, which anyone who pulls it can read")
    elif origin.layer:
        made = f"{f' on {date}' if date else ''}{f' by {quoted.prose(origin.command)}' if origin.command else ''}"
        phrases.append(f"in layer {quoted.path(origin.layer)[:_LAYER]}{f', made{made}' if made else ''}")
    return [*phrases, "deleted or replaced in a later layer, and still in the image"] if origin.deleted else phrases


@dataclass(frozen=True, slots=True)
class Describer:
    """Describes parts of one result on single lines, with untrusted text sanitized."""

    quoted: Quoted
    source: SourceKind
    links: ForgeLinks

    @classmethod
    def of(cls, result: Result) -> Describer:
        """Return the describer that redacts every value of the result."""
        links = ForgeLinks.of(result)
        return cls(Quoted(links.redactor), result.source, links)

    def position(self, location: Location) -> str:
        """Return path, line and column, in a fleet behind the repository, in a notebook with the cell."""
        repository = repository_prefix(location, self.quoted.path)
        return repository + describe_position(location, self.quoted.path(location.path))

    def commit(self, commit: Commit) -> str:
        """Return id, day, author without address, and subject."""
        name = commit.author.partition(" <")[0].strip() or commit.author
        day = self.quoted.path(commit.date)[:10]
        return f"{printable(commit.id[:12])} {day} {self.quoted.prose(name)}: {self.quoted.prose(commit.subject)}"

    def provenance(self, location: Location, mark: Mark | None = None) -> list[str]:
        """Describe how a location is exposed, what introduced and removed the value, and where it is; a phrase each."""
        phrases = [ALREADY_THERE] if location.preexisting else []
        if location.exposure is not Exposure.PRESENT or self.source in _WITH_HISTORY:
            phrases.append(exposure_name(location.exposure, mark))
        if readers := readers_name(location):
            phrases.append(readers)
        if location.commit is not None:
            phrases.append(f"introduced in {self.commit(location.commit)}")
        if location.removed is not None:
            phrases.append(f"removed in {self.commit(location.removed)}")
        if location.refs:
            phrases.append(f"in {self.refs(location)}")
        phrases += describe_origin(location.origin, self.quoted)
        return [*phrases, PUSHED] if location.pushed else phrases

    def location(self, location: Location, finding: Finding) -> str:
        """Describe one location of a finding on one line."""
        position = f"{self.position(location)} ({role_name(finding, location.role)})"
        return "; ".join((position, *self.provenance(location, finding.mark)))

    def markdown_location(self, location: Location, finding: Finding) -> str:
        """Describe one location of a finding on one line of Markdown, with a link to it on a known forge."""
        position = f"{self.markdown_link(self.position(location), location)} ({role_name(finding, location.role)})"
        return "; ".join((position, *map(markdown_text, self.provenance(location, finding.mark))))

    def markdown_link(self, text: str, location: Location) -> str:
        """Return text as a code span, which is a link to a location where its forge is known."""
        link = self.links.line(location)
        return f"[{code_span(text)}]({link})" if link else code_span(text)

    def locations(self, finding: Finding, most: int = _MAX_LOCATIONS, *, markdown: bool = False) -> list[str]:
        """Describe its locations, most useful first, and count those beyond `most`."""
        locations = sort_by_use(finding)
        listed = locations if len(locations) <= most + 1 else locations[:most]
        describe = self.markdown_location if markdown else self.location
        lines = [describe(location, finding) for location in listed]
        return [*lines, *(f"and {rest}" for rest in describe_rest(finding, listed))]

    def refs(self, location: Location) -> str:
        """Name branches and tags, the first few."""
        shown, more = fold_refs(location.refs, _MAX_REFS, unlisted=location.unlisted_refs)
        return ", ".join(map(self.quoted.path, shown)) + (f" and {more:,} more" if more else "")

    def risk(self, finding: Finding) -> str:
        """Return the risk with its reasons."""
        reasons = " ".join(self.quoted.prose(reason) for reason in finding.risk.reasons)
        return f"Why {finding.risk.level.value}: {reasons}"

    def verification(self, finding: Finding) -> list[str]:
        """Describe what Binance answered, a line each; nothing if it was not verified."""
        return describe_verification(finding.verification, self.quoted) if finding.verification is not None else []

    def evidence(self, finding: Finding) -> str:
        """List the evidence for Binance, the first few; empty if there is none."""
        evidence = [self.quoted.prose(evidence) for evidence in finding.evidence[:_MAX_EVIDENCE]]
        more = len(finding.evidence) - len(evidence)
        if more > 0:
            evidence.append(f"and {more:,} more")
        return f"Evidence: {'; '.join(evidence)}." if evidence else ""

    def skipped(self, skipped: Skipped) -> str:
        """Name what was not read, and why."""
        return f"{self.quoted.path(skipped.what)}: {self.quoted.prose(skipped.why)}"
