"""Steps that rewrite the history of a repository, or of those of a fleet, with git and git-filter-repo.

Every command can be pasted as it is. Names of files come from the repository: they are quoted for the shell, and what
could still deceive there is a `?` for each of its bytes.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from binance_leaks.findings import INCOMPLETE_CLONE, Forge, Skipped
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Exposure, Location, is_member
from binance_leaks.report.locations import file_to_open
from binance_leaks.report.remedies import Step

GITHUB_REMOVAL = (
    "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/"
    "removing-sensitive-data-from-a-repository"
)
GITLAB_REMOVAL = "https://docs.gitlab.com/user/project/repository/repository_size/"

# Outside of the work tree: there git-filter-repo refuses files that it does not know.
_REPLACEMENTS = "../replacements.txt"
_STASH = "refs/stash"
_OLDER_STASH = lazy_pattern(r"stash@\{[0-9]{1,6}\}")
_MAX_PATHS = 20
_MASKED = lazy_pattern(r"(?<=[A-Za-z0-9]{4})…")
_URL = lazy_pattern(r"https?://[A-Za-z0-9._~:/-]+")
_ORIGIN = '"$(git remote get-url origin)"'

_PUSHED = Step(
    text="A remote has it. Rewriting does not undo this leak: clones, forks and caches keep it. Only revoking it helps."
)
_RESCAN = Step(text="Scan again: nothing must be left.", verbatim=("binance-leaks history",))
_PUBLISH = Step(
    text="Allow force pushes to protected branches for the moment, and push from clean.git. --mirror makes the remote "
    "identical to it and deletes refs that it lacks. Refs of pull requests are refused; that is expected.",
    verbatim=("git push --force --mirror origin",),
)
_ASK_FORGE = Step(
    text="Pull requests, forks and caches of the forge keep it. GitHub: its support removes them, by the “first "
    "changed commits” that git-filter-repo printed. GitLab: remove the blobs in the repository's maintenance settings. "
    "Others: their administrators collect garbage. Owners of forks must rewrite theirs.",
    verbatim=(GITHUB_REMOVAL, GITLAB_REMOVAL),
)
_ASK: Mapping[Forge, Step] = MappingProxyType(
    {
        Forge.GITHUB: Step(
            text="Pull requests, forks and caches of GitHub keep it. Ask its support to remove them, on your own "
            "server its administrators. Give them the repository, how many pull requests are affected, and the “first "
            "changed commits” that git-filter-repo printed. Owners of forks must rewrite theirs.",
            verbatim=(GITHUB_REMOVAL,),
        ),
        Forge.GITLAB: Step(
            text="Merge requests, forks and caches of GitLab keep it. An owner of the project removes the blobs under "
            "Settings > Repository > Repository maintenance. Owners of forks must rewrite theirs.",
            verbatim=(GITLAB_REMOVAL,),
        ),
        Forge.BITBUCKET: Step(
            text="Pull requests, forks and unreachable commits at Bitbucket keep it. Delete the branches of the "
            "pull requests, and ask Atlassian's support to collect garbage, on your own server its administrators. "
            "Owners of forks must rewrite theirs."
        ),
        Forge.GITEA: Step(
            text="Pull requests, forks and unreachable commits at Gitea or Forgejo keep it. Ask the server's "
            "administrators to delete the repository's refs/pull and to collect garbage, in the site administration. "
            "Owners of forks must rewrite theirs."
        ),
    }
)
_CLONE_AGAIN = Step(
    text="Delete this clone and clean.git, and clone again; so must everyone, as a push from an old clone restores it. "
    "Save first what only this clone has: branches, stashes, uncommitted changes."
)
_PRUNE = Step(
    text="Delete unreachable objects. This also deletes all reflog entries except those of stashes:",
    verbatim=("git -c gc.reflogExpire=now -c gc.reflogExpireUnreachable=now gc --prune=now",),
)
_DELETE_REPLACEMENTS = Step(text=f"Delete {_REPLACEMENTS}: it contains the values.")


def rewrite_steps_by_repository(fleet: Mapping[str, Sequence[Location]], redact: Callable[[str], str]) -> list[Step]:
    """Return the steps for the repositories of a fleet that hold values at these locations.

    Each is rewritten separately. A step names its repositories unless it is for all of them.
    """
    concerned: dict[tuple[int, Step], list[str]] = {}
    for name, locations in fleet.items():
        for place, step in _steps_in_order(locations, redact, _ORIGIN, None):
            concerned.setdefault((place, step), []).append(name)
    everywhere = tuple(fleet)
    these = "that repository" if len(fleet) == 1 else f"these {len(fleet):,} repositories separately"
    made = [Step(text=f"The history contains it. Rewrite {these} with the following steps.", repositories=everywhere)]
    for place, step in sorted(concerned, key=lambda one: one[0]):
        names = tuple(concerned[place, step])
        made.append(step if names == everywhere else replace(step, repositories=names))
    return made


def rewrite_steps(
    locations: Sequence[Location],
    redact: Callable[[str], str],
    *,
    target: str = "",
    skipped: Iterable[Skipped] = (),
    forge: Forge | None = None,
) -> list[Step]:
    """Return the steps that remove values from a repository with these locations; only those that apply.

    `redact` masks values in names of files. `target` is what was scanned; of `skipped` it matters whether objects are
    at the remote only. `forge` is the kind of forge that the remote is at, as far as it is known.
    """
    url = target if _URL.fullmatch(target) else _ORIGIN
    if any(one.why in INCOMPLETE_CLONE for one in skipped):
        return [_clone_whole_step(url)]
    return [step for _, step in _steps_in_order(locations, redact, url, forge)]


def _clone_whole_step(url: str) -> Step:
    text = (
        "This clone lacks objects, so that it cannot be rewritten. Clone it whole, and take the steps for that clone:"
    )
    return Step(text=text, verbatim=(f"git clone --mirror {url} whole.git", "cd whole.git", "binance-leaks history"))


def _steps_in_order(
    locations: Sequence[Location], redact: Callable[[str], str], url: str, forge: Forge | None
) -> list[tuple[int, Step]]:
    """Return the steps, each with its place in the order of all."""
    tracked = [location for location in locations if _is_tracked(location)]
    pushed = any(location.pushed for location in locations)
    stashes = _stashes(locations)
    steps: list[Step | None] = [
        _PUSHED if pushed else None,
        _drop_step(stashes) if stashes and not pushed else None,
        _rewrite_step(tracked, redact, url if pushed else None) if tracked else None,
        _PRUNE if not tracked and locations else None,
        _RESCAN,
        _PUBLISH if pushed else None,
        (_ASK[forge] if forge is not None else _ASK_FORGE) if pushed else None,
        _DELETE_REPLACEMENTS if tracked else None,
        _CLONE_AGAIN if pushed else None,
    ]
    return [(place, step) for place, step in enumerate(steps) if step is not None]


def _is_tracked(location: Location) -> bool:
    """Return whether a branch, tag or note leads to it, so that rewriting removes it."""
    return location.exposure is not Exposure.UNREACHABLE and not all(map(_is_stash, location.refs))


def _is_stash(ref: str) -> bool:
    return ref == _STASH or _OLDER_STASH.fullmatch(ref) is not None


def _stashes(locations: Sequence[Location]) -> list[str]:
    """Return the stashes that hold it, the oldest first: dropping one renumbers those before it."""
    named = {ref for location in locations for ref in location.refs if _is_stash(ref)}
    return sorted(({"stash@{0}"} if _STASH in named else set()) | (named - {_STASH}), key=lambda ref: -int(ref[7:-1]))


def _drop_step(stashes: Sequence[str]) -> Step:
    return Step(
        text="A stash contains it: drop it. Look at it first, as its changes are lost (git stash show -p).",
        verbatim=tuple(f"git stash drop {shlex.quote(stash)}" for stash in stashes),
    )


def _rewrite_step(locations: Sequence[Location], redact: Callable[[str], str], url: str | None) -> Step:
    """Return the step of git-filter-repo, in a clone of `url`, else in place."""
    messages = {location.exposure is Exposure.MESSAGE for location in locations}
    command = "git filter-repo --sensitive-data-removal" + (" --force --no-fetch" if url is None else "")
    if False in messages:
        command += f" --replace-text {_REPLACEMENTS}"
    if True in messages:
        command += f" --replace-message {_REPLACEMENTS}"
    whole = list(map(redact, _whole_files(locations)))
    if whole:
        command += " --invert-paths " + " ".join(map(_path_option, whole))
    lines = (
        "python -m pip install git-filter-repo",
        *((f"git clone --mirror {url} clean.git", "cd clean.git") if url is not None else ()),
        f"binance-leaks history --write-replacements {_REPLACEMENTS}",
        command,
    )
    if url is not None:
        text = "To remove it from the history anyway, rewrite a fresh clone with git-filter-repo, and work in that:"
    else:
        text = (
            "Then remove it from the history, with git-filter-repo at the top of this repository. This does not undo "
            "existing clones or copies. Keep a backup:"
        )
    if whole:
        text = (
            f"{text[:-1]}. Files after --invert-paths hold it in a form that cannot be replaced (binary, encoded, in "
            "pieces, in the name): they are removed whole from all versions, so save what you need of them:"
        )
    return Step(text=text, verbatim=lines)


def _whole_files(locations: Sequence[Location]) -> list[str]:
    """Return the files to remove whole, each once."""
    files = (
        file_to_open(location)
        for location in locations
        if location.exposure is not Exposure.MESSAGE and (not location.replaceable or is_member(location.path))
    )
    return [file for file in dict.fromkeys(files) if file is not None][:_MAX_PATHS]


def _path_option(path: str) -> str:
    """Return the option that names a file, exactly where that is safe to print, else by patterns.

    A file or folder whose name holds a value is named by the mask.
    """
    masked = _MASKED.search(path) is not None
    if not masked and all(map(_is_plain, path)):
        return _option("--path", path)
    pattern = "*".join("".join(map(_as_pattern, part)) for part in _MASKED.split(path))
    below = f" {_option('--path-glob', f'{pattern}/*')}" if masked else ""
    return _option("--path-glob", pattern) + below


def _option(name: str, argument: str) -> str:
    return f"{name}{'=' if argument.startswith('-') else ' '}{shlex.quote(argument)}"


def _is_plain(char: str) -> bool:
    """Return whether a character means nothing in a log, in Markdown or in quotes of a shell."""
    return char.isalnum() or (char.isascii() and char.isprintable() and char not in "`#")


def _as_pattern(char: str) -> str:
    if not _is_plain(char):
        return "?" * len(char.encode("utf-8", "surrogateescape"))
    return f"[{char}]" if char in "*?[" else char
