"""The order of refs in reports: those that people know first, those that machines make last.

The source sorts by it once; reports keep the order, and fold what `is_automatic`.
"""

from __future__ import annotations

from collections.abc import Set

_HEADS, _TAGS, _REMOTES = "refs/heads/", "refs/tags/", "refs/remotes/"
_PROTECTED = frozenset(
    {"main", "master", "trunk", "develop", "development", "dev", "prod", "production", "staging", "stable", "release"}
)
_PROTECTED_FOLDERS = ("release/", "releases/", "hotfix/")
_BOTS = frozenset({"dependabot", "renovate", "snyk-fix", "pyup", "greenkeeper", "imgbot", "pre-commit-ci"})
_FORGES = ("pull/", "pull-requests/", "merge-requests/", "keep-around/", "pipelines/", "environments/", "changes/")


def ref_order(name: str, defaults: Set[str]) -> tuple[int, bool, str]:
    """Return the key that sorts full names of refs.

    `defaults` are those that HEAD and the HEADs of remotes name, and a detached HEAD. They come first, then branches
    that look protected, the stash, tags, other branches and refs; bots' branches and the forge's own refs are last.
    """
    return _rank(name, defaults), name.startswith(_REMOTES), name


def is_automatic(shown: str) -> bool:
    """Return whether a bot or the forge made a ref, by its full name or as people write it."""
    if shown.startswith("refs/") and not shown.startswith((_HEADS, _TAGS, _REMOTES)):
        return is_made_by_forge(shown)
    return not _BOTS.isdisjoint(_branch(shown).split("/")[:2])


def is_made_by_forge(name: str) -> bool:
    """Return whether a full name is one that a forge alone makes, such as that of a pull request."""
    return name.startswith("refs/") and name.removeprefix("refs/").startswith(_FORGES)


def _rank(name: str, defaults: Set[str]) -> int:
    if name in defaults:
        return 0
    if is_automatic(name):
        return 5
    if name == "refs/stash" or name.startswith("stash@{"):
        return 2
    if name.startswith(_TAGS):
        return 3
    return 1 if _looks_protected(name) else 4


def _looks_protected(name: str) -> bool:
    if not name.startswith((_HEADS, _REMOTES)):
        return False
    branch = _branch(name)
    if name.startswith(_REMOTES):
        branch = branch.partition("/")[2]
    return branch in _PROTECTED or branch.startswith(_PROTECTED_FOLDERS)


def _branch(name: str) -> str:
    prefix = next((prefix for prefix in (_HEADS, _TAGS, _REMOTES) if name.startswith(prefix)), "")
    return name[len(prefix) :]
