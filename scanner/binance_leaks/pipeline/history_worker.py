"""The work on git's objects that is done in several processes: sieve, detect, search trees."""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice, starmap
from typing import NamedTuple, TypeAlias

from binance_leaks.detect import prefilter
from binance_leaks.detect.engine import detect
from binance_leaks.detect.sieve import NO_TRAITS, Sieve, Trait, best_sieve
from binance_leaks.detect.vocabulary import EVIDENCE_STEMS
from binance_leaks.errors import GitError
from binance_leaks.findings import Skipped
from binance_leaks.model import Credential
from binance_leaks.pipeline.files import credentials_in, credentials_in_object
from binance_leaks.sources.archive_kind import archive_kind
from binance_leaks.sources.chunk import Chunk
from binance_leaks.sources.git import BlobStream, Git
from binance_leaks.sources.objects.codec import best_codec
from binance_leaks.sources.objects.delta_diff import SEPARATOR, ContextSizes
from binance_leaks.sources.objects.delta_forest import DeltaForest, ObjectType
from binance_leaks.sources.objects.pack import Pack
from binance_leaks.sources.objects.parse import CommitNode, parse_commit_node, strip_signature
from binance_leaks.sources.objects.read_object import LARGEST
from binance_leaks.sources.objects.tree_index import (
    ObjectIdSet,
    TreeIndex,
    TreeReferences,
    compile_id_search,
    find_entries,
)
from binance_leaks.sources.objects.walk import EntrySelection, WalkResult, walk_delta_trees
from binance_leaks.sources.read_content import WHOLE_LIMIT, read_stream

Ref: TypeAlias = tuple[int, int] | bytes
"""An object: the number of a pack with that of an entry in it, or an object id."""

