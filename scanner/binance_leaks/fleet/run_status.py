"""What is known of a fleet as of a run, and what became of its credentials since another: new, still there, gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from binance_leaks.findings import Mark
from binance_leaks.fleet.merge_credentials import Group, merge
from binance_leaks.fleet.models import RepositoryScan, Run
from binance_leaks.fleet.store import Store
from binance_leaks.model import Confidence


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A run with its repositories and credentials: those that are sure enough, and the digests of all.

    An interrupted run has what earlier ones found in the repositories that were not reached.
    """

    run: Run
    scans: tuple[RepositoryScan, ...]
    groups: tuple[Group, ...]
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
    gone: tuple[Group, ...]
    untold: tuple[Group, ...]

    def of(self, group: Group) -> Mark:
        """New, unless its key, or any of its values if it has no key, was reported anywhere in the fleet."""
        known = self.known if group.suppression is None else self.known | self.suppressed
        return Mark.STILL_THERE if group.leading & known else Mark.NEW


def snapshot(store: Store, run: int, *, least: Confidence) -> Snapshot:
    """The fleet as of a run. Raises UsageError if there is none of that number."""
    told = store.run(run)
    groups = merge(store.held(run), store.verifications(run))
    return Snapshot(
        run=told,
        scans=tuple(store.scans(run)),
        groups=tuple(group for group in groups if group.credential.confidence >= least),
        digests=frozenset(digest for group in groups for digest in group.digests),
    )


def marks_of(earlier: Snapshot, later: Snapshot) -> Marks:
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


def _digests(groups: Iterable[Group]) -> frozenset[str]:
    return frozenset(digest for group in groups for digest in group.digests)
