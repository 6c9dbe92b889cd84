"""Our hooks as lines of pre-commit's configuration: remote ones by their ids, local ones in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath

from binance_leaks.setup.package_source import PackageSource, quoted

LAUNCHER = "env -u PYTHONPATH -u PYTHONHOME -u PYTHONUSERBASE -u PYTHONPYCACHEPREFIX binance-leaks"
"""Starts the program from PATH, however it is installed, without the variables that make Python import elsewhere."""

INSTALLED = ("pre-commit", "commit-msg", "pre-push")
"""The git hooks that ours run in."""

_PROGRAMS = frozenset({"binance-leaks", "binance-leaks.exe", "binance_leaks"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """One hook.

    `settings` are those of this project's manifest, without how it is installed.
    """

    id: str
    command: tuple[str, ...]
    settings: tuple[str, ...]

    def is_run_by(self, entry: str) -> bool:
        """Whether a local hook with this entry runs the same command, however it starts the program."""
        words = entry.split()
        return any(
            PurePath(program).name in _PROGRAMS and command == self.command[0] for program, command in pairwise(words)
        )

    def lines(self, *, local: bool) -> list[str]:
        """Return its keys, one per line."""
        if not local:
            return [f"id: {self.id}"]
        name, *others = self.settings
        return [f"id: {self.id}", name, f"entry: {' '.join((LAUNCHER, *self.command))}", "language: system", *others]


HOOKS = (
    Hook(
        id="binance-leaks",
        command=("staged", "--"),
        settings=(
            "name: Binance credentials",
            "types: []",
            "always_run: true",
            "require_serial: true",
            "stages: [pre-commit, manual]",
        ),
    ),
    Hook(
        id="binance-leaks-message",
        command=("message",),
        settings=(
            "name: Binance credentials in the commit message",
            "require_serial: true",
            "stages: [commit-msg]",
        ),
    ),
    Hook(
        id="binance-leaks-push",
        command=("push",),
        settings=(
            "name: Binance credentials in what is pushed",
            "pass_filenames: false",
            "always_run: true",
            "require_serial: true",
            "stages: [pre-push, manual]",
        ),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListStyle:
    """How a file indents its lists: columns from a dash to its item, and from `hooks:` to the dashes below it."""

    item: int = 2
    hooks: int = 2

    def entry(self, source: PackageSource | None, hooks: Iterable[Hook]) -> list[str]:
        """Return the lines of an entry of `repos` with these hooks."""
        head = ["repo: local"] if source is None else [f"repo: {quoted(source.url)}", f"rev: {quoted(source.rev)}"]
        lines = [line for hook in hooks for line in self.hook(hook, local=source is None)]
        return self._as_item([*head, "hooks:", *(" " * self.hooks + line for line in lines)])

    def hook(self, hook: Hook, *, local: bool) -> list[str]:
        """Return the lines of one hook."""
        return self._as_item(hook.lines(local=local))

    def _as_item(self, lines: list[str]) -> list[str]:
        first, *others = lines
        return ["-".ljust(self.item) + first, *(" " * self.item + line for line in others)]


def new_configuration(source: PackageSource | None) -> list[str]:
    """Return the lines of a whole configuration."""
    return [install_types(), "repos:", *(f"  {line}" for line in ListStyle().entry(source, HOOKS))]


def install_types() -> str:
    """Return the line that makes `pre-commit install` install every git hook that ours need."""
    return f"default_install_hook_types: [{', '.join(INSTALLED)}]"