_BATCH = 64 << 10
_MOST_REPEATS = 100_000
_MOST_RUNS = 200
_AROUND = 250
_HEADER = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What all processes share: the packs with their forests and selections, and where git is asked for the rest."""

    packs: Sequence[Pack]
    forests: Sequence[DeltaForest]
    selections: Sequence[EntrySelection | None]
    known: ObjectIdSet
    id_size: int
    folder: str


class Packed(NamedTuple):
    """A share of the delta trees of one type in one pack."""

    pack: int
    kind: ObjectType
    roots: array[int]


class ByGit(NamedTuple):
    """Objects that git reads; `trees` are for the search, all else is for the scan."""

    ids: list[bytes]
    trees: bool = False


class Search(NamedTuple):
    """From now on trees are searched for these objects, and their folders remembered, if there are any."""

    ids: list[bytes]


class Above(NamedTuple):
    """Which of the trees that were searched name one of these trees?"""

    ids: list[bytes]


Task: TypeAlias = Packed | ByGit | Search | Above


class Hit(NamedTuple):
    """An object that holds credentials: the digests of their values, and they themselves unless much repeated."""

    ref: Ref
    kind: str
    digests: frozenset[str]
    credentials: tuple[Credential, ...]


class Link(NamedTuple):
    """A tree that names an object."""

    tree: Ref
    name: bytes
    target: bytes


@dataclass(kw_only=True, slots=True)
class Seen:
    """What came of a task."""

    objects: int = 0
    blobs: int = 0
    size: int = 0
    hits: list[Hit] = field(default_factory=list)
    nodes: list[tuple[Ref, CommitNode]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    left: list[Ref] = field(default_factory=list)
    forged: list[Ref] = field(default_factory=list)
    trees: list[bytes] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unread: list[tuple[Ref, Skipped]] = field(default_factory=list)
    damaged: set[bytes] = field(default_factory=set)
    missing: set[bytes] = field(default_factory=set)


class ObjectWorker:
    """Scans objects and searches trees, one share after the other."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._codec = best_codec()
        self._sieve = best_sieve()
        self._git = Git(plan.folder)
        self._links: TreeIndex[Ref] = TreeIndex(plan.id_size)
        self._named = TreeReferences(plan.id_size)
        self._search: Callable[[bytes], list[int]] | None = None
        self._repeats: dict[bytes, frozenset[str]] = {}

    def work(self, task: Task) -> Seen:
        """Does one task."""
        match task:
            case Packed():
                return self._packed(task)
            case ByGit():
                return self._by_git(task)
            case Search():
                self._search = compile_id_search(task.ids) if task.ids else None
                return Seen()
            case Above():
                return Seen(links=list(starmap(Link, self._links.above(task.ids))))

    def _packed(self, task: Packed) -> Seen:
        seen = Seen()
        visitor: _Blobs | _Messages | _Trees
        match task.kind:
            case ObjectType.BLOB:
                visitor = _Blobs(self, task.pack, seen)
            case ObjectType.TREE:
                visitor = _Trees(self, task.pack, seen)
            case _:
                visitor = _Messages(self, task.pack, seen, task.kind)
        selection = self._plan.selections[task.pack] if task.kind is not ObjectType.TREE else None
        pack, forest = self._plan.packs[task.pack], self._plan.forests[task.pack]
        walked: WalkResult = walk_delta_trees(pack, forest, task.roots, visitor, self._codec, selection)
        if isinstance(visitor, _Messages):
            visitor.flush()
        if task.kind is not ObjectType.TREE:
            seen.objects += walked.objects
            seen.size += walked.size
        if task.kind is ObjectType.BLOB:
            seen.blobs += walked.objects
        seen.left += [(task.pack, entry) for entry in walked.left]
        seen.forged += [(task.pack, entry) for entry in walked.forged]
        return seen

    def _by_git(self, task: ByGit) -> Seen:
        """Reads objects through git, and goes on behind one that makes it stop."""
        seen = Seen()
        names = [name.hex() for name in task.ids]
        at = 0
        while at < len(names):
            try:
                with self._git.blobs(names[at:]) as blobs:
                    for name, stream in blobs:
                        if stream is None:
                            seen.missing.add(bytes.fromhex(name))
                        else:
                            self._object(bytes.fromhex(name), stream, seen, trees=task.trees)
                        at += 1
            except GitError:  # noqa: PERF203 - goes on behind what makes git stop
                if at < len(names):
                    seen.skipped.append(Skipped(what=f"object {names[at]}", why="it is damaged"))
                    seen.damaged.add(bytes.fromhex(names[at]))
                at += 1
        return seen

    def _object(self, name: bytes, stream: BlobStream, seen: Seen, *, trees: bool) -> None:
        size = stream.size
        if stream.kind == "tree" and not trees:
            seen.trees.append(name)
            return
        if stream.kind == "blob":
            self._streamed(name, stream, seen)
            seen.blobs += 1
        elif size > LARGEST:
            seen.skipped.append(Skipped(what=f"{stream.kind} {name.hex()}", why="it is larger than any should be"))
            return
        else:
            content = stream.read()
            if len(content) != size:
                raise GitError("git stopped")
            if stream.kind == "tree":
                self.tree(name, content, content, seen)
                return
            self.message(name, stream.kind, content, seen)
            if stream.kind == "commit" and (node := parse_commit_node(content, self._plan.id_size)) is not None:
                seen.nodes.append((name, node))
        seen.objects += 1
        seen.size += size

    def _streamed(self, name: bytes, stream: BlobStream, seen: Seen) -> None:
        if stream.size <= WHOLE_LIMIT:
            content = stream.read()
            if len(content) != stream.size:
                raise GitError("git stopped")
            self.blob(name, content, self._sieve.traits(content, content, NO_TRAITS), seen)
            return
        self._keep(name, "blob", _stream_credentials(stream, name, seen, self._sieve), seen)

    def blob(self, ref: Ref, content: bytes, traits: Trait, seen: Seen) -> None:
        """Looks for credentials in a blob with these traits."""
        if archive_kind(content) is not None:
            self._keep(ref, "blob", _stream_credentials(io.BytesIO(content), ref, seen, self._sieve), seen)
        elif traits and self._sieve.suspects(content, traits):
            key = _repeated(content, traits) if self._sieve.is_of_runs(content, traits) else b""
            digests = self._repeats.get(key) if key else None
            if digests is not None:
                seen.hits += [Hit(ref, "blob", digests, ())] if digests else []
                return
            found = self._keep(ref, "blob", detect(content), seen)
            if key and len(self._repeats) < _MOST_REPEATS:
                self._repeats[key] = found

    def message(self, ref: Ref, kind: str, content: bytes, seen: Seen) -> None:
        """Looks for credentials in a commit or tag."""
        self._keep(ref, kind, credentials_in_object(content), seen)

    def tree(self, ref: Ref, content: bytes, fresh: bytes, seen: Seen) -> None:
        """Looks whether the objects are there that a tree newly names; searches it, and remembers its folders."""
        seen.missing.update(self._plan.known.unknown(self._named.of(fresh)))
        if self._search is not None:
            if ends := self._search(content):
                seen.links += [
                    Link(ref, name, target) for name, target in find_entries(content, ends, self._plan.id_size)
                ]
            self._links.add(ref, content)

    @property
    def sieve(self) -> Sieve:
        """What is asked first."""
        return self._sieve

    @property
    def id_size(self) -> int:
        """Bytes of an object id."""
        return self._plan.id_size

    def _keep(self, ref: Ref, kind: str, credentials: Sequence[Credential], seen: Seen) -> frozenset[str]:
        digests = frozenset(value.sha256 for credential in credentials for value in credential.values)
        if digests:
            kept = tuple(credential.without_secrets() for credential in credentials)
            seen.hits.append(Hit(ref, kind, digests, kept))
        return digests


