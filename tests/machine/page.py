"""Writes the tables of docs/machine.md: `python -m tests.machine.page` puts them in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from binance_leaks.machine.places import ASKED_KINDS, Place, PlaceKind, System, Treatment, places
from binance_leaks.report.machine_advice import ADVICE

PAGE = Path(__file__).resolve().parents[2] / "docs/machine.md"
_BEGIN, _END = "<!-- tables: python -m tests.machine.page -->", "<!-- end of tables -->"
_HEADINGS = {
    PlaceKind.AGENT: "Coding agents and MCP",
    PlaceKind.ENVIRONMENT: "Environment files",
    PlaceKind.SHELL: "Shells",
    PlaceKind.REPL: "Interpreters and clients",
    PlaceKind.CREDENTIALS: "Files of credentials",
    PlaceKind.EDITOR: "Editors",
    PlaceKind.NOTEBOOK: "Notebooks",
    PlaceKind.BOT: "Bots",
    PlaceKind.SERVICE: "Services",
    PlaceKind.CLIPBOARD: "Clipboard managers",
    PlaceKind.NOTES: "Notes",
}
_SYSTEMS = {frozenset(System): "all", frozenset({System.LINUX, System.MACOS}): "Linux, macOS"}
_NAMES = {System.LINUX: "Linux", System.MACOS: "macOS", System.WINDOWS: "Windows"}


def page(text: str) -> str:
    """The page with its tables as they should be."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n\n{''.join(_tables())}{_END}{after}"


def _tables() -> Iterator[str]:
    for kind, group in groupby(places(), key=lambda place: place.kind):
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


def _row(place: Place) -> str:
    system = _SYSTEMS.get(place.systems) or ", ".join(_NAMES[each] for each in System if each in place.systems)
    at_moved = place.variable and place.pattern.startswith(place.moved.rstrip("*"))
    moved = f" (`{place.variable}` moves it)" if at_moved else ""
    return f"| [{place.program}]({place.source}) | `{place.pattern}`{moved} | {system} | {place.treatment.value} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
