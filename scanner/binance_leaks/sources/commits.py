"""Refs and commits of a repository, what they change, and what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from binance_leaks.errors import GitError, GitLimitError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.path_bytes import decode_path
from binance_leaks.ref_order import is_made_by_forge, ref_order
from binance_leaks.sources.git import Git
from binance_leaks.sources.plumbing import raw_changes, split

_SUBMODULE = b"160000"
_MOST_TAGS = 100
_COMMITS_AT_ONCE, _MOST_UNLISTED = 100, 8
_PATHS_AT_ONCE = 200  # of a few hundred bytes each, as many as every system takes on a command line
_CHANGES = (
    "diff-tree", "--stdin", "-r", "--raw", "-z", "--no-abbrev", "--no-renames", "-O/dev/null",
)  # fmt: skip
_RENAMES = ("diff-tree", "-r", "--raw", "-z", "--no-abbrev", "-M", "-l2000", "-O/dev/null")


@dataclass(frozen=True, kw_only=True, slots=True)
class RevisionRange:
    """The commits that `heads` reach and `bases` do not. All are ids."""

    heads: tuple[str, ...]
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitChange:
    """A file whose content in a commit is in none of the commit's parents at its path.

    `blob` is None where the commit deletes it. `former` are the blobs that the parents have at this path, None for a
    parent that has none. A submodule's commit is in `submodule` in place of a blob.
    """

    commit: str
    path: bytes
    blob: str | None
    former: tuple[str | None, ...]
    submodule: bool = False

    @property
    def shown(self) -> str:
        """The path from the top of the tree, undecodable bytes as `decode_path` keeps them."""
        return decode_path(self.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedCommit:
    """A commit of a selection with its parents."""

    id: str
    parents: tuple[str, ...]


def resolve_commit(git: Git, revision: str) -> str | None:
    """The id of the commit that a revision names, None if there is none here."""
    if not revision or "\0" in revision or "\n" in revision:
        return None
    out = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", accept=(0, 1, 128))
    return out.decode("ascii").strip() or None


def resolve_short_id(git: Git, short: str) -> str | None:
    """The id of the only commit whose id begins so, regardless of branches and tags."""
    names = git.run("rev-parse", f"--disambiguate={short}").decode("ascii").split()
    commits = [name for name in names if resolve_commit(git, name) == name]
    return commits[0] if len(commits) == 1 else None


def merge_bases(git: Git, one: str, other: str) -> list[str]:
    """The best common ancestors of two commits; none if their histories are unrelated."""
    return git.run("merge-base", "--all", one, other, accept=(0, 1)).decode("ascii").split()


def is_shallow(git: Git) -> bool:
    """Whether the history was cut when it was cloned."""
    return git.run("rev-parse", "--is-shallow-repository").strip() == b"true"


def list_commits(git: Git, revisions: RevisionRange) -> list[ListedCommit]:
    """The commits of a selection, parents before their children.

    Raises GitError where a commit is missing that the walk would have to pass.
    """
    asked = "".join([*(f"{head}\n" for head in revisions.heads), *(f"^{base}\n" for base in revisions.bases)])
    out = git.run_with(asked, "rev-list", "--topo-order", "--reverse", "--parents", "--stdin").decode("ascii")
    found = []
    for line in out.splitlines():
        name, *parents = line.split(" ")
        found.append(ListedCommit(id=name, parents=tuple(parents)))
    return found


def shallow_boundary(git: Git, commits: Sequence[ListedCommit]) -> list[str]:
    """The commits whose parents a shallow clone has left out, so that what they change cannot be known."""
    path = decode_path(git.run("rev-parse", "--git-path", "shallow").rstrip(b"\n"))
    try:
        with open(os.path.join(git.folder, path), encoding="ascii") as stream:  # noqa: PTH118, PTH123
            boundary = set(stream.read().split())
    except (OSError, UnicodeDecodeError):
        return []
    return [commit.id for commit in commits if commit.id in boundary]


def list_changes(git: Git, commits: Sequence[ListedCommit], unlisted: list[str]) -> Iterator[CommitChange]:
    """What each commit changes, in their order; of a merge, what differs from every parent.

    Adds to `unlisted` the commits that change more than can be listed. Raises GitError where a tree is missing.
    """
    try:
        yield from _changes(git, commits, "-c", "--root")
    except GitLimitError:
        if len(commits) == 1:
            unlisted.append(commits[0].id)
            return
        step = _COMMITS_AT_ONCE if len(commits) > _COMMITS_AT_ONCE else 1
        for first in range(0, len(commits), step):
            if len(unlisted) >= _MOST_UNLISTED:  # each takes seconds
                unlisted += [commit.id for commit in commits[first:]]
                return
            yield from list_changes(git, commits[first : first + step], unlisted)


def list_parent_differences(git: Git, merges: Sequence[ListedCommit], paths: Sequence[bytes]) -> Iterator[CommitChange]:
    """The differences of some merges from each parent, at some paths.

    One change for each parent.
    """
    for first in range(0, len(paths), _PATHS_AT_ONCE):
        some = paths[first : first + _PATHS_AT_ONCE]
        yield from _changes(git, merges, "-m", "--", *map(decode_path, some))


def _changes(git: Git, commits: Sequence[ListedCommit], *options: str) -> Iterator[CommitChange]:
    if not commits:
        return
    fields = split(git.run_bounded("".join(f"{commit.id}\n" for commit in commits), *_CHANGES, *options))
    commit, at = "", 0
    while at < len(fields):
        field = fields[at]
        if not field.startswith(b":"):
            commit = field.decode("ascii")
            at += 1
            continue
        yield parse_change(commit, field, fields[at + 1])
        at += 2


def parse_change(commit: str, field: bytes, path: bytes) -> CommitChange:
    """An entry `::mode mode mode id id id MM`: one column for each parent, then that of the commit."""
    parents = len(field) - len(field.lstrip(b":"))
    words = field[parents:].split(b" ")
    modes, ids = words[: parents + 1], [word.decode("ascii") for word in words[parents + 1 : 2 * parents + 2]]
    former = tuple(
        None if mode == _SUBMODULE or not name.strip("0") else name
        for mode, name in zip(modes[:-1], ids[:-1], strict=True)
    )
    return CommitChange(
        commit=commit,
        path=path,
        blob=ids[-1] if ids[-1].strip("0") else None,
        former=former,
        submodule=modes[-1] == _SUBMODULE,
    )


def find_renames(git: Git, parent: str, commit: str) -> dict[bytes, tuple[bytes, str]]:
    """The old name and blob of each path of a commit that a parent has under another name.

    Returns None where git lacks the contents to compare.

    None where git lacks the contents that it would have to compare.
    """
    try:
        out = git.run_bounded("", *_RENAMES, parent, commit)
    except GitError:
        return {}
    return {path: (former, old) for status, _, old, _, path, former in raw_changes(out) if status in "RC"}


def blobs_at(git: Git, commits: Sequence[str], paths: Sequence[bytes]) -> list[dict[bytes, str]]:
    """For each commit the blobs that it has at some paths; without paths that it does not have."""
    found: list[dict[bytes, str]] = [{} for _ in commits]
    asked = [path for path in paths if b"\n" not in path and not path.endswith(b"\r")]
    out = git.run_with(
        "".join(f"{commit}:{decode_path(path)}\n" for commit in commits for path in asked),
        "cat-file",
        "--batch-check=%(objecttype) %(objectname)",
    )
    for (held, path), answer in zip(product(found, asked), out.split(b"\n"), strict=False):
        kind, _, name = answer.partition(b" ")
        if kind == b"blob":
            held[path] = name.decode("ascii")
    for (held, commit), path in product(zip(found, commits, strict=True), set(paths).difference(asked)):
        for entry in split(git.run("ls-tree", "-z", "--full-tree", commit, "--", decode_path(path))):
            head, _, name = entry.partition(b"\t")
            if name == path and b" blob " in head:
                held[path] = head.rpartition(b" ")[2].decode("ascii")
    return found


def tag_chain(git: Git, name: str) -> list[str]:
    """The annotated tags that an object is or leads to, itself first.

    Raises GitError where there is no end to them.
    """
    found: list[str] = []
    while len(found) < _MOST_TAGS:
        content = git.run("cat-file", "tag", name, accept=(0, 128))
        if not content.startswith(b"object "):
            return found
        found.append(name)
        name = decode_path(content[7 : content.index(b"\n")])
    raise GitError(f"tag {found[0]} leads to a tag, and so on, more than {_MOST_TAGS:,} times")


def list_remotes(git: Git) -> list[str]:
    """The names of the remotes."""
    return decode_path(git.run("remote")).split("\n")[:-1]


def list_tips(git: Git, prefix: str) -> dict[str, str]:
    """The refs below a prefix, such as `refs/remotes/origin/`, with their commits."""
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", prefix)
    targets = [decode_path(line).partition(" ") for line in listed.splitlines()]
    commits = peel_to_commits(git, (target for target, _, _ in targets))
    return {name: commits[target] for target, _, name in targets if target in commits}


def peel_to_commits(git: Git, names: Iterable[str]) -> dict[str, str]:
    """The ids of the commits that some objects are, or that tags lead to; of those that lead to one."""
    return {name: target.id for name, target in peel(git, names).items() if target.kind == "commit"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PeeledObject:
    """An object that is no tag: its id, and its kind as git calls it."""

    id: str
    kind: str


def peel(git: Git, names: Iterable[str]) -> dict[str, PeeledObject]:
    """What some objects are, or tags lead to, without those that lead to nothing that is here.

    git takes as long for an object that many refs name as for as many objects, so each is given to it once.
    """
    distinct = [name for name in dict.fromkeys(names) if name and "\0" not in name and "\n" not in name]
    if not distinct:
        return {}
    asked = "".join(f"{name}^{{}}\n" for name in distinct)
    answers = git.run_with(asked, "cat-file", "--batch-check", accept=(0, 128)).splitlines()
    fields = [answer.decode("utf-8", "replace").split() for answer in answers]
    return {
        name: PeeledObject(id=found[0], kind=found[1])
        for name, found in zip(distinct, fields, strict=False)
        if len(found) == 3 and found[1] in ("blob", "commit", "tree")
    }


def list_tree(git: Git, tree: str) -> list[tuple[bytes, str, bool]]:
    """Path and id of all files in a tree, and whether it is a submodule's commit.

    Raises GitError where a tree is missing, GitLimitError where there are too many to list.
    """
    found = []
    for entry in split(git.run_bounded("", "ls-tree", "-r", "-z", "--full-tree", tree)):
        head, _, path = entry.partition(b"\t")
        mode, _, name = head.split(b" ")
        found.append((path, name.decode("ascii"), mode == _SUBMODULE))
    return found


def resolve_existing(git: Git, revisions: Sequence[str]) -> list[str]:
    """The ids of those of some commits that are here, in their order."""
    return [name for revision in revisions if (name := resolve_commit(git, revision)) is not None]


_SHORT = ("refs/heads/", "refs/tags/", "refs/remotes/")
_STASH = "refs/stash"
_TIPS = ("refs/heads/", "refs/remotes/", "refs/notes/", "HEAD")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """A ref: its full name, the object that it names, and its commit, if any."""

    name: str
    target: bytes
    commit: bytes | None

    @property
    def shown(self) -> str:
        """The name as people write it: `main`, `origin/main`, `v1.0`, `refs/stash`."""
        prefix = next((prefix for prefix in _SHORT if self.name.startswith(prefix)), "")
        return self.name[len(prefix) :]

    @property
    def is_tip(self) -> bool:
        """Whether what it names is current: branches are, tags and stashes are of the past."""
        return self.name.startswith(_TIPS)

    @property
    def is_stash(self) -> bool:
        """Whether it is a stash, the latest or an older one."""
        return self.name == _STASH or self.name.startswith("stash@{")

    @property
    def is_remote(self) -> bool:
        """Whether a remote has it, or had."""
        return self.name.startswith("refs/remotes/") or is_made_by_forge(self.name)


def list_refs(git: Git) -> list[Ref]:
    """All refs, those that people know first, with the HEAD of a work tree that is on no branch, and older stashes.

    A ref that is broken, or whose commit is missing, leads to none.
    """
    targets: dict[str, bytes] = {}
    defaults = {decode_path(git.run("symbolic-ref", "--quiet", "HEAD", accept=(0, 1, 128)).strip())}
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname) %(symref)", accept=(0, 1, 128))
    for line in listed.splitlines():
        name, ref, symbolic = line.split(b" ")
        shown = decode_path(ref)
        if shown.startswith("refs/remotes/") and shown.endswith("/HEAD"):
            defaults.add(decode_path(symbolic))
        else:
            targets[shown] = bytes.fromhex(name.decode("ascii"))
    if _STASH in targets:
        older = git.run("rev-list", "--walk-reflogs", _STASH, "--", accept=(0, 128)).split()[1:]
        targets.update(
            {f"stash@{{{number}}}": bytes.fromhex(name.decode("ascii")) for number, name in enumerate(older, 1)}
        )
    detached = {f"HEAD {head.hex()[:12]}": head for head in _detached(git)}
    targets.update(detached)
    defaults.update(detached)
    named = sorted(targets.items(), key=lambda one: ref_order(one[0], defaults))
    commits = {
        bytes.fromhex(name): bytes.fromhex(commit)
        for name, commit in peel_to_commits(git, (target.hex() for _, target in named)).items()
    }
    return [Ref(name=shown, target=target, commit=commits.get(target)) for shown, target in named]


def object_types(git: Git, names: Sequence[bytes]) -> dict[bytes, str]:
    """The types of those of some objects that exist."""
    out = git.run_with("".join(f"{name.hex()}\n" for name in names), "cat-file", "--batch-check", accept=(0, 128))
    fields = (line.split() for line in out.splitlines())
    return {bytes.fromhex(line[0].decode("ascii")): line[1].decode("ascii") for line in fields if len(line) == 3}


def _detached(git: Git) -> list[bytes]:
    try:
        listed = git.run("worktree", "list", "--porcelain").decode("utf-8", "replace")
    except GitError:
        return []
    heads = []
    for block in listed.split("\n\n"):
        lines = block.split("\n")
        if "detached" in lines:
            heads += [bytes.fromhex(line[5:]) for line in lines if line.startswith("HEAD ") and set(line[5:]) != {"0"}]
    return heads


def default_remote(git: Git) -> str | None:
    """The remote that a clone comes from: `origin`, else the only one."""
    remotes = list_remotes(git)
    if "origin" in remotes:
        return "origin"
    return remotes[0] if len(remotes) == 1 else None
