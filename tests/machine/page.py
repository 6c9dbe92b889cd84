"""Writes the tables of docs/machine.md: `python -m tests.machine.page` puts them in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from binance_leaks.machine.known_locations import (
    ASKED_KINDS,
    KnownLocation,
    LocationKind,
    System,
    Treatment,
    known_locations,
)
from binance_leaks.report.machine_advice import ADVICE

PAGE = Path(__file__).resolve().parents[2] / "docs/machine.md"
_BEGIN, _END = "<!-- tables: python -m tests.machine.page -->", "<!-- end of tables -->"
_HEADINGS = {
    LocationKind.AGENT: "Coding agents and MCP",
    LocationKind.ENVIRONMENT: "Environment files",
    LocationKind.SHELL: "Shells",
    LocationKind.REPL: "Interpreters and clients",
    LocationKind.CREDENTIALS: "Files of credentials",
    LocationKind.EDITOR: "Editors",
    LocationKind.NOTEBOOK: "Notebooks",
    LocationKind.BOT: "Bots",
    LocationKind.SERVICE: "Services",
    LocationKind.CLIPBOARD: "Clipboard managers",
    LocationKind.NOTES: "Notes",
}
_SYSTEMS = {frozenset(System): "all", frozenset({System.LINUX, System.MACOS}): "Linux, macOS"}
_NAMES = {System.LINUX: "Linux", System.MACOS: "macOS", System.WINDOWS: "Windows"}


def page(text: str) -> str:
    """The page with its tables as they should be."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n\n{''.join(_tables())}{_END}{after}"


def _tables() -> Iterator[str]:
    for kind, group in groupby(known_locations(), key=lambda location: location.kind):
        asked = f"\n\nOnly with `--include {kind.value}`." if kind in ASKED_KINDS else ""
        yield f"### {_HEADINGS[kind]}{asked}\n\n| program | location | system | treatment |\n|---|---|---|---|\n"
        yield from map(_row, group)
        yield "\n"
    yield "### Treatments\n\n| treatment | what to do about a value there |\n|---|---|\n"
    for treatment in Treatment:
        advice = ADVICE[treatment]
        commands = [*([advice.for_file] if advice.for_file else []), *advice.then]
        shown = f": {', '.join(f'`{command}`' for command in commands)}" if commands else "."
        yield f"| {treatment.value} | {advice.text}{shown} |\n"
    yield "\n"


def _row(location: KnownLocation) -> str:
    system = _SYSTEMS.get(location.systems) or ", ".join(_NAMES[each] for each in System if each in location.systems)
    at_moved = location.variable and location.pattern.startswith(location.moved.rstrip("*"))
    moved = f" (`{location.variable}` moves it)" if at_moved else ""
    program = f"[{location.program}]({location.source})"
    return f"| {program} | `{location.pattern}`{moved} | {system} | {location.treatment.value} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
