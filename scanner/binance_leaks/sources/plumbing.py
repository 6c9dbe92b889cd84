"""Hardened settings and environment of git, its raw diffs, pointers of Git LFS.

A scanned repository may be hostile. Nothing it configures is run: no text conversion, external diff, hook, file-system
monitor, lazy fetch or prompt. This module is on the start-up path of the hook and imports nothing.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as typing has it, without importing typing
if TYPE_CHECKING:
    from typing import IO, TypeAlias

    RawChange: TypeAlias = tuple[str, str, str, str, bytes, bytes]
    """Status, new mode, old and new blob id, path, and for a rename or copy the old path.

    Ids are hexadecimal; that of a missing side is all zeros, and so is the old one of a submodule.
    """

SETTINGS = (
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.quotePath=false",
    "-c", "core.untrackedCache=false",
    "-c", "core.commitGraph=false",  # it could give commits other parents and trees; without it, 6 µs for each commit
    "-c", "core.multiPackIndex=false",  # it could give objects other contents; without it, as fast with fifty packs
    "-c", "log.mailmap=false",
    "-c", "submodule.recurse=false",
    "-c", "diff.relative=false",
)  # fmt: skip
NO_PROTOCOL = f"none-{os.urandom(8).hex()}"
"""The only protocol that git may use where it is to connect to nothing.

For a protocol that it does not know, git starts a program or alias `remote-NAME`. A repository can name any in the
address of a remote, so no name that can be known beforehand is allowed; the empty one is a name, too.
"""
_VARIABLES = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": NO_PROTOCOL,
    "GIT_PAGER": "cat",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",  # `info/grafts` would give commits other parents
    "LC_ALL": "C",
}
_UNWELCOME = frozenset({"GIT_DIFF_OPTS", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_REPLACE_REF_BASE"})
STAGED = (
    "diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--no-color",
    "--ignore-submodules=none", "-O/dev/null",
)  # fmt: skip
_LFS_VERSIONS = (b"version https://git-lfs", b"version https://hawser", b"version http://git-media")
LFS_POINTER_SIZE = 1024
"""Bytes that a pointer of Git LFS has at most."""
_ENDINGS = (".exe", ".cmd", ".bat") if sys.platform == "win32" else ("",)
MOST_CHANGES, MOST_MEMORY_FOR_CHANGES = 128 << 20, 400 << 20
"""Bytes that git may write and need to list what commits change: enough for a million files at once."""
READER = (
    "-c", "core.bigFileThreshold=8m", "cat-file", "--batch=%(objectname) %(objecttype) %(objectsize) %(rest)",
)  # fmt: skip
READER_LIMITS = {"GIT_ALLOC_LIMIT": f"{512 << 20}"}
"""git that reads objects, and the most memory that it may take for one at once.

Large objects come in parts, except for deltas: a pack of a few kilobytes can make gigabytes of them. git itself makes
none of a file above 512 MiB. Each answer repeats what followed the name in its request, which no object can foresee:
git also writes what an object has beyond the size that it claims.
"""
LONGEST_HEADER = 4096
SAMPLE = 0.25
"""Seconds between two looks at a git that runs."""
MOST_STILL = 40
"""Looks in a row that find git asleep, and as it was before, until it counts as hanging."""
_KILL = 9
"""SIGKILL, without importing signal."""
BATCH = 400
"""Objects that are requested before the first answer is read: few enough for the requests to fit into a pipe."""


def environment(*, inherit: bool) -> dict[str, str]:
    """The variables for git.

    `inherit` keeps the caller's GIT_* ones, which a hook needs (GIT_INDEX_FILE).
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or (inherit and name not in _UNWELCOME)
    }
    path = kept.get("PATH")
    if path is not None:
        kept["PATH"] = os.pathsep.join(_absolute_folders(path))
    return {**kept, **_VARIABLES}


def find_program(name: str) -> str | None:
    """The absolute path of a program, None where PATH leads to none.

    A relative folder in PATH, such as `.`, leads into what is scanned and does not count.
    """
    for folder in _absolute_folders(os.environ.get("PATH", os.defpath)):
        for ending in _ENDINGS:
            path = os.path.join(folder, name + ending)  # noqa: PTH118 - as PATH has it
            if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
                return path
    return None


def _absolute_folders(path: str) -> list[str]:
    return [folder for folder in path.split(os.pathsep) if os.path.isabs(folder)]  # noqa: PTH117


