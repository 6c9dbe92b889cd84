"""Run detect-secrets with our plugin: `plugin-path`, its hook, its audit.

A baseline names each plugin by its absolute path on the machine where it was made. Elsewhere detect-secrets loads none
of them, prints a line, scans nothing, and passes. So our plugins get the path of this installation while detect-secrets
reads the baseline, and keep the written path if it updates the file. This is done where detect-secrets reads the
baseline and not in a copy, because it uses the file's name: not to scan it, to check whether it is staged, and in its
messages.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from detect_secrets import main as host
from detect_secrets import pre_commit_hook
from detect_secrets.core import baseline as host_baseline
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

import binance_leaks.plugin
from binance_leaks.baseline.file import content_of, write
from binance_leaks.baseline.known import OUR_TYPES, PLUGIN_NAMES, REFERENCE_FILTER
from binance_leaks.cli.arguments.common import Options
from binance_leaks.errors import ConfigError, UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Confidence
from binance_leaks.pipeline.triage import lines_of
from binance_leaks.plugin import CAREFUL_FILTER
from binance_leaks.sources.path_roots import PathRoots

_SCHEME = "file://"


def plugin_path() -> Path:
    """The path of the plugin in this installation."""
    return Path(binance_leaks.plugin.__file__).resolve()


@dataclass(frozen=True, kw_only=True, slots=True)
class OriginalBaseline:
    """A baseline as it was before detect-secrets ran."""

    path: str
    content: dict[str, object]

    @classmethod
    def read(cls, path: str, trusted: Sequence[str] = ()) -> OriginalBaseline:
        """Read a baseline. Raises ConfigError where there is none, it is invalid, or names code of the work tree.

        `trusted` are the files with code that the user names.
        """
        read = cls(path=path, content=content_of(Path(path)))
        read.check_code(trusted)
        read.check_plugins()
        return read

    @property
    def has_our_plugins(self) -> bool:
        """Whether it was made with any of our plugins."""
        return any(_is_ours(plugin) for plugin in self.plugins)

    @property
    def filters_references(self) -> bool:
        """Whether it enables the filter that hides calls which take credentials."""
        filters = self.content.get("filters_used")
        return not isinstance(filters, list) or any(
            isinstance(entry, dict) and entry.get("path") == REFERENCE_FILTER for entry in filters
        )

    def check_plugins(self) -> None:
        """Raise ConfigError for a plugin that cannot be loaded.

        detect-secrets would scan nothing with it.
        """
        levels = [level.value for level in Confidence]
        for plugin in self.plugins:
            name, place = plugin.get("name"), plugin.get("path")
            if _is_ours(plugin):
                if plugin.get("confidence", levels[0]) not in levels:
                    raise ConfigError(f"baseline {self.path}: confidence of {name} must be one of {', '.join(levels)}")
                if not isinstance(plugin.get("verify", False), bool):
                    raise ConfigError(f"baseline {self.path}: verify of {name} must be true or false")
            elif isinstance(place, str) and not Path(place.removeprefix(_SCHEME)).is_file():
                hint = "Correct the path in the baseline, or remove the plugin from it."
                raise ConfigError(f"baseline {self.path}: plugin {name} is not at {place}", hint=hint)

    def check_code(self, trusted: Sequence[str]) -> None:
        """Raise ConfigError for a plugin or filter in a file of the work tree that the user does not name.

        detect-secrets would run it, and the author of a repository chose it.
        """
        filters, old = self.content.get("filters_used"), self.content.get("custom_plugin_paths")
        entries = [plugin for plugin in self.plugins if not _is_ours(plugin)]
        entries += [entry for entry in filters if isinstance(entry, dict)] if isinstance(filters, list) else []
        # detect-secrets cuts a scheme off without looking at it; before its version 1 there was none.
        named = [str(entry.get("path"))[len(_SCHEME) :] for entry in entries]
        named += map(str, old) if isinstance(old, list) else []
        files = [*named, *(each.partition("::")[0] for each in named)]
        folders = (os.curdir, str(Path(self.path).parent))
        tops = [PathRoots().top(folder) or os.path.realpath(folder) for folder in folders]
        known = set(map(os.path.realpath, trusted))
        try:
            found = [file for file in map(os.path.realpath, files) if Path(file).is_file()]
        except (OSError, ValueError):
            raise ConfigError(f"baseline {self.path} names a plugin or filter in what can be no file") from None
        for file in found:
            if file not in known and any(Path(file).is_relative_to(top) for top in tops):
                hint = (
                    "If you trust it: -p FILE, or -f FILE::NAME for a filter. To audit, keep it out of the work tree."
                )
                raise ConfigError(f"baseline {self.path} names code in the work tree: {file}", hint=hint)

    @property
    def results(self) -> dict[str, list[dict[str, object]]]:
        """The entries by path."""
        results = self.content["results"]
        return results if isinstance(results, dict) else {}

    @property
    def plugins(self) -> list[dict[str, object]]:
        """The plugins with their settings."""
        plugins = self.content.get("plugins_used", [])
        if not isinstance(plugins, list) or not all(isinstance(plugin, dict) for plugin in plugins):
            raise ConfigError(f"baseline {self.path}: “plugins_used” is not a list of plugins")
        return plugins


def _is_ours(plugin: dict[str, object]) -> bool:
    return plugin.get("name") in PLUGIN_NAMES


class PreparedBaseline(Protocol):
    """A baseline with other content for detect-secrets."""

    @property
    def baseline(self) -> OriginalBaseline: ...
    def prepared(self) -> dict[str, object]: ...
    def restore(self) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class HookBaseline:
    """A baseline that the hook may update."""

    baseline: OriginalBaseline

    def prepared(self) -> dict[str, object]:
        """The content for detect-secrets: our plugins at their present path."""
        here = f"{_SCHEME}{plugin_path()}"
        before = self.baseline
        plugins = [{**plugin, "path": here} if _is_ours(plugin) else plugin for plugin in before.plugins]
        return {**before.content, **({"plugins_used": plugins} if "plugins_used" in before.content else {})}

    def restore(self) -> None:
        """Restore all but the results if the file was updated.

        Its settings are those of this run.
        """
        before = self.baseline
        written = json.loads(Path(before.path).read_text("utf-8-sig"))
        if written == before.content or written.get("version") != before.content["version"]:
            return  # not touched, or upgraded from the content of the file
        kept = {name: written[name] for name in ("results", "generated_at") if name in before.content}
        write(Path(before.path), json.dumps({**before.content, **kept}, indent=2) + "\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditBaseline:
    """A baseline to audit.

    With `files_only` without entries whose file is missing, as a report opens each.
    """

    baseline: OriginalBaseline
    files_only: bool

    @property
    def hidden(self) -> int:
        """The number of entries that are left out."""
        return sum(len(entries) for path, entries in self.baseline.results.items() if not self._shows(path))

    def prepared(self) -> dict[str, object]:
        """The content for detect-secrets: our plugins at their present path and lowest confidence, current lines."""
        here = f"{_SCHEME}{plugin_path()}"
        ours = [{"name": name, "path": here, "confidence": Confidence.LOW.value} for name in PLUGIN_NAMES]
        others = [plugin for plugin in self.baseline.plugins if not _is_ours(plugin)]
        results = {
            path: _with_current_lines(path, entries)
            for path, entries in self.baseline.results.items()
            if self._shows(path)
        }
        return {**self.baseline.content, "plugins_used": [*others, *ours], "results": results}

    def _shows(self, path: str) -> bool:
        return not self.files_only or Path(_local_path(path)).is_file()

    def restore(self) -> None:
        """Restore all but the labels if the file was written."""
        before = self.baseline
        file = Path(before.path)
        written = json.loads(file.read_text("utf-8-sig"))
        if written == before.content:
            return
        labels = {
            (_with_slashes(path), entry["type"], entry["hashed_secret"]): entry.get("is_secret")
            for path, entries in written["results"].items()
            for entry in entries
        }
        results = {
            path: [_with_label(path, entry, labels) for entry in entries] for path, entries in before.results.items()
        }
        write(file, json.dumps({**before.content, "results": results}, indent=2) + "\n")


def _with_current_lines(path: str, entries: list[dict[str, object]]) -> list[dict[str, object]]:
    """Update the lines of our entries: detect-secrets looks for a value nowhere else."""
    if not any(entry.get("type") in OUR_TYPES for entry in entries):
        return entries
    lines = lines_of(_local_path(path))
    return [
        {**entry, "line_number": lines.get(str(entry.get("hashed_secret")), entry.get("line_number") or 1)}
        if entry.get("type") in OUR_TYPES
        else entry
        for entry in entries
    ]


def _with_label(
    path: str, entry: dict[str, object], labels: Mapping[tuple[str, object, object], object]
) -> dict[str, object]:
    """The entry with its label from the audit, if it was part of it."""
    key = _with_slashes(path), entry.get("type"), entry.get("hashed_secret")
    if key not in labels:
        return entry
    without = {name: value for name, value in entry.items() if name != "is_secret"}
    return without if labels[key] is None else {**without, "is_secret": labels[key]}


def _local_path(path: str) -> str:
    """Convert a path of a baseline, which may come from Windows, for this system."""
    return _with_slashes(path).replace("/", os.sep)


def _with_slashes(path: str) -> str:
    return path.replace("\\", "/")


@contextmanager
def prepared_baselines(baselines: Sequence[PreparedBaseline]) -> Iterator[None]:
    """Make detect-secrets read these baselines with other content, then restore them.


    Also clears its cache of plugins from before it read the baseline.
    """
    load = host_baseline.load_from_file
    known = {each.baseline.path: each for each in baselines}

    def load_here(filename: str) -> dict[str, object]:
        get_mapping_from_secret_type_to_class.cache_clear()
        return known[filename].prepared() if filename in known else load(filename)

    host_baseline.load_from_file = load_here
    try:
        yield
    except TypeError as error:  # detect-secrets raises it after it has named the plugin that it lacks
        if not baselines:
            raise
        hint = "Its message may be above. If not, make a new baseline or update detect-secrets."
        raise ConfigError(f"detect-secrets cannot work with {' and '.join(known)}", hint=hint) from error
    finally:
        host_baseline.load_from_file = load
    for each in baselines:
        each.restore()


def print_plugin_path(options: Options) -> int:  # noqa: ARG001 - every command has this signature
    """Print the path of the plugin, for `detect-secrets scan -p`."""
    sys.stdout.write(f"{plugin_path()}\n")
    return ExitStatus.CLEAN


def run_hook(arguments: list[str]) -> int:
    """Run detect-secrets-hook in this process with our plugin; return its exit status.

    By default, no plugin verifies over the network, and the filter that hides `client =
        Client("KEY", "SECRET")` lets lines through that may hold a credential. Raises UsageError or ConfigError for a
        baseline that detect-secrets would not understand, or with which it would scan nothing.
    """
    given = _parse_given(arguments)
    baseline = OriginalBaseline.read(given.baseline, given.code) if given.baseline is not None else None
    arguments = [*_added_arguments(given, baseline), *arguments]
    with prepared_baselines([HookBaseline(baseline=baseline)] if baseline is not None else []):
        return _exit_status(lambda: pre_commit_hook.main(arguments))


def run_audit(arguments: list[str]) -> int:
    """Run `detect-secrets audit` in this process; return its exit status.

    detect-secrets 1.5.0 ends its audit with a traceback where a baseline has a plugin from `-p` (its issue 611), and
    cannot find ours on another machine. Only the labels that it writes are kept: it drops entries whose file is gone,
    such as those of a history. Raises UsageError and ConfigError as `run_hook` does.
    """
    files_only = not any(argument.startswith("--s") for argument in arguments)  # --stats counts all
    named = [argument for argument in arguments if not argument.startswith("-")]
    audited = [AuditBaseline(baseline=OriginalBaseline.read(path), files_only=files_only) for path in named]
    with prepared_baselines(audited):
        try:
            status = _exit_status(lambda: host.main(["audit", *arguments]))
        except EOFError:
            raise UsageError("the audit ended before all of its questions were answered; nothing was saved") from None
    for each in audited:
        if each.hidden:
            left_out = f"{each.hidden:,} of {each.baseline.path} left out, as there is no such file to show"
            sys.stderr.write(f"binance-leaks: {left_out} (history, messages, archives)\n")
    return status


class _Given(argparse.Namespace):
    """The caller's values of the options that we would add."""

    baseline: str | None
    plugin: list[str | None]
    disable_filter: list[str | None]
    filter: list[str | None]
    no_verify: bool
    only_verified: bool

    @property
    def code(self) -> list[str]:
        """The files with plugins and filters."""
        named = (str(each or "") for each in (*self.plugin, *self.filter))
        return [each.removeprefix(_SCHEME).partition("::")[0] for each in named]


