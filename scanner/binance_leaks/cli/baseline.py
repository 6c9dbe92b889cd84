"""`binance-leaks baseline`: create, update and audit a baseline of known findings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import MappingProxyType

from binance_leaks.baseline.file import (
    DEFAULT_NAME,
    Baseline,
    Update,
    refuse_existing,
    refuse_unwritable,
    updated,
    write,
)
from binance_leaks.baseline.known import path_from
from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import baseline_file, configured
from binance_leaks.cli.run import scan_progress
from binance_leaks.cli.scan import configuration_folder, refuse_empty_path
from binance_leaks.cli.settings import CommandSettings, GateSettings
from binance_leaks.config import Config
from binance_leaks.errors import ScanError, UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Value
from binance_leaks.pipeline.baseline_update import BaselineInput, ScanCoverage, collect_for_baseline
from binance_leaks.pipeline.files import FileSource
from binance_leaks.pipeline.history import HistorySource
from binance_leaks.pipeline.source import Detected, Source
from binance_leaks.pipeline.workers import usable_cores
from binance_leaks.report import write_report
from binance_leaks.report.names import ROLE_NAMES
from binance_leaks.report.sanitize import Quoted, Redactor, printable
from binance_leaks.sources.path_roots import PathRoots, relative_path


@dataclass(frozen=True, kw_only=True, slots=True)
class BaselineSettings(CommandSettings):
    """`baseline create` and `baseline update`."""

    paths: Sequence[str]
    all_files: bool
    history: bool
    jobs: int


def create(options: Options) -> ExitStatus:
    """Make a baseline of what is found.

    Raises UsageError where one exists, as that may have been audited.
    """
    task = _Task.of(BaselineSettings.of(options))
    refuse_existing(task.file)
    status = task.run(Baseline.new(task.config.confidence), history=task.settings.history)
    if status is ExitStatus.CLEAN and not task.settings.output.quiet:
        write_report(_next_step(task), sys.stdout)
    return status


def update(options: Options) -> ExitStatus:
    """Add to a baseline what is new, and drop what is gone."""
    task = _Task.of(BaselineSettings.of(options))
    before = Baseline.read(task.file)
    refuse_unwritable(task.file)
    return task.run(before, history=task.settings.history or before.with_history)


def audit(arguments: list[str]) -> int:
    """Audit a baseline with detect-secrets, in the folder that its paths count from."""
    from binance_leaks.cli.detect_secrets import run_audit  # start-up: detect_secrets takes 110 ms

    named = [word for word in arguments if not word.startswith("-")]
    options = [word for word in arguments if word.startswith("-")]
    if not named:
        named = [str(_default_file(Path(), GateSettings()))]
    files = [os.path.abspath(name) for name in named]  # noqa: PTH100 - what a link leads to may be elsewhere
    roots = PathRoots()
    folder = os.path.dirname(files[0])  # noqa: PTH120
    if os.path.isdir(folder):  # noqa: PTH112 - else an error below names the missing baseline
        os.chdir(roots.top(folder) or roots.top(os.curdir) or folder)
    return run_audit([*options, *files])


def _default_file(folder: Path, gate: GateSettings) -> Path:
    """The baseline of the configuration, else the usual one at the top of the repository, else in this folder."""
    top = PathRoots().top(str(folder))
    config = configured(gate, Path(top) if top is not None else folder)
    return baseline_file(gate, config) or Path(relative_path(top) if top is not None else folder) / DEFAULT_NAME


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """One run: the baseline's `file`, the folder `root` that its paths count from, what is scanned and how."""

    settings: BaselineSettings
    config: Config
    file: Path
    root: str
    paths: tuple[str, ...]

    @classmethod
    def of(cls, settings: BaselineSettings) -> _Task:
        """Raise UsageError for paths outside of the repository."""
        refuse_empty_path(settings.paths)
        folder = configuration_folder(settings.paths)
        top = PathRoots().top(str(folder))
        file = _default_file(folder, settings.gate)
        root = top if top is not None else str(file.resolve().parent)
        paths = tuple(settings.paths) or (relative_path(top) if top is not None else os.curdir,)
        for path in paths if top is not None else ():
            if path_from(root, path, os.curdir).split("/", 1)[0] == os.pardir:
                raise UsageError(f"{path} is not in the repository {root}", hint="A baseline is of one repository.")
        config = configured(settings.gate, Path(top) if top is not None and not settings.paths else folder)
        return cls(settings=settings, config=config, file=file, root=root, paths=paths)

    def run(self, before: Baseline, *, history: bool) -> ExitStatus:
        """Scan, write the file if anything changed, and print what was done."""
        read: list[str] = []
        sources: list[Source[Detected]] = [self._files(read), *([self._history()] if history else [])]
        scans: list[Detected] = []
        for source in sources:
            with scan_progress(self.settings.output) as show:
                scans.append(source.read(show))
            if scans[-1].interrupted and self.settings.limit is not None and self.settings.limit.is_over:
                raise ScanError(f"{self.settings.limit.describe()}, nothing was written", hint="Raise --time-limit.")
            if scans[-1].interrupted:
                sys.stderr.write("binance-leaks: interrupted, nothing was written\n")
                return ExitStatus.INTERRUPTED
        looks = [
            collect_for_baseline(source, scan, config=self.config, root=self.root)
            for source, scan in zip(sources, scans, strict=True)
        ]
        after = self._updated(before.marked_with_history() if history else before, looks, scans, read)
        changed = after.baseline != before or not self.file.exists()
        if changed:
            write(self.file, after.baseline.text(), newline=before.newline)
        lost = [skipped for scan in scans for skipped in scan.skipped if skipped.lost]
        if lost or not self.settings.output.quiet or after.added or after.dropped:
            write_report(_summary(self.file, after, lost, changed=changed), sys.stdout)
        return ExitStatus.INCOMPLETE if lost else ExitStatus.CLEAN

    def _updated(
        self, before: Baseline, looks: Sequence[BaselineInput], scans: Sequence[Detected], read: Sequence[str]
    ) -> Update:
        """Compare the baseline with what the files hold and, if it was scanned, the history."""
        seen = ScanCoverage.of(
            self.root,
            roots=self.paths,
            read=read,
            skipped=scans[0].skipped,
            history=scans[1].skipped if len(scans) > 1 else None,
        )
        return updated(
            before,
            (found for each in looks for found in each.found if seen.covers(found.path)),
            present=frozenset().union(*(each.present for each in looks)),
            gone=seen.gone,
        )

    def _files(self, read: list[str]) -> FileSource:
        """The files; the names of those that are read go into `read`."""
        return FileSource(
            paths=[Path(path) for path in self.paths],
            target=" ".join(self.paths),
            jobs=self.settings.jobs or usable_cores(),
            all_files=self.settings.all_files,
            excluded=self._exclusion(),
            note=lambda entry: read.append(entry.shown),
        )

    def _history(self) -> HistorySource:
        return HistorySource(
            folder=self.root,
            target=self.root,
            anchor=self.root,
            jobs=self.settings.jobs or usable_cores(),
            excluded=self.config.exclusion(self.settings.gate.exclude, anchor=self.root),
        )

    def _exclusion(self) -> Callable[[str], bool]:
        """Exclude the paths of the patterns, and the baseline itself."""
        by_pattern = self.config.exclusion(self.settings.gate.exclude)
        name, real = self.file.name, os.path.realpath(self.file)
        return lambda path: by_pattern(path) or (path.endswith(name) and os.path.realpath(path) == real)


