"""The parser of all commands, and what turns a command line into options."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import MappingProxyType

from binance_leaks import __version__
from binance_leaks.cli.arguments.allow import add_allow
from binance_leaks.cli.arguments.commands import (
    add_baseline,
    add_completion,
    add_detect_secrets,
    add_history,
    add_plugin_path,
    add_report,
    add_scan,
    add_verify_command,
)
from binance_leaks.cli.arguments.common import EXIT_STATUS, Options, Parser
from binance_leaks.cli.arguments.gate import add_ci, add_message, add_push, add_range, add_receive, add_staged
from binance_leaks.cli.arguments.refuse_values import refuse_values

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from binance_leaks.cli.arguments.common import Commands

_PASSED_ON = {
    ("detect-secrets-hook",): "binance_leaks.cli.detect_secrets:run_hook",
    ("detect-secrets-audit",): "binance_leaks.cli.detect_secrets:run_audit",
    ("baseline", "audit"): "binance_leaks.cli.baseline:audit",
}
"""Commands whose arguments detect-secrets reads."""
_HELP = ("-h", "--help")
_VERSION = ("-V", "--version")


def parse(arguments: Sequence[str]) -> Options:
    """Turn a command line into options whose `run` carries it out.

    Raises UsageError where it is wrong. Prints help and exits with 0 where that is asked for, with 2 where no command
    is given.
    """
    if "_ARGCOMPLETE" in os.environ:
        from binance_leaks.cli.completion import complete  # start-up: only for completion requests

        complete(build())
    if not arguments:
        build().print_help(sys.stderr)
        raise SystemExit(2)
    if arguments[0] == "help" and not {*_HELP}.intersection(arguments):
        arguments = [*arguments[1:], "--help"]
    for words, target in _PASSED_ON.items():
        rest = list(arguments[len(words) :])
        if tuple(arguments[: len(words)]) == words and not (words[0] == "baseline" and {*_HELP}.intersection(rest)):
            if len(rest) == 1 and rest[0] in _HELP:
                _print_introduction(words[0])
            return Options(run=_with_arguments(load(target)), arguments=rest)
    if arguments[0] in _VERSION and {"-v", "--verbose"}.issuperset(arguments[1:]) and arguments[1:]:
        return Options(run=load("binance_leaks.cli.version:print_versions"))
    if arguments[0] == "verify":
        refuse_values(arguments[1:])
    if arguments[0] == "allow":
        refuse_values(arguments[1:], digests=True)
    if arguments[0] == "fleet":
        from binance_leaks.cli.arguments.fleet import with_action  # start-up: nothing that other commands need

        arguments = with_action(arguments)
    options = build(arguments[0]).parse_args(arguments, namespace=Options())
    options.run = load(options.target)
    return options


def _with_arguments(function: Callable[..., int]) -> Callable[[Options], int]:
    return lambda options: function(options.arguments)


def load(target: str) -> Callable[..., int]:
    """Import the function named by `module:function`.

    A command is imported only when it is run.
    """
    module, _, name = target.partition(":")
    function: Callable[..., int] = getattr(import_module(module), name)
    return function


def build(only: str | None = None) -> Parser:
    """Build the parser of all commands, or the part of it for one of them, which takes a tenth of the time."""
    parser = Parser(
        prog="binance-leaks",
        description="Finds leaked Binance API credentials, pairs keys with their secrets, and ranks them by harm.",
        epilog=f"examples:\n  binance-leaks scan .\n  binance-leaks history\n  binance-leaks init\n\n{EXIT_STATUS}",
    )
    parser.add_argument(
        *_VERSION,
        action="version",
        version=f"binance-leaks {__version__}",
        help="show the version; with -v, optional parts too",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, prog="binance-leaks")
    wanted = _COMMANDS.get(only or "")
    for add in (wanted,) if wanted is not None else _COMMANDS.values():
        add(commands)
    return parser


def _add_help(commands: Commands) -> None:
    help_command = commands.add_parser(
        "help",
        help="show the help of a command",
        description="Shows the help of a command, as COMMAND --help does.",
        epilog="example: binance-leaks help history",
    )
    help_command.add_argument("command", nargs="*", metavar="COMMAND", help="the command (default: all of them)")


def _add_fleet(commands: Commands) -> None:
    from binance_leaks.cli.arguments.fleet import add_fleet  # start-up: as above

    add_fleet(commands)


def _add_agent_hook(commands: Commands) -> None:
    from binance_leaks.cli.arguments.agents import add_agent_hook  # start-up: as above

    add_agent_hook(commands)


def _add_init(commands: Commands) -> None:
    from binance_leaks.cli.arguments.setup import add_init  # start-up: as above

    add_init(commands)


def _add_doctor(commands: Commands) -> None:
    from binance_leaks.cli.arguments.setup import add_doctor  # start-up: as above

    add_doctor(commands)


def _add_machine(commands: Commands) -> None:
    from binance_leaks.cli.arguments.machine import add_machine  # start-up: as above

    add_machine(commands)


_COMMANDS: Mapping[str, Callable[[Commands], None]] = MappingProxyType(
    {
        "scan": add_scan,
        "history": add_history,
        "range": add_range,
        "ci": add_ci,
        "staged": add_staged,
        "message": add_message,
        "push": add_push,
        "receive": add_receive,
        "agent-hook": _add_agent_hook,
        "fleet": _add_fleet,
        "machine": _add_machine,
        "verify": add_verify_command,
        "allow": add_allow,
        "baseline": add_baseline,
        "report": add_report,
        "init": _add_init,
        "doctor": _add_doctor,
        "completion": add_completion,
        "plugin-path": add_plugin_path,
        "detect-secrets-hook": add_detect_secrets,
        "help": _add_help,
    }
)


def _print_introduction(name: str) -> None:
    """Print what a command adds to detect-secrets, before its own help."""
    command = build().commands()[name]
    sys.stdout.write(f"{command.description}\n\n{command.epilog}\n\nIts arguments:\n\n")
    sys.stdout.flush()
