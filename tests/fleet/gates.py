"""A `git` that comes before the real one, and that stops, crashes or kills where a test wants it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fleet.clusters import lives

_SCRIPT = """#!/bin/sh
# Whatever is done in, or with, a folder or URL that has the name of a rule in it follows that rule.
for rule in "{folder}"/*.rule; do
  name=$(basename "$rule" .rule)
  case "$PWD $*" in
    *"$name"*)
      read -r what < "$rule" || continue
      echo "$$ $PPID" >> "{folder}/$name.here"
      case "$what" in
        hold) while [ -e "$rule" ]; do sleep 0.03; done ;;
        hold-after-clone)
          case " $* " in
            *" clone "*) "{git}" "$@"; while [ -e "$rule" ]; do sleep 0.03; done ;;
          esac ;;
        kill) kill -9 "$PPID"; exit 1 ;;
        kill-once) rm -f "$rule"; kill -9 "$PPID"; exit 1 ;;
      esac ;;
  esac
done
exec "{git}" "$@"
"""


_SSH = """#!/bin/sh
# Every host of an ssh URL is this one.
for last; do :; done
exec sh -c "$last"
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """Rules for the fake git, by names that stand in the path or URL of a repository."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> Gate:
        """A git without rules: it does what git does."""
        (folder / "bin").mkdir(parents=True)
        git = _SCRIPT.format(folder=folder, git=shutil.which("git"))
        for name, text in (("git", git), ("near-ssh", _SSH)):
            program = folder / "bin" / name
            program.write_text(text)
            program.chmod(0o755)
        return cls(folder=folder)

    @property
    def env(self) -> Mapping[str, str]:
        """The variables by which a process finds it, and by which `ssh://HOST/PATH` is a folder of this machine."""
        programs = self.folder / "bin"
        return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "GIT_SSH_COMMAND": str(programs / "near-ssh")}

    def rule(self, name: str, what: str) -> None:
        """From now on: `hold`, `hold-after-clone`, `kill` or `kill-once`."""
        made = self.folder / f"{name}.new"
        made.write_text(f"{what}\n")
        made.rename(self.folder / f"{name}.rule")

    def open(self, name: str) -> None:
        """The rule holds no longer, and who was held goes on."""
        (self.folder / f"{name}.rule").unlink(missing_ok=True)
        (self.folder / f"{name}.here").unlink(missing_ok=True)

    def open_all(self) -> None:
        """No rule holds any longer."""
        for rule in self.folder.glob("*.rule"):
            self.open(rule.stem)

    def here(self, name: str) -> list[tuple[int, int]]:
        """Who came to a rule: the process of git and the one that started it, the earliest first."""
        file = self.folder / f"{name}.here"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(int(line.split()[0]), int(line.split()[1])) for line in lines]

    def alive(self, name: str) -> list[int]:
        """Those of them that still run. One whose parent had ended when it came has the first process for a parent."""
        return [process for pair in self.here(name) for process in pair if process != 1 and lives(process)]

    def runners(self, name: str) -> set[int]:
        """The processes that came to a rule."""
        return {runner for _, runner in self.here(name)}
