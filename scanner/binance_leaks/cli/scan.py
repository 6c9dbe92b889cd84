"""`binance-leaks scan`: files, folders, standard input."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.output import configured, excluded, known_baseline, present, wanted_formats
from binance_leaks.cli.verify_option import Online, asking, online
from binance_leaks.config import Config, Globs
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import ScanStats, Skipped, SourceKind
from binance_leaks.pipeline.files import Tally, scan_chunks, scan_entries, secrets_again, usable_cores
from binance_leaks.pipeline.scan import Scan
from binance_leaks.pipeline.triage import conclude
from binance_leaks.sources.files import FileEntry, list_files
from binance_leaks.sources.nearby_evidence import EvidenceNearFiles
from binance_leaks.sources.path_roots import PathRoots
from binance_leaks.sources.read_content import read_stream


def run(options: Options) -> ExitStatus:
    """Scans the named paths and reports."""
    with online(options) as asker:
        return _run(options, asker)


def _run(options: Options, asker: Online | None) -> ExitStatus:
    started = time.monotonic()
    formats = wanted_formats(options)
    folder = configuration_folder(options.paths)
    config = configured(options, folder)
    baseline = known_baseline(options, config, PathRoots().top(str(folder)))
    exclude = excluded(config, options)
    tally = Tally()
    if "" in options.paths:
        raise UsageError("no such file or folder: the path is empty", hint="Is a variable unset?")
    if "-" in options.paths:
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        tally.add(scan_chunks(read_stream("<stdin>", "", sys.stdin.buffer)))
    roots = [Path(path) for path in options.paths if path != "-"]
    if roots:
        entries = list_files(roots, exclude=exclusion(exclude, config), all_files=options.all_files)
        found = scan_watched(entries, options)
        tally.add(found)
        tally.interrupted = found.interrupted
    scan = Scan(
        source=SourceKind.FILES,
        target=" ".join(options.paths),
        credentials=tuple(tally.credentials),
        skipped=tuple(tally.skipped),
        stats=ScanStats(files=tally.files, bytes=tally.bytes, seconds=round(time.monotonic() - started, 3)),
        interrupted=tally.interrupted,
    )
    verify = None if tally.interrupted else asking(asker, lambda: secrets_again(tally.holding))
    result = conclude(scan, config=config, nearby=EvidenceNearFiles(), baseline=baseline, verify=verify)
    return present(result, options, formats, folder=os.curdir, interrupted=tally.interrupted)


def scan_watched(entries: Iterable[FileEntry | Skipped], options: Options) -> Tally:
    """Scans listed files, with a progress bar where somebody looks on."""
    jobs = options.jobs or usable_cores()
    if options.no_progress or options.quiet or not sys.stderr.isatty():
        return scan_entries(entries, jobs=jobs, progress=lambda _: None)
    from binance_leaks.cli.progress import FileProgress  # rich: only where somebody looks on

    listed = list(entries)
    with FileProgress(total=len(listed)) as bar:
        return scan_entries(listed, jobs=jobs, progress=bar.update)


def configuration_folder(paths: list[str]) -> Path:
    """Where the configuration is looked for: the first path's folder, else the current one."""
    for path in paths:
        if path != "-":
            place = Path(path)
            return place if place.is_dir() else place.parent
    return Path()


def exclusion(exclude: Globs, config: Config) -> Callable[[str], bool]:
    """Patterns hold from the folder of the configuration, whatever way the paths were named."""
    if not exclude:
        return lambda _: False
    return lambda shown: exclude.match(config.relative(shown, "."))
