"""`binance-leaks completion`: prints what a shell needs to complete commands, options and their values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from scanner.cli.arguments.common import Options
from scanner.cli.described import Command, described
from scanner.cli.parser import build
from scanner.cli.shells.bash import bash_script
from scanner.cli.shells.fish import fish_script
from scanner.cli.shells.zsh import zsh_script
from scanner.report.output import write_report

SCRIPTS: Mapping[str, Callable[[Command], str]] = MappingProxyType(
    {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}
)


def run(options: Options) -> int:
    """Prints the script of a shell."""
    write_report(SCRIPTS[options.shell](described(build())), sys.stdout)
    return 0
