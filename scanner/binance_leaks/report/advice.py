"""What to do about findings, in order: revoke, remove, rewrite the history.

After verification it depends on the verdict and on what a key can do. The list for an active key that can lose money is
what users of exchange keys are taught to do within ten minutes, in that order. The most severe finding decides which
list comes first; each list says which keys it is for. Rewriting is done with git and git-filter-repo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from types import MappingProxyType

from binance_leaks.findings import Finding, Mark, Result, SourceKind
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import TAG_MESSAGE, Environment, Exposure, Location, Role, is_member
from binance_leaks.report.locations import locations_by_repository
from binance_leaks.report.names import UNNAMED
from binance_leaks.risk import Power, power_of, system_of
from binance_leaks.verification import Verdict

_MAX_MASKS = 5
_MAX_REPOSITORIES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to do."""

    text: str
    verbatim: tuple[str, ...] = ()
    """Lines to copy as they are."""
    about: tuple[str, ...] = ()
    """Masks of the values that it is for."""
    repositories: tuple[str, ...] = ()
    """Repositories of a fleet where to do it; their names are untrusted text."""

    def describe(self, sanitize: Callable[[str], str]) -> str:
        """Return the text with the credentials that it is for in front; `sanitize` is for masks and names."""
        text = self.describe_where(sanitize)
        return f"For {_join_first(self.about, _MAX_MASKS, sanitize)}: {text}" if self.about else text

    def describe_where(self, sanitize: Callable[[str], str]) -> str:
        """Return the text with the repositories in front."""
        if not self.repositories:
            return self.text
        names = [name if name.strip() else UNNAMED for name in self.repositories]
        listed = _join_first(names, _MAX_REPOSITORIES, sanitize, "repositories")
        return f"In {listed}: {self.text[:1].lower()}{self.text[1:]}"


def _join_first(names: Sequence[str], most: int, sanitize: Callable[[str], str], noun: str = "") -> str:
    """Join the first few, and count the others."""
    more = len(names) - most
    if more <= 1:
        return ", ".join(map(sanitize, names))
    return f"{', '.join(map(sanitize, names[:most]))} and {more:,} more{f' {noun}' if noun else ''}"


_SECURE_ACCOUNT = (
    # A key of a master account can create keys of sub-accounts, and take their address lists away.
    Step(
        text="Delete API keys that you did not create, those of sub-accounts too, and restore IP restrictions that are "
        "gone."
    ),
    Step(text="Change the password of the account."),
    Step(text="Reset its two-factor authentication."),
    Step(text="Review the withdrawal whitelist, and remove entries that are not yours."),
    Step(text="Check for trades, orders and withdrawals that you did not make."),
    Step(text="Open a support ticket: say since when the key was readable, and what you found."),
    Step(
        text="If the key belongs to a sub-account, do the same there, and check transfers from and to other accounts."
    ),
)
_EXPECT_PHISHING = Step(
    text="Anyone who had it could see balances, positions and history: expect phishing that uses them. Password and "
    "two-factor authentication can stay, unless they were stored beside it or you see an unknown login."
)
_FIND_SECRET = Step(text="Look for its secret elsewhere, as others will. If you find it, treat the key as active.")
_CHECK_LIVE_KEYS = Step(text="Check that no key of the live exchange is stored the same way.")
_READ_ONLY = frozenset({Power.READ, Power.NOTHING})


class _Case(Enum):
    """What a finding needs, most urgent first."""

    ACTIVE = "active"
    UNDECIDED = "undecided"
    READ_ONLY = "read only"
    UNCHECKED = "unchecked"
    KEY_ONLY = "key only"
    TEST_SYSTEM = "test system"
    REVOKED = "revoked"


def remedies(findings: Sequence[Finding], *, condition: str = "") -> list[Step]:
    """Return the steps for these findings, for each case among them, most urgent first.

    `condition` says when to revoke, if not always; it ends in a comma and a space.
    """
    made: list[Step] = []
    for case in _Case:
        concerned = [finding for finding in findings if _case_of(finding) is case]
        if concerned:
            first, *more = _STEPS[case](concerned, condition)
            made.append(replace(first, about=tuple(map(_key_mask, concerned))))
            made += [step for step in more if step not in made]
    return made


def is_urgent(findings: Sequence[Finding]) -> bool:
    """Return whether any of them must be revoked, as far as is known."""
    return any(_case_of(finding) is not _Case.REVOKED for finding in findings)


def revoke_step(findings: Sequence[Finding], text: str) -> Step:
    """Return the step to revoke them, with Binance's page if any of them is managed there."""
    pages = dict.fromkeys(page for finding in findings if (page := _environment_of(finding).facts.key_page) is not None)
    if pages:
        return Step(text=f"{text} at", verbatim=tuple(pages))
    return Step(text=f"{text} on the site that issued it.")


