"""Completion of commands, options and values in shells, by argcomplete."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

import argcomplete
from argcomplete.completers import DirectoriesCompleter, FilesCompleter, SuppressCompleter
from argcomplete.shell_integration import shellcode

from binance_leaks.cli.arguments.common import FORMAT_METAVAR, Options, Parser
from binance_leaks.exit_status import ExitStatus
from binance_leaks.report import FORMAT_NAMES, write_report

_FILES = frozenset({"FILE", "PATH", "REPO|URL", "REPORT.json", "LIST|DIR|URL"})
_PROGRAM = "binance-leaks"


def run(options: Options) -> ExitStatus:
    """Print the script that a shell needs."""
    write_report(shellcode([_PROGRAM], shell=options.shell), sys.stdout)
    return ExitStatus.CLEAN


def complete(parser: Parser) -> None:
    """Answer a completion request of a shell, and exit."""
    for action in parser.all_actions():
        _set_completer(action)
    argcomplete.autocomplete(parser, always_complete_options="long", default_completer=SuppressCompleter())


def _set_completer(action: argparse.Action) -> None:
    completer: object = None
    if action.metavar == FORMAT_METAVAR:
        completer = _complete_format
    elif action.metavar == "DIR":
        completer = DirectoriesCompleter()
    elif action.metavar in _FILES:
        completer = FilesCompleter()
    elif action.choices is not None and not isinstance(action, argparse._SubParsersAction):
        return
    if completer is not None:
        action.completer = completer  # type: ignore[attr-defined]  # where argcomplete looks for it


def _complete_format(prefix: str, **_: object) -> Iterable[str]:
    name, colon, file = prefix.partition(":")
    return [f"{name}:{each}" for each in FilesCompleter()(file)] if colon else FORMAT_NAMES
