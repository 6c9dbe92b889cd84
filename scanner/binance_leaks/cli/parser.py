"""The commands and their options. Imports nothing that a clean commit does not need."""

from __future__ import annotations

import argparse
import sys

from binance_leaks import __version__
from binance_leaks.cli.arguments.common import EPILOG, Options, Parser
from binance_leaks.cli.arguments.fleet import add_fleet, with_action
from binance_leaks.cli.arguments.gating import add_ci, add_push, add_range
from binance_leaks.cli.arguments.scanning import add_history, add_message, add_scan, add_staged
from binance_leaks.cli.arguments.shells import add_completion
from binance_leaks.cli.arguments.upkeep import (
    add_baseline,
    add_init,
    add_plugin_path,
    add_report,
    add_verify_command,
    baseline_audit,
    detect_secrets_audit,
    detect_secrets_hook,
    refuse_values,
)

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(arguments: Sequence[str]) -> Options:
    """The command line as options whose `run` carries it out. Exits with 2 and a usage line where it is wrong."""
    if arguments[:1] in (["detect-secrets-hook"], ["detect-secrets-audit"]) and arguments[1:] in (["-h"], ["--help"]):
        _tell_passed_on(arguments[0])
    if arguments[:1] == ["detect-secrets-hook"]:
        return Options(run=detect_secrets_hook, arguments=list(arguments[1:]))
    if arguments[:1] == ["detect-secrets-audit"]:
        return Options(run=detect_secrets_audit, arguments=list(arguments[1:]))
    if list(arguments[:2]) == ["baseline", "audit"] and not {"-h", "--help"}.intersection(arguments):
        return Options(run=baseline_audit, arguments=list(arguments[2:]))
    if arguments[:1] == ["verify"]:
        refuse_values(arguments[1:])
    return build().parse_args(with_action(arguments), namespace=Options())


def build() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="binance-leaks",
        description="Finds leaked Binance API credentials, pairs keys with their secrets, and ranks them by harm.",
        epilog=f"examples:\n  binance-leaks scan .\n  binance-leaks history\n  binance-leaks init\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"binance-leaks {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog="binance-leaks")
    add_scan(commands)
    add_history(commands)
    add_fleet(commands)
    add_range(commands)
    add_ci(commands)
    add_staged(commands)
    add_message(commands)
    add_push(commands)
    add_init(commands)
    add_report(commands)
    add_verify_command(commands)
    add_baseline(commands)
    add_plugin_path(commands)
    add_completion(commands)
    commands.add_parser(
        "detect-secrets-hook",
        help="run detect-secrets-hook with our plugin; takes its arguments",
        description='Runs detect-secrets-hook with our plugin and without the filter that hides Client("K", "S").',
        epilog="example: binance-leaks detect-secrets-hook --baseline .secrets.baseline bot.py",
    )
    commands.add_parser(
        "detect-secrets-audit",
        help="as baseline audit, with paths from this folder",
        description="Runs detect-secrets audit, which by itself stops at any plugin that was given with -p.",
        epilog="example: binance-leaks detect-secrets-audit .secrets.baseline",
    )
    return parser


def _tell_passed_on(name: str) -> None:
    """Our word on a command whose arguments, and help, are those of detect-secrets."""
    commands = next(action for action in build()._actions if isinstance(action, argparse._SubParsersAction))
    told = commands.choices[name]
    sys.stdout.write(f"{told.description}\n\n{told.epilog}\n\nIts arguments:\n\n")
    sys.stdout.flush()
