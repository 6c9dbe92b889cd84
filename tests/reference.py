"""Writes docs/reference.md from the parser: `python -m tests.reference > docs/reference.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby

from binance_leaks.cli.parser import build

from tests.parser_spec import FORMAT, Argument, Command, Option, described

_HEAD = """\
# Commands

Everything that `binance-leaks --help` and the `--help` of each command tell, on one page. It is made from the parser by
`python -m tests.reference`; a test compares them. `python -m binance_leaks` is the same program.
"""


def reference() -> str:
    """The whole page."""
    return "".join(part for command in described(build()).all() for part in _section(command))


def _section(command: Command) -> Iterator[str]:
    if len(command.words) == 1:
        yield _HEAD
        yield "\n| command | |\n|---|---|\n"
        for each in command.commands:
            yield f"| [`{each.name}`](#{each.name.replace(' ', '-')}) | {_cell(each.summary)} |\n"
    else:
        yield f"\n## {command.name}\n\n{_sentences(command.description)}\n"
    yield f"\n```text\n{_usage(command)}\n```\n"
    if command.arguments:
        yield "\n| argument | |\n|---|---|\n"
        yield from (_argument(argument) for argument in command.arguments)
    for group, options in groupby(command.options, key=lambda option: option.group):
        yield f"\n| option{f': {group}' if group else ''} | |\n|---|---|\n"
        yield from map(_option, options)
    if command.examples:
        yield "\n```sh\n" + "".join(f"{example}\n" for example in command.examples) + "```\n"
    if command.exit_status:
        yield f"\nExit status: {command.exit_status}.\n"


def _usage(command: Command) -> str:
    parts = [command.name, "[OPTIONS]", *(argument.usage for argument in command.arguments)]
    return " ".join([*parts, "COMMAND"] if command.commands else parts)


def _argument(argument: Argument) -> str:
    return f"| `{argument.metavar.replace('|', chr(92) + '|')}` | {_cell(argument.help)} |\n"


def _option(option: Option) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    names = ", ".join(f"`{name}{value}`" for name in option.names).replace("|", "\\|")
    choices = f"; one of {', '.join(option.choices)}" if option.choices and option.metavar != FORMAT else ""
    named = option.metavar is not None and option.metavar.split("|")[0] in option.choices
    return f"| {names} | {_cell(option.help)}{'' if named else choices} |\n"


def _sentences(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _sentences(text).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
