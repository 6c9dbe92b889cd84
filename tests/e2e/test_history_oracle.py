"""`history` of random histories says what a slow and plain walk over every commit says."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.e2e.histories import Spot, history, identity
from tests.random_history import RandomHistory, Truth, random_history


@pytest.mark.parametrize("seed", range(8))
def test_random_history(seed: int, tmp_path: Path) -> None:
    made = random_history(tmp_path / "project", Random(seed))
    looked = history(cwd=made.repository.folder)
    truth = made.truth()
    assert looked.complete
    numbers = {identity(pair): number for number, pair in enumerate(made.pairs)}
    assert looked.ids == {identity(made.pairs[pair]) for pair, _ in truth}
    reported = {
        (numbers[leak["id"]], place["path"], place["role"]): place
        for leak in looked.leaks
        for place in leak["locations"]
    }
    assert {(pair, path) for pair, path, _ in reported} == set(truth)
    wrong = {
        (pair, path): problems
        for (pair, path, _), place in reported.items()
        if (problems := compare(made, place, truth[pair, path]))
    }
    assert not wrong


def compare(made: RandomHistory, place: Spot, truth: Truth) -> list[str]:
    """What is wrong with one location."""
    commit = place["commit"]["id"] if place["commit"] else None
    removed = place["removed"]["id"] if place["removed"] else None
    numbers = {node.id: number for number, node in enumerate(made.nodes)}
    problems = []
    if place["exposure"] != truth.exposure:
        problems.append(f"exposure {place['exposure']}, not {truth.exposure}")
    if set(place["refs"]) != truth.refs:
        problems.append(f"refs {place['refs']}, not {sorted(truth.refs)}")
    if place["pushed"] != any(ref.startswith("origin/") for ref in truth.refs):
        problems.append(f"pushed {place['pushed']}")
    if commit not in truth.brought:
        problems.append(f"brought in by {numbers.get(commit or '')}, not {[numbers[one] for one in truth.brought]}")
    if truth.exposure == "present" and removed is not None:
        problems.append("removed, while it is still at a tip")
    if removed is None and truth.exposure == "history" and not truth.tagged:
        problems.append("not removed")
    if removed is not None and removed not in truth.removed:
        problems.append(f"removed by {numbers.get(removed)}, not {[numbers[one] for one in truth.removed]}")
    return problems
