"""The table that all comparisons print: times and processor times of the programs, as ratios to a floor and to ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from programs import Tool
from timing import Figures, Run, TreePeak, markdown, megabytes, seconds, summarize

OWN = Tool.BINANCE_LEAKS.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What is said of a program beside its times. Where it did not do the `whole` work, it has no ratio."""

    found: str = ""
    memory: str = ""
    whole: bool = True


def comparison(runs: Mapping[str, Sequence[Run]], notes: Mapping[str, Note], *, floor: str | None) -> str:
    """The figures of all programs as Markdown. Ratios are medians of those within the rounds, first of the time."""
    bases = [name for name in (floor, OWN) if name is not None and name in runs]
    to_bases = [{one.name: one for one in summarize(runs, base=base)} for base in bases]
    header = ["program", "time", "CPU"]
    for base in bases:
        header += [f"times {base}", "by CPU"]
    rows = []
    for one in summarize(runs, base=next(iter(runs))):
        note = notes.get(one.name, Note())
        sign = "> " if runs[one.name][-1].stopped else ""
        row = [one.name, f"{sign}{seconds(one.wall)}", f"{sign}{seconds(one.cpu)}"]
        for ratios in to_bases:
            row += _ratios(ratios[one.name], sign) if note.whole else ["", ""]
        rows.append([*row, note.memory, note.found])
    return markdown([*header, "memory", "found"], rows)


def memory(peak: TreePeak | None) -> str:
    """The memory of all processes of a program together."""
    if peak is None:
        return ""
    return f"{'> ' if peak.stopped else ''}{megabytes(peak.total)} in {peak.processes}"


def _ratios(figures: Figures, sign: str) -> list[str]:
    low, high = figures.cpu_ratio_range
    return [f"{sign}{figures.ratio:.2f}", f"{sign}{figures.cpu_ratio:.2f} ({low:.2f} to {high:.2f})"]
