"""What is reported of a fleet and what fails: the user's configuration and command line.

The configurations of the repositories do not count: whoever answers for all of them does not let each say what of it
is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scanner.cli.arguments.common import Options
from scanner.cli.output import adjusted
from scanner.config import Config, load_config, mentions_us

_MOST_PLACES = 50
_MOST_PLACES_IF_VERBOSE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The configuration, its text as workers read it, and how many places of a credential in a repository are shown."""

    config: Config
    text: str | None
    places: int


def judgement(options: Options) -> Judgement:
    """What the command line and the configuration that it names come to. Raises ConfigError."""
    places = _MOST_PLACES_IF_VERBOSE if options.verbose else _MOST_PLACES
    if not options.config:
        return Judgement(config=adjusted(Config(), options), text=None, places=places)
    file = Path(options.config)
    config = load_config(file)
    data = file.read_bytes()
    text = None if file.name == "pyproject.toml" and not mentions_us(data) else data.decode("utf-8")
    return Judgement(config=adjusted(config, options), text=text, places=places)
