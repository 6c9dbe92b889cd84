"""Our hooks as pre-commit's configuration has them: remote ones by their ids, local ones in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath

from binance_leaks.setup.package_source import Origin, quoted

LAUNCHER = "env -u PYTHONPATH -u PYTHONHOME -u PYTHONUSERBASE -u PYTHONPYCACHEPREFIX binance-leaks"
"""Starts the program from PATH, however it is installed, without the variables that make Python import elsewhere."""

INSTALLED = ("pre-commit", "commit-msg", "pre-push")
"""The kinds of git hooks that ours need."""

_PROGRAMS = frozenset({"binance-leaks", "binance-leaks.exe", "binance_leaks"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """One hook. `settings` are what the manifest of this project says of it, but for how it is installed."""

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
        """Its keys, a line each."""
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
class Style:
    """How a file sets its lists in: columns from a dash to what follows it, and from `hooks:` to the dashes below."""

    item: int = 2
    hooks: int = 2

    def entry(self, origin: Origin | None, hooks: Iterable[Hook]) -> list[str]:
        """The lines of an entry of `repos` with these hooks."""
        head = ["repo: local"] if origin is None else [f"repo: {quoted(origin.url)}", f"rev: {quoted(origin.rev)}"]
        listed = [line for hook in hooks for line in self.hook(hook, local=origin is None)]
        return self._listed([*head, "hooks:", *(" " * self.hooks + line for line in listed)])

    def hook(self, hook: Hook, *, local: bool) -> list[str]:
        """The lines of one hook."""
        return self._listed(hook.lines(local=local))

    def _listed(self, lines: list[str]) -> list[str]:
        first, *others = lines
        return ["-".ljust(self.item) + first, *(" " * self.item + line for line in others)]


def fresh(origin: Origin | None) -> list[str]:
    """A whole configuration."""
    return [install_types(), "repos:", *(f"  {line}" for line in Style().entry(origin, HOOKS))]


def install_types() -> str:
    """The line that makes `pre-commit install` install all kinds that ours need."""
    return f"default_install_hook_types: [{', '.join(INSTALLED)}]"
