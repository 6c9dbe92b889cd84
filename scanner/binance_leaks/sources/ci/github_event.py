"""GitHub Actions, Gitea and Forgejo: read the event file.

Facts: the documented payloads of the webhook events, and the variables that Actions sets.
"""

from __future__ import annotations

import json

from binance_leaks.errors import ScanError
from binance_leaks.reading import read_file
from binance_leaks.sources.ci.environment_variables import CiChange, Variables, branch_name, commit_id

_LARGEST_EVENT = 64 << 20
_DEPTH = "Set `fetch-depth: 0` at actions/checkout, or run `binance-leaks ci --fetch`."
_TARGET_CHECKOUT = (
    "On pull_request_target the base is checked out: set `ref: ${{ github.event.pull_request.head.sha }}` and "
    "`fetch-depth: 0` at actions/checkout, and run nothing of it; or run `binance-leaks ci --fetch`."
)
_PULL_REQUESTS = ("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment")

_Fields = dict[str, object]


def change_on_github(variables: Variables) -> CiChange | None:
    """What an Actions run is about, None elsewhere.

    Raises ScanError for an event that cannot be read.
    """
    if variables.get("GITHUB_ACTIONS") != "true":
        return None
    system = _system(variables)
    name = variables.get("GITHUB_EVENT_NAME", "")
    if name in _PULL_REQUESTS:
        return _pull_request(system, name, _event(variables), variables)
    if name == "push":
        return _push(system, _event(variables), variables)
    if name == "merge_group":
        group = _part(_event(variables), "merge_group")
        base, head = commit_id(group.get("base_sha")), commit_id(group.get("head_sha"))
        if base is None or head is None:
            raise _malformed(variables)
        return CiChange(system=system, what="merge group", base=base, head=head, remedy=_DEPTH)
    return CiChange(system=system, what=name or "run", target=_default_branch(variables), remedy=_DEPTH)


def _system(variables: Variables) -> str:
    if variables.get("FORGEJO_ACTIONS") == "true":
        return "Forgejo Actions"
    return "Gitea Actions" if variables.get("GITEA_ACTIONS") == "true" else "GitHub Actions"


def _pull_request(system: str, name: str, event: _Fields, variables: Variables) -> CiChange:
    request = _part(event, "pull_request")
    head, base = _part(request, "head"), _part(request, "base")
    head_id, base_id = commit_id(head.get("sha")), commit_id(base.get("sha"))
    if head_id is None or base_id is None:
        raise _malformed(variables)
    number = request.get("number")
    what = f"pull request {number}" if isinstance(number, int) else "pull request"
    # The commit that a pull request is tried as has the base of this moment as its first parent: `base.sha` may be old.
    tried = commit_id(variables.get("GITHUB_SHA"))
    on_base = name == "pull_request_target"
    return CiChange(
        system=system,
        what=what,
        head=head_id,
        base=base_id,
        also=((tried if on_base else f"{tried}^1"),) if tried and tried != head_id else (),
        head_ref=f"refs/pull/{number}/head" if isinstance(number, int) else None,
        remedy=_TARGET_CHECKOUT if on_base else _DEPTH,
    )


def _push(system: str, event: _Fields, variables: Variables) -> CiChange:
    ref = event.get("ref")
    if not isinstance(ref, str) or not isinstance(event.get("after"), str):
        raise _malformed(variables)
    shown = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    what = f"push of {'tag ' if ref.startswith('refs/tags/') else ''}{shown}"
    before, after = commit_id(event.get("before")), commit_id(event.get("after"))
    default = branch_name(_part(event, "repository", optional=True).get("default_branch"))
    branch = branch_name(ref) if ref.startswith("refs/heads/") else None
    if event.get("deleted") is True or after is None:
        return CiChange(system=system, what=what, deletes=True, remedy=_DEPTH)
    if ref.startswith("refs/tags/"):
        return CiChange(
            system=system, what=what, head=after, tag=after, base=before, target=default, forced=True, remedy=_DEPTH
        )
    on_default = default is not None and branch == default
    return CiChange(
        system=system,
        what=what,
        head=after,
        base=before,
        target=None if on_default else default,
        branch=branch,
        forced=event.get("forced") is True,
        whole=before is None and on_default,
        remedy=_DEPTH,
    )


def _default_branch(variables: Variables) -> str | None:
    """The default branch where the event names it. Events of other kinds may not."""
    try:
        return branch_name(_part(_event(variables), "repository", optional=True).get("default_branch"))
    except ScanError:
        return None


def _event(variables: Variables) -> _Fields:
    path = variables.get("GITHUB_EVENT_PATH", "")
    if not path:
        raise ScanError("GITHUB_EVENT_PATH is not set, so the base of this run is unknown", hint="Give it with --base.")
    try:
        event = json.loads(read_file(path, _LARGEST_EVENT))
    except OSError as error:
        raise ScanError(
            f"the event file {path} cannot be read: {error.strerror}", hint="Give the base with --base."
        ) from None
    except (ValueError, RecursionError):
        raise _malformed(variables) from None
    if not isinstance(event, dict):
        raise _malformed(variables)
    return event


def _part(fields: _Fields, name: str, *, optional: bool = False) -> _Fields:
    part = fields.get(name)
    if isinstance(part, dict):
        return part
    if optional:
        return {}
    raise ScanError(f"the event file has no “{name}”, so the base of this run is unknown", hint="Give it with --base.")


def _malformed(variables: Variables) -> ScanError:
    path = variables.get("GITHUB_EVENT_PATH", "")
    return ScanError(
        f"the event file {path} is malformed, so the base of this run is unknown", hint="Give it with --base."
    )
