"""The settings of each command, as immutable values that are made once from the parsed command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from binance_leaks.cli.arguments.common import Options

S = TypeVar("S", bound="Settings")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Settings that have the names of options. An option that a command does not have keeps its default."""

    @classmethod
    def of(cls: type[S], options: Options) -> S:
        """Take the settings from the parsed command line."""
        return cls.pick(vars(options))

    @classmethod
    def pick(cls: type[S], given: Mapping[str, object]) -> S:
        """Take the settings from values by name."""
        make: Callable[..., S] = cls
        return make(**{field.name: given[field.name] for field in fields(cls) if field.name in given})


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

    @classmethod
    def of(cls: type[S], options: Options) -> S:
        """Take the settings from the parsed command line, those that commands share in groups."""
        groups = {
            "output": OutputSettings.of(options),
            "gate": GateSettings.of(options),
            "online": OnlineSettings.of(options),
        }
        return cls.pick({**vars(options), **groups})


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanSettings(CommandSettings):
    """`scan`."""

    paths: Sequence[str]
    all_files: bool
    jobs: int
    """0 is one for each core."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HistorySettings(CommandSettings):
    """`history`."""

    repository: str
    reachable: bool
    branch: Sequence[str]
    since: str | None
    path: Sequence[str]
    submodules: bool
    keep: str | None
    state: str | None
    write_replacements: str | None
    jobs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeSettings(CommandSettings):
    """`range`."""

    range: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CiSettings(CommandSettings):
    """`ci`."""

    fetch: bool
    base: str | None
    head: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PushSettings(CommandSettings):
    """`push`."""

    remote: str | None
    url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageSettings(CommandSettings):
    """`message`."""

    file: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportSettings(CommandSettings):
    """`report`."""

    report: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BaselineSettings(CommandSettings):
    """`baseline create` and `baseline update`."""

    paths: Sequence[str]
    all_files: bool
    history: bool
    jobs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifySettings(CommandSettings):
    """`verify`."""

    env_file: str | None
    stdin: bool
    scan_paths: Sequence[str] | None
    private_key: str | None
    purpose: str | None
    environment: str | None
    audit_format: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InitSettings(Settings):
    """`init`."""

    ci: str | None
    repo: str | None
    rev: str | None
    upload_sarif: bool
    dry_run: bool
    yes: bool
