"""Fetch what a shallow or partial clone lacks, with the user's own settings and programs.

The settings of the clone may be hostile: they could name programs, files to write and read, proxies. So git fetches in
a repository of its own that has the objects of the clone, copies of its refs, and few of its settings.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from binance_leaks.errors import GitError
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.path_bytes import decode_path, encode_path
from binance_leaks.sources.commits import default_remote, is_shallow, resolve_commit
from binance_leaks.sources.git import Git
from binance_leaks.sources.git_watch import UNTRUSTED
from binance_leaks.sources.plumbing import environment, split
from binance_leaks.sources.transport import (
    LOCAL_UPLOAD_PACK,
    PATIENCE,
    ending_with_us,
    explain_failure,
    follow,
    ssh_without_prompts,
    transport_settings,
)
from binance_leaks.sources.urls import is_url, redact_url
from binance_leaks.temporary_folders import temporary_folder
from binance_leaks.writing import edit_file

_DEPTHS = (50, 500)
_MOST_BLOBS = 100_000
_PROTOCOLS = "https:ssh:http"
_REMOTE = "origin"
"""How the remote is called where git fetches: the clone's own name for it could be an option."""
_QUIET = ("--progress", "--no-tags", "--recurse-submodules=no", "--no-write-fetch-head", "--no-auto-maintenance")
_TAKEN = lazy_pattern(
    r"http\.(?:.*\.)?(?:extraheader|version|sslcainfo|sslcapath)|url\..*\.insteadof|credential\.(?:.*\.)?username"
    r"|core\.sharedrepository",
    re.DOTALL,
)
"""The settings of the clone that count: what CI systems put there, and what can do no harm.

None of them names a program, a file that git writes or sends, or another way to the host than the user's own: a proxy
with a certificate authority beside it would get the logins that the user's helpers have for any host. One on this
machine may be used, as Bitbucket Pipelines has it.
"""
_PROXY = lazy_pattern(r"http\.(?:.*\.)?proxy", re.DOTALL)
_ON_THIS_MACHINE = lazy_pattern(r"(?:https?://)?(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?/?")
_TAKEN_OF_REMOTE = ("url", "fetch", "partialclonefilter")
_LEFT = lazy_pattern(
    r"http\..*|credential\..*|core\.(?:sshcommand|askpass|gitproxy)|ssh\.variant|remote\..*\.(?:proxy.*|uploadpack)",
    re.DOTALL,
)
"""Settings that can be the reason why a fetch fails where they do not count."""
_PROMISOR = lazy_pattern(r"remote\..*\.promisor", re.DOTALL)
_HELPER = lazy_pattern(r"[A-Za-z0-9+.-]*::")
_REFUSED = ("not our ref", "couldn't find remote ref", "unadvertised object")
_NO_HELPER = "Only https, ssh, http and file are used. Fetch the rest of the history before, without --fetch."
_SPACE = "Free some space, or point TMPDIR at a larger disk."
_AGAIN = "Is the remote reachable from here?"
_REF_SETTINGS = ("-c", "core.logAllRefUpdates=false", "-c", "core.filesRefLockTimeout=100")
"""Settings of git that writes refs: no new logs; the clone could have it wait for ever until a ref is unlocked."""
_OF_A_REPOSITORY = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR", "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
        "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
    }
)  # fmt: skip


