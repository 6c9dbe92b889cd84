"""Arguments of the commands that scan on request: `scan`, `history`, `range`, `ci`, and of `report`."""

from __future__ import annotations

import argparse

from binance_leaks.cli.arguments.common import (
    EXIT_STATUS,
    add_all_files,
    add_allow_incomplete,
    add_exclude,
    add_fail_on,
    add_gate,
    add_jobs,
    add_no_progress,
    add_output,
    add_verification,
)

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands, Parser


def add_scan(commands: Commands) -> None:
    """Add `scan`."""
    parser = commands.add_parser(
        "scan",
        help="scan files, folders or standard input",
        description="Scans files and folders; - is standard input. In a git work tree, ignored files are skipped.",
        epilog=f"example: binance-leaks scan --all-files .\n\n{EXIT_STATUS}",
    )
    parser.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help="file, folder or - (default: the current folder)"
    )
    add_output(parser)
    add_gate(parser)
    scope = parser.add_argument_group("scope")
    add_exclude(scope)
    add_all_files(scope)
    work = parser.add_argument_group("work")
    add_jobs(work, "one per core for large trees")
    add_no_progress(work)
    add_verification(parser)
    parser.set_defaults(target="binance_leaks.cli.scan:run")


def add_history(commands: Commands) -> None:
    """Add `history`."""
    parser = commands.add_parser(
        "history",
        help="scan everything that a repository ever held",
        description="Scans every object of a git repository: all commits and their messages, deleted files, amended\n"
        "commits, stashes and notes. Shows which commit introduced each credential, and which removed it.",
        epilog="examples:\n"
        "  binance-leaks history\n"
        "  binance-leaks history https://git.example/team/bot.git --keep bot.git\n"
        f"  binance-leaks history --since 2024-01-01 --branch main\n\n{EXIT_STATUS}",
    )
    parser.add_argument(
        "repository", nargs="?", default=".", metavar="REPO|URL", help="folder or URL (default: the current folder)"
    )
    add_output(parser)
    add_allow_incomplete(add_gate(parser))
    scope = parser.add_argument_group("scope")
    scope.add_argument("--reachable", action="store_true", help="only what branches, tags and other refs reach")
    scope.add_argument("--branch", action="append", default=[], metavar="NAME", help="only this branch; repeatable")
    scope.add_argument("--since", metavar="DATE", help="only commits since a date, in any form that git accepts")
    scope.add_argument(
        "--path", action="append", default=[], metavar="GLOB", help="only these paths, as in .gitignore; repeatable"
    )
    add_exclude(scope)
    scope.add_argument("--submodules", action="store_true", help="also the submodules' object stores in .git/modules")
    work = parser.add_argument_group("work")
    work.add_argument("--keep", metavar="DIR", help="keep the clone of a URL there, and reuse it")
    work.add_argument("--state", metavar="FILE", help="remember what was scanned; the next run reads only new objects")
    work.add_argument(
        "--write-replacements", metavar="FILE", help="write the values for git filter-repo --replace-text"
    )
    add_jobs(work)
    add_no_progress(work)
    add_verification(parser)
    parser.set_defaults(target="binance_leaks.cli.history:run")


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
    scope = add_commits(parser)
    scope.add_argument("--base", metavar="REV", help="compare with this revision, whatever the environment says")
    scope.add_argument("--head", metavar="REV", help="scan this revision, whatever the environment says")
    scope.add_argument(
        "--fetch", action="store_true", help="fetch from the remote what a shallow or partial clone lacks"
    )
    parser.set_defaults(target="binance_leaks.cli.commits:run_ci")


def add_commits(parser: Parser) -> argparse._ArgumentGroup:
    """Add the options of commands that scan commits, and return the group that says which ones."""
    add_output(parser)
    gate = add_gate(parser)
    gate.add_argument(
        "--policy",
        choices=("head", "base"),
        default="head",
        help="whose configuration, baseline and allow comments count (default: head, the checkout)",
    )
    scope = parser.add_argument_group("scope")
    add_exclude(scope)
    add_no_progress(parser.add_argument_group("work"))
    add_verification(parser)
    return scope


def add_report(commands: Commands) -> None:
    """Add `report`."""
    parser = commands.add_parser(
        "report",
        help="render a stored JSON report in another format",
        description="Renders a report that --format json wrote; - is standard input. Nothing is scanned.",
        epilog=f"example: binance-leaks report report.json --format sarif:report.sarif\n\n{EXIT_STATUS}",
    )
    parser.add_argument("report", metavar="REPORT.json", help="the report, or - for standard input")
    add_output(parser)
    add_fail_on(parser.add_argument_group("gate"), default="as the scan decided")
    parser.set_defaults(target="binance_leaks.cli.report:run")
