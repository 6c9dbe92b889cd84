"""Choose which configuration, baseline and comments apply: the head's or the base's.

A pull request brings its own configuration, and comments that allow what it introduces. Where that must not decide,
`--policy base` takes both files as the base has them, and lets no comment allow a value that is new.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from binance_leaks.cli.settings import GateSettings
from binance_leaks.config import (
    FILE_NAMES,
    Config,
    FailOn,
    find_config,
    load_config,
    mentions_us,
    outside_baseline,
    parse_config,
)
from binance_leaks.errors import ConfigError, UsageError
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.model import Confidence
from binance_leaks.pipeline.run_scan import TriageSettings, load_baseline
from binance_leaks.reading import LARGEST_CONFIGURATION, read_file

if TYPE_CHECKING:
    from binance_leaks.baseline.known import Known
    from binance_leaks.sources.git import Git

BASE = "base"


def triage_settings(gate: GateSettings, folder: Path, *, root: str | None) -> TriageSettings:
    """Return the configuration and baseline for a folder, with the command line applied.

    The paths of the baseline count from `root`, as in `load_baseline`. Raises ConfigError and UsageError.
    """
    config = configured(gate, folder)
    return TriageSettings(config=config, baseline=load_baseline(baseline_file(gate, config), root))


def policy_settings(gate: GateSettings, git: Git, top: str, base: str | None) -> TriageSettings:
    """Return the settings of the policy.

    `base` is the commit that counts with `--policy base`, if any.

    Raises ConfigError for files that cannot be read or understood.
    """
    if gate.policy != BASE:
        return triage_settings(gate, Path(top), root=top)
    base_files = _BaseFiles(git, Path(top).resolve(), base)
    config = adjusted(_config(gate, base_files), gate)
    return TriageSettings(config=config, baseline=_baseline(gate, config, base_files), comments=False)


def configured(gate: GateSettings, folder: Path) -> Config:
    """Return the configuration for a folder, with the command line applied."""
    file = Path(gate.config) if gate.config else find_config(folder)
    return adjusted(load_config(file) if file else Config(), gate)


def adjusted(config: Config, gate: GateSettings) -> Config:
    """Return a configuration with the command line applied."""
    if gate.confidence:
        config = replace(config, confidence=Confidence(gate.confidence))
    if gate.fail_on:
        config = replace(config, fail_on=FailOn.named(gate.fail_on))
    return config


def baseline_file(gate: GateSettings, config: Config) -> Path | None:
    """The baseline of the command line, else of the configuration.

    Returns None where there is none, and with `--no-baseline`. Raises UsageError and ConfigError.
    """
    if gate.no_baseline:
        return None
    if gate.baseline == "":
        raise UsageError("--baseline is empty", hint="Is a variable unset?")
    return Path(gate.baseline) if gate.baseline is not None else config.baseline_file


class _BaseFiles:
    """The files of the work tree as the base has them. What lies outside of it is read where it is."""

    def __init__(self, git: Git, top: Path, base: str | None) -> None:
        self._git = git
        self._base = base
        self.top = top

    def content(self, file: Path, outside: Callable[[Path], bytes]) -> bytes | None:
        """The content of a file, None if the base has no such file."""
        inside = self._inside(file)
        if inside is None:
            return outside(file)
        if self._base is None:
            return None
        from binance_leaks.sources.commits import blobs_at  # start-up: only for this policy

        name = inside.encode("utf-8", "surrogateescape")
        blob = blobs_at(self._git, [self._base], [name])[0].get(name)
        return None if blob is None else self._git.run("cat-file", "blob", blob)

    def has(self, file: Path) -> bool:
        """Whether a file is one of the work tree."""
        return self._inside(file) is not None

    def folder_of(self, file: Path) -> Path | None:
        """The folder of a file in the base, whatever links the change puts in its place; None if it is outside."""
        inside = self._inside(file)
        return None if inside is None else (self.top / inside).parent

    def _inside(self, file: Path) -> str | None:
        """The path of a file from the top, None if it is outside. Ignores links, which belong to the change."""
        whole = Path(os.path.abspath(file))  # noqa: PTH100 - resolve() would follow links
        for folder in reversed(whole.parents):
            if folder.resolve() == self.top:
                return whole.relative_to(folder).as_posix()
        return None


def _config(gate: GateSettings, base_files: _BaseFiles) -> Config:
    if gate.config:
        file = Path(gate.config)
        content = base_files.content(file, _read_configuration)
        return Config() if content is None else parse_config(content, file, base_files.folder_of(file))
    for name in FILE_NAMES:
        content = base_files.content(base_files.top / name, _read_configuration)
        if content is not None and (name != "pyproject.toml" or mentions_us(content)):
            return parse_config(content, base_files.top / name, base_files.top)
    return Config()


def _read_configuration(file: Path) -> bytes:
    try:
        return read_file(file, LARGEST_CONFIGURATION)
    except OSError as error:
        raise ConfigError(f"configuration {file} cannot be read: {error.strerror}") from None


def _baseline(gate: GateSettings, config: Config, base_files: _BaseFiles) -> Known | None:
    if gate.baseline is None and not gate.no_baseline:
        file = config.named_baseline  # what its folders are in the work tree, the change decides
        if file is not None and not base_files.has(file):
            raise outside_baseline(str(config.baseline), str(config.file))
    else:
        file = baseline_file(gate, config)
    if file is None:
        return None
    from binance_leaks.baseline.file import Baseline, file_content  # start-up: most scans have no baseline

    content = base_files.content(file, file_content)
    return None if content is None else Baseline.parse(file, content).known(str(base_files.top))
