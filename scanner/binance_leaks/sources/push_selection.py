"""Select the commits and tags of a push: as its sender's hook, pre-commit and the receiving server see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.commit_selection import CommitSelection, TaggedFile, list_complete
from binance_leaks.sources.commits import (
    ListedCommit,
    PeeledObject,
    RevisionRange,
    list_remotes,
    list_tips,
    list_tree,
    peel,
    resolve_commit,
    resolve_existing,
    tag_chain,
)
from binance_leaks.sources.git import Git

_MOST_NAMES = 4
_MOST_REFS = 20
"""Refs that a commit of a push is reported with: it may be in all of a hundred thousand."""
_REMEDY = "Fetch the rest: git fetch --unshallow."
_LOOK = "Look at it yourself, then push it with --no-verify."


@dataclass(frozen=True, kw_only=True, slots=True)
class RefUpdate:
    """One ref of a push: its new object, its name where it is pushed from, and the object of the remote.

    `local` is None for a deletion, `remote` for a ref that is new there. On the receiving server the name is its own.
    """

    local: str | None
    name: str
    remote: str | None = None

    @property
    def short_name(self) -> str:
        """The name without the folder of branches or tags."""
        return self.name.removeprefix("refs/heads/").removeprefix("refs/tags/")


def parse_push_updates(data: bytes) -> list[RefUpdate]:
    """The lines `LOCAL_REF LOCAL_ID REMOTE_REF REMOTE_ID` that git gives its hook.

    Raises UsageError for lines of another kind.
    """
    updates = []
    for line in data.splitlines():  # of bytes: in text the name of a ref may hold what ends a line
        words = decode_path(line).rsplit(" ", 3)
        if len(words) != 4:
            raise UsageError("standard input is not what git gives a pre-push hook")
        name, local, _, remote = words
        updates.append(
            RefUpdate(
                local=local if local.strip("0") else None, name=name, remote=remote if remote.strip("0") else None
            )
        )
    return updates


def parse_received_updates(data: bytes) -> list[RefUpdate]:
    """The lines `OLD_ID NEW_ID REF` that git gives a server's hook.

    Raises UsageError for lines of another kind, and where there is none: git gives at least one.
    """
    updates = []
    for line in data.splitlines():
        words = decode_path(line).split(" ", 2)
        if len(words) != 3:
            raise UsageError("standard input is not what git gives a pre-receive hook")
        updates.append(received_update(words[2], words[0], words[1]))
    if not updates:
        raise UsageError(
            "standard input is empty, and git gives a pre-receive hook a line for each ref",
            hint="Another hook may have read it: give each hook a copy.",
        )
    return updates


def received_update(name: str, old: str, new: str) -> RefUpdate:
    """The update of a ref on the receiving server, by the ids that git gives its hooks; zeros stand for none."""
    return RefUpdate(local=new if new.strip("0") else None, name=name, remote=old if old.strip("0") else None)


def parse_pre_commit_update(variables: Mapping[str, str]) -> RefUpdate | None:
    """The one ref that pre-commit passes on, None where pre-commit does not run us.

    For a first push with the root commit it passes on only the name of the branch.
    """
    if variables.get("PRE_COMMIT") != "1":
        return None
    local, remote = variables.get("PRE_COMMIT_TO_REF"), variables.get("PRE_COMMIT_FROM_REF")
    name = variables.get("PRE_COMMIT_LOCAL_BRANCH") or "HEAD"
    return RefUpdate(local=local or name, name=name, remote=remote)


def select_push(git: Git, updates: Sequence[RefUpdate], *, remote: str | None, url: str | None) -> CommitSelection:
    """The commits and tags that the remote does not have yet, and the files of refs that lead to no commit.

    Nothing is chosen where it has them all.

    Raises MissingHistoryError where this clone does not have all of them, UsageError for a ref that leads to nothing.
    """
    new = [update for update in updates if update.local is not None]
    name = _remote_name(git, remote, url)
    targets = _targets(git, new, _LOOK)
    heads = _commits(targets)
    known = resolve_existing(git, [update.remote for update in new if update.remote])
    known += list_tips(git, f"refs/remotes/{name}/").values() if name else []
    revisions = RevisionRange(heads=tuple(dict.fromkeys(heads)), bases=tuple(dict.fromkeys(known)))
    return CommitSelection(
        revisions=revisions,
        commits=list_complete(git, revisions, _REMEDY) if heads else (),
        target=_shown(updates, name or remote),
        policy_base=next(iter(known), None),
        tags=_tags(git, new, targets),
        files=_files(git, new, targets),
    )


def select_received(git: Git, updates: Sequence[RefUpdate]) -> CommitSelection:
    """The commits and tags of a push that this repository did not have, and the files of refs that lead to no commit.

    Nothing is chosen where it has them all.

    The refs are still as before. The policy is that of the default branch: any other belongs to who pushes it. Raises
    as `select_push`.
    """
    new = [update for update in updates if update.local is not None]
    tips = list_tips(git, "refs/")
    known = resolve_existing(git, [update.remote for update in new if update.remote])
    default = resolve_commit(git, "HEAD")
    bases = tuple(dict.fromkeys([*known, *([default] if default else []), *tips.values()]))
    targets = _targets(git, new, "It may be pushed by who may switch this hook off.")
    heads = _commits(targets)
    revisions = RevisionRange(heads=tuple(dict.fromkeys(heads)), bases=bases)
    commits = list_complete(git, revisions, "Push from a clone that is whole.") if heads else ()
    return CommitSelection(
        revisions=revisions,
        commits=commits,
        target=_shown(updates, None),
        policy_base=default,
        tags=_tags(git, new, targets),
        files=_files(git, new, targets),
        refs=_refs_of(commits, ((target.id, update.short_name) for update, target in zip(new, targets, strict=True))),
    )


def _refs_of(commits: Sequence[ListedCommit], heads: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The refs that bring each of some commits, which come parents first: a few names of each, in order."""
    order: dict[str, int] = {}
    named: dict[str, set[str]] = {}
    for head, name in heads:
        order.setdefault(name, len(order))
        named.setdefault(head, set()).add(name)
    for commit in reversed(commits):
        names = named.get(commit.id, set())
        if len(names) > _MOST_REFS:
            names = named[commit.id] = set(sorted(names, key=order.__getitem__)[:_MOST_REFS])
        for parent in commit.parents:
            named.setdefault(parent, set()).update(names)
    return {commit.id: tuple(sorted(named.get(commit.id, ()), key=order.__getitem__)) for commit in commits}


