"""Run detect-secrets with our plugin: `plugin-path`, its hook, its audit."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from detect_secrets import main as host
from detect_secrets import pre_commit_hook

from binance_leaks.baseline.names import REFERENCE_FILTER
from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.detect_secrets_baseline import (
    AuditBaseline,
    HookBaseline,
    OriginalBaseline,
    plugin_path,
    prepared_baselines,
)
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.plugin import CAREFUL_FILTER


def print_plugin_path(options: Options) -> int:  # noqa: ARG001 - every command has this signature
    """Print the path of the plugin, for `detect-secrets scan -p`."""
    sys.stdout.write(f"{plugin_path()}\n")
    return ExitStatus.CLEAN


def run_hook(arguments: list[str]) -> int:
    """Run detect-secrets-hook in this process with our plugin; return its exit status.

    Unless the arguments say otherwise, no plugin verifies over the network, and the filter that hides `client =
    Client("KEY", "SECRET")` lets lines through that may hold a credential. Raises UsageError or ConfigError for a
    baseline that detect-secrets would not understand, or with which it would scan nothing.
    """
    given = _parse_given(arguments)
    baseline = OriginalBaseline.read(given.baseline) if given.baseline is not None else None
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
    no_verify: bool
    only_verified: bool


def _parse_given(arguments: Sequence[str]) -> _Given:
    """Parse the options that matter here; detect-secrets reports errors in them."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--baseline", nargs="?")
    parser.add_argument("-p", "--plugin", nargs="?", action="append", default=[])
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
