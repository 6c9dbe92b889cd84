"""Scan what commits introduce: their files, commit by commit, and their messages.

Only blobs that a commit adds or changes are read, each once, so that the cost is that of the commits and not of the
repository. What they introduce is defined in `introduced.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from binance_leaks.detect import first_test, prefilter
from binance_leaks.detect.signatures import strip_signature
from binance_leaks.errors import GitError
from binance_leaks.findings import ScanStats, Skipped, SourceKind
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, Credential, Exposure, Location
from binance_leaks.pipeline.introduced import LFS_NOT_ON_DISK, FileVersions
from binance_leaks.pipeline.range_tracker import trace
from binance_leaks.pipeline.source import Detected, Progress, ShowProgress
from binance_leaks.sources.commit_selection import CommitSelection, TaggedFile
from binance_leaks.sources.commits import (
    CommitChange,
    list_changes,
    parse_change,
)
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.parse import parse_commit
from binance_leaks.sources.range_fast_path import RangeContents

_MOST_NAMED = 20
_UNLISTED = "git needs too much memory to list what it changes"


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeSource:
    """A range of commits: what they introduce, and what was there before."""

    git: Git
    anchor: str
    """The top of the repository."""
    selection: CommitSelection
    excluded: Callable[[str], bool] = lambda _: False
    fetch: Callable[[Sequence[str]], None] | None = None
    """Fetches blobs that a partial clone does not have."""
    contents: RangeContents | None = None
    """What was read of the commits before."""
    kind: SourceKind = SourceKind.RANGE

    @property
    def target(self) -> str:
        """The revisions."""
        return self.selection.target

    def read(self, show: ShowProgress | None = None) -> Detected:
        """Scan the commits. Raises GitError where commits or trees are missing."""
        unlisted: list[str] = []
        changes, submodules, excluded = _wanted(self._changes(unlisted), self.excluded)
        tagged = [file for file in self.selection.files if not self.excluded(file.shown)]
        excluded += len(self.selection.files) - len(tagged)
        submodules += [file.shown for file in tagged if file.submodule]
        tagged = [file for file in tagged if not file.submodule]
        versions = FileVersions(self.git, self.fetch, self.contents)
        messages: list[Message] = []
        size, interrupted = 0, False
        try:
            blobs = [*(change.blob for change in changes if change.blob is not None), *(file.blob for file in tagged)]
            versions.prefilter(blobs, _progress(show))
            messages, size = self._messages()
        except KeyboardInterrupt:
            interrupted = True
        try:
            detected = self._detected(versions, changes, tagged, messages)
        except KeyboardInterrupt:
            detected, interrupted = _found_so_far(versions, changes), True
        skipped = [
            Skipped(what=path, why="a submodule; scan it by itself", lost=False) for path in dict.fromkeys(submodules)
        ]
        held = [(change.shown, change.blob, f"commit {change.commit[:12]}") for change in changes]
        held += [(file.shown, file.blob, file.refs[0]) for file in tagged]
        skipped += [
            Skipped(what=path, why=f"its content in {where} is not in this clone")
            for path, blob, where in held
            if blob in versions.missing
        ]
        skipped += [Skipped(what=f"commit {name[:12]}", why=_UNLISTED) for name in unlisted[:_MOST_NAMED]]
        if len(unlisted) > _MOST_NAMED:
            skipped.append(Skipped(what=f"{len(unlisted) - _MOST_NAMED:,} more commits", why=_UNLISTED))
        lfs_missing = {path: where for path, blob, where in held if blob in versions.lfs_missing}
        skipped += [Skipped(what=path, why=f"in {where} {LFS_NOT_ON_DISK}") for path, where in lfs_missing.items()]
        stats = ScanStats(
            commits=len(self.selection.commits),
            files=len({(path, blob) for path, blob, _ in held if blob}),
            bytes=versions.bytes + size,
            excluded=excluded or None,
            seconds=self.contents.seconds if self.contents is not None else None,
        )
        return replace(
            detected,
            skipped=(*skipped, *versions.skipped, *detected.skipped),
            stats=stats,
            interrupted=interrupted,
        )

    def _changes(self, unlisted: list[str]) -> Iterable[CommitChange]:
        if self.contents is None:
            return list_changes(self.git, self.selection.commits, unlisted)
        return (parse_change(*change) for change in self.contents.changes)

    def _messages(self) -> tuple[list[Message], int]:
        if self.contents is None:
            return _messages(self.git, self.selection)
        commits, suspects, sizes = self.contents.commits, self.contents.suspects, self.contents.sizes
        found = [Message(id=name, content=suspects[name], path=COMMIT_MESSAGE) for name in commits if name in suspects]
        return found, sum(sizes[name] for name in commits)

    def _detected(
        self,
        versions: FileVersions,
        changes: Sequence[CommitChange],
        tagged: Sequence[TaggedFile],
        messages: Sequence[Message],
    ) -> Detected:
        paths = (*(change.path for change in changes), *(file.path for file in tagged))
        named = any(prefilter.path_may_hold(path) for path in paths)
        if not (versions.suspicious or messages or named):
            return Detected()
        from binance_leaks.detect.credentials import merge_credentials  # start-up: most ranges are clean
        from binance_leaks.sources.nearby_evidence import EvidenceNearCommits  # as above

        in_files = trace(self.git, self.selection, versions, changes, self.excluded)
        in_messages, skipped = _credentials_in_messages(messages)
        in_tagged = _credentials_in_tagged(versions, tagged)
        found = merge_credentials((*in_files.credentials, *in_messages, *in_tagged))
        refs = self.selection.refs
        return Detected(
            credentials=tuple(credential.moved(partial(_with_refs, refs)) for credential in found) if refs else found,
            skipped=tuple(skipped),
            nearby=EvidenceNearCommits(self.git, in_files.commits),
        )


def _credentials_in_tagged(versions: FileVersions, files: Sequence[TaggedFile]) -> list[Credential]:
    """The credentials in files that refs lead to without a commit, all as new ones."""
    versions.detect([(file.blob, file.path) for file in files])
    return [
        credential.moved(partial(replace, exposure=Exposure.HISTORY, blob=file.blob, refs=file.refs))
        for file in files
        for credential in versions.at(file.blob, file.path).credentials
    ]


def _found_so_far(versions: FileVersions, changes: Sequence[CommitChange]) -> Detected:
    """What was found before an interrupt. Which commit introduced it, or whether it was there before, is not known."""
    from binance_leaks.detect.credentials import merge_credentials  # start-up: as above

    found = [
        credential.moved(partial(replace, exposure=Exposure.HISTORY, blob=change.blob))
        for change in changes
        if change.blob is not None
        for credential in versions.at(change.blob, change.path).credentials
    ]
    return Detected(credentials=merge_credentials(found))


def _with_refs(refs: Mapping[str, tuple[str, ...]], place: Location) -> Location:
    """The location with the refs of the push that bring its commit."""
    return replace(place, refs=refs.get(place.commit.id, ())) if place.commit is not None else place


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A commit or a tag whose content may hold a credential."""

    id: str
    content: bytes
    path: str
    """What is reported as its path."""


