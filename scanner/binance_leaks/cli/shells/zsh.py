"""Completion for zsh: to be sourced, or put into a folder of `fpath` as `_binance-leaks`."""

from __future__ import annotations

from collections.abc import Iterator

from binance_leaks.cli.parser_spec import FORMAT, Command, Option

_HEAD = """\
#compdef binance-leaks
# Completion of binance-leaks for zsh. Load it after compinit with: source <(binance-leaks completion zsh)
# or keep it: binance-leaks completion zsh > FOLDER/_binance-leaks, where FOLDER is one of $fpath.
_binance-leaks_format() {
  if compset -P '*:'; then _files; else compadd - %(formats)s; fi
}
"""
_TAIL = """\
if [[ $funcstack[1] == _binance-leaks ]]; then
  _binance-leaks "$@"
else
  compdef _binance-leaks binance-leaks
fi
"""
_GROUP = """\
%(function)s() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands=(
%(commands)s
  )
  _arguments -C -s -S : \\
%(options)s
    '1:command:->command' \\
    '*::argument:->argument' && return
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $line[1] in
%(cases)s
      esac
      ;;
  esac
}
"""


def zsh_script(program: Command) -> str:
    """The script: a function for each command."""
    formats = next(
        (option.choices for command in program.all() for option in command.options if option.metavar == FORMAT), ()
    )
    functions = "".join(_function(command) for command in reversed(list(program.all())))
    return (_HEAD % {"formats": " ".join(formats)}) + functions + _TAIL


def _name(command: Command) -> str:
    return "_" + "_".join(command.words)


def _function(command: Command) -> str:
    if not command.commands:
        lines = [*_options(command), *_arguments(command)]
        return f"{_name(command)}() {{\n  _arguments -s -S : \\\n" + " \\\n".join(lines) + "\n}\n"
    inner = command.commands
    return _GROUP % {
        "function": _name(command),
        "commands": "\n".join(f"    {_quoted(f'{one.words[-1]}:{one.summary}')}" for one in inner),
        "options": "".join(f"{line} \\\n" for line in _options(command)).rstrip("\n"),
        "cases": "\n".join(f"        {one.words[-1]}) {_name(one)} ;;" for one in inner),
    }


def _options(command: Command) -> Iterator[str]:
    for option in command.options:
        first = "*" if "repeatable" in option.help else f"({' '.join(option.names)})"
        told = f"[{_escaped(option.help)}]{_value(option)}"
        for name in option.names:
            equals = "=" if option.metavar and name.startswith("--") else ""
            yield f"    {_quoted(f'{first}{name}{equals}{told}')}"


def _value(option: Option) -> str:
    if option.metavar is None:
        return ""
    label = _escaped(option.metavar)
    if option.metavar == FORMAT:
        return f":{label}:_binance-leaks_format"
    if option.choices:
        return f":value:({' '.join(option.choices)})"
    return f":{label}:{'_files' if option.takes_file else ' '}"


def _arguments(command: Command) -> Iterator[str]:
    if command.words[-1].startswith("detect-secrets-"):
        yield "    '*:file:_files'"
    for position, argument in enumerate(command.arguments, start=1):
        where = "*" if argument.usage.endswith("…]") else str(position)
        action = f"({' '.join(argument.choices)})" if argument.choices else "_files" if argument.takes_file else " "
        yield f"    {_quoted(f'{where}:{_escaped(argument.metavar)}:{action}')}"


def _escaped(text: str) -> str:
    """Text in a place where brackets and colons mean something."""
    for char in "\\[]:":
        text = text.replace(char, f"\\{char}")
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
