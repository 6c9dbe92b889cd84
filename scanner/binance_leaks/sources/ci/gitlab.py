"""GitLab CI/CD. Facts: its documented predefined variables."""

from __future__ import annotations

from binance_leaks.sources.ci.change import CiChange, Variables, branch_name, commit_id

_DEPTH = "Set `GIT_DEPTH: 0` in the job's variables, or run `binance-leaks ci --fetch`."


def change_on_gitlab(variables: Variables) -> CiChange | None:
    """What a GitLab job is about, None elsewhere."""
    if variables.get("GITLAB_CI") != "true":
        return None
    head = commit_id(variables.get("CI_COMMIT_SHA")) or "HEAD"
    number = variables.get("CI_MERGE_REQUEST_IID", "")
    if number:
        return _merge_request(variables, number, head)
    default = branch_name(variables.get("CI_DEFAULT_BRANCH"))
    if tag := variables.get("CI_COMMIT_TAG", ""):
        return CiChange(
            system="GitLab", what=f"tag {tag}", head=head, tag=f"refs/tags/{tag}", target=default, remedy=_DEPTH
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
        forced=True,  # nothing tells whether the push was forced
        whole=before is None and on_default and variables.get("CI_PIPELINE_SOURCE") == "push",
        remedy=_DEPTH,
    )


def _merge_request(variables: Variables, number: str, head: str) -> CiChange:
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
        remedy=_DEPTH,
    )