class _Blobs:
    def __init__(self, worker: ObjectWorker, pack: int, seen: Seen) -> None:
        margin = worker.sieve.margin
        self.around = None if margin is None else ContextSizes(margin, margin, worth=10)
        self._worker = worker
        self._traits = worker.sieve.traits
        self._pack = pack
        self._seen = seen

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int) -> int:
        traits = self._traits(content, fresh, Trait(inherited))
        if traits or archive_kind(content) is not None:
            self._worker.blob((self._pack, entry), content, traits, self._seen)
        return traits


class _Messages:
    """Commits and tags: many small texts, sieved in batches."""

    around = None

    def __init__(self, worker: ObjectWorker, pack: int, seen: Seen, kind: ObjectType) -> None:
        self._worker = worker
        self._pack = pack
        self._seen = seen
        self._kind = kind.name.lower()
        self._is_commit = kind is ObjectType.COMMIT
        self._batch: list[tuple[int, bytes]] = []
        self._texts: list[bytes] = []
        self._size = 0

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int) -> int:  # noqa: ARG002 - looks at the whole
        if self._is_commit:
            node = parse_commit_node(content, self._worker.id_size)
            if node is not None:
                self._seen.nodes.append(((self._pack, entry), node))
        self._batch.append((entry, content))
        self._texts.append(strip_signature(content))
        self._size += len(content)
        if self._size > _BATCH:
            self.flush()
        return 0

    def flush(self) -> None:
        """Looks at what was gathered."""
        text = SEPARATOR.join(self._texts)
        sieve = self._worker.sieve
        if sieve.suspects(text, sieve.traits(text, text, NO_TRAITS)):
            for entry, content in self._batch:
                self._worker.message((self._pack, entry), self._kind, content, self._seen)
        self._batch, self._texts, self._size = [], [], 0


class _Trees:
    around = ContextSizes(64, 20, worth=1)  # an entry with a name as long as most are, and a changed end of its id

    def __init__(self, worker: ObjectWorker, pack: int, seen: Seen) -> None:
        self._look = worker.tree
        self._pack = pack
        self._seen = seen

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int) -> int:  # noqa: ARG002 - nothing to inherit
        self._look((self._pack, entry), content, fresh, self._seen)
        return 0


def _repeated(content: bytes, traits: Trait) -> bytes:
    """A digest of all that may be a value, with its line and the one above it, which mostly name it.

    By it a version of a file is known to hold the same as another. Empty where there is too much of it or none.
    """
    runs = list(islice(prefilter.long_runs(prefilter.classified(content)), _MOST_RUNS))
    if not 0 < len(runs) < _MOST_RUNS:
        return b""
    lower = content.lower()
    words = bytes(word in lower for word in EVIDENCE_STEMS)
    header = content[:_HEADER] if Trait.HEX in traits else b""  # names of columns, without which such a run is nothing
    digest = sha256(b"%d " % traits + words + header)
    for start, end in runs:
        first = content.rfind(b"\n", max(0, start - _AROUND), start)
        first = content.rfind(b"\n", max(0, start - _AROUND), max(0, first))
        last = content.find(b"\n", end, end + _AROUND)
        around = content[max(0, start - _AROUND) if first < 0 else first : end + _AROUND if last < 0 else last]
        digest.update(len(around).to_bytes(4, "big") + around)
    return digest.digest()


def _stream_credentials(stream: BlobStream | io.BytesIO, ref: Ref, seen: Seen, sieve: Sieve) -> tuple[Credential, ...]:
    found: list[Credential] = []
    for chunk in _chunks(stream):
        if isinstance(chunk, Skipped):
            seen.unread.append((ref, chunk))
        elif sieve.suspects(chunk.data, sieve.traits(chunk.data, chunk.data, NO_TRAITS)):
            found += credentials_in(chunk)
    return tuple(found)


def _chunks(stream: BlobStream | io.BytesIO) -> Iterator[Chunk | Skipped]:
    return read_stream("", "", stream, size=stream.size if isinstance(stream, BlobStream) else None)
