"""The origin of values in the folder of an OCI layout, or in an unpacked archive of `docker save`.

There each layer is a file by itself, so the metadata and the other layers are read when something was found in one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache

from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Origin
from binance_leaks.sources.archive_kind import HEAD_SIZE, ArchiveKind, archive_kind
from binance_leaks.sources.container_images import LARGEST_METADATA, ImageIndex
from binance_leaks.sources.files import open_regular
from binance_leaks.sources.streams import PeekableStream, Readable
from binance_leaks.sources.tars import TarEntry, read_entries
from binance_leaks.sources.unpack import COMPRESSIONS, ArchiveLimits, DecompressedStream, UnpackBudget, can_read_zstd

_LAYER = lazy_pattern(r"(?:(.*)/)?(blobs/sha256/[0-9a-f]{64}|[0-9a-f]{64}/layer\.tar)", 16)
_FOLDERS = ("blobs/sha256", "")
_MOST_FILES = 2_000
_MARKS = ("oci-layout", "index.json", "manifest.json")


def layout_origin(path: str, member: str) -> Origin | None:
    """Return the origin of a member of the file at `path`; empty for the file itself. None outside of a layout."""
    found = _LAYER.fullmatch(path.replace(os.sep, "/"))
    if found is None:
        return None
    root, name = found[1] if found[1] is not None else os.curdir, found[2]
    index = _read_layout(root or "/")
    if index is None:
        return None
    return index.layer_origin(name, member) if member else index.configuration_origin(name)


@lru_cache(maxsize=2)
def _read_layout(root: str) -> ImageIndex | None:
    """Read the metadata of a layout and the names in its layers, None where there is none at `root`."""
    if not any(os.path.isfile(f"{root}/{name}") for name in _MARKS):  # noqa: PTH113 - names with / as a layout has them
        return None
    index, budget = ImageIndex(), UnpackBudget(ArchiveLimits())
    budget.allow_image()
    for name in _names(root):
        path = f"{root}/{name}"
        with suppress(OSError):
            if os.path.islink(path):  # noqa: PTH114 - as above
                index.add_link(name, os.readlink(path))  # noqa: PTH115 - as above
                continue
            with open_regular(path) as file:
                head = file.read(1)
                file.seek(0)
                if head in (b"{", b"["):
                    index.add_metadata(name, file.read(LARGEST_METADATA + 1))
                else:
                    _add_paths(index, name, file, budget)
    return index


def _names(root: str) -> list[str]:
    """The files and links of a layout that may be metadata or layers, and are in it."""
    names: list[str] = []
    for folder in _FOLDERS:
        if folder and any(os.path.islink(f"{root}/{part}") for part in ("blobs", folder)):  # noqa: PTH114 - as above
            continue
        with suppress(OSError), os.scandir(f"{root}/{folder}") as entries:
            for entry in entries:
                inside = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    inside = f"{inside}/layer.tar"
                elif not (entry.is_file(follow_symlinks=False) or entry.is_symlink()):
                    continue
                if _LAYER.fullmatch(inside) or inside.endswith(".json"):
                    names.append(inside)
    return sorted(names)[:_MOST_FILES]


def _add_paths(index: ImageIndex, name: str, file: Readable, budget: UnpackBudget) -> None:
    stream = PeekableStream(file)
    kind = archive_kind(stream.peek(HEAD_SIZE))
    if kind in COMPRESSIONS and (kind is not ArchiveKind.ZSTD or can_read_zstd()):
        stream = PeekableStream(DecompressedStream(stream, COMPRESSIONS[kind], budget))
    elif kind is not ArchiveKind.TAR:
        return
    for entry in read_entries(stream):
        if not budget.admit():
            return
        if isinstance(entry, TarEntry):
            index.add_path(name, entry.name)
