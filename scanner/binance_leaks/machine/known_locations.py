"""Locations where a developer's machine keeps what may hold a credential: the parsed table, and matching of paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.machine.table import TABLE

_LONGEST_NAME = 255
_DEEPEST = 64
"""Folders above a file that are compared, so that a path of a stored report takes no longer than others."""
ANYWHERE = "**/"
"""What the pattern of a location begins with that may be in any folder below the roots of a search."""


class System(Enum):
    """An operating system."""

    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


_UNIX = frozenset({System.LINUX, System.MACOS})
_SYSTEMS = {
    "any": frozenset(System),
    "unix": _UNIX,
    **{system.value: frozenset({system}) for system in System},
}


class LocationKind(Enum):
    """What keeps a file; the value is its heading."""

    AGENT = "agent"
    ENVIRONMENT = "environment"
    SHELL = "shell"
    REPL = "repl"
    CREDENTIALS = "credentials"
    EDITOR = "editor"
    NOTEBOOK = "notebook"
    BOT = "bot"
    SERVICE = "service"
    CLIPBOARD = "clipboard"
    NOTES = "notes"


ASKED_KINDS = frozenset({LocationKind.CLIPBOARD, LocationKind.NOTES})
"""Kinds that are read only if the user asks for them."""


class Treatment(Enum):
    """How a file is treated: what holds a value in it, and so what the owner does about it.

    The report has the advice for each.
    """

    SETTINGS = "settings"
    INSTRUCTIONS = "instructions"
    TRANSCRIPT = "transcript"
    ENV_FILE = "env-file"
    BASH_HISTORY = "bash-history"
    ZSH_HISTORY = "zsh-history"
    FISH_HISTORY = "fish-history"
    POWERSHELL_HISTORY = "powershell-history"
    LINE_HISTORY = "line-history"
    DATABASE = "database"
    STARTUP = "startup"
    CREDENTIALS = "credentials"
    LOCAL_HISTORY = "local-history"
    PACKED_HISTORY = "packed-history"
    CHECKPOINT = "checkpoint"
    NOTEBOOK = "notebook"
    BOT_SETTINGS = "bot-settings"
    LOG = "log"
    CLIPBOARD = "clipboard"
    NOTES = "notes"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownLocation:
    """One location of a program."""

    program: str
    kind: LocationKind
    source: str
    """Where the program documents it."""
    systems: frozenset[System]
    treatment: Treatment
    pattern: str
    variable: str | None = None
    """An environment variable that moves a folder or file of the pattern."""
    moved: str = ""
    """What it moves, as in the pattern."""

    @property
    def is_anywhere(self) -> bool:
        """Whether it may be in any folder below the roots of a search."""
        return self.pattern.startswith(ANYWHERE)

    @property
    def is_asked(self) -> bool:
        """Whether it is read only if the user asks for its kind."""
        return self.kind in ASKED_KINDS


@cache
def known_locations() -> tuple[KnownLocation, ...]:
    """Return all locations in the order of the table.

    Raises ValueError or KeyError for a line that is wrong.
    """
    return tuple(parse_table(TABLE))


def parse_table(table: str) -> Iterator[KnownLocation]:
    """Parse a table, as `table.py` describes it.

    >>> [location] = parse_table("Bot | bot | https://bot.example\\n  any | log | ~/bot/*.log")
    >>> location.program, location.treatment, location.pattern
    ('Bot', <Treatment.LOG: 'log'>, '~/bot/*.log')
    """
    head: Sequence[str] = ()
    for line in filter(str.strip, table.splitlines()):
        fields = [field.strip() for field in line.split("|")]
        if not line.startswith(" "):
            head = fields
            continue
        program, kind, source, *moving = head
        system, treatment, pattern = fields
        variable, _, moved = moving[0].partition("=") if moving else ("", "", "")
        yield KnownLocation(
            program=program,
            kind=LocationKind(kind),
            source=source,
            systems=_SYSTEMS[system],
            treatment=Treatment(treatment),
            pattern=pattern,
            variable=variable or None,
            moved=moved,
        )


def names_anywhere() -> Iterator[str]:
    """Yield the patterns of names of the locations that may be in any folder, but not those that match every name."""
    for location in known_locations():
        name = location.pattern.rpartition("/")[2]
        if location.is_anywhere and name != "*":
            yield name


def location_at(path: str) -> KnownLocation | None:
    """Return the first location in the table that a path with `/` is at, on any system and in any home folder.

    >>> location_at("/home/me/.zsh_history").program
    'zsh'
    """
    parts = path.lower().split("/")[-_DEEPEST:]
    for location in known_locations():
        for tail in _tails(location.pattern):
            if matches(parts, ("**", *tail)):
                return location
    return None


@cache
def _tails(pattern: str) -> tuple[tuple[str, ...], ...]:
    """Return the ends of the paths that a pattern matches, as names of folders and of the file."""
    base, _, rest = pattern.lower().partition("/")
    parts = rest.split("/")
    if base in ("~", "**"):
        return (tuple(parts),)
    return tuple((*tail.lower().split("/"), *parts) for tail in _TAILS[base.strip("{}")])


def name_expression(patterns: Iterable[str]) -> str:
    """Return an expression for the names that patterns of names match.

    >>> bool(re.fullmatch(name_expression([".env*", "*.yml"]), "a.yml"))
    True
    """
    named = {"*": f".{{0,{_LONGEST_NAME}}}", "?": "."}
    return "|".join(
        "".join(named.get(char, re.escape(char)) for char in pattern) for pattern in dict.fromkeys(patterns)
    )


def matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether names of folders and of a file match patterns of names, of which `**` is any number of folders.

    At the end it is at least one name.

    >>> matches(["a", "b1.txt"], ["a", "**", "b*.txt"]), matches(["a", "b", "c"], ["a", "*"])
    (True, False)
    """
    if not pattern or not path:
        return not pattern and not path
    first, rest = pattern[0], pattern[1:]
    if first != "**":
        return fnmatchcase(path[0], first) and matches(path[1:], rest)
    if "**" not in rest:  # as nearly always, and deep paths then cost no more than others
        return not rest or (len(path) >= len(rest) and matches(path[len(path) - len(rest) :], rest))
    return any(matches(path[at:], rest) for at in range(len(path)))


