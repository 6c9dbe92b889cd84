"""The objects that refs reach, from some branches or since a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from binance_leaks.errors import GitError, UsageError
from binance_leaks.sources.commits import list_refs
from binance_leaks.sources.git import Git


@dataclass(frozen=True, kw_only=True, slots=True)
class ReachableObjects:
    """The objects that a walk from refs found, and those that it found missing."""

    names: frozenset[bytes]
    missing: frozenset[bytes]
    cut_short: str | None = None

    def takes_all(self) -> bool:
        """Return False."""
        return False

    def takes_blob(self, name: bytes) -> bool:
        """Whether the walk found the object."""
        return name in self.names

    takes_message = takes_blob


def walk_refs(git: Git, *, branches: Sequence[str], since: str | None) -> ReachableObjects:
    """Walk from the given branches, or from all refs if there are none, to what was added `since` a date.

    Raises UsageError for an unknown branch. Where git cannot walk to the end, `cut_short` says why.
    """
    tips = [_resolve_branch(git, branch) for branch in branches]
    if not tips:
        refs = list_refs(git)
        tips = [(ref.target if since is None else ref.commit or b"").hex() for ref in refs]
    tips = [tip for tip in tips if tip]
    if since is not None:
        _check_date(git, since)
        listed = git.run_with("\n".join(tips) + "\n", "rev-list", "--boundary", f"--since={since}", "--stdin")
        names = listed.decode("ascii").split()
        tips = [name for name in names if not name.startswith("-")]
        tips += [f"^{name[1:]}" for name in names if name.startswith("-")]
    tags = _list_tags_since(git, since) if since is not None and not branches else set()
    if not tips:
        return ReachableObjects(names=frozenset(tags), missing=frozenset())
    arguments = ("rev-list", "--objects", "--missing=print", "--no-object-names", "--stdin")
    cut_short = None
    try:
        out = git.run_with("\n".join(tips) + "\n", *arguments)
    except GitError as error:
        out, cut_short = git.run_with("\n".join(tips) + "\n", *arguments, accept=(0, 128)), str(error)
    found: set[bytes] = set()
    missing: set[bytes] = set()
    for line in out.split():
        if line.startswith(b"?"):
            missing.add(bytes.fromhex(line[1:].decode("ascii")))
        else:
            found.add(bytes.fromhex(line.decode("ascii")))
    return ReachableObjects(names=frozenset(found | tags), missing=frozenset(missing), cut_short=cut_short)


def _is_ref(git: Git, name: str) -> bool:
    """Whether there is a ref of exactly this name; a range or an expression is not one."""
    return bool(git.run("for-each-ref", "--format=%(refname)", "--count=1", name, accept=(0, 1, 128)).strip())


def _list_tags_since(git: Git, since: str) -> set[bytes]:
    """The annotated tags that were made since a date; their messages are as old as they."""
    oldest = int(git.run("rev-parse", f"--since={since}").decode("ascii").strip().removeprefix("--max-age="))
    listed = git.run("for-each-ref", "--format=%(objecttype) %(objectname) %(creatordate:unix)", accept=(0, 1, 128))
    fields = [line.split() for line in listed.splitlines()]
    return {
        bytes.fromhex(line[1].decode("ascii"))
        for line in fields
        if len(line) == 3 and line[0] == b"tag" and int(line[2]) >= oldest
    }


def _check_date(git: Git, since: str) -> None:
    """Raise UsageError for what git does not understand, which it takes for the present."""
    resolved = git.run("rev-parse", f"--since={since}").decode("ascii").strip().removeprefix("--max-age=")
    now = git.run("rev-parse", "--since=now").decode("ascii").strip().removeprefix("--max-age=")
    if not since.strip() or int(resolved) >= int(now) - 1:
        raise UsageError(f"--since {since}: not a date in the past", hint="Such as 2024-01-31, or 2.weeks.ago.")


def _resolve_branch(git: Git, branch: str) -> str:
    whole = (branch,) if branch == "HEAD" or branch.startswith("refs/") else ()
    for name in (f"refs/heads/{branch}", f"refs/remotes/{branch}", f"refs/tags/{branch}", *whole):
        if name != "HEAD" and not _is_ref(git, name):
            continue
        out = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", accept=(0, 1, 128))
        if out.strip():
            return out.decode("ascii").strip()
    raise UsageError(f"no such branch: {branch}", hint="`git branch --all` lists them.")
