"""The object database of a repository: its packs, its loose objects, those of its alternates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scanner.model import Skipped
from scanner.sources.git import Git
from scanner.sources.objects.pack import DamagedPackError, Pack
from scanner.sources.reading import reason

_MOST_ALTERNATES = 64
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """Where a repository keeps its objects. `git_folder` is the common one of all its work trees."""

    git_folder: Path
    folders: tuple[Path, ...]
    id_size: int

    @classmethod
    def of(cls, git: Git) -> Database:
        """The database of the repository that git sees. Raises GitError where there is none."""
        lines = git.run("rev-parse", "--show-object-format", "--git-common-dir", "--git-path", "objects")
        algorithm, common, objects = os.fsdecode(lines).split("\n")[:3]
        base = Path(git.folder)
        return cls(
            git_folder=base / common,
            folders=tuple(_with_alternates(base / objects)),
            id_size=32 if algorithm == "sha256" else 20,
        )

    def pack_files(self) -> list[Path]:
        """All packs, the largest first."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            try:
                names = [entry.path for entry in os.scandir(folder / "pack") if entry.name.endswith(".pack")]
            except OSError:
                continue
            for name in names:
                found.setdefault(os.path.realpath(name), Path(name))
        return sorted(found.values(), key=lambda path: -_size(path))

    def loose(self) -> Iterator[bytes]:
        """The ids of all loose objects; one that is in several folders comes once."""
        for first in range(256):
            prefix = f"{first:02x}"
            names: set[str] = set()
            for folder in self.folders:
                try:
                    names.update(entry.name for entry in os.scandir(folder / prefix))
                except OSError:  # noqa: PERF203 - most of the folders are not there
                    continue
            for name in sorted(names):
                if len(name) == 2 * self.id_size - 2 and _HEX.issuperset(name):
                    yield bytes.fromhex(prefix + name)


def open_packs(paths: Iterable[Path], id_size: int) -> tuple[list[Pack], list[Skipped]]:
    """The packs at some paths, and those that cannot be relied on. One that vanished meanwhile is neither."""
    packs: list[Pack] = []
    skipped: list[Skipped] = []
    for path in paths:
        try:
            packs.append(Pack(path, id_size))
        except FileNotFoundError:  # noqa: PERF203 - each pack for itself
            if path.exists():
                skipped.append(Skipped(what=f"pack {path.name}", why="it has no index"))
        except DamagedPackError as error:
            skipped.append(Skipped(what=f"pack {path.name}", why=str(error)))
        except OSError as error:
            skipped.append(Skipped(what=f"pack {path.name}", why=reason(error)))
    return packs, skipped


def _with_alternates(objects: Path) -> list[Path]:
    """A folder of objects and all that it borrows from, as gitrepository-layout has it."""
    found = [objects]
    seen = {os.path.realpath(objects)}
    for folder in found:
        try:
            lines = (folder / "info" / "alternates").read_bytes().split(b"\n")
        except OSError:
            continue
        for line in lines:
            if not line or line.startswith(b"#"):
                continue
            other = folder / os.fsdecode(line)
            if os.path.realpath(other) not in seen and len(found) < _MOST_ALTERNATES:
                seen.add(os.path.realpath(other))
                found.append(other)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
