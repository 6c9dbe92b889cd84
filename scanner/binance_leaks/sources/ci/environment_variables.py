"""The change that GitLab, Bitbucket, Azure, Jenkins and others announce.

All of it is in environment variables. Facts: those that each system documents.
"""

from __future__ import annotations

from collections.abc import Mapping

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern

Variables = Mapping[str, str]
"""The environment of the process."""

_ID = lazy_pattern(r"[0-9a-f]{7,64}")
_BRANCH = lazy_pattern(r"(?!-)(?!.*(?:\.\.|//|@\{))[^\x00-\x20\x7f~^:?*\[\\+]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class CiChange:
    """The commits of a CI run: those that `head` reaches and its base does not.

    That is `base` where the system names a commit; else the branch `target` of the remote; with `whole` nothing, as for
    the first push of a repository; else the default branch of the remote. What `also` names is no part of the change
    either, if it is here. `forced` is True if `base` may be gone. `tag` is a tag that was pushed. `remedy` is the
    setting of the system that fetches the missing history. `by_hand` is True if the user gave `base` or `head`, which
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
    """A commit id as systems give it, None for anything else; all zeros mean none."""
    if isinstance(text, str) and _ID.fullmatch(text.lower()) and text.strip("0"):
        return text.lower()
    return None


def branch_name(text: object) -> str | None:
    """The name of a branch without `refs/heads/`, None for what cannot be one."""
    if not isinstance(text, str):
        return None
    name = text.removeprefix("refs/heads/")
    return name if _BRANCH.fullmatch(name) else None


def change_on_bitbucket(variables: Variables) -> CiChange | None:
    """What a Bitbucket pipeline is about, None elsewhere."""
    if "BITBUCKET_BUILD_NUMBER" not in variables:
        return None
    remedy = "Set `clone: depth: full` and fetch the destination branch, or run `binance-leaks ci --fetch`."
    head = commit_id(variables.get("BITBUCKET_COMMIT")) or "HEAD"
    number = variables.get("BITBUCKET_PR_ID", "")
    if number:
        return CiChange(
            system="Bitbucket",
            what=f"pull request {number}",
            head=head,
            base=commit_id(variables.get("BITBUCKET_PR_DESTINATION_COMMIT")),
            target=branch_name(variables.get("BITBUCKET_PR_DESTINATION_BRANCH")),
            remedy=remedy,
        )
    return _of_branch(
        "Bitbucket", variables.get("BITBUCKET_BRANCH"), variables.get("BITBUCKET_TAG"), head=head, remedy=remedy
    )


def change_on_azure(variables: Variables) -> CiChange | None:
    """What an Azure pipeline is about, None elsewhere.

    A pull request is tried as a merge into its target.
    """
    if variables.get("TF_BUILD", "").lower() != "true":
        return None
    remedy = "Set `fetchDepth: 0` at the checkout step, or run `binance-leaks ci --fetch`."
    built = commit_id(variables.get("BUILD_SOURCEVERSION")) or "HEAD"
    if variables.get("BUILD_REASON") == "PullRequest":
        number = variables.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER") or variables.get(
            "SYSTEM_PULLREQUEST_PULLREQUESTID"
        )
        source = commit_id(variables.get("SYSTEM_PULLREQUEST_SOURCECOMMITID"))
        return CiChange(
            system="Azure Pipelines",
            what=f"pull request {number}" if number else "pull request",
            head=source or built,
            target=branch_name(variables.get("SYSTEM_PULLREQUEST_TARGETBRANCH")),
            also=(f"{built}^1",) if source and source != built else (),
            remedy=remedy,
        )
    ref = variables.get("BUILD_SOURCEBRANCH", "")
    tag = ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else None
    return _of_branch("Azure Pipelines", None if tag else ref, tag, head=built, remedy=remedy)


def change_on_circleci(variables: Variables) -> CiChange | None:
    """What a CircleCI job is about, None elsewhere.

    It names neither the base of a pull request nor of a push.
    """
    if variables.get("CIRCLECI") != "true":
        return None
    return _of_branch(
        "CircleCI",
        variables.get("CIRCLE_BRANCH"),
        variables.get("CIRCLE_TAG"),
        head=commit_id(variables.get("CIRCLE_SHA1")) or "HEAD",
        remedy="Set `method: full` at the checkout step, or run `binance-leaks ci --fetch`.",
    )


def change_on_jenkins(variables: Variables) -> CiChange | None:
    """What a Jenkins build is about, None elsewhere."""
    if "JENKINS_URL" not in variables:
        return None
    remedy = (
        "Switch the shallow clone off in the clone behaviours and fetch the target branch too, or run "
        "`binance-leaks ci --fetch`."
    )
    head = commit_id(variables.get("GIT_COMMIT")) or "HEAD"
    if number := variables.get("CHANGE_ID", ""):
        target = branch_name(variables.get("CHANGE_TARGET"))
        return CiChange(system="Jenkins", what=f"change {number}", head=head, target=target, remedy=remedy)
    before = commit_id(variables.get("GIT_PREVIOUS_SUCCESSFUL_COMMIT")) or commit_id(
        variables.get("GIT_PREVIOUS_COMMIT")
    )
    branch = branch_name((variables.get("BRANCH_NAME") or variables.get("GIT_BRANCH") or "").removeprefix("origin/"))
    return _of_branch("Jenkins", branch, variables.get("TAG_NAME"), head=head, before=before, remedy=remedy)


def change_on_buildkite(variables: Variables) -> CiChange | None:
    """What a Buildkite build is about, None elsewhere."""
    if variables.get("BUILDKITE") != "true":
        return None
    remedy = (
        "Take --depth out of BUILDKITE_GIT_CLONE_FLAGS and fetch the base branch, or run `binance-leaks ci --fetch`."
    )
    head = commit_id(variables.get("BUILDKITE_COMMIT")) or "HEAD"
    number = variables.get("BUILDKITE_PULL_REQUEST", "false")
    if number not in ("", "false"):
        return CiChange(
            system="Buildkite",
            what=f"pull request {number}",
            head=head,
            target=branch_name(variables.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH")),
            remedy=remedy,
        )
    return _of_branch(
        "Buildkite",
        variables.get("BUILDKITE_BRANCH"),
        variables.get("BUILDKITE_TAG"),
        head=head,
        default=branch_name(variables.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH")),
        remedy=remedy,
    )


def _of_branch(
    system: str,
    branch: str | None,
    tag: str | None,
    *,
    head: str,
    remedy: str,
    before: str | None = None,
    default: str | None = None,
) -> CiChange:
    """A run for a branch or tag of which at most the commit before it is known."""
    name = branch_name(branch)
    if tag:
        return CiChange(
            system=system, what=f"tag {tag}", head=head, tag=f"refs/tags/{tag}", target=default, remedy=remedy
        )
    return CiChange(
        system=system,
        what=f"branch {name}" if name else "build",
        head=head,
        base=before,
        target=default,
        branch=name,
        forced=True,
        remedy=remedy,
    )


_GITLAB_DEPTH = "Set `GIT_DEPTH: 0` in the job's variables, or run `binance-leaks ci --fetch`."


def change_on_gitlab(variables: Variables) -> CiChange | None:
    """What a GitLab job is about, None elsewhere."""
    if variables.get("GITLAB_CI") != "true":
        return None
    head = commit_id(variables.get("CI_COMMIT_SHA")) or "HEAD"
    number = variables.get("CI_MERGE_REQUEST_IID", "")
    if number:
        return _gitlab_merge_request(variables, number, head)
    default = branch_name(variables.get("CI_DEFAULT_BRANCH"))
    if tag := variables.get("CI_COMMIT_TAG", ""):
        return CiChange(
            system="GitLab", what=f"tag {tag}", head=head, tag=f"refs/tags/{tag}", target=default, remedy=_GITLAB_DEPTH
        )
    branch = branch_name(variables.get("CI_COMMIT_BRANCH"))
    before = commit_id(variables.get("CI_COMMIT_BEFORE_SHA"))
    on_default = default is not None and branch == default
    return CiChange(
        system="GitLab",
        what=f"branch {branch}" if branch else "pipeline",
        head=head,
        base=before,
        target=None if on_default else default,
        branch=branch,
        forced=True,  # no variable shows whether the push was forced
        whole=before is None and on_default and variables.get("CI_PIPELINE_SOURCE") == "push",
        remedy=_GITLAB_DEPTH,
    )


def _gitlab_merge_request(variables: Variables, number: str, head: str) -> CiChange:
    """In pipelines of merged results the commit is a merge made for them; the source's own is named apart."""
    source = commit_id(variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"))
    target = commit_id(variables.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"))
    return CiChange(
        system="GitLab",
        what=f"merge request {number}",
        head=source or head,
        base=commit_id(variables.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")),
        target=branch_name(variables.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")),
        also=(target,) if target else (),
        head_ref=f"refs/merge-requests/{number}/head",
        remedy=_GITLAB_DEPTH,
    )
