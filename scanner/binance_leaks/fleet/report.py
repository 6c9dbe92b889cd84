"""The report of a run over a fleet: one finding per credential, with every repository that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from binance_leaks.config import Config
from binance_leaks.findings import Finding, Mark, Result, ScanStats, Skipped, SourceKind
from binance_leaks.fleet.merge_credentials import Group, Member
from binance_leaks.fleet.models import RepositoryScan, RunStatus, ScanStatus
from binance_leaks.fleet.run_status import Snapshot, marks_of, snapshot
from binance_leaks.fleet.store import Store
from binance_leaks.model import Location
from binance_leaks.pipeline.triage import finding_of
from binance_leaks.report.location_order import BY_USE
from binance_leaks.risk import order

_LEAST = 2
_BUDGET = 300
"""Holdings, a credential in a repository, of which all places are listed that a report may list of one."""
PLACES = 50
_SUMMED = ("objects", "blobs", "bytes")


def fleet_result(store: Store, run: int, *, config: Config, places: int | None = PLACES) -> Result:
    """What is known of the fleet as of a run, the gravest first, marked against the run before.

    `places` is the most that are listed of one credential in one repository, None for all; the rest is counted. What is
    less sure than the configuration wants is left out. Raises UsageError if there is no such run, ScanError if
    the store cannot be read.
    """
    with store.steady():
        now = snapshot(store, run, least=config.confidence)
        before = store.looked_before(run)
        marks = marks_of(snapshot(store, before, least=config.confidence), now) if before is not None else None
        findings = findings_of(store, now.groups, config=config, places=places, mark=marks.of if marks else _unmarked)
        return result_of(store, now, findings, gone=_counted(marks.gone) if marks else None)


def findings_of(
    store: Store,
    groups: Iterable[Group],
    *,
    config: Config,
    places: int | None,
    mark: Callable[[Group], Mark | None],
) -> list[Finding]:
    """The findings of these credentials, suppressed ones among them.

    Where very many repositories hold very many, fewer places of each are listed, so that a report stays a report.
    """
    groups = list(groups)
    if places is not None:
        held = sum(len(group.members) for group in groups)
        places = min(places, max(_LEAST, places * _BUDGET // max(1, held)))
    return [_finding(group, *_places_of(store, group, places), config=config, mark=mark(group)) for group in groups]


def result_of(store: Store, now: Snapshot, findings: Iterable[Finding], *, gone: int | None) -> Result:
    """The result of a run, its findings sorted. It counts as interrupted unless it came to its end.

    With `gone`, the number of those that are, there are counts by mark.
    """
    ordered = sorted(findings, key=order)
    counted = tuple(finding for finding in ordered if finding.suppressed is None)
    suppressed = tuple(finding for finding in ordered if finding.suppressed is not None)
    stats = _stats(now)
    if gone is not None:
        stats = replace(
            stats,
            new=sum(finding.mark is Mark.NEW for finding in counted),
            still_there=sum(finding.mark is Mark.STILL_THERE for finding in counted),
            gone=gone,
        )
    return Result(
        source=SourceKind.FLEET,
        target=now.run.target,
        findings=counted,
        suppressed=suppressed,
        skipped=(*_failed(now.scans), *_waiting(now.scans), *_unread(store, now.run.id)),
        stats=replace(stats, suppressed=len(suppressed)),
        interrupted=now.run.status is not RunStatus.FINISHED,
    )


def _stats(now: Snapshot) -> ScanStats:
    """Counts of the run; what was read is that of this run alone, and what its coordinator counted wins."""
    read = [scan.stats for scan in now.scans if scan.status is ScanStatus.SCANNED]
    waiting = sum(scan.status is ScanStatus.WAITING for scan in now.scans)
    counts = {
        "repositories": len(now.scans),
        "repositories_failed": sum(scan.status is ScanStatus.FAILED for scan in now.scans),
        "repositories_unchanged": sum(scan.status is ScanStatus.UNCHANGED for scan in now.scans),
        **{name: sum(stats.get(name, 0) for stats in read) for name in _SUMMED},
        **({"repositories_waiting": waiting} if waiting else {}),
    }
    return ScanStats.of({**counts, **now.run.facts})


def _finding(
    group: Group, locations: tuple[Location, ...], unlisted: int, *, config: Config, mark: Mark | None
) -> Finding:
    """A credential of the fleet, judged as a whole."""
    judged = finding_of(
        group.credential,
        locations,
        config,
        suppressed=group.suppression,
        verification=group.verification,
        counts=mark is not Mark.GONE,
    )
    return replace(judged, mark=mark, unlisted=unlisted)


def _places_of(store: Store, group: Group, most: int | None) -> tuple[tuple[Location, ...], int]:
    """Where a credential stands, those places first that help a reader most, and how many more there are."""
    listed: list[Location] = []
    count = 0
    for _, members in groupby(group.members, key=lambda member: (member.held.label, member.held.repository)):
        adding = tuple(members)
        found = [place for member in adding for place in _places(store, member, most)]
        listed += found[:most] if len(adding) == 1 else list(dict.fromkeys(found))[:most]
        count += sum(_count(store, member) for member in adding)
    if not listed:  # a report that gives no place for any of its values
        listed = [place for member in group.members for place in store.places(member.held, most=most)]
    ranks = {exposure: rank for rank, exposure in enumerate(BY_USE)}
    listed.sort(key=lambda place: (place.preexisting, ranks[place.exposure]))
    return tuple(listed), max(count - len(listed), 0)


def _places(store: Store, member: Member, most: int | None) -> Iterable[Location]:
    """Places of a member in the roles that they have here, as many as are wanted of those that belong here."""
    whole = most is None or member.roles.keys() >= {value.role for value in member.held.values}
    places = store.places(member.held, most=most if whole else None)
    for place in places:
        role = member.roles.get(place.role)
        if role is not None:
            yield place if role is place.role else replace(place, role=role)


def _unread(store: Store, run: int) -> list[Skipped]:
    """What the scans could not read, each with its repository."""
    return [
        Skipped(what=f"{each.label}: {each.skipped.what}", why=each.skipped.why, lost=each.skipped.lost)
        for each in store.unread(run)
    ]


def _count(store: Store, member: Member) -> int:
    if member.roles.keys() >= {value.role for value in member.held.values}:
        return member.held.places
    return sum(count for role, count in store.places_by_role(member.held).items() if role in member.roles)


def _failed(scans: Iterable[RepositoryScan]) -> list[Skipped]:
    return [Skipped(what=scan.repository.label, why=_why(scan)) for scan in scans if scan.status is ScanStatus.FAILED]


def _why(scan: RepositoryScan) -> str:
    """A reason, what to do, after how many attempts, and whether something older is reported."""
    often = "1 attempt" if scan.attempts == 1 else f"{scan.attempts} attempts"
    hint = f" {scan.hint}" if scan.hint else ""
    old = "" if scan.since is None else f" What run {scan.since} found in it is still reported."
    return f"{scan.reason.rstrip('.')} ({often}).{hint}{old}"


def _waiting(scans: Sequence[RepositoryScan]) -> list[Skipped]:
    """All of them in a line, as an interrupted run leaves most of a fleet."""
    count = sum(scan.status is ScanStatus.WAITING for scan in scans)
    if not count:
        return []
    what = "1 repository" if count == 1 else f"{count:,} repositories"
    known = any(scan.status is ScanStatus.WAITING and scan.since is not None for scan in scans)
    also = "; what an earlier one found is still reported" if known else ""
    return [Skipped(what=what, why=f"not scanned yet in this run{also}")]


def _counted(groups: Iterable[Group]) -> int:
    return sum(group.suppression is None for group in groups)


def _unmarked(group: Group) -> None:
    """As there is no run before."""