def select_between(git: Git, base: str, head: str) -> CommitSelection:
    """The commits that one revision has and another has not, which may be none.

    Raises as `select_push`.
    """
    targets = _targets(git, [RefUpdate(local=revision, name=revision) for revision in (base, head)], _LOOK)
    for revision, target in zip((base, head), targets, strict=True):
        if target.kind != "commit":
            raise UsageError(f"{revision} leads to no commit, so there is no range to scan")
    ids = _commits(targets)
    revisions = RevisionRange(heads=(ids[1],), bases=(ids[0],))
    return CommitSelection(
        revisions=revisions,
        commits=list_complete(git, revisions, _REMEDY),
        target=f"{base}..{head}",
        policy_base=ids[0],
    )


def _targets(git: Git, updates: Sequence[RefUpdate], hint: str) -> list[PeeledObject]:
    """What the objects of some updates lead to. Raises UsageError for one that leads to nothing that is here."""
    found = peel(git, (update.local or "" for update in updates))
    for update in updates:
        if update.local not in found:
            raise UsageError(f"{update.name} leads to an object that is not here, so it cannot be scanned", hint=hint)
    return [found[update.local or ""] for update in updates]


def _commits(targets: Iterable[PeeledObject]) -> list[str]:
    return [target.id for target in targets if target.kind == "commit"]


def _tags(git: Git, updates: Sequence[RefUpdate], targets: Sequence[PeeledObject]) -> tuple[str, ...]:
    """The annotated tags by which updates lead to their targets, those that are new."""
    chains = (
        (tag_chain(git, update.local or ""), update.remote)
        for update, target in zip(updates, targets, strict=True)
        if update.local != target.id
    )
    return tuple(dict.fromkeys(tag for chain, known in chains for tag in chain if tag != known))


def _files(git: Git, updates: Sequence[RefUpdate], targets: Sequence[PeeledObject]) -> tuple[TaggedFile, ...]:
    """The files that updates lead to without a commit, each with a few of its refs."""
    names: dict[PeeledObject, list[str]] = {}
    for update, target in zip(updates, targets, strict=True):
        if target.kind != "commit":
            names.setdefault(target, []).append(update.short_name)
    refs: dict[tuple[bytes, str, bool], dict[str, None]] = {}
    for target, short in names.items():
        blob = (b"blob:%s" % target.id.encode("ascii"), target.id, False)
        for file in [blob] if target.kind == "blob" else list_tree(git, target.id):
            refs.setdefault(file, {}).update(dict.fromkeys(short))
    return tuple(
        TaggedFile(path=path, blob=blob, refs=tuple(named)[:_MOST_REFS], submodule=submodule)
        for (path, blob, submodule), named in refs.items()
    )


def _shown(updates: Sequence[RefUpdate], remote: str | None) -> str:
    """What is pushed where, in one line."""
    names = [update.short_name for update in updates if update.local]
    where = f" to {remote}" if remote else ""
    if not names:
        return "push of deletions" if updates else "push of nothing"
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return f"push of {', '.join(names[:_MOST_NAMES])}{more}{where}"


def _remote_name(git: Git, remote: str | None, url: str | None) -> str | None:
    """The remote that has tracking refs; git gives the address in place of a name for one that is not configured."""
    names = list_remotes(git)
    if remote in names:
        return remote
    address = url or remote
    if address is None:
        return "origin" if "origin" in names else (names[0] if len(names) == 1 else None)
    for name in names:
        urls = decode_path(git.run("config", "--get-all", f"remote.{name}.url", accept=(0, 1))).split("\n")
        if address in urls:
            return name
    return None
