"""Arguments of git's hooks: `staged`, `message`, `push`.

The first two never open a connection.
"""

from __future__ import annotations

from binance_leaks.cli.arguments.common import EXIT_STATUS, add_gate, add_output
from binance_leaks.cli.arguments.scans import add_commits

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands


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
    add_commits(parser)
    parser.set_defaults(target="binance_leaks.cli.commits:run_push")