def raw_changes(out: bytes) -> list[RawChange]:
    """The entries of `git diff --raw -z`."""
    fields = split(out)
    changes = []
    at = 0
    while at < len(fields):
        old_mode, new_mode, old, new, status = fields[at].decode("ascii").split(" ")
        if old_mode == ":160000":  # a commit of another repository, no former content
            old = "0" * len(old)
        renamed = status[0] in "RC"
        former, path = (fields[at + 1], fields[at + 2]) if renamed else (b"", fields[at + 1])
        changes.append((status[0], new_mode, old, new, path, former))
        at += 3 if renamed else 2
    return changes


def may_be_lfs_pointer(data: bytes) -> bool:
    """Whether `data` begins as a pointer of Git LFS does.

    It replaces a file that the repository does not have.
    """
    return len(data) <= LFS_POINTER_SIZE and data.lstrip().startswith(_LFS_VERSIONS)


def memory_of(pid: int) -> int | None:
    """The bytes of memory that a process has for itself, without files; None where the system does not list that."""
    if sys.platform == "win32":
        return None
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as stream:  # noqa: PTH123
            _, resident, shared, *_ = stream.read().split()
    except (OSError, ValueError):
        return None
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def processes_of(pid: int) -> list[int]:
    """A process, and those that it started, as far as the system lists them: `git` can be a script that starts git."""
    found = [pid]
    for one in found:
        try:
            for thread in os.listdir(f"/proc/{one}/task"):  # noqa: PTH208
                with open(f"/proc/{one}/task/{thread}/children", encoding="ascii") as stream:  # noqa: PTH123
                    found += map(int, stream.read().split())
        except OSError:  # noqa: PERF203 - it has ended, or the system has no such files
            continue
    return found


def kill_all(processes: list[int]) -> None:
    """Kill processes of this user; those that have ended are none."""
    for pid in processes:
        try:
            os.kill(pid, _KILL)
        except OSError:  # noqa: PERF203 - each for itself
            continue


class Answers:
    """What a process writes, and whether it is waited for."""

    __slots__ = ("_stream", "is_awaited")

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.is_awaited = False

    def read(self, size: int) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        self.is_awaited = True
        try:
            return self._stream.read(size)
        finally:
            self.is_awaited = False

    def readline(self, size: int) -> bytes:
        """At most `size` bytes, fewer at the end of a line and at the end."""
        self.is_awaited = True
        try:
            return self._stream.readline(size)
        finally:
            self.is_awaited = False

    def close(self) -> None:
        """Close the pipe."""
        self._stream.close()


class HangDetector:
    """Finds a process that hangs: it is waited for and sleeps, and no thread of it has run for ten seconds.

    Nor has one of what it started.

    One that is slow runs now and then, waits for a processor or for a disk, or waits until its answers are read.
    """

    __slots__ = ("_answers", "_before", "_pid", "_still")

    def __init__(self, pid: int, answers: Answers) -> None:
        self._pid = pid
        self._answers = answers
        self._before = ""
        self._still = 0

    def look(self) -> bool:
        """Whether it hangs. Call it every `SAMPLE` seconds."""
        now = _run_counts_if_all_asleep(processes_of(self._pid)) if self._answers.is_awaited else ""
        self._still, self._before = (self._still + 1 if now and now == self._before else 0), now
        return self._still >= MOST_STILL


def _run_counts_if_all_asleep(processes: list[int]) -> str:
    """The counts of processes; empty where one of them does not sleep, or is unknown."""
    counts = [_run_counts_if_asleep(pid) for pid in processes]
    return "\n".join(counts) if all(counts) else ""


def _run_counts_if_asleep(pid: int) -> str:
    """Processor time and context switches of all threads of a process; empty where one does not sleep, or is unknown.

    A disk is waited for in another state. Processor time alone is counted in steps of 10 ms: too coarse for one that
    reads from a network a little at a time. Some sandboxes count no switches.
    """
    counts = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            folder = f"/proc/{pid}/task/{thread}"
            with open(f"{folder}/stat", encoding="ascii", errors="replace") as stream:  # noqa: PTH123
                state, *fields = stream.read().rpartition(") ")[2].split()
            if state != "S":
                return ""
            with open(f"{folder}/status", encoding="ascii", errors="replace") as stream:  # noqa: PTH123
                switches = [line for line in stream if "ctxt_switches" in line]
            counts.append(f"{thread} {fields[10:12]} {switches}")
    except OSError:  # it has ended, or the system has no such files
        return ""
    return "\n".join(counts)


def split(out: bytes) -> list[bytes]:
    """The items of a list that git ends each with a zero byte."""
    return out.split(b"\0")[:-1]
