"""Scan what some commits bring in: their files, commit by commit, and their messages.

Only blobs that a commit adds or changes are read, each once, so that the cost is that of the commits and not of the
repository. What they introduce is defined in `introduced.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from binance_leaks.detect import prefilter
from binance_leaks.errors import GitError
from binance_leaks.findings import Result, ScanStats, Skipped
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, Credential, Exposure
from binance_leaks.pipeline.introduced import FileVersions
from binance_leaks.sources.commit_selection import CommitSelection
from binance_leaks.sources.commits import CommitChange, list_changes
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.parse import parse_commit, strip_signature

Progress = Callable[[int, int, int], None]
"""Told the blobs that were read, those to be read in all, and the bytes so far."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeRequest:
    """What is scanned. `excluded` tells paths to leave out; `fetch` brings blobs that a partial clone does not have."""

    selection: CommitSelection
    excluded: Callable[[str], bool] = lambda _: False
    fetch: Callable[[Sequence[str]], None] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A commit or a tag whose content may hold a credential."""

    id: str
    content: bytes
    path: str
    """What is reported as its path."""


@dataclass(kw_only=True, slots=True)
class RangeOutcome:
    """What came of it. `commits` has for each path with a credential a commit that has its neighbours."""

    credentials: tuple[Credential, ...] = ()
    skipped: list[Skipped] = field(default_factory=list)
    stats: ScanStats = field(default_factory=ScanStats)
    commits: dict[str, str] = field(default_factory=dict)


def scan_range(git: Git, request: RangeRequest, progress: Progress = lambda *_: None) -> RangeOutcome:
    """Scan the selected commits. Raises GitError where commits or trees are missing."""
    outcome = RangeOutcome()
    changes, submodules, excluded = _wanted(list_changes(git, request.selection.commits), request.excluded)
    outcome.skipped += [
        Skipped(what=path, why="a submodule; scan it by itself", lost=False) for path in dict.fromkeys(submodules)
    ]
    versions = FileVersions(git, request.fetch)
    versions.prefilter([change.blob for change in changes if change.blob is not None], progress)
    messages, size = _messages(git, request.selection)
    if versions.suspicious or messages:
        from binance_leaks.detect.credentials import merge_credentials  # start-up: most ranges are clean, as above
        from binance_leaks.pipeline.range_provenance import trace  # as above

        in_files = trace(git, request.selection, versions, changes, request.excluded)
        outcome.credentials = merge_credentials((*in_files.credentials, *_credentials_in_messages(messages)))
        outcome.commits = dict(in_files.commits)
    outcome.skipped += [
        Skipped(what=change.shown, why=f"its content in commit {change.commit[:12]} is not in this clone")
        for change in changes
        if change.blob in versions.missing
    ]
    outcome.skipped += versions.skipped
    outcome.stats = ScanStats(
        commits=len(request.selection.commits),
        files=len({(change.path, change.blob) for change in changes if change.blob}),
        bytes=versions.bytes + size,
        excluded=excluded or None,
    )
    return outcome


def brought_in(result: Result) -> Result:
    """The result without what stood there before. How many credentials that were is told in `standing` of its stats."""
    new = tuple(finding for finding in result.findings if finding.is_new)
    suppressed = tuple(finding for finding in result.suppressed if finding.is_new)
    standing = len(result.findings) + len(result.suppressed) - len(new) - len(suppressed)
    stats = replace(result.stats, suppressed=len(suppressed), standing=standing)
    return replace(result, findings=new, suppressed=suppressed, stats=stats)


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
                files.append(replace(change, blob=None, submodule=False))
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
            if prefilter.may_hold(strip_signature(content)):
                found.append(Message(id=name, content=content, path=path))
    return found, size


def _credentials_in_messages(messages: Iterable[Message]) -> Iterator[Credential]:
    """The credentials in the messages and headers of commits and tags."""
    from binance_leaks.pipeline.files import credentials_in_object  # start-up: most ranges need no detector

    for message in messages:
        place = partial(
            replace, path=message.path, exposure=Exposure.MESSAGE, commit=parse_commit(message.id, message.content)
        )
        for credential in credentials_in_object(message.content):
            yield credential.moved(place)
