"""Check content fast, for commits that are clean: git by `posix_spawn`, and the prefilter.

The answer is "certainly nothing here" or "look properly"; what is unusual (an archive, a large file, a pointer of Git
LFS) is a reason to look properly. This module is on the start-up path of the hook and of the gate.
"""

from __future__ import annotations

import _thread
import os
import sys
import time

from binance_leaks.detect import first_test
from binance_leaks.sources.plumbing import (
    BATCH,
    LONGEST_HEADER,
    MOST_CHANGES,
    MOST_MEMORY_FOR_CHANGES,
    SAMPLE,
    SETTINGS,
    Answers,
    HangDetector,
    find_program,
    kill_all,
    may_be_lfs_pointer,
    memory_of,
    processes_of,
)

TYPE_CHECKING = False  # as typing has it, without importing typing
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import IO

LARGE = 8 << 20
_ARCHIVE_STARTS = (
    b"PK", b"PACK", b"\x1f\x8b", b"\x1f\x9d", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!",
    b"\x04\x22\x4d\x18", b"LZIP", b"MSCF", b"# v", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"%PDF-",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    *(bytes((low,)) + b"\x2a\x4d\x18" for low in range(0x50, 0x60)),
    *(b"From ", b"From:", b"Return-Path:", b"Delivered-To:", b"Received:", b"MIME-Version:", b"Message-I", b"Date:"),
    *(b"To:", b"Subject:", b"DKIM-Signature:", b"ARC-Seal:", b"Reply-To:", b"Content-Type:", b"X-Mozilla-Status:"),
    *(b"X-Apparently-To:", b"X-Gmail-Labels:", b"X-GM-THRID:", b"X-Received:", b"X-Original-To:", b"X-Account-Key:"),
    *(b"X-UIDL:", b"Envelope-To:", b"Authentication-Results:", b"Thread-Topic:", b"Snapshot-Content-Location:"),
)  # fmt: skip
"""What archives and mail begin with: less of it than in `archive_kind`, which a clean commit does not import."""
_PICTURE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM", b"RIFF")
_TAR_MAGIC = slice(257, 262)
_ZIP_END, _ZIP_TAIL = slice(-22, -18), slice(-22 - 0xFFFF, None)
_PROGRAMS = (b"#!", b"MZ", b"\x7fELF")
_LONGEST = 10.0
"""Seconds for git where its memory is not known."""


def is_harmless(data: bytes) -> bool:
    """Whether content is certainly without a credential, and needs no unpacking."""
    if data.startswith(_ARCHIVE_STARTS) or data[_TAR_MAGIC] == b"ustar" or may_be_lfs_pointer(data):
        return False
    if data[_ZIP_END] == b"PK\x05\x06" or (data.startswith(_PROGRAMS) and b"PK\x05\x06" in data[_ZIP_TAIL]):
        return False
    return not first_test.may_hold(data) and not _has_pictures_to_read(data)


def _has_pictures_to_read(data: bytes) -> bool:
    is_one = data.startswith(_PICTURE_STARTS) or data[4:8] == b"ftyp"
    if not is_one and b"image/" not in data and b"iVBORw0KGgo" not in data:
        return False
    from binance_leaks.sources.pictures.kinds import may_hold_picture  # start-up: nearly no file gets here
    from binance_leaks.sources.pictures.settings import are_read  # as above

    return may_hold_picture(data) and are_read()


