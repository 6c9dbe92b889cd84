"""How to take what was found out of a history: the commands of git and git-filter-repo, and what they cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from binance_leaks.model import Exposure, Location, is_member
from binance_leaks.report.remedy import Step

_FILE = "../replacements.txt"  # outside of the work tree: there git-filter-repo refuses files that it does not know
_STASH = "refs/stash"

_PUSHED = Step(
    text="A remote has it. It stays leaked whatever is rewritten: clones, forks and caches keep it. Only revoking it "
    "ends that."
)
_ARCHIVES = Step(
    text="Archives and other binary files stay as they are. Take those that hold it out whole:",
    verbatim=("git filter-repo --force --invert-paths --path FILE",),
)
_AGAIN = Step(
    text="Scan again. A value in a binary file, or written in pieces, is still there.",
    verbatim=("binance-leaks history",),
)
_PUBLISH = Step(
    text="Push it. --mirror makes the remote like this clone, deleting what this lacks; where it is refused, push "
    "--force --all and --force --tags. Then everyone clones anew, as an old clone brings it back with its next push, "
    "and the host may have to drop pull requests and caches.",
    verbatim=("git push --force --mirror URL",),
)
_DROP_STASH = Step(text="A stash holds it: drop that one.", verbatim=("git stash list", "git stash drop STASH"))
_PRUNE = Step(
    text="In the repository that was scanned, delete what no branch or tag leads to. That goes for all "
    "other entries of the reflogs, too, and all stashes but the last:",
    verbatim=("git reflog expire --expire=now --all", "git gc --prune=now"),
)
_DELETE = Step(text=f"Delete {_FILE}: it holds the values.")
_ORDER = (_PUSHED, None, _ARCHIVES, _AGAIN, _PUBLISH, _DROP_STASH, _PRUNE, _DELETE)


def rewriting_each(fleet: Mapping[str, Sequence[Location]]) -> list[Step]:
    """The steps for the repositories of a fleet that hold values at these locations, each rewritten for itself.

    A step names its repositories where it is not for all of them.
    """
    concerned: dict[Step, list[str]] = {}
    for name, locations in fleet.items():
        for step in rewriting(locations):
            concerned.setdefault(step, []).append(name)
    everywhere = tuple(fleet)
    these = "that repository" if len(fleet) == 1 else f"these {len(fleet):,} repositories, each for itself"
    made = [Step(text=f"The history holds it. Rewrite {these}, by the steps that follow.", repositories=everywhere)]
    for step in sorted(concerned, key=_place_in_order):
        names = tuple(concerned[step])
        made.append(step if names == everywhere else replace(step, repositories=names))
    return made


def _place_in_order(step: Step) -> int:
    """Where a step comes; that of git-filter-repo itself, which is written anew for each repository, is the second."""
    return _ORDER.index(step) if step in _ORDER else 1


def rewriting(locations: Sequence[Location]) -> list[Step]:
    """The steps that take values out of a repository that holds them at these locations; only those that apply."""
    tracked = [location for location in locations if _is_tracked(location)]
    pushed = any(location.pushed for location in locations)
    stashed = any(_STASH in location.refs for location in locations)
    steps = [_PUSHED] if pushed else []
    if tracked:
        steps.append(_rewrite(tracked, pushed=pushed))
    if any(is_member(location.path) for location in tracked):
        steps.append(_ARCHIVES)
    if tracked:
        steps.append(_AGAIN)
    if tracked and pushed:
        steps.append(_PUBLISH)
    if stashed:
        steps.append(_DROP_STASH)
    if stashed or any(location.exposure is Exposure.UNREACHABLE for location in locations):
        steps.append(_PRUNE)
    return [*steps, _DELETE] if tracked else [*steps, _AGAIN]


def _is_tracked(location: Location) -> bool:
    """Whether a branch, tag or note leads to it, so that rewriting takes it out."""
    return location.exposure is not Exposure.UNREACHABLE and set(location.refs) != {_STASH}


def _rewrite(locations: Sequence[Location], *, pushed: bool) -> Step:
    messages = {location.exposure is Exposure.MESSAGE for location in locations}
    command = "git filter-repo" if pushed else "git filter-repo --force"
    if False in messages:
        command += f" --replace-text {_FILE}"
    if True in messages:
        command += f" --replace-message {_FILE}"
    lines = (f"binance-leaks history --write-replacements {_FILE}", command)
    if pushed:
        text = "To take it out of the history all the same, rewrite a fresh clone with git-filter-repo:"
        return Step(text=text, verbatim=("git clone --mirror URL clean.git", "cd clean.git", *lines))
    text = (
        "Then take it out of the history. That does not call back what was cloned or copied. Keep a backup, run "
        "git-filter-repo at the top of the repository, and add its remotes anew:"
    )
    return Step(text=text, verbatim=lines)
