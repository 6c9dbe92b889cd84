"""What a repository holds, and the floor of every scanner: git itself handing out all the blobs, to nowhere."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from timing import BenchmarkError, Command

FLOOR = "git cat-file"
PACKS = (".pack", ".idx", ".rev")
"""How the names of the files end that a reader of packs maps and that are no memory of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """How much there is to scan: all objects, the blobs among them, and the bytes of these."""

    commits: int
    objects: int
    blobs: int
    bytes: int


def git(repository: Path, env: Mapping[str, str], *arguments: str) -> bytes:
    """What one git command in the repository prints. Raises BenchmarkError if it fails."""
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"git {arguments[0]} failed: {os.fsdecode(done.stderr).strip()[-600:]}")
    return done.stdout


def prepare_floor(repository: Path, scratch: Path, env: Mapping[str, str]) -> tuple[Contents, Command]:
    """The contents, and as many `git cat-file` side by side as there are processors, each with its share of the blobs.

    The ids are listed here, before any clock runs, in the order of the packs, in which git reads them fastest. The
    shares are consecutive and of equal bytes.
    """
    order = "--batch-check=%(objecttype) %(objectsize) %(objectname)"
    kinds: dict[bytes, int] = {}
    blobs: list[tuple[int, bytes]] = []
    for line in git(repository, env, "cat-file", "--batch-all-objects", "--unordered", order).splitlines():
        kind, size, name = line.split(b" ")
        kinds[kind] = kinds.get(kind, 0) + 1
        if kind == b"blob":
            blobs.append((int(size), name))
    files = _write_shares(blobs, scratch, os.cpu_count() or 1)
    contents = Contents(
        commits=kinds.get(b"commit", 0),
        objects=sum(kinds.values()),
        blobs=len(blobs),
        bytes=sum(size for size, _ in blobs),
    )
    return contents, Command(name=FLOOR, argv=("sh", "-c", _side_by_side(files)), cwd=repository, env=env)


def _write_shares(blobs: Sequence[tuple[int, bytes]], scratch: Path, shares: int) -> list[Path]:
    files = [scratch / f"share{number}" for number in range(shares)]
    total = sum(size for size, _ in blobs)
    lines: list[list[bytes]] = [[] for _ in files]
    passed = 0
    for size, name in blobs:
        lines[min(passed * shares // max(total, 1), shares - 1)].append(name + b"\n")
        passed += size
    for file, share in zip(files, lines, strict=True):
        file.write_bytes(b"".join(share))
    return files


def _side_by_side(files: Sequence[Path]) -> str:
    """A script that reads all shares at once, and fails if one of the readers does."""
    started = [
        f"git cat-file --batch --buffer <{shlex.quote(str(file))} >/dev/null & p{number}=$!"
        for number, file in enumerate(files)
    ]
    ended = " && ".join(f"wait $p{number}" for number in range(len(files)))
    return "\n".join([*started, ended])
