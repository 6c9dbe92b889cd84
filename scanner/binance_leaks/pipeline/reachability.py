"""Which objects a scan looks at: all, those that some refs reach, those since a date, those not scanned before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from binance_leaks.errors import GitError, UsageError
from binance_leaks.sources.commits import list_refs
from binance_leaks.sources.git import Git


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """The objects that a walk from refs has met, and those that were missing on its way."""

    names: frozenset[bytes]
    missing: frozenset[bytes]
    cut_short: str | None = None

    def whole(self) -> bool:
        """No."""
        return False

    def takes(self, name: bytes) -> bool:
        """Whether the walk met the object."""
        return name in self.names

    takes_message = takes


def reached(git: Git, *, branches: Sequence[str], since: str | None) -> Reached:
    """What the given branches reach, or all refs where none is given, and no more than what came in `since` a date.

    Raises UsageError for an unknown branch. Where git cannot walk to the end, `cut_short` says why.
    """
    tips = [_resolved(git, branch) for branch in branches]
    if not tips:
        refs = list_refs(git)
        tips = [(ref.target if since is None else ref.commit or b"").hex() for ref in refs]
    tips = [tip for tip in tips if tip]
    if since is not None:
        _refuse_date(git, since)
        listed = git.run_with("\n".join(tips) + "\n", "rev-list", "--boundary", f"--since={since}", "--stdin")
        names = listed.decode("ascii").split()
        tips = [name for name in names if not name.startswith("-")]
        tips += [f"^{name[1:]}" for name in names if name.startswith("-")]
    tags = _tags_since(git, since) if since is not None and not branches else set()
    if not tips:
        return Reached(names=frozenset(tags), missing=frozenset())
    arguments = ("rev-list", "--objects", "--missing=print", "--no-object-names", "--stdin")
    cut_short = None
    try:
        out = git.run_with("\n".join(tips) + "\n", *arguments)
    except GitError as error:
        out, cut_short = git.run_with("\n".join(tips) + "\n", *arguments, accept=(0, 128)), str(error)
    met: set[bytes] = set()
    missing: set[bytes] = set()
    for line in out.split():
        if line.startswith(b"?"):
            missing.add(bytes.fromhex(line[1:].decode("ascii")))
        else:
            met.add(bytes.fromhex(line.decode("ascii")))
    return Reached(names=frozenset(met | tags), missing=frozenset(missing), cut_short=cut_short)


def _is_ref(git: Git, name: str) -> bool:
    """Whether there is a ref of exactly this name; a range or an expression is none."""
    return bool(git.run("for-each-ref", "--format=%(refname)", "--count=1", name, accept=(0, 1, 128)).strip())


def _tags_since(git: Git, since: str) -> set[bytes]:
    """The annotated tags that were made since a date; their messages came in with them."""
    oldest = int(git.run("rev-parse", f"--since={since}").decode("ascii").strip().removeprefix("--max-age="))
    listed = git.run("for-each-ref", "--format=%(objecttype) %(objectname) %(creatordate:unix)", accept=(0, 1, 128))
    fields = [line.split() for line in listed.splitlines()]
    return {
        bytes.fromhex(line[1].decode("ascii"))
        for line in fields
        if len(line) == 3 and line[0] == b"tag" and int(line[2]) >= oldest
    }


def _refuse_date(git: Git, since: str) -> None:
    """Raises UsageError for what git does not understand: it takes that for now."""
    asked = git.run("rev-parse", f"--since={since}").decode("ascii").strip().removeprefix("--max-age=")
    now = git.run("rev-parse", "--since=now").decode("ascii").strip().removeprefix("--max-age=")
    if not since.strip() or int(asked) >= int(now) - 1:
        raise UsageError(f"--since {since}: no date in the past", hint="Such as 2024-01-31, or 2.weeks.ago.")


def _resolved(git: Git, branch: str) -> str:
    whole = (branch,) if branch == "HEAD" or branch.startswith("refs/") else ()
    for name in (f"refs/heads/{branch}", f"refs/remotes/{branch}", f"refs/tags/{branch}", *whole):
        if name != "HEAD" and not _is_ref(git, name):
            continue
        out = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", accept=(0, 1, 128))
        if out.strip():
            return out.decode("ascii").strip()
    raise UsageError(f"no such branch: {branch}", hint="`git branch --all` lists them.")
