"""What to do about findings, in order: revoke, remove, rewrite the history.

After verification it depends on the verdict and on what a key can do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from binance_leaks.findings import Finding, Mark, Result, SourceKind
from binance_leaks.model import TAG_MESSAGE, Exposure, Location
from binance_leaks.report.locations import locations_by_repository
from binance_leaks.report.remedies import Step, is_urgent, remedies, revoke_step
from binance_leaks.report.rewrite_advice import rewrite_steps, rewrite_steps_by_repository

ALLOW = "binance-leaks: allow"
ALLOW_NEXT_LINE = f"{ALLOW} next line"
ALLOW_COMMENT = f"# {ALLOW}"

NEW_KEY = Step(
    text="Create a new key with only the permissions it needs, restricted to your own IP addresses. Choose Ed25519 "
    "where it is offered: its private key never leaves your machine."
)
STORE_SAFELY = Step(text="Store keys in environment variables or a secret manager.")
_CHECK_ACCOUNT = Step(text="Check the account for trades, withdrawals and API keys that are not yours.")
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
    real = any(not finding.environment.facts.play_money for finding in result.findings)
    return [first, *([_CHECK_ACCOUNT] if real else []), *_removal_steps(result), NEW_KEY, STORE_SAFELY]


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
