"""`binance-leaks completion`: prints what a shell needs to complete commands, options and their values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.parser import build
from binance_leaks.cli.parser_spec import Command, described
from binance_leaks.cli.shells.bash import bash_script
from binance_leaks.cli.shells.fish import fish_script
from binance_leaks.cli.shells.zsh import zsh_script
from binance_leaks.exit_status import ExitStatus
from binance_leaks.report.format import write_report

SCRIPTS: Mapping[str, Callable[[Command], str]] = MappingProxyType(
    {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}
)


def run(options: Options) -> ExitStatus:
    """Prints the script of a shell."""
    write_report(SCRIPTS[options.shell](described(build())), sys.stdout)
    return ExitStatus.CLEAN
