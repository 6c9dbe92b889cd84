"""The graph of commits against one of dictionaries."""

from __future__ import annotations

from random import Random

import pytest
from binance_leaks.sources.objects.commit_graph import CommitGraph
from binance_leaks.sources.objects.parse import CommitNode

_ALIKE = bytes(8)  # ids that a table of their first 64 bits cannot tell apart


def _made(rng: Random, *, forged: bool) -> tuple[CommitGraph, dict[bytes, CommitNode]]:
    names = [(_ALIKE if rng.random() < 0.2 else rng.randbytes(8)) + rng.randbytes(12) for _ in range(40)]
    absent = [rng.randbytes(20), _ALIKE + rng.randbytes(12)]
    graph, nodes = CommitGraph(20), dict[bytes, CommitNode]()
    for number, name in enumerate(names):
        earlier = names if forged else names[:number]
        parents = tuple(rng.choice([*earlier, *absent]) for _ in range(rng.randrange(4)))
        nodes[name] = CommitNode(tree=rng.randbytes(20), parents=parents, time=rng.randint(-5, 1 << 40))
    added = [*names, *rng.sample(names, 6)]
    rng.shuffle(added)
    for name in added:
        graph.add(name, nodes[name])
    return graph, nodes


@pytest.mark.parametrize("seed", range(40))
def test_it_answers_as_dictionaries_do(seed: int) -> None:
    graph, nodes = _made(Random(seed), forged=seed % 2 == 1)
    numbers = list(graph.numbers())
    assert {graph.id_of(number) for number in numbers} == nodes.keys()
    assert len(numbers) == len(nodes)
    for name, node in nodes.items():
        number = graph.number_of(name)
        assert number is not None
        assert number in numbers
        assert (graph.tree_of(number), graph.time_of(number)) == (node.tree, node.time)
        assert [graph.id_of(parent) for parent in graph.parents_of(number)] == [
            parent for parent in node.parents if parent in nodes
        ]
    assert graph.number_of(bytes(20)) is None
    assert graph.number_of(None) is None
    assert set(graph.trees()) == {node.tree for node in nodes.values()}
    assert set(graph.unknown_parents()) == {
        (name, parent) for name, node in nodes.items() for parent in node.parents if parent not in nodes
    }


@pytest.mark.parametrize("seed", range(40))
def test_parents_come_first(seed: int) -> None:
    graph, _ = _made(Random(seed), forged=False)
    order = list(graph.parents_first())
    assert sorted(order) == list(graph.numbers())
    place = {number: at for at, number in enumerate(order)}
    assert all(place[parent] < place[number] for number in order for parent in graph.parents_of(number))


@pytest.mark.parametrize("seed", range(40))
def test_circles_of_a_forged_history_end(seed: int) -> None:
    graph, _ = _made(Random(seed), forged=True)
    assert sorted(graph.parents_first()) == list(graph.numbers())


def test_nothing() -> None:
    graph = CommitGraph(20)
    assert (list(graph.numbers()), list(graph.parents_first()), list(graph.unknown_parents())) == ([], [], [])
