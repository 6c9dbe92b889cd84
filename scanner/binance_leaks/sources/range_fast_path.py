"""Read and prefilter the commits of a range fast: two git processes.

Nearly every pull request is clean, so the gate's latency is this module's. What is unusual (a shallow clone, an object
that is missing or large, no POSIX) must be read properly.
"""

from __future__ import annotations

import os
import time

from binance_leaks.detect import first_test, prefilter
from binance_leaks.detect.signatures import strip_signature
from binance_leaks.sources.fast_path import ObjectReader, SpawnedGit, is_harmless
from binance_leaks.sources.git_preflight import check_git_folder, find_git_folder, has_hung
from binance_leaks.sources.plumbing import READER, READER_LIMITS, environment

# What the configuration of a repository could change of the list is set here.
_LOG = (
    "log", "--raw", "-z", "-c", "--root", "--no-abbrev", "--no-renames", "--no-color", "--no-notes", "--no-decorate",
    "--no-show-signature", "--no-ext-diff", "--ignore-submodules=none", "-O/dev/null", "--topo-order", "--reverse",
    "--format=%x01%H %P",
)  # fmt: skip
_COMMIT = b"\x01"
_SUBMODULE = b"160000"
_SETTINGS = (".binance-leaks.toml", "pyproject.toml")
_OUR_NAME = b"binance-leaks"
_LARGEST_SETTINGS = 4 << 20
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/~^@{}"
_MASKED, _LONGEST = 40, 64
_MOST_KEPT, _MOST_KEPT_OF_COMMITS = 64 << 20, 1 << 20


class RangeContents:
    """What the commits of a range hold, read and prefiltered."""

    __slots__ = ("base", "changes", "commits", "head", "seconds", "sizes", "suspects", "texts")

    def __init__(self, base: str, head: str) -> None:
        self.base = base
        self.head = head
        self.commits: dict[str, tuple[str, ...]] = {}
        """Each commit with its parents, parents before their children."""
        self.changes: list[tuple[str, bytes, bytes]] = []
        """Commit, entry of a raw diff, and path of all that the commits change, in their order."""
        self.sizes: dict[str, int] = {}
        """The bytes of each commit, and of each blob that the commits add or change."""
        self.suspects: dict[str, bytes] = {}
        """Those that may hold a credential or must be unpacked, with their contents."""
        self.texts: dict[str, bytes] = {}
        """The contents of commits, as far as they are kept."""
        self.seconds = 0.0
        """How long it took to read them."""

    @property
    def files(self) -> dict[tuple[bytes, str], None]:
        """Paths and blobs that the commits add or change."""
        return {(path, blob): None for _, entry, path in self.changes if (blob := _changed_blob(entry)) is not None}

    @property
    def is_plain(self) -> bool:
        """Whether no path names a value, and no entry is a submodule."""
        return not any(prefilter.path_may_hold(path) or _is_submodule(entry) for _, entry, path in self.changes)


def _is_submodule(entry: bytes) -> bool:
    """Whether a commit has a submodule, by an entry `::mode mode mode id id id MM`.

    There is one column for each parent, then that of the commit.
    """
    return entry.split(b" ")[entry.count(b":")] == _SUBMODULE


def _changed_blob(entry: bytes) -> str | None:
    """The blob that a commit has, by such an entry; None where it deletes the file or has a submodule."""
    blob = entry.rsplit(b" ", 2)[1].decode("ascii")
    return blob if blob.strip("0") and not _is_submodule(entry) else None


