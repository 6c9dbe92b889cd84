"""Locations of a finding: their order, the repositories of a fleet that hold them, the files and URIs to open."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from binance_leaks.findings import Finding, Mark, Result, Skipped
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Exposure, Location, RiskLevel, container_of, is_member
from binance_leaks.quantities import plural
from binance_leaks.ref_order import is_automatic
from binance_leaks.report.names import UNNAMED, capitalize_first
from binance_leaks.report.sanitize import encodable
from binance_leaks.report.summary import count_not_scanned, count_repositories

LEVELS_BY_SEVERITY = tuple(sorted(RiskLevel, reverse=True))
"""Most severe first."""

EXPOSURES_BY_USE = (Exposure.STAGED, Exposure.PRESENT, Exposure.HISTORY, Exposure.MESSAGE, Exposure.UNREACHABLE)
"""Exposures, most useful to a reader first: where to look now, then where it was."""

MAX_LISTED_REFS = 50
"""Refs of a location that formats for machines list; they count the others."""

_IN_REPOSITORY = ": "
_UNESCAPED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_DRIVE = lazy_pattern(r"[A-Za-z]:(?=/)")


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryLocations:
    """A repository of a fleet with the locations of one finding in it."""

    repository: str
    locations: tuple[Location, ...]
    """Most useful first; at least one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryTotal:
    """How many credentials one repository of a fleet holds."""

    repository: str
    levels: tuple[int, ...]
    """Credentials of each level of `LEVELS_BY_SEVERITY`."""
    gone: int
    """Credentials that no repository of this run has any more."""

    @property
    def credentials(self) -> int:
        """Credentials of all levels."""
        return sum(self.levels)


def locations_by_repository(finding: Finding) -> list[RepositoryLocations]:
    """Return the repositories that hold it, most exposed first; none where a single repository was scanned."""
    held: defaultdict[str, list[Location]] = defaultdict(list)
    for location in sorted(finding.locations, key=_use_order):
        if location.repository is not None:
            held[location.repository].append(location)
    found = [RepositoryLocations(repository=name, locations=tuple(locations)) for name, locations in held.items()]
    return sorted(found, key=_repository_order)


def newly_found_in(finding: Finding) -> list[str]:
    """Return the repositories that hold it now and did not in the compared run, if others did."""
    if not any(location.preexisting for location in finding.locations):
        return []
    fresh = {
        location.repository
        for location in finding.locations
        if not location.preexisting and location.repository is not None
    }
    return sorted(fresh)


def sort_by_use(finding: Finding) -> list[Location]:
    """Return its locations, most useful first: new before already present, current files before history.

    In a fleet one location of each repository comes first, so that the first few cover most repositories.
    """
    held = locations_by_repository(finding)
    if not held:
        return sorted(finding.locations, key=_use_order)
    firsts = [one.locations[0] for one in held]
    others = [location for one in held for location in one.locations[1:]]
    return [*firsts, *others, *(location for location in finding.locations if location.repository is None)]


def describe_rest(finding: Finding, shown: Sequence[Location]) -> list[str]:
    """Describe the locations that are not shown, a phrase each: `3 more locations in 2 more repositories`."""
    phrases = []
    if (more := len(finding.locations) - len(shown)) > 0:
        left = len(finding.repositories) - len(
            {location.repository for location in shown if location.repository is not None}
        )
        where = f" in {plural(left, 'more repository')}" if left > 0 else ""
        phrases.append(f"{plural(more, 'more location')}{where}")
    return [*phrases, describe_unlisted(finding.unlisted)] if finding.unlisted else phrases


def fold_refs(refs: Sequence[str], most: int, *, unlisted: int = 0) -> tuple[Sequence[str], int]:
    """Return the first refs to name, and how many more there are, with `unlisted` that are not among them.

    Refs of bots and of the forge are named only where there are no others. One too many is not folded.
    """
    known = [ref for ref in refs if not is_automatic(ref)] or refs
    others = len(refs) - len(known) + unlisted
    if len(known) + others <= most + 1 and not unlisted:
        return refs, 0
    shown = known[:most]
    return shown, len(refs) - len(shown) + unlisted


def merge_refs(locations: Sequence[Location]) -> list[str]:
    """Return the refs of several locations, each once, in the order in which each location has them."""
    place: dict[str, int] = {}
    for location in locations:
        for index, ref in enumerate(location.refs):
            place[ref] = min(index, place.get(ref, index))
    return sorted(place, key=lambda ref: (is_automatic(ref), place[ref]))


def describe_unlisted(unlisted: int) -> str:
    """Count locations that are in the store and in no report."""
    return f"{plural(unlisted, 'more location')} in the store"


