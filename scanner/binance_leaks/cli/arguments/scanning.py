"""Commands that scan what is there: `scan`, `history`, `staged`, `message`."""

from __future__ import annotations

import argparse

from binance_leaks.cli.arguments.common import EPILOG, add_common, jobs

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands, Options


def add_scan(commands: Commands) -> None:
    scan = commands.add_parser(
        "scan",
        help="scan files, folders or standard input",
        description="Scans files and folders; `-` is standard input. In a git work tree, what git ignores is left out.",
        epilog=f"example: binance-leaks scan --all-files .\n{EPILOG}",
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
        "--jobs", type=jobs, default=0, metavar="N", help="processes (default: one a core for large trees)"
    )
    scan.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    add_common(scan)
    scan.set_defaults(run=_scan)


def add_history(commands: Commands) -> None:
    history = commands.add_parser(
        "history",
        help="scan everything that a repository ever held",
        description="Scans every object of a git repository: all commits and their messages, deleted files, amended\n"
        "commits, stashes, notes. Says which commit brought each credential in, and which took it out.",
        epilog="examples:\n"
        "  binance-leaks history\n"
        "  binance-leaks history https://git.example/team/bot.git --keep bot.git\n"
        f"  binance-leaks history --since 2024-01-01 --branch main\n\n{EPILOG}",
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
    history.add_argument("--jobs", type=jobs, default=0, metavar="N", help="processes (default: one a core)")
    history.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    add_common(history)
    history.set_defaults(run=_history)


def add_staged(commands: Commands) -> None:
    staged = commands.add_parser(
        "staged",
        help="scan what is about to be committed (the pre-commit hook)",
        description="Scans git's index. A credential in a new line blocks; one that stood there before is shown.",
        epilog=f"example: binance-leaks staged\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    staged.add_argument(
        "files", nargs="*", metavar="FILE", help="only these; those that are not staged are scanned whole"
    )
    add_common(staged)
    staged.set_defaults(run=_staged)


def add_message(commands: Commands) -> None:
    message = commands.add_parser(
        "message",
        help="scan a commit message (the commit-msg hook)",
        description="Scans the file that holds a commit message, without the lines that git will drop.",
        epilog=f"example: binance-leaks message .git/COMMIT_EDITMSG\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    message.add_argument("file", metavar="FILE", help="the file with the message")
    add_common(message)
    message.set_defaults(run=_message)


# Each command is imported when it is run: start-up time of the hook.


def _scan(options: Options) -> int:
    from binance_leaks.cli.scan import run

    return run(options)


def _history(options: Options) -> int:
    from binance_leaks.cli.history import run

    return run(options)


def _staged(options: Options) -> int:
    from binance_leaks.cli.staged import run

    return run(options)


def _message(options: Options) -> int:
    from binance_leaks.cli.message import run

    return run(options)
