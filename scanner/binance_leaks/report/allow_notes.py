"""Why a value is not allowed though somebody meant it to be: half of a pair is, or a comment is misspelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from binance_leaks.findings import Finding
from binance_leaks.model import Location
from binance_leaks.report.allow_commands import ALLOW, ALLOW_NEXT_LINE
from binance_leaks.report.locations import describe_cell
from binance_leaks.report.sanitize import Quoted

_MOST = 3
_ADD: Mapping[str, str] = MappingProxyType(
    {
        "inline": "put the comment there too",
        "config": "add the other digest to the configuration, as binance-leaks allow does",
        "baseline": "run binance-leaks baseline update",
    }
)
"""What makes the rest allowed, by what allows a part."""


def allow_notes(finding: Finding, quoted: Quoted, span: Callable[[str], str] = str) -> list[str]:
    """Return a sentence for each misspelled comment, and one where only some of its locations are allowed.

    `span` is for positions and comments, as Markdown needs it.
    """

    def at(place: Location) -> str:
        return span(f"{quoted.path(place.path)}:{place.line}{describe_cell(place)}")

    if finding.suppressed is not None:
        return []
    places = sorted({_position(place): place for place in finding.locations}.items())
    notes = [
        f"{at(place)}: “{span(quoted.prose(place.near_miss))}” does not allow it; write “{span(_right(place))}”."
        for _, place in places
        if place.near_miss is not None and place.permit is None
    ][:_MOST]
    allowed = [place for _, place in places if place.permit is not None]
    left = [place for _, place in places if place.permit is None and not place.preexisting]
    if allowed and left and not notes:
        do = _ADD.get(allowed[0].permit or "", _ADD["inline"])
        is_one = len(allowed) == 1
        notes.append(
            f"{_list(map(at, allowed))} {'is' if is_one else 'are'} allowed, {_list(map(at, left))} "
            f"{'is' if len(left) == 1 else 'are'} not: {do}."
        )
    return notes


def _right(place: Location) -> str:
    return ALLOW_NEXT_LINE if place.near_miss_above else ALLOW


def _position(place: Location) -> tuple[str, int, int]:
    return place.path, place.line, place.column


def _list(positions: Iterable[str]) -> str:
    named = [*dict.fromkeys(positions)]
    more = len(named) - _MOST
    return ", ".join(named[:_MOST]) + (f" and {more:,} more" if more > 0 else "")
