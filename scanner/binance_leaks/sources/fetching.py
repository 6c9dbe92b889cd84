"""Fetch what a shallow or partial clone lacks, with the user's own programs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from binance_leaks.errors import GitError
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.commits import default_remote, is_shallow
from binance_leaks.sources.git import Git
from binance_leaks.sources.plumbing import split
from binance_leaks.sources.urls import is_url

_DEPTHS = (50, 500)
_MOST_BLOBS = 100_000
_PROTOCOLS = "https:ssh:http"
_QUIET = (
    "--quiet", "--upload-pack=git-upload-pack", "--no-tags", "--recurse-submodules=no", "--no-write-fetch-head",
    "--no-auto-maintenance",
)  # fmt: skip


class Fetcher:
    """Fetch more and more of the history with git, as the clone was made.

    It has the addresses, headers and proxies of the clone. Programs are the user's own: nothing that the repository
    names is run, no hook, no command for ssh, no helper for logins; other protocols than https, ssh, http and file are
    refused.
    """

    def __init__(self, folder: str) -> None:
        local = Git(folder, inherit=True)
        remote = default_remote(local)
        url = decode_path(local.run("remote", "get-url", remote, accept=(0, 2, 128))) if remote is not None else ""
        is_remote = is_url(url.strip()) and not url.startswith("file:")
        protocols = _PROTOCOLS if is_remote else f"{_PROTOCOLS}:file"
        self._git = Git(folder, inherit=True, protocols=protocols, variables=_own_programs(folder))
        self._asked: set[str] = set()
        self._depths = list(_DEPTHS)
        self._unshallowed = False

    def more(self, wanted: Sequence[str]) -> bool:
        """Take the next step towards some commits or branches, deeper each time.

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
        """Fetch blobs of a partial clone. Blobs that the remote refuses remain missing."""
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
        """Fetch once; False where the remote refuses the request."""
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


def _own_programs(folder: str) -> dict[str, str]:
    """Variables by which git runs the programs of the user's own settings in place of those of the repository's.

    Settings that a variable gives come behind, and count.
    """
    own = Git(folder, inherit=True, variables={"GIT_DIR": f"{os.devnull}/none"})
    ssh = os.environ.get("GIT_SSH_COMMAND")
    if not ssh:
        configured = decode_path(own.run("config", "--get", "core.sshCommand", accept=(0, 1)).rstrip(b"\n"))
        ssh = configured or shlex.quote(os.environ.get("GIT_SSH") or "ssh")
    listed = split(own.run("config", "-z", "--get-regexp", r"^credential\.(.*\.)?helper$", accept=(0, 1)))
    helpers = [decode_path(entry).partition("\n")[::2] for entry in listed]
    given = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    settings = [("core.alternateRefsCommand", ":"), ("credential.helper", ""), *helpers]
    settings += [(os.environ[f"GIT_CONFIG_KEY_{at}"], os.environ[f"GIT_CONFIG_VALUE_{at}"]) for at in range(given)]
    return {
        "GIT_SSH_COMMAND": ssh,
        "GIT_ASKPASS": os.environ.get("GIT_ASKPASS", ""),
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{at}": name for at, (name, _) in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{at}": value for at, (_, value) in enumerate(settings)},
    }
