"""Arguments of `machine`."""

from __future__ import annotations

import argparse

from binance_leaks.cli.arguments.common import (
    EXIT_STATUS,
    add_allow_incomplete,
    add_exclude,
    add_gate,
    add_jobs,
    add_no_progress,
    add_output,
    add_pictures,
    add_time_limit,
    add_verification,
)

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands

_INCLUDE = ("clipboard", "notes", "caches", "trash")


def add_machine(commands: Commands) -> None:
    """Add `machine`."""
    parser = commands.add_parser(
        "machine",
        help="search the places on this machine where keys are often left",
        description="Scans the places of your account where keys of bots are: folders and transcripts of coding\n"
        "agents, MCP configurations, .env files, histories of shells and interpreters, local history of editors,\n"
        "notebooks, folders of bots, git stashes and unreachable objects. A plan of what is read is made and shown\n"
        "first; nothing else is opened. docs/machine.md lists the places.",
        epilog="examples:\n"
        "  binance-leaks machine --dry-run\n"
        "  binance-leaks machine\n"
        f"  binance-leaks machine ~/src --include notes --format html:machine.html\n\n{EXIT_STATUS}",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        default=[],
        metavar="DIR",
        help="look for files by name below these folders (default: the home folder)",
    )
    add_output(parser)
    add_allow_incomplete(add_gate(parser))
    scope = parser.add_argument_group("scope")
    scope.add_argument("--dry-run", action="store_true", help="only print what would be read, file by file")
    scope.add_argument(
        "--include",
        action="append",
        default=[],
        choices=_INCLUDE,
        help="also search these, which are skipped by default; repeatable",
    )
    scope.add_argument(
        "--depth", type=_depth, default=12, metavar="N", help="look at most N folders deep (default: 12)"
    )
    scope.add_argument("--no-repositories", action="store_true", help="leave out git stashes and unreachable objects")
    add_exclude(scope)
    add_pictures(parser, scope)
    work = parser.add_argument_group("work")
    add_jobs(work)
    add_no_progress(work)
    add_time_limit(work, 300)
    add_verification(parser)
    parser.set_defaults(target="binance_leaks.cli.machine:run")


def _depth(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("must be a number from 1 to 100")
    return int(text)