class Fetcher:
    """Fetch more and more of the history with git, as the clone was made.

    It has the addresses, headers and certificate authorities of the clone, and proxies of it that are on this machine.
    All else, and every program, is the user's own: nothing that the repository names is run, no hook, no command for
    ssh, no helper for logins or protocols; other protocols than https, ssh, http and file are refused.

    A remote that is silent for `patience` seconds is given up; for the first answer it has twice that.
    """

    def __init__(self, folder: str, *, patience: int = PATIENCE) -> None:
        self._clone = Git(folder)
        self._patience = patience
        self._asked: set[str] = set()
        self._depths = list(_DEPTHS)
        self._unshallowed = False

    def more(self, wanted: Sequence[str]) -> bool:
        """Take the next step towards some commits or branches, deeper each time.

        `wanted` are ids or refspecs. False where there is nothing left to try. Raises GitError where the remote does
        not answer.
        """
        new = [one for one in wanted if one not in self._asked]
        if new:
            self._asked.update(new)
            depth = ("--depth=1",) if is_shallow(self._clone) else ()
            brought = [one for one in new if self._fetch(*depth, refs=(one,))]
            if brought:
                return True
        return self._deepen(wanted)

    def blobs(self, names: Sequence[str]) -> None:
        """Fetch blobs of a partial clone. Blobs that the remote refuses remain missing."""
        self._run("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--filter=blob:none", refs=names[:_MOST_BLOBS])

    def _deepen(self, wanted: Sequence[str]) -> bool:
        if self._unshallowed or not is_shallow(self._clone):
            return False
        if self._depths and self._fetch(f"--deepen={self._depths.pop(0)}", refs=wanted):
            return True
        self._unshallowed = True
        if not self._fetch("--unshallow", refs=()):
            raise GitError("the remote does not give more of the history", hint="Clone with the whole history.")
        return True

    def _fetch(self, *options: str, refs: Sequence[str]) -> bool:
        """Fetch once; False where the remote refuses the request."""
        status, lines = self._run("fetch", *options, refs=refs)
        if status and not any(word in line for line in lines for word in _REFUSED):
            message, hint = explain_failure(lines, again=_AGAIN)
            raise GitError(f"git fetch: {_without_logins(message)}", hint=f"{hint} {self._left_out()}".strip())
        return not status

    def _run(self, *words: str, refs: Sequence[str]) -> tuple[int, list[str]]:
        """Run git where it may fetch, and take over what it brought. Returns its status and last messages."""
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(temporary_folder("fetch"))
                before = self._copy_refs(folder)
            except OSError as error:
                raise GitError(f"no folder to fetch in can be made: {error.strerror}", hint=_SPACE) from None
            fetching, reading = self._git_in(folder)
            if any("\n" in one for one in refs):
                raise GitError("the name of a ref has a line break")
            asked = folder / "asked"
            asked.write_bytes(encode_path("".join(f"{one}\n" for one in refs)))
            options = [*transport_settings(self._patience), *words, *reading, *_QUIET, "--stdin", _REMOTE]
            with (
                asked.open("rb") as stdin,
                ending_with_us(lambda: fetching.start_session(*options, stdin=stdin)) as process,
            ):
                if process.stderr is None:
                    raise GitError("git could not be spoken to")
                with process.stderr:
                    status, lines = follow(process, process.stderr, self._patience)
            if not status:
                self._take_over(folder, fetching, before)
        return status, lines

    def _copy_refs(self, folder: Path) -> dict[str, str]:
        """Make the repository where git fetches; return its refs."""
        refs = _refs(self._clone)
        (folder / "refs").mkdir()
        lines = "".join(f"{name} {ref}\n" for ref, name in refs.items())
        (folder / "packed-refs").write_bytes(encode_path(lines))
        (folder / "HEAD").write_text(f"{resolve_commit(self._clone, 'HEAD') or 'ref: refs/heads/none'}\n", "ascii")
        kind = self._clone.run("rev-parse", "--show-object-format").decode("ascii").strip()
        extension = f"[extensions]\n\tobjectFormat = {kind}\n" if kind != "sha1" else ""
        version = 1 if extension else 0
        (folder / "config").write_text(f"[core]\n\trepositoryFormatVersion = {version}\n\tbare = true\n{extension}")
        if shallow := _content(self._shallow):
            (folder / "shallow").write_bytes(shallow)
        return refs

    def _git_in(self, folder: Path) -> tuple[Git, tuple[str, ...]]:
        """git that may fetch there, and its options to read from the remote. Raises GitError for a strange address."""
        own, ssh = self._own
        given = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
        settings = [("core.alternateRefsCommand", ":"), *self._taken]
        settings += [(os.environ[f"GIT_CONFIG_KEY_{at}"], os.environ[f"GIT_CONFIG_VALUE_{at}"]) for at in range(given)]
        variables = {
            **own,
            "GIT_DIR": str(folder),
            "GIT_OBJECT_DIRECTORY": str(self._objects),
            "GIT_SSH_COMMAND": ssh_without_prompts(ssh, self._patience),
            "GIT_ASKPASS": os.environ.get("GIT_ASKPASS", ""),
            "GIT_CONFIG_COUNT": str(len(settings)),
            **{f"GIT_CONFIG_KEY_{at}": name for at, (name, _) in enumerate(settings)},
            **{f"GIT_CONFIG_VALUE_{at}": value for at, (_, value) in enumerate(settings)},
        }
        top = self._top
        address = decode_path(Git(top, variables=variables).run("ls-remote", "--get-url", _REMOTE)).strip()
        if address == _REMOTE:
            raise GitError("the remote of this clone has no address")
        if _HELPER.match(address):
            raise GitError("the remote's address names a helper program", hint=_NO_HELPER)
        if is_url(address) and not address.startswith("file:"):
            return Git(top, variables={**variables, "GIT_ALLOW_PROTOCOL": _PROTOCOLS}), ()
        local = {**variables, "GIT_ALLOW_PROTOCOL": "file"}
        return Git(top, variables=local), (f"--upload-pack={LOCAL_UPLOAD_PACK}",)

    @cached_property
    def _top(self) -> str:
        """Where git fetches: an address can be relative to it."""
        return self._clone.top()

    @cached_property
    def _objects(self) -> Path:
        return self._path("objects")

    @cached_property
    def _shallow(self) -> Path:
        return self._path("shallow")

    @cached_property
    def _own(self) -> tuple[dict[str, str], str]:
        """The variables of the user that do not concern a repository, and the user's own command for ssh."""
        outside = Git(self._clone.folder, inherit=True, variables={"GIT_DIR": f"{os.devnull}/none"})
        configured = decode_path(outside.run("config", "--get", "core.sshCommand", accept=(0, 1)).rstrip(b"\n"))
        ssh = os.environ.get("GIT_SSH_COMMAND") or configured or shlex.quote(os.environ.get("GIT_SSH") or "ssh")
        variables = environment(inherit=True)
        return {
            name: value for name, value in variables.items() if name.startswith("GIT_") and name not in _OF_A_REPOSITORY
        }, ssh

    @cached_property
    def _local_settings(self) -> list[tuple[str, str]]:
        """The settings of the clone itself, in their order, with the name of a key in lower case."""
        listed = split(self._clone.run("config", "--list", "--show-scope", "--includes", "-z"))
        found = []
        for scope, entry in zip(listed[::2], listed[1::2], strict=True):
            if scope in (b"local", b"worktree"):
                name, has_value, value = decode_path(entry).partition("\n")
                found.append((name, value if has_value else "true"))
        return found

    @cached_property
    def _taken(self) -> list[tuple[str, str]]:
        """The settings of the clone with which git fetches."""
        remote = default_remote(self._clone)
        if remote is None:
            raise GitError("this clone has no remote to fetch from", hint="Give the base with --base.")
        found = []
        is_partial = False
        for name, value in self._local_settings:
            key = name.removeprefix(f"remote.{remote}.")
            if name != key and key == "vcs":
                raise GitError(f"the remote needs a helper program: {name}", hint=_NO_HELPER)
            if name != key and key in _TAKEN_OF_REMOTE:
                found.append((f"remote.{_REMOTE}.{key}", value))
            elif _counts(name, value):
                found.append((name, value))
            elif name == "extensions.partialclone" or _PROMISOR.fullmatch(name):
                is_partial = is_partial or value.lower() not in ("", "false", "no", "off", "0")
        return [*found, (f"remote.{_REMOTE}.promisor", "true")] if is_partial else found

    def _left_out(self) -> str:
        """Which settings of the clone do not count, and how they would; empty without."""
        settings = dict(self._local_settings)
        left = [name for name, value in settings.items() if _LEFT.fullmatch(name) and not _counts(name, value)]
        if not left:
            return ""
        shown = ", ".join(_without_logins(name) for name in left)
        return (
            f"These settings of the clone are not used: {shown}. "
            'If you trust one: git config --global NAME "$(git config NAME)"'
        )

    def _take_over(self, folder: Path, fetching: Git, before: dict[str, str]) -> None:
        """Give the clone what git has fetched: where the history now ends, then the branches of the remote."""
        shallow = self._shallow
        old, new = _content(shallow), _content(folder / "shallow")
        try:
            if old is not None and new is None:
                shallow.unlink()
            elif new is not None and old != new:
                edit_file(shallow, old, new)
        except OSError as error:
            raise GitError(f"{shallow} cannot be written: {error.strerror}") from None
        changed = [
            (ref, name)
            for ref, name in _refs(fetching).items()
            if before.get(ref) != name and ref.startswith("refs/remotes/") and not ref.endswith("/HEAD")
        ]
        for ref, _ in changed:
            self._check_no_link(ref)
        # A new one may exist as a link to a missing branch, which newer versions of git do not take for nothing.
        text = "".join(f"update {ref} {name} {before.get(ref, '')}".rstrip() + "\n" for ref, name in changed)
        if text:
            self._clone.run_with(text, *_REF_SETTINGS, "update-ref", "--no-deref", "--stdin")

    def _check_no_link(self, ref: str) -> None:
        """Raise GitError where git would follow a link as it writes a ref, and append to the files of its log.

        `HEAD` can name the ref, and then has a log of it, too.
        """
        for name in (ref, f"logs/{ref}", "logs/HEAD"):
            path = self._path(name)
            top = Path(str(path).removesuffix(name))
            if path.resolve() != top.resolve() / name:
                raise GitError(f"git would follow a link: {path}", hint=UNTRUSTED)

    def _path(self, name: str) -> Path:
        """Where the clone has one of git's files."""
        out = decode_path(self._clone.run("rev-parse", "--git-path", name).removesuffix(b"\n"))
        return Path(os.path.abspath(os.path.join(self._clone.folder, out)))  # noqa: PTH100, PTH118


def _counts(name: str, value: str) -> bool:
    if _PROXY.fullmatch(name):
        return not value or _ON_THIS_MACHINE.fullmatch(value) is not None
    return _TAKEN.fullmatch(name) is not None


def _refs(git: Git) -> dict[str, str]:
    """All refs with the ids of their objects."""
    out = decode_path(git.run("for-each-ref", "--format=%(refname) %(objectname)"))
    return dict(line.rpartition(" ")[::2] for line in out.split("\n")[:-1])


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _without_logins(text: str) -> str:
    """A text in which the addresses have no login."""
    return re.sub(r"[a-z][a-z0-9+.-]{0,40}://[^\s']+", lambda found: redact_url(found[0]), text)
