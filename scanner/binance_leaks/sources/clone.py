"""Clone the repository at a URL as a bare mirror on disk.

The repository may be hostile and so may its server. Only https, ssh and files are spoken; no template, hook, submodule,
LFS filter, helper program or prompt of anybody but the user is run. The user's own settings hold: proxies,
certificates, credential helpers, the ssh command. Credentials of a URL reach git in its environment only: neither the
list of processes nor the settings of the mirror nor any error shows them.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING, TypeAlias

from binance_leaks.errors import GitError, UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.plumbing import SETTINGS, environment, find_program
from binance_leaks.sources.transport import (
    LOCAL_UPLOAD_PACK,
    PATIENCE,
    RunningGit,
    ending_with_us,
    explain_failure,
    follow,
    ssh_without_prompts,
    transport_settings,
)
from binance_leaks.sources.urls import ALLOWED, RemoteAddress, parse_address
from binance_leaks.sources.urls import is_url as is_url
from binance_leaks.sources.urls import redact_url as redact_url
from binance_leaks.temporary_folders import remove_folder, temporary_folder

if TYPE_CHECKING:
    from git import Git as GitRunner

_SETTINGS = (
    "clone.defaultRemoteName=origin", "clone.rejectShallow=false", "fetch.unpackLimit=1",
    "transfer.fsckObjects=false", "fetch.fsckObjects=false",  # what is damaged is scanned as far as it goes
)  # fmt: skip
_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": ":".join(ALLOWED),
    "GIT_ASKPASS": "",  # set and empty: git starts no program, not even a configured one
    "GIT_LFS_SKIP_SMUDGE": "1",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
}
_OF_THE_USER = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH",
                "GIT_SSH_VARIANT")  # fmt: skip
_LOGIN = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$CLONE_USER" "$CLONE_PASSWORD"; }; f'
_OF_A_MIRROR = lazy_pattern(
    r"core\.(?:repositoryformatversion|filemode|bare|ignorecase|precomposeunicode|symlinks|logallrefupdates)"
    r"|extensions\.(?:objectformat|refstorage)|remote\.origin\.(?:url|fetch|mirror|tagopt)"
)
_AGAIN = "Try again, or clone it yourself and give the folder."


@dataclass(frozen=True, kw_only=True, slots=True)
class CloneProgress:
    """How far a clone has come.

    `phase` is what is done now; `done` and `total` count objects, or deltas.
    """

    phase: str
    done: int
    total: int | None


Report: TypeAlias = Callable[[CloneProgress], None]
"""Receives the progress; an exception that it raises ends the clone."""


def clone_mirror(url: str, folder: Path, progress: Report, *, patience: int = PATIENCE) -> None:
    """Clone all refs of a repository into a new or empty folder.

    The repository is at a URL or on this disk.

    A host that is silent for `patience` seconds is given up; for the first answer it has twice that. On any error or
    interrupt no process is left and nothing in the folder. Raises UsageError where the URL is not allowed or the
    folder is not empty, GitError where the clone fails, and what `progress` raises.
    """
    address = parse_address(url)
    folder = folder.resolve()
    _check_local(address)
    existed = folder.exists()
    if existed and not _is_empty(folder):
        raise UsageError(f"not an empty folder: {folder}")
    options = ("--mirror", "--no-local", "--template=", "--progress", *_reading(address))
    words = ("clone", *options, "--", address.plain, str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}") from None
    try:
        _run(words, address, folder, progress, patience)
    except BaseException:
        remove_folder(folder)
        if existed:
            folder.mkdir(exist_ok=True)
        raise


@contextmanager
def temporary_clone(url: str, progress: Report, *, patience: int = PATIENCE) -> Iterator[Path]:
    """A mirror of the repository at a URL that is always removed at the end.

    Raises as `clone_mirror`.
    """
    parse_address(url)
    with temporary_folder("mirror") as above:
        folder = above / "mirror.git"
        clone_mirror(url, folder, progress, patience=patience)
        yield folder


def update_clone(url: str, folder: Path, progress: Report, *, patience: int = PATIENCE) -> None:
    """Clone into a folder that is kept, or update the mirror of the same URL in it.

    Refs that are gone at the URL are removed from the mirror, too; their objects remain. Raises as `clone_mirror`, and
    UsageError where something else is in the folder.
    """
    address = parse_address(url)
    if not folder.exists() or _is_empty(folder):
        clone_mirror(url, folder, progress, patience=patience)
        return
    folder = folder.resolve()
    if _mirrored(folder) != address.plain:
        raise UsageError(
            f"{folder} holds something else than a mirror of {address.shown}",
            hint="Give an empty folder, or the one that an earlier run made for this URL.",
        )
    options = ("--prune", "--force", "--progress", *_reading(address))
    words = (f"--git-dir={folder}", "fetch", *options, "--", address.plain, "+refs/*:refs/*")
    _run(words, address, folder, progress, patience)


def list_remote_refs(url: str, *, patience: int = PATIENCE) -> bytes:
    """The refs of the repository at a URL and their objects, as `git ls-remote` has them.

    Raises UsageError where the URL is not allowed, GitError where there is no answer within twice `patience` seconds.
    """
    address = parse_address(url)
    words, read = ("ls-remote", *_reading(address), "--", address.plain), list[bytes]()
    with _started(words, address, Path(tempfile.gettempdir()), patience, alone=True) as (process, stream):

        def read_refs() -> None:
            if process.stdout is not None:
                read.append(process.stdout.read())

        reading = Thread(target=read_refs, daemon=True)
        reading.start()
        status, lines = follow(process, stream, patience)
        reading.join()
    if status:
        raise _failure(lines, address)
    return b"".join(read)


def _git() -> str:
    """The program. Raises GitError where there is none."""
    program = find_program("git")
    if program is None:
        raise GitError("the git program was not found", hint="Install git, or put it on the PATH.")
    return program


def _name_program() -> None:
    """Name git to GitPython, which starts it when it is imported."""
    os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = _git()


def _check_local(address: RemoteAddress) -> None:
    """Raise GitError for a repository on this disk that git would never finish reading."""
    from binance_leaks.sources.git import Git  # start-up: as in _mirrored

    path = address.plain.removeprefix("file://")
    if Path(path).is_dir():
        Git(path).check()


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and next(folder.iterdir(), None) is None


def _mirrored(folder: Path) -> str | None:
    """The URL that a folder is a mirror of; None unless it holds no more settings than a mirror has.

    Settings can name programs that a fetch would run, so strange ones are not put up with.
    """
    from binance_leaks.sources.git import Git  # start-up: nothing else here needs the module

    settings = folder / "config"
    parts = (settings.is_file(), (folder / "objects").is_dir(), (folder / "HEAD").is_file())
    if not all(parts) or (folder / "commondir").exists():
        return None
    try:
        out = Git(str(folder.parent)).run("config", "--file", str(settings), "--no-includes", "--list", "-z")
    except GitError:
        return None
    found = dict(entry.partition("\n")[::2] for entry in decode_path(out).split("\0")[:-1])
    Git(str(folder)).check()
    mirror = found.get("core.bare") == "true" and found.get("remote.origin.mirror") == "true"
    return found.get("remote.origin.url") if mirror and all(map(_OF_A_MIRROR.fullmatch, found)) else None


def _run(words: tuple[str, ...], address: RemoteAddress, folder: Path, progress: Report, patience: int) -> None:
    """Run git to its end, or end it and what it started. Raises GitError where it fails."""
    progress(CloneProgress(phase="connecting", done=0, total=None))
    with _started(words, address, folder, patience) as (process, stream):
        status, lines = follow(process, stream, patience, _listener(progress))
    if status:
        raise _failure(lines, address)


@contextmanager
def _started(
    words: tuple[str, ...], address: RemoteAddress, folder: Path, patience: int, *, alone: bool = False
) -> Iterator[tuple[RunningGit, IO[bytes]]]:
    """git with a pipe from its standard error; it and its children do not outlive the block.

    With `alone` it uses no repository, and its output is in a pipe, too.
    """
    missing = GitError("the git program was not found", hint="Install git, or put it on the PATH.")
    _name_program()
    try:
        from git import Git  # start-up: 65 ms, and only a URL needs it
        from git.exc import GitCommandNotFound
    except ImportError:
        raise missing from None  # GitPython raises it where there is no git program
    runner, variables = Git(folder), _surroundings(address)
    handles = []  # one that nothing refers to ends its process

    def start() -> RunningGit:
        with _no_variables_of_git() as ours:
            ssh = _ssh_command(runner, variables, ours, patience)
            handle = runner.execute(
                [_git(), *SETTINGS, *_settings(patience), *words], as_process=True, with_stdout=alone, shell=False,
                env={**variables, "GIT_SSH_COMMAND": ssh, **({"GIT_DIR": os.devnull} if alone else {})},
                start_new_session=True,
            )  # fmt: skip
        handles.append(handle)
        if handle.proc is None:
            raise GitError("git could not be spoken to")
        return handle.proc

    with ExitStack() as stack:
        try:
            process = stack.enter_context(ending_with_us(start))
        except GitCommandNotFound:
            raise missing from None
        if process.stderr is None:
            raise GitError("git could not be spoken to")
        yield process, stack.enter_context(process.stderr)


def _reading(address: RemoteAddress) -> tuple[str, ...]:
    is_local = address.plain.startswith("file://") or Path(address.plain).is_absolute()
    return (f"--upload-pack={LOCAL_UPLOAD_PACK}",) if is_local else ()


def _settings(patience: int) -> list[str]:
    return [*transport_settings(patience), *(part for name in _SETTINGS for part in ("-c", name))]


def _ssh_command(runner: GitRunner, variables: Mapping[str, str], ours: Mapping[str, str], patience: int) -> str:
    """The user's own command for ssh, from variables or git's settings, without prompts."""
    ssh = ours.get("GIT_SSH_COMMAND")
    if not ssh:  # a folder without settings of its own: those of the user only
        asked, nowhere = [_git(), "config", "--get", "core.sshCommand"], {**variables, "GIT_DIR": os.devnull}
        ssh = str(runner.execute(asked, with_exceptions=False, shell=False, env=nowhere))
    return ssh_without_prompts(ssh or shlex.quote(ours.get("GIT_SSH") or "ssh"), patience)


@contextmanager
def _no_variables_of_git() -> Iterator[Mapping[str, str]]:
    """GitPython adds to the variables of this process and leaves none out: they are away while it starts git.

    Gives those variables.
    """
    away = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
    try:
        yield away
    finally:
        os.environ.update(away)


def _surroundings(address: RemoteAddress) -> dict[str, str]:
    """The variables that git is given over those of this process that do not begin with GIT_."""
    ours = {name: value for name, value in environment(inherit=False).items() if name.startswith(("GIT_", "PATH"))}
    kept = {name: os.environ[name] for name in _OF_THE_USER if name in os.environ}
    settings = []
    if address.password is not None:  # the empty helper forgets those before it, which would store the login
        settings = [(f"credential.{address.scope}.helper", ""), (f"credential.{address.scope}.helper", _LOGIN)]
    elif address.user:
        settings = [(f"credential.{address.scope}.username", address.user)]
    named = {f"GIT_CONFIG_KEY_{at}": name for at, (name, _) in enumerate(settings)}
    given = {f"GIT_CONFIG_VALUE_{at}": value for at, (_, value) in enumerate(settings)}
    login = {"CLONE_USER": address.user, "CLONE_PASSWORD": address.password or ""}
    return {**ours, **kept, **_VARIABLES, **named, **given, **login, "GIT_CONFIG_COUNT": str(len(settings))}


def _listener(progress: Report) -> Callable[[str], None]:
    """A reader of lines of git that reports their progress."""
    from git import RemoteProgress  # start-up: as above

    phases = {
        RemoteProgress.COUNTING: "counting objects",
        RemoteProgress.COMPRESSING: "compressing objects",
        RemoteProgress.RECEIVING: "receiving objects",
        RemoteProgress.RESOLVING: "resolving deltas",
    }

    class Listener(RemoteProgress):
        def update(
            self, op_code: int, cur_count: str | float, max_count: str | float | None = None, message: str = ""
        ) -> None:
            del message
            phase = phases.get(op_code & self.OP_MASK)
            if phase is not None:
                done, total = (int(min(float(count or 0), 2.0**53)) for count in (cur_count, max_count))
                progress(CloneProgress(phase=phase, done=done, total=total or None))

    listener = Listener()
    handle = listener.new_message_handler()

    def heard(line: str) -> None:
        handle(line)
        listener.other_lines.clear()  # a server may send any text, without end
        listener.error_lines.clear()

    return heard


def _failure(lines_read: list[str], address: RemoteAddress) -> GitError:
    """The error for git's last message, which may name the URL but contains nothing that is secret in it."""
    lines = [line.replace(address.plain, "") for line in lines_read if not line.startswith("Cloning into")]
    secrets = [each for each in (address.password, address.user) if each]
    message, hint = explain_failure(lines, again=_AGAIN, secrets=secrets)
    return GitError(f"{address.shown} cannot be cloned: {message}", hint=hint)
