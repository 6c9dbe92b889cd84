"""From a result to what the user sees: formats, files, colour, width, exit status."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.cli.arguments.common import Options
from scanner.cli.report_file import append_summary, refuse_unwritable, write_file
from scanner.cli.terminal import has_hyperlinks, obeys_escapes
from scanner.config import Config, FailOn, Globs, find_config, load_config
from scanner.errors import ScanError, UsageError
from scanner.findings import Result
from scanner.model import Confidence
from scanner.pipeline.scan import gate
from scanner.report import Format, View, format_named
from scanner.report.output import write_report
from scanner.report.sanitize import printable, without_values

if TYPE_CHECKING:
    from scanner.baseline.known import Known


def configured(options: Options, folder: Path) -> Config:
    """The configuration for a folder, with what the command line says on top."""
    file = Path(options.config) if options.config else find_config(folder)
    return adjusted(load_config(file) if file else Config(), options)


def adjusted(config: Config, options: Options) -> Config:
    """A configuration with what the command line says on top."""
    if options.confidence:
        config = replace(config, confidence=Confidence(options.confidence))
    if options.fail_on:
        config = replace(config, fail_on=FailOn.named(options.fail_on))
    return config


def excluded(config: Config, options: Options) -> Globs:
    """The patterns of the configuration and of the command line together."""
    return Globs([*config.exclude, *getattr(options, "exclude", [])])


def baseline_file(options: Options, config: Config) -> Path | None:
    """The baseline of the command line, else that of the configuration; None where there is none or none is wanted."""
    if getattr(options, "no_baseline", False):
        return None
    named = getattr(options, "baseline", None)
    if named == "":
        raise UsageError("--baseline is empty", hint="Is a variable unset?")
    return Path(named) if named is not None else config.baseline_file


def known_baseline(options: Options, config: Config, root: str | None) -> Known | None:
    """What the baseline knows, None without one. Raises ConfigError for one that cannot be read or understood.

    Its paths count from `root`, the top of the repository that is scanned; outside of one, from its own folder.
    """
    file = baseline_file(options, config)
    if file is None:
        return None
    from scanner.baseline.file import Baseline  # start-up: most scans have no baseline

    return Baseline.read(file).known(root if root is not None else str(file.resolve().parent))


def wanted_formats(options: Options) -> list[tuple[Format, Path | None]]:
    """The formats that were asked for, each with its file; `text` to standard output where none was.

    Raises UsageError for an unknown one, or for two that would share standard output or a file, and ScanError for a
    file that cannot be written, before anything is scanned.
    """
    wanted = []
    for text in options.format or ["text"]:
        name, _, file = text.partition(":")
        wanted.append((format_named(name), Path(file) if file and file != "-" else None))
    if sum(1 for _, file in wanted if file is None) > 1:
        raise UsageError("two formats would go to standard output", hint="Give one a file: --format json:report.json")
    files = [file for _, file in wanted if file is not None]
    if len({os.path.realpath(file) for file in files}) < len(files):
        raise UsageError("two formats would go to one file", hint="Give each a file of its own.")
    refuse_unwritable(files)
    return wanted


def present(
    result: Result, options: Options, formats: list[tuple[Format, Path | None]], *, folder: str | None = None
) -> int:
    """Writes the result in every format that was asked for, and returns the exit status.

    The paths of the result lead to files from `folder`; None where there are no such files.
    """
    moment = datetime.now(timezone.utc)
    result = result.without_secrets()
    for report, file in formats:
        view = View(
            width=page_width() if file is None else 100,
            color=file is None and colored(options.color),
            show_suppressed=options.show_suppressed,
            verbose=options.verbose,
            moment=moment,
            folder=_linked(folder, options.color) if file is None else None,
        )
        if file is not None:
            write_file(file, report.render(result, view))
        elif not (options.quiet and report.name == "text" and not result.findings and result.complete):
            write_report(report.render(result, view), sys.stdout)
        if report.name == "github" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
            _summarize(Path(summary), format_named("markdown").render(result, view))
    return gate(result, allow_incomplete=getattr(options, "allow_incomplete", False))


def _summarize(file: Path, text: str) -> None:
    """Appends to the summary of a step of GitHub Actions. The report stands elsewhere: failing here is told only."""
    try:
        append_summary(file, text)
    except ScanError as error:
        sys.stderr.write(f"binance-leaks: warning: {without_values(printable(str(error)))}\n")


def page_width() -> int:
    """Columns of the terminal, 80 where there is none."""
    return max(20, shutil.get_terminal_size((80, 24)).columns)


def colored(choice: str) -> bool:
    """Whether standard output gets colour: as the choice says, or `auto`, where it is a terminal that wants it."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return obeys_escapes(sys.stdout)


def _linked(folder: str | None, choice: str) -> str | None:
    """The folder from which a report links to files, if the terminal has hyperlinks."""
    if folder is None or choice == "never" or not has_hyperlinks(os.environ) or not obeys_escapes(sys.stdout):
        return None
    return os.path.abspath(folder).replace(os.sep, "/")  # noqa: PTH100 - as text: it may hold any bytes