def _case_of(finding: Finding) -> _Case:
    verification = finding.verification
    if verification is None:
        return _Case.UNCHECKED
    power = power_of(verification)
    if power is not None or verification.verdict is Verdict.KEY_LIVE_SECRET_WRONG:
        if _environment_of(finding).facts.play_money:
            return _Case.TEST_SYSTEM
        if power is None:
            return _Case.KEY_ONLY
        return _Case.READ_ONLY if power in _READ_ONLY else _Case.ACTIVE
    match verification.verdict:
        case Verdict.NOT_FOUND | Verdict.MALFORMED:
            return _Case.REVOKED
        case Verdict.INCONCLUSIVE:
            return _Case.TEST_SYSTEM if _environment_of(finding).facts.play_money else _Case.UNDECIDED
        case _:
            return _Case.UNCHECKED


def _active_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    final = any(_can_withdraw(finding) for finding in findings)
    soon = "immediately, as withdrawals are final" if final else "within ten minutes"
    return [revoke_step(findings, f"{condition}{soon}, disable or delete the key"), *_SECURE_ACCOUNT]


def _undecided_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    return [
        revoke_step(findings, f"its state is unknown, so treat it as active: {condition}disable or delete the key"),
        *_SECURE_ACCOUNT,
        Step(
            text="To find out, look it up in the list where it was created, or verify from an address that it trusts."
        ),
    ]


def _read_only_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    return [revoke_step(findings, f"it cannot move money: {condition}delete the key"), _EXPECT_PHISHING]


def _unchecked_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    text = f"it was not checked: {condition}revoke it, as until then anyone who has seen it can use it. Do this"
    return [revoke_step(findings, text)]


def _key_only_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    text = f"the key is probably active, its secret was not found: {condition}delete the key"
    return [revoke_step(findings, text), _FIND_SECRET]


def _test_system_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    names = ", ".join(sorted({_environment_of(finding).facts.title for finding in findings}))
    text = f"it holds no real money ({names}): {condition}delete the key on that site when convenient."
    return [Step(text=text), _CHECK_LIVE_KEYS]


def _revoked_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    """Return the step to remove it in any case; a condition for revoking does not apply."""
    text = "probably revoked, or not a key: still remove it"
    if condition:
        return [Step(text=f"{text}.")]
    return [revoke_step(findings, f"{text}, and check that the list no longer shows it")]


_STEPS: Mapping[_Case, Callable[[Sequence[Finding], str], list[Step]]] = MappingProxyType(
    {
        _Case.ACTIVE: _active_steps,
        _Case.UNDECIDED: _undecided_steps,
        _Case.READ_ONLY: _read_only_steps,
        _Case.UNCHECKED: _unchecked_steps,
        _Case.KEY_ONLY: _key_only_steps,
        _Case.TEST_SYSTEM: _test_system_steps,
        _Case.REVOKED: _revoked_steps,
    }
)


def _can_withdraw(finding: Finding) -> bool:
    power = power_of(finding.verification) if finding.verification is not None else None
    return power in (Power.WITHDRAW, Power.UNKNOWN)


def _key_mask(finding: Finding) -> str:
    """Return the mask of its API key, else of its first value."""
    value = next((value for value in finding.values if value.role is Role.API_KEY), finding.values[0])
    return value.masked


def _environment_of(finding: Finding) -> Environment:
    return system_of(finding.environment, finding.verification)


__all__ = ["ALLOW_COMMENT", "NEW_KEY", "STORE_SAFELY", "allow_steps", "steps", "steps_for_finding"]

ALLOW_COMMENT = "# binance-leaks: allow"

NEW_KEY = Step(
    text="Create a new key with only the permissions it needs, restricted to your own IP addresses. Choose Ed25519 "
    "where it is offered: its private key never leaves your machine."
)
STORE_SAFELY = Step(text="Store keys in environment variables or a secret manager.")
_FIND_LEAK = Step(
    text="Find out who could read it, and close the leak. What was pushed stays leaked, even after a rewrite."
)
_REMOVE_FROM_FILES = Step(
    text="Then remove it from the files. If it was ever committed, the history still contains it."
)
_REWRITE_TOGETHER = Step(
    text="Then remove it from the history together with all others: the steps for all credentials have the commands."
)


def steps(result: Result) -> list[Step]:
    """Return what the owner does now: fix a commit that is being made, but first revoke what others can have seen."""
    if result.source is SourceKind.STAGED and _is_being_committed(result):
        return _steps_before_commit(result)
    if result.source is SourceKind.FLEET:
        # Compared with an earlier run, which reported what was there before.
        here = tuple(finding for finding in result.findings if finding.is_new and finding.mark is not Mark.GONE)
        return _steps_after_leak(replace(result, findings=here)) if here else []
    return _steps_after_leak(result)


