"""The report of a run over a fleet, and the comparison of two runs.

One finding per credential, with every repository that holds it, marked as new, still there, or gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from binance_leaks.config import Config
from binance_leaks.findings import Finding, Mark, Result, ScanStats, Skipped, SourceKind
from binance_leaks.fleet.credentials import FleetCredential, Member, merge
from binance_leaks.fleet.models import RepositoryScan, Run, RunStatus, ScanStatus
from binance_leaks.fleet.store import Store
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Confidence, Location
from binance_leaks.pipeline.triage import finding_of
from binance_leaks.report.locations import EXPOSURES_BY_USE
from binance_leaks.risk import order


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A run with its repositories and credentials: those of enough confidence, and the digests of all.

    An interrupted run has the findings of earlier runs for repositories that were not reached.
    """

    run: Run
    scans: tuple[RepositoryScan, ...]
    groups: tuple[FleetCredential, ...]
    digests: frozenset[str]

    @property
    def repositories(self) -> frozenset[str]:
        """The keys of its repositories."""
        return frozenset(scan.repository.key for scan in self.scans)


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """How the credentials of a run relate to an earlier one, by digests.

    `known` were reported then. `suppressed` were held and not reported: removing the comment that allowed a credential
    makes it new. `gone` are no longer there. Of `undetermined` no value was found, but a repository that held them was
    not scanned.
    """

    known: frozenset[str]
    suppressed: frozenset[str]
    gone: tuple[FleetCredential, ...]
    undetermined: tuple[FleetCredential, ...]

    def of(self, group: FleetCredential) -> Mark:
        """New, unless its key, or without a key any of its values, was reported anywhere in the fleet."""
        known = self.known if group.suppression is None else self.known | self.suppressed
        return Mark.STILL_THERE if group.identifying & known else Mark.NEW


def load_snapshot(store: Store, run: int, *, least: Confidence) -> Snapshot:
    """Load the fleet as of a run. Raises UsageError if there is no such run."""
    details = store.run(run)
    groups = merge(store.held(run), store.verifications(run))
    return Snapshot(
        run=details,
        scans=tuple(store.scans(run)),
        groups=tuple(group for group in groups if group.credential.confidence >= least),
        digests=frozenset(digest for group in groups for digest in group.digests),
    )


def mark_credentials(earlier: Snapshot, later: Snapshot) -> Marks:
    """Compare two runs.

    A credential is not gone while one of its values is there, in a pair or alone, at any confidence, or while a
    repository that held it is not in the later run.
    """
    lost = [group for group in earlier.groups if not group.digests & later.digests]
    here = later.repositories
    return Marks(
        known=_digests(group for group in earlier.groups if group.suppression is None),
        suppressed=_digests(group for group in earlier.groups if group.suppression is not None),
        gone=tuple(group for group in lost if group.repositories <= here),
        undetermined=tuple(group for group in lost if not group.repositories <= here),
    )


def _digests(groups: Iterable[FleetCredential]) -> frozenset[str]:
    return frozenset(digest for group in groups for digest in group.digests)


_LEAST = 2
_BUDGET = 300
"""Holdings, a credential in a repository, of which all places are listed that a report may list of one."""
PLACES = 50
_SUMMED = ("objects", "blobs", "bytes")


def fleet_result(store: Store, run: int, *, config: Config, places: int | None = PLACES) -> Result:
    """Return the result of a run, most severe findings first, marked against the run before.

    `places` limits the locations of one credential in one repository, None for all; the others are counted. Findings
    below the configured confidence are left out. Raises UsageError if there is no such run, ScanError if the store
    cannot be read.
    """
    with store.read_transaction():
        now = load_snapshot(store, run, least=config.confidence)
        before = store.previous_finished_run(run)
        marks = (
            mark_credentials(load_snapshot(store, before, least=config.confidence), now) if before is not None else None
        )
        findings = make_findings(store, now.groups, config=config, places=places, mark=marks.of if marks else _no_mark)
        return make_result(
            store, now, findings, gone=sum(group.suppression is None for group in marks.gone) if marks else None
        )