def _next_step(task: _Task) -> str:
    """What to do with a baseline that was just made."""
    audit = "Audit it (binance-leaks baseline audit), then commit it."
    named = task.config.named_baseline
    if named is not None and os.path.realpath(named) == os.path.realpath(task.file):
        return f"{audit}\n"
    shown = Quoted(Redactor(MappingProxyType({}))).path(path_from(task.root, str(task.file), os.curdir))
    return (
        f"{audit} Scans use it with --baseline, or always, once pyproject.toml names it:\n"
        f'  [tool.binance-leaks]\n  baseline = "{shown}"\n'
    )


def _summary(file: Path, update: Update, lost: Iterable[Skipped], *, changed: bool) -> str:
    """Describe what was done, and what could not be read."""
    masks = {each.value.sha256: each.value.masked for each in update.added}
    quoted = Quoted(Redactor(MappingProxyType(masks)))
    counts = f"{len(update.added):,} added, {update.kept:,} kept, {len(update.dropped):,} dropped"
    lines = [f"{'Wrote' if changed else 'No change to'} {quoted.path(str(file))}: {counts}."]
    for new in update.added:
        place = f"{quoted.path(new.path)}:{new.line}"
        lines.append(f"  added    {place}  {ROLE_NAMES[new.value.role]} {_mask(new.value)}")
    lines += [
        f"  dropped  {quoted.path(old.path)}  {old.type}, SHA-1 {printable(old.sha1[:12])}…" for old in update.dropped
    ]
    unread = [f"  {quoted.path(each.what)}: {quoted.prose(each.why)}" for each in lost]
    if unread:
        lines += [f"Incomplete: {len(unread):,} not read. What is known there is kept.", *unread]
    return "\n".join([*lines, ""])


def _mask(value: Value) -> str:
    return value.masked.removeprefix("private key, ")
