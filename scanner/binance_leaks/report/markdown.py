"""The `markdown` format: for step summaries and comments on merge requests of GitHub and GitLab.

A table of all findings, then details of the most severe. Its length is limited, as a comment on GitHub may hold 65,536
characters; what is left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from binance_leaks.findings import Finding, Result, Skipped
from binance_leaks.model import Location
from binance_leaks.quantities import plural
from binance_leaks.report import View
from binance_leaks.report.advice import steps
from binance_leaks.report.allow_commands import allow_command
from binance_leaks.report.allow_notes import allow_notes
from binance_leaks.report.locations import (
    LEVELS_BY_SEVERITY,
    describe_cell,
    describe_rest,
    describe_spread,
    repository_prefix,
    sort_by_use,
)
from binance_leaks.report.names import (
    MARK_NAMES,
    PUSHED,
    capitalize_first,
    harmless_items,
    kind_name,
    lost_items,
    named_masks,
    pass_reason,
    skipped_phrase,
    title,
)
from binance_leaks.report.prose import Describer
from binance_leaks.report.remedies import Step
from binance_leaks.report.sanitize import code_span, markdown_sentences, markdown_text
from binance_leaks.report.summary import describe_clean, describe_incomplete, describe_scope
from binance_leaks.report.verification_text import count_verdicts, describe_verdict

_T = TypeVar("_T")
_MAX_ROWS = 50
_MAX_DETAILS = 10
_MAX_SKIPPED = 10
_MAX_EVIDENCE = 6
_MAX_PATH = 160


def render_markdown(result: Result, view: View) -> str:
    """Render GitHub flavoured Markdown. `verbose` unfolds the table and the details."""
    page = _Page(result, verbose=view.verbose)
    blocks = [page.heading(), *page.incomplete()]
    if result.findings:
        blocks += [
            " ".join(sentence for sentence in (describe_spread(result), count_verdicts(result.findings)) if sentence),
            page.table(result.findings),
            *page.details(result.findings),
            page.advice(),
            page.false_alarm(),
        ]
    if view.show_suppressed and result.suppressed:
        blocks += ["### Suppressed, not counted", page.table(result.suppressed)]
    blocks += page.closing(listed=view.show_suppressed)
    return "\n\n".join(block for block in blocks if block) + "\n"


class _Page:
    """Renders the blocks of one result."""

    def __init__(self, result: Result, *, verbose: bool) -> None:
        self._result = result
        self._verbose = verbose
        self._describer = Describer.of(result)

    def heading(self) -> str:
        """Return the heading with counts of risks."""
        levels = [finding.risk.level for finding in self._result.findings]
        if not levels:
            mark = (
                "No Binance credentials found" if self._result.complete else "Scan for Binance credentials: incomplete"
            )
            return f"## {mark}"
        counts = (f"{levels.count(level):,} {level.value}" for level in LEVELS_BY_SEVERITY if level in levels)
        return f"## Binance credentials found: {', '.join(counts)}"

    def incomplete(self) -> Iterator[str]:
        """Return what was not read, which comes first."""
        lost = lost_items(self._result)
        if lost:
            yield f"> **{describe_incomplete(lost)}.**"
            yield self._skipped(lost)

    def table(self, findings: Sequence[Finding]) -> str:
        """Return a table with a row per finding."""
        rows = findings if self._verbose else _first(findings, _MAX_ROWS)
        lines = ["| Risk | Credential | Location | Gate |", "|---|---|---|---|", *map(self._row, rows)]
        if len(findings) > len(rows):
            lines.append(f"\n… and {plural(len(findings) - len(rows), 'more credential')}.")
        return "\n".join(lines)

    def details(self, findings: Sequence[Finding]) -> Iterator[str]:
        """Return reasons, evidence and locations of the most severe findings."""
        chosen = findings if self._verbose else _first(findings, _MAX_DETAILS)
        for finding in chosen:
            mark = f"{MARK_NAMES[finding.mark]}: " if finding.mark is not None else ""
            yield f"### {_level(finding)}: {mark}{title(finding)}"
            yield "\n".join(f"- {line}" for line in self._lines(finding))
        if len(findings) > len(chosen):
            yield f"Details of {plural(len(findings) - len(chosen), 'more credential')} are in the other formats."

    def advice(self) -> str:
        """Return what to do now."""
        lines = (f"{number}. {self._step(step, indent=3)}" for number, step in enumerate(steps(self._result), start=1))
        return "\n".join(("### What to do now", "", *lines))

    def false_alarm(self) -> str:
        """Return how to allow a false alarm; the page is read where nothing of the scan is remembered."""
        findings = self._result.findings if self._verbose else _first(self._result.findings, _MAX_DETAILS)
        commands = (allow_command(finding, self._result.source) for finding in findings)
        where = ", in a change that is merged first" if self._result.base_policy else ""
        return "\n".join((f"### If it is a false alarm, allow it{where}", "", "```sh", *commands, "```"))

    def closing(self, *, listed: bool) -> list[str]:
        """Return how much was read, what is suppressed, and what was skipped without loss."""
        result = self._result
        read = describe_scope(result) if result.findings else describe_clean(result)
        if result.suppressed:
            read += f" {len(result.suppressed):,} suppressed{'' if listed else ', `--show-suppressed` lists them'}."
        harmless = harmless_items(result)
        return [read, *([f"{len(harmless):,} {skipped_phrase(result)}:", self._skipped(harmless)] if harmless else [])]

    def _row(self, finding: Finding) -> str:
        place, *others = sort_by_use(finding)
        where = self._describer.markdown_link(self._where(place), place)
        if (commit := place.commit) is not None:
            link = self._describer.links.commit(commit.id, pushed=place.pushed)
            shown = code_span(commit.id[:12])
            where += f" in {f'[{shown}]({link})' if link else shown}"
        if others or finding.unlisted:
            where += f" and {', '.join(describe_rest(finding, [place]))}"
        kind = f"{kind_name(finding)}, {finding.environment.facts.title}"
        asked = f", **{describe_verdict(finding.verification)}**" if finding.verification is not None else ""
        gate = pass_reason(finding) or "**fails**"
        if finding.suppressed is not None:
            gate += f" {markdown_text(self._describer.quoted.prose(finding.suppressed.reason))}"
        mark = f"**{MARK_NAMES[finding.mark]}**, " if finding.mark is not None else ""
        return f"| **{_level(finding)}** | {mark}{kind}: {_masks_line(finding)}{asked} | {where} | {gate} |"

    def _lines(self, finding: Finding) -> Iterator[str]:
        describe = self._describer
        yield f"{_masks_line(finding)}, {finding.confidence.value} confidence"
        yield from map(markdown_sentences, describe.verification(finding))
        reasons = " ".join(markdown_text(describe.quoted.prose(reason)) for reason in finding.risk.reasons)
        yield f"Why {finding.risk.level.value}: {reasons}"
        if finding.evidence:
            evidence = (markdown_text(describe.quoted.prose(one)) for one in finding.evidence[:_MAX_EVIDENCE])
            yield f"Evidence: {'; '.join(evidence)}"
        if any(place.pushed for place in finding.locations):
            yield f"**{capitalize_first(PUSHED)}.**"
        yield from allow_notes(finding, describe.quoted, code_span)
        yield from describe.locations(finding, most=100 if self._verbose else 6, markdown=True)
        if self._verbose:
            yield f"id {code_span(finding.id)}"
            for value in finding.values:
                yield f"SHA-256 of the {value.role.value}: {code_span(value.sha256)}"

    def _where(self, place: Location) -> str:
        path = repository_prefix(place, self._describer.quoted.path) + self._describer.quoted.path(place.path)
        if len(path) > _MAX_PATH:
            path = f"{path[: _MAX_PATH // 2]}…{path[-_MAX_PATH // 2 :]}"
        return f"{path}:{place.line}{describe_cell(place)}"

    def _step(self, step: Step, *, indent: int) -> str:
        """Return a step with its lines to copy as a code block; these are never untrusted text."""
        text = step.describe(lambda name: code_span(self._describer.quoted.path(name)))
        if not step.verbatim:
            return text
        pad = " " * indent
        return "\n".join((text, "", f"{pad}```", *(f"{pad}{line}" for line in step.verbatim), f"{pad}```"))

    def _skipped(self, things: Sequence[Skipped]) -> str:
        rows = things if self._verbose else _first(things, _MAX_SKIPPED)
        quoted = self._describer.quoted
        lines = [f"- {code_span(quoted.path(one.what))}: {markdown_text(quoted.prose(one.why))}" for one in rows]
        if len(things) > len(rows):
            lines.append(f"- and {len(things) - len(rows):,} more")
        return "\n".join(lines)


def _first(things: Sequence[_T], most: int) -> Sequence[_T]:
    """Return the first ones, or all if a fold would be as long."""
    return things if len(things) <= most + 1 else things[:most]


def _level(finding: Finding) -> str:
    return finding.risk.level.value.upper()


def _masks_line(finding: Finding) -> str:
    return ", ".join(f"{name} {code_span(mask)}" for name, mask in named_masks(finding))
