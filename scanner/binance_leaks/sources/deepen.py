"""Fetch commits and blobs that a shallow or partial clone lacks."""

from __future__ import annotations

from collections.abc import Sequence

from binance_leaks.errors import GitError
from binance_leaks.sources.commits import is_shallow, list_remotes
from binance_leaks.sources.git import Git

_DEPTHS = (50, 500)
_MOST_BLOBS = 100_000
_PROTOCOLS = "https:ssh:http:file"
_QUIET = ("--quiet", "--no-tags", "--recurse-submodules=no", "--no-write-fetch-head", "--no-auto-maintenance")


class Fetcher:
    """Fetches more and more of the history with git, with the settings and the login that the clone was made with.

    Nothing of the repository's own is run for it: no hook, no submodule; other protocols than https, ssh, http and file
    are refused.
    """

    def __init__(self, folder: str) -> None:
        self._git = Git(folder, inherit=True, protocols=_PROTOCOLS)
        self._asked: set[str] = set()
        self._depths = list(_DEPTHS)
        self._unshallowed = False

    def more(self, wanted: Sequence[str]) -> bool:
        """Take the next step towards some commits or branches: at first these, then ever deeper.

        `wanted` are ids or refspecs. False where there is nothing left to try. Raises GitError where the remote does
        not answer.
        """
        remote = self._remote()
        new = [one for one in wanted if one not in self._asked]
        if new:
            self._asked.update(new)
            depth = ("--depth=1",) if is_shallow(self._git) else ()
            brought = [one for one in new if self._fetch(*depth, "--end-of-options", remote, one)]
            if brought:
                return True
        return self._deepen(remote, wanted)

    def blobs(self, names: Sequence[str]) -> None:
        """Fetch blobs of a partial clone. What the remote refuses stays missing."""
        asked = "".join(f"{name}\n" for name in names[:_MOST_BLOBS])
        self._git.run_with(
            asked, "-c", "fetch.negotiationAlgorithm=noop", "fetch", *_QUIET, "--filter=blob:none", "--stdin",
            self._remote(), accept=(0, 1, 128),
        )  # fmt: skip

    def _deepen(self, remote: str, wanted: Sequence[str]) -> bool:
        if self._unshallowed or not is_shallow(self._git):
            return False
        if self._depths and self._fetch(f"--deepen={self._depths.pop(0)}", "--end-of-options", remote, *wanted):
            return True
        self._unshallowed = True
        if not self._fetch("--unshallow", remote):
            raise GitError("the remote does not give more of the history", hint="Clone with the whole history.")
        return True

    def _fetch(self, *arguments: str) -> bool:
        """One fetch; False where the remote refuses what is asked for."""
        try:
            self._git.run("fetch", *_QUIET, *arguments)
        except GitError as error:
            if any(word in str(error) for word in ("not our ref", "couldn't find remote ref", "unadvertised object")):
                return False
            raise GitError(f"git fetch: {error}", hint=error.hint or "Is the remote reachable from here?") from None
        return True

    def _remote(self) -> str:
        remote = default_remote(self._git)
        if remote is None:
            raise GitError("this clone has no remote to fetch from", hint="Give the base with --base.")
        return remote


def default_remote(git: Git) -> str | None:
    """The remote that a clone comes from: `origin`, else the only one."""
    remotes = list_remotes(git)
    if "origin" in remotes:
        return "origin"
    return remotes[0] if len(remotes) == 1 else None
