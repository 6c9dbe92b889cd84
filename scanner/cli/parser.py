"""The commands and their options. Imports nothing that a clean commit does not need."""

from __future__ import annotations

from scanner import __version__
from scanner.cli.arguments.common import EPILOG, Options, Parser
from scanner.cli.arguments.gating import add_ci, add_push, add_range
from scanner.cli.arguments.scanning import add_history, add_message, add_scan, add_staged
from scanner.cli.arguments.upkeep import (
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
    if arguments[:1] == ["detect-secrets-hook"]:
        return Options(run=detect_secrets_hook, arguments=list(arguments[1:]))
    if arguments[:1] == ["detect-secrets-audit"]:
        return Options(run=detect_secrets_audit, arguments=list(arguments[1:]))
    if list(arguments[:2]) == ["baseline", "audit"] and not {"-h", "--help"}.intersection(arguments):
        return Options(run=baseline_audit, arguments=list(arguments[2:]))
    if arguments[:1] == ["verify"]:
        refuse_values(arguments[1:])
    return build().parse_args(arguments, namespace=Options())


def build() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="binance-leaks",
        description="Finds leaked Binance API credentials, pairs keys with their secrets, and ranks them by harm.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"binance-leaks {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog="binance-leaks")
    add_scan(commands)
    add_history(commands)
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
