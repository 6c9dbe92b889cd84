"""Which values are known at which paths, and what an audit said of them.

A value is known by its path and digest, never by its line. The type of an entry says which role the value had when it
was written down; as a value may be taken for a key in one scan and for a secret in another that sees more files, any
of our types will do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from binance_leaks.model import Ordered, Role, Value, mask, split_member

_RUN = re.compile(r"[A-Za-z0-9]{64,}")


class Label(Ordered):
    """What an audit said of a value: its text is the reason for which a finding is suppressed."""

    FALSE_ALARM = "known to the baseline, audited as a false alarm"
    UNAUDITED = "known to the baseline, not audited"
    REAL = "known to the baseline, audited as real"

    @classmethod
    def of(cls, is_secret: object) -> Label:
        """The label of an entry, by the word of detect-secrets for it."""
        if is_secret is None:
            return cls.UNAUDITED
        return cls.REAL if is_secret else cls.FALSE_ALARM


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The values of a baseline. `labels` are by path and SHA-1; paths count from the folder `root`."""

    labels: Mapping[tuple[str, str], Label]
    root: str

    def label(self, value: Value, path: str) -> Label | None:
        """What is known of a value at a path from the root, None where it is not known there."""
        return self.labels.get((stored(path), value.sha1)) if value.sha1 else None


def stored(path: str) -> str:
    """A path as baselines have it: with `/`, as they may come from Windows, and without values in it."""
    return _RUN.sub(_masked, path.replace("\\", "/"))


def _masked(run: re.Match[str]) -> str:
    text = run[0]
    mixed = not (text.islower() or text.isupper() or text.isalpha() or text.isdigit())
    return mask(Role.SECRET_KEY, text.encode("ascii")) if mixed else text


def path_from(root: str, path: str, anchor: str) -> str:
    """The path of a file on disk, given from the folder `anchor`, as seen from the folder `root`.

    Links on the way are followed, one at its end is not. What stands behind `!/`, in an archive, stays.
    """
    # Paths of findings are text: they may name members of archives.
    file, member = split_member(path)
    folder, name = os.path.split(os.path.join(anchor, file))  # noqa: PTH118
    real = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
    try:
        relative = os.path.relpath(real, os.path.realpath(root))
    except ValueError:  # on another drive
        relative = real
    return relative.replace(os.sep, "/") + member
