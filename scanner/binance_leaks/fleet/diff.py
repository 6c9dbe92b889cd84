"""What changed in a fleet from one run to another: credentials that are new, still there, or gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from binance_leaks.config import Config
from binance_leaks.findings import Finding, Mark, Result, Skipped
from binance_leaks.fleet.merge_credentials import Group
from binance_leaks.fleet.models import RepositoryScan
from binance_leaks.fleet.report import PLACES, findings_of, result_of
from binance_leaks.fleet.run_status import Marks, Snapshot, marks_of, snapshot
from binance_leaks.fleet.store import Store


def difference(store: Store, earlier: int, later: int, *, config: Config, places: int | None = PLACES) -> Result:
    """The findings of the later run, marked against the earlier, and those of the earlier that are gone.

    Those fail that are new, or that repositories have now that had them not. What is gone has the places where it
    stood; a credential is not gone if a repository held it that the later run leaves out, or could not scan. Raises
    UsageError if there is no such run.
    """
    with store.steady():
        before = snapshot(store, earlier, least=config.confidence)
        now = snapshot(store, later, least=config.confidence)
        marks = marks_of(before, now)
        found = findings_of(store, now.groups, config=config, places=places, mark=marks.of)
        spread = {group.credential.id: _spread(group, before) for group in now.groups}
        there = [_told(each, spread.get(each.id, frozenset())) for each in found]
        gone = findings_of(store, marks.gone, config=config, places=places, mark=_gone)
        count = sum(finding.suppressed is None for finding in gone)
        compared = result_of(store, now, (*there, *gone), gone=count)
    ordered = tuple(sorted(compared.findings, key=_news))
    return replace(compared, findings=ordered, skipped=(*compared.skipped, *_uncompared(before, now, marks)))


def _told(finding: Finding, spread: frozenset[str]) -> Finding:
    """A finding of the later run; one that was there before fails where repositories have it that had it not."""
    if finding.mark is not Mark.STILL_THERE:
        return finding
    places = tuple(replace(place, preexisting=place.repository not in spread) for place in finding.locations)
    return replace(finding, fails=finding.fails and bool(spread), locations=places)


def _spread(group: Group, before: Snapshot) -> frozenset[str]:
    """The labels of the repositories that hold a credential and did not in the earlier run."""
    held = frozenset(key for other in before.groups if group.leading & other.digests for key in other.repositories)
    return frozenset(member.held.label for member in group.members if member.held.repository not in held)


def _news(finding: Finding) -> int:
    """What is new first, then what has spread, what is as it was, and what is gone."""
    if finding.mark is Mark.GONE:
        return 3
    return 0 if finding.mark is Mark.NEW else 1 if finding.is_new else 2


def _gone(group: Group) -> Mark:  # noqa: ARG001 - as marks are asked for
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
