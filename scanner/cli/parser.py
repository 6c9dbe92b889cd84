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
    baseline: str | None
    no_baseline: bool
    history: bool


def parse(arguments: Sequence[str]) -> Options:
    """The command line as options whose `run` carries it out. Exits with 2 and a usage line where it is wrong."""
    if arguments[:1] == ["detect-secrets-hook"]:
        return Options(run=_detect_secrets_hook, arguments=list(arguments[1:]))
    if arguments[:1] == ["detect-secrets-audit"]:
        return Options(run=_detect_secrets_audit, arguments=list(arguments[1:]))
    if list(arguments[:2]) == ["baseline", "audit"]:
        return Options(run=_baseline_audit, arguments=list(arguments[2:]))
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
    _add_staged(commands)
    _add_message(commands)
    _add_baseline(commands)
    _add_plugin_path(commands)
    commands.add_parser(
        "detect-secrets-hook",
        help="run detect-secrets-hook with our plugin; takes its arguments",
        description='Runs detect-secrets-hook with our plugin and without the filter that hides Client("K", "S").',
    )
    commands.add_parser(
        "detect-secrets-audit",
        help="as baseline audit, with paths from this folder",
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


def _add_baseline(commands: argparse._SubParsersAction[_Parser]) -> None:
    baseline = commands.add_parser(
        "baseline",
        help="write down what is known, so that only what is new is reported",
        description="Makes and updates baselines of known findings, in the format of detect-secrets. They hold\n"
        "digests, no values. What is known is known by path and value: it may move to other lines.",
        epilog="examples:\n"
        "  binance-leaks baseline create\n"
        "  binance-leaks baseline update\n"
        "  binance-leaks baseline audit\n"
        "  binance-leaks scan --baseline .secrets.baseline",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = baseline.add_subparsers(metavar="ACTION", required=True, prog="binance-leaks baseline")
    create = actions.add_parser(
        "create",
        help="make a baseline of what is found",
        description="Makes a baseline of what is found, and overwrites none.",
        epilog="example: binance-leaks baseline create --history",
    )
    _add_baseline_options(create)
    create.set_defaults(run=_baseline_create)
    update = actions.add_parser(
        "update",
        help="add what is new, drop what is gone",
        description="Adds what is new to a baseline and drops what is gone. What an audit said stays, and so do "
        "entries of other plugins and of paths that were not read.",
        epilog="example: binance-leaks baseline update src/",
    )
    _add_baseline_options(update)
    update.set_defaults(run=_baseline_update)
    actions.add_parser(
        "audit",
        help="say of each entry whether it is real; takes the arguments of detect-secrets audit",
        description="Shows the entries one after the other, values included, and keeps what you say of them.",
        epilog="example: binance-leaks baseline audit --stats",
    )


def _add_baseline_options(parser: _Parser) -> None:
    parser.add_argument(
        "paths", nargs="*", default=[], metavar="PATH", help="only what is in these (default: the whole repository)"
    )
    parser.add_argument(
        "--baseline",
        metavar="FILE",
        help="the baseline (default: that of the configuration, else .secrets.baseline at the top of the repository)",
    )
    parser.add_argument(
        "--history", action="store_true", help="take in what the history holds, too; updates remember it"
    )
    parser.add_argument("--confidence", choices=_CONFIDENCES, help="least confidence that is added (default: medium)")
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out paths, as in .gitignore; repeatable"
    )
    parser.add_argument("--all-files", action="store_true", help="read what git ignores too, such as a forgotten .env")
    parser.add_argument("--config", metavar="FILE", help="configuration in place of the one that is found")
    parser.add_argument(
        "--jobs", type=_jobs, default=0, metavar="N", help="processes (default: one a core for large trees)"
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing where nothing changed")
    parser.set_defaults(fail_on=None)


def _add_plugin_path(commands: argparse._SubParsersAction[_Parser]) -> None:
    plugin = commands.add_parser(
        "plugin-path",
        help="print the path of the detect-secrets plugin",
        description="Prints the path of the plugin file.",
        epilog='example: detect-secrets scan -p "$(binance-leaks plugin-path)"',
    )
    plugin.set_defaults(run=_plugin_path)


def _add_common(parser: _Parser) -> None:
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="NAME[:FILE]",
        help="text or json, to a file if given; repeatable",
    )
    parser.add_argument(
        "--confidence", choices=_CONFIDENCES, help="least confidence that is reported (default: medium)"
    )
    parser.add_argument(
        "--fail-on", choices=_RISKS, metavar="RISK", help="least risk that fails, or none (default: any finding)"
    )
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--baseline", metavar="FILE", help="suppress what this baseline knows (baseline --help)")
    known.add_argument("--no-baseline", action="store_true", help="pass over the baseline of the configuration")
    parser.add_argument("--config", metavar="FILE", help="configuration in place of the one that is found")
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


def _staged(options: Options) -> int:
    from scanner.cli.staged import run

    return run(options)


def _message(options: Options) -> int:
    from scanner.cli.message import run

    return run(options)


def _baseline_create(options: Options) -> int:
    from scanner.cli.baseline import create

    return create(options)


def _baseline_update(options: Options) -> int:
    from scanner.cli.baseline import update

    return update(options)


def _baseline_audit(options: Options) -> int:
    from scanner.cli.baseline import audit

    return audit(options.arguments)


def _plugin_path(options: Options) -> int:  # noqa: ARG001 - every command has this signature
    from scanner.cli.detect_secrets import print_plugin_path

    return print_plugin_path()


def _detect_secrets_hook(options: Options) -> int:
    from scanner.cli.detect_secrets import run_hook

    return run_hook(options.arguments)


def _detect_secrets_audit(options: Options) -> int:
    from scanner.cli.detect_secrets import run_audit

    return run_audit(options.arguments)
