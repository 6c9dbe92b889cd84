"""Check a clean commit fast: two git processes and the prefilter.

Nearly every commit is clean, so the hook's latency is this module's. The answer is "certainly nothing here" or "look
properly"; anything unusual (an error, a submodule, an archive, a large file, no POSIX) is a reason to look properly.
"""

from __future__ import annotations

import os

from binance_leaks.detect import prefilter
from binance_leaks.sources.fast_path import LARGE, ObjectReader, SpawnedGit, is_harmless
from binance_leaks.sources.git_preflight import check_git_folder
from binance_leaks.sources.plumbing import READER, READER_LIMITS, STAGED, environment, raw_changes

TYPE_CHECKING = False  # as typing has it, without importing typing
if TYPE_CHECKING:
    from collections.abc import Sequence

_SUBMODULE = "160000"


def count_clean_files(named: Sequence[str]) -> int | None:
    """Count the files to be committed if certainly none has a credential, else None.

    `named` narrows to some files; of those that are not staged the content on disk counts.
    """
    if named and not _plainly_from_root(named):
        return None
    if any(check_git_folder(".", os.environ.get("GIT_DIR"))):
        return None  # git might not come to an end
    inherited = environment(inherit=True)
    try:
        with (
            SpawnedGit(inherited, *STAGED, "--no-renames") as listing,
            SpawnedGit({**inherited, **READER_LIMITS}, *READER) as reading,
        ):
            reading.watch()
            return _count_clean(listing, ObjectReader(reading), {os.fsencode(name) for name in named})
    except OSError:
        return None


def _count_clean(listing: SpawnedGit, objects: ObjectReader, wanted: set[bytes]) -> int | None:
    changes = _staged(listing)
    if not changes or any(prefilter.path_may_hold(path) for path, _ in changes):
        return None
    blobs = {path: blob for path, blob in changes if not wanted or path in wanted}
    unstaged = wanted.difference(blobs)
    if not all(not prefilter.path_may_hold(path) and _is_harmless_file(path) for path in unstaged):
        return None
    clean = all(found is not None and is_harmless(found[1]) for found in objects.read([*blobs.values()]))
    return len(blobs) + len(unstaged) if clean else None


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


def _staged(listing: SpawnedGit) -> list[tuple[bytes, str]] | None:
    """Paths and blobs that the index adds or changes, None if git fails or there is more to it."""
    out = listing.read_changes()
    if out is None:
        return None
    found = []
    for status, mode, _, new, path, _ in raw_changes(out):
        if mode == _SUBMODULE or status == "U":
            return None
        if status != "D":
            found.append((path, new))
    return found


def _is_harmless_file(path: bytes) -> bool:
    if os.path.islink(path) or (os.path.lexists(path) and not os.path.isfile(path)):  # noqa: PTH113, PTH114
        return False
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            data = stream.read(LARGE + 1)
    except OSError:
        return False
    return len(data) <= LARGE and is_harmless(data)
