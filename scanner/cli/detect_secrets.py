"""detect-secrets with our plugin: `plugin-path`, `detect-secrets-hook`, and its audit.

A baseline names each plugin by the absolute path that it had on the machine where the baseline was made. Elsewhere
detect-secrets loads none of its plugins then, says so, scans nothing, and passes. So our own plugins in a baseline are
given the path of this installation while detect-secrets reads it, and keep the path that is written there if
detect-secrets updates the file. This is done where detect-secrets reads the baseline and not in a copy of it, because
it knows the file by its name: not to scan it, to see whether it is staged, and to tell the user to stage it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from detect_secrets import main as host
from detect_secrets import pre_commit_hook
from detect_secrets.core import baseline as host_baseline
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

import scanner.plugin
from scanner.errors import ConfigError, UsageError
from scanner.model import Confidence
from scanner.plugin import CAREFUL_FILTER, PLUGIN_NAMES, REFERENCE_FILTER

_SCHEME = "file://"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_SETTINGS = ("plugins_used", "filters_used")


def print_plugin_path() -> int:
    """Prints where the plugin is, for `detect-secrets scan -p`."""
    sys.stdout.write(f"{plugin_path()}\n")
    return 0


def plugin_path() -> Path:
    """The plugin of this installation."""
    return Path(scanner.plugin.__file__).resolve()


def run_hook(arguments: list[str]) -> int:
    """Runs detect-secrets-hook in this process with our plugin, and returns its exit status.

    Unless the arguments say otherwise nothing is verified over the network, by no plugin, and the filter that hides
    `client = Client("KEY", "SECRET")` lets lines through that may hold a credential. Raises UsageError or ConfigError
    for a baseline that detect-secrets would not understand, or with which it would scan nothing.
    """
    given = _given(arguments)
    baseline = _Baseline.read(given.baseline) if given.baseline is not None else None
    arguments = [*_added(given, baseline), *arguments]
    with _reading([baseline] if baseline is not None else []):
        return _status(lambda: pre_commit_hook.main(arguments))


def run_audit(arguments: list[str]) -> int:
    """Runs `detect-secrets audit` in this process, and returns its exit status.

    By itself detect-secrets 1.5.0 ends its audit in a traceback where a baseline has a plugin that came with `-p`
    (its issue 611), and cannot find ours on another machine. Raises UsageError and ConfigError as `run_hook` does.
    """
    baselines = [_Baseline.read(argument) for argument in arguments if not argument.startswith("-")]
    with _reading(baselines):
        try:
            return _status(lambda: host.main(["audit", *arguments]))
        except EOFError:
            raise UsageError("the audit ended before all of its questions were answered; nothing was saved") from None


class _Given(argparse.Namespace):
    """What the caller says about the things that we would add."""

    baseline: str | None
    plugin: list[str | None]
    disable_filter: list[str | None]
    no_verify: bool
    only_verified: bool


def _given(arguments: Sequence[str]) -> _Given:
    """Looks at the options that matter here; what is wrong with any of them, detect-secrets will say."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--baseline", nargs="?")
    parser.add_argument("-p", "--plugin", nargs="?", action="append", default=[])
    parser.add_argument("--disable-filter", nargs="?", action="append", default=[])
    parser.add_argument("-n", "--no-verify", action="store_true")
    parser.add_argument("--only-verified", action="store_true")
    parser.add_argument("-v", "--verbose", action="count")  # may be joined to -n
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return parser.parse_known_args(options, namespace=_Given())[0]


