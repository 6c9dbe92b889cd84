"""`binance-leaks baseline create`, `update` and `audit`: what is known, written down and kept up to date."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from binance_leaks.baseline.file import DEFAULT_NAME, Baseline, refuse_existing, refuse_unwritable, write
from binance_leaks.baseline.known import path_from
from binance_leaks.baseline.update import Update, updated
from binance_leaks.cli import history, scan
from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.output import baseline_file, configured, excluded
from binance_leaks.config import Config
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import ScanStats, Skipped, SourceKind
from binance_leaks.model import Value
from binance_leaks.pipeline.baseline import Look, Seen, look
from binance_leaks.pipeline.files import usable_cores
from binance_leaks.pipeline.history import EvidenceNearHistory, Request
from binance_leaks.pipeline.scan import Scan
from binance_leaks.report import write_report
from binance_leaks.report.names import ROLE_NAMES
from binance_leaks.report.sanitize import Quoted, Redactor, printable
from binance_leaks.sources.files import FileEntry, list_files
from binance_leaks.sources.nearby_evidence import EvidenceNearFiles
from binance_leaks.sources.path_roots import PathRoots


def create(options: Options) -> ExitStatus:
    """Makes a baseline of what is found. Raises UsageError where one is, as that may have been audited."""
    task = _Task.of(options)
    refuse_existing(task.file)
    status = task.run(Baseline.new(task.config.confidence), history=options.history)
    if status == 0 and not options.quiet:
        write_report(_next_step(task), sys.stdout)
    return status


def update(options: Options) -> ExitStatus:
    """Takes into a baseline what is new and out of it what is gone."""
    task = _Task.of(options)
    before = Baseline.read(task.file)
    refuse_unwritable(task.file)
    return task.run(before, history=options.history or before.with_history)


def audit(arguments: list[str]) -> int:
    """Audits a baseline by the program of detect-secrets, from the folder that its paths count from."""
    from binance_leaks.cli.detect_secrets import run_audit  # start-up: detect_secrets takes 110 ms

    named = [word for word in arguments if not word.startswith("-")]
    options = [word for word in arguments if word.startswith("-")]
    if not named:
        named = [str(_default_file(Path(), Options(config=None, confidence=None, fail_on=None)))]
    files = [os.path.abspath(name) for name in named]  # noqa: PTH100 - what a link leads to may be elsewhere
    roots = PathRoots()
    folder = os.path.dirname(files[0])  # noqa: PTH120
    if os.path.isdir(folder):  # noqa: PTH112 - else it is told below that there is no such baseline
        os.chdir(roots.top(folder) or roots.top(os.curdir) or folder)
    return run_audit([*options, *files])


def _default_file(folder: Path, options: Options) -> Path:
    """The baseline of the configuration, else the usual one at the top of the repository, else in this folder."""
    top = PathRoots().top(str(folder))
    config = configured(options, Path(top) if top is not None else folder)
    return baseline_file(options, config) or Path(os.path.relpath(top) if top is not None else folder) / DEFAULT_NAME


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """One run: the baseline's `file`, the folder `root` that its paths count from, what is scanned and how."""

    options: Options
    config: Config
    file: Path
    root: str
    paths: tuple[str, ...]

    @classmethod
    def of(cls, options: Options) -> _Task:
        if "" in options.paths:
            raise UsageError("no such file or folder: the path is empty", hint="Is a variable unset?")
        folder = scan.configuration_folder(options.paths)
        top = PathRoots().top(str(folder))
        file = _default_file(folder, options)
        root = top if top is not None else str(file.resolve().parent)
        paths = tuple(options.paths) or (os.path.relpath(top) if top is not None else os.curdir,)
        for path in paths if top is not None else ():
            if path_from(root, path, os.curdir).split("/", 1)[0] == os.pardir:
                raise UsageError(f"{path} is not in the repository {root}", hint="A baseline is of one repository.")
        config = configured(options, Path(top) if top is not None and not options.paths else folder)
        return cls(options=options, config=config, file=file, root=root, paths=paths)

    def run(self, before: Baseline, *, history: bool) -> ExitStatus:
        """Scans, writes the file if there is anything to write, and tells what was done."""
        read: list[str] = []
        files = self._files(read)
        scans = [(files, look(files, EvidenceNearFiles(), config=self.config, root=self.root))]
        if history and not files.interrupted:
            scans.append(self._history())
        if any(done.interrupted for done, _ in scans):
            sys.stderr.write("binance-leaks: interrupted, nothing was written\n")
            return ExitStatus.INTERRUPTED
        seen = Seen.of(
            self.root,
            roots=self.paths,
            read=read,
            skipped=files.skipped,
            history=scans[1][0].skipped if history else None,
        )
        looks = [seen_by for _, seen_by in scans]
        after = updated(
            before.marked_with_history() if history else before,
            (found for each in looks for found in each.found if seen.covers(found.path)),
            present=frozenset().union(*(each.present for each in looks)),
            gone=seen.gone,
        )
        changed = after.baseline != before or not self.file.exists()
        if changed:
            write(self.file, after.baseline.text(), newline=before.newline)
        lost = [skipped for done, _ in scans for skipped in done.skipped if skipped.lost]
        if lost or not self.options.quiet or after.added or after.dropped:
            write_report(_told(self.file, after, lost, changed=changed), sys.stdout)
        return ExitStatus.INCOMPLETE if lost else ExitStatus.CLEAN

    def _files(self, read: list[str]) -> Scan:
        """A scan of the files; those that are read go into `read`."""
        entries = list_files(
            [Path(path) for path in self.paths], exclude=self._exclusion(), all_files=self.options.all_files
        )
        tally = scan.scan_watched(_noting(entries, read), self.options)
        return Scan(
            source=SourceKind.FILES,
            target=" ".join(self.paths),
            credentials=tuple(tally.credentials),
            skipped=tuple(tally.skipped),
            stats=ScanStats(),
            interrupted=tally.interrupted,
        )

    def _history(self) -> tuple[Scan, Look]:
        unwanted = excluded(self.config, self.options)
        request = Request(
            folder=self.root,
            jobs=self.options.jobs or usable_cores(),
            excluded=lambda path: bool(unwanted) and unwanted.match(self.config.relative(path, self.root)),
        )
        outcome = history.scan_watched(request, self.options)
        done = Scan(
            source=SourceKind.HISTORY,
            target=self.root,
            credentials=tuple(outcome.credentials),
            skipped=tuple(outcome.skipped),
            stats=ScanStats(),
            interrupted=outcome.interrupted,
            anchor=self.root,
        )
        nearby = EvidenceNearHistory(request, outcome)
        return done, look(done, nearby, config=self.config, root=self.root)

    def _exclusion(self) -> Callable[[str], bool]:
        """What is left out: by patterns, and the baseline itself."""
        by_pattern = scan.exclusion(excluded(self.config, self.options), self.config)
        name, real = self.file.name, os.path.realpath(self.file)

        def leaves_out(path: str) -> bool:
            return by_pattern(path) or (path.endswith(name) and os.path.realpath(path) == real)

        return leaves_out


