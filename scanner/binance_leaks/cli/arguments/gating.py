"""Commands that scan what comes in: `range`, `ci`, `push`."""

from __future__ import annotations

import argparse

from binance_leaks.cli.arguments.common import EPILOG, add_common

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands, Options, Parser


def add_range(commands: Commands) -> None:
    commits = commands.add_parser(
        "range",
        help="scan what the commits between two revisions bring in",
        description="Scans every commit that HEAD has and BASE has not: its new lines and its message. What a later\n"
        "commit takes out again is found; what stood there before, or was merged from elsewhere, is not reported.",
        epilog=f"example: binance-leaks range origin/main..HEAD\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commits.add_argument("range", metavar="BASE..HEAD", help="two revisions; BASE...HEAD wants a common ancestor")
    _add_commits(commits)
    commits.set_defaults(run=_range)


def add_ci(commands: Commands) -> None:
    ci = commands.add_parser(
        "ci",
        help="scan what a pull request or push brings in (the CI gate)",
        description="Finds out from the environment of the CI system which commits a pull request, a push or a merge\n"
        "queue brings in, and scans them as `range` does. Knows GitHub, GitLab, Bitbucket, Azure Pipelines,\n"
        "CircleCI, Jenkins, Buildkite, Gitea and Forgejo; elsewhere HEAD against the remote's default branch.",
        epilog="examples:\n"
        "  binance-leaks ci --format github --format sarif:binance-leaks.sarif\n"
        f"  binance-leaks ci --fetch --fail-on medium\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ci.add_argument(
        "--fetch", action="store_true", help="fetch what a shallow or partial clone lacks, from its own remote"
    )
    ci.add_argument("--base", metavar="REV", help="what it is compared with, in place of what the environment says")
    ci.add_argument("--head", metavar="REV", help="what is scanned, in place of what the environment says")
    _add_commits(ci)
    ci.set_defaults(run=_ci)


def add_push(commands: Commands) -> None:
    push = commands.add_parser(
        "push",
        help="scan what is about to be pushed (the pre-push hook)",
        description="Scans the commits and tags that a push would bring to its remote. As a hook of git's it reads\n"
        "from standard input what is pushed; under pre-commit, from its variables; by hand it takes what HEAD has\n"
        "and the remote has not.",
        epilog=f"example: binance-leaks push origin\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    push.add_argument("remote", nargs="?", metavar="REMOTE", help="name of the remote, as git tells its hook")
    push.add_argument("url", nargs="?", metavar="URL", help="its address, as git tells its hook")
    _add_commits(push)
    push.set_defaults(run=_push)


def _add_commits(parser: Parser) -> None:
    """What commands share that scan commits."""
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out paths, as in .gitignore; repeatable"
    )
    parser.add_argument(
        "--policy",
        choices=("head", "base"),
        default="head",
        help="whose configuration, baseline and allow comments count (default: head, what is checked out)",
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    add_common(parser)


# Each command is imported when it is run: start-up time of the hook.


def _range(options: Options) -> int:
    from binance_leaks.cli.commits import run_range

    return run_range(options)


def _ci(options: Options) -> int:
    from binance_leaks.cli.commits import run_ci

    return run_ci(options)


def _push(options: Options) -> int:
    from binance_leaks.cli.push import run

    return run(options)
