"""What to do about findings, in order: revoke, remove, rewrite the history.

After verification it depends on the verdict and on what a key can do.
"""

from __future__ import annotations

from collections.abc import Sequence

from binance_leaks.findings import Finding, Mark, Result, SourceKind
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.model import TAG_MESSAGE, Exposure, Location, Origin
from binance_leaks.report.locations import locations_by_repository
from binance_leaks.report.remedies import Step, is_urgent, remedies, revoke_step
from binance_leaks.report.rewrite_advice import rewrite_steps, rewrite_steps_by_repository
from binance_leaks.report.sanitize import Redactor
from binance_leaks.report.storage_advice import storage_steps

NEW_KEY = Step(
    text="Create a new key with only the permissions it needs, restricted to your own IP addresses. Choose Ed25519 "
    "where it is offered: its private key never leaves your machine."
)
STORE_SAFELY = Step(text="Store keys in environment variables or a secret manager.")
_CHECK_ACCOUNT = Step(text="Check the account for trades, withdrawals and API keys that are not yours.")
_BLOB = "blob:"
_REMOVE_FROM_COMMIT = Step(text="Remove it from the commit: edit the file, then run git add again.")
_REMOVE_FROM_MESSAGE = Step(
    text="Remove it from the commit message. git kept what you wrote:",
    verbatim=("git commit -e -F .git/COMMIT_EDITMSG",),
)
_NEVER_COMMITTED = Step(
    text="It was staged once and never committed, so nobody can have fetched it. git gc removes it in time; at once, "
    "with everything else that no branch, tag or reflog has, do:",
    verbatim=("git prune",),
)
_NEW_TAG = Step(text="Delete the tag, and create it again with another message.")
_DROP_REF = Step(text="Delete the tag or other ref that leads to it without a commit, here and wherever it was pushed.")
_FIND_LEAK = Step(
    text="Find out who could read it, and close the leak. What was pushed stays leaked, even after a rewrite."
)
_REWRITE_COMMITS = Step(
    text="Then remove it and rewrite these commits, with git commit --amend or git rebase --interactive: a later "
    "commit that deletes it does not remove it from the history."
)
_REMOVE_FROM_FILES = Step(
    text="Then remove it from the files. If it was ever committed, the history still contains it."
)
_REMOVE_FROM_IMAGE = Step(
    text="Rebuild the image without it: a layer that deletes a file does not remove it from the layers below. Give it "
    "to a build as a secret, and to a container when it runs:",
    verbatim=(
        "docker build --secret id=binance,src=.env .",
        "RUN --mount=type=secret,id=binance,target=.env ./build.sh",
        "docker run --env-file .env IMAGE",
    ),
)
_DELETE_TAGS = Step(
    text="Delete the tags of the image in every registry, on hosts and in build caches. Those who pulled it still have "
    "the value."
)
_DELETE_MESSAGES = Step(
    text="Ask those who wrote it, named at each location, to delete the message where it was sent: removing it from an "
    "export changes nothing there."
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


def _steps_before_commit(result: Result) -> list[Step]:
    places = [place for finding in result.findings for place in finding.locations]
    staged = [place for place in places if place.exposure is Exposure.STAGED and not place.preexisting]
    storage = storage_steps(staged, staged=True)
    remove = storage or [_REMOVE_FROM_COMMIT if staged else _REMOVE_FROM_MESSAGE]
    if staged and len(staged) < len(places) and any(place.exposure is Exposure.MESSAGE for place in places):
        remove = [*remove, _REMOVE_FROM_MESSAGE]
    store = [STORE_SAFELY] if staged and not storage else []
    if _is_verified(result):
        return [*remove, *remedies(result.findings, condition="if it was ever pushed or shared, "), *store]
    return [*remove, revoke_step(result.findings, "If it was ever pushed or shared, revoke it"), *store]


def _steps_after_leak(result: Result) -> list[Step]:
    places = [place for finding in result.findings for place in finding.locations]
    storage = storage_steps(places, staged=False) if result.source is SourceKind.FILES else []
    store = storage or [STORE_SAFELY]
    if _is_verified(result):
        new_key = [NEW_KEY] if is_urgent(result.findings) else []
        return [*remedies(result.findings), _FIND_LEAK, *_removal_steps(result), *new_key, *store]
    revoke = revoke_step(result.findings, "If it was ever shared otherwise, revoke it")
    if _never_committed(result.findings) and result.source is not SourceKind.MACHINE:
        return [_NEVER_COMMITTED, revoke]
    if result.rebase is not None:
        return [*_rewrite_local_steps(places, result.rebase), revoke, *store]
    first = revoke_step(result.findings, "First revoke it: until then, anyone who has seen it can use it. Do this")
    real = any(not finding.environment.facts.play_money for finding in result.findings)
    return [first, *([_CHECK_ACCOUNT] if real else []), *_removal_steps(result), NEW_KEY, *store]


def _never_committed(findings: Sequence[Finding]) -> bool:
    """Whether every value is only in blobs that git add made and no commit has."""
    return all(
        place.exposure is Exposure.UNREACHABLE and place.commit is None and place.path.startswith(_BLOB)
        for finding in findings
        for place in finding.locations
    )


def _rewrite_local_steps(places: Sequence[Location], rebase: str) -> list[Step]:
    """Return the steps for commits that no remote has."""
    text = "It has not left this machine. Mark the commit as edit, remove it, amend and continue; then push again:"
    return _steps_for_commits_and_refs(places, Step(text=text, verbatim=(f"git rebase --interactive {rebase}",)))


def _steps_for_commits_and_refs(places: Sequence[Location], rewrite: Step) -> list[Step]:
    """Return `rewrite` where values are in commits, and what to do with refs that lead to them without one."""
    in_messages = [place for place in places if place.path == TAG_MESSAGE]
    outside = [place for place in places if place.commit is None and place.refs]
    steps = [rewrite] if len(in_messages) + len(outside) < len(places) else []
    return [*steps, *([_NEW_TAG] if in_messages else []), *([_DROP_REF] if outside else [])]


def _removal_steps(result: Result) -> list[Step]:
    match result.source:
        case SourceKind.FILES | SourceKind.STAGED:
            return _steps_by_origin([place.origin for finding in result.findings for place in finding.locations])
        case SourceKind.HISTORY:
            return rewrite_steps(
                [location for finding in result.findings for location in finding.locations],
                Redactor.of(result).path,
                target=result.target,
                skipped=result.skipped,
                forge=result.repository.forge if result.repository is not None else None,
            )
        case SourceKind.FLEET:
            held = _locations_by_repository(result)
            return rewrite_steps_by_repository(held, Redactor.of(result).path) if held else []
        case SourceKind.MACHINE:
            from binance_leaks.report.machine_advice import place_steps  # start-up: a table of hundreds of places

            return place_steps(
                [location for finding in result.findings for location in finding.locations], Redactor.of(result).path
            )
        case SourceKind.RANGE:
            places = [place for finding in result.findings for place in finding.locations]
            return _steps_for_commits_and_refs(places, _REWRITE_COMMITS)


def _steps_by_origin(origins: Sequence[Origin | None]) -> list[Step]:
    """Return how to remove values from images, messages and other files."""
    in_images = any(origin is not None and origin.layer for origin in origins)
    in_messages = any(
        origin is not None and (origin.author or (origin.date and not origin.layer)) for origin in origins
    )
    in_files = any(origin is None for origin in origins)
    steps = [_REMOVE_FROM_IMAGE, _DELETE_TAGS] if in_images else []
    steps += [_DELETE_MESSAGES] if in_messages else []
    return [*steps, _REMOVE_FROM_FILES] if in_files or in_messages or not origins else steps


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


def _is_being_committed(result: Result) -> bool:
    exposures = {location.exposure for finding in result.findings for location in finding.locations}
    return bool(exposures & {Exposure.STAGED, Exposure.MESSAGE})


def _is_verified(result: Result) -> bool:
    return any(finding.verification is not None for finding in result.findings)
