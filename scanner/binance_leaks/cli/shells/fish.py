"""Completion for fish, 3.0 and newer."""

from __future__ import annotations

from collections.abc import Iterator

from binance_leaks.cli.parser_spec import Command, Option

_HEAD = """\
# Completion of binance-leaks for fish. Load it with: binance-leaks completion fish | source
# or keep it: binance-leaks completion fish > ~/.config/fish/completions/binance-leaks.fish
function __binance_leaks_at
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l command ''
    for token in $tokens
        switch "$command $token"
            case %(paths)s
                set command (string trim -- "$command $token")
        end
    end
    test "$command" = "$argv[1]"
end
complete -c binance-leaks -e
complete -c binance-leaks -f
"""


def fish_script(program: Command) -> str:
    """The script: a line for each command, option and word."""
    commands = list(program.all())
    paths = " ".join(_quoted(f"{' '.join(one.words[1:-1])} {one.words[-1]}") for one in commands[1:])
    return (_HEAD % {"paths": paths}) + "".join(line for command in commands for line in _lines(command))


def _lines(command: Command) -> Iterator[str]:
    where = f"complete -c binance-leaks -n {_quoted('__binance_leaks_at ' + _quoted(' '.join(command.words[1:])))}"
    for inner in command.commands:
        yield f"{where} -a {inner.words[-1]} -d {_quoted(inner.summary)}\n"
    for argument in command.arguments:
        if argument.choices:
            yield f"{where} -a {_quoted(' '.join(argument.choices))}\n"
    if any(argument.takes_file for argument in command.arguments) or command.words[-1].startswith("detect-secrets-"):
        yield f"{where} -F\n"
    for option in command.options:
        yield f"{where} {_option(option)} -d {_quoted(option.help)}\n"


def _option(option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    if option.metavar is None:
        return names
    if option.choices:
        return f"{names} -x -a {_quoted(' '.join(option.choices))}"
    return f"{names} -r -F" if option.takes_file else f"{names} -x"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
