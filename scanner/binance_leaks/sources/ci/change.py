"""A change as a CI system announces it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Variables = Mapping[str, str]
"""The environment of the process."""

_ID = re.compile(r"[0-9a-f]{7,64}")
_BRANCH = re.compile(r"(?!-)(?!.*(?:\.\.|//|@\{))[^\x00-\x20\x7f~^:?*\[\\+]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class CiChange:
    """The commits that a run is about: those that `head` reaches and what it is compared with does not.

    That is `base` where the system names a commit; else the branch `target` of the remote; with `whole` nothing, as for
    the first push of a repository; else the default branch of the remote. What `also` names is no part of the change
    either, if it is here. `forced` says that `base` may be gone. `tag` is a tag that was pushed. `remedy` says which
    setting of the system brings the history that is missing. `by_hand` says that the user gave `base` or `head`, which
    are any revision then, and not ids.
    """

    system: str
    what: str
    head: str = "HEAD"
    base: str | None = None
    target: str | None = None
    branch: str | None = None
    also: tuple[str, ...] = ()
    forced: bool = False
    whole: bool = False
    tag: str | None = None
    deletes: bool = False
    head_ref: str | None = None
    by_hand: bool = False
    remedy: str


def commit_id(text: object) -> str | None:
    """A commit id as systems give it, None for anything else: all zeros mean no commit."""
    if isinstance(text, str) and _ID.fullmatch(text.lower()) and text.strip("0"):
        return text.lower()
    return None


def branch_name(text: object) -> str | None:
    """The name of a branch without `refs/heads/`, None for what cannot be one."""
    if not isinstance(text, str):
        return None
    name = text.removeprefix("refs/heads/")
    return name if _BRANCH.fullmatch(name) else None
