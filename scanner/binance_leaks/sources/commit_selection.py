"""Select the commits that a user, a CI system or a push means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from binance_leaks.errors import GitError, MissingHistoryError, UsageError
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.commits import (
    ListedCommit,
    RevisionRange,
    default_remote,
    is_shallow,
    list_commits,
    list_tips,
    merge_bases,
    resolve_commit,
    resolve_existing,
    resolve_short_id,
    shallow_boundary,
    tag_chain,
)
from binance_leaks.sources.git import Git
from binance_leaks.sources.range_fast_path import RangeContents

if TYPE_CHECKING:
    from typing import TypeAlias

    from binance_leaks.sources.ci.environment_variables import CiChange

    _Bases: TypeAlias = tuple[list[str], str, tuple[str, ...], str | None]

_SHALLOW = "Fetch the rest: git fetch --unshallow (in CI: fetch-depth: 0, GIT_DEPTH: 0)."
_USUAL_BRANCHES = ("main", "master")


@dataclass(frozen=True, kw_only=True, slots=True)
class TaggedFile:
    """A file that a ref leads to without a commit: a blob, or a file of a tree."""

    path: bytes
    blob: str
    """The id of its content, or of a submodule's commit."""
    refs: tuple[str, ...]
    """The refs of a push that bring it."""
    submodule: bool = False

    @property
    def shown(self) -> str:
        """The path, undecodable bytes as `decode_path` keeps them."""
        return decode_path(self.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitSelection:
    """The commits to scan, parents first, with the tags whose messages belong to them.

    `target` describes them in one line; `notes` are what the reader must know about the choice.
    """

    revisions: RevisionRange
    commits: tuple[ListedCommit, ...]
    target: str
    policy_base: str | None
    """The commit whose files count with `--policy base`, None where none do. No part of the change chooses it."""
    tags: tuple[str, ...] = ()
    files: tuple[TaggedFile, ...] = ()
    notes: tuple[str, ...] = ()
    refs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each commit the refs of a push that bring it, where that is known."""


def select_range(git: Git, text: str) -> CommitSelection:
    """The commits of `BASE..HEAD` or `BASE...HEAD`; a side that is left out is HEAD.

    Raises UsageError where that is no range, names nothing here or is empty, MissingHistoryError where a shallow clone
    does not have all of it.
    """
    base_text, dots, head_text = _sides(text)
    base, head = _known(git, base_text or "HEAD"), _known(git, head_text or "HEAD")
    revisions = RevisionRange(heads=(head,), bases=(base,))
    commits = list_complete(git, revisions, _SHALLOW) if base != head else ()
    if not commits:
        raise _empty(text, dots, base, head)
    if dots == "..." and not merge_bases(git, base, head):
        if is_shallow(git):
            raise MissingHistoryError(f"this shallow clone has no common ancestor of {text}", hint=_SHALLOW, wanted=())
        hint = f"{text.replace('...', '..')} scans all commits that only the second has."
        raise UsageError(f"{text} has no common ancestor", hint=hint)
    return CommitSelection(revisions=revisions, commits=commits, target=text, policy_base=base)


def selection_of(text: str, contents: RangeContents) -> CommitSelection:
    """The commits of a range that was read."""
    commits = tuple(ListedCommit(id=name, parents=parents) for name, parents in contents.commits.items())
    revisions = RevisionRange(heads=(contents.head,), bases=(contents.base,))
    return CommitSelection(revisions=revisions, commits=commits, target=text, policy_base=contents.base)


def _empty(text: str, dots: str, base: str, head: str) -> UsageError:
    """Why a range has no commits: nothing was scanned, which must not pass."""
    if base == head:
        return UsageError(f"{text} is empty: both are commit {base[:12]}")
    first, _, second = text.partition(dots)
    hint = f"Is {second or 'HEAD'}{dots}{first or 'HEAD'} meant?"
    return UsageError(f"{text} is empty: the second is an ancestor of the first", hint=hint)


def select_change(git: Git, change: CiChange, more: Callable[[Sequence[str]], bool] | None = None) -> CommitSelection:
    """The commits of a change that a CI system announces.

    `more` fetches what is missing, as far as it can. Never empty: where the change has no commit that is not known, the
    newest one is chosen. Raises MissingHistoryError where this clone lacks the history to decide.
    """
    while True:
        try:
            return _of_change(git, change)
        except MissingHistoryError as error:  # noqa: PERF203 - a few rounds, each with a fetch
            if more is None or not more(error.wanted):
                raise


def _of_change(git: Git, change: CiChange) -> CommitSelection:
    head = _head(git, change)
    if change.base is not None or change.target is not None or change.whole:
        bases, against, notes, policy = _bases(git, change)
    else:
        bases, against, notes, policy = _against_default_branch(git, change, head)
    known = [*bases, *resolve_existing(git, change.also)]
    revisions = RevisionRange(heads=(head,), bases=tuple(dict.fromkeys(known)))
    commits = list_complete(git, revisions, change.remedy)
    tags = tuple(tag_chain(git, change.tag)) if change.tag else ()
    if not commits:
        parents = git.run("rev-list", "--parents", "--max-count=1", head).decode("ascii").split()[1:]
        revisions = RevisionRange(heads=(head,), bases=tuple(parents))
        commits = list_complete(git, revisions, change.remedy)
        policy = parents[0] if parents else None
        notes = (*notes, f"{against} has all of its commits already: the newest one was scanned")
    return CommitSelection(
        revisions=revisions,
        commits=commits,
        target=f"{change.system}, {change.what}: {against}..{head[:12]}",
        policy_base=policy,
        tags=tags,
        notes=notes,
    )


def _head(git: Git, change: CiChange) -> str:
    head = _announced(git, change, change.head)
    if head is None:
        wanted = tuple(one for one in (change.head_ref, change.head) if one is not None and one != "HEAD")
        raise MissingHistoryError(
            f"commit {change.head[:12]} of {change.what} is not in this clone", hint=change.remedy, wanted=wanted
        )
    return head


def _announced(git: Git, change: CiChange, name: str) -> str | None:
    """The commit that a system names. Of a short id git would make a branch or tag that is called so."""
    from binance_leaks.sources.ci.environment_variables import commit_id  # start-up: only `ci` needs it

    commit = resolve_commit(git, name)
    if change.by_hand or commit is None or commit_id(name) is None or len(name) == len(commit):
        return commit
    return resolve_short_id(git, name)


def _bases(git: Git, change: CiChange) -> _Bases:
    """The commits that the change is compared with, what to call them, notes, and the one whose policy counts."""
    if change.base is not None:
        base = _announced(git, change, change.base)
        if base is not None:
            return [base, *_target_if_here(git, change)], base[:12], (), base
        if is_shallow(git) or not change.forced:
            raise MissingHistoryError(
                f"commit {change.base[:12]}, which {change.what} is compared with, is not in this clone",
                hint=change.remedy,
                wanted=(change.base,),
            )
        others, default = _other_branches(git, change), next(iter(_target_if_here(git, change)), None)
        note = f"commit {change.base[:12]} is gone, as after a forced push: scanned what no other branch has"
        return others, "other branches", (note,), default
    if change.target is not None:
        tip = _remote_branch(git, change.target)
        if tip is None:
            remote = default_remote(git) or "origin"
            raise MissingHistoryError(
                f"branch {change.target} of the remote, which {change.what} is compared with, is not in this clone",
                hint=change.remedy,
                wanted=(f"+refs/heads/{change.target}:refs/remotes/{remote}/{change.target}",),
            )
        return [tip], f"{change.target}", (), tip
    return [], "nothing", (f"{change.what} is the first: its whole history was scanned",), None


def _against_default_branch(git: Git, change: CiChange, head: str) -> _Bases:
    remote = default_remote(git)
    if remote is None:
        raise MissingHistoryError(
            f"the base of {change.what} is unknown: this clone has no remote",
            hint="Give it with --base, or use `binance-leaks range BASE..HEAD`.",
            wanted=(),
        )
    names = [f"refs/remotes/{remote}/HEAD", *(f"refs/remotes/{remote}/{name}" for name in _USUAL_BRANCHES)]
    found = next(((name, tip) for name in names if (tip := resolve_commit(git, name)) is not None), None)
    if found is None:
        raise MissingHistoryError(
            f"the base of {change.what} is unknown: the default branch of {remote} is not in this clone",
            hint=f"{change.remedy} Or give the base with --base.",
            wanted=("HEAD", *(f"+refs/heads/{name}:refs/remotes/{remote}/{name}" for name in _USUAL_BRANCHES)),
        )
    shown = found[0].removeprefix("refs/remotes/")
    if not merge_bases(git, found[1], head) and is_shallow(git):
        raise MissingHistoryError(
            f"this shallow clone has no common ancestor of {shown} and {change.what}",
            hint=change.remedy,
            wanted=(head,),
        )
    return [found[1]], shown, (), found[1]


def _target_if_here(git: Git, change: CiChange) -> list[str]:
    """The default branch beside the commit before a push: what was merged from it was looked at there."""
    tip = _remote_branch(git, change.target) if change.target is not None and change.branch is not None else None
    return [tip] if tip is not None else []


def _remote_branch(git: Git, name: str) -> str | None:
    remote = default_remote(git)
    return resolve_commit(git, f"refs/remotes/{remote}/{name}") if remote else None


def _other_branches(git: Git, change: CiChange) -> list[str]:
    remote = default_remote(git)
    tips = list_tips(git, f"refs/remotes/{remote}/") if remote else {}
    own = {f"refs/remotes/{remote}/{change.branch}", f"refs/remotes/{remote}/HEAD"}
    return sorted({tip for name, tip in tips.items() if name not in own})


def list_complete(git: Git, revisions: RevisionRange, remedy: str) -> tuple[ListedCommit, ...]:
    """The commits of a selection, parents first.

    Raises MissingHistoryError, with the remedy, where a shallow clone leaves out what they rest on.
    """
    try:
        commits = list_commits(git, revisions)
    except GitError as error:
        raise MissingHistoryError(f"the history is incomplete: {error}", hint=remedy, wanted=revisions.heads) from None
    if shallow_boundary(git, commits):
        raise MissingHistoryError(
            "this clone is shallow, and its history ends within the commits that are to be scanned",
            hint=remedy,
            wanted=(*revisions.heads, *revisions.bases),
        )
    return tuple(commits)


def _sides(text: str) -> tuple[str, str, str]:
    for dots in ("...", ".."):
        base, found, head = text.partition(dots)
        if found and (base or head):
            if ".." in head or head.startswith(("-", ".")) or base.startswith("-"):
                break
            return base, dots, head
    raise UsageError(f"not a range: {text}", hint="Give BASE..HEAD, such as origin/main..HEAD.")


def _known(git: Git, revision: str) -> str:
    commit = resolve_commit(git, revision)
    if commit is None:
        if is_shallow(git):
            raise MissingHistoryError(
                f"{revision} names no commit of this shallow clone", hint=_SHALLOW, wanted=(revision,)
            )
        elsewhere = resolve_commit(git, f"refs/remotes/origin/{revision}") is not None
        hint = f"Is origin/{revision} meant?" if elsewhere else "Is it fetched? `git fetch` brings what is new."
        raise UsageError(f"{revision} names no commit of this repository", hint=hint)
    return commit
