"""Follows values through the commits of a range: what came in with which of them, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from binance_leaks.detect.correlate import credential_of, merged
from binance_leaks.errors import GitError
from binance_leaks.model import Commit, Credential, Exposure, Occurrence
from binance_leaks.pipeline.files import credentials_in_object
from binance_leaks.pipeline.versions import Version, Versions
from binance_leaks.sources.commit_selection import CommitSelection
from binance_leaks.sources.commits import CommitChange, ListedCommit, blobs_at, find_renames, list_parent_differences
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import NewLines
from binance_leaks.sources.objects.parse import parse_commit

_MOST_BASES = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A commit or a tag whose content may hold a credential, and what stands in place of a path for it."""

    id: str
    content: bytes
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Brought:
    """Credentials with their places; for each path with one, a commit that has its neighbours."""

    credentials: tuple[Credential, ...]
    commits: Mapping[str, str]


def brought(
    git: Git,
    selection: CommitSelection,
    versions: Versions,
    changes: Sequence[CommitChange],
    messages: Iterable[Message],
) -> Brought:
    """What some commits bring in. `versions` has looked at the blobs that they change."""
    stays = Stays(git, versions, {commit.id: commit for commit in selection.commits})
    stays.follow(changes)
    stays.settle(selection.revisions.bases)
    in_files = stays.credentials(selection.revisions.heads)
    return Brought(credentials=merged((*in_files, *_in_messages(messages))), commits=stays.neighbours())


def _in_messages(messages: Iterable[Message]) -> Iterator[Credential]:
    """The credentials in the messages and headers of commits and tags."""
    for message in messages:
        about = parse_commit(message.id, message.content)
        place = partial(replace, path=message.path, exposure=Exposure.MESSAGE, commit=about)
        for credential in credentials_in_object(message.content):
            yield credential.moved(place)


@dataclass(kw_only=True, slots=True)
class _Stay:
    """A value at a path, over the commits. `first` is where it came in, `last` its latest version."""

    first: Version
    last: Version
    commit: str
    new: bool
    removed: str | None = None


