"""Check a clean commit fast: two git processes and the prefilter.

Nearly every commit is clean, so the hook's latency is this module's. The answer is "certainly nothing here" or "look
properly"; anything unusual (an error, a submodule, an archive, a large file, no POSIX) is a reason to look properly.
"""

from __future__ import annotations

import os

from binance_leaks.detect import prefilter
from binance_leaks.sources.git_preflight import check_git_folder
from binance_leaks.sources.plumbing import (
    BATCH,
    SETTINGS,
    STAGED,
    environment,
    may_be_lfs_pointer,
    raw_changes,
)

TYPE_CHECKING = False  # as typing has it, without importing typing
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

_LARGE = 8 << 20
_ARCHIVE_STARTS = (
    b"PK", b"PACK", b"\x1f\x8b", b"\x1f\x9d", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!",
    b"\x04\x22\x4d\x18", b"LZIP", b"MSCF", b"# v", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"%PDF-",
)  # fmt: skip
_TAR_MAGIC = slice(257, 262)
_ZIP_END, _ZIP_TAIL = slice(-22, -18), slice(-22 - 0xFFFF, None)
_PROGRAMS = (b"#!", b"MZ", b"\x7fELF")
_SUBMODULE = "160000"


def count_clean_files(named: Sequence[str]) -> int | None:
    """Count the files to be committed if certainly none has a credential, else None.

    `named` narrows to some files; of those that are not staged the content on disk counts.
    """
    if not hasattr(os, "posix_spawnp") or (named and not _plainly_from_root(named)):
        return None
    if any(check_git_folder(".", os.environ.get("GIT_DIR"))):
        return None  # git might not come to an end
    try:
        changes = _staged()
    except OSError:
        return None
    if not changes:
        return None
    if any(prefilter.path_may_hold(path) for path, _ in changes):
        return None
    wanted = {os.fsencode(name) for name in named}
    blobs = [(path, blob) for path, blob in changes if not named or path in wanted]
    unstaged = wanted.difference(path for path, _ in blobs)
    if all(_harmless_file(path) for path in unstaged if not prefilter.path_may_hold(path)) and _harmless_blobs(
        [blob for _, blob in blobs]
    ):
        return len(blobs) + len(unstaged)
    return None


def format_clean_commit(count: int) -> str:
    """Format the line for a commit of `count` files without a credential.

    With a count of 0, that nothing was scanned.
    """
    if not count:
        return "Nothing to scan: no staged files.\n"
    return f"No Binance credentials in {count} {'file' if count == 1 else 'files'} to be committed.\n"


def _plainly_from_root(named: Sequence[str]) -> bool:
    """Whether names are paths from the top of the work tree, as those that pre-commit passes."""
    if not os.path.exists(".git"):  # noqa: PTH110
        return False
    return not any(
        name.startswith(("/", "./", "../")) or "/../" in name or "//" in name or "/./" in name for name in named
    )


def _staged() -> list[tuple[bytes, str]] | None:
    """Paths and blobs that the index adds or changes, None if git fails or there is more to it."""
    process = _Process(*STAGED, "--no-renames")
    out = process.answers.read()
    if process.wait() != 0:
        return None
    found = []
    for status, mode, _, new, path, _ in raw_changes(out):
        if mode == _SUBMODULE or status == "U":
            return None
        if status != "D":
            found.append((path, new))
    return found


def _harmless_blobs(blobs: list[str]) -> bool:
    if not blobs:
        return True
    process = _Process("cat-file", "--batch")
    try:
        for first in range(0, len(blobs), BATCH):
            batch = blobs[first : first + BATCH]
            process.questions.write("".join(f"{blob}\n" for blob in batch).encode("ascii"))
            process.questions.flush()
            if not all(_harmless_answer(process.answers) for _ in batch):
                return False
        return True
    finally:
        process.wait()


def _harmless_answer(answers: IO[bytes]) -> bool:
    fields = answers.readline().split()
    if len(fields) != 3 or int(fields[2]) > _LARGE:
        return False
    size = int(fields[2])
    data = answers.read(size + 1)
    return len(data) == size + 1 and _harmless(data[:-1])


def _harmless_file(path: bytes) -> bool:
    if os.path.islink(path) or (os.path.lexists(path) and not os.path.isfile(path)):  # noqa: PTH113, PTH114
        return False
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            data = stream.read(_LARGE + 1)
    except OSError:
        return False
    return len(data) <= _LARGE and _harmless(data)


def _harmless(data: bytes) -> bool:
    if data.startswith(_ARCHIVE_STARTS) or data[_TAR_MAGIC] == b"ustar" or may_be_lfs_pointer(data):
        return False
    if data[_ZIP_END] == b"PK\x05\x06" or (data.startswith(_PROGRAMS) and b"PK\x05\x06" in data[_ZIP_TAIL]):
        return False
    return not prefilter.may_hold(data)


class _Process:
    """git with pipes, by `posix_spawn`: the subprocess module takes as long to import as git takes to run."""

    def __init__(self, *arguments: str) -> None:
        question, write = os.pipe()
        read, answer = os.pipe()
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._pid = os.posix_spawnp(
                "git",
                ["git", *SETTINGS, *arguments],
                environment(inherit=True),
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, question, 0),
                    (os.POSIX_SPAWN_DUP2, answer, 1),
                    (os.POSIX_SPAWN_DUP2, null, 2),
                ],
            )
        finally:
            for descriptor in (question, answer, null):
                os.close(descriptor)
        self.questions: IO[bytes] = open(write, "wb")  # noqa: PTH123, SIM115
        self.answers: IO[bytes] = open(read, "rb")  # noqa: PTH123, SIM115

    def wait(self) -> int:
        """Close the pipes and return the exit status."""
        for stream in (self.answers, self.questions):
            try:
                stream.close()
            except BrokenPipeError:  # noqa: PERF203
                continue
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
