"""The command around shells: `completion`."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands, Options

SHELLS = ("bash", "zsh", "fish")


def add_completion(commands: Commands) -> None:
    completion = commands.add_parser(
        "completion",
        help="print what a shell needs to complete our commands",
        description="Prints a script that lets a shell complete commands, options and their values.",
        epilog="examples:\n"
        "  source <(binance-leaks completion bash)        # in ~/.bashrc\n"
        "  source <(binance-leaks completion zsh)         # in ~/.zshrc, after compinit\n"
        "  binance-leaks completion fish | source         # in ~/.config/fish/config.fish",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    completion.add_argument("shell", choices=SHELLS, help="for which shell: bash, zsh or fish")
    completion.set_defaults(run=_completion)


def _completion(options: Options) -> int:
    """Imports the rest when it is run: start-up time of the hook."""
    from binance_leaks.cli.shells.command import run

    return run(options)
