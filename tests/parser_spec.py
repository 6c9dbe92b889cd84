"""The commands as the parser has them, as plain data: what completions and the reference are made from."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass

from binance_leaks.report import FORMAT_NAMES

FORMAT = "NAME[:FILE]"
_FILES = re.compile(r"FILE|DIR|PATH|REPO\|URL|REPORT\.json|NAME\[:FILE\]")
_EXAMPLE = re.compile(r"(?m)^(?:example: | {2})(?=\S)(.*)$")
_STATUS = re.compile(r"(?s)exit status: (.*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An option. `metavar` is for its value, None for a switch; `several` says that it takes more than one."""

    names: tuple[str, ...]
    metavar: str | None
    choices: tuple[str, ...]
    help: str
    group: str
    several: bool = False

    @property
    def takes_file(self) -> bool:
        """Whether its value is the name of a file or folder."""
        return self.metavar is not None and _FILES.fullmatch(self.metavar) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """What is without a name. `usage` is how a usage line has it: `[PATH …]`."""

    metavar: str
    usage: str
    choices: tuple[str, ...]
    help: str

    @property
    def takes_file(self) -> bool:
        """Whether it is the name of a file or folder."""
        return _FILES.fullmatch(self.metavar) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command by its words, the program's name first; with commands of its own it does nothing by itself."""

    words: tuple[str, ...]
    summary: str
    description: str
    examples: tuple[str, ...]
    exit_status: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    commands: tuple[Command, ...]

    @property
    def name(self) -> str:
        """As it is typed."""
        return " ".join(self.words)

    def all(self) -> Iterator[Command]:
        """Itself and all below, in order."""
        yield self
        for command in self.commands:
            yield from command.all()


def described(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ("binance-leaks",), summary: str = ""
) -> Command:
    """A parser with all of its commands."""
    groups = {action: group.title or "" for group in parser._action_groups for action in group._group_actions}
    order = list(groups)
    commands: list[Command] = []
    options, arguments = [], []
    for action in sorted(parser._actions, key=order.index):
        if isinstance(action, argparse._SubParsersAction):
            reported = {choice.dest: choice.help or "" for choice in action._choices_actions}
            commands += [
                described(inner, (*words, name), reported.get(name, "")) for name, inner in action.choices.items()
            ]
        elif action.option_strings:
            options.append(_option(action, groups.get(action, "")))
        else:
            arguments.append(_argument(action))
    epilog = parser.epilog or ""
    status = _STATUS.search(epilog)
    return Command(
        words=words,
        summary=summary,
        description=parser.description or "",
        examples=tuple(_EXAMPLE.findall(_STATUS.sub("", epilog))),
        exit_status=" ".join(status[1].split()) if status is not None else "",
        options=tuple(options),
        arguments=tuple(arguments),
        commands=tuple(commands),
    )


def _option(action: argparse.Action, group: str) -> Option:
    choices = _choices(action)
    switch = action.nargs == 0
    metavar = None if switch else str(action.metavar or "|".join(choices) or action.dest.upper())
    return Option(
        names=tuple(action.option_strings),
        metavar=metavar,
        choices=FORMAT_NAMES if metavar == FORMAT else choices,
        help=action.help or "",
        group="" if group in ("options", "optional arguments") else group,
        several=action.nargs in ("*", "+"),
    )


def _argument(action: argparse.Action) -> Argument:
    choices = _choices(action)
    metavar = str(action.metavar or "|".join(choices) or action.dest)
    forms = {None: "{}", "?": "[{}]", "*": "[{} …]", "+": "{} …"}
    usage = forms.get(str(action.nargs) if action.nargs is not None else None, "{} …").format(metavar)
    return Argument(metavar=metavar, usage=usage, choices=choices, help=action.help or "")


def _choices(action: argparse.Action) -> tuple[str, ...]:
    return tuple(map(str, action.choices)) if action.choices is not None else ()
