"""`range` over random histories says what a slow and plain walk over every commit says."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.e2e.histories import identity
from tests.e2e.ranges import gate
from tests.random_history import RandomHistory, random_history


@pytest.mark.parametrize("seed", range(10))
def test_random_range(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    made = random_history(tmp_path / "project", rng)
    heads = sorted(set(made.refs.values()))
    base, head = next(
        (one, other)
        for one, other in ((rng.choice(heads), rng.choice(heads)) for _ in range(1000))
        if made.ancestors(other) - made.ancestors(one)
    )
    found = gate("range", f"{made.nodes[base].id}..{made.nodes[head].id}", cwd=made.repository.folder)
    numbers = {identity(pair): number for number, pair in enumerate(made.pairs)}
    reported = {
        (numbers[leak["id"]], place["path"])
        for leak in found.found
        for place in leak["locations"]
        if not place["standing"]  # type: ignore[typeddict-item]
    }
    new, moved = truth(made, base, head)
    assert reported <= new
    assert new - reported <= moved
    for leak in found.found:
        for place in leak["locations"]:
            holds = numbers[leak["id"]] in made.nodes[head].tree.get(place["path"], frozenset())
            assert (place["exposure"] == "present") is holds
            assert (place["removed"] is None) is holds
            if place["removed"] is not None:
                by = next(node for node in made.nodes if node.id == place["removed"]["id"])
                there = [made.nodes[parent].tree.get(place["path"], frozenset()) for parent in by.parents]
                assert numbers[leak["id"]] in frozenset().union(*there) - by.tree.get(place["path"], frozenset())


def truth(made: RandomHistory, base: int, head: int) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
    """Which pairs at which paths commits introduce, and of which git may say that they came with a renamed file."""
    new, moved = set(), set()
    for number in made.ancestors(head) - made.ancestors(base):
        node = made.nodes[number]
        parents = [made.nodes[parent].tree for parent in node.parents]
        for path, held in node.tree.items():
            for pair in held:
                if any(pair in parent.get(path, frozenset()) for parent in parents):
                    continue
                if pair in made.nodes[base].tree.get(path, frozenset()):
                    continue
                new.add((pair, path))
                if any(path not in parent and any(pair in there for there in parent.values()) for parent in parents):
                    moved.add((pair, path))
    return new, moved
