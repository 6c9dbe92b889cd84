"""What to do about findings, in the order in which to do it."""

from __future__ import annotations

from scanner.model import Exposure, Result, SourceKind
from scanner.report.remedy import KEY_PAGE, is_urgent, remedies, revoke
from scanner.report.rewrite import rewriting
from scanner.report.step import Step

__all__ = ["ALLOW_COMMENT", "KEY_PAGE", "allowing", "steps"]

ALLOW_COMMENT = "# binance-leaks: allow"

_KEEP_ELSEWHERE = Step(text="Keep it in the environment or in a secret manager.")
_FIND_LEAK = Step(
    text="Find out who could read it, and close the leak. What was pushed stays leaked, whatever is rewritten."
)
_ROTATE = Step(text="Make a new key with no more permissions than it needs, bound to your own addresses.")


def steps(result: Result) -> list[Step]:
    """What the owner of the credentials does now. A commit can be mended; what was seen must be revoked first."""
    if result.source is SourceKind.STAGED and _is_being_committed(result):
        return _steps_before_commit(result)
    return _steps_after_leak(result)


def allowing(sha256: str | None) -> list[Step]:
    """How to allow a false alarm. Without a digest the form shows where one goes."""
    where = "its digest" if sha256 else "its digest (-v shows digests)"
    return [
        Step(text="on its line, a comment:", verbatim=(ALLOW_COMMENT,)),
        Step(
            text=f"or {where} in pyproject.toml:",
            verbatim=("[[tool.binance-leaks.allow]]", f'sha256 = "{sha256 or "…"}"'),
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
            return [Step(text="Then remove it from the files. If it was ever committed, the history still holds it.")]
        case SourceKind.HISTORY:
            return rewriting([location for finding in result.findings for location in finding.locations])
        case SourceKind.RANGE:
            text = "Then remove it and rewrite these commits: a later commit that deletes it leaves it there."
            return [Step(text=text)]


def _is_being_committed(result: Result) -> bool:
    exposures = {location.exposure for finding in result.findings for location in finding.locations}
    return bool(exposures & {Exposure.STAGED, Exposure.MESSAGE})


def _is_verified(result: Result) -> bool:
    return any(finding.verification is not None for finding in result.findings)
