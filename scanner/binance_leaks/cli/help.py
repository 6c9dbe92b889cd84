"""Help in colour on a terminal, with a usage line that leaves out the options listed below it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from rich_argparse import RawDescriptionRichHelpFormatter


class HelpFormatter(RawDescriptionRichHelpFormatter):
    """The formatter of all commands."""

    group_name_formatter = str

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Add a usage line that names arguments only."""
        named = [action for action in actions if not action.option_strings]
        parts = [self._format_args(action, self._get_default_metavar_for_positional(action)) for action in named]
        super().add_usage(usage or " ".join(["%(prog)s [OPTIONS]", *parts]), actions, groups, prefix)
