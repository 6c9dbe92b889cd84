"""The refs of a repository: what they are called and where they lead."""

from __future__ import annotations

import os
from dataclasses import dataclass

from scanner.errors import GitError
from scanner.sources.git import Git

_SHORT = ("refs/heads/", "refs/tags/", "refs/remotes/")
_TIPS = ("refs/heads/", "refs/remotes/", "refs/notes/", "HEAD")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """A ref: its full name, the object that it names, and the commit that this leads to, if any."""

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
        """Whether what it names stands in the repository today: branches do, tags and stashes are of the past."""
        return self.name.startswith(_TIPS)

    @property
    def is_remote(self) -> bool:
        """Whether it remembers what a remote has."""
        return self.name.startswith("refs/remotes/")


def refs_of(git: Git) -> list[Ref]:
    """All refs, sorted by name; a HEAD that is on no branch is one of them, in every work tree."""
    found: dict[str, Ref] = {}
    for line in git.run("show-ref", "--dereference", accept=(0, 1)).splitlines():
        name, _, ref = line.partition(b" ")
        peeled = ref.endswith(b"^{}")
        shown = os.fsdecode(ref[:-3] if peeled else ref)
        target = found[shown].target if peeled and shown in found else bytes.fromhex(name.decode("ascii"))
        found[shown] = Ref(name=shown, target=target, commit=bytes.fromhex(name.decode("ascii")))
    for head in _detached(git):
        found.setdefault(f"HEAD {head.hex()[:12]}", Ref(name=f"HEAD {head.hex()[:12]}", target=head, commit=head))
    commits = _commits(git, {ref.commit for ref in found.values() if ref.commit is not None})
    return [
        ref if ref.commit in commits else Ref(name=ref.name, target=ref.target, commit=None)
        for _, ref in sorted(found.items())
        if not ref.name.startswith("refs/remotes/") or not ref.name.endswith("/HEAD")
    ]


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


def _commits(git: Git, names: set[bytes]) -> set[bytes]:
    """Those of some objects that are commits."""
    out = git.run_with("".join(f"{name.hex()}\n" for name in sorted(names)), "cat-file", "--batch-check")
    fields = (line.split() for line in out.splitlines())
    return {bytes.fromhex(line[0].decode("ascii")) for line in fields if len(line) > 1 and line[1] == b"commit"}
