"""Scans real trees with binance-leaks alone and counts what it reports, as rows of a Markdown table.

Where the tree is known to hold no credential, every finding is a false alarm. Findings at medium confidence and above
are listed below the table, masked, with their places, to be judged one by one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from programs import Program, add_program_argument, environment, find_own
from reports import items, load, member, number, text
from timing import BenchmarkError, Command, markdown, run, seconds
from tree import measure_size

LEVELS = ("high", "medium", "low")
HEADER = ("tree", "files", "MB", "time", *LEVELS, "skipped")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One tree: its row of the table, and a line for each finding to be judged."""

    row: tuple[str, ...]
    listed: tuple[str, ...]


def main() -> int:
    """Scan and print."""
    parser = argparse.ArgumentParser(description="Counts what binance-leaks reports in real trees.")
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    parser.add_argument("--list-low", action="store_true", help="list the findings of low confidence too")
    parser.add_argument("--no-header", action="store_true", help="rows only, to be added to a table")
    add_program_argument(parser)
    options = parser.parse_args()
    paths: list[Path] = options.paths
    shown = LEVELS if options.list_low else LEVELS[:2]
    try:
        own = find_own(options.program)
        if not isinstance(own, Program):
            raise BenchmarkError(f"binance-leaks is {own.why}")
        outcomes = [scan(own, path.absolute(), shown) for path in paths]
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    table = markdown(HEADER, [outcome.row for outcome in outcomes])
    print("\n".join(table.splitlines()[2:]) if options.no_header else table)
    for line in (line for outcome in outcomes for line in outcome.listed):
        print(line)
    return 0


def scan(program: Program, path: Path, shown: tuple[str, ...]) -> Outcome:
    """Scan one tree whole, ignored files and all. Raises BenchmarkError if the scan fails."""
    size = measure_size(path)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--all-files", "--confidence", "low", "--no-progress", "--format", f"json:{report}"]
        ended = run(
            Command(
                name=program.tool.value,
                argv=(str(program.path), "scan", str(path), *options),
                cwd=Path(folder),
                env=environment(Path(folder)),
                expected=frozenset({0, 1, 3}),
            )
        )
        read = load(report)
    counts = Counter(text(finding, "confidence") for finding in items(read, "findings"))
    skipped = sum(1 for _ in items(member(read, "scan"), "skipped"))
    sizes = (f"{size.files:,}", f"{size.bytes / 1e6:,.0f}", seconds(ended.wall))
    row = (path.name, *sizes, *(str(counts[level]) for level in LEVELS), f"{skipped}")
    return Outcome(row=row, listed=tuple(_lines(path.name, read, shown)))


def _lines(name: str, read: object, shown: tuple[str, ...]) -> Iterator[str]:
    for finding in items(read, "findings"):
        confidence = text(finding, "confidence")
        if confidence not in shown:
            continue
        values = ", ".join(f"{text(value, 'role')} {text(value, 'masked')}" for value in items(finding, "values"))
        spots = [f"{text(one, 'path')}:{int(number(one, 'line'))}" for one in items(finding, "locations")]
        more = f" and {len(spots) - 3} more" if len(spots) > 3 else ""
        yield f"- {name}: {confidence} {text(finding, 'kind')}: {values}: {', '.join(spots[:3])}{more}"


if __name__ == "__main__":
    raise SystemExit(main())