def read_range(text: str) -> RangeContents | None:
    """Read and prefilter the commits of `BASE..HEAD` or `BASE...HEAD`; None if there is anything unusual."""
    sides = _sides(text)
    if sides is None or any(check_git_folder(".", None)) or has_hung(".", None) or not _is_whole():
        return None
    started, hardened = time.monotonic(), environment(inherit=False)
    try:
        with SpawnedGit({**hardened, **READER_LIMITS}, *READER) as reading:
            reading.watch()
            objects = ObjectReader(reading)
            base, head = (objects.resolve(f"{side}^{{commit}}") for side in sides)
            if base is None or head is None or base == head:
                return None
            contents = RangeContents(base, head)
            with SpawnedGit(hardened, *_LOG, f"{base}..{head}", "--") as listing:
                changes = listing.read_changes()
            if changes is None:
                return None
            _parse(changes, contents)
            if not (_rests_on_base(contents) and _read(contents, objects)):
                return None
            contents.seconds = time.monotonic() - started
            return contents
    except OSError:
        return None


def _parse(out: bytes, contents: RangeContents) -> None:
    """Parse what `git log --raw -z` lists."""
    commit = ""
    fields = iter(out.split(b"\0"))
    for field in fields:
        entry = field.lstrip(b"\n")
        if entry.startswith(_COMMIT):
            commit, *parents = entry[1:].decode("ascii").split()
            contents.commits[commit] = tuple(parents)
        elif entry:
            contents.changes.append((commit, entry, next(fields)))


def _rests_on_base(contents: RangeContents) -> bool:
    """Whether there are commits, and the base is an ancestor of theirs or has one in common with them."""
    return any(parent not in contents.commits for parents in contents.commits.values() for parent in parents)


def _read(contents: RangeContents, objects: ObjectReader) -> bool:
    """Read all commits and blobs of a range. Return False if one is missing or large, or if much is suspicious."""
    kept = 0
    kept_of_commits = 0
    blobs = dict.fromkeys(blob for _, blob in contents.files)
    for found in objects.read([*contents.commits, *blobs]):
        if found is None:
            return False
        name, content = found
        contents.sizes[name] = len(content)
        if name not in blobs and kept_of_commits < _MOST_KEPT_OF_COMMITS:
            contents.texts[name] = content
            kept_of_commits += len(content)
        if not (is_harmless(content) if name in blobs else _is_harmless_commit(content)):
            contents.suspects[name] = content
            kept += len(content)
            if kept > _MOST_KEPT:
                return False
    return True


def _is_harmless_commit(content: bytes) -> bool:
    """Whether the message and the headers of a commit are certainly without a credential."""
    return not first_test.may_hold(strip_signature(content))


def _sides(text: str) -> tuple[str, str] | None:
    """The two revisions of a range, None unless they are as nearly everybody writes them."""
    base, dots, head = text.partition("..")
    head = head.removeprefix(".")
    if not dots or not (base or head) or ".." in head or not all(map(_is_plain_revision, (base, head))):
        return None
    return base or "HEAD", head or "HEAD"


def _is_plain_revision(revision: str) -> bool:
    """Whether a revision is no option, and nothing in it would be masked or escaped where it is printed."""
    if revision.startswith(("-", ".")) or not revision.isascii() or revision.encode().translate(None, _PLAIN):
        return False
    return len(revision) < _MASKED or (len(revision) < _LONGEST and revision.islower())


def _is_whole() -> bool:
    """Whether the clone here has its whole history."""
    found = find_git_folder(".", None)
    return found is not None and not os.path.lexists(os.path.join(found[1], "shallow"))  # noqa: PTH118


def has_configuration() -> bool:
    """Whether there may be a configuration of ours in the current folder or above."""
    folder = os.path.realpath(".")
    while not _is_configured(folder):
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            return False
        folder = above
    return True


def _is_configured(folder: str) -> bool:
    own, shared = (os.path.join(folder, name) for name in _SETTINGS)  # noqa: PTH118
    if os.path.lexists(own):
        return True
    try:
        # A pipe must not make open() wait.
        with open(os.open(shared, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as stream:  # noqa: PTH123
            content = stream.read(_LARGEST_SETTINGS + 1)
        return _OUR_NAME in content or len(content) > _LARGEST_SETTINGS
    except FileNotFoundError:
        return False
    except OSError:
        return True