def steps_for_finding(finding: Finding, result: Result) -> list[Step]:
    """Return the steps for one finding; what is done once for all is left to the steps of the whole result."""
    alone = replace(result, findings=(finding,))
    if result.source in (SourceKind.HISTORY, SourceKind.FLEET):
        last = [_REWRITE_TOGETHER] if result.source is SourceKind.HISTORY else _rewrite_in_repositories(finding)
        first, *more = _steps_after_leak(replace(alone, source=SourceKind.FILES))
        return [first, *(one for step in more for one in (last if step == _REMOVE_FROM_FILES else [step]))]
    return steps(alone)


def allow_steps(findings: Sequence[Finding], source: SourceKind, *, digests: bool) -> list[Step]:
    """Return how to allow a false alarm: the first finding by its `digests`, else a form to fill in."""
    file = "the file given with --config" if source is SourceKind.FLEET else "pyproject.toml"
    paired = any(len(finding.values) > 1 for finding in findings[: 1 if digests else None])
    notes = [*(["for a pair: both"] if paired else []), *([] if digests else ["-v shows digests"])]
    note = f" ({'; '.join(notes)})" if notes else ""
    values = [value.sha256 for value in findings[0].values] if digests else ["…"]
    return [
        Step(
            text=f"add a comment on its line{' (for a pair: on both lines)' if paired else ''}:",
            verbatim=(ALLOW_COMMENT,),
        ),
        Step(
            text=f"or add its digest{note} to {file}:",
            verbatim=tuple(
                line for sha256 in values for line in ("[[tool.binance-leaks.allow]]", f'sha256 = "{sha256}"')
            ),
        ),
    ]


def _steps_before_commit(result: Result) -> list[Step]:
    in_message = all(
        location.exposure is not Exposure.STAGED for finding in result.findings for location in finding.locations
    )
    remove = (
        Step(text="Remove it from the commit message.")
        if in_message
        else Step(text="Remove it from the commit: edit the file, then run git add again.")
    )
    if _is_verified(result):
        return [remove, *remedies(result.findings, condition="if it was ever pushed or shared, "), STORE_SAFELY]
    return [remove, revoke_step(result.findings, "If it was ever pushed or shared, revoke it"), STORE_SAFELY]


def _steps_after_leak(result: Result) -> list[Step]:
    if _is_verified(result):
        new_key = [NEW_KEY] if is_urgent(result.findings) else []
        return [*remedies(result.findings), _FIND_LEAK, *_removal_steps(result), *new_key, STORE_SAFELY]
    first = revoke_step(result.findings, "First revoke it: until then, anyone who has seen it can use it. Do this")
    return [first, *_removal_steps(result), NEW_KEY, STORE_SAFELY]


def _removal_steps(result: Result) -> list[Step]:
    match result.source:
        case SourceKind.FILES | SourceKind.STAGED:
            return [_REMOVE_FROM_FILES]
        case SourceKind.HISTORY:
            return rewrite_steps([location for finding in result.findings for location in finding.locations])
        case SourceKind.FLEET:
            held = _locations_by_repository(result)
            return rewrite_steps_by_repository(held) if held else []
        case SourceKind.RANGE:
            return _rewrite_commits_steps({place.path for finding in result.findings for place in finding.locations})


def _locations_by_repository(result: Result) -> dict[str, list[Location]]:
    """Group the locations that are still there by repository, in the order of the findings."""
    held: dict[str, list[Location]] = {}
    for finding in result.findings:
        if finding.mark is not Mark.GONE:
            for holder in locations_by_repository(finding):
                held.setdefault(holder.repository, []).extend(holder.locations)
    return held


def _rewrite_in_repositories(finding: Finding) -> list[Step]:
    """Return the step for one credential of a fleet, with the repositories that hold it; none if it is gone."""
    if finding.mark is Mark.GONE:
        return []
    return [
        replace(_REWRITE_TOGETHER, repositories=tuple(holder.repository for holder in locations_by_repository(finding)))
    ]


def _rewrite_commits_steps(paths: set[str]) -> list[Step]:
    rewrite = (
        "Then remove it and rewrite these commits, with git commit --amend or git rebase --interactive: a later commit "
        "that deletes it does not remove it from the history."
    )
    tags = Step(text="Delete the tag, and create it again with another message.")
    return [*([Step(text=rewrite)] if paths - {TAG_MESSAGE} else []), *([tags] if TAG_MESSAGE in paths else [])]


def _is_being_committed(result: Result) -> bool:
    exposures = {location.exposure for finding in result.findings for location in finding.locations}
    return bool(exposures & {Exposure.STAGED, Exposure.MESSAGE})


def _is_verified(result: Result) -> bool:
    return any(finding.verification is not None for finding in result.findings)


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
