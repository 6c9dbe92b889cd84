"""Sentences on what was scanned and found. Imports nothing slow, as a clean hook ends here."""

from __future__ import annotations

from collections.abc import Sequence

from binance_leaks.findings import Mark, Result, Skipped, SourceKind
from binance_leaks.quantities import human_size, human_time, plural
from binance_leaks.report import View

_SCOPE_COUNTS = ("commits", "files", "objects")
_CHANGE_COUNTS = (("new", "new"), ("still_there", "still there"), ("gone", "gone"))
_REPOSITORIES = "repositories"
_NOTHING_TO_SCAN = {
    SourceKind.STAGED: "Nothing to scan: no staged files.",
    SourceKind.HISTORY: "Nothing to scan: no objects.",
    SourceKind.FLEET: "Nothing to scan: no repositories.",
}


def render_text_or_line(result: Result, view: View) -> str:
    """Render the `text` format: one line for a scan with nothing to show, else the whole report."""
    if (line := clean_line(result, view)) is not None:
        return line
    from binance_leaks.report.text import render_text  # start-up: most commits are clean

    return render_text(result, view)


def clean_line(result: Result, view: View) -> str | None:
    """Return the single line for a scan with nothing to show, or None if there is more to report."""
    if view.only_changes and result.findings and (line := _unchanged_line(result, view)):
        return line
    shown = result.findings or result.skipped or result.interrupted or (view.show_suppressed and result.suppressed)
    if shown:
        return None
    line = describe_clean(result)
    if result.suppressed:
        line += f" {count_suppressed(result)}."
    return line + "\n"


def _unchanged_line(result: Result, view: View) -> str:
    """Return the line of a comparison in which nothing is new, gone or unread; empty for any other."""
    changed = any(finding.is_new or finding.mark is not Mark.STILL_THERE for finding in result.findings)
    if changed or result.skipped or result.interrupted or view.verbose or (view.show_suppressed and result.suppressed):
        return ""
    count = len(result.findings)
    return f"Nothing new: {plural(count, 'credential')} {'is' if count == 1 else 'are'} still there.\n"


def describe_clean(result: Result) -> str:
    """Return a sentence for a scan without findings. A scan of nothing says so: it must not look clean."""
    if not result.complete:
        scope = _measure_scope(result, ": ")
        return f"No Binance credentials found in what was read{scope}.{_describe_exceptions(result)}"
    counts = _scope_counts(result)
    if counts and not any(counts.values()):
        return _NOTHING_TO_SCAN.get(result.source, "Nothing to scan.") + _describe_exceptions(result)
    found = "" if result.source is SourceKind.FLEET else " found"
    return f"No Binance credentials{found}{_measure_scope(result, ' in ')}.{_describe_exceptions(result)}"


def describe_scope(result: Result) -> str:
    """Return a sentence on how much was scanned, empty if nothing was counted."""
    scope = _measure_scope(result, " ")
    return f"Scanned{scope}.{_describe_exceptions(result)}" if scope else ""


def count_suppressed(result: Result) -> str:
    """Count the suppressed findings, and say how to list them."""
    count = len(result.suppressed)
    return f"{count:,} suppressed, --show-suppressed lists {'it' if count == 1 else 'them'}"


def describe_incomplete(unread: Sequence[Skipped]) -> str:
    """Return `The scan is incomplete: 12 items not read`, of items that could hold a credential."""
    return f"The scan is incomplete: {plural(len(unread), 'item')} not read"


def describe_gate(failing: int) -> str:
    """Return `none fails the gate`, `1 fails the gate` or `12 fail the gate`."""
    return f"{f'{failing:,}' if failing else 'none'} fail{'' if failing > 1 else 's'} the gate"


def count_repositories(result: Result) -> int:
    """Return how many repositories a fleet has, including those that could not be scanned; 0 if not counted."""
    return result.stats.repositories or 0


def count_not_scanned(result: Result) -> str:
    """Return `2 could not be scanned`, of the repositories of a fleet; empty if all were."""
    failed = result.stats.repositories_failed or 0
    return f"{failed:,} could not be scanned" if failed else ""


def describe_changes(result: Result) -> str:
    """Return a sentence on what changed since the previous run, empty if there was none."""
    counts = result.stats.counts()
    changes = [f"{counts[key]:,} {name}" for key, name in _CHANGE_COUNTS if counts.get(key)]
    return f"Since the previous run: {', '.join(changes)}." if changes else ""


def _measure_scope(result: Result, lead: str) -> str:
    counts = " and ".join(_describe_count(result, name, count) for name, count in [*_scope_counts(result).items()][:2])
    measures = []
    if result.stats.bytes is not None:
        measures.append(human_size(result.stats.bytes))
    if result.stats.seconds is not None:
        measures.append(human_time(result.stats.seconds))
    if not counts:
        return f"{lead}{', '.join(measures)}" if measures else ""
    return f"{lead}{counts} ({', '.join(measures)})" if measures else f"{lead}{counts}"


def _describe_count(result: Result, name: str, count: float) -> str:
    """Return how many of something were scanned; for a fleet out of how many, if some could not be."""
    if name != _REPOSITORIES:
        return plural(count, _count_noun(name, result.source))
    missing = (result.stats.repositories_failed or 0) + (result.stats.repositories_waiting or 0)
    return f"{f'{count - missing:,} of ' if missing else ''}{plural(count, 'repository')}"


def _describe_exceptions(result: Result) -> str:
    """Describe what limits the scope: excluded paths, unchanged repositories of a fleet, changes since.

    Excluded paths are counted because a change may introduce the pattern that excludes them.
    """
    count, unchanged = result.stats.excluded or 0, result.stats.repositories_unchanged or 0
    sentences = [f"{plural(count, 'path')} excluded, not read."] if count else []
    if unchanged:
        sentences.append(f"{plural(unchanged, 'repository')} unchanged.")
    return "".join(f" {sentence}" for sentence in (*sentences, describe_changes(result)) if sentence)


def _scope_counts(result: Result) -> dict[str, int | float]:
    counts = result.stats.counts()
    names: tuple[str, ...] = _SCOPE_COUNTS
    if result.source is SourceKind.HISTORY and "objects" in counts:
        names = ("objects",)  # blobs and commits among them
    elif result.source is SourceKind.FLEET:
        names = (_REPOSITORIES,)
    return {name: counts[name] for name in names if name in counts}


def _count_noun(name: str, source: SourceKind) -> str:
    staged = source is SourceKind.STAGED and name == "files"
    return ("staged " if staged else "") + name.removesuffix("s")