class SpawnedGit:
    """git with pipes, by `posix_spawn`: the subprocess module takes as long to import as git takes to run.

    A context manager. Raises OSError where git cannot be started.
    """

    def __init__(self, environment: Mapping[str, str], *arguments: str) -> None:
        program = _find_git()
        self._git_dir = environment.get("GIT_DIR")
        question, write = os.pipe()
        read, answer = os.pipe()
        null = os.open(os.devnull, os.O_WRONLY)
        self.questions: IO[bytes] = open(write, "wb")  # noqa: PTH123, SIM115
        self.answers = Answers(open(read, "rb"))  # noqa: PTH123, SIM115
        self._pid = 0
        self._status = 0
        self._lock = _thread.allocate_lock()
        try:
            if sys.platform != "win32":
                self._pid = os.posix_spawn(
                    program,
                    ["git", *SETTINGS, *arguments],
                    environment,
                    file_actions=[
                        (os.POSIX_SPAWN_DUP2, question, 0),
                        (os.POSIX_SPAWN_DUP2, answer, 1),
                        (os.POSIX_SPAWN_DUP2, null, 2),
                    ],
                )
        finally:
            for descriptor in (question, answer, null):
                os.close(descriptor)

    def __enter__(self) -> SpawnedGit:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()

    def read_changes(self) -> bytes | None:
        """All that git writes about changes. None where that is too much, or where git needs too much memory for it."""
        self.watch(_LONGEST)
        parts, size = [], 0
        while part := self.answers.read(1 << 20):
            parts.append(part)
            size += len(part)
            if size > MOST_CHANGES:
                return None
        return b"".join(parts) if self.wait() == 0 else None

    def watch(self, longest: float = float("inf")) -> None:
        """End git where it needs too much memory, or hangs, which is remembered.

        Where the system does not list its memory, after `longest` seconds.
        """
        _thread.start_new_thread(self._watch, (time.monotonic() + longest,))

    def _watch(self, ends: float) -> None:
        detector = HangDetector(self._pid, self.answers)
        while True:
            time.sleep(SAMPLE)
            with self._lock:
                if not self._pid:
                    return
                used = memory_of(self._pid)
                hangs = detector.look()
                is_too_much = time.monotonic() > ends if used is None else used > MOST_MEMORY_FOR_CHANGES
                if hangs:
                    # start-up: no git hangs, and agents' hooks start none
                    from binance_leaks.sources.git_preflight import remember_hang

                    remember_hang(".", self._git_dir)
                if is_too_much or hangs:
                    kill_all(processes_of(self._pid))
                    return

    def wait(self) -> int:
        """Close the pipes and return the exit status."""
        for stream in (self.answers, self.questions):
            try:
                stream.close()
            except BrokenPipeError:  # noqa: PERF203
                continue
        if not self._pid:
            return self._status
        pid = self._pid
        with self._lock:
            self._pid = 0
        self._status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return self._status


def _find_git() -> str:
    if sys.platform != "win32":  # which has no posix_spawn
        program = find_program("git")
        if program is not None:
            return program
    raise FileNotFoundError("git")


class ObjectReader:
    """Reads objects from git, one that runs `READER`."""

    __slots__ = ("_git", "_token")

    def __init__(self, git: SpawnedGit) -> None:
        self._git = git
        self._token = os.urandom(8).hex()

    def resolve(self, revision: str) -> str | None:
        """The id of the object that a revision names, None if there is none, or if it is large."""
        self._request([revision])
        found = self._answer()
        return None if found is None else found[0]

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes] | None]:
        """Yield the ids and contents of some objects, and end. None for one that is missing or large, or damaged."""
        for first in range(0, len(names) or 1, BATCH):
            batch = names[first : first + BATCH]
            self._request(batch)
            if first + BATCH >= len(names):  # git ends: nothing is waited for that an object claims to have
                self._git.questions.close()
            for _ in batch:
                yield self._answer()
        if self._git.answers.read(1):  # the last object has more than it claims
            yield None

    def _request(self, names: Sequence[str]) -> None:
        text = "".join(f"{name} {self._token}\n" for name in names)
        self._git.questions.write(text.encode("utf-8", "surrogateescape"))
        self._git.questions.flush()

    def _answer(self) -> tuple[str, bytes] | None:
        fields = self._git.answers.readline(LONGEST_HEADER).split()
        if len(fields) != 4 or fields[3] != self._token.encode("ascii") or int(fields[2]) > LARGE:
            return None
        size = int(fields[2])
        data = self._git.answers.read(size + 1)
        return (fields[0].decode("ascii"), data[:-1]) if len(data) == size + 1 and data[-1:] == b"\n" else None
