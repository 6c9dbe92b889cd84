"""Bitbucket, Azure Pipelines, CircleCI, Jenkins, Buildkite. Facts: the variables that each documents."""

from __future__ import annotations

from collections.abc import Callable

from binance_leaks.sources.ci.change import CiChange, Variables, branch_name, commit_id


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
    """What an Azure pipeline is about, None elsewhere. A pull request is tried as a merge into its target."""
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
    """What a CircleCI job is about, None elsewhere. It tells neither the base of a pull request nor of a push."""
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


OTHERS: tuple[Callable[[Variables], CiChange | None], ...] = (
    change_on_bitbucket,
    change_on_azure,
    change_on_circleci,
    change_on_jenkins,
    change_on_buildkite,
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
