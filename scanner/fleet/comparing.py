"""What changed in a fleet from one run to another: credentials that are new, still there, or gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scanner.config import Config
from scanner.findings import Finding, Mark, Result, Skipped
from scanner.fleet.grouping import Group
from scanner.fleet.marking import Marks, Snapshot, holders, marks_of, snapshot
from scanner.fleet.merging import PLACES, findings_of, result_of
from scanner.fleet.store import Store
from scanner.fleet.words import RepositoryScan


def difference(
    store: Store, earlier: int, later: int, *, config: Config, places: int | None = PLACES, target: str | None = None
) -> Result:
    """The findings of the later run, marked against the earlier, and those of the earlier that are gone.

    What is new alone can fail. What is gone has the places where it stood. A credential is not gone if a repository
    held it that the later run leaves out, or could not scan. Raises UsageError if there is no such run.
    """
    with store.steady():
        before = snapshot(store, earlier, least=config.confidence)
        now = snapshot(store, later, least=config.confidence)
        marks = marks_of(before, now)
        there = [_told(each) for each in findings_of(store, now.groups, config=config, places=places, mark=marks.of)]
        gone = findings_of(store, marks.gone, config=config, places=places, mark=_gone)
        count = sum(finding.suppressed is None for finding in gone)
        compared = result_of(store, now, (*there, *gone), target=target, gone=count)
    return replace(compared, skipped=(*compared.skipped, *_uncompared(before, now, marks)))


def _told(finding: Finding) -> Finding:
    """A finding of the later run; one that was there before does not fail, nor does any place of it."""
    if finding.mark is not Mark.STILL_THERE:
        return finding
    return replace(finding, fails=False, locations=tuple(replace(place, standing=True) for place in finding.locations))


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
    count = sum(scan.repository.key in holders(group) for group in marks.untold)
    why = f"not in run {now.run.id}"
    if not count:
        return why
    return f"{why}: whether {'1 credential' if count == 1 else f'{count} credentials'} of it are gone is not known"
