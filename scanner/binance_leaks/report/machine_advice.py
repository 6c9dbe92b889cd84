"""How to take a value out of the place on a machine where it was found, by the treatment of that place."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.machine.known_locations import Treatment, location_at
from binance_leaks.model import Exposure, Location, Readers, container_of, is_member
from binance_leaks.quantities import plural
from binance_leaks.report.remedies import Step

_MAX_FILES = 5
_MAX_LINES = 20
_PLAIN = lazy_pattern(r"(?!-)[A-Za-z0-9 ._/@+~:,()=-]{1,200}")
_RUN = lazy_pattern(r"[A-Za-z0-9]{40}")
_DELETE_LINES = "perl -ni -e 'print unless {lines}' {file}"
_DELETE = "rm {file}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What to do about a value in a file: a sentence, and commands."""

    text: str
    for_file: str = ""
    """The command for each file; `{file}` is its path, `{lines}` a condition of Perl for the lines with values."""
    then: tuple[str, ...] = ()
    """Commands that follow."""


_SENT = "the provider of the model may have it too, so revoke the key in any case"
ADVICE: Mapping[Treatment, Advice] = MappingProxyType(
    {
        Treatment.SETTINGS: Advice(
            text="Move the value into a secret manager or the environment, and refer to it by name here, as with "
            "${NAME} or ${env:NAME}"
        ),
        Treatment.INSTRUCTIONS: Advice(
            text=f"Delete the lines: an agent reads this file into every conversation; {_SENT}"
        ),
        Treatment.TRANSCRIPT: Advice(
            text=f"Delete the conversation or the file while the program is closed; {_SENT}", for_file=_DELETE
        ),
        Treatment.ENV_FILE: Advice(
            text="Move the value into a secret manager, or keep the file out of git, backups and synchronized folders"
        ),
        Treatment.BASH_HISTORY: Advice(
            text="Close other shells, which write their history when they end; delete the lines, and let this shell "
            "read the file again. A command that begins with a space is not kept with HISTCONTROL=ignorespace",
            for_file=_DELETE_LINES,
            then=("history -c; history -r",),
        ),
        Treatment.ZSH_HISTORY: Advice(
            text="Close other shells, delete the lines, and start a new shell. A command that begins with a space is "
            "not kept with setopt HIST_IGNORE_SPACE",
            for_file=_DELETE_LINES,
            then=("fc -p; exec zsh",),
        ),
        Treatment.FISH_HISTORY: Advice(
            text="Delete the commands in fish. It lists those that contain the word and asks which to delete. A "
            "command that begins with a space is not kept",
            then=("history delete --contains binance",),
        ),
        Treatment.POWERSHELL_HISTORY: Advice(
            text="Close other shells, and delete the lines from the file that PSReadLine names",
            then=("notepad (Get-PSReadLineOption).HistorySavePath",),
        ),
        Treatment.LINE_HISTORY: Advice(
            text="Close the program, which writes its history when it ends, and delete the lines",
            for_file=_DELETE_LINES,
        ),
        Treatment.DATABASE: Advice(
            text="Delete the entry in the program, which has the file open, then let it compact its database or delete "
            "the file while it is closed: SQLite keeps deleted rows until then"
        ),
        Treatment.STARTUP: Advice(
            text="Move the value into a secret manager, and let the program fetch it when it starts: every process "
            "that is started from here inherits it"
        ),
        Treatment.CREDENTIALS: Advice(text="Move the value into the keychain of the system or a secret manager"),
        Treatment.LOCAL_HISTORY: Advice(
            text="Delete these copies, which the editor kept of a file; the file itself may hold the value still",
            for_file=_DELETE,
        ),
        Treatment.PACKED_HISTORY: Advice(
            text="Delete the local history of the IDE while it is closed. It is compressed and may contain more than "
            "was found"
        ),
        Treatment.CHECKPOINT: Advice(
            text="Delete the checkpoint, an older copy of the notebook beside it, and clear the notebook's outputs",
            for_file=_DELETE,
        ),
        Treatment.NOTEBOOK: Advice(
            text="Read the value from the environment in the cell, and clear the outputs, which may show it",
            for_file="jupyter nbconvert --clear-output --inplace {file}",
        ),
        Treatment.BOT_SETTINGS: Advice(
            text="Let the bot read it from the environment if it can, or keep it in a file of its own outside of the "
            "bot's repository"
        ),
        Treatment.LOG: Advice(
            text="Delete the log, and find out what writes the value into it: it will do so again", for_file=_DELETE
        ),
        Treatment.CLIPBOARD: Advice(
            text="Delete the entry in the clipboard manager, and exclude the password manager from what it keeps"
        ),
        Treatment.NOTES: Advice(text="Move the value into a password manager; notes are synchronized and shared"),
    }
)
_LEFTOVER = Step(
    text="In each repository: drop the stash that contains the value, then delete unreachable objects. This also "
    "deletes all other unreachable commits:",
    verbatim=("git stash list", "git reflog expire --expire-unreachable=now --all", "git gc --prune=now"),
)
_ELSEWHERE = Advice(text="Remove the value from the file")


