"""The `markdown` format: for step summaries and comments on merge requests, as GitHub and GitLab render it.

A table of all findings, then the details of the gravest. It is bounded, since a comment may hold 65,536 characters on
GitHub, so that what is left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from binance_leaks.findings import Finding, Result, Skipped
from binance_leaks.model import Location
from binance_leaks.report import View
from binance_leaks.report.advice import allowing, steps
from binance_leaks.report.locations import LEVELS, by_use, further, repository_of, spread
from binance_leaks.report.names import KIND_NAMES, MARK_NAMES, left_out, masks, passes_because, title, unread
from binance_leaks.report.prose import Telling
from binance_leaks.report.remedy import Step
from binance_leaks.report.sanitize import code_span, markdown_sentences, markdown_text
from binance_leaks.report.summary import nothing_found, plural, scanned
from binance_leaks.report.verification_text import counts, verdict

_T = TypeVar("_T")
_MOST_ROWS = 50
_MOST_DETAILS = 10
_MOST_SKIPPED = 10
_MOST_EVIDENCE = 6
_LONGEST_PATH = 160


def render_markdown(result: Result, view: View) -> str:
    """The report as GitHub flavoured Markdown. `verbose` unfolds the table and the details."""
    page = _Page(result, verbose=view.verbose)
    blocks = [page.heading(), *page.incomplete()]
    if result.findings:
        blocks += [
            " ".join(told for told in (spread(result), counts(result.findings)) if told),
            page.table(result.findings),
            *page.details(result.findings),
            page.advice(),
            page.false_alarm(),
        ]
    if view.show_suppressed and result.suppressed:
        blocks += ["### Suppressed, these do not count", page.table(result.suppressed)]
    blocks += page.closing(listed=view.show_suppressed)
    return "\n\n".join(block for block in blocks if block) + "\n"


class _Page:
    """Draws the blocks of one result."""

    def __init__(self, result: Result, *, verbose: bool) -> None:
        self._result = result
        self._verbose = verbose
        self._telling = Telling.of(result)

    def heading(self) -> str:
        """How many of which risk."""
        levels = [finding.risk.level for finding in self._result.findings]
        if not levels:
            mark = (
                "No Binance credentials found" if self._result.complete else "Scan for Binance credentials: incomplete"
            )
            return f"## {mark}"
        counts = (f"{levels.count(level):,} {level.value}" for level in LEVELS if level in levels)
        return f"## Binance credentials found: {', '.join(counts)}"

    def incomplete(self) -> Iterator[str]:
        """What was not read; it comes before all else."""
        lost = unread(self._result)
        if lost:
            yield f"> **The scan is incomplete**: {len(lost):,} not read."
            yield self._skipped(lost)

    def table(self, findings: Sequence[Finding]) -> str:
        """A row a finding."""
        rows = findings if self._verbose else _first(findings, _MOST_ROWS)
        lines = ["| Risk | Credential | Where | Gate |", "|---|---|---|---|", *map(self._row, rows)]
        if len(findings) > len(rows):
            lines.append(f"\n… and {plural(len(findings) - len(rows), 'more credential')}.")
        return "\n".join(lines)

    def details(self, findings: Sequence[Finding]) -> Iterator[str]:
        """Reasons, evidence and places of the gravest findings."""
        chosen = findings if self._verbose else _first(findings, _MOST_DETAILS)
        for finding in chosen:
            mark = f"{MARK_NAMES[finding.mark]}: " if finding.mark is not None else ""
            yield f"### {_level(finding)}: {mark}{title(finding)}"
            yield "\n".join(f"- {line}" for line in self._lines(finding))
        if len(findings) > len(chosen):
            yield f"Details of {plural(len(findings) - len(chosen), 'more credential')} are in the other formats."

    def advice(self) -> str:
        """What to do now."""
        told = (f"{number}. {self._step(step, indent=3)}" for number, step in enumerate(steps(self._result), start=1))
        return "\n".join(("### What to do now", "", *told))

    def false_alarm(self) -> str:
        """How to allow a false alarm."""
        ways = allowing(self._result.findings, self._result.source, digests=self._verbose)
        return "\n".join(("### If it is a false alarm", "", *(f"- {self._step(step, indent=2)}" for step in ways)))

    def closing(self, *, listed: bool) -> list[str]:
        """How much was read, what does not count, what was skipped without loss."""
        result = self._result
        read = scanned(result) if result.findings else nothing_found(result)
        if result.suppressed:
            read += f" {len(result.suppressed):,} suppressed{'' if listed else ', `--show-suppressed` lists them'}."
        harmless = left_out(result)
        return [read, *([f"{len(harmless):,} skipped, nothing lost:", self._skipped(harmless)] if harmless else [])]

    def _row(self, finding: Finding) -> str:
        place, *others = by_use(finding)
        where = code_span(self._where(place))
        if place.commit is not None:
            where += f" in {code_span(place.commit.id[:12])}"
        if others or finding.unlisted:
            where += f" and {', '.join(further(finding, [place]))}"
        kind = f"{KIND_NAMES[finding.kind]}, {finding.environment.facts.title}"
        asked = f", **{verdict(finding.verification)}**" if finding.verification is not None else ""
        gate = passes_because(finding) or "**fails**"
        if finding.suppressed is not None:
            gate += f" {markdown_text(self._telling.quoted.prose(finding.suppressed.reason))}"
        mark = f"**{MARK_NAMES[finding.mark]}**, " if finding.mark is not None else ""
        return f"| **{_level(finding)}** | {mark}{kind}: {_masks(finding)}{asked} | {where} | {gate} |"

    def _lines(self, finding: Finding) -> Iterator[str]:
        tell = self._telling
        yield f"{_masks(finding)}, {finding.confidence.value} confidence"
        yield from map(markdown_sentences, tell.verdict(finding))
        reasons = " ".join(markdown_text(tell.quoted.prose(reason)) for reason in finding.risk.reasons)
        yield f"Why {finding.risk.level.value}: {reasons}"
        if finding.evidence:
            evidence = (markdown_text(tell.quoted.prose(one)) for one in finding.evidence[:_MOST_EVIDENCE])
            yield f"Evidence: {'; '.join(evidence)}"
        if any(place.pushed for place in finding.locations):
            yield "**Pushed**: a remote has it."
        yield from tell.places(finding, most=100 if self._verbose else 6, marked=True)
        if self._verbose:
            yield f"id {code_span(finding.id)}"
            for value in finding.values:
                yield f"SHA-256 of the {value.role.value}: {code_span(value.sha256)}"

    def _where(self, place: Location) -> str:
        path = repository_of(place, self._telling.quoted.path) + self._telling.quoted.path(place.path)
        if len(path) > _LONGEST_PATH:
            path = f"{path[: _LONGEST_PATH // 2]}…{path[-_LONGEST_PATH // 2 :]}"
        return f"{path}:{place.line}"

    def _step(self, step: Step, *, indent: int) -> str:
        """A step with its lines to copy as a block of their own, all of them ours."""
        told = step.told(lambda name: code_span(self._telling.quoted.path(name)))
        if not step.verbatim:
            return told
        pad = " " * indent
        return "\n".join((told, "", f"{pad}```", *(f"{pad}{line}" for line in step.verbatim), f"{pad}```"))

    def _skipped(self, things: Sequence[Skipped]) -> str:
        rows = things if self._verbose else _first(things, _MOST_SKIPPED)
        lines = [
            f"- {code_span(self._telling.quoted.path(one.what))}: {markdown_text(self._telling.quoted.prose(one.why))}"
            for one in rows
        ]
        if len(things) > len(rows):
            lines.append(f"- and {len(things) - len(rows):,} more")
        return "\n".join(lines)


def _first(things: Sequence[_T], most: int) -> Sequence[_T]:
    """The first, or all if a fold would be as long."""
    return things if len(things) <= most + 1 else things[:most]


def _level(finding: Finding) -> str:
    return finding.risk.level.value.upper()


def _masks(finding: Finding) -> str:
    return ", ".join(f"{name} {code_span(mask)}" for name, mask in masks(finding))
