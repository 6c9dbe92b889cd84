"""The report of a run over a fleet: one finding per credential, with every repository that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from binance_leaks.config import Config
from binance_leaks.findings import Finding, Mark, Result, ScanStats, Skipped, SourceKind
from binance_leaks.fleet.credentials import FleetCredential, Member, merge
from binance_leaks.fleet.models import RepositoryScan, Run, RunStatus, ScanStatus
from binance_leaks.fleet.store import Store
from binance_leaks.model import Confidence, Location
from binance_leaks.pipeline.triage import finding_of
from binance_leaks.report.locations import EXPOSURES_BY_USE
from binance_leaks.risk import order


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A run with its repositories and credentials: those that are sure enough, and the digests of all.

    An interrupted run has what earlier ones found in the repositories that were not reached.
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
    """What tells new credentials from others, by the digests that an earlier run reported, and those that are gone.

    Those are `suppressed` that it held and did not report: whoever takes the comment away that allowed a credential
    makes it a new one.
    Those are `untold` of which no value was found in the later run, and that stood where that did not look.
    """

    known: frozenset[str]
    suppressed: frozenset[str]
    gone: tuple[FleetCredential, ...]
    untold: tuple[FleetCredential, ...]

    def of(self, group: FleetCredential) -> Mark:
        """New, unless its key, or any of its values if it has no key, was reported anywhere in the fleet."""
        known = self.known if group.suppression is None else self.known | self.suppressed
        return Mark.STILL_THERE if group.identifying & known else Mark.NEW


def load_snapshot(store: Store, run: int, *, least: Confidence) -> Snapshot:
    """The fleet as of a run. Raises UsageError if there is none of that number."""
    told = store.run(run)
    groups = merge(store.held(run), store.verifications(run))
    return Snapshot(
        run=told,
        scans=tuple(store.scans(run)),
        groups=tuple(group for group in groups if group.credential.confidence >= least),
        digests=frozenset(digest for group in groups for digest in group.digests),
    )


def mark_credentials(earlier: Snapshot, later: Snapshot) -> Marks:
    """The marks of a later run.

    Nothing is gone of which one value is still there, in a pair or alone, however sure, or that a repository held which
    the later run leaves out.
    """
    lost = [group for group in earlier.groups if not group.digests & later.digests]
    here = later.repositories
    return Marks(
        known=_digests(group for group in earlier.groups if group.suppression is None),
        suppressed=_digests(group for group in earlier.groups if group.suppression is not None),
        gone=tuple(group for group in lost if group.repositories <= here),
        untold=tuple(group for group in lost if not group.repositories <= here),
    )


def _digests(groups: Iterable[FleetCredential]) -> frozenset[str]:
    return frozenset(digest for group in groups for digest in group.digests)


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
    with store.read_transaction():
        now = load_snapshot(store, run, least=config.confidence)
        before = store.previous_finished_run(run)
        marks = (
            mark_credentials(load_snapshot(store, before, least=config.confidence), now) if before is not None else None
        )
        findings = make_findings(store, now.groups, config=config, places=places, mark=marks.of if marks else _unmarked)
        return make_result(store, now, findings, gone=_counted(marks.gone) if marks else None)


def make_findings(
    store: Store,
    groups: Iterable[FleetCredential],
    *,
    config: Config,
    places: int | None,
    mark: Callable[[FleetCredential], Mark | None],
) -> list[Finding]:
    """The findings of these credentials, suppressed ones among them.

    Where very many repositories hold very many, fewer places of each are listed, so that a report stays a report.
    """
    groups = list(groups)
    if places is not None:
        held = sum(len(group.members) for group in groups)
        places = min(places, max(_LEAST, places * _BUDGET // max(1, held)))
    return [_finding(group, *_places_of(store, group, places), config=config, mark=mark(group)) for group in groups]


def make_result(store: Store, now: Snapshot, findings: Iterable[Finding], *, gone: int | None) -> Result:
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
    group: FleetCredential, locations: tuple[Location, ...], unlisted: int, *, config: Config, mark: Mark | None
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


def _places_of(store: Store, group: FleetCredential, most: int | None) -> tuple[tuple[Location, ...], int]:
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
    ranks = {exposure: rank for rank, exposure in enumerate(EXPOSURES_BY_USE)}
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


def _counted(groups: Iterable[FleetCredential]) -> int:
    return sum(group.suppression is None for group in groups)


def _unmarked(group: FleetCredential) -> None:
    """As there is no run before."""


def compare_runs(store: Store, earlier: int, later: int, *, config: Config, places: int | None = PLACES) -> Result:
    """The findings of the later run, marked against the earlier, and those of the earlier that are gone.

    Those fail that are new, or that repositories have now that had them not. What is gone has the places where it
    stood; a credential is not gone if a repository held it that the later run leaves out, or could not scan. Raises
    UsageError if there is no such run.
    """
    with store.read_transaction():
        before = load_snapshot(store, earlier, least=config.confidence)
        now = load_snapshot(store, later, least=config.confidence)
        marks = mark_credentials(before, now)
        found = make_findings(store, now.groups, config=config, places=places, mark=marks.of)
        spread = {group.credential.id: _spread(group, before) for group in now.groups}
        there = [_told(each, spread.get(each.id, frozenset())) for each in found]
        gone = make_findings(store, marks.gone, config=config, places=places, mark=_gone)
        count = sum(finding.suppressed is None for finding in gone)
        compared = make_result(store, now, (*there, *gone), gone=count)
    ordered = tuple(sorted(compared.findings, key=_news))
    return replace(compared, findings=ordered, skipped=(*compared.skipped, *_uncompared(before, now, marks)))


def _told(finding: Finding, spread: frozenset[str]) -> Finding:
    """A finding of the later run; one that was there before fails where repositories have it that had it not."""
    if finding.mark is not Mark.STILL_THERE:
        return finding
    places = tuple(replace(place, preexisting=place.repository not in spread) for place in finding.locations)
    return replace(finding, fails=finding.fails and bool(spread), locations=places)


def _spread(group: FleetCredential, before: Snapshot) -> frozenset[str]:
    """The labels of the repositories that hold a credential and did not in the earlier run."""
    held = frozenset(key for other in before.groups if group.identifying & other.digests for key in other.repositories)
    return frozenset(member.held.label for member in group.members if member.held.repository not in held)


def _news(finding: Finding) -> int:
    """What is new first, then what has spread, what is as it was, and what is gone."""
    if finding.mark is Mark.GONE:
        return 3
    return 0 if finding.mark is Mark.NEW else 1 if finding.is_new else 2


def _gone(group: FleetCredential) -> Mark:  # noqa: ARG001 - as marks are asked for
    return Mark.GONE


def _uncompared(before: Snapshot, now: Snapshot, marks: Marks) -> Iterable[Skipped]:
    """Repositories of one of the runs only: nothing was left unread by that."""
    earlier = {scan.repository.key: scan for scan in before.scans}
    for scan in before.scans:
        if scan.repository.key not in now.repositories:
            yield Skipped(what=scan.repository.label, why=_left_out(scan, now, marks), lost=False)
    for scan in now.scans:
        known = earlier.get(scan.repository.key)
        if scan.since is not None and (known is None or known.since is None):
            why = f"not scanned as of run {before.run.id}: what is only in it counts as new"
            yield Skipped(what=scan.repository.label, why=why, lost=False)


def _left_out(scan: RepositoryScan, now: Snapshot, marks: Marks) -> str:
    count = sum(scan.repository.key in group.repositories for group in marks.untold)
    why = f"not in run {now.run.id}"
    if not count:
        return why
    return f"{why}: whether {'1 credential' if count == 1 else f'{count} credentials'} of it are gone is not known"
