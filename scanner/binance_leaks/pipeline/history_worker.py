"""Tasks on git objects for worker processes: filter, detect, search trees."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from binance_leaks.detect.first_test import MARGIN, must_look, new_search
from binance_leaks.detect.signatures import strip_signature
from binance_leaks.findings import NOT_READABLE, Skipped
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.model import Credential
from binance_leaks.native import compiled
from binance_leaks.sources.git import Git
from binance_leaks.sources.git_objects import BlobStream
from binance_leaks.sources.objects.codec import best_codec
from binance_leaks.sources.objects.delta_forest import DeltaForest, ObjectType
from binance_leaks.sources.objects.pack import LARGEST, Pack
from binance_leaks.sources.objects.parse import CommitNode, parse_commit_node
from binance_leaks.sources.objects.tree_index import Link, ObjectIdSet, ObjectRef, TreeFindings, open_tree_index
from binance_leaks.sources.objects.walk import (
    ContextSizes,
    EntrySelection,
    WalkResult,
    walk_delta_trees,
    walk_messages,
)
from binance_leaks.sources.pictures.settings import are_read
from binance_leaks.sources.read_content import WHOLE_LIMIT

if TYPE_CHECKING:
    from binance_leaks.pipeline.object_detection import ObjectDetection

_BATCH = 64 << 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What all workers share: packs with delta forests and selections, the git folder.

    git reads the rest in that folder.
    """

    packs: Sequence[Pack]
    forests: Sequence[DeltaForest]
    selections: Sequence[EntrySelection | None]
    known: ObjectIdSet
    id_size: int
    folder: str


class PackShare(NamedTuple):
    """A share of the delta trees of one type in one pack."""

    pack: int
    kind: ObjectType
    roots: array[int]


class GitShare(NamedTuple):
    """Objects to read through git.

    With `trees` they are searched; without, they are scanned.
    """

    ids: list[bytes]
    trees: bool = False


class StartTreeSearch(NamedTuple):
    """Search trees for these objects from now on, and index the subtrees of each.

    Stop that if there are none.
    """

    ids: list[bytes]


class FindParentTrees(NamedTuple):
    """Find the searched trees that name one of these trees."""

    ids: list[bytes]


Task: TypeAlias = PackShare | GitShare | StartTreeSearch | FindParentTrees


class Hit(NamedTuple):
    """An object with credentials: digests of their values, and the credentials.

    Without these if an earlier hit has the same.
    """

    ref: ObjectRef
    kind: str
    digests: frozenset[str]
    credentials: tuple[Credential, ...]


@dataclass(kw_only=True, slots=True)
class TaskResult:
    """The result of a task."""

    objects: int = 0
    blobs: int = 0
    size: int = 0
    hits: list[Hit] = field(default_factory=list)
    nodes: list[tuple[ObjectRef, CommitNode]] = field(default_factory=list)
    trees: TreeFindings = field(default_factory=TreeFindings)
    links: list[Link] = field(default_factory=list)
    """Trees that name others."""
    deferred: list[ObjectRef] = field(default_factory=list)
    forged: list[ObjectRef] = field(default_factory=list)
    tree_names: list[bytes] = field(default_factory=list)
    """Trees that were met among other objects, and have to be searched yet."""
    skipped: list[Skipped] = field(default_factory=list)
    unread: list[tuple[ObjectRef, str, Skipped]] = field(default_factory=list)
    damaged: set[bytes] = field(default_factory=set)
    missing: set[bytes] = field(default_factory=set)
    pointers: list[tuple[ObjectRef, str]] = field(default_factory=list)
    """Pointers of Git LFS, with the ids of their files."""


