"""Baselines of two branches, merged by git."""

from __future__ import annotations

import pytest

from tests.e2e import Pair
from tests.e2e.baselines import NAME, create, entries, known_pair, label, of, scan, update
from tests.repositories import Repository


def branch(repository: Repository, name: str, files: dict[str, str]) -> None:
    """A branch off `main` that adds some files and updates the baseline."""
    repository.git("checkout", "--quiet", "-B", name, "main")
    repository.commit({**files})
    update(repository.folder)
    repository.commit({NAME: repository.path(NAME).read_bytes()})


def merged(repository: Repository, one: str, other: str) -> bool:
    """Whether git merges a branch into another without a conflict."""
    repository.git("checkout", "--quiet", one)
    return repository.run("merge", "--quiet", "--no-edit", other).status == 0


@pytest.fixture
def pairs() -> list[Pair]:
    return [Pair.fresh() for _ in range(5)]


def spread(repository: Repository, pairs: list[Pair]) -> None:
    """Files that are known, with room between them."""
    repository.commit({f"{name}.py": pair.python for name, pair in zip("ckqw", pairs, strict=False)})
    create(repository.folder)
    repository.commit({NAME: repository.path(NAME).read_bytes()})


def test_different_files(repository: Repository, pairs: list[Pair]) -> None:
    spread(repository, pairs)
    one, two, three = Pair.fresh(), Pair.fresh(), Pair.fresh()
    branch(repository, "one", {"d.py": one.python, "a.py": three.python})
    branch(repository, "two", {"m.py": two.python})
    assert merged(repository, "one", "two")
    assert entries(repository.folder) >= of("d.py", one) | of("m.py", two) | of("a.py", three)
    assert scan(repository.folder).status == 0
    assert "No change" in update(repository.folder).out


def test_moved_lines_on_both_sides(repository: Repository, pairs: list[Pair]) -> None:
    """Where a value was is not written anew, so that branches do not differ in it."""
    spread(repository, pairs)
    one, two = Pair.fresh(), Pair.fresh()
    branch(repository, "one", {"c.py": f"# 1\n{pairs[0].python}", "d.py": one.python})
    branch(repository, "two", {"q.py": f"# 1\n# 2\n{pairs[2].python}", "m.py": two.python})
    assert merged(repository, "one", "two")
    assert scan(repository.folder).status == 0


def test_one_adds_and_one_drops(repository: Repository, pairs: list[Pair]) -> None:
    spread(repository, pairs)
    one = Pair.fresh()
    branch(repository, "one", {"d.py": one.python})
    branch(repository, "two", {"w.py": "import os\n"})
    assert merged(repository, "one", "two")
    assert entries(repository.folder) == of("d.py", one) | {
        entry for name, pair in zip("ckq", pairs, strict=False) for entry in of(f"{name}.py", pair)
    }


def test_labels_on_one_side(repository: Repository, pairs: list[Pair]) -> None:
    spread(repository, pairs)
    repository.git("checkout", "--quiet", "-b", "audited")
    label(repository.folder, c_py=True)
    repository.commit({NAME: repository.path(NAME).read_bytes()})
    branch(repository, "two", {"m.py": Pair.fresh().python})
    assert merged(repository, "audited", "two")
    assert "audited as real" in scan(repository.folder).out


def test_a_conflict_is_small_and_soon_solved(repository: Repository) -> None:
    """As the hint says: keep either side, then update."""
    known = known_pair(repository)
    one, two = Pair.fresh(), Pair.fresh()
    branch(repository, "one", {"m.py": one.python})
    branch(repository, "two", {"n.py": two.python})
    assert not merged(repository, "one", "two")
    text = repository.path(NAME).read_text()
    conflict = text[text.index("<<<<<<<") : text.index(">>>>>>>")]
    assert conflict.count("hashed_secret") <= 4
    refused = scan(repository.folder)
    assert refused.status == 2
    assert "conflict markers" in refused.err
    repository.git("checkout", "--ours", NAME)
    assert "2 added, 4 kept, 0 dropped" in update(repository.folder).out
    assert entries(repository.folder) == of("bot.py", known) | of("m.py", one) | of("n.py", two)
    assert scan(repository.folder).status == 0
