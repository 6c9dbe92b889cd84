"""The hook and the gate give one answer to "was this value there before?", and it is that of a plain comparison."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

import pytest
from binance_leaks.model import Credential
from binance_leaks.pipeline.commit_range import RangeSource
from binance_leaks.pipeline.introduced import FileVersion, introduced
from binance_leaks.pipeline.staged import credentials_in_changes
from binance_leaks.sources.commit_selection import CommitSelection
from binance_leaks.sources.commits import RevisionRange, list_commits
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import find_suspects, list_staged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.binance.accounts import hmac_account
from tests.corpus.values import hmac_value
from tests.e2e import Pair
from tests.hiding_contents import PADDING
from tests.repositories import Repository
from tests.verify.credentials import credential, occurrence, value_of

_RNG = Random(20_261_129)
PAIRS = tuple(Pair(key=hmac_value(_RNG), secret=hmac_value(_RNG)) for _ in range(4))
PATHS = ("bot.py", "lib/bot.py", "new.py", "run.ipynb", "bot.zip")


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file with some of the pairs, and how it is written."""

    pairs: tuple[int, ...]
    indent: int = 0
    line_end: str = "\n"
    encoding: str = "utf-8"
    padding: int = 0

    @property
    def digests(self) -> set[str]:
        """The digests of all values."""
        return {digest for number in self.pairs for digest in PAIRS[number].digests}

    def content(self, path: str) -> bytes:
        """The file as it is at a path: Python, a notebook, or an archive with a module."""
        space = " " * self.indent
        lines = [f"{space}{PAIRS[number].call}" for number in self.pairs]
        text = "from binance.client import Client\nif True:\n" + PADDING * self.padding + "".join(lines) + "print(1)\n"
        if path.endswith(".ipynb"):
            cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": text.splitlines(keepends=True)}
            text = json.dumps({"cells": [cell], "nbformat": 4}, indent=self.indent)
        data = text.replace("\n", self.line_end).encode(self.encoding)
        if path.endswith(".zip"):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                archive.writestr("src/bot.py", data)
            return buffer.getvalue()
        return data


Tree: TypeAlias = Mapping[str, File]
Values: TypeAlias = set[tuple[str, str]]
"""Pairs of a path and a digest."""

files = st.builds(
    File,
    pairs=st.lists(st.integers(0, len(PAIRS) - 1), max_size=3, unique=True).map(tuple),
    indent=st.sampled_from((0, 1, 4)),
    line_end=st.sampled_from(("\n", "\r\n")),
    encoding=st.sampled_from(("utf-8", "utf-16")),
    padding=st.sampled_from((0, 0, 3)),
)
trees = st.dictionaries(st.sampled_from(PATHS), files, max_size=4)
edits = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(PATHS), files),
        st.tuples(
            st.sampled_from(PATHS), st.sampled_from(("delete", "indent", "line ends", "encode", "pad", "reorder"))
        ),
        st.tuples(st.sampled_from(PATHS), st.sampled_from(PATHS), st.sampled_from(("move", "copy", "exchange"))),
    ),
    min_size=1,
    max_size=3,
)
Edit: TypeAlias = "tuple[str, File | str] | tuple[str, str, str]"


def edited(tree: Tree, edit: Edit) -> Tree:
    """The tree after an edit; one of a file that is not there changes nothing."""
    path, what, rest = edit[0], edit[1], edit[2:]
    if isinstance(what, File):
        return {**tree, path: what}
    if path not in tree:
        return tree
    others = {name: file for name, file in tree.items() if name != path}
    file = tree[path]
    match what, rest:
        case "delete", ():
            return others
        case "indent", ():
            return {**tree, path: replace(file, indent=(file.indent + 3) % 8)}
        case "line ends", ():
            return {**tree, path: replace(file, line_end="\r\n" if file.line_end == "\n" else "\n")}
        case "encode", ():
            return {**tree, path: replace(file, encoding="utf-16" if file.encoding == "utf-8" else "utf-8")}
        case "pad", ():
            return {**tree, path: replace(file, padding=file.padding + 1)}
        case "reorder", ():
            return {**tree, path: replace(file, pairs=file.pairs[::-1])}
        case other, ("move",):
            return {**others, other: file}
        case other, ("copy",):
            return {**tree, other: file}
        case other, _:
            return {**others, other: file, **({path: tree[other]} if other in tree else {})}


