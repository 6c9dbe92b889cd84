"""The paths that a user names, and the work trees that they are in."""
# ruff: noqa: PTH100, PTH114, PTH116, PTH117, PTH118, PTH119, PTH120
# Hooks pass thousands of files, and pathlib would cost more per file than reading it does.

from __future__ import annotations

import os
import stat

from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.sources.streams import describe_error

UNKNOWN = 0
"""The type of what cannot be looked at."""


def relative_path(path: str, start: str = os.curdir) -> str:
    """Convert a path to one from the folder `start`, with `/` on every system; on another drive, to an absolute one."""
    try:
        relative = os.path.relpath(path, start)
    except ValueError:  # only Windows has drives
        relative = os.path.abspath(path)
    return relative.replace(os.sep, "/")


def resolve_inside(top: str, path: str) -> str | None:
    """The path of a file of a work tree, links followed; None where it leads out of it, or into a folder of git.

    Raises OSError where it cannot be followed.
    """
    real = os.path.realpath(os.path.join(top, path))
    inner = relative_path(real, os.path.realpath(top))
    parts = inner.lower().split("/")
    return None if os.path.isabs(inner) or parts[0] in (os.curdir, os.pardir) or ".git" in parts else real


@dataclass(frozen=True, kw_only=True, slots=True)
class PathRoot:
    """A path as the user gave it.

    `kind` is its type (`stat.S_IFDIR`…), links followed; `stat.S_IFLNK` is a link to nowhere. `fault` is why it cannot
    be looked at. `evidence` is its path from the top of its work tree, else its base name. `real` is its path, or for a
    file that of its folder, without links.
    """

    path: str
    kind: int
    evidence: str = ""
    real: str = ""
    in_work_tree: bool = False
    fault: str | None = None

    @property
    def shown(self) -> str:
        """The path with `/` on every system."""
        return self.path.replace(os.sep, "/")

    def below(self, separator: str) -> str:
        """What the path of everything below begins with."""
        if self.path == os.curdir:
            return ""
        return os.path.join(self.path, "").replace(os.sep, separator)  # `C:` is a folder of that drive, not its top

    @property
    def evidence_below(self) -> str:
        """What the evidence path of everything below begins with.

        Outside of a work tree that is the name of the folder, perhaps of a repository, set off as rsync does: `bot/./`.
        """
        return f"{self.evidence}/{'' if self.in_work_tree else './'}" if self.evidence else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PathRoots:
    """A cache of work-tree roots, which looks at each folder once."""

    _tops: dict[str, str | None] = field(default_factory=dict)
    _reals: dict[str, str] = field(default_factory=dict)

    def root(self, path: str) -> PathRoot:
        """The root of that path; raises UsageError where there is nothing."""
        try:
            kind = stat.S_IFMT(os.stat(path).st_mode)
            folder, name = (path, "") if kind == stat.S_IFDIR else os.path.split(path)
            real = self._real(folder)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            if not os.path.islink(path):
                hint = "Check the spelling, and the folder that you are in."
                raise UsageError(f"no such file or folder: {path}", hint=hint) from None
            return PathRoot(path=path, kind=stat.S_IFLNK, evidence=os.path.basename(path))
        except OSError as error:
            return PathRoot(path=path, kind=UNKNOWN, fault=describe_error(error))
        top = self._top(real)
        if top is not None:
            evidence = relative_path(os.path.join(real, name), top)
        else:
            evidence = name or os.path.basename(os.path.abspath(path))
        return PathRoot(
            path=path,
            kind=kind,
            evidence="" if evidence == os.curdir else evidence,
            real=real,
            in_work_tree=top is not None,
        )

    def top(self, folder: str) -> str | None:
        """The root of the work tree that a folder is in, without links.

        Returns None outside of one.
        """
        return self._top(self._real(folder))

    def _real(self, folder: str) -> str:
        if folder not in self._reals:
            self._reals[folder] = os.path.realpath(folder)
        return self._reals[folder]

    def _top(self, folder: str) -> str | None:
        """The root of the work tree around a folder."""
        if folder not in self._tops:
            parent = os.path.dirname(folder)
            if os.path.lexists(os.path.join(folder, ".git")):
                self._tops[folder] = folder
            else:
                self._tops[folder] = self._top(parent) if parent != folder else None
        return self._tops[folder]