VSCODE_NAMES = (
    "Code", "Code - Insiders", "Code - OSS", "VSCodium", "Cursor", "Windsurf", "Windsurf - Next", "Trae", "Kiro",
    "Antigravity",
)  # fmt: skip
"""The data folders of VS Code and of the editors that were made from it."""
FOLDERS: Mapping[str, Mapping[System, tuple[str, str]]] = MappingProxyType(
    {
        "config": {
            System.LINUX: ("XDG_CONFIG_HOME", ".config"),
            System.MACOS: ("", "Library/Application Support"),
            System.WINDOWS: ("APPDATA", "AppData/Roaming"),
        },
        "cache": {
            System.LINUX: ("XDG_CACHE_HOME", ".cache"),
            System.MACOS: ("", "Library/Caches"),
            System.WINDOWS: ("LOCALAPPDATA", "AppData/Local"),
        },
        "xdg-config": dict.fromkeys(System, ("XDG_CONFIG_HOME", ".config")),
        "data": dict.fromkeys(System, ("XDG_DATA_HOME", ".local/share")),
        "state": dict.fromkeys(System, ("XDG_STATE_HOME", ".local/state")),
        "local": dict.fromkeys(System, ("LOCALAPPDATA", "AppData/Local")),
    }
)
"""By the name that patterns have in braces, and system: the environment variable that has a folder, and its default
below the home folder.

The base directory specification of freedesktop.org, the file system guide of Apple, the known folders of Windows.
"""
_TAILS = {name: tuple({tail: None for _, tail in folders.values()}) for name, folders in FOLDERS.items()}
_TAILS["vscode"] = tuple(f"{tail}/{name}" for tail in _TAILS["config"] for name in VSCODE_NAMES)
"""Where the folders that patterns name in braces are below the home folder, on any system."""
