"""Completion for bash, 3.2 and newer. File names are left to readline, which quotes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from binance_leaks.cli.parser_spec import Command, Option

_HEAD = """\
# Completion of binance-leaks for bash. Load it with: source <(binance-leaks completion bash)
_binance_leaks() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev="" command="" words="" nofile="" word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        [[ $word == -- ]] && return
        case "$command $word" in
            %(paths)s) command="${command:+$command }$word" ;;
        esac
    done
    ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD - 1]}
    if [[ $cur == = ]]; then
        cur=""
    elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    [[ $prev == : || $cur == : ]] && return
    case "$command $prev" in
"""
_MIDDLE = """\
        *)
            case "$command" in
"""
_TAIL = """\
            esac
            if [[ $cur == -* ]]; then nofile=1; fi
            ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    if [[ -n $nofile ]]; then compopt +o default 2>/dev/null; fi
    return 0
}
complete -o default -F _binance_leaks binance-leaks
"""


def bash_script(program: Command) -> str:
    """The script. All words in it are the program's own: nothing that a repository names is expanded."""
    commands = list(program.all())
    paths = "|".join(f'"{_path(command.words[:-1])} {command.words[-1]}"' for command in commands[1:])
    values = "".join(line for command in commands for line in _values(command))
    plain = "".join(line for command in commands for line in _plain(command))
    return (_HEAD % {"paths": paths}) + values + _MIDDLE + plain + _TAIL


def _path(words: Iterable[str]) -> str:
    return " ".join([*words][1:])


def _values(command: Command) -> Iterator[str]:
    """What may follow an option."""
    path = _path(command.words)
    files = [option for option in command.options if option.takes_file and not option.choices]
    if files:
        yield f"        {_patterns(path, files)}) return ;;\n"
    for option in command.options:
        if option.choices:
            yield f'        {_patterns(path, [option])}) words="{" ".join(option.choices)}" nofile=1 ;;\n'
    others = [option for option in command.options if option.metavar and not option.choices and not option.takes_file]
    if others:
        yield f"        {_patterns(path, others)}) nofile=1 ;;\n"


def _patterns(path: str, options: Iterable[Option]) -> str:
    return "|".join(f'"{path} {name}"' for option in options for name in option.names)


def _plain(command: Command) -> Iterator[str]:
    """What may stand by itself: options after a dash, else commands or words, else files."""
    words = [inner.words[-1] for inner in command.commands]
    words += [choice for argument in command.arguments for choice in argument.choices]
    options = " ".join(name for option in command.options for name in option.names)
    nofile = not any(argument.takes_file for argument in command.arguments) and not _passes_on(command)
    yield f'                "{_path(command.words)}")\n'
    yield f'                    if [[ $cur == -* ]]; then words="{options}"; else words="{" ".join(words)}"; fi\n'
    yield f"                    nofile={'1' if nofile else ''}\n"
    yield "                    ;;\n"


def _passes_on(command: Command) -> bool:
    """Whether its arguments are those of another program."""
    return command.words[-1].startswith("detect-secrets-")
