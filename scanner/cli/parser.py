"""The commands and their options. Imports nothing that a clean commit does not need."""

from __future__ import annotations

import argparse

from scanner import __version__
from scanner.errors import UsageError

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

_CONFIDENCES = ("low", "medium", "high")
_RISKS = ("none", "info", "low", "medium", "high", "critical")
_FORMATS = "text, json, sarif, github, gitlab, junit, csv or markdown"
_EPILOG = (
    """exit status: 0 nothing found, 1 findings, 2 usage or configuration, 3 incomplete or failed, 130 interrupted"""
)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are told like all others."""

    def error(self, message: str) -> NoReturn:
        """Raises UsageError; argparse itself would print and exit."""
        raise UsageError(message, hint=f"See {self.prog} --help.")


class Options(argparse.Namespace):
    """The parsed command line; each command reads what its own parser set."""

    run: Callable[[Options], int]
    format: list[str]
    confidence: str | None
    fail_on: str | None
    config: str | None
    jobs: int
    no_progress: bool
    color: str
    show_suppressed: bool
    verbose: bool
    quiet: bool
    exclude: list[str]
    all_files: bool
    paths: list[str]
    files: list[str]
    file: str
    report: str
    arguments: list[str]
    repository: str
    reachable: bool
    since: str | None
    branch: list[str]
    path: list[str]
    submodules: bool
    keep: str | None
    state: str | None
    allow_incomplete: bool
    write_replacements: str | None
    range: str
    fetch: bool
    base: str | None
    head: str | None
    remote: str | None
    url: str | None
    ci: str | None
    repo: str | None
    rev: str | None
    upload_sarif: bool
    dry_run: bool
    yes: bool


def parse(arguments: Sequence[str]) -> Options:
    """The command line as options whose `run` carries it out. Exits with 2 and a usage line where it is wrong."""
    if arguments[:1] == ["detect-secrets-hook"]:
        return Options(run=_detect_secrets_hook, arguments=list(arguments[1:]))
    if arguments[:1] == ["detect-secrets-audit"]:
        return Options(run=_detect_secrets_audit, arguments=list(arguments[1:]))
    return build().parse_args(arguments, namespace=Options())


def build() -> _Parser:
    """The parser of all commands."""
    parser = _Parser(
        prog="binance-leaks",
        description="Finds leaked Binance API credentials, pairs keys with their secrets, and ranks them by harm.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"binance-leaks {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog="binance-leaks")
    _add_scan(commands)
    _add_history(commands)
    _add_range(commands)
    _add_ci(commands)
    _add_staged(commands)
    _add_message(commands)
    _add_push(commands)
    _add_init(commands)
    _add_report(commands)
    _add_plugin_path(commands)
    commands.add_parser(
        "detect-secrets-hook",
        help="run detect-secrets-hook with our plugin; takes its arguments",
        description='Runs detect-secrets-hook with our plugin and without the filter that hides Client("K", "S").',
    )
    commands.add_parser(
        "detect-secrets-audit",
        help="run detect-secrets audit on a baseline with our plugin; takes its arguments",
        description="Runs detect-secrets audit, which by itself stops at any plugin that was given with -p.",
    )
    return parser


def _add_scan(commands: argparse._SubParsersAction[_Parser]) -> None:
    scan = commands.add_parser(
        "scan",
        help="scan files, folders or standard input",
        description="Scans files and folders; `-` is standard input. In a git work tree, what git ignores is left out.",
        epilog=f"example: binance-leaks scan --all-files .\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scan.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help="file, folder or - (default: this folder)"
    )
    scan.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out paths, as in .gitignore; repeatable"
    )
    scan.add_argument("--all-files", action="store_true", help="read what git ignores too, such as a forgotten .env")
    scan.add_argument(
        "--jobs", type=_jobs, default=0, metavar="N", help="processes (default: one a core for large trees)"
    )
    scan.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    _add_common(scan)
    scan.set_defaults(run=_scan)


def _add_history(commands: argparse._SubParsersAction[_Parser]) -> None:
    history = commands.add_parser(
        "history",
        help="scan everything that a repository ever held",
        description="Scans every object of a git repository: all commits and their messages, deleted files, amended\n"
        "commits, stashes, notes. Says which commit brought each credential in, and which took it out.",
        epilog="examples:\n"
        "  binance-leaks history\n"
        "  binance-leaks history https://git.example/team/bot.git --keep bot.git\n"
        f"  binance-leaks history --since 2024-01-01 --branch main\n\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    history.add_argument(
        "repository", nargs="?", default=".", metavar="REPO|URL", help="folder or URL (default: this folder)"
    )
    narrowing = history.add_argument_group("what of it")
    narrowing.add_argument("--reachable", action="store_true", help="only what branches, tags and other refs reach")
    narrowing.add_argument("--branch", action="append", default=[], metavar="NAME", help="only these; repeatable")
    narrowing.add_argument("--since", metavar="DATE", help="only what came in since a date, as git understands it")
    narrowing.add_argument(
        "--path", action="append", default=[], metavar="GLOB", help="only these paths, as in .gitignore; repeatable"
    )
    narrowing.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out paths, as in .gitignore; repeatable"
    )
    narrowing.add_argument("--submodules", action="store_true", help="also the submodules' stores in .git/modules")
    history.add_argument("--keep", metavar="DIR", help="keep the clone of a URL there, and use it again")
    history.add_argument("--state", metavar="FILE", help="remember what was scanned; the next run reads what is new")
    history.add_argument(
        "--allow-incomplete", action="store_true", help="do not fail because of objects that are missing"
    )
    history.add_argument(
        "--write-replacements", metavar="FILE", help="write the values there, for git filter-repo --replace-text"
    )
    history.add_argument("--jobs", type=_jobs, default=0, metavar="N", help="processes (default: one a core)")
    history.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    _add_common(history)
    history.set_defaults(run=_history)


def _add_range(commands: argparse._SubParsersAction[_Parser]) -> None:
    commits = commands.add_parser(
        "range",
        help="scan what the commits between two revisions bring in",
        description="Scans every commit that HEAD has and BASE has not: its new lines and its message. What a later\n"
        "commit takes out again is found; what stood there before, or was merged from elsewhere, is not reported.",
        epilog=f"example: binance-leaks range origin/main..HEAD\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commits.add_argument("range", metavar="BASE..HEAD", help="two revisions; BASE...HEAD wants a common ancestor")
    _add_commits(commits)
    commits.set_defaults(run=_range)


def _add_ci(commands: argparse._SubParsersAction[_Parser]) -> None:
    ci = commands.add_parser(
        "ci",
        help="scan what a pull request or push brings in (the CI gate)",
        description="Finds out from the environment of the CI system which commits a pull request, a push or a merge\n"
        "queue brings in, and scans them as `range` does. Knows GitHub, GitLab, Bitbucket, Azure Pipelines,\n"
        "CircleCI, Jenkins, Buildkite, Gitea and Forgejo; elsewhere HEAD against the remote's default branch.",
        epilog="examples:\n"
        "  binance-leaks ci --format github --format sarif:binance-leaks.sarif\n"
        f"  binance-leaks ci --fetch --fail-on medium\n\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ci.add_argument(
        "--fetch", action="store_true", help="fetch what a shallow or partial clone lacks, from its own remote"
    )
    ci.add_argument("--base", metavar="REV", help="what it is compared with, in place of what the environment says")
    ci.add_argument("--head", metavar="REV", help="what is scanned, in place of what the environment says")
    _add_commits(ci)
    ci.set_defaults(run=_ci)


def _add_push(commands: argparse._SubParsersAction[_Parser]) -> None:
    push = commands.add_parser(
        "push",
        help="scan what is about to be pushed (the pre-push hook)",
        description="Scans the commits and tags that a push would bring to its remote. As a hook of git's it reads\n"
        "from standard input what is pushed; under pre-commit, from its variables; by hand it takes what HEAD has\n"
        "and the remote has not.",
        epilog=f"example: binance-leaks push origin\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    push.add_argument("remote", nargs="?", metavar="REMOTE", help="name of the remote, as git tells its hook")
    push.add_argument("url", nargs="?", metavar="URL", help="its address, as git tells its hook")
    _add_commits(push)
    push.set_defaults(run=_push)


def _add_commits(parser: _Parser) -> None:
    """What commands share that scan commits."""
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out paths, as in .gitignore; repeatable"
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    _add_common(parser)


def _add_staged(commands: argparse._SubParsersAction[_Parser]) -> None:
    staged = commands.add_parser(
        "staged",
        help="scan what is about to be committed (the pre-commit hook)",
        description="Scans git's index. A credential in a new line blocks; one that stood there before is shown.",
        epilog=f"example: binance-leaks staged\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    staged.add_argument(
        "files", nargs="*", metavar="FILE", help="only these; those that are not staged are scanned whole"
    )
    _add_common(staged)
    staged.set_defaults(run=_staged)


def _add_message(commands: argparse._SubParsersAction[_Parser]) -> None:
    message = commands.add_parser(
        "message",
        help="scan a commit message (the commit-msg hook)",
        description="Scans the file that holds a commit message, without the lines that git will drop.",
        epilog=f"example: binance-leaks message .git/COMMIT_EDITMSG\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    message.add_argument("file", metavar="FILE", help="the file with the message")
    _add_common(message)
    message.set_defaults(run=_message)


def _add_init(commands: argparse._SubParsersAction[_Parser]) -> None:
    init = commands.add_parser(
        "init",
        help="set up the hooks of pre-commit, and CI",
        description="Adds our hooks to .pre-commit-config.yaml and, with --ci, what CI needs. Shows the difference\n"
        "first and, on a terminal, asks. What it did not write itself it adds to, or leaves alone.",
        epilog="examples:\n"
        "  binance-leaks init --dry-run\n"
        "  binance-leaks init --ci github\n"
        "  binance-leaks init --ci gitlab --repo https://git.example/tools/binance-leaks --rev v1.2.0\n\n"
        "exit status: 0 done or nothing to do, 2 a file was left alone and nothing was written",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    init.add_argument("--ci", choices=("github", "gitlab"), help="also write what this CI needs")
    init.add_argument(
        "--repo", metavar="URL", help="where hooks and CI get this program (default: the installed one, the index)"
    )
    init.add_argument("--rev", metavar="REV", help="commit or tag of --repo")
    init.add_argument("--upload-sarif", action="store_true", help="let GitHub show findings in its security tab")
    init.add_argument("--dry-run", action="store_true", help="only show what would change")
    init.add_argument("--yes", action="store_true", help="do not ask")
    init.set_defaults(run=_init)


def _add_report(commands: argparse._SubParsersAction[_Parser]) -> None:
    report = commands.add_parser(
        "report",
        help="render a stored JSON report in another format",
        description="Renders a report that --format json wrote; `-` is standard input. Nothing is scanned.",
        epilog=f"example: binance-leaks report report.json --format sarif:report.sarif\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.add_argument("report", metavar="REPORT.json", help="the report, or - for standard input")
    _add_format(report)
    _add_fail_on(report, default="as the scan judged")
    _add_look(report)
    report.set_defaults(run=_report)


def _add_plugin_path(commands: argparse._SubParsersAction[_Parser]) -> None:
    plugin = commands.add_parser(
        "plugin-path",
        help="print the path of the detect-secrets plugin",
        description="Prints the path of the plugin file.",
        epilog='example: detect-secrets scan -p "$(binance-leaks plugin-path)"',
    )
    plugin.set_defaults(run=_plugin_path)


def _add_common(parser: _Parser) -> None:
    _add_format(parser)
    parser.add_argument(
        "--confidence", choices=_CONFIDENCES, help="least confidence that is reported (default: medium)"
    )
    _add_fail_on(parser)
    parser.add_argument("--config", metavar="FILE", help="configuration in place of the one that is found")
    _add_look(parser)


def _add_format(parser: _Parser) -> None:
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="NAME[:FILE]",
        help=f"{_FORMATS}, to a file if given; repeatable",
    )


def _add_fail_on(parser: _Parser, default: str = "any finding") -> None:
    parser.add_argument(
        "--fail-on", choices=_RISKS, metavar="RISK", help=f"least risk that fails, or none (default: {default})"
    )


def _add_look(parser: _Parser) -> None:
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal)"
    )
    parser.add_argument("--show-suppressed", action="store_true", help="list what is allowed, too")
    parser.add_argument("-v", "--verbose", action="store_true", help="show digests and everything that is folded")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing where nothing was found")


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError("must be a number from 1 to 1024")
    return int(text)


# Each command is imported when it is run: start-up time of the hook.


def _scan(options: Options) -> int:
    from scanner.cli.scan import run

    return run(options)


def _history(options: Options) -> int:
    from scanner.cli.history import run

    return run(options)


def _range(options: Options) -> int:
    from scanner.cli.commits import run_range

    return run_range(options)


def _ci(options: Options) -> int:
    from scanner.cli.commits import run_ci

    return run_ci(options)


def _push(options: Options) -> int:
    from scanner.cli.push import run

    return run(options)


def _staged(options: Options) -> int:
    from scanner.cli.staged import run

    return run(options)


def _message(options: Options) -> int:
    from scanner.cli.message import run

    return run(options)


def _init(options: Options) -> int:
    from scanner.cli.init import run

    return run(options)


def _report(options: Options) -> int:
    from scanner.cli.report import run

    return run(options)


def _plugin_path(options: Options) -> int:  # noqa: ARG001 - every command has this signature
    from scanner.cli.detect_secrets import print_plugin_path

    return print_plugin_path()


def _detect_secrets_hook(options: Options) -> int:
    from scanner.cli.detect_secrets import run_hook

    return run_hook(options.arguments)


def _detect_secrets_audit(options: Options) -> int:
    from scanner.cli.detect_secrets import run_audit

    return run_audit(options.arguments)
