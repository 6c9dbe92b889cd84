"""Reads the scanners' JSON reports: at which places something was found. Never the values, which none of them shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from programs import Tool
from timing import BenchmarkError


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A file, as the scanner names it, and a line of it."""

    path: str
    line: int


def places(tool: Tool, report: Path) -> list[Place]:
    """Where the scanner found something, once for each value.

    Raises BenchmarkError if there is no report, or not one of that scanner.
    """
    read = load(report)
    match tool:
        case Tool.BINANCE_LEAKS:
            found = (one for finding in items(read, "findings") for one in items(finding, "locations"))
            return [_place(one, "path", "line") for one in found]
        case Tool.GITLEAKS:
            return [_place(one, "File", "StartLine") for one in listed(read)]
        case Tool.BETTERLEAKS:
            return [_place(member(one, "location"), "path", "start_line") for one in items(read, "findings")]
        case Tool.KINGFISHER:
            return [_place(member(one, "finding"), "path", "line") for one in items(read, "findings")]
        case Tool.DETECT_SECRETS:
            files = mapping(member(read, "results")).values()
            return [_place(one, "filename", "line_number") for file in files for one in listed(file)]


def load(report: Path) -> object:
    """The content of a report."""
    try:
        content: object = json.loads(report.read_bytes())
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"no report in {report.name}: {error}") from error
    return content


def mapping(value: object) -> Mapping[str, object]:
    """A JSON object, or BenchmarkError."""
    if not isinstance(value, dict):
        raise BenchmarkError(f"a report holds {type(value).__name__} for an object")
    return {str(name): content for name, content in value.items()}


def listed(value: object) -> list[object]:
    """A JSON array, or BenchmarkError; null, which some write for nothing, is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BenchmarkError(f"a report holds {type(value).__name__} for a list")
    return list(value)


def member(value: object, name: str) -> object:
    """The member of that name of a JSON object, None if it has none."""
    return mapping(value).get(name)


def items(value: object, name: str) -> Iterator[object]:
    """The elements of the list of that name in a JSON object."""
    return iter(listed(member(value, name)))


def text(value: object, name: str) -> str:
    """The member of that name as text."""
    return str(member(value, name))


def number(value: object, name: str) -> float:
    """The member of that name as a number, or BenchmarkError."""
    found = member(value, name)
    if not isinstance(found, (int, float)):
        raise BenchmarkError(f"a report holds no number for {name!r}")
    return found


def _place(value: object, path: str, line: str) -> Place:
    return Place(path=text(value, path).replace("\\", "/"), line=int(number(value, line)))
