"""Provenance in a history: paths of values, commits that introduced or removed, refs.

It works on what a scan of the object database found. So commits that do not touch the objects cost nothing, merges and
unreachable commits are seen like all others, and missing objects do not stop it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.path_bytes import decode_path
from binance_leaks.pipeline.history_scan import ObjectScan
from binance_leaks.sources.commits import Ref

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
        self._graph = scan.objects.graph
        self._refs = list(refs)
        self._tips = [self._graph.number_of(ref.commit) for ref in self._refs]
        self._named = _find_naming_trees(scan, contents)
        self._files: dict[bytes, Files] = {}
        self._paths: dict[bytes, set[str]] = {}
        self._distinct_files: dict[Files, Files] = {}  # most trees have the same ones as others
        self._order = self._graph.parents_first()

    def trace(
        self, messages: Iterable[bytes] = ()
    ) -> tuple[dict[tuple[str, str], Provenance], dict[bytes, tuple[Ref, ...]]]:
        """Return each provenance by digest and path, and the refs that reach `messages`.

        `messages` are the commits with values in their messages.
        """
        introduced, removed, dropped = self._changes()
        wanted = {commit: self._graph.number_of(commit) for commit in messages}
        sources = {number for commits in introduced.values() for number, _ in commits}
        sources.update(number for commits in (*removed.values(), *dropped.values()) for number in commits)
        sources.update(number for number in wanted.values() if number is not None)
        masks, bits = self._sources_reaching(sources)
        place = {
            number: (self._graph.time_of(number), position)
            for position, number in enumerate(self._order)
            if number in sources
        }
        at_tips = self._at_tips()
        found = {}
        held_by: dict[int, tuple[tuple[Ref, ...], int]] = {}  # shared: a repository may have a hundred thousand refs
        for key, commits in introduced.items():
            holding = 0
            for number, _ in commits:
                holding |= bits[number]
            if holding not in held_by:
                held_by[holding] = self._reaching(holding, masks)
            refs, reached = held_by[holding]
            first, blob = min(commits, key=lambda one: (not bits[one[0]] & reached, place[one[0]]))
            tip_blob = at_tips.get(key)
            candidates: list[int] = []
            for commits_of_kind in (removed, dropped) if tip_blob is None else ():
                candidates = candidates or [
                    one for one in commits_of_kind.get(key, ()) if bits[one] & reached or not refs
                ]
            last = max(candidates, key=place.__getitem__, default=None)
            found[key] = Provenance(
                path=key[1],
                blob=blob,
                commit=self._graph.id_of(first),
                removed=None if last is None else self._graph.id_of(last),
                tip=tip_blob,
                refs=refs,
            )
        self._add_unreferenced(found)
        of_messages = {
            commit: () if number is None else self._reaching(bits[number], masks)[0]
            for commit, number in wanted.items()
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
                path = decode_path(name)
                self._paths.setdefault(blob, set()).add(path)
                held.update(((content, path), blob) for content in self._contents[blob])
        return held

    def _changes(
        self,
    ) -> tuple[
        dict[tuple[str, str], list[tuple[int, bytes]]],
        dict[tuple[str, str], list[int]],
        dict[tuple[str, str], list[int]],
    ]:
        """The commits that introduced a value at a path, with the blob; those that removed it; those that dropped it.

        A merge introduces what no parent has, removes what all parents have, and drops what only some have.
        """
        introduced: dict[tuple[str, str], list[tuple[int, bytes]]] = {}
        removed: dict[tuple[str, str], list[int]] = {}
        dropped: dict[tuple[str, str], list[int]] = {}
        known: dict[Files, dict[tuple[str, str], bytes]] = {}
        named, tree_of, parents_of = self._named, self._graph.tree_of, self._graph.parents_of
        for commit in self._graph.numbers():
            tree = tree_of(commit)
            before = [tree_of(parent) for parent in parents_of(commit)]
            if tree not in named and not any(other in named for other in before):
                continue
            if before and all(other == tree for other in before):
                continue
            now = self._contents_below(tree, known)
            then = [self._contents_below(other, known) for other in before]
            if all(held is now for held in then) and then:
                continue
            for key, blob in now.items():
                if not any(key in held for held in then):
                    introduced.setdefault(key, []).append((commit, blob))
            for key in {key for held in then for key in held if key not in now}:
                commits_of_kind = removed if all(key in held for held in then) else dropped
                commits_of_kind.setdefault(key, []).append(commit)
        return introduced, removed, dropped

    def _sources_reaching(self, sources: Iterable[int]) -> tuple[dict[int, int], dict[int, int]]:
        """For each tip the sources among its ancestors, as bits, and the bit of each source."""
        bits = {commit: 1 << place for place, commit in enumerate(sorted(sources))}
        if not bits:
            return {}, bits
        masks = [0] * len(self._graph)
        for commit in self._order:
            mask = bits.get(commit, 0)
            for parent in self._graph.parents_of(commit):
                other = masks[parent]
                mask = other if not mask else mask if other == mask else mask | other  # one object along a line
            masks[commit] = mask
        return {tip: masks[tip] for tip in self._tips if tip is not None}, bits

    def _reaching(self, holding: int, masks: Mapping[int, int]) -> tuple[tuple[Ref, ...], int]:
        """The refs whose history has one of these sources, and all sources that they reach."""
        reached = 0
        for mask in masks.values():
            reached |= mask if mask & holding else 0
        tips = zip(self._refs, self._tips, strict=True)
        return tuple(ref for ref, tip in tips if tip is not None and masks.get(tip, 0) & holding), reached

    def _at_tips(self) -> dict[tuple[str, str], bytes]:
        known: dict[Files, dict[tuple[str, str], bytes]] = {}
        found: dict[tuple[str, str], bytes] = {}
        for ref, tip in reversed(list(zip(self._refs, self._tips, strict=True))):  # that of the first ref counts
            if ref.is_tip and tip is not None:
                found |= self._contents_below(self._graph.tree_of(tip), known)
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
                path = decode_path(names[blob]) if blob in names else f"blob:{blob.hex()}"
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