def make_findings(
    store: Store,
    groups: Iterable[FleetCredential],
    *,
    config: Config,
    places: int | None,
    mark: Callable[[FleetCredential], Mark | None],
) -> list[Finding]:
    """Make the findings of credentials, suppressed ones included.

    Where many repositories hold many credentials, fewer locations of each are listed, to limit the size of the report.
    """
    groups = list(groups)
    if places is not None:
        held = sum(len(group.members) for group in groups)
        places = min(places, max(_LEAST, places * _BUDGET // max(1, held)))
    return [
        _make_finding(group, *_select_locations(store, group, places), config=config, mark=mark(group))
        for group in groups
    ]


def make_result(store: Store, now: Snapshot, findings: Iterable[Finding], *, gone: int | None) -> Result:
    """Make the result of a run with sorted findings.

    It is interrupted unless the run has finished.

    With `gone`, the number of those, the statistics have counts by mark.
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
    """Statistics of the run: what this run has read, and the facts that its coordinator counted."""
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


def _make_finding(
    group: FleetCredential, locations: tuple[Location, ...], unlisted: int, *, config: Config, mark: Mark | None
) -> Finding:
    """Make the finding of a credential, rated for the whole fleet."""
    judged = finding_of(
        group.credential,
        locations,
        config,
        suppressed=group.suppression,
        verification=group.verification,
        counts=mark is not Mark.GONE,
    )
    return replace(judged, mark=mark, unlisted=unlisted)


def _select_locations(store: Store, group: FleetCredential, most: int | None) -> tuple[tuple[Location, ...], int]:
    """The locations of a credential, most useful first, and how many more there are."""
    listed: list[Location] = []
    count = 0
    for _, members in groupby(group.members, key=lambda member: (member.held.label, member.held.repository)):
        adding = tuple(members)
        found = [place for member in adding for place in _locations(store, member, most)]
        listed += found[:most] if len(adding) == 1 else list(dict.fromkeys(found))[:most]
        count += sum(_count(store, member) for member in adding)
    if not listed:  # a report that gives no place for any of its values
        listed = [place for member in group.members for place in store.places(member.held, most=most)]
    ranks = {exposure: rank for rank, exposure in enumerate(EXPOSURES_BY_USE)}
    listed.sort(key=lambda place: (place.preexisting, ranks[place.exposure]))
    return tuple(listed), max(count - len(listed), 0)


def _locations(store: Store, member: Member, most: int | None) -> Iterable[Location]:
    """The locations of a member in their roles, limited to those of this credential."""
    whole = most is None or member.roles.keys() >= {value.role for value in member.held.values}
    places = store.places(member.held, most=most if whole else None)
    for place in places:
        role = member.roles.get(place.role)
        if role is not None:
            yield place if role is place.role else replace(place, role=role)


def _unread(store: Store, run: int) -> list[Skipped]:
    """What the scans could not read, with the repository."""
    return [
        Skipped(what=f"{each.label}: {each.skipped.what}", why=each.skipped.why, lost=each.skipped.lost)
        for each in store.unread(run)
    ]


def _count(store: Store, member: Member) -> int:
    if member.roles.keys() >= {value.role for value in member.held.values}:
        return member.held.places
    return sum(count for role, count in store.places_by_role(member.held).items() if role in member.roles)


def _failed(scans: Iterable[RepositoryScan]) -> list[Skipped]:
    return [
        Skipped(what=scan.repository.label, why=_failure_text(scan))
        for scan in scans
        if scan.status is ScanStatus.FAILED
    ]


def _failure_text(scan: RepositoryScan) -> str:
    """The reason, a hint, the number of attempts, and whether older findings are reported."""
    often = "1 attempt" if scan.attempts == 1 else f"{scan.attempts} attempts"
    hint = f" {scan.hint}" if scan.hint else ""
    old = "" if scan.since is None else f" What run {scan.since} found in it is still reported."
    return f"{scan.reason.rstrip('.')} ({often}).{hint}{old}"


def _waiting(scans: Sequence[RepositoryScan]) -> list[Skipped]:
    """One line for all repositories that were not reached."""
    count = sum(scan.status is ScanStatus.WAITING for scan in scans)
    if not count:
        return []
    what = "1 repository" if count == 1 else f"{count:,} repositories"
    known = any(scan.status is ScanStatus.WAITING and scan.since is not None for scan in scans)
    also = "; what an earlier one found is still reported" if known else ""
    return [Skipped(what=what, why=f"not scanned yet in this run{also}")]


def _no_mark(group: FleetCredential) -> None:
    """The mark where there is no earlier run."""


def compare_runs(store: Store, earlier: int, later: int, *, config: Config, places: int | None = PLACES) -> Result:
    """Return the findings of the later run, marked against the earlier one, and those that are gone.

    A finding fails if it is new, or if a repository has it that did not. Gone findings have their former locations; a
    credential is not gone if a repository that held it is missing from the later run or could not be scanned. Raises
    UsageError if there is no such run.
    """
    with store.read_transaction():
        before = load_snapshot(store, earlier, least=config.confidence)
        now = load_snapshot(store, later, least=config.confidence)
        marks = mark_credentials(before, now)
        found = make_findings(store, now.groups, config=config, places=places, mark=marks.of)
        spread = {group.credential.id: _spread_to(group, before) for group in now.groups}
        there = [_mark_spread(each, spread.get(each.id, frozenset())) for each in found]
        gone = make_findings(store, marks.gone, config=config, places=places, mark=_gone)
        count = sum(finding.suppressed is None for finding in gone)
        compared = make_result(store, now, (*there, *gone), gone=count)
    ordered = tuple(sorted(compared.findings, key=_diff_order))
    return replace(compared, findings=ordered, skipped=(*compared.skipped, *_only_in_one_run(before, now, marks)))


def _mark_spread(finding: Finding, spread: frozenset[str]) -> Finding:
    """Adjust a finding of the later run: a known one fails only where it has spread to other repositories."""
    if finding.mark is not Mark.STILL_THERE:
        return finding
    places = tuple(replace(place, preexisting=place.repository not in spread) for place in finding.locations)
    return replace(finding, fails=finding.fails and bool(spread), locations=places)


def _spread_to(group: FleetCredential, before: Snapshot) -> frozenset[str]:
    """The labels of the repositories that hold a credential and did not in the earlier run."""
    held = frozenset(key for other in before.groups if group.identifying & other.digests for key in other.repositories)
    return frozenset(member.held.label for member in group.members if member.held.repository not in held)


def _diff_order(finding: Finding) -> int:
    """Sort key: new, spread, unchanged, gone."""
    if finding.mark is Mark.GONE:
        return 3
    return 0 if finding.mark is Mark.NEW else 1 if finding.is_new else 2


def _gone(group: FleetCredential) -> Mark:  # noqa: ARG001 - as marks are asked for
    return Mark.GONE


def _only_in_one_run(before: Snapshot, now: Snapshot, marks: Marks) -> Iterable[Skipped]:
    """Repositories of only one of the runs; nothing is unread by that."""
    earlier = {scan.repository.key: scan for scan in before.scans}
    for scan in before.scans:
        if scan.repository.key not in now.repositories:
            yield Skipped(what=scan.repository.label, why=_not_in_later_run(scan, now, marks), lost=False)
    for scan in now.scans:
        known = earlier.get(scan.repository.key)
        if scan.since is not None and (known is None or known.since is None):
            why = f"not scanned as of run {before.run.id}: what is only in it counts as new"
            yield Skipped(what=scan.repository.label, why=why, lost=False)


def _not_in_later_run(scan: RepositoryScan, now: Snapshot, marks: Marks) -> str:
    count = sum(scan.repository.key in group.repositories for group in marks.undetermined)
    why = f"not in run {now.run.id}"
    if not count:
        return why
    credentials = "1 credential" if count == 1 else f"{count} credentials"
    return f"{why}: not known whether {credentials} of it {'is' if count == 1 else 'are'} gone"
