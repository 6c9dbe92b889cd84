"""The import path of this program: installed packages, no scanned folder."""

from __future__ import annotations

import os
import sys
from os.path import realpath  # not pathlib: it would be imported before the path is safe


def trusted_import_path() -> list[str]:
    """Return `sys.path` without the current folder and the folders of PYTHONPATH in it.

    A repository may have a `git.py` or `re.py`, by accident or to take over this program. Folders elsewhere remain, as
    some systems install packages that way, and so does the one that this package is in. Modules that are already
    imported remain, too: only `python -I` keeps a `binance_leaks.py` or `sitecustomize.py` out.
    """
    if sys.flags.isolated:
        return list(sys.path)
    try:
        here, home = realpath(os.curdir), realpath(__file__).rsplit(os.sep, 2)[0]
    except OSError:  # the current folder is deleted: nothing can be imported from it
        return list(sys.path)
    named = {realpath(folder) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    scanned = {folder for folder in named if _is_within(folder, here) or _is_within(here, folder)} | {here}
    return [entry for entry in sys.path if realpath(entry) not in scanned - {home}]


def _is_within(inner: str, outer: str) -> bool:
    return (inner + os.sep).startswith(outer.rstrip(os.sep) + os.sep)