class ObjectWorker:
    """A worker that scans objects and searches trees, one task after the other."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._codec = best_codec()
        self.search = None if compiled is None else new_search(pictures=are_read())
        self._git = Git(plan.folder)
        self._trees = open_tree_index(plan.id_size, plan.known, ())

    def work(self, task: Task) -> TaskResult:
        """Do one task."""
        match task:
            case PackShare():
                return self._scan_pack_share(task)
            case GitShare():
                return self._scan_git_share(task)
            case StartTreeSearch():
                if compiled is not None:
                    compiled.trim()
                self._trees = open_tree_index(self._plan.id_size, self._plan.known, task.ids)
                return TaskResult()
            case FindParentTrees():
                return TaskResult(links=self._trees.above(task.ids))

    def _scan_pack_share(self, task: PackShare) -> TaskResult:
        result = TaskResult()
        pack, forest = self._plan.packs[task.pack], self._plan.forests[task.pack]
        if task.kind is ObjectType.TREE:
            walked = self._trees.read_share(task.pack, pack, forest, task.roots, self._codec)
            result.trees = self._trees.take()
        else:
            walked = self._scan_contents(task, result)
            result.objects += walked.objects
            result.size += walked.size
        if task.kind is ObjectType.BLOB:
            result.blobs += walked.objects
        result.deferred += [(task.pack, entry) for entry in walked.left]
        result.forged += [(task.pack, entry) for entry in walked.forged]
        return result

    def _scan_contents(self, task: PackShare, result: TaskResult) -> WalkResult:
        pack, forest = self._plan.packs[task.pack], self._plan.forests[task.pack]
        selection = self._plan.selections[task.pack]
        if task.kind is ObjectType.BLOB:
            blobs = _Blobs(self, task.pack, result)
            return walk_delta_trees(pack, forest, task.roots, blobs, self._codec, selection)
        messages = _Messages(self, task.pack, result, task.kind)
        walked = walk_messages(pack, forest, task.roots, messages, self._codec, selection)
        messages.flush()
        return walked

    def _scan_git_share(self, task: GitShare) -> TaskResult:
        """Read objects through git."""
        result = TaskResult()
        damaged: list[str] = []
        with self._git.blobs((name.hex() for name in task.ids), damaged) as blobs:
            for name, stream in blobs:
                if stream is None:
                    result.missing.add(bytes.fromhex(name))
                else:
                    self._scan_git_object(bytes.fromhex(name), stream, result, trees=task.trees)
        result.skipped += [Skipped(what=f"object {name}", why=NOT_READABLE) for name in dict.fromkeys(damaged)]
        result.damaged.update(map(bytes.fromhex, damaged))
        if task.trees:
            result.trees = self._trees.take()
        return result

    def _scan_git_object(self, name: bytes, stream: BlobStream, result: TaskResult, *, trees: bool) -> None:
        size = stream.size
        if stream.kind == "tree" and not trees:
            result.tree_names.append(name)
            return
        if stream.kind == "blob":
            self._scan_git_blob(name, stream, result)
            result.blobs += 1
        elif size > LARGEST:
            result.skipped.append(Skipped(what=f"{stream.kind} {name.hex()}", why="it is larger than any should be"))
            return
        else:
            content = stream.read()
            if stream.is_short:
                return
            if stream.kind == "tree":
                self._trees.read(name, content)
                return
            if self._must_look(strip_signature(content)):
                self.detection.message(name, stream.kind, content, result)
            if stream.kind == "commit" and (node := parse_commit_node(content, self._plan.id_size)) is not None:
                result.nodes.append((name, node))
        result.objects += 1
        result.size += size

    def _scan_git_blob(self, name: bytes, stream: BlobStream, result: TaskResult) -> None:
        if stream.size > WHOLE_LIMIT:
            self.detection.stream(name, stream, result)
            return
        content = stream.read()
        if self._must_look(content) or (compiled is not None and compiled.may_be_container(content)):
            self.detection.blob(name, content, result)

    def _must_look(self, content: bytes) -> bool:
        return self.search is None or must_look(0, self.search.traits(content))

    @cached_property
    def detection(self) -> ObjectDetection:
        """What looks closely, imported when something deserves it: most histories are clean."""
        from binance_leaks.pipeline.object_detection import ObjectDetection  # start-up: as said

        return ObjectDetection(self.search)


class _Blobs:
    def __init__(self, worker: ObjectWorker, pack: int, result: TaskResult) -> None:
        self.around = None if worker.search is None else ContextSizes(MARGIN, MARGIN)
        self.search = worker.search
        self._worker = worker
        self._pack = pack
        self._result = result

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:
        return self._worker.detection.version((self._pack, entry), content, fresh, inherited, seen, self._result)


class _Messages:
    """Scan commits and tags: many small texts, filtered in batches."""

    def __init__(self, worker: ObjectWorker, pack: int, result: TaskResult, kind: ObjectType) -> None:
        self.search = worker.search
        self._worker = worker
        self._pack = pack
        self._result = result
        self._kind = kind.name.lower()
        self._batch: list[tuple[int, bytes]] = []
        self._size = 0

    def add_node(self, entry: int, node: CommitNode) -> None:
        self._result.nodes.append(((self._pack, entry), node))

    def visit_message(self, entry: int, content: bytes) -> None:
        self._batch.append((entry, content))
        self._size += len(content)
        if self._size > _BATCH:
            self.flush()

    def flush(self) -> None:
        """Scan the batch."""
        if self._batch:
            self._worker.detection.messages(self._pack, self._kind, self._batch, self._result)
        self._batch, self._size = [], 0