def _next_step(task: _Task) -> str:
    """What to do with a baseline that was just made."""
    audit = "Audit it (binance-leaks baseline audit), then commit it."
    named = task.config.baseline_file
    if named is not None and os.path.realpath(named) == os.path.realpath(task.file):
        return f"{audit}\n"
    shown = Quoted(Redactor(MappingProxyType({}))).path(path_from(task.root, str(task.file), os.curdir))
    return (
        f"{audit} Scans heed it with --baseline, or always, once pyproject.toml names it:\n"
        f'  [tool.binance-leaks]\n  baseline = "{shown}"\n'
    )


def _told(file: Path, update: Update, lost: Iterable[Skipped], *, changed: bool) -> str:
    """What was done, and what could not be."""
    masks = {each.value.sha256: each.value.masked for each in update.added}
    quoted = Quoted(Redactor(MappingProxyType(masks)))
    counts = f"{len(update.added):,} added, {update.kept:,} kept, {len(update.dropped):,} dropped"
    lines = [f"{'Wrote' if changed else 'No change to'} {quoted.path(str(file))}: {counts}."]
    for new in update.added:
        place = f"{quoted.path(new.path)}:{new.line}"
        lines.append(f"  added    {place}  {ROLE_NAMES[new.value.role]} {_shown(new.value)}")
    lines += [
        f"  dropped  {quoted.path(old.path)}  {old.type}, SHA-1 {printable(old.sha1[:12])}…" for old in update.dropped
    ]
    unread = [f"  {quoted.path(each.what)}: {quoted.prose(each.why)}" for each in lost]
    if unread:
        lines += [f"Incomplete: {len(unread):,} not read. What is known there is kept.", *unread]
    return "\n".join([*lines, ""])


def _shown(value: Value) -> str:
    return value.masked.removeprefix("private key, ")


def _noting(entries: Iterable[FileEntry | Skipped], read: list[str]) -> Iterator[FileEntry | Skipped]:
    for entry in entries:
        if isinstance(entry, FileEntry):
            read.append(entry.shown)
        yield entry
