"""Follow values through the commits of a range: which commit introduced or removed each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from binance_leaks.detect import prefilter
from binance_leaks.errors import GitError, GitLimitError
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Commit, Credential, Exposure, Occurrence
from binance_leaks.path_bytes import decode_path
from binance_leaks.pipeline.introduced import FileVersion, FileVersions, introduced
from binance_leaks.sources.commit_selection import CommitSelection
from binance_leaks.sources.commits import (
    CommitChange,
    ListedCommit,
    RevisionRange,
    blobs_at,
    find_renames,
    list_parent_differences,
)
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.parse import parse_commit

_MAX_BASES = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeCredentials:
    """Credentials in the files of a range."""

    credentials: tuple[Credential, ...]
    commits: Mapping[str, str]
    """For each path with a credential a commit that has its neighbours."""


def trace(
    git: Git,
    selection: CommitSelection,
    versions: FileVersions,
    changes: Sequence[CommitChange],
    excluded: Callable[[str], bool] = lambda _: False,
) -> RangeCredentials:
    """Find the credentials in a range, with the commits that introduced and removed them.

    `versions` has prefiltered the blobs of `changes`, those of parents before those of their children.
    """
    tracker = RangeTracker(git, versions, {commit.id: commit for commit in selection.commits}, excluded)
    tracker.follow(changes)
    found = tracker.credentials(selection.revisions)
    return RangeCredentials(credentials=tuple(found), commits=tracker.commits_by_path())


@dataclass(kw_only=True, slots=True)
class _Tracked:
    """A value at a path, over the commits."""

    first: FileVersion
    """The version that introduced it, or the first of the range that has it."""
    last: FileVersion
    """The latest version that has it."""
    commit: str
    """The commit of `first`."""
    new: bool
    removed: str | None = None
    """The commit that removed it, if it is gone."""


class RangeTracker:
    """Values followed through the versions of files, commit by commit."""

    def __init__(
        self, git: Git, versions: FileVersions, commits: Mapping[str, ListedCommit], excluded: Callable[[str], bool]
    ) -> None:
        self._git = git
        self._versions = versions
        self._commits = commits
        self._excluded = excluded
        self._deleting: set[str] = set()
        self._commits_with_blob: dict[str, list[CommitChange]] = {}
        self._renames: dict[tuple[str, str], dict[bytes, str]] = {}
        self._tracked: dict[tuple[str, bytes], _Tracked] = {}
        self._introduced: set[str] = set()
        self._with_values: dict[tuple[bytes, str], None] = {}

    def follow(self, changes: Sequence[CommitChange]) -> None:
        """Follow the values through all changes, parents before their children."""
        self._deleting = {change.commit for change in changes if change.blob is None}
        for change in changes:
            if change.blob is not None:
                self._commits_with_blob.setdefault(change.blob, []).append(change)
        suspicious = self._versions.suspicious
        touched = {
            change.path for change in changes if change.blob in suspicious or prefilter.path_may_hold(change.path)
        }
        changes = [change for change in changes if change.path in touched]
        formers = {id(change): self._former(change) for change in changes}
        self._versions.detect(
            [(blob, change.path) for change in changes for blob in (change.blob, *formers[id(change)]) if blob]
        )
        for change in changes:
            self._follow(change, formers[id(change)])

    def _compare_with_bases(self, at_bases: Sequence[Mapping[bytes, str]]) -> None:
        """Mark a value that a base has at the same path as not new.

        Also one that was removed and added again.
        """
        new = {key: tracked for key, tracked in self._tracked.items() if tracked.new}
        paths = {path for _, path in new}
        for held in at_bases if new else ():
            self._versions.detect([(blob, path) for path, blob in held.items() if path in paths])
            for (digest, path), tracked in new.items():
                if path in held and digest in self._versions.at(held[path], path).digests:
                    tracked.new = False

    def credentials(self, revisions: RevisionRange) -> list[Credential]:
        """The credentials of all versions, and whether they are new.

        They are located where they are in a head, else where they were introduced.
        """
        if not self._tracked:
            return []
        from binance_leaks.detect.credentials import credential_of  # start-up: most ranges are clean

        bases = revisions.bases[:_MAX_BASES]
        held = blobs_at(self._git, [*bases, *revisions.heads], sorted({path for _, path in self._tracked}))
        at_heads = held[len(bases) :]
        self._compare_with_bases(held[: len(bases)])
        self._find_removal_in_merges(at_heads)
        named = {name for tracked in self._tracked.values() for name in (tracked.commit, tracked.removed) if name}
        about = _commits(self._git, sorted(named), self._versions.commit_texts)
        found = []
        for path, blob in self._with_values:
            version = self._versions.at(blob, path)
            tips = [self._versions.at(tip[path], path) for tip in at_heads if path in tip]
            for credential in version.credentials:
                occurrences = [self._located(occurrence, path, tips, about) for occurrence in credential.occurrences]
                found.append(credential_of(occurrences))
        return found

    def commits_by_path(self) -> dict[str, str]:
        """For each path with a value a commit that has the file."""
        return {decode_path(path): tracked.commit for (_, path), tracked in self._tracked.items()}

    def _find_removal_in_merges(self, at_heads: Sequence[Mapping[bytes, str]]) -> None:
        """Find the merge that removed a value by taking another parent's version of its file."""
        lost: dict[bytes, list[tuple[str, _Tracked]]] = {}
        for (digest, path), tracked in self._tracked.items():
            if tracked.removed is None and not any(self._holds(tips.get(path), path, digest) for tips in at_heads):
                lost.setdefault(path, []).append((digest, tracked))
        merges = [commit for commit in self._commits.values() if len(commit.parents) > 1] if lost else []
        with suppress(GitLimitError):  # then it is not known which
            for change in list_parent_differences(self._git, merges, sorted(lost)):
                for digest, tracked in lost[change.path]:
                    if self._holds(change.blob, change.path, digest):
                        continue
                    if any(self._holds(blob, change.path, digest) for blob in change.former):
                        tracked.removed = change.commit

    def _holds(self, blob: str | None, path: bytes, digest: str) -> bool:
        return blob is not None and digest in self._versions.at(blob, path).digests

    def _former(self, change: CommitChange) -> list[str]:
        """The blobs of the file in the parents, each under the parent's name for it."""
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
        """The versions of a file before the range, from which its commits made this one."""
        origins: set[str] = set()
        rest, seen = [change], {(change.commit, change.path)}
        while rest:
            for parent, blob in self._former_by_parent(rest.pop()):
                earlier_changes = self._commits_with_blob.get(blob, []) if parent in self._commits else []
                if not earlier_changes:
                    origins.add(blob)
                earlier = [other for other in earlier_changes if other.path == change.path] or earlier_changes
                rest += [other for other in earlier if (other.commit, other.path) not in seen]
                seen.update((other.commit, other.path) for other in earlier)
        return sorted(origins)

    def _renamed(self, parent: str, commit: str) -> dict[bytes, str]:
        """The blob of the old name for each path that a commit renamed; none if it deletes nothing.

        Only git knows what a merge deletes. An excluded file is not followed: its values were not read.
        """
        if commit not in self._deleting and len(self._commits[commit].parents) == 1:
            return {}
        if (parent, commit) not in self._renames:
            self._renames[parent, commit] = {
                path: blob
                for path, (old, blob) in find_renames(self._git, parent, commit).items()
                if not self._excluded(decode_path(old))
            }
        return self._renames[parent, commit]

    def _follow(self, change: CommitChange, former: Sequence[str]) -> None:
        before: set[str] = set()
        for blob in former:
            before |= self._versions.at(blob, change.path).digests
        after: set[str] = set()
        if change.blob is not None:
            version = self._versions.at(change.blob, change.path)
            if version.digests:
                self._with_values[change.path, change.blob] = None
            after = set(version.digests)
            self._appear(change, version, before, former)
        for digest in before - after:
            tracked = self._tracked.get((digest, change.path))
            if tracked is not None:
                tracked.removed = change.commit

    def _appear(self, change: CommitChange, version: FileVersion, before: set[str], former: Sequence[str]) -> None:
        parents = [self._versions.at(blob, change.path) for blob in former]
        new = introduced(self._git, version, parents, new_path=not any(change.former))
        for digest in version.occurrences:
            if digest in new:
                is_new = True
            elif digest in before:  # in a file renamed, what an earlier commit introduced is new under this name, too
                is_new = not any(change.former) and digest in self._introduced
            else:
                is_new = self._was_unrecognised(change, version, digest)
            tracked = self._tracked.get((digest, change.path))
            if tracked is None or (is_new and not tracked.new):
                tracked = _Tracked(first=version, last=version, commit=change.commit, new=is_new)
                self._tracked[digest, change.path] = tracked
            if is_new:
                self._introduced.add(digest)
            tracked.last = version
            tracked.removed = None

    def _was_unrecognised(self, change: CommitChange, version: FileVersion, digest: str) -> bool:
        """Whether an earlier commit of the range introduced a value that the detector did not recognise there yet."""
        if not any(parent in self._commits for parent in self._commits[change.commit].parents):
            return False
        origins = [self._versions.at(blob, change.path) for blob in self._origins(change)]
        return digest in introduced(self._git, version, origins)

    def _located(
        self, occurrence: Occurrence, path: bytes, tips: Sequence[FileVersion], about: Mapping[str, Commit]
    ) -> Occurrence:
        """The occurrence of a value in a head, else where it was introduced."""
        digest = occurrence.value.sha256
        tracked = self._tracked[digest, path]
        tip = next((version for version in tips if digest in version.digests), None)
        version = tip or tracked.first
        shown = version.occurrences[digest]
        location = replace(
            occurrence.location,
            line=shown.location.line,
            column=shown.location.column,
            path=shown.location.path,
            exposure=Exposure.PRESENT if tip is not None else Exposure.HISTORY,
            commit=about[tracked.commit] if tracked.new else None,
            removed=None if tip is not None or tracked.removed is None else about[tracked.removed],
            blob=version.blob,
            preexisting=not tracked.new,
            allowed=tracked.last.occurrences[digest].location.allowed,
        )
        return replace(occurrence, last_line=shown.last_line, location=location)


def _commits(git: Git, names: Sequence[str], texts: Mapping[str, bytes]) -> dict[str, Commit]:
    """Author, date and subject of some commits, of some from their texts.

    Raises GitError for one that is missing.
    """
    known = {name: parse_commit(name, texts[name]) for name in names if name in texts}
    rest = [name for name in names if name not in known]
    if not rest:
        return known
    with git.blobs(rest) as objects:
        for name, stream in objects:
            if stream is None:
                raise GitError(f"commit {name} is missing", hint="Run `git fsck` to see what is damaged.")
            known[name] = parse_commit(name, stream.read())
    return known
