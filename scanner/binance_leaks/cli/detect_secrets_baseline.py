"""Baselines lent to detect-secrets, which reads them as it needs them and may write them.

A baseline names each plugin by the absolute path that it had on the machine where the baseline was made. Elsewhere
detect-secrets loads none of its plugins then, says so, scans nothing, and passes. So our own plugins in a baseline are
given the path of this installation while detect-secrets reads it, and keep the path that is written there if
detect-secrets updates the file. This is done where detect-secrets reads the baseline and not in a copy of it, because
it knows the file by its name: not to scan it, to see whether it is staged, and to tell the user to stage it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from detect_secrets.core import baseline as host_baseline
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

import binance_leaks.plugin
from binance_leaks.baseline.file import content_of, write
from binance_leaks.baseline.names import OUR_TYPES, PLUGIN_NAMES, REFERENCE_FILTER
from binance_leaks.errors import ConfigError
from binance_leaks.model import Confidence
from binance_leaks.pipeline.triage import lines_of

_SCHEME = "file://"


def plugin_path() -> Path:
    """The plugin of this installation."""
    return Path(binance_leaks.plugin.__file__).resolve()


@dataclass(frozen=True, kw_only=True, slots=True)
class LentBaseline:
    """A baseline as it was before detect-secrets ran."""

    path: str
    content: dict[str, object]

    @classmethod
    def read(cls, path: str) -> LentBaseline:
        """The baseline in a file; ConfigError where there is none, or it is no good."""
        read = cls(path=path, content=content_of(Path(path)))
        read.check_plugins()
        return read

    @property
    def has_our_plugins(self) -> bool:
        """Whether it was made with any plugin of ours."""
        return any(_is_ours(plugin) for plugin in self.plugins)

    @property
    def filters_references(self) -> bool:
        """Whether the filter is on that hides calls which take credentials."""
        filters = self.content.get("filters_used")
        return not isinstance(filters, list) or any(
            isinstance(entry, dict) and entry.get("path") == REFERENCE_FILTER for entry in filters
        )

    def check_plugins(self) -> None:
        """Raises ConfigError for a plugin that cannot be set up: without one, detect-secrets scans nothing."""
        levels = [level.value for level in Confidence]
        for plugin in self.plugins:
            name, place = plugin.get("name"), plugin.get("path")
            if _is_ours(plugin):
                if plugin.get("confidence", levels[0]) not in levels:
                    raise ConfigError(f"baseline {self.path}: confidence of {name} must be one of {', '.join(levels)}")
                if not isinstance(plugin.get("verify", False), bool):
                    raise ConfigError(f"baseline {self.path}: verify of {name} must be true or false")
            elif isinstance(place, str) and not Path(place.removeprefix(_SCHEME)).is_file():
                hint = "Put the path right in the baseline, or take the plugin out of it."
                raise ConfigError(f"baseline {self.path}: plugin {name} is not at {place}", hint=hint)

    @property
    def results(self) -> dict[str, list[dict[str, object]]]:
        """The entries of each path."""
        results = self.content["results"]
        return results if isinstance(results, dict) else {}

    @property
    def plugins(self) -> list[dict[str, object]]:
        """The plugins that it names, with their settings."""
        plugins = self.content.get("plugins_used", [])
        if not isinstance(plugins, list) or not all(isinstance(plugin, dict) for plugin in plugins):
            raise ConfigError(f"baseline {self.path}: “plugins_used” is not a list of plugins")
        return plugins


def _is_ours(plugin: dict[str, object]) -> bool:
    return plugin.get("name") in PLUGIN_NAMES


class Loan(Protocol):
    """A baseline that detect-secrets works with."""

    @property
    def baseline(self) -> LentBaseline: ...
    def shown(self) -> dict[str, object]: ...
    def settle(self) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdatedBaseline:
    """A baseline that the hook may update."""

    baseline: LentBaseline

    def shown(self) -> dict[str, object]:
        """Its content with our plugins at their present place."""
        here = f"{_SCHEME}{plugin_path()}"
        before = self.baseline
        plugins = [{**plugin, "path": here} if _is_ours(plugin) else plugin for plugin in before.plugins]
        return {**before.content, **({"plugins_used": plugins} if "plugins_used" in before.content else {})}

    def settle(self) -> None:
        """Puts back all but the results if the file was updated: settings are of this run, other things are lost."""
        before = self.baseline
        written = json.loads(Path(before.path).read_text("utf-8"))
        if written == before.content or written.get("version") != before.content["version"]:
            return  # not touched, or upgraded from what stood in the file
        told = {name: written[name] for name in ("results", "generated_at") if name in before.content}
        write(Path(before.path), json.dumps({**before.content, **told}, indent=2) + "\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedBaseline:
    """A baseline that is audited; with `files_only` what stands in files of today, as a report opens each of them."""

    baseline: LentBaseline
    files_only: bool

    @property
    def hidden(self) -> int:
        """How many entries are not shown."""
        return sum(len(entries) for path, entries in self.baseline.results.items() if not self._shows(path))

    def shown(self) -> dict[str, object]:
        """Its content with our plugins at their present place, looking at everything, and our values where they are."""
        here = f"{_SCHEME}{plugin_path()}"
        ours = [{"name": name, "path": here, "confidence": Confidence.LOW.value} for name in PLUGIN_NAMES]
        others = [plugin for plugin in self.baseline.plugins if not _is_ours(plugin)]
        results = {
            path: _located(path, entries) for path, entries in self.baseline.results.items() if self._shows(path)
        }
        return {**self.baseline.content, "plugins_used": [*others, *ours], "results": results}

    def _shows(self, path: str) -> bool:
        return not self.files_only or Path(_local(path)).is_file()

    def settle(self) -> None:
        """Puts back all but the labels if the file was written."""
        before = self.baseline
        file = Path(before.path)
        written = json.loads(file.read_text("utf-8"))
        if written == before.content:
            return
        labels = {
            (_slashed(path), entry["type"], entry["hashed_secret"]): entry.get("is_secret")
            for path, entries in written["results"].items()
            for entry in entries
        }
        results = {
            path: [_labelled(path, entry, labels) for entry in entries] for path, entries in before.results.items()
        }
        write(file, json.dumps({**before.content, "results": results}, indent=2) + "\n")


def _located(path: str, entries: list[dict[str, object]]) -> list[dict[str, object]]:
    """Entries with the lines at which our values stand today: detect-secrets looks for them nowhere else."""
    if not any(entry.get("type") in OUR_TYPES for entry in entries):
        return entries
    lines = lines_of(_local(path))
    return [
        {**entry, "line_number": lines.get(str(entry.get("hashed_secret")), entry.get("line_number") or 1)}
        if entry.get("type") in OUR_TYPES
        else entry
        for entry in entries
    ]


def _labelled(
    path: str, entry: dict[str, object], labels: Mapping[tuple[str, object, object], object]
) -> dict[str, object]:
    """An entry with the label that an audit gave it, if it was shown there."""
    key = _slashed(path), entry.get("type"), entry.get("hashed_secret")
    if key not in labels:
        return entry
    without = {name: value for name, value in entry.items() if name != "is_secret"}
    return without if labels[key] is None else {**without, "is_secret": labels[key]}


def _local(path: str) -> str:
    """A path of a baseline, which may come from Windows, for this system."""
    return _slashed(path).replace("/", os.sep)


def _slashed(path: str) -> str:
    return path.replace("\\", "/")


@contextmanager
def lending(loans: Sequence[Loan]) -> Iterator[None]:
    """While it lasts, detect-secrets reads these baselines as they are shown to it, and may write them.

    It is also made to forget the plugins that it looked up before it knew the baseline.
    """
    load = host_baseline.load_from_file
    known = {each.baseline.path: each for each in loans}

    def load_here(filename: str) -> dict[str, object]:
        get_mapping_from_secret_type_to_class.cache_clear()
        return known[filename].shown() if filename in known else load(filename)

    host_baseline.load_from_file = load_here
    try:
        yield
    except TypeError as error:  # with which detect-secrets ends after it has named the plugin that it lacks
        if not loans:
            raise
        hint = "Unless it says more above: make a new one, or update detect-secrets."
        raise ConfigError(f"detect-secrets cannot work with {' and '.join(known)}", hint=hint) from error
    finally:
        host_baseline.load_from_file = load
    for each in loans:
        each.settle()
