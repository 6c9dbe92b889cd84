"""Which objects a partial clone has, without a question to git: older versions of it answer by trying to fetch them."""

from __future__ import annotations

from collections.abc import Sequence

from scanner.sources.git import Git
from scanner.sources.objects.database import Database, open_packs


def is_partial(git: Git) -> bool:
    """Whether objects were left out when the repository was cloned, to be fetched when they are asked for."""
    return bool(git.run("config", "--get-regexp", r"^remote\..*\.(promisor|partialclonefilter)$", accept=(0, 1)))


def absent(git: Git, names: Sequence[str]) -> list[str]:
    """Those of some objects that are neither in a pack nor loose."""
    database = Database.of(git)
    opened = open_packs(database.pack_files(), database.id_size)
    by_git = {name.hex() for name in opened.by_git}

    def is_here(name: str) -> bool:
        if name in by_git or any(pack.entry_of(bytes.fromhex(name)) is not None for pack in opened.packs):
            return True
        return any((folder / name[:2] / name[2:]).exists() for folder in database.folders)

    return [name for name in names if not is_here(name)]
