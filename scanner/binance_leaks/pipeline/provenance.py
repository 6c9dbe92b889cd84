"""Provenance in a history: paths of values, commits that introduced or removed, refs.

It works on what a scan of the object database found. So commits that do not touch the objects cost nothing, merges and
unreachable commits are seen like all others, and missing objects do not stop it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.pipeline.history_scan import ObjectScan
from binance_leaks.sources.commits import Ref
from binance_leaks.sources.objects.parse import CommitNode

_MAX_PATHS = 40
"""Paths followed for each blob in one tree: a few trees that name each other many times have billions of paths."""

Files: TypeAlias = frozenset[tuple[bytes, bytes]]
"""Pairs of a path and the blob there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Where a value at a path comes from, and what became of it."""

    path: str
    blob: bytes
    """The version of the file that introduced it."""
    commit: bytes | None
    """The commit that introduced it."""
    removed: bytes | None
    """The commit that removed it, if it did not come back."""
    tip: bytes | None
    """The version at a tip, None where no branch has it today."""
    refs: tuple[Ref, ...]
    """The refs whose history has it."""


class HistoryTracer:
    """A tracer of values through the history.

    `contents` has the digests of the values in each blob.
    """

    def __init__(self, scan: ObjectScan, contents: Mapping[bytes, frozenset[str]], refs: Iterable[Ref]) -> None:
        self._contents = contents
        self._nodes = scan.objects.nodes
        self._refs = list(refs)
        self._named = _find_naming_trees(scan, contents)
        self._files: dict[bytes, Files] = {}
        self._paths: dict[bytes, set[str]] = {}
        self._distinct_files: dict[Files, Files] = {}  # most trees have the same ones as others
        self._order = _parents_first(self._nodes)

    def trace(
        self, messages: Iterable[bytes] = ()
    ) -> tuple[dict[tuple[str, str], Provenance], dict[bytes, tuple[Ref, ...]]]:
        """Return each provenance by digest and path, and the refs that reach `messages`.

        `messages` are the commits with values in their messages.
        """
        introduced, removed, dropped = self._changes()
        wanted = set(messages)
        sources = {commit for commits in introduced.values() for commit, _ in commits} | wanted
        sources.update(commit for commits in (*removed.values(), *dropped.values()) for commit in commits)
        masks, bits = self._sources_reaching(sources)
        at_tips = self._at_tips()
        found = {}
        held_by: dict[int, tuple[Ref, ...]] = {}  # shared, as a repository may have a hundred thousand refs
        for key, commits in introduced.items():
            holding = 0
            for commit, _ in commits:
                holding |= bits[commit]
            refs = held_by.get(holding)
            if refs is None:
                refs = held_by[holding] = tuple(ref for ref in self._refs if masks.get(ref.commit or b"", 0) & holding)
            reached = 0
            for ref in refs:
                reached |= masks[ref.commit or b""]
            commit, blob = min(
                commits, key=lambda one: (not bits[one[0]] & reached, self._nodes[one[0]].time, self._order[one[0]])
            )
            tip = at_tips.get(key)
            candidates: list[bytes] = []
            for commits_of_kind in (removed, dropped) if tip is None else ():
                candidates = candidates or [
                    one for one in commits_of_kind.get(key, ()) if bits[one] & reached or not refs
                ]
            found[key] = Provenance(
                path=key[1],
                blob=blob,
                commit=commit,
                removed=max(candidates, key=lambda one: (self._nodes[one].time, self._order[one]), default=None),
                tip=tip,
                refs=refs,
            )
        self._add_unreferenced(found)
        of_messages = {
            commit: tuple(ref for ref in self._refs if masks.get(ref.commit or b"", 0) & bits[commit])
            for commit in wanted
        }
        return found, of_messages

    def paths_of(self, blob: bytes) -> list[str]:
        """Paths of a blob in all commits that were traced, sorted."""
        return sorted(self._paths.get(blob, ()))

    def _files_of(self, tree: bytes) -> Files:
        return self._files.get(tree) or self._expand(tree)

    def _expand(self, tree: bytes) -> Files:
        """The sought blobs below a tree, with their paths. Without recursion: a hostile tree may be very deep."""
        named, files = self._named, self._files
        stack = [tree]
        while stack:
            at = stack[-1]
            if at in files:
                stack.pop()
                continue
            children = named.get(at, ())
            waiting = [target for _, target in children if target in named and target not in files]
            if waiting and len(stack) < 10_000:
                files.setdefault(b"", frozenset())
                stack += waiting
                continue
            found: list[tuple[bytes, bytes]] = []
            for name, target in children:
                if target in self._contents:
                    found.append((name, target))
                found += [(name + b"/" + path, blob) for path, blob in files.get(target, ())]
            distinct = _limit_paths(found)
            files[at] = self._distinct_files.setdefault(distinct, distinct)
            stack.pop()
        return files[tree]

    def _contents_below(
        self, tree: bytes, known: dict[Files, dict[tuple[str, str], bytes]]
    ) -> dict[tuple[str, str], bytes]:
        """The blobs below a tree by the digests in them and their paths."""
        files = self._files_of(tree)
        held = known.get(files)
        if held is None:
            held = known[files] = {}
            for name, blob in sorted(files):
                path = os.fsdecode(name)
                self._paths.setdefault(blob, set()).add(path)
                held.update(((content, path), blob) for content in self._contents[blob])
        return held

    def _changes(
        self,
    ) -> tuple[
        dict[tuple[str, str], list[tuple[bytes, bytes]]],
        dict[tuple[str, str], list[bytes]],
        dict[tuple[str, str], list[bytes]],
    ]:
        """The commits that introduced a value at a path, with the blob; those that removed it; those that dropped it.

        A merge introduces what no parent has, removes what all parents have, and drops what only some have.
        """
        introduced: dict[tuple[str, str], list[tuple[bytes, bytes]]] = {}
        removed: dict[tuple[str, str], list[bytes]] = {}
        dropped: dict[tuple[str, str], list[bytes]] = {}
        known: dict[Files, dict[tuple[str, str], bytes]] = {}
        nodes, named = self._nodes, self._named
        for commit, node in nodes.items():
            before = [nodes[parent].tree for parent in node.parents if parent in nodes]
            if node.tree not in named and not any(tree in named for tree in before):
                continue
            if before and all(tree == node.tree for tree in before):
                continue
            now = self._contents_below(node.tree, known)
            then = [self._contents_below(tree, known) for tree in before]
            if all(held is now for held in then) and then:
                continue
            for key, blob in now.items():
                if not any(key in held for held in then):
                    introduced.setdefault(key, []).append((commit, blob))
            for key in {key for held in then for key in held if key not in now}:
                commits_of_kind = removed if all(key in held for held in then) else dropped
                commits_of_kind.setdefault(key, []).append(commit)
        return introduced, removed, dropped

    def _sources_reaching(self, sources: Iterable[bytes]) -> tuple[dict[bytes, int], dict[bytes, int]]:
        """For each commit the sources among its ancestors, as bits, and the bit of each source."""
        bits = {commit: 1 << number for number, commit in enumerate(sorted(sources))}
        masks: dict[bytes, int] = {}
        if not bits:
            return masks, bits
        for commit in self._order:
            mask = bits.get(commit, 0)
            for parent in self._nodes[commit].parents:
                mask |= masks.get(parent, 0)
            if mask:
                masks[commit] = mask
        return masks, bits

    def _at_tips(self) -> dict[tuple[str, str], bytes]:
        known: dict[Files, dict[tuple[str, str], bytes]] = {}
        found: dict[tuple[str, str], bytes] = {}
        for ref in self._refs:
            if ref.is_tip and ref.commit in self._nodes:
                found |= self._contents_below(self._nodes[ref.commit].tree, known)
        return found

    def _add_unreferenced(self, found: dict[tuple[str, str], Provenance]) -> None:
        """Add values that are in no commit, under the name in a dangling tree, or else under the blob id."""
        with_path = {content for content, _ in found}
        names: dict[bytes, bytes] = {}
        for children in self._named.values():
            for name, target in children:
                if target in self._contents:
                    names.setdefault(target, name)
        pointed = {ref.target: ref for ref in self._refs if ref.commit is None}
        for blob, contents in self._contents.items():
            for content in contents - with_path:
                path = os.fsdecode(names[blob]) if blob in names else f"blob:{blob.hex()}"
                ref = pointed.get(blob)
                found[content, path] = Provenance(
                    path=path, blob=blob, commit=None, removed=None, tip=None, refs=(ref,) if ref else ()
                )


def _limit_paths(found: list[tuple[bytes, bytes]]) -> Files:
    """Paths with their blobs, the first few of each blob."""
    if len(found) <= _MAX_PATHS:
        return frozenset(found)
    counts: dict[bytes, int] = {}
    kept = []
    for path, blob in sorted(found):
        counts[blob] = counts.get(blob, 0) + 1
        if counts[blob] <= _MAX_PATHS:
            kept.append((path, blob))
    return frozenset(kept)


def _find_naming_trees(
    scan: ObjectScan, contents: Mapping[bytes, frozenset[str]]
) -> dict[bytes, list[tuple[bytes, bytes]]]:
    """For each tree that leads to a sought blob its entries that do: names with their targets."""
    named: dict[bytes, list[tuple[bytes, bytes]]] = {}
    level: set[bytes] = set()
    for tree, name, target in scan.link(contents):
        named.setdefault(tree, []).append((name, target))
        level.add(tree)
    while level:
        above: set[bytes] = set()
        for tree, name, target in scan.above(level):
            if tree not in named:
                above.add(tree)
            named.setdefault(tree, []).append((name, target))
        level = above
    return named


def _parents_first(nodes: Mapping[bytes, CommitNode]) -> dict[bytes, int]:
    """A number for each commit, greater than those of its parents."""
    children: dict[bytes, list[bytes]] = {}
    waiting: dict[bytes, int] = {}
    ready: list[bytes] = []
    for commit, node in nodes.items():
        count = 0
        for parent in node.parents:
            if parent in nodes:
                children.setdefault(parent, []).append(commit)
                count += 1
        if count:
            waiting[commit] = count
        else:
            ready.append(commit)
    order: dict[bytes, int] = {}
    while ready:
        commit = ready.pop()
        order[commit] = len(order)
        for child in children.get(commit, ()):
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    for commit in nodes.keys() - order.keys():  # no commit is its own ancestor, but a forged index may claim it
        order[commit] = len(order)
    return order
