"""Builds real git repositories in temporary folders."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 120
_NAMES = 100  # that one command line certainly takes


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """How a command of git went; `err` has the output of its hooks, too."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with a work tree. Names are paths from its top, text or bytes."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, *options: str) -> Repository:
        """A new repository without a commit, on the branch `main`."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        made.git("init", "--quiet", "--template=", "--initial-branch=main", *options)
        return made

    def run(self, *arguments: str | bytes, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
        """Run git, whatever becomes of it."""
        done = subprocess.run(
            [b"git", *(os.fsencode(argument) for argument in arguments)],
            cwd=cwd or self.folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
        return Ran(status=done.returncode, out=os.fsdecode(done.stdout), err=os.fsdecode(done.stderr))

    def git(self, *arguments: str | bytes, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
        """Output of a command of git that must succeed."""
        ran = self.run(*arguments, env=env, cwd=cwd)
        if ran.status != 0:
            raise AssertionError(f"git {arguments!r} failed with {ran.status}: {ran.err}")
        return ran.out.rstrip("\n")

    def path(self, name: str | bytes) -> Path:
        """The place of a file."""
        return self.folder / os.fsdecode(name)

    def write(self, name: str | bytes, content: str | bytes) -> Path:
        """Write a file, its folders too; text as UTF-8 with the line ends that it has."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    def stage(self, name: str | bytes, content: str | bytes | None = None) -> None:
        """Add a file to the index, with this content or as it is."""
        if content is not None:
            self.write(name, content)
        self.git("--literal-pathspecs", "add", "--force", "--", name)

    def commit(self, files: Mapping[str, str | bytes] | None = None, *, message: str = "a commit") -> str:
        """Commits the index, with these files added to it, past every hook; returns the commit's id."""
        for name, content in (files or {}).items():
            self.write(name, content)
        names = list(files or ())
        for first in range(0, len(names), _NAMES):
            self.git("--literal-pathspecs", "add", "--force", "--", *names[first : first + _NAMES])
        self.git("-c", "maintenance.auto=false", "commit", "--quiet", "--allow-empty", "--no-verify", "-m", message)
        return self._tip() or self.git("rev-parse", "HEAD")

    def hook(self, name: str, *words: str) -> None:
        """Installs a real hook that runs the program with these words and the hook's own arguments."""
        command = shlex.join([sys.executable, "-m", "binance_leaks", *words])
        self.script(f".git/hooks/{name}", f'exec {command} "$@"')

    def script(self, name: str, *lines: str) -> Path:
        """Write an executable shell script."""
        path = self.write(name, "\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)
        return path

    def blob(self, name: str) -> str:
        """The id of a file's content in the index."""
        return self.git("rev-parse", f":{name}")

    def loose(self, blob: str) -> Path:
        """The file that holds a loose object."""
        return self.folder / ".git" / "objects" / blob[:2] / blob[2:]

    def _tip(self) -> str | None:
        """The last commit as a file has it, without a process; None where refs are kept in another way."""
        with suppress(OSError):
            head = (self.folder / ".git/HEAD").read_text("ascii").strip()
            return (self.folder / ".git" / head.removeprefix("ref: ")).read_text("ascii").strip()
        return None

    def head(self) -> str | None:
        """The id of the last commit, None before the first."""
        ran = self.run("rev-parse", "--verify", "--quiet", "HEAD")
        return ran.out.strip() if ran.status == 0 else None