class Stays:
    """Follows values through the versions of files, commit by commit."""

    def __init__(self, git: Git, versions: Versions, commits: dict[str, ListedCommit]) -> None:
        self._git = git
        self._versions = versions
        self._commits = commits
        self._deleting: set[str] = set()
        self._bringing: dict[str, list[CommitChange]] = {}
        self._renames: dict[tuple[str, str], dict[bytes, str]] = {}
        self._stays: dict[tuple[str, bytes], _Stay] = {}
        self._brought: set[str] = set()
        self._read: dict[tuple[bytes, str], None] = {}

    def follow(self, changes: Sequence[CommitChange]) -> None:
        """Takes in all changes, those of parents before those of their children."""
        self._deleting = {change.commit for change in changes if change.blob is None}
        for change in changes:
            if change.blob is not None:
                self._bringing.setdefault(change.blob, []).append(change)
        touched = {change.path for change in changes if change.blob in self._versions.suspicious}
        changes = [change for change in changes if change.path in touched]
        formers = {id(change): self._former(change) for change in changes}
        self._versions.read(
            [(blob, change.path) for change in changes for blob in (change.blob, *formers[id(change)]) if blob]
        )
        for change in changes:
            self._follow(change, formers[id(change)])

    def settle(self, bases: Sequence[str]) -> None:
        """What a base has at the same path is not new, whatever became of it in between."""
        new = {key: stay for key, stay in self._stays.items() if stay.new}
        paths = sorted({path for _, path in new})
        for base in bases[:_MOST_BASES] if new else ():
            held = blobs_at(self._git, base, paths)
            self._versions.read([(blob, path) for path, blob in held.items()])
            for (digest, path), stay in new.items():
                if path in held and digest in self._versions.version(held[path], path).digests:
                    stay.new = False

    def credentials(self, heads: Sequence[str]) -> list[Credential]:
        """The credentials of all versions, at the places where their values came in and are today."""
        at_heads = [blobs_at(self._git, head, sorted({path for _, path in self._stays})) for head in heads]
        self._look_into_merges(at_heads)
        told = {name for stay in self._stays.values() for name in (stay.commit, stay.removed) if name}
        about = _commits(self._git, sorted(told))
        found = []
        for path, blob in self._read:
            version = self._versions.version(blob, path)
            tips = [self._versions.version(tip[path], path) for tip in at_heads if path in tip]
            for credential in version.credentials:
                occurrences = [self._placed(occurrence, path, tips, about) for occurrence in credential.occurrences]
                found.append(credential_of(occurrences))
        return found

    def neighbours(self) -> dict[str, str]:
        """For each path a commit that has it."""
        return {self._versions.shown(path): stay.commit for (_, path), stay in self._stays.items()}

    def _look_into_merges(self, at_heads: Sequence[Mapping[bytes, str]]) -> None:
        """A value that nothing took out and that no head has was lost where a merge took another parent's version."""
        lost: dict[bytes, list[tuple[str, _Stay]]] = {}
        for (digest, path), stay in self._stays.items():
            if stay.removed is None and not any(self._holds(tips.get(path), path, digest) for tips in at_heads):
                lost.setdefault(path, []).append((digest, stay))
        merges = [commit for commit in self._commits.values() if len(commit.parents) > 1] if lost else []
        for change in list_parent_differences(self._git, merges, sorted(lost)):
            for digest, stay in lost[change.path]:
                if self._holds(change.blob, change.path, digest):
                    continue
                if any(self._holds(blob, change.path, digest) for blob in change.former):
                    stay.removed = change.commit

    def _holds(self, blob: str | None, path: bytes, digest: str) -> bool:
        return blob is not None and digest in self._versions.version(blob, path).digests

    def _former(self, change: CommitChange) -> list[str]:
        """The blobs of the parents, under the name that each has for the file."""
        if change.blob is None or None not in change.former or change.blob not in self._versions.suspicious:
            return [blob for blob in change.former if blob]
        return [blob for _, blob in self._former_by_parent(change)]

    def _former_by_parent(self, change: CommitChange) -> list[tuple[str, str]]:
        found = []
        for parent, blob in zip(self._commits[change.commit].parents, change.former, strict=False):
            old = blob or self._renamed(parent, change.commit).get(change.path)
            if old is not None:
                found.append((parent, old))
        return found

    def _origins(self, change: CommitChange) -> list[str]:
        """The versions from which the commits made this one, as they stood before the first of them."""
        origins: set[str] = set()
        rest, seen = [change], {(change.commit, change.path)}
        while rest:
            for parent, blob in self._former_by_parent(rest.pop()):
                bringing = self._bringing.get(blob, []) if parent in self._commits else []
                if not bringing:
                    origins.add(blob)
                earlier = [other for other in bringing if other.path == change.path] or bringing
                rest += [other for other in earlier if (other.commit, other.path) not in seen]
                seen.update((other.commit, other.path) for other in earlier)
        return sorted(origins)

    def _renamed(self, parent: str, commit: str) -> dict[bytes, str]:
        """What is called otherwise in a parent: nothing if a commit deletes nothing; of a merge git has to say it."""
        if commit not in self._deleting and len(self._commits[commit].parents) == 1:
            return {}
        if (parent, commit) not in self._renames:
            self._renames[parent, commit] = find_renames(self._git, parent, commit)
        return self._renames[parent, commit]

    def _follow(self, change: CommitChange, former: Sequence[str]) -> None:
        before: set[str] = set()
        for blob in former:
            before |= self._versions.version(blob, change.path).digests
        after: set[str] = set()
        if change.blob is not None:
            version = self._versions.version(change.blob, change.path)
            if version.digests:
                self._read[change.path, change.blob] = None
            after = set(version.digests)
            self._appear(change, version, before, former)
        for digest in before - after:
            stay = self._stays.get((digest, change.path))
            if stay is not None:
                stay.removed = change.commit

    def _appear(self, change: CommitChange, version: Version, before: set[str], former: Sequence[str]) -> None:
        lines: NewLines | None = None
        for digest, occurrence in version.occurrences.items():
            new = digest not in before
            if new and version.is_text(digest) and change.blob is not None:
                lines = lines or NewLines(self._git, change.blob, former)
                new = lines.touch(occurrence.location.line, occurrence.last_line) or self._came_in(change, occurrence)
            elif not new and not any(change.former):  # renamed: what came in under the old name is new here, too
                new = digest in self._brought
            stay = self._stays.get((digest, change.path))
            if stay is None or (new and not stay.new):
                stay = _Stay(first=version, last=version, commit=change.commit, new=new)
                self._stays[digest, change.path] = stay
            if new:
                self._brought.add(digest)
            stay.last = version
            stay.removed = None

    def _came_in(self, change: CommitChange, occurrence: Occurrence) -> bool:
        """Whether an earlier of the commits brought the lines of a value, which nothing told for one there yet."""
        if not any(parent in self._commits for parent in self._commits[change.commit].parents):
            return False
        lines = NewLines(self._git, change.blob or "", self._origins(change))
        return lines.touch(occurrence.location.line, occurrence.last_line)

    def _placed(
        self, occurrence: Occurrence, path: bytes, tips: Sequence[Version], about: Mapping[str, Commit]
    ) -> Occurrence:
        """The occurrence where it is today, else where it came in."""
        digest = occurrence.value.sha256
        stay = self._stays[digest, path]
        tip = next((version for version in tips if digest in version.digests), None)
        version = tip or stay.first
        shown = version.occurrences[digest]
        location = replace(
            occurrence.location,
            line=shown.location.line,
            column=shown.location.column,
            path=shown.location.path,
            exposure=Exposure.PRESENT if tip is not None else Exposure.HISTORY,
            commit=about[stay.commit] if stay.new else None,
            removed=None if tip is not None or stay.removed is None else about[stay.removed],
            blob=version.blob,
            preexisting=not stay.new,
            allowed=stay.last.occurrences[digest].location.allowed,
        )
        return replace(occurrence, last_line=shown.last_line, location=location)


def _commits(git: Git, names: Sequence[str]) -> dict[str, Commit]:
    """Some commits for the reader. Raises GitError for one that is missing."""
    known = {}
    with git.blobs(names) as objects:
        for name, stream in objects:
            if stream is None:
                raise GitError(f"commit {name} is missing", hint="Run `git fsck` to see what is damaged.")
            known[name] = parse_commit(name, stream.read())
    return known
