"""What the list names and nobody can scan: written down with the run, so that every report of it tells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scanner.findings import Skipped
from scanner.fleet.store import Store
from scanner.fleet.words import Failed, Repository

_HINT = "Give the folder of the repository, or the whole URL of one that a host has."


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """Something that is listed as a repository, and why it is none."""

    repository: Repository
    failed: Failed


def missing_of(skipped: Iterable[Skipped], repositories: Sequence[Repository], store: Store) -> list[Missing]:
    """Those of the things that were passed over which could hold something.

    One that an earlier run has scanned keeps its place in the store, so that what was found there is not forgotten.
    """
    runs = store.runs()
    known = {scan.repository.key: scan.repository for scan in store.scans(runs[-1].id)} if runs else {}
    taken = {repository.label for repository in repositories}
    found = []
    for each in skipped:
        if not each.lost:
            continue
        before = known.get(f"{each.what}/.git") or known.get(each.what)
        label = before.label if before is not None else each.what
        repository = Repository(
            key=before.key if before is not None else each.what,
            label=label if label not in taken else f"{each.what} (not read)",
            address=each.what,
        )
        taken.add(repository.label)
        found.append(Missing(repository=repository, failed=Failed(key=repository.key, reason=each.why, hint=_HINT)))
    return found