@dataclass(frozen=True, slots=True)
class Made:
    """A repository in which trees become commits without a work tree."""

    repository: Repository

    def stage(self, tree: Tree) -> None:
        """Make a tree the index."""
        entries = "".join(f"100644 {self._blob(file.content(path))}\t{path}\n" for path, file in tree.items())
        self.repository.git("read-tree", "--empty")
        self._git("update-index", "--add", "--index-info", text=entries.encode())

    def commit(self, parents: Sequence[str]) -> str:
        """Commit the index; the branch stays where it is."""
        options = [word for parent in parents for word in ("-p", parent)]
        return self.repository.git("commit-tree", self.repository.git("write-tree"), *options, "-m", "a commit")

    def start_on(self, parents: Sequence[str]) -> None:
        """Make the next commit have these parents, as a merge in progress where there are several."""
        git = self.repository
        git.path(".git/MERGE_HEAD").unlink(missing_ok=True)
        if parents:
            git.git("update-ref", "refs/heads/main", parents[0])
        else:
            git.run("update-ref", "-d", "refs/heads/main")
        if parents[1:]:
            git.write(".git/MERGE_HEAD", "".join(f"{parent}\n" for parent in parents[1:]))

    def renames_from(self, parent: str) -> dict[str, str]:
        """What git takes for renamed in the index: new path, old path."""
        fields = self.repository.git("diff", "--cached", "-M", "-l2000", "--name-status", "-z", parent).split("\0")
        found, at = {}, 0
        while at + 1 < len(fields):
            if fields[at][0] in "RC":
                found[fields[at + 2]] = fields[at + 1]
            at += 3 if fields[at][0] in "RC" else 2
        return found

    def _blob(self, data: bytes) -> str:
        return self._git("hash-object", "-w", "--stdin", text=data).decode().strip()

    def _git(self, *words: str, text: bytes) -> bytes:
        return subprocess.run(
            ["git", *words], cwd=self.repository.folder, input=text, capture_output=True, check=True
        ).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(Repository.create(tmp_path_factory.mktemp("introduced") / "project"))


@pytest.mark.parametrize(
    ("has_parent", "is_new_path", "is_introduced"),
    [(False, False, True), (False, True, True), (True, True, True), (True, False, False)],
)
def test_a_value_in_a_path_is_introduced_with_the_path(
    made: Made, has_parent: bool, is_new_path: bool, is_introduced: bool
) -> None:
    value = value_of(hmac_account(_RNG), key=True)
    seen = occurrence(value, path=value.sha256)
    in_path = replace(seen, in_path=True)
    version = FileVersion(blob="1" * 40, credentials=(credential(value, occurrences=[in_path]),))
    parents = [FileVersion(blob="2" * 40)] if has_parent else []
    git = Git(str(made.repository.folder))
    assert introduced(git, version, parents, new_path=is_new_path) == ({value.sha256} if is_introduced else set())


def by_hook(made: Made) -> Values:
    """What `staged` takes for introduced by the index."""
    git = Git(str(made.repository.folder), inherit=True)
    found, missing, _ = find_suspects(git, list_staged(git, None).changes)
    credentials, skipped = credentials_in_changes(git, found, lambda _: False)
    assert (missing, skipped) == ([], [])
    return new_values(credentials)


def by_gate(made: Made, commit: str, parents: Sequence[str]) -> Values:
    """What `range` takes for introduced by a commit."""
    git = Git(str(made.repository.folder))
    revisions = RevisionRange(heads=(commit,), bases=tuple(parents))
    selection = CommitSelection(
        revisions=revisions, commits=tuple(list_commits(git, revisions)), target="the commit", policy_base=None
    )
    assert [each.id for each in selection.commits] == [commit]
    return new_values(RangeSource(git=git, anchor=git.top(), selection=selection).read().credentials)


def new_values(credentials: Sequence[Credential]) -> Values:
    return {
        (occurrence.location.path.partition("!/")[0], occurrence.value.sha256)
        for credential in credentials
        for occurrence in credential.occurrences
        if not occurrence.location.preexisting
    }


def plainly(tree: Tree, parents: Sequence[tuple[Tree, Mapping[str, str]]]) -> Values:
    """The values of each file that no parent has in it, given what git takes for renamed since each parent."""
    return {
        (path, digest)
        for path, file in tree.items()
        for digest in file.digests
        if not any(
            digest in parent[old].digests
            for parent, renames in parents
            if (old := path if path in parent else renames.get(path)) is not None
        )
    }


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(trees, max_size=2), start=trees, changes=edits, data=st.data())
def test_hook_gate_and_a_plain_comparison_agree(
    made: Made, before: Sequence[Tree], start: Tree, changes: Sequence[Edit], data: st.DataObject
) -> None:
    """With no parent, with one, and with two; the commit has files of any parent, and some edits."""
    parents = []
    for tree in before:
        made.stage(tree)
        parents.append(made.commit(()))
    tree = start if not before else {}
    for path in sorted({path for old in before for path in old}):
        tree = {**tree, path: data.draw(st.sampled_from([old[path] for old in before if path in old]))}
    for change in changes:
        tree = edited(tree, change)
    made.start_on(parents)
    made.stage(tree)
    expected = plainly(tree, [(old, made.renames_from(parent)) for old, parent in zip(before, parents, strict=True)])
    assert by_hook(made) == expected
    commit = made.commit(parents)
    if commit not in parents:
        assert by_gate(made, commit, list(dict.fromkeys(parents))) == expected
