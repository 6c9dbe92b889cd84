"""What the pre-commit hook does once something looks like a credential."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from binance_leaks.baseline.known import path_from
from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.output import configured, excluded, known_baseline, present, wanted_formats
from binance_leaks.cli.verify_option import Online, asking
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import ScanStats, Skipped, SourceKind
from binance_leaks.model import Location
from binance_leaks.pipeline.files import scan_entries, secrets_again
from binance_leaks.pipeline.scan import Scan
from binance_leaks.pipeline.staged import credentials_in_changes
from binance_leaks.pipeline.triage import conclude
from binance_leaks.sources.files import FileEntry, list_files
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import StagedChange, StagedChanges
from binance_leaks.sources.nearby_evidence import EvidenceNearStaged


def report(
    options: Options,
    git: Git,
    staged: StagedChanges,
    found: Sequence[StagedChange],
    missing: Sequence[StagedChange],
    unstaged: Sequence[str],
    asker: Online | None,
    *,
    size: int,
) -> ExitStatus:
    """Detects, judges and shows. `found` are the changes that the prefilter let through, `size` the bytes of all."""
    files = len(staged.changes)
    started = time.monotonic()
    formats = wanted_formats(options)
    config = configured(options, Path(git.folder))
    exclude = excluded(config, options)
    root = git.root()
    credentials, skipped = credentials_in_changes(git, found, lambda path: exclude.match(config.relative(path, root)))
    submodules = [*staged.submodules, *(name for name in unstaged if os.path.isdir(name) and not os.path.islink(name))]  # noqa: PTH112, PTH114
    unstaged = [name for name in unstaged if name not in submodules]
    holding: list[FileEntry] = []
    if unstaged:
        links = [file for file in unstaged if os.path.islink(file)]  # noqa: PTH114
        texts = [FileEntry(path=file, shown=file, evidence_path=file, link=True) for file in links]
        others = list_files(
            [Path(file) for file in unstaged if file not in links],
            exclude=lambda path: exclude.match(config.relative(path, git.folder)),
            all_files=True,
        )
        whole = scan_entries(chain(texts, others), jobs=1, progress=lambda _: None)
        holding = whole.holding
        files += whole.files
        size += whole.bytes
        credentials += [credential.moved(partial(_from_top, root, git.folder)) for credential in whole.credentials]
        skipped += whole.skipped
    skipped += [Skipped(what=change.shown, why="its content is not in the repository") for change in missing]
    skipped += [Skipped(what=path, why="a submodule; scan it by itself", lost=False) for path in submodules]
    scan = Scan(
        source=SourceKind.STAGED,
        target=".",
        credentials=tuple(credentials),
        skipped=tuple(skipped),
        anchor=root,
        stats=ScanStats(files=files, bytes=size, seconds=round(time.monotonic() - started, 3)),
    )
    baseline = known_baseline(options, config, root) if credentials else None
    verify = asking(asker, lambda: secrets_again(holding))
    result = conclude(scan, config=config, nearby=EvidenceNearStaged(git), baseline=baseline, verify=verify)
    return present(result, options, formats, folder=root)


def _from_top(root: str, folder: str, place: Location) -> Location:
    """A place in a file that was named from `folder`, named as what is staged is: from the top."""
    return replace(place, path=path_from(root, place.path, folder))