def place_steps(locations: Sequence[Location], redact: Callable[[str], str]) -> list[Step]:
    """Return how to take values out of these places, a step for each program and treatment, then who can read them.

    `redact` removes values from a path. A path that is not plain is replaced by FILE.
    """
    groups: dict[tuple[str, Treatment | None], dict[str, set[int]]] = {}
    for location in locations:
        if location.exposure is Exposure.PRESENT and location.blob is None:
            known = location_at(container_of(location.path))
            key = (known.program, known.treatment) if known is not None else ("", None)
            lines = groups.setdefault(key, {}).setdefault(container_of(location.path), set())
            lines.update(() if is_member(location.path) else (location.line,))
    steps = [_step(program, treatment, files, redact) for (program, treatment), files in groups.items()]
    if any(location.blob is not None or location.exposure is not Exposure.PRESENT for location in locations):
        steps.append(_LEFTOVER)
    return [*steps, *_restrict_steps(locations, redact)]


def _step(
    program: str, treatment: Treatment | None, files: Mapping[str, set[int]], redact: Callable[[str], str]
) -> Step:
    advice = ADVICE[treatment] if treatment is not None else _ELSEWHERE
    lead = f"{program} ({plural(len(files), 'file')}): " if program else ""
    listed = list(files.items())[:_MAX_FILES]
    commands = [
        advice.for_file.format(file=_shown(path, redact), lines=_condition(lines))
        for path, lines in listed
        if advice.for_file and (lines or "{lines}" not in advice.for_file)
    ]
    verbatim = (*dict.fromkeys(commands), *advice.then)
    return Step(text=f"{lead}{advice.text}{':' if verbatim else '.'}", verbatim=verbatim)


def _condition(lines: set[int]) -> str:
    return " or ".join(f"$. == {line}" for line in sorted(lines)[:_MAX_LINES])


def _restrict_steps(locations: Sequence[Location], redact: Callable[[str], str]) -> list[Step]:
    """Return the step for files that others on the machine can read."""
    files = dict.fromkeys(
        container_of(location.path)
        for location in locations
        if location.readers is not None and location.readers > Readers.OWNER
    )
    if not files:
        return []
    commands = dict.fromkeys(f"chmod 600 {_shown(path, redact)}" for path in list(files)[:_MAX_FILES])
    more = len(files) - _MAX_FILES
    rest = f" ({more:,} more, which the report names)" if more > 0 else ""
    text = f"Other users of this machine can read {plural(len(files), 'file')}{rest}. Restrict what remains:"
    return [Step(text=text, verbatim=tuple(commands))]


def _shown(path: str, redact: Callable[[str], str]) -> str:
    is_plain = _PLAIN.fullmatch(path) and not _RUN.search(path) and redact(path) == path
    return shlex.quote(path) if is_plain else "FILE"