def _parse_given(arguments: Sequence[str]) -> _Given:
    """Parse the options that matter here; detect-secrets reports errors in them."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--baseline", nargs="?")
    parser.add_argument("-p", "--plugin", nargs="?", action="append", default=[])
    parser.add_argument("-f", "--filter", nargs="?", action="append", default=[])
    parser.add_argument("--disable-filter", nargs="?", action="append", default=[])
    parser.add_argument("-n", "--no-verify", action="store_true")
    parser.add_argument("--only-verified", action="store_true")
    parser.add_argument("-v", "--verbose", action="count")  # may be joined to -n
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return parser.parse_known_args(options, namespace=_Given())[0]


def _added_arguments(given: _Given, baseline: OriginalBaseline | None) -> list[str]:
    """The arguments to put before the caller's.

    A plugin that the baseline names is not added, as that would undo its settings there.
    """
    added = []
    ours = plugin_path()
    named = any(path is not None and Path(path).resolve() == ours for path in given.plugin)
    if not named and not (baseline and baseline.has_our_plugins):
        added += ["-p", str(ours)]
    if REFERENCE_FILTER not in given.disable_filter and (baseline is None or baseline.filters_references):
        added += ["--disable-filter", REFERENCE_FILTER, "-f", CAREFUL_FILTER]
    if not given.no_verify and not given.only_verified:
        added.append("--no-verify")
    return added


def _exit_status(program: Callable[[], int]) -> int:
    """The exit status of a program that exits for wrong arguments or help."""
    try:
        return program()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
