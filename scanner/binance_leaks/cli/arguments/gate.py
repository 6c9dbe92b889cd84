"""Arguments of the hooks and the gate: `staged`, `message`, `push`, `receive`, `range`, `ci`."""

from __future__ import annotations

from binance_leaks.cli.arguments.common import (
    EXIT_STATUS,
    add_exclude,
    add_gate,
    add_no_progress,
    add_output,
    add_pictures,
    add_time_limit,
    add_verification,
)

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    import argparse
    from typing import TypeAlias

    from binance_leaks.cli.arguments.common import Commands, Parser

    _CommitGroups: TypeAlias = tuple[argparse._ArgumentGroup, argparse._ArgumentGroup, argparse._ArgumentGroup]


def add_range(commands: Commands) -> None:
    """Add `range`."""
    parser = commands.add_parser(
        "range",
        help="scan what the commits between two revisions introduce",
        description="Scans every commit that HEAD has and BASE has not, commit by commit, with its message. A value\n"
        "that a later commit removes is found; a value that was already at its path, or was merged from elsewhere,\n"
        "is not.",
        epilog=f"example: binance-leaks range origin/main..HEAD\n\n{EXIT_STATUS}",
    )
    parser.add_argument("range", metavar="BASE..HEAD", help="two revisions; BASE...HEAD needs a common ancestor")
    add_commits(parser)
    parser.set_defaults(target="binance_leaks.cli.commits:run_range")


def add_ci(commands: Commands) -> None:
    """Add `ci`."""
    parser = commands.add_parser(
        "ci",
        help="scan what a pull request or push introduces (the CI gate)",
        description="Reads from the environment of the CI system which commits a pull request, a push or a merge\n"
        "queue introduces, and scans them as range does. Knows GitHub, GitLab, Bitbucket, Azure Pipelines,\n"
        "CircleCI, Jenkins, Buildkite, Gitea and Forgejo; elsewhere it compares HEAD with the remote's default\n"
        "branch.",
        epilog="examples:\n"
        "  binance-leaks ci --format github --format sarif:binance-leaks.sarif\n"
        f"  binance-leaks ci --fetch --fail-on medium\n\n{EXIT_STATUS}",
    )
    _, scope, _ = add_commits(parser)
    scope.add_argument("--base", metavar="REV", help="compare with this revision instead of that of the environment")
    scope.add_argument("--head", metavar="REV", help="scan this revision instead of that of the environment")
    scope.add_argument(
        "--fetch", action="store_true", help="fetch from the remote what a shallow or partial clone lacks"
    )
    parser.set_defaults(target="binance_leaks.cli.commits:run_ci")


def add_commits(
    parser: Parser,
    policy: str = "head",
    default: str = "head, the checkout",
    time_limit: int | None = None,
    *,
    quick: bool = False,
) -> _CommitGroups:
    """Add the options of commands that scan commits; return the groups gate, scope and work.

    With `quick` a picture is read in at most a second.
    """
    add_output(parser)
    gate = add_gate(parser)
    gate.add_argument(
        "--policy",
        choices=("head", "base"),
        default=policy,
        help=f"whose configuration, baseline and allow comments count (default: {default})",
    )
    scope = parser.add_argument_group("scope")
    add_exclude(scope)
    add_pictures(parser, scope, quick=quick)
    work = parser.add_argument_group("work")
    add_no_progress(work)
    add_time_limit(work, time_limit)
    add_verification(parser)
    return gate, scope, work


def add_staged(commands: Commands) -> None:
    """Add `staged`."""
    parser = commands.add_parser(
        "staged",
        help="scan what is about to be committed (the pre-commit hook)",
        description="Scans git's index. A credential that the commit introduces fails; one that was already at its\n"
        "path is listed and passes.",
        epilog=f"example: binance-leaks staged\n\n{EXIT_STATUS}",
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="only these files; those that are not staged are scanned whole"
    )
    add_output(parser)
    add_gate(parser)
    add_pictures(parser, parser.add_argument_group("scope"), quick=True)
    add_time_limit(parser.add_argument_group("work"))
    parser.set_defaults(target="binance_leaks.cli.staged:run")


def add_message(commands: Commands) -> None:
    """Add `message`."""
    parser = commands.add_parser(
        "message",
        help="scan a commit message (the commit-msg hook)",
        description="Scans the file that holds a commit message, without the part that git will drop.",
        epilog=f"example: binance-leaks message .git/COMMIT_EDITMSG\n\n{EXIT_STATUS}",
    )
    parser.add_argument("file", metavar="FILE", help="the file with the message")
    add_output(parser)
    add_gate(parser)
    add_time_limit(parser.add_argument_group("work"))
    parser.set_defaults(target="binance_leaks.cli.staged:run_message")


def add_push(commands: Commands) -> None:
    """Add `push`."""
    parser = commands.add_parser(
        "push",
        help="scan what is about to be pushed (the pre-push hook)",
        description="Scans the commits and tags that a push would send to its remote. As git's hook it reads from\n"
        "standard input what is pushed; under pre-commit, from its variables; by hand it takes what HEAD has and\n"
        "the remote has not.",
        epilog=f"example: binance-leaks push origin\n\n{EXIT_STATUS}",
    )
    parser.add_argument("remote", nargs="?", metavar="REMOTE", help="name of the remote, as git gives it to its hook")
    parser.add_argument("url", nargs="?", metavar="URL", help="address of the remote, as git gives it to its hook")
    add_commits(parser, quick=True)
    parser.set_defaults(target="binance_leaks.cli.commits:run_push")


def add_receive(commands: Commands) -> None:
    """Add `receive`."""
    parser = commands.add_parser(
        "receive",
        help="refuse a push that brings a credential (a server's pre-receive hook)",
        description="Scans the commits and tags of a push on the server that receives it, before any ref changes. As\n"
        "git's pre-receive hook it reads the updates of refs from standard input; an update hook passes its\n"
        "three arguments. What the push itself allows does not count, unless with --policy head.",
        epilog=f"example: binance-leaks receive --time-limit 5m\n\n{EXIT_STATUS}",
    )
    parser.add_argument(
        "update", nargs="*", metavar="REF OLD NEW", help="the arguments of an update hook (default: standard input)"
    )
    gate, _, _ = add_commits(parser, "base", "base, what the server has", time_limit=60, quick=True)
    gate.add_argument("--warn-only", action="store_true", help="report, and let every push pass")
    parser.set_defaults(target="binance_leaks.cli.receive:run")
