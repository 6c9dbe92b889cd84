"""A digest of all that a scan of a repository depends on: while it stays the same, a scan would find the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.database import ObjectDatabase


def compute_fingerprint(git: Git, database: ObjectDatabase, *others: str) -> str:
    """The digest, of its refs, its objects, what it borrows, and `others` that a scan depends on.

    Files are known by name, size and the time of their last change, which no program sets: one that was mended, or may
    be read now, counts as another. Raises GitError.
    """
    digest = sha256()
    for part in (*(other.encode("utf-8", "surrogateescape") for other in others), *_facts(git, database)):
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


def _facts(git: Git, database: ObjectDatabase) -> Iterator[bytes]:
    yield git.run("for-each-ref", "--format=%(objectname) %(refname) %(symref)", accept=(0, 1, 128))
    yield git.run("worktree", "list", "--porcelain", accept=(0, 128))  # HEAD of each work tree, on no branch too
    yield git.run("config", "--get-regexp", r"^(remote|extensions)\.", accept=(0, 1))
    for path in database.pack_files():
        yield _file(path)
    for folder in database.folders:
        yield from _loose(folder)
    for skipped in database.unread:
        yield skipped.what.encode("utf-8", "surrogateescape")
    yield _content(database.git_folder / "shallow")
    for path in sorted((database.git_folder / "lfs" / "objects").glob("??/??/*")):
        yield _file(path)


def _loose(folder: Path) -> Iterator[bytes]:
    """All files of loose objects."""
    for first in range(256):
        try:
            with os.scandir(folder / f"{first:02x}") as entries:
                for entry in sorted(entries, key=lambda each: each.name):
                    status = entry.stat(follow_symlinks=False)
                    yield os.fsencode(entry.name) + b" %d %d" % (status.st_size, status.st_ctime_ns)
        except OSError:  # noqa: PERF203 - most of the folders are not there
            continue


def _file(path: Path) -> bytes:
    try:
        status = path.stat()
    except OSError:
        return os.fsencode(path.name)
    return os.fsencode(path.name) + b" %d %d %d" % (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
