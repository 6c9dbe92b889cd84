"""The one place that starts git: hardened settings, plumbing commands, bytes.

A scanned repository may be hostile. Nothing it configures is run: no text conversion, external diff, hook, file-system
monitor, lazy fetch or prompt. This module is on the start-up path of the hook and imports no more than it needs.
"""

from __future__ import annotations

import os
import subprocess

from binance_leaks.errors import GitError
from binance_leaks.path_bytes import decode_path
from binance_leaks.sources.git_objects import Blobs
from binance_leaks.sources.git_preflight import (
    check_git_folder,
    describe_irregular,
    find_irregular_object,
    has_hung,
    remember_hang,
)
from binance_leaks.sources.git_watch import (
    MOST_MEMORY,
    MOST_MEMORY_FOR_FILES,
    MOST_OUTPUT,
    UNTRUSTED,
    read_to_end,
)
from binance_leaks.sources.plumbing import (
    MOST_CHANGES,
    MOST_MEMORY_FOR_CHANGES,
    READER,
    READER_LIMITS,
    SETTINGS,
    STAGED,
    environment,
    find_program,
    raw_changes,
    split,
)

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import IO

    from binance_leaks.sources.plumbing import RawChange

_MOST_INCLUDED = 100
_NAMES_OF_FILES = r"^(include\.path|includeif\..*\.path|core\.(excludesfile|attributesfile))$"
"""Settings whose values are files that git reads too, as a regular expression of POSIX."""


