"""Where in the history of a repository objects stand: paths, the commits that brought them in and took them out, refs.

Works on what a scan of the object database found, so that it costs nothing for commits that do not touch the objects,
sees merges and unreachable commits like all others, and goes on past objects that are missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from binance_leaks.pipeline.history_scan import ObjectScan
from binance_leaks.sources.commits import Ref
from binance_leaks.sources.objects.parse import CommitNode

_MOST_PATHS = 40
"""Paths of one blob that are followed in one tree: a few trees that name each other many times have billions."""

Files: TypeAlias = frozenset[tuple[bytes, bytes]]
"""Pairs of a path and the blob there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stay:
    """The stay of something at a path: the blob and the commit that brought it, the one that took it away again.

    `tip` is the blob there at a tip, None where no branch has it today; `refs` are those whose history holds it.
    """

    path: str
    blob: bytes
    commit: bytes | None
    removed: bytes | None
    tip: bytes | None
    refs: tuple[Ref, ...]


class Lineage:
    """The history of some blobs. `contents` tells of each blob what it holds, whatever that is called."""

    def __init__(self, scan: ObjectScan, contents: Mapping[bytes, frozenset[str]], refs: Iterable[Ref]) -> None:
        self._contents = contents
        self._nodes = scan.held.nodes
        self._refs = list(refs)
        self._named = _named_by(scan, contents)
        self._files: dict[bytes, Files] = {}
        self._order = _parents_first(self._nodes)

    def stays(self, messages: Iterable[bytes] = ()) -> tuple[dict[tuple[str, str], Stay], dict[bytes, tuple[Ref, ...]]]:
        """Every stay, by what stays and its path, and for some commits the refs whose history holds them."""
        gained, lost, dropped = self._changes()
        asked = set(messages)
        sources = {commit for commits in gained.values() for commit, _ in commits} | asked
        sources.update(commit for commits in (*lost.values(), *dropped.values()) for commit in commits)
        masks, bits = self._descent(sources)
        at_tips = self._at_tips()
        found = {}
        held_by: dict[int, tuple[Ref, ...]] = {}  # shared, as a repository may have a hundred thousand refs
        for key, commits in gained.items():
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
            gone: list[bytes] = []
            for taken in (lost, dropped) if tip is None else ():
                gone = gone or [one for one in taken.get(key, ()) if bits[one] & reached or not refs]
            found[key] = Stay(
                path=key[1],
                blob=blob,
                commit=commit,
                removed=max(gone, key=lambda one: (self._nodes[one].time, self._order[one]), default=None),
                tip=tip,
                refs=refs,
            )
        self._add_homeless(found)
        of_messages = {
            commit: tuple(ref for ref in self._refs if masks.get(ref.commit or b"", 0) & bits[commit])
            for commit in asked
        }
        return found, of_messages

    def paths_of(self, blob: bytes) -> list[str]:
        """Some paths at which a blob stands in some commit, the first in order."""
        found: set[bytes] = set()
        for node in self._nodes.values():
            found.update(path for path, held in self._files_of(node.tree) if held == blob)
            if found:
                break
        return sorted(map(os.fsdecode, found))

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
            files[at] = _bounded(found)
            stack.pop()
        return files[tree]

    def _held(self, tree: bytes, known: dict[Files, dict[tuple[str, str], bytes]]) -> dict[tuple[str, str], bytes]:
        """What stands below a tree and where, with the blob that holds it."""
        files = self._files_of(tree)
        held = known.get(files)
        if held is None:
            held = known[files] = {
                (content, os.fsdecode(path)): blob for path, blob in sorted(files) for content in self._contents[blob]
            }
        return held

    def _changes(
        self,
    ) -> tuple[
        dict[tuple[str, str], list[tuple[bytes, bytes]]],
        dict[tuple[str, str], list[bytes]],
        dict[tuple[str, str], list[bytes]],
    ]:
        """The commits that brought something to a path, with the blob; those that took it away; those that dropped it.

        A merge brings in what none of its parents had, takes away what all of them had, and drops what one had.
        """
        gained: dict[tuple[str, str], list[tuple[bytes, bytes]]] = {}
        lost: dict[tuple[str, str], list[bytes]] = {}
        dropped: dict[tuple[str, str], list[bytes]] = {}
        known: dict[Files, dict[tuple[str, str], bytes]] = {}
        nodes, named = self._nodes, self._named
        for commit, node in nodes.items():
            before = [nodes[parent].tree for parent in node.parents if parent in nodes]
            if node.tree not in named and not any(tree in named for tree in before):
                continue
            if before and all(tree == node.tree for tree in before):
                continue
            now = self._held(node.tree, known)
            then = [self._held(tree, known) for tree in before]
            if all(held is now for held in then) and then:
                continue
            for key, blob in now.items():
                if not any(key in held for held in then):
                    gained.setdefault(key, []).append((commit, blob))
            for key in {key for held in then for key in held if key not in now}:
                taken = lost if all(key in held for held in then) else dropped
                taken.setdefault(key, []).append(commit)
        return gained, lost, dropped

    def _descent(self, sources: Iterable[bytes]) -> tuple[dict[bytes, int], dict[bytes, int]]:
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
                found |= self._held(self._nodes[ref.commit].tree, known)
        return found

    def _add_homeless(self, found: dict[tuple[str, str], Stay]) -> None:
        """Stays of what no commit holds: the name in a tree that nothing leads to, or none at all."""
        at_home = {content for content, _ in found}
        names: dict[bytes, bytes] = {}
        for children in self._named.values():
            for name, target in children:
                if target in self._contents:
                    names.setdefault(target, name)
        pointed = {ref.target: ref for ref in self._refs if ref.commit is None}
        for blob, contents in self._contents.items():
            for content in contents - at_home:
                path = os.fsdecode(names[blob]) if blob in names else f"blob:{blob.hex()}"
                ref = pointed.get(blob)
                found[content, path] = Stay(
                    path=path, blob=blob, commit=None, removed=None, tip=None, refs=(ref,) if ref else ()
                )


def _bounded(found: list[tuple[bytes, bytes]]) -> Files:
    """Paths with their blobs, the first few of each blob."""
    if len(found) <= _MOST_PATHS:
        return frozenset(found)
    counts: dict[bytes, int] = {}
    kept = []
    for path, blob in sorted(found):
        counts[blob] = counts.get(blob, 0) + 1
        if counts[blob] <= _MOST_PATHS:
            kept.append((path, blob))
    return frozenset(kept)


def _named_by(scan: ObjectScan, contents: Mapping[bytes, frozenset[str]]) -> dict[bytes, list[tuple[bytes, bytes]]]:
    """For each tree that leads to a sought blob the names that do, with what they name."""
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
    for commit in nodes.keys() - order.keys():  # no hash is its own ancestor, but a forged index may say so
        order[commit] = len(order)
    return order