def _progress(show: ShowProgress | None) -> Callable[[int, int, int], None]:
    if show is None:
        return lambda *_: None
    return lambda done, total, size: show(Progress(done=done, total=total, bytes=size))


def _wanted(
    changes: Iterable[CommitChange], excluded: Callable[[str], bool]
) -> tuple[list[CommitChange], list[str], int]:
    """The changes of files that are not left out, the paths of submodules, and how many paths are left out."""
    files, submodules, left_out = [], [], set()
    for change in changes:
        if excluded(change.shown):
            left_out.add(change.shown)
        elif change.submodule:
            submodules.append(change.shown)
            if any(change.former):  # in the place of a file, which is gone
                files.append(replace(change, blob=None))
        else:
            files.append(change)
    return files, submodules, len(left_out)


def _messages(git: Git, selection: CommitSelection) -> tuple[list[Message], int]:
    """The commits and tags whose content may hold a credential, and the size of all in bytes.

    Raises GitError for one that is missing.
    """
    paths = [
        *((commit.id, COMMIT_MESSAGE) for commit in selection.commits),
        *((tag, TAG_MESSAGE) for tag in selection.tags),
    ]
    found, size = [], 0
    with git.blobs(name for name, _ in paths) as objects:
        for (name, path), (_, stream) in zip(paths, objects, strict=True):
            if stream is None:
                raise GitError(f"object {name} is missing", hint="Run `git fsck` to see what is damaged.")
            size += stream.size
            content = stream.read()
            if first_test.may_hold(strip_signature(content)):
                found.append(Message(id=name, content=content, path=path))
    return found, size


def _credentials_in_messages(messages: Iterable[Message]) -> tuple[list[Credential], list[Skipped]]:
    """The credentials in the messages and headers of commits and tags, and those not searched to their ends."""
    from binance_leaks.detect.work import EXHAUSTED, Work  # as below
    from binance_leaks.pipeline.files import credentials_in_object  # start-up: most ranges need no detector

    found: list[Credential] = []
    skipped: list[Skipped] = []
    for message in messages:
        work = Work()
        place = partial(
            replace, path=message.path, exposure=Exposure.MESSAGE, commit=parse_commit(message.id, message.content)
        )
        found += [credential.moved(place) for credential in credentials_in_object(message.content, work)]
        if work.is_exhausted():
            skipped.append(Skipped(what=f"{message.path} of {message.id[:12]}", why=EXHAUSTED))
    return found, skipped
