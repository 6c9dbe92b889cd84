"""Makes a copy of a repository that lacks no object, and hides a generated key pair in its history.

Snapshots often lack blobs, above all large ones, and some scanners stop at the first that they miss. The copy has the
same commits in the same order with the same blobs; a file whose blob is missing is absent from its trees, so that trees
and commits have other ids.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from repositories import git
from samples import plant
from timing import BenchmarkError

PLANTED = "planted_by_the_benchmark/settings.py"
_EXPORT = ("fast-export", "--all", "--no-data", "--reencode=no", "--signed-tags=strip", "--tag-of-filtered-object=drop")
_COMMIT = """commit refs/heads/planted-by-the-benchmark
committer Benchmark <benchmark@example.com> {second} +0000
data <<end
{message}
end
"""


def complete_copy(repository: Path, target: Path, env: Mapping[str, str]) -> tuple[int, ...]:
    """Make the bare repository `target`, unless it is there already; the lines on which the halves of the pair are.

    The pair is in one commit of a branch of its own, and deleted in the next. Raises BenchmarkError if git cannot.
    """
    lines, stream = _planted()
    if target.exists():
        return lines
    missing = _missing(repository, env)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "copy"
        git(target.parent, env, "init", "--quiet", "--bare", "--template=", str(made))
        objects = git(repository, env, "rev-parse", "--git-path", "objects").strip()
        alternates = made / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_bytes(bytes(repository / objects.decode()) + b"\n")
        _rewrite(repository, made, missing, stream, env)
        _gather(made, env)
        alternates.unlink()
        git(made, env, "rev-list", "--objects", "--all", "--quiet")
        made.rename(target)
    return lines


def _planted() -> tuple[tuple[int, int], bytes]:
    with tempfile.TemporaryDirectory() as folder:
        lines = plant(Path(folder), PLANTED)
        text = (Path(folder) / PLANTED).read_bytes()
    first = _COMMIT.format(second=1_700_000_000, message="account").encode()
    second = _COMMIT.format(second=1_700_000_060, message="no account").encode()
    added = b"M 100644 inline %s\ndata %d\n%s\n" % (PLANTED.encode(), len(text), text)
    return lines, first + added + second + b"D " + PLANTED.encode() + b"\n\n"


def _missing(repository: Path, env: Mapping[str, str]) -> frozenset[bytes]:
    listed = git(repository, env, "rev-list", "--objects", "--all", "--missing=print")
    return frozenset(line[1:] for line in listed.splitlines() if line.startswith(b"?"))


def _rewrite(repository: Path, made: Path, missing: frozenset[bytes], planted: bytes, env: Mapping[str, str]) -> None:
    """Lead all commits from one repository to the other, without the files whose blobs are missing."""
    exporting = subprocess.Popen(
        ["git", "-C", str(repository), *_EXPORT], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    importing = subprocess.Popen(
        ["git", "-C", str(made), "fast-import", "--quiet", "--force"], env=env, stdin=subprocess.PIPE
    )
    if exporting.stdout is None or importing.stdin is None:
        raise BenchmarkError("no pipe")
    with exporting.stdout, importing.stdin:
        importing.stdin.write(planted)
        _filter(exporting.stdout, importing.stdin, missing)
    if exporting.wait() or importing.wait():
        raise BenchmarkError(f"git cannot copy the history of {repository.name}")


def _gather(made: Path, env: Mapping[str, str]) -> None:
    """One pack of all that refs reach. `git repack` would take all of the alternate that a partial clone fetched."""
    packs = made / "objects" / "pack"
    imported = list(packs.iterdir())
    git(made, env, "pack-objects", "--all", "--delta-base-offset", "-q", str(packs / "pack"))
    for file in imported:
        file.unlink()
    git(made, env, "prune-packed", "--quiet")


def _filter(source: IO[bytes], sink: IO[bytes], missing: frozenset[bytes]) -> None:
    for line in source:
        if line.startswith(b"data "):
            sink.write(line + source.read(int(line[5:])))
        elif line.startswith(b"M ") and line.split(b" ", 3)[2] in missing:
            sink.write(b"D " + line.split(b" ", 3)[3])
        else:
            sink.write(line)
