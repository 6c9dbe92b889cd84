"""Locations of a finding: their order, the repositories of a fleet that hold them, the files and URIs to open."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from binance_leaks.findings import Finding, Mark, Result, Skipped
from binance_leaks.model import Exposure, Location, RiskLevel, container_of, is_member
from binance_leaks.report.names import UNNAMED
from binance_leaks.report.sanitize import encodable
from binance_leaks.report.summary import not_scanned, plural, repositories_of

LEVELS = tuple(sorted(RiskLevel, reverse=True))
"""The gravest first."""

EXPOSURES_BY_USE = (Exposure.STAGED, Exposure.PRESENT, Exposure.HISTORY, Exposure.MESSAGE, Exposure.UNREACHABLE)
"""Exposures, that first which helps a reader most."""

_IN_REPOSITORY = ": "
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_DRIVE = re.compile(r"[A-Za-z]:(?=/)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A repository of a fleet with its places of one finding, the most useful first; there is at least one."""

    repository: str
    places: tuple[Location, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """What one repository of a fleet holds: credentials of each level as in `LEVELS`, and those that are gone."""

    repository: str
    levels: tuple[int, ...]
    gone: int

    @property
    def credentials(self) -> int:
        """All that are there."""
        return sum(self.levels)


def holders(finding: Finding) -> list[Holder]:
    """The repositories that hold it, those first where it is seen most; none where a single one was scanned."""
    held: defaultdict[str, list[Location]] = defaultdict(list)
    for place in sorted(finding.locations, key=_use):
        if place.repository is not None:
            held[place.repository].append(place)
    found = [Holder(repository=name, places=tuple(places)) for name, places in held.items()]
    return sorted(found, key=_gravity)


def newly_in(finding: Finding) -> list[str]:
    """The repositories that hold it and did not in the run that it is compared with, where others did."""
    if not any(place.preexisting for place in finding.locations):
        return []
    fresh = {place.repository for place in finding.locations if not place.preexisting and place.repository is not None}
    return sorted(fresh)


def by_use(finding: Finding) -> list[Location]:
    """Its places, those first that help a reader most: the new before the standing, files of today before history.

    In a fleet one of each repository comes before the others, so that the first few tell of most repositories.
    """
    held = holders(finding)
    if not held:
        return sorted(finding.locations, key=_use)
    firsts = [holder.places[0] for holder in held]
    others = [place for holder in held for place in holder.places[1:]]
    return [*firsts, *others, *(place for place in finding.locations if place.repository is None)]


def further(finding: Finding, shown: Sequence[Location]) -> list[str]:
    """What is said of the places that are not shown, a phrase each: `3 more places in 2 more repositories`."""
    told = []
    if (more := len(finding.locations) - len(shown)) > 0:
        left = len(finding.repositories) - len({place.repository for place in shown if place.repository is not None})
        where = f" in {plural(left, 'more repository')}" if left > 0 else ""
        told.append(f"{plural(more, 'more place')}{where}")
    return [*told, in_store(finding.unlisted)] if finding.unlisted else told


def in_store(unlisted: int) -> str:
    """How many places are known and in no report."""
    return f"{plural(unlisted, 'more place')} in the store"


def totals(findings: Sequence[Finding]) -> list[Total]:
    """What each repository of a fleet holds, the one with the gravest and most credentials first."""
    levels: defaultdict[str, Counter[RiskLevel]] = defaultdict(Counter)
    gone: Counter[str] = Counter()
    for finding in findings:
        for repository in finding.repositories:
            if finding.mark is Mark.GONE:
                gone[repository] += 1
            else:
                levels[repository][finding.risk.level] += 1
    found = [
        Total(repository=name, levels=tuple(levels[name][level] for level in LEVELS), gone=gone[name])
        for name in sorted({*levels, *gone})
    ]
    return sorted(found, key=lambda total: [-count for count in (*total.levels, total.gone)])


def held_by(result: Result) -> str:
    """`in 9 of 212 repositories`, of those that hold a credential today; empty if nobody told of repositories."""
    held = {name for finding in result.findings if finding.mark is not Mark.GONE for name in finding.repositories}
    total = repositories_of(result)
    if not held:
        return ""
    return f"in {len(held):,} of {plural(total, 'repository')}" if total else f"in {plural(len(held), 'repository')}"


def spread(result: Result) -> str:
    """A sentence on how many repositories hold credentials and how many could not be scanned; empty if none."""
    parts = [part for part in (held_by(result), not_scanned(result)) if part]
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _use(place: Location) -> tuple[bool, int]:
    return place.preexisting, EXPOSURES_BY_USE.index(place.exposure)


def _gravity(holder: Holder) -> tuple[tuple[bool, int], bool, int, str]:
    pushed = any(place.pushed for place in holder.places)
    return _use(holder.places[0]), not pushed, -len(holder.places), holder.repository


def by_repository(skipped: Sequence[Skipped]) -> list[Skipped]:
    """What was not read of a fleet, a line for each repository and reason: how much, and the first of it."""
    groups: dict[tuple[str, str, bool], list[Skipped]] = {}
    for one in skipped:
        label = one.what.partition(_IN_REPOSITORY)[0]
        groups.setdefault((label, one.why, one.lost), []).append(one)
    return [_together(label, several) for (label, _, _), several in groups.items()]


def _together(label: str, several: Sequence[Skipped]) -> Skipped:
    first = several[0]
    if len(several) == 1:
        return first
    rest = first.what.removeprefix(label + _IN_REPOSITORY)
    return replace(first, what=f"{label}: {len(several):,} things, the first {rest}")


def repository_of(location: Location, shown: Callable[[str], str]) -> str:
    """What to put in front of a path: in a fleet `team/bot: `, else nothing. `shown` makes a name fit to be shown."""
    if location.repository is None:
        return ""
    return f"{shown(location.repository).strip() or UNNAMED}: "


def path_in_fleet(location: Location, path: str) -> str:
    """A path of the place, below the name of its repository in a fleet: `team/bot/src/keys.py`, always relative."""
    if location.repository is None:
        return path
    parts = [part for part in location.repository.split("/") if part not in ("", ".", "..")]
    return "/".join((*(parts or [UNNAMED]), path))


def file_of(location: Location) -> str | None:
    """The file that a reader can open for a place: of a member of an archive the archive, None for a message."""
    if location.exposure is Exposure.MESSAGE or location.path.startswith(("blob:", "<")) or not location.path:
        return None
    return container_of(location.path)


def is_inside(location: Location) -> bool:
    """Whether a place is a member of an archive, so that its line is none of the file."""
    return is_member(location.path)


def is_absolute(path: str) -> bool:
    """Whether a path with `/` starts at a root: `/x`, `C:/x`, `//host/share`."""
    return path.startswith("/") or _DRIVE.match(path) is not None


def path_uri(path: str) -> str:
    """The relative reference of a path with `/`, or the file URI of an absolute one.

    All bytes but letters, digits and `-._~/` are percent-encoded, bytes that are no UTF-8 as they are in the path. A
    colon too, so that no path reads as a scheme.
    """
    if path.startswith("//"):
        return "file:" + _encoded(path)
    if path.startswith("/"):
        return "file://" + _encoded(path)
    if (drive := _DRIVE.match(path)) is not None:
        return f"file:///{drive[0]}{_encoded(path[drive.end() :])}"
    return _encoded(path)


def _encoded(path: str) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = encodable(path).encode()
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)
