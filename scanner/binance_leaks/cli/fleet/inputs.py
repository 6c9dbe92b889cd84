"""Read the inputs of a fleet: lists, folders, URLs, stdin, the configuration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import adjusted
from binance_leaks.cli.settings import GateSettings
from binance_leaks.config import Config, load_config, mentions_us
from binance_leaks.errors import UsageError
from binance_leaks.findings import Skipped
from binance_leaks.fleet.local_repositories import find_repositories
from binance_leaks.fleet.models import Entry
from binance_leaks.fleet.repository_list import read_list
from binance_leaks.fleet.units import safe_label
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.reading import LARGEST_CONFIGURATION, LARGEST_LIST, read_file, read_standard_input
from binance_leaks.sources.urls import is_url

_MOST_PLACES = 50
_MOST_PLACES_IF_VERBOSE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetConfig:
    """The configuration of a fleet, its text for workers, and a limit of locations.

    `places` is the number of locations shown per credential and repository.
    """

    config: Config
    text: str | None
    places: int


def load_fleet_config(options: Options) -> FleetConfig:
    """Load the named configuration and apply the command line to it.

    Raises ConfigError.
    """
    places = _MOST_PLACES_IF_VERBOSE if options.verbose else _MOST_PLACES
    if not options.config:
        return FleetConfig(config=adjusted(Config(), GateSettings.of(options)), text=None, places=places)
    file = Path(options.config)
    config = load_config(file)
    data = read_file(file, LARGEST_CONFIGURATION)
    text = None if file.name == "pyproject.toml" and not mentions_us(data) else data.decode("utf-8")
    return FleetConfig(config=adjusted(config, GateSettings.of(options)), text=text, places=places)


_STDIN = "standard input"


def read_entries(names: Sequence[str], *, ssh: bool) -> tuple[list[Entry], list[Skipped]]:
    """Return the entries, and the folders that could not be searched.

    Raises UsageError for invalid input.
    """
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    for name in names:
        if not name:
            raise UsageError("the name of a list is empty", hint="Is a variable unset?")
        if name == "-":
            entries += read_list(read_standard_input(LARGEST_LIST, "the list"), _STDIN, base=Path.cwd(), ssh=ssh)
        elif is_url(name):
            entries += read_list(name.encode("utf-8", "surrogateescape"), "command line", base=Path.cwd(), ssh=ssh)
        elif os.path.isdir(name):  # noqa: PTH112 - the text may be too long for a path
            found, unread = find_repositories(Path(name))
            entries += found if len(names) == 1 else [replace(entry, label=_within(name, entry)) for entry in found]
            skipped += unread
        else:
            entries += read_list(_content(name), name, base=Path(name).absolute().parent, ssh=ssh)
    return entries, skipped


def _within(folder: str, entry: Entry) -> str:
    """The label of a repository where several folders are named: with the folder."""
    return folder if entry.label in ("", ".") else f"{folder.rstrip('/')}/{entry.label}"


def describe_target(names: Sequence[str], count: int) -> str:
    """Describe what is scanned for reports and the store, without logins."""
    shown = ", ".join(_STDIN if name == "-" else safe_label(name) for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{count:,} {'repository' if count == 1 else 'repositories'} of {shown}{more}"


def _content(name: str) -> bytes:
    try:
        return read_file(name, LARGEST_LIST)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a valid file name"
        raise UsageError(
            f"list {name} cannot be read: {why}", hint="Give a list of repositories, a folder to search, or a URL."
        ) from None
