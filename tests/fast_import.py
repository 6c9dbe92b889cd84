"""Makes many commits at once with `git fast-import`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping

from tests.repositories import Repository

_FIRST = 1_577_880_000
_TIMEOUT = 120


def fast_import(
    repository: Repository,
    commits: Iterable[Mapping[str, str | bytes]],
    *,
    branch: str = "main",
    depth: int = 50,
) -> None:
    """Commits on a new branch, one a minute, each with the files that it changes; chains of deltas up to `depth`."""
    stream = bytearray(b"feature done\n")
    for number, files in enumerate(commits):
        who = f"A Test <test@project.example> {_FIRST + 60 * number} +0000"
        stream += f"commit refs/heads/{branch}\nauthor {who}\ncommitter {who}\n".encode()
        stream += _data(f"Commit {number}".encode())
        for name, content in files.items():
            stream += f"M 100644 inline {name}\n".encode()
            stream += _data(content if isinstance(content, bytes) else content.encode())
    stream += b"done\n"
    done = subprocess.run(
        ["git", "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", f"--depth={depth}"],
        cwd=repository.folder,
        input=bytes(stream),
        capture_output=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def pad(repository: Repository, commits: int = 1200) -> None:
    """A branch of many small commits, so that the repository is large enough for several processes."""
    fast_import(repository, ({"padding.txt": f"number {number}\n"} for number in range(commits)), branch="padding")
