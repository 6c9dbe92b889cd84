"""Random histories with branches, merges and lost commits, and a slow plain answer to what must be reported."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.corpus.values import hmac_value
from tests.e2e import Pair
from tests.hiding_contents import PADDING, module
from tests.repositories import Repository

_FIRST = 1_577_880_000
_PATHS = ("a.py", "b/c.py", "b/d.py", "e.env")

Tree = Mapping[str, frozenset[int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A commit: its parents, and the numbers of the pairs that each of its files holds."""

    id: str
    parents: tuple[int, ...]
    tree: Tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """What is right to say of a pair at a path. Several commits may have brought it in, or taken it out.

    `tagged` says that it is at the tip of a tag.
    """

    exposure: str
    tagged: bool
    brought: frozenset[str]
    removed: frozenset[str]
    refs: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class RandomHistory:
    """A repository, its commits in order, its pairs, and the refs with the numbers of their commits."""

    repository: Repository
    nodes: tuple[Node, ...]
    pairs: tuple[Pair, ...]
    refs: Mapping[str, int]

    def ancestors(self, tip: int) -> set[int]:
        """A commit and all before it."""
        seen, rest = set[int](), [tip]
        while rest:
            number = rest.pop()
            if number not in seen:
                seen.add(number)
                rest += self.nodes[number].parents
        return seen

    def truth(self) -> dict[tuple[int, str], Truth]:
        """What is to be reported, for each pair and path."""
        return {
            (pair, path): self._of(pair, path)
            for pair in range(len(self.pairs))
            for path in _PATHS
            if any(self._holds(node, pair, path) for node in self.nodes)
        }

    def _holds(self, node: Node, pair: int, path: str) -> bool:
        return pair in node.tree.get(path, frozenset())

    def _of(self, pair: int, path: str) -> Truth:
        reach = {ref: self.ancestors(tip) for ref, tip in self.refs.items()}
        holders = {number for number, node in enumerate(self.nodes) if self._holds(node, pair, path)}
        refs = frozenset(ref for ref, commits in reach.items() if commits & holders)
        reached = set().union(*reach.values())
        known = reached if refs else set(range(len(self.nodes)))
        brought = {number for number in holders & known if not holders & set(self.nodes[number].parents)}
        removed = {number for number in known - holders if holders & set(self.nodes[number].parents)}
        tips = {tip for ref, tip in self.refs.items() if not ref.startswith("tag")}
        exposure = "present" if tips & holders else "history" if refs else "unreachable"
        return Truth(
            exposure=exposure,
            tagged=bool(set(self.refs.values()) & holders),
            brought=frozenset(self.nodes[number].id for number in brought),
            removed=frozenset(self.nodes[number].id for number in removed),
            refs=refs,
        )


@dataclass(slots=True)
class _Growing:
    rng: Random
    pairs: tuple[Pair, ...]
    stream: bytearray = field(default_factory=lambda: bytearray(b"feature done\n"))
    parents: list[tuple[int, ...]] = field(default_factory=list)
    trees: list[dict[str, str]] = field(default_factory=list)

    def content(self) -> str:
        """A file without a pair, with one, or with two."""
        held = self.rng.sample(self.pairs, self.rng.choice((0, 0, 1, 1, 2)))
        padding = PADDING * self.rng.randint(1, 4)
        return padding + "".join(module(pair, padding=self.rng.randint(1, 3)) for pair in held)

    def grow(self) -> None:
        """One more commit, on top of one of the latest or of two of them."""
        number, rng = len(self.trees), self.rng
        recent = range(max(0, number - 8), number)
        parents = tuple(rng.sample(recent, min(len(recent), rng.choice((1, 1, 1, 2, 3))))) if number else ()
        tree: dict[str, str] = {}
        for parent in reversed(parents):
            tree.update(self.trees[parent])
        for path in rng.sample(_PATHS, rng.randint(0, 2)):
            if rng.random() < 0.4:
                tree.pop(path, None)
            else:
                tree[path] = self.content()
        self.parents.append(parents)
        self.trees.append(tree)
        self._write(number)

    def _write(self, number: int) -> None:
        who = f"A Test <test@project.example> {_FIRST + 60 * number} +0000"
        self.stream += f"commit refs/heads/c{number}\nmark :{number + 1}\nauthor {who}\ncommitter {who}\n".encode()
        self.stream += b"data 1\nx\n"
        for place, parent in enumerate(self.parents[number]):
            self.stream += f"{'merge' if place else 'from'} :{parent + 1}\n".encode()
        self.stream += b"deleteall\n"
        for path, content in self.trees[number].items():
            data = content.encode()
            self.stream += b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)


def random_history(folder: Path, rng: Random, *, commits: int = 40) -> RandomHistory:
    """A repository of so many commits, of which some are on no ref."""
    repository = Repository.create(folder)
    pairs = tuple(Pair(key=hmac_value(rng), secret=hmac_value(rng)) for _ in range(5))
    growing = _Growing(rng, pairs)
    for _ in range(commits):
        growing.grow()
    marks = repository.path(".git/marks")
    subprocess.run(
        ["git", "fast-import", "--quiet", f"--export-marks={marks}"],
        cwd=folder, input=bytes(growing.stream) + b"done\n", capture_output=True, check=True,
    )  # fmt: skip
    ids = dict(line.split() for line in marks.read_text().splitlines())
    refs = {name: rng.randrange(commits) for name in ("main", "topic", "origin/main", "origin/topic", "tag-1", "tag-2")}
    for number in range(commits):
        repository.git("update-ref", "-d", f"refs/heads/c{number}")
    for name, number in refs.items():
        folder_of = "remotes" if name.startswith("origin") else "tags" if name.startswith("tag") else "heads"
        repository.git("update-ref", f"refs/{folder_of}/{name}", ids[f":{number + 1}"])
    nodes = tuple(
        Node(id=ids[f":{number + 1}"], parents=parents, tree={path: _held(text, pairs) for path, text in tree.items()})
        for number, (parents, tree) in enumerate(zip(growing.parents, growing.trees, strict=True))
    )
    return RandomHistory(repository=repository, nodes=nodes, pairs=pairs, refs=refs)


def _held(content: str, pairs: tuple[Pair, ...]) -> frozenset[int]:
    return frozenset(number for number, pair in enumerate(pairs) if pair.key in content)
