"""The refs of a repository: what they are called and where they lead."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from binance_leaks.errors import GitError
from binance_leaks.sources.git import Git

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


def list_refs(git: Git) -> list[Ref]:
    """All refs, sorted by name; a HEAD that is on no branch is one of them, in every work tree.

    A ref that is broken, or whose commit is missing, leads to none.
    """
    targets: dict[str, bytes] = {}
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", accept=(0, 1, 128))
    for line in listed.splitlines():
        name, _, ref = line.partition(b" ")
        shown = os.fsdecode(ref)
        if not (shown.startswith("refs/remotes/") and shown.endswith("/HEAD")):
            targets[shown] = bytes.fromhex(name.decode("ascii"))
    targets.update({f"HEAD {head.hex()[:12]}": head for head in _detached(git)})
    named = sorted(targets.items())
    asked = "".join(f"{target.hex()}^{{commit}}\n" for _, target in named)
    answers = git.run_with(asked, "cat-file", "--batch-check", accept=(0, 128)).splitlines()
    refs = []
    for number, (shown, target) in enumerate(named):
        fields = answers[number].split() if number < len(answers) else []
        commit = bytes.fromhex(fields[0].decode("ascii")) if len(fields) == 3 and fields[1] == b"commit" else None
        refs.append(Ref(name=shown, target=target, commit=commit))
    return refs


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