def _added(given: _Given, baseline: _Baseline | None) -> list[str]:
    """What goes in front of the caller's arguments.

    A plugin that the baseline names is not named again, as that would undo its settings there.
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


def _status(program: Callable[[], int]) -> int:
    """The exit status of a program that ends the process where its arguments are wrong or it shows help."""
    try:
        return program()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Baseline:
    """A baseline as it was before detect-secrets ran."""

    path: str
    content: dict[str, object]

    @classmethod
    def read(cls, path: str) -> _Baseline:
        """The baseline in a file; UsageError where there is none, ConfigError where it is no good."""
        try:
            content = json.loads(Path(path).read_text("utf-8"))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            hint = f'Make one: detect-secrets scan -p "$(binance-leaks plugin-path)" > {path}'
            raise UsageError(f"no such baseline: {path}", hint=hint) from None
        except OSError as error:
            raise UsageError(f"baseline {path} cannot be read: {error.strerror}") from None
        except ValueError:
            raise ConfigError(f"baseline {path} is not valid JSON") from None
        match content:
            case {"version": str(version), "results": dict()} if _VERSION.fullmatch(version):
                read = cls(path=path, content=content)
                read.check_plugins()
                return read
        raise ConfigError(f"{path} is not a baseline of detect-secrets")

    @property
    def has_our_plugins(self) -> bool:
        """Whether it was made with any plugin of ours."""
        return any(_is_ours(plugin) for plugin in self._plugins)

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
        for plugin in self._plugins:
            name, place = plugin.get("name"), plugin.get("path")
            if _is_ours(plugin):
                if plugin.get("confidence", levels[0]) not in levels:
                    raise ConfigError(f"baseline {self.path}: confidence of {name} must be one of {', '.join(levels)}")
            elif isinstance(place, str) and not Path(place.removeprefix(_SCHEME)).is_file():
                hint = "Put the path right in the baseline, or take the plugin out of it."
                raise ConfigError(f"baseline {self.path}: plugin {name} is not at {place}", hint=hint)

    def on_this_machine(self) -> dict[str, object]:
        """Its content with our plugins at their present place."""
        here = f"{_SCHEME}{plugin_path()}"
        plugins = [{**plugin, "path": here} if _is_ours(plugin) else plugin for plugin in self._plugins]
        return {**self.content, **({"plugins_used": plugins} if "plugins_used" in self.content else {})}

    def keep_settings(self) -> None:
        """Puts back the settings if detect-secrets has updated the file: it wrote paths and options of this run."""
        written = json.loads(Path(self.path).read_text("utf-8"))
        if written == self.content or written.get("version") != self.content["version"]:
            return  # not touched, or upgraded from what stood in the file
        kept = {name: self.content[name] for name in _SETTINGS if name in self.content}
        Path(self.path).write_text(json.dumps({**written, **kept}, indent=2) + "\n", "utf-8")

    @property
    def _plugins(self) -> list[dict[str, object]]:
        plugins = self.content.get("plugins_used", [])
        if not isinstance(plugins, list) or not all(isinstance(plugin, dict) for plugin in plugins):
            raise ConfigError(f"baseline {self.path}: “plugins_used” is not a list of plugins")
        return plugins


def _is_ours(plugin: dict[str, object]) -> bool:
    return plugin.get("name") in PLUGIN_NAMES


@contextmanager
def _reading(baselines: Sequence[_Baseline]) -> Iterator[None]:
    """While it lasts, detect-secrets reads these baselines with our plugins at their present place, and may write them.

    It is also made to forget the plugins that it looked up before it knew the baseline.
    """
    load = host_baseline.load_from_file
    known = {baseline.path: baseline for baseline in baselines}

    def load_here(filename: str) -> dict[str, object]:
        get_mapping_from_secret_type_to_class.cache_clear()
        return known[filename].on_this_machine() if filename in known else load(filename)

    host_baseline.load_from_file = load_here
    try:
        yield
    except TypeError as error:  # with which detect-secrets ends after it has named the plugin that it lacks
        if not baselines:
            raise
        hint = "Unless it says more above: make a new one, or update detect-secrets."
        raise ConfigError(f"detect-secrets cannot work with {' and '.join(known)}", hint=hint) from error
    finally:
        host_baseline.load_from_file = load
    for baseline in baselines:
        baseline.keep_settings()