class Git:
    """git in one folder.

    `inherit` keeps the GIT_* variables of the caller, which a hook needs (GIT_INDEX_FILE).

    `variables` are more GIT_* variables, over those that keep git from every remote.
    """

    def __init__(
        self,
        folder: str,
        *,
        inherit: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._git_dir = os.environ.get("GIT_DIR") if inherit else None
        self._checked = False
        self._environment = {**environment(inherit=inherit), **(variables or {})}

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Git | None:
        """git in a folder of a work tree; None where there is no work tree or no git.

        Raises GitError where git knows the repository but refuses it (another owner), or would not come to an end.
        """
        git = cls(os.fspath(folder))
        git.check()
        try:
            return git if git.run("rev-parse", "--is-inside-work-tree").strip() == b"true" else None
        except GitError as error:
            if "dubious ownership" in str(error) or has_hung(git.folder, None):
                raise
            return None

    def check(self) -> None:
        """Raise GitError where git would wait for ever in this repository.

        Each command calls it first.
        """
        if not self._checked:
            self._check_files()
            self._checked = True
        if has_hung(self.folder, self._git_dir):
            raise _hang()

    def _check_files(self) -> None:
        fault, settings = check_git_folder(self.folder, self._git_dir)
        fault = fault or find_irregular_object(self.folder, self._git_dir)
        seen: set[str] = set()
        while settings and not fault:
            path = settings.pop()
            if path not in seen:
                seen.add(path)
                files, included = self._files_named_in(path)
                faults = [describe_irregular(file) for file in files]
                fault = next(filter(None, faults), "")
                settings += included
            if len(seen) > _MOST_INCLUDED:
                fault = f"{path} includes more than {_MOST_INCLUDED} files"
        if fault:
            inside = fault.removeprefix(os.path.join(os.path.realpath(self.folder), ""))  # noqa: PTH118
            raise _hang(inside)

    def _files_named_in(self, settings: str) -> tuple[list[str], list[str]]:
        """The files that a file of settings names for git to read, and those of them that it includes.

        git parses it, alone and outside of every repository, and expands the paths. Where it cannot, as with the home
        of an unknown user, it does not come to an end of reading the settings either, and fails.
        """
        outside = {**self._environment, "GIT_DIR": f"{os.devnull}/none"}
        words = ("config", "--file", settings, "--no-includes", "-z", "--type=path", "--get-regexp", _NAMES_OF_FILES)
        with self._spawn(words, folder=None, environment=outside) as process:
            out, _ = self._communicate(process, None)
        named, included = [], []
        for entry in split(out):
            name, _, value = decode_path(entry).partition("\n")
            named.append(os.path.join(os.path.dirname(settings), value))  # noqa: PTH118, PTH120
            if name.startswith("include"):
                included.append(named[-1])
        return named, included

    def run(self, *arguments: str, accept: tuple[int, ...] = (0,), most_memory: int = MOST_MEMORY) -> bytes:
        """Output of one git command.

        Raises GitError with git's own first line where it fails.
        """
        with self._start(*arguments) as process:
            out, err = self._communicate(process, None, most_memory=most_memory)
        if process.returncode not in accept:
            raise _error(arguments[0], err)
        return out

    def run_bounded(self, text: str, *arguments: str) -> bytes:
        """Output of one git command that collects much before it writes, as changes of trees.

        Raises GitLimitError where that is more than changes of real commits take, and GitError.
        """
        with self._start(*arguments, stdin=subprocess.PIPE) as process:
            given = text.encode("utf-8", "surrogateescape")
            out, err = self._communicate(process, given, most_output=MOST_CHANGES, most_memory=MOST_MEMORY_FOR_CHANGES)
        if process.returncode != 0:
            raise _error(arguments[0], err)
        return out

    def run_with(self, text: str, *arguments: str, accept: tuple[int, ...] = (0,)) -> bytes:
        """Output of one git command that reads a text.

        Raises GitError with git's own first line where it fails.
        """
        with self._start(*arguments, stdin=subprocess.PIPE) as process:
            out, err = self._communicate(process, text.encode("utf-8", "surrogateescape"))
        if process.returncode not in accept:
            raise _error(arguments[0], err)
        return out

    def _communicate(
        self,
        process: subprocess.Popen[bytes],
        text: bytes | None,
        *,
        most_output: int = MOST_OUTPUT,
        most_memory: int = MOST_MEMORY,
    ) -> tuple[bytes, bytes]:
        """All that git writes. Raises GitError for a git that waits for a file which never ends, or for a limit."""
        return read_to_end(process, text, self._found_hanging, most_output=most_output, most_memory=most_memory)

    def _found_hanging(self) -> GitError:
        remember_hang(self.folder, self._git_dir)
        return _hang()

    def start_session(self, *arguments: str, stdin: int | IO[bytes] = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a git that may wait for a remote, with its messages in a pipe, for `transport.follow`.

        Its standard output is lost.
        """
        self.check()
        return self._spawn(
            arguments, self.folder, self._environment, stdin=stdin, stdout=subprocess.DEVNULL, session=True
        )

    def _start(
        self, *arguments: str, stdin: int | None = subprocess.DEVNULL, stderr: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        self.check()
        return self._spawn(arguments, self.folder, self._environment, stdin=stdin, stderr=stderr)

    @staticmethod
    def _spawn(
        arguments: Sequence[str],
        folder: str | None,
        environment: Mapping[str, str],
        *,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        session: bool = False,
    ) -> subprocess.Popen[bytes]:
        try:
            program = find_program("git")
            if program is None:
                raise GitError("the git program was not found", hint="Install git, or put it on the PATH.")
            return subprocess.Popen(
                [program, *SETTINGS, *arguments], cwd=folder, env=environment, stdin=stdin, stdout=stdout,
                stderr=stderr, start_new_session=session,
            )  # fmt: skip
        except FileNotFoundError:
            if folder is not None and not os.path.isdir(folder):  # noqa: PTH112 - pathlib costs the hook's start-up
                raise GitError(f"no such folder: {folder}") from None
            raise GitError("the git program was not found", hint="Install git, or put it on the PATH.") from None
        except OSError as error:
            raise GitError(f"git could not be started: {error.strerror}") from None

    def root(self) -> str:
        """The top folder of the work tree."""
        return decode_path(self.run("rev-parse", "--show-toplevel").rstrip(b"\n"))

    def top(self) -> str:
        """The top folder of the work tree.

        Of a bare repository the folder in which git was started.
        """
        is_bare = "--is-bare-repository"
        # Where there is no work tree, git fails after its first answer.
        first, _, top = self.run("rev-parse", is_bare, "--show-toplevel", accept=(0, 128)).partition(b"\n")
        if not first:
            self.run("rev-parse", is_bare)  # raises
        return self.folder if first == b"true" else decode_path(top.rstrip(b"\n")) or self.folder

    def origin(self) -> str:
        """The address of the remote `origin`, as it is configured; empty where there is none. It may hold a login."""
        return decode_path(self.run("config", "--local", "--get", "remote.origin.url", accept=(0, 1)).rstrip(b"\n"))

    def worktree_files(self, *, ignored: bool) -> list[bytes]:
        """Paths below the folder that git tracks or would track, relative to it.

        With `ignored` also the ignored ones.

        Deleted files, repeated ones, submodules (folders without a slash) and nested repositories (with one) may be
        among them. Raises GitError, also where lists of ignored files are gigantic.
        """
        standard = () if ignored else ("--exclude-standard",)
        words = ("ls-files", "-z", "--cached", "--others", *standard)
        return split(self.run(*words, most_memory=MOST_MEMORY_FOR_FILES))

    def staged(self, *, against: str | None = None, renames: bool = False) -> list[RawChange]:
        """What the index changes against a commit, HEAD unless given.

        Without a first commit everything is new.
        """
        finding = ("-M", "-l2000") if renames else ("--no-renames",)
        return raw_changes(self.run_bounded("", *STAGED, *finding, *([against] if against else [])))

    def added_lines(self, old: str, new: str) -> list[tuple[int, int]]:
        """The line ranges, from 1, of blob `new` that blob `old` does not have.

        Where lines were only removed there is an empty range: it begins behind the gap, and ends before it.
        """
        out = self.run(
            "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--text", "-U0", "--inter-hunk-context=0", old, new,
            accept=(0, 1),
        )  # fmt: skip
        runs = []
        for line in out.split(b"\n"):
            if line.startswith(b"@@ "):
                first, _, count = line.split(b" ")[2][1:].partition(b",")
                length = int(count) if count else 1
                start = int(first) if length else int(first) + 1  # of an empty run git names the line before it
                runs.append((start, start + length - 1))
        return runs

    def blobs(self, ids: Iterable[str], damaged: list[str] | None = None) -> Blobs:
        """A reader of many objects through one `git cat-file`.

        Those that git cannot read to their end are added to `damaged`. Without it they raise GitError.
        """
        self.check()
        variables = {**self._environment, **READER_LIMITS}

        def start() -> subprocess.Popen[bytes]:
            # About damaged objects git prints so much that an unread pipe would fill.
            return self._spawn(READER, self.folder, variables, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

        return Blobs(start, list(ids), damaged, self._found_hanging)

    def merge_heads(self) -> list[str]:
        """The commits that a merge in progress merges; none without a merge in progress."""
        path = decode_path(self.run("rev-parse", "--git-path", "MERGE_HEAD").rstrip(b"\n"))
        try:
            with open(os.path.join(self.folder, path), encoding="ascii") as stream:  # noqa: PTH118, PTH123
                return stream.read().split()
        except (OSError, UnicodeDecodeError):
            return []


def _hang(fault: str = "it waits for a file that never ends") -> GitError:
    return GitError(f"git would hang in this repository: {fault}", hint=UNTRUSTED)


def _error(command: str, err: bytes) -> GitError:
    lines = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "")
    message = first.removeprefix("fatal: ").removeprefix("error: ") or f"git {command} failed"
    if "dubious ownership" in message:
        return GitError(message, hint="If you trust it: git config --global --add safe.directory FOLDER")
    if "not a git repository" in message:
        return GitError("not a git repository", hint="Run it inside a repository, or use `binance-leaks scan`.")
    return GitError(message)