def total_by_repository(findings: Sequence[Finding]) -> list[RepositoryTotal]:
    """Count the credentials of each repository of a fleet, the most and most severe first."""
    levels: defaultdict[str, Counter[RiskLevel]] = defaultdict(Counter)
    gone: Counter[str] = Counter()
    for finding in findings:
        for repository in finding.repositories:
            if finding.mark is Mark.GONE:
                gone[repository] += 1
            else:
                levels[repository][finding.risk.level] += 1
    found = [
        RepositoryTotal(
            repository=name, levels=tuple(levels[name][level] for level in LEVELS_BY_SEVERITY), gone=gone[name]
        )
        for name in sorted({*levels, *gone})
    ]
    return sorted(found, key=lambda total: [-count for count in (*total.levels, total.gone)])


def describe_repositories(result: Result) -> str:
    """Return `in 9 of 212 repositories`, those that hold a credential now; empty if none is known."""
    held = {name for finding in result.findings if finding.mark is not Mark.GONE for name in finding.repositories}
    total = count_repositories(result)
    if not held:
        return ""
    return f"in {len(held):,} of {plural(total, 'repository')}" if total else f"in {plural(len(held), 'repository')}"


def describe_spread(result: Result) -> str:
    """Return a sentence on how many repositories hold credentials and how many could not be scanned."""
    parts = [part for part in (describe_repositories(result), count_not_scanned(result)) if part]
    sentence = "; ".join(parts)
    return f"{capitalize_first(sentence)}." if sentence else ""


def _use_order(location: Location) -> tuple[bool, int]:
    return location.preexisting, EXPOSURES_BY_USE.index(location.exposure)


def _repository_order(one: RepositoryLocations) -> tuple[tuple[bool, int], bool, int, str]:
    pushed = any(location.pushed for location in one.locations)
    return _use_order(one.locations[0]), not pushed, -len(one.locations), one.repository


def group_skipped(skipped: Sequence[Skipped]) -> list[Skipped]:
    """Merge what was not read of a fleet into one entry per repository and reason: a count and the first item."""
    groups: dict[tuple[str, str, bool], list[Skipped]] = {}
    for one in skipped:
        label = one.what.partition(_IN_REPOSITORY)[0]
        groups.setdefault((label, one.why, one.lost), []).append(one)
    return [_merge_skipped(label, several) for (label, _, _), several in groups.items()]


def _merge_skipped(label: str, several: Sequence[Skipped]) -> Skipped:
    first = several[0]
    if len(several) == 1:
        return first
    rest = first.what.removeprefix(label + _IN_REPOSITORY)
    return replace(first, what=f"{label}: {len(several):,} items, the first {rest}")


def repository_prefix(location: Location, shown: Callable[[str], str]) -> str:
    """Return what precedes a path: in a fleet `team/bot: `, else nothing. `shown` sanitizes a name."""
    if location.repository is None:
        return ""
    return f"{shown(location.repository).strip() or UNNAMED}: "


def path_in_fleet(location: Location, path: str) -> str:
    """Return the path below the name of its repository in a fleet: `team/bot/src/keys.py`, always relative."""
    if location.repository is None:
        return path
    parts = [part for part in location.repository.split("/") if part not in ("", ".", "..")]
    return "/".join((*(parts or [UNNAMED]), path))


def describe_position(location: Location, path: str) -> str:
    """Return `path:line:column` with the shown path, in a notebook with the cell: `, cell 4, output`."""
    return f"{path}:{location.line}:{location.column}{describe_cell(location)}"


def describe_cell(location: Location) -> str:
    """Return what follows a position in a notebook: `, cell 4, output`; empty elsewhere."""
    if location.cell is None:
        return ""
    part = f", {location.cell.part.value}" if location.cell.part is not None else ""
    return f", cell {location.cell.number:,}{part}"


def file_to_open(location: Location) -> str | None:
    """Return the file that a reader can open: the archive for a member of one, None for a message or object."""
    path = location.path
    if location.exposure is Exposure.MESSAGE or path.startswith(("blob:", "<")) or not path.strip("/"):
        return None
    return container_of(path)


def is_in_archive(location: Location) -> bool:
    """Return whether a location is in a member of an archive, so that its line is not one of the file."""
    return is_member(location.path)


def is_absolute(path: str) -> bool:
    """Return whether a path with `/` starts at a root: `/x`, `C:/x`, `//host/share`."""
    return path.startswith("/") or _DRIVE.match(path) is not None


def path_uri(path: str) -> str:
    """Return the relative reference of a path with `/`, or the file URI of an absolute one.

    All bytes except letters, digits and `-._~/` are percent-encoded, also bytes that are not UTF-8, and the colon, so
    that no path reads as a scheme.
    """
    if path.startswith("//"):
        return "file:" + _percent_encode(path)
    if path.startswith("/"):
        return "file://" + _percent_encode(path)
    if (drive := _DRIVE.match(path)) is not None:
        return f"file:///{drive[0]}{_percent_encode(path[drive.end() :])}"
    return _percent_encode(path)


def _percent_encode(path: str) -> str:
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = encodable(path).encode()
    return "".join(chr(byte) if byte in _UNESCAPED else f"%{byte:02X}" for byte in raw)
