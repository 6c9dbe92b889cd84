"""Git LFS: files that lie beside the object database, and the pointers that stand for them in trees."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from pathlib import Path

from scanner.findings import Skipped
from scanner.model import Credential
from scanner.pipeline.detection import credentials_in
from scanner.pipeline.object_scan import ObjectScan
from scanner.pipeline.object_worker import Hit
from scanner.sources.files import FileEntry, pieces
from scanner.sources.objects.database import Database

_NAME = re.compile(r"[0-9a-f]{64}")
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {size}\n"


class LargeFiles:
    """The objects of Git LFS in a repository. `stand_ins` maps the ids of pointers to the files that they stand for."""

    def __init__(self, database: Database) -> None:
        self._folder = database.git_folder / "lfs" / "objects"
        self._algorithm = "sha256" if database.id_size == 32 else "sha1"
        self._found: list[tuple[Path, list[Credential]]] = []
        self.skipped: list[Skipped] = []
        self.stand_ins: dict[bytes, Path] = {}

    def scan(self) -> None:
        """Looks through all files."""
        for path in sorted(self._folder.glob("??/??/*")):
            if not _NAME.fullmatch(path.name) or path.is_symlink():
                continue
            found: list[Credential] = []
            entry = FileEntry(path=str(path), shown="", evidence_path="", explicit=True)
            for piece in pieces(entry):
                if isinstance(piece, Skipped):
                    self.skipped.append(Skipped(what=f"lfs object {path.name}", why=piece.why, lost=piece.lost))
                else:
                    found += [credential.without_secrets() for credential in credentials_in(piece)]
            if found:
                self._found.append((path, found))

    def add_pointers(self, scan: ObjectScan, only: Container[bytes] | None) -> None:
        """Counts what the files hold as hits of their pointers, so that it is found where they stand.

        Where `only` is given, for the pointers in it.
        """
        for path, found in self._found:
            content = _POINTER.format(name=path.name, size=path.stat().st_size).encode("ascii")
            name = hashlib.new(self._algorithm, b"blob %d\0" % len(content) + content).digest()
            if only is not None and name not in only:
                continue
            digests = frozenset(value.sha256 for credential in found for value in credential.values)
            scan.held.hits[name] = Hit(name, "blob", digests, tuple(found))
            self.stand_ins[name] = path
