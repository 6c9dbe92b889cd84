"""What to do about findings, in the order in which to do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from binance_leaks.findings import Finding, Mark, Result, SourceKind
from binance_leaks.model import TAG_MESSAGE, Exposure, Location
from binance_leaks.report.locations import holders
from binance_leaks.report.remedy import Step, is_urgent, remedies, revoke
from binance_leaks.report.rewrite_history import rewriting, rewriting_each

__all__ = ["ALLOW_COMMENT", "allowing", "own_steps", "steps"]

ALLOW_COMMENT = "# binance-leaks: allow"

_KEEP_ELSEWHERE = Step(text="Keep it in the environment or in a secret manager.")
_FIND_LEAK = Step(
    text="Find out who could read it, and close the leak. What was pushed stays leaked, whatever is rewritten."
)
_FROM_FILES = Step(text="Then remove it from the files. If it was ever committed, the history still holds it.")
_WITH_ALL = Step(
    text="Then take it out of the history, with all others in one go: the steps for all have the commands."
)
_ROTATE = Step(text="Make a new key with no more permissions than it needs, bound to your own addresses.")


def steps(result: Result) -> list[Step]:
    """What the owner of the credentials does now. A commit can be mended; what was seen must be revoked first."""
    if result.source is SourceKind.STAGED and _is_being_committed(result):
        return _steps_before_commit(result)
    if result.source is SourceKind.FLEET:
        # Of runs that are compared: what was there before has been told.
        here = tuple(finding for finding in result.findings if finding.is_new and finding.mark is not Mark.GONE)
        return _steps_after_leak(replace(result, findings=here)) if here else []
    return _steps_after_leak(result)


def own_steps(finding: Finding, result: Result) -> list[Step]:
    """What is done about one finding alone; what is done once for all is left to the steps of the whole result."""
    alone = replace(result, findings=(finding,))
    if result.source in (SourceKind.HISTORY, SourceKind.FLEET):
        last = [_WITH_ALL] if result.source is SourceKind.HISTORY else _with_fleet(finding)
        first, *more = _steps_after_leak(replace(alone, source=SourceKind.FILES))
        return [first, *(one for step in more for one in (last if step == _FROM_FILES else [step]))]
    return steps(alone)


def allowing(findings: Sequence[Finding], source: SourceKind, *, digests: bool) -> list[Step]:
    """How to allow a false alarm, a pair by both of its values: with `digests` the gravest, else the form to fill."""
    file = "the file that --config names" if source is SourceKind.FLEET else "pyproject.toml"
    paired = any(len(finding.values) > 1 for finding in findings[: 1 if digests else None])
    notes = [*(["a pair: both"] if paired else []), *([] if digests else ["-v shows digests"])]
    note = f" ({'; '.join(notes)})" if notes else ""
    values = [value.sha256 for value in findings[0].values] if digests else ["…"]
    return [
        Step(text=f"on its line{' (a pair: on both)' if paired else ''}, a comment:", verbatim=(ALLOW_COMMENT,)),
        Step(
            text=f"or its digest{note} in {file}:",
            verbatim=tuple(
                line for sha256 in values for line in ("[[tool.binance-leaks.allow]]", f'sha256 = "{sha256}"')
            ),
        ),
    ]


def _steps_before_commit(result: Result) -> list[Step]:
    in_message = all(
        location.exposure is not Exposure.STAGED for finding in result.findings for location in finding.locations
    )
    take_out = (
        Step(text="Take it out of the commit message.")
        if in_message
        else Step(text="Take it out of the commit: edit the file, then git add it again.")
    )
    if _is_verified(result):
        return [take_out, *remedies(result.findings, condition="if it was ever pushed or shared, "), _KEEP_ELSEWHERE]
    return [take_out, revoke(result.findings, "If it was ever pushed or shared, revoke it"), _KEEP_ELSEWHERE]


def _steps_after_leak(result: Result) -> list[Step]:
    if _is_verified(result):
        last = [_ROTATE] if is_urgent(result.findings) else []
        return [*remedies(result.findings), _FIND_LEAK, *_removal(result), _KEEP_ELSEWHERE, *last]
    first = revoke(result.findings, "First revoke it: until then it works for whoever has seen it. Do that")
    return [first, *_removal(result), _KEEP_ELSEWHERE, _ROTATE]


def _removal(result: Result) -> list[Step]:
    match result.source:
        case SourceKind.FILES | SourceKind.STAGED:
            return [_FROM_FILES]
        case SourceKind.HISTORY:
            return rewriting([location for finding in result.findings for location in finding.locations])
        case SourceKind.FLEET:
            held = _held(result)
            return rewriting_each(held) if held else []
        case SourceKind.RANGE:
            return _removal_from_commits({place.path for finding in result.findings for place in finding.locations})


def _held(result: Result) -> dict[str, list[Location]]:
    """The places that are still there by their repositories, in the order of the findings."""
    held: dict[str, list[Location]] = {}
    for finding in result.findings:
        if finding.mark is not Mark.GONE:
            for holder in holders(finding):
                held.setdefault(holder.repository, []).extend(holder.places)
    return held


def _with_fleet(finding: Finding) -> list[Step]:
    """The same for one credential of a fleet, which names the repositories that hold it; nothing where it is gone."""
    if finding.mark is Mark.GONE:
        return []
    return [replace(_WITH_ALL, repositories=tuple(holder.repository for holder in holders(finding)))]


def _removal_from_commits(paths: set[str]) -> list[Step]:
    rewrite = (
        "Then remove it and rewrite these commits, with git commit --amend or git rebase --interactive: a later commit "
        "that deletes it leaves it there."
    )
    tags = Step(text="Delete the tag, and make it again with another message.")
    return [*([Step(text=rewrite)] if paths - {TAG_MESSAGE} else []), *([tags] if TAG_MESSAGE in paths else [])]


def _is_being_committed(result: Result) -> bool:
    exposures = {location.exposure for finding in result.findings for location in finding.locations}
    return bool(exposures & {Exposure.STAGED, Exposure.MESSAGE})


def _is_verified(result: Result) -> bool:
    return any(finding.verification is not None for finding in result.findings)
