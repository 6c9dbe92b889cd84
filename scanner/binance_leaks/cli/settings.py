"""Settings that commands share, made once from the parsed command line.

Each command has its own settings beside it: making the classes of all commands costs 10 ms of start-up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from binance_leaks.cli.arguments.common import Options
from binance_leaks.lazy_dataclasses import dataclass, field_names

if TYPE_CHECKING:
    from binance_leaks.cli.time_limit import TimeLimit

S = TypeVar("S", bound="Settings")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Settings that have the names of options.

    An option that a command does not have keeps its default.
    """

    @classmethod
    def of(cls: type[S], options: Options) -> S:
        """Take the settings from the parsed command line."""
        return cls.pick(vars(options))

    @classmethod
    def pick(cls: type[S], given: Mapping[str, object]) -> S:
        """Take the settings from values by name."""
        make: Callable[..., S] = cls
        return make(**{name: given[name] for name in field_names(cls) if name in given})


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputSettings(Settings):
    """What is printed, how, and where to."""

    format: Sequence[str] = ()
    """Each `NAME` or `NAME:FILE`; none means text to standard output."""
    output: str | None = None
    """Where a single format goes."""
    color: str = "auto"
    show_suppressed: bool = False
    verbose: bool = False
    quiet: bool = False
    no_progress: bool = True
    """Commands without that option have no progress bar."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateSettings(Settings):
    """What is reported and what fails; None where the configuration decides."""

    config: str | None = None
    """The configuration file, in place of the one that is found."""
    confidence: str | None = None
    fail_on: str | None = None
    baseline: str | None = None
    no_baseline: bool = False
    exclude: Sequence[str] = ()
    policy: str = "head"
    """Whose configuration, baseline and comments count: `head` or `base`."""
    allow_incomplete: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class OnlineSettings(Settings):
    """Whether and how credentials are checked with Binance."""

    verify: bool = False
    verify_limit: int | None = None
    verify_cache: str | None = None
    verify_ca: str | None = None
    verify_loopback: str | None = None
    proxy: str | None = None
    environment_proxy: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandSettings(Settings):
    """What the commands that scan or report share."""

    output: OutputSettings
    gate: GateSettings
    online: OnlineSettings
    limit: TimeLimit | None = None

    @classmethod
    def of(cls: type[S], options: Options) -> S:
        """Take the settings from the parsed command line, shared ones in groups."""
        groups = {
            "output": OutputSettings.of(options),
            "gate": GateSettings.of(options),
            "online": OnlineSettings.of(options),
        }
        return cls.pick({**vars(options), **groups})
