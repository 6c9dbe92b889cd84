"""Steps that rewrite the history of a repository, or of those of a fleet, with git and git-filter-repo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from binance_leaks.model import Exposure, Location, is_member
from binance_leaks.report.remedies import Step

_REPLACEMENTS = (
    "../replacements.txt"  # outside of the work tree: there git-filter-repo refuses files that it does not know
)
_STASH = "refs/stash"

_PUSHED = Step(
    text="A remote has it. Rewriting does not undo this leak: clones, forks and caches keep it. Only revoking it helps."
)
_REMOVE_ARCHIVES = Step(
    text="Archives and other binary files are not rewritten. Remove those that contain it:",
    verbatim=("git filter-repo --force --invert-paths --path FILE",),
)
_RESCAN = Step(
    text="Scan again: a value in a binary file, or split into pieces, is still there.",
    verbatim=("binance-leaks history",),
)
_PUBLISH = Step(
    text="Push it. --mirror makes the remote identical to this clone and deletes refs that the clone lacks; if it is "
    "refused, push with --force --all and --force --tags. Then everyone must clone again, as a push from an old clone "
    "restores it, and the host may have to delete pull requests and caches.",
    verbatim=("git push --force --mirror URL",),
)
_DROP_STASH = Step(text="A stash contains it: drop that stash.", verbatim=("git stash list", "git stash drop STASH"))
_PRUNE = Step(
    text="In the scanned repository, delete unreachable objects. This also deletes all reflog entries, and all stashes "
    "except the last:",
    verbatim=("git reflog expire --expire=now --all", "git gc --prune=now"),
)
_DELETE_REPLACEMENTS = Step(text=f"Delete {_REPLACEMENTS}: it contains the values.")
_ORDER = (_PUSHED, None, _REMOVE_ARCHIVES, _RESCAN, _PUBLISH, _DROP_STASH, _PRUNE, _DELETE_REPLACEMENTS)


def rewrite_steps_by_repository(fleet: Mapping[str, Sequence[Location]]) -> list[Step]:
    """Return the steps for the repositories of a fleet that hold values at these locations.

    Each is rewritten separately. A step names its repositories unless it is for all of them.
    """
    concerned: dict[Step, list[str]] = {}
    for name, locations in fleet.items():
        for step in rewrite_steps(locations):
            concerned.setdefault(step, []).append(name)
    everywhere = tuple(fleet)
    these = "that repository" if len(fleet) == 1 else f"these {len(fleet):,} repositories separately"
    made = [Step(text=f"The history contains it. Rewrite {these} with the following steps.", repositories=everywhere)]
    for step in sorted(concerned, key=_place_in_order):
        names = tuple(concerned[step])
        made.append(step if names == everywhere else replace(step, repositories=names))
    return made


def _place_in_order(step: Step) -> int:
    """Where a step comes; that of git-filter-repo itself, which is written anew for each repository, is the second."""
    return _ORDER.index(step) if step in _ORDER else 1


def rewrite_steps(locations: Sequence[Location]) -> list[Step]:
    """Return the steps that remove values from a repository with these locations; only those that apply."""
    tracked = [location for location in locations if _is_tracked(location)]
    pushed = any(location.pushed for location in locations)
    stashed = any(_STASH in location.refs for location in locations)
    steps = [_PUSHED] if pushed else []
    if tracked:
        steps.append(_rewrite_step(tracked, pushed=pushed))
    if any(is_member(location.path) for location in tracked):
        steps.append(_REMOVE_ARCHIVES)
    if tracked:
        steps.append(_RESCAN)
    if tracked and pushed:
        steps.append(_PUBLISH)
    if stashed:
        steps.append(_DROP_STASH)
    if stashed or any(location.exposure is Exposure.UNREACHABLE for location in locations):
        steps.append(_PRUNE)
    return [*steps, _DELETE_REPLACEMENTS] if tracked else [*steps, _RESCAN]


def _is_tracked(location: Location) -> bool:
    """Return whether a branch, tag or note leads to it, so that rewriting removes it."""
    return location.exposure is not Exposure.UNREACHABLE and set(location.refs) != {_STASH}


def _rewrite_step(locations: Sequence[Location], *, pushed: bool) -> Step:
    messages = {location.exposure is Exposure.MESSAGE for location in locations}
    command = "git filter-repo" if pushed else "git filter-repo --force"
    if False in messages:
        command += f" --replace-text {_REPLACEMENTS}"
    if True in messages:
        command += f" --replace-message {_REPLACEMENTS}"
    lines = (f"binance-leaks history --write-replacements {_REPLACEMENTS}", command)
    if pushed:
        text = "To remove it from the history anyway, rewrite a fresh clone with git-filter-repo:"
        return Step(text=text, verbatim=("git clone --mirror URL clean.git", "cd clean.git", *lines))
    text = (
        "Then remove it from the history. This does not undo existing clones or copies. Keep a backup, run "
        "git-filter-repo at the top of the repository, and add its remotes again:"
    )
    return Step(text=text, verbatim=lines)
